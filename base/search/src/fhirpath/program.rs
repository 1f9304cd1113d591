//! A compiled expression: paths of member names with tests in between, and how they run over a document.

use iris_fhir::definitions::Shape;
use iris_fhir::json::{Value, ValueKind};

/// The static type of what a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeType {
    /// Name of the type: `code`, `HumanName`, the path of a part (`Patient.contact`), or a resource type.
    pub name: &'static str,
    /// What it looks like in JSON.
    pub shape: Shape,
    /// The codes that a required binding allows ([`iris_fhir::Definitions::code_list`]).
    pub codes: Option<u16>,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it yields.
    pub output: Output,
}

/// What an expression yields.
#[derive(Clone, Debug)]
pub enum Output {
    /// Values of the document, each by one of these paths (a union has several).
    Nodes(Vec<Branch>),
    /// A truth value.
    Test(Test),
}

/// One path.
#[derive(Clone, Debug)]
pub struct Branch {
    /// Where it starts.
    pub source: Source,
    /// What is done from there.
    pub steps: Vec<Step>,
    /// The type of each value at its end.
    pub leads_to: NodeType,
}

/// Where a path starts.
#[derive(Clone, Debug)]
pub enum Source {
    /// At the focus: the resource, or inside `where` the value that is tested.
    Focus,
    /// At one value out of those that other paths lead to.
    Pick(Vec<Branch>, Pick),
}

/// Which value of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// The one at this position, from 0.
    At(usize),
    /// The last.
    Last,
}

/// One step of a path.
#[derive(Clone, Debug)]
pub enum Step {
    /// To the JSON member of this name; to each of its items if it is an array.
    Member(Box<str>),
    /// On, if the test is true.
    Where(Test),
}

/// A truth value; `None` when the language calls it empty.
#[derive(Clone, Debug)]
pub enum Test {
    /// Always this.
    Constant(bool),
    /// Some path leads to a value.
    Exists(Vec<Branch>),
    /// The one value is `true`.
    True(Vec<Branch>),
    /// The one value equals the text.
    Text(Vec<Branch>, Box<str>),
    /// The one value equals the truth value; a value of another type does not.
    Boolean(Vec<Branch>, bool),
    /// The focus is a reference that leads to a resource of this type, as far as its text tells.
    RefersTo(Vec<Branch>, &'static str),
    /// Not.
    Not(Box<Test>),
    /// Both.
    And(Box<Test>, Box<Test>),
    /// At least one.
    Or(Box<Test>, Box<Test>),
}

impl Branch {
    /// Calls `visit` with each value that the path leads to, in document order. `root` is the resource, in which contained
    /// resources are looked up.
    pub fn each<'a>(&self, root: Value<'a>, focus: Value<'a>, visit: &mut dyn FnMut(Value<'a>)) {
        match &self.source {
            Source::Focus => walk(&self.steps, root, focus, visit),
            Source::Pick(of, pick) => {
                let mut left = if let Pick::At(index) = pick { *index } else { usize::MAX };
                let mut picked = None;
                each(of, root, focus, &mut |value| {
                    if *pick == Pick::Last || left == 0 {
                        picked = Some(value);
                    }
                    left = left.wrapping_sub(1);
                });
                if let Some(value) = picked {
                    walk(&self.steps, root, value, visit);
                }
            }
        }
    }
}

/// [`Branch::each`] of each path in turn.
fn each<'a>(branches: &[Branch], root: Value<'a>, focus: Value<'a>, visit: &mut dyn FnMut(Value<'a>)) {
    for branch in branches {
        branch.each(root, focus, visit);
    }
}

fn walk<'a>(steps: &[Step], root: Value<'a>, value: Value<'a>, visit: &mut dyn FnMut(Value<'a>)) {
    let Some((step, rest)) = steps.split_first() else {
        return visit(value);
    };
    match step {
        Step::Member(name) => {
            let Some(member) = value.get(name) else { return };
            match member.kind() {
                // A null stands in an array of primitives where only an extension is; it is no value.
                ValueKind::Null => {}
                ValueKind::Array => {
                    for item in member.items().filter(|item| !item.is_null()) {
                        walk(rest, root, item, visit);
                    }
                }
                _ => walk(rest, root, member, visit),
            }
        }
        Step::Where(test) => {
            if test.holds(root, value) == Some(true) {
                walk(rest, root, value, visit);
            }
        }
    }
}

/// The value, if there is exactly one.
fn single<'a>(branches: &[Branch], root: Value<'a>, focus: Value<'a>) -> Option<Value<'a>> {
    let mut found = None;
    let mut count = 0;
    each(branches, root, focus, &mut |value| {
        found = Some(value);
        count += 1;
    });
    found.filter(|_| count == 1)
}

impl Test {
    /// The truth value with `focus` as `$this`, in three-valued logic.
    #[must_use]
    pub fn holds<'a>(&self, root: Value<'a>, focus: Value<'a>) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Exists(branches) => {
                let mut found = false;
                each(branches, root, focus, &mut |_| found = true);
                Some(found)
            }
            Self::True(branches) => single(branches, root, focus)?.as_bool(),
            Self::Text(branches, text) => {
                Some(single(branches, root, focus)?.as_str().is_some_and(|own| *own == **text))
            }
            Self::Boolean(branches, value) => Some(single(branches, root, focus)?.as_bool() == Some(*value)),
            Self::RefersTo(branches, kind) => leads_to(root, single(branches, root, focus)?, kind),
            Self::Not(test) => test.holds(root, focus).map(|value| !value),
            Self::And(left, right) => match (left.holds(root, focus), right.holds(root, focus)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Self::Or(left, right) => match (left.holds(root, focus), right.holds(root, focus)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
        }
    }
}

/// Whether a `Reference` leads to a type: by its text, for a contained resource by that resource, otherwise by
/// `Reference.type`. `None` when nothing tells.
fn leads_to(root: Value<'_>, reference: Value<'_>, kind: &str) -> Option<bool> {
    if let Some(text) = reference.get("reference").and_then(Value::as_str) {
        if let Some(id) = text.strip_prefix('#') {
            return Some(contained(root, id)?.get("resourceType")?.as_str()? == kind);
        }
        if let Some(own) = kind_in_url(&text) {
            return Some(own == kind);
        }
    }
    Some(reference.get("type")?.as_str()? == kind)
}

fn contained<'a>(root: Value<'a>, id: &str) -> Option<Value<'a>> {
    root.get("contained")?
        .items()
        .find(|resource| resource.get("id").and_then(Value::as_str).is_some_and(|own| own == id))
}

/// `Patient` of `Patient/1`, `http://example.org/fhir/Patient/1` and both with `/_history/2` after them.
fn kind_in_url(text: &str) -> Option<&str> {
    let mut parts = text.rsplit('/');
    let (mut id, mut kind) = (parts.next()?, parts.next()?);
    if kind == "_history" {
        (id, kind) = (parts.next()?, parts.next()?);
    }
    (!id.is_empty() && kind.starts_with(|first: char| first.is_ascii_uppercase())).then_some(kind)
}
