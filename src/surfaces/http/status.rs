use http::StatusCode;
use poem::error::ResponseError;

use crate::error::{Code, Error};

impl ResponseError for Error {
    fn status(&self) -> StatusCode {
        status(self.code())
    }
}

/// The status of an answer. What is the tool's own word is 200, unless the client asked for strict handling.
pub(super) fn of(code: Option<Code>, by_tool: bool, strict: bool) -> StatusCode {
    match code {
        None => StatusCode::OK,
        Some(_) if by_tool && !strict => StatusCode::OK,
        Some(code) => status(code),
    }
}

/// The one place that chooses a code's status.
pub fn status(code: Code) -> StatusCode {
    match code {
        Code::InvalidJson
        | Code::InvalidArguments
        | Code::ArgumentsRefused
        | Code::InvalidId
        | Code::InvalidTag
        | Code::InvalidCursor
        | Code::WebhookRefused
        | Code::ImportSourceMissing => StatusCode::BAD_REQUEST,
        Code::InvalidKey => StatusCode::UNAUTHORIZED,
        Code::MissingScope => StatusCode::FORBIDDEN,
        Code::UnknownTool
        | Code::NotFound
        | Code::MemberNotFound
        | Code::VideoNotFound
        | Code::PlanNotFound
        | Code::BundleNotFound
        | Code::CommentNotFound
        | Code::GroupNotFound
        | Code::EntitlementNotFound
        | Code::OrderNotFound
        | Code::InvoiceNotFound
        | Code::CustomerNotFound
        | Code::EmailNotFound
        | Code::TemplateNotFound
        | Code::SubscriptionNotFound
        | Code::UploadNotFound
        | Code::ImportNotFound
        | Code::JobNotFound
        | Code::ToolNotFound
        | Code::ActivityNotFound => StatusCode::NOT_FOUND,
        // How jobs end; no call is answered with these.
        Code::FileEmpty
        | Code::NotAList
        | Code::NoAddressColumn
        | Code::SeveralAddressColumns
        | Code::ReasonNeeded
        | Code::NoSuchColumn
        | Code::FileDamaged
        | Code::FileNotJson
        | Code::FileCutShort
        | Code::ZipFiles
        | Code::ZipEncrypted
        | Code::ZipMethod
        | Code::FileTooLarge
        | Code::TooManyRows
        | Code::FileUnreadable
        | Code::Crashed
        | Code::Panic
        | Code::Timeout
        | Code::Payload
        | Code::UnknownKind
        | Code::Cancelled
        | Code::MailDeferred
        | Code::MailRefused
        | Code::MailboxUnknown
        | Code::StripeRefused
        | Code::StripeUnavailable
        | Code::StripeParked => StatusCode::UNPROCESSABLE_ENTITY,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::RequestTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::IdempotencyInProgress
        | Code::MemberExists
        | Code::ExternalIdTaken
        | Code::MemberDeleting
        | Code::MemberMerging
        | Code::SlugTaken
        | Code::GroupExists
        | Code::GroupBusy
        | Code::OrderIdUsed
        | Code::ReferenceUsed
        | Code::SubscriptionActive
        | Code::LoginUrlNotSet
        | Code::EmailMismatch
        | Code::ChangedMeanwhile
        | Code::ImportRunning
        | Code::ImportUndone
        | Code::SubscriptionEnded
        | Code::SubscriptionEnding
        | Code::SubscriptionOnce
        | Code::SubscriptionScheduled
        | Code::ItemNeeded
        | Code::StripeNotConnected
        | Code::NoticesNotConnected
        | Code::StripeWritesLocked
        | Code::EmailDisabled
        | Code::RepeatedEmail
        | Code::TemplateExists
        | Code::PublicUrlMissing
        | Code::MailNotConnected
        | Code::PlanArchived
        | Code::SubscriptionExists
        | Code::SubscriptionLinked
        | Code::NothingToRefund
        | Code::RefundTooLarge
        | Code::JobNotRetryable => StatusCode::CONFLICT,
        Code::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::IdempotencyKeyReused
        | Code::TooManyTags
        | Code::TooMuchMetadata
        | Code::CouponRefused
        | Code::TooManyRecipients
        | Code::UnknownPlaceholder
        | Code::VariableMissing
        | Code::VariableUnknown => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited | Code::DailyCapReached | Code::TooManySignInMails => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::StripeUnusable | Code::MailUnusable | Code::SecretKeyUnusable | Code::Unavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Code::LoginLinkUsed | Code::LoginLinkExpired => StatusCode::GONE,
    }
}
