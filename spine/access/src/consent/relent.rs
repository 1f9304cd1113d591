//! Whether a change of a consent takes back something that it denied to the one who makes the change. Pure.
//!
//! Nobody who is kept from a record by its patient's word may change that word: somebody who keeps consents has to do it. The
//! question is asked of the one consent, whatever others of the patient say: a clinician who took back the first of two denials
//! would have done half of it.

use std::collections::BTreeSet;
use std::iter::once;

use iris_fhir::definitions::definitions;
use iris_kernel::{Kind, Timestamp};

use super::evaluate::{Question, Verdict, Verdicts, verdicts};
use super::{Actor, Consent, Provision};
use crate::action::ActionKind;

/// Who makes a change.
#[derive(Clone, Copy)]
pub(crate) struct Changer<'a> {
    /// Everything that they are.
    pub(crate) actors: &'a [Actor],
    /// Whether a person does.
    pub(crate) is_person: bool,
    /// Everything that they may look at records for: what is denied for another purpose is not denied to them.
    pub(crate) purposes: &'a [Option<&'static str>],
}

/// Whether `after` leaves something open that `before` denies to whoever makes the change: now, or at a later moment at which one of
/// them begins or ceases to say something. Of a consent that is gone or counts no more there is no `after`.
pub(crate) fn relents(before: &Consent, after: Option<&Consent>, who: Changer<'_>, now: Timestamp) -> bool {
    let Changer { actors, is_person, purposes } = who;
    // A consent that becomes another patient's says nothing more about this one.
    let after = after.filter(|after| after.patient == before.patient);
    let roots: Vec<&Provision> = once(before).chain(after).map(|consent| &consent.root).collect();
    let mut moments = vec![now];
    once(before).chain(after).for_each(|consent| consent.boundaries(&mut moments));
    moments.retain(|at| *at >= now);
    // Where none is named, one stands for all.
    let purposes = if roots.iter().any(|root| names_purposes(root)) { purposes } else { &[None] };
    let kinds = kinds(&roots);
    let questions = moments.iter().flat_map(|&at| {
        let of_kind = kinds.iter().flat_map(|&kind| ActionKind::ALL.map(|action| (kind, action)));
        of_kind.flat_map(move |(kind, action)| {
            purposes.iter().map(move |&purpose| Question { actors, is_person, kind, action, purpose, at })
        })
    });
    questions.into_iter().any(|question| {
        let was = verdicts(&once(before), &question);
        let is = after.map_or(Verdicts::SILENT, |after| verdicts(&once(after), &question));
        (was.unlabelled == Verdict::Deny && is.unlabelled != Verdict::Deny) || !was.denied.without(is.denied).is_none()
    })
}

/// The types that the provisions name, and one that they do not, which stands for all the others.
fn kinds(roots: &[&Provision]) -> Vec<Kind> {
    let mut named = BTreeSet::new();
    roots.iter().for_each(|root| name_kinds(root, &mut named));
    let other = definitions().kinds().find(|kind| !named.contains(kind));
    named.into_iter().chain(other).collect()
}

fn name_kinds(provision: &Provision, named: &mut BTreeSet<Kind>) {
    named.extend(provision.criteria.kinds.known.iter().chain(&provision.criteria.records.known));
    provision.exceptions.iter().for_each(|inner| name_kinds(inner, named));
}

fn names_purposes(provision: &Provision) -> bool {
    let purposes = &provision.criteria.purposes;
    !purposes.known.is_empty() || purposes.others || provision.exceptions.iter().any(names_purposes)
}

#[cfg(test)]
mod tests {
    use iris_fhir::json::Json;

    use super::*;
    use crate::consent::compile;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn consent(patient: &str, status: &str, provision: &str) -> Option<Consent> {
        let text = format!(
            r#"{{"resourceType":"Consent","status":"{status}","scope":{{"coding":[{{"code":"patient-privacy"}}]}},
            "patient":{{"reference":"Patient/{patient}"}},"provision":{{{provision}}}}}"#
        );
        compile(Json::parse(text).unwrap().root())
    }

    fn relented(before: &str, after: Option<&Consent>) -> bool {
        relented_for(&[Some("TREAT"), Some("HRESCH")], before, after)
    }

    fn relented_for(purposes: &[Option<&'static str>], before: &str, after: Option<&Consent>) -> bool {
        let actors = [Actor::Practitioner("ann".into()), Actor::Account("a".into())];
        let who = Changer { actors: &actors, is_person: true, purposes };
        relents(&consent("p", "active", before).unwrap(), after, who, NOW)
    }

    #[test]
    fn what_is_denied_for_a_purpose_that_is_none_of_mine_is_not_denied_to_me() {
        const RESEARCH: &str = r#""type":"permit","provision":[{"type":"deny","purpose":[{"code":"HRESCH"}]}]"#;
        const NONE: &str = r#""type":"permit","provision":[{"type":"deny","purpose":[{"code":"HRESCH"}]},{"type":"deny","class":[{"code":"Observation"}]}]"#;
        assert!(!relented_for(&[Some("TREAT"), Some("PATRQT")], RESEARCH, None));
        assert!(relented_for(&[Some("TREAT"), Some("HRESCH")], RESEARCH, None));
        assert!(relented_for(&[None], RESEARCH, None), "nobody can tell what it is for");
        assert!(relented_for(&[Some("TREAT")], NONE, consent("p", "active", RESEARCH).as_ref()));
        assert!(!relented_for(&[Some("TREAT")], r#""type":"permit""#, consent("p", "active", RESEARCH).as_ref()));
    }

    #[test]
    fn what_denied_me_something_must_go_on_to_deny_it() {
        const DENY: &str = r#""type":"deny""#;
        const OTHERS: &str =
            r#""type":"permit","provision":[{"type":"deny","actor":[{"reference":{"reference":"Practitioner/bob"}}]}]"#;
        const ME: &str =
            r#""type":"permit","provision":[{"type":"deny","actor":[{"reference":{"reference":"Practitioner/ann"}}]}]"#;
        const NOTES: &str = r#""type":"permit","provision":[{"type":"deny","class":[{"code":"Observation"}]}]"#;
        const MORE: &str =
            r#""type":"permit","provision":[{"type":"deny","class":[{"code":"Observation"},{"code":"Condition"}]}]"#;
        const HIV: &str = r#""type":"permit","provision":[{"type":"deny","securityLabel":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]}]"#;
        const RESEARCH: &str = r#""type":"permit","provision":[{"type":"deny","purpose":[{"code":"HRESCH"}]}]"#;
        const PERMIT: &str = r#""type":"permit""#;
        let now = |provision| consent("p", "active", provision);
        for (before, after, does) in [
            (DENY, now(DENY), false),
            (DENY, None, true),
            (DENY, now(NOTES), true),
            (DENY, consent("q", "active", DENY), true),
            (DENY, consent("p", "inactive", DENY), true),
            (OTHERS, None, false),
            (OTHERS, now(PERMIT), false),
            (ME, now(PERMIT), true),
            (ME, now(OTHERS), true),
            (NOTES, now(MORE), false),
            (MORE, now(NOTES), true),
            (NOTES, now(DENY), false),
            (HIV, now(HIV), false),
            (HIV, now(PERMIT), true),
            (HIV, now(DENY), false),
            (RESEARCH, now(PERMIT), true),
            (RESEARCH, now(RESEARCH), false),
            (PERMIT, now(DENY), false),
            (PERMIT, None, false),
        ] {
            assert_eq!(relented(before, after.as_ref()), does, "{before}");
        }
    }

    #[test]
    fn a_denial_that_is_to_end_sooner_is_taken_back_as_well() {
        let until = |end: &str| format!(r#""type":"deny","period":{{"end":"{end}"}}"#);
        let after = |end: &str| consent("p", "active", &until(end));
        assert!(!relented(&until("2030-01-01"), after("2030-01-01").as_ref()));
        assert!(!relented(&until("2030-01-01"), after("2031-01-01").as_ref()));
        assert!(relented(&until("2030-01-01"), after("2029-01-01").as_ref()));
        assert!(relented(r#""type":"deny""#, after("2040").as_ref()));
        assert!(!relented(&until("2020-01-01"), None), "it was over already");
    }
}
