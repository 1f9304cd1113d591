//! What operators and functions give, by what they are given.

use crate::ast::BinaryOp;
use crate::error::CompileError;
use crate::function::{Function, Gives, Row, Target};
use crate::kinds::{Kind, Kinds};
use crate::model::TypeRef;
use crate::program::System;

pub(crate) const NUMBERS: [System; 3] = [System::Integer, System::Decimal, System::Quantity];
const MOMENTS: [System; 3] = [System::Date, System::DateTime, System::Time];

/// Refuses kinds of which none can be one of these types.
pub(crate) fn must_be(kinds: &Kinds, wanted: &[System], what: &str) -> Result<(), CompileError> {
    if kinds.may_be(wanted) { Ok(()) } else { Err(CompileError::Type { what: what.to_owned(), of: kinds.names() }) }
}

/// What `repeat()` may look at: what it starts with, unless that is of other types than what it finds.
pub(crate) fn repeated(input: &Kinds) -> Kinds {
    let all_complex = input.types.iter().flatten().all(|kind| matches!(kind, Kind::Fhir(TypeRef::Structure(_))));
    if all_complex { input.clone() } else { Kinds::unknown() }
}

/// What an operator gives for operands of these kinds.
///
/// # Errors
/// Kinds that it has no meaning for.
pub(crate) fn binary_kinds(op: BinaryOp, left: &Kinds, right: &Kinds) -> Result<Kinds, CompileError> {
    let only = |kinds: &Kinds, of: &[System]| {
        kinds.types.as_ref().is_some_and(|types| {
            !types.is_empty() && types.iter().all(|kind| kind.converts().is_some_and(|own| of.contains(&own)))
        })
    };
    match op {
        BinaryOp::Concatenate => {
            must_be(left, &[System::String], "&")?;
            must_be(right, &[System::String], "&")?;
            Ok(Kinds::system(System::String))
        }
        BinaryOp::Add | BinaryOp::Subtract => {
            if only(left, &MOMENTS) {
                must_be(right, &[System::Quantity], op.symbol())?;
                return Ok(left.clone());
            }
            arithmetic_kinds(left, right, &only)
        }
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::WholeDivide | BinaryOp::Modulo => {
            must_be(left, &NUMBERS, op.symbol())?;
            must_be(right, &NUMBERS, op.symbol())?;
            if op == BinaryOp::Divide { Ok(Kinds::unknown()) } else { arithmetic_kinds(left, right, &only) }
        }
        _ => Ok(Kinds::system(System::Boolean)),
    }
}

fn arithmetic_kinds(
    left: &Kinds,
    right: &Kinds,
    only: &dyn Fn(&Kinds, &[System]) -> bool,
) -> Result<Kinds, CompileError> {
    let both = |of: System| only(left, &[of]) && only(right, &[of]);
    Ok([System::Integer, System::Decimal, System::String]
        .into_iter()
        .find(|of| both(*of))
        .map_or_else(Kinds::unknown, Kinds::system))
}

/// What a function gives that is called on `input`.
pub(crate) fn gives(row: &Row, input: &Kinds, arguments: &[Kinds]) -> Kinds {
    match row.function {
        Function::Select => {
            let mut kinds = arguments.first().cloned().unwrap_or_default();
            kinds.ordered &= input.ordered;
            return kinds;
        }
        Function::Iif => {
            return arguments.iter().skip(1).fold(Kinds::none(), |kinds, argument| kinds.or(argument));
        }
        Function::Extension => {
            return TypeRef::named("Extension").map_or_else(Kinds::unknown, |of| Kinds::one(Kind::Fhir(of)));
        }
        Function::Resolve => return Kinds::one(Kind::Resource),
        Function::Children | Function::Descendants => return Kinds { types: None, ordered: false },
        Function::Type => return Kinds::one(Kind::TypeInfo),
        Function::Sort => return Kinds { types: input.types.clone(), ordered: true },
        _ => {}
    }
    match row.gives {
        Gives::Boolean => Kinds::system(System::Boolean),
        Gives::Integer => Kinds::system(System::Integer),
        Gives::Decimal => Kinds::system(System::Decimal),
        Gives::Text | Gives::Texts => Kinds::system(System::String),
        Gives::Input => input.clone(),
        Gives::InputAndArgument => arguments.first().map_or_else(Kinds::unknown, |argument| input.clone().or(argument)),
        Gives::Target(target) => Kinds::system(match target {
            Target::Boolean => System::Boolean,
            Target::Date => System::Date,
            Target::DateTime => System::DateTime,
            Target::Decimal => System::Decimal,
            Target::Integer => System::Integer,
            Target::Quantity => System::Quantity,
            Target::String => System::String,
            Target::Time => System::Time,
        }),
        Gives::Unknown => Kinds::unknown(),
    }
}
