//! `FHIRPath` 2.0 (N1) as R4 uses it: the one evaluator, for search parameters, invariants, patches and filters.
//!
//! [`parse`] makes an [`Expr`] of a text, [`compile()`] a [`Program`] of that with every type checked that the definitions know,
//! and [`Program::evaluate`] runs it over the JSON tape. Text, depth, steps, items and made text are bounded, so an expression
//! from anywhere costs a known amount at most. Nothing here reads a clock, resolves a reference or knows a value set: that is
//! the [`Context`]'s, and what it does not have is an error.

mod ast;
mod bundle;
mod compare;
mod compile;
mod context;
mod error;
mod eval;
mod function;
mod item;
mod kinds;
mod lexer;
mod model;
mod moment;
mod moment_arithmetic;
mod parser;
mod print;
mod program;
mod quantity;
mod results;
mod settings;
mod sources;

#[cfg(test)]
mod tests;

pub use ast::{BinaryOp, Expr, Literal, TypeOp, UnaryOp, UnitSpelling};
pub use bundle::InBundle;
pub use compile::{PATTERN_BYTES_MAX, REGEX_BYTES_MAX, REGEXES_MAX, compile};
pub use context::{Alone, Code, Context, FUEL_MAX, Host, ITEMS_MAX, Limits, MADE_BYTES_MAX, Resolved};
pub use error::{CompileError, EvalError};
pub use item::{Item, Items, Node, Text, TypeInfo};
pub use model::TypeRef;
pub use moment::{Moment, MomentKind, Precision};
pub use parser::{DEPTH_MAX, HEIGHT_MAX, ParseError, TEXT_BYTES_MAX, TOKENS_MAX, parse};
pub use program::{Program, STEPS_MAX};
pub use quantity::{Calendar, Measure, Quantity};
pub use settings::{AsOfMany, Focus, Mode, OrderCheck, Settings};
pub use sources::Sources;
