//! `FHIRPath`: text to [`Expr`] (the whole grammar), and [`Expr`] to a typed [`Program`] over the JSON tape.
//!
//! The compiler knows what the search parameters of R4 need: paths through choice elements, unions, `as` / `is` /
//! `ofType`, `where`, `exists`, `empty`, `not`, `first`, indexers, `extension`, `resolve() is T`, comparisons with
//! literals and the logical operators. Every type is known before the first resource is seen, so a program is a list of
//! member names and a few tests; a path that the definitions do not have is a [`CompileError`], never an empty answer.
//! What the language has beyond that parses and is refused by the compiler by name.

mod ast;
mod compile;
mod lexer;
mod parser;
mod program;

pub use ast::{BinaryOp, Expr, Literal, TypeOp, UnaryOp};
pub use compile::{CompileError, compile};
pub use parser::{ParseError, parse};
pub use program::{Branch, NodeType, Output, Pick, Program, Source, Step, Test};
