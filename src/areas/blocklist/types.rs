use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use usher_db::{FromRow, Row};
use usher_files::{EXPORTERS, Exporter, Field, Wanted};

use crate::{
    error::Result,
    imports::{self, ImportFormat},
    values::{BlockId, JobId, Time},
};

/// Why an address is blocked, the weakest first.
///
/// A complaint is the strongest: who reports mail as spam must never get any again, or the site's whole mail suffers.
/// A hard bounce is a server's word that the address does not exist, `invalid` somebody's guess at the same. An
/// unsubscription is the person's own wish. What the staff blocked by hand is the weakest, as they may change their
/// mind, and each of the others says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum, Serialize, Deserialize)]
#[oai(rename = "BlockReason", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody blocked it by hand.
    Manual = 1,
    /// The person unsubscribed.
    Unsubscribe = 2,
    /// It is no address that can work.
    Invalid = 3,
    /// Its mail server said that there is no such mailbox.
    HardBounce = 4,
    /// The person reported mail as spam.
    Complaint = 5,
}

impl Reason {
    /// How strong it is, from 1; stored.
    pub const fn strength(self) -> u8 {
        self as u8
    }

    /// The reason of a strength.
    pub fn of_strength(strength: i64) -> Option<Self> {
        [Self::Manual, Self::Unsubscribe, Self::Invalid, Self::HardBounce, Self::Complaint]
            .into_iter()
            .find(|reason| i64::from(reason.strength()) == strength)
    }

    /// As it is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Unsubscribe => "unsubscribe",
            Self::Invalid => "invalid",
            Self::HardBounce => "hard_bounce",
            Self::Complaint => "complaint",
        }
    }
}

impl From<usher_files::Reason> for Reason {
    fn from(reason: usher_files::Reason) -> Self {
        use usher_files::Reason as Said;
        match reason {
            Said::Manual => Self::Manual,
            Said::Unsubscribe => Self::Unsubscribe,
            Said::Invalid => Self::Invalid,
            Said::HardBounce => Self::HardBounce,
            Said::Complaint => Self::Complaint,
        }
    }
}

/// A blocked address.
#[derive(Clone, Debug, Object)]
#[oai(rename = "BlockEntry", rename_all = "camelCase")]
pub struct Entry {
    /// The entry.
    pub id: BlockId,
    /// The address, as it was written; `erased:` and the id of a member that was deleted, whose address is only
    /// known as a hash.
    pub email: String,
    /// Why it is blocked: the strongest reason that was given.
    pub reason: Reason,
    /// Where that reason comes from: `api`, `import`, or what the call or the file said.
    pub source: String,
    /// What somebody wrote beside it.
    pub note: Option<String>,
    /// What the mail provider called it.
    pub vendor_code: Option<String>,
    /// When the address was first reported by anybody.
    pub first_seen: Time,
    /// When the entry changed last.
    pub updated_at: Time,
    /// The import that it comes from, by its job, for 30 days: `blocklist.undoImport` takes that back.
    pub job: Option<JobId>,
    #[oai(skip)]
    pub(super) key: String,
}

impl FromRow for Entry {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            email: row.take()?,
            reason: {
                let stored = row.take()?;
                let unknown = || usher_db::Error::Decode(format!("strength {stored} in the block list").into());
                Reason::of_strength(stored).ok_or_else(unknown)?
            },
            source: row.take()?,
            note: row.take()?,
            vendor_code: row.take()?,
            first_seen: row.take()?,
            updated_at: row.take()?,
            key: row.take()?,
            job: row.take::<Option<String>>()?.and_then(|id| JobId::parse(&id).ok()),
        })
    }
}

/// What is known of a file and overrules what a look at it would find. A column is given by its name in the header,
/// whatever its case, or by its number from 1. With the column of the reasons given, an export of another tool no longer
/// says why its rows are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object, Serialize, Deserialize)]
#[oai(rename_all = "camelCase")]
#[serde(rename_all = "camelCase", default)]
pub struct ImportMapping {
    /// The column of the addresses.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) email: Option<String>,
    /// The column of the reasons: of yes and no, or of words. What stands there in words that are not known is a reason all
    /// the same; an empty cell is none.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) reason: Option<String>,
    /// The column of the sources.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) source: Option<String>,
    /// The column of the notes.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) note: Option<String>,
    /// The column that says since when.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) first_seen: Option<String>,
    /// The column of the mail provider's codes.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) vendor_code: Option<String>,
    /// Whether the first row names the columns.
    pub(super) header: Option<bool>,
    /// How the cells are separated.
    pub(super) format: Option<ImportFormat>,
    /// How the characters are written, where the look at them would guess something else: `utf-8`, `utf-16le`,
    /// `windows-1250`, `windows-1251`, `windows-1252`, `shift_jis`, `gbk`, `macintosh`, or any other name of the WHATWG's
    /// Encoding Standard.
    #[oai(validator(min_length = 1, max_length = 20))]
    pub(super) encoding: Option<String>,
    /// The order of day, month and year in dates that have several readings, such as 01/02/2030: `DD/MM/YYYY`,
    /// `MM/DD/YYYY` or `YYYY-MM-DD`, whatever the signs between them.
    #[oai(validator(min_length = 1, max_length = 40))]
    pub(super) date_format: Option<String>,
    /// Whose export it is, such as `sendgrid_blocks`; `GET /docs/block-lists.md` lists them.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) exporter: Option<String>,
}

impl ImportMapping {
    /// As the reader takes it; `takes_all` if the call has a reason for every row that gives none.
    pub(super) fn wanted(&self, takes_all: bool) -> Result<Wanted> {
        let Self { email, reason, source, note, first_seen, vendor_code, header, format, encoding, .. } = self;
        let Self { exporter, date_format, .. } = self;
        let exporter = exporter.as_ref().map(|code| {
            let codes = || EXPORTERS.iter().map(|exporter| exporter.code).collect();
            Exporter::of_code(code).ok_or_else(|| imports::one_of("args.mapping.exporter", codes()))
        });
        let each = [
            (Field::Email, email),
            (Field::Reason, reason),
            (Field::Source, source),
            (Field::Note, note),
            (Field::FirstSeen, first_seen),
            (Field::VendorCode, vendor_code),
        ];
        Ok(Wanted {
            format: format.map(Into::into),
            encoding: encoding.as_deref().map(imports::encoding).transpose()?,
            sheet: None,
            has_header: *header,
            columns: each.into_iter().filter_map(|(field, column)| Some((field, column.clone()?))).collect(),
            exporter: exporter.transpose()?,
            takes_all,
            own: &[],
            own_dates: &[],
            date_order: date_format.as_deref().map(imports::date_order).transpose()?,
        })
    }
}

/// How an import stands, and how it ended. Each row of the file is in exactly one of the last six.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counts {
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) added: u64,
    pub(super) already: u64,
    pub(super) strengthened: u64,
    /// Rows that say that their address may get mail.
    pub(super) skipped: u64,
    /// Rows that do not say in known words whether it may.
    pub(super) unclear: u64,
    pub(super) invalid: u64,
}

impl imports::Counts for Counts {
    fn done(&self) -> u64 {
        self.done
    }

    fn applied(&self) -> u64 {
        self.added + self.already + self.strengthened
    }

    fn set_total(&mut self, total: u64) {
        self.total = total;
    }

    fn count_unwritten(&mut self, skipped: u64, unclear: u64, invalid: u64) {
        self.skipped += skipped;
        self.unclear += unclear;
        self.invalid += invalid;
        self.done += skipped + unclear + invalid;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_back() {
        for strength in 1..=5 {
            let reason = Reason::of_strength(strength).unwrap();
            assert_eq!(i64::from(reason.strength()), strength);
            let said = usher_files::verdict(reason.as_str());
            assert!(matches!(said, Some(usher_files::Verdict::Suppressed(said)) if Reason::from(said) == reason));
        }
        assert_eq!(Reason::of_strength(6), None);
    }
}
