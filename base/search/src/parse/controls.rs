//! The parameters about the answer rather than about what is searched.

use iris_fhir::subset::Subset;
use iris_kernel::Fault;
use iris_kernel::limits::FHIR_PAGE_MAX;

use super::sorting::sorts;
use super::{Reader, Trouble};
use crate::criteria::Refusal;
use crate::{Contained, ContainedAs, Summary, Total};

/// Each may stand once.
const CONTROLS: [&str; 10] = [
    "_count",
    "_sort",
    "_summary",
    "_total",
    "_elements",
    "_contained",
    "_containedType",
    "_format",
    "_pretty",
    "_cursor",
];
/// Spellings of the formats that an answer may have. A form-decoded + is a blank.
const FORMATS: [&str; 12] = [
    "json",
    "xml",
    "application/json",
    "application/xml",
    "application/fhir+json",
    "application/fhir+xml",
    "application/fhir json",
    "application/fhir xml",
    "text/json",
    "text/xml",
    "application/json+fhir",
    "application/xml+fhir",
];

/// The control of this name.
pub(super) fn named(name: &str) -> Option<&'static str> {
    CONTROLS.into_iter().find(|control| *control == name)
}

impl Reader<'_> {
    /// Reads a control; `name` is as sent, perhaps with a modifier.
    pub(super) fn control(&mut self, control: &'static str, name: &str, value: &str) -> Result<(), Trouble> {
        if name != control {
            return Err(Trouble::Unserved("takes no modifier".into()));
        }
        if self.seen.contains(&control) {
            return Err("may stand only once".into());
        }
        self.seen.push(control);
        let query = &mut self.query;
        match control {
            "_count" => match value.parse::<usize>() {
                Ok(0) => query.summary_count = true,
                Ok(count) if count <= FHIR_PAGE_MAX => query.count = Some(count),
                _ => return Err(format!("must be a whole number from 0 to {FHIR_PAGE_MAX}").into()),
            },
            "_sort" => query.sort = sorts(query.kind, value)?,
            "_summary" => match value {
                "count" => query.summary_count = true,
                "true" => query.summary = Summary::True,
                "text" => query.summary = Summary::Text,
                "data" => query.summary = Summary::Data,
                "false" => query.summary = Summary::False,
                _ => return Err("supports only the values true, text, data, count and false".into()),
            },
            "_total" => match value {
                "accurate" => query.total = Total::Accurate,
                "estimate" => query.total = Total::Estimate,
                "none" => query.total = Total::None,
                _ => return Err("supports only the values none, estimate and accurate".into()),
            },
            "_elements" => self.elements(value)?,
            "_contained" => match value {
                "false" => query.contained = Contained::No,
                "true" => query.contained = Contained::Only,
                "both" => query.contained = Contained::Both,
                _ => return Err("supports only the values false, true and both".into()),
            },
            "_containedType" => match value {
                "container" => query.contained_as = ContainedAs::Container,
                "contained" => query.contained_as = ContainedAs::Itself,
                _ => return Err("supports only the values container and contained".into()),
            },
            "_format" => {
                let (media_type, _) = value.split_once(';').unwrap_or((value, ""));
                if !FORMATS.contains(&media_type.trim()) {
                    return Err("supports only json and xml".into());
                }
            }
            "_pretty" => {
                if !["true", "false"].contains(&value) {
                    return Err("supports only the values true and false".into());
                }
            }
            _ => query.cursor = Some(value.to_owned()),
        }
        Ok(())
    }

    /// `_elements`: what no type that is searched has is refused, each by its name.
    fn elements(&mut self, value: &str) -> Result<(), Refusal> {
        let kind = Some(self.query.kind).filter(|_| self.kinds.len() == 1);
        match Subset::elements(value.split(','), kind) {
            Ok(Subset::Elements(names)) => self.query.elements = names,
            Ok(_) => {}
            Err(faults) => {
                let faults: Vec<_> = faults.into_iter().map(|fault| fault.what).collect();
                return Err(faults.join("; ").into());
            }
        }
        Ok(())
    }

    /// Parameters that are right each by itself and not together.
    pub(super) fn contradictions(&self) -> Vec<Fault> {
        let query = &self.query;
        let names_elements = !query.elements.is_empty();
        let mut faults = Vec::new();
        if query.summary != Summary::False && names_elements {
            faults.push(Fault::new("_elements", "and _summary name two different parts of a resource; ask for one"));
        }
        if query.contained == Contained::No {
            return faults;
        }
        // References within a container lead nowhere else, and none from elsewhere lead into it.
        if !query.is_resolved() {
            faults.push(Fault::new("_contained", "goes with no chain, _has or _list; ask without them"));
        }
        if self.includes > 0 {
            faults.push(Fault::new("_contained", "goes with no _include and _revinclude; ask without them"));
        }
        if names_elements && query.contained_as == ContainedAs::Container {
            let what = "names elements of what is searched, and the answer has what contains it; \
                ask with _containedType=contained";
            faults.push(Fault::new("_elements", what));
        }
        faults
    }
}
