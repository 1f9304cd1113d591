//! The exported file and its verification by an outsider.

use std::sync::LazyLock;

use iris_audit::{Action, FaultKind, Opening, Report, Verifier, verify_file};
use iris_crypto::sign::SigningKey;
use iris_kernel::Tenant;
use proptest::prelude::*;

use crate::house::{Folder, House};

fn exported(folder: &Folder, house: &House, opening: Opening) -> String {
    let receipt = house.audit.record_blocking(&folder.event(Action::AuditExport, "none")).unwrap();
    let mut out = Vec::new();
    house.audit.export(&mut out, opening, &receipt).unwrap();
    String::from_utf8(out).unwrap()
}

fn check(text: &str, key: &Verifier) -> Report {
    verify_file(text.as_bytes(), key).unwrap()
}

/// Kind, position and line of every fault.
fn faults(report: &Report) -> Vec<(FaultKind, Option<u64>, Option<u64>)> {
    report.faults.iter().map(|fault| (fault.kind, fault.position, fault.line)).collect()
}

/// The line (from 0) of an entry.
fn line_of(lines: &[String], position: u64) -> usize {
    let start = format!("{{\"entry\":{{\"position\":{position},");
    lines.iter().position(|line| line.starts_with(&start)).unwrap()
}

struct File {
    lines: Vec<String>,
    key: Verifier,
}

impl File {
    fn new() -> Self {
        let folder = Folder::new();
        let house = folder.open();
        folder.ten(&house);
        let text = exported(&folder, &house, Opening::All);
        Self { lines: text.lines().map(str::to_owned).collect(), key: house.audit.public_key() }
    }

    /// The report on the file after a change of its lines.
    fn after(&self, change: impl Fn(&mut Vec<String>)) -> Report {
        let mut lines = self.lines.clone();
        change(&mut lines);
        check(&(lines.join("\n") + "\n"), &self.key)
    }

    fn line(&self, position: u64) -> (usize, Option<u64>) {
        let line = line_of(&self.lines, position);
        (line, Some(line as u64 + 1))
    }
}

#[test]
fn the_file_and_the_key_are_enough() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let key: Verifier = house.audit.public_key().to_string().parse().unwrap();
    let text = exported(&folder, &house, Opening::All);
    let online = house.audit.verify(|_, _| {}).unwrap();
    let report = check(&text, &key);
    assert!(report.good(), "{report:#?}");
    assert_eq!((report.size, report.opened, &report.root), (11, 11, &online.root));
    assert_eq!(report.checkpoints, online.checkpoints);
    assert!(text.contains("nurse.joy"));

    let sealed = exported(&folder, &house, Opening::Sealed);
    assert!(check(&sealed, &key).good());
    assert!(!sealed.contains("nurse.joy"));
    assert!(!exported(&folder, &house, Opening::Tenant(Tenant(2))).contains("nurse.joy"));

    let other = Verifier::new(SigningKey::from_seed(&[9; 32]).unwrap().verifying_key());
    assert!(!check(&text, &other).good());
}

#[test]
fn an_empty_log_is_exported_too() {
    let folder = Folder::new();
    let house = folder.open();
    let text = exported(&folder, &house, Opening::All);
    assert_eq!(check(&text, &house.audit.public_key()).size, 1, "the export's own entry");
}

#[test]
fn a_changed_entry_is_named_by_line_and_position() {
    let file = File::new();
    assert!(file.after(|_| {}).good());
    let (at, line) = file.line(4);
    let (other, _) = file.line(5);
    let edit = |from: &str, to: &str| file.after(|lines| lines[at] = lines[at].replacen(from, to, 1));
    assert_eq!(faults(&edit("192.0.2.7", "192.0.2.8")), [(FaultKind::Details, Some(4), line)]);
    assert_eq!(
        faults(&edit("\"outcome\":\"success\"", "\"outcome\":\"denied\"")),
        [(FaultKind::Changed, Some(4), line)]
    );
    // Header, words and details of another entry under the old leaf hash.
    let swapped = file.after(|lines| {
        let leaf = |line: &str| line.split("\"leaf\":\"").nth(1).unwrap()[..44].to_owned();
        lines[at] = lines[other].replacen("\"position\":5", "\"position\":4", 1).replacen(
            &leaf(&lines[other]),
            &leaf(&lines[at]),
            1,
        );
    });
    assert_eq!(faults(&swapped), [(FaultKind::Changed, Some(4), line)]);
    // With its leaf hash as well: then only the checkpoints know, and the fault lies between two of them.
    let forged = file.after(|lines| lines[at] = lines[other].replacen("\"position\":5", "\"position\":4", 1));
    let [copy, fault] = forged.faults.as_slice() else { panic!("{forged:#?}") };
    assert_eq!((copy.kind, copy.position), (FaultKind::Repeated, Some(5)));
    assert_eq!(fault.kind, FaultKind::Root);
    assert!(fault.position.unwrap() <= 4 && fault.until.unwrap() > 4, "{fault:?}");
}

#[test]
fn entries_that_are_dropped_moved_or_repeated_are_named() {
    let file = File::new();
    let (at, line) = file.line(4);
    let (next, _) = file.line(5);
    let dropped = file.after(|lines| drop(lines.remove(at)));
    let next_line = line_of(&file.lines, 5) as u64;
    assert_eq!(faults(&dropped)[0], (FaultKind::Missing, Some(4), Some(next_line)));
    assert_eq!(dropped.faults[0].until, Some(5));
    let moved = file.after(|lines| lines.swap(at, next));
    assert_eq!(faults(&moved)[0], (FaultKind::Missing, Some(4), line));
    assert_eq!((moved.faults[1].kind, moved.faults[1].position), (FaultKind::Moved, Some(4)));
    let repeated = file.after(|lines| lines.insert(at, lines[at].clone()));
    assert_eq!(faults(&repeated), [(FaultKind::Moved, Some(4), line.map(|line| line + 1))]);
    let renumbered = file.after(|lines| {
        lines.remove(at);
        for (position, line) in (4..).zip(lines.iter_mut().filter(|line| line.contains("\"position\"")).skip(4)) {
            *line = line.replacen(&format!("\"position\":{}", position + 1), &format!("\"position\":{position}"), 1);
        }
    });
    assert!(renumbered.faults.iter().any(|fault| fault.kind == FaultKind::Checkpoint), "{renumbered:#?}");
}

#[test]
fn a_file_that_was_cut_or_mixed_up_is_noticed() {
    let file = File::new();
    let count = file.lines.len();
    for keep in 0..count {
        let report = file.after(|lines| lines.truncate(keep));
        assert!(report.faults.iter().any(|fault| fault.kind == FaultKind::File), "{keep} lines: {report:?}");
    }
    let text = file.lines.join("\n");
    let cut = check(&text[..text.len() / 2], &file.key);
    assert!(cut.faults.iter().any(|fault| fault.kind == FaultKind::File));
    assert!(!file.after(|lines| lines.push(lines[2].clone())).good(), "more after the end");
    assert!(!file.after(|lines| lines.insert(3, lines[0].clone())).good(), "two heads");
    assert!(!file.after(|lines| lines.insert(3, "{}".to_owned())).good(), "an empty line");
    assert!(!file.after(|lines| lines.insert(3, "nonsense".to_owned())).good());
    assert!(!file.after(|lines| drop(lines.remove(0))).good(), "no head");
    assert!(!check("", &file.key).good());
    assert!(!check(&"x".repeat(100_000), &file.key).good());
}

#[test]
fn checkpoints_can_neither_be_forged_nor_moved() {
    let file = File::new();
    let note = file.lines.iter().position(|line| line.starts_with("{\"checkpoint\"")).unwrap();
    let unsigned = file.after(|lines| lines[note] = lines[note].replacen("iris-audit\\n", "iris-audit\\n9", 1));
    assert_eq!(faults(&unsigned)[0].0, FaultKind::Checkpoint);
    assert_eq!(faults(&unsigned)[0].2, Some(note as u64 + 1));
    let moved = file.after(|lines| lines.swap(note, note + 1));
    assert_eq!(faults(&moved)[0].0, FaultKind::Checkpoint);
    let last = file.lines.iter().rposition(|line| line.starts_with("{\"checkpoint\"")).unwrap();
    let dropped = file.after(|lines| drop(lines.remove(last)));
    assert_eq!(faults(&dropped)[0].0, FaultKind::Checkpoint, "the newest entries are under no signature");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_byte_of_the_file_can_be_changed_unnoticed(at: prop::sample::Index, bit in 0_u8..8) {
        static FILE: LazyLock<File> = LazyLock::new(File::new);
        let mut bytes = FILE.lines.join("\n").into_bytes();
        bytes.push(b'\n');
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let report = verify_file(bytes.as_slice(), &FILE.key).unwrap();
        prop_assert!(!report.good(), "byte {} became {:?}", at, char::from(bytes[at]));
    }
}
