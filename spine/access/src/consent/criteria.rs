//! When a provision applies.

use iris_kernel::Kind;
use iris_search::{Label, Labels};

use super::evaluate::Question;
use super::period::Period;
use super::purpose;
use crate::action::ActionKind;

/// Whether a criterion holds for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// It does not.
    No,
    /// Nobody here can tell.
    Perhaps,
    /// It does.
    Yes,
}

/// Whom a provision names, as far as somebody who signs in here can be that.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// A Practitioner resource.
    Practitioner(Box<str>),
    /// An Organization resource: a department.
    Organization(Box<str>),
    /// A Patient resource.
    Patient(Box<str>),
    /// A CareTeam resource: whoever takes part in it.
    CareTeam(Box<str>),
    /// A user account, by its id.
    Account(Box<str>),
    /// A client, by its id.
    Client(Box<str>),
}

/// What one of a list of values must be. An empty list asks for nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Any<T> {
    pub(crate) known: Vec<T>,
    /// Whether there are values that cannot be looked at here.
    pub(crate) others: bool,
}

impl<T> Default for Any<T> {
    fn default() -> Self {
        Self { known: Vec::new(), others: false }
    }
}

impl<T> Any<T> {
    fn fit(&self, holds: impl Fn(&T) -> bool) -> Fit {
        if self.known.is_empty() && !self.others || self.known.iter().any(holds) {
            Fit::Yes
        } else if self.others {
            Fit::Perhaps
        } else {
            Fit::No
        }
    }
}

/// Which records a provision speaks of by their security labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LabelScope {
    /// Records with one of these.
    pub(crate) labels: Labels,
    /// Records without any.
    pub(crate) unlabelled: bool,
}

impl LabelScope {
    /// Whether it speaks of records in this world: those with one label, or those without any.
    pub(crate) fn has(self, world: Option<Label>) -> bool {
        world.map_or(self.unlabelled, |label| self.labels.has(label))
    }
}

/// Actions as bits, in the order of [`ActionKind::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Actions(u16);

impl Actions {
    pub(crate) const fn of(actions: &[ActionKind]) -> Self {
        let (mut bits, mut i) = (0, 0);
        while i < actions.len() {
            bits |= 1 << actions[i] as u8;
            i += 1;
        }
        Self(bits)
    }

    const fn has(self, action: ActionKind) -> bool {
        self.0 & (1 << action as u8) != 0
    }
}

/// When a provision applies; all of it must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Criteria {
    /// When the access happens.
    pub(crate) period: Period,
    pub(crate) actors: Any<Actor>,
    pub(crate) purposes: Any<Box<str>>,
    pub(crate) kinds: Any<Kind>,
    pub(crate) actions: Any<Actions>,
    /// Types of single records that are named; which record is asked for is not known here.
    pub(crate) records: Any<Kind>,
    pub(crate) labels: Option<LabelScope>,
    /// Whether something is asked for beside these that cannot be looked at here at all.
    pub(crate) beyond: bool,
}

impl Criteria {
    /// Whether they hold, apart from labels.
    pub(crate) fn fit(&self, question: &Question<'_>) -> Fit {
        if !self.period.has(question.at) {
            return Fit::No;
        }
        let stated = question.purpose;
        let purposes = match (stated, self.purposes.known.is_empty() && !self.purposes.others) {
            (_, true) => Fit::Yes,
            (None, false) => Fit::Perhaps,
            (Some(stated), false) => self.purposes.fit(|wanted| purpose::includes(wanted, stated)),
        };
        // Of one record of a type that is named nobody knows whether it is the one.
        let records = match self.records.fit(|kind| *kind == question.kind) {
            Fit::Yes if !self.records.known.is_empty() => Fit::Perhaps,
            fit => fit,
        };
        let fits = [
            self.actors.fit(|actor| question.actors.contains(actor)),
            purposes,
            self.kinds.fit(|kind| *kind == question.kind),
            self.actions.fit(|actions| actions.has(question.action)),
            records,
            if self.beyond { Fit::Perhaps } else { Fit::Yes },
        ];
        fits.into_iter().min().unwrap_or(Fit::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_asks_for_one_of_it_and_an_empty_one_for_nothing() {
        let any = |known: &[u8], others| Any { known: known.to_vec(), others };
        assert_eq!(any(&[], false).fit(|_| false), Fit::Yes);
        assert_eq!(any(&[1, 2], false).fit(|n| *n == 2), Fit::Yes);
        assert_eq!(any(&[1], false).fit(|_| false), Fit::No);
        assert_eq!(any(&[1], true).fit(|_| false), Fit::Perhaps);
        assert_eq!(any(&[], true).fit(|_| false), Fit::Perhaps);
    }
}
