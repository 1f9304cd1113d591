use std::time::Duration;

use iris_testkit::postgres::{Database, Server};
use iris_testkit::wait;

use super::super::link::Values;
use super::super::tests::{opened, set};
use super::*;

/// A server that crashed, or that took over, gives the number of a transaction that it never had to somebody else's.
#[test]
fn a_transaction_of_somebody_else_is_not_taken_for_ours() {
    let Some(database) = Database::empty() else { return };
    let (mut opened, link) = opened(&database);
    assert!(opened.writer.commit(&[&set(1)]).unwrap()[0].is_ok());
    let number = database.sql("select pg_current_xact_id()");
    let ours = [&set(2)];
    let stored = |set: &WriteSet, first| Stored {
        verdicts: vec![Ok(SetDone { first: Seq(first), superseded: vec![None; set.puts.len()], audit_first: 0 })],
        life: String::new(),
    };
    let outcome = |sets: &[&WriteSet], first| {
        let stored = stored(sets[0], first);
        link.wait_here(opened.writer.outcome(number.trim(), sets, &stored)).unwrap()
    };
    assert_eq!(outcome(&ours, 1), None, "another row has its number");
    assert_eq!(outcome(&[&set(1)], 1), Some(true), "a row that is there as it was sent is ours");
    let entry = |at| WriteSet { puts: Vec::new(), ..set(at) };
    assert_eq!(outcome(&[&entry(1)], 1), Some(true));
    assert_eq!(outcome(&[&entry(2)], 1), None);
}

/// What somebody else's lock keeps from all sets is not tried for each of them.
#[test]
fn a_group_waits_once_for_a_lock() {
    let Some(database) = Database::empty() else { return };
    let (mut opened, link) = opened(&database);
    let lock = [Step::Plain("BEGIN".to_owned()), Step::Sql(&sql::LOCK, Vec::new())];
    let mut other = link.wait_here(link.session(For::Reading)).unwrap().unwrap();
    link.wait_here(other.converse(&lock)).unwrap().unwrap();
    let sets = [set(1), set(2), set(3)];
    let sets: Vec<&WriteSet> = sets.iter().collect();
    let (verdicts, took) = wait::timed(|| opened.writer.commit(&sets).unwrap());
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Err(SetRefused::Unavailable(_)))), "{verdicts:?}");
    assert!(took < Duration::from_secs(14), "{took:?}");
    other.discard();
    wait::until(20, "the lock to be free", || opened.writer.commit(&sets).unwrap()[0].is_ok().then_some(()));
}

/// Neither does the commit, so that nothing is stored without its other half.
#[test]
fn what_follows_a_step_that_cannot_be_sent_is_not_sent() {
    let Some(database) = Database::empty() else { return };
    let (_opened, link) = opened(&database);
    let holder: &[u8] = b"h";
    let (name, span, wrong): (&str, i64, &str) = ("a lease", 1, "no number");
    let (right, wrong): (Values<'_>, Values<'_>) = (&[&name, &holder, &span], &[&name, &holder, &wrong]);
    let steps = [
        Step::Plain(format!("BEGIN; {}", naming(Scope::All))),
        Step::Sql(&sql::LEASE, right.to_vec()),
        Step::Sql(&sql::LEASE, wrong.to_vec()),
        Step::Plain("COMMIT".to_owned()),
    ];
    let mut session = link.wait_here(link.session(For::Own)).unwrap().unwrap();
    let result = link.wait_here(session.converse(&steps)).unwrap();
    assert!(matches!(result, Err(Fault::Away(_))), "{result:?}");
    session.settle(&result);
    assert_eq!(database.sql("select count(*) from lease").trim(), "0");
}

/// A server that follows is not asked for less than what this node itself has written, told of or not.
#[test]
fn what_was_committed_is_known_at_once() {
    let Some(database) = Database::empty() else { return };
    let (mut opened, _link) = opened(&database);
    assert!(opened.writer.commit(&[&set(1), &set(2)]).unwrap()[1].is_ok());
    assert_eq!(opened.questions.replicas.known(), Seq(2));
}

/// A backend that is ended, or whose wait is cancelled, while it waits for the standby has committed by itself alone: a server that
/// takes over knows nothing of it.
#[test]
fn a_commit_that_no_standby_has_is_not_believed() {
    let Some(primary) = Server::start(&[]) else { return };
    let standby = primary.standby("follower");
    let database = primary.database();
    let (mut opened, _link) = opened(&database);
    primary.synchronous(Some("follower"));
    assert!(opened.writer.commit(&[&set(1)]).unwrap()[0].is_ok());
    drop(standby);
    for (at, end) in [(2, "pg_terminate_backend"), (3, "pg_cancel_backend")] {
        let verdicts = std::thread::scope(|scope| {
            let (set, writer) = (set(at), &mut opened.writer);
            let committing = scope.spawn(move || writer.commit(&[&set]).unwrap());
            let ending = format!("select {end}(pid) from pg_stat_activity where wait_event = 'SyncRep'");
            wait::until(20, "the commit to wait", || (!database.sql(&ending).is_empty()).then_some(()));
            committing.join().unwrap()
        });
        let there = format!("select count(*) from version where seq = {at}");
        assert_eq!(database.sql(&there), "1", "the server that is left has it: {end}");
        assert!(matches!(&verdicts[..], [Err(SetRefused::Unavailable(_))]), "{end}: {verdicts:?}");
        // What still waits is let go, and nobody holds the head any more.
        let rest = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where wait_event = 'SyncRep'";
        wait::until(20, "no commit to wait", || database.sql(rest).is_empty().then_some(()));
    }
    primary.synchronous(None);
    assert!(opened.writer.commit(&[&set(4)]).unwrap()[0].is_ok());
}
