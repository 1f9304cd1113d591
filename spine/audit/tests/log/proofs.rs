//! Proofs for outsiders.

use iris_audit::note::NoteFault;
use iris_audit::{Action, InclusionProof, Opening, ProofFault, Verifier};
use iris_crypto::sign::SigningKey;
use iris_kernel::Tenant;

use crate::house::{Folder, House, block_on};

fn proof(folder: &Folder, house: &House, position: u64, opening: Opening) -> Option<InclusionProof> {
    let event = folder.event(Action::AuditProof, "none");
    block_on(house.audit.release(house.audit.proof(position, opening, event).unwrap())).unwrap()
}

#[test]
fn every_entry_is_proven_by_text_and_public_key_alone() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let key: Verifier = house.audit.public_key().to_string().parse().unwrap();
    for position in 0..10 {
        let text = serde_json::to_string(&proof(&folder, &house, position, Opening::All).unwrap()).unwrap();
        let read: InclusionProof = serde_json::from_str(&text).unwrap();
        assert!(read.verify(&key).unwrap().size >= 10);
        assert!(text.contains("nurse.joy"));
    }
    let other = Verifier::new(SigningKey::from_seed(&[9; 32]).unwrap().verifying_key());
    let real = proof(&folder, &house, 3, Opening::Tenant(Tenant::DEFAULT)).unwrap();
    assert_eq!(real.verify(&other), Err(ProofFault::Note(NoteFault::Unsigned)));
    assert!(proof(&folder, &house, 3, Opening::Tenant(Tenant(2))).is_none());
    assert!(proof(&folder, &house, 10_000, Opening::All).is_none());
    assert!(proof(&folder, &house, 3, Opening::Sealed).unwrap().entry.opened.is_none());
}

#[test]
fn nothing_of_a_proof_can_be_changed() {
    let folder = Folder::new();
    let house = folder.open();
    folder.ten(&house);
    let key = house.audit.public_key();
    let real = proof(&folder, &house, 3, Opening::All).unwrap();
    let other = proof(&folder, &house, 4, Opening::All).unwrap();
    let refused = |change: &dyn Fn(&mut InclusionProof)| {
        let mut forged = real.clone();
        change(&mut forged);
        assert!(forged.verify(&key).is_err(), "{forged:?}");
    };
    refused(&|proof| proof.entry.position = 4);
    refused(&|proof| proof.entry = other.entry.clone());
    refused(&|proof| proof.entry.header = None);
    refused(&|proof| proof.entry.header = Some("AAAA".to_owned()));
    refused(&|proof| proof.entry.details = other.entry.details.clone());
    refused(&|proof| proof.entry.opened = other.entry.opened.clone());
    refused(&|proof| proof.entry.salt = None);
    refused(&|proof| proof.entry.action = Some("phi.read".to_owned()));
    refused(&|proof| proof.entry.outcome = Some("denied".to_owned()));
    refused(&|proof| proof.entry.at = None);
    refused(&|proof| proof.entry.tenant = Some(2));
    refused(&|proof| proof.path.clear());
    refused(&|proof| proof.path[0] = other.path[1].clone());
    refused(&|proof| proof.path[0] = "x".to_owned());
    refused(&|proof| proof.checkpoint.clear());
    let leaf = real.entry.opened.as_ref().unwrap().get().replace("p3", "p4");
    refused(&|proof| proof.entry.opened = Some(serde_json::value::RawValue::from_string(leaf.clone()).unwrap()));
}

#[test]
fn consistency_holds_from_every_kept_checkpoint() {
    let folder = Folder::new();
    let house = folder.open();
    let key = house.audit.public_key();
    let mut kept = Vec::new();
    for number in 0..20 {
        house.audit.record_blocking(&folder.event(Action::PhiRead, &format!("p{number}"))).unwrap();
        kept.push(key.open(&house.audit.settle().checkpoint.unwrap()).unwrap());
    }
    for old in &kept {
        let proof = house.audit.consistency(old.size).unwrap().unwrap();
        let text = serde_json::to_string(&proof).unwrap();
        let proof: iris_audit::ConsistencyProof = serde_json::from_str(&text).unwrap();
        assert_eq!(proof.verify(old, &key).unwrap(), kept[19]);
        let mut forked = *old;
        forked.root[0] ^= 1;
        assert!(proof.verify(&forked, &key).is_err());
    }
    assert_eq!(house.audit.consistency(0).unwrap(), None);
    assert_eq!(house.audit.consistency(21).unwrap(), None);
}
