//! What an import did.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

/// What became of one document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// How many resources were stored, by type.
    pub by_type: Vec<(&'static str, u64)>,
    /// How many were there already with the same content.
    pub present: u64,
}

/// The sums.
pub(super) struct Summary {
    files: usize,
    ignored: usize,
    by_type: BTreeMap<&'static str, u64>,
    present: u64,
    /// Documents that were not stored.
    pub(super) rejected: u64,
    /// How long it took.
    pub(super) seconds: f64,
}

impl Summary {
    pub(super) fn new(files: usize, ignored: usize) -> Self {
        Self { files, ignored, by_type: BTreeMap::new(), present: 0, rejected: 0, seconds: 0.0 }
    }

    pub(super) fn add(&mut self, stored: &Stored) {
        for (name, count) in &stored.by_type {
            *self.by_type.entry(name).or_default() += count;
        }
        self.present += stored.present;
    }

    /// How many resources are there now because of this import, or were there already.
    pub(super) fn resources(&self) -> u64 {
        self.by_type.values().sum::<u64>() + self.present
    }

    pub(super) fn json(&self, rejects: Option<&Path>) -> Value {
        let stored: u64 = self.by_type.values().sum();
        let rate = if self.seconds > 0.0 { self.resources() as f64 / self.seconds } else { 0.0 };
        json!({
            "stored": stored,
            "present": self.present,
            "rejected": self.rejected,
            "by_type": self.by_type,
            "files": self.files,
            "files_ignored": self.ignored,
            "seconds": (self.seconds * 1_000.0).round() / 1_000.0,
            "resources_per_second": rate.round(),
            "rejects_file": rejects.map(|path| path.display().to_string()),
        })
    }
}
