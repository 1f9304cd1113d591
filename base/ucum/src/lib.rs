//! Units of measure (UCUM, <https://ucum.org>): codes read, brought to base units, converted and compared, over exact
//! decimals.
//!
//! Pure tables and arithmetic. The units are facts of the UCUM table (`tables/units.txt`, made by `cargo xtask units`).
//! An arbitrary unit (`[iU]`) and a logarithmic one (`[pH]`, `dB`) has a dimension of its own: it converts to its own multiples
//! and to nothing else.

mod decimal;
mod dimension;
mod parse;
mod table;
mod unit;

#[cfg(test)]
mod tests;

pub use decimal::{Decimal, DecimalError, Rounding};
pub use dimension::Dimension;
pub use parse::{CODE_BYTES_MAX, DEPTH_MAX, UnitError};
pub use unit::{Unit, compare};
