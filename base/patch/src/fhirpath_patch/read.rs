//! Reading the operations of a Parameters resource.

use iris_fhir::definitions::name_of;
use iris_fhir::{Resource, Value};
use iris_fhirpath::{Expr, parse};
use iris_kernel::limits;

use crate::OPERATIONS_MAX;
use crate::fault::{PatchFault, PatchFaultKind};

use super::value::Brought;
use super::{Change, Operation};

/// The parts that an operation may have.
const PARTS: [&str; 7] = ["type", "path", "name", "value", "index", "source", "destination"];

/// What an operation needs beside its type and path.
const NEEDED: [(&str, &[&str]); 5] = [
    ("add", &["name", "value"]),
    ("insert", &["index", "value"]),
    ("delete", &[]),
    ("replace", &["value"]),
    ("move", &["source", "destination"]),
];

fn parameters(resource: &Resource) -> impl Iterator<Item = Value<'_>> {
    resource.root().get("parameter").into_iter().flat_map(Value::items)
}

/// Reads all operations, with every fault at once.
pub(super) fn operations(resource: &Resource) -> Result<Vec<Operation>, Vec<PatchFault>> {
    let whole = |kind, what: String| vec![PatchFault::whole(kind, what)];
    if name_of(resource.kind()) != "Parameters" {
        return Err(whole(PatchFaultKind::Document, "A FHIRPath Patch is a Parameters resource".to_owned()));
    }
    if parameters(resource).count() > OPERATIONS_MAX {
        let what = format!("A patch has at most {OPERATIONS_MAX} operations");
        return Err(whole(PatchFaultKind::Limit, what));
    }
    let mut operations = Vec::new();
    let mut faults = Vec::new();
    for (at, parameter) in parameters(resource).enumerate() {
        let mut reader = Reader { at, parameter, faults: &mut faults };
        operations.extend(reader.operation());
    }
    if faults.len() > limits::FAULTS_MAX {
        let more = faults.len() - limits::FAULTS_MAX;
        faults.truncate(limits::FAULTS_MAX);
        faults.push(PatchFault::whole(PatchFaultKind::Document, format!("There are {more} more faults")));
    }
    if faults.is_empty() { Ok(operations) } else { Err(faults) }
}

/// The value that an operation brings.
pub(super) fn brought(resource: &Resource, at: usize) -> Option<Brought<'_>> {
    let parameter = parameters(resource).nth(at)?;
    Brought::of(part(parameter, "value")?)
}

fn part<'a>(parameter: Value<'a>, name: &str) -> Option<Value<'a>> {
    parameter.get("part")?.items().find(|part| part.str_of("name").as_deref() == Some(name))
}

struct Reader<'a, 'b> {
    at: usize,
    parameter: Value<'a>,
    faults: &'b mut Vec<PatchFault>,
}

impl Reader<'_, '_> {
    fn fault(&mut self, member: &'static str, what: impl Into<String>) {
        self.faults.push(PatchFault::of(self.at, member, PatchFaultKind::Document, what));
    }

    fn operation(&mut self) -> Option<Operation> {
        if self.parameter.str_of("name").as_deref() != Some("operation") {
            self.fault("", "Every parameter of a patch is an operation");
            return None;
        }
        let before = self.faults.len();
        let of_type = self.text("type", "valueCode");
        let path = self.path();
        let Some(of_type) = of_type else {
            self.fault("type", "An operation has a type: add, insert, delete, replace or move");
            return None;
        };
        let Some((_, needed)) = NEEDED.iter().find(|(name, _)| *name == of_type) else {
            self.fault("type", "There is no such operation: it is add, insert, delete, replace or move");
            return None;
        };
        self.parts(needed);
        let change = match &*of_type {
            "add" => self.text("name", "valueString").map(Change::Add),
            "insert" => self.index("index").map(Change::Insert),
            "delete" => Some(Change::Delete),
            "replace" => Some(Change::Replace),
            _ => self.index("source").zip(self.index("destination")).map(|(from, to)| Change::Move(from, to)),
        };
        if needed.contains(&"value") && part(self.parameter, "value").is_some_and(|part| Brought::of(part).is_none()) {
            self.fault("value", "The value is one value[x], one resource, or named parts that are");
        }
        let (path, change) = path.zip(change)?;
        (self.faults.len() == before).then_some(Operation { path, change })
    }

    /// Every part is known, there once, and of use; and none is missing.
    fn parts(&mut self, needed: &[&str]) {
        let mut seen = Vec::new();
        let parts = self.parameter.get("part");
        if parts.map_or(0, Value::len) > PARTS.len() {
            self.fault("", format!("An operation has at most {} parts", PARTS.len()));
        }
        for part in parts.into_iter().flat_map(Value::items).take(PARTS.len()) {
            let name = part.str_of("name").unwrap_or_default();
            let Some(known) = PARTS.iter().find(|known| **known == name) else {
                self.fault(
                    "",
                    "An operation has no such part: it has type, path, name, value, index, source, destination",
                );
                continue;
            };
            if seen.contains(known) {
                self.fault(known, "This part is there twice");
            } else if !matches!(*known, "type" | "path") && !needed.contains(known) {
                self.fault(known, "This operation has no such part");
            }
            seen.push(*known);
        }
        for known in PARTS.iter().filter(|known| needed.contains(known) && !seen.contains(known)) {
            self.fault(known, "This operation needs this part");
        }
    }

    fn path(&mut self) -> Option<Expr> {
        let Some(text) = self.text("path", "valueString") else {
            self.fault("path", "An operation has a path: a FHIRPath expression in valueString");
            return None;
        };
        parse(&text).map_err(|error| self.fault("path", format!("The path is no FHIRPath expression: {error}"))).ok()
    }

    /// A string of a part. Clients differ in which of the types of strings they use.
    fn text(&self, name: &str, member: &str) -> Option<String> {
        let part = part(self.parameter, name)?;
        part.str_of(member).or_else(|| part.str_of("valueCode")).or_else(|| part.str_of("valueString")).map(Into::into)
    }

    fn index(&mut self, name: &'static str) -> Option<usize> {
        let part = part(self.parameter, name)?;
        let number = part.get("valueInteger").and_then(Value::number).and_then(|number| number.parse().ok());
        if number.is_none() {
            self.fault(name, "A position is a valueInteger from 0 on");
        }
        number
    }
}
