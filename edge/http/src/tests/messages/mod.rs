//! Mails and codes as an attacker would have them. The mails go to a list in memory; the real senders are tested where they are.

mod invite;
mod portal;
mod register;
mod reset;

use std::sync::Arc;
use std::time::Duration;

use iris_access::{Action, Caller, Create, Facts, Named, Permit, Read, Role, Update, decide};
use iris_identity::messages::{Carriers, Mail, Mailer, Sending, Text, Texter};
use iris_identity::{FirstPassword, NewAccount};
use iris_kernel::Tenant;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{BASE, PASSWORD, Reply, World};

/// Longer than any count of questions or failures is kept.
const LATER: Duration = Duration::from_secs(1_000);
const NEW_PASSWORD: &str = "a lamp under the willow tree";

/// A message as somebody got it.
#[derive(Clone, Debug)]
struct Got {
    to: String,
    subject: String,
    text: String,
}

impl Got {
    #[track_caller]
    fn token(&self) -> String {
        let (_, rest) = self.text.split_once("#token=").unwrap_or_else(|| panic!("no link in {}", self.text));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    #[track_caller]
    fn code(&self) -> String {
        let code =
            self.text.split_whitespace().find(|word| word.len() == 8 && word.bytes().all(|b| b.is_ascii_digit()));
        code.unwrap_or_else(|| panic!("no code in {}", self.text)).to_owned()
    }
}

/// Everybody's letter box and telephone.
#[derive(Default)]
struct Letters(Mutex<Vec<Got>>);

impl Mailer for Letters {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        let (to, subject) = (mail.to.as_str().to_owned(), mail.subject.to_owned());
        self.0.lock().push(Got { to, subject, text: mail.text.expose().clone() });
        Box::pin(async { Ok(()) })
    }
}

impl Texter for Letters {
    fn send<'a>(&'a self, text: &'a Text) -> Sending<'a> {
        let to = text.to.as_str().to_owned();
        self.0.lock().push(Got { to, subject: String::new(), text: text.text.expose().clone() });
        Box::pin(async { Ok(()) })
    }
}

impl Letters {
    fn all(&self) -> Vec<Got> {
        self.0.lock().clone()
    }

    /// What came since the last time, after everything that waits was worked on.
    async fn came(&self, world: &World) -> Vec<Got> {
        world.deliver().await;
        std::mem::take(&mut *self.0.lock())
    }

    /// The one message that came.
    async fn one(&self, world: &World) -> Got {
        let mut came = self.came(world).await;
        assert_eq!(came.len(), 1, "{came:?}");
        came.remove(0)
    }
}

impl World {
    /// From now on messages go to this box.
    fn boxed(&self) -> Arc<Letters> {
        let letters = Arc::new(Letters::default());
        let (mailer, texter) = (Some(Arc::clone(&letters) as _), Some(Arc::clone(&letters) as _));
        self.identity.carriers_set(Carriers { mailer, texter, base_url: BASE.into() });
        letters
    }

    /// Works on everything that waits.
    async fn deliver(&self) {
        while self.identity.messages_deliver().await > 0 {}
    }

    fn on_accounts<A: Action>(&self, action: A, tenant: Tenant) -> Permit<A> {
        let system = Arc::new(Caller::system(tenant, "test", "c-1"));
        decide(&system, action, &Facts::named(Named::Accounts)).unwrap()
    }

    /// Invites somebody by mail and has them set their password.
    async fn invited(&self, letters: &Letters, name: &str, email: &str) {
        self.invite(name, email).await;
        let token = letters.one(self).await.token();
        self.post("/auth/verify-reset", "", json!({"token": token, "new_password": PASSWORD})).await.expect(204);
        // The invitation counts for the address as well.
        self.clock.advance(Duration::from_secs(2 * 3_600));
    }

    async fn invite(&self, name: &str, email: &str) {
        let account = NewAccount {
            name: name.to_owned(),
            password: FirstPassword::Invited,
            roles: vec![Role::Nurse.name().to_owned()],
            email: Some(email.to_owned()),
            ..NewAccount::default()
        };
        self.identity.account_create(&self.on_accounts(Create, Tenant::DEFAULT), account).await.unwrap();
    }

    async fn login(&self, name: &str, password: &str) -> Reply {
        self.post("/auth/login", "", json!({"username": name, "password": password})).await
    }

    /// Lets people make accounts by themselves.
    async fn open_registration(&self) {
        let stored = self.identity.policies().policy_read(&self.on_accounts(Read, Tenant::DEFAULT)).unwrap();
        let mut policy = stored.policy;
        policy.self_registration = true;
        let permit = self.on_accounts(Update, Tenant::DEFAULT);
        self.identity.policies().policy_change(&permit, stored.version, policy).await.unwrap().unwrap();
    }
}

/// What of an answer somebody sees who compares: everything but the correlation id and the times.
fn seen(reply: &Reply) -> (u16, Vec<String>, usize) {
    let passing = ["x-correlation-id", "x-process-time", "date"];
    let named = reply.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let mut headers: Vec<String> = named.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
    headers.sort();
    (reply.status.as_u16(), headers, reply.body.len())
}

/// Median of how long an answer takes, in microseconds.
#[allow(clippy::disallowed_methods, reason = "this is about real time")]
async fn median(count: usize, mut ask: impl AsyncFnMut(usize)) -> u128 {
    let mut times = Vec::new();
    for number in 0..count {
        let begun = std::time::Instant::now();
        ask(number).await;
        times.push(begun.elapsed().as_micros());
    }
    times.sort_unstable();
    times[count / 2]
}

/// Whether two medians are so near that a few questions tell nothing.
#[track_caller]
fn alike(one: u128, other: u128) {
    let (less, more) = (one.min(other), one.max(other));
    assert!(more <= less * 2 + 2_000, "{one} µs against {other} µs");
}

/// Nothing that opens something may stand in the log.
async fn log_is_clean(world: &World, reader: &str, secrets: &[String]) {
    world.app.audit.settle();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/api/v1/audit/logs?limit=100{cursor}"), reader).await.expect(200);
        let text = String::from_utf8(page.body.clone()).unwrap();
        for secret in secrets {
            assert!(!text.contains(secret.as_str()), "a secret is in the log: {text}");
        }
        match page.json()["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return,
        }
    }
}

fn problem_pointers(reply: &Reply) -> Vec<String> {
    let faults = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    faults.iter().filter_map(|fault: &Value| fault["pointer"].as_str().map(str::to_owned)).collect()
}
