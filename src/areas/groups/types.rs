use poem_openapi::{Object, Union, types::ToJSON as _};
use serde_json::Value;
use usher_db::{FromRow, Row};

use crate::{
    areas::members::Member,
    tools::schema,
    values::{GroupId, MemberId, Time, Title},
};

/// Members that belong together.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct Group {
    /// The group's id, which never changes.
    pub id: GroupId,
    /// What it is called. No other group of the site has the name, whatever its case.
    pub name: Title,
    /// What it is for, for the site's staff.
    pub description: Option<String>,
    /// How many members it has; `groups.listMembers` lists them.
    pub member_count: u32,
    /// When it was made.
    pub created_at: Time,
    /// When its name or description changed last. Members that come and go do not move it.
    pub updated_at: Time,
}

impl Group {
    /// As it stands in answers.
    pub fn json(&self) -> Value {
        let mut value = self.to_json().unwrap_or_default();
        schema::without_nulls(&mut value);
        value
    }
}

impl FromRow for Group {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self {
            id: row.take()?,
            name: row.take()?,
            description: row.take()?,
            member_count: row.take()?,
            created_at: row.take()?,
            updated_at: row.take()?,
        })
    }
}

/// A group by its name.
#[derive(Clone, Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct GroupByName {
    /// The group's name, compared without regard to case.
    pub name: Title,
}

/// A group: its id, or an object with its name.
#[derive(Clone, Debug, Union)]
#[oai(one_of)]
pub enum GroupRef {
    /// By id.
    Id(GroupId),
    /// By name.
    Name(GroupByName),
}

/// A member's place in a group.
#[derive(Clone, Debug, PartialEq, Object)]
#[oai(rename_all = "camelCase")]
pub struct GroupPlace {
    /// The member.
    pub member: Member,
    /// When the member came into the group.
    pub added_at: Time,
}

impl FromRow for GroupPlace {
    fn from_row(row: &mut Row<'_>) -> usher_db::Result<Self> {
        Ok(Self { added_at: row.take()?, member: Member::from_row(row)? })
    }
}

/// What is to become of members' places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placing {
    /// They come into the group.
    Into(GroupId),
    /// They leave the group.
    OutOf(GroupId),
    /// Those in the first leave it and come into the second.
    Move(GroupId, GroupId),
}

impl Placing {
    /// The groups that it is about.
    pub fn groups(&self) -> Vec<&GroupId> {
        match self {
            Self::Into(group) | Self::OutOf(group) => vec![group],
            Self::Move(from, to) => vec![from, to],
        }
    }
}

/// What became of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// They came into the group.
    pub came: Vec<MemberId>,
    /// They left the group.
    pub left: Vec<MemberId>,
    /// Members there are, which are not being deleted if they were to come into a group.
    pub known: Vec<MemberId>,
}
