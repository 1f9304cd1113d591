//! What carries messages out of the house. The traits are this crate's; `edge/outbound` has those who speak SMTP and HTTPS, and
//! tests bring their own.

use std::future::Future;
use std::pin::Pin;

use iris_kernel::{Secret, Timestamp};
use uuid::Uuid;

use super::address::{EmailAddress, PhoneNumber};

/// A mail to one address, in plain text. It names no patient and holds nothing of a record.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The same at each try, so that who gets it twice can tell.
    pub id: Uuid,
    /// When it is sent.
    pub at: Timestamp,
    /// To whom.
    pub to: EmailAddress,
    /// The subject: one of our own texts, never anything that somebody typed.
    pub subject: &'static str,
    /// The text. It holds a link or a code that opens something, and must not be logged.
    pub text: Secret<String>,
}

/// A text message to one number.
#[derive(Clone, Debug)]
pub struct Text {
    /// The same at each try.
    pub id: Uuid,
    /// To whom.
    pub to: PhoneNumber,
    /// The text. It holds a code that opens something, and must not be logged.
    pub text: Secret<String>,
}

/// Why a message did not leave. The words say what the other side answered without the address, so they may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It may go well later: the other side is away, slow, or has no room.
    #[error("later: {0}")]
    Later(String),
    /// The other side will never take this one.
    #[error("never: {0}")]
    Never(String),
}

/// A message on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<(), SendError>> + Send + 'a>>;

/// Sends mails. Each try has a time limit of its own.
pub trait Mailer: Send + Sync {
    /// Hands the mail to the next server; done means that this server has taken it.
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a>;
}

/// Sends text messages. Each try has a time limit of its own.
pub trait Texter: Send + Sync {
    /// Hands the message to who delivers it.
    fn send<'a>(&'a self, text: &'a Text) -> Sending<'a>;
}
