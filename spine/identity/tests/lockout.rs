//! Whoever guesses passwords is slowed down, and keeps nobody out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "these are tests, and one measures time"
)]

mod common;

use std::time::{Duration, Instant};

use common::{PASSWORD, World, origin, secret, signed_in};
use iris_access::{AccessError, Origin, Role};
use iris_identity::imported::Imported;
use iris_identity::throttle::{ACCOUNT_FAILURES_FREE, FAILURES_FREE, WAIT_MAX};
use iris_identity::{Enabled, FirstPassword, Keeping, NewAccount};
use iris_kernel::Tenant;

async fn tried(world: &World, name: &str, password: &str, from: &Origin) -> Result<(), AccessError> {
    world.identity.login(Tenant::DEFAULT, name, &secret(password), Keeping::Program, from).await.map(drop)
}

/// An address of its own for each number.
fn source(number: u32) -> Origin {
    origin(&format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255))
}

fn with_device(from: Origin, device: &str) -> Origin {
    Origin { device: Some(device.into()), ..from }
}

async fn device_of(world: &World, name: &str) -> String {
    let tokens = signed_in(&world.identity, name, &origin("192.0.2.1")).await;
    tokens.device.expect("a sign-in makes the device known").expose().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_ten_thousand_failures_from_many_sources_do_not_keep_the_owner_out() {
    const HOSTILE: u32 = 10_000;
    const SECONDS: u64 = 2;
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let device = device_of(&world, "alice").await;
    let (mut checked, mut turned_away) = (0, 0);
    for number in 0..HOSTILE {
        match tried(&world, "alice", "guess", &source(number)).await.unwrap_err() {
            AccessError::Credentials => checked += 1,
            AccessError::TooMany { retry } => {
                assert!(retry <= WAIT_MAX);
                turned_away += 1;
            }
            other => panic!("{other}"),
        }
        world.advance(SECONDS);
        if number % 2_500 == 2_499 {
            // In the middle of it, from an address that nobody has seen, even one of the attacker's.
            tried(&world, "Alice", PASSWORD, &with_device(source(number), &device)).await.unwrap();
        }
    }
    assert_eq!(checked + turned_away, HOSTILE);
    // The free ones, those while the wait grew, and one in each longest wait.
    let bound = ACCOUNT_FAILURES_FREE + 16 + u32::try_from(u64::from(HOSTILE) * SECONDS / WAIT_MAX.as_secs()).unwrap();
    assert!(checked <= bound, "guesses whose password was looked at: {checked} of at most {bound}");
    // Who has no known device waits, but never for long, and the rest of the clinic does not.
    world.advance(WAIT_MAX.as_secs());
    tried(&world, "alice", PASSWORD, &origin("198.51.100.7")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_a_flood_from_the_clinics_own_address_does_not_keep_known_devices_out() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let device = device_of(&world, "alice").await;
    let here = origin("192.0.2.1");
    for number in 0..110 {
        let _ = tried(&world, &format!("nobody{number}"), "guess", &here).await;
    }
    let stranger = tried(&world, "alice", PASSWORD, &here).await.unwrap_err();
    assert!(matches!(stranger, AccessError::TooMany { .. }), "the address is throttled");
    tried(&world, "alice", PASSWORD, &with_device(here, &device)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_a_stolen_device_token_guesses_no_faster_and_helps_with_no_other_account() {
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    world.user(Tenant::DEFAULT, "bob", &[Role::Nurse]).await;
    let device = device_of(&world, "alice").await;
    let mut checked = 0;
    for number in 0..50 {
        let thief = with_device(source(number), &device);
        checked += u32::from(matches!(tried(&world, "alice", "guess", &thief).await, Err(AccessError::Credentials)));
    }
    assert_eq!(checked, FAILURES_FREE, "whatever address it comes from");
    let elsewhere = tried(&world, "alice", PASSWORD, &origin("198.51.100.7")).await;
    assert!(elsewhere.is_ok(), "the thief has locked out the stolen device alone");
    for _ in 0..10 {
        let _ = tried(&world, "bob", "guess", &with_device(origin("203.0.113.9"), &device)).await;
    }
    let bob = tried(&world, "bob", PASSWORD, &with_device(origin("203.0.113.9"), &device)).await;
    assert!(matches!(bob, Err(AccessError::TooMany { .. })), "alice's device is a stranger to bob");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_credential_stuffing_from_one_network_is_bounded() {
    let world = World::new();
    let mut checked = 0;
    for number in 0..300_u32 {
        // One network of 64 bits has any number of addresses.
        let from = origin(&format!("2001:db8:1:2::{number:x}"));
        let result = tried(&world, &format!("user{number}"), "leaked password", &from).await;
        checked += u32::from(matches!(result, Err(AccessError::Credentials)));
    }
    assert!(checked <= 101, "{checked}");
}

/// The attack is enumeration by time. Medians of interleaved tries, with a bound far above the noise and far below what leaving out
/// argon2id would make (more than a hundredfold).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_enumeration_by_time_tells_no_account_from_none() {
    const ROUNDS: usize = 9;
    let world = World::new();
    world.user(Tenant::DEFAULT, "alice", &[Role::Nurse]).await;
    let bob = world.user(Tenant::DEFAULT, "bob", &[Role::Nurse]).await;
    world.identity.user_enable(&World::update(Tenant::DEFAULT), bob.id, Enabled::No).await.unwrap();
    // Two whose hashes came from other systems, of another cost each.
    for (name, cost) in [("carol", 6), ("dave", 8)] {
        let hash = bcrypt::hash_with_salt(PASSWORD, cost, [7; 16]).unwrap().to_string();
        let account = NewAccount {
            name: name.to_owned(),
            password: FirstPassword::Imported(Imported::parse(&hash, "password").unwrap()),
            roles: vec!["nurse".to_owned()],
            ..NewAccount::default()
        };
        world.identity.account_create(&World::create(Tenant::DEFAULT), account).await.unwrap();
    }
    let names = ["alice", "nobody", "bob", "carol", "dave"];
    let mut times = [const { Vec::new() }; 5];
    for round in 0..ROUNDS {
        for (number, name) in names.iter().enumerate() {
            let from = source(u32::try_from(round * 10 + number).unwrap());
            let begun = Instant::now();
            let refused = tried(&world, name, "wrong password", &from).await.unwrap_err();
            times[number].push(begun.elapsed());
            assert_eq!(refused.to_string(), AccessError::Credentials.to_string());
        }
    }
    let medians = times.map(|mut times: Vec<Duration>| {
        times.sort_unstable();
        times[ROUNDS / 2]
    });
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    assert!(*most < *least * 2, "{names:?}: {medians:?}");
}
