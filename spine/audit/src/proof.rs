//! Proofs that somebody outside can check with nothing but the public key.

use iris_crypto::merkle::{self, Hash, ProofError, leaf_hash};
use serde::{Deserialize, Serialize};

use crate::audit::Audit;
use crate::error::AuditError;
use crate::event::Event;
use crate::file::{EntryFile, Opening};
use crate::log::{self, Tiles};
use crate::note::{Checkpoint, NoteFault, Verifier};
use crate::sealed::Sealed;
use crate::text;

/// Proof that one entry is in the log that a checkpoint signs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InclusionProof {
    /// The entry; its header is what the tree holds.
    pub entry: EntryFile,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The hashes from the leaf to the root, base64 (RFC 6962 §2.1.1).
    pub path: Vec<String>,
}

/// Proof that the log that a checkpoint signs begins with the log of an older one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsistencyProof {
    /// Entries in the older log.
    pub old_size: u64,
    /// The signed checkpoint of the newer one.
    pub checkpoint: String,
    /// The hashes that join the two, base64 (RFC 6962 §2.1.2).
    pub path: Vec<String>,
}

impl Audit {
    /// The proof for one entry, against the newest checkpoint. `None` if there is no such entry under a checkpoint yet, if it
    /// is damaged beyond reading, or if `opening` allows a tenant and the entry is another's. `event` is the access that
    /// this is.
    ///
    /// # Errors
    /// The store's; [`AuditError::Damaged`] if tiles are missing.
    pub fn proof(
        &self,
        position: u64,
        opening: Opening,
        event: Event,
    ) -> Result<Sealed<Option<InclusionProof>>, AuditError> {
        let proof = self.proof_made(position, opening)?;
        Ok(self.seal(proof, vec![event]))
    }

    fn proof_made(&self, position: u64, opening: Opening) -> Result<Option<InclusionProof>, AuditError> {
        let Some((note, checkpoint)) = self.newest()? else { return Ok(None) };
        if position >= checkpoint.size {
            return Ok(None);
        }
        let Some(slot) = log::slots(&self.store, position, position + 1)?.pop() else { return Ok(None) };
        let tile = position / merkle::TILE_WIDTH as u64;
        let leaves = log::stored_tile(&self.store, 0, tile)?;
        let leaf = usize::try_from(position % merkle::TILE_WIDTH as u64).ok().and_then(|at| leaves.get(at).copied());
        let entry = self.entry_file(&slot, leaf, opening)?;
        if let (Opening::Tenant(tenant), Some(theirs)) = (opening, entry.tenant)
            && tenant.0 != theirs
        {
            return Ok(None);
        }
        let path = merkle::inclusion_proof(&Tiles(&self.store), position, checkpoint.size)?;
        Ok(Some(InclusionProof { entry, checkpoint: note, path: path.iter().map(|hash| text::encode(hash)).collect() }))
    }

    /// The proof that today's log begins with the log of `old_size` entries, for somebody who kept its checkpoint. `None` if
    /// the log never had so few or so many entries.
    ///
    /// # Errors
    /// The store's; [`AuditError::Damaged`] if tiles are missing.
    pub fn consistency(&self, old_size: u64) -> Result<Option<ConsistencyProof>, AuditError> {
        let Some((note, checkpoint)) = self.newest()? else { return Ok(None) };
        if old_size == 0 || old_size > checkpoint.size {
            return Ok(None);
        }
        let path = merkle::consistency_proof(&Tiles(&self.store), old_size, checkpoint.size)?;
        let path = path.iter().map(|hash| text::encode(hash)).collect();
        Ok(Some(ConsistencyProof { old_size, checkpoint: note, path }))
    }

    fn newest(&self) -> Result<Option<(String, Checkpoint)>, AuditError> {
        let Some(note) = self.checkpoint() else { return Ok(None) };
        let checkpoint = self
            .public_key()
            .open(&note)
            .map_err(|fault| AuditError::Damaged(format!("the newest checkpoint: {fault}")))?;
        Ok(Some((note, checkpoint)))
    }
}

impl InclusionProof {
    /// Checks the proof and gives the checkpoint that vouches for the entry. Needs only the public key.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(&self, key: &Verifier) -> Result<Checkpoint, ProofFault> {
        let checkpoint = key.open(&self.checkpoint)?;
        let (_, header) = self.entry.check().map_err(|(_, what)| ProofFault::Entry(what))?;
        merkle::verify_inclusion(
            &leaf_hash(&header),
            self.entry.position,
            checkpoint.size,
            &decoded(&self.path)?,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }
}

impl ConsistencyProof {
    /// Checks the proof against an older checkpoint, itself checked when it was taken, and gives the newer one.
    ///
    /// # Errors
    /// Why it proves nothing.
    pub fn verify(&self, old: &Checkpoint, key: &Verifier) -> Result<Checkpoint, ProofFault> {
        let checkpoint = key.open(&self.checkpoint)?;
        let path = decoded(&self.path)?;
        merkle::verify_consistency((old.size, &old.root), (checkpoint.size, &checkpoint.root), &path)?;
        Ok(checkpoint)
    }
}

fn decoded(path: &[String]) -> Result<Vec<Hash>, ProofFault> {
    path.iter().map(|hash| text::decode_hash(hash)).collect::<Option<_>>().ok_or(ProofFault::Path)
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// The checkpoint is not one of this key.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The hashes do not lead from the entry to the checkpoint.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The hashes are not base64 of 32 bytes.
    #[error("the path is not made of hashes")]
    Path,
    /// What is shown of the entry contradicts itself.
    #[error("{0}")]
    Entry(String),
}
