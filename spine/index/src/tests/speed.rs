//! How long finding somebody by a word takes. Run it with `cargo nextest run -p iris-index --run-ignored only --no-capture`.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use iris_fhir::Json;
use iris_fhir::json::Value;
use iris_kernel::Tenant;
use iris_search::{Criterion, Near, Query, Reach, parameter, sound, term, words};

use super::{Shadow, World, kind};
use crate::schema::{HEAD_LEN, SCOPE_LEN};
use crate::{Page, Restriction};

const TENANT: Tenant = Tenant(1);
const PATIENTS: u32 = 100_000;
const ROUNDS: u32 = 50;
/// What one search for a word may take even in a build that is not optimised.
const TIME_MAX: Duration = Duration::from_millis(100);

/// Some 50,000 different names of two to four syllables, the short ones far more often than the long ones.
pub(super) fn name(seed: u32) -> String {
    const SYLLABLES: [&str; 24] = [
        "gar", "ci", "a", "lo", "pez", "mar", "tin", "ez", "son", "ber", "li", "na", "ro", "sa", "jo", "se", "ste",
        "ven", "an", "de", "mu", "ller", "ki", "ta",
    ];
    let mut left = seed.wrapping_mul(2_654_435_761);
    let count = 2 + (left >> 24) % 100 / 60 + (left >> 16) % 100 / 85;
    (0..count)
        .map(|_| {
            left = left.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            SYLLABLES[(left >> 20) as usize % SYLLABLES.len()]
        })
        .collect()
}

#[test]
#[ignore = "takes a minute; prints figures"]
#[allow(clippy::disallowed_methods, reason = "the clock of the machine is what it measures with")]
fn a_word_among_a_hundred_thousand_patients() {
    let mut world = World::new();
    for number in 0..PATIENTS {
        let id = format!("p{number}");
        let body = format!(
            r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{}","given":["{}"]}}],"birthDate":"19{:02}-{:02}-{:02}"}}"#,
            name(number),
            name(number ^ 0x5555_5555),
            number % 100,
            1 + number % 12,
            1 + number % 28,
        );
        world.write(TENANT, kind("Patient"), &id, Some(&body), Shadow::Sent);
    }
    world.index().flush().unwrap();
    let patient = kind("Patient");
    let index = |code| parameter(patient, code).unwrap().index;
    let (name, phonetic, birth) = (index("name"), index("phonetic"), index("birthdate"));
    let near = |word: &str, reach| Criterion::Near(Near::new(name, word, reach).unwrap());
    let asked = || {
        // The most that a typed text can ask for: every word may be misspelt, and all of them must be there.
        let worst = (0..8).map(|at| {
            let letters = "martinez".char_indices().map(|(place, letter)| if place == at { 'x' } else { letter });
            vec![near(&letters.collect::<String>(), Reach::Beginning)]
        });
        [
            ("two letters", vec![vec![words::beginning(name, "ga")]]),
            ("three letters", vec![vec![words::beginning(name, "gar")]]),
            ("five letters", vec![vec![words::beginning(name, "garci")]]),
            ("whole word", vec![vec![Criterion::Term(term::word(name, "garcia"))]]),
            ("misspelt, one mistake", vec![vec![near("gracia", Reach::Whole)]]),
            ("misspelt beginning, one mistake", vec![vec![near("gracia", Reach::Beginning)]]),
            ("misspelt, two mistakes", vec![vec![near("matrinezz", Reach::Whole)]]),
            ("misspelt beginning, two mistakes", vec![vec![near("matrinez", Reach::Beginning)]]),
            ("sounds alike", vec![vec![Criterion::Term(term::sound(phonetic, &sound::keys("garcia")[0]))]]),
            ("day of birth", vec![vec![Criterion::Term(term::day(birth, "1987-04-04"))]]),
            ("eight misspelt words", worst.collect()),
        ]
    };
    for place in 0..asked().len() {
        let page = Page { size: 100, after: None };
        let mut total = None;
        let started = Instant::now();
        for _ in 0..ROUNDS {
            // Made anew each time, as a request does: the automata are part of the work.
            let mut query = Query::everything(patient);
            query.all = asked()[place].1.clone();
            total = world.index().search(TENANT, &query, &Restriction::NONE, page.clone()).unwrap().total;
        }
        let each = started.elapsed() / ROUNDS;
        let what = asked()[place].0;
        println!("{what}: {each:?}, {} found", total.unwrap());
        assert!(each < TIME_MAX, "{what}");
    }
}

/// Patients of Synthea that are indexed: some ten thousand resources.
const FILES: usize = 24;
/// Letters of a UUID.
const UUID_LETTERS: usize = 36;

/// Writes resources of Synthea, and tells how many; `None` where there are none.
fn write_synthea(world: &mut World) -> Option<u32> {
    let mut count = 0;
    for (_, text) in iris_testkit::synthea()?.take(FILES) {
        let bundle = Json::parse(text).unwrap();
        let entries = bundle.root().get("entry").unwrap();
        let resources = || entries.items().filter_map(|entry| entry.get("resource"));
        let name = |resource: Value<'_>| ["id", "resourceType"].map(|name| resource.str_of(name).unwrap().into_owned());
        let types: HashMap<String, String> = resources().map(name).map(|[id, of]| (id, of)).collect();
        for resource in resources() {
            // As a transaction leaves them: what refers to another entry refers to the record that this became.
            let mut pieces = std::str::from_utf8(resource.raw()).unwrap().split("urn:uuid:");
            let mut body = pieces.next().unwrap().to_owned();
            for piece in pieces {
                let of = piece.get(..UUID_LETTERS).and_then(|id| types.get(id));
                body += &of.map_or("urn:uuid:".to_owned(), |of| format!("{of}/"));
                body += piece;
            }
            let [id, of] = name(resource);
            world.write(TENANT, kind(&of), &id, Some(&body), Shadow::Sent);
            count += 1;
        }
    }
    world.index().flush().unwrap();
    Some(count)
}

#[test]
#[ignore = "prints figures"]
fn how_large_an_index_is() {
    let mut world = World::new();
    let Some(count) = write_synthea(&mut world) else { return };
    let mut files: BTreeMap<String, u64> = BTreeMap::new();
    for entry in std::fs::read_dir(world.index_folder()).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let sort = name.rsplit_once('.').map_or("other", |(_, sort)| sort).to_owned();
        *files.entry(sort).or_default() += entry.metadata().unwrap().len();
    }
    let each = |bytes: u64| bytes as f64 / f64::from(count);
    println!("{count} resources, {:.0} bytes each", each(files.values().sum()));
    files.iter().for_each(|(sort, bytes)| println!("{sort}: {:.0} bytes each", each(*bytes)));
    // Of each mode: terms of documents, different ones, and the bytes in which each differs from the one before.
    let mut modes: BTreeMap<(u8, u8), [u64; 3]> = BTreeMap::new();
    let generation = world.index().shared.state.read().generation.clone();
    for view in &generation.segments {
        let mut before = Vec::new();
        let mut stream = view.body.terms.terms().stream().unwrap();
        while stream.advance() {
            let key = stream.key();
            let mode = key.get(SCOPE_LEN + HEAD_LEN - 1).copied().unwrap_or_default();
            let kind = key.get(SCOPE_LEN - 1).copied().unwrap_or_default();
            let common = key.iter().zip(&before).take_while(|(one, other)| one == other).count();
            for at in [(mode, 0), (mode, kind)] {
                let sums = modes.entry(at).or_default();
                let these = [u64::from(stream.value().doc_freq), 1, (key.len() - common) as u64];
                sums.iter_mut().zip(these).for_each(|(sum, one)| *sum += one);
            }
            before = key.to_vec();
        }
    }
    for ((mode, kind), [documents, terms, bytes]) in modes.iter() {
        if *kind == 0 || each(*bytes) > 1.0 {
            let of = if *kind == 0 { "all kinds".to_owned() } else { format!("kind {kind}") };
            println!(
                "mode {mode} of {of}: {:.2} of each resource, {:.2} different, {:.1} bytes",
                each(*documents),
                each(*terms),
                each(*bytes)
            );
        }
    }
}
