use poem_openapi::Object;

use super::{
    actions::{self, Rest},
    preview::Preview,
    store::Filter,
    types::{Entry, ImportMapping, Reason},
    undo,
};
use crate::{
    areas::{activity::store::escape, jobs::JobView},
    error::Result,
    gate::Cx,
    paging::{self, Cursor, LAST, default_limit},
    tools::{Access, Area, Risk, Scope, Tool, tools},
    values::{BlockId, JobId, Time, UploadId, email_key},
};

/// The tools of the block list.
pub const AREA: Area = Area {
    name: "blocklist",
    about: "Addresses that get no mail but sign-in, members or not.",
    tools: tools![ListBlocks, CheckBlocks, AddBlocks, RemoveBlocks, ImportBlocks, UndoImport],
};

/// The list has one order, newest first.
const ORDER: &str = "blocklist.list -id";

/// A page of the block list.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct BlockPage {
    /// Newest first.
    items: Vec<Entry>,
    /// Pass as `cursor` for the next page; absent on the last.
    next_cursor: Option<String>,
}

/// List blocked addresses
///
/// The site's block list, newest first. Filters that are given must all hold. `GET /api/v1/blocklist/export` gives the
/// same entries, all of them, as CSV that imports again.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ListBlocks {
    /// Only those that are blocked for this reason.
    reason: Option<Reason>,
    /// Only those whose address contains this text, whatever its case; `@example.com` finds a whole domain.
    #[oai(validator(min_length = 1, max_length = 254))]
    text: Option<String>,
    /// Only those from this source, such as `api` or `import`.
    #[oai(validator(min_length = 1, max_length = 100))]
    source: Option<String>,
    /// How many to return.
    #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
    limit: u32,
    /// `nextCursor` of the page before.
    #[oai(validator(max_length = 500))]
    cursor: Option<String>,
}

impl Tool for ListBlocks {
    const NAME: &'static str = "blocklist.list";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"reason":"complaint","text":"@example.com"}"#;
    type Output = BlockPage;

    async fn run(self, cx: &mut Cx) -> Result<BlockPage> {
        let before = Cursor::decode::<1>(self.cursor.as_deref(), ORDER)?.map_or(LAST.into(), |[id]| id);
        let limit = self.limit;
        let mut items = actions::list(cx, &self.filter(), &before.replace('\0', ""), limit + 1).await?;
        let more = paging::cut(&mut items, limit);
        let next_cursor =
            items.last().filter(|_| more).map(|entry| Cursor::after(ORDER, [entry.id.to_string()]).encode());
        Ok(BlockPage { items, next_cursor })
    }
}

impl ListBlocks {
    pub(super) fn filter(self) -> Filter {
        // No stored text holds a NUL byte, and PostgreSQL takes none.
        let findable = |text: String| text.replace('\0', "\u{fffd}");
        Filter {
            reason: self.reason,
            source: self.source.map(findable),
            text: self.text.map(|text| escape(&email_key(&findable(text)))),
        }
    }
}

/// What is known of one address.
#[derive(Object)]
#[oai(rename = "BlockCheck", rename_all = "camelCase")]
pub struct CheckResult {
    /// The address as it was asked about.
    pub(super) email: String,
    /// Whether it gets no mail but sign-in.
    pub(super) blocked: bool,
    /// The block-list entry that blocks it.
    #[oai(rename = "block")]
    pub(super) id: Option<BlockId>,
    /// Why it is blocked.
    pub(super) reason: Option<Reason>,
    /// Where that reason comes from.
    pub(super) source: Option<String>,
    /// When it was first reported.
    pub(super) first_seen: Option<Time>,
    /// What is wrong with the address, if it is none.
    pub(super) error: Option<String>,
}

/// What is known of each address.
#[derive(Object)]
pub struct Checked {
    /// In the order asked.
    results: Vec<CheckResult>,
}

/// Check addresses
///
/// Says of each address whether it is blocked and why, in the order asked. What is no address is said so in its own
/// place and is no error of the call.
#[derive(Object)]
pub struct CheckBlocks {
    /// The addresses, 1 to 1,000.
    #[oai(validator(min_items = 1, max_items = 1000, max_length = 320))]
    emails: Vec<String>,
}

impl Tool for CheckBlocks {
    const NAME: &'static str = "blocklist.check";
    const ACCESS: Access = Access::read(Scope::MembersRead);
    const EXAMPLE: &'static str = r#"{"emails":["anna@example.com","ben@example.com"]}"#;
    type Output = Checked;

    async fn run(self, cx: &mut Cx) -> Result<Checked> {
        Ok(Checked { results: actions::check(cx, self.emails).await? })
    }
}

/// What became of one address.
#[derive(Object)]
#[oai(rename = "BlockAddResult", rename_all = "camelCase")]
pub struct AddResult {
    /// The address as it was sent.
    pub(super) email: String,
    /// Whether it is blocked now.
    pub(super) blocked: bool,
    /// Whether this call added it or made its reason stronger.
    pub(super) changed: bool,
    /// Why it is blocked now.
    pub(super) reason: Option<Reason>,
    /// What is wrong with the address, if it is none.
    pub(super) error: Option<String>,
}

/// What became of the addresses. Each is in exactly one of the counts.
#[derive(Object)]
#[oai(rename = "BlockAdded", rename_all = "camelCase")]
pub struct Added {
    /// In the order sent.
    pub(super) results: Vec<AddResult>,
    /// How many are new on the list.
    pub(super) added: u32,
    /// How many were on it for a weaker reason.
    pub(super) strengthened: u32,
    /// How many were on it for a reason as strong, or stood in this call before.
    pub(super) already: u32,
    /// How many are no addresses.
    pub(super) invalid: u32,
}

/// Block addresses
///
/// Puts addresses on the block list for one reason. The strongest reason wins (complaint, hard_bounce, invalid,
/// unsubscribe, manual, in this order): an address that is there for a reason as strong stays as it is, with
/// `changed: false`. What is no address is said so in its own place and stops nothing. For more than 5,000 use
/// `blocklist.import`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct AddBlocks {
    /// The addresses, 1 to 5,000.
    #[oai(validator(min_items = 1, max_items = 5000, max_length = 320))]
    emails: Vec<String>,
    /// Why they are blocked.
    #[oai(default = "default_reason")]
    reason: Reason,
    /// Anything worth knowing, for each of the entries; at most 1,000 characters.
    #[oai(validator(max_length = 1000))]
    note: Option<String>,
}

impl Tool for AddBlocks {
    const NAME: &'static str = "blocklist.add";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::Medium);
    const EXAMPLE: &'static str = r#"{"emails":["anna@example.com"],"reason":"unsubscribe","note":"asked by phone"}"#;
    type Output = Added;

    async fn run(self, cx: &mut Cx) -> Result<Added> {
        actions::add(cx, self.emails, self.reason, self.note).await
    }
}

/// What was taken off the list.
#[derive(Object)]
#[oai(rename = "BlockRemoved", rename_all = "camelCase")]
pub struct Removed {
    /// How many entries are gone.
    pub(super) removed: u32,
    /// The addresses that were not on the list, as they were sent.
    pub(super) not_found: Vec<String>,
}

/// Unblock addresses
///
/// Takes addresses off the block list, whatever their reason: mail goes to them again. Take care with complaints and
/// hard bounces, since mail to them harms the delivery of all the site's mail.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct RemoveBlocks {
    /// The addresses, 1 to 1,000.
    #[oai(validator(min_items = 1, max_items = 1000, max_length = 320))]
    emails: Vec<String>,
}

impl Tool for RemoveBlocks {
    const NAME: &'static str = "blocklist.remove";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"emails":["anna@example.com"]}"#;
    type Output = Removed;

    async fn run(self, cx: &mut Cx) -> Result<Removed> {
        actions::remove(cx, self.emails).await
    }
}

/// An import that was accepted.
#[derive(Object)]
pub struct ImportAccepted {
    /// The job. `Prefer: wait=N` waits up to N seconds (at most 30) for its end.
    pub(super) job: JobView,
    /// Only in a dry run: what the import would do.
    pub(super) preview: Option<Preview>,
}

/// Import a block list
///
/// Adds a file's addresses to the block list, as a job. The file is sent to `POST /api/v1/uploads` first: CSV, TSV,
/// semicolons, one address a line, a JSON array, JSON Lines or an Excel workbook; in UTF-8, UTF-16 or a code page; plain, gzip or zip of
/// one or several lists. Separator, header and columns (email, reason, source, note, first seen, code) are found by looking,
/// and the exports of the usual mail tools are recognised. An import adds and strengthens, and never weakens or removes.
/// **Nobody is blocked by accident**: a row is blocked for a reason, a known word or a yes in a known column, or in a bare
/// list of addresses. A row that says that its address may get mail (`active`, `subscribed`, `soft bounce`) is `skipped`;
/// one in words that are not known is `unclear`, and left as it is. A file of people in which no column says who gets no
/// mail ends in `reason_needed`: pass `mapping.reason`, or `reason` to block all of them. A bad row stops nothing: the job's `result.errorFile` holds each as it came, with its line and what is wrong, and can be mended and
/// imported again. With `dryRun` the answer has a `preview`: how the file is understood, its first 20 rows with what would
/// become of them, and the counts to expect; `mapping` overrules what was found. The job's progress counts `total`, `done`, `added`, `already`, `strengthened`, `skipped`,
/// `unclear` and `invalid`; `total` is an estimate until the end of a long file is near. `GET /docs/block-lists.md` has the formats, the
/// exports of other tools, the words and the codes.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ImportBlocks {
    /// The file, as `POST /api/v1/uploads` gave it. Either this or `emails`.
    upload: Option<UploadId>,
    /// The addresses, 1 to 5,000. Either these or `upload`.
    #[oai(validator(min_items = 1, max_items = 5000, max_length = 320))]
    emails: Option<Vec<String>>,
    /// The reason of rows that give none that is known: with it, every row is blocked but those that say that their address
    /// may get mail. Without it, a bare list is blocked as `manual`, and in any other file only rows that say why.
    reason: Option<Reason>,
    /// The source of rows that give none; `import` unless said, at most 100 characters.
    #[oai(validator(max_length = 100))]
    source: Option<String>,
    /// The note of rows that have none, at most 1,000 characters.
    #[oai(validator(max_length = 1000))]
    note: Option<String>,
    /// What is known of the file, where the look at it would find something else.
    mapping: Option<ImportMapping>,
}

impl Tool for ImportBlocks {
    const NAME: &'static str = "blocklist.import";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str =
        r#"{"upload":"upl_01kan8v3t0e0rt8nfkzk1s7p4qv","reason":"hard_bounce","source":"sendgrid"}"#;
    type Output = ImportAccepted;

    async fn run(self, cx: &mut Cx) -> Result<ImportAccepted> {
        let mapping = self.mapping.unwrap_or_default();
        let rest = Rest { reason: self.reason, source: self.source, note: self.note, mapping };
        actions::import(cx, self.upload, self.emails, rest).await
    }
}

/// An import that is taken back.
#[derive(Object)]
pub struct UndoAccepted {
    /// The job.
    job: JobView,
    /// Only in a dry run: what would become of the addresses.
    preview: Option<undo::Preview>,
}

/// Take an import back
///
/// Takes the addresses off the list again that an import put there, as a job, within 30 days. What others have said too,
/// before or after it, stays: another import, or `blocklist.add`; the strongest of them stands again. The job counts
/// `done`, `total`, `removed` and `kept`. An import that still runs is to be cancelled first. With `dryRun` the answer has a `preview` with the counts to expect. Take care: mail goes to
/// these addresses again.
#[derive(Object)]
pub struct UndoImport {
    /// The job of the import.
    job: JobId,
}

impl Tool for UndoImport {
    const NAME: &'static str = "blocklist.undoImport";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"job":"job_01kan8v3t0e0rt8nfkzk1s7p4qc"}"#;
    type Output = UndoAccepted;

    async fn run(self, cx: &mut Cx) -> Result<UndoAccepted> {
        let preview = undo::preview(cx, &self.job).await?;
        let undo = undo::accept(cx, &self.job).await?;
        Ok(UndoAccepted { job: JobView::from_row(cx.enqueue(&undo).await?)?, preview })
    }
}

fn default_reason() -> Reason {
    Reason::Manual
}
