//! A mail as RFC 5322 wants it.

use std::time::{Duration, SystemTime};

use iris_identity::messages::{Mail, SendError};
use lettre::Message;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};

/// Who the mails come from.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Mailbox,
}

/// What cannot stand in `From`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as iris@clinic.example, or IRIS <iris@clinic.example>")]
pub struct BadSender;

impl Sender {
    /// Reads `iris@clinic.example` or `IRIS <iris@clinic.example>`.
    ///
    /// # Errors
    /// [`BadSender`]
    pub fn read(text: &str) -> Result<Self, BadSender> {
        if text.chars().any(char::is_control) {
            return Err(BadSender);
        }
        Ok(Self { from: text.parse().map_err(|_| BadSender)? })
    }

    /// The part behind the `@`, which also names this server to others.
    pub(crate) fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// Makes the mail. Programs that answer by themselves are told not to (RFC 3834).
    pub(crate) fn letter(&self, mail: &Mail) -> Result<Message, SendError> {
        let never = |what: &str| SendError::Never(what.to_owned());
        let to = mail.to.as_str().parse().map_err(|_| never("the address cannot be written"))?;
        let at = u64::try_from(mail.at.0).unwrap_or(0);
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut letter = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(mail.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(at))
            .message_id(Some(format!("<{}@{}>", mail.id, self.domain())))
            .singlepart(SinglePart::builder().header(ContentType::TEXT_PLAIN).body(mail.text.expose().clone()))
            .map_err(|_| never("the mail cannot be written"))?;
        letter.headers_mut().insert_raw(HeaderValue::new(automatic, "auto-generated".to_owned()));
        Ok(letter)
    }
}

#[cfg(test)]
mod tests {
    use iris_kernel::{Secret, Timestamp};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_letter_says_who_when_and_that_a_program_wrote_it() {
        let sender = Sender::read("IRIS <iris@clinic.example>").unwrap();
        let mail = Mail {
            id: Uuid::from_u128(7),
            at: Timestamp(1_800_000_000_000_000),
            to: "ann@example.org".parse().unwrap(),
            subject: "Contraseña nueva",
            text: Secret::new("Línea uno\nhttps://clinic.example/app/reset-password#token=abc\n".to_owned()),
        };
        let text = String::from_utf8(sender.letter(&mail).unwrap().formatted()).unwrap();
        for line in [
            "From: IRIS <iris@clinic.example>\r\n",
            "To: ann@example.org\r\n",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n",
            "Message-ID: <00000000-0000-0000-0000-000000000007@clinic.example>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("Subject: =?utf-8?"), "{text}");
    }

    #[test]
    fn attack_header_injection_by_the_sender_setting() {
        for bad in ["", "iris", "a@b.example\r\nBcc: c@d.example", "IRIS <a@b.example>\n", "a@b.example, c@d.example"] {
            assert!(Sender::read(bad).is_err(), "{bad:?}");
        }
    }
}
