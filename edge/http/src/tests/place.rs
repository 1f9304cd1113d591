//! Where the data of a test are: in SQLite, or, for the tests that stand below `postgres` and for several nodes, in PostgreSQL.

use iris_store::{Database, PostgresConfig, StoreConfig, testing};
use iris_testkit::postgres;
use tempfile::TempDir;

/// The folder of a test, with a part for each node, and its database.
pub(super) struct Place {
    pub(super) folder: TempDir,
    /// `None`: SQLite in the folder of the one node.
    database: Option<postgres::Database>,
}

impl Place {
    /// As the test asks by where it stands: `tests::postgres::fhir::…` is `tests::fhir::…` over PostgreSQL.
    pub(super) fn new() -> Self {
        let named = std::thread::current();
        let on_postgres = named.name().is_some_and(|name| name.starts_with("tests::postgres::"));
        Self { folder: tempfile::tempdir().unwrap(), database: if on_postgres { database() } else { None } }
    }

    /// Over PostgreSQL, which several nodes can share; `None` where it is not installed.
    pub(super) fn shared() -> Option<Self> {
        Some(Self { folder: tempfile::tempdir().unwrap(), database: Some(database()?) })
    }

    /// Has the database do something behind the nodes' backs. It must be PostgreSQL.
    pub(super) fn sql(&self, statements: &str) {
        self.database.as_ref().expect("PostgreSQL").sql(statements);
    }

    pub(super) fn config(&self, node: &str) -> StoreConfig {
        let config =
            StoreConfig { readers: 2, segment_bytes: 2 << 20, ..StoreConfig::new(self.folder.path().join(node)) };
        match &self.database {
            None => config,
            Some(database) => config.with_database(Database::Postgres(postgres_config(database))),
        }
    }
}

/// An empty database with its tables.
fn database() -> Option<postgres::Database> {
    postgres::Database::from_template(&testing::schema_name(), |empty| testing::make_schema(&postgres_config(empty)))
}

fn postgres_config(database: &postgres::Database) -> PostgresConfig {
    testing::postgres_config(database.url(), database.owner_url())
}
