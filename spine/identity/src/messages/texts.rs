//! What messages say, in English and Spanish. They name no patient and no other person, repeat nothing that somebody typed, and
//! hold nothing but a link or a code.

use std::str::FromStr;
use std::time::Duration;

use iris_kernel::Timestamp;
use serde::{Deserialize, Serialize};

use super::notices::Notice;

/// In which language a message is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

/// A language in which there are no messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be en or es")]
pub struct NoLanguage;

impl FromStr for Language {
    type Err = NoLanguage;
    fn from_str(text: &str) -> Result<Self, NoLanguage> {
        match text {
            "en" => Ok(Self::En),
            "es" => Ok(Self::Es),
            _ => Err(NoLanguage),
        }
    }
}

impl Language {
    /// Its word in the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// The one that stands first among those that a browser lists (`Accept-Language`, RFC 9110 12.5.4), or that a record names; none
    /// if neither is there. Weights are not looked at: browsers list what they prefer first.
    #[must_use]
    pub fn first_of(list: &str) -> Option<Self> {
        let primary = |tag: &str| tag.split([';', '-', '_']).next().unwrap_or_default().trim().to_ascii_lowercase();
        list.split(',').find_map(|tag| primary(tag).parse().ok())
    }
}

/// Which message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letter {
    /// To whoever asked for an account.
    Register,
    /// To whoever asked for an account with an address that has one.
    HasAccount,
    /// To whoever asked for an account with a name that is in use.
    NameTaken,
    /// To prove an address.
    Verify,
    /// To set a forgotten password.
    Reset,
    /// To set the first password.
    Invite,
}

impl Letter {
    /// The page to which its link leads; none for a mail without a link.
    pub(crate) const fn page(self) -> Option<&'static str> {
        match self {
            Self::Register | Self::Verify => Some("verify-email"),
            Self::Reset => Some("reset"),
            Self::Invite => Some("invitation"),
            Self::HasAccount | Self::NameTaken => None,
        }
    }

    pub(crate) const fn subject(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Register | Self::Verify, Language::En) => "Confirm your e-mail address",
            (Self::Register | Self::Verify, Language::Es) => "Confirme su dirección de correo",
            (Self::HasAccount | Self::NameTaken, Language::En) => "Your registration",
            (Self::HasAccount | Self::NameTaken, Language::Es) => "Su registro",
            (Self::Reset, Language::En) => "Set a new password",
            (Self::Reset, Language::Es) => "Establezca una contraseña nueva",
            (Self::Invite, Language::En) => "Your account is ready",
            (Self::Invite, Language::Es) => "Su cuenta está lista",
        }
    }

    const fn opening(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Register, Language::En) => {
                "Somebody asked for an account with this e-mail address. If it was you, confirm it here:"
            }
            (Self::Register, Language::Es) => {
                "Alguien ha pedido una cuenta con esta dirección de correo. Si ha sido usted, confírmela aquí:"
            }
            (Self::HasAccount, Language::En) => {
                "Somebody asked for an account with this e-mail address, which has one already. If it was you, sign in with it, or \
                 set a new password from the sign-in page."
            }
            (Self::HasAccount, Language::Es) => {
                "Alguien ha pedido una cuenta con esta dirección de correo, que ya tiene una. Si ha sido usted, inicie sesión con \
                 ella o establezca una contraseña nueva desde la página de inicio de sesión."
            }
            (Self::NameTaken, Language::En) => {
                "Somebody asked for an account with this e-mail address, under a user name that is in use already. If it was you, \
                 register again with another user name."
            }
            (Self::NameTaken, Language::Es) => {
                "Alguien ha pedido una cuenta con esta dirección de correo, con un nombre de usuario que ya está en uso. Si ha sido \
                 usted, regístrese de nuevo con otro nombre de usuario."
            }
            (Self::Verify, Language::En) => "Confirm here that this e-mail address is yours:",
            (Self::Verify, Language::Es) => "Confirme aquí que esta dirección de correo es suya:",
            (Self::Reset, Language::En) => {
                "Somebody asked for a new password for your account. If it was you, set it here:"
            }
            (Self::Reset, Language::Es) => {
                "Alguien ha pedido una contraseña nueva para su cuenta. Si ha sido usted, establézcala aquí:"
            }
            (Self::Invite, Language::En) => "An account was made for you. Choose your password here:",
            (Self::Invite, Language::Es) => "Se ha creado una cuenta para usted. Elija aquí su contraseña:",
        }
    }

    /// The whole text; `link` and how long it is good, for those that have one.
    pub(crate) fn text(self, language: Language, link: Option<(&str, Duration)>) -> String {
        let mut text = format!("{}\n", self.opening(language));
        if let Some((link, life)) = link {
            let span = span(life, language);
            text.push_str(&match language {
                Language::En => format!("\n{link}\n\nThe link works once, for {span}. Give it to nobody.\n"),
                Language::Es => {
                    format!("\n{link}\n\nEl enlace sirve una sola vez, durante {span}. No se lo dé a nadie.\n")
                }
            });
        }
        text.push_str(match (self, language) {
            (Self::Invite | Self::Verify, Language::En) => "\nIf you expect no such mail, do nothing.\n",
            (Self::Invite | Self::Verify, Language::Es) => "\nSi no espera este correo, no haga nada.\n",
            (_, Language::En) => "\nIf it was not you, do nothing: nothing has changed.\n",
            (_, Language::Es) => "\nSi no ha sido usted, no haga nada: nada ha cambiado.\n",
        });
        text
    }
}

/// A notice as a mail: its subject and text.
pub(crate) fn notice(notice: Notice, language: Language, at: Timestamp) -> (&'static str, String) {
    let (subject, said) = noticed(notice, language, at);
    let end = match language {
        Language::En => {
            "If it was you, there is nothing to do. If it was not, tell the clinic at once, and set a new password from the sign-in \
             page."
        }
        Language::Es => {
            "Si ha sido usted, no tiene que hacer nada. Si no, avise enseguida a la clínica y establezca una contraseña nueva desde \
             la página de inicio de sesión."
        }
    };
    (subject, format!("{said}\n\n{end}\n"))
}

/// A notice as a text message.
pub(crate) fn notice_short(notice: Notice, language: Language, at: Timestamp) -> (&'static str, String) {
    let (subject, said) = noticed(notice, language, at);
    let end = match language {
        Language::En => "If it was not you, tell the clinic at once.",
        Language::Es => "Si no ha sido usted, avise enseguida a la clínica.",
    };
    (subject, format!("{said} {end}\n"))
}

/// What was done, and when.
fn noticed(notice: Notice, language: Language, at: Timestamp) -> (&'static str, String) {
    // To the minute: it is for somebody who remembers what they did.
    let at: String = at.rfc3339().chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
    let subject = match (notice, language) {
        (Notice::NewDevice, Language::En) => "A sign-in on a new device",
        (Notice::NewDevice, Language::Es) => "Un inicio de sesión en un dispositivo nuevo",
        (_, Language::En) => "Your account was changed",
        (_, Language::Es) => "Se ha modificado su cuenta",
    };
    let said = match (notice, language) {
        (Notice::PasswordChanged, Language::En) => "The password of your account was changed",
        (Notice::PasswordChanged, Language::Es) => "Se ha cambiado la contraseña de su cuenta",
        (Notice::PasswordReset, Language::En) => "The password of your account was set anew by a link from a mail",
        (Notice::PasswordReset, Language::Es) => {
            "Se ha restablecido la contraseña de su cuenta con un enlace de un correo"
        }
        (Notice::FactorAdded, Language::En) => "An authenticator app or a passkey was added to your account",
        (Notice::FactorAdded, Language::Es) => {
            "Se ha añadido a su cuenta una aplicación de autenticación o una clave de acceso"
        }
        (Notice::FactorRemoved, Language::En) => "An authenticator app or a passkey was removed from your account",
        (Notice::FactorRemoved, Language::Es) => {
            "Se ha quitado de su cuenta una aplicación de autenticación o una clave de acceso"
        }
        (Notice::FactorsReset, Language::En) => "An administrator removed every second factor from your account",
        (Notice::FactorsReset, Language::Es) => "La administración ha quitado todos los segundos factores de su cuenta",
        (Notice::EmailChanged, Language::En) => "The e-mail address of your account was changed",
        (Notice::EmailChanged, Language::Es) => "Se ha cambiado la dirección de correo de su cuenta",
        (Notice::NewDevice, Language::En) => "Somebody signed in to your account on a device that is new to it",
        (Notice::NewDevice, Language::Es) => "Alguien ha iniciado sesión en su cuenta en un dispositivo nuevo",
    };
    let when = match language {
        Language::En => format!("on {at} (UTC)"),
        Language::Es => format!("el {at} (UTC)"),
    };
    (subject, format!("{said} {when}."))
}

/// A one-time code: the subject of a mail, and the text of a mail or text message.
pub(crate) fn code(language: Language, code: &str, life: Duration) -> (&'static str, String) {
    let span = span(life, language);
    match language {
        Language::En => (
            "Your sign-in code",
            format!("{code} is your sign-in code, good for {span}. Nobody from the clinic will ask you for it.\n"),
        ),
        Language::Es => (
            "Su código de acceso",
            format!("{code} es su código de acceso, válido durante {span}. Nadie de la clínica se lo pedirá.\n"),
        ),
    }
}

fn span(life: Duration, language: Language) -> String {
    let (minutes, hours, days) = (life.as_secs() / 60, life.as_secs() / 3_600, life.as_secs() / 86_400);
    let (number, one, many) = match language {
        Language::En if days > 1 => (days, "day", "days"),
        Language::Es if days > 1 => (days, "día", "días"),
        Language::En if hours >= 1 => (hours, "hour", "hours"),
        Language::Es if hours >= 1 => (hours, "hora", "horas"),
        Language::En => (minutes, "minute", "minutes"),
        Language::Es => (minutes, "minuto", "minutos"),
    };
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: [Letter; 6] =
        [Letter::Register, Letter::HasAccount, Letter::NameTaken, Letter::Verify, Letter::Reset, Letter::Invite];

    const NOTICES: [Notice; 7] = [
        Notice::PasswordChanged,
        Notice::PasswordReset,
        Notice::FactorAdded,
        Notice::FactorRemoved,
        Notice::FactorsReset,
        Notice::EmailChanged,
        Notice::NewDevice,
    ];

    #[test]
    fn every_message_is_there_in_both_languages_and_is_the_golden_one() {
        let mut made = String::new();
        for language in [Language::En, Language::Es] {
            for letter in LETTERS {
                let link = letter.page().map(|_| ("https://clinic.example/app/…", Duration::from_secs(86_400)));
                made.push_str(&format!("== {}\n{}\n", letter.subject(language), letter.text(language, link)));
            }
            for told in NOTICES {
                let (subject, text) = notice(told, language, Timestamp(1_700_000_000_000_000));
                let (_, short) = notice_short(told, language, Timestamp(1_700_000_000_000_000));
                made.push_str(&format!("== {subject}\n{text}-- as a text message\n{short}\n"));
            }
            let (subject, text) = code(language, "12345678", Duration::from_secs(600));
            made.push_str(&format!("== {subject}\n{text}\n"));
        }
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/messages.txt");
        if std::env::var_os("IRIS_GOLDEN_WRITE").is_some() {
            std::fs::write(golden, &made).unwrap();
        }
        assert_eq!(std::fs::read_to_string(golden).unwrap_or_default(), made, "a change is reviewed in {golden}");
    }

    #[test]
    fn the_first_language_that_is_spoken_here_wins() {
        for (list, language) in [
            ("es-MX,es;q=0.9,en;q=0.8", Some(Language::Es)),
            ("en-US,en;q=0.5", Some(Language::En)),
            ("de,fr;q=0.9,es;q=0.3", Some(Language::Es)),
            ("de", None),
            ("", None),
            ("*", None),
            ("esperanto", None),
        ] {
            assert_eq!(Language::first_of(list), language, "{list}");
        }
    }
}
