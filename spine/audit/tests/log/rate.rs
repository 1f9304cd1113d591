//! How fast, on this machine. Not a test but a measurement: `cargo test --release -p iris-audit -- --ignored --nocapture rate`.
#![allow(clippy::disallowed_methods, reason = "measures real time")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use iris_audit::{Action, Filter, Page, verify_file};
use iris_kernel::Tenant;

use crate::house::Folder;

const CALLERS: u64 = 16;

#[test]
#[ignore = "a measurement of several seconds"]
fn rate() {
    let folder = Folder::new();
    let house = Arc::new(folder.open());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let event = folder.event(Action::PhiRead, "8b0d1e3a-8c0a-4a57-9f5e-0f7f3f1f2b11");

    let started = Instant::now();
    let count = 200_000_u32;
    (0..count).for_each(|_| drop(house.audit.row(&event).unwrap()));
    println!("sealing an entry: {:?}", started.elapsed() / count);

    let entries = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let run = Duration::from_secs(5);
    runtime.block_on(async {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (house, event, entries) = (Arc::clone(&house), event.clone(), Arc::clone(&entries));
                tokio::spawn(async move {
                    while started.elapsed() < run {
                        house.audit.release(house.audit.seal((), vec![event.clone()])).await.unwrap();
                        entries.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.unwrap();
        }
    });
    let total = entries.load(Ordering::Relaxed);
    println!("durable entries/s, {CALLERS} callers: {:.0}", total as f64 / started.elapsed().as_secs_f64());
    let behind = Instant::now();
    assert_eq!(house.audit.settle().size, total);
    println!("from the last entry to its checkpoint, asked for: {:?}", behind.elapsed());

    let mut waits: Vec<Duration> = (0..10)
        .map(|_| {
            house.audit.record_blocking(&event).unwrap();
            let (size, since) = (house.store.audit_head(iris_store::Stream::Reads).unwrap(), Instant::now());
            while house.audit.status().size < size {
                std::thread::yield_now();
            }
            since.elapsed()
        })
        .collect();
    waits.sort_unstable();
    println!("from an entry to its checkpoint, not asked for: {:?} to {:?}", waits[0], waits[9]);

    let started = Instant::now();
    let report = house.audit.verify(|_, _| {}).unwrap();
    assert!(report.good());
    println!("verified online: {:.0} entries/s", report.size as f64 / started.elapsed().as_secs_f64());

    let receipt = house.audit.record_blocking(&event).unwrap();
    let (mut file, started) = (Vec::new(), Instant::now());
    let size = house.audit.export(&mut file, iris_audit::Opening::All, &receipt).unwrap();
    println!(
        "exported: {:.0} entries/s, {} B each",
        size as f64 / started.elapsed().as_secs_f64(),
        file.len() as u64 / size
    );
    let started = Instant::now();
    assert!(verify_file(file.as_slice(), &house.audit.public_key()).unwrap().good());
    println!("verified offline: {:.0} entries/s", size as f64 / started.elapsed().as_secs_f64());

    let mut filter = Filter::tenant(Tenant::DEFAULT);
    filter.patient = Some("nobody".to_owned());
    let started = Instant::now();
    house.found(&folder, &filter, Page { before: None, size: 20 });
    println!("a query that opens as many entries as one call may: {:?}", started.elapsed());
}
