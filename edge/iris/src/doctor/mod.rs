//! `iris doctor`: what an installation lacks before patients' data may go into it, each with what to do about it. It changes
//! nothing. A new check is a new row in one of the tables below.

mod database;
mod inside;
mod machine;
mod settings;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::application::Application;
use crate::command::Failure;
use crate::config::Config;

/// What a check came to, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Without it the installation is not fit for patients' data.
    Missing,
    /// It would be better, or only a person can know.
    Advice,
    /// As it should be.
    Good,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Advice => "advice",
            Self::Good => "good",
        }
    }
}

/// One check with what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Finding {
    /// Stable name: part, point, what.
    pub(crate) check: String,
    /// What it came to.
    pub(crate) state: State,
    /// What is, in a sentence.
    pub(crate) found: String,
    /// What to do; `None` where all is well.
    pub(crate) fix: Option<String>,
}

impl Finding {
    fn good(check: &str, found: impl Into<String>) -> Self {
        Self { check: check.to_owned(), state: State::Good, found: found.into(), fix: None }
    }

    fn missing(check: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check: check.to_owned(), state: State::Missing, found: found.into(), fix: Some(fix.into()) }
    }

    fn advice(check: &str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Advice, ..Self::missing(check, found, fix) }
    }
}

/// Examines everything, from inside the process that has the installation open: its settings are the ones that count.
pub(crate) fn examine(application: &Application) -> Result<Value, Failure> {
    let mut findings = outside(&application.config);
    findings.extend(inside::examine(application));
    Ok(document(findings))
}

/// What can be said where there is no installation yet.
pub(crate) fn examine_empty(config: &Config) -> Value {
    let mut findings = outside(config);
    findings.push(Finding::missing(
        "installation.there",
        format!("there is no installation in {}", config.data_dir.display()),
        "make the first administrator: iris user create --name … --role admin",
    ));
    document(findings)
}

fn outside(config: &Config) -> Vec<Finding> {
    let mut findings = settings::examine(config);
    findings.extend(machine::examine(config, &machine::Linux));
    findings
}

fn document(mut findings: Vec<Finding>) -> Value {
    findings.sort_by(|a, b| (a.state, &a.check).cmp(&(b.state, &b.check)));
    json!({ "checks": findings })
}

/// The verdict on what was found: a failure if anything is missing, so that a script sees it by the exit code.
///
/// # Errors
/// Something is missing; the result holds every check all the same.
pub(crate) fn verdict(examined: &Value, as_text: bool) -> Result<Value, Failure> {
    let findings: Vec<Finding> = serde_json::from_value(examined["checks"].clone())
        .map_err(|error| Failure::new(format!("the running server examines itself in another way: {error}")))?;
    let count = |state| findings.iter().filter(|finding| finding.state == state).count();
    let (missing, advice) = (count(State::Missing), count(State::Advice));
    let result = match as_text {
        true => Value::String(text(&findings)),
        false => json!({ "ready": missing == 0, "missing": missing, "advice": advice, "checks": findings }),
    };
    if missing == 0 {
        return Ok(result);
    }
    let message = format!("{missing} of {} checks say that it is not ready for patients' data", findings.len());
    Err(Failure { message, faults: Vec::new(), result })
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for finding in findings {
        lines.push(format!("{:7}  {:width$}  {}", finding.state.word(), finding.check, finding.found));
        lines.extend(finding.fix.iter().map(|fix| format!("{:7}  {:width$}  -> {fix}", "", "")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_missing_is_a_failure_that_shows_everything() {
        let findings = vec![Finding::good("b.good", "is well"), Finding::missing("a.bad", "is not", "do this")];
        let examined = document(findings);
        assert_eq!(examined["checks"][0]["check"], "a.bad");
        let failure = verdict(&examined, false).unwrap_err();
        assert_eq!((failure.result["ready"].as_bool(), failure.result["missing"].as_u64()), (Some(false), Some(1)));
        assert_eq!(failure.result["checks"][0]["fix"], "do this");
        let failure = verdict(&examined, true).unwrap_err();
        let shown = failure.result.as_str().unwrap().to_owned();
        assert_eq!(
            shown.lines().collect::<Vec<_>>(),
            ["missing  a.bad   is not", "                 -> do this", "good     b.good  is well",]
        );
    }

    #[test]
    fn advice_alone_is_no_failure() {
        let examined = document(vec![Finding::advice("a.so", "could be better", "do that")]);
        assert_eq!(verdict(&examined, false).unwrap()["ready"], true);
    }
}
