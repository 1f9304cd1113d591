//! What the records context asks of every Patient, whichever dialect it came in.

use iris_access::Caller;
use iris_fhir::{Resource, definitions};
use iris_kernel::Kind;
use iris_resources::{Rule, Unique};
use iris_store::ClaimScope;

use crate::care_team::{self, Member};

/// The name space of medical record numbers among the unique claims. Stored: it never changes.
pub(crate) const MRN_SCOPE: ClaimScope = ClaimScope(0x0101);

/// As what whoever registered a patient stands in the care team.
const REGISTERED: &str = "registered the patient";

/// Medical record numbers of this house are unique in their tenant. Numbers of other houses are kept as sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct PatientRule;

/// Whether a system is one of those that [`crate::patient::mrn_system`] makes.
pub(crate) fn is_ours(system: &str) -> bool {
    system.starts_with("urn:iris:tenant:") && system.ends_with(":mrn")
}

impl Rule for PatientRule {
    fn kind(&self) -> Kind {
        definitions().kind_of("Patient").unwrap_or(Kind(Kind::INTERNAL))
    }

    fn gather(&self, resource: &Resource) -> Vec<Unique> {
        let identifiers = resource.root().get("identifier").into_iter().flat_map(|list| list.items().enumerate());
        identifiers
            .filter_map(|(place, identifier)| {
                let system = identifier.str_of("system").filter(|system| is_ours(system))?;
                let value = identifier.str_of("value")?;
                Some(Unique {
                    scope: MRN_SCOPE,
                    value: format!("{system}|{value}"),
                    at: format!("/identifier/{place}/value"),
                    taken: "another patient has this medical record number",
                })
            })
            .collect()
    }

    /// The patient's own care team, which then says that whoever registered them treats them. The account stands there and not the
    /// practitioner: it is what signs in.
    fn care_relation(&self, caller: &Caller, id: &str) -> Option<Vec<u8>> {
        let member = format!("Account/{}", caller.subject.id);
        Some(care_team::create(&[Member { member, role: Some(REGISTERED.to_owned()), period: None }], id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_numbers_are_claimed() {
        let text = r#"{"resourceType":"Patient","identifier":[{"system":"urn:oid:1.2","value":"12345"},
            {"system":"urn:iris:tenant:1:mrn","value":"77"},{"system":"urn:iris:tenant:1:mrn"}]}"#;
        let unique = PatientRule.gather(&Resource::parse(text).unwrap());
        assert_eq!(unique.len(), 1);
        assert_eq!(
            (unique[0].value.as_str(), unique[0].at.as_str()),
            ("urn:iris:tenant:1:mrn|77", "/identifier/1/value")
        );
    }
}
