//! The exports of other mail tools, recognised by their columns: what one is. The table of them is in `exporters`.

use crate::address::is_address;
use crate::cell_looks::of_status_code;
use crate::exporters::EXPORTERS;
use crate::fold::{is_same, plain};
use crate::mapping::Field;
use crate::reason::{Reason, Verdict, verdict};

/// An export of another tool.
#[derive(Debug, PartialEq, Eq)]
pub struct Exporter {
    /// The stable code.
    pub code: &'static str,
    /// What it is, for people.
    pub name: &'static str,
    /// The columns that make it known, in small letters and with spaces for all signs.
    pub(crate) columns: &'static [&'static str],
    /// Whether there may be no other columns.
    pub(crate) is_exact: bool,
    /// Which column means what; the first that is there counts. The addresses need not be named, if their column is
    /// called as it mostly is.
    pub(crate) fields: &'static [(Field, &'static str)],
    /// Who is in it.
    pub(crate) lists: Lists,
    /// What its rows say.
    pub(crate) verdicts: Verdicts,
    /// How it writes its dates.
    pub dates: DateFormat,
    /// The page that describes its columns and words.
    pub source: &'static str,
}

/// Who is in an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// Only addresses that get no mail: a row in words that are not known is blocked all the same.
    Blocks,
    /// The same, by a date: a row without one is unclear.
    BlocksByDate,
    /// People, some of whom get no mail: a row in words that are not known is unclear.
    People,
}

/// How the rows of an export say why they are there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdicts {
    /// All are there for the same reason.
    All(Verdict),
    /// Words say it: those of the reason and the source together, of the reason, the source, the code, whichever is known
    /// first, in these words before those that mean the same everywhere. If none is known, the last.
    Words(&'static [(&'static str, Verdict)], Option<Verdict>),
    /// The columns by their names and cells, as in any other file.
    Columns,
    /// The status code of the mail server (RFC 3463 or RFC 5321) says whether the failure was for good. It is in the
    /// column of the code, or begins the note.
    StatusCode,
}

/// How a file writes its dates. The [`Row`](crate::Row) has them as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DateFormat {
    /// Seconds since 1970, perhaps with a fraction: `1443651125`.
    UnixSeconds,
    /// As mails have them (RFC 2822), the zone perhaps as `UTC`: `Fri, 21 Oct 2011 11:02:55 GMT`.
    Rfc2822,
    /// The year first: `2024-03-01`, `2024-03-01 09:00:00`, `2024-03-01T09:00:00-05:00`. Without a zone it is UTC.
    Iso8601,
}

impl DateFormat {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnixSeconds => "unix_seconds",
            Self::Rfc2822 => "rfc_2822",
            Self::Iso8601 => "iso_8601",
        }
    }
}

/// What a row says of itself.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub(crate) reason: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    pub(crate) note: Option<&'a str>,
}

pub(crate) const fn suppressed(reason: Reason) -> Verdict {
    Verdict::Suppressed(reason)
}

impl Exporter {
    /// The export that has columns of these normal names, and these rows in them.
    pub(crate) fn of(columns: &[String], rows: &[Vec<String>]) -> Option<&'static Self> {
        let has = |name: &&str| columns.iter().any(|column| is_same(column, name));
        let fits = |exporter: &&Self| {
            exporter.columns.iter().all(has)
                && (!exporter.is_exact || exporter.columns.len() == columns.len())
                && exporter.fits(columns, rows)
        };
        EXPORTERS.iter().find(fits)
    }

    /// Whether the rows look like its own. Few columns are in the files of others too.
    fn fits(&self, columns: &[String], rows: &[Vec<String>]) -> bool {
        let cells = |field: Field| {
            let column = self.fields(columns).find(|(known, _)| *known == field).map(|(_, column)| column);
            let cell = move |row: &'_ Vec<String>| column.and_then(|column| row.get(column).cloned());
            rows.iter().filter_map(cell).filter(|cell| !cell.is_empty()).collect::<Vec<_>>()
        };
        let is_unix = |cell: &String| cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let are_dates = || {
            let dates = cells(Field::FirstSeen);
            rows.is_empty() || !dates.is_empty() && dates.iter().all(is_unix)
        };
        let (emails, is_strict) = (cells(Field::Email), self.is_exact && self.dates == DateFormat::UnixSeconds);
        (emails.is_empty() || emails.iter().any(|cell| is_address(cell))) && (!is_strict || are_dates())
    }

    /// The export of this code.
    pub fn of_code(code: &str) -> Option<&'static Self> {
        EXPORTERS.iter().find(|exporter| exporter.code == code)
    }

    /// Which of these columns mean something.
    pub(crate) fn fields(&self, columns: &[String]) -> impl Iterator<Item = (Field, usize)> {
        self.fields
            .iter()
            .filter_map(|(field, name)| Some((*field, columns.iter().position(|column| is_same(column, name))?)))
    }

    /// Whether its columns say themselves what they mean.
    pub(crate) fn reads_columns(&self) -> bool {
        self.verdicts == Verdicts::Columns
    }

    /// Whether a row in words that are not known is on the list all the same.
    pub(crate) fn takes_all(&self) -> bool {
        self.lists != Lists::People
    }

    /// Whether a row says nothing that has no date.
    pub(crate) fn needs_date(&self) -> bool {
        self.lists == Lists::BlocksByDate
    }

    /// Whether its columns say nothing, so that the name of a file in an archive tells who is in it.
    pub(crate) fn is_told_by_name(&self) -> bool {
        self.code == "mailchimp_subscribed"
    }

    /// Whether the same words always mean the same, whatever the note.
    pub(crate) fn reads_words(&self) -> bool {
        matches!(self.verdicts, Verdicts::Words(..))
    }

    /// Whether a row's address gets no mail, and why.
    pub(crate) fn verdict(&self, said: Said<'_>) -> Option<Verdict> {
        match &self.verdicts {
            Verdicts::All(verdict) => Some(*verdict),
            Verdicts::Columns => None,
            Verdicts::StatusCode => Some(of_status(said)),
            Verdicts::Words(words, otherwise) => {
                let own = |word: &str| words.iter().find(|(known, _)| *known == word).map(|(_, verdict)| *verdict);
                let of = |word: &str| own(&plain(word)).or_else(|| verdict(word));
                let both = said
                    .reason
                    .zip(said.source)
                    .and_then(|(reason, source)| own(&plain(&format!("{reason} {source}"))));
                both.or_else(|| [said.reason, said.source, said.code].into_iter().flatten().find_map(of)).or(*otherwise)
            }
        }
    }

    /// The columns that make it known, for people.
    pub fn columns(&self) -> &'static [&'static str] {
        self.columns
    }

    /// The column of each field, as far as they are not called as usual.
    pub fn known_fields(&self) -> &'static [(Field, &'static str)] {
        self.fields
    }

    /// What its rows mean, in one plain sentence.
    pub fn meaning(&self) -> String {
        match &self.verdicts {
            Verdicts::All(verdict) => verdict.code().to_owned(),
            Verdicts::Columns => "what its columns say".to_owned(),
            Verdicts::StatusCode => {
                "hard_bounce; skipped where the status is 4xx (a trouble that passes) or 5.7.x (a refusal of that mail)"
                    .to_owned()
            }
            Verdicts::Words(words, otherwise) => {
                let words = words.iter().map(|(word, verdict)| format!("{word}: {}", verdict.code()));
                let last = otherwise.iter().map(|verdict| format!("else {}", verdict.code()));
                words.chain(["the words below".to_owned()]).chain(last).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// 4.x.x and 4xx pass, and 5.7.x is a refusal of that mail and not of the address. Without a code it is for good: the file
/// is a list of addresses not to be written to.
fn of_status(said: Said<'_>) -> Verdict {
    // A note may begin with both codes: `550 5.7.1 refused`.
    let codes = || {
        let note = said.note.into_iter().flat_map(|note| note.split([' ', '-']).take(2));
        said.code.into_iter().chain(note).filter(|word| of_status_code(word).is_some())
    };
    let code = codes().find(|code| code.contains('.')).or_else(|| codes().next());
    code.and_then(of_status_code).unwrap_or(suppressed(Reason::HardBounce))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_temporary_failure_is_no_bounce() {
        for (code, note, verdict) in [
            ("5.1.1", "", suppressed(Reason::HardBounce)),
            ("550", "", suppressed(Reason::HardBounce)),
            ("", "", suppressed(Reason::HardBounce)),
            ("", "unknown user", suppressed(Reason::HardBounce)),
            ("", "550 5.1.1 unknown user", suppressed(Reason::HardBounce)),
            ("", "550-5.7.1 refused", Verdict::Sendable),
            ("", "421 try later", Verdict::Sendable),
            ("4.2.2", "", Verdict::Sendable),
            ("550", "550 5.7.1 refused", Verdict::Sendable),
            ("5.7.1", "550 5.1.1 refused", Verdict::Sendable),
        ] {
            let said = Said { code: Some(code), note: Some(note), ..Said::default() };
            assert_eq!(of_status(said), verdict, "{code} {note}");
        }
    }
}
