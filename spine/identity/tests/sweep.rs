//! What is over is swept up, a few rows at a time; what still counts stays, and what was swept up may come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{PASSWORD, World, origin, refresh_of, secret};
use iris_access::{AccessError, Origin, Role};
use iris_audit::{Action, Outcome};
use iris_identity::messages::{Carriers, Language, Mail, Mailer, Sending};
use iris_identity::{ENDED_KEPT, FirstPassword, Forgotten, Keeping, NewAccount, REFRESH_LIFE, SWEEP_ROWS, kinds};
use iris_kernel::{Kind, Tenant};

const DAY: u64 = 86_400;

/// A mail server that takes everything, and shows the last one.
#[derive(Default)]
struct Post(parking_lot::Mutex<Vec<String>>);

impl Mailer for Post {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        self.0.lock().push(mail.text.expose().clone());
        Box::pin(async { Ok(()) })
    }
}

impl Post {
    fn token(&self) -> String {
        let text = self.0.lock().last().unwrap().clone();
        text.split_once("#token=").unwrap().1.split_whitespace().next().unwrap().to_owned()
    }
}

/// How many records of a kind are there.
fn there(world: &World, kind: Kind) -> usize {
    let rows = world.store.current_of_kind(Tenant::DEFAULT, kind, None, 10_000).unwrap();
    rows.iter().filter(|row| !row.deleted).count()
}

async fn swept(world: &World) -> usize {
    world.identity.sweep_round(Duration::ZERO).await.unwrap()
}

async fn mailing() -> (World, Arc<Post>) {
    let (world, post) = (World::new(), Arc::new(Post::default()));
    let mailer = Some(Arc::clone(&post) as _);
    world.identity.carriers_set(Carriers { mailer, texter: None, base_url: "https://iris.test".into() });
    let nora = NewAccount {
        name: "nora".to_owned(),
        password: FirstPassword::Invited,
        roles: vec!["nurse".to_owned()],
        email: Some("nora@clinic.example".to_owned()),
        ..NewAccount::default()
    };
    world.identity.account_create(&World::create(Tenant::DEFAULT), nora).await.unwrap();
    while world.identity.messages_deliver().await > 0 {}
    (world, post)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ended_sessions_go_a_week_after_their_end_and_open_ones_stay() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    world.user(Tenant::DEFAULT, "mary", &[Role::Nurse]).await;
    let (ended, left) = (world.login("nora").await, world.login("mary").await);
    let caller = world.identity.authenticate(ended.access.expose(), Origin::default()).await.unwrap();
    world.identity.logout(&caller).await.unwrap();
    assert_eq!((swept(&world).await, there(&world, kinds::SESSION)), (0, 2));
    world.advance(ENDED_KEPT.as_secs());
    let kept = refresh_of(&left);
    let kept = world.identity.refresh(&kept, Keeping::Program, &origin("1")).await.unwrap();
    assert!(swept(&world).await >= 1);
    assert_eq!(there(&world, kinds::SESSION), 1, "the one that was signed out went");
    assert_eq!(swept(&world).await, 0, "once");
    world.identity.authenticate(kept.access.expose(), Origin::default()).await.unwrap();
    // Nobody goes on with the other one: idle for its time, and a week more.
    world.advance(REFRESH_LIFE.as_secs() + ENDED_KEPT.as_secs());
    swept(&world).await;
    assert_eq!(there(&world, kinds::SESSION), 0);
    let late = world.identity.refresh(&refresh_of(&kept), Keeping::Program, &origin("1")).await;
    assert!(matches!(late, Err(AccessError::Refresh)));
    let again = world.login("mary").await;
    world.identity.authenticate(again.access.expose(), Origin::default()).await.unwrap();
    let purged = world.entries(Tenant::DEFAULT).await;
    let purged =
        purged.iter().filter(|(action, outcome, _)| (*action, *outcome) == (Action::RetentionPurge, Outcome::Success));
    assert!(
        purged.clone().count() >= 2
            && purged.clone().any(|(.., text)| text.contains("sessions that were over: 1 deleted"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_go_with_their_time_and_counts_of_messages_with_theirs_and_come_back() {
    let (world, post) = mailing().await;
    let invitation = post.token();
    assert_eq!((there(&world, kinds::MAIL_TOKEN), there(&world, kinds::ADDRESSEE)), (1, 1));
    world.advance(2 * DAY);
    swept(&world).await;
    assert_eq!((there(&world, kinds::MAIL_TOKEN), there(&world, kinds::ADDRESSEE)), (1, 0), "it is good for a week");
    world.identity.password_reset(&invitation, &secret(PASSWORD), &origin("1")).await.unwrap();
    let ask = async || {
        let whose = Forgotten::Name("nora".to_owned());
        world.identity.reset_ask(Some(Tenant::DEFAULT), &whose, Language::En, &origin("1")).await.unwrap();
        while world.identity.messages_deliver().await > 0 {}
        post.token()
    };
    let unused = ask().await;
    assert_eq!((there(&world, kinds::MAIL_TOKEN), there(&world, kinds::ADDRESSEE)), (2, 1), "the count came back");
    world.advance(7 * DAY);
    assert!(swept(&world).await >= 2);
    assert_eq!((there(&world, kinds::MAIL_TOKEN), there(&world, kinds::ADDRESSEE)), (0, 0));
    for gone in [invitation, unused] {
        let refused = world.identity.password_reset(&gone, &secret("another lamp under a tree"), &origin("2")).await;
        assert!(matches!(refused, Err(AccessError::Invalid(_))));
    }
    let fresh = ask().await;
    world.identity.password_reset(&fresh, &secret("another lamp under a tree"), &origin("3")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn revoked_tokens_set_ups_and_lists_lose_what_is_over() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "nora", &[Role::Nurse]).await;
    let made = world.identity.client_create(&World::create(Tenant::DEFAULT), "lab", "system/*.rs").await.unwrap();
    let token = world.identity.client_token(&made.client.client_id, &made.secret, None, &origin("1")).await.unwrap();
    let machine = world.identity.authenticate(token.access.expose(), Origin::default()).await.unwrap();
    world.identity.logout(&machine).await.unwrap();
    let tokens = world.login("nora").await;
    let me = world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    world.identity.totp_setup(&me).await.unwrap();
    assert_eq!((swept(&world).await, there(&world, kinds::REVOKED_TOKEN)), (0, 1));
    world.advance(3_600 + 60);
    assert_eq!(swept(&world).await, 2, "the revocation, and the set-up that nobody confirmed");
    assert_eq!((there(&world, kinds::REVOKED_TOKEN), there(&world, kinds::FACTORS)), (0, 1));
    assert!(world.identity.authenticate(token.access.expose(), Origin::default()).await.is_err());
    world.advance(100 * DAY);
    swept(&world).await;
    let listed = world.store.current_of_kind(Tenant::DEFAULT, kinds::OPEN_SESSIONS, None, 10).unwrap();
    assert_eq!(&listed[0].body[..], br#"{"sessions":[]}"#);
    let tokens = world.login("nora").await;
    let me = world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap();
    assert_eq!(world.identity.sessions(&me).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_one_look_holds_is_swept_in_several_and_two_nodes_sweep_once() {
    let world = World::new();
    let other = world.another();
    let made = world.identity.client_create(&World::create(Tenant::DEFAULT), "lab", "system/*.rs").await.unwrap();
    let many = SWEEP_ROWS + 10;
    for _ in 0..many {
        let id = &made.client.client_id;
        let token = world.identity.client_token(id, &made.secret, None, &origin("1")).await.unwrap();
        let machine = world.identity.authenticate(token.access.expose(), Origin::default()).await.unwrap();
        world.identity.logout(&machine).await.unwrap();
    }
    world.advance(DAY);
    let (here, there_too) =
        tokio::join!(world.identity.sweep_round(Duration::ZERO), other.identity.sweep_round(Duration::ZERO));
    let first = here.unwrap() + there_too.unwrap();
    let rest = swept(&world).await;
    assert_eq!(first + rest, many);
    assert_eq!(there(&world, kinds::REVOKED_TOKEN), 0);
}
