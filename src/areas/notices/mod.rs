//! Notices of mail providers: what bounced, who complained, who wants no more.
//!
//! `POST /webhooks/mail/<site>` takes those of Amazon SES, Postmark and SendGrid. **A notice is believed by its proof and
//! by nothing else**, and only of a provider that the site has been told to listen to ([`Source`]):
//!
//! - *Amazon SES* speaks through a topic of Amazon SNS. Its messages are signed; the certificate is fetched from AWS, and only
//!   from AWS (`sns.rs`), and the topic must be one of the site's, since anybody may have a topic.
//! - *SendGrid* signs each batch with a key whose public half the site has, and says when (`sendgrid.rs`).
//! - *Postmark* signs nothing. It sends a password that Usher has made, of which only a hash is kept (`postmark.rs`).
//!
//! What a notice says of an address goes onto the block list if it means that no mail may go there: a permanent bounce, a
//! complaint, an address that is none, a wish to get no more. Whatever passes by itself is not noted. A notice can add
//! protection and never remove it: that an address may be written to again is never believed. A complaint or a wish that
//! comes from an address that its member has left is about the person: the member's present address is blocked too.
//!
//! It is applied in one transaction with its rows of the activity log, before it is answered; so a provider that gets no
//! answer says it again, and hearing it twice is hearing it once. No call to AWS is made while a transaction is open.
//!
//! Providers add kinds and fields as they like; what is not known is counted and does no harm.

mod certificates;
mod guide;
mod heard;
mod postmark;
mod receive;
mod sendgrid;
mod ses;
mod sns;
mod sources;
pub mod store;

pub use certificates::Aws;
pub use guide::guide;
pub use heard::Provider;
pub use receive::{Delivery, MAX_BODY_BYTES, Received, receive};
pub use sources::{MAX_SOURCES, Password, Source, key, password, topic};
