use std::path::Path;

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Sources {
    Sources { environment: pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(), ..Sources::default() }
}

fn faults(sources: Sources) -> Vec<String> {
    Config::read(sources).map_or_else(|faults| faults.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("iris.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn nothing_given_means_the_defaults() {
    let config = Config::read(Sources::default()).unwrap();
    assert_eq!(config.data_dir, Path::new("./iris-data"));
    assert_eq!(config.http_listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.metrics_listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.references, References::Recorded);
    assert_eq!(config.client_ids, ClientIds::Allowed);
    assert!(config.key_passphrase.is_none());
}

#[test]
fn flags_win_over_environment_and_environment_over_file() {
    let (_folder, path) =
        file("log_level = \"debug\"\n[http]\nlisten = \"127.0.0.1:1\"\n[metrics]\nlisten = \"127.0.0.1:9\"\n");
    let mut sources = environment(&[("IRIS_HTTP_LISTEN", "127.0.0.1:2"), ("IRIS_METRICS_LISTEN", "127.0.0.1:3")]);
    sources.file = Some(path);
    sources.flags = vec![("HTTP_LISTEN", "--http-listen", "127.0.0.1:4".to_owned())];
    let config = Config::read(sources).unwrap();
    assert_eq!(config.http_listen.port(), 4);
    assert_eq!(config.metrics_listen.port(), 3);
    assert_eq!(config.log_level, LogLevel::Debug);
}

#[test]
fn every_fault_is_named_at_once_with_its_place() {
    let (_folder, path) = file("http_lissten = \"x\"\nreferences = \"maybe\"\nlist = [1]\n");
    let shown = path.display();
    let mut sources = environment(&[("IRIS_HTTP_LISTEN", "nowhere"), ("IRIS_DATABASE_URL", "mysql://localhost/db")]);
    sources.file = Some(path.clone());
    sources.assignments = vec!["nonsense".to_owned(), "log.level=loud".to_owned()];
    let mut found = faults(sources);
    found.sort();
    let mut expected = [
        format!("IRIS_LIST: expected a text, a whole number or a truth value ({shown}: list)"),
        "--set: expected NAME=VALUE".to_owned(),
        "IRIS_HTTP_LISTEN: expected an address and a port, such as 127.0.0.1:8080 (environment)".to_owned(),
        "IRIS_DATABASE_URL: expected postgres://user@host:port/database, or nothing for SQLite in the data folder \
         (environment)"
            .to_owned(),
        format!("IRIS_REFERENCES: expected checked or recorded ({shown}: references)"),
        "IRIS_LOG_LEVEL: expected error, warn, info or debug (flag --set)".to_owned(),
        format!("IRIS_HTTP_LISSTEN: no such setting ({shown}: http_lissten)"),
    ];
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_broken_file_does_not_quote_itself() {
    let (_folder, path) = file("log_level = \"info\"\nkey_passphrase = hunter2\n");
    let found = faults(Sources { file: Some(path), ..Sources::default() });
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("is not TOML, line 2"), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
    let missing = faults(Sources { file: Some("no/such/file".into()), ..Sources::default() });
    assert!(missing[0].starts_with("no/such/file: cannot be read"), "{missing:?}");
}

#[test]
fn a_secret_comes_from_its_file_without_the_line_feed() {
    let (_folder, path) = file("open sesame\n");
    let path = path.to_str().unwrap();
    let config = Config::read(environment(&[("IRIS_KEY_PASSPHRASE_FILE", path)])).unwrap();
    assert_eq!(config.key_passphrase.unwrap().expose(), "open sesame");
    let both = faults(environment(&[("IRIS_KEY_PASSPHRASE_FILE", path), ("IRIS_KEY_PASSPHRASE", "x")]));
    assert_eq!(both, ["IRIS_KEY_PASSPHRASE_FILE: and IRIS_KEY_PASSPHRASE are both given (environment)"]);
    let absent = faults(environment(&[("IRIS_KEY_PASSPHRASE_FILE", "no/such")]));
    assert!(absent[0].starts_with("IRIS_KEY_PASSPHRASE_FILE: cannot be read"), "{absent:?}");
}

#[test]
fn the_environment_replaces_a_secret_file_named_in_the_configuration() {
    let (_folder, path) = file("key_passphrase_file = \"no/such\"\n");
    let mut sources = environment(&[("IRIS_KEY_PASSPHRASE", "word")]);
    sources.file = Some(path);
    assert_eq!(Config::read(sources).unwrap().key_passphrase.unwrap().expose(), "word");
}

#[test]
fn listening_to_the_world_needs_a_proxy_that_ends_tls() {
    let open = faults(environment(&[("IRIS_HTTP_LISTEN", "0.0.0.0:8080")]));
    assert!(open[0].contains("IRIS_BEHIND_PROXY"), "{open:?}");
    assert!(faults(environment(&[("IRIS_HTTP_LISTEN", "0.0.0.0:8080"), ("IRIS_BEHIND_PROXY", "true")])).is_empty());
    let same = faults(environment(&[("IRIS_METRICS_LISTEN", "127.0.0.1:8080")]));
    assert_eq!(same, ["IRIS_METRICS_LISTEN: must differ from IRIS_HTTP_LISTEN (environment)"]);
}

#[test]
fn what_belongs_to_tests_and_single_commands_is_no_setting() {
    assert!(faults(environment(&[("IRIS_TEST_DATA", "x"), ("IRIS_USER_PASSWORD", "y"), ("HOME", "z")])).is_empty());
    assert_eq!(
        faults(environment(&[("IRIS_USER_PASWORD", "y")])),
        ["IRIS_USER_PASWORD: no such setting (environment)"]
    );
}

#[test]
fn a_public_url_is_checked() {
    assert!(faults(environment(&[("IRIS_PUBLIC_URL", "https://iris.example/clinic")])).is_empty());
    for wrong in ["iris.example", "https://", "https://iris.example/", "https://u@iris.example", "ftp://x"] {
        assert_eq!(faults(environment(&[("IRIS_PUBLIC_URL", wrong)])).len(), 1, "{wrong}");
    }
}

#[test]
fn sessions_of_pages_last_as_long_as_is_said() {
    let config = Config::read(environment(&[("IRIS_SESSION_IDLE", "5m"), ("IRIS_SESSION_LIFE", "8h")])).unwrap();
    assert_eq!((config.page_sessions.idle.as_secs(), config.page_sessions.life.as_secs()), (300, 28_800));
    let idle = "IRIS_SESSION_IDLE: must be two minutes at least, and no longer than IRIS_SESSION_LIFE (environment)";
    for pair in [["119s", "8h"], ["9h", "8h"]] {
        let sources = environment(&[("IRIS_SESSION_IDLE", pair[0]), ("IRIS_SESSION_LIFE", pair[1])]);
        assert_eq!(faults(sources), [idle], "{pair:?}");
    }
    Config::read(environment(&[("IRIS_SESSION_IDLE", "2m"), ("IRIS_SESSION_LIFE", "7d")])).unwrap();
    let sources = environment(&[("IRIS_SESSION_LIFE", "169h"), ("IRIS_SESSION_IDLE", "15")]);
    let expected = [
        "IRIS_SESSION_IDLE: expected a length of time, such as 250ms, 90s, 15m, 12h or 7d (environment)",
        "IRIS_SESSION_LIFE: must be seven days at most (environment)",
    ];
    assert_eq!(faults(sources), expected);
}

#[test]
fn every_setting_is_explained_and_no_secret_is_shown() {
    let (_folder, path) = file("references = \"checked\"\n[http]\nlisten = \"127.0.0.1:1\"\n");
    let (_secret, phrase) = file("open sesame\n");
    let phrase = phrase.to_str().unwrap();
    let mut sources = environment(&[("IRIS_KEY_PASSPHRASE_FILE", phrase), ("IRIS_SLOW_REQUEST", "250ms")]);
    sources.file = Some(path.clone());
    sources.flags = vec![("LOG_LEVEL", "--log-level", "warn".to_owned())];
    let shown = Config::read(sources).unwrap().explain();
    let of = |name: &str| {
        let row = shown.iter().find(|row| row.name == name).unwrap();
        (row.value.clone().unwrap_or_default(), row.origin.clone())
    };
    let text = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(of("IRIS_KEY_PASSPHRASE"), text("***", "environment, by IRIS_KEY_PASSPHRASE_FILE"));
    assert_eq!(of("IRIS_SLOW_REQUEST"), text("250ms", "environment"));
    assert_eq!(of("IRIS_LOG_LEVEL"), text("warn", "flag --log-level"));
    assert_eq!(of("IRIS_HTTP_LISTEN"), text("127.0.0.1:1", &format!("{}: http.listen", path.display())));
    assert_eq!(of("IRIS_DATABASE_URL"), text("sqlite:", "default"));
    assert_eq!(of("IRIS_PUBLIC_URL"), text("", "default"));
    assert!(!table(&shown).contains("sesame") && !document(&shown).to_string().contains("sesame"));
    assert!(shown.windows(2).all(|pair| pair[0].name < pair[1].name));
    assert!(table(&shown).lines().any(|line| line.starts_with("IRIS_SLOW_REQUEST") && line.ends_with("environment *")));
}

#[test]
fn what_is_explained_can_be_set_to_what_is_shown() {
    let config = Config::read(Sources::default()).unwrap();
    let pairs: Vec<(String, String)> =
        config.explain().into_iter().filter_map(|row| Some((row.name, row.value?))).collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let again = Config::read(environment(&pairs)).unwrap();
    assert_eq!(config.rows(), again.rows());
    assert!(again.explain().iter().filter(|row| row.value.is_some()).all(|row| row.origin == "environment"));
}

#[test]
fn what_can_be_changed_later_starts_with_the_catalogue_s_defaults() {
    let live = Config::read(Sources::default()).unwrap().live();
    assert_eq!(live.len(), settings::SETTINGS.len());
    for (setting, (name, started)) in settings::SETTINGS.iter().zip(&live) {
        assert_eq!((setting.name, setting.default), (name.as_str(), started.value.as_str()));
    }
    let off = Config::read(environment(&[("IRIS_FLAG_DOCS", "off")])).unwrap();
    assert!(off.live().iter().any(|(name, started)| name == "flag_docs" && started.value == "off"));
    assert_eq!(
        faults(environment(&[("IRIS_FLAG_DOCS", "maybe")])),
        ["IRIS_FLAG_DOCS: expected on or off (environment)"]
    );
}

#[test]
fn a_server_that_shares_its_database_leaves_time_to_be_noticed() {
    let config = Config::read(Sources::default()).unwrap();
    assert!(config.drain_delay.is_zero());
    assert_eq!(Config::read(environment(&[("IRIS_DRAIN_DELAY", "2m")])).unwrap().drain_delay.as_secs(), 120);
    assert!(faults(environment(&[("IRIS_DRAIN_DELAY", "121s")]))[0].contains("two minutes"));
}

#[test]
fn traces_are_sent_by_builds_that_can_and_to_this_machine() {
    let said = faults(environment(&[("IRIS_OTLP_ENDPOINT", "http://127.0.0.1:4318")]));
    assert_eq!(said.is_empty(), traces::SUPPORTED, "{said:?}");
    for wrong in ["http://collector:4318", "https://127.0.0.1:4318", "127.0.0.1:4318", "http://10.0.0.1:4318"] {
        assert_eq!(faults(environment(&[("IRIS_OTLP_ENDPOINT", wrong)])).len(), 1, "{wrong}");
    }
}

#[test]
fn passwords_and_keys_change_by_age_only_as_the_operator_says() {
    let config = Config::read(environment(&[])).unwrap();
    let month = Duration::from_secs(30 * 86_400);
    assert_eq!((config.access.password_age, config.access.signing_key_age), (Limit::Never, Limit::After(3 * month)));
    let config = Config::read(environment(&[
        ("IRIS_PASSWORD_AGE", "30d"),
        ("IRIS_SIGNING_KEY_AGE", "never"),
        ("IRIS_SIGNING_ALGORITHM", "EdDSA"),
    ]));
    let access = config.unwrap().access;
    assert_eq!((access.password_age, access.signing_key_age), (Limit::After(month), Limit::Never));
    assert_eq!(access.signing_algorithm.name(), "EdDSA");
    let wrong = environment(&[
        ("IRIS_PASSWORD_AGE", "23h"),
        ("IRIS_SIGNING_ALGORITHM", "HS256"),
        ("IRIS_PASSWORD_LIST", "/nowhere/list.bin"),
    ]);
    let faults: Vec<String> = Config::read(wrong).unwrap_err().iter().map(|fault| fault.at.clone()).collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
}
