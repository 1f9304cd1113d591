//! Who treats whom: FHIR R4 CareTeam, read once.

use std::collections::HashMap;

use iris_fhir::json::Value;
use iris_kernel::{RecordId, Timestamp};

use crate::consent::{Actor, Period, actor_of, local};
use crate::restriction::PatientSet;

/// A care team that may count.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Team {
    id: Box<str>,
    patient: Box<str>,
    period: Period,
    members: Vec<(Actor, Period)>,
}

impl Team {
    /// Reads a CareTeam; `None` for one that does not count: it is not active, has no patient here, or a period that is none.
    /// A member counts if somebody can sign in as it: a practitioner, a department, an account.
    pub(crate) fn read(root: Value<'_>) -> Option<Self> {
        root.str_of("status").filter(|status| status == "active")?;
        let period = |owner: Value<'_>| owner.get("period").map_or(Ok(Period::default()), Period::read).ok();
        let participants = root.get("participant").map(Value::items).into_iter().flatten();
        let member = |participant: Value<'_>| Some((actor_of(participant.get("member")?)?, period(participant)?));
        Some(Self {
            id: root.str_of("id")?.into(),
            patient: local(root.get("subject")?, "Patient")?,
            period: period(root)?,
            members: participants.filter_map(member).collect(),
        })
    }

    fn has_any(&self, actors: &[Actor], at: Timestamp) -> bool {
        let takes_part = |(member, period): &(Actor, Period)| period.has(at) && actors.contains(member);
        self.period.has(at) && self.members.iter().any(takes_part)
    }

    pub(crate) fn boundaries(&self, out: &mut Vec<Timestamp>) {
        let periods = self.members.iter().map(|(_, period)| *period).chain([self.period]);
        out.extend(periods.flat_map(|Period { start, end }| start.into_iter().chain(end)));
    }
}

/// The care teams of a tenant.
#[derive(Default)]
pub(crate) struct Teams {
    teams: HashMap<RecordId, Team>,
    by_member: HashMap<Actor, Vec<RecordId>>,
}

impl Teams {
    /// Takes the current version of a team; gives the one it replaces.
    pub(crate) fn set(&mut self, record: RecordId, team: Option<Team>) -> Option<Team> {
        let before = self.teams.remove(&record);
        for (member, _) in before.iter().flat_map(|team| &team.members) {
            if let Some(records) = self.by_member.get_mut(member) {
                records.retain(|known| *known != record);
                if records.is_empty() {
                    self.by_member.remove(member);
                }
            }
        }
        if let Some(team) = team {
            for (member, _) in &team.members {
                self.by_member.entry(member.clone()).or_default().push(record);
            }
            self.teams.insert(record, team);
        }
        before
    }

    fn of<'a>(&'a self, actors: &'a [Actor], at: Timestamp) -> impl Iterator<Item = &'a Team> {
        let records = actors.iter().filter_map(|actor| self.by_member.get(actor)).flatten();
        records.filter_map(|record| self.teams.get(record)).filter(move |team| team.has_any(actors, at))
    }

    /// Whose care these take part in.
    pub(crate) fn patients(&self, actors: &[Actor], at: Timestamp) -> PatientSet {
        PatientSet::of(self.of(actors, at).map(|team| team.patient.clone()))
    }

    /// The teams that these take part in, as what a consent can name.
    pub(crate) fn actors(&self, actors: &[Actor], at: Timestamp) -> Vec<Actor> {
        let mut teams: Vec<Actor> = self.of(actors, at).map(|team| Actor::CareTeam(team.id.clone())).collect();
        teams.sort_unstable();
        teams.dedup();
        teams
    }
}

#[cfg(test)]
mod tests {
    use iris_fhir::json::Json;

    use super::*;

    fn team(id: &str, patient: &str, status: &str, members: &str) -> Option<Team> {
        let text = format!(
            r#"{{"resourceType":"CareTeam","id":"{id}","status":"{status}","subject":{{"reference":"Patient/{patient}"}},
            "period":{{"end":"2026-12"}},"participant":[{members}]}}"#
        );
        Team::read(Json::parse(text).unwrap().root())
    }

    const ANN: &str =
        r#"{"member":{"reference":"Practitioner/ann"},"period":{"start":"2026-01-01","end":"2026-06-30"}}"#;
    const WARD: &str = r#"{"member":{"reference":"Organization/ward"}},{"member":{"reference":"Patient/p9"}}"#;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn practitioners_and_departments_treat_while_team_and_membership_last() {
        let mut teams = Teams::default();
        teams.set(RecordId([1; 16]), team("t1", "p1", "active", ANN));
        teams.set(RecordId([2; 16]), team("t2", "p2", "active", &format!("{ANN},{WARD}")));
        teams.set(RecordId([3; 16]), team("t3", "p3", "inactive", ANN));
        let (ann, ward) = ([Actor::Practitioner("ann".into())], [Actor::Organization("ward".into())]);
        let patients =
            |actors: &[Actor], when| teams.patients(actors, at(when)).iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(patients(&ann, "2026-03-01T00:00:00Z"), ["p1", "p2"]);
        assert_eq!(patients(&ward, "2026-03-01T00:00:00Z"), ["p2"]);
        assert_eq!(patients(&ann, "2026-07-01T00:00:00Z"), [""; 0], "her part is over");
        assert_eq!(patients(&ward, "2027-01-01T00:00:00Z"), [""; 0], "the team is over");
        assert_eq!(teams.actors(&ward, at("2026-03-01T00:00:00Z")), [Actor::CareTeam("t2".into())]);
        assert!(teams.set(RecordId([2; 16]), None).is_some());
        assert!(teams.patients(&ward, at("2026-03-01T00:00:00Z")).is_empty() && teams.by_member.len() == 1);
    }
}
