//! How a member goes: what is deleted, what is rewritten, what stays.
//!
//! **Deleted** are watch data, comments, entitlements, granted orders, tags, group places, subscriptions, checkouts, the
//! link to Stripe's customer, mails, sign-in links, former addresses and at last the member itself. **Rewritten** is what the installation has said or was told: in the activity log, in answers that are
//! kept for an Idempotency-Key and in jobs that have ended, `erased:<member id>` takes the place of the address and of former ones, and `erased`
//! that of names, notes and comments ([`Person`]). **Kept** is a block on the address or on a former one, as a keyed hash
//! ([`blocklist::hide`](crate::areas::blocklist::hide)), and of each order one too ([`orders::spend`]). Invoices stay as they must by law, with the
//! member's id and without name and address: `member_id` of `invoice` is no foreign key, and the addresses of their pages
//! at Stripe, which show both, are taken out.
//!
//! [`orders::spend`]: crate::areas::access::orders::spend
//! [`TABLES`] is the list of all tables with a member or an address in them; a test compares it with the schema.
//!
//! It is done in many short transactions, each with its counts in the job's checkpoint; all of them are safe to do
//! twice. The last one ([`end()`]) does what has come in between and is the only one that deletes the member.
//! It must never delete or rewrite anything of a member that is not marked by `deleting_since`.

mod end;
mod logs;
pub mod store;
mod text;

use std::collections::BTreeMap;

pub use end::{End, end};
pub use logs::{Mentioned, Work, rewrite};
use serde::{Deserialize, Serialize};
pub use text::{Person, mark};

/// What happens to a table when a member goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The member's rows are deleted, or are the winner's after a merge.
    Rows(Kind),
    /// The member's own row, which goes last.
    Member,
    /// The member's words, which go with its row; after a merge too, as the winner has words of its own.
    Words,
    /// The address is taken out of its texts.
    Texts,
    /// The address becomes a keyed hash.
    Hash,
    /// The address goes, and the row stays.
    Address,
}

/// Every table with a member or an address in it.
pub const TABLES: &[(&str, Fate)] = &[
    ("watch", Fate::Rows(Kind::Watch)),
    ("comment", Fate::Rows(Kind::Comments)),
    ("entitlement", Fate::Rows(Kind::Entitlements)),
    ("granted_order", Fate::Rows(Kind::Orders)),
    ("member_tag", Fate::Rows(Kind::Tags)),
    ("group_place", Fate::Rows(Kind::Groups)),
    ("subscription", Fate::Rows(Kind::Subscriptions)),
    ("checkout", Fate::Rows(Kind::Checkouts)),
    ("stripe_customer", Fate::Rows(Kind::Customers)),
    ("stripe_claim", Fate::Rows(Kind::Claims)),
    ("invoice", Fate::Rows(Kind::Invoices)),
    ("email", Fate::Rows(Kind::Emails)),
    ("login_link", Fate::Rows(Kind::Links)),
    ("former_address", Fate::Rows(Kind::Addresses)),
    ("activity", Fate::Texts),
    ("idempotency", Fate::Texts),
    ("job", Fate::Texts),
    ("block", Fate::Hash),
    ("block_claim", Fate::Hash),
    ("stripe_stray", Fate::Address),
    ("member_word", Fate::Words),
    ("member", Fate::Member),
];

/// Rows that a member has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How far the member got in videos.
    Watch,
    /// Comments below videos.
    Comments,
    /// Rights to bundles.
    Entitlements,
    /// Orders that were granted.
    Orders,
    /// Tags.
    Tags,
    /// Places in groups.
    Groups,
    /// Subscriptions.
    Subscriptions,
    /// Checkouts.
    Checkouts,
    /// Links to customers of Stripe's.
    Customers,
    /// What at Stripe was said to be the member's.
    Claims,
    /// Mails.
    Emails,
    /// Invoices, which stay: only the addresses of their pages go.
    Invoices,
    /// Sign-in links, which a merge hands to nobody: they were sent to the address that goes.
    Links,
    /// Addresses that the member had. They go last, as they say what else is to be rewritten.
    Addresses,
}

impl Kind {
    /// Every kind, in the order in which they go: orders before what they hold, so that a merge knows of all of them when
    /// it comes to that.
    pub const ALL: [Self; 14] = [
        Self::Watch,
        Self::Comments,
        Self::Orders,
        Self::Entitlements,
        Self::Tags,
        Self::Groups,
        Self::Subscriptions,
        Self::Checkouts,
        Self::Customers,
        Self::Claims,
        Self::Emails,
        Self::Invoices,
        Self::Links,
        Self::Addresses,
    ];

    /// As it is counted in results.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Comments => "comments",
            Self::Entitlements => "entitlements",
            Self::Orders => "orders",
            Self::Tags => "tags",
            Self::Groups => "groups",
            Self::Subscriptions => "subscriptions",
            Self::Checkouts => "checkouts",
            Self::Customers => "customers",
            Self::Claims => "claims",
            Self::Emails => "emails",
            Self::Invoices => "invoices",
            Self::Links => "links",
            Self::Addresses => "addresses",
        }
    }
}

/// What else is counted: rows of the log, kept answers and ended jobs that were rewritten, and blocks that became hashes.
pub const REWRITTEN: [&str; 4] = ["activity", "answers", "jobs", "blocks"];

/// What is counted too: subscriptions that were ended at Stripe.
const ENDED: &str = "endedAtStripe";

/// Rows by what they are.
pub type Counts = BTreeMap<String, u64>;

/// How far it got: the job's checkpoint. Readable for ever.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct At {
    /// Rows of the member when it began; 0 before they are counted.
    total: u64,
    counts: Counts,
    /// The log is rewritten up to there.
    log: String,
    /// Nothing lives at Stripe any more.
    stripe: bool,
}

/// How it stands, for everybody.
#[derive(Serialize)]
pub struct Progress<'a> {
    done: u64,
    total: u64,
    #[serde(flatten)]
    counts: &'a Counts,
}

impl At {
    /// Where it begins, with what the acceptance has done already.
    pub fn start(total: u64, done: Counts) -> Self {
        let names = Kind::ALL.map(Kind::name).into_iter().chain(REWRITTEN);
        let mut counts: Counts = names.map(|name| (name.to_owned(), 0)).collect();
        counts.extend(done);
        Self { total: total + counts.values().sum::<u64>(), counts, log: String::new(), stripe: false }
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        !self.counts.is_empty()
    }

    /// Whether something may still live at Stripe.
    pub fn is_paying(&self) -> bool {
        !self.stripe
    }

    /// Notes that nothing lives at Stripe any more, and how many subscriptions were ended there for that.
    pub fn ended(&mut self, n: u64) {
        self.stripe = true;
        self.count(ENDED, n);
    }

    fn count(&mut self, name: &str, n: u64) {
        *self.counts.entry(name.to_owned()).or_default() += n;
    }

    /// Counts rows that are gone.
    pub fn gone(&mut self, kind: Kind, n: u64) {
        self.count(kind.name(), n);
    }

    /// How it stands.
    pub fn progress(&self) -> Progress<'_> {
        let done = Kind::ALL.iter().filter_map(|kind| self.counts.get(kind.name())).sum();
        Progress { done, total: self.total.max(done), counts: &self.counts }
    }

    /// What the job gives once it is done.
    pub fn result(&self) -> &Counts {
        &self.counts
    }
}
