//! How fast the store is on this machine, beside the flush time of its disk: `cargo run --release -p iris-store --example
//! store-speed --features testing -- FOLDER`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measurement, not a part of the product"
)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use iris_kernel::{Clock, Entropy, Kind, Seq, Tenant, Timestamp};
use iris_store::testing::simple;
use iris_store::{AuditRow, ClaimExpect, ClaimScope, Expect, KeyOwner, Put, Store, StoreConfig, keyfile};

const KIND: Kind = Kind(3);
const ONE: Tenant = Tenant::DEFAULT;

struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(0)
    }
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let next = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}

fn body(id: &str) -> Vec<u8> {
    format!(
        "{{\"resourceType\":\"Observation\",\"id\":\"{id}\",\"meta\":{{\"versionId\":\"1\",\"lastUpdated\":\"2026-11-22T00:14:33.123Z\"}},\
         \"status\":\"final\",\"category\":[{{\"coding\":[{{\"system\":\"http://terminology.hl7.org/CodeSystem/observation-category\",\
         \"code\":\"laboratory\",\"display\":\"laboratory\"}}]}}],\"code\":{{\"coding\":[{{\"system\":\"http://loinc.org\",\"code\":\"6690-2\",\
         \"display\":\"Leukocytes\"}}],\"text\":\"Leukocytes\"}},\"subject\":{{\"reference\":\"Patient/{id}\"}},\
         \"effectiveDateTime\":\"2020-02-27T14:17:57+01:00\",\"valueQuantity\":{{\"value\":3.4157,\"unit\":\"10*3/uL\",\
         \"system\":\"http://unitsofmeasure.org\",\"code\":\"10*3/uL\"}}}}"
    )
    .into_bytes()
}

fn id_of(at: usize) -> String {
    format!("{:08x}-0000-4000-8000-{:012x}", at * 2_654_435_761 % 0xFFFF_FFFF, at)
}

fn quantile(times: &mut [Duration], share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize]
}

fn put(store: &Store, at: usize) {
    let id = id_of(at);
    let record = store.record_id(ONE, KIND, &id);
    let mut tx = store.begin(ONE);
    let patient = store.record_id(ONE, KIND, &id_of(at % 1_000));
    tx.put(Put { owner: KeyOwner::Patient(patient), ..simple(KIND, &id, Expect::Absent, 1, &body(&id)) });
    tx.claim(ClaimScope(1), &[id.as_bytes()], ClaimExpect::Absent, record);
    tx.audit(AuditRow { header: vec![1; 90], details: vec![2; 160] });
    tx.commit_blocking().unwrap();
}

/// Runs `act` on so many threads, with every number below `total` once; prints the rate and the quantiles.
fn measure(name: &str, threads: usize, total: usize, act: impl Fn(usize) + Sync) {
    let next = AtomicU64::new(0);
    let start = Instant::now();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let work = || {
            let mut times = Vec::new();
            loop {
                let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap();
                if at >= total {
                    return times;
                }
                let begin = Instant::now();
                act(at);
                times.push(begin.elapsed());
            }
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let rate = total as f64 / start.elapsed().as_secs_f64();
    let (half, most) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    println!("{name:<44} {rate:>9.0}/s   p50 {half:>9.1?}   p99 {most:>9.1?}");
}

fn flush_time(folder: &Path) -> Duration {
    let mut file = std::fs::File::create(folder.join("flush")).unwrap();
    file.write_all(&vec![0; 4 << 20]).unwrap();
    file.sync_all().unwrap();
    let mut times: Vec<Duration> = (0..300)
        .map(|_| {
            let begin = Instant::now();
            file.write_all(&[1; 4096]).unwrap();
            file.sync_data().unwrap();
            begin.elapsed()
        })
        .collect();
    quantile(&mut times, 0.5)
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let entropy: Arc<dyn Entropy> = Arc::new(Counting(AtomicU64::new(u64::from(std::process::id()) << 40)));
    std::fs::create_dir_all(&folder).unwrap();
    println!("flush of the disk: p50 {:?}", flush_time(&folder));
    let key = keyfile::open_or_create(&folder.join("key"), None, Arc::clone(&entropy), true).unwrap();
    let clock = Arc::new(Wall(Instant::now()));
    let store = Store::open(StoreConfig::new(&folder), Arc::new(key), clock, entropy).unwrap();
    let total = 40_000;
    measure("create, 16 threads", 16, total, |at| put(&store, at));
    measure("create, 1 thread", 1, 2_000, |at| put(&store, total + at));
    measure("100 puts in one set, 16 threads (sets)", 16, 400, |at| {
        let mut tx = store.begin(ONE);
        for part in 0..100 {
            let id = id_of(1_000_000 + at * 100 + part);
            tx.put(simple(KIND, &id, Expect::Absent, 1, &body(&id)));
        }
        tx.commit_blocking().unwrap();
    });
    let read = |at: usize| assert!(store.current(ONE, KIND, &id_of(at % total)).unwrap().is_some());
    measure("read by id, one record, 1 thread", 1, 200_000, |_| read(7));
    measure("read by id, all records, 1 thread", 1, 200_000, |at| read(at * 7_919));
    measure("read by id, all records, 2 threads", 2, 400_000, |at| read(at * 7_919));
    let seqs: Vec<Seq> = (0..20).map(|at| Seq(at * 1_000 + 1)).collect();
    measure("20 rows by sequence, 1 thread", 1, 20_000, |_| drop(store.rows(ONE, &seqs).unwrap()));
    let entry = || vec![AuditRow { header: vec![1; 90], details: vec![2; 160] }];
    measure("journal append, 16 threads", 16, 200_000, |_| store.journal().append_blocking(entry()).unwrap());
    measure("journal append, 1 thread", 1, 5_000, |_| store.journal().append_blocking(entry()).unwrap());
    let begin = Instant::now();
    assert!(store.scrub().unwrap().is_good());
    println!("scrub of {} rows: {:?}", store.head().0, begin.elapsed());
    store.close();
    let bytes = std::fs::metadata(folder.join("iris.db")).unwrap().len();
    println!("database: {} bytes", bytes);
}
