//! Searches over whole resources: what finds them and what does not, worked out by hand from R4 search.html.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_kernel::Timestamp;
use iris_search::{QueryContext, extract, normalised_term, parameter, parse_query};

const BASE: &str = "https://iris.example/fhir";

fn resource(text: &str) -> Resource {
    Resource::parse(text.to_owned()).unwrap()
}

/// The time at which every resource here was last updated: 2026-11-21T09:30:00.123Z and 456 microseconds.
fn updated() -> Timestamp {
    Timestamp(Timestamp::parse("2026-11-21T09:30:00.123Z").unwrap().0 + 456)
}

/// Whether a search finds a resource.
fn finds(resource: &Resource, search: &str) -> bool {
    let pairs: Vec<(String, String)> = search
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let context = QueryContext::new(BASE, Timestamp(0));
    let query = parse_query(resource.kind(), &pairs, &context).unwrap_or_else(|faults| panic!("{search}: {faults:?}"));
    query.matches(&extract(resource, updated()))
}

fn check(resource: &str, found_by: &[&str], not_found_by: &[&str]) {
    let resource = self::resource(resource);
    for search in found_by {
        assert!(finds(&resource, search), "{search} must find {}", resource.kind_name());
    }
    for search in not_found_by {
        assert!(!finds(&resource, search), "{search} must not find {}", resource.kind_name());
    }
}

const PATIENT: &str = r#"{
    "resourceType": "Patient", "id": "ann",
    "meta": {
        "lastUpdated": "1999-01-01T00:00:00Z",
        "profile": ["http://example.org/profile/patient|2.0"],
        "tag": [{"system": "http://example.org/tags", "code": "demo"}],
        "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}],
        "source": "http://example.org/feed"
    },
    "identifier": [
        {"system": "http://example.org/mrn", "value": "MRN-0017"},
        {"value": "loose|17"}
    ],
    "active": true,
    "name": [
        {"use": "official", "family": "van der Müller-Łęcki", "given": ["Ann", "Marie Sofía"], "prefix": ["Dr."]},
        {"text": "Annie M."}
    ],
    "telecom": [
        {"system": "phone", "value": "+1 (555) 123-4567", "use": "mobile"},
        {"system": "email", "value": "Ann.Muller@Example.org"}
    ],
    "gender": "female",
    "birthDate": "1980-02-29",
    "address": [{"use": "home", "line": ["12 Rue de l'Église", "Apt 4"], "city": "Québec", "state": "QC", "postalCode": "G1A 1A1", "country": "CA"}],
    "generalPractitioner": [{"reference": "Practitioner/p1"}],
    "managingOrganization": {"reference": "https://iris.example/fhir/Organization/o1"},
    "link": [{"other": {"reference": "Patient/old"}, "type": "replaces"}]
}"#;

#[test]
fn a_patient_is_found_by_name() {
    check(
        PATIENT,
        &[
            "family=van",
            "family=VAN DER MULLER",
            "family=van der müller-lecki",
            "given=ann",
            "given=sofi,mari",
            "name=dr",
            "name=annie",
            "name=Ann",
            "given=marie sof",
            "family:exact=van der Müller-Łęcki",
            "given:exact=Ann",
            "name=muller,ann",
            "given=ann&family=van der",
        ],
        &[
            "family=muller",
            "family:exact=van der müller-łęcki",
            "given:exact=ann",
            "given=annie",
            "family=ann",
            "given=ann&family=lee",
        ],
    );
}

#[test]
fn a_patient_is_found_by_the_sound_of_a_name() {
    check(
        PATIENT,
        &["phonetic=Mueller", "phonetic=MILLER", "phonetic=An", "phonetic=sophia", "phonetic=Any"],
        &["phonetic=Smith", "phonetic=Muellerson", "phonetic=Kay"],
    );
}

#[test]
fn a_patient_is_found_by_tokens() {
    check(
        PATIENT,
        &[
            "identifier=MRN-0017",
            "identifier=http://example.org/mrn|MRN-0017",
            "identifier=http://example.org/mrn|",
            r"identifier=|loose\|17",
            r"identifier=loose\|17",
            "active=true",
            "gender=female",
            "gender=male,female",
            "gender=http://hl7.org/fhir/administrative-gender|female",
            "deceased=false",
            "telecom=Ann.Muller@Example.org",
            "phone=+1 (555) 123-4567",
            "email=Ann.Muller@Example.org",
            "address-use=home",
            "_id=ann",
            "_id=x,ann",
            "_tag=demo",
            "_tag=http://example.org/tags|demo",
            "_security=R",
            "_source=http://example.org/feed",
            "_profile=http://example.org/profile/patient|2.0",
            "_profile=http://example.org/profile/patient",
            "active=http://terminology.hl7.org/CodeSystem/special-values|true",
        ],
        &[
            "identifier=mrn-0017",
            "identifier=http://example.org/other|MRN-0017",
            "identifier=|MRN-0017",
            "identifier=MRN",
            "active=false",
            "gender=male",
            "gender=|female",
            "gender=http://example.org/gender|female",
            "deceased=true",
            "phone=Ann.Muller@Example.org",
            "email=ann.muller@example.org",
            "_id=Ann",
            "_id=an",
            "_tag=|demo",
            "_profile=http://example.org/profile",
            "_source=http://example.org",
            "gender=female&gender=male",
        ],
    );
}

#[test]
fn a_patient_is_found_by_dates_and_addresses_and_references() {
    check(
        PATIENT,
        &[
            "birthdate=1980-02-29",
            "birthdate=1980",
            "birthdate=ge1980-02-29",
            "birthdate=le1980-02-29",
            "birthdate=lt1980-03",
            "birthdate=ne1981",
            "birthdate=sa1979",
            "birthdate=ge1980&birthdate=lt1981",
            "birthdate=1970,1980",
            "_lastUpdated=2026-11-21",
            "_lastUpdated=2026-11-21T09:30:00.123Z",
            "_lastUpdated=le2026-11-21T09:30:00.123Z",
            "_lastUpdated=2026-11-21T10:30:00.123 01:00",
            "_lastUpdated=lt2026-11-21T09:31Z",
            "address=quebec",
            "address=12 rue de l'eglise",
            "address=apt",
            "address-city=QUÉ",
            "address-postalcode=g1a",
            "address-country=ca",
            "address-state=qc",
            "general-practitioner=Practitioner/p1",
            "general-practitioner=p1",
            "general-practitioner=https://iris.example/fhir/Practitioner/p1",
            "general-practitioner:Practitioner=p1",
            "organization=Organization/o1",
            "organization=o1",
            "organization=https://iris.example/fhir/Organization/o1",
            "link=Patient/old",
        ],
        &[
            "birthdate=1980-02-28",
            "birthdate=1980-02-29T00:00Z",
            "birthdate=gt1980-02-29",
            "birthdate=lt1980-02-29",
            "birthdate=eb1980",
            "birthdate=sa1980",
            "_lastUpdated=1999",
            "_lastUpdated=gt2026-11-21T09:30:00.123Z",
            "death-date=ge1900",
            "death-date=ne1900",
            "address=eglise",
            "address-city=g1a",
            "general-practitioner=Organization/p1",
            "general-practitioner:Organization=p1",
            "general-practitioner=p",
            "organization=Organization/o2",
            "general-practitioner=http://other.example/fhir/Practitioner/p1",
            "link=Patient/ann",
        ],
    );
}

#[test]
fn contact_points_have_a_normal_form_for_the_plain_api() {
    let patient = resource(PATIENT);
    let document = extract(&patient, updated());
    let has = |code: &str, text: &str| {
        let param = parameter(kind_of("Patient").unwrap(), code).unwrap();
        document.terms.binary_search(&normalised_term(param.index, text)).is_ok()
    };
    assert!(has("phone", "15551234567") && has("phone", "+1 555.123.4567") && has("telecom", "1-555-123-4567"));
    assert!(has("email", "ann.muller@example.org") && has("telecom", "ANN.MULLER@EXAMPLE.ORG"));
    assert!(!has("phone", "5551234567") && !has("email", "15551234567") && !has("phone", "ann.muller@example.org"));
}

#[test]
fn an_observation_is_found() {
    check(
        r##"{
            "resourceType": "Observation", "id": "bp", "status": "final",
            "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}, {"code": "local"}], "text": "Blood pressure"},
            "subject": {"reference": "Patient/ann"},
            "encounter": {"reference": "Encounter/e1/_history/3"},
            "performer": [{"reference": "#lab"}, {"type": "Practitioner", "identifier": {"value": "77"}}],
            "effectivePeriod": {"start": "2013-04-02T09:30:10+01:00"},
            "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "260385009"}], "text": "Negative result"},
            "component": [
                {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 107}},
                {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}, "dataAbsentReason": {"coding": [{"code": "error"}]}}
            ],
            "contained": [{"resourceType": "Organization", "id": "lab"}]
        }"##,
        &[
            "code=85354-9",
            "code=http://loinc.org|85354-9",
            "code=|local",
            "code=http://loinc.org|",
            "combo-code=8480-6",
            "component-code=http://loinc.org|8462-4",
            "combo-code=85354-9",
            "category=vital-signs",
            "status=final",
            "patient=ann",
            "patient=Patient/ann",
            "subject=Patient/ann",
            "subject:Patient=ann",
            "encounter=Encounter/e1",
            "encounter=e1",
            "date=gt2013-04-01",
            "date=ge2013",
            "date=sa2013-04-01",
            "date=gt2030",
            "value-concept=260385009",
            "value-string=negative",
            "component-data-absent-reason=error",
            "combo-data-absent-reason=error",
            "patient=ann&code=85354-9,x&date=ge2013-04-02T08:30:10Z",
            "status=http://hl7.org/fhir/observation-status|final",
        ],
        &[
            "code=8480-6",
            "code=|85354-9",
            "code=http://loinc.org|local",
            "patient=bo",
            "subject=Group/ann",
            "patient=Device/ann",
            "performer=lab",
            "date=2013-04-02",
            "date=lt2013-04-02",
            "date=eb2030",
            "value-date=ge1900",
            "data-absent-reason=error",
            "patient=ann&code=nope",
            "encounter=Encounter/e2",
        ],
    );
}

#[test]
fn an_immunization_is_found() {
    check(
        r#"{
            "resourceType": "Immunization", "id": "i", "status": "completed",
            "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "140"}]},
            "patient": {"reference": "Patient/ann"}, "occurrenceDateTime": "2013-01-10", "lotNumber": "AAJN11K",
            "performer": [{"actor": {"reference": "Practitioner/p1"}}], "manufacturer": {"reference": "Organization/hl7"},
            "protocolApplied": [{"series": "2-dose", "targetDisease": [{"coding": [{"code": "flu"}]}], "doseNumberString": "1"}],
            "reaction": [{"date": "2013-01-11"}]
        }"#,
        &[
            "vaccine-code=140",
            "vaccine-code=http://hl7.org/fhir/sid/cvx|140",
            "patient=Patient/ann",
            "date=2013-01-10",
            "date=2013-01",
            "date=ge2013-01-10",
            "lot-number=aajn",
            "performer=Practitioner/p1",
            "manufacturer=hl7",
            "series=2-d",
            "target-disease=flu",
            "reaction-date=2013-01-11",
            "status=completed",
            "patient=ann&vaccine-code=140&date=lt2014",
        ],
        &[
            "vaccine-code=14",
            "vaccine-code=http://snomed.info/sct|140",
            "date=2013-01-11",
            "lot-number=11k",
            "performer=Patient/p1",
        ],
    );
    check(
        r#"{"resourceType": "Immunization", "id": "i", "status": "completed", "patient": {"reference": "Patient/1"}, "occurrenceString": "last winter"}"#,
        &["patient=1"],
        &["date=ge1900", "date=lt2100", "date=ne2013"],
    );
}

#[test]
fn an_encounter_is_found() {
    check(
        r#"{
            "resourceType": "Encounter", "id": "e", "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "270427003"}]}],
            "subject": {"reference": "Patient/ann"},
            "participant": [{"individual": {"reference": "Practitioner/p1"}}, {"individual": {"reference": "RelatedPerson/r1"}}],
            "period": {"start": "2013-01-10T10:00:00Z", "end": "2013-01-12"},
            "location": [{"location": {"reference": "Location/l1"}, "period": {"end": "2013-01-11"}}],
            "hospitalization": {"specialArrangement": [{"coding": [{"code": "wheel"}]}]}
        }"#,
        &[
            "class=AMB",
            "type=270427003",
            "patient=ann",
            "participant=RelatedPerson/r1",
            "practitioner=p1",
            "date=2013-01",
            "date=ge2013-01-10",
            "date=le2013-01-12",
            "date=gt2013-01-11",
            "date=lt2013-01-11",
            "location=Location/l1",
            "location-period=lt2000",
            "location-period=eb2013-02",
            "special-arrangement=wheel",
            "status=finished",
        ],
        // R4 counts a period for ge only if it reaches beyond the asked range or lies in it: the last day alone does neither.
        &[
            "date=ge2013-01-12",
            "date=le2013-01-10",
            "date=2013-01-10",
            "date=2013-01-11",
            "date=sa2013-01-12",
            "practitioner=r1",
            "location-period=gt2013-01-11",
            "class=IMP",
        ],
    );
}

#[test]
fn a_condition_is_found() {
    check(
        r#"{
            "resourceType": "Condition", "id": "c",
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "368009"}]},
            "subject": {"reference": "Patient/ann"}, "asserter": {"reference": "Patient/bo"},
            "onsetString": "In his Youth", "abatementDateTime": "2011-08", "recordedDate": "2011-10-05T10:00:00+02:00",
            "stage": [{"summary": {"coding": [{"code": "II"}]}}], "evidence": [{"detail": [{"reference": "Observation/o"}]}]
        }"#,
        &[
            "code=368009",
            "clinical-status=active",
            "patient=ann",
            "asserter=Patient/bo",
            "onset-info=in his",
            "stage=II",
            "abatement-date=2011",
            "abatement-date=2011-08",
            "recorded-date=2011-10-05T08:00:00Z",
            "evidence-detail=Observation/o",
            "evidence-detail=o",
            "evidence-detail:Observation=o",
            "subject:Patient=ann",
        ],
        &[
            "onset-date=ge1900",
            "abatement-date=2011-08-01",
            "abatement-string=2011",
            "patient=bo",
            "evidence-detail=Condition/o",
        ],
    );
}

#[test]
fn timings_count_by_their_outer_limits() {
    let timing = |timing: &str| {
        format!(
            r#"{{"resourceType": "ServiceRequest", "id": "s", "status": "active", "intent": "order", "subject": {{"reference": "Patient/1"}}, "occurrenceTiming": {timing}}}"#
        )
    };
    let events = timing(r#"{"event": ["2013-03-24", "2013-01-31"]}"#);
    check(
        &events,
        &["occurrence=2013", "occurrence=lt2013-02", "occurrence=gt2013-03-23"],
        &["occurrence=2013-02", "occurrence=gt2013-03-24"],
    );
    let bounded = timing(r#"{"repeat": {"boundsPeriod": {"start": "2013-01-31"}, "frequency": 1}}"#);
    check(&bounded, &["occurrence=gt2030"], &["occurrence=lt2013-01-31"]);
    check(&timing(r#"{"repeat": {"frequency": 1}}"#), &["subject=1"], &["occurrence=ge1900", "occurrence=ne1900"]);
}

#[test]
fn canonicals_and_inline_resources_are_references() {
    check(
        r#"{"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "questionnaire": "http://example.org/Questionnaire/phq|2.1"}"#,
        &[
            "questionnaire=http://example.org/Questionnaire/phq|2.1",
            "questionnaire=http://example.org/Questionnaire/phq",
        ],
        &["questionnaire=http://example.org/Questionnaire/phq|2", "questionnaire=http://example.org/Questionnaire"],
    );
    check(
        r#"{"resourceType": "Bundle", "id": "b", "type": "document", "entry": [
            {"resource": {"resourceType": "Composition", "id": "c1"}}, {"resource": {"resourceType": "Patient", "id": "p1"}}]}"#,
        &["composition=Composition/c1", "composition=c1"],
        &["composition=p1", "composition=Patient/p1"],
    );
}

#[test]
fn a_value_that_is_too_long_to_ask_for_does_not_look_like_another() {
    let long = "x".repeat(2_000);
    let text = |value: &str| {
        format!(
            r#"{{"resourceType": "Patient", "id": "p", "identifier": [{{"system": "s", "value": "{value}"}}], "name": [{{"family": "{value}"}}]}}"#
        )
    };
    let whole = &long[..1_024];
    let asked = [format!("identifier={whole}"), format!("family:exact={whole}")];
    let asked: Vec<_> = asked.iter().map(String::as_str).collect();
    check(&text(&long), &[&format!("family={whole}")], &asked);
    check(&text(whole), &asked, &[]);
}
