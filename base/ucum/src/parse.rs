//! Codes of units (UCUM §§ 2 to 12, case-sensitive).

use crate::decimal::Decimal;
use crate::table::{Atom, PREFIXES, atom};
use crate::unit::Unit;

/// Longest code of a unit, in bytes.
pub const CODE_BYTES_MAX: usize = 256;
/// Deepest nesting of brackets in a code.
pub const DEPTH_MAX: usize = 8;
/// Largest power of a unit; UCUM has none beyond 9 but for `10*`.
const POWER_MAX: i16 = 99;

/// Why a text is no code of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// The grammar does not allow what stands here.
    #[error("not a unit: unexpected text at byte {0}")]
    Syntax(usize),
    /// No such unit.
    #[error("not a unit: unknown at byte {0}")]
    Unknown(usize),
    /// More than [`CODE_BYTES_MAX`] bytes or [`DEPTH_MAX`] brackets, or a number that is too large.
    #[error("not a unit: too long or too large")]
    TooLarge,
    /// A temperature with its own zero as part of a product.
    #[error("not a unit: a unit with its own zero cannot be multiplied")]
    Special,
}

pub(crate) fn parse(code: &str) -> Result<Unit, UnitError> {
    parse_with(code, &|name| atom(name))
}

/// Parses a code; `find` leads to the units without prefix.
pub(crate) fn parse_with<'a>(code: &str, find: &dyn Fn(&str) -> Option<&'a Atom>) -> Result<Unit, UnitError> {
    if code.len() > CODE_BYTES_MAX {
        return Err(UnitError::TooLarge);
    }
    let mut parser = Parser { code, at: 0, depth: 0, find };
    let unit = parser.term()?;
    if parser.at < code.len() { Err(UnitError::Syntax(parser.at)) } else { Ok(unit) }
}

struct Parser<'c, 'f, 'a> {
    code: &'c str,
    at: usize,
    depth: usize,
    find: &'f dyn Fn(&str) -> Option<&'a Atom>,
}

impl<'c> Parser<'c, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.code.as_bytes().get(self.at).copied()
    }

    fn term(&mut self) -> Result<Unit, UnitError> {
        let mut unit = Unit::one();
        let mut sign = 1;
        if self.peek() == Some(b'/') {
            self.at += 1;
            sign = -1;
        }
        loop {
            let (part, power) = self.component()?;
            let special = part.special.is_some();
            let power = power.checked_mul(sign).ok_or(UnitError::TooLarge)?;
            unit = unit.with(&part, power).ok_or(if special { UnitError::Special } else { UnitError::TooLarge })?;
            sign = match self.peek() {
                Some(b'.') => 1,
                Some(b'/') => -1,
                _ => return Ok(unit),
            };
            self.at += 1;
        }
    }

    /// A unit and its power.
    fn component(&mut self) -> Result<(Unit, i16), UnitError> {
        let start = self.at;
        match self.peek() {
            Some(b'(') => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err(UnitError::TooLarge);
                }
                self.at += 1;
                let unit = self.term()?;
                if self.peek() != Some(b')') {
                    return Err(UnitError::Syntax(self.at));
                }
                self.at += 1;
                self.depth -= 1;
                self.annotation()?;
                Ok((unit, 1))
            }
            Some(b'{') => {
                self.annotation()?;
                Ok((Unit::one(), 1))
            }
            Some(b'0'..=b'9') if !self.code[start..].starts_with("10*") && !self.code[start..].starts_with("10^") => {
                let factor = self.run(|byte| byte.is_ascii_digit());
                let factor = Decimal::parse(factor).map_err(|_| UnitError::TooLarge)?;
                if factor.is_zero() {
                    return Err(UnitError::Syntax(start));
                }
                self.annotation()?;
                Ok((Unit::one().scaled(factor).ok_or(UnitError::TooLarge)?, 1))
            }
            Some(_) => {
                let name = self.name()?;
                let unit = self.unit(name).ok_or(UnitError::Unknown(start))?;
                let power = self.power()?;
                self.annotation()?;
                Ok((unit, power))
            }
            None => Err(UnitError::Syntax(start)),
        }
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'c str {
        let rest = &self.code[self.at..];
        let length = rest.bytes().position(|byte| !fits(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// The code of a unit with prefix. Digits in square brackets and after a star or caret belong to it.
    fn name(&mut self) -> Result<&'c str, UnitError> {
        let start = self.at;
        if self.code[start..].starts_with("10*") || self.code[start..].starts_with("10^") {
            self.at += 3;
            return Ok(&self.code[start..self.at]);
        }
        loop {
            self.run(|byte| byte.is_ascii_graphic() && !byte.is_ascii_digit() && !b"./(){}[]+-".contains(&byte));
            if self.peek() != Some(b'[') {
                break;
            }
            self.run(|byte| byte.is_ascii_graphic() && byte != b']');
            if self.peek() != Some(b']') {
                return Err(UnitError::Syntax(self.at));
            }
            self.at += 1;
        }
        if self.at == start { Err(UnitError::Syntax(start)) } else { Ok(&self.code[start..self.at]) }
    }

    fn unit(&self, name: &str) -> Option<Unit> {
        if let Some(atom) = (self.find)(name) {
            return Some(atom.unit.clone());
        }
        PREFIXES.iter().find_map(|(prefix, scale)| {
            let atom = (self.find)(name.strip_prefix(prefix)?).filter(|atom| atom.metric)?;
            let factor = scale.factor()?;
            // A multiple of a unit with its own zero measures differences; nobody writes it, so it is refused.
            atom.unit.clone().scaled(factor)
        })
    }

    fn power(&mut self) -> Result<i16, UnitError> {
        let start = self.at;
        if matches!(self.peek(), Some(b'+' | b'-')) {
            self.at += 1;
        }
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return if self.at > start { Err(UnitError::Syntax(start)) } else { Ok(1) };
        }
        let power: i16 = self.code[start..self.at].parse().map_err(|_| UnitError::TooLarge)?;
        if power.abs() > POWER_MAX { Err(UnitError::TooLarge) } else { Ok(power) }
    }

    /// `{in curly brackets}`, which changes nothing.
    fn annotation(&mut self) -> Result<(), UnitError> {
        while self.peek() == Some(b'{') {
            self.run(|byte| byte != b'}');
            if self.peek() != Some(b'}') {
                return Err(UnitError::Syntax(self.at));
            }
            self.at += 1;
        }
        Ok(())
    }
}
