use poem_openapi::{Enum, Object, Union, registry::MetaSchema, types::ToJSON};
use serde_json::Value;
use usher_db::{FromRow, Row};

use super::{metadata::Metadata, words::Words};
use crate::{
    tools::schema,
    values::{Email, MemberId, Tag, Time, email_key, json_string, sort_key, text},
};

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// The longest note, in characters.
pub(super) const LONGEST_NOTE: usize = 5000;

/// What a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, serde::Serialize, serde::Deserialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum MemberStatus {
    /// Neither pays nor has free access.
    Free,
    /// Has a paid subscription.
    Paid,
    /// Has free access.
    Comped,
}

impl MemberStatus {
    /// As it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Paid => "paid",
            Self::Comped => "comped",
        }
    }

    pub(super) fn stored(text: &str) -> usher_db::Result<Self> {
        let known = [Self::Free, Self::Paid, Self::Comped].into_iter().find(|status| status.as_str() == text);
        known.ok_or_else(|| usher_db::Error::Decode(format!("a member's status is {text:?}").into()))
    }
}

/// The order of a list of members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub enum MemberSort {
    /// Newest first.
    #[default]
    #[oai(rename = "-createdAt")]
    Newest,
    /// Oldest first.
    #[oai(rename = "createdAt")]
    Oldest,
    /// By email address, without regard to case.
    #[oai(rename = "email")]
    Email,
    /// The same from the end.
    #[oai(rename = "-email")]
    EmailDown,
    /// By name, without regard to case and accents; members without a name come last.
    #[oai(rename = "name")]
    Name,
    /// The same from the end; members without a name come last here too.
    #[oai(rename = "-name")]
    NameDown,
}

impl MemberSort {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "-createdAt",
            Self::Oldest => "createdAt",
            Self::Email => "email",
            Self::EmailDown => "-email",
            Self::Name => "name",
            Self::NameDown => "-name",
        }
    }
}

/// A person of the site.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Member {
    /// The member's id, which never changes.
    pub id: MemberId,
    /// The address, as typed. No other member of the site has it, whatever its case.
    pub email: String,
    /// What the member is called.
    pub name: Option<String>,
    /// What the site's staff wrote down; the member never sees it.
    pub note: Option<String>,
    /// The id that the member has elsewhere, as an integrator has set it. No other member of the site has it.
    pub external_id: Option<String>,
    /// What an integrator keeps with the member: up to 50 texts by key. Absent if there is nothing.
    pub metadata: Option<Metadata>,
    /// What the member has.
    pub status: MemberStatus,
    /// Free access, if it was given and not taken away; it may be over.
    pub free_access: Option<Span>,
    /// A trial that the site gave, if any; it may be over. One that Stripe gives is a subscription.
    pub trial: Option<Span>,
    /// Present while a job is deleting the member: when it began. Nothing else can be done with the member then.
    pub deleting_since: Option<Time>,
    /// The member's tags, sorted.
    pub tags: Vec<Tag>,
    /// When the member was made, to the millisecond.
    pub created_at: Time,
    /// When anything of the member changed last.
    pub updated_at: Time,
    /// Whether a subscription pays.
    #[oai(skip)]
    pub is_paid: bool,
    /// When that ends by itself.
    #[oai(skip)]
    pub paid_until: Option<Time>,
    /// What the member is looked up and sorted by. It is the address's key, but for a member who had another way to
    /// write somebody else's address before such two were one ([`rekey`](super::rekey)).
    #[oai(skip)]
    pub key: String,
}

/// A time that something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Span {
    /// When it began.
    pub since: Time,
    /// When it ends or ended; absent if never.
    pub expires_at: Option<Time>,
}

impl Span {
    /// Whether it holds at a moment.
    pub fn holds(&self, at: Time) -> bool {
        self.since <= at && self.expires_at.is_none_or(|end| at < end)
    }
}

impl Member {
    /// One that has nothing but an id and an address.
    pub fn new(id: MemberId, email: String) -> Self {
        let created_at = made_at(&id);
        Self {
            key: email_key(&email),
            id,
            email,
            name: None,
            note: None,
            external_id: None,
            metadata: None,
            status: MemberStatus::Free,
            free_access: None,
            trial: None,
            deleting_since: None,
            tags: Vec::new(),
            created_at,
            updated_at: created_at,
            is_paid: false,
            paid_until: None,
        }
    }

    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }

    /// The status at a moment. What is stored may be older: free access ends without anybody's doing.
    pub fn status_at(&self, at: Time) -> MemberStatus {
        match () {
            () if self.free_access.is_some_and(|free| free.holds(at)) => MemberStatus::Comped,
            () if self.is_paid && self.paid_until.is_none_or(|end| at < end) => MemberStatus::Paid,
            () => MemberStatus::Free,
        }
    }

    /// The member as of a moment.
    pub fn with_status_at(self, at: Time) -> Self {
        Self { status: self.status_at(at), ..self }
    }

    /// What the address is compared by: the mailbox.
    pub fn email_key(&self) -> String {
        email_key(&self.email)
    }

    /// What the address is compared by with those of others who may be the same person: without sub-address, and at
    /// Gmail without dots. `None` if that is the key itself.
    pub fn twin_key(&self) -> Option<String> {
        let mailbox = self.email_key();
        twin_key(&mailbox).or((mailbox != self.key).then_some(mailbox))
    }

    /// What the name is sorted and compared by; empty without one.
    pub fn name_key(&self) -> String {
        sort_key(self.name.as_deref().unwrap_or_default())
    }

    /// The words that the member is found by.
    pub(super) fn words(&self) -> Words {
        Words::of(&self.email_key(), self.name.as_deref(), &self.name_key())
    }
}

/// The address that mail to an address most likely ends at, if it is another one.
pub(super) fn twin_key(key: &str) -> Option<String> {
    let (local, domain) = key.rsplit_once('@').filter(|(local, _)| !local.starts_with('"'))?;
    let plain = local.split('+').next().filter(|plain| !plain.is_empty())?;
    let twin = match domain {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", plain.replace('.', "")),
        _ => format!("{plain}@{domain}"),
    };
    (twin != key).then_some(twin)
}

/// When the member of an id was made: the millisecond in it.
pub(super) fn made_at(id: &MemberId) -> Time {
    Time::from_micros((id.number().as_u128() >> 80) as i64 * 1000)
}

/// What [`Member`] is read from, of a table `m`.
macro_rules! member_columns {
    () => {
        "m.id, m.email, m.name, m.note, m.status, m.free_since, m.free_until, m.trial_since, m.trial_until,
         m.deleting_since, m.created_at, m.updated_at, m.is_paid, m.paid_until, m.email_key,
         (SELECT string_agg(t.tag, ',') FROM member_tag t WHERE t.site = m.site AND t.member_id = m.id),
         m.external_id, m.metadata"
    };
}
pub(in crate::areas) use member_columns;

impl FromRow for Member {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        let (id, email, name, note) = (row.take()?, row.take()?, row.take()?, row.take()?);
        let status = MemberStatus::stored(&row.take::<String>()?)?;
        let (free_access, trial) = (span(row)?, span(row)?);
        let (deleting_since, created_at, updated_at) = (row.take()?, row.take()?, row.take()?);
        let (is_paid, paid_until, key) = (row.take()?, row.take()?, row.take()?);
        let joined: Option<String> = row.take()?;
        let mut tags: Vec<_> = joined.iter().flat_map(|tags| tags.split(',')).map(Tag::stored).collect();
        tags.sort_unstable();
        let external_id = row.take()?;
        let metadata: Option<String> = row.take()?;
        Ok(Self {
            id,
            email,
            name,
            note,
            external_id,
            metadata: metadata.map(|text| Metadata::stored(&text)),
            status,
            free_access,
            trial,
            deleting_since,
            tags,
            created_at,
            updated_at,
            is_paid,
            paid_until,
            key,
        })
    }
}

fn span(row: &mut Row<'_>) -> usher_db::Result<Option<Span>> {
    let (since, expires_at): (Option<Time>, _) = (row.take()?, row.take()?);
    Ok(since.map(|since| Span { since, expires_at }))
}

/// A member by id.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberById {
    /// The member's id.
    pub id: MemberId,
    /// The address that the caller believes to be this member's, compared without regard to case; if it is another,
    /// the call is refused as `email_mismatch` and does nothing.
    pub expect_email: Option<Email>,
}

/// A member by address.
#[derive(Clone, Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
pub struct MemberByEmail {
    /// The member's address, compared without regard to case.
    pub email: Email,
}

/// A member, by id or by address: one of the two.
#[derive(Clone, Debug, Union)]
#[oai(one_of)]
pub enum MemberRef {
    /// By id.
    Id(MemberById),
    /// By address.
    Email(MemberByEmail),
}

/// A member's name as a caller gives it: one line with something to be seen, without outer space. Empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(Box<str>);

/// A note as a caller gives it: without outer space. Empty for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note(Box<str>);

/// A text that is too long, or has characters that are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a text of at most {longest} characters without control characters")]
pub struct InvalidText {
    longest: usize,
}

impl Name {
    /// Reads a name.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        parse(text, LONGEST_NAME, |text| text.is_empty() || text::is_line(text) && text::is_visible(text)).map(Self)
    }

    /// The name, if there is one.
    pub fn into_option(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.into())
    }
}

impl Note {
    /// Reads a note.
    pub fn parse(text: &str) -> Result<Self, InvalidText> {
        parse(text, LONGEST_NOTE, text::is_plain).map(Self)
    }

    /// The note, if there is one.
    pub fn into_option(self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.into())
    }
}

fn parse(text: &str, longest: usize, fits: fn(&str) -> bool) -> Result<Box<str>, InvalidText> {
    if text.chars().count() > longest || !fits(text) {
        return Err(InvalidText { longest });
    }
    Ok(text.trim().into())
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

json_string!(
    impl[] Name,
    "string_name",
    MetaSchema {
        max_length: Some(LONGEST_NAME),
        pattern: Some(text::VISIBLE_LINE_OR_NONE.into()),
        example: Some("Anna Lind".into()),
        ..MetaSchema::new("string")
    },
    Name::parse
);

json_string!(
    impl[] Note,
    "string_note",
    MetaSchema {
        max_length: Some(LONGEST_NOTE),
        pattern: Some(text::PLAIN.into()),
        example: Some("Met at the spring workshop.".into()),
        ..MetaSchema::new("string")
    },
    Note::parse
);

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_member_is_named_by_id_or_by_address_and_not_by_both() {
        let id = "mem_01kan8v3t0e0rt8nfkzk1s7p4qs";
        for good in [json!({ "id": id }), json!({ "id": id, "expectEmail": "a@b.de" }), json!({ "email": "a@b.de" })] {
            MemberRef::parse_from_json(Some(good)).unwrap();
        }
        for bad in [
            json!({}),
            json!({ "id": id, "email": "a@b.de" }),
            json!({ "email": "a@b.de", "expectEmail": "a@b.de" }),
            json!({ "id": id, "name": "Anna" }),
        ] {
            assert!(MemberRef::parse_from_json(Some(bad.clone())).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_one_line_and_a_note_may_have_more() {
        assert_eq!(Name::parse(" Anna ").unwrap().into_option().as_deref(), Some("Anna"));
        assert_eq!(Name::parse("").unwrap().into_option(), None);
        assert!(Name::parse("  ").is_err() && Name::parse("\u{200b}").is_err());
        assert!(Name::parse("Anna\r\nBcc: x@example.com").is_err());
        assert!(Name::parse(&"é".repeat(LONGEST_NAME)).is_ok());
        assert!(Name::parse(&"é".repeat(LONGEST_NAME + 1)).is_err());
        assert_eq!(Note::parse("one\ntwo").unwrap().into_option().as_deref(), Some("one\ntwo"));
        assert!(Note::parse("\0").is_err() && Note::parse("\u{7}").is_err());
    }

    #[test]
    fn twins_are_told_by_what_most_servers_leave_out() {
        for (key, twin) in [
            ("anna+shop@example.com", Some("anna@example.com")),
            ("anna@example.com", None),
            ("an.na@example.com", None),
            ("a.nna+x+y@googlemail.com", Some("anna@gmail.com")),
            ("anna@gmail.com", None),
            ("+x@example.com", None),
            ("\"a+b\"@example.com", None),
        ] {
            assert_eq!(twin_key(key).as_deref(), twin, "{key}");
        }
    }

    #[test]
    fn an_id_knows_when_its_member_was_made() {
        let id = MemberId::of(uuid::Uuid::from_u128(1_700_000_000_123_u128 << 80 | 0x7000 << 64 | 5));
        assert_eq!(made_at(&id), Time::from_micros(1_700_000_000_123_000));
    }
}
