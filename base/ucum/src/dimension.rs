//! What a unit measures.

use std::fmt::Write as _;

use smallvec::SmallVec;

/// The base units of UCUM, in the order of [`Dimension`]'s powers.
pub(crate) const BASE: [&str; 7] = ["m", "s", "g", "rad", "K", "C", "cd"];

/// What a unit measures: the powers of the base units, and of units that measure something of their own (`[iU]`, `[pH]`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dimension {
    base: [i16; 7],
    /// Code of the unit and its power, by code, powers of 0 left out.
    own: SmallVec<[(&'static str, i16); 1]>,
}

impl Dimension {
    pub(crate) fn of_base(position: usize) -> Self {
        let mut dimension = Self::default();
        if let Some(power) = dimension.base.get_mut(position) {
            *power = 1;
        }
        dimension
    }

    pub(crate) fn own(code: &'static str) -> Self {
        let mut dimension = Self::default();
        dimension.own.push((code, 1));
        dimension
    }

    /// Whether it measures nothing: `1`, `%`, `mol`.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// The dimension of a product with `other` to the power of `times`; `None` if a power is beyond ±32,767.
    pub(crate) fn with(&self, other: &Self, times: i16) -> Option<Self> {
        let mut result = self.clone();
        for (own, power) in result.base.iter_mut().zip(other.base) {
            *own = own.checked_add(power.checked_mul(times)?)?;
        }
        for (code, power) in &other.own {
            let more = power.checked_mul(times)?;
            match result.own.iter_mut().find(|(known, _)| known == code) {
                Some((_, own)) => *own = own.checked_add(more)?,
                None => result.own.push((code, more)),
            }
        }
        result.own.retain(|(_, power)| *power != 0);
        result.own.sort_unstable();
        Some(result)
    }

    /// The code of the unit that is made of base units alone: `g.m-1.s-2`; `1` where there is none. The same for all units
    /// that convert to each other.
    #[must_use]
    pub fn code(&self) -> String {
        let mut code = String::new();
        let base = BASE.iter().copied().zip(self.base).filter(|(_, power)| *power != 0);
        for (unit, power) in base.chain(self.own.iter().copied()) {
            if !code.is_empty() {
                code.push('.');
            }
            code.push_str(unit);
            if power != 1 {
                let _ = write!(code, "{power}");
            }
        }
        if code.is_empty() { "1".to_owned() } else { code }
    }
}
