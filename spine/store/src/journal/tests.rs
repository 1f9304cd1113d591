//! The journal over real files: order, segments, restarts, torn tails and damage.

use std::path::{Path, PathBuf};

use super::*;

const SEGMENT: u64 = 2 << 20;

impl FileJournal {
    fn append(&self, rows: Vec<AuditRow>) -> impl Future<Output = Result<(), JournalError>> + use<> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.submit(rows, Box::new(move |result| drop(sender.send(result))));
        async move { receiver.await.unwrap() }
    }

    fn append_blocking(&self, rows: Vec<AuditRow>) -> Result<(), JournalError> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.submit(rows, Box::new(move |result| drop(sender.send(result))));
        receiver.recv().unwrap()
    }
}

fn open(folder: &Path) -> Result<FileJournal, JournalError> {
    FileJournal::open(folder, SEGMENT)
}

fn row(at: u64) -> AuditRow {
    let length = usize::try_from(at * 7919 % 5000).unwrap();
    AuditRow { header: at.to_le_bytes().repeat(3), details: vec![u8::try_from(at % 256).unwrap(); length] }
}

fn fill(journal: &FileJournal, count: u64) {
    let start = journal.head();
    for at in start..start + count {
        journal.append_blocking(vec![row(at)]).unwrap();
    }
}

fn expect_all(journal: &FileJournal, count: u64) {
    assert_eq!(journal.head(), count);
    let rows = journal.rows(0, usize::MAX).unwrap();
    assert_eq!(rows.len() as u64, count);
    for (at, (ordinal, found)) in (0..).zip(&rows) {
        assert_eq!((*ordinal, found), (at, &row(at)));
    }
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    segment::list(folder).unwrap().into_iter().map(|first| segment::path_of(folder, first)).collect()
}

/// Offset of the frame of an entry in its segment.
fn offset_of(content: &[u8], ordinal: u64) -> usize {
    frame::resync(content, frame::HEAD_LEN, ordinal, ordinal + 1).unwrap().0
}

#[test]
fn entries_come_back_in_order_across_segments_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    for round in 1..=3 {
        let journal = open(folder.path()).unwrap();
        fill(&journal, 900);
        expect_all(&journal, 900 * round);
        assert_eq!(journal.rows(450, 3).unwrap(), (450..453).map(|at| (at, row(at))).collect::<Vec<_>>());
        assert_eq!(journal.rows(900 * round, 3).unwrap(), []);
        assert_eq!(journal.rows(0, 0).unwrap(), []);
    }
    assert!(segments(folder.path()).len() >= 3);
    expect_all(&open(folder.path()).unwrap(), 2700);
}

#[test]
fn many_append_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..8_u8 {
            let journal = &journal;
            scope.spawn(move || {
                for count in 0..100_u8 {
                    let rows = (0..3).map(|at| AuditRow { header: vec![thread, count, at], details: vec![thread; 50] });
                    journal.append_blocking(rows.collect()).unwrap();
                }
            });
        }
    });
    drop(journal);
    let journal = open(folder.path()).unwrap();
    let rows = journal.rows(0, usize::MAX).unwrap();
    assert_eq!(rows.len(), 8 * 100 * 3);
    for thread in 0..8_u8 {
        let own = rows.iter().filter(|(_, row)| row.header[0] == thread);
        let order: Vec<(u8, u8)> = own.map(|(_, row)| (row.header[1], row.header[2])).collect();
        let expected: Vec<(u8, u8)> = (0..100).flat_map(|count| (0..3).map(move |at| (count, at))).collect();
        assert_eq!(order, expected, "each caller's entries stand in its order");
    }
    for group in rows.chunks(3) {
        assert!(
            group.iter().all(|(_, row)| row.header[..2] == group[0].1.header[..2]),
            "one call's entries stand together"
        );
    }
}

#[test]
fn a_reader_follows_the_writers() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    let total = 2_000_u64;
    std::thread::scope(|scope| {
        scope.spawn(|| fill(&journal, total));
        let mut seen = 0;
        while seen < total {
            let rows = journal.rows(seen, 50).unwrap();
            for (ordinal, found) in &rows {
                assert_eq!((*ordinal, found), (seen, &row(seen)));
                seen += 1;
            }
        }
    });
}

#[test]
fn the_future_resolves_when_durable() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let first = journal.append(vec![row(0)]);
        let second = journal.append(vec![row(1), row(2)]);
        second.await.unwrap();
        first.await.unwrap();
        journal.append(Vec::new()).await.unwrap();
    });
    expect_all(&journal, 3);
}

#[test]
fn limits_hold() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    let with = |length: usize| vec![AuditRow { header: vec![1; 10], details: vec![0; length] }];
    journal.append_blocking(with(frame::PAYLOAD_MAX - 14)).unwrap();
    assert_eq!(journal.append_blocking(with(frame::PAYLOAD_MAX - 13)), Err(JournalError::TooLarge));
    assert_eq!(journal.head(), 1);
}

/// A journal with 30 entries in batches of one, and a batch of three behind them.
fn prepared(folder: &Path) -> (PathBuf, Vec<u8>) {
    let journal = open(folder).unwrap();
    fill(&journal, 30);
    journal.append_blocking((30..33).map(row).collect()).unwrap();
    drop(journal);
    let path = segments(folder).pop().unwrap();
    let content = std::fs::read(&path).unwrap();
    (path, content)
}

#[test]
fn a_torn_tail_is_cut_off_wherever_it_tore() {
    let folder = tempfile::tempdir().unwrap();
    let (path, content) = prepared(folder.path());
    let last_batch = offset_of(&content, 30);
    let end = offset_of(&content, 32) + frame::decode(&content[offset_of(&content, 32)..]).unwrap().len();
    let sectors = (last_batch..end).filter(|place| place % frame::SECTOR == 0);
    for place in std::iter::once(last_batch).chain(sectors) {
        // The disk may have kept any sectors of the last write: here everything before, or behind, some place.
        for keep_front in [true, false] {
            let mut torn = content.clone();
            if keep_front {
                torn[place..end].fill(0);
            } else {
                torn[last_batch..place.next_multiple_of(frame::SECTOR).min(end)].fill(0);
            }
            std::fs::write(&path, &torn).unwrap();
            let journal = open(folder.path()).unwrap();
            let head = journal.head();
            assert!((30..33).contains(&head), "{head}");
            expect_all(&journal, head);
            fill(&journal, 5);
            drop(journal);
            expect_all(&open(folder.path()).unwrap(), head + 5);
        }
    }
}

#[test]
fn a_hole_before_a_sound_batch_is_damage_that_is_named_and_kept() {
    for (place, lost) in [(0, 0), (5, 5), (29, 29)] {
        let folder = tempfile::tempdir().unwrap();
        let (path, content) = prepared(folder.path());
        let mut holed = content.clone();
        holed[offset_of(&content, place) + 30] ^= 1;
        std::fs::write(&path, &holed).unwrap();
        for round in 0..3 {
            let journal = open(folder.path()).unwrap();
            assert_eq!(journal.head(), 33 + round, "what follows the hole still counts");
            assert_eq!(journal.rows(0, 99), Err(JournalError::Damaged(format!("entry {lost} is not sound"))));
            for at in (0..33 + round).filter(|at| *at != lost) {
                assert_eq!(journal.rows(at, 1).unwrap(), [(at, row(at))]);
            }
            fill(&journal, 1);
        }
        assert_eq!(std::fs::read(&path).unwrap(), holed, "the evidence is not touched");
        assert_eq!(segments(folder.path()).len(), 2);
    }
}

/// Ten batches of three entries, then this byte of this entry is flipped.
fn flipped(folder: &Path, entry: u64, byte: usize) -> (PathBuf, Vec<u8>) {
    let journal = open(folder).unwrap();
    for batch in 0..10 {
        journal.append_blocking((batch * 3..batch * 3 + 3).map(row).collect()).unwrap();
    }
    drop(journal);
    let path = segments(folder).pop().unwrap();
    let mut content = std::fs::read(&path).unwrap();
    let place = offset_of(&content, entry);
    content[place + byte] ^= 4;
    std::fs::write(&path, &content).unwrap();
    (path, content)
}

#[test]
fn a_flip_in_a_batch_of_several_loses_no_later_batch() {
    // In the first, a middle and the last batch; each entry of it; check, length, position and payload.
    for entry in [0, 1, 2, 15, 16, 17, 27, 28, 29] {
        for byte in [0, 9, 17, 30] {
            let folder = tempfile::tempdir().unwrap();
            let (path, content) = flipped(folder.path(), entry, byte);
            for round in 0..2 {
                let journal = open(folder.path()).unwrap();
                assert_eq!(journal.head(), 30 + round, "entry {entry}, byte {byte}");
                assert!(matches!(journal.rows(0, 99), Err(JournalError::Damaged(_))), "entry {entry}, byte {byte}");
                for at in (0..30 + round).filter(|at| *at != entry) {
                    assert_eq!(journal.rows(at, 1).unwrap(), [(at, row(at))], "entry {entry}, byte {byte}");
                }
                fill(&journal, 1);
            }
            assert_eq!(std::fs::read(&path).unwrap(), content, "the evidence is not touched");
        }
    }
}

#[test]
fn a_damaged_head_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, mut content) = prepared(folder.path());
    content[9] ^= 1;
    std::fs::write(&path, &content).unwrap();
    let journal = open(folder.path()).unwrap();
    expect_all(&journal, 33);
    fill(&journal, 3);
    drop(journal);
    expect_all(&open(folder.path()).unwrap(), 36);
    content.fill(7);
    std::fs::remove_file(segments(folder.path()).pop().unwrap()).unwrap();
    std::fs::write(&path, &content).unwrap();
    assert!(matches!(open(folder.path()), Err(JournalError::Damaged(_))), "nothing sound at all");
}

#[test]
fn damage_in_an_older_segment_is_named_and_read_around() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    fill(&journal, 1500);
    drop(journal);
    let first = &segments(folder.path())[0];
    let mut content = std::fs::read(first).unwrap();
    let place = offset_of(&content, 100);
    content[place + 9] ^= 1; // the length itself
    std::fs::write(first, &content).unwrap();
    let journal = open(folder.path()).unwrap();
    assert_eq!(journal.head(), 1500);
    assert_eq!(journal.rows(0, 1500), Err(JournalError::Damaged("entry 100 is not sound".into())));
    assert_eq!(journal.rows(0, 100).unwrap().len(), 100);
    assert_eq!(journal.rows(101, 2000).unwrap().len(), 1399);
    std::fs::remove_file(first).unwrap();
    let journal = {
        drop(journal);
        open(folder.path()).unwrap()
    };
    assert!(matches!(journal.rows(0, 1), Err(JournalError::Damaged(_))));
}

#[test]
fn a_segment_that_was_only_named_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    fill(&journal, 10);
    drop(journal);
    segment::make_spare(&segment::path_of(folder.path(), 10), SEGMENT).unwrap();
    let journal = open(folder.path()).unwrap();
    fill(&journal, 10);
    drop(journal);
    expect_all(&open(folder.path()).unwrap(), 20);
}

#[test]
fn a_next_segment_that_cannot_be_made_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path()).unwrap();
    fill(&journal, 3);
    let big = || vec![AuditRow { header: Vec::new(), details: vec![0; 900_000] }];
    journal.append_blocking(big()).unwrap();
    journal.append_blocking(big()).unwrap();
    // A directory where the next segment should go cannot be replaced by a file.
    let in_the_way = segment::path_of(folder.path(), 5);
    std::fs::create_dir_all(in_the_way.join("in the way")).unwrap();
    for _ in 0..2 {
        let refused = journal.append_blocking(big()).unwrap_err();
        assert!(matches!(refused, JournalError::Files(_)), "{refused}");
        assert!(!journal.ended());
    }
    assert_eq!(journal.head(), 5);
    std::fs::remove_dir_all(in_the_way).unwrap();
    journal.append_blocking(big()).unwrap();
    fill(&journal, 3);
    assert_eq!(journal.rows(0, 99).unwrap().len(), 9);
    journal.close();
    assert!(journal.ended());
}

#[test]
fn a_failed_write_ends_the_journal_until_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let shared = Arc::new(Shared {
        folder: folder.path().to_owned(),
        queue: Mutex::default(),
        arrived: Condvar::new(),
        head: AtomicU64::new(0),
        segments: Mutex::default(),
    });
    let (spare, spare_thread) = spare::Spare::start(folder.path(), SEGMENT).unwrap();
    // Opens like any file and refuses every write.
    let active = segment::Active::begin(Path::new("/dev/full"), SEGMENT, 0).unwrap();
    let flush = flush::Flush::new(Arc::clone(&shared), spare, Some(active), SEGMENT);
    let thread = std::thread::spawn(move || flush.run());
    let journal = FileJournal { shared, threads: Mutex::new(vec![thread, spare_thread]) };
    assert!(!journal.ended());
    let failed = journal.append_blocking(vec![row(0)]).unwrap_err();
    assert!(matches!(failed, JournalError::Failed(_)), "{failed}");
    assert!(journal.ended());
    assert_eq!(journal.append_blocking(vec![row(0)]).unwrap_err(), failed, "not tried again");
    assert_eq!(journal.head(), 0);
}
