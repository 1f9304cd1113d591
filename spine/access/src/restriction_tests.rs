//! Laws of restrictions over random worlds: a search under the clauses shows what the check of each record lets through.

use iris_fhir::Resource;
use iris_kernel::Timestamp;
use iris_search::{Label, extract};
use proptest::prelude::*;

use super::*;

const PATIENTS: [&str; 5] = ["p1", "p2", "p3", "p4", "p5"];

fn patient() -> impl Strategy<Value = &'static str> {
    prop::sample::select(PATIENTS.to_vec())
}

fn set() -> impl Strategy<Value = PatientSet> {
    prop::collection::vec(patient(), 0..4).prop_map(PatientSet::of)
}

fn labels() -> impl Strategy<Value = Labels> {
    let label = prop::sample::select(Label::ALL.to_vec());
    prop_oneof![Just(Labels::NONE), prop::collection::vec(label, 0..4).prop_map(|labels| Labels::of(&labels))]
}

pub(crate) fn consents() -> impl Strategy<Value = ConsentRules> {
    let denied = (patient(), labels()).prop_map(|(patient, labels)| Denied { patient: patient.into(), labels });
    (prop::option::weighted(0.3, set()), prop::collection::vec(denied, 0..4))
        .prop_map(|(within, outside)| ConsentRules::new(within, outside))
}

fn restriction() -> impl Strategy<Value = Restriction> {
    let own = (prop::option::weighted(0.2, patient()), any::<bool>());
    (own, prop::option::weighted(0.4, set()), consents(), labels(), set()).prop_map(
        |((own, is_all), team, consent, hidden, lifted)| {
            let own: Option<Arc<str>> = own.map(Into::into);
            Restriction { only: own.clone().filter(|_| is_all), own, team, consent, hidden, lifted }
        },
    )
}

/// A record as it is stored: of nobody, of one patient or of several, with any labels.
fn record() -> impl Strategy<Value = Resource> {
    const CODES: [&str; 6] = ["R", "V", "HIV", "TBOO", "CELEBRITY", "PSY"];
    let codes = prop::collection::vec(prop::sample::select(CODES.to_vec()), 0..3);
    (prop::collection::vec(patient(), 0..3), codes, any::<bool>()).prop_map(|(patients, codes, is_patient)| {
        let coding = |code: &str| format!(r#"{{"code":"{code}"}}"#);
        let security = codes.into_iter().map(coding).collect::<Vec<_>>().join(",");
        let meta = format!(r#""meta":{{"security":[{security}]}}"#);
        let text = match patients.first() {
            Some(id) if is_patient => format!(r#"{{"resourceType":"Patient","id":"{id}",{meta}}}"#),
            _ => {
                let actor = |id: &&str| format!(r#"{{"actor":{{"reference":"Patient/{id}"}},"status":"accepted"}}"#);
                let actors = patients.iter().map(actor).collect::<Vec<_>>().join(",");
                format!(
                    r#"{{"resourceType":"Appointment","id":"a",{meta},"status":"booked","participant":[{actors}]}}"#
                )
            }
        };
        Resource::parse(text).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_search_shows_what_the_decision_on_each_record_allows(restriction in restriction(), record in record()) {
        let (patients, labels) = (iris_search::patients_of(&record), iris_search::labels_of(&record));
        let admitted = restriction.admits(&RecordFacts { patients: &patients, labels });
        let document = extract(&record, Timestamp(0));
        let found = restriction.clauses().iter().all(|clause| clause.admits(&document));
        prop_assert_eq!(admitted, found, "{:?} {:?} {:?}", restriction, patients, labels);
        if restriction.is_none() {
            prop_assert!(admitted && restriction.clauses().is_empty());
        }
    }

    #[test]
    fn a_digest_tells_restrictions_apart(one in restriction(), other in restriction()) {
        prop_assert_eq!(one == other, one.digest() == other.digest());
        prop_assert_eq!(one.digest(), one.clone().digest());
    }

    #[test]
    fn a_broken_glass_opens_one_patient_and_closes_nothing(restriction in restriction(), record in record(), p in patient()) {
        let (patients, labels) = (iris_search::patients_of(&record), iris_search::labels_of(&record));
        let facts = RecordFacts { patients: &patients, labels };
        let lifted = PatientSet::of(restriction.lifted.iter().chain([p]));
        let broken = Restriction { lifted, ..restriction.clone() };
        prop_assert!(!restriction.admits(&facts) || broken.admits(&facts));
        if !patients.iter().any(|patient| patient == p) {
            prop_assert_eq!(restriction.admits(&facts), broken.admits(&facts), "other patients stay as they are");
        }
    }
}

#[test]
fn a_set_has_each_patient_once_and_shows_none_in_a_log() {
    let set = PatientSet::of(["b", "a", "b"]);
    assert_eq!(set.iter().collect::<Vec<_>>(), ["a", "b"]);
    assert!(set.has("a") && !set.has("c") && !set.has(""));
    assert!(!format!("{set:?} {:?}", Denied { patient: "secret".into(), labels: Labels::NONE }).contains("secret"));
    assert_eq!(PatientSet::default().len(), 0);
    assert!(!PatientSet::default().has_any(&["a".to_owned()]));
}
