//! Known vectors, and every law against the recursive definitions of RFC 6962 written down naively.

use std::collections::HashMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// The eight leaves of Certificate Transparency's reference tests.
fn vectors() -> Vec<Hash> {
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
        .iter()
        .map(|text| leaf_hash(&unhex(text)))
        .collect()
}

/// MTH of RFC 6962 §2.1, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962 §2.1.1.
fn naive_inclusion(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = if index < k {
        (naive_inclusion(index, left), naive_root(right))
    } else {
        (naive_inclusion(index - k, right), naive_root(left))
    };
    path.push(other);
    path
}

/// SUBPROOF of RFC 6962 §2.1.2.
fn naive_consistency(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, other) = if old <= k {
        (naive_consistency(old, left, whole), naive_root(right))
    } else {
        (naive_consistency(old - k, right, false), naive_root(left))
    };
    path.push(other);
    path
}

/// Tiles as the log stores them.
#[derive(Default)]
struct Tiles(HashMap<(u8, u64), Vec<Hash>>);

impl Tiles {
    fn of(leaves: &[Hash]) -> (Self, Tree) {
        let (mut tiles, mut tree) = (Self::default(), Tree::new());
        for leaf in leaves {
            tree.push(*leaf, |level, index, hashes| {
                assert!(tiles.0.insert((level, index), hashes.to_vec()).is_none(), "a full tile is written once");
            });
        }
        for (level, index, hashes) in tree.partial_tiles() {
            tiles.0.insert((level, index), hashes.to_vec());
        }
        (tiles, tree)
    }
}

impl HashReader for Tiles {
    type Error = Infallible;
    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<Hash>, Infallible> {
        Ok(self.0[&(level, index)][..width].to_vec())
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

#[test]
fn certificate_transparency_vectors() {
    let leaves = vectors();
    let expected = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Tree::new();
    for (size, root) in expected.iter().enumerate() {
        assert_eq!(&hex(&tree.root()), root, "{size} leaves");
        if size < leaves.len() {
            tree.push(leaves[size], |_, _, _| {});
        }
    }
}

#[test]
fn tiles_of_a_tree_with_three_levels() {
    let leaves = leaves(70_000);
    let (tiles, tree) = Tiles::of(&leaves);
    assert_eq!(tree.root(), naive_root(&leaves));
    assert_eq!(tiles.0[&(2, 0)].len(), 1);
    assert_eq!(tile_width(0, 273, 70_000), 112);
    assert_eq!(tile_width(1, 1, 70_000), 17);
    assert_eq!(tile_width(2, 0, 70_000), 1);
    assert_eq!(tile_width(3, 0, 70_000), 0);
    for index in [0, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999] {
        let path = inclusion_proof(&tiles, index, 70_000).unwrap();
        assert_eq!(path, naive_inclusion(usize::try_from(index).unwrap(), &leaves));
    }
    for old in [1, 255, 256, 257, 65_535, 65_536, 65_537, 69_999] {
        let path = consistency_proof(&tiles, old, 70_000).unwrap();
        let old_root = naive_root(&leaves[..usize::try_from(old).unwrap()]);
        assert_eq!(verify_consistency((old, &old_root), (70_000, &tree.root()), &path), Ok(()));
    }
}

#[test]
fn no_proof_outside_the_tree() {
    let (tiles, tree) = Tiles::of(&leaves(5));
    assert!(inclusion_proof(&tiles, 5, 5).unwrap().is_empty());
    assert!(consistency_proof(&tiles, 0, 5).unwrap().is_empty());
    let root = tree.root();
    assert_eq!(verify_inclusion(&root, 5, 5, &[], &root), Err(ProofError::Range));
    assert_eq!(verify_consistency((0, &root), (5, &root), &[]), Err(ProofError::Range));
    assert_eq!(verify_consistency((6, &root), (5, &root), &[]), Err(ProofError::Range));
    assert_eq!(verify_consistency((5, &root), (5, &root), &[]), Ok(()));
    assert_eq!(verify_consistency((5, &root), (5, &root), &[root]), Err(ProofError::Length));
    assert_eq!(verify_consistency((5, &empty_root()), (5, &root), &[]), Err(ProofError::Root));
}

proptest! {
    #[test]
    fn the_tree_is_the_rfc_s_and_resumes_anywhere(size in 0_usize..1_200, cut in 0.0..1.0_f64) {
        let leaves = leaves(size);
        let cut = (size as f64 * cut) as usize;
        let (tiles, mut tree) = Tiles::of(&leaves[..cut]);
        prop_assert_eq!(tree.root(), naive_root(&leaves[..cut]));
        prop_assert_eq!(root(&tiles, cut as u64).unwrap(), tree.root());
        let mut resumed = Tree::resume(&tiles, cut as u64).unwrap();
        for leaf in &leaves[cut..] {
            tree.push(*leaf, |_, _, _| {});
            resumed.push(*leaf, |_, _, _| {});
        }
        prop_assert_eq!(resumed.root(), naive_root(&leaves));
        prop_assert_eq!(resumed.root(), tree.root());
        // A tree of an older size is read from the tiles of the newer one.
        let (tiles, _) = Tiles::of(&leaves);
        prop_assert_eq!(root(&tiles, cut as u64).unwrap(), naive_root(&leaves[..cut]));
    }

    #[test]
    fn inclusion_proofs_are_the_rfc_s_and_hold_for_nothing_else(size in 1_usize..1_200, at in 0.0..1.0_f64, bit in 0_usize..256, other in 0_usize..1_200) {
        let leaves = leaves(size);
        let index = (size as f64 * at) as usize;
        let (tiles, tree) = Tiles::of(&leaves);
        let path = inclusion_proof(&tiles, index as u64, size as u64).unwrap();
        prop_assert_eq!(&path, &naive_inclusion(index, &leaves));
        let root = tree.root();
        prop_assert_eq!(verify_inclusion(&leaves[index], index as u64, size as u64, &path, &root), Ok(()));

        let mut leaf = leaves[index];
        leaf[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_inclusion(&leaf, index as u64, size as u64, &path, &root).is_err());
        if other != index {
            prop_assert!(verify_inclusion(&leaves[index], other as u64, size as u64, &path, &root).is_err());
        }
        for place in 0..path.len() {
            let mut wrong = path.clone();
            wrong[place][bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(verify_inclusion(&leaves[index], index as u64, size as u64, &wrong, &root), Err(ProofError::Root));
            wrong.remove(place);
            prop_assert!(verify_inclusion(&leaves[index], index as u64, size as u64, &wrong, &root).is_err());
        }
        let mut longer = path;
        longer.push(root);
        prop_assert!(verify_inclusion(&leaves[index], index as u64, size as u64, &longer, &root).is_err());
    }

    #[test]
    fn consistency_proofs_are_the_rfc_s_and_hold_for_nothing_else(size in 1_usize..1_200, at in 0.0..1.0_f64, bit in 0_usize..256) {
        let leaves = leaves(size);
        let old = 1 + ((size - 1) as f64 * at) as usize;
        let (tiles, tree) = Tiles::of(&leaves);
        let path = consistency_proof(&tiles, old as u64, size as u64).unwrap();
        prop_assert_eq!(&path, &naive_consistency(old, &leaves, true));
        let (old_root, root) = (naive_root(&leaves[..old]), tree.root());
        prop_assert_eq!(verify_consistency((old as u64, &old_root), (size as u64, &root), &path), Ok(()));

        let mut wrong_root = old_root;
        wrong_root[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(verify_consistency((old as u64, &wrong_root), (size as u64, &root), &path).is_err());
        for place in 0..path.len() {
            let mut wrong = path.clone();
            wrong[place][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(verify_consistency((old as u64, &old_root), (size as u64, &root), &wrong).is_err());
            wrong.remove(place);
            prop_assert!(verify_consistency((old as u64, &old_root), (size as u64, &root), &wrong).is_err());
        }
    }
}
