//! What the database says about itself, row by row: the one place that knows which value of which row is wrong.

use std::collections::BTreeMap;

use super::Finding;

/// Oldest major version of PostgreSQL that is good enough.
const VERSION_MIN: u32 = 15;
/// Least connections that the server should take: several nodes and their migrations.
const CONNECTIONS_MIN: u32 = 100;

/// What a row should say.
enum Wanted {
    /// This word.
    Word(&'static str),
    /// Anything but this word.
    Not(&'static str),
    /// Something at all.
    Something,
}

/// How bad it is if it does not.
#[derive(Clone, Copy)]
enum Otherwise {
    Missing,
    Advice,
}

struct Row {
    name: &'static str,
    wanted: Wanted,
    otherwise: Otherwise,
    /// What follows from a wrong value.
    means: &'static str,
    fix: &'static str,
}

const SYNCHRONOUS: &str = "synchronous_standby_names = 'ANY 1 (…)' and a standby; without one, what was acknowledged within the \
                           last second is lost with the primary";
const WEAK_ROLE: &str = "ALTER ROLE … NOSUPERUSER NOBYPASSRLS, or another role in IRIS_DATABASE_URL";

const ROWS: [Row; 12] = [
    Row {
        name: "fsync",
        wanted: Wanted::Word("on"),
        otherwise: Otherwise::Missing,
        means: "a power cut destroys the database",
        fix: "fsync = on",
    },
    Row {
        name: "full_page_writes",
        wanted: Wanted::Word("on"),
        otherwise: Otherwise::Missing,
        means: "a power cut can leave torn pages",
        fix: "full_page_writes = on",
    },
    Row {
        name: "synchronous_commit",
        wanted: Wanted::Not("off"),
        otherwise: Otherwise::Missing,
        means: "what was acknowledged can be lost",
        fix: "synchronous_commit = on",
    },
    Row {
        name: "data_checksums",
        wanted: Wanted::Word("on"),
        otherwise: Otherwise::Advice,
        means: "the server does not notice a damaged page; IRIS does when it reads a row of it",
        fix: "pg_checksums --enable",
    },
    Row {
        name: "ssl",
        wanted: Wanted::Not("no"),
        otherwise: Otherwise::Advice,
        means: "the connection is in clear",
        fix: "fine on this machine; elsewhere sslmode=verify-full",
    },
    Row {
        name: "role_is_superuser",
        wanted: Wanted::Word("no"),
        otherwise: Otherwise::Missing,
        means: "whoever takes over the server's role rules the database",
        fix: WEAK_ROLE,
    },
    Row {
        name: "role_bypasses_row_security",
        wanted: Wanted::Word("no"),
        otherwise: Otherwise::Missing,
        means: "the database does not keep tenants apart for this role",
        fix: WEAK_ROLE,
    },
    Row {
        name: "role_owns_tables",
        wanted: Wanted::Word("no"),
        otherwise: Otherwise::Missing,
        means: "the role that serves requests may change the tables",
        fix: "the owner's role in IRIS_DATABASE_MIGRATE_URL, and one with grants alone in IRIS_DATABASE_URL",
    },
    Row {
        name: "synchronous_standby_names",
        wanted: Wanted::Something,
        otherwise: Otherwise::Missing,
        means: "no second server has what was acknowledged",
        fix: SYNCHRONOUS,
    },
    Row {
        name: "synchronous_standbys_streaming",
        wanted: Wanted::Not("0"),
        otherwise: Otherwise::Missing,
        means: "no synchronous standby is connected",
        fix: SYNCHRONOUS,
    },
    Row {
        name: "archive_mode",
        wanted: Wanted::Not("off"),
        otherwise: Otherwise::Missing,
        means: "there are no backups to a point in time",
        fix: "archive_mode = on with an archive_command, such as pgBackRest's",
    },
    Row {
        name: "synchronous",
        wanted: Wanted::Word("full"),
        otherwise: Otherwise::Missing,
        means: "what was acknowledged can be lost",
        fix: "a build of IRIS whose store flushes each commit",
    },
];

/// Judges the rows of a report. Rows that are not in it are not judged; rows that nobody judges are left out.
pub(super) fn examine(report: &[(String, String)]) -> Vec<Finding> {
    let said: BTreeMap<&str, &str> = report.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let postgres = said.get("database") == Some(&"PostgreSQL");
    let mut findings: Vec<Finding> =
        ROWS.iter().filter_map(|row| Some(judged(row, said.get(row.name).copied()?))).collect();
    if postgres {
        findings.extend(said.get("server_version").map(|version| server_version(version)));
        findings.extend(said.get("max_connections").map(|most| connections(most)));
    } else {
        findings.push(Finding::advice(
            "database.nodes",
            "SQLite in the data folder: one node, and its disk is all there is",
            "PostgreSQL with a standby (IRIS_DATABASE_URL) where the service must outlive a machine",
        ));
        findings.push(Finding::advice(
            "database.backups",
            "whether somebody backs the data folder up cannot be seen from here",
            "copy the folder while the server is stopped, or snapshot its disk; keep root.key elsewhere as well",
        ));
    }
    findings
}

fn judged(row: &Row, value: &str) -> Finding {
    let check = format!("database.{}", row.name);
    let good = match row.wanted {
        Wanted::Word(word) => value == word,
        Wanted::Not(word) => value != word,
        Wanted::Something => !value.is_empty(),
    };
    let shown = if value.is_empty() { "not set" } else { value };
    if value == "unknown" {
        let fix = "GRANT pg_read_all_stats to the role, or look as another one";
        return Finding::advice(&check, "the role may not see it", fix);
    }
    match (good, row.otherwise) {
        (true, _) => Finding::good(&check, shown),
        (false, Otherwise::Missing) => Finding::missing(&check, format!("{shown}: {}", row.means), row.fix),
        (false, Otherwise::Advice) => Finding::advice(&check, format!("{shown}: {}", row.means), row.fix),
    }
}

fn server_version(version: &str) -> Finding {
    let major = version.split(['.', ' ']).next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= VERSION_MIN) {
        return Finding::good("database.server_version", version);
    }
    let fix = format!("PostgreSQL {VERSION_MIN} or newer");
    Finding::missing("database.server_version", format!("{version} is too old"), fix)
}

fn connections(most: &str) -> Finding {
    if most.parse::<u32>().is_ok_and(|most| most >= CONNECTIONS_MIN) {
        return Finding::good("database.max_connections", most);
    }
    let fix = format!("max_connections = {CONNECTIONS_MIN}, or a smaller IRIS_DATABASE_POOL on each node");
    Finding::advice("database.max_connections", format!("{most} for all nodes together"), fix)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    const GOOD: [(&str, &str); 16] = [
        ("database", "PostgreSQL"),
        ("server_version", "15.14 (Debian 15.14-0+deb12u1)"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("ssl", "yes"),
        ("role", "iris"),
        ("role_is_superuser", "no"),
        ("role_bypasses_row_security", "no"),
        ("role_owns_tables", "no"),
        ("synchronous_standby_names", "ANY 1 (a)"),
        ("synchronous_standbys_streaming", "1"),
        ("max_connections", "100"),
        ("wal_level", "replica"),
        ("archive_mode", "on"),
    ];

    fn report(changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let value = |name: &str, usual: &str| {
            changes.iter().find(|(changed, _)| *changed == name).map_or(usual, |(_, value)| *value).to_owned()
        };
        GOOD.iter().map(|(name, usual)| ((*name).to_owned(), value(name, usual))).collect()
    }

    #[test]
    fn every_row_is_judged_and_a_wrong_one_found() {
        assert!(examine(&report(&[])).iter().all(|finding| finding.state == State::Good));
        for (name, wrong, state) in [
            ("server_version", "14.9", State::Missing),
            ("fsync", "off", State::Missing),
            ("synchronous_commit", "off", State::Missing),
            ("full_page_writes", "off", State::Missing),
            ("data_checksums", "off", State::Advice),
            ("ssl", "no", State::Advice),
            ("role_is_superuser", "yes", State::Missing),
            ("role_bypasses_row_security", "yes", State::Missing),
            ("role_owns_tables", "yes", State::Missing),
            ("synchronous_standby_names", "", State::Missing),
            ("synchronous_standbys_streaming", "0", State::Missing),
            ("synchronous_standbys_streaming", "unknown", State::Advice),
            ("max_connections", "99", State::Advice),
            ("archive_mode", "off", State::Missing),
        ] {
            let found = examine(&report(&[(name, wrong)]));
            let wrong: Vec<_> = found.iter().filter(|finding| finding.state != State::Good).collect();
            assert_eq!(wrong.len(), 1, "{name}: {wrong:?}");
            assert_eq!((wrong[0].check.as_str(), wrong[0].state), (format!("database.{name}").as_str(), state));
            assert!(wrong[0].fix.is_some());
        }
    }

    #[test]
    fn sqlite_is_said_to_be_one_node() {
        let rows =
            [("database", "SQLite"), ("server_version", "3.50"), ("journal_mode", "wal"), ("synchronous", "full")];
        let rows: Vec<_> = rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let found = examine(&rows);
        assert!(found.iter().all(|finding| finding.state != State::Missing));
        assert!(found.iter().any(|finding| finding.check == "database.nodes"));
    }
}
