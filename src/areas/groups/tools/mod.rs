mod group;
mod members;

use crate::tools::{Area, tools};

/// The tools of groups.
pub const AREA: Area = Area {
    name: "groups",
    about: "Members that belong together.",
    tools: tools![
        group::ListGroups,
        group::GetGroup,
        group::CreateGroup,
        group::UpdateGroup,
        group::DeleteGroup,
        members::ListGroupMembers,
        members::AddGroupMembers,
        members::RemoveGroupMembers,
        members::MoveGroupMembers
    ],
};
