//! Sign-ins and the look at a token, without the network: how long a password takes alone and with fifty at once, and what a request
//! pays to know who asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use iris_access::{Caller, Create, Facts, Named, Origin, Role, RoleSet, decide};
use iris_audit::Audit;
use iris_identity::{Identity, Keeping, Login, NewUser};
use iris_kernel::{Entropy, Secret, Tenant};
use iris_store::{Store, StoreConfig, keyfile};
use iris_testkit::{ManualClock, SeededEntropy};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::report::Report;

/// Accounts, and sign-ins at once.
const AT_ONCE: usize = 50;
/// Rounds of each.
const ROUNDS: usize = 4;
/// Looks at a token that was verified before.
const LOOKS: u32 = 200_000;
const PASSWORD: &str = "correct horse battery staple";

pub(crate) fn measure(report: &mut Report) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    let clock = Arc::new(ManualClock::default());
    let keys = keyfile::open_or_create(&folder.path().join("key"), None, entropy.clone(), true)?;
    let data = folder.path().join("data");
    let store = Store::open(StoreConfig::new(data), Arc::new(keys), clock.clone(), entropy.clone())?;
    let audit = Arc::new(Audit::open(store.clone(), clock.clone(), entropy.clone())?);
    let identity = Arc::new(Identity::open(store, audit, clock, entropy)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build()?;
    runtime.block_on(async {
        make_users(&identity).await?;
        let (mut alone, mut together) = (Vec::new(), Vec::new());
        for number in 0..AT_ONCE * ROUNDS {
            alone.push(sign_in(&identity, number % AT_ONCE).await?.0);
        }
        for _ in 0..ROUNDS {
            let mut all = JoinSet::new();
            for number in 0..AT_ONCE {
                let identity = Arc::clone(&identity);
                all.spawn(
                    async move { sign_in(&identity, number).await.map(|(time, _)| time).map_err(|e| e.to_string()) },
                );
            }
            for time in all.join_all().await {
                together.push(time?);
            }
        }
        let measured = format!("{:.0} ms alone, {:.0} ms with {AT_ONCE} at once", p95_ms(alone), p95_ms(together));
        report.note("sign-in, p95", "200 ms; 1 s", measured);
        let (_, token) = sign_in(&identity, 0).await?;
        let begun = Instant::now();
        for _ in 0..LOOKS {
            std::hint::black_box(identity.authenticate(&token, Origin::default()).await?);
        }
        let each = begun.elapsed().as_secs_f64() / f64::from(LOOKS) * 1e6;
        report.note("who is asking, from a token that was verified before", "5 µs", format!("{each:.1} µs"));
        Ok(())
    })
}

async fn make_users(identity: &Identity) -> Outcome<()> {
    let system = Arc::new(Caller::system(Tenant::DEFAULT, "figures", "figures"));
    let permit = decide(&system, Create, &Facts::named(Named::Accounts))?;
    for number in 0..AT_ONCE {
        let (password, roles) = (Secret::new(PASSWORD.to_owned()), RoleSet::of(&[Role::Nurse]));
        let user = NewUser { name: format!("nurse{number}"), password, roles, patient: None };
        identity.user_create(&permit, user).await?;
    }
    Ok(())
}

async fn sign_in(identity: &Identity, number: usize) -> Outcome<(Duration, String)> {
    let origin = Origin { address: Some(format!("10.0.0.{number}").into()), ..Origin::default() };
    let (name, password) = (format!("nurse{number}"), Secret::new(PASSWORD.to_owned()));
    let begun = Instant::now();
    match identity.login(Tenant::DEFAULT, &name, &password, Keeping::Browser, &origin).await? {
        Login::Done(tokens) => Ok((begun.elapsed(), tokens.access.expose().clone())),
        Login::Challenge(_) => Err("a second factor was asked for".into()),
    }
}

fn p95_ms(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    let at = (times.len() * 95).div_ceil(100).saturating_sub(1);
    times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
