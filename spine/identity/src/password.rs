//! Passwords: argon2id on a bounded pool. The same work is done whether or not the account exists. Hashes of bcrypt that came from
//! another system are checked on the same pool, once (`imported`).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use iris_kernel::{Entropy, Fault, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization;

use crate::imported;
use iris_access::error::{AccessError, internal};

/// Memory of one hash in KiB (OWASP Password Storage Cheat Sheet: 19 MiB with two passes and one lane).
pub const ARGON2_MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
pub const ARGON2_PASSES: u32 = 2;
/// Lanes.
pub const ARGON2_LANES: u32 = 1;
/// Bytes of output.
const OUTPUT_BYTES: usize = 32;
/// Bytes of salt.
const SALT_BYTES: usize = 16;

/// Shortest password, in characters (ASVS 5.0, 6.2.1).
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password, in bytes of UTF-8. Longer ones are refused rather than cut.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Most hashes worked on at once: each holds 19 MiB and a core.
pub const HASHES_AT_ONCE: usize = 2;
/// Most sign-ins that wait for their turn; the next one is told to come back.
pub const HASHES_WAITING_MAX: usize = 128;
/// What somebody who finds the queue full is told to wait.
const QUEUE_RETRY: Duration = Duration::from_secs(2);

/// Letters of a password made here, five bits each: 120 bits.
const GENERATED_LETTERS: usize = 24;

/// A password made here for somebody else, to be handed over once: letters and digits in groups of six, without those that look
/// alike, since people copy it by hand.
#[must_use]
pub fn generate(entropy: &dyn Entropy) -> Secret<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; GENERATED_LETTERS];
    entropy.fill(&mut bytes);
    let bytes = Secret::new(bytes);
    let letters: Vec<char> = bytes.expose().iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect();
    Secret::new(letters.chunks(6).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-"))
}

/// The pool.
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    argon2: Argon2<'static>,
    /// A hash of no password, verified against where there is no account.
    nobody: Arc<str>,
}

/// A turn in the pool; held while the attempt is worked on and counted.
pub(crate) struct Turn {
    _held: OwnedSemaphorePermit,
}

impl Passwords {
    pub(crate) fn new(entropy: &dyn Entropy) -> Result<Self, AccessError> {
        let params = Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, Some(OUTPUT_BYTES));
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(internal)?);
        let (mut salt, mut output) = ([0; SALT_BYTES], [0; OUTPUT_BYTES]);
        entropy.fill(&mut salt);
        entropy.fill(&mut output);
        let nobody = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params()).map_err(internal)?,
            salt: Some(Salt::new(&salt).map_err(internal)?),
            hash: Some(Output::new(&output).map_err(internal)?),
        };
        Ok(Self {
            turns: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            waiting: AtomicUsize::new(0),
            argon2,
            nobody: nobody.to_string().into(),
        })
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`AccessError::TooMany`] if too many wait already.
    pub(crate) async fn turn(&self) -> Result<Turn, AccessError> {
        let _place = Place::take(&self.waiting)?;
        Arc::clone(&self.turns).acquire_owned().await.map(|held| Turn { _held: held }).map_err(internal)
    }

    /// Whether the password fits the stored hash; against nobody's hash, with the same work and the answer no, if there is none. Where
    /// hashes of another system wait (`imports`: how dear the dearest is), a no costs an argon2id and a bcrypt of that cost, whichever of
    /// the two the account has.
    pub(crate) async fn verify(
        &self,
        turn: Turn,
        password: &Secret<String>,
        (stored, imports): (Option<&str>, Option<u32>),
    ) -> Result<(bool, Turn), AccessError> {
        // An account that was made without a password has an empty hash, which nothing fits.
        let stored = stored.filter(|hash| !hash.is_empty());
        let phc: Arc<str> = stored.map_or_else(|| Arc::clone(&self.nobody), Into::into);
        let known = stored.is_some() && password.expose().len() <= PASSWORD_BYTES_MAX;
        if imported::is_bcrypt(&phc) {
            let password = Secret::new(password.expose().chars().take(PASSWORD_BYTES_MAX).collect());
            let (argon2, nobody) = (self.argon2.clone(), Arc::clone(&self.nobody));
            let work = move || {
                let fits = imported::fits(&password, &phc);
                if let (Ok(false), Some(dearest)) = (&fits, imports) {
                    imported::pad(imported::cost(&phc), dearest);
                    // Nobody's hash fits nothing.
                    let _ = argon2.verify_password(normal(&password).expose().as_bytes(), &*nobody);
                }
                (fits, turn)
            };
            let (fits, turn) = tokio::task::spawn_blocking(work).await.map_err(internal)?;
            return Ok((fits? && known, turn));
        }
        let (argon2, password) = (self.argon2.clone(), normal(password));
        let work = move || {
            let result = argon2.verify_password(password.expose().as_bytes(), &*phc);
            if let (Err(_), Some(dearest)) = (&result, imports) {
                imported::pad(None, dearest);
            }
            (result, turn)
        };
        // The turn travels with the work: a caller who hangs up does not free it early.
        let (result, turn) = tokio::task::spawn_blocking(work).await.map_err(internal)?;
        match result {
            Ok(()) => Ok((known, turn)),
            Err(argon2::password_hash::Error::PasswordInvalid) => Ok((false, turn)),
            Err(other) => Err(AccessError::Damaged(Box::new(other))),
        }
    }

    /// Hashes a new password.
    pub(crate) async fn hash(
        &self,
        turn: Turn,
        password: &Secret<String>,
        entropy: &dyn Entropy,
    ) -> Result<String, AccessError> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt);
        let (argon2, password) = (self.argon2.clone(), normal(password));
        let work = move || {
            let hash = argon2.hash_password_with_salt(password.expose().as_bytes(), &salt);
            drop(turn);
            hash.map(|hash: PasswordHash| hash.to_string())
        };
        tokio::task::spawn_blocking(work).await.map_err(internal)?.map_err(internal)
    }
}

/// What may be a password by its length; the other rules ask what is known of the account (`password_rules`).
pub(crate) fn check(password: &Secret<String>, at: &str) -> Result<(), Fault> {
    let text = password.expose();
    if text.chars().count() < PASSWORD_CHARS_MIN {
        Err(Fault::new(at, format!("must have at least {PASSWORD_CHARS_MIN} characters")))
    } else if text.len() > PASSWORD_BYTES_MAX {
        Err(Fault::new(at, format!("must have at most {PASSWORD_BYTES_MAX} bytes")))
    } else {
        Ok(())
    }
}

/// NFC, as RFC 8265 (OpaqueString) asks, so that the same password typed on another keyboard fits. What is too long to be a
/// password is cut here only to bound the work; it never fits.
pub(crate) fn normal(password: &Secret<String>) -> Secret<String> {
    let mut end = password.expose().len().min(PASSWORD_BYTES_MAX);
    while !password.expose().is_char_boundary(end) {
        end -= 1;
    }
    Secret::new(password.expose()[..end].nfc().collect())
}

/// A place in the queue, given back however the wait ends.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, AccessError> {
        let before = waiting.fetch_add(1, Ordering::AcqRel);
        let place = Self(waiting);
        if before < HASHES_WAITING_MAX { Ok(place) } else { Err(AccessError::TooMany { retry: QUEUE_RETRY }) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use iris_testkit::SeededEntropy;

    use super::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    async fn fits(pool: &Passwords, password: &str, stored: Option<&str>) -> bool {
        pool.verify(pool.turn().await.unwrap(), &secret(password), (stored, None)).await.unwrap().0
    }

    #[tokio::test]
    async fn a_password_fits_its_hash_and_nothing_else_does() {
        let entropy = SeededEntropy::new(1);
        let pool = Passwords::new(&entropy).unwrap();
        let turn = pool.turn().await.unwrap();
        let stored = pool.hash(turn, &secret("pa\u{0}ss wörd"), &entropy).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(fits(&pool, "pa\u{0}ss wo\u{308}rd", Some(&stored)).await);
        assert!(!fits(&pool, "pa", Some(&stored)).await);
        assert!(!fits(&pool, "pa\u{0}ss word", Some(&stored)).await);
        assert!(!fits(&pool, "", None).await);
    }

    #[tokio::test]
    async fn ten_thousand_bytes_are_refused_and_never_fit_what_they_begin_with() {
        let entropy = SeededEntropy::new(2);
        let pool = Passwords::new(&entropy).unwrap();
        let longest = "é".repeat(PASSWORD_BYTES_MAX / 2);
        assert!(check(&secret(&longest), "password").is_ok());
        assert!(check(&secret(&format!("{longest}x")), "password").is_err());
        assert!(check(&secret("short 7"), "password").is_err());
        let stored = pool.hash(pool.turn().await.unwrap(), &secret(&longest), &entropy).await.unwrap();
        assert!(!fits(&pool, &"é".repeat(5_000), Some(&stored)).await);
        assert!(fits(&pool, &longest, Some(&stored)).await);
    }

    #[tokio::test]
    async fn a_hash_of_another_system_fits_on_the_same_pool() {
        let pool = Passwords::new(&SeededEntropy::new(5)).unwrap();
        let stored = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        assert!(fits(&pool, "U*U", Some(stored)).await && !fits(&pool, "U*V", Some(stored)).await);
        let dear = stored.replace("$05$", "$31$");
        let turn = pool.turn().await.unwrap();
        assert!(matches!(pool.verify(turn, &secret("U*U"), (Some(&dear), None)).await, Err(AccessError::Damaged(_))));
    }

    #[test]
    fn nobodys_hash_costs_what_a_real_one_costs() {
        let pool = Passwords::new(&SeededEntropy::new(3)).unwrap();
        let nobody = PasswordHash::new(&pool.nobody).unwrap();
        assert_eq!(Params::try_from(&nobody).unwrap().m_cost(), ARGON2_MEMORY_KIB);
        assert_eq!(Params::try_from(&nobody).unwrap().t_cost(), ARGON2_PASSES);
        assert_eq!(nobody.hash.unwrap().len(), OUTPUT_BYTES);
    }

    #[tokio::test]
    async fn the_queue_is_bounded_and_empties() {
        let pool = Passwords::new(&SeededEntropy::new(4)).unwrap();
        let held: Vec<_> = (0..HASHES_AT_ONCE).map(|_| Arc::clone(&pool.turns).try_acquire_owned().unwrap()).collect();
        pool.waiting.store(HASHES_WAITING_MAX, Ordering::Release);
        assert!(matches!(pool.turn().await, Err(AccessError::TooMany { .. })));
        assert_eq!(pool.waiting.load(Ordering::Acquire), HASHES_WAITING_MAX);
        drop(held);
        pool.waiting.store(0, Ordering::Release);
        assert!(pool.turn().await.is_ok());
    }
}
