use poem_openapi::Object;

use crate::{
    areas::{
        groups::{self, GroupRef},
        jobs::{Accepted, JobView},
        members::{
            actions,
            export::{Export, Format},
            export_data::ExportData,
            store::Filter,
            types::{MemberRef, MemberStatus},
            words::Search,
        },
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{Beginning, End, Moment, Tag},
};

/// Export members
///
/// Writes the members that fit the filters of `members.list` to a file, as a job. `result.file` of the job that succeeded
/// is where it is fetched, by the same key, for 90 days. `members.import` reads the file as it is: into an empty site it
/// makes the same members again, with their names, notes, tags, free access, external ids
/// and metadata. Ids, status and the time they were made
/// are there for people and are not imported. In CSV, an apostrophe stands before what a spreadsheet would run as a
/// formula; the import takes it away.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ExportMembers {
    /// How the file is written: `csv` or `jsonl` (JSON Lines).
    #[oai(default)]
    format: Format,
    /// Only those with this text in the address or the name, whatever its case. 1 to 200 characters.
    #[oai(validator(min_length = 1, max_length = 200, pattern = r"^[^\x00]*$"))]
    text: Option<String>,
    /// Only those with this tag.
    tag: Option<Tag>,
    /// Only those in this group.
    group: Option<GroupRef>,
    /// Only those with this status.
    status: Option<MemberStatus>,
    /// Only those created at this moment or later.
    created_from: Option<Moment<Beginning>>,
    /// Only those created before this moment.
    created_until: Option<Moment<End>>,
    /// Only those that were created or changed at this moment or later (`updatedAt`).
    updated_from: Option<Moment<Beginning>>,
    /// Whether the names of their groups are a column too. To import it, the site needs groups of these names.
    #[oai(default)]
    with_groups: bool,
}

impl Tool for ExportMembers {
    const NAME: &'static str = "members.export";
    const ACCESS: Access = Access::write(Scope::MembersRead, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"format":"csv","tag":"early-bird"}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        let zone = cx.zone();
        let filter = Filter {
            text: self.text.as_deref().map(Search::parse),
            tag: self.tag,
            group: groups::resolve_any(cx, self.group).await?,
            status: self.status,
            from: self.created_from.map(|from| from.in_zone(zone)),
            until: self.created_until.map(|until| until.bound(zone)),
            updated_from: self.updated_from.map(|from| from.in_zone(zone)),
        };
        if let Some(group) = &filter.group {
            groups::find(cx, group).await?;
        }
        let export = Export::new(self.format, &filter, self.with_groups);
        Ok(Accepted { job: JobView::from_row(cx.enqueue(&export).await?)? })
    }
}

/// What shows everything about a member.
const ALL_ABOUT_A_MEMBER: &[Scope] = &[
    Scope::GroupsRead,
    Scope::SubscriptionsRead,
    Scope::InvoicesRead,
    Scope::BundlesRead,
    Scope::VideosRead,
    Scope::MembersEmail,
    Scope::ActivityRead,
];

/// Export what is stored about a member
///
/// Writes everything that is stored about one person to a JSON file, as a job, for a request under article 15 of the GDPR:
/// the member, former addresses, tags, groups, bundles and orders, subscriptions, checkouts, invoices, what was watched and
/// written, mails, sign-ins, blocks and the member's rows of the activity log. Where the member is only mentioned among
/// others, the entry is named and the rest of it, which is about others, is left out. Hashes and other secrets are left out
/// too, and so is what stands in uploaded files. `result.file` of the job that succeeded is where the file is fetched, by
/// the same key, for 90 days; `result.rows` counts the rows of each kind.
#[derive(Object)]
pub struct ExportMemberData {
    /// The member.
    member: MemberRef,
}

impl Tool for ExportMemberData {
    const NAME: &'static str = "members.exportData";
    const ACCESS: Access = Access::write(Scope::MembersRead, Risk::High).also(ALL_ABOUT_A_MEMBER);
    const EXAMPLE: &'static str = r#"{"member":{"email":"anna@example.com"}}"#;
    type Output = Accepted;

    async fn run(self, cx: &mut Cx) -> Result<Accepted> {
        let member = actions::find(cx, &self.member).await?.id;
        Ok(Accepted { job: JobView::from_row(cx.enqueue(&ExportData { member }).await?)? })
    }
}
