//! The settings that can be changed while the server runs: a closed table. A setting stands here only if a change takes effect on
//! the running node and nothing that was promised to somebody is broken by it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use iris_identity::PageSessions;
use iris_kernel::{Fault, Span, span};
use iris_resources::{ClientIds, MultipleDeletes, Policy, ReferencePolicy};

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A feature that is on or off.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A length of time between these.
    Span(Duration, Duration),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its name in `/api/v1/config`; `IRIS_` and the same in upper case at the start.
    pub name: &'static str,
    /// Its value where nobody says anything.
    pub default: &'static str,
    /// What it means, in a sentence.
    pub what: &'static str,
    pub(crate) form: Form,
}

/// Before the name of a feature flag.
pub(crate) const FLAG: &str = "flag_";
/// The word for a feature that is on.
pub(crate) const ON: &str = "on";
/// The word for one that is off.
pub(crate) const OFF: &str = "off";
/// What a feature may be.
pub(crate) const FLAG_WORDS: &[&str] = &[ON, OFF];
/// Log levels, the quietest first.
pub const LOG_LEVELS: &[&str] = &["error", "warn", "info", "debug"];
/// From when on a request counts as slow, where nobody says anything.
pub const SLOW_REQUEST_DEFAULT: Duration = Duration::from_secs(1);
/// What may be said about that.
pub const SLOW_REQUEST_RANGE: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3_600);
/// Shortest idle time of a page's session: people must have time to read the warning before its end.
pub const SESSION_IDLE_MIN: Duration = Duration::from_secs(2 * 60);
/// Longest time of a page's session. Whoever wants more wants a program's session.
pub const SESSION_LIFE_MAX: Duration = Duration::from_secs(7 * 86_400);

/// What may be said about after how long without a sign-in an account is dormant.
pub const ACCOUNT_DORMANT_RANGE: RangeInclusive<Duration> =
    Duration::from_secs(86_400)..=Duration::from_secs(3_650 * 86_400);

/// Every setting that can be changed while the server runs, by name.
pub const SETTINGS: [Setting; 10] = [
    Setting {
        name: "account_dormant",
        default: "90d",
        what: "After how long without a sign-in an account is dormant in the access report.",
        form: Form::Span(*ACCOUNT_DORMANT_RANGE.start(), *ACCOUNT_DORMANT_RANGE.end()),
    },
    Setting {
        name: "client_ids",
        default: "allowed",
        what: "Whether PUT to an unused id makes the record.",
        form: Form::Choice(&["allowed", "refused"]),
    },
    Setting {
        name: "conditional_delete",
        default: "single",
        what: "How many records a conditional delete may take away: one, or all that match, up to 999.",
        form: Form::Choice(&["single", "multiple"]),
    },
    Setting {
        name: "flag_audit_export",
        default: "on",
        what: "Whether the access log can be taken away through the API; `iris audit export` always can.",
        form: Form::Flag,
    },
    Setting { name: "flag_docs", default: "on", what: "Whether /docs and /openapi.json are shown.", form: Form::Flag },
    Setting { name: "log_level", default: "info", what: "How much is logged.", form: Form::Choice(LOG_LEVELS) },
    Setting {
        name: "references",
        default: "recorded",
        what: "What a single FHIR write may refer to: records that are there, or anything.",
        form: Form::Choice(&["checked", "recorded"]),
    },
    Setting {
        name: "session_idle",
        default: "15m",
        what: "After how long without use a page's session is over; for sessions that begin from then on.",
        form: Form::Span(SESSION_IDLE_MIN, SESSION_LIFE_MAX),
    },
    Setting {
        name: "session_life",
        default: "12h",
        what: "After how long a page's session is over in any case; for sessions that begin from then on.",
        form: Form::Span(SESSION_IDLE_MIN, SESSION_LIFE_MAX),
    },
    Setting {
        name: "slow_request",
        default: "1s",
        what: "A request that takes at least this long is logged.",
        form: Form::Span(*SLOW_REQUEST_RANGE.start(), *SLOW_REQUEST_RANGE.end()),
    },
];

/// Whether a setting, by its name at the start and without its prefix, can be changed while the server runs.
#[must_use]
pub fn is_live(key: &str) -> bool {
    SETTINGS.iter().any(|setting| setting.name.eq_ignore_ascii_case(key))
}

/// The feature flags.
pub fn flags() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.form == Form::Flag)
}

/// The setting of this name.
pub(crate) fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}

impl Setting {
    /// What a fault says that is expected.
    pub(crate) fn expected(&self) -> String {
        match self.form {
            Form::Flag => "must be on or off".to_owned(),
            Form::Choice(words) => format!("must be {}", words.join(", ")),
            Form::Span(least, most) => {
                format!("must be {}, from {} to {}", span::EXPECTED, Span(least), Span(most))
            }
        }
    }

    /// The value as it is always written, if it may be one at all.
    pub(crate) fn normal(&self, text: &str) -> Option<String> {
        match self.form {
            Form::Flag => FLAG_WORDS.contains(&text).then(|| text.to_owned()),
            Form::Choice(words) => words.contains(&text).then(|| text.to_owned()),
            Form::Span(least, most) => {
                let span: Span = text.parse().ok()?;
                (least..=most).contains(&span.0).then(|| span.to_string())
            }
        }
    }
}

/// All settings with the values that count, as what they mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) policy: Policy,
    pub(crate) audit_export: bool,
    pub(crate) docs: bool,
    pub(crate) log_level: &'static str,
    pub(crate) page_sessions: PageSessions,
    pub(crate) slow_request: Duration,
    pub(crate) account_dormant: Duration,
}

impl Values {
    /// Reads them; every setting is there as text.
    ///
    /// # Errors
    /// Every value that is none, and what does not go together, each by the setting's name.
    pub(crate) fn read(texts: &BTreeMap<&'static str, String>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        for setting in &SETTINGS {
            if texts.get(setting.name).is_none_or(|text| setting.normal(text).is_none()) {
                faults.push(Fault::new(setting.name, setting.expected()));
            }
        }
        let text = |name: &str| texts.get(name).map_or("", String::as_str);
        let span = |name: &str| text(name).parse::<Span>().map_or(Duration::ZERO, |span| span.0);
        let page_sessions = PageSessions { idle: span("session_idle"), life: span("session_life") };
        if faults.is_empty() && page_sessions.idle > page_sessions.life {
            faults.push(Fault::new("session_idle", "must be no longer than session_life"));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let checked = text("references") == "checked";
        let allowed = text("client_ids") == "allowed";
        let several = text("conditional_delete") == "multiple";
        Ok(Self {
            policy: Policy {
                references: if checked { ReferencePolicy::Checked } else { ReferencePolicy::Recorded },
                client_ids: if allowed { ClientIds::Allowed } else { ClientIds::Refused },
                multiple_deletes: if several { MultipleDeletes::Allowed } else { MultipleDeletes::Refused },
            },
            audit_export: text("flag_audit_export") == ON,
            docs: text("flag_docs") == ON,
            log_level: LOG_LEVELS.iter().find(|level| **level == text("log_level")).copied().unwrap_or("info"),
            page_sessions,
            slow_request: span("slow_request"),
            account_dormant: span("account_dormant"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> BTreeMap<&'static str, String> {
        SETTINGS.iter().map(|setting| (setting.name, setting.default.to_owned())).collect()
    }

    #[test]
    fn the_defaults_are_values_and_stand_in_order() {
        let values = Values::read(&defaults()).unwrap();
        assert_eq!(values.page_sessions, PageSessions::default());
        assert_eq!(values.slow_request, SLOW_REQUEST_DEFAULT);
        assert_eq!(values.account_dormant, iris_identity::DORMANT_DEFAULT);
        assert!(values.docs && values.audit_export && values.log_level == "info");
        assert!(SETTINGS.windows(2).all(|pair| pair[0].name < pair[1].name));
        assert!(SETTINGS.iter().all(|setting| setting.normal(setting.default).as_deref() == Some(setting.default)));
        assert!(flags().all(|setting| setting.name.starts_with(FLAG)));
    }

    #[test]
    fn a_span_holds_at_its_limits_and_not_past_them() {
        let idle = setting("session_idle").unwrap();
        assert_eq!(idle.normal("120s").as_deref(), Some("2m"));
        assert_eq!(idle.normal("168h").as_deref(), Some("7d"));
        for wrong in ["119s", "169h", "15", ""] {
            assert_eq!(idle.normal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_a_fault() {
        let mut texts = defaults();
        texts.insert("session_idle", "13h".to_owned());
        let faults = Values::read(&texts).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].at, "session_idle");
    }
}
