//! SMART scopes (SMART App Launch 2.2, "Scopes for requesting FHIR resources"), as far as machines need them.

use std::fmt;

use iris_kernel::{Fault, Kind};

use crate::action::ActionKind;
use crate::permit::Target;

/// Most scopes in one request or grant.
pub const SCOPES_MAX: usize = 64;
/// Longest scope string, in bytes.
pub const SCOPE_BYTES_MAX: usize = 4_096;

/// The letters of a SMART v2 scope, in the order the specification demands.
const LETTERS: &[u8; 5] = b"cruds";

/// Which of create, read, update, delete, search a scope gives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Letters(u8);

impl Letters {
    const READ: Letters = Letters(0b1_0010);
    const WRITE: Letters = Letters(0b0_1101);
    const EVERY: Letters = Letters(0b1_1111);

    /// `rs`, `cruds`, … in this order and no letter twice, or one of the v1 words `read`, `write`, `*`.
    fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => return Some(Self::READ),
            "write" => return Some(Self::WRITE),
            "*" => return Some(Self::EVERY),
            _ => {}
        }
        let mut bits = 0u8;
        for letter in text.bytes() {
            let bit = 1 << LETTERS.iter().position(|known| *known == letter)?;
            if bits >= bit {
                return None;
            }
            bits |= bit;
        }
        (bits != 0).then_some(Self(bits))
    }

    /// What an action asks for; `None` for actions that no scope gives.
    const fn of(action: ActionKind) -> Option<Self> {
        Some(match action {
            ActionKind::Create => Self(1),
            ActionKind::Read | ActionKind::VersionRead | ActionKind::History => Self(1 << 1),
            ActionKind::Update => Self(1 << 2),
            ActionKind::Delete => Self(1 << 3),
            ActionKind::Search => Self(1 << 4),
            ActionKind::Export | ActionKind::Verify => return None,
        })
    }

    const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl fmt::Display for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, letter) in LETTERS.iter().enumerate() {
            if self.0 & (1 << position) != 0 {
                write!(f, "{}", char::from(*letter))?;
            }
        }
        Ok(())
    }
}

/// A set of `system/` scopes, kept in normal form: what holds for every type, and what each named type has beyond it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    every: Letters,
    named: Vec<(Kind, Letters)>,
}

impl Scopes {
    /// Reads a space-separated list such as `system/Patient.rs system/*.read`.
    ///
    /// # Errors
    /// Each scope that is not known, by its text: nothing is granted silently narrower than it was asked for.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > SCOPE_BYTES_MAX {
            return Err(vec![Fault::new("scope", format!("longer than {SCOPE_BYTES_MAX} bytes"))]);
        }
        let parts: Vec<&str> = text.split_ascii_whitespace().collect();
        if parts.is_empty() || parts.len() > SCOPES_MAX {
            return Err(vec![Fault::new("scope", format!("expected 1 to {SCOPES_MAX} scopes, such as system/*.rs"))]);
        }
        let mut scopes = Self::default();
        let mut faults = Vec::new();
        for part in parts {
            match parse_one(part) {
                Ok((None, letters)) => scopes.every.0 |= letters.0,
                Ok((Some(kind), letters)) => scopes.add(kind, letters),
                Err(why) => faults.push(Fault::new("scope", format!("{part:?}: {why}"))),
            }
        }
        scopes.named.retain(|(_, letters)| !scopes.every.covers(*letters));
        scopes.named.sort_unstable_by_key(|(kind, _)| *kind);
        if faults.is_empty() { Ok(scopes) } else { Err(faults) }
    }

    fn add(&mut self, kind: Kind, letters: Letters) {
        match self.named.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, have)) => have.0 |= letters.0,
            None => self.named.push((kind, letters)),
        }
    }

    fn letters(&self, kind: Kind) -> Letters {
        let named = self.named.iter().find(|(known, _)| *known == kind).map_or(0, |(_, letters)| letters.0);
        Letters(self.every.0 | named)
    }

    /// Whether an action on a target is inside these scopes.
    #[must_use]
    pub fn admit(&self, action: ActionKind, target: Target) -> bool {
        match (Letters::of(action), target) {
            (Some(letters), Target::Kind(kind)) if kind.is_fhir() => self.letters(kind).covers(letters),
            _ => false,
        }
    }

    /// Whether everything in `other` is also in these: what a request asks for must be inside what the client was given.
    #[must_use]
    pub fn cover(&self, other: &Scopes) -> bool {
        self.every.covers(other.every) && other.named.iter().all(|(kind, letters)| self.letters(*kind).covers(*letters))
    }

    /// The scope that would admit this action, for a refusal.
    #[must_use]
    pub fn needed(action: ActionKind, target: Target) -> String {
        match (Letters::of(action), target) {
            (Some(letters), Target::Kind(kind)) if kind.is_fhir() => {
                format!("system/{}.{letters}", crate::names::name_of(kind))
            }
            _ => format!("(a user's permission for {action} on {})", target.family()),
        }
    }
}

impl fmt::Display for Scopes {
    /// The normal form in SMART v2 letters: `system/*.rs system/Patient.c`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut gap = "";
        if self.every.0 != 0 {
            write!(f, "system/*.{}", self.every)?;
            gap = " ";
        }
        for (kind, letters) in &self.named {
            write!(f, "{gap}system/{}.{letters}", crate::names::name_of(*kind))?;
            gap = " ";
        }
        Ok(())
    }
}

fn parse_one(text: &str) -> Result<(Option<Kind>, Letters), &'static str> {
    let Some(rest) = text.strip_prefix("system/") else {
        return Err("only system/ scopes are given to clients here");
    };
    if rest.contains('?') {
        return Err("scopes with search parameters are not supported");
    }
    let (name, letters) = rest.rsplit_once('.').ok_or("expected system/<type or *>.<letters of cruds>")?;
    let letters = Letters::parse(letters).ok_or("expected letters of cruds in this order, or read, write, *")?;
    if name == "*" {
        return Ok((None, letters));
    }
    crate::names::kind_of(name).map(|kind| (Some(kind), letters)).ok_or("no such resource type")
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
