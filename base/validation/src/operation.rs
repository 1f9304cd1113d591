//! `$validate` (R4 resource-operation-validate.html), as far as it is pure: reading what was asked, and answering it.

use iris_fhir::json::Writer;
use iris_fhir::{Resource, definitions::definitions};
use iris_kernel::{Fault, Kind};

use crate::{Issue, IssueCode, Report, Settings, Severity, validate};

/// What the resource is to be validated for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing was said: the content alone.
    #[default]
    Content,
    /// Whether it could be created.
    Create,
    /// Whether it could be the next version of the instance.
    Update,
    /// Whether the instance could be deleted; the content does not matter.
    Delete,
}

impl Mode {
    /// The mode with this code of the value set resource-validation-mode; `profile` is not supported.
    ///
    /// # Errors
    /// A fault that says which there are.
    pub fn read(code: &str) -> Result<Self, Fault> {
        match code {
            "create" => Ok(Self::Create),
            "update" => Ok(Self::Update),
            "delete" => Ok(Self::Delete),
            "profile" => {
                Err(Fault::new("mode", "the mode profile is not supported: nothing is validated against profiles here"))
            }
            _ => Err(Fault::new("mode", "is not one of create, update and delete")),
        }
    }
}

/// Where the operation was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'t> {
    /// On a type.
    Type(Kind),
    /// On an instance of a type.
    Instance(Kind, &'t str),
}

/// A `$validate` that was asked.
#[derive(Debug)]
pub struct Operation {
    /// What for.
    pub mode: Mode,
    /// The resource that was sent; none for `delete`.
    pub resource: Option<Resource>,
}

impl Operation {
    /// Reads a body: the resource itself, or Parameters with `resource` and `mode`. A Parameters resource is itself what is to be
    /// validated only where the operation is called on that type and it has no parameter of these names.
    ///
    /// # Errors
    /// Every parameter that is not supported, by name (`profile` and whatever R4 does not have), and a body without a resource
    /// where the mode needs one.
    pub fn read(body: Resource, on: Target<'_>) -> Result<Self, Vec<Fault>> {
        let kind = match on {
            Target::Type(kind) | Target::Instance(kind, _) => kind,
        };
        let known = |name: Option<&str>| matches!(name, Some("resource" | "mode" | "profile"));
        let parameters = || body.root().get("parameter").into_iter().flat_map(iris_fhir::Value::items);
        let asks = parameters().any(|one| known(one.str_of("name").as_deref()));
        let is_parameters = definitions().kind_of("Parameters") == Some(body.kind());
        if !is_parameters || kind == body.kind() && !asks {
            return Ok(Self { mode: Mode::Content, resource: Some(body) });
        }
        let (mut mode, mut resource, mut faults) = (Mode::Content, None, Vec::new());
        for (one, number) in parameters().zip(0_usize..) {
            let at = format!("/parameter/{number}");
            match one.str_of("name").as_deref() {
                Some("resource") => match one.get("resource").map(Resource::from_value) {
                    Some(Ok(_)) if resource.is_some() => faults.push(Fault::new(at, "There is more than one resource")),
                    Some(Ok(own)) => resource = Some(own),
                    Some(Err(error)) => faults.push(Fault::new(format!("{at}/resource"), error.to_string())),
                    None => faults.push(Fault::new(at, "The parameter resource holds a resource")),
                },
                Some("mode") => {
                    let code = one.str_of("valueCode").or_else(|| one.str_of("valueString"));
                    match Mode::read(code.as_deref().unwrap_or_default()) {
                        Ok(own) => mode = own,
                        Err(fault) => faults.push(Fault::new(format!("{at}/valueCode"), fault.what)),
                    }
                }
                Some("profile") => {
                    faults.push(Fault::new(
                        at,
                        "The parameter profile is not supported: nothing is validated against profiles here",
                    ));
                }
                _ => faults.push(Fault::new(at, "There is no such parameter: expected resource or mode")),
            }
        }
        if resource.is_none() && mode != Mode::Delete && faults.is_empty() {
            faults.push(Fault::new("/parameter", "The parameter resource is missing"));
        }
        if faults.is_empty() { Ok(Self { mode, resource }) } else { Err(faults) }
    }

    /// What is to be said, as far as the content and the place tell; whether the caller may do it, and whether the instance is
    /// there, is for the caller's side to add.
    #[must_use]
    pub fn report(&self, on: Target<'_>) -> Report {
        let Some(resource) = self.resource.as_ref().filter(|_| self.mode != Mode::Delete) else {
            return Report { issues: Vec::new() };
        };
        let mut report = validate(resource, Settings::ALL);
        let (kind, id) = match on {
            Target::Type(kind) => (kind, None),
            Target::Instance(kind, id) => (kind, Some(id)),
        };
        let mut first = Vec::new();
        if resource.kind() != kind {
            let what = format!("Expected {}, found {}", definitions().name_of(kind), resource.kind_name());
            first.push(error("/resourceType", resource, what));
        }
        match (self.mode, id, resource.id()) {
            (Mode::Update, None, None) => {
                first.push(error("/id", resource, "A resource that is to be updated has an id".to_owned()));
            }
            (Mode::Update | Mode::Content, Some(id), Some(own)) if own != id => {
                first.push(error("/id", resource, "The id is not that of the instance".to_owned()));
            }
            (Mode::Update, Some(_), None) => {
                first.push(error("/id", resource, "The id of the instance is missing".to_owned()));
            }
            _ => {}
        }
        report.issues.splice(0..0, first);
        report
    }
}

fn error(at: &str, resource: &Resource, what: String) -> Issue {
    Issue {
        severity: Severity::Error,
        code: IssueCode::Invalid,
        at: at.to_owned(),
        expression: format!("{}.{}", resource.kind_name(), at.trim_start_matches('/')),
        what,
    }
}

impl Report {
    /// The OperationOutcome that says it: every issue, or that there is none.
    #[must_use]
    pub fn outcome(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.object().member("resourceType", "OperationOutcome").key("issue").array();
        if self.issues.is_empty() {
            w.object().member("severity", "information").member("code", "informational");
            w.key("details").object().member("text", "All OK").end().end();
        }
        for issue in &self.issues {
            w.object().member("severity", issue.severity.code()).member("code", issue.code.code());
            w.key("details").object().member("text", &issue.what).end();
            w.member("diagnostics", &issue.what);
            if !issue.expression.is_empty() {
                w.key("expression").array().string(&issue.expression).end();
            }
            w.end();
        }
        w.end().end();
        w.finish()
    }
}
