mod export;
mod import;
mod list;
mod read;
mod tag;
mod write;

use crate::tools::{Area, tools};

/// The tools of members.
pub const AREA: Area = Area {
    name: "members",
    about: "The people of the site.",
    tools: tools![
        list::ListMembers,
        read::GetMember,
        read::FindMemberByEmail,
        write::CreateMember,
        write::UpdateMember,
        tag::AddTags,
        tag::RemoveTags,
        tag::ReplaceTags,
        import::ImportMembers,
        export::ExportMembers
    ],
};
