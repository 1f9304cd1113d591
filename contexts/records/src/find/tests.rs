//! What finds whom, without a store: the rounds of a search are put to documents in memory.

use iris_fhir::definitions::kind_of;
use iris_fhir::{Resource, json::Writer};
use iris_kernel::Tenant;
use iris_search::extract;
use proptest::prelude::*;

use super::*;

/// 2026-11-22.
const NOW: Timestamp = Timestamp(1_795_305_600_000_000);

fn patient(names: &str, rest: &str) -> Resource {
    Resource::parse(format!(r#"{{"resourceType":"Patient","id":"p","name":[{names}]{rest}}}"#)).unwrap()
}

fn name(given: &str, family: &str) -> String {
    let mut w = Writer::new();
    w.object().member("family", family).key("given").array();
    given.split('|').for_each(|part| {
        w.string(part);
    });
    String::from_utf8(w.finish().to_vec()).unwrap()
}

fn find(text: &str) -> Result<Find, Fault> {
    Find::read(text, kind_of("Patient").unwrap(), Tenant::DEFAULT, NOW)
}

/// In which round a patient is found and why.
fn found(text: &str, resource: &Resource) -> Option<(usize, Vec<&'static str>)> {
    let find = find(text).unwrap();
    let document = extract(resource, NOW);
    let narrowed = Query::everything(kind_of("Patient").unwrap());
    let judged = find.matching(&document, &Patient::of(resource.root(), &find.system));
    let rounds = find.rounds(&narrowed);
    let round = rounds.iter().position(|query| query.matches(&document));
    // The judge leaves out only what sounds alike and looks like nothing of it.
    assert!(judged.is_none() || round.is_some(), "{text}");
    if let Some(round) = round {
        assert!(
            rounds[round..].iter().all(|query| query.matches(&document)),
            "{text}: a later round finds what an earlier does"
        );
    }
    judged.map(|found| (found.worst as usize, found.matched.into_iter().collect()))
}

#[test]
fn names_are_found_in_any_order_and_spelling() {
    let maria = patient(&name("María José|Luz", "de la Cruz-Gonzalez"), "");
    for (text, round) in [
        ("maria", Some(0)),
        ("CRUZ maria", Some(0)),
        ("luz cruz", Some(0)),
        ("gonzalez, María", Some(0)),
        ("delacruz", Some(1)),
        ("delacruzgonzalez", Some(0)),
        ("mariajose cruz", Some(0)),
        ("ma", Some(1)),
        ("gonz jos", Some(1)),
        ("cruz m", Some(1)),
        ("maira gonzalez", Some(2)),
        ("gonsales", Some(2)),
        ("gonsale mari", Some(2)),
        ("haria", Some(2)),
        ("marya cruz", Some(2)),
        ("kruz", Some(2)),
        ("maria smith", None),
        ("cruz x", None),
        ("ariel", None),
    ] {
        assert_eq!(found(text, &maria).map(|(round, _)| round), round, "{text}");
    }
}

#[test]
fn names_that_sound_alike_come_last() {
    let meyer = patient(&name("Catherine", "Meyer"), "");
    assert_eq!(found("kathryn maier", &meyer), Some((3, vec!["name_sound"])));
    assert_eq!(found("catherine maier", &meyer), Some((3, vec!["name", "name_sound"])));
    // One key of Soundex, and nothing alike for who reads them.
    let garcia = patient(&name("Ana", "Garcia"), "");
    assert_eq!(found("gross", &garcia), None);
    assert_eq!(found("grace", &garcia), None);
}

#[test]
fn further_names_count() {
    let names = format!(
        r#"{{"use":"maiden","family":"O'Brien"}},{},{{"use":"nickname","given":["Peggy"]}}"#,
        name("Margaret", "Smith")
    );
    let margaret = patient(&names, "");
    for text in ["peggy smith", "obrien margaret", "o'brien", "o brien peggy", "brien"] {
        assert!(found(text, &margaret).is_some_and(|(_, why)| why == ["name"]), "{text}");
    }
}

#[test]
fn dates_numbers_and_addresses_find_and_narrow() {
    let rest = r#","birthDate":"1987-04-12","telecom":[{"system":"phone","value":"+1 (555) 010-4477"},{"system":"email","value":"Ana@Example.org"}],
        "identifier":[{"system":"urn:iris:tenant:1:mrn","value":"1234567897"},{"system":"http://hl7.org/fhir/sid/us-ssn","value":"987-65-4320"},
        {"value":"A-17"}]"#;
    let ana = patient(&name("Ana", "Garcia"), rest);
    for (text, why) in [
        ("1987-04-12", &["date_of_birth"][..]),
        ("04/12/1987", &["date_of_birth"]),
        ("12.04.1987", &["date_of_birth"]),
        ("12/4/87", &["date_of_birth"]),
        ("19870412", &["date_of_birth"]),
        ("garcia 1987", &["date_of_birth", "name"]),
        ("ana 04/12/1987", &["date_of_birth", "name"]),
        ("garsia 1987-04-12", &["date_of_birth", "name_spelling"]),
        ("555-010-4477", &["phone"]),
        ("(555) 010 4477", &["phone"]),
        ("15550104477", &["phone"]),
        ("+1 555 010 4477 ana", &["name", "phone"]),
        ("0104477", &["phone"]),
        ("4477", &["phone"]),
        ("ana@example.ORG", &["email"]),
        ("1234567897", &["medical_record_number"]),
        ("123-456-789-7", &["medical_record_number"]),
        ("123 456 789 7", &["medical_record_number"]),
        ("987654320", &["ssn"]),
        ("987-65-4320", &["ssn"]),
        ("a-17", &["identifier"]),
        ("A17", &["identifier"]),
    ] {
        assert_eq!(found(text, &ana).map(|(_, why)| why), Some(why.to_vec()), "{text}");
    }
    for text in ["garcia 1986", "ana 1987-04-13", "1987", "555010447", "smith 4477", "12345"] {
        assert_eq!(found(text, &ana), None, "{text}");
    }
}

#[test]
fn a_text_that_finds_nobody_is_refused_with_a_reason() {
    let many = |count| vec!["ab"; count].join(" ");
    for text in ["", " ", "a", "7", "a 7", "- ' !", &many(TOKENS_MAX + 1), &"x".repeat(TEXT_CHARS_MAX + 1)] {
        let fault = find(text).unwrap_err();
        assert_eq!(fault.at, "q");
    }
    for text in ["ab", "77", "a ab", "田", &many(TOKENS_MAX), &"x".repeat(TEXT_CHARS_MAX), "a@b"] {
        assert!(find(text).is_ok(), "{text}");
    }
}

#[test]
fn the_better_find_comes_first() {
    let order = ["Garcia", "Garciaparra", "Garsia"].map(|family| {
        let resource = patient(&name("Ana", family), "");
        let find = find("garcia").unwrap();
        find.matching(&extract(&resource, NOW), &Patient::of(resource.root(), "")).unwrap()
    });
    assert!(order.is_sorted());
    let middle = patient(&name("Ana|Garcia", "Abel"), "");
    let seen = find("garcia").unwrap();
    let hidden = seen.matching(&extract(&middle, NOW), &Patient::of(middle.root(), "")).unwrap();
    assert!(order[0] < hidden && hidden < order[1], "a name that is shown comes before one that is not");
    let poorest = patient(&name("Zoe", "Garcia"), "");
    let find = find("garcia").unwrap();
    let last = find.matching(&extract(&poorest, NOW), &Patient::of(poorest.root(), "")).unwrap();
    assert!(order[0] < last && last < order[1], "equally good finds are in the order of names");
}

/// Words of few syllables, so that many are alike.
fn word() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec!["gar", "ci", "a", "mar", "ti", "nez", "son", "de", "O'", "-", " la ", "ü"]),
        1..4,
    )
    .prop_map(|parts| parts.concat())
}

/// A name as it is typed: some of it, with letters turned round or left out.
fn typed(name: String) -> impl Strategy<Value = String> {
    (0..12_usize, 0..4_u8, 1..20_usize).prop_map(move |(at, slip, length)| {
        let mut letters: Vec<char> = name.chars().collect();
        match slip {
            0 if at < letters.len() => drop(letters.remove(at)),
            1 if at > 0 && at < letters.len() => letters.swap(at - 1, at),
            2 if at <= letters.len() => letters.insert(at, 'x'),
            _ => letters.truncate(length),
        }
        letters.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn the_round_that_finds_somebody_is_the_grade_that_the_judge_gives(
        (given, family, text) in (word(), word())
            .prop_flat_map(|(given, family)| (Just(given.clone()), Just(family.clone()), typed(format!("{family} {given}")))),
    ) {
        let resource = patient(&name(&given, &family), "");
        let Ok(find) = find(&text) else { return Ok(()) };
        let document = extract(&resource, NOW);
        let judged = find.matching(&document, &Patient::of(resource.root(), &find.system));
        let rounds = find.rounds(&Query::everything(kind_of("Patient").unwrap()));
        let grades: Vec<Grade> = Grade::ALL
            .into_iter()
            .filter(|grade| *grade == Grade::Exact || find.tokens.iter().flatten().any(|reading| reading.grade == *grade))
            .collect();
        prop_assert_eq!(rounds.len(), grades.len());
        let first = rounds.iter().position(|query| query.matches(&document)).map(|round| grades[round]);
        match judged {
            Some(judged) => prop_assert_eq!(first, Some(judged.worst)),
            // The judge alone looks at how much of a word that sounds alike is there.
            None => prop_assert!(first.is_none_or(|grade| grade == Grade::Sound)),
        }
    }
}
