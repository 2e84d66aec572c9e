//! What a row says of a person.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use usher_files::{DateFault, Field, Mapping, Row};

use super::{
    blank::is_blank,
    lines::Lines,
    mail::{MailColumns, Said},
    metadata,
    names::{self, NameCells},
    parts::list,
    types::metadata_key,
};
use crate::{
    areas::members::{
        MAX_TAGS,
        metadata::{ExternalId, Metadata},
        types::Note,
    },
    imports::{self, DateColumn, Taken},
    values::{BundleId, Email, GroupId, Tag, Time, Zone, search_key},
};

/// Groups that one row can name.
const MAX_GROUPS: usize = 100;

/// What is wrong with a row: a code, and what to do about it.
pub(super) type Bad = (&'static str, Cow<'static, str>);

/// What a row says. What is empty stays as it is.
#[derive(Debug, Default)]
pub(super) struct Given {
    pub(super) name: Option<String>,
    pub(super) note: Option<String>,
    pub(super) tags: Vec<Tag>,
    pub(super) groups: Vec<GroupId>,
    pub(super) bundle: Option<BundleId>,
    /// Free access, and its end in microseconds if it has one.
    pub(super) free: Option<Option<i64>>,
    pub(super) external_id: Option<String>,
    pub(super) metadata: Metadata,
    /// What it says about mail.
    pub(super) mail: Said,
}

/// What the site has that rows may name: the ids, by id and by name.
#[derive(Clone, Default)]
pub(super) struct Known {
    pub(super) groups: Arc<HashMap<String, GroupId>>,
    pub(super) bundles: Arc<HashMap<String, BundleId>>,
}

/// Where the columns are.
#[derive(Clone, Default)]
struct Columns {
    email: Option<usize>,
    name: Option<usize>,
    first_name: Option<usize>,
    last_name: Option<usize>,
    tags: Option<usize>,
    note: Option<usize>,
    groups: Option<usize>,
    free: Option<usize>,
    free_until: Option<usize>,
    bundle: Option<usize>,
    external_id: Option<usize>,
    metadata: Option<usize>,
    /// The columns of one key each.
    metadata_keys: Vec<(usize, String)>,
    /// How the dates of the two columns of free access are read.
    free_dates: FreeDates,
}

/// How the dates of the columns that say whether, and until when, are read.
#[derive(Clone, Copy, Default)]
struct FreeDates {
    whether: DateColumn,
    until: DateColumn,
}

#[derive(Clone, Default)]
pub(super) struct Take {
    known: Known,
    zone: Zone,
    columns: Columns,
    mail: MailColumns,
}

impl Take {
    pub(super) fn new(known: Known, zone: Zone) -> Self {
        Self { known, zone, columns: Columns::default(), mail: MailColumns::default() }
    }

    /// Reads a row.
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Given, Bad> {
        let cell = |column: Option<usize>| column.and_then(|column| row.value(column));
        let value = |column: Option<usize>| cell(column).filter(|cell| !is_blank(cell));
        // Of dates the reader knows itself what is none, and the keys of metadata hold any text. `\N` is MySQL's.
        let raw = |column: Option<usize>| cell(column).filter(|cell| *cell != "\\N");
        let at = &self.columns;
        Ok(Given {
            name: names::name(NameCells {
                whole: value(at.name),
                first: value(at.first_name),
                last: value(at.last_name),
                address: at.email.and_then(|column| row.value(column)),
            })?,
            note: value(at.note).map(note).transpose()?.flatten(),
            tags: value(at.tags).map_or(Ok(Vec::new()), tags)?,
            groups: raw(at.groups).map_or(Ok(Vec::new()), |cell| self.groups(cell))?,
            bundle: raw(at.bundle).map(|cell| self.bundle(cell)).transpose()?.flatten(),
            free: free(raw(at.free), raw(at.free_until), at.free_dates)?,
            external_id: value(at.external_id).map(external_id).transpose()?.flatten(),
            metadata: metadata::read(
                value(at.metadata),
                at.metadata_keys.iter().filter_map(|(column, key)| Some((key, raw(Some(*column))?))),
            )?,
            mail: self.mail.said(|at| row.value(at)),
        })
    }

    /// Whether a row says that its person was deleted.
    pub(super) fn is_deleted(&self, row: &Row<'_>) -> bool {
        self.mail.is_deleted(|at| row.value(at))
    }

    /// Of each column about mail, what a row says there that is not understood.
    pub(super) fn unclear(&self, row: &Row<'_>) -> Vec<(usize, String)> {
        self.mail.unclear(|at| row.value(at)).map(|(at, cell)| (at, imports::cut(cell, 100).to_owned())).collect()
    }

    fn groups(&self, cell: &str) -> Result<Vec<GroupId>, Bad> {
        let known = &self.known.groups;
        let find = |name: &str| known.get(name).or_else(|| known.get(&search_key(name))).cloned();
        // A name may have a comma.
        if let Some(group) = find(cell) {
            return Ok(vec![group]);
        }
        if is_blank(cell) {
            return Ok(Vec::new());
        }
        let missing = |name: &str| {
            let name = imports::cut(name, 100);
            ("group_not_found", format!("The site has no group {name}. Make it first, or correct the row.").into())
        };
        let mut groups = Vec::new();
        for name in list(cell) {
            groups.push(find(&name).ok_or_else(|| missing(&name))?);
        }
        match groups.len() {
            0..=MAX_GROUPS => Ok(groups),
            _ => Err(("too_many_groups", format!("A row names at most {MAX_GROUPS} groups.").into())),
        }
    }

    fn bundle(&self, cell: &str) -> Result<Option<BundleId>, Bad> {
        let known = &self.known.bundles;
        let bundle = known.get(cell).or_else(|| known.get(&search_key(cell))).cloned();
        if bundle.is_some() || is_blank(cell) {
            return Ok(bundle);
        }
        let name = imports::cut(cell, 100);
        let text = format!("The site has no bundle {name}, or several of this name. Give its id.");
        Err(("bundle_not_found", text.into()))
    }
}

impl imports::Take for Take {
    type Lines = Lines;

    fn begin(&mut self, mapping: &Mapping) {
        let at = |code| mapping.index_of(Field::Own(code));
        self.mail = MailColumns::of(mapping);
        self.columns = Columns {
            email: mapping.index_of(Field::Email),
            name: at("name"),
            first_name: at("first_name"),
            last_name: at("last_name"),
            tags: at("tags"),
            note: at("note"),
            groups: at("groups"),
            free: at("free_access"),
            free_until: at("free_access_until"),
            bundle: at("bundle"),
            external_id: at("external_id"),
            metadata: at("metadata"),
            metadata_keys: metadata_keys(mapping),
            free_dates: FreeDates {
                whether: DateColumn::of(mapping, at("free_access"), self.zone),
                until: DateColumn::of(mapping, at("free_access_until"), self.zone),
            },
        };
    }

    fn take(&mut self, row: &Row<'_>, email: &Email, lines: &mut Lines) -> Taken {
        if self.is_deleted(row) {
            return Taken::Skipped;
        }
        match self.read(row) {
            Ok(given) => {
                lines.push(row.number, email, &given);
                Taken::Kept
            }
            Err((code, text)) => Taken::Bad(code, text),
        }
    }
}

fn metadata_keys(mapping: &Mapping) -> Vec<(usize, String)> {
    let free = mapping.columns.iter().enumerate().filter(|(_, column)| column.field.is_none());
    free.filter_map(|(at, column)| Some((at, metadata_key(&column.name)?.to_owned()))).collect()
}

fn external_id(cell: &str) -> Result<Option<String>, Bad> {
    let id = ExternalId::parse(cell).map_err(|_| {
        let text =
            "The external id is longer than 200 characters, or has a line break or a control character. Correct it.";
        ("invalid_external_id", Cow::Borrowed(text))
    })?;
    Ok(id.into_option())
}

fn note(cell: &str) -> Result<Option<String>, Bad> {
    let note = Note::parse(cell).map_err(|_| {
        (
            "invalid_note",
            Cow::Borrowed("The note is longer than 5,000 characters, or has a control character. Correct it."),
        )
    })?;
    Ok(note.into_option())
}

fn tags(cell: &str) -> Result<Vec<Tag>, Bad> {
    let mut tags = Vec::new();
    for text in list(cell).into_iter().filter(|text| !is_blank(text)) {
        tags.push(Tag::parse(&text).map_err(|_| {
            let text = imports::cut(&text, 100);
            let text = format!("{text} is no tag: a tag needs a letter or digit and has at most 64 characters.");
            ("invalid_tag", Cow::Owned(text))
        })?);
    }
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > MAX_TAGS { Err((TOO_MANY_TAGS.0, TOO_MANY_TAGS.1.into())) } else { Ok(tags) }
}

/// What is wrong with a row whose member would have more tags than it may.
pub(super) const TOO_MANY_TAGS: (&str, &str) =
    ("too_many_tags", "With these tags the member would have more than 100. Take some away.");

/// Whether there is free access, and until when.
fn free(whether: Option<&str>, until: Option<&str>, dates: FreeDates) -> Result<Option<Option<i64>>, Bad> {
    let until = until.map(|cell| end(cell, dates.until)).transpose()?.flatten();
    let Some(whether) = whether else { return Ok(until) };
    match whether.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "x" | "on" => Ok(Some(until.flatten())),
        "no" | "n" | "false" | "0" | "off" | "none" => Ok(None),
        _ => Ok(end(whether, dates.whether)?.or(until)),
    }
}

/// When free access ends: `None` if nothing is said, `Some(None)` if never. A day stands for its last moment.
fn end(cell: &str, dates: DateColumn) -> Result<Option<Option<i64>>, Bad> {
    let bad = |fault| {
        let cell = imports::cut(cell, 100);
        let (code, text) = match (fault, dates.order) {
            (DateFault::Ambiguous, _) => (
                "ambiguous_date",
                format!(
                    "{cell} has two readings. Say which with mapping.dateFormat, such as DD/MM/YYYY, or write the date as 2030-12-31."
                ),
            ),
            (DateFault::OtherOrder, Some(order)) => (
                "invalid_free_access",
                format!("{cell} is no date of the form {}, in which the others are. Correct it.", order.code()),
            ),
            _ => (
                "invalid_free_access",
                format!(
                    "{cell} is nothing that free access can be: yes, no, never (its end) or a date such as 2030-12-31. Correct it."
                ),
            ),
        };
        (code, Cow::Owned(text))
    };
    let end = dates.end(cell).map_err(bad)?;
    Ok(end.map(|end| end.map(Time::micros)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_stand_in_a_cell_as_files_have_them() {
        for cell in ["VIP, Early Bird", "vip;early-bird;", "VIP|early bird|vip", "[\"VIP\",\"Early bird\"]"] {
            let tags = tags(cell).unwrap();
            assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>(), ["early-bird", "vip"], "{cell}");
        }
        for (cell, expected) in
            [("NULL", ""), ("N/A", ""), ("None", ""), ("-", ""), ("vip, NULL", "vip"), ("[null]", "")]
        {
            let tags = tags(cell).unwrap();
            assert_eq!(tags.iter().map(Tag::as_str).collect::<Vec<_>>().join(","), expected, "{cell}");
        }
        assert_eq!(tags("vip, !").unwrap_err().0, "invalid_tag");
        let many: String = (0..=MAX_TAGS).map(|n| format!("t{n},")).collect();
        assert_eq!(tags(&many).unwrap_err().0, "too_many_tags");
    }

    #[test]
    fn free_access_is_told_in_one_column_or_in_two() {
        let dates = FreeDates::default();
        let day = Some(Some(1_830_297_599_999_000));
        for (whether, until, expected) in [
            (None, None, None),
            (Some("yes"), None, Some(None)),
            (Some("Yes"), Some("2027-12-31"), day),
            (Some("false"), Some("2027-12-31"), None),
            (None, Some("Never"), Some(None)),
            (None, Some("2027-12-31T23:59:59.999Z"), day),
            (Some("2027-12-31"), None, day),
            (None, Some("31.12.2027"), day),
            (None, Some("12/31/2027"), day),
            (Some("permanent"), None, Some(None)),
            (None, Some("0000-00-00"), None),
            (None, Some("N/A"), None),
            (Some("yes"), Some("-"), Some(None)),
            (Some("NULL"), Some("2027-12-31"), day),
        ] {
            assert_eq!(free(whether, until, dates).unwrap(), expected, "{whether:?} {until:?}");
        }
        let code = |whether, until| free(whether, until, dates).unwrap_err().0;
        assert_eq!(code(Some("perhaps"), None), "invalid_free_access");
        assert_eq!(code(Some("yes"), Some("soon")), "invalid_free_access");
        assert_eq!(code(None, Some("01/02/2030")), "ambiguous_date");
        assert_eq!(code(Some("01/02/2030"), None), "ambiguous_date");
    }
}
