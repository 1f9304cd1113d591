//! The house itself: its organization, its staff, and the insurers that its patients have.

use crate::chance::{Chance, Topic};
use crate::day::{Day, years};
use crate::doc::{Code, Doc, hl7};
use crate::household::{Family, Person, Role};
use crate::{Household, Plan};

/// What the clinic is called.
const NAME: &str = "Prairie View Family Clinic";

/// Staff: given name, family name, what they are, by the table of degrees (HL7 v2 0360).
const STAFF: [(&str, &str, Code); 8] = [
    ("Helen", "Marchetti", PHYSICIAN),
    ("Samuel", "Adjei", PHYSICIAN),
    ("Priya", "Raman", PHYSICIAN),
    ("Tomás", "Ibarra", PHYSICIAN),
    ("Judith", "Lindgren", PHYSICIAN),
    ("Carol", "Whitfield", NURSE),
    ("Dwayne", "Porter", NURSE),
    ("Mai", "Phan", NURSE),
];
const PHYSICIAN: Code = hl7!("v2-0360", "MD", "Doctor of Medicine");
const NURSE: Code = hl7!("v2-0360", "RN", "Registered Nurse");
/// How many of the staff are physicians; they stand first.
const PHYSICIANS: u32 = 5;

/// Insurers: name, and of which kind their plans are.
const INSURERS: [(&str, Code); 4] = [
    ("Lincoln Mutual Health", hl7!("v3-ActCode", "EHCPOL", "extended healthcare")),
    ("Sangamon Valley Health Plan", hl7!("v3-ActCode", "HMO", "health maintenance organization policy")),
    ("State Medical Assistance (demo)", hl7!("v3-ActCode", "SUBSIDIZ", "subsidized health program")),
    ("National Seniors Insurance (demo)", hl7!("v3-ActCode", "RETIRE", "retiree health program")),
];
const ASSISTANCE: usize = 2;
const SENIORS: usize = 3;

/// Ids of what belongs to nobody's record: the same for every patient of a seed.
#[derive(Debug)]
pub(crate) struct Clinic {
    pub(crate) organization: String,
    staff: Vec<String>,
    insurers: Vec<String>,
}

/// One of the staff.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Staff<'a> {
    pub(crate) id: &'a str,
    given: &'static str,
    family: &'static str,
    degree: Code,
}

impl Staff<'_> {
    /// How a person is called by the patients.
    pub(crate) fn name(&self) -> String {
        if self.degree == PHYSICIAN {
            format!("Dr. {} {}", self.given, self.family)
        } else {
            format!("{} {}, {}", self.given, self.family, self.degree.code)
        }
    }
}

impl Clinic {
    pub(crate) fn of(plan: &Plan) -> Self {
        let mut chance = Chance::of(plan.seed, Topic::Clinic, 0, 0);
        Self {
            organization: chance.id(),
            staff: STAFF.iter().map(|_| chance.id()).collect(),
            insurers: INSURERS.iter().map(|_| chance.id()).collect(),
        }
    }

    fn member(&self, place: u32) -> Staff<'_> {
        let place = usize::try_from(place).unwrap_or(0) % STAFF.len();
        let (given, family, degree) = STAFF[place];
        Staff { id: &self.staff[place], given, family, degree }
    }

    /// The physician whom a household sees.
    pub(crate) fn physician(&self, household: u32) -> Staff<'_> {
        self.member(household % PHYSICIANS)
    }

    /// One of the nurses.
    pub(crate) fn nurse(&self, chance: &mut Chance) -> Staff<'_> {
        self.member(PHYSICIANS + chance.below(STAFF.len() as u32 - PHYSICIANS))
    }

    /// Organizations and staff.
    pub(crate) fn documents(&self) -> Vec<Vec<u8>> {
        let mut documents = vec![self.house()];
        for (id, (name, _)) in self.insurers.iter().zip(&INSURERS) {
            let mut doc = Doc::new("Organization", id);
            doc.flag("active", true).concepts("type", &[&hl7!("organization-type", "pay", "Payer")]).text("name", name);
            documents.push(doc.finish());
        }
        for place in 0..STAFF.len() {
            let staff = self.member(u32::try_from(place).unwrap_or(0));
            let mut doc = Doc::new("Practitioner", staff.id);
            doc.list("identifier").item().text("system", "urn:iris:demo:staff");
            doc.text("value", &format!("S-{:03}", place + 1)).end().end();
            doc.flag("active", true).list("name").item().text("use", "official").text("family", staff.family);
            doc.texts("given", &[staff.given]);
            if staff.degree == PHYSICIAN {
                doc.texts("prefix", &["Dr."]);
            }
            doc.end().end().list("qualification").item().concept("code", &[&staff.degree]);
            documents.push(doc.finish());
        }
        documents
    }

    fn house(&self) -> Vec<u8> {
        let mut doc = Doc::new("Organization", &self.organization);
        doc.flag("active", true).concepts("type", &[&hl7!("organization-type", "prov", "Healthcare Provider")]);
        doc.text("name", NAME).list("telecom").item().text("system", "phone").text("value", "217-555-0100").end().end();
        doc.list("address").item().texts("line", &["1 Prairie View Road"]).text("city", "Springfield");
        doc.text("state", "IL").text("postalCode", "62704");
        doc.finish()
    }

    /// A person's insurance; nothing for those who have none. A family is insured together; who is past 65 by themselves.
    pub(crate) fn coverage(
        &self,
        plan: &Plan,
        household: &Household,
        family: &Family,
        person: &Person,
    ) -> Option<Vec<u8>> {
        let mut shared = Chance::of(plan.seed, Topic::Coverage, household.number, u32::MAX);
        let mut own = Chance::of(plan.seed, Topic::Coverage, household.number, person.member);
        let id = own.id();
        let draw = shared.below(100);
        let number = shared.between(10_000_000, 99_999_999);
        let senior = plan.at.years_since(person.born) >= 65;
        let insurer = match draw {
            _ if senior => SENIORS,
            0..=9 if household.number != 0 => return None,
            0..=29 => ASSISTANCE,
            30..=64 => 1,
            _ => 0,
        };
        let (name, kind) = &INSURERS[insurer];
        let head = family.persons.iter().find(|other| other.role == Role::Head).filter(|_| !senior).unwrap_or(person);
        let relationship = match (head.id == person.id, person.role) {
            (true, _) => hl7!("subscriber-relationship", "self", "Self"),
            (false, Role::Spouse) => hl7!("subscriber-relationship", "spouse", "Spouse"),
            (false, Role::Child) => hl7!("subscriber-relationship", "child", "Child"),
            (false, Role::Head | Role::Grandparent) => hl7!("subscriber-relationship", "other", "Other"),
        };
        let start = own.between(30, years(6));
        let start = plan.at.plus(-start).max(person.born);
        let mut doc = Doc::new("Coverage", &id);
        doc.text("status", if person.died.is_some() { "cancelled" } else { "active" });
        doc.concept("type", &[kind]).reference("subscriber", "Patient", &head.id);
        doc.text("subscriberId", &format!("{}{number}", if senior { "N" } else { "F" }));
        doc.reference("beneficiary", "Patient", &person.id).concept("relationship", &[&relationship]);
        period(&mut doc, start, person.died);
        doc.list("payor").item().text("reference", &format!("Organization/{}", self.insurers[insurer]));
        doc.text("display", name);
        Some(doc.finish())
    }
}

fn period(doc: &mut Doc, start: Day, end: Option<Day>) {
    doc.object("period").text("start", &start.to_string());
    if let Some(end) = end {
        doc.text("end", &end.max(start).to_string());
    }
    doc.end();
}
