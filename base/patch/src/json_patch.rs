//! JSON Patch (RFC 6902).

use iris_fhir::resource::ParseError;
use iris_fhir::{Json, Resource, Value, ValueKind};
use iris_kernel::limits;

use crate::fault::{PatchFault, PatchFaultKind, Refusal};
use crate::node::Node;
use crate::pointer::Pointer;
use crate::same::identity_faults;
use crate::work::Work;
use crate::{OPERATIONS_MAX, OUTCOME_BYTES_MAX, WORK_MAX};

const NOT_A_PATCH: &str = "A JSON Patch is an array of operations";

/// A patch that has been read: every operation has what it needs.
#[derive(Clone, Debug)]
pub struct JsonPatch {
    json: Json,
    operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
struct Operation {
    path: Pointer,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Add,
    Remove,
    Replace,
    Move(Pointer),
    Copy(Pointer),
    Test,
}

impl JsonPatch {
    /// Reads a patch.
    ///
    /// # Errors
    /// Everything that is wrong with the document: no JSON, no array of objects, operations that do not exist or lack
    /// something, pointers that are none, too many operations. At most [`limits::FAULTS_MAX`] are listed, and one more counts
    /// the rest.
    pub fn parse(text: impl Into<bytes::Bytes>) -> Result<Self, Vec<PatchFault>> {
        let document = |what: String| vec![PatchFault::whole(PatchFaultKind::Document, what)];
        let json = Json::parse(text).map_err(|error| document(format!("The patch is not valid JSON: {error}")))?;
        let root = json.root();
        if root.kind() != ValueKind::Array {
            return Err(document(NOT_A_PATCH.to_owned()));
        }
        if root.len() > OPERATIONS_MAX {
            let what = format!("A patch has at most {OPERATIONS_MAX} operations");
            return Err(vec![PatchFault::whole(PatchFaultKind::Limit, what)]);
        }
        let mut operations = Vec::with_capacity(root.len());
        let mut faults = Vec::new();
        for (at, value) in root.items().enumerate() {
            operations.extend(read(at, value, &mut faults));
        }
        if faults.len() > limits::FAULTS_MAX {
            let more = faults.len() - limits::FAULTS_MAX;
            faults.truncate(limits::FAULTS_MAX);
            faults.push(PatchFault::whole(PatchFaultKind::Document, format!("There are {more} more faults")));
        }
        if faults.is_empty() { Ok(Self { json, operations }) } else { Err(faults) }
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are none: such a patch changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Applies all operations, one after the other, and gives the compact text of the outcome.
    ///
    /// # Errors
    /// The first operation that cannot be applied, or whose `test` fails; nothing has been changed then.
    pub fn apply(&self, document: &Json) -> Result<Vec<u8>, PatchFault> {
        self.apply_within(document, WORK_MAX, OUTCOME_BYTES_MAX)
    }

    /// [`JsonPatch::apply`] with other limits, so that a test can reach them.
    pub(crate) fn apply_within(
        &self,
        document: &Json,
        work_max: usize,
        bytes_max: usize,
    ) -> Result<Vec<u8>, PatchFault> {
        let mut work = Work::new(work_max);
        let mut root = Node::Kept(document.root());
        // More than the outcome has, never less: what is removed is not taken off.
        let mut size = document.text().len();
        for ((at, operation), value) in self.operations.iter().enumerate().zip(self.json.root().items()) {
            let brought = value.get("value");
            let applied = operation.apply(&mut root, brought, &mut size, &mut work);
            let applied = applied.and_then(|()| {
                let too_large = (PatchFaultKind::Limit, "The outcome would be larger than is allowed");
                if size > bytes_max { Err(too_large) } else { Ok(()) }
            });
            applied.map_err(|(kind, what)| PatchFault::of(at, operation.member_of(kind), kind, what))?;
        }
        let mut out = Vec::with_capacity(size);
        root.write(&mut out);
        Ok(out)
    }

    /// Applies the patch to a resource, which stays the same resource: of its type and with its id.
    ///
    /// # Errors
    /// Those of [`JsonPatch::apply`], and those of [`identity_faults`].
    pub fn apply_to(&self, resource: &Resource) -> Result<Resource, Vec<PatchFault>> {
        let text = self.apply(resource.json()).map_err(|fault| vec![fault])?;
        let patched = Resource::parse(text).map_err(|error| {
            let kind = match error {
                ParseError::Json(_) => PatchFaultKind::Limit,
                ParseError::NotAnObject | ParseError::NoType | ParseError::UnknownType(_) => PatchFaultKind::Identity,
            };
            vec![PatchFault::whole(kind, format!("The outcome is no resource: {error}"))]
        })?;
        let faults = identity_faults(resource, &patched);
        if faults.is_empty() { Ok(patched) } else { Err(faults) }
    }
}

/// Reads one operation. Members that no operation has are ignored (RFC 6902, 4).
fn read(at: usize, value: Value<'_>, faults: &mut Vec<PatchFault>) -> Option<Operation> {
    let mut fault = |member, what: &str| faults.push(PatchFault::of(at, member, PatchFaultKind::Document, what));
    if value.kind() != ValueKind::Object {
        fault("", "An operation is a JSON object");
        return None;
    }
    let path = pointer(value, "path", &mut fault);
    let Some(name) = value.str_of("op") else {
        fault("op", "An operation has a name: add, remove, replace, move, copy or test");
        return None;
    };
    let mut from = || pointer(value, "from", &mut fault);
    let change = match &*name {
        "add" => Change::Add,
        "remove" => Change::Remove,
        "replace" => Change::Replace,
        "test" => Change::Test,
        "move" => Change::Move(from()?),
        "copy" => Change::Copy(from()?),
        _ => {
            fault("op", "There is no such operation: it is add, remove, replace, move, copy or test");
            return None;
        }
    };
    if matches!(change, Change::Add | Change::Replace | Change::Test) && value.get("value").is_none() {
        fault("value", "This operation has a value");
        return None;
    }
    let path = path?;
    if matches!(&change, Change::Move(from) if path.is_inside(from)) {
        fault("path", "Nothing can be moved into itself");
        return None;
    }
    Some(Operation { path, change })
}

fn pointer(operation: Value<'_>, member: &'static str, fault: &mut impl FnMut(&'static str, &str)) -> Option<Pointer> {
    let Some(text) = operation.str_of(member) else {
        fault(member, "This operation has a JSON pointer here");
        return None;
    };
    Pointer::parse(&text).map_err(|what| fault(member, what)).ok()
}

impl Operation {
    fn apply<'a>(
        &self,
        root: &mut Node<'a>,
        brought: Option<Value<'a>>,
        size: &mut usize,
        work: &mut Work,
    ) -> Result<(), Refusal> {
        let tokens = self.path.tokens();
        let value = brought.map(Node::Kept);
        match (&self.change, value) {
            (Change::Add, Some(value)) => {
                *size += value.size(work)? + self.name_size();
                root.add(tokens, value, work)
            }
            (Change::Replace, Some(value)) => {
                *size += value.size(work)?;
                root.replace(tokens, value, work)
            }
            (Change::Test, _) => {
                let found = root.at(tokens, work)?;
                let equal = match brought {
                    Some(value) => found.equals(value, work)?,
                    None => false,
                };
                let different = (PatchFaultKind::Test, "The test failed: something else is there");
                if equal { Ok(()) } else { Err(different) }
            }
            (Change::Remove, _) => root.remove(tokens, work).map(drop),
            (Change::Move(from), _) if *from == self.path => root.at(tokens, work).map(|_| ()),
            (Change::Move(from), _) => {
                let value = root.remove(from.tokens(), work)?;
                *size += self.name_size();
                root.add(tokens, value, work)
            }
            (Change::Copy(from), _) => {
                let source = root.at(from.tokens(), work)?;
                *size += source.size(work)? + self.name_size();
                let value = source.clone();
                root.add(tokens, value, work)
            }
            // The reader lets no such operation pass.
            (Change::Add | Change::Replace, None) => Err((PatchFaultKind::Document, "This operation has a value")),
        }
    }

    /// What the name of a new member takes.
    fn name_size(&self) -> usize {
        self.path.tokens().last().map_or(0, |name| 6 * name.len() + 4)
    }

    /// The member of the operation that a fault of this sort is about.
    fn member_of(&self, kind: PatchFaultKind) -> &'static str {
        match (kind, &self.change) {
            (PatchFaultKind::Test, _) => "value",
            (PatchFaultKind::Target, Change::Add | Change::Remove | Change::Replace | Change::Test) => "path",
            _ => "",
        }
    }
}
