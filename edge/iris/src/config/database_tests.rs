use std::collections::BTreeMap;

use super::*;

fn read(pairs: &[(&str, &str)]) -> (Database, Vec<String>) {
    let values: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut settings = Settings::new(values);
    let database = database(&mut settings);
    let faults = settings.finish().err().unwrap_or_default();
    (database, faults.iter().map(ToString::to_string).collect())
}

fn postgres(pairs: &[(&str, &str)]) -> PostgresSettings {
    match read(pairs) {
        (Database::Postgres(settings), faults) if faults.is_empty() => *settings,
        other => panic!("{other:?}"),
    }
}

fn primary(url: &str) -> Address {
    postgres(&[("DATABASE_URL", url)]).primary
}

fn faults(url: &str) -> Vec<String> {
    read(&[("DATABASE_URL", url)]).1
}

#[test]
fn nothing_and_sqlite_are_the_embedded_store() {
    for pairs in [&[][..], &[("DATABASE_URL", "sqlite:")], &[("DATABASE_URL", "sqlite://")]] {
        let (database, faults) = read(pairs);
        assert!(matches!(database, Database::Embedded) && faults.is_empty(), "{pairs:?}");
    }
    assert!(faults("sqlite:/x.db")[0].contains("IRIS_DATA_DIR"));
    assert!(faults("mysql://host/db")[0].contains("expected postgres://"));
}

#[test]
fn a_url_brings_its_defaults() {
    let settings = postgres(&[("DATABASE_URL", "postgres://iris@localhost/iris")]);
    assert_eq!((settings.pool, settings.wait.as_secs(), settings.recycle.as_secs()), (20, 30, 3_600));
    assert_eq!(settings.pooler, Pooler::None);
    assert!(settings.migrate.is_none() && settings.replicas.is_empty() && settings.ca.is_none());
    assert_eq!(settings.primary.url.expose(), "postgres://iris@localhost/iris?connect_timeout=5");
    assert_eq!((settings.primary.tls, settings.primary.connect.as_secs()), (Tls::Off, 5));
}

#[test]
fn several_servers_are_asked_for_the_one_that_takes_writes() {
    let address =
        primary("postgresql://iris:pw@db1:5433,db2,[fd00::1]:5434/iris?sslmode=verify-full&connect_timeout=2");
    assert_eq!(address.hosts, ["db1", "db2", "fd00::1"]);
    assert_eq!(
        address.url.expose(),
        "postgres://iris:pw@db1:5433,db2,[fd00::1]:5434/iris?connect_timeout=2&target_session_attrs=read-write"
    );
    assert_eq!((address.tls, address.connect.as_secs()), (Tls::Verified, 2));
    let any = primary("postgres://u@db1,db2/iris?target_session_attrs=any&connect_timeout=2");
    assert_eq!(any.url.expose(), "postgres://u@db1,db2/iris?target_session_attrs=any&connect_timeout=2");
    assert!(faults("postgres://u@db1,db2/iris?target_session_attrs=read-only")[0].contains("any or read-write"));
}

#[test]
fn what_leaves_this_machine_is_encrypted_and_verified() {
    assert_eq!(primary("postgres://u@db.example/iris").tls, Tls::Verified);
    assert_eq!(primary("postgres://u@127.0.0.1/iris?sslmode=require").tls, Tls::Verified);
    for here in ["localhost", "127.0.0.2", "[::1]:5432", "%2Frun%2Fpostgresql"] {
        assert_eq!(primary(&format!("postgres://u@{here}/iris?sslmode=disable")).tls, Tls::Off, "{here}");
    }
    assert_eq!(primary("postgres:///iris?host=/run/postgresql").tls, Tls::Off);
    for mode in ["disable", "allow", "prefer"] {
        for place in ["db.example", "10.0.0.1", "localhost,db.example"] {
            let found = faults(&format!("postgres://u@{place}/iris?sslmode={mode}"));
            assert!(found[0].contains("TLS is needed"), "{mode} {place}: {found:?}");
        }
        let found = faults(&format!("postgres:///iris?host=db.example&sslmode={mode}"));
        assert!(found[0].contains("TLS is needed"), "{found:?}");
    }
    assert!(faults("postgres://u@localhost/iris?sslmode=maybe")[0].contains("expected verify-full"));
}

#[test]
fn every_fault_of_a_url_is_named_and_no_password_is() {
    let found = faults("postgres://u:hunter2@db/iris?sslmode=disable&options=-c&connect_timeout=0&password=hunter2");
    assert_eq!(
        found,
        [
            "IRIS_DATABASE_URL: there is no parameter options",
            "IRIS_DATABASE_URL: sslmode=disable: db is not this machine, so TLS is needed: sslmode=verify-full",
            "IRIS_DATABASE_URL: connect_timeout: expected 1 to 60 seconds",
        ]
    );
    for broken in [
        "postgres://",
        "postgres://u:hunter2@/iris",
        "postgres://u:hunter2@h:0/iris",
        "postgres://u@h/a/b",
        // A slash of a password ends the address, so that the rest of it stands where the database is named.
        "postgres://u:1/hunter2@h",
    ] {
        let found = faults(broken);
        assert_eq!(found.len(), 1, "{broken}: {found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
}

#[test]
fn what_is_shown_holds_no_password() {
    let address = primary("postgres://iris:hun:t@er2@localhost/iris?password=hunter3");
    assert_eq!(address.shown, "postgres://iris:***@localhost/iris?password=***");
    assert!(!format!("{address:?}").contains("er2") && !format!("{address:?}").contains("hunter3"));
    assert_eq!(primary("postgres://iris@localhost/iris").shown, "postgres://iris@localhost/iris");
}

#[test]
fn replicas_and_the_role_for_migrations_belong_to_postgresql() {
    let settings = postgres(&[
        ("DATABASE_URL", "postgres://u@localhost/iris"),
        ("DATABASE_MIGRATE_URL", "postgres://owner@localhost/iris"),
        ("DATABASE_REPLICA_URLS", "postgres://u@r1,r2/iris?target_session_attrs=read-only, postgres://u@r3/iris"),
        ("DATABASE_POOL", "50"),
        ("DATABASE_POOLER", "transaction"),
        ("DATABASE_WAIT", "5s"),
    ]);
    let hosts: Vec<Vec<String>> = settings.replicas.iter().map(|one| one.hosts.clone()).collect();
    assert_eq!(hosts, [vec!["r1".to_owned(), "r2".to_owned()], vec!["r3".to_owned()]]);
    assert_eq!((settings.pool, settings.pooler), (50, Pooler::Transaction));
    let (_, found) = read(&[("DATABASE_REPLICA_URLS", "postgres://u@r1/iris"), ("DATABASE_MIGRATE_URL", "x")]);
    assert_eq!(found.len(), 3, "{found:?}");
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let url = ("DATABASE_URL", "postgres://u@localhost/iris");
    for (key, good, wrong) in [
        ("DATABASE_POOL", ["2", "50"], ["1", "51"]),
        ("DATABASE_WAIT", ["1s", "5m"], ["0s", "301s"]),
        ("DATABASE_RECYCLE", ["60s", "7d"], ["59s", "soon"]),
    ] {
        for value in good {
            assert!(read(&[url, (key, value)]).1.is_empty(), "{key}={value}");
        }
        for value in wrong {
            assert_eq!(read(&[url, (key, value)]).1.len(), 1, "{key}={value}");
        }
    }
}

#[test]
fn the_file_of_authorities_is_read_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").unwrap();
    let url = ("DATABASE_URL", "postgres://u@db/iris");
    let settings = postgres(&[url, ("DATABASE_CA", path.to_str().unwrap())]);
    assert_eq!(settings.ca.unwrap().path, path);
    std::fs::write(&path, "no certificate").unwrap();
    assert!(read(&[url, ("DATABASE_CA", path.to_str().unwrap())]).1[0].contains("holds no certificate"));
    assert!(read(&[url, ("DATABASE_CA", "no/such")]).1[0].contains("cannot be read"));
}

#[test]
fn rows_in_memory_take_as_much_as_is_said() {
    let url = ("DATABASE_URL", "postgres://u@localhost/iris");
    assert_eq!(postgres(&[url]).cache_bytes, 64 << 20);
    assert_eq!(postgres(&[url, ("CACHE_ROWS_MB", "0")]).cache_bytes, 0);
    assert_eq!(postgres(&[url, ("CACHE_ROWS_MB", "65536")]).cache_bytes, 1 << 36);
    assert!(read(&[url, ("CACHE_ROWS_MB", "65537")]).1[0].contains("65536 at most"));
    assert!(read(&[url, ("CACHE_ROWS_MB", "all")]).1[0].contains("megabytes"));
}

#[test]
fn a_cache_away_from_here_is_reached_through_tls() {
    let read = |url: &str| {
        let mut settings = Settings::new(BTreeMap::from([("REDIS_URL".to_owned(), url.to_owned())]));
        (redis(&mut settings), settings.finish().err().unwrap_or_default().len())
    };
    let (address, faults) = read("rediss://u:hunter2@cache.example:6380/3");
    assert_eq!((address.unwrap().shown.as_str(), faults), ("rediss://***@cache.example:6380/3", 0));
    assert_eq!(read("redis://127.0.0.1").1, 0);
    for wrong in ["redis://cache.example", "http://cache", "redis://", "redis://localhost/x", "redis://localhost:x"] {
        assert_eq!(read(wrong).1, 1, "{wrong}");
    }
}
