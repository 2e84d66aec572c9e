use poem_openapi::Object;
use usher_db::{FromRow, Row};

use crate::{
    areas::emails::Recipient,
    values::{LinkId, MemberId, Time},
};

/// A link by which a member signs in once.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct LoginLink {
    /// Its address: a secret, shown only here. Whoever opens it and presses the button is signed in as the member. Absent
    /// if it was mailed.
    pub url: Option<String>,
    /// When it stops working: 60 minutes from now.
    pub expires_at: Time,
    /// The email and its status, if the link was mailed.
    pub message: Option<Recipient>,
}

/// A link as it is kept, with whom it lets in.
#[derive(Clone, Debug)]
pub struct Link {
    /// Its id.
    pub id: LinkId,
    /// Whom it lets in.
    pub member_id: MemberId,
    /// Where at the site the member goes on.
    pub redirect: Option<String>,
    /// When it stops working.
    pub expires_at: Time,
    /// When it was used.
    pub used_at: Option<Time>,
    /// The member's address.
    pub email: String,
    /// What the member is called.
    pub name: Option<String>,
    /// Whether a job is deleting the member, or moving it to another.
    pub is_going: bool,
}

/// What [`Link`] is read from.
macro_rules! link_columns {
    () => {
        "l.id, l.member_id, l.redirect, l.expires_at, l.used_at, m.email, m.name, m.deleting_since"
    };
}
pub(super) use link_columns;

impl FromRow for Link {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            member_id: row.take()?,
            redirect: row.take()?,
            expires_at: row.take()?,
            used_at: row.take()?,
            email: row.take()?,
            name: row.take()?,
            is_going: row.take::<Option<Time>>()?.is_some(),
        })
    }
}
