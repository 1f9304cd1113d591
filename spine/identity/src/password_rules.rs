//! Which passwords are taken (ASVS 5.0, 6.2): long enough, not one that everybody knows, and not made of what everybody knows about
//! the account. No rule about kinds of characters, and no change by the calendar unless the operator asks for it.

use std::sync::Arc;
use std::time::Duration;

use iris_access::error::{AccessError, internal};
use iris_kernel::{Fault, Secret, Timestamp};

use crate::breached::PasswordList;
use crate::identity::Identity;
use crate::password::{self, PASSWORD_CHARS_MIN};
use crate::records::{Must, UserRecord};
use crate::username;

/// Words that stand for the product; guessers try them first.
const PRODUCT: [&str; 2] = ["iris", "iris healthcare"];
/// Shortest part of a name that counts: of shorter ones every password has some.
const WORD_CHARS_MIN: usize = 3;
/// Most words about an account that are looked at.
const WORDS_MAX: usize = 20;

/// What an operator decides about passwords.
#[derive(Default)]
pub struct PasswordRules {
    /// A list of breached passwords beside the one that is built in.
    pub list: Option<PasswordList>,
    /// After how long a password has to be changed; `None`, as every standard asks by now, if never.
    pub age: Option<Duration>,
}

/// The rules in use.
pub(crate) struct Rules {
    lists: Arc<[PasswordList]>,
    age: Option<Duration>,
}

impl Rules {
    pub(crate) fn new(rules: PasswordRules) -> Result<Self, AccessError> {
        let shipped = PasswordList::shipped().map_err(internal)?;
        Ok(Self { lists: std::iter::once(shipped).chain(rules.list).collect(), age: rules.age })
    }

    /// Whether the account has to set a new password before anything else.
    pub(crate) fn change_due(&self, user: &UserRecord, now: Timestamp) -> bool {
        let set = Timestamp(user.password_changed.or(user.created).unwrap_or(0));
        user.must.contains(&Must::PasswordChange) || self.age.is_some_and(|age| now.since(set) >= age)
    }
}

impl Identity {
    /// What is wrong with a new password; `about` is what is known of the account: its name, address, and so on.
    ///
    /// # Errors
    /// A list of breached passwords cannot be read: then nobody can say.
    pub(crate) async fn password_fault(
        &self,
        password: &Secret<String>,
        about: &[&str],
        at: &str,
    ) -> Result<Option<Fault>, AccessError> {
        if let Err(fault) = password::check(password, at) {
            return Ok(Some(fault));
        }
        if rest_without(password.expose(), about) < PASSWORD_CHARS_MIN {
            let what = "says little but the name of the account or of this product; add something nobody knows of you";
            return Ok(Some(Fault::new(at, what)));
        }
        let lists = Arc::clone(&self.rules.lists);
        let typed = password::normal(password);
        let known = move || {
            let lower = Secret::new(typed.expose().to_lowercase());
            for list in &*lists {
                if list.has(typed.expose())? || list.has(lower.expose())? {
                    return Ok(true);
                }
            }
            Ok::<_, crate::breached::ListError>(false)
        };
        let known = tokio::task::spawn_blocking(known).await.map_err(internal)?.map_err(internal)?;
        let what = "is on a list of passwords that attackers try first; choose another one";
        Ok(known.then(|| Fault::new(at, what)))
    }
}

/// How many characters of a password are left when everything that stands in `about`, and the product's name, is taken out of it.
fn rest_without(password: &str, about: &[&str]) -> usize {
    let mut words: Vec<String> = Vec::new();
    for text in about.iter().chain(&PRODUCT).take(WORDS_MAX) {
        let folded = username::fold(text);
        words.extend(folded.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        words.push(folded);
    }
    words.retain(|word| word.chars().count() >= WORD_CHARS_MIN);
    // The longest first: a whole name before its parts.
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));
    let mut rest = username::fold(password);
    for word in &words {
        rest = rest.replace(word.as_str(), "");
    }
    rest.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_of_the_name_is_no_password() {
        let about = ["alice.miller", "Alice Miller", "alice@clinic.example"];
        for bad in
            ["alice.miller", "AliceMiller1", "Iris2026!", "iris-alice-1", "ＡＬＩＣＥmiller77", "clinic.example!"]
        {
            assert!(rest_without(bad, &about) < PASSWORD_CHARS_MIN, "{bad}");
        }
        for good in ["correct horse battery staple", "alice in wonderland 1865", "zwölf Boxkämpfer"] {
            assert!(rest_without(good, &about) >= PASSWORD_CHARS_MIN, "{good}");
        }
        assert_eq!(rest_without("xy-secret-9", &["xy", ""]), 11, "short names and empty ones count for nothing");
    }
}
