//! The owner of the database at work: everything that is changed behind the log's back is found, and where it is.

use std::path::{Path, PathBuf};

use iris_audit::{Action, FaultKind, LogFault};
use iris_store::Stream;
use iris_testkit::tamper;

use crate::house::Folder;

impl Folder {
    fn database(&self) -> PathBuf {
        self.path.path().join("data/iris.db")
    }

    /// Fills a log with [`Folder::ten`] and more, closes it, lets `change` loose on the files, and verifies.
    fn after(&self, change: impl FnOnce(&Path)) -> Vec<LogFault> {
        self.ten(&self.open());
        change(&self.database());
        self.open().audit.verify(|_, _| {}).unwrap().faults
    }
}

fn after_sql(sql: &str) -> Vec<LogFault> {
    Folder::new().after(|database| assert!(tamper::sql(database, sql) > 0, "nothing was changed"))
}

/// The only fault, as kind, position, stream, ordinal.
fn only(faults: &[LogFault]) -> (FaultKind, Option<u64>, Option<&str>, Option<u64>) {
    let [fault] = faults else { panic!("{faults:#?}") };
    (fault.kind, fault.position, fault.stream, fault.ordinal)
}

fn kinds(faults: &[LogFault]) -> Vec<FaultKind> {
    let mut kinds: Vec<_> = faults.iter().map(|fault| fault.kind).collect();
    kinds.dedup();
    kinds
}

/// Where an entry of the writes stands in a log of [`Folder::ten`].
fn position_of(ordinal: u64) -> u64 {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let span = house.store.log_span_of(Stream::Writes, ordinal).unwrap().unwrap();
    span.position + ordinal - span.ordinal
}

const FLIP_OUTCOME: &str = "UPDATE audit_write SET header = CAST(substr(header, 1, 23) || X'01' || substr(header, 25) AS BLOB) WHERE ordinal = 2";

#[test]
fn a_changed_row_is_located() {
    let at = Some(position_of(2));
    assert_eq!(only(&after_sql(FLIP_OUTCOME)), (FaultKind::Changed, at, Some("writes"), Some(2)));
    let details = "UPDATE audit_write SET details = CAST(substr(details, 1, 60) || X'00' || substr(details, 62) AS BLOB) \
        WHERE ordinal = 2";
    assert_eq!(only(&after_sql(details)), (FaultKind::Details, at, Some("writes"), Some(2)));
    let cut = "UPDATE audit_write SET header = X'', details = X'' WHERE ordinal = 2";
    assert_eq!(only(&after_sql(cut)), (FaultKind::Changed, at, Some("writes"), Some(2)));
}

#[test]
fn a_deleted_row_is_located() {
    let faults = after_sql("DELETE FROM audit_write WHERE ordinal = 2");
    assert_eq!(only(&faults), (FaultKind::Missing, Some(position_of(2)), Some("writes"), Some(2)));
}

#[test]
fn rows_deleted_at_the_end_are_located_and_their_places_never_used_again() {
    let folder = Folder::new();
    let faults = folder.after(|database| {
        assert_eq!(tamper::sql(database, "DELETE FROM audit_write WHERE ordinal >= 3"), 2);
    });
    assert_eq!(kinds(&faults), [FaultKind::Changed], "{faults:#?}");
    assert_eq!(faults.iter().filter_map(|fault| fault.ordinal).collect::<Vec<_>>(), [3, 4]);
    let house = folder.open();
    house.write(&folder.event(Action::PhiCreate, "later"));
    let status = house.audit.settle();
    assert_eq!(status.fault, None, "the log goes on");
    assert_eq!(status.size, 12, "ten, the record of the gap, and the new one");
    let faults = house.audit.verify(|_, _| {}).unwrap().faults;
    assert_eq!(faults.len(), 2, "and still says what was lost: {faults:#?}");
}

#[test]
fn swapped_rows_are_located_both() {
    let faults = after_sql(
        "UPDATE audit_write SET ordinal = 100 WHERE ordinal = 1; UPDATE audit_write SET ordinal = 1 WHERE ordinal = 3; \
         UPDATE audit_write SET ordinal = 3 WHERE ordinal = 100",
    );
    assert_eq!(kinds(&faults), [FaultKind::Moved]);
    let mut found: Vec<_> = faults.iter().map(|fault| (fault.position.unwrap(), fault.ordinal.unwrap())).collect();
    found.sort_unstable();
    assert_eq!(found, [(position_of(1), 1), (position_of(3), 3)]);
    assert!(faults.iter().any(|fault| fault.what.contains(&format!("position {}", position_of(1)))));
}

#[test]
fn a_row_that_was_slipped_in_is_not_signed() {
    const SLIPPED: &str = "INSERT INTO audit_write SELECT 5, header, X'01' FROM audit_write WHERE ordinal = 4";
    let folder = Folder::new();
    let faults = folder.after(|database| assert_eq!(tamper::sql(database, SLIPPED), 1));
    assert_eq!(only(&faults).0, FaultKind::Follower);
    assert!(faults[0].what.contains("entry 5 of Writes is not signed"), "{faults:#?}");
    let house = folder.open();
    house.write(&folder.event(Action::PhiCreate, "behind it"));
    let status = house.audit.settle();
    assert_eq!(status.size, 10, "nothing behind it is signed either");
    assert!(status.fault.unwrap().contains("entry 5 of Writes"));
}

#[test]
fn entries_changed_before_their_round_are_not_signed_and_those_before_them_are() {
    let changes = [
        ("UPDATE audit_write SET header = CAST(X'02' || substr(header, 2) AS BLOB) WHERE ordinal = 6", "no known form"),
        (
            "UPDATE audit_write SET header = CAST(substr(header, 1, 23) || X'01' || substr(header, 25) AS BLOB) \
             WHERE ordinal = 6",
            "do not open",
        ),
        ("UPDATE audit_write SET details = CAST(details || X'00' AS BLOB) WHERE ordinal = 6", "no known form"),
    ];
    for (change, why) in changes {
        let folder = Folder::new();
        folder.ten(&folder.open());
        {
            let rows: Vec<_> = {
                let house = folder.open();
                (0..3).map(|_| house.audit.row(&folder.event(Action::PhiCreate, "q")).unwrap()).collect()
            };
            // Nobody signs while only the store is open.
            let store = folder.store();
            let mut tx = store.begin(iris_kernel::Tenant::DEFAULT);
            rows.into_iter().for_each(|row| tx.audit(row));
            tx.commit_blocking().unwrap();
        }
        assert_eq!(tamper::sql(&folder.database(), change), 1);
        let status = folder.open().audit.settle();
        assert_eq!(status.size, 11);
        let fault = status.fault.unwrap();
        assert!(fault.contains("entry 6 of Writes is not signed") && fault.contains(why), "{fault}");
    }
}

#[test]
fn a_log_put_back_while_the_process_runs_is_not_taken_up() {
    let folder = Folder::new();
    let house = folder.open();
    for patient in ["p1", "p2"] {
        house.write(&folder.event(Action::PhiCreate, patient));
        assert_eq!(house.audit.settle().fault, None);
    }
    // The log of one entry, whole in itself; and a forged entry, which makes the follower look again.
    tamper::sql(
        &folder.database(),
        "DELETE FROM log_checkpoint WHERE number = 2; DELETE FROM log_span WHERE position = 1; \
         UPDATE log_tile SET bytes = CAST(substr(bytes, 1, 32) AS BLOB); \
         INSERT INTO audit_write SELECT 2, header, X'01' FROM audit_write WHERE ordinal = 1",
    );
    let first = house.audit.settle().fault.unwrap();
    assert!(first.contains("entry 2 of Writes"), "{first}");
    tamper::sql(&folder.database(), "DELETE FROM audit_write WHERE ordinal = 2");
    let second = house.audit.settle();
    assert!(second.fault.unwrap().contains("a log of 1 entries that is not the one of 2"), "{:?}", second.size);
    assert_eq!(house.store.log_size().unwrap(), 1, "and nothing is signed on top of it");
}

#[test]
fn whoever_changes_the_tree_as_well_is_caught_by_the_checkpoints() {
    let folder = Folder::new();
    let position = position_of(2);
    let other = position_of(4);
    let faults = folder.after(|database| {
        // Row 2 becomes a copy of row 4, and its leaf in the tile the leaf of row 4.
        let leaf = |at: u64| format!("(SELECT substr(bytes, {} + 1, 32) FROM log_tile WHERE level = 0)", at * 32);
        let changed = tamper::sql(
            database,
            &format!(
                "UPDATE audit_write SET (header, details) = (SELECT header, details FROM audit_write WHERE ordinal = 4) \
                 WHERE ordinal = 2; \
                 UPDATE log_tile SET bytes = CAST(substr(bytes, 1, {0}) || {1} || substr(bytes, {0} + 33) AS BLOB)",
                position * 32,
                leaf(other),
            ),
        );
        assert_eq!(changed, 1);
    });
    assert_eq!(kinds(&faults), [FaultKind::Follower, FaultKind::Root, FaultKind::Repeated], "{faults:#?}");
    assert!(faults[1].position.unwrap() <= position && faults[1].until.unwrap() > position, "{faults:#?}");

    let house = folder.open();
    house.audit.record_blocking(&folder.event(Action::PhiRead, "later")).unwrap();
    let status = house.audit.settle();
    assert!(status.fault.is_some(), "the follower does not sign on top of it");
    assert_eq!(house.store.log_size().unwrap(), 10);
}

#[test]
fn a_changed_tile_is_located() {
    let flip =
        "UPDATE log_tile SET bytes = CAST(substr(bytes, 1, 64) || X'00' || substr(bytes, 66) AS BLOB) WHERE level = 0";
    let faults = after_sql(flip);
    assert!(kinds(&faults).contains(&FaultKind::Root), "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.kind == FaultKind::Changed && fault.position == Some(2)), "{faults:#?}");
    let short = after_sql("UPDATE log_tile SET bytes = substr(bytes, 1, 96) WHERE level = 0");
    assert!(short.iter().any(|fault| fault.kind == FaultKind::Tile && fault.position == Some(3)), "{short:#?}");
    assert!(kinds(&after_sql("DELETE FROM log_tile")).contains(&FaultKind::Tile));
}

#[test]
fn checkpoints_that_are_gone_or_changed_are_named() {
    let faults = after_sql("DELETE FROM log_checkpoint WHERE number = 2");
    assert_eq!(only(&faults).0, FaultKind::Checkpoint);
    assert!(faults[0].what.contains("checkpoints 2 to 2"));
    let faults = after_sql(
        "UPDATE log_checkpoint SET bytes = CAST(replace(bytes, 'iris-audit', 'iris') AS BLOB) WHERE number = 2",
    );
    assert_eq!(only(&faults).0, FaultKind::Checkpoint);
    let faults = after_sql("DELETE FROM log_checkpoint WHERE number = (SELECT max(number) FROM log_checkpoint)");
    assert!(kinds(&faults).contains(&FaultKind::Checkpoint), "{faults:#?}");
    let faults = after_sql("DELETE FROM log_checkpoint");
    assert!(kinds(&faults).contains(&FaultKind::Checkpoint), "{faults:#?}");
}

#[test]
fn a_rolled_back_log_is_noticed_by_its_newer_checkpoint() {
    let faults = after_sql("DELETE FROM log_span WHERE position = (SELECT max(position) FROM log_span)");
    assert!(kinds(&faults).contains(&FaultKind::Missing), "{faults:#?}");
}

#[test]
fn gaps_in_the_table_of_positions_are_named() {
    let faults =
        after_sql("DELETE FROM log_span WHERE position = (SELECT min(position) FROM log_span WHERE position > 2)");
    assert!(kinds(&faults).contains(&FaultKind::Span), "{faults:#?}");
    let faults = after_sql("UPDATE log_span SET ordinal = ordinal + 50 WHERE position = 0");
    assert!(kinds(&faults).contains(&FaultKind::Span), "{faults:#?}");
}

#[test]
fn entries_whose_key_is_gone_keep_their_place_and_proof() {
    let folder = Folder::new();
    let faults = folder.after(|database| {
        let key = "(SELECT details FROM audit_write WHERE ordinal = 0)";
        // Bytes 2 to 9 of the details are the number of their key.
        let delete = format!("DELETE FROM data_key WHERE printf('%016X', key) = hex(substr({key}, 2, 8))");
        assert_eq!(tamper::sql(database, &delete), 1);
    });
    assert_eq!(only(&faults).0, FaultKind::Key);
    let house = folder.open();
    let (found, _) = house.found(
        &folder,
        &iris_audit::Filter::tenant(iris_kernel::Tenant::DEFAULT),
        iris_audit::Page { before: Some(10), size: 3 },
    );
    assert!(found.iter().all(|(_, content)| content == "Shredded"), "{found:?}");
}

#[test]
fn a_changed_record_of_the_journal_is_not_believed_but_named() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let header = house.store.audit_rows(Stream::Reads, 1, 1).unwrap().remove(0).1.header;
    drop(house);
    let journal = folder.path.path().join("data/journal");
    let mut flipped = false;
    for file in std::fs::read_dir(journal).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        if let Some(at) = bytes.windows(header.len()).position(|window| window == header) {
            bytes[at + 23] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            flipped = true;
        }
    }
    assert!(flipped, "headers stand in clear in the journal");
    let faults = folder.open().audit.verify(|_, _| {}).unwrap().faults;
    assert_eq!(kinds(&faults), [FaultKind::Missing], "{faults:#?}");
    assert_eq!((faults[0].stream, faults[0].ordinal), (Some("reads"), Some(1)), "{faults:#?}");
}
