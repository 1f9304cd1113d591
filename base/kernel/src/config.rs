//! Settings: each part of the product declares its own section, reads it from one flat map and reports every fault at once.

use std::collections::BTreeMap;

use crate::Fault;

/// Settings as they arrive from file, environment and flags, by upper-case name without the `IRIS_` prefix.
///
/// A section takes what it knows; whatever nobody took in the end is an unknown key and stops the start.
#[derive(Debug, Default)]
pub struct Settings {
    values: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Settings {
    /// Starts from the merged values, highest precedence already applied.
    #[must_use]
    pub fn new(values: BTreeMap<String, String>) -> Self {
        Self { values, faults: Vec::new() }
    }

    /// Takes a text setting out, if it was given.
    pub fn text(&mut self, key: &str) -> Option<String> {
        self.values.remove(key)
    }

    /// Takes a setting out and parses it. A value that does not parse is recorded as a fault, and the default stands in until
    /// [`Settings::finish`] stops the start.
    pub fn parsed<T>(&mut self, key: &str, default: T, expected: &str) -> T
    where
        T: std::str::FromStr,
    {
        let Some(text) = self.values.remove(key) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.fault(key, format!("expected {expected}"));
            default
        })
    }

    /// Records that a setting is wrong.
    pub fn fault(&mut self, key: &str, what: impl Into<String>) {
        self.faults.push(Fault::new(format!("IRIS_{key}"), what));
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every wrong and every unknown key.
    pub fn finish(mut self) -> Result<(), Vec<Fault>> {
        let unknown = self.values.keys().map(|key| Fault::new(format!("IRIS_{key}"), "no such setting"));
        self.faults.extend(unknown);
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }
}
