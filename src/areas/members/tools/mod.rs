mod access;
mod export;
mod gone;
mod import;
mod list;
mod read;
mod sign_in;
mod tag;
mod write;

use crate::tools::{Area, tools};

/// The tools of members.
pub const AREA: Area = Area {
    name: "members",
    about: "The people of the site.",
    tools: tools![
        list::ListMembers,
        list::CountMembers,
        read::GetMember,
        read::GetOverview,
        read::FindMemberByEmail,
        access::CheckAccess,
        access::WhyPaywall,
        access::SyncMember,
        access::ListEntitlements,
        write::CreateMember,
        write::UpdateMember,
        tag::AddTags,
        tag::RemoveTags,
        tag::ReplaceTags,
        gone::DeleteMember,
        gone::FindDuplicates,
        gone::MergeMembers,
        sign_in::InviteMember,
        sign_in::CreateLoginLink,
        import::ImportMembers,
        export::ExportMembers,
        export::ExportMemberData
    ],
};
