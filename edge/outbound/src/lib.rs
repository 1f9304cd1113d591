//! Guarded senders behind the ports of the inner crates (architecture §9): mail by SMTP, text messages by a webhook over HTTPS.
//! Whatever leaves this machine goes through verified TLS, every step has a time limit, and nothing that is logged holds an
//! address or a text.

mod folder;
mod letter;
mod sms;
mod smtp;
mod tls;

pub use folder::MailFolder;
pub use letter::{BadSender, Sender};
pub use sms::{SmsConfig, SmsWebhook};
pub use smtp::{Security, SmtpConfig, SmtpMailer};
pub use tls::NotStarted;
