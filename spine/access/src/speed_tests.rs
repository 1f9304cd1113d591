//! How long a decision takes. Run it with `cargo nextest run -p iris-access --run-ignored only --no-capture`, best with `--release`.

use std::hint::black_box;

use iris_fhir::json::Json;
use iris_kernel::{Tenant, Timestamp};
use iris_testkit::wait;
use uuid::Uuid;

use super::*;
use crate::consent::compile;
use crate::policy::ConsentPolicy;
use crate::restriction::PatientSet;
use crate::role::{Role, RoleSet};
use crate::view::{ConsentBook, Consents, OpenGlass, View};
use crate::{Create, Read};

const ROUNDS: u32 = 200_000;
const PATIENTS: usize = 10_000;

/// A physician of a large clinic: thousands of patients in the care team, a thousand denials, a broken glass.
fn busy() -> Arc<Caller> {
    let mut book = ConsentBook::new();
    for number in 0..PATIENTS / 10 {
        let text = format!(
            r#"{{"resourceType":"Consent","status":"active","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"patient":{{"reference":"Patient/denied-{number}"}},"provision":{{"type":"deny"}}}}"#
        );
        let json = Json::parse(text.into_bytes()).unwrap();
        book.entry(format!("denied-{number}").into()).or_default().extend(compile(json.root()).map(Arc::new));
    }
    let consents = Consents::new(&Arc::new(book), ConsentPolicy::OptOut, Vec::new(), (true, None));
    let team = PatientSet::of((0..PATIENTS).map(|number| format!("patient-{number}")));
    let glass = vec![OpenGlass { patient: "emergency".into(), id: Uuid::nil() }];
    let view = View::new((Timestamp(0), Timestamp(i64::MAX)), Some(team), glass, Some(consents));
    let physician = Caller::pretend(Tenant::DEFAULT, "u", RoleSet::of(&[Role::Physician]), None);
    Arc::new(Caller { view: Arc::new(view), ..physician })
}

#[test]
#[ignore = "prints figures"]
fn a_decision_among_ten_thousand_patients() {
    let observation = crate::names::kind_of("Observation").unwrap();
    let simple = Arc::new(Caller::pretend(Tenant::DEFAULT, "u", RoleSet::of(&[Role::Nurse]), None));
    let patients = ["patient-777".to_owned()];
    for (who, caller) in [("a nurse", &simple), ("a physician with care team and consents", &busy())] {
        for (what, facts) in [
            ("before a record", Facts::kind(observation)),
            ("on a record", Facts::record(observation, RecordFacts::of(&patients))),
        ] {
            drop(black_box(decide(caller, Read, &facts)));
            let ((), took) = wait::timed(|| {
                for _ in 0..ROUNDS {
                    let _ = black_box(decide(caller, Create, black_box(&facts)));
                }
            });
            println!("{who}, {what}: {:?}", took / ROUNDS);
        }
    }
}
