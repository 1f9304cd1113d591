//! Laws of reading through what was stored.

use super::*;

pub(super) fn rows_and_feed(store: &Store) {
    let mut tx = store.begin(ONE);
    for at in 0..5 {
        tx.put(simple(NOTE, &format!("n{at}"), Expect::Absent, 1, format!("body {at}").as_bytes()));
    }
    assert_eq!(tx.commit_blocking().unwrap().seqs, (1..=5).map(Seq).collect::<Vec<_>>());
    put_one(store, TWO, simple(NOTE, "other", Expect::Absent, 1, b"two")).unwrap();
    let rows = store.rows(ONE, &[Seq(5), Seq(1), Seq(6), Seq(99), Seq(0), Seq(1)]).unwrap();
    let bodies: Vec<_> =
        rows.iter().map(|row| row.as_ref().map(|row| String::from_utf8_lossy(&row.body).into_owned())).collect();
    let text = |body: &str| Some(body.to_owned());
    assert_eq!(bodies, [text("body 4"), text("body 0"), None, None, None, text("body 0")]);
    let feed = |after, limit| -> Vec<_> {
        store.feed(Seq(after), limit).unwrap().iter().map(|row| (row.seq.0, row.tenant)).collect()
    };
    assert_eq!(feed(0, 2), [(1, ONE), (2, ONE)]);
    assert_eq!(feed(4, 100), [(5, ONE), (6, TWO)]);
    assert_eq!(feed(6, 100), []);
}

pub(super) fn changes(store: &Store) {
    let named = |at: usize| format!("n{at}");
    for at in 0..4 {
        put_one(store, ONE, simple(if at % 2 == 0 { NOTE } else { PATIENT }, &named(at), Expect::Absent, 1, b"x"))
            .unwrap();
    }
    put_one(store, TWO, simple(NOTE, "other", Expect::Absent, 1, b"two")).unwrap();
    let internal = Kind(Kind::INTERNAL);
    put_one(store, ONE, simple(internal, "inner", Expect::Absent, 1, b"x")).unwrap();
    put_one(store, ONE, simple(NOTE, "n0", Expect::Current(Seq(1)), 2, b"y")).unwrap();
    let told = |tenant, kind, before: Option<u64>, limit| {
        let changes = store.changes(tenant, kind, before.map(Seq), limit).unwrap();
        (changes.rows.iter().map(|row| row.seq.0).collect::<Vec<_>>(), changes.on.map(|on| on.0))
    };
    assert_eq!(told(ONE, Some(NOTE), None, 9), (vec![7, 3, 1], None));
    assert_eq!(told(ONE, Some(PATIENT), None, 9), (vec![4, 2], None));
    assert_eq!(told(ONE, None, None, 9), (vec![7, 4, 3, 2, 1], None), "nothing of our own, and of nobody else");
    assert_eq!(told(TWO, None, None, 9), (vec![5], None));
    assert_eq!(told(ONE, None, None, 2), (vec![7, 4], Some(4)));
    assert_eq!(told(ONE, None, Some(4), 2), (vec![3, 2], Some(2)));
    assert_eq!(told(ONE, None, Some(2), 2), (vec![1], None));
    let of = store.history_by_record(ONE, NOTE, store.record_id(ONE, NOTE, "n0"), None, 9).unwrap();
    assert_eq!(of.iter().map(|row| row.seq.0).collect::<Vec<_>>(), [7, 1]);
}
