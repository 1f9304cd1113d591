//! Wiring: the parts of an installation, opened in their order and closed in the reverse one.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use iris_audit::{Action, Actor, Audit, Event, Outcome, Receipt};
use iris_identity::Identity;
use iris_immunization::CurrentVaccines;
use iris_index::{Index, IndexConfig};
use iris_kernel::{Clock, Entropy, Secret, Tenant};
use iris_records::PatientRule;
use iris_resources::{ClientIds, CursorKey, MultipleDeletes, Parts, Policy, Records, ReferencePolicy, Rules};
use iris_store::{CacheConfig, Database, FolderLock, PostgresConfig, Server, Store, StoreConfig, keyfile};

use crate::command::Failure;
use crate::config::{self, Config};
use crate::messages;
use crate::platform::Machine;
use crate::vaccines::{self, Damaged, Place};

/// Name of the key file in the data folder.
pub(crate) const KEY_FILE: &str = "root.key";
/// Name of the index's folder in the data folder.
const INDEX_FOLDER: &str = "index";

/// An opened installation.
pub struct Application {
    /// The truth.
    pub store: Store,
    /// Its shadow.
    pub index: Arc<Index>,
    /// The access log.
    pub audit: Arc<Audit>,
    /// Who is who.
    pub identity: Arc<Identity>,
    /// All resources.
    pub records: Records,
    /// The vaccine table in use.
    pub vaccines: Arc<CurrentVaccines>,
    /// Where that table is kept.
    pub vaccines_place: Place,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// Runs what is asynchronous, for commands, which are not.
    pub runtime: tokio::runtime::Handle,
    /// What keeps the root key.
    pub key_protection: KeyProtection,
    /// The data folder.
    pub(crate) folder: PathBuf,
    /// What it was opened with.
    pub(crate) config: Config,
}

/// What keeps the root key from whoever can read the key file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyProtection {
    /// A passphrase.
    Passphrase,
    /// Nothing but the file's mode.
    ModeOnly,
}

impl Application {
    /// Opens the installation in the locked folder, or makes it. `base_url` is where callers reach its FHIR API, by which a
    /// reference to a record of ours is told from one to another server; `damaged` is what a damaged vaccine table means. Blocks; must not run on a thread of the runtime.
    ///
    /// # Errors
    /// Why it must not or cannot start. What was stored is untouched then.
    pub fn open(
        config: &Config,
        base_url: &str,
        lock: FolderLock,
        machine: &Machine,
        runtime: tokio::runtime::Handle,
        damaged: Damaged,
    ) -> Result<Self, Failure> {
        let (clock, entropy) = (Arc::clone(&machine.clock), Arc::clone(&machine.entropy));
        let folder = lock.folder().to_owned();
        let (vaccines, vaccines_place) = vaccines::in_use(config, &folder, damaged)?;
        let vaccines = Arc::new(CurrentVaccines::new(vaccines));
        let (store, key_protection) = open_store(config, &folder, lock, &clock, &entropy)?;
        let audit = Audit::open(store.clone(), Arc::clone(&clock), Arc::clone(&entropy));
        let audit = Arc::new(audit.map_err(|error| failure("the audit log cannot be opened", &error))?);
        let index = IndexConfig { folder: folder.join(INDEX_FOLDER), key: Secret::new(store.derive("iris index v1")) };
        let index = Index::open(index, store.clone(), Arc::clone(&entropy))
            .map_err(|error| failure("the search index cannot be opened", &error))?;
        let identity = Identity::open(store.clone(), Arc::clone(&audit), Arc::clone(&clock), Arc::clone(&entropy));
        let identity = identity.map_err(|error| failure("users and keys cannot be read", &error))?;
        let identity = identity.with_page_sessions(config.page_sessions).with_key_rules(config.access.key_rules());
        let identity = identity.with_password_rules(config.access.password_rules()?);
        let identity = identity.map_err(|error| failure("the list of common passwords cannot be used", &error))?;
        let pages = base_url.strip_suffix("/fhir").unwrap_or(base_url);
        let identity = Arc::new(identity.with_carriers(messages::carriers(&config.messages, pages)?));
        let records = Records::new(Parts {
            store: store.clone(),
            index: Arc::clone(&index),
            audit: Arc::clone(&audit),
            clock: Arc::clone(&clock),
            entropy: Arc::clone(&entropy),
            policy: policy(config),
            rules: Rules::default().with(Arc::new(PatientRule)),
            cursors: CursorKey::new(&store.derive("iris cursor v1")),
            base_url: base_url.into(),
        });
        Ok(Self {
            store,
            index,
            audit,
            identity,
            records,
            vaccines,
            vaccines_place,
            clock,
            entropy,
            runtime,
            key_protection,
            folder,
            config: config.clone(),
        })
    }

    /// Makes one entry of the installation's own doing durable.
    ///
    /// # Errors
    /// The audit log does not take it; then what it describes must not be done.
    pub fn record(&self, action: Action, outcome: Outcome, detail: &str) -> Result<Receipt, Failure> {
        let mut event = Event::new(Tenant::PLATFORM, Actor::system(), action, outcome, self.clock.now());
        event.correlation = self.entropy.uuid().to_string();
        detail.clone_into(&mut event.query);
        self.audit.record_blocking(&event).map_err(|error| failure("the audit log takes no entries", &error))
    }

    /// Closes everything: what was acknowledged is on disk already; this saves the next start some catching up.
    pub fn close(self) {
        self.audit.close();
        self.index.close();
        self.store.close();
    }
}

fn open_store(
    config: &Config,
    folder: &Path,
    lock: FolderLock,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
) -> Result<(Store, KeyProtection), Failure> {
    let store_config = store_config(config);
    let fresh = !Store::exists(&store_config).map_err(|error| failure("the store cannot be opened", &error))?;
    let key_path = folder.join(KEY_FILE);
    let key = keyfile::open_or_create(&key_path, config.key_passphrase.as_ref(), Arc::clone(entropy), fresh)
        .map_err(|error| failure("the key cannot be used", &error))?;
    let protection = if key.unprotected() { KeyProtection::ModeOnly } else { KeyProtection::Passphrase };
    let store = Store::open(store_config.with_lock(lock), Arc::new(key), Arc::clone(clock), Arc::clone(entropy));
    Ok((store.map_err(|error| failure("the store cannot be opened", &error))?, protection))
}

/// Where the store of an installation is.
pub(crate) fn store_config(config: &Config) -> StoreConfig {
    let database = match &config.database {
        config::Database::Embedded => Database::Embedded,
        config::Database::Postgres(settings) => {
            let mut postgres = postgres_config(settings);
            postgres.cache.redis = config.redis.as_ref().map(|address| address.url.clone());
            Database::Postgres(postgres)
        }
    };
    StoreConfig::new(&config.data_dir).with_database(database)
}

/// How to reach its database, where that is a server.
pub(crate) fn postgres_config(settings: &config::PostgresSettings) -> PostgresConfig {
    let server =
        |address: &config::Address| Server { url: address.url.clone(), tls: address.tls == config::Tls::Verified };
    PostgresConfig {
        server: server(&settings.primary),
        owner: settings.migrate.as_ref().map(server),
        replicas: settings.replicas.iter().map(server).collect(),
        ca: settings.ca.as_ref().map(|ca| ca.pem.clone()),
        connections: settings.pool,
        wait: settings.wait,
        recycle: settings.recycle,
        pooler: settings.pooler == config::Pooler::Transaction,
        cache: CacheConfig { bytes: settings.cache_bytes, redis: None },
    }
}

fn policy(config: &Config) -> Policy {
    Policy {
        references: match config.references {
            config::References::Checked => ReferencePolicy::Checked,
            config::References::Recorded => ReferencePolicy::Recorded,
        },
        client_ids: match config.client_ids {
            config::ClientIds::Allowed => ClientIds::Allowed,
            config::ClientIds::Refused => ClientIds::Refused,
        },
        multiple_deletes: match config.conditional_delete {
            config::ConditionalDelete::Single => MultipleDeletes::Refused,
            config::ConditionalDelete::Multiple => MultipleDeletes::Allowed,
        },
    }
}

/// A failure with its whole chain of causes, for the person who runs the command. Our errors repeat no stored value.
pub fn failure(what: &str, error: &dyn Error) -> Failure {
    let mut message = format!("{what}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !message.ends_with(&text) {
            message.push_str(": ");
            message.push_str(&text);
        }
        cause = error.source();
    }
    Failure::new(message)
}
