//! The access log by itself: how many entries become durable in a second, and how soon a signed checkpoint covers them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use iris_audit::{Action, Actor, Audit, Event, Outcome as Ending};
use iris_kernel::{Clock as _, Tenant};
use iris_store::Stream;

use crate::Outcome;
use crate::installation::Installation;
use crate::report::{Report, thousands};

const CALLERS: u64 = 16;
const RUN: Duration = Duration::from_secs(5);
/// How often the way to a checkpoint is timed.
const TIMED: usize = 9;

pub(crate) fn measure(report: &mut Report) -> Outcome<()> {
    let place = Installation::open()?;
    let Installation { store, audit, clock, .. } = &place;
    let actor = Actor::new([0x11; 16], "figures");
    let mut event = Event::new(Tenant::DEFAULT, actor, Action::PhiRead, Ending::Success, clock.now());
    event.patients.push("8b0d1e3a-8c0a-4a57-9f5e-0f7f3f1f2b11".to_owned());
    event.resources.push("Patient/8b0d1e3a-8c0a-4a57-9f5e-0f7f3f1f2b11".to_owned());

    let rate = durable(audit, &event)?;
    let settled = audit.settle().size;
    let mut waits = Vec::with_capacity(TIMED);
    for _ in 0..TIMED {
        audit.record_blocking(&event)?;
        let (size, since) = (store.audit_head(Stream::Reads)?, Instant::now());
        while audit.status().size < size {
            std::thread::sleep(Duration::from_millis(1));
        }
        waits.push(since.elapsed());
    }
    waits.sort_unstable();
    let measured =
        format!("{}/s ({settled} entries); {:.2} s at the median", thousands(rate), waits[TIMED / 2].as_secs_f64());
    report.note("durable audit entries, 16 callers; entry to signed checkpoint", "40,000/s; 1 s", measured);
    Ok(())
}

fn durable(audit: &Arc<Audit>, event: &Event) -> Outcome<f64> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    let entries = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (audit, event, entries) = (audit.clone(), event.clone(), entries.clone());
            runtime.spawn(async move {
                while started.elapsed() < RUN {
                    audit.release(audit.seal((), vec![event.clone()])).await?;
                    entries.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, iris_audit::Unavailable>(())
            })
        })
        .collect();
    for caller in callers {
        runtime.block_on(caller)??;
    }
    Ok(entries.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64())
}
