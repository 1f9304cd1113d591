//! The Merkle tree of RFC 6962 (§2.1), kept in the tiles of C2SP tlog-tiles, with its proofs.
//!
//! A tile is 256 neighbouring hashes of one level in eight: level 0 holds leaf hashes, level 1 the roots of full level-0
//! tiles, and so on. All but the rightmost tile of a level are full and never change; the rightmost only grows, so a
//! reader of a smaller tree takes the first `width` hashes of what is stored.

mod proof;
#[cfg(test)]
mod tests;

pub use proof::{ProofError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};

use crate::digest::sha256;

/// A SHA-256 hash of a leaf, a node or a whole tree.
pub type Hash = [u8; 32];

/// Levels of the tree that one tile covers.
pub const TILE_HEIGHT: u32 = 8;
/// Hashes in a full tile.
pub const TILE_WIDTH: usize = 1 << TILE_HEIGHT;
/// More tile levels than a tree of 2^64 leaves has.
const LEVELS_MAX: u32 = 64 / TILE_HEIGHT;

/// Hash of one leaf: SHA-256(0x00 ‖ data).
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// Hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// Number of hashes that a tile has in a tree of `size` leaves; 0 if the tree has no such tile.
#[must_use]
pub fn tile_width(level: u8, index: u64, size: u64) -> usize {
    let shift = TILE_HEIGHT * u32::from(level);
    let complete = size.checked_shr(shift).unwrap_or(0);
    let before = index.saturating_mul(TILE_WIDTH as u64);
    usize::try_from(complete.saturating_sub(before)).unwrap_or(usize::MAX).min(TILE_WIDTH)
}

/// Where proofs get their hashes from.
pub trait HashReader {
    /// Why a tile could not be had.
    type Error;
    /// The first `width` hashes (1 to 256) of a tile, or more of them.
    ///
    /// # Errors
    /// Storage failures, or that the tile is absent or too short.
    fn tile(&self, level: u8, index: u64, width: usize) -> Result<Vec<Hash>, Self::Error>;
}

/// A tree that grows at the right: only its right edge is in memory, 8 KiB per level at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    size: u64,
    /// For each tile level the hashes of its rightmost tile, fewer than 256 of them.
    edge: Vec<Vec<Hash>>,
}

impl Tree {
    /// The tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up a tree of `size` leaves from its stored right edge.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn resume<R: HashReader>(reader: &R, size: u64) -> Result<Self, R::Error> {
        let mut edge = Vec::new();
        for level in (0_u8..).take_while(|level| u32::from(*level) < LEVELS_MAX) {
            let complete = size >> (TILE_HEIGHT * u32::from(level));
            if complete == 0 {
                break;
            }
            let width = usize::try_from(complete % TILE_WIDTH as u64).unwrap_or(0);
            let mut hashes = Vec::new();
            if width > 0 {
                hashes = reader.tile(level, complete / TILE_WIDTH as u64, width)?;
                hashes.truncate(width);
            }
            edge.push(hashes);
        }
        Ok(Self { size, edge })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash, and hands out every tile that it fills: level, index, the 256 hashes.
    pub fn push(&mut self, leaf: Hash, mut filled: impl FnMut(u8, u64, &[Hash])) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0_u8.. {
            let at = usize::from(level);
            if self.edge.len() <= at {
                self.edge.push(Vec::with_capacity(TILE_WIDTH));
            }
            self.edge[at].push(hash);
            if self.edge[at].len() < TILE_WIDTH {
                return;
            }
            let index = (self.size >> (TILE_HEIGHT * (u32::from(level) + 1))) - 1;
            filled(level, index, &self.edge[at]);
            hash = perfect_root(&self.edge[at]);
            self.edge[at].clear();
        }
    }

    /// The rightmost, not yet full tile of each level that has one: level, index, hashes.
    pub fn partial_tiles(&self) -> impl Iterator<Item = (u8, u64, &[Hash])> {
        (0_u8..).zip(&self.edge).filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let complete = self.size >> (TILE_HEIGHT * u32::from(level));
            (level, complete / TILE_WIDTH as u64, hashes.as_slice())
        })
    }

    /// Root of the tree as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for hashes in &self.edge {
            // Perfect subtrees stand from the left by falling size; fold them from the right.
            let mut rest = hashes.as_slice();
            while !rest.is_empty() {
                let (before, last) = rest.split_at(rest.len() - (1 << rest.len().trailing_zeros()));
                let piece = perfect_root(last);
                root = Some(root.map_or(piece, |right| node_hash(&piece, &right)));
                rest = before;
            }
        }
        root.unwrap_or_else(empty_root)
    }
}

/// Root over a power-of-two number of neighbouring hashes, at least one.
fn perfect_root(hashes: &[Hash]) -> Hash {
    let mut row: Vec<Hash> = hashes.to_vec();
    while row.len() > 1 {
        row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
    }
    row.first().copied().unwrap_or_else(empty_root)
}

/// Root of the first `size` leaves, from tiles.
///
/// # Errors
/// Those of the reader.
pub fn root<R: HashReader>(reader: &R, size: u64) -> Result<Hash, R::Error> {
    Tree::resume(reader, size).map(|tree| tree.root())
}
