use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;

const HEAD: &str = "iris-vaccines|1\nedition|2025-11-19\nsource|a test\n";

fn shipped() -> Vaccines {
    Vaccines::shipped().unwrap()
}

fn faults(text: &str) -> Vec<String> {
    Vaccines::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The codes found, best first.
fn codes<'a>(table: &'a Vaccines, typed: &str) -> Vec<&'a str> {
    table.find(typed, true, 100).items.iter().map(|vaccine| vaccine.code.as_str()).collect()
}

#[test]
fn a_name_is_coded_only_when_it_stands_for_one_vaccine() {
    let table = shipped();
    let named = |name| table.vaccine_named(name).map(|vaccine| vaccine.code.as_str());
    assert_eq!(named("tdap"), Some("115"));
    assert_eq!(named(" BOOSTRIX "), Some("115"));
    assert_eq!(named("Influenza"), None, "no name of any");
    assert_eq!(named("Comirnaty"), None, "the trade name of several");
    assert_eq!(named("malaria"), None, "never in use");
    assert_eq!(table.vaccine("08").map(|vaccine| vaccine.status), Some(Status::Active));
    assert_eq!(table.vaccine("FLU2025"), None);
}

#[test]
fn a_manufacturer_is_known_by_code_name_or_first_words() {
    let table = shipped();
    let known = |text| table.manufacturer(text).map(|maker| maker.code.as_str());
    for (text, code) in [
        ("skb", Some("SKB")),
        ("GlaxoSmithKline", Some("SKB")),
        ("Merck", Some("MSD")),
        ("Merck & Co., Inc.", Some("MSD")),
        ("pfizer", Some("PFR")),
        ("Sanofi", Some("PMC")),
        ("Baxter", None),
        ("Inc.", None),
        ("", None),
        ("Nobody", None),
    ] {
        assert_eq!(known(text), code, "{text}");
    }
}

#[test]
fn whoever_does_not_make_a_vaccine_is_told_from_whoever_does() {
    let table = shipped();
    let others =
        |code, maker| table.is_made_by_others(table.vaccine(code).unwrap(), table.manufacturer(maker).unwrap());
    assert!(others("216", "MSD"), "Prevnar 20 is Pfizer's");
    assert!(!others("216", "PFR"));
    assert!(!others("111", "AstraZeneca"), "MedImmune is AstraZeneca's");
    assert!(!others("146", "MSD"), "a partnership");
    assert!(!others("216", "UNK"), "nothing is known");
    assert!(!others("88", "MSD"), "no product is known");
}

#[test]
fn what_is_typed_finds_what_is_meant() {
    let table = shipped();
    for (typed, best) in [
        ("mmr", &["03", "94"][..]),
        ("140", &["140"]),
        ("8", &["08"]),
        ("prevnar", &["216", "133"]),
        ("prevnar 20", &["216"]),
        ("20 PREVNAR", &["216"]),
        ("hep b", &["43", "08", "44"]),
        ("hepb adult", &["43"]),
        ("covid pfizer", &["309", "310"]),
        ("PFR comirnaty", &["309", "310"]),
        ("pcv13", &["133"]),
        ("tdap", &["115"]),
        ("m-m-r", &["03"]),
        ("m-m-r ii merck", &["03"]),
        ("polio inact", &["10"]),
        ("hpv 9", &["165"]),
        ("chickenpox", &["21", "94"]),
        ("varicela", &["21", "94"]),
        ("sarampion", &["03", "94"]),
        ("shingles", &["187"]),
        ("PPSV23", &["33"]),
        ("tos ferina", &["115", "106", "20"]),
        ("Grippe", &[]),
    ] {
        let found = codes(&table, typed);
        assert_eq!(found.get(..best.len()), Some(best), "{typed}: {found:?}");
    }
    let flu = table.find("flu", true, 100);
    assert_eq!(flu.items[0].code, "140", "the one in most packages");
    assert!(flu.items.iter().take(15).all(|vaccine| vaccine.groups.contains(&"FLU".to_owned())));
    assert!(codes(&table, "fluzone seqirus").is_empty(), "one product's name is not mixed with another's manufacturer");
}

#[test]
fn old_codes_come_after_current_ones_and_can_be_left_out() {
    let table = shipped();
    let all = table.find("hep b", false, 100);
    let statuses: Vec<Status> = all.items.iter().map(|vaccine| vaccine.status).collect();
    assert!(statuses.is_sorted() && statuses.contains(&Status::Inactive), "{statuses:?}");
    assert_eq!(table.find("45", false, 1).items[0].code, "45", "a code as typed comes first, whatever it is");
    assert!(table.find("", true, 1000).items.iter().all(|vaccine| vaccine.status == Status::Active));
    let first = table.find("", false, 5);
    assert_eq!((first.items.len(), first.total), (5, table.vaccines().len()));
}

#[test]
fn manufacturers_are_found_as_well() {
    let table = shipped();
    let found = |typed| table.find_manufacturers(typed, false, 100).items.iter().map(|m| &*m.code).collect::<Vec<_>>();
    assert_eq!(found("skb"), ["SKB"]);
    assert_eq!(found("merck").first(), Some(&"MSD"));
    assert_eq!(found("").len(), table.manufacturers().len());
}

#[test]
fn every_name_finds_its_own_vaccine() {
    let table = shipped();
    for vaccine in table.vaccines() {
        for name in [&vaccine.code, &vaccine.name, &vaccine.full_name] {
            let found = table.find(name, false, 1_000);
            assert!(found.items.iter().any(|other| other.code == vaccine.code), "{name}");
        }
    }
}

#[test]
fn every_fault_of_a_table_is_named_with_its_line() {
    let text = format!(
        "# a comment\n{HEAD}[vaccines: …]\n08|active|1|HepB|Hep B|hepatitis B\n08|active|1||x|y\n9 9|odd|many||x|\n1|active\n\
         [manufacturers]\nSKB|active|GlaxoSmithKline\nSKB|active|Again\n[products]\n08|X|NO|active\n77|Y||active\n08|Z|SKB|active\n\
         08|Z|SKB|inactive\n[words]\nHepB|hepatitis B\nHepB|VHB\nX|y\nz\n[else]\nwhatever\n"
    );
    let faults = faults(&text);
    for (line, what) in [
        (7, "twice"),
        (8, "CVX code must be"),
        (8, "status must be one of"),
        (8, "no number"),
        (8, "full name is missing"),
        (9, "2 columns instead of 6"),
        (12, "twice"),
        (14, "manufacturer of the product"),
        (15, "vaccine of the product"),
        (17, "twice"),
        (20, "twice"),
        (21, "no vaccine is in"),
        (22, "1 columns instead of 2"),
        (23, "no such section"),
    ] {
        let place = format!("line {line}: ");
        assert!(faults.iter().any(|f| f.starts_with(&place) && f.contains(what)), "{line} {what}: {faults:?}");
    }
    assert_eq!(faults.len(), 14, "{faults:?}");
}

#[test]
fn what_is_no_table_is_refused_at_once() {
    assert_eq!(faults("hello\nworld\n").len(), 1);
    assert_eq!(faults("iris-vaccines|2\n").len(), 1, "a form that this version does not know");
    let empty = faults("");
    assert_eq!(empty.len(), 3, "{empty:?}");
    let missing = faults("iris-vaccines|1\nedition|soon\n");
    assert!(missing[0].contains("line 2") && missing.iter().any(|fault| fault.starts_with("source")), "{missing:?}");
    let long = format!("{HEAD}[vaccines]\n08|active|1||{}|y\n09|active|1||{}|y\n", "x".repeat(500), "x".repeat(501));
    assert_eq!(faults(&long), ["line 6: a cell has more than 500 characters"]);
}

#[test]
fn faults_are_bounded() {
    let text = format!("{HEAD}[vaccines]\n{}", "x\n".repeat(10_000));
    assert_eq!(faults(&text).len(), iris_kernel::limits::FAULTS_MAX);
}

#[test]
fn a_table_that_is_replaced_stays_for_whoever_holds_it() {
    let current = CurrentVaccines::new(shipped());
    let held = current.now();
    let new = Vaccines::parse(&format!("{HEAD}[vaccines]\n08|active|1||Hep B|hepatitis B\n")).unwrap();
    assert_eq!(current.replace(new.clone(), || Err("full disk")), Err("full disk"));
    assert!(current.now().vaccine("115").is_some(), "what cannot be kept is not used");
    assert_eq!(current.replace(new, || Ok::<_, ()>(())), Ok(()));
    assert!(held.vaccine("115").is_some());
    assert!(current.now().vaccine("115").is_none());
}

#[test]
fn words_of_people_find_and_never_code() {
    let table = shipped();
    assert_eq!(table.vaccine_named("chickenpox"), None);
    assert!(table.find("tétanos", true, 1).total > 5, "accents do not matter");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_words_decides_nothing_about_what_is_found(words in prop::collection::vec("[a-zA-Z0-9-]{1,6}", 0..4)) {
        let table = shipped_once();
        let mut found = [words.join(" "), words.iter().rev().cloned().collect::<Vec<_>>().join("  ")]
            .map(|typed| table.find(&typed, false, 1_000).items.iter().map(|v| &*v.code).collect::<Vec<_>>());
        found.iter_mut().for_each(|codes| codes.sort_unstable());
        prop_assert_eq!(&found[0], &found[1]);
    }

    #[test]
    fn a_limit_cuts_and_active_thins_out(typed in "[a-z0-9 ]{0,8}", limit in 0..30_usize) {
        let table = shipped_once();
        let all = table.find(&typed, false, 1_000);
        let few = table.find(&typed, false, limit);
        prop_assert_eq!(&few.items[..], &all.items[..limit.min(all.total)]);
        prop_assert_eq!((few.total, all.items.len()), (all.total, all.total));
        let active: Vec<_> = all.items.into_iter().filter(|vaccine| vaccine.status == Status::Active).collect();
        prop_assert_eq!(table.find(&typed, true, 1_000).items, active);
    }

    /// Whatever stands in a file, reading it ends with a table or with faults.
    #[test]
    fn any_text_is_read_to_an_end(lines in prop::collection::vec("(08|SKB|\\[vaccines|\\[products|edition)?[|a-z0-9]{0,12}", 0..20)) {
        let text = format!("{HEAD}{}", lines.join("\n"));
        if let Err(faults) = Vaccines::parse(&text) {
            prop_assert!(!faults.is_empty());
        }
    }
}

fn shipped_once() -> &'static Vaccines {
    static TABLE: LazyLock<Vaccines> = LazyLock::new(shipped);
    &TABLE
}
