//! Finds out what the columns of a table mean: by what the caller wants, by the export it is, by their names, and by
//! what is in them, in this order.

use crate::address::is_address;
use crate::error::FileError;
use crate::evidence::{Evidence, EvidenceKind};
use crate::exporter::Exporter;
use crate::grounds::{Cells, Grounds};
use crate::limits::{MAX_NAME_CHARS, SHOWN_COLUMNS};
use crate::mail_names;
use crate::mapping::{Column, Field, Wanted};
use crate::names;

/// A table whose columns are named.
pub(crate) struct Named<'a> {
    pub(crate) names: Vec<String>,
    /// Whether the file gave the names.
    pub(crate) has_header: bool,
    /// The rows without the header.
    pub(crate) rows: &'a [Vec<String>],
    /// Whether these are all rows of the file.
    pub(crate) is_whole: bool,
    /// Whether these are rows that were refused before.
    pub(crate) is_error_file: bool,
}

/// What the columns mean.
#[derive(Default)]
pub(crate) struct Chosen {
    pub(crate) columns: Vec<Column>,
    pub(crate) exporter: Option<&'static Exporter>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) takes_all: bool,
    pub(crate) rest_is_note: bool,
}

/// The column of the addresses.
struct EmailColumn {
    column: usize,
    /// Whether no name told it.
    is_by_look: bool,
}

impl Named<'_> {
    /// What the columns mean; `None` if none holds addresses.
    pub(crate) fn choose(self, wanted: &Wanted) -> Result<Option<Chosen>, FileError> {
        let normal: Vec<String> = match self.has_header {
            true => self.names.iter().map(|name| names::normal(name)).collect(),
            false => vec![String::new(); self.names.len()],
        };
        let mut fields = Fields(vec![None; self.names.len()]);
        for (field, column) in &wanted.columns {
            fields.set(*field, self.wanted(column)?);
        }
        // Whoever says which column is the reason knows better than the export.
        let asked = wanted.columns.iter().any(|(field, _)| *field == Field::Reason);
        let known = wanted.exporter.or_else(|| Exporter::of(&normal, self.rows)).filter(|_| wanted.own.is_empty());
        for (field, column) in known.iter().flat_map(|exporter| exporter.fields(&normal)) {
            fields.set(field, column);
        }
        let Some(EmailColumn { column, is_by_look }) = self.email(&normal, &fields)? else { return Ok(None) };
        fields.set(Field::Email, column);
        for own in wanted.own {
            let columns = names::columns(&normal, own.names);
            columns.into_iter().for_each(|column| fields.set(Field::Own(own.code), column));
        }
        let exporter = known.filter(|_| !asked);
        if exporter.is_some_and(|exporter| !exporter.reads_columns()) {
            return Ok(Some(
                self.chosen(fields, Chosen { exporter, takes_all: wanted.takes_all, ..Chosen::default() }),
            ));
        }
        let cells = Cells { rows: self.rows, is_whole: self.is_whole };
        let grounds = match fields.of(Field::Reason).filter(|_| asked) {
            Some(column) => Grounds::asked(Evidence {
                column,
                kind: EvidenceKind::asked(mail_names::says(&normal[column])),
                is_empty_no: false,
            }),
            None => Grounds::of(&normal, &fields.0, &cells, wanted.takes_all),
        };
        if !wanted.own.is_empty() {
            return Ok(Some(self.chosen(fields, Chosen { evidence: grounds.evidence, ..Chosen::default() })));
        }
        self.name_the_rest(&normal, &mut fields, &grounds);
        let dates = names::dates(&normal);
        // A list of addresses and dates of which the caller says that all are blocked is one of blocks.
        let is_list = wanted.takes_all && grounds.evidence.is_empty() && fields.are_all_known_but(&dates);
        if known.is_none() && (grounds.is_all_blocks || is_list) {
            dates.into_iter().for_each(|column| fields.set(Field::FirstSeen, column));
        }
        let rest_is_note = is_by_look && fields.of(Field::Note).is_none() && fields.0.contains(&None);
        let people = grounds.people(&normal, &fields.0, &cells);
        if !wanted.takes_all && !people.is_empty() && !grounds.is_understood {
            let columns = grounds.might_say(&normal, &people, &cells);
            let columns = columns.into_iter().map(|column| self.names[column].clone()).collect();
            return Err(FileError::ReasonNeeded { columns });
        }
        let takes_all = wanted.takes_all || grounds.evidence.is_empty();
        let chosen = Chosen { exporter, evidence: grounds.evidence, takes_all, rest_is_note, ..Chosen::default() };
        Ok(Some(self.chosen(fields, chosen)))
    }

    fn chosen(self, fields: Fields, chosen: Chosen) -> Chosen {
        let columns = self.names.into_iter().zip(fields.0).map(|(name, field)| Column { name, field }).collect();
        Chosen { columns, ..chosen }
    }

    /// Says what the columns are that are called as they mostly are.
    fn name_the_rest(&self, normal: &[String], fields: &mut Fields, grounds: &Grounds) {
        if let Some(column) = grounds.words {
            fields.set(Field::Reason, column);
        }
        // The texts of a column of reasons are kept.
        for column in grounds.codes.into_iter().chain(grounds.texts) {
            fields.set(Field::VendorCode, column);
        }
        for (field, candidates) in names::other_columns(normal) {
            candidates.into_iter().for_each(|column| fields.set(field, column));
        }
        let dates = names::block_dates(normal).into_iter().chain(grounds.dates);
        dates.for_each(|column| fields.set(Field::FirstSeen, column));
    }

    /// The column that somebody asked for by its name or its number from 1.
    fn wanted(&self, wanted: &str) -> Result<usize, FileError> {
        let normal = names::normal(wanted);
        let by_name = || self.names.iter().position(|name| names::normal(name) == normal);
        let exact = self.names.iter().position(|name| name.trim() == wanted.trim());
        let by_name = exact.or_else(|| by_name().filter(|_| !normal.is_empty()));
        let number = || wanted.trim().parse().ok().and_then(|number: usize| number.checked_sub(1));
        by_name.or_else(|| number().filter(|at| *at < self.names.len())).ok_or_else(|| FileError::NoSuchColumn {
            wanted: cut(wanted),
            columns: self.names.iter().take(SHOWN_COLUMNS).cloned().collect(),
        })
    }

    /// A certain name wins, then a name that fits if addresses are there, then the one column of addresses.
    fn email(&self, normal: &[String], fields: &Fields) -> Result<Option<EmailColumn>, FileError> {
        if let Some(column) = fields.of(Field::Email) {
            return Ok(Some(EmailColumn { column, is_by_look: false }));
        }
        let filled = self.filled();
        let is_free = |column: &usize| fields.0[*column].is_none();
        let free = |columns: Vec<usize>| columns.into_iter().filter(is_free).collect::<Vec<_>>();
        let (certain, perhaps) = (free(names::email_columns(normal)), free(names::perhaps_email_columns(normal)));
        let with_addresses = |columns: &[usize]| columns.iter().copied().find(|&column| filled[column].n_addresses > 0);
        let by_name = with_addresses(&certain).or(certain.first().copied()).or_else(|| with_addresses(&perhaps));
        if let Some(column) = by_name {
            return Ok(Some(EmailColumn { column, is_by_look: false }));
        }
        let is_theirs = |column: &usize| is_free(column) && !names::is_foreign(&normal[*column]);
        let theirs = || (0..filled.len()).filter(is_theirs);
        let several: Vec<usize> = theirs().filter(|&column| filled[column].is_column_of(self)).collect();
        if several.len() > 1 {
            let columns = several.into_iter().take(SHOWN_COLUMNS).map(|column| self.names[column].clone()).collect();
            return Err(FileError::SeveralAddressColumns { columns });
        }
        let fullest = theirs()
            .filter(|&column| filled[column].n_addresses > 0)
            .max_by_key(|&column| (filled[column].n_addresses, std::cmp::Reverse(column)));
        let by_look = several.first().copied().or(fullest).map(|column| EmailColumn { column, is_by_look: true });
        let perhaps = || perhaps.first().map(|&column| EmailColumn { column, is_by_look: false });
        // The rows of an error file have none, and nor may the one long line of a list.
        let is_left = self.is_error_file || filled.len() == 1;
        let with_at = theirs().filter(|&column| is_left && filled[column].n_ats > 0);
        let with_at = with_at.max_by_key(|&column| (filled[column].n_ats, std::cmp::Reverse(column)));
        Ok(by_look.or_else(|| with_at.map(|column| EmailColumn { column, is_by_look: true })).or_else(perhaps))
    }

    /// What is in each column.
    fn filled(&self) -> Vec<Filled> {
        let mut filled = vec![Filled::default(); self.names.len()];
        for row in self.rows {
            for (filled, cell) in filled.iter_mut().zip(row) {
                filled.n_cells += usize::from(!cell.is_empty());
                filled.n_ats += usize::from(cell.contains('@'));
                filled.n_addresses += usize::from(is_address(cell) && cell.contains('.'));
            }
        }
        filled
    }
}

/// What is in a column.
#[derive(Clone, Copy, Default)]
struct Filled {
    /// Cells in which something stands.
    n_cells: usize,
    /// Those of them with an `@`.
    n_ats: usize,
    /// Those of them that are an address.
    n_addresses: usize,
}

impl Filled {
    /// Whether it is a column of addresses, and not one in which some stand by chance. Without a header, a row of two
    /// addresses is a fault of its own.
    fn is_column_of(self, table: &Named<'_>) -> bool {
        let (n, n_rows) = (self.n_addresses, table.rows.len());
        let is_usual = if table.has_header { 10 * n >= n_rows } else { 2 * n > n_rows };
        n > 0 && 2 * n >= self.n_cells && is_usual
    }
}

/// Which column holds which field. What was set first stays.
struct Fields(Vec<Option<Field>>);

impl Fields {
    fn of(&self, field: Field) -> Option<usize> {
        self.0.iter().position(|known| *known == Some(field))
    }

    fn are_all_known_but(&self, others: &[usize]) -> bool {
        self.0.iter().enumerate().all(|(column, field)| field.is_some() || others.contains(&column))
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
