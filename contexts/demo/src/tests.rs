use std::collections::{BTreeMap, BTreeSet, HashMap};

use iris_fhir::Resource;
use iris_fhir::json::{Json, Value};
use iris_records::{Patient, mrn};
use iris_validation::Valid;
use proptest::prelude::*;

use super::*;

fn plan(seed: u64, patients: u32) -> Plan {
    Plan { seed, patients, detail: Detail::Full, at: DAY_DEFAULT.parse().unwrap(), tenant: Tenant(1) }
}

fn all(plan: &Plan) -> Vec<Vec<u8>> {
    plan.house().into_iter().chain(plan.households().flat_map(|household| plan.documents(&household))).collect()
}

/// The documents as trees, by type.
fn by_type(plan: &Plan) -> BTreeMap<String, Vec<Json>> {
    let mut types: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for text in all(plan) {
        let json = Json::parse(text).unwrap();
        let kind = text_at(json.root(), &["resourceType"]);
        types.entry(kind).or_default().push(json);
    }
    types
}

/// The text at a path; in a list, that of its first item.
fn text_at(root: Value<'_>, path: &[&str]) -> String {
    let end = path.iter().try_fold(root, |value, name| {
        let value = value.items().next().unwrap_or(value);
        value.get(name)
    });
    end.and_then(|value| value.items().next().unwrap_or(value).as_str().map(std::borrow::Cow::into_owned))
        .unwrap_or_default()
}

fn day(text: &str) -> Day {
    text.split_at_checked(10).map_or(text, |(day, _)| day).parse().unwrap()
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_a_larger_one_begins_with_them() {
    let small = all(&plan(1, 40));
    assert_eq!(small, all(&plan(1, 40)));
    assert_ne!(small, all(&plan(2, 40)));
    let large: BTreeSet<Vec<u8>> = all(&plan(1, 90)).into_iter().collect();
    assert!(small.iter().all(|document| large.contains(document)));
    let patients = |plan: &Plan| -> Vec<Vec<u8>> {
        all(plan).into_iter().filter(|text| text.starts_with(br#"{"resourceType":"Patient""#)).collect()
    };
    let lean = Plan { detail: Detail::Demographics, ..plan(1, 40) };
    assert_eq!(all(&lean), patients(&plan(1, 40)));
}

#[test]
fn there_are_as_many_patients_as_asked_for_and_each_id_and_number_is_there_once() {
    let types = by_type(&plan(3, 1_000));
    assert_eq!(types["Patient"].len(), 1_000);
    let ids: BTreeSet<String> = types.values().flatten().map(|json| text_at(json.root(), &["id"])).collect();
    assert_eq!(ids.len(), types.values().map(Vec::len).sum::<usize>());
    let numbers: BTreeSet<String> =
        types["Patient"].iter().map(|json| text_at(json.root(), &["identifier", "value"])).collect();
    assert_eq!(numbers.len(), 1_000);
    assert!(numbers.iter().all(|number| mrn::is_drawn(number)));
    for (kind, least) in [
        ("AllergyIntolerance", 200),
        ("Condition", 800),
        ("Coverage", 800),
        ("DiagnosticReport", 1_000),
        ("Encounter", 4_000),
        ("Flag", 40),
        ("Immunization", 5_000),
        ("MedicationRequest", 600),
        ("Observation", 20_000),
        ("Organization", 5),
        ("Practitioner", 8),
    ] {
        assert!(types[kind].len() >= least, "{kind}: {}", types[kind].len());
    }
    let counts: Vec<(&String, usize)> = types.iter().map(|(kind, list)| (kind, list.len())).collect();
    assert!(ids.len() < 90_000, "a first start loads them all: {} {counts:?}", ids.len());
}

#[test]
fn none_one_and_the_most_patients_are_made() {
    assert_eq!(plan(1, 0).households().count(), 0);
    assert_eq!(plan(1, 0).shown_patient(), None);
    assert_eq!(plan(1, 1).households().map(|household| household.patients).sum::<u32>(), 1);
    let most = plan(1, PATIENTS_MAX);
    assert_eq!(most.households().last().unwrap().patients_so_far(), PATIENTS_MAX);
}

#[test]
fn numbers_of_neighbouring_seeds_do_not_meet() {
    let numbers = |seed| -> BTreeSet<String> {
        let lean = Plan { detail: Detail::Demographics, ..plan(seed, 300) };
        by_type(&lean)["Patient"].iter().map(|json| text_at(json.root(), &["identifier", "value"])).collect()
    };
    assert!(numbers(1).is_disjoint(&numbers(2)));
    assert!(numbers(0).is_disjoint(&numbers(899)));
}

#[test]
fn every_resource_refers_to_what_is_there() {
    let types = by_type(&plan(5, 60));
    let known: BTreeSet<String> = types
        .iter()
        .flat_map(|(kind, list)| list.iter().map(move |json| format!("{kind}/{}", text_at(json.root(), &["id"]))))
        .collect();
    let head = plan(5, 60).shown_patient().unwrap();
    assert!(known.contains(&format!("Patient/{head}")));
    for json in types.values().flatten() {
        let resource = Resource::from_json(json.clone()).unwrap();
        for (value, _) in iris_fhir::references(&resource) {
            let text = value.as_str().unwrap();
            // A subscriber may be the head of a household that the plan ends in.
            assert!(known.contains(&*text) || text.starts_with("Patient/"), "{text}");
        }
    }
}

#[test]
fn households_share_an_address_and_the_ages_of_parents_and_children_fit() {
    let plan = plan(4, 1_000);
    let (mut families, mut shared) = (0, 0);
    for household in plan.households() {
        let family = household::family(&plan, &household);
        let people = &family.persons;
        let head = &people[0];
        assert!(plan.at.years_since(head.born) >= 18);
        for child in people.iter().filter(|person| person.role == household::Role::Child) {
            families += 1;
            shared += i32::from(child.family == head.family);
            let parents = people.iter().filter(|p| matches!(p.role, household::Role::Head | household::Role::Spouse));
            for parent in parents {
                let years = child.born.years_since(parent.born);
                assert!((17..=55).contains(&years), "{years}");
            }
        }
    }
    assert!(families > 200);
    assert_eq!(families, shared, "children have the name of the house");
    let types = by_type(&Plan { detail: Detail::Demographics, ..plan });
    let mut homes: HashMap<String, u32> = HashMap::new();
    for json in &types["Patient"] {
        *homes.entry(text_at(json.root(), &["address", "line"])).or_default() += 1;
    }
    assert!(homes.len() < 600 && homes.values().any(|people| *people >= 4), "{}", homes.len());
}

#[test]
fn the_plain_dialect_sees_a_patient_whole() {
    let types = by_type(&plan(1, 1));
    let root = types["Patient"][0].root();
    let plain = Patient::of(root, &iris_records::patient::mrn_system(Tenant(1)));
    for (name, field) in [
        ("first_name", &plain.first_name),
        ("last_name", &plain.last_name),
        ("date_of_birth", &plain.date_of_birth),
        ("phone", &plain.phone),
        ("medical_record_number", &plain.medical_record_number),
    ] {
        assert!(field.is_some(), "{name}");
    }
    assert_eq!(plain.patient_status.as_deref(), Some("active"));
    let phone = plain.phone.unwrap();
    assert!(phone.get(4..10) == Some("555-01") && phone.len() == 12, "{phone}");
    assert_eq!(plain.emergency_contact.unwrap().relationship.as_deref(), Some("Spouse"));
}

#[test]
fn doses_lie_between_birth_and_the_reference_day_and_leave_gaps() {
    let plan = plan(6, 500);
    let types = by_type(&plan);
    let born: HashMap<String, Day> = types["Patient"]
        .iter()
        .map(|json| (format!("Patient/{}", text_at(json.root(), &["id"])), day(&text_at(json.root(), &["birthDate"]))))
        .collect();
    let mut polio: HashMap<String, u32> = HashMap::new();
    let (mut declined, mut lots) = (0, 0);
    for json in &types["Immunization"] {
        let root = json.root();
        let patient = text_at(root, &["patient", "reference"]);
        let on = day(&text_at(root, &["occurrenceDateTime"]));
        assert!(on >= born[&patient] && on < plan.at, "{patient}");
        declined += u32::from(text_at(root, &["status"]) == "not-done");
        lots += u32::from(!text_at(root, &["lotNumber"]).is_empty());
        if text_at(root, &["vaccineCode", "coding", "code"]) == "10" {
            *polio.entry(patient).or_default() += 1;
        }
    }
    assert!(declined > 0 && lots > 1_000, "{declined} {lots}");
    let of_seven: Vec<u32> = born
        .iter()
        .filter(|(_, born)| (7..18).contains(&plan.at.years_since(**born)))
        .map(|(patient, _)| polio.get(patient).copied().unwrap_or(0))
        .collect();
    let complete = of_seven.iter().filter(|doses| **doses == 4).count();
    assert!(complete * 2 > of_seven.len(), "most are up to date: {complete} of {}", of_seven.len());
    assert!(complete < of_seven.len(), "some are overdue");
    assert!(of_seven.iter().all(|doses| *doses <= 4));
}

#[test]
fn the_sugar_of_diabetics_falls_with_treatment() {
    let plan = plan(1, 400);
    let mut better = 0;
    let mut all = 0;
    let types = by_type(&plan);
    let mut series: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for json in &types["Observation"] {
        let root = json.root();
        if text_at(root, &["code", "coding", "code"]) == "4548-4" {
            let value = root.get("valueQuantity").and_then(|q| q.get("value")?.number()).unwrap();
            let point = (text_at(root, &["effectiveDateTime"]), value.parse().unwrap());
            series.entry(text_at(root, &["subject", "reference"])).or_default().push(point);
            let low = root.get("referenceRange").unwrap().items().next().unwrap().get("low").unwrap();
            assert_eq!(low.get("value").and_then(Value::number), Some("4.0"));
        }
    }
    for points in series.values_mut().filter(|points| points.len() >= 5) {
        points.sort_by(|a, b| a.0.cmp(&b.0));
        all += 1;
        let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
        better += i32::from(points[points.len() - 1].1 < highest - 0.5);
    }
    assert!(all >= 10 && better * 2 > all, "{better} of {all}");
    let shown = series.get(&format!("Patient/{}", plan.shown_patient().unwrap())).unwrap();
    assert!(shown.len() >= 5, "the demo's own patient has a trend: {shown:?}");
}

#[test]
fn nothing_happens_before_birth_or_on_the_reference_day_or_later() {
    let plan = plan(8, 200);
    let types = by_type(&plan);
    let born: HashMap<String, Day> = types["Patient"]
        .iter()
        .map(|json| (format!("Patient/{}", text_at(json.root(), &["id"])), day(&text_at(json.root(), &["birthDate"]))))
        .collect();
    let times: [(&str, &str, &[&str]); 7] = [
        ("Condition", "subject", &["onsetDateTime"]),
        ("Condition", "subject", &["recordedDate"]),
        ("MedicationRequest", "subject", &["authoredOn"]),
        ("Encounter", "subject", &["period", "start"]),
        ("Observation", "subject", &["effectiveDateTime"]),
        ("DiagnosticReport", "subject", &["issued"]),
        ("AllergyIntolerance", "patient", &["recordedDate"]),
    ];
    for (kind, who, path) in times {
        for json in &types[kind] {
            let on = day(&text_at(json.root(), path));
            let patient = text_at(json.root(), &[who, "reference"]);
            assert!(on >= born[&patient] && on < plan.at, "{kind} {path:?} {on}");
        }
    }
}

#[test]
fn nobody_is_impossibly_old_and_nothing_happens_to_the_dead() {
    let plan = plan(21, 1_500);
    let types = by_type(&plan);
    let mut died: HashMap<String, Day> = HashMap::new();
    for json in &types["Patient"] {
        let root = json.root();
        let born = day(&text_at(root, &["birthDate"]));
        assert!(born < plan.at && plan.at.years_since(born) <= 110, "{born}");
        if let Some(end) = root.get("deceasedDateTime").and_then(Value::as_str) {
            assert!(day(&end) > born && day(&end) < plan.at, "{end}");
            died.insert(format!("Patient/{}", text_at(root, &["id"])), day(&end));
        }
    }
    assert!(died.len() > 5, "{}", died.len());
    let mut looked_at = 0;
    let times: [(&str, &str, &[&str]); 7] = [
        ("Condition", "subject", &["onsetDateTime"]),
        ("Immunization", "patient", &["occurrenceDateTime"]),
        ("MedicationRequest", "subject", &["authoredOn"]),
        ("Encounter", "subject", &["period", "end"]),
        ("Observation", "subject", &["effectiveDateTime"]),
        ("DiagnosticReport", "subject", &["effectiveDateTime"]),
        ("AllergyIntolerance", "patient", &["recordedDate"]),
    ];
    for (kind, who, path) in times {
        for json in &types[kind] {
            let Some(end) = died.get(&text_at(json.root(), &[who, "reference"])) else { continue };
            looked_at += 1;
            assert!(day(&text_at(json.root(), path)) <= *end, "{kind}");
        }
    }
    assert!(looked_at > 100, "{looked_at}");
}

#[test]
fn vaccines_are_given_at_ages_that_they_are_for() {
    let plan = plan(22, 1_500);
    let types = by_type(&plan);
    let born: HashMap<String, Day> = types["Patient"]
        .iter()
        .map(|json| (format!("Patient/{}", text_at(json.root(), &["id"])), day(&text_at(json.root(), &["birthDate"]))))
        .collect();
    // CVX code, youngest and oldest age in years.
    let ages = [
        ("116", 0, 0),
        ("20", 0, 6),
        ("43", 18, 120),
        ("187", 50, 120),
        ("33", 50, 120),
        ("115", 10, 120),
        ("165", 9, 26),
    ];
    let mut given: BTreeMap<&str, u32> = BTreeMap::new();
    let mut twice = BTreeSet::new();
    for json in &types["Immunization"] {
        let (root, patient) = (json.root(), text_at(json.root(), &["patient", "reference"]));
        let (code, on) =
            (text_at(root, &["vaccineCode", "coding", "code"]), day(&text_at(root, &["occurrenceDateTime"])));
        if let Some((code, from, to)) = ages.iter().find(|(known, ..)| *known == code) {
            *given.entry(code).or_default() += 1;
            let age = on.years_since(born[&patient]);
            assert!((*from..=*to).contains(&age), "CVX {code} at the age of {age}");
        }
        assert!(twice.insert((patient, code, on)), "one vaccine twice on one day");
    }
    assert_eq!(given.len(), ages.len(), "{given:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the seed and the day, everything passes the same validation that every request passes.
    #[test]
    fn every_resource_is_valid(seed: u64, days in -4_000_i64..4_000) {
        let at = DAY_DEFAULT.parse::<Day>().unwrap().plus(days);
        for text in all(&Plan { at, ..plan(seed, 12) }) {
            let resource = Resource::parse(text.clone()).unwrap();
            if let Err((_, faults)) = Valid::check(resource) {
                prop_assert!(false, "{faults:?} in {}", String::from_utf8_lossy(&text));
            }
        }
    }
}
