//! What a URL says of the server, and how its certificate is verified.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::PostgresConfig;
use crate::error::StoreError;

/// The connection's settings, and TLS unless every host is this machine and the URL does not ask for it.
pub(super) fn settings(config: &PostgresConfig, url: &str) -> Result<(Config, Option<MakeRustlsConnect>), StoreError> {
    // libpq's words for a verified certificate; ours is always verified, name included.
    let url = url.replace("sslmode=verify-full", "sslmode=require").replace("sslmode=verify-ca", "sslmode=require");
    let mut postgres: Config = url
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::Unavailable(format!("the database's URL: {error}")))?;
    let is_here = postgres.get_hosts().iter().all(is_here);
    if is_here && postgres.get_ssl_mode() != SslMode::Require {
        postgres.ssl_mode(SslMode::Disable);
        return Ok((postgres, None));
    }
    postgres.ssl_mode(SslMode::Require);
    let client = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| StoreError::Unavailable(format!("TLS to the database: {error}")))?
        .with_root_certificates(roots(config)?)
        .with_no_client_auth();
    Ok((postgres, Some(MakeRustlsConnect::new(client))))
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
    }
}

/// Who may vouch for the server: the named file alone, or this machine's own list.
fn roots(config: &PostgresConfig) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    let fault = |what: String| StoreError::Unavailable(format!("certificates for the database: {what}"));
    match &config.ca {
        Some(path) => {
            let certificates = CertificateDer::pem_file_iter(path)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .map_err(|error| fault(format!("{}: {error}", path.display())))?;
            for certificate in certificates {
                roots.add(certificate).map_err(|error| fault(format!("{}: {error}", path.display())))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() { Err(fault("there are none".to_owned())) } else { Ok(roots) }
}
