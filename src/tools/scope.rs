//! The scopes a key can hold, as data; served at `/api/v1/scopes`.

use poem_openapi::Enum;

/// How much harm a tool or scope can do in the wrong hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum, serde::Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Reads what the site's staff may see anyway.
    Low,
    /// Changes what can be changed back, or reads what is sensitive.
    Medium,
    /// Deletes, grants, charges or writes to people.
    High,
}

macro_rules! scopes {
    ($($variant:ident $name:literal $risk:ident $label:literal;)*) => {
        /// A right that a key can hold. There is no wildcard.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Scope {
            $(#[doc = $label] $variant,)*
        }

        impl Scope {
            /// Every scope.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is written.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What people read.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// How much harm it can do.
            pub const fn risk(self) -> Risk {
                match self { $(Self::$variant => Risk::$risk),* }
            }
        }
    };
}

scopes! {
    MembersRead "members:read" Low "Read members";
    MembersManage "members:manage" High "Manage members";
    GroupsRead "groups:read" Low "Read groups";
    GroupsManage "groups:manage" Medium "Manage groups";
    AccessGrant "access:grant" High "Grant access";
    SubscriptionsRead "subscriptions:read" Low "Read subscriptions";
    SubscriptionsManage "subscriptions:manage" High "Manage subscriptions";
    PlansRead "plans:read" Low "Read plans";
    PlansManage "plans:manage" High "Manage plans";
    InvoicesRead "invoices:read" Low "Read invoices";
    PaymentsRefund "payments:refund" High "Refund payments";
    MembersEmail "members:email" High "Email members";
    TemplatesRead "templates:read" Low "Read email templates";
    TemplatesManage "templates:manage" Medium "Manage email templates";
    BundlesRead "bundles:read" Low "Read bundles";
    BundlesManage "bundles:manage" Medium "Manage bundles";
    VideosRead "videos:read" Low "Read videos";
    VideosManage "videos:manage" Medium "Manage videos";
    ActivityRead "activity:read" Medium "Read activity log";
}

impl Scope {
    /// Reads a scope's name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|scope| scope.name() == name)
    }

    /// The set with only this scope.
    pub const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// The scopes of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scopes(u32);

impl Scopes {
    /// Whether `scope` is among them.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// In the order of the table.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.has(*scope))
    }

    /// Their names.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Scope::name).collect()
    }

    /// From how they are stored: comma separated. A name that is no scope any more opens nothing.
    pub fn stored(text: &str) -> Self {
        text.split(',').filter_map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

/// A named choice of scopes.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// As it is given on the command line.
    pub name: &'static str,
    /// What people read.
    pub label: &'static str,
    /// What it is for.
    pub about: &'static str,
    scopes: fn() -> Scopes,
}

impl Preset {
    /// The scopes that it stands for.
    pub fn scopes(&self) -> Scopes {
        (self.scopes)()
    }

    /// Reads a preset's name.
    pub fn parse(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }
}

fn read_only() -> Scopes {
    let reads = |scope: &Scope| scope.name().ends_with(":read") && *scope != Scope::ActivityRead;
    Scope::ALL.iter().copied().filter(reads).collect()
}

/// The presets. Any other choice is Custom.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "read-only",
        label: "Read-only",
        about: "Everything but the activity log, and nothing is changed.",
        scopes: read_only,
    },
    Preset {
        name: "support",
        label: "Support",
        about: "What a support desk needs: read, manage members, grant access.",
        scopes: || read_only().iter().chain([Scope::MembersManage, Scope::AccessGrant]).collect(),
    },
    Preset {
        name: "outside-checkout",
        label: "Outside checkout",
        about: "For a shop elsewhere that unlocks what it sold.",
        scopes: || [Scope::MembersRead, Scope::AccessGrant].into_iter().collect(),
    },
    Preset {
        name: "full-access",
        label: "Full access",
        about: "Every scope there is now; later ones are not added.",
        scopes: || Scope::ALL.iter().copied().collect(),
    },
];
