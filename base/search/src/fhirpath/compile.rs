//! Syntax tree to program, with every type known on the way.

use std::fmt;

use iris_kernel::Kind;

use super::program::{Branch, NodeType, Output, Pick, Program, Source, Step, Test};
use super::{BinaryOp, Expr, Literal, TypeOp};
use iris_fhir::definitions::{Definitions, ElementType, Shape, definitions};

/// Why an expression has no program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// The definitions have no such element there.
    NoElement {
        /// The type that was looked in.
        of: String,
        /// The element.
        name: String,
    },
    /// A path begins with a type that the resource is not.
    OtherType(String),
    /// Part of the language, but not compiled yet.
    NotSupported(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoElement { of, name } => write!(f, "{of} has no element {name}"),
            Self::OtherType(name) => write!(f, "the resource is no {name}"),
            Self::NotSupported(what) => write!(f, "{what} is not supported"),
        }
    }
}

impl std::error::Error for CompileError {}

/// Compiles an expression whose focus is a resource of this kind.
///
/// # Errors
/// An element that the definitions do not have, a path over another resource type, or a part of the language that is not
/// compiled yet.
pub fn compile(expr: &Expr, kind: Kind) -> Result<Program, CompileError> {
    let definitions = definitions();
    let name = definitions.name_of(kind);
    let index = definitions.structures().iter().position(|structure| structure.name == name);
    let index =
        index.and_then(|index| u16::try_from(index).ok()).ok_or_else(|| CompileError::OtherType(name.to_owned()))?;
    let compiler = Compiler { definitions };
    let focus = Focus { of: NodeType { name, shape: Shape::Complex(index), codes: None }, is_resource: true };
    let output = if is_test(expr) {
        Output::Test(compiler.test(expr, focus)?)
    } else {
        Output::Nodes(compiler.nodes(expr, focus)?)
    };
    Ok(Program { output })
}

/// What `$this` is.
#[derive(Clone, Copy)]
struct Focus {
    of: NodeType,
    is_resource: bool,
}

struct Compiler {
    definitions: &'static Definitions,
}

impl Compiler {
    /// The paths of an expression that yields values of the document.
    fn nodes(&self, expr: &Expr, focus: Focus) -> Result<Vec<Branch>, CompileError> {
        match expr {
            Expr::This => Ok(vec![this(focus)]),
            Expr::Member { of: None, name } => self.first_member(name, focus),
            Expr::Member { of: Some(of), name } => self.member(self.nodes(of, focus)?, name),
            Expr::Item { of, index } => match &**index {
                Expr::Literal(Literal::Number(number)) => {
                    let index = number.parse().map_err(|_| not_supported("an index that is no whole number"))?;
                    pick(self.nodes(of, focus)?, Pick::At(index))
                }
                _ => Err(not_supported("a computed index")),
            },
            Expr::Binary { op: BinaryOp::Union, left, right } => {
                let mut branches = self.nodes(left, focus)?;
                branches.extend(self.nodes(right, focus)?);
                Ok(branches)
            }
            Expr::Type { op: TypeOp::As, operand, name } => Ok(of_type(self.nodes(operand, focus)?, name)),
            Expr::Call { of, name, arguments } => {
                let of = match of {
                    Some(of) => self.nodes(of, focus)?,
                    None => vec![this(focus)],
                };
                self.call(of, name, arguments)
            }
            _ => Err(not_supported("this operator where values of the document are expected")),
        }
    }

    fn call(&self, of: Vec<Branch>, name: &str, arguments: &[Expr]) -> Result<Vec<Branch>, CompileError> {
        match (name, arguments) {
            ("as" | "ofType", [name]) => Ok(of_type(of, &type_argument(name)?)),
            ("where", [criterion]) => self.filter(of, |compiler, focus| compiler.test(criterion, focus)),
            ("extension", [Expr::Literal(Literal::String(url))]) => {
                let extensions = self.member(of, "extension")?;
                self.filter(extensions, |compiler, focus| {
                    Ok(Test::Text(compiler.first_member("url", focus)?, url.clone().into()))
                })
            }
            ("first", []) => pick(of, Pick::At(0)),
            ("last", []) => pick(of, Pick::Last),
            _ => Err(not_supported(&format!("the function {name}()"))),
        }
    }

    /// Puts a test at the end of each path, compiled for the type that the path leads to.
    fn filter(
        &self,
        mut branches: Vec<Branch>,
        test: impl Fn(&Self, Focus) -> Result<Test, CompileError>,
    ) -> Result<Vec<Branch>, CompileError> {
        for branch in &mut branches {
            let focus = Focus { of: branch.leads_to, is_resource: false };
            branch.steps.push(Step::Where(test(self, focus)?));
        }
        Ok(branches)
    }

    /// A name at the start of a path: the type of the resource, or an element of the focus.
    fn first_member(&self, name: &str, focus: Focus) -> Result<Vec<Branch>, CompileError> {
        let is_type = focus.is_resource && name.starts_with(|first: char| first.is_ascii_uppercase());
        if !is_type {
            return self.member(vec![this(focus)], name);
        }
        if [focus.of.name, "Resource", "DomainResource"].contains(&name) {
            Ok(vec![this(focus)])
        } else {
            Err(CompileError::OtherType(name.to_owned()))
        }
    }

    /// Takes each path one element further. A path whose type lacks the element ends; if all do, it is an error.
    fn member(&self, from: Vec<Branch>, name: &str) -> Result<Vec<Branch>, CompileError> {
        let no_element = CompileError::NoElement {
            of: from.first().map_or("nothing", |branch| branch.leads_to.name).to_owned(),
            name: name.to_owned(),
        };
        let mut branches = Vec::new();
        for branch in from {
            let Shape::Complex(index) = branch.leads_to.shape else { continue };
            let structure = self.definitions.structure_at(index);
            let Some(element) = structure.and_then(|structure| structure.element(name)) else { continue };
            for of_type in &element.types {
                let member = if element.choice { choice_name(name, of_type.name) } else { name.to_owned() };
                let mut longer = branch.clone();
                longer.steps.push(Step::Member(member.into_boxed_str()));
                longer.leads_to = node_type(of_type);
                branches.push(longer);
            }
        }
        if branches.is_empty() { Err(no_element) } else { Ok(branches) }
    }

    /// The test of an expression that yields a truth value.
    fn test(&self, expr: &Expr, focus: Focus) -> Result<Test, CompileError> {
        match expr {
            Expr::Literal(Literal::Boolean(value)) => Ok(Test::Constant(*value)),
            Expr::Type { op: TypeOp::Is, operand, name } => self.is(operand, name, focus),
            Expr::Binary { op, left, right } => match op {
                BinaryOp::And => Ok(Test::And(self.boxed(left, focus)?, self.boxed(right, focus)?)),
                BinaryOp::Or => Ok(Test::Or(self.boxed(left, focus)?, self.boxed(right, focus)?)),
                BinaryOp::Implies => {
                    Ok(Test::Or(Box::new(Test::Not(self.boxed(left, focus)?)), self.boxed(right, focus)?))
                }
                BinaryOp::Equal => self.equal(left, right, focus),
                BinaryOp::NotEqual => Ok(Test::Not(Box::new(self.equal(left, right, focus)?))),
                _ => Err(not_supported(&format!("the operator {op:?} in a test"))),
            },
            Expr::Call { of, name, arguments } => self.test_call(of.as_deref(), name, arguments, focus),
            _ => Ok(Test::True(self.nodes(expr, focus)?)),
        }
    }

    fn boxed(&self, expr: &Expr, focus: Focus) -> Result<Box<Test>, CompileError> {
        self.test(expr, focus).map(Box::new)
    }

    fn test_call(&self, of: Option<&Expr>, name: &str, arguments: &[Expr], focus: Focus) -> Result<Test, CompileError> {
        let of = of.unwrap_or(&Expr::This);
        match (name, arguments) {
            ("exists" | "hasValue", []) => Ok(Test::Exists(self.nodes(of, focus)?)),
            ("exists", [criterion]) => {
                let found = self.filter(self.nodes(of, focus)?, |compiler, focus| compiler.test(criterion, focus))?;
                Ok(Test::Exists(found))
            }
            ("empty", []) => Ok(Test::Not(Box::new(Test::Exists(self.nodes(of, focus)?)))),
            ("not", []) => Ok(Test::Not(self.boxed(of, focus)?)),
            ("is", [name]) => self.is(of, &type_argument(name)?, focus),
            _ => Err(not_supported(&format!("the function {name}()"))),
        }
    }

    fn is(&self, operand: &Expr, name: &str, focus: Focus) -> Result<Test, CompileError> {
        let name = name.strip_prefix("FHIR.").unwrap_or(name);
        let Expr::Call { of, name: function, arguments } = operand else {
            return Ok(Test::Exists(of_type(self.nodes(operand, focus)?, name)));
        };
        if function != "resolve" || !arguments.is_empty() {
            return Ok(Test::Exists(of_type(self.nodes(operand, focus)?, name)));
        }
        let kind = self.definitions.kind_of(name).ok_or_else(|| CompileError::OtherType(name.to_owned()))?;
        let references = self.nodes(of.as_deref().unwrap_or(&Expr::This), focus)?;
        Ok(Test::RefersTo(references, self.definitions.name_of(kind)))
    }

    fn equal(&self, left: &Expr, right: &Expr, focus: Focus) -> Result<Test, CompileError> {
        match (left, right) {
            (Expr::Literal(literal), nodes) | (nodes, Expr::Literal(literal)) => match literal {
                Literal::String(text) => Ok(Test::Text(self.nodes(nodes, focus)?, text.clone().into())),
                Literal::Boolean(value) => Ok(Test::Boolean(self.nodes(nodes, focus)?, *value)),
                _ => Err(not_supported("a comparison with this sort of constant")),
            },
            _ => Err(not_supported("a comparison of two paths")),
        }
    }
}

/// Whether an expression yields a truth value of its own rather than values of the document.
fn is_test(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Type { op: TypeOp::Is, .. } => true,
        Expr::Binary { op, .. } => *op != BinaryOp::Union,
        Expr::Call { name, .. } => ["exists", "hasValue", "empty", "not", "is"].contains(&name.as_str()),
        _ => false,
    }
}

/// The type that is the argument of `as(…)`, `is(…)` or `ofType(…)`.
fn type_argument(expr: &Expr) -> Result<String, CompileError> {
    match expr {
        Expr::Member { of: None, name } => Ok(name.clone()),
        Expr::Member { of: Some(of), name } => Ok(format!("{}.{name}", type_argument(of)?)),
        _ => Err(not_supported("a computed type")),
    }
}

fn not_supported(what: &str) -> CompileError {
    CompileError::NotSupported(what.to_owned())
}

const fn this(focus: Focus) -> Branch {
    Branch { source: Source::Focus, steps: Vec::new(), leads_to: focus.of }
}

fn this_type(branches: &[Branch]) -> Result<NodeType, CompileError> {
    branches.first().map(|branch| branch.leads_to).ok_or_else(|| not_supported("a function on nothing"))
}

const fn node_type(of: &ElementType) -> NodeType {
    NodeType { name: of.name, shape: of.shape, codes: of.codes }
}

/// `value` and `dateTime` make `valueDateTime`.
fn choice_name(element: &str, of_type: &str) -> String {
    let mut name = element.to_owned();
    let mut letters = of_type.chars();
    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
    name.push_str(letters.as_str());
    name
}

/// One value out of all that the paths lead to.
fn pick(of: Vec<Branch>, pick: Pick) -> Result<Vec<Branch>, CompileError> {
    let leads_to = this_type(&of)?;
    if of.iter().any(|branch| branch.leads_to != leads_to) {
        return Err(not_supported("one item out of values of several types"));
    }
    Ok(vec![Branch { source: Source::Pick(of, pick), steps: Vec::new(), leads_to }])
}

/// The paths that lead to a type or to a specialisation of it. R4's search parameters mean the exact type where they name
/// a primitive (`source as uri` is not the `canonical`), so only the quantities count as one family.
fn of_type(branches: Vec<Branch>, name: &str) -> Vec<Branch> {
    const QUANTITIES: [&str; 5] = ["Age", "Count", "Distance", "Duration", "SimpleQuantity"];
    let name = name.strip_prefix("FHIR.").unwrap_or(name);
    let fits = |own: &str| own == name || (name == "Quantity" && QUANTITIES.contains(&own));
    branches.into_iter().filter(|branch| fits(branch.leads_to.name)).collect()
}

#[cfg(test)]
#[path = "compile_tests.rs"]
mod tests;
