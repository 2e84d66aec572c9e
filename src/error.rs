//! What can go wrong, as callers are told it. The one list of codes is [`Code`]; it is published at
//! `/api/v1/errors`. Nothing here knows HTTP: `surfaces/http/status.rs` chooses the status.

use std::{borrow::Cow, error::Error as StdError, fmt};

use serde_json::{Value, json};

/// What a call gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($(#[$attribute:meta])* $variant:ident $name:literal $retryable:literal $about:literal;)*) => {
        /// Why a call failed, for programs. The list is closed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $about] $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// As it is written.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whether the same call may succeed later without a change.
            pub const fn retryable(self) -> bool {
                match self { $(Self::$variant => $retryable),* }
            }

            /// What it means and what to do.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }
        }
    };
}

codes! {
    InvalidJson "invalid_json" false "The body is not JSON, or not an object with `args`.";
    InvalidArguments "invalid_arguments" false "The arguments or headers do not fit the tool's schema; `fields` names each fault.";
    InvalidKey "invalid_key" false "The key is missing, malformed, unknown, revoked, expired, or of another site.";
    MissingScope "missing_scope" false "The key lacks a scope; `scope` names it.";
    UnknownTool "unknown_tool" false "There is no tool of this name; `didYouMean` lists the nearest.";
    NotFound "not_found" false "Nothing is at this path.";
    MethodNotAllowed "method_not_allowed" false "The path takes another method; `Allow` names it.";
    RequestTimeout "request_timeout" true "The body did not arrive in time.";
    IdempotencyInProgress "idempotency_in_progress" true "A call with the same Idempotency-Key is being worked on.";
    BodyTooLarge "body_too_large" false "The body is over the limit.";
    UnsupportedMediaType "unsupported_media_type" false "The body is of a type that is not read here.";
    IdempotencyKeyReused "idempotency_key_reused" false "The Idempotency-Key was used for another tool or other arguments.";
    RateLimited "rate_limited" true "A budget is used up; `limit` names it and `Retry-After` says when the call passes.";
    Internal "internal" true "Our fault. Nothing was half-done; the server's log has the detail under the request id.";
    Unavailable "unavailable" true "The database is away, the disk is full, or the server is shutting down.";

    ArgumentsRefused "arguments_refused" false "Arguments fit the schema one by one, and not together or not at this time; `fields` names the fault.";
    InvalidId "invalid_id" false "An id is mistyped, invented, or of another kind.";
    InvalidTag "invalid_tag" false "A tag has no letter or digit, or more than 64 characters.";
    InvalidCursor "invalid_cursor" false "The cursor is not one that this list gave.";
    MemberNotFound "member_not_found" false "The site has no such member.";
    MemberExists "member_exists" false "The address belongs to a member already; `error` names the id.";
    ExternalIdTaken "external_id_taken" false "Another member of the site has the external id; `error` names that member's id.";
    TooMuchMetadata "too_much_metadata" false "A member has at most 50 keys of metadata; remove some first.";
    ChangedMeanwhile "changed_meanwhile" false "The thing was changed since the `updatedAt` in `ifUpdatedAt`; `current` has it as it is now. Apply the change to that, and call again with its `updatedAt`.";
    EmailMismatch "email_mismatch" false "The member's address is not the one in `expectEmail`.";
    MemberDeleting "member_deleting" false "The member is being deleted; nothing else can be done with it any more.";
    MemberMerging "member_merging" true "A job is moving another member to this one; it can go once that is done.";
    DailyCapReached "daily_cap_reached" true "The site has used what it may do of this in a day; the count begins anew at midnight UTC.";
    VideoNotFound "video_not_found" false "The site has no such video.";
    SlugTaken "slug_taken" false "Another video has the slug.";
    PlanNotFound "plan_not_found" false "The site has no such plan.";
    BundleNotFound "bundle_not_found" false "The site has no such bundle.";
    CommentNotFound "comment_not_found" false "The site has no such comment; it may be deleted already.";
    GroupNotFound "group_not_found" false "The site has no such group.";
    GroupBusy "group_busy" true "A job gives access to the group's members, or takes it; wait for its end, or cancel it. `error` names it.";
    GroupExists "group_exists" false "Another group has the name; `error` names its id.";
    EntitlementNotFound "entitlement_not_found" false "The member has no such entitlement.";
    OrderNotFound "order_not_found" false "No order of this id was granted in the site.";
    OrderIdUsed "order_id_used" false "The order was granted to another member, or for another bundle.";
    LoginUrlNotSet "login_url_not_set" false "The site has not said where a member who has signed in goes on; its operator does with `usher sites update --login-url`.";
    SecretKeyUnusable "secret_key_unusable" false "Something was sealed with another secret key than the present one; only the operator can mend that.";
    LoginLinkUsed "login_link_used" false "A sign-in link was used before. Only the activity log has this.";
    LoginLinkExpired "login_link_expired" false "A sign-in link was older than it may be. Only the activity log has this.";
    SubscriptionActive "subscription_active" false "The member has a live subscription, which was not to be cancelled.";
    InvoiceNotFound "invoice_not_found" false "The site has no such invoice.";
    CustomerNotFound "customer_not_found" false "The member has no Stripe customer that Usher knows; `fix` looks for one.";
    NothingToRefund "nothing_to_refund" false "Nothing was paid on the invoice, or all of it was refunded, or is being refunded.";
    RefundTooLarge "refund_too_large" false "More would be refunded than is left of the payment; `error` says how much is left.";
    SubscriptionNotFound "subscription_not_found" false "The site has no such subscription.";
    SubscriptionEnded "subscription_ended" false "The subscription has ended, or is being ended now, which cannot be taken back.";
    SubscriptionEnding "subscription_ending" false "The subscription ends with its period; take that back with `subscriptions.resume` first.";
    SubscriptionScheduled "subscription_scheduled" false "A subscription schedule at Stripe that Usher did not make changes the subscription; change or release it in the Stripe dashboard.";
    ItemNeeded "item_needed" false "The subscription has several items, or not the one that was named; `error` lists them for `item`.";
    SubscriptionOnce "subscription_once" false "What was paid once and for all has no payments that could be cancelled, paused or resumed.";
    ReferenceUsed "reference_used" false "The sale was recorded before, for another member or another plan; `error` names it.";
    TooManyTags "too_many_tags" false "A member has at most 100 tags.";
    StripeNotConnected "stripe_not_connected" false "The site is not connected to a Stripe account.";
    StripeUnusable "stripe_unusable" false "What is kept of the site's Stripe account cannot be used: it was sealed with another secret key, or the Stripe key is no key.";
    StripeWritesLocked "stripe_writes_locked" false "Stripe writes are switched off for the site; its operator switches them on with `usher sites update --stripe-writes on`.";
    StripeParked "stripe_parked" true "The site's Stripe key may not do what a job is to do; the job waits until the operator has mended it: `usher stripe check`.";
    StripeUnavailable "stripe_unavailable" true "Stripe does not answer as it should; a job goes on trying.";
    StripeRefused "stripe_refused" false "Stripe will not do what a job asked for; the job's `error` has Stripe's words.";
    PlanArchived "plan_archived" false "The plan is archived, so nobody can subscribe to it any more.";
    SubscriptionLinked "subscription_linked" false "What is at Stripe is another member's, whom `error` names.";
    SubscriptionExists "subscription_exists" false "The member has a subscription that goes on; `fix` shows it or moves it to the plan. `allowSecond` sells a second one, which is charged besides.";
    CouponRefused "coupon_refused" false "Stripe has no such coupon, or it can no longer be used.";
    WebhookRefused "webhook_refused" false "A webhook is not signed as it must be, or too long ago.";
    EmailDisabled "email_disabled" false "Members may not be written to until the site's operator allows it: `usher sites update --email-members on`.";
    TooManyRecipients "too_many_recipients" false "A send goes to at most 20 members; nothing went out.";
    RepeatedEmail "repeated_email" false "A member got the same text within the last 24 hours; nothing went out. `allowRepeat` sends it again.";
    TooManySignInMails "too_many_sign_in_mails" true "The member was sent five mails to sign in with within an hour; nothing went out. `error` says when the next may.";
    UnknownPlaceholder "unknown_placeholder" false "A text has a placeholder that stands for nothing; nothing went out. `error` names it and those there are.";
    VariableMissing "variable_missing" false "The template has a placeholder of its own that the call gives no value for; nothing went out.";
    VariableUnknown "variable_unknown" false "The call gives a value for a placeholder that the template does not declare; nothing went out.";
    EmailNotFound "email_not_found" false "The site has sent no such mail, or it is forgotten.";
    TemplateNotFound "template_not_found" false "The site has no such template.";
    TemplateExists "template_exists" false "Another template has the name; `error` names its id.";
    PublicUrlMissing "public_url_missing" false "What is to be sent or given has a link to the site's pages, and nobody has said where they are: `usher sites update --public-url`.";
    MailNotConnected "mail_not_connected" false "The site has no mail server; its operator connects one with `usher mail connect`.";
    MailUnusable "mail_unusable" false "What is kept of the site's mail server cannot be used: it was sealed with another secret key, or a setting is wrong.";
    MailDeferred "mail_deferred" true "The mail server could not take a mail; the job goes on trying for a day.";
    MailRefused "mail_refused" false "The mail server will not take a mail; `reply` has its words.";
    MailboxUnknown "mailbox_unknown" false "The mail server says that there is no such mailbox; the address is on the block list now.";
    NoticesNotConnected "notices_not_connected" false "The site does not listen to this mail provider; its operator sets that up with `usher notices add`.";
    UploadNotFound "upload_not_found" false "The site has no such upload, or it has expired.";
    ImportSourceMissing "import_source_missing" false "An import needs one of `upload` and `emails`, and not both.";
    ImportNotFound "import_not_found" false "The site has no such import, or it is too old to be taken back.";
    ImportRunning "import_running" false "Only an import that has ended can be taken back.";
    ImportUndone "import_undone" false "The import was taken back.";
    JobNotFound "job_not_found" false "This key has started no such job, or it is gone.";
    JobNotRetryable "job_not_retryable" false "Only a failed or cancelled job can be retried.";
    ToolNotFound "tool_not_found" false "There is no tool of the name that was asked about; `didYouMean` lists the nearest.";
    FileEmpty "file_empty" false "A job's file is empty.";
    NotAList "not_a_list" false "A job's file is no list or table, but a picture, a program, a PDF, ….";
    NoAddressColumn "no_address_column" false "No column of a job's file holds email addresses.";
    SeveralAddressColumns "several_address_columns" false "Several columns of a job's file hold email addresses; `mapping.email` says which one counts.";
    ReasonNeeded "reason_needed" false "A job's file of people does not say who of them gets no mail: `mapping.reason` names the column that does, or `reason` blocks all of them.";
    NoSuchColumn "no_such_column" false "A job's file lacks a column that `mapping` names.";
    FileDamaged "file_damaged" false "A job's file is compressed and cannot be decompressed to its end.";
    FileNotJson "file_not_json" false "The call says that a job's file is JSON, and it is not.";
    FileCutShort "file_cut_short" false "A job's file is JSON that ends before its brackets are closed; the rows before were applied.";
    ZipFiles "zip_files" false "A job's file is a zip archive of no file, or of several.";
    ZipEncrypted "zip_encrypted" false "A job's file is a zip archive with a password.";
    ZipMethod "zip_method" false "A job's file is a zip archive that is compressed in an unusual way.";
    FileTooLarge "file_too_large" false "A job's file is longer than 4 GiB when it is decompressed.";
    TooManyRows "too_many_rows" false "A job's file has more rows than an import takes; split it.";
    FileUnreadable "file_unreadable" true "A job's file could not be read from the server's disk.";
    Crashed "crashed" false "The worker died each time it ran the job.";
    Panic "panic" false "The job made the worker panic each time; the server's log has the detail.";
    Timeout "timeout" false "The job took too long each time.";
    Payload "payload" false "This version of Usher cannot read what the job is to do.";
    UnknownKind "unknown_kind" false "This version of Usher does not know this kind of job.";
    Cancelled "cancelled" false "The job was cancelled on request.";
    ActivityNotFound "activity_not_found" false "The activity log has no such row.";
}

/// Why a call failed.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    message: Cow<'static, str>,
    detail: Detail,
    retry_after_s: Option<u64>,
    fix: Option<Fix>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Faults that a failure names; of more it says that there are more.
pub const FAULTS: usize = 20;

/// The longest body of a failure, in bytes of its JSON.
pub const BODY_BYTES: usize = 16 * 1024;

/// The longest path of a fault, in characters. An unknown field may be called anything.
const PATH: usize = 100;

/// The longest message of a fault, in characters.
const MESSAGE: usize = 500;

/// What a code brings with it.
#[derive(Debug, Default)]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// `fields`: the faults in the arguments, and whether there are more.
    Fields(Vec<Field>, bool),
    /// `scope`: the one that is missing.
    Scope(&'static str),
    /// `didYouMean`: names that are like the one that was asked for.
    DidYouMean(Vec<&'static str>),
    /// `limit`: the budget that is used up.
    Limit(&'static str),
    /// `current`: a thing as it is now, by its kind.
    Current(&'static str, Value),
}

/// A fault in the arguments.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Field {
    /// Where, as in `args.tags.0`.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl Field {
    fn cut(self) -> Self {
        Self { path: cut(&self.path, PATH), message: cut(&self.message, MESSAGE) }
    }
}

/// How the message of a field begins that a thing does not have.
pub const UNKNOWN: &str = "unknown field";

/// A text of so many characters at most.
fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The faults in one sentence.
fn words(fields: &[Field], has_more: bool) -> String {
    let words = fields.iter().map(|field| format!("{}: {}", field.path, field.message));
    words.chain(has_more.then(|| "and more".to_owned())).collect::<Vec<_>>().join("; ")
}

/// A call that would cure the failure.
#[derive(Debug, serde::Serialize)]
pub struct Fix {
    /// The tool.
    pub tool: &'static str,
    /// Its arguments.
    pub args: Value,
    /// The scope it needs; none if any key may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
}

impl Error {
    /// A failure in one or two plain sentences that say what is wrong and what to do.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { code, message, detail: Detail::None, retry_after_s: None, fix: None, source: None }))
    }

    /// Arguments that do not fit: the first [`FAULTS`] of their faults.
    pub fn fields(faults: impl IntoIterator<Item = Field>) -> Self {
        let mut faults = faults.into_iter();
        let mut fields: Vec<_> = faults.by_ref().take(FAULTS).map(Field::cut).collect();
        let has_more = faults.next().is_some();
        // What is known is told once.
        let mut told = None;
        for field in &mut fields {
            if told.as_ref() == Some(&field.message) && field.message.starts_with(UNKNOWN) {
                field.message = UNKNOWN.into();
            } else {
                told = Some(field.message.clone());
            }
        }
        Self::new(Code::InvalidArguments, words(&fields, has_more)).with(Detail::Fields(fields, has_more))
    }

    /// One argument that does not fit.
    pub fn field(path: &str, message: impl Into<String>) -> Self {
        Self::fields(vec![Field { path: path.into(), message: message.into() }])
    }

    /// An argument that fits the schema by itself, and cannot be done: with another one, or at this time.
    pub fn refused(path: &str, message: impl Into<String>) -> Self {
        let field = Field { path: path.into(), message: message.into() };
        let text = format!("{}: {}", field.path, field.message);
        Self::new(Code::ArgumentsRefused, text).with(Detail::Fields(vec![field], false))
    }

    /// Our fault; `source` goes to the server's log only.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            Code::Internal,
            "Something went wrong on our side; nothing was half-done. Try again, and report the requestId if it stays.",
        )
        .caused_by(source)
    }

    /// The same, for arguments that came as a query: `query.tag` for `args.tag`.
    pub fn of_query(mut self) -> Self {
        let Inner { message, detail, .. } = &mut *self.0;
        let of_query = |path: &str| path.replacen("args.", "query.", 1);
        *message = of_query(message).into();
        if let Detail::Fields(fields, has_more) = detail {
            for field in fields.iter_mut() {
                field.path = of_query(&field.path);
            }
            *message = words(fields, *has_more).into();
        }
        self
    }

    /// Something that we need is away.
    pub fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Unavailable, message).retry_after(1)
    }

    /// Adds what the code brings with it.
    pub fn with(mut self, detail: Detail) -> Self {
        self.0.detail = detail;
        self
    }

    /// Adds the call that would cure it.
    pub fn fixed_by(mut self, fix: Fix) -> Self {
        self.0.fix = Some(fix);
        self
    }

    /// Adds after how many seconds another try is worth it.
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_s = Some(seconds);
        self
    }

    /// Adds what is behind it, for the log.
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// The code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The sentences.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// After how many seconds another try is worth it.
    pub fn retry_after_s(&self) -> Option<u64> {
        self.0.retry_after_s
    }

    /// What a client is told: at most [`BODY_BYTES`]. What is too long is left out, the least needed first.
    pub fn body(&self, tool: Option<&str>, request_id: &str) -> Value {
        let mut body = self.whole_body(tool, request_id);
        let is_too_long = |body: &Value| body.to_string().len() > BODY_BYTES;
        if !is_too_long(&body) {
            return body;
        }
        // What stands now can be read, and what would cure it is told in words.
        for name in ["current", "fix", "didYouMean"] {
            if let Some(object) = body.as_object_mut()
                && object.shift_remove(name).is_some()
                && !is_too_long(&body)
            {
                return body;
            }
        }
        while is_too_long(&body) {
            match body["fields"].as_array_mut() {
                Some(fields) if !fields.is_empty() => _ = fields.pop(),
                _ => break,
            }
            let fields: Vec<Field> = serde_json::from_value(body["fields"].clone()).unwrap_or_default();
            body["error"] = json!(words(&fields, true));
        }
        if is_too_long(&body) {
            let text = body["error"].as_str().unwrap_or_default();
            body["error"] = json!(cut(text, BODY_BYTES / 16));
        }
        body
    }

    fn whole_body(&self, tool: Option<&str>, request_id: &str) -> Value {
        let Inner { code, message, detail, fix, .. } = &*self.0;
        let mut body = json!({ "ok": false });
        if let Some(tool) = tool {
            body["tool"] = json!(tool);
        }
        body["error"] = json!(message);
        body["code"] = json!(code.name());
        body["retryable"] = json!(code.retryable());
        body["requestId"] = json!(request_id);
        match detail {
            Detail::None => {}
            Detail::Fields(fields, _) => body["fields"] = json!(fields),
            Detail::Scope(scope) => body["scope"] = json!(scope),
            Detail::DidYouMean(names) => body["didYouMean"] = json!(names),
            Detail::Limit(limit) => body["limit"] = json!(limit),
            Detail::Current(kind, thing) => body["current"] = json!({ *kind: thing }),
        }
        if let Some(fix) = fix {
            body["fix"] = json!(fix);
        }
        body
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.name(), self.0.message)?;
        self.0.source.iter().try_for_each(|source| write!(f, " ({source})"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<usher_db::Error> for Error {
    fn from(error: usher_db::Error) -> Self {
        if usher_db::is_full(&error) {
            return Self::unavailable("The server's disk is full; nothing was written. Free some space and try again.")
                .caused_by(error);
        }
        if usher_db::is_away(&error) {
            return Self::unavailable("The database does not answer; nothing was written. Try again in a moment.")
                .caused_by(error);
        }
        Self::internal(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull {
            return Self::unavailable("The server's disk is full; nothing was written. Free some space and try again.")
                .caused_by(error);
        }
        Self::internal(error)
    }
}
