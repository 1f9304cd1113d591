//! How long a sign-in takes through HTTP, with the hash of the product: one account after the other, and fifty at the same moment.

use std::time::Instant;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::Outcome;
use crate::client::{Failed, connect, exchange};
use crate::process::{PASSWORD, Place, Serving};
use crate::report::{Report, median};

/// Accounts, and sign-ins at once.
const ACCOUNTS: usize = 50;
const PASSES: usize = 7;

pub(crate) fn measure(report: &mut Report, binary: &std::path::Path) -> Outcome<()> {
    let place = Place::new(binary, None)?;
    let serving = Serving::start(&place)?;
    for number in 0..ACCOUNTS {
        place.user(&name(number), "nurse", 1)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build()?;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for _ in 0..PASSES {
        let (one, all) = runtime.block_on(pass(serving.authority())).map_err(|failed| failed.to_string())?;
        alone.push(p95(one));
        together.push(p95(all));
    }
    let passes = |of: Vec<f64>| format!("{:.0} ms, the median of {PASSES} passes of {ACCOUNTS} accounts", median(of));
    report.note("sign-in through HTTP, one after the other, p95", "200 ms", passes(alone));
    report.note("… 50 at the same moment, p95", "1,000 ms", passes(together));
    serving.stop()
}

fn name(number: usize) -> String {
    format!("nurse{number}")
}

/// Milliseconds of each account's sign-in: alone, and with all others.
async fn pass(authority: &str) -> Result<(Vec<f64>, Vec<f64>), Failed> {
    let mut alone = Vec::with_capacity(ACCOUNTS);
    for number in 0..ACCOUNTS {
        alone.push(timed(authority.to_owned(), number).await?);
    }
    let mut all = JoinSet::new();
    for number in 0..ACCOUNTS {
        all.spawn(timed(authority.to_owned(), number));
    }
    let together = all.join_all().await.into_iter().collect::<Result<_, _>>()?;
    Ok((alone, together))
}

async fn timed(authority: String, number: usize) -> Result<f64, Failed> {
    let begun = Instant::now();
    sign_in(&authority, &name(number), None).await?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

/// Signs somebody in on a new connection, and gives the access token.
pub(crate) async fn sign_in(authority: &str, name: &str, tenant: Option<&str>) -> Result<String, Failed> {
    let mut body = json!({ "username": name, "password": PASSWORD });
    if let Some(tenant) = tenant {
        body["tenant"] = tenant.into();
    }
    let request = Request::builder()
        .method(Method::POST)
        .uri("/api/v1/auth/login")
        .header("host", authority)
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))?;
    let answer = exchange(&mut connect(authority).await?, request).await?;
    let tokens: Value = serde_json::from_slice(&answer)?;
    Ok(tokens["access_token"].as_str().ok_or("no access token")?.to_owned())
}

fn p95(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = (times.len() * 95).div_ceil(100).saturating_sub(1);
    times.get(at).copied().unwrap_or(f64::NAN)
}
