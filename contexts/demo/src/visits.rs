//! When somebody came, and what for.

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::clinic::Clinic;
use crate::conditions::{Acute, Chronic};
use crate::day::{Day, years};
use crate::doc::{Code, Doc, hl7, icd10, snomed};
use crate::household::{Adherence, Person, Role};
use crate::problems::Problem;

/// Visits older than this have left doses only: the demo's history is deep enough for trends and shallow enough to load fast.
pub(crate) const HISTORY_DAYS: i64 = years(4);
/// Ages at which children are seen in their first years, in days.
const INFANT_DAYS: [i64; 11] = [4, 31, 61, 122, 183, 274, 365, 456, 548, 730, 912];
/// How far apart two visits are, in days.
const APART_DAYS: i64 = 5;
/// Whoever is younger has records of the doses of childhood.
const CHILDHOOD_KNOWN_YEARS: i64 = 31;
/// How far back the routine visits of adults go.
const ADULT_YEARS: i64 = 10;

/// What somebody came for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    WellChild,
    CheckUp,
    /// To see how a chronic condition does.
    FollowUp(&'static Chronic),
    /// For a vaccine alone.
    Vaccine,
    Illness(&'static Acute),
}

/// One visit.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) day: Day,
    pub(crate) purpose: Purpose,
    /// Id of its encounter; none for those that are too long ago.
    pub(crate) encounter: Option<String>,
    /// Minute of the day at which it began, UTC.
    pub(crate) minute: i64,
}

impl Visit {
    pub(crate) fn time(&self, later: i64) -> String {
        self.day.at(self.minute + later)
    }
}

/// Every visit of a person, oldest first, at most one a day, none before birth, after death or on the reference day itself.
pub(crate) fn visits(plan: &Plan, person: &Person, adherence: Adherence, problems: &[Problem]) -> Vec<Visit> {
    let mut chance = Chance::of(plan.seed, Topic::Visits, person.household, person.member);
    let last = person.died.unwrap_or(plan.at).plus(-1);
    let kept = match adherence {
        Adherence::Regular => 93,
        Adherence::Patchy => 68,
        Adherence::Rare => 30,
        Adherence::Declines => 75,
    };
    let mut planned = routine(plan, person, &mut chance);
    planned.retain(|_| chance.percent(kept));
    planned.extend(autumns(plan, &mut chance, kept));
    for problem in problems {
        let purpose = Purpose::FollowUp(problem.condition);
        planned.extend([(problem.onset, purpose), (problem.treated, purpose)]);
    }
    // Who has several conditions is seen for all of them at once, as often as the most demanding of them asks for.
    let demanding = problems.iter().filter(|problem| problem.condition.follow_up_days > 0);
    if let Some(problem) = demanding.min_by_key(|problem| problem.condition.follow_up_days) {
        planned.extend(follow_ups(plan, problem, &mut chance));
    }
    planned.extend(illnesses(plan, person, &mut chance));
    planned.retain(|(day, _)| (person.born..=last).contains(day));
    // Nobody comes back within a few days: of two the first stays.
    planned.sort_by_key(|(day, _)| *day);
    planned.dedup_by(|(later, _), (day, _)| later.since(*day) < APART_DAYS);
    let recent = plan.at.plus(-HISTORY_DAYS);
    let visit = |(day, purpose): (Day, Purpose)| {
        let minute = chance.between(14 * 12, 21 * 12) * 5;
        let id = chance.id();
        Visit { day, purpose, encounter: (day >= recent).then_some(id), minute }
    };
    planned.into_iter().map(visit).collect()
}

fn routine(plan: &Plan, person: &Person, chance: &mut Chance) -> Vec<(Day, Purpose)> {
    let age = plan.at.years_since(person.born);
    let mut planned = Vec::new();
    if age < CHILDHOOD_KNOWN_YEARS {
        for days in INFANT_DAYS {
            let late = chance.between(0, 3 + days / 24);
            planned.push((person.born.plus(days + late), Purpose::WellChild));
        }
        for year in 3..=18 {
            planned.push((person.born.plus(years(year) + chance.between(0, 90)), Purpose::WellChild));
        }
    }
    let first = (age - ADULT_YEARS).max(19);
    for year in first..=age {
        planned.push((person.born.plus(years(year) + chance.between(0, 330)), Purpose::CheckUp));
    }
    planned
}

/// Visits for the influenza vaccine in the last autumns.
fn autumns(plan: &Plan, chance: &mut Chance, kept: u32) -> Vec<(Day, Purpose)> {
    let days = (0..years(6)).step_by(30).map(|back| plan.at.plus(-back));
    let octobers: Vec<Day> = days.filter(|day| day.month() == 10).collect();
    let mut planned = Vec::new();
    for day in octobers {
        let shift = chance.between(-12, 45);
        if chance.percent(kept / 3 + 8) {
            planned.push((day.plus(shift), Purpose::Vaccine));
        }
    }
    planned
}

fn follow_ups(plan: &Plan, problem: &Problem, chance: &mut Chance) -> Vec<(Day, Purpose)> {
    let every = problem.condition.follow_up_days;
    let mut planned = Vec::new();
    let mut day = problem.treated.max(plan.at.plus(-HISTORY_DAYS)).plus(chance.between(20, every));
    while day < plan.at {
        if chance.percent(88) {
            planned.push((day, Purpose::FollowUp(problem.condition)));
        }
        day = day.plus(every + chance.between(-14, 21));
    }
    planned
}

fn illnesses(plan: &Plan, person: &Person, chance: &mut Chance) -> Vec<(Day, Purpose)> {
    let most = if person.role == Role::Child { 5 } else { 3 };
    let count = chance.between(0, most);
    let drawn = (0..count).map(|_| {
        let day = plan.at.plus(-chance.between(2, HISTORY_DAYS));
        let age = day.years_since(person.born);
        let fitting: Vec<&'static Acute> = Acute::of_age(age).collect();
        (!fitting.is_empty()).then(|| (day, Purpose::Illness(fitting[chance.below(fitting.len() as u32) as usize])))
    });
    drawn.collect::<Vec<_>>().into_iter().flatten().collect()
}

impl Purpose {
    fn kind(self) -> Code {
        match self {
            Self::WellChild => snomed("410620009", "Well child visit"),
            Self::CheckUp => snomed("162673000", "General examination of patient"),
            Self::FollowUp(_) => snomed("390906007", "Follow-up encounter"),
            Self::Vaccine => snomed("33879002", "Administration of vaccine to produce active immunity"),
            Self::Illness(_) => snomed("185345009", "Encounter for symptom"),
        }
    }

    fn reason(self) -> [Option<Code>; 2] {
        match self {
            Self::WellChild => {
                [Some(icd10("Z00.129", "Routine child health examination without abnormal findings")), None]
            }
            Self::CheckUp => {
                [Some(icd10("Z00.00", "General adult medical examination without abnormal findings")), None]
            }
            Self::FollowUp(chronic) => [Some(chronic.snomed), Some(chronic.icd10)],
            Self::Vaccine => [Some(icd10("Z23", "Encounter for immunization")), None],
            Self::Illness(acute) => [Some(acute.snomed), Some(acute.icd10)],
        }
    }

    const fn minutes(self) -> i64 {
        match self {
            Self::WellChild => 30,
            Self::CheckUp => 40,
            Self::FollowUp(_) => 20,
            Self::Vaccine => 10,
            Self::Illness(_) => 25,
        }
    }
}

/// The encounter of a visit, where it has one.
pub(crate) fn document(clinic: &Clinic, person: &Person, visit: &Visit) -> Option<Vec<u8>> {
    let mut doc = Doc::new("Encounter", visit.encounter.as_ref()?);
    let physician = clinic.physician(person.household);
    doc.text("status", "finished").coded("class", &hl7!("v3-ActCode", "AMB", "ambulatory"));
    doc.concepts("type", &[&visit.purpose.kind()]).reference("subject", "Patient", &person.id);
    doc.list("participant").item();
    doc.reference_to("individual", "Practitioner", physician.id, &physician.name()).end().end();
    doc.object("period").text("start", &visit.time(0)).text("end", &visit.time(visit.purpose.minutes())).end();
    let reason = visit.purpose.reason();
    let codes: Vec<&Code> = reason.iter().flatten().collect();
    if !codes.is_empty() {
        doc.concepts("reasonCode", &codes);
    }
    doc.reference("serviceProvider", "Organization", &clinic.organization);
    Some(doc.finish())
}
