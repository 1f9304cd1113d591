//! Laws of consents over random trees of provisions.

use iris_kernel::{Kind, Timestamp};
use iris_search::{Label, Labels};
use proptest::prelude::*;

use super::criteria::{Actor, Any, Criteria, Fit, LabelScope};
use super::{Consent, Decision, Provision, Question, Verdict, verdicts};
use crate::action::ActionKind;

const KIND: Kind = Kind(3);

fn question(actors: &[Actor]) -> Question<'_> {
    Question { actors, is_person: true, kind: KIND, action: ActionKind::Read, purpose: Some("TREAT"), at: Timestamp(0) }
}

fn any_labels() -> impl Strategy<Value = Labels> {
    let some = [Label::Restricted, Label::Hiv, Label::Psychiatry];
    prop::sample::subsequence(some.to_vec(), 0..=3).prop_map(|labels| Labels::of(&labels))
}

fn any_criteria() -> impl Strategy<Value = Criteria> {
    let actors = (prop::sample::subsequence(vec!["a", "b"], 0..=2), any::<bool>());
    let scope = prop::option::of((any_labels(), any::<bool>()));
    (actors, scope, prop::bool::weighted(0.2)).prop_map(|((actors, others), scope, beyond)| Criteria {
        actors: Any { known: actors.into_iter().map(|id| Actor::Practitioner(id.into())).collect(), others },
        labels: scope.map(|(labels, unlabelled)| LabelScope { labels, unlabelled }),
        beyond,
        ..Criteria::default()
    })
}

fn any_provision() -> impl Strategy<Value = Provision> {
    let decision = prop::sample::select(vec![Decision::Permit, Decision::Deny]);
    let leaf = (decision.clone(), any_criteria()).prop_map(|(decision, criteria)| Provision {
        decision: Some(decision),
        criteria,
        exceptions: Vec::new(),
    });
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (decision.clone(), any_criteria(), prop::collection::vec(inner, 0..3))
            .prop_map(|(decision, criteria, exceptions)| Provision { decision: Some(decision), criteria, exceptions })
    })
}

fn any_consent() -> impl Strategy<Value = Consent> {
    any_provision().prop_map(|root| Consent { patient: "p".into(), root, doubts: Vec::new() })
}

/// What a provision says of a record with these labels if everything that nobody can tell is as `chance` says.
fn exactly(
    provision: &Provision,
    question: &Question<'_>,
    record: Labels,
    chance: &mut dyn FnMut() -> bool,
) -> Verdict {
    let holds = match provision.criteria.fit(question) {
        Fit::No => false,
        Fit::Perhaps => chance(),
        Fit::Yes => true,
    };
    let speaks = provision
        .criteria
        .labels
        .is_none_or(|scope| if record.is_none() { scope.unlabelled } else { scope.labels.meets(record) });
    // Drawn for every exception, whether it is looked at or not: the draws of others must not depend on it.
    let inner: Vec<Verdict> =
        provision.exceptions.iter().map(|inner| exactly(inner, question, record, chance)).collect();
    if !holds || !speaks {
        return Verdict::Silent;
    }
    match (inner.into_iter().max().unwrap_or(Verdict::Silent), provision.decision) {
        (Verdict::Silent, Some(Decision::Permit)) => Verdict::Permit,
        (Verdict::Silent, Some(Decision::Deny)) => Verdict::Deny,
        (inner, _) => inner,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever nobody can tell turns out to be: what is shown is permitted, or at least not denied, by the exact reading.
    #[test]
    fn nothing_is_shown_that_the_exact_reading_denies(
        consents in prop::collection::vec(any_consent(), 0..3),
        record in any_labels(),
        chances in prop::collection::vec(any::<bool>(), 64),
        who in prop::sample::select(vec!["a", "c"]),
    ) {
        let actors = [Actor::Practitioner(who.into())];
        let question = question(&actors);
        let mut at = 0;
        let mut chance = || { at += 1; chances[at % chances.len()] };
        let exact = consents.iter().map(|one| exactly(&one.root, &question, record, &mut chance)).max();
        let exact = exact.unwrap_or(Verdict::Silent);
        let found = verdicts(&consents.iter(), &question);
        let is_open = found.unlabelled != Verdict::Deny && !found.denied.meets(record);
        prop_assert!(!is_open || exact != Verdict::Deny, "opt-out: {found:?} {exact:?}");
        let is_permitted = found.unlabelled == Verdict::Permit && Labels::ALL.without(found.permitted).common(record).is_none();
        prop_assert!(!is_permitted || exact == Verdict::Permit, "opt-in: {found:?} {exact:?}");
    }

    /// One more consent that denies never opens anything; one that only permits never closes anything.
    #[test]
    fn a_denial_more_opens_nothing_and_a_permission_more_closes_nothing(
        consents in prop::collection::vec(any_consent(), 0..3),
        more in any_criteria(),
        decision in prop::sample::select(vec![Decision::Permit, Decision::Deny]),
        record in any_labels(),
    ) {
        let actors = [Actor::Practitioner("a".into())];
        let question = question(&actors);
        let before = verdicts(&consents.iter(), &question);
        let root = Provision { decision: Some(decision), criteria: more, exceptions: Vec::new() };
        let consents = [consents, vec![Consent { patient: "p".into(), root, doubts: Vec::new() }]].concat();
        let after = verdicts(&consents.iter(), &question);
        let is_open = |found: super::Verdicts| found.unlabelled != Verdict::Deny && !found.denied.meets(record);
        match decision {
            Decision::Deny => prop_assert!(is_open(before) || !is_open(after)),
            Decision::Permit => prop_assert!(!is_open(before) || is_open(after)),
        }
    }
}
