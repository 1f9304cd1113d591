use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use iris_testkit::ManualClock;
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Keeps the order in which documents arrive. A text with `bad` is refused when parsed, one with `late` when stored; `{"b"`
/// starts a bundle; `end` ends everything.
#[derive(Default)]
struct Notes(Mutex<Vec<Vec<String>>>);

impl Notes {
    fn batches(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for Notes {
    type Item = String;

    fn parse(&self, text: Vec<u8>, _place: &Place) -> Result<String, Vec<Fault>> {
        let text = String::from_utf8(text).unwrap();
        if text.contains("bad") { Err(vec![Fault::new("/x", "is bad"), Fault::new("/y", "too")]) } else { Ok(text) }
    }

    fn shape(&self, item: &String) -> Shape {
        if item.starts_with("{\"b\"") { Shape::Bundle } else { Shape::Single }
    }

    fn store(&self, items: Vec<String>) -> Vec<Result<Stored, NotStored>> {
        self.0.lock().unwrap().push(items.clone());
        let outcome = |text: &String| match text {
            text if text.contains("end") => Err(NotStored::Ended("the disk is full".to_owned())),
            text if text.contains("late") => Err(NotStored::Rejected(vec![Fault::new("", "is late")])),
            text if text.contains("old") => Ok(Stored { by_type: Vec::new(), present: 1 }),
            _ => Ok(Stored { by_type: vec![("Patient", 1)], present: 0 }),
        };
        items.iter().map(outcome).collect()
    }
}

struct Case {
    folder: tempfile::TempDir,
    command: ImportCommand,
    sink: Notes,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("in");
        std::fs::create_dir(&inside).unwrap();
        for (name, text) in files {
            std::fs::write(inside.join(name), text).unwrap();
        }
        let command = ImportCommand { paths: vec![inside], tenant: 1, on_reject: OnReject::Stop, rejects: None };
        Self { folder, command, sink: Notes::default() }
    }

    fn keep_going(mut self) -> Self {
        self.command.on_reject = OnReject::KeepGoing;
        self.command.rejects = Some(self.rejects());
        self
    }

    fn rejects(&self) -> PathBuf {
        self.folder.path().join("rejects.ndjson")
    }

    fn run(&self) -> Result<Value, Failure> {
        run(&self.command, &self.sink, &ManualClock::default(), 3, &mut |_| Go::On)
    }
}

#[test]
fn singles_share_a_commit_and_bundles_have_their_own() {
    let case = Case::new(&[("a.ndjson", "1\n2\n"), ("b.json", "{\"b\":1}"), ("c.json", "old")]);
    let result = case.run().unwrap();
    assert_eq!(case.sink.batches(), [vec!["1", "2"], vec!["{\"b\":1}"], vec!["old"]]);
    assert_eq!(result["stored"], 3);
    assert_eq!(result["present"], 1);
    assert_eq!(result["by_type"], json!({ "Patient": 3 }));
    assert_eq!(result["files"], 3);
}

#[test]
fn a_batch_holds_so_many_and_no_more() {
    let lines = |count: usize| "1\n".repeat(count);
    let sizes = |count| {
        let case = Case::new(&[("a.ndjson", &lines(count))]);
        case.run().unwrap();
        case.sink.batches().iter().map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(sizes(BATCH_MAX), [BATCH_MAX]);
    assert_eq!(sizes(BATCH_MAX + 1), [BATCH_MAX, 1]);
}

#[test]
fn a_reject_stops_the_import_and_names_every_fault() {
    let case = Case::new(&[("a.ndjson", "1\nbad\n3\n")]);
    let failure = case.run().unwrap_err();
    assert_eq!(case.sink.batches(), [vec!["1"]], "what came before is stored, what comes after is not");
    assert_eq!(failure.faults.len(), 2);
    assert!(failure.faults[0].ends_with("a.ndjson, line 2: /x: is bad"), "{:?}", failure.faults);
    assert_eq!(failure.result["stored"], 1);
    assert_eq!(failure.result["rejected"], 1);
}

#[test]
fn keep_going_writes_each_reject_down_and_stores_the_rest() {
    let case = Case::new(&[("a.ndjson", "1\nbad\nlate\n4\n"), ("b.json", "bad")]).keep_going();
    let failure = case.run().unwrap_err();
    assert_eq!(failure.result["stored"], 2);
    assert_eq!(failure.result["rejected"], 3);
    assert!(failure.message.starts_with("3 documents were rejected"), "{}", failure.message);
    let text = std::fs::read_to_string(case.rejects()).unwrap();
    let rejects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rejects.len(), 3);
    assert_eq!(rejects[0]["line"], 2);
    assert_eq!(rejects[0]["faults"], json!([{ "at": "/x", "what": "is bad" }, { "at": "/y", "what": "too" }]));
    assert_eq!(rejects[1]["line"], 3);
    assert!(rejects[2]["file"].as_str().unwrap().ends_with("b.json"));
    assert_eq!(rejects[2].get("line"), None);
}

#[test]
fn without_rejects_the_rejects_file_is_empty() {
    let case = Case::new(&[("a.json", "1")]).keep_going();
    std::fs::write(case.rejects(), "of an earlier run").unwrap();
    case.run().unwrap();
    assert_eq!(std::fs::read_to_string(case.rejects()).unwrap(), "");
}

#[test]
fn a_full_disk_ends_even_an_import_that_keeps_going() {
    let case =
        Case::new(&[("a.json", "{\"b\":1}"), ("b.json", "{\"b\":\"end\"}"), ("c.json", "{\"b\":3}")]).keep_going();
    let failure = case.run().unwrap_err();
    assert_eq!(failure.message, "the disk is full; running it again goes on from here");
    assert_eq!(case.sink.batches().len(), 2);
}

#[test]
fn being_told_to_stop_ends_after_the_commit() {
    let case = Case::new(&[("a.json", "{\"b\":1}"), ("b.json", "{\"b\":2}")]);
    let mut heard = Vec::new();
    let failure = run(&case.command, &case.sink, &ManualClock::default(), 1, &mut |progress| {
        heard.push(progress);
        Go::Stop
    })
    .unwrap_err();
    assert_eq!(case.sink.batches().len(), 1);
    assert_eq!(failure.result["stored"], 1);
    assert_eq!((heard[0].items, heard[0].total), (1, 14));
}

#[test]
fn the_rate_is_of_the_clock_that_was_handed_in() {
    let case = Case::new(&[("a.ndjson", "1\n2\n3\n4\n")]);
    let clock = ManualClock::default();
    let result = run(&case.command, &case.sink, &clock, 1, &mut |_| {
        clock.advance(Duration::from_secs(2));
        Go::On
    });
    assert_eq!(result.unwrap()["resources_per_second"], 2.0);
}

#[test]
fn a_rejects_file_that_cannot_be_made_stops_the_start() {
    let mut case = Case::new(&[("a.json", "1")]);
    case.command.rejects = Some(Path::new("/no/such/folder/rejects").to_owned());
    assert!(case.run().unwrap_err().message.contains("rejects file"));
    assert!(case.sink.batches().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However many threads parse, documents are stored in their order and none is lost.
    #[test]
    fn order_does_not_depend_on_threads(lines in prop::collection::vec(0_u32..1_000, 1..200), workers in 1_usize..5) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let case = Case::new(&[("a.ndjson", &text)]);
        run(&case.command, &case.sink, &ManualClock::default(), workers, &mut |_| Go::On).unwrap();
        let stored: Vec<u32> = case.sink.batches().concat().iter().map(|line| line.parse().unwrap()).collect();
        prop_assert_eq!(stored, lines);
    }
}
