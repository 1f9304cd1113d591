//! Making a connection to one of several servers, each of which may be dead, or worse: there, and silent.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::Connect;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, Socket};

use super::pulse::Pulse;

/// Tries the servers of a URL one after the other, beginning with the one that took the last connection, and gives each the
/// same time for everything until it has said whether it takes writes. The driver's own limit ends with the handshake of TCP,
/// and a server that hangs would keep everybody from the next one.
pub(super) struct Hosts<T> {
    tls: T,
    patience: Duration,
    pulse: Arc<Pulse>,
}

impl<T> Hosts<T> {
    pub(super) fn new(tls: T, patience: Duration, pulse: &Arc<Pulse>) -> Self {
        Self { tls, patience, pulse: Arc::clone(pulse) }
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
            let first = self.pulse.place();
            let mut refused = None;
            for turn in 0..servers.len() {
                let at = (first + turn) % servers.len();
                match tokio::time::timeout(self.patience, servers[at].connect(self.tls.clone())).await {
                    Ok(Ok((client, connection))) => {
                        self.pulse.took(at);
                        return Ok((client, tokio::spawn(drive(connection, Arc::clone(&self.pulse)))));
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

/// Moves what is said on a connection, until it ends.
async fn drive<S, T>(mut connection: Connection<S, T>, pulse: Arc<Pulse>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = std::future::poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => {
                tracing::debug!(code = notice.code().code(), "the database notes: {}", notice.message());
                pulse.noticed(&notice);
            }
            Ok(_) => {}
            Err(cause) => {
                tracing::debug!(%cause, "a connection to the database ended");
                return;
            }
        }
    }
}

/// The settings for each server alone.
fn servers(config: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    if count < 2 || config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        return vec![config.clone()];
    }
    let alone = (0..count).map(|at| {
        let mut one = blank(config);
        match hosts.get(at) {
            Some(Host::Tcp(name)) => one.host(name),
            Some(Host::Unix(path)) => one.host_path(path),
            None => &mut one,
        };
        if let Some(address) = addresses.get(at) {
            one.hostaddr(*address);
        }
        if let Some(port) = ports.get(at).or(ports.first()) {
            one.port(*port);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str) -> Vec<(usize, Vec<std::net::IpAddr>, Vec<u16>)> {
        let config: Config = url.parse().unwrap();
        let alone = servers(&config);
        alone
            .iter()
            .map(|one| (one.get_hosts().len(), one.get_hostaddrs().to_vec(), one.get_ports().to_vec()))
            .collect()
    }

    #[test]
    fn each_server_keeps_its_address_and_port() {
        let (one, two) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let named = told("postgres://u@a:1,b:2/d?hostaddr=10.0.0.1,10.0.0.2");
        assert_eq!(named, [(1, vec![one], vec![1]), (1, vec![two], vec![2])]);
        let by_address = told("postgres:///d?hostaddr=10.0.0.1,10.0.0.2&port=7");
        assert_eq!(by_address, [(0, vec![one], vec![7]), (0, vec![two], vec![7])]);
        assert_eq!(told("postgres://u@a,b/d").len(), 2);
    }
}
