//! Making a connection to one of several servers, each of which may be dead, or worse: there, and silent.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool_postgres::Connect;
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

/// Tries the servers of a URL one after the other, beginning with the one that took the last connection, and gives each the
/// same time for everything until it has said whether it takes writes. The driver's own limit ends with the handshake of TCP,
/// and a server that hangs would keep everybody from the next one.
pub(super) struct Hosts<T> {
    tls: T,
    patience: Duration,
    last: AtomicUsize,
}

impl<T> Hosts<T> {
    pub(super) fn new(tls: T, patience: Duration) -> Self {
        Self { tls, patience, last: AtomicUsize::new(0) }
    }
}

impl<T> Connect for Hosts<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(
        &self,
        config: &Config,
    ) -> Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + '_>> {
        let servers = servers(config);
        Box::pin(async move {
            let first = self.last.load(Ordering::Relaxed);
            let mut refused = None;
            for turn in 0..servers.len() {
                let at = (first + turn) % servers.len();
                match tokio::time::timeout(self.patience, servers[at].connect(self.tls.clone())).await {
                    Ok(Ok((client, connection))) => {
                        self.last.store(at, Ordering::Relaxed);
                        let task = tokio::spawn(async move {
                            if let Err(cause) = connection.await {
                                tracing::debug!(%cause, "a connection to the database ended");
                            }
                        });
                        return Ok((client, task));
                    }
                    Ok(Err(error)) => refused = Some(error),
                    Err(_late) => {}
                }
            }
            // Where nobody has said anything, the pool's own limit says that it took too long.
            match refused {
                Some(error) => Err(error),
                None => std::future::pending().await,
            }
        })
    }
}

/// The settings for each server alone.
fn servers(config: &Config) -> Vec<Config> {
    if config.get_hosts().len() < 2 || config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        return vec![config.clone()];
    }
    let ports = config.get_ports();
    let port = |at: usize| ports.get(at).or(ports.first()).copied();
    let alone = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let mut one = blank(config);
        match host {
            Host::Tcp(name) => one.host(name),
            Host::Unix(path) => one.host_path(path),
        };
        if let Some(port) = port(at) {
            one.port(port);
        }
        one
    });
    alone.collect()
}

/// The same settings without a server.
fn blank(config: &Config) -> Config {
    let mut one = Config::new();
    one.ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle());
    if let Some(user) = config.get_user() {
        one.user(user);
    }
    if let Some(password) = config.get_password() {
        one.password(password);
    }
    if let Some(name) = config.get_dbname() {
        one.dbname(name);
    }
    if let Some(options) = config.get_options() {
        one.options(options);
    }
    if let Some(name) = config.get_application_name() {
        one.application_name(name);
    }
    if let Some(limit) = config.get_connect_timeout() {
        one.connect_timeout(*limit);
    }
    if let Some(limit) = config.get_tcp_user_timeout() {
        one.tcp_user_timeout(*limit);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        one.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        one.keepalives_retries(retries);
    }
    one
}
