//! The plain care team of `/api/v1`: one per patient, kept as a FHIR CareTeam that an identifier marks. Teams that came in by
//! the FHIR API count as well and are named beside it.

use iris_fhir::json::{Value, ValueKind, Writer};
use iris_kernel::Fault;
use iris_plain::element::{Change, List, object, string};
use iris_plain::{Field, Form, Given, Object, Record};

use crate::consent::{PERIOD, Span, actor, period, reference};

/// System of the identifier of a patient's own care team; its value is the patient's id.
pub const SYSTEM: &str = "urn:iris:care-team";
/// Most members of a team.
const MEMBERS_MAX: usize = 200;
/// Longest name of a role, in characters.
const WORD_CHARS_MAX: usize = 250;
/// What a member may be.
const MEMBERS: [&str; 3] = ["Practitioner", "Organization", "Account"];

/// A member of a care team.
pub const MEMBER: &[Field] = &[
    Field::needed(
        "member",
        Form::Text(80),
        "Who treats: `Practitioner/…`, `Organization/…` (a department) or `Account/…` (a user's id).",
    ),
    Field::both("role", Form::Text(WORD_CHARS_MAX), "As what."),
    Field::both("period", Form::Object(PERIOD), "From when and until when."),
];

/// The care team object.
pub const CARE_TEAM: &[Field] = &[
    Field::always("patient_id", Form::Text(64), "Whose care team it is."),
    Field::needed("members", Form::Objects(MEMBER), "Everybody in it; who is not named is not in it any more."),
    Field::returned("fhir_id", Form::Text(80), "Reference of the same record in the FHIR API, once there is one."),
    Field::always(
        "other_teams",
        Form::Texts,
        "References of further active teams of the patient, whose members treat too.",
    ),
    Field::returned("created_at", Form::Time, "When the record was made."),
    Field::returned("created_by", Form::Text(64), "Id of the user or client that made it."),
    Field::returned("updated_at", Form::Time, "When this version was made."),
    Field::returned("updated_by", Form::Text(64), "Id of the user or client that made this version."),
    Field::returned("version", Form::Integer, "Number of this version."),
];

/// Who treats a patient.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// `member`
    pub member: String,
    /// `role`
    pub role: Option<String>,
    /// `period`
    pub period: Option<Span>,
}

/// Reads the members of a care team object.
///
/// # Errors
/// Every fault, each with its JSON pointer.
pub fn read(body: Value<'_>) -> Result<Vec<Member>, Vec<Fault>> {
    let mut object = Object::read(body, CARE_TEAM, "");
    object.need(CARE_TEAM);
    let mut members = Vec::new();
    match object.raw("members") {
        Given::Value(list) if list.kind() == ValueKind::Array && list.len() <= MEMBERS_MAX => {
            let at = object.pointer("members");
            for (place, value) in list.items().enumerate() {
                let mut inner = Object::read(value, MEMBER, &format!("{at}/{place}"));
                inner.need(MEMBER);
                let member = inner.with("member", member).value().unwrap_or_default();
                let (role, period) = (inner.text("role").value(), period(&mut inner).value());
                members.push(Member { member, role, period });
                object.absorb(inner);
            }
        }
        Given::Value(_) => object.fault("members", format!("must be a list of at most {MEMBERS_MAX} members")),
        Given::Absent | Given::Null => {}
    }
    let faults = object.finish();
    if faults.is_empty() { Ok(members) } else { Err(faults) }
}

fn member(value: Value<'_>) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a text")?;
    let is_id = |id: &str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    };
    match text.split_once('/') {
        Some((name, id)) if MEMBERS.contains(&name) && is_id(id) => Ok(text.into_owned()),
        _ => Err("must be an id behind one of Practitioner/, Organization/, Account/".to_owned()),
    }
}

/// The members that the plain dialect sees in a CareTeam.
#[must_use]
pub fn members(root: Value<'_>) -> Vec<Member> {
    let participants = root.get("participant").map(Value::items).into_iter().flatten();
    let seen = |participant: Value<'_>| {
        let role = participant.get("role").and_then(|roles| roles.items().next());
        Some(Member {
            member: actor(participant.get("member")?)?,
            role: role.and_then(|role| role.str_of("text")).map(std::borrow::Cow::into_owned),
            period: Span::of(participant),
        })
    };
    participants.filter_map(seen).collect()
}

/// A new CareTeam of a patient.
#[must_use]
pub fn create(members: &[Member], patient: &str) -> Vec<u8> {
    let identifier = object(None, &[("system", Some(string(SYSTEM))), ("value", Some(string(patient)))]);
    let mut identifiers = List::of(None);
    identifiers.set(None, identifier);
    let subject = object(None, &[("reference", Some(string(&format!("Patient/{patient}"))))]);
    let mut changes = vec![
        ("resourceType", Some(string("CareTeam"))),
        ("identifier", identifiers.finish()),
        ("status", Some(string("active"))),
        ("subject", subject),
    ];
    changes.extend(participants(members));
    object(None, &changes).unwrap_or_default()
}

/// The stored CareTeam with these members, active again if it was not.
#[must_use]
pub fn edit(stored: Value<'_>, members: &[Member]) -> Vec<u8> {
    let mut changes = vec![("status", Some(string("active"))), ("_status", None)];
    if self::members(stored) != members {
        changes.extend(participants(members));
    }
    object(Some(stored), &changes).unwrap_or_default()
}

fn participants(members: &[Member]) -> [Change<'static>; 1] {
    let mut list = List::of(None);
    for Member { member, role, period } in members {
        let mut roles = List::of(None);
        roles.set(None, role.as_deref().and_then(|role| object(None, &[("text", Some(string(role)))])));
        let parts = [
            ("role", roles.finish()),
            ("member", reference(member)),
            ("period", period.as_ref().and_then(Span::write)),
        ];
        list.set(None, object(None, &parts));
    }
    [("participant", list.finish())]
}

/// Writes the object; it stays open.
pub fn show(patient: &str, team: Option<(&[Member], &Record)>, others: &[String], w: &mut Writer) {
    w.object().member("patient_id", patient).key("members").array();
    for Member { member, role, period } in team.map(|(members, _)| members).unwrap_or_default() {
        w.object().member("member", member);
        if let Some(role) = role {
            w.member("role", role);
        }
        if let Some(period) = period {
            period.show(w);
        }
        w.end();
    }
    w.end().key("other_teams").array();
    for other in others {
        w.string(other);
    }
    w.end();
    if let Some((_, record)) = team {
        w.member("fhir_id", &format!("CareTeam/{}", record.id));
        record.show(w);
    }
}

/// The plain field behind a place in the FHIR CareTeam, as a JSON pointer.
#[must_use]
pub fn field_of(pointer: &str) -> String {
    let mut parts = pointer.trim_start_matches('/').split('/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("participant"), Some(place), Some("member")) => format!("/members/{place}/member"),
        (Some("participant"), Some(place), _) => format!("/members/{place}"),
        (Some("subject"), ..) => "/patient_id".to_owned(),
        // An element that the plain dialect does not know keeps its own place.
        _ => pointer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use iris_fhir::Resource;
    use iris_fhir::json::Json;
    use iris_validation::Valid;

    use super::*;

    #[test]
    fn members_go_in_and_come_back() {
        let body = r#"{"members":[{"member":"Practitioner/ann","role":"surgeon","period":{"start":"2026-01-01"}},
            {"member":"Organization/ward"},{"member":"Account/0a"}]}"#;
        let given = read(Json::parse(body).unwrap().root()).unwrap();
        let made = Resource::parse(create(&given, "p1")).unwrap();
        assert!(Valid::check(made.clone()).is_ok());
        assert_eq!(members(made.root()), given);
        let fewer = edit(made.root(), &given[1..2]);
        let fewer = Resource::parse(fewer).unwrap();
        assert_eq!(members(fewer.root()), given[1..2]);
        let none = Resource::parse(edit(fewer.root(), &[])).unwrap();
        assert!(Valid::check(none.clone()).is_ok() && members(none.root()).is_empty());
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let body = r#"{"members":[{"member":"Patient/p"},{"role":""},{"member":"Account/1","x":1}],"colour":1}"#;
        let faults = read(Json::parse(body).unwrap().root()).unwrap_err();
        let mut places: Vec<&str> = faults.iter().map(|fault| fault.at.as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["/colour", "/members/0/member", "/members/1/member", "/members/1/role", "/members/2/x"]);
        assert!(read(Json::parse("{}").unwrap().root()).is_err());
    }
}
