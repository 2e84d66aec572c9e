//! Mail: one private message to each of a few members, and the mails by which people sign in.
//!
//! **A mail leaves only after its row is committed.** A row in `email` is one mail to one person, with a job of its own
//! ([`Deliver`]) that was committed with it; whatever crashes, the row says how far it came. What it says is sealed and
//! stands there only until the mail has left or is given up; of what was sent, the subject stays.
//!
//! **Handing over.** A server is asked whether it takes mail for the recipient; then `sending` is committed; then the
//! message itself is sent, and the reply is committed with the job's end. Only a crash between the server's word and that
//! last commit leaves anybody in doubt. Such a mail is sent again, with the same Message-ID, and `inDoubt` says so:
//! everybody who was accepted gets their mail, and nobody gets it twice outside of that window.
//!
//! **Who is written to.** A member mail goes to nobody who is blocked, which is asked when it is accepted and again when
//! it leaves; to none but `mail_only_to` on a test site; at most so many a day, counted in the transaction that accepts
//! them, so that what is refused or blocked does not count. A mail by which somebody signs in goes out whatever the block
//! list, the cap and `email_members` say, since the person has asked for it.
//!
//! **Order of locks**: the members by their ids, the day's count, the mails.
//!
//! No mail server is spoken to while a transaction is open.

mod actions;
mod compose;
pub mod connection;
mod content;
mod guide;
mod jobs;
mod person;
mod queue;
pub mod store;
mod system;
mod tools;
mod types;

pub use actions::list_of;
pub use compose::{Preview, preview};
pub use connection::Mailers;
pub use content::Draft;
pub use guide::guide;
pub use jobs::{Deliver, deliver, ended};
pub use person::{KNOWN, check_placeholders, sample, values};
pub use queue::queue_system;
pub use system::SystemMail;
pub use tools::AREA;
pub use types::{Mail, Recipient, TEXT_FORMAT, Text};
