use usher_db::{Cell, Column, Value};

/// A site's number. Every query carries one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(i64);

impl SiteId {
    /// The site of a number.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl std::fmt::Display for SiteId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Column for SiteId {
    fn read(cell: Cell<'_>) -> usher_db::Result<Self> {
        i64::read(cell).map(Self)
    }
}

impl From<SiteId> for Value {
    fn from(site: SiteId) -> Self {
        Self::Int(Some(site.0))
    }
}
