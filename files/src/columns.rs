//! Finds out what the columns of a table mean: by what the caller wants, by the export it is, by their names, and by
//! what is in them, in this order.

use crate::error::FileError;
use crate::exporter::Exporter;
use crate::limits::{MAX_NAME_CHARS, SHOWN_COLUMNS};
use crate::mapping::{Column, Field, Flag, Wanted};
use crate::names;
use crate::reason::verdict;

/// A table whose columns are named.
pub(crate) struct Named<'a> {
    pub(crate) names: Vec<String>,
    /// Whether the file gave the names.
    pub(crate) has_header: bool,
    /// The rows without the header.
    pub(crate) rows: &'a [Vec<String>],
}

/// What the columns mean.
#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) columns: Vec<Column>,
    pub(crate) exporter: Option<&'static Exporter>,
    pub(crate) flags: Vec<Flag>,
    pub(crate) rest_is_note: bool,
}

impl Named<'_> {
    /// What the columns mean; `None` if none holds addresses.
    pub(crate) fn choose(self, wanted: &Wanted) -> Result<Option<Chosen>, FileError> {
        if !wanted.own.is_empty() {
            return self.choose_own(wanted);
        }
        let normal: Vec<String> =
            self.names.iter().filter(|_| self.has_header).map(|name| names::normal(name)).collect();
        let exporter = wanted.exporter.or_else(|| Exporter::of(&normal));
        let mut fields = Fields(vec![None; self.names.len()]);
        for (field, column) in &wanted.columns {
            fields.set(*field, self.wanted(column)?);
        }
        for (field, column) in exporter.iter().flat_map(|exporter| exporter.fields(&normal)) {
            fields.set(field, column);
        }
        let mut is_by_look = false;
        if fields.of(Field::Email).is_none() {
            let Some((email, by_look)) = self.email(&normal, &fields) else { return Ok(None) };
            fields.set(Field::Email, email);
            is_by_look = by_look;
        }
        if exporter.is_none() {
            for (field, mut candidates) in names::other_columns(&normal) {
                if field == Field::Reason {
                    candidates.sort_by_key(|&column| std::cmp::Reverse(self.n_reasons(column)));
                }
                candidates.into_iter().for_each(|column| fields.set(field, column));
            }
        }
        if !self.has_header
            && let Some(column) = self.reason(&fields)
        {
            fields.set(Field::Reason, column);
        }
        let rest_is_note = is_by_look && fields.of(Field::Note).is_none() && fields.0.contains(&None);
        // Whoever says which column is the reason knows better than the export.
        let says_reason = wanted.columns.iter().any(|(field, _)| *field == Field::Reason);
        let flags = if exporter.is_some() || says_reason { Vec::new() } else { self.flags(&normal, &fields) };
        let columns = self.names.into_iter().zip(fields.0).map(|(name, field)| Column { name, field }).collect();
        Ok(Some(Chosen { columns, exporter: exporter.filter(|_| !says_reason), flags, rest_is_note }))
    }

    /// The columns of yes and no: those that are called so, and hold nothing else.
    fn flags(&self, normal: &[String], fields: &Fields) -> Vec<Flag> {
        let cells =
            |column: usize| self.rows.iter().filter_map(move |row| row.get(column)).filter(|cell| !cell.is_empty());
        let is_flag = |flag: &Flag| {
            let is_free = fields.0[flag.column].is_none();
            is_free
                && cells(flag.column).next().is_some()
                && cells(flag.column).all(|cell| names::yes_or_no(cell).is_some())
        };
        names::flags(normal).into_iter().filter(is_flag).collect()
    }

    /// The same for a table of the caller's own: by what is wanted and by names alone.
    fn choose_own(self, wanted: &Wanted) -> Result<Option<Chosen>, FileError> {
        let normal: Vec<String> =
            self.names.iter().filter(|_| self.has_header).map(|name| names::normal(name)).collect();
        let mut fields = Fields(vec![None; self.names.len()]);
        for (field, column) in &wanted.columns {
            fields.set(*field, self.wanted(column)?);
        }
        if fields.of(Field::Email).is_none() {
            let Some((email, _)) = self.email(&normal, &fields) else { return Ok(None) };
            fields.set(Field::Email, email);
        }
        for own in wanted.own {
            let columns = names::columns(&normal, own.names);
            columns.into_iter().for_each(|column| fields.set(Field::Own(own.code), column));
        }
        let columns = self.names.into_iter().zip(fields.0).map(|(name, field)| Column { name, field }).collect();
        Ok(Some(Chosen { columns, ..Chosen::default() }))
    }

    /// The column that somebody asked for by its name or its number from 1.
    fn wanted(&self, wanted: &str) -> Result<usize, FileError> {
        let normal = names::normal(wanted);
        let by_name = self.names.iter().position(|name| names::normal(name) == normal);
        let number = || wanted.trim().parse().ok().and_then(|number: usize| number.checked_sub(1));
        by_name.or_else(|| number().filter(|at| *at < self.names.len())).ok_or_else(|| FileError::NoSuchColumn {
            wanted: cut(wanted),
            columns: self.names.iter().take(SHOWN_COLUMNS).cloned().collect(),
        })
    }

    /// A certain name wins, then a name that fits if addresses are there, then the most addresses. Says too whether no
    /// name told it.
    fn email(&self, normal: &[String], fields: &Fields) -> Option<(usize, bool)> {
        let n_ats = self.n_ats();
        let is_free = |column: &usize| fields.0[*column].is_none();
        let free = |columns: Vec<usize>| columns.into_iter().filter(is_free).collect::<Vec<_>>();
        let (certain, perhaps) = (free(names::email_columns(normal)), free(names::perhaps_email_columns(normal)));
        let with_addresses = |columns: &[usize]| columns.iter().copied().find(|&column| n_ats[column] > 0);
        let fullest = || {
            let filled = (0..n_ats.len()).filter(is_free).filter(|&column| n_ats[column] > 0);
            filled.max_by_key(|&column| (n_ats[column], std::cmp::Reverse(column)))
        };
        let by_name = with_addresses(&certain).or(certain.first().copied()).or_else(|| with_addresses(&perhaps));
        let by_look = || fullest().map(|column| (column, true));
        by_name.map(|column| (column, false)).or_else(by_look).or(perhaps.first().map(|column| (*column, false)))
    }

    /// How many cells of each column hold an `@`.
    fn n_ats(&self) -> Vec<usize> {
        let mut n_ats = vec![0; self.names.len()];
        for row in self.rows {
            for (n, cell) in n_ats.iter_mut().zip(row) {
                *n += usize::from(cell.contains('@'));
            }
        }
        n_ats
    }

    /// The column that holds nothing but words for reasons.
    fn reason(&self, fields: &Fields) -> Option<usize> {
        (0..fields.0.len()).filter(|&column| fields.0[column].is_none()).find(|&column| {
            let n_words = self.rows.iter().filter(|row| row.get(column).is_some_and(|cell| !cell.is_empty())).count();
            n_words > 0 && self.n_reasons(column) == n_words
        })
    }

    /// How many cells of a column say in known words whether and why an address gets no mail.
    fn n_reasons(&self, column: usize) -> usize {
        self.rows.iter().filter(|row| row.get(column).is_some_and(|cell| verdict(cell).is_some())).count()
    }
}

/// Which column holds which field. What was set first stays.
struct Fields(Vec<Option<Field>>);

impl Fields {
    fn of(&self, field: Field) -> Option<usize> {
        self.0.iter().position(|known| *known == Some(field))
    }

    fn set(&mut self, field: Field, column: usize) {
        if self.of(field).is_none() && self.0[column].is_none() {
            self.0[column] = Some(field);
        }
    }
}

/// As much of a name as is kept, without NUL, which no database text may hold.
pub(crate) fn cut(name: &str) -> String {
    name.chars().filter(|c| *c != '\0').take(MAX_NAME_CHARS).collect()
}
