use poem_openapi::Object;

use crate::{
    areas::{
        groups::{self, GroupRef},
        jobs::JobView,
        members::import::{self, FreeAccess, MemberMapping, Preview, Wish},
    },
    error::Result,
    gate::Cx,
    tools::{Access, Risk, Scope, Tool},
    values::{BundleId, Tag, UploadId},
};

/// An import of members that was accepted.
#[derive(Object)]
#[oai(rename = "MemberImportAccepted")]
pub struct ImportAccepted {
    /// The job. `Prefer: wait=N` waits up to N seconds (at most 30) for its end.
    job: JobView,
    /// Only in a dry run: what the import would do.
    preview: Option<Preview>,
}

/// Import members
///
/// Makes members of a file's rows and changes those that are there, as a job; nobody is sent anything. The file is sent
/// to `POST /api/v1/uploads` first: CSV, TSV, semicolons, a JSON array, JSON Lines or the first sheet of an Excel workbook with at most 1,000,000 rows; plain,
/// gzip or zip of one or several files. Columns are found by their usual names: email, name (or first and last name), tags,
/// note, groups (ids or names), free access (yes or no), free access until (a date in
/// any form that has one reading, or `never`; a date without a time ends with that day in the site's time zone), bundle (an id or a
/// name), external id, metadata (a JSON object, or a column `metadata.<key>` for a key; numbers and booleans become texts, `null` is nothing); `mapping` overrules that, and other columns, `created_at` too, are passed over and named in
/// `result.ignoredColumns`. Several tags or groups in a cell have commas, semicolons,
/// bars or `:::` between them. Placeholders such as `NULL`, `N/A`, `-`, `undefined` or `#N/A` are empty cells, and so is a
/// name that is an address. What a row
/// leaves empty stays; tags and groups are added and never taken away; free access and bundles are only ever extended. Of
/// an address that stands in the file twice the later row wins where it says something, and tags add up. A bad row stops
/// nothing: `result.errorFile` holds each as it came, with its line and what is wrong, and can be mended and imported
/// again. The codes of rows: `invalid_address`, `no_address`, `several_addresses`; `invalid_name`, `invalid_note`,
/// `invalid_tag`, `invalid_free_access`, `ambiguous_date`, `invalid_external_id`,
/// `invalid_metadata`, `external_id_taken`, `too_much_metadata`; `too_many_tags` (a member has at most 100), `too_many_groups` (a row names at most
/// 100); `group_not_found`, `bundle_not_found`; `member_deleting`; `not_utf8`, `not_json`, `nul_byte`, `row_too_long`,
/// `too_many_columns`, `unclosed_quote`; `crashed` (Usher died of the row each time). The progress counts `total`, `done`, `created`, `updated`, `unchanged`,
/// `skipped` and `invalid`.
///
/// **A file that says "no mail" is believed.** Columns such as `subscribed_to_emails`, `Accepts Email Marketing`,
/// `unsubscribed_at` or `Email Marketing Status` are known by their names, in the words of `blocklist.import`
/// (`GET /docs/block-lists.md` lists them): who wants no mail goes onto the block list, which `unsubscribed` counts. The
/// reason is `unsubscribe`, or `hard_bounce`, `complaint` or `invalid` where the file says so. A yes takes nobody off it.
/// A cell of such a column that is not understood does nothing: `unclear` counts its row, and `preview.unclearColumns`
/// shows it; `mapping.mail` and `mapping.noMail` name a column that says it. A row whose `deleted_at` is filled, but
/// for zero dates such as `0001-01-01`, is `skipped`.
/// With `dryRun` the answer has a `preview`.
#[derive(Object)]
#[oai(rename_all = "camelCase")]
pub struct ImportMembers {
    /// The file, as `POST /api/v1/uploads` gave it.
    upload: UploadId,
    /// What is known of the file, where the look at it would find something else.
    mapping: Option<MemberMapping>,
    /// Tags for every member of the file, at most 100.
    #[oai(validator(max_items = 100))]
    tags: Option<Vec<Tag>>,
    /// Groups for every member of the file, at most 100.
    #[oai(validator(max_items = 100))]
    groups: Option<Vec<GroupRef>>,
    /// Free access for every member of the file; one that lasts longer already stays.
    free_access: Option<FreeAccess>,
    /// A bundle for every member of the file, for life.
    bundle: Option<BundleId>,
    /// Whether members that are there are changed; if not, their rows count as unchanged.
    #[oai(default = "yes")]
    update: bool,
}

fn yes() -> bool {
    true
}

impl Tool for ImportMembers {
    const NAME: &'static str = "members.import";
    const ACCESS: Access = Access::write(Scope::MembersManage, Risk::High);
    const EXAMPLE: &'static str = r#"{"upload":"upl_01kan8v3t0e0rt8nfkzk1s7p4qv","tags":["from-patreon"]}"#;
    type Output = ImportAccepted;

    async fn run(self, cx: &mut Cx) -> Result<ImportAccepted> {
        let wish = Wish {
            upload: self.upload,
            mapping: self.mapping.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            groups: groups::resolve_all(cx, self.groups.unwrap_or_default()).await?,
            free_access: self.free_access,
            bundle: self.bundle,
            update: self.update,
        };
        let (job, preview) = import::accept(cx, wish).await?;
        Ok(ImportAccepted { job, preview })
    }
}
