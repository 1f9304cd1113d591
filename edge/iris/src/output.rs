//! What a person or a script sees of a command: progress, result, failure.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};
use iris_kernel::Clock;
use serde_json::{Value, json};

use crate::cli::Output;
use crate::command::{Failure, Progress};

/// Without a terminal, how much time passes between two lines of progress.
const LINE_EVERY: Duration = Duration::from_secs(10);
const BAR: &str = "{wide_bar} {percent:>3} %  {msg}";

/// Shows how far a command is: a bar at a terminal, a line now and then elsewhere, nothing for a script.
pub struct ProgressDisplay<'a> {
    clock: &'a dyn Clock,
    start: Duration,
    bar: Option<ProgressBar>,
    lines: bool,
    last: Duration,
}

impl<'a> ProgressDisplay<'a> {
    /// Chooses by the output and the terminal.
    #[must_use]
    pub fn new(output: Output, clock: &'a dyn Clock) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let wanted = output == Output::Text;
        let bar = (wanted && terminal).then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style);
            }
            bar
        });
        let start = clock.monotonic();
        Self { clock, start, bar, lines: wanted && !terminal, last: start }
    }

    /// Shows the latest.
    pub fn show(&mut self, progress: &Progress) {
        let now = self.clock.monotonic();
        if let Some(bar) = &self.bar {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(describe(progress, now.saturating_sub(self.start)));
        } else if self.lines && now.saturating_sub(self.last) >= LINE_EVERY {
            self.last = now;
            eprintln!("{}", describe(progress, now.saturating_sub(self.start)));
        }
    }

    /// Takes the bar away, so that the result stands alone.
    pub fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Count, rate and time left, in words: `12,345 resources, 6,100/s, 2 minutes left`.
fn describe(progress: &Progress, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    let mut text = format!("{} {}", HumanCount(progress.items), progress.unit);
    if seconds > 0.0 {
        let rate = (progress.items as f64 / seconds) as u64;
        text.push_str(&format!(", {}/s", HumanCount(rate)));
    }
    if progress.done > 0 && progress.total > progress.done {
        let left = seconds * (progress.total - progress.done) as f64 / progress.done as f64;
        text.push_str(&format!(", {} left", HumanDuration(Duration::from_secs_f64(left))));
    }
    text
}

/// Prints a result and returns the process's exit code.
pub fn finish(output: Output, outcome: &Result<Value, Failure>) -> u8 {
    let (text, complaint) = render(output, outcome);
    // A reader that has closed its end is told nothing more, here or elsewhere.
    drop(std::io::stdout().write_all(text.as_bytes()));
    drop(std::io::stderr().write_all(complaint.as_bytes()));
    u8::from(outcome.is_err())
}

/// What goes to standard output and to standard error.
fn render(output: Output, outcome: &Result<Value, Failure>) -> (String, String) {
    match (output, outcome) {
        (Output::Json, Ok(result)) => (format!("{result}\n"), String::new()),
        (Output::Json, Err(failure)) => {
            let shown = json!({ "error": failure.message, "faults": failure.faults, "result": failure.result });
            (format!("{shown}\n"), String::new())
        }
        (Output::Text, Ok(result)) => (text(result), String::new()),
        (Output::Text, Err(failure)) => {
            let mut complaint = format!("error: {}\n", failure.message);
            for fault in &failure.faults {
                complaint.push_str(&format!("  {fault}\n"));
            }
            (lines(&failure.result, 0), complaint)
        }
    }
}

/// A result as text. One value alone stands without its name, so that `iris audit key >key.pub` writes the key.
fn text(result: &Value) -> String {
    match result.as_object().and_then(|members| members.values().next().filter(|_| members.len() == 1)) {
        Some(only) if !only.is_object() && !only.is_array() => lines(only, 0),
        _ => lines(result, 0),
    }
}

/// An object as `name  value` lines, inner objects indented, absent and empty values left out.
fn lines(value: &Value, depth: usize) -> String {
    let Value::Object(members) = value else {
        return if value.is_null() { String::new() } else { format!("{:depth$}{}\n", "", plain(value)) };
    };
    let width = members.keys().map(String::len).max().unwrap_or(0);
    let mut text = String::new();
    for (name, member) in members.iter().filter(|(_, member)| !empty(member)) {
        let name = name.replace('_', " ");
        match member {
            Value::Object(_) => text.push_str(&format!("{:depth$}{name}\n{}", "", lines(member, depth + 2))),
            Value::Array(items) if items.iter().any(Value::is_object) => {
                text.push_str(&format!("{:depth$}{name}\n", ""));
                for item in items {
                    text.push_str(&lines(item, depth + 2));
                }
            }
            other => text.push_str(&format!("{:depth$}{name:width$}  {}\n", "", plain(other))),
        }
    }
    text
}

fn empty(value: &Value) -> bool {
    value.is_null()
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty)
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_lines_for_people_and_one_document_for_scripts() {
        let outcome = Ok(
            json!({ "client_id": "abc", "none": null, "faults": [], "by_type": { "Patient": 2 }, "roles": ["a", "b"] }),
        );
        let (text, complaint) = render(Output::Text, &outcome);
        assert_eq!(text, "by type\n  Patient  2\nclient id  abc\nroles      a, b\n");
        assert!(complaint.is_empty());
        let (text, _) = render(Output::Json, &outcome);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["client_id"], "abc");
    }

    #[test]
    fn a_failure_names_its_faults_and_what_was_done_all_the_same() {
        let failure =
            Failure { message: "no".to_owned(), faults: vec!["a: b".to_owned()], result: json!({ "stored": 1 }) };
        let (text, complaint) = render(Output::Text, &Err(failure.clone()));
        assert_eq!((text.as_str(), complaint.as_str()), ("stored  1\n", "error: no\n  a: b\n"));
        let (text, complaint) = render(Output::Json, &Err(failure));
        let shown: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(shown["error"], "no");
        assert_eq!(shown["result"]["stored"], 1);
        assert!(complaint.is_empty());
    }

    #[test]
    fn progress_tells_count_rate_and_time_left() {
        let progress = Progress { done: 50, total: 150, items: 12_000, unit: "resources".to_owned() };
        assert_eq!(describe(&progress, Duration::from_secs(2)), "12,000 resources, 6,000/s, 4 seconds left");
        assert_eq!(describe(&progress, Duration::ZERO), "12,000 resources, 0 seconds left");
    }
}
