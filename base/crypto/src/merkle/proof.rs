//! Inclusion and consistency proofs: RFC 6962 §2.1.1 and §2.1.2; their verification by RFC 9162 §2.1.3.2 and §2.1.4.2.

use super::{Hash, HashReader, TILE_HEIGHT, TILE_WIDTH, node_hash, perfect_root, tile_width};

/// Why a proof was not made or not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The position or size asked for is not in the tree.
    #[error("the tree has no such position")]
    Range,
    /// The proof has too few or too many hashes.
    #[error("the proof has the wrong length")]
    Length,
    /// The proof does not lead to the root.
    #[error("the proof does not lead to the signed root")]
    Root,
}

/// The hashes that prove that leaf `index` is in the tree of the first `size` leaves. Needs `index < size`; otherwise empty.
///
/// # Errors
/// Those of the reader.
pub fn inclusion_proof<R: HashReader>(reader: &R, index: u64, size: u64) -> Result<Vec<Hash>, R::Error> {
    let mut path = Vec::new();
    let (mut begin, mut end) = (0, size);
    while index < end && end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            path.push(range_root(reader, middle, end, size)?);
            end = middle;
        } else {
            path.push(range_root(reader, begin, middle, size)?);
            begin = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The hashes that prove that the tree of `size` leaves begins with the tree of `old` leaves. Needs `0 < old <= size`;
/// otherwise, and for equal sizes, empty.
///
/// # Errors
/// Those of the reader.
pub fn consistency_proof<R: HashReader>(reader: &R, old: u64, size: u64) -> Result<Vec<Hash>, R::Error> {
    let mut path = Vec::new();
    if old == 0 || old >= size {
        return Ok(path);
    }
    let (mut begin, mut end) = (0, size);
    while old < end {
        let middle = begin + split(end - begin);
        if old <= middle {
            path.push(range_root(reader, middle, end, size)?);
            end = middle;
        } else {
            path.push(range_root(reader, begin, middle, size)?);
            begin = middle;
        }
    }
    // The verifier knows the old root, so a subtree that is the whole old tree is left out.
    if begin > 0 {
        path.push(range_root(reader, begin, end, size)?);
    }
    path.reverse();
    Ok(path)
}

/// Checks that `leaf` is at `index` in the tree of `size` leaves with this root.
///
/// # Errors
/// Why it is not proven.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Range);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// Checks that the tree of `size` leaves with `root` begins with the tree of `old` leaves with `old_root`.
///
/// # Errors
/// Why it is not proven.
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (size, root): (u64, &Hash),
    path: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 || old > size {
        return Err(ProofError::Range);
    }
    if old == size {
        return match (path.is_empty(), old_root == root) {
            (true, true) => Ok(()),
            (false, _) => Err(ProofError::Length),
            (true, false) => Err(ProofError::Root),
        };
    }
    let mut rest = path.iter();
    let first = if old.is_power_of_two() { old_root } else { rest.next().ok_or(ProofError::Length)? };
    let (mut node, mut last) = (old - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash == *old_root && hash == *root { Ok(()) } else { Err(ProofError::Root) }
}

/// The largest power of two smaller than `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// Root over the leaves `begin..end` of a tree of `size` leaves, where `begin` is a multiple of the next power of two of
/// the count (as all ranges of the RFC's recursion are), so that it falls into perfect subtrees.
fn range_root<R: HashReader>(reader: &R, begin: u64, end: u64, size: u64) -> Result<Hash, R::Error> {
    let mut pieces = Vec::new();
    let mut at = begin;
    while at < end {
        let height = (end - at).ilog2();
        pieces.push(subtree_root(reader, height, at >> height, size)?);
        at += 1 << height;
    }
    let last = pieces.pop().unwrap_or_else(super::empty_root);
    Ok(pieces.iter().rev().fold(last, |right, left| node_hash(left, &right)))
}

/// Root of the `index`-th perfect subtree of this height, from one tile.
fn subtree_root<R: HashReader>(reader: &R, height: u32, index: u64, size: u64) -> Result<Hash, R::Error> {
    let level = u8::try_from(height / TILE_HEIGHT).unwrap_or(u8::MAX);
    let within = height % TILE_HEIGHT;
    let first = index << within;
    let tile = first / TILE_WIDTH as u64;
    let hashes = reader.tile(level, tile, tile_width(level, tile, size))?;
    let from = usize::try_from(first % TILE_WIDTH as u64).unwrap_or(0);
    let to = from + (1 << within);
    // A reader that breaks its promise gives a wrong proof, which no verifier believes; it must not stop the process.
    Ok(hashes.get(from..to).map_or_else(super::empty_root, perfect_root))
}
