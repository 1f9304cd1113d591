use std::sync::{Arc, LazyLock};

use iris_fhir::Resource;
use iris_fhir::json::{Json, Writer};
use iris_kernel::{Timestamp, Version};
use iris_plain::Record;
use iris_validation::Valid;
use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp(1_795_000_000_000_000);

fn table() -> Arc<Vaccines> {
    static TABLE: LazyLock<Arc<Vaccines>> = LazyLock::new(|| Arc::new(Vaccines::shipped().unwrap()));
    Arc::clone(&TABLE)
}

fn read(text: &str) -> Result<DoseInput, Vec<String>> {
    let json = Json::parse(text.to_owned()).unwrap();
    let read = DoseInput::read(json.root(), Purpose::Create { patient: None }, &table(), NOW);
    read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn shown(dose: &Dose) -> Json {
    let id = || "u1".to_owned();
    let record =
        Record { id: id(), version: Version(1), created_at: NOW, created_by: id(), updated_at: NOW, updated_by: id() };
    let mut w = Writer::new();
    dose.show(&record, &mut w);
    Json::parse(w.finish()).unwrap()
}

#[test]
fn the_documented_dose_becomes_valid_fhir() {
    let text = r#"{"patient_id":"p1","vaccine_code":"08","vaccine_name":"Hepatitis B vaccine","manufacturer":"GlaxoSmithKline",
        "lot_number":"ABC123","administration_date":"2025-01-15T10:30:00","administered_by":"d1","site":"left_deltoid",
        "route":"intramuscular","dose_volume":"0.5ml","notes":"Patient tolerated well","iris_reportable":true}"#;
    let (dose, warnings) = read(text).unwrap().over(&Dose::default(), &table());
    assert_eq!(warnings, [""; 0]);
    let made = create(&dose, Provider::Practitioner, &table());
    let valid = Valid::check(Resource::parse(made).unwrap()).map_err(|(_, faults)| faults).unwrap();
    let text = String::from_utf8(valid.json().compact()).unwrap();
    for part in [
        r#""status":"completed""#,
        r#"{"system":"http://hl7.org/fhir/sid/cvx","code":"08""#,
        r#""occurrenceDateTime":"2025-01-15T10:30:00Z""#,
        r#""doseQuantity":{"value":0.5,"unit":"mL""#,
        r#""code":"LD""#,
        r#""code":"IM""#,
        r#""value":"SKB""#,
        r#""reference":"Practitioner/d1""#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let shown = shown(&Dose::of(valid.root()));
    assert_eq!(shown.root().str_of("vaccine_code").as_deref(), Some("08"));
    assert_eq!(shown.root().str_of("vaccine_name").as_deref(), Some("Hepatitis B vaccine"));
    assert_eq!(shown.root().get("dose_volume").and_then(|v| v.number()), Some("0.5"));
}

#[test]
fn an_unknown_code_is_kept_as_text_with_a_warning() {
    let text = r#"{"patient_id":"p","vaccine_code":"FLU2025","vaccine":"Influenza","date_administered":"2025-07-25T14:30:00Z"}"#;
    let (dose, warnings) = read(text).unwrap().over(&Dose::default(), &table());
    assert_eq!(warnings.len(), 1);
    let made = Json::parse(create(&dose, Provider::Account, &table())).unwrap();
    let vaccine = made.root().get("vaccineCode").unwrap();
    assert_eq!(vaccine.raw(), br#"{"coding":[{"code":"FLU2025"}],"text":"Influenza"}"#);
    assert_eq!(Dose::of(made.root()).vaccine_code.unwrap().code, "FLU2025");
}

#[test]
fn a_name_is_coded_when_it_stands_for_one_vaccine() {
    let (dose, warnings) =
        read(r#"{"patient_id":"p","vaccine_name":"Tdap"}"#).unwrap().over(&Dose::default(), &table());
    assert_eq!((dose.vaccine_code.unwrap().code.as_str(), warnings.len()), ("115", 0));
    let (dose, warnings) =
        read(r#"{"patient_id":"p","vaccine_name":"Influenza"}"#).unwrap().over(&Dose::default(), &table());
    assert_eq!((dose.vaccine_code, warnings.len()), (None, 1));
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let text = r#"{"vaccine_code":{"code":"1","x":2},"administered_at":"2025-02-30T10:00:00Z","expiration_date":"soon","dose_volume":-1,
        "status":"done","iris_reportable":"yes","provider_id":"a b","flavour":"x","version":1,"date_administered":"2024-01-01"}"#;
    let faults = read(text).unwrap_err();
    for at in [
        "/patient_id:",
        "/vaccine_code:",
        "/administered_at:",
        "/expiration_date:",
        "/dose_volume:",
        "/status:",
        "/iris_reportable:",
        "/provider_id:",
        "/flavour:",
        "/version:",
        "/date_administered:",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(at)), "{at} in {faults:?}");
    }
    assert_eq!(read(r#"{"patient_id":"p"}"#).unwrap_err(), ["/vaccine_code: is needed, or a vaccine_name"]);
    assert!(read(r#"{"patient_id":"p","vaccine_name":"x","administered_at":"2027-01-01"}"#).is_err());
}

#[test]
fn the_patient_of_the_path_counts() {
    let json = Json::parse(r#"{"vaccine_name":"Tdap","patient_id":"q"}"#).unwrap();
    let other = DoseInput::read(json.root(), Purpose::Create { patient: Some("p") }, &table(), NOW);
    assert_eq!(other.unwrap_err()[0].at, "/patient_id");
    let json = Json::parse(r#"{"vaccine_name":"Tdap"}"#).unwrap();
    let input = DoseInput::read(json.root(), Purpose::Create { patient: Some("p") }, &table(), NOW).unwrap();
    assert_eq!(input.over(&Dose::default(), &table()).0.patient_id.as_deref(), Some("p"));
}

#[test]
fn an_update_changes_what_is_given_and_keeps_what_plain_does_not_know() {
    let text = r#"{"resourceType":"Immunization","id":"i","status":"completed","vaccineCode":{"coding":[{"system":"http://snomed.info/sct",
        "code":"1"},{"system":"http://hl7.org/fhir/sid/cvx","code":"115"}],"text":"Tdap"},"patient":{"reference":"Patient/p","display":"J"},
        "occurrenceDateTime":"2025-01-15","_occurrenceDateTime":{"id":"o"},"primarySource":true,"isSubpotent":false,
        "doseQuantity":{"value":0.50,"unit":"mL","system":"http://unitsofmeasure.org","code":"mL"},
        "performer":[{"actor":{"reference":"Organization/o"}}],"note":[{"text":"a","time":"2025-01-15"},{"text":"b"}],
        "protocolApplied":[{"doseNumberPositiveInt":1}]}"#;
    let stored = Json::parse(text).unwrap();
    let shown = shown(&Dose::of(stored.root()));
    let change = Json::parse(r#"{"notes":"Updated: mild soreness","lot_number":"L1"}"#).unwrap();
    let input = DoseInput::read(change.root(), Purpose::Update { shown: shown.root() }, &table(), NOW).unwrap();
    let (after, warnings) = input.over(&Dose::of(stored.root()), &table());
    let edited = Json::parse(edit(stored.root(), &after, Provider::Practitioner, &table())).unwrap();
    let expected = text
        .replace(r#""text":"a""#, r#""text":"Updated: mild soreness""#)
        .replace(r#""protocolApplied""#, r#""lotNumber":"L1","protocolApplied""#);
    assert!(edited.root().same_as(Json::parse(expected).unwrap().root()), "{}", String::from_utf8_lossy(edited.text()));
    assert!(warnings.is_empty());
    let back = DoseInput::read(shown.root(), Purpose::Update { shown: shown.root() }, &table(), NOW).unwrap();
    assert_eq!(
        back.over(&Dose::of(stored.root()), &table()).0,
        Dose::of(stored.root()),
        "what was shown may come back"
    );
}

fn word() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[A-Za-zÀ-ž<'\";&/\\\\-][A-Za-z0-9 <>'\";]{0,20}")
}

prop_compose! {
    fn doses()(
        (patient_id, provider_id) in ("[a-z0-9-]{1,20}", proptest::option::of("[a-z0-9-]{1,20}")),
        (code, other) in (0..4_usize, "[A-Z]{1,8}x"),
        (vaccine_name, lot_number, manufacturer, site) in (word(), word(), word(), word()),
        (route, notes, status_reason, day, number) in (word(), word(), word(), "20[01][0-9]-0[1-9]-1[0-9]", "[1-9][0-9]{0,2}\\.[0-9]{1,4}"),
        (unit, status, iris_reportable) in (0..3_usize, 0..3_usize, proptest::option::of(any::<bool>())),
    ) -> Dose {
        let vaccine_code = match code {
            0 => None,
            1 => Some(VaccineCode { system: Some(CVX.to_owned()), code: "115".to_owned() }),
            2 => Some(VaccineCode { system: Some("http://snomed.info/sct".to_owned()), code: other }),
            _ => Some(VaccineCode { system: None, code: other }),
        };
        let vaccine_name = vaccine_name.or_else(|| Some("x".to_owned()));
        let dose_volume = ["mL", "mg"].get(unit).map(|unit| Quantity { value: number, unit: (*unit).to_owned() });
        Dose {
            patient_id: Some(patient_id), vaccine_code, vaccine_name, lot_number, manufacturer, site, route, notes, dose_volume,
            administered_at: Some(format!("{day}T10:00:00Z")), expiration_date: Some(day), provider_id, iris_reportable,
            status: STATUSES.get(status).map(|word| (*word).to_owned()), status_reason,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn plain_to_fhir_to_plain_is_the_identity(dose in doses(), account in any::<bool>()) {
        let provider = if account { Provider::Account } else { Provider::Practitioner };
        let made = Json::parse(create(&dose, provider, &table())).unwrap();
        prop_assert_eq!(Dose::of(made.root()), dose);
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same_dose(dose in doses()) {
        let shown = shown(&dose);
        let read = DoseInput::read(shown.root(), Purpose::Update { shown: shown.root() }, &table(), NOW).unwrap();
        prop_assert_eq!(read.over(&dose, &table()).0, dose);
    }

    #[test]
    fn an_edit_ends_where_it_should(before in doses(), after in doses()) {
        let after = Dose { patient_id: before.patient_id.clone(), ..after };
        let made = Json::parse(create(&before, Provider::Practitioner, &table())).unwrap();
        let edited = Json::parse(edit(made.root(), &after, Provider::Practitioner, &table())).unwrap();
        prop_assert_eq!(&Dose::of(edited.root()), &after);
        let same = Json::parse(edit(edited.root(), &after, Provider::Practitioner, &table())).unwrap();
        prop_assert!(same.root().same_as(edited.root()));
    }
}
