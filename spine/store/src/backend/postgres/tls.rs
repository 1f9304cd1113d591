//! What a URL says of a server, and how its certificate is verified.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::config::{PostgresConfig, Server};
use crate::error::StoreError;

/// The connection's settings, and TLS where it is wanted.
pub(super) fn settings(
    config: &PostgresConfig,
    server: &Server,
) -> Result<(Config, Option<MakeRustlsConnect>), StoreError> {
    let mut postgres: Config = server
        .url
        .expose()
        .parse()
        .map_err(|error: tokio_postgres::Error| StoreError::Unavailable(format!("the database's URL: {error}")))?;
    if !server.tls {
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

/// Who may vouch for the server: the named file alone, or this machine's own list.
fn roots(config: &PostgresConfig) -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    let fault = |what: String| StoreError::Unavailable(format!("certificates for the database: {what}"));
    match &config.ca {
        Some(pem) => {
            for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                let added = certificate.map_err(|error| fault(error.to_string()))?;
                roots.add(added).map_err(|error| fault(error.to_string()))?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() { Err(fault("there are none".to_owned())) } else { Ok(roots) }
}
