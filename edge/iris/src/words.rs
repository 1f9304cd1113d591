//! Passwords on their way in: from a prompt, standard input, a variable or a file, or made here.

use std::fmt;
use std::io::{BufRead, IsTerminal, Write};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use iris_kernel::{Entropy, Secret};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::config::{Sources, read_bounded};

/// Random bytes in a generated password: 24 characters, 144 bits.
const GENERATED_BYTES: usize = 18;
/// Longest password taken in, in bytes.
const PASSWORD_BYTES_MAX: usize = 1_024;

/// A password that travels in an admin command: shown nowhere but on the socket between two processes of one user.
#[derive(Clone)]
pub struct Password(pub Secret<String>);

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}
impl Eq for Password {}
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl Serialize for Password {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(text)))
    }
}

/// Where a password comes from, in the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordSource {
    /// `--password-stdin`
    StandardInput,
    /// `IRIS_USER_PASSWORD` or `IRIS_USER_PASSWORD_FILE` if set, else a prompt at a terminal, else made here.
    Found,
}

/// Gets the password and says whether it was made here.
///
/// # Errors
/// What is wrong, in words.
pub fn password(
    source: PasswordSource,
    environment: &Sources,
    entropy: &dyn Entropy,
    ask: Ask,
) -> Result<(Password, bool), String> {
    if source == PasswordSource::StandardInput {
        return first_line(&mut std::io::stdin().lock()).map(|secret| (Password(secret), false));
    }
    let variable = |name: &str| {
        let found = environment.environment.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.to_str().map(str::to_owned).ok_or(format!("{name}: is not UTF-8"))).transpose()
    };
    match (variable("IRIS_USER_PASSWORD")?, variable("IRIS_USER_PASSWORD_FILE")?) {
        (Some(_), Some(_)) => Err("IRIS_USER_PASSWORD and IRIS_USER_PASSWORD_FILE are both given".to_owned()),
        (Some(text), None) => checked(text).map(|secret| (Password(secret), false)),
        (None, Some(path)) => {
            let text = read_bounded(path.as_ref()).map_err(|what| format!("IRIS_USER_PASSWORD_FILE: {what}"))?;
            first_line(&mut text.as_bytes()).map(|secret| (Password(secret), false))
        }
        (None, None) if ask == Ask::AtTerminal && std::io::stdin().is_terminal() => {
            prompt().map(|secret| (Password(secret), false))
        }
        (None, None) => Ok((Password(generated(entropy)), true)),
    }
}

/// Whether a person may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Where there is a terminal.
    AtTerminal,
    /// Never: a script reads the answer.
    Never,
}

/// A password nobody can guess, of characters that survive copying.
#[must_use]
pub fn generated(entropy: &dyn Entropy) -> Secret<String> {
    let mut bytes = Zeroizing::new([0; GENERATED_BYTES]);
    entropy.fill(bytes.as_mut());
    Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_ref()))
}

fn first_line(input: &mut dyn BufRead) -> Result<Secret<String>, String> {
    let mut line = String::new();
    std::io::Read::take(input, PASSWORD_BYTES_MAX as u64 + 2)
        .read_line(&mut line)
        .map_err(|error| format!("the password cannot be read: {error}"))?;
    let text = line.strip_suffix('\n').map_or(line.as_str(), |rest| rest.strip_suffix('\r').unwrap_or(rest));
    checked(text.to_owned())
}

fn checked(text: String) -> Result<Secret<String>, String> {
    let secret = Secret::new(text);
    match secret.expose().len() {
        0 => Err("the password is empty".to_owned()),
        1..=PASSWORD_BYTES_MAX => Ok(secret),
        _ => Err(format!("the password is longer than {PASSWORD_BYTES_MAX} bytes")),
    }
}

/// Asks twice, without echo.
fn prompt() -> Result<Secret<String>, String> {
    let stdin = std::io::stdin();
    let seen = |error: rustix::io::Errno| format!("the terminal cannot be silenced: {error}");
    let before = tcgetattr(&stdin).map_err(seen)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent).map_err(seen)?;
    let answers = ask("Password: ").and_then(|first| Ok((first, ask("Once more: ")?)));
    tcsetattr(&stdin, OptionalActions::Flush, &before).map_err(seen)?;
    let (first, second) = answers?;
    if first.expose() == second.expose() { Ok(first) } else { Err("the two passwords differ".to_owned()) }
}

fn ask(question: &str) -> Result<Secret<String>, String> {
    let mut terminal = std::io::stderr();
    let shown = write!(terminal, "{question}").and_then(|()| terminal.flush());
    shown.map_err(|error| format!("cannot ask: {error}"))?;
    let answer = first_line(&mut std::io::stdin().lock());
    // The person's line feed was not echoed either. That the next question starts on the same line is no reason to fail.
    drop(writeln!(terminal));
    answer
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;

    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<(String, bool), String> {
        let sources = Sources {
            environment: pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
            ..Sources::default()
        };
        password(PasswordSource::Found, &sources, &SeededEntropy::new(1), Ask::Never)
            .map(|(password, generated)| (password.0.expose().clone(), generated))
    }

    #[test]
    fn a_variable_or_its_file_gives_the_password() {
        assert_eq!(with(&[("IRIS_USER_PASSWORD", "abc")]).unwrap(), ("abc".to_owned(), false));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("word");
        std::fs::write(&path, "from a file\r\n").unwrap();
        let path = path.to_str().unwrap();
        assert_eq!(with(&[("IRIS_USER_PASSWORD_FILE", path)]).unwrap(), ("from a file".to_owned(), false));
        assert!(with(&[("IRIS_USER_PASSWORD", "a"), ("IRIS_USER_PASSWORD_FILE", path)]).is_err());
        assert!(with(&[("IRIS_USER_PASSWORD", "")]).is_err());
    }

    #[test]
    fn without_one_it_is_made_here() {
        let (word, generated) = with(&[]).unwrap();
        assert!(generated);
        assert_eq!(word.len(), 24);
    }

    #[test]
    fn the_limit_holds_at_the_limit_and_one_past_it() {
        assert!(first_line(&mut "x".repeat(PASSWORD_BYTES_MAX).as_bytes()).is_ok());
        assert!(first_line(&mut "x".repeat(PASSWORD_BYTES_MAX + 1).as_bytes()).is_err());
    }

    #[test]
    fn it_is_not_shown() {
        assert_eq!(format!("{:?}", Password(Secret::new("abc".to_owned()))), "***");
    }
}
