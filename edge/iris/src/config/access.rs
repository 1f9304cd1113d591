//! Settings of passwords and of the keys that sign access tokens.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use iris_identity::breached::PasswordList;
use iris_identity::{KeyAlgorithm, KeyRules, PasswordRules};
use iris_kernel::config::Settings;
use iris_kernel::span::{self, Span};

use crate::command::Failure;

/// What an installation decides about passwords and signing keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessSettings {
    /// `IRIS_PASSWORD_LIST`: a list of breached passwords, made by `iris passwords build`.
    pub password_list: Option<PathBuf>,
    /// `IRIS_PASSWORD_AGE`: after how long a password must be changed.
    pub password_age: Limit,
    /// `IRIS_SIGNING_KEY_AGE`: after how long a new key signs access tokens.
    pub signing_key_age: Limit,
    /// `IRIS_SIGNING_ALGORITHM`: the algorithm of keys that are made from now on.
    pub signing_algorithm: KeyAlgorithm,
}

/// A time, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Never.
    Never,
    /// After this time.
    After(Duration),
}

const NEVER: &str = "never";

impl FromStr for Limit {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        if text == NEVER {
            return Ok(Self::Never);
        }
        text.parse::<Span>().map(|Span(time)| Self::After(time)).map_err(|_| ())
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str(NEVER),
            Self::After(time) => Span(*time).fmt(f),
        }
    }
}

impl Limit {
    const fn time(self) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::After(time) => Some(time),
        }
    }
}

/// Shortest `IRIS_PASSWORD_AGE` and `IRIS_SIGNING_KEY_AGE`.
const AGE_MIN: Duration = Duration::from_secs(86_400);

impl AccessSettings {
    /// Reads them; what is wrong is a fault of the setting.
    pub(super) fn take(settings: &mut Settings) -> Self {
        let keys = KeyRules::default();
        let age = keys.age.map_or(Limit::Never, Limit::After);
        let expected = format!("never, or {}", span::EXPECTED);
        let taken = Self {
            password_list: settings.text("PASSWORD_LIST").map(PathBuf::from),
            password_age: settings.parsed("PASSWORD_AGE", Limit::Never, &expected),
            signing_key_age: settings.parsed("SIGNING_KEY_AGE", age, &expected),
            signing_algorithm: settings.parsed("SIGNING_ALGORITHM", keys.algorithm, "RS256, PS256, ES256 or EdDSA"),
        };
        for (key, limit) in [("PASSWORD_AGE", taken.password_age), ("SIGNING_KEY_AGE", taken.signing_key_age)] {
            if limit.time().is_some_and(|time| time < AGE_MIN) {
                settings.fault(key, "must be a day at least, or never");
            }
        }
        if let Some(path) = &taken.password_list
            && let Err(error) = PasswordList::open(path)
        {
            settings.fault("PASSWORD_LIST", format!("{}: {error}", path.display()));
        }
        taken
    }

    /// For `iris config print`.
    pub(super) fn rows(&self) -> Vec<(&'static str, Option<String>)> {
        let Self { password_list, password_age, signing_key_age, signing_algorithm } = self;
        vec![
            ("PASSWORD_AGE", Some(password_age.to_string())),
            ("PASSWORD_LIST", password_list.as_ref().map(|path| path.display().to_string())),
            ("SIGNING_ALGORITHM", Some(signing_algorithm.to_string())),
            ("SIGNING_KEY_AGE", Some(signing_key_age.to_string())),
        ]
    }

    /// The rules for passwords.
    ///
    /// # Errors
    /// The list cannot be read any more.
    pub(crate) fn password_rules(&self) -> Result<PasswordRules, Failure> {
        let open = |path: &PathBuf| {
            let named = |error| Failure::new(format!("IRIS_PASSWORD_LIST: {}: {error}", path.display()));
            PasswordList::open(path).map_err(named)
        };
        Ok(PasswordRules { list: self.password_list.as_ref().map(open).transpose()?, age: self.password_age.time() })
    }

    /// The rules for signing keys.
    pub(crate) const fn key_rules(&self) -> KeyRules {
        KeyRules { age: self.signing_key_age.time(), algorithm: self.signing_algorithm }
    }
}
