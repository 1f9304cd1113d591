//! `FHIRPath` Patch (R4 fhirpatch.html): operations in a Parameters resource.

mod edit;
mod place;
mod read;
mod value;

use iris_fhir::definitions::name_of;
use iris_fhir::{Json, Resource};
use iris_fhirpath::{Context, Expr, FUEL_MAX, Focus, Item, Limits, Node, Program, Settings, compile};
use iris_kernel::Timestamp;

use crate::fault::{PatchFault, PatchFaultKind};
use crate::same::identity_faults;
use crate::work::Work;
use crate::{OUTCOME_BYTES_MAX, PATH_STEPS_MIN, WORK_MAX};

use value::Brought;

/// A patch that has been read: every operation has what it needs, and every path is an expression.
#[derive(Clone, Debug)]
pub struct FhirPathPatch {
    parameters: Resource,
    operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
struct Operation {
    path: Expr,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    /// Adds an element of this name to the element at the path.
    Add(String),
    /// Adds an item to the list at the path, at this position.
    Insert(usize),
    /// Removes the element at the path, if it is there.
    Delete,
    /// Puts another in the place of the element at the path.
    Replace,
    /// Moves an item of the list at the path from one position to another.
    Move(usize, usize),
}

/// What is wrong with an operation: its sort and words for it.
type Refusal = (PatchFaultKind, String);

fn target<T>(what: impl Into<String>) -> Result<T, Refusal> {
    Err((PatchFaultKind::Target, what.into()))
}

impl FhirPathPatch {
    /// Reads a patch.
    ///
    /// # Errors
    /// Everything that is wrong with the document: another resource than Parameters, operations that do not exist or lack
    /// something or have too much, paths that are no expression, too many operations. At most
    /// [`iris_kernel::limits::FAULTS_MAX`] are listed, and one more counts the rest.
    pub fn read(parameters: Resource) -> Result<Self, Vec<PatchFault>> {
        let operations = read::operations(&parameters)?;
        Ok(Self { parameters, operations })
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

    /// Applies all operations, one after the other, to a resource, which stays the same resource: of its type and with its
    /// id. `now` is for expressions that ask for it.
    ///
    /// # Errors
    /// The first operation that cannot be applied, or those of [`identity_faults`]; nothing has been changed then.
    pub fn apply_to(&self, resource: &Resource, now: Timestamp) -> Result<Resource, Vec<PatchFault>> {
        let mut work = Work::new(WORK_MAX);
        let mut json = resource.json().clone();
        for (at, operation) in self.operations.iter().enumerate() {
            let fault = |(kind, what): Refusal| vec![PatchFault::of(at, "", kind, what)];
            let program = self.program(operation, resource).map_err(fault)?;
            // The document is read and written for each operation.
            work.charge(2 * json.text().len()).map_err(|(kind, what)| fault((kind, what.to_owned())))?;
            let brought = read::brought(&self.parameters, at);
            let text = self.apply(operation, &program, brought.as_ref(), &json, now).map_err(fault)?;
            if text.len() > OUTCOME_BYTES_MAX {
                return Err(fault((PatchFaultKind::Limit, "The outcome would be larger than is allowed".to_owned())));
            }
            json = Json::parse(text)
                .map_err(|error| fault((PatchFaultKind::Limit, format!("The outcome cannot be read: {error}"))))?;
        }
        let patched = Resource::from_json(json).map_err(|error| {
            vec![PatchFault::whole(PatchFaultKind::Identity, format!("The outcome is no resource: {error}"))]
        })?;
        let faults = identity_faults(resource, &patched);
        if faults.is_empty() { Ok(patched) } else { Err(faults) }
    }

    fn program(&self, operation: &Operation, resource: &Resource) -> Result<Program, Refusal> {
        compile(&operation.path, &Settings::strict(Focus::Resource(resource.kind()))).map_err(|error| {
            let what = format!("The path has no meaning for {}: {error}", name_of(resource.kind()));
            (PatchFaultKind::Target, what)
        })
    }

    /// The compact text after one operation.
    fn apply(
        &self,
        operation: &Operation,
        program: &Program,
        brought: Option<&Brought<'_>>,
        json: &Json,
        now: Timestamp,
    ) -> Result<Vec<u8>, Refusal> {
        let Some(root) = Node::resource(json.root()) else { return target("The resource has no type any more") };
        let items = program
            .evaluate(Item::Node(root), &Context { limits: self.limits(), ..Context::of(root, now) })
            .map_err(|error| (PatchFaultKind::Target, format!("The path cannot be evaluated: {error}")))?;
        let nodes: Option<Vec<Node<'_>>> = items.iter().map(Item::node).collect();
        let Some(nodes) = nodes else {
            return target("The path gives values, not elements of the resource");
        };
        match (&operation.change, brought) {
            (Change::Add(name), Some(brought)) => edit::add(json, &one(&nodes)?, name, brought),
            (Change::Insert(index), Some(brought)) => edit::insert(json, &nodes, *index, brought),
            (Change::Replace, Some(brought)) => edit::replace(json, &one(&nodes)?, brought),
            (Change::Move(from, to), _) => edit::reorder(json, &nodes, *from, *to),
            (Change::Delete, _) if nodes.is_empty() => Ok(json.compact()),
            (Change::Delete, _) => edit::delete(json, &one(&nodes)?),
            // The reader lets no such operation pass.
            (_, None) => Err((PatchFaultKind::Document, "This operation has a value".to_owned())),
        }
    }

    /// What one path may take: all of them share what one expression may.
    fn limits(&self) -> Limits {
        let paths = u64::try_from(self.operations.len()).unwrap_or(u64::MAX).max(1);
        Limits { fuel: (FUEL_MAX / paths).max(PATH_STEPS_MIN), ..Limits::default() }
    }
}

/// The one element that a path leads to.
fn one<'a>(nodes: &[Node<'a>]) -> Result<Node<'a>, Refusal> {
    match nodes {
        [node] => Ok(*node),
        [] => target("There is nothing at this path"),
        _ => target("There is more than one element at this path"),
    }
}
