//! The barrier: what holds PHI is handed around as [`Sealed`], and only proof of a durable entry opens it.

use std::fmt;

use crate::event::Event;

/// Proof that audit entries are durable. Only [`crate::Audit`] makes one: from a journal append that has been flushed, or
/// from a committed transaction that carried the entries.
#[derive(Debug)]
pub struct Receipt(());

impl Receipt {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

/// A value that must not leave before its audit entries are durable (architecture §3, invariant 2).
///
/// There is no way to the value but [`crate::Audit::release`], which makes the pending entries durable first, or
/// [`Sealed::open`] with the [`Receipt`] of the write that carried them. It is neither `Clone`, `Deref`, serialisable nor
/// visible to `Debug`, so a handler that forgets the entry does not compile:
///
/// ```compile_fail,E0616
/// fn handler(found: iris_audit::Sealed<String>) -> String {
///     found.value
/// }
/// ```
///
/// ```compile_fail,E0308
/// fn handler(found: iris_audit::Sealed<String>) -> String {
///     found
/// }
/// ```
///
/// ```compile_fail,E0614
/// fn handler(found: iris_audit::Sealed<String>) -> String {
///     *found
/// }
/// ```
///
/// ```compile_fail,E0423
/// fn handler(found: iris_audit::Sealed<String>) -> Option<String> {
///     found.open(&iris_audit::Receipt(())).ok()
/// }
/// ```
///
/// With a receipt it does:
///
/// ```
/// fn handler(found: iris_audit::Sealed<String>, receipt: &iris_audit::Receipt) -> Option<String> {
///     found.open(receipt).ok()
/// }
/// ```
#[must_use = "nothing is shown and nothing recorded until it is released"]
pub struct Sealed<T> {
    value: T,
    pending: Vec<Event>,
}

impl<T> Sealed<T> {
    pub(crate) const fn new(value: T, pending: Vec<Event>) -> Self {
        Self { value, pending }
    }

    pub(crate) fn into_parts(self) -> (T, Vec<Event>) {
        (self.value, self.pending)
    }

    /// Takes the value out by the receipt of the write whose transaction carried its entries.
    ///
    /// # Errors
    /// The sealed value itself, if it has pending entries of its own: those need [`crate::Audit::release`].
    pub fn open(self, _receipt: &Receipt) -> Result<T, Self> {
        if self.pending.is_empty() { Ok(self.value) } else { Err(self) }
    }

    /// The logical ids of the patients whom the pending entries say were seen, each as often as it is named. Says nothing of the
    /// value beyond what the log will say of it.
    #[must_use]
    pub fn concerns(&self) -> Vec<String> {
        // That a record was deleted is a failure to read it, and tells of it all the same.
        let seen = self.pending.iter().filter(|event| event.outcome != crate::Outcome::Denied);
        seen.flat_map(|event| event.patients.iter().cloned()).collect()
    }

    /// Works on the value under the seal, for example to render it while the entry is being flushed. A plain function, not
    /// a closure: what captures nothing carries nothing away.
    pub fn map<U>(self, change: fn(T) -> U) -> Sealed<U> {
        Sealed { value: change(self.value), pending: self.pending }
    }
}

impl<T> fmt::Debug for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use iris_kernel::{Tenant, Timestamp};

    use super::*;
    use crate::{Action, Actor, Outcome};

    #[test]
    fn a_receipt_does_not_cover_entries_that_are_still_pending() {
        let event = Event::new(Tenant::DEFAULT, Actor::system(), Action::PhiRead, Outcome::Success, Timestamp(0));
        let sealed = Sealed::new("Jane", vec![event]);
        assert!(!format!("{sealed:?}").contains("Jane"));
        let still = sealed.open(&Receipt::new()).unwrap_err();
        assert_eq!(still.map(str::len).into_parts().1.len(), 1);
        assert_eq!(Sealed::new("Jane", Vec::new()).open(&Receipt::new()).unwrap(), "Jane");
    }
}
