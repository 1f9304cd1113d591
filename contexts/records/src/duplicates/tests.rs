//! Made-up pairs: true duplicates with the slips that clerks make, and people who are not one.

use iris_fhir::Resource;
use iris_fhir::definitions::kind_of;
use iris_search::extract;

use super::*;

/// 2026-11-22.
const NOW: Timestamp = Timestamp(1_795_305_600_000_000);

/// `first|last|birth date|gender|ssn|phone|e-mail|street`; an empty part is not known. All live in one town.
fn resource(text: &str) -> Resource {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let &[first, last, born, gender, ssn, phone, email, street] = parts.as_slice() else { panic!("{text}") };
    let part = |value: &str, made: String| if value.is_empty() { String::new() } else { made };
    let body = [part(first, format!(r#""given":["{first}"],"#)), part(last, format!(r#""family":"{last}","#))];
    let rest = [
        part(born, format!(r#","birthDate":"{born}""#)),
        part(gender, format!(r#","gender":"{gender}""#)),
        part(ssn, format!(r#","identifier":[{{"system":"http://hl7.org/fhir/sid/us-ssn","value":"{ssn}"}}]"#)),
        part(street, format!(r#","address":[{{"line":["{street}"],"city":"Springfield"}}]"#)),
    ];
    let telecom = format!(
        r#","telecom":[{{"system":"phone","value":"{}"}},{{"system":"email","value":"{}"}}]"#,
        if phone.is_empty() { "-" } else { phone },
        if email.is_empty() { "-" } else { email },
    );
    let text = format!(
        r#"{{"resourceType":"Patient","id":"p","name":[{{{}"use":"official"}}]{}{telecom}}}"#,
        body.concat(),
        rest.concat()
    );
    Resource::parse(text).unwrap()
}

fn compared(a: &str, b: &str) -> Option<Likeness> {
    let (a, b) = (resource(a), resource(b));
    let kind = kind_of("Patient").unwrap();
    let search = Duplicates::of_record(kind, "a", a.root());
    let likeness = search.likeness(&Person::of(b.root()));
    let back = Duplicates::of_record(kind, "b", b.root()).likeness(&Person::of(a.root()));
    assert_eq!(likeness, back, "a comparison is the same both ways");
    if likeness.is_some() {
        let document = extract(&b, NOW);
        let rounds = search.rounds(NOW);
        assert!(
            rounds.iter().any(|query| query.matches(&document)),
            "what is alike is among the candidates: {likeness:?}"
        );
    }
    likeness
}

const MARIA: &str = "Maria|Garcia|1987-04-12|female|123-45-6789|555-010-4477|maria@example.org|1 Main St";

#[track_caller]
fn judged(a: &str, b: &str, expected: Option<Certainty>) {
    let likeness = compared(a, b);
    assert_eq!(likeness.as_ref().map(Likeness::certainty), expected, "{b}: {likeness:?}");
}

#[test]
fn true_duplicates_with_slips_are_found() {
    use Certainty::{Certain, Possible, Probable};
    for (other, expected) in [
        ("Maria|Garcia|1987-04-12|female|123-45-6789|555-010-4477|maria@example.org|1 Main St", Certain),
        ("Maria|Garcia|1987-04-12||||| ", Probable),
        ("Maria|Garcia|1987-04-12|||+1 (555) 010-4477||", Certain),
        ("MARÍA|García|1987-04-12|||||1 Main St.", Certain),
        ("Maria|Garcia|1987-04-12|||||1 Elm St", Probable),
        ("Maria|Garcia Lopez|1987-04-12|||||", Probable),
        ("Marai|Garcia|1987-04-12|||||", Probable),
        ("Maria|Garsia|1987-04-12|female||||", Probable),
        ("Maria|Garcia|1987-12-04|||||", Probable),
        ("Maria|Garcia|1987-04-13|||||", Possible),
        ("Maria|Garcia|1987-04-13|||555-010-4477||", Probable),
        ("Maria|Garcia|1987-04-13||123-45-6789|||", Certain),
        ("Garcia|Maria|1987-04-12|||||", Probable),
        ("Maria|Smith|1987-04-12|||||", Possible),
        ("Maria|Smith|1987-04-12|||555-010-4477||", Probable),
        ("Maria|Garcia||||||", Possible),
        ("Maria|Garcia||||555-010-4477||", Probable),
        ("Maria|Garcia|1987||||maria@example.org|", Probable),
        ("M|Garcia|1987-04-12|||||", Probable),
        ("Maria|Garcia|1987-04-12||123-45-6798|||", Certain),
        ("Maria|Garcia|1987-04-12||987-65-4321|||1 Main St", Probable),
        ("Luis|Cole|1960-01-30|male|123-45-6789|||", Possible),
    ] {
        judged(MARIA, other, Some(expected));
    }
}

#[test]
fn twins_are_never_certain() {
    let possible = Some(Certainty::Possible);
    judged(MARIA, "Luisa|Garcia|1987-04-12|female|123-45-6790|555-010-4477|maria@example.org|1 Main St", possible);
    judged(MARIA, "Luisa|Garcia|1987-04-12|female||555-010-4477|maria@example.org|1 Main St", possible);
    // Named alike.
    let probable = Some(Certainty::Probable);
    judged(MARIA, "Marla|Garcia|1987-04-12|female||555-010-4477|maria@example.org|1 Main St", probable);
    judged(MARIA, "Mario|Garcia|1987-04-12|male||555-010-4477||1 Main St", probable);
    // The number of one given for the other.
    judged(MARIA, "Luisa|Garcia|1987-04-12|female|123-45-6789|555-010-4477|maria@example.org|1 Main St", probable);
}

#[test]
fn father_and_son_of_one_name_are_told_apart() {
    let father = "John|Cole|1955-03-02|male|111-22-3333|555-010-1111|john@example.org|5 Oak Ave";
    judged(father, "John|Cole|1984-09-17|male|444-55-6666|555-010-1111|john@example.org|5 Oak Ave", None);
    judged(father, "John|Cole|1984-09-17|male||555-010-1111||5 Oak Ave", None);
    judged(father, "John|Cole|1961-09-17|male||555-010-1111||5 Oak Ave", Some(Certainty::Possible));
    judged(father, "John|Cole|1984-09-17|male||||", None);
}

#[test]
fn what_fields_are_filled_with_is_no_number() {
    let filled = "Ana|Cole|1990-01-01||000-00-0000|999-999-9999||";
    judged(filled, "Luis|Smith|1960-05-05||000-00-0000|999-999-9999||", None);
    let kind = kind_of("Patient").unwrap();
    let text =
        r#"{"resourceType":"Patient","identifier":[{"value":"17"}],"telecom":[{"system":"phone","value":"none"}]}"#;
    let nothing = Resource::parse(text).unwrap();
    assert!(Duplicates::of_record(kind, "p", nothing.root()).rounds(NOW).is_empty());
}

#[test]
fn common_names_alone_are_no_more_than_possible() {
    judged(MARIA, "Maria|Garcia|1987-11-30|||||", None);
    judged(MARIA, "Maria|Garcia|1962-01-05|||||", None);
    judged(MARIA, "Maria|Garcia|1962-01-05||||| 1 Main St", None);
    judged(MARIA, "Ana|Garcia|1987-04-12|||||", None);
    judged(MARIA, "John|Smith|1987-04-12|||||", None);
    judged(MARIA, "John|Smith|1987-04-12|||555-010-4477||1 Main St", None);
    judged("Maria|||||||", "Maria|Garcia|1987-04-12|||||", None);
}

#[test]
fn what_speaks_for_and_against_is_told() {
    let likeness = compared(MARIA, "Luisa|Garcia|1987-04-12|female|123-45-6790|555-010-4477||1 Main St").unwrap();
    assert_eq!(likeness.reasons().collect::<Vec<_>>(), ["same_birth_date", "same_phone", "same_address"]);
    assert_eq!(likeness.against().collect::<Vec<_>>(), ["other_first_name", "other_ssn"]);
    assert_eq!(likeness.certainty().word(), "possible");
    assert!((1..100).contains(&likeness.score()));
    let same = compared(MARIA, MARIA).unwrap();
    assert_eq!((same.score(), same.certainty()), (100, Certainty::Certain));
    assert!(same < likeness, "the likest comes first");
}

#[test]
fn a_name_or_a_number_is_needed() {
    let kind = kind_of("Patient").unwrap();
    let nothing = resource("|||||||");
    let only = |patient: Patient| Duplicates::of_fields(kind, &patient, nothing.root()).is_ok();
    let some = || Some("x".to_owned());
    assert!(only(Patient { last_name: some(), ..Patient::default() }));
    assert!(only(Patient { ssn: some(), ..Patient::default() }));
    assert!(!only(Patient { date_of_birth: some(), phone: some(), ..Patient::default() }));
    assert!(Duplicates::of_record(kind, "p", nothing.root()).rounds(NOW).is_empty());
}

#[test]
fn a_mask_is_not_compared_and_a_hidden_number_brings_nobody_in() {
    let masked = "Maria|Garcia|1987-04-12|female|***-**-6789|555-010-4477|maria@example.org|1 Main St";
    for other in [MARIA, masked] {
        let likeness = compared(masked, other).unwrap();
        assert!(likeness.reasons().chain(likeness.against()).all(|word| !word.contains("ssn")), "{likeness:?}");
    }
    // Two who have nothing in common but the number: who sees it finds them, who does not asks without it.
    let [a, b] = ["Ada|Cole|1950-01-30||123-45-6789|||", "Maria|Garcia|1987-04-12||123456789|||"].map(resource);
    let kind = kind_of("Patient").unwrap();
    let (rounds, document) = (Duplicates::of_record(kind, "a", a.root()).rounds(NOW), extract(&b, NOW));
    assert!(rounds.iter().any(|query| query.matches(&document)));
    assert!(!rounds.iter().any(|query| query.without_guarded().matches(&document)));
}
