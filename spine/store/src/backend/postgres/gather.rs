//! Reads of single records that come at the same moment are asked together: one transaction and one statement for all that wait.
//! A lone one goes at once; under load the price of a round trip is shared.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use iris_kernel::{Kind, RecordId, Tenant};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};
use tokio_postgres::Row;

use super::link::{Fault, Link, Values};
use super::sql;
use crate::backend::Scope;

/// Transactions under way at a time.
const ASKERS: usize = 4;
/// Most records asked for in one of them.
const TOGETHER_MAX: usize = 64;

/// Someone who waits for a record.
struct Asking {
    tenant: Tenant,
    kind: i32,
    record: RecordId,
    answer: oneshot::Sender<Result<Option<Row>, Fault>>,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<VecDeque<Asking>>,
    arrived: Notify,
}

/// Asks one server for the newest rows of records.
pub(super) struct Gather {
    shared: Arc<Shared>,
}

impl Gather {
    pub(super) fn start(link: &Arc<Link>) -> Self {
        let shared = Arc::new(Shared::default());
        for _ in 0..ASKERS {
            link.spawn(serve(Arc::downgrade(link), Arc::clone(&shared)));
        }
        Self { shared }
    }

    /// The newest row of a record with its pointer, as [`sql::CURRENT`] gives it.
    pub(super) fn current(
        &self,
        link: &Link,
        tenant: Tenant,
        kind: Kind,
        record: RecordId,
    ) -> Result<Option<Row>, Fault> {
        let (answer, answered) = oneshot::channel();
        let asking = Asking { tenant, kind: i32::from(kind.0), record, answer };
        self.shared.waiting.lock().push_back(asking);
        self.shared.arrived.notify_one();
        link.wait(answered)?.unwrap_or_else(|_| Err(Fault::Away("nobody answered".into())))
    }
}

async fn serve(link: Weak<Link>, shared: Arc<Shared>) {
    loop {
        let asking = take(&shared);
        let Some(first) = asking.first() else {
            shared.arrived.notified().await;
            continue;
        };
        let Some(link) = link.upgrade() else { return };
        let tenant = first.tenant;
        let kinds: Vec<i32> = asking.iter().map(|one| one.kind).collect();
        let records: Vec<&[u8]> = asking.iter().map(|one| &one.record.0[..]).collect();
        let number = i64::from(tenant.0);
        let values: Values<'_> = &[&number, &kinds, &records];
        let rows = link.ask_together(Scope::Tenant(tenant), &sql::CURRENT, values).await;
        answer(asking, rows);
    }
}

/// The next ones of one tenant; another asker is woken for the others.
fn take(shared: &Shared) -> Vec<Asking> {
    let mut waiting = shared.waiting.lock();
    let Some(tenant) = waiting.front().map(|first| first.tenant) else { return Vec::new() };
    let mut taken = Vec::new();
    let mut others = VecDeque::new();
    while let Some(one) = waiting.pop_front() {
        if one.tenant == tenant && taken.len() < TOGETHER_MAX {
            taken.push(one);
        } else {
            others.push_back(one);
        }
    }
    *waiting = others;
    if !waiting.is_empty() {
        shared.arrived.notify_one();
    }
    taken
}

/// Gives each its row by its place; whoever has gone meanwhile is no fault.
fn answer(asking: Vec<Asking>, rows: Result<Vec<Row>, Fault>) {
    match rows {
        Ok(rows) => {
            let mut by_place: Vec<Option<Row>> = asking.iter().map(|_| None).collect();
            for row in rows {
                let place =
                    row.try_get::<_, i64>(sql::CURRENT_PLACE).ok().and_then(|place| usize::try_from(place).ok());
                if let Some(slot) = place.and_then(|place| by_place.get_mut(place.checked_sub(1)?)) {
                    *slot = Some(row);
                }
            }
            for (one, row) in asking.into_iter().zip(by_place) {
                drop(one.answer.send(Ok(row)));
            }
        }
        Err(fault) => {
            for one in asking {
                drop(one.answer.send(Err(fault.again())));
            }
        }
    }
}
