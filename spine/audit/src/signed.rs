//! The trees that this process answers for: what it signed or saw signed since its start.

use iris_crypto::merkle::{consistency_proof, verify_consistency};
use iris_store::Store;

use crate::error::AuditError;
use crate::log::Tiles;
use crate::note::Checkpoint;

/// What must hold of a log that is found in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// Nobody else has the key: it is what this process left there.
    None,
    /// Other nodes sign too: it begins with what this process left there, or saw last.
    Extend,
}

/// The newest trees that this process signed or saw.
#[derive(Default)]
pub(crate) struct Signed {
    /// The newest one that is stored, or that the start found.
    pub(crate) stored: Option<Checkpoint>,
    /// One that was signed, but whose transaction gave no clear answer: it may be stored or not.
    pub(crate) tried: Option<Checkpoint>,
}

impl Signed {
    /// Whether what was loaded may be gone on with. Anything else was put back from an older copy or exchanged, and to sign on
    /// top of it would make two logs of one.
    ///
    /// # Errors
    /// [`AuditError::Damaged`] for a log that was set back or has another history; what `extends` says.
    pub(crate) fn accept(
        &mut self,
        loaded: Checkpoint,
        others: Others,
        extends: impl FnOnce(Checkpoint) -> Result<bool, AuditError>,
    ) -> Result<(), AuditError> {
        if let Some(stored) = self.stored.filter(|stored| *stored != loaded && self.tried != Some(loaded)) {
            let (found, known) = (loaded.size, stored.size);
            if others == Others::None {
                return Err(AuditError::Damaged(format!(
                    "the store has a log of {found} entries that is not the one of {known} entries signed since the start"
                )));
            }
            if found < known || !extends(stored)? {
                return Err(AuditError::Damaged(format!(
                    "the store has a log of {found} entries that does not begin with the one of {known} entries that was \
                     signed before; it was set back, or there are two logs"
                )));
            }
        }
        *self = Self { stored: Some(loaded), tried: None };
        Ok(())
    }
}

/// Whether the log of `new` begins with that of `old`, by the proof that the stored tiles give.
pub(crate) fn extends(store: &Store, old: Checkpoint, new: Checkpoint) -> Result<bool, AuditError> {
    if old.size == 0 {
        return Ok(true);
    }
    let path = consistency_proof(&Tiles(store), old.size, new.size)?;
    Ok(verify_consistency((old.size, &old.root), (new.size, &new.root), &path).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn tree(size: u64, root: u8) -> Checkpoint {
        Checkpoint { size, root: [root; 32] }
    }

    #[test]
    fn alone_only_what_was_signed_is_taken_up_again() {
        let mut signed = Signed::default();
        let never = |_| panic!("nobody else extends this log");
        signed.accept(tree(3, 3), Others::None, never).unwrap();
        signed.accept(tree(3, 3), Others::None, never).unwrap();
        for other in [tree(2, 2), tree(3, 4), tree(4, 4)] {
            assert!(signed.accept(other, Others::None, never).is_err(), "{other:?}");
        }
        signed.tried = Some(tree(5, 5));
        assert!(signed.accept(tree(4, 4), Others::None, never).is_err());
        signed.accept(tree(5, 5), Others::None, never).unwrap();
        assert!(signed.accept(tree(3, 3), Others::None, never).is_err());
    }

    #[test]
    fn among_others_a_log_may_grow_and_neither_shrink_nor_fork() {
        let mut signed = Signed::default();
        signed.accept(tree(3, 3), Others::Extend, |_| panic!("nothing is known yet")).unwrap();
        signed.accept(tree(5, 5), Others::Extend, |old| Ok(old == tree(3, 3))).unwrap();
        for (other, proven) in [(tree(4, 4), true), (tree(5, 6), false), (tree(6, 6), false)] {
            assert!(signed.accept(other, Others::Extend, |_| Ok(proven)).is_err(), "{other:?}");
        }
        // A round of ours without a clear answer was not stored, and another node went on from where we were.
        signed.tried = Some(tree(7, 7));
        signed.accept(tree(8, 8), Others::Extend, |old| Ok(old == tree(5, 5))).unwrap();
        assert_eq!((signed.stored, signed.tried), (Some(tree(8, 8)), None));
    }
}
