use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use iris_testkit::SeededEntropy;
use tantivy::Directory as _;
use tantivy::directory::TerminatingWrite as _;

use super::{CHUNK_BYTES, SealedDirectory};

fn directory(folder: &Path) -> SealedDirectory {
    SealedDirectory::open(folder, &[7; 32], Arc::new(SeededEntropy::new(1))).unwrap()
}

fn write(directory: &SealedDirectory, name: &str, bytes: &[u8]) {
    let mut writer = directory.open_write(Path::new(name)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.terminate().unwrap();
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|i| u8::try_from(i * 31 % 251).unwrap()).collect()
}

#[test]
fn every_length_and_range_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    for len in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 7 * CHUNK_BYTES, 7 * CHUNK_BYTES + 5] {
        let name = format!("f{len}");
        let bytes = sample(len);
        write(&directory, &name, &bytes);
        let file = directory.get_file_handle(Path::new(&name)).unwrap();
        assert_eq!(file.len(), len);
        for (from, to) in [(0, len), (0, len.min(1)), (len / 2, len), (len / 3, len / 2), (len, len)] {
            assert_eq!(file.read_bytes(from..to).unwrap().as_slice(), &bytes[from..to], "{len}: {from}..{to}");
        }
        assert!(file.read_bytes(0..len + 1).is_err());
    }
}

#[test]
fn a_file_is_written_once_and_replaced_only_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    write(&directory, "once", b"one");
    assert!(directory.open_write(Path::new("once")).is_err());
    let big = sample(3 * CHUNK_BYTES);
    directory.atomic_write(Path::new("meta.json"), b"{}").unwrap();
    directory.atomic_write(Path::new("meta.json"), &big).unwrap();
    assert_eq!(directory.atomic_read(Path::new("meta.json")).unwrap(), big);
    directory.delete(Path::new("once")).unwrap();
    assert!(!directory.exists(Path::new("once")).unwrap());
    assert!(directory.delete(Path::new("once")).is_err());
}

#[test]
fn an_unfinished_file_does_not_open_as_a_shorter_one() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    let mut writer = directory.open_write(Path::new("cut")).unwrap();
    writer.write_all(&sample(3 * CHUNK_BYTES)).unwrap();
    writer.flush().unwrap();
    drop(writer);
    let file = directory.get_file_handle(Path::new("cut")).unwrap();
    assert!(file.read_bytes(0..file.len()).is_err());
    assert!(directory.health().damage().is_some());
}

/// A name, and what it does to the bytes of a file.
type Damage = (&'static str, Box<dyn Fn(&mut Vec<u8>)>);

#[test]
fn changed_moved_swapped_and_cut_chunks_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = sample(3 * CHUNK_BYTES + 10);
    write(&directory(folder.path()), "a", &bytes);
    write(&directory(folder.path()), "b", &sample(3 * CHUNK_BYTES + 10));
    let path = folder.path().join("a");
    let whole = fs::read(&path).unwrap();
    let chunk = whole.len() - 10 - 45;
    let chunk = chunk / 3;
    let damages: [Damage; 5] = [
        ("a flipped bit", Box::new(|file| file[100] ^= 1)),
        ("two chunks swapped", Box::new(move |file| file.rotate_left(chunk))),
        ("the end cut off", Box::new(move |file| file.truncate(3 * chunk))),
        ("an impossible length", Box::new(move |file| file.truncate(3 * chunk + 7))),
        ("nothing left", Box::new(|file| file.clear())),
    ];
    for (what, damage) in damages {
        let mut damaged = whole.clone();
        damage(&mut damaged);
        fs::write(&path, &damaged).unwrap();
        let directory = directory(folder.path());
        let read = directory.get_file_handle(Path::new("a")).map(|file| file.read_bytes(0..file.len()));
        assert!(!matches!(read, Ok(Ok(_))), "{what}");
        assert!(directory.health().damage().is_some(), "{what}");
    }
    fs::copy(folder.path().join("b"), &path).unwrap();
    let renamed = directory(folder.path());
    let file = renamed.get_file_handle(Path::new("a")).unwrap();
    assert!(file.read_bytes(0..10).is_err(), "another file under this name");
}

#[test]
fn nothing_stands_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    write(&directory, "f", &b"canary-7431 ".repeat(10_000));
    directory.atomic_write(Path::new("m"), b"canary-7431").unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"canary-7431"));
    }
}

#[test]
fn a_closed_directory_changes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let directory = directory(folder.path());
    write(&directory, "kept", b"one");
    let late = directory.clone();
    directory.end_writing();
    assert!(late.open_write(Path::new("new")).is_err());
    assert!(late.atomic_write(Path::new("kept"), b"two").is_err());
    assert!(late.delete(Path::new("kept")).is_err());
    assert_eq!(late.atomic_read(Path::new("kept")).unwrap(), b"one");
}
