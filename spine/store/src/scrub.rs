//! Scrubbing: looking at every row there is.

use iris_kernel::Seq;

/// Something that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The row, where it is known.
    pub seq: Option<Seq>,
    /// What does not fit, without any stored value.
    pub what: String,
}

/// What a scrub found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScrubReport {
    /// Rows that were looked at.
    pub rows: u64,
    /// Data keys that were looked at.
    pub keys: u64,
    /// Everything that does not fit, by row; at most [`ScrubReport::DAMAGE_MAX`].
    pub damage: Vec<Damage>,
    /// Damage beyond that limit.
    pub more: u64,
}

impl ScrubReport {
    /// Most places that one report names.
    pub const DAMAGE_MAX: usize = 1_000;

    /// Whether everything fits.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.damage.is_empty()
    }
}
