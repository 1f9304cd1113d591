//! What was measured, and the page it becomes.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::Outcome;

/// One line of the page: a figure beside what was aimed at.
struct Row {
    figure: String,
    target: &'static str,
    measured: String,
    cpu_ms: Option<f64>,
    others: Option<f64>,
}

/// What was measured over one database.
struct Part {
    title: &'static str,
    rows: Vec<Row>,
}

/// What stands behind the last table.
const CHECKS: &str = "\nBefore a shape was run, its answer was checked (`bench.py verify`):\n\n";

impl Part {
    fn head(&self) -> String {
        format!("\n## {}\n", self.title)
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = self.head();
        text.push_str("\n| figure | target | measured | CPU ms a request | others |\n|---|---|---|---|---|\n");
        for Row { figure, target, measured, cpu_ms, others } in &self.rows {
            let cpu = cpu_ms.map_or(String::new(), |ms| format!("{ms:.3}"));
            let others = others.map_or(String::new(), |share| format!("{share:.0} %"));
            writeln!(text, "| {figure} | {target} | {measured} | {cpu} | {others} |")?;
        }
        Ok(text)
    }
}

/// Everything of one run.
#[derive(Default)]
pub(crate) struct Report {
    parts: Vec<Part>,
    checks: BTreeSet<String>,
}

impl Report {
    /// What follows is of another part.
    pub(crate) fn part(&mut self, title: &'static str) {
        println!("\n{title}");
        self.parts.push(Part { title, rows: Vec::new() });
    }

    fn push(&mut self, row: Row) {
        match self.parts.last_mut() {
            Some(part) => part.rows.push(row),
            None => self.parts.push(Part { title: "", rows: vec![row] }),
        }
    }

    /// A figure in words.
    pub(crate) fn note(&mut self, figure: &str, target: &'static str, measured: String) {
        println!("{figure}: {measured}");
        self.push(Row { figure: figure.to_owned(), target, measured, cpu_ms: None, others: None });
    }

    /// A shape of `bench.py`, from its result. `per_request` is how many resources one request carries.
    pub(crate) fn shape(
        &mut self,
        figure: &str,
        target: &'static str,
        result: &Value,
        per_request: u32,
    ) -> Outcome<()> {
        let number = |name: &str| result[name].as_f64().ok_or_else(|| format!("{figure}: the result has no {name}"));
        let failed = number("err_status")? + number("err_timeout")?;
        let rate = number("rps")? * f64::from(per_request);
        let unit = if per_request == 1 { "" } else { " resources" };
        let mut measured =
            format!("{}{unit}/s, p50 {:.1} ms, p99 {:.1} ms", thousands(rate), number("p50_ms")?, number("p99_ms")?);
        if failed > 0.0 {
            write!(measured, ", **{failed} failed**")?;
        }
        println!("{figure}: {measured}");
        let cpu_ms = result["server_cpu_ms_per_req"].as_f64();
        let others = result["others_busy_pct"].as_f64();
        self.push(Row { figure: figure.to_owned(), target, measured, cpu_ms, others });
        Ok(())
    }

    /// What `bench.py verify` said of each shape; a failure ends the run, because its figure would mean nothing.
    pub(crate) fn verified(&mut self, result: &Value) -> Outcome<()> {
        for (shape, said) in result.as_object().ok_or("the shapes were not verified")? {
            let said = said.as_str().unwrap_or_default();
            if !said.starts_with("ok") {
                return Err(format!("the answer of {shape} is not what the shape asks for: {said}").into());
            }
            self.checks.insert(format!("{shape}: {said}"));
        }
        Ok(())
    }

    /// Puts its parts into a page that is there: each in place of the one of its title, or behind the last.
    pub(crate) fn renew(&self, path: &Path) -> Outcome<()> {
        let mut page = std::fs::read_to_string(path)?;
        for part in &self.parts {
            let checks = page.find(CHECKS).ok_or("the page has no end of its tables")?;
            let (from, to) = match page.find(&part.head()) {
                Some(from) => {
                    let behind = from + part.head().len();
                    let next = page[behind..checks].find("\n## ").map_or(checks, |next| behind + next);
                    (from, next)
                }
                None => (checks, checks),
            };
            page.replace_range(from..to, &part.text()?);
        }
        std::fs::write(path, page)?;
        Ok(())
    }

    /// Writes the page: `head` is what stands above the table, `notes` the text of a person below it.
    pub(crate) fn write(&self, path: &Path, head: &str, notes: &str) -> Outcome<()> {
        let mut page = String::from(head);
        for part in &self.parts {
            page.push_str(&part.text()?);
        }
        page.push_str(CHECKS);
        for check in &self.checks {
            writeln!(page, "- {check}")?;
        }
        writeln!(page, "\n{}", notes.trim_end())?;
        std::fs::write(path, page)?;
        Ok(())
    }
}

/// A number as people write it, three significant digits.
pub(crate) fn thousands(number: f64) -> String {
    let step = if number >= 10_000.0 {
        100.0
    } else if number >= 1_000.0 {
        10.0
    } else {
        1.0
    };
    let digits = format!("{:.0}", (number / step).round() * step);
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The middle one of what several passes gave.
pub(crate) fn median(mut passes: Vec<f64>) -> f64 {
    passes.sort_by(f64::total_cmp);
    passes.get(passes.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;

    #[test]
    fn a_part_that_is_measured_alone_takes_its_place_in_the_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.md");
        let told = |of: &[(&'static str, &str)]| {
            let mut report = Report::default();
            for (part, measured) in of {
                report.part(part);
                report.note("figure", "", (*measured).to_owned());
            }
            report
        };
        told(&[("A", "1"), ("B", "2")]).write(&path, "# Figures\n", "## Notes\n\ntext").unwrap();
        for (renewed, whole) in
            [("C", &[("A", "1"), ("B", "2"), ("C", "9")][..]), ("A", &[("A", "9"), ("B", "2"), ("C", "9")])]
        {
            told(&[(renewed, "9")]).renew(&path).unwrap();
            let expected = folder.path().join("expected.md");
            told(whole).write(&expected, "# Figures\n", "## Notes\n\ntext").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), std::fs::read_to_string(&expected).unwrap());
        }
    }
}
