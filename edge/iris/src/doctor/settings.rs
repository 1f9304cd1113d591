//! What the configuration says about itself.

use super::Finding;
use crate::config::{Config, Database, LogLevel, MailRoute, Tls};

pub(super) fn examine(config: &Config) -> Vec<Finding> {
    let mut findings =
        vec![tls(config), public_url(config), metrics(config), log_level(config), drain(config), mail(config)];
    if let Database::Postgres(settings) = &config.database {
        let all = std::iter::once(&settings.primary).chain(&settings.migrate).chain(&settings.replicas);
        let away = all.into_iter().find(|one| one.tls == Tls::Off);
        findings.push(match away {
            None => Finding::good("database.tls", "connections to the database are encrypted and verified"),
            Some(_) => Finding::advice(
                "database.tls",
                "the database is on this machine and reached in clear",
                "fine on a loopback address or a socket; with another machine, sslmode=verify-full",
            ),
        });
        findings.push(match settings.migrate {
            Some(_) => Finding::good("database.roles", "migrations have a role of their own"),
            // A node that does not know the owner's password is the safest. Whether its own role is the owner, the database says
            // (`database.role_owns_tables`).
            None => Finding::good("database.roles", "no role that may change the tables is known here"),
        });
    }
    findings
}

fn tls(config: &Config) -> Finding {
    if config.behind_proxy {
        return Finding::good("http.tls", "something in front of this server is said to end TLS");
    }
    Finding::missing(
        "http.tls",
        "only this machine can reach the server, in clear",
        "a proxy that ends TLS 1.3 in front of it, and IRIS_BEHIND_PROXY=true",
    )
}

fn public_url(config: &Config) -> Finding {
    match &config.public_url {
        Some(url) if url.starts_with("https://") => Finding::good("http.public_url", "callers are sent to https"),
        Some(_) => Finding::missing(
            "http.public_url",
            "links in answers lead to http",
            "IRIS_PUBLIC_URL=https://… as callers type it",
        ),
        None => Finding::missing(
            "http.public_url",
            "links in answers name the address that the server listens on",
            "IRIS_PUBLIC_URL=https://… as callers type it",
        ),
    }
}

fn metrics(config: &Config) -> Finding {
    if config.metrics_listen.ip().is_loopback() {
        return Finding::good("metrics.listen", "only this machine can read the metrics");
    }
    Finding::advice(
        "metrics.listen",
        format!("whoever reaches {} reads the metrics; they hold no patient's data", config.metrics_listen),
        "let nobody but the monitoring reach it",
    )
}

fn log_level(config: &Config) -> Finding {
    if config.log_level == LogLevel::Debug {
        return Finding::advice("log.level", "every request is logged", "IRIS_LOG_LEVEL=info");
    }
    Finding::good("log.level", format!("{} and worse is logged", config.log_level))
}

fn drain(config: &Config) -> Finding {
    if config.behind_proxy && config.drain_delay.is_zero() {
        return Finding::advice(
            "http.drain",
            "a server that stops closes its door before the proxy knows",
            "IRIS_DRAIN_DELAY longer than the proxy takes to notice, such as 8s",
        );
    }
    Finding::good("http.drain", "a server that stops does so in order")
}

fn mail(config: &Config) -> Finding {
    match &config.messages.mail {
        Some(MailRoute::Smtp(_)) => Finding::good("messages.mail", "mails can be sent"),
        Some(MailRoute::Folder(_)) => Finding::missing(
            "messages.mail",
            "mails, and with them links that open accounts, lie in a folder and go to nobody",
            "IRIS_SMTP_URL and IRIS_MAIL_FROM instead of IRIS_MAIL_FOLDER",
        ),
        None => Finding::advice(
            "messages.mail",
            "no mails can be sent: nobody can be invited, or set a forgotten password",
            "IRIS_SMTP_URL and IRIS_MAIL_FROM",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use crate::config::Sources;

    fn found(pairs: &[(&str, &str)]) -> Vec<(String, State)> {
        let environment = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let config = Config::read(Sources { environment, ..Sources::default() }).unwrap();
        examine(&config).into_iter().map(|finding| (finding.check, finding.state)).collect()
    }

    fn state(pairs: &[(&str, &str)], check: &str) -> State {
        found(pairs).into_iter().find(|(name, _)| name == check).unwrap().1
    }

    #[test]
    fn a_laptop_is_not_ready_and_a_server_behind_a_proxy_is() {
        assert_eq!((state(&[], "http.tls"), state(&[], "http.public_url")), (State::Missing, State::Missing));
        let server = [
            ("IRIS_BEHIND_PROXY", "true"),
            ("IRIS_PUBLIC_URL", "https://iris.example"),
            ("IRIS_DRAIN_DELAY", "8s"),
            ("IRIS_HTTP_LISTEN", "0.0.0.0:8080"),
            ("IRIS_SMTP_URL", "smtps://iris:word@mail.example"),
            ("IRIS_MAIL_FROM", "IRIS <iris@clinic.example>"),
        ];
        assert!(found(&server).iter().all(|(_, state)| *state == State::Good));
        let clear = [("IRIS_PUBLIC_URL", "http://iris.example"), ("IRIS_METRICS_LISTEN", "0.0.0.0:9464")];
        assert_eq!(
            (state(&clear, "http.public_url"), state(&clear, "metrics.listen")),
            (State::Missing, State::Advice)
        );
        assert_eq!(state(&[("IRIS_BEHIND_PROXY", "true")], "http.drain"), State::Advice);
        assert_eq!(state(&[("IRIS_LOG_LEVEL", "debug")], "log.level"), State::Advice);
        assert_eq!(state(&[], "messages.mail"), State::Advice);
        assert_eq!(state(&[("IRIS_MAIL_FOLDER", "mails")], "messages.mail"), State::Missing);
    }

    #[test]
    fn a_node_without_the_password_of_the_tables_owner_lacks_nothing() {
        let away = ("IRIS_DATABASE_URL", "postgres://iris@db.example/iris");
        let here = ("IRIS_DATABASE_MIGRATE_URL", "postgres://owner@localhost/iris");
        assert_eq!((state(&[away], "database.roles"), state(&[away], "database.tls")), (State::Good, State::Good));
        assert_eq!(state(&[away, here], "database.roles"), State::Good);
        assert_eq!(state(&[away, here], "database.tls"), State::Advice, "that connection is one too");
    }
}
