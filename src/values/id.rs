use std::{fmt, marker::PhantomData};

use poem_openapi::registry::MetaSchema;
use usher_db::{Cell, Column, Nullable, Value};
use uuid::Uuid;

use super::SiteId;

/// The letters of an id: Crockford's base 32, in lower case, so that ids sort as their numbers do.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Letters of the number in an id: 130 bits for a UUID's 128.
const BODY: usize = 26;

/// What an id is the id of: its prefix and its `format` in JSON Schema.
pub trait Kind: Send + Sync + 'static {
    /// `mem` of `mem_…`.
    const PREFIX: &'static str;
    /// The `format` that its schema names.
    const FORMAT: &'static str;
    /// A valid one, for the documentation.
    const EXAMPLE: &'static str;
}

/// An id: a prefix, a UUID v7 (RFC 9562) in 26 letters, so that ids sort by the time they were made, and a
/// check character over all of it (ISO/IEC 7064, MOD 37,36), so that a mistyped or invented one is noticed
/// without a look-up.
pub struct Id<K>(Box<str>, PhantomData<fn() -> K>);

/// A text that is not an id of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the form {0}_…, or mistyped")]
pub struct InvalidId(pub &'static str);

macro_rules! kinds {
    ($($(#[$doc:meta])* $id:ident = $kind:ident $prefix:literal $example:literal;)*) => {
        /// The kinds of ids.
        pub mod kind {
            $(
                /// The kind of the id of the same name.
                pub enum $kind {}
            )*
        }

        $(
            impl Kind for kind::$kind {
                const PREFIX: &'static str = $prefix;
                const FORMAT: &'static str = concat!("usher-id-", $prefix);
                const EXAMPLE: &'static str = $example;
            }

            $(#[$doc])*
            pub type $id = Id<kind::$kind>;
        )*

        /// The checks behind the `format`s of ids: name, prefix, test.
        pub fn id_format() -> Vec<(&'static str, &'static str, fn(&str) -> bool)> {
            vec![$((kind::$kind::FORMAT, kind::$kind::PREFIX, |text| $id::parse(text).is_ok())),*]
        }
    };
}

kinds! {
    /// A member's.
    MemberId = Member "mem" "mem_01kan8v3t0e0rt8nfkzk1s7p4qs";
    /// A block-list entry's.
    BlockId = Block "blk" "blk_01kan8v3t0e0rt8nfkzk1s7p4qe";
    /// A key's.
    KeyId = Key "key" "key_01kan8v3t0e0rt8nfkzk1s7p4qb";
    /// A job's.
    JobId = Job "job" "job_01kan8v3t0e0rt8nfkzk1s7p4qc";
    /// A request's, and that of its row in the activity log.
    RequestId = Request "req" "req_01kan8v3t0e0rt8nfkzk1s7p4qy";
    /// A video's.
    VideoId = Video "vid" "vid_01kan8v3t0e0rt8nfkzk1s7p4qs";
    /// A comment's.
    CommentId = Comment "cmt" "cmt_01kan8v3t0e0rt8nfkzk1s7p4qj";
    /// A bundle's.
    BundleId = Bundle "bun" "bun_01kan8v3t0e0rt8nfkzk1s7p4qi";
    /// An entitlement's.
    EntitlementId = Entitlement "ent" "ent_01kan8v3t0e0rt8nfkzk1s7p4qw";
    /// A group's.
    GroupId = Group "grp" "grp_01kan8v3t0e0rt8nfkzk1s7p4qe";
    /// A plan's.
    PlanId = Plan "pln" "pln_01kan8v3t0e0rt8nfkzk1s7p4qq";
    /// A subscription's.
    SubscriptionId = Subscription "sub" "sub_01kan8v3t0e0rt8nfkzk1s7p4qh";
    /// An invoice's.
    InvoiceId = Invoice "inv" "inv_01kan8v3t0e0rt8nfkzk1s7p4qa";
    /// A sign-in link's.
    LinkId = Link "lnk" "lnk_01kan8v3t0e0rt8nfkzk1s7p4qn";
    /// An uploaded file's.
    UploadId = Upload "upl" "upl_01kan8v3t0e0rt8nfkzk1s7p4qv";
    /// A mail's.
    EmailId = Email "eml" "eml_01kan8v3t0e0rt8nfkzk1s7p4qj";
    /// A template's.
    TemplateId = Template "tpl" "tpl_01kan8v3t0e0rt8nfkzk1s7p4qm";
}

impl<K: Kind> Id<K> {
    /// The id of a number.
    pub fn of(number: Uuid) -> Self {
        let mut text = String::with_capacity(K::PREFIX.len() + 1 + BODY + 1);
        text.push_str(K::PREFIX);
        text.push('_');
        let number = number.as_u128();
        text.extend((0..BODY).rev().map(|at| char::from(LETTERS[(number >> (5 * at)) as usize & 31])));
        text.push(check_character(&text));
        Self(text.into(), PhantomData)
    }

    /// Reads an id that somebody typed, sent or made up.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId(K::PREFIX);
        let body = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or(invalid)?;
        if body.len() != BODY + 1 || !body[..BODY].bytes().all(|letter| LETTERS.contains(&letter)) {
            return Err(invalid);
        }
        let (start, check) = text.split_at(text.len() - 1);
        if !check.starts_with(check_character(start)) {
            return Err(invalid);
        }
        Ok(Self(text.into(), PhantomData))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number in it.
    pub fn number(&self) -> Uuid {
        let letters = &self.0.as_bytes()[K::PREFIX.len() + 1..][..BODY];
        let value = |letter| LETTERS.iter().position(|known| *known == letter).unwrap_or(0) as u128;
        Uuid::from_u128(letters.iter().fold(0, |number, letter| number << 5 | value(*letter)))
    }
}

/// The site of a key: the last 32 bits of the number in its id.
pub fn site_of_key(key: &KeyId) -> SiteId {
    SiteId::new(i64::from(key.number().as_u128() as u32))
}

/// ISO/IEC 7064, MOD 37,36 over the letters and digits of `text`, without regard to case.
fn check_character(text: &str) -> char {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut product = 36;
    for value in text.chars().filter_map(|c| c.to_digit(36)) {
        let sum = (product + value) % 36;
        product = (if sum == 0 { 36 } else { sum }) * 2 % 37;
    }
    char::from(ALPHABET[((37 - product) % 36) as usize])
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

/// By the text, which for ids of one kind is by the time they were made.
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<K> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<K: Kind> serde::Serialize for Id<K> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, K: Kind> serde::Deserialize<'de> for Id<K> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl<'a, K> FromIterator<&'a Id<K>> for Value {
    fn from_iter<I: IntoIterator<Item = &'a Id<K>>>(ids: I) -> Self {
        ids.into_iter().map(|id| id.0.to_string()).collect()
    }
}

impl<K: Kind> Column for Id<K> {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        // Only ids that we made are stored.
        Ok(Self(String::read(cell)?.into(), PhantomData))
    }
}

impl<K> From<&Id<K>> for Value {
    fn from(id: &Id<K>) -> Self {
        Self::Text(Some(id.0.to_string()))
    }
}

impl<K> Nullable for &Id<K> {
    const NULL: Value = Value::Text(None);
}

super::json_string!(
    impl[K: Kind] Id<K>,
    format!("string_{}", K::FORMAT),
    MetaSchema {
        min_length: Some(1),
        max_length: Some(64),
        example: Some(K::EXAMPLE.into()),
        ..MetaSchema::new_with_format("string", K::FORMAT)
    },
    Id::<K>::parse
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_is_read_back_and_keeps_its_number(number: u128) {
            let id = MemberId::of(Uuid::from_u128(number));
            prop_assert_eq!(id.number().as_u128(), number);
            prop_assert_eq!(MemberId::parse(id.as_str()).unwrap(), id);
        }

        #[test]
        fn ids_sort_as_their_numbers(a: u128, b: u128) {
            let [x, y] = [a, b].map(|number| MemberId::of(Uuid::from_u128(number)));
            if a != b {
                prop_assert_eq!(a < b, x.as_str() < y.as_str());
            }
        }

        #[test]
        fn one_wrong_letter_is_noticed(number: u128, at in 4usize..30, letter in 0usize..32) {
            let id = MemberId::of(Uuid::from_u128(number));
            let mut wrong = id.as_str().as_bytes().to_vec();
            if wrong[at] != LETTERS[letter] {
                wrong[at] = LETTERS[letter];
                prop_assert!(MemberId::parse(std::str::from_utf8(&wrong).unwrap()).is_err());
            }
        }
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let job = JobId::of(Uuid::from_u128(7));
        assert!(MemberId::parse(job.as_str()).is_err());
        assert!(MemberId::parse(&job.as_str().replace("job", "mem")).is_err());
    }

    #[test]
    fn examples_are_valid() {
        fn check<K: Kind>() {
            let id = Id::<K>::of(Uuid::from_u128(0x019a_aa8d_8f40_7031_a455_f3fc_c393_d897));
            assert_eq!(K::EXAMPLE, id.as_str());
        }
        check::<kind::Member>();
        check::<kind::Block>();
        check::<kind::Key>();
        check::<kind::Job>();
        check::<kind::Request>();
        check::<kind::Upload>();
        check::<kind::Video>();
        check::<kind::Comment>();
        check::<kind::Bundle>();
        check::<kind::Entitlement>();
        check::<kind::Group>();
        check::<kind::Plan>();
        check::<kind::Subscription>();
    }
}
