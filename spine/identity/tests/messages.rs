//! The outbox: what was acknowledged is sent, by one node, as often as it takes, and never without bound.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::World;
use iris_access::{AccessError, Caller, Create, Facts, Named, Origin, decide};
use iris_identity::messages::{Carriers, Language, Mail, Mailer, PLACES, SendError, Sending};
use iris_identity::{FirstPassword, Forgotten, Identity, NewAccount};
use iris_kernel::Tenant;

const PASSWORD: &str = "a lamp under the willow tree";

/// A mail server that fails as often as it is told.
#[derive(Default)]
struct Post {
    fails: AtomicUsize,
    tries: AtomicUsize,
    took: parking_lot::Mutex<Vec<(String, String)>>,
}

impl Mailer for Post {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        Box::pin(async move {
            self.tries.fetch_add(1, Ordering::SeqCst);
            // Gives others time to make the same try.
            tokio::time::sleep(Duration::from_millis(20)).await;
            let left = self.fails.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if left.is_ok() {
                return Err(SendError::Later("not now".to_owned()));
            }
            self.took.lock().push((mail.to.as_str().to_owned(), mail.text.expose().clone()));
            Ok(())
        })
    }
}

impl Post {
    fn carries(self: &Arc<Self>, identity: &Identity) {
        let mailer = Some(Arc::clone(self) as _);
        identity.carriers_set(Carriers { mailer, texter: None, base_url: "https://clinic.example".into() });
    }

    fn took(&self) -> Vec<(String, String)> {
        self.took.lock().clone()
    }
}

fn from(address: &str) -> Origin {
    Origin { address: Some(address.into()), correlation: "c-1".into(), ..Origin::default() }
}

async fn invite(world: &World, name: &str) {
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "test", "c-1"));
    let permit = decide(&system, Create, &Facts::named(Named::Accounts)).unwrap();
    let account = NewAccount {
        name: name.to_owned(),
        password: FirstPassword::Invited,
        roles: vec!["nurse".to_owned()],
        email: Some(format!("{name}@clinic.example")),
        ..NewAccount::default()
    };
    world.identity.account_create(&permit, account).await.unwrap();
}

async fn deliver(identity: &Arc<Identity>) {
    while identity.messages_deliver().await > 0 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_starts_later_finds_what_waits_and_sends_it_once() {
    let world = World::new();
    let post = Arc::new(Post::default());
    post.carries(&world.identity);
    invite(&world, "nora").await;
    // It was not there when the message was put in: as after a restart, or a node that dies.
    let another = world.another();
    post.carries(&another.identity);
    another.identity.messages_find().await.unwrap();
    // Both believe that it is their turn.
    tokio::join!(deliver(&world.identity), deliver(&another.identity));
    deliver(&another.identity).await;
    assert_eq!((post.took().len(), post.tries.load(Ordering::SeqCst)), (1, 1), "{:?}", post.took());
    another.identity.messages_find().await.unwrap();
    deliver(&another.identity).await;
    assert_eq!(post.tries.load(Ordering::SeqCst), 1, "nothing waits any more");
}

#[tokio::test]
async fn a_message_is_tried_again_with_the_same_link_and_given_up_with_it() {
    let world = World::new();
    let post = Arc::new(Post::default());
    post.carries(&world.identity);
    post.fails.store(2, Ordering::SeqCst);
    invite(&world, "nora").await;
    for (wait, tries) in [(0, 1), (9, 1), (1, 2), (19, 2), (1, 3)] {
        world.clock.advance(Duration::from_secs(wait));
        deliver(&world.identity).await;
        assert_eq!(post.tries.load(Ordering::SeqCst), tries, "after {wait} s more");
    }
    let (to, text) = post.took().remove(0);
    assert_eq!(to, "nora@clinic.example");
    let (_, token) = text.split_once("#token=").unwrap();
    let token = token.split_whitespace().next().unwrap();
    let password = iris_kernel::Secret::new(PASSWORD.to_owned());
    world.identity.password_reset(token, &password, &from("192.0.2.1")).await.unwrap();
    // Nobody takes the next one, for longer than its link is good.
    post.fails.store(usize::MAX, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(7_200));
    world
        .identity
        .reset_ask(Some(Tenant::DEFAULT), &Forgotten::Name("nora".to_owned()), Language::En, &from("192.0.2.1"))
        .await
        .unwrap();
    for _ in 0..20 {
        deliver(&world.identity).await;
        world.clock.advance(Duration::from_secs(600));
    }
    let tries = post.tries.load(Ordering::SeqCst);
    assert!((8..=14).contains(&tries), "{tries}");
    post.fails.store(0, Ordering::SeqCst);
    world.clock.advance(Duration::from_secs(7_200));
    world.identity.messages_find().await.unwrap();
    deliver(&world.identity).await;
    assert_eq!(post.took().len(), 1, "it was given up");
}

#[tokio::test]
async fn attack_flood_the_outbox_is_bounded_and_whoever_finds_it_full_is_told_to_wait() {
    let world = World::new();
    let mut taken = 0;
    let mut full = None;
    for number in 0..=PLACES {
        let (whose, origin) =
            (Forgotten::Name(format!("somebody{number}")), from(&format!("198.51.{}.{}", number / 200, number % 200)));
        match world.identity.reset_ask(Some(Tenant::DEFAULT), &whose, Language::En, &origin).await {
            Ok(()) => taken += 1,
            Err(error) => full = Some(error),
        }
    }
    assert!(taken <= PLACES && taken > PLACES / 2, "{taken}");
    assert!(matches!(full, Some(AccessError::TooMany { .. })), "{full:?}");
    // They come to nothing, and there is room again.
    deliver(&world.identity).await;
    let whose = Forgotten::Name("somebody".to_owned());
    world.identity.reset_ask(Some(Tenant::DEFAULT), &whose, Language::En, &from("203.0.113.1")).await.unwrap();
}
