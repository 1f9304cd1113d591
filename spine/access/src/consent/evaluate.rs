//! What consents say about one sort of access. Pure.

use iris_kernel::{Kind, Timestamp};
use iris_search::{Label, Labels};

use super::criteria::{Actor, Fit};
use super::{Consent, Decision, Provision};
use crate::action::ActionKind;

/// One sort of access: everything that is known before a record is at hand.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Everything that the caller is.
    pub actors: &'a [Actor],
    /// Whether a person asks, and no machine.
    pub is_person: bool,
    /// The type of the records.
    pub kind: Kind,
    /// What is to be done with them.
    pub action: ActionKind,
    /// For what ([`super::stated`]); `None` where nobody can tell.
    pub purpose: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// What applies to one sort of records of a patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing applies: the tenant's policy decides.
    Silent,
    /// It is permitted.
    Permit,
    /// It is denied, which wins over everything.
    Deny,
}

/// What consents of one patient say together about records without labels, and about those with each one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdicts {
    /// Records without labels.
    pub unlabelled: Verdict,
    /// Labels that a record must not have for it to be permitted or left to the policy.
    pub denied: Labels,
    /// Labels of which records are permitted in so many words.
    pub permitted: Labels,
}

impl Verdicts {
    /// What a patient without consents says.
    pub const SILENT: Verdicts =
        Verdicts { unlabelled: Verdict::Silent, denied: Labels::NONE, permitted: Labels::NONE };
}

/// What these consents, all of one patient, say together.
pub fn verdicts<'a>(consents: &(impl Iterator<Item = &'a Consent> + Clone), question: &Question<'_>) -> Verdicts {
    let strongest = |world: Option<Label>| {
        let said = consents.clone().map(|consent| judge(&consent.root, question, world, Reach::Here));
        said.max().unwrap_or(Verdict::Silent)
    };
    let mut found = Verdicts { unlabelled: strongest(None), ..Verdicts::SILENT };
    let by_label = consents.clone().any(|consent| names_labels(&consent.root));
    for label in Label::ALL {
        let verdict = if by_label { strongest(Some(label)) } else { found.unlabelled };
        match verdict {
            Verdict::Deny => found.denied = found.denied.union(Labels::of(&[label])),
            Verdict::Permit => found.permitted = found.permitted.union(Labels::of(&[label])),
            Verdict::Silent => {}
        }
    }
    found
}

fn names_labels(provision: &Provision) -> bool {
    provision.criteria.labels.is_some() || provision.exceptions.iter().any(names_labels)
}

/// Whether a provision above speaks of the records in question.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It does.
    Here,
    /// It speaks of records with other labels. A record may have both, so a denial below it counts here; a permission does not.
    Elsewhere,
}

/// What a provision and its exceptions say at worst, of records with one label (or none) and whatever others.
///
/// Of everything that nobody can tell, the reading is taken that shows least: a denial that perhaps applies does, a permission
/// that perhaps applies does not. That this is never wider than the exact answer for any record is a law (`laws`).
fn judge(provision: &Provision, question: &Question<'_>, world: Option<Label>, above: Reach) -> Verdict {
    let fit = provision.criteria.fit(question);
    if fit == Fit::No {
        return Verdict::Silent;
    }
    let reach = match provision.criteria.labels {
        None => above,
        Some(scope) if scope.has(world) => Reach::Here,
        // A record without labels has no other ones.
        Some(_) if world.is_none() => return Verdict::Silent,
        Some(_) => Reach::Elsewhere,
    };
    let inner = provision.exceptions.iter().map(|inner| judge(inner, question, world, reach));
    let inner = inner.max().unwrap_or(Verdict::Silent);
    if inner == Verdict::Deny {
        return Verdict::Deny;
    }
    let is_sure = fit == Fit::Yes && above == Reach::Here && reach == Reach::Here;
    let permits = match provision.decision {
        Some(Decision::Deny) if reach == Reach::Elsewhere => false,
        Some(Decision::Deny) if inner == Verdict::Silent => return Verdict::Deny,
        Some(Decision::Deny) | None => inner == Verdict::Permit,
        Some(Decision::Permit) => true,
    };
    if permits && is_sure { Verdict::Permit } else { Verdict::Silent }
}
