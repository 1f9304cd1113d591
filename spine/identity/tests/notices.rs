//! What owners are told of changes to how they sign in, wherever an attacker would like it to go.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests")]

mod common;

use std::sync::Arc;

use common::clinic::permit;
use common::{PASSWORD, World, origin, secret};
use iris_access::{Caller, Origin, Role, Update};
use iris_audit::{Action, Outcome};
use iris_identity::factors::{Code, Site};
use iris_identity::messages::{Carriers, Language, Mail, Mailer, PLACES, Sending};
use iris_identity::{FirstPassword, Forgotten, Keeping, Login, NewAccount, ProfileChange, UserChange, UserView};
use iris_kernel::{Clock, Tenant};
use iris_testkit::{Authenticator, totp_code};

const NEW: &str = "a lamp under the willow tree";
const ORIGIN: &str = "https://iris.test";

/// Everybody's letter box: whom, what about, and the text.
#[derive(Default)]
struct Post(parking_lot::Mutex<Vec<(String, String, String)>>);

impl Mailer for Post {
    fn send<'a>(&'a self, mail: &'a Mail) -> Sending<'a> {
        let (to, subject) = (mail.to.as_str().to_owned(), mail.subject.to_owned());
        self.0.lock().push((to, subject, mail.text.expose().clone()));
        Box::pin(async { Ok(()) })
    }
}

struct Clinic {
    world: World,
    post: Arc<Post>,
}

impl Clinic {
    /// A clinic with a mail server, and `nora`, who reads mails at `nora@clinic.example`.
    async fn open() -> (Self, UserView) {
        let (world, post) = (World::new(), Arc::new(Post::default()));
        let mailer = Some(Arc::clone(&post) as _);
        world.identity.carriers_set(Carriers { mailer, texter: None, base_url: ORIGIN.into() });
        let clinic = Self { world, post };
        let nora = clinic.account("nora", &[Role::Nurse]).await;
        (clinic, nora)
    }

    async fn account(&self, name: &str, roles: &[Role]) -> UserView {
        let account = NewAccount {
            name: name.to_owned(),
            password: FirstPassword::Chosen(secret(PASSWORD)),
            roles: roles.iter().map(|role| role.name().to_owned()).collect(),
            email: Some(format!("{name}@clinic.example")),
            ..NewAccount::default()
        };
        let made = self.world.identity.account_create(&World::create(Tenant::DEFAULT), account).await.unwrap();
        let came = self.came().await;
        let token = came[0].2.split_once("#token=").unwrap().1.split_whitespace().next().unwrap().to_owned();
        self.world.identity.email_verify(&token, &origin("10.0.0.1")).await.unwrap();
        made
    }

    /// What came since the last time.
    async fn came(&self) -> Vec<(String, String, String)> {
        while self.world.identity.messages_deliver().await > 0 {}
        std::mem::take(&mut *self.post.0.lock())
    }

    /// The one message that came: whom it went to, and its text.
    #[track_caller]
    fn one(came: &[(String, String, String)]) -> (&str, &str) {
        let [(to, subject, text)] = came else { panic!("{came:?}") };
        assert_eq!(subject, "Your account was changed");
        (to, text)
    }

    async fn signed_in(&self, password: &str) -> Arc<Caller> {
        let from = origin("10.0.0.1");
        let login =
            self.world.identity.login(Tenant::DEFAULT, "nora", &secret(password), Keeping::Program, &from).await;
        let Login::Done(tokens) = login.unwrap() else { panic!("a second factor") };
        self.world.identity.authenticate(tokens.access.expose(), Origin::default()).await.unwrap()
    }
}

fn email(address: &str) -> ProfileChange {
    ProfileChange { email: Some(Some(address.to_owned())), ..ProfileChange::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_hears_of_every_change_to_how_they_sign_in() {
    let (clinic, nora) = Clinic::open().await;
    let world = &clinic.world;
    let me = clinic.signed_in(PASSWORD).await;
    world.identity.password_change(&me, (&secret(PASSWORD), &secret(NEW)), &origin("1")).await.unwrap();
    let came = clinic.came().await;
    let (to, text) = Clinic::one(&came);
    assert_eq!(to, "nora@clinic.example");
    assert!(text.starts_with("The password of your account was changed on ") && !text.contains("nora"), "{text}");

    let setup = world.identity.totp_setup(&me).await.unwrap();
    assert!(clinic.came().await.is_empty(), "a set-up that nobody confirmed changes nothing");
    let code = totp_code(setup.secret.expose(), world.clock.now());
    world.identity.totp_confirm(&me, &code).await.unwrap();
    assert!(Clinic::one(&clinic.came().await).1.contains("was added"));
    world.advance(30);
    let code = totp_code(setup.secret.expose(), world.clock.now());
    world.identity.step_up_by_code(&me, Code::App(&code)).await.unwrap();
    assert!(clinic.came().await.is_empty(), "a proof changes nothing");
    let site = Site::of(ORIGIN).unwrap();
    let begun = world.identity.passkey_register_begin(&me, &site).await.unwrap();
    let made = Authenticator::new("phone").make(&begun.options, ORIGIN).to_string();
    let end = (begun.token.expose().as_str(), made.as_bytes());
    let view = world.identity.passkey_register(&me, &site, end, "phone").await.unwrap();
    assert!(Clinic::one(&clinic.came().await).1.contains("was added"));
    world.identity.passkey_remove(&me, view.passkey.id).await.unwrap();
    assert!(Clinic::one(&clinic.came().await).1.contains("was removed"));
    world.advance(30);
    let code = totp_code(setup.secret.expose(), world.clock.now());
    world.identity.totp_disable(&me, Code::App(&code)).await.unwrap();
    assert!(Clinic::one(&clinic.came().await).1.contains("was removed"));

    world.identity.user_factors_reset(&World::update(Tenant::DEFAULT), nora.id).await.unwrap();
    assert!(clinic.came().await.is_empty(), "there was none any more");
    let whose = Forgotten::Name("nora".to_owned());
    world.identity.reset_ask(Some(Tenant::DEFAULT), &whose, Language::En, &origin("1")).await.unwrap();
    let came = clinic.came().await;
    let token = came[0].2.split_once("#token=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    world.identity.password_reset(&token, &secret(PASSWORD), &origin("1")).await.unwrap();
    assert!(Clinic::one(&clinic.came().await).1.contains("by a link"));
    let sent = world.entries(Tenant::DEFAULT).await;
    let sent =
        sent.iter().filter(|(action, outcome, _)| (*action, *outcome) == (Action::MessageSend, Outcome::Success));
    assert_eq!(sent.count(), 8, "each stands in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_takeover_whoever_changes_the_address_does_not_turn_the_notices_around() {
    let (clinic, _) = Clinic::open().await;
    let thief = clinic.signed_in(PASSWORD).await;
    // Nothing is delivered until all of it is done.
    let identity = &clinic.world.identity;
    identity.password_change(&thief, (&secret(PASSWORD), &secret(NEW)), &origin("1")).await.unwrap();
    identity.profile_change(&thief, &email("thief@evil.example")).await.unwrap();
    let came = clinic.came().await;
    let of = |address: &str| {
        came.iter().filter(|(to, ..)| to == address).map(|(.., text)| text.as_str()).collect::<Vec<_>>()
    };
    let (owner, other) = (of("nora@clinic.example"), of("thief@evil.example"));
    assert_eq!(owner.len(), 2, "{came:?}");
    assert!(owner.iter().any(|text| text.contains("password")) && owner.iter().any(|text| text.contains("e-mail")));
    assert!(other.len() == 1 && other[0].contains("#token="), "the new address is asked for its proof alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_who_changes_an_address_or_resets_factors_is_told_of_in_the_language_of_the_account() {
    let (clinic, nora) = Clinic::open().await;
    let me = clinic.signed_in(PASSWORD).await;
    let spanish = ProfileChange { language: Some(Some(Language::Es)), ..ProfileChange::default() };
    assert_eq!(clinic.world.identity.profile_change(&me, &spanish).await.unwrap().language, Some(Language::Es));
    assert!(clinic.came().await.is_empty());
    let setup = clinic.world.identity.totp_setup(&me).await.unwrap();
    let code = totp_code(setup.secret.expose(), clinic.world.clock.now());
    clinic.world.identity.totp_confirm(&me, &code).await.unwrap();
    clinic.came().await;
    let system = World::system(Tenant::DEFAULT);
    clinic.world.identity.user_factors_reset(&permit(&system, Update), nora.id).await.unwrap();
    let came = clinic.came().await;
    assert_eq!((came[0].1.as_str(), came.len()), ("Se ha modificado su cuenta", 1));
    let change = UserChange { email: Some(None), ..UserChange::default() };
    clinic.world.identity.user_change(&permit(&system, Update), nora.id, change).await.unwrap();
    let came = clinic.came().await;
    assert_eq!((came[0].0.as_str(), came.len()), ("nora@clinic.example", 1));
    assert!(came[0].2.contains("dirección de correo"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_on_a_new_device_is_told_of_once_an_hour_and_never_the_first() {
    let (clinic, _) = Clinic::open().await;
    let login = async |device: Option<String>| {
        let from = Origin { device: device.map(Into::into), ..origin("10.0.0.1") };
        let login =
            clinic.world.identity.login(Tenant::DEFAULT, "nora", &secret(PASSWORD), Keeping::Program, &from).await;
        let Login::Done(tokens) = login.unwrap() else { panic!("a second factor") };
        tokens.device.unwrap().expose().clone()
    };
    let known = login(None).await;
    assert!(clinic.came().await.is_empty(), "the first sign-in");
    login(Some(known.clone())).await;
    assert!(clinic.came().await.is_empty(), "a known device");
    login(None).await;
    let came = clinic.came().await;
    assert_eq!((came[0].1.as_str(), came.len()), ("A sign-in on a new device", 1));
    login(None).await;
    assert!(clinic.came().await.is_empty(), "not again within the hour");
    clinic.world.advance(3_600);
    login(None).await;
    assert_eq!(clinic.came().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_a_flood_of_questions_keeps_no_notice_away() {
    let (clinic, _) = Clinic::open().await;
    let identity = &clinic.world.identity;
    let me = clinic.signed_in(PASSWORD).await;
    let mut refused = 0;
    for number in 0..2 * PLACES {
        let (whose, from) =
            (Forgotten::Name(format!("n{number}")), origin(&format!("198.51.{}.{}", number / 200, number % 200)));
        refused += u16::from(identity.reset_ask(Some(Tenant::DEFAULT), &whose, Language::En, &from).await.is_err());
    }
    assert!(refused > PLACES / 2, "{refused}");
    let passwords = [PASSWORD, NEW];
    for round in 0..5 {
        let (old, new) = (passwords[round % 2], passwords[(round + 1) % 2]);
        identity.password_change(&me, (&secret(old), &secret(new)), &origin("1")).await.unwrap();
    }
    let came = clinic.came().await;
    assert_eq!(came.iter().filter(|(_, subject, _)| subject == "Your account was changed").count(), 5, "{came:?}");
}
