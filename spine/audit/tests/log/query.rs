//! Looking entries up.

use std::time::Duration;

use iris_audit::{
    Action, Actor, ActorFilter, Checkpoints, Content, Filter, Outcome, Page, ProofState, QUERY_POSITIONS_MAX,
};
use iris_kernel::{Clock as _, Tenant};

use crate::house::{Folder, NURSE, block_on};

const ALL: Page = Page { before: None, size: 100 };

fn patients(found: &[(u64, String)]) -> Vec<&str> {
    found.iter().map(|(_, patient)| patient.as_str()).collect()
}

#[test]
fn newest_first_and_page_by_page() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let filter = Filter::tenant(Tenant::DEFAULT);
    let (all, next) = house.found(&folder, &filter, ALL);
    assert_eq!((all.len(), next), (10, None));
    assert!(all.windows(2).all(|pair| pair[0].0 > pair[1].0));

    let mut paged = Vec::new();
    // The page's own entries (`audit.query`) are newer than where the first page began.
    let mut before = Some(10);
    while before.is_some() {
        let (page, next) = house.found(&folder, &filter, Page { before, size: 3 });
        paged.extend(page);
        before = next;
    }
    assert_eq!(paged, all);
    assert_eq!(house.audit.settle().size, 15, "each query is an entry itself");
}

#[test]
fn every_filter_narrows() {
    let folder = Folder::new();
    let house = folder.open();
    let start = folder.clock.now();
    folder.ten(&house);
    let mut refused = folder.event(Action::PhiDenied, "p3");
    refused.actor = Actor::new([0x22; 16], "dr.who");
    refused.outcome = Outcome::Denied;
    refused.resources = vec!["Patient/p3/_history/2".to_owned()];
    house.audit.record_blocking(&refused).unwrap();
    let mut foreign = folder.event(Action::PhiRead, "p3");
    foreign.tenant = Tenant(2);
    house.audit.record_blocking(&foreign).unwrap();

    let found = |change: &dyn Fn(&mut Filter)| {
        let mut filter = Filter::tenant(Tenant::DEFAULT);
        change(&mut filter);
        house.found(&folder, &filter, Page { before: Some(12), size: 100 }).0
    };
    assert_eq!(found(&|_| {}).len(), 11, "the other tenant's entry is not shown");
    assert_eq!(found(&|filter| filter.actor = Some(ActorFilter::Id([0x22; 16]))).len(), 1);
    assert_eq!(found(&|filter| filter.actor = Some(ActorFilter::Name("dr.who".to_owned()))).len(), 1);
    assert_eq!(found(&|filter| filter.actor = Some(ActorFilter::Id(NURSE))).len(), 10);
    assert_eq!(found(&|filter| filter.actions = vec![Action::PhiRead, Action::PhiDenied]).len(), 6);
    assert_eq!(found(&|filter| filter.outcome = Some(Outcome::Denied)).len(), 1);
    assert_eq!(patients(&found(&|filter| filter.patient = Some("p3".to_owned()))), ["p3", "p3"]);
    assert_eq!(found(&|filter| filter.resource = Some("Patient/p3".to_owned())).len(), 2, "any version");
    assert_eq!(found(&|filter| filter.resource = Some("Patient/p3/_history/2".to_owned())).len(), 1);
    assert_eq!(found(&|filter| filter.resource = Some("Patient/p".to_owned())).len(), 0);
    let second = |n| start.plus(Duration::from_secs(n));
    let within = found(&|filter| (filter.from, filter.until) = (Some(second(2)), Some(second(4))));
    assert_eq!(
        {
            let mut names = patients(&within);
            names.sort_unstable();
            names
        },
        ["p2", "p3"]
    );
    assert_eq!(house.found(&folder, &Filter::tenant(Tenant(2)), ALL).0.len(), 1);
    assert_eq!(house.found(&folder, &Filter::tenant(Tenant(3)), ALL).0.len(), 0);
}

#[test]
fn one_entry_is_shown_to_its_tenant_only() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let entry = |tenant, position| {
        let event = folder.event(Action::AuditRead, "none");
        block_on(house.audit.release(house.audit.entry(tenant, position, event).unwrap())).unwrap()
    };
    let shown = entry(Tenant::DEFAULT, 4).unwrap();
    assert_eq!(shown.position, 4);
    let Content::Open(details) = shown.content else { panic!("{shown:?}") };
    assert_eq!(details.name, "nurse.joy");
    assert_eq!(details.address, "192.0.2.7");
    assert_ne!(shown.header.actor, NURSE, "the header names nobody");
    assert_eq!(entry(Tenant(2), 4), None);
    assert_eq!(entry(Tenant::DEFAULT, 1_000), None);
    assert_eq!(entry(Tenant::DEFAULT, u64::MAX), None);
}

#[test]
fn a_call_has_a_limit_and_says_where_to_go_on() {
    let folder = Folder::new();
    let house = folder.open();
    let needle = folder.event(Action::PhiRead, "needle");
    house.audit.record_blocking(&needle).unwrap();
    let rows: Vec<_> = (0..500).map(|_| house.audit.row(&folder.event(Action::PhiRead, "hay")).unwrap()).collect();
    for _ in 0..QUERY_POSITIONS_MAX / 500 + 1 {
        house.store.journal().append_blocking(rows.clone()).unwrap();
    }
    let mut filter = Filter::tenant(Tenant::DEFAULT);
    filter.patient = Some("needle".to_owned());
    let (first, next) = house.found(&folder, &filter, ALL);
    assert_eq!(first, []);
    let (second, end) = house.found(&folder, &filter, Page { before: next, size: 100 });
    assert_eq!((second.len(), end), (1, None));
}

#[test]
fn what_has_a_place_in_the_log_is_proven() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let event = || folder.event(Action::AuditQuery, "p0");
    let sealed = house.audit.query(&Filter::tenant(Tenant::DEFAULT), ALL, event()).unwrap();
    let found = block_on(house.audit.release(sealed)).unwrap();
    assert_eq!((found.entries.len(), found.pending), (10, 0));
    assert!(found.entries.iter().all(|entry| entry.proof == ProofState::Proven));
    let sealed = house.audit.entry(Tenant::DEFAULT, 3, event()).unwrap();
    assert_eq!(block_on(house.audit.release(sealed)).unwrap().unwrap().proof, ProofState::Proven);
}

#[test]
fn an_entry_whose_class_holds_no_patient_is_not_opened_for_one() {
    let folder = Folder::new();
    let house = folder.open();
    house.audit.record_blocking(&folder.event(Action::LoginSuccess, "p1")).unwrap();
    house.audit.record_blocking(&folder.event(Action::PhiRead, "p1")).unwrap();
    let filter = Filter { patient: Some("p1".to_owned()), ..Filter::tenant(Tenant::DEFAULT) };
    assert_eq!(house.found(&folder, &filter, ALL).0.len(), 1);
}

#[test]
fn checkpoints_page_by_page_newest_first() {
    let folder = Folder::new();
    let house = folder.open();
    let page = |before, size| {
        let sealed = house.audit.checkpoints(before, size, folder.event(Action::AuditQuery, "p0")).unwrap();
        block_on(house.audit.release(sealed)).unwrap()
    };
    assert_eq!(page(None, 5), Checkpoints::default());
    let start = folder.clock.now();
    for second in 0..5 {
        house.audit.record_blocking(&folder.event(Action::PhiRead, "p1")).unwrap();
        house.audit.settle();
        folder.clock.advance(Duration::from_secs(second + 1));
    }
    let all = page(None, 100);
    let newest = all.items.first().unwrap();
    assert_eq!(all.next, None);
    assert!(all.items.windows(2).all(|pair| pair[0].size > pair[1].size && pair[0].number == pair[1].number + 1));
    let opened = house.audit.public_key().open(&newest.note).unwrap();
    assert_eq!(opened.size, newest.size);
    let oldest = all.items.last().unwrap();
    assert_eq!((oldest.number, oldest.at.map(|at| at.since(start))), (1, Some(Duration::ZERO)));
    let mut paged = Vec::new();
    let mut before = Some(newest.number + 1);
    while before.is_some() {
        let part = page(before, 2);
        assert!(part.items.len() <= 2);
        paged.extend(part.items);
        before = part.next;
    }
    assert_eq!(paged, all.items);
    assert_eq!((page(Some(1), 5), page(Some(0), 5)), (Checkpoints::default(), Checkpoints::default()));
}
