//! A record as a change sees it whose caller does not see all of it. Where something is masked for them stands a veil: a text that
//! nobody can guess and that is nowhere else. Nothing can be tested, copied or sent elsewhere through it, and what is behind it comes
//! back into its place when the change is done. So a path that fits the record as its caller reads it fits what the change works on.

use iris_access::Caller;
use iris_fhir::Resource;
use iris_fhir::classes::{identified, may_hold_identifiers};
use iris_fhir::json::{Edits, Value, ValueKind, write_string};
use iris_kernel::{Entropy, ErrorKind, Fault};

use crate::mask::Sight;
use crate::refusal::Refusal;
use crate::stored::Stored;

/// What stands beside the value of an Identifier and may be the value in other words.
const BESIDE: [&str; 2] = ["_value", "extension"];
/// The narrative of a veil: XHTML, as it must be.
const DIV: [&str; 2] = ["<div xmlns=\"http://www.w3.org/1999/xhtml\">", "</div>"];

/// Something that is veiled.
#[derive(Debug)]
struct Hidden {
    /// What stands in its place.
    veil: String,
    /// The value as JSON.
    value: Vec<u8>,
    /// Members beside it, as JSON.
    beside: Vec<(&'static str, Vec<u8>)>,
    sort: Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Identifier,
    Narrative,
}

/// A record with veils.
#[derive(Debug)]
pub(crate) struct Veiled {
    resource: Resource,
    /// What every veil begins with.
    mark: String,
    hidden: Vec<Hidden>,
}

impl Veiled {
    /// The record, of which `whole` is the content, with veils; nothing where its caller sees all of it.
    pub(crate) fn of(
        caller: &Caller,
        before: &Stored,
        whole: &Resource,
        entropy: &dyn Entropy,
    ) -> Result<Option<Self>, Refusal> {
        let masked = Sight::of(caller, before.kind, &before.head.patients) == Sight::Masked;
        if !masked || !may_hold_identifiers(whole.json().text()) {
            return Ok(None);
        }
        let mark = format!("veil-{}-", entropy.uuid());
        let (mut hidden, mut edits) = (Vec::new(), Edits::new());
        identified(whole.root(), &mut |one| {
            let veil = format!("{mark}{}", hidden.len());
            edits.replace(one.value, quoted(&veil));
            let beside = BESIDE.into_iter().filter_map(|name| Some((name, one.object.get(name)?.raw().to_vec())));
            let beside: Vec<_> = beside.collect();
            for (name, _) in &beside {
                edits.remove_member(one.object, name);
            }
            hidden.push(Hidden { veil, value: one.value.raw().to_vec(), beside, sort: Sort::Identifier });
        });
        if hidden.is_empty() {
            return Ok(None);
        }
        narratives(whole.root(), &mut |div| {
            let veil = format!("{}{mark}{}{}", DIV[0], hidden.len(), DIV[1]);
            edits.replace(div, quoted(&veil));
            hidden.push(Hidden { veil, value: div.raw().to_vec(), beside: Vec::new(), sort: Sort::Narrative });
        });
        let resource = Resource::parse(whole.json().edited(edits))
            .map_err(|e| Refusal::caused(ErrorKind::Internal, "the record could not be veiled", e))?;
        Ok(Some(Self { resource, mark, hidden }))
    }

    /// What a change may see.
    pub(crate) const fn resource(&self) -> &Resource {
        &self.resource
    }

    /// What a change has made, with everything back in its place.
    ///
    /// # Errors
    /// Something veiled was removed, copied, or put where it would be shown; by its place in what was made.
    pub(crate) fn lifted(&self, made: &Resource) -> Result<Resource, Refusal> {
        let (mut faults, mut back, mut edits) = (Vec::new(), vec![false; self.hidden.len()], Edits::new());
        let mut places = 0;
        let mut put_back = |value: Value<'_>, object: Value<'_>, sort: Sort| {
            let text = value.as_str().unwrap_or_default();
            let Some(at) = self.hidden.iter().position(|hidden| hidden.sort == sort && hidden.veil == text) else {
                return;
            };
            let hidden = &self.hidden[at];
            places += 1;
            if std::mem::replace(&mut back[at], true) {
                faults.push(Fault::new(value.pointer(), "is masked for you and cannot be copied"));
            }
            edits.replace(value, hidden.value.clone());
            for (name, beside) in &hidden.beside {
                if object.get(name).is_some() {
                    let what = "what stands beside a value that is masked for you cannot be changed";
                    faults.push(Fault::new(value.pointer(), what));
                }
                edits.insert_first(object, name, beside.clone());
            }
        };
        identified(made.root(), &mut |one| put_back(one.value, one.object, Sort::Identifier));
        narratives(made.root(), &mut |div| put_back(div, div, Sort::Narrative));
        let text = String::from_utf8_lossy(made.json().text());
        if text.matches(&self.mark).count() != places {
            faults.push(Fault::new("", "a value that is masked for you cannot be made into something else"));
        }
        let lost = self.hidden.iter().zip(&back).any(|(hidden, back)| hidden.sort == Sort::Identifier && !back);
        if lost {
            let what = "an identifier that is masked for you cannot be removed or replaced by a patch";
            faults.push(Fault::new("", what));
        }
        if !faults.is_empty() {
            return Err(Refusal::with(ErrorKind::Invalid, faults));
        }
        Resource::parse(made.json().edited(edits))
            .map_err(|e| Refusal::caused(ErrorKind::Internal, "the record could not be put together again", e))
    }
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// Calls `visit` with the XHTML of every narrative. The depth is bounded by the reader's limit.
fn narratives<'a>(value: Value<'a>, visit: &mut impl FnMut(Value<'a>)) {
    match value.kind() {
        ValueKind::Array => value.items().for_each(|item| narratives(item, visit)),
        ValueKind::Object => {
            for (name, member) in value.members() {
                match member.get("div").filter(|_| name == "text") {
                    Some(div) => visit(div),
                    None => narratives(member, visit),
                }
            }
        }
        ValueKind::Null | ValueKind::Bool | ValueKind::Number | ValueKind::String => {}
    }
}
