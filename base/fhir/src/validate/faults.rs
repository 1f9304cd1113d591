//! Collecting what is wrong.

use iris_kernel::{Fault, limits};

use crate::json::Value;

/// Longest pointer that a fault carries; member names are the sender's and may be of any length.
const POINTER_BYTES_MAX: usize = 512;

/// The faults so far.
#[derive(Default)]
pub(super) struct Faults {
    listed: Vec<Fault>,
    more: usize,
}

impl Faults {
    /// A fault at a value.
    pub(super) fn at(&mut self, value: Value<'_>, what: impl Into<String>) {
        self.add(value, "", what);
    }

    /// A fault at a member that is not there.
    pub(super) fn member(&mut self, object: Value<'_>, name: &str, what: impl Into<String>) {
        self.add(object, name, what);
    }

    fn add(&mut self, value: Value<'_>, name: &str, what: impl Into<String>) {
        if self.listed.len() >= limits::FAULTS_MAX {
            self.more += 1;
            return;
        }
        let mut pointer = value.pointer();
        if !name.is_empty() {
            pointer.push('/');
            pointer.push_str(name);
        }
        if pointer.len() > POINTER_BYTES_MAX {
            pointer.truncate(pointer.floor_char_boundary(POINTER_BYTES_MAX));
            pointer.push('…');
        }
        self.listed.push(Fault::new(pointer, what));
    }

    /// The list; if there were more than it may hold, its last entry says how many.
    pub(super) fn finish(mut self) -> Vec<Fault> {
        if self.more > 0 {
            self.listed.push(Fault::new("", format!("There are {} more faults", self.more)));
        }
        self.listed
    }
}
