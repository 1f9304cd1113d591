//! Pools of connections, and how each connection is made.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};

use super::hosts::Hosts;
use super::pulse::Pulse;
use super::session::ANSWER_MAX;
use super::tls;
use crate::config::{PostgresConfig, Server};
use crate::error::StoreError;

/// How long a connection may take to be made, for each host of the URL.
pub(super) const CONNECT_MAX: Duration = Duration::from_secs(3);
/// How much longer it may take in all.
const CONNECT_MORE: Duration = Duration::from_millis(500);
/// When a connection on which nothing happens is asked whether it is still there, how often again, and how many times.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVE_REST: Duration = Duration::from_secs(2);
const KEEPALIVES: u32 = 2;
/// How long something sent may stay without the other machine's having received it.
const UNHEARD_MAX: Duration = Duration::from_secs(6);

/// What ends a wait for a lock that nobody waits for any more: of a statement that says nothing else of it.
const LOCK_MAX: &str = "-c lock_timeout=6s";

/// What makes a server keep the one plan of each statement.
const ONE_PLAN: &str = "-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off \
    -c enable_mergejoin=off -c jit=off";

/// Makes none yet.
pub(super) fn pool(
    config: &PostgresConfig,
    server: &Server,
    size: usize,
    pulse: &Arc<Pulse>,
) -> Result<Pool, StoreError> {
    let (mut postgres, tls) = tls::settings(config, server)?;
    if !config.pooler {
        // For each statement here there is one plan: from what is asked about to the rows, by a primary key. Left alone, the
        // server makes a plan anew for every short array, which takes longer than to follow it; and one that it keeps from when a
        // table was small reads the whole table ever after. A pooler refuses words at the start of a session.
        let own = postgres.get_options().map(|own| format!("{own} ")).unwrap_or_default();
        postgres.options(format!("{own}{ONE_PLAN} {LOCK_MAX}"));
    }
    let connect = postgres.get_connect_timeout().copied().unwrap_or(CONNECT_MAX);
    postgres
        .application_name("iris")
        .connect_timeout(connect)
        .keepalives_idle(KEEPALIVE)
        .keepalives_interval(KEEPALIVE_REST)
        .keepalives_retries(KEEPALIVES)
        .tcp_user_timeout(UNHEARD_MAX);
    let hosts = postgres.get_hosts().len().max(postgres.get_hostaddrs().len());
    let hosts = u32::try_from(hosts.max(1)).unwrap_or(u32::MAX);
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match tls {
        Some(tls) => Manager::from_connect(postgres, Hosts::new(tls, connect, pulse), manager),
        None => Manager::from_connect(postgres, Hosts::new(tokio_postgres::NoTls, connect, pulse), manager),
    };
    let age_max = config.recycle;
    let pool = Pool::builder(manager)
        .max_size(size.max(1))
        .wait_timeout(Some(config.wait.min(ANSWER_MAX)))
        .create_timeout(Some(connect.saturating_mul(hosts).saturating_add(CONNECT_MORE)))
        .recycle_timeout(Some(CONNECT_MAX))
        .runtime(Runtime::Tokio1)
        .pre_recycle(Hook::sync_fn(move |_, metrics| {
            if metrics.age() > age_max { Err(HookError::message("old enough")) } else { Ok(()) }
        }))
        .build();
    pool.map_err(|error| StoreError::Unavailable(format!("no pool for the database: {error}")))
}
