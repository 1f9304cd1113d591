//! Profiles, tags and security labels of a record, added and taken away without sending the record (R4 resource-operations.html,
//! `$meta-add` and `$meta-delete`).

use iris_fhir::Resource;
use iris_fhir::json::{Edits, Value, ValueKind, Writer};
use iris_kernel::{ErrorKind, Fault, Timestamp};

use crate::change::Change;
use crate::refusal::Refusal;

/// The parts of `meta` that are sets.
const SETS: [&str; 3] = ["profile", "security", "tag"];

/// What is done with what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetaOp {
    /// It is added, where it is not there yet.
    Add,
    /// It is taken away, where it is there.
    Delete,
}

/// A change of a record's `meta`.
#[derive(Clone, Debug)]
pub struct MetaChange {
    op: MetaOp,
    /// Parameters that have been read.
    parameters: Resource,
}

impl MetaChange {
    /// Reads the Parameters of `$meta-add` and `$meta-delete`: one parameter `meta`, of type Meta.
    ///
    /// # Errors
    /// Other parameters, by name; parts of `meta` that are no sets.
    pub fn read(op: MetaOp, parameters: Resource) -> Result<Self, Refusal> {
        let mut faults = Vec::new();
        let list = parameters.root().get("parameter");
        for (at, parameter) in list.into_iter().flat_map(Value::items).enumerate() {
            let place = format!("/parameter/{at}");
            if at > 0 || parameter.str_of("name").as_deref() != Some("meta") {
                faults.push(Fault::new(place, "there is one parameter: meta"));
            } else if let Some(meta) = parameter.get("valueMeta") {
                let others = meta.members().filter(|(name, _)| !SETS.contains(&&**name));
                faults.extend(others.map(|(name, _)| {
                    let what = "only profile, security and tag can be added and taken away";
                    Fault::new(format!("{place}/valueMeta/{name}"), what)
                }));
            } else {
                faults.push(Fault::new(place, "is a valueMeta"));
            }
        }
        if list.is_none_or(Value::is_empty) {
            faults.push(Fault::new("/parameter", "required: meta"));
        }
        if faults.is_empty() { Ok(Self { op, parameters }) } else { Err(Refusal::with(ErrorKind::Invalid, faults)) }
    }

    fn sent(&self) -> Option<Value<'_>> {
        self.parameters.root().get("parameter")?.items().next()?.get("valueMeta")
    }
}

impl Change for MetaChange {
    fn apply(&self, before: &Resource, _: Timestamp) -> Result<Resource, Refusal> {
        let Some(meta) = before.root().get("meta") else {
            return Err(Refusal::new(ErrorKind::Damaged, "", "the stored record has no meta"));
        };
        let mut edits = Edits::new();
        for set in SETS {
            let Some(sent) = self.sent().and_then(|sent| sent.get(set)) else { continue };
            let own = meta.get(set);
            let items = |list: Option<Value<'_>>, without: Option<Value<'_>>| -> Vec<Vec<u8>> {
                let other = |item: &Value<'_>| !without.into_iter().flat_map(Value::items).any(|it| is_same(*item, it));
                list.into_iter().flat_map(Value::items).filter(other).map(|item| item.raw().to_vec()).collect()
            };
            let left = match self.op {
                MetaOp::Add => [items(own, None), items(Some(sent), own)].concat(),
                MetaOp::Delete => items(own, Some(sent)),
            };
            edits.remove_member(meta, set);
            if !left.is_empty() {
                edits.insert_first(meta, set, [b"[".as_slice(), &left.join(&b','), b"]"].concat());
            }
        }
        Resource::parse(before.json().edited(edits))
            .map_err(|e| Refusal::caused(ErrorKind::Internal, "the labels could not be changed", e))
    }
}

/// Whether two profiles are one address, or two codings one code of one system.
fn is_same(a: Value<'_>, b: Value<'_>) -> bool {
    match (a.kind(), b.kind()) {
        (ValueKind::Object, ValueKind::Object) => {
            a.str_of("system") == b.str_of("system") && a.str_of("code") == b.str_of("code")
        }
        _ => a.as_str().is_some() && a.as_str() == b.as_str(),
    }
}

/// What `$meta` answers: Parameters with the `meta` of a record.
///
/// # Errors
/// What is stored is no resource, which only damage can cause.
pub fn meta_of(body: &[u8]) -> Result<Vec<u8>, Refusal> {
    let resource = Resource::parse(body.to_vec())
        .map_err(|e| Refusal::caused(ErrorKind::Damaged, "the stored record does not parse", e))?;
    let mut w = Writer::new();
    w.object().member("resourceType", "Parameters").key("parameter").array();
    if let Some(meta) = resource.root().get("meta") {
        w.object().member("name", "return").key("valueMeta").value(meta).end();
    }
    w.end().end();
    Ok(w.finish())
}

#[cfg(test)]
mod tests {
    use iris_testkit::ManualClock;

    use super::*;

    const RECORD: &str = r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"1","tag":[{"system":"urn:t","code":"x","display":"X"}]},"active":true}"#;

    fn sent(op: MetaOp, meta: &str) -> Result<MetaChange, Refusal> {
        let text = format!(r#"{{"resourceType":"Parameters","parameter":[{{"name":"meta","valueMeta":{meta}}}]}}"#);
        MetaChange::read(op, Resource::parse(text).unwrap())
    }

    fn applied(op: MetaOp, meta: &str) -> String {
        let now = iris_kernel::Clock::now(&ManualClock::default());
        let made = sent(op, meta).unwrap().apply(&Resource::parse(RECORD).unwrap(), now).unwrap();
        String::from_utf8_lossy(made.root().get("meta").unwrap().raw()).into_owned()
    }

    #[test]
    fn labels_are_sets() {
        let both = r#"{"tag":[{"system":"urn:t","code":"x"},{"system":"urn:t","code":"y"}],"profile":["urn:p"]}"#;
        let added = applied(MetaOp::Add, both);
        assert_eq!(added.matches(r#""code":"x""#).count(), 1, "{added}");
        assert!(added.contains(r#""code":"y""#) && added.contains(r#""profile":["urn:p"]"#), "{added}");
        let left = applied(MetaOp::Delete, both);
        assert_eq!(left, r#"{"versionId":"1"}"#, "an empty list is no list");
    }

    #[test]
    fn what_is_no_set_is_refused_by_name() {
        let refusal = sent(MetaOp::Add, r#"{"versionId":"9","source":"urn:x","tag":[]}"#).unwrap_err();
        assert_eq!(refusal.faults.len(), 2, "{refusal}");
        let none = Resource::parse(r#"{"resourceType":"Parameters"}"#).unwrap();
        assert!(MetaChange::read(MetaOp::Delete, none).is_err());
    }
}
