use iris_fhir::Resource;
use iris_fhir::json::{Json, Writer};
use iris_kernel::{Tenant, Timestamp, Version};
use proptest::prelude::*;

use super::*;
use iris_plain::Record;
use iris_validation::Valid;

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn system() -> String {
    mrn_system(Tenant::DEFAULT)
}

fn read(text: &str) -> Result<PatientInput, Vec<String>> {
    let json = Json::parse(text.to_owned()).unwrap();
    let read = PatientInput::read(json.root(), Purpose::Create, NOW);
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn record() -> Record {
    Record {
        id: "p1".to_owned(),
        version: Version(2),
        created_at: NOW,
        created_by: "u1".to_owned(),
        updated_at: NOW,
        updated_by: "u2".to_owned(),
    }
}

fn shown(patient: &Patient) -> Json {
    let mut w = Writer::new();
    patient.show(&record(), &mut w);
    Json::parse(w.finish()).unwrap()
}

const FULL: &str = r#"{"first_name":"John","last_name":"Doe","date_of_birth":"1985-05-15","gender":"male","ssn":"123-45-6789",
    "phone":"+1-555-0123","email":"john.doe@email.com","medical_record_number":"A-1",
    "address":{"street":"123 Main St","city":"Healthcare City","state":"HC","zip_code":"12345"},
    "emergency_contact":{"name":"Jane Doe","relationship":"Spouse","phone":"+1-555-0124"}}"#;

#[test]
fn the_documented_patient_becomes_valid_fhir() {
    let input = read(FULL).unwrap();
    let made = create(&input.over(&Patient::default()), &system());
    let resource = Resource::parse(made).unwrap();
    let valid = Valid::check(resource).map_err(|(_, faults)| faults).unwrap();
    let root = valid.root();
    assert_eq!(root.get("active").and_then(|v| v.as_bool()), Some(true));
    assert_eq!(root.str_of("birthDate").as_deref(), Some("1985-05-15"));
    let patient = Patient::of(root, &system());
    assert_eq!(patient.medical_record_number.as_deref(), Some("A-1"));
    assert_eq!(patient.emergency_contact.unwrap().relationship.as_deref(), Some("Spouse"));
    assert_eq!(patient.patient_status.as_deref(), Some("active"));
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let text = r#"{"first_name":7,"date_of_birth":"1985-02-30","ssn":"***-**-1234","email":"nobody","gender":"F","colour":"red",
        "patient_status":"x","address":{"strasse":"y"},"id":"z","emergency_contact":"Jane"}"#;
    let faults = read(text).unwrap_err();
    for at in [
        "/colour:",
        "/last_name:",
        "/id:",
        "/first_name:",
        "/date_of_birth:",
        "/gender:",
        "/ssn:",
        "/email:",
        "/address/strasse:",
        "/emergency_contact:",
        "/patient_status:",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(at)), "{at} in {faults:?}");
    }
    assert!(faults.iter().any(|fault| fault.contains("masked")));
    assert!(faults.iter().all(|fault| !fault.contains("1234")), "a fault repeats no value");
}

#[test]
fn a_birth_in_the_future_is_refused() {
    assert!(read(r#"{"first_name":"a","last_name":"b","date_of_birth":"2030-01-01"}"#).is_err());
    assert!(read(r#"{"first_name":"a","last_name":"b","date_of_birth":"2026-01-01"}"#).is_ok());
}

#[test]
fn the_flat_address_is_taken_and_must_not_contradict() {
    let start = r#"{"first_name":"a","last_name":"b","date_of_birth":"1985","address_line1":"1 Way","city":"X""#;
    let flat = read(&format!("{start}}}")).unwrap().over(&Patient::default());
    assert_eq!(flat.address.unwrap().street.as_deref(), Some("1 Way"));
    assert!(read(&format!(r#"{start},"address":{{"city":"Y"}}}}"#)).is_err());
}

#[test]
fn an_update_may_send_back_what_was_shown_and_nothing_else_of_the_server() {
    let patient = read(FULL).unwrap().over(&Patient::default());
    let shown = shown(&patient);
    let purpose = Purpose::Update { shown: shown.root() };
    let same = PatientInput::read(shown.root(), purpose, NOW).unwrap();
    assert_eq!(same.over(&patient), patient);
    let other = Json::parse(r#"{"version":7,"created_by":null}"#).unwrap();
    assert_eq!(PatientInput::read(other.root(), purpose, NOW).unwrap_err().len(), 2);
}

#[test]
fn what_the_plain_dialect_does_not_know_stays() {
    let text = r#"{"resourceType":"Patient","id":"x","extension":[{"url":"http://e","valueDecimal":1.00}],
        "identifier":[{"use":"usual","system":"http://other","value":"9","period":{"start":"2001"}}],
        "name":[{"use":"maiden","family":"Old"},{"use":"official","family":"Doe","given":["John","Q"],"_given":[null,{"id":"q"}],
        "prefix":["Dr"]}],
        "telecom":[{"system":"phone","use":"old","value":"1"},{"system":"phone","value":"2","rank":1},{"system":"fax","value":"3"}],
        "birthDate":"1985-05-15","_birthDate":{"extension":[{"url":"http://t","valueDateTime":"1985-05-15T10:00:00Z"}]},
        "maritalStatus":{"text":"single"},"communication":[{"language":{"text":"nl"}}]}"#;
    let stored = Json::parse(text).unwrap();
    let change = Json::parse(r#"{"first_name":"Jon","phone":"22","ssn":"123456789"}"#).unwrap();
    let nothing = Json::parse("{}").unwrap();
    let input = PatientInput::read(change.root(), Purpose::Update { shown: nothing.root() }, NOW).unwrap();
    let before = Patient::of(stored.root(), &system());
    let edited = edit(stored.root(), &input.over(&before), &system());
    let expected = r#"{"resourceType":"Patient","id":"x","extension":[{"url":"http://e","valueDecimal":1.00}],
        "identifier":[{"use":"usual","system":"http://other","value":"9","period":{"start":"2001"}},
        {"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SS","display":"Social Security number"}]},
        "system":"http://hl7.org/fhir/sid/us-ssn","value":"123456789"}],
        "name":[{"use":"maiden","family":"Old"},{"use":"official","family":"Doe","given":["Jon","Q"],"_given":[null,{"id":"q"}],
        "prefix":["Dr"]}],
        "telecom":[{"system":"phone","use":"old","value":"1"},{"system":"phone","value":"22","rank":1},{"system":"fax","value":"3"}],
        "birthDate":"1985-05-15","_birthDate":{"extension":[{"url":"http://t","valueDateTime":"1985-05-15T10:00:00Z"}]},
        "maritalStatus":{"text":"single"},"communication":[{"language":{"text":"nl"}}]}"#;
    let (edited, expected) = (Json::parse(edited).unwrap(), Json::parse(expected).unwrap());
    assert!(edited.root().same_as(expected.root()), "{}", String::from_utf8_lossy(edited.text()));
}

fn word() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[A-Za-zÀ-ž<'\";&/\\\\-][A-Za-z0-9 <>'\";]{0,20}")
}

prop_compose! {
    fn addresses()(street in word(), city in word(), state in word(), zip_code in word()) -> Option<Address> {
        Some(Address { street, city, state, zip_code }).filter(|address| *address != Address::default())
    }
}

prop_compose! {
    fn contacts()(name in word(), relationship in word(), phone in word()) -> Option<Contact> {
        Some(Contact { name, relationship, phone }).filter(|contact| *contact != Contact::default())
    }
}

prop_compose! {
    fn patients()(
        (first_name, last_name, phone, email) in (word(), word(), word(), word()),
        (mrn, ssn) in (word(), proptest::option::of("[0-9]{3}-[0-9]{2}-[0-9]{4}")),
        (day, gender, status) in (proptest::option::of("19[0-9]{2}-0[1-9]-1[0-9]"), 0..5_usize, 0..3_usize),
        (address, emergency_contact) in (addresses(), contacts()),
    ) -> Patient {
        Patient {
            first_name, last_name, phone, email, address, emergency_contact, ssn,
            date_of_birth: day,
            gender: GENDERS.get(gender).map(|word| (*word).to_owned()),
            medical_record_number: mrn,
            patient_status: STATUSES.get(status).map(|word| (*word).to_owned()),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn plain_to_fhir_to_plain_is_the_identity(patient in patients()) {
        let made = Json::parse(create(&patient, &system())).unwrap();
        prop_assert_eq!(Patient::of(made.root(), &system()), patient);
    }

    #[test]
    fn an_edit_ends_where_it_should_and_editing_back_restores(before in patients(), after in patients()) {
        let made = Json::parse(create(&before, &system())).unwrap();
        let edited = Json::parse(edit(made.root(), &after, &system())).unwrap();
        prop_assert_eq!(&Patient::of(edited.root(), &system()), &after);
        let same = Json::parse(edit(edited.root(), &after, &system())).unwrap();
        prop_assert!(same.root().same_as(edited.root()));
        let back = Json::parse(edit(edited.root(), &before, &system())).unwrap();
        prop_assert_eq!(Patient::of(back.root(), &system()), before);
    }

    #[test]
    fn an_edit_keeps_unknown_elements(patient in patients(), after in patients()) {
        let made = Json::parse(create(&patient, &system())).unwrap();
        let mut edits = iris_fhir::json::Edits::new();
        edits.insert_first(made.root(), "photo", r#"[{"title":"x","size":1.0}]"#);
        let with = Json::parse(made.edited(edits)).unwrap();
        let edited = Json::parse(edit(with.root(), &after, &system())).unwrap();
        prop_assert_eq!(edited.root().get("photo").map(|v| v.raw()), Some(&br#"[{"title":"x","size":1.0}]"#[..]));
    }
}
