//! How mails and text messages leave: `IRIS_SMTP_URL`, `IRIS_MAIL_…`, `IRIS_SMS_…`, `IRIS_OUTBOUND_CA`.
//!
//! The addresses may hold passwords, so they are secrets; what can be shown of one is kept beside it. Whatever leaves this machine
//! goes through verified TLS.

use std::path::PathBuf;

use iris_kernel::Secret;
use iris_kernel::config::Settings;
use iris_outbound::{Security, Sender};

use super::Config;
use super::database::{CaFile, ca_file, decoded, host_of, is_here, port_is_sane};

/// How messages leave.
#[derive(Clone, Debug)]
pub struct MessageSettings {
    /// `IRIS_SMTP_URL` or `IRIS_MAIL_FOLDER`: where mails go; none are sent where absent.
    pub mail: Option<MailRoute>,
    /// `IRIS_MAIL_FROM`: whom they come from.
    pub from: Option<(String, Sender)>,
    /// `IRIS_SMS_URL`: where text messages go; none are sent where absent.
    pub sms: Option<Webhook>,
    /// `IRIS_SMS_TOKEN`: what is shown there as `Authorization: Bearer`.
    pub sms_token: Option<Secret<String>>,
    /// `IRIS_OUTBOUND_CA`: who vouches for both; the machine's own list where absent.
    pub authorities: Option<CaFile>,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum MailRoute {
    /// To a server.
    Smtp(MailServer),
    /// To files in a folder, for trying things out.
    Folder(PathBuf),
}

/// A mail server.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether and how TLS is spoken.
    pub security: Security,
    /// User name and password.
    pub login: Option<(String, Secret<String>)>,
    /// For people: no password.
    pub shown: String,
}

/// A webhook.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Path and query.
    pub path: Secret<String>,
    /// For people: no path, which may hold a key.
    pub shown: String,
}

const SMTP_EXPECTED: &str =
    "expected smtps://user:password@host, smtp+starttls://user:password@host, or smtp:// on this machine";
const SMS_EXPECTED: &str = "expected https://host/path, or http:// on this machine";
/// Whom mails in a folder come from where nothing is said.
const FROM_OF_FOLDER: &str = "IRIS <iris@localhost>";

impl MessageSettings {
    /// Takes everything about messages out of the settings.
    pub(super) fn take(settings: &mut Settings) -> Self {
        let server = settings.text("SMTP_URL").and_then(|url| smtp(settings, &url));
        let folder = settings.text("MAIL_FOLDER").map(PathBuf::from);
        if server.is_some() && folder.is_some() {
            settings.fault("MAIL_FOLDER", "cannot stand beside IRIS_SMTP_URL");
        }
        let mail = server.map(MailRoute::Smtp).or(folder.map(MailRoute::Folder));
        let from = settings.text("MAIL_FROM");
        let from = match (&mail, from) {
            (Some(MailRoute::Smtp(_)), None) => {
                settings.fault("MAIL_FROM", "is needed beside IRIS_SMTP_URL");
                None
            }
            (Some(MailRoute::Folder(_)), None) => Some(FROM_OF_FOLDER.to_owned()),
            (_, from) => from,
        };
        let from = from.and_then(|text| match Sender::read(&text) {
            Ok(sender) => Some((text, sender)),
            Err(error) => {
                settings.fault("MAIL_FROM", error.to_string());
                None
            }
        });
        let sms = settings.text("SMS_URL").and_then(|url| webhook(settings, &url));
        let sms_token = settings.text("SMS_TOKEN").map(Secret::new);
        if let Some(token) = &sms_token {
            if sms.is_none() {
                settings.fault("SMS_TOKEN", "needs IRIS_SMS_URL");
            }
            if token.expose().is_empty() || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                settings.fault("SMS_TOKEN", "expected visible ASCII characters");
            }
        }
        Self { mail, from, sms, sms_token, authorities: ca_file(settings, "OUTBOUND_CA") }
    }

    /// Each setting with its value as text, without secrets.
    pub(super) fn rows(&self) -> Vec<(&'static str, Option<String>)> {
        let Self { mail, from, sms, sms_token, authorities } = self;
        let (server, folder) = match mail {
            Some(MailRoute::Smtp(server)) => (Some(server.shown.clone()), None),
            Some(MailRoute::Folder(folder)) => (None, Some(folder.display().to_string())),
            None => (None, None),
        };
        vec![
            ("MAIL_FOLDER", folder),
            ("MAIL_FROM", from.as_ref().map(|(text, _)| text.clone())),
            ("OUTBOUND_CA", authorities.as_ref().map(|file| file.path.display().to_string())),
            ("SMS_TOKEN", sms_token.as_ref().map(|token| format!("{token:?}"))),
            ("SMS_URL", sms.as_ref().map(|webhook| webhook.shown.clone())),
            ("SMTP_URL", server),
        ]
    }

    /// What is wrong although each value alone is right.
    pub(super) fn judge(&self, config: &Config, settings: &mut Settings) {
        let open = !config.http_listen.ip().is_loopback() || config.behind_proxy;
        if matches!(self.mail, Some(MailRoute::Folder(_))) && open {
            settings.fault(
                "MAIL_FOLDER",
                "is for trying things out on one's own machine: mails with links that open accounts would lie in a folder; \
                 set IRIS_SMTP_URL",
            );
        }
    }
}

/// `user:password@host:port`, taken apart.
struct Authority {
    login: Option<(String, Secret<String>)>,
    host: String,
    port: Option<u16>,
    place: String,
}

impl Authority {
    fn read(text: &str) -> Option<Self> {
        let (login, place) = text.rsplit_once('@').map_or((None, text), |(login, place)| (Some(login), place));
        let host = host_of(place);
        let good = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
        if host.is_empty() || !port_is_sane(place) || !host.chars().all(good) {
            return None;
        }
        let port =
            place.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).and_then(|(_, port)| port.parse().ok());
        let login = login.map(|login| {
            let (user, password) = login.split_once(':').unwrap_or((login, ""));
            (decoded(user), Secret::new(decoded(password)))
        });
        Some(Self { login, host, port, place: place.to_owned() })
    }

    fn shown(&self) -> String {
        format!("{}{}", if self.login.is_some() { "***@" } else { "" }, self.place)
    }
}

fn smtp(settings: &mut Settings, url: &str) -> Option<MailServer> {
    let schemes = [
        ("smtps://", Security::Wrapped, 465),
        ("smtp+starttls://", Security::StartTls, 587),
        ("smtp://", Security::Off, 25),
    ];
    let found =
        schemes.iter().find_map(|(scheme, security, port)| Some((scheme, *security, *port, url.strip_prefix(scheme)?)));
    let read = found.and_then(|(scheme, security, port, rest)| {
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let authority = Authority::read(rest).filter(|_| !rest.contains(['/', '?', '#', ' ']))?;
        Some((scheme, security, port, authority))
    });
    let Some((scheme, security, port, authority)) = read else {
        settings.fault("SMTP_URL", SMTP_EXPECTED);
        return None;
    };
    if security == Security::Off && !is_here(&authority.host) {
        let what = format!("{} is not this machine, so TLS is needed: smtps:// or smtp+starttls://", authority.host);
        settings.fault("SMTP_URL", what);
        return None;
    }
    let shown = format!("{scheme}{}", authority.shown());
    Some(MailServer {
        port: authority.port.unwrap_or(port),
        host: authority.host,
        security,
        login: authority.login,
        shown,
    })
}

fn webhook(settings: &mut Settings, url: &str) -> Option<Webhook> {
    let found = [("https://", true, 443), ("http://", false, 80)]
        .iter()
        .find_map(|(scheme, tls, port)| Some((*scheme, *tls, *port, url.strip_prefix(scheme)?)));
    let read = found.and_then(|(scheme, tls, port, rest)| {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let sane = path.bytes().all(|byte| byte.is_ascii_graphic()) && !path.contains('#');
        // A password before the host would be sent to nobody; the token has a setting of its own.
        let authority = Authority::read(authority).filter(|authority| sane && authority.login.is_none())?;
        Some((scheme, tls, port, authority, path))
    });
    let Some((scheme, tls, port, authority, path)) = read else {
        settings.fault("SMS_URL", SMS_EXPECTED);
        return None;
    };
    if !tls && !is_here(&authority.host) {
        settings.fault("SMS_URL", format!("{} is not this machine, so TLS is needed: https://", authority.host));
        return None;
    }
    let rest = if path == "/" { "" } else { "/***" };
    let shown = format!("{scheme}{}{rest}", authority.place);
    let path = Secret::new(path.to_owned());
    Some(Webhook { port: authority.port.unwrap_or(port), host: authority.host, tls, path, shown })
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, Vec<String>> {
        let environment = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let read = Config::read(Sources { environment, ..Sources::default() });
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    const FROM: (&str, &str) = ("IRIS_MAIL_FROM", "IRIS <iris@clinic.example>");

    #[test]
    fn a_mail_server_is_read_and_its_password_shown_to_nobody() {
        let cases = [
            ("smtps://iris:p%40ss@mail.example", Security::Wrapped, "mail.example", 465, "smtps://***@mail.example"),
            (
                "smtp+starttls://mail.example:2525/",
                Security::StartTls,
                "mail.example",
                2525,
                "smtp+starttls://mail.example:2525",
            ),
            ("smtp://127.0.0.1:1025", Security::Off, "127.0.0.1", 1025, "smtp://127.0.0.1:1025"),
            ("smtp://[::1]", Security::Off, "::1", 25, "smtp://[::1]"),
        ];
        for (url, security, host, port, shown) in cases {
            let config = read(&[("IRIS_SMTP_URL", url), FROM]).unwrap();
            let Some(MailRoute::Smtp(server)) = &config.messages.mail else { panic!("{url}") };
            assert_eq!((server.security, server.host.as_str(), server.port), (security, host, port), "{url}");
            assert!(config.messages.rows().contains(&("SMTP_URL", Some(shown.to_owned()))), "{url}");
            if url.contains("iris:") {
                assert_eq!(
                    server.login.as_ref().map(|(user, word)| (user.as_str(), word.expose().as_str())),
                    Some(("iris", "p@ss"))
                );
                assert!(!format!("{config:?}").contains("p@ss"));
            }
        }
        for wrong in [
            "mail.example",
            "http://mail.example",
            "smtp://",
            "smtps://a b",
            "smtps://host:0",
            "smtps://h/path",
            "smtps://h\r\nx",
        ] {
            assert_eq!(
                read(&[("IRIS_SMTP_URL", wrong), FROM]).unwrap_err(),
                [format!("IRIS_SMTP_URL: {SMTP_EXPECTED} (environment)")]
            );
        }
        assert!(
            read(&[("IRIS_SMTP_URL", "smtp://mail.example"), FROM]).unwrap_err()[0].contains("is not this machine")
        );
        assert!(
            read(&[("IRIS_SMTP_URL", "smtps://mail.example")]).unwrap_err()[0].starts_with("IRIS_MAIL_FROM: is needed")
        );
        assert!(read(&[("IRIS_MAIL_FROM", "nobody")]).unwrap_err()[0].starts_with("IRIS_MAIL_FROM: expected"));
    }

    #[test]
    fn a_webhook_is_read_and_neither_its_path_nor_its_token_shown() {
        let config =
            read(&[("IRIS_SMS_URL", "https://sms.example/k3y/send?a=b"), ("IRIS_SMS_TOKEN", "t0ken")]).unwrap();
        let webhook = config.messages.sms.clone().unwrap();
        assert_eq!(
            (webhook.host.as_str(), webhook.port, webhook.path.expose().as_str()),
            ("sms.example", 443, "/k3y/send?a=b")
        );
        let shown = format!("{:?} {config:?}", config.explain());
        assert!(
            shown.contains("https://sms.example/***") && !shown.contains("k3y") && !shown.contains("t0ken"),
            "{shown}"
        );
        for wrong in [
            "sms.example",
            "ftp://sms.example",
            "https://",
            "https://u:p@sms.example",
            "https://sms.example/a b",
            "https://h/#x",
        ] {
            assert_eq!(
                read(&[("IRIS_SMS_URL", wrong)]).unwrap_err(),
                [format!("IRIS_SMS_URL: {SMS_EXPECTED} (environment)")],
                "{wrong}"
            );
        }
        assert!(read(&[("IRIS_SMS_URL", "http://sms.example")]).unwrap_err()[0].contains("is not this machine"));
        assert!(read(&[("IRIS_SMS_TOKEN", "x")]).unwrap_err()[0].contains("needs IRIS_SMS_URL"));
        assert_eq!(read(&[("IRIS_SMS_URL", "http://localhost:9"), ("IRIS_SMS_TOKEN", "a\nb")]).unwrap_err().len(), 1);
    }

    #[test]
    fn a_folder_for_mails_is_for_ones_own_machine_only() {
        let config = read(&[("IRIS_MAIL_FOLDER", "./mails")]).unwrap();
        assert!(matches!(config.messages.mail, Some(MailRoute::Folder(_))));
        assert_eq!(config.messages.from.as_ref().map(|(text, _)| text.as_str()), Some(FROM_OF_FOLDER));
        let open = read(&[("IRIS_MAIL_FOLDER", "./mails"), ("IRIS_BEHIND_PROXY", "true")]).unwrap_err();
        assert!(open[0].starts_with("IRIS_MAIL_FOLDER: is for trying"), "{open:?}");
        let both = read(&[("IRIS_MAIL_FOLDER", "./mails"), ("IRIS_SMTP_URL", "smtp://localhost"), FROM]).unwrap_err();
        assert!(both[0].contains("cannot stand beside"), "{both:?}");
    }
}
