//! Immunizations: what was due is given when somebody comes, so a missed visit leaves a gap.

use iris_immunization::{CVX, MVX};

use crate::Plan;
use crate::chance::{Chance, Topic};
use crate::clinic::Clinic;
use crate::day::{Day, years};
use crate::doc::{Code, Decimal, Doc, Unit, hl7};
use crate::household::{Adherence, Person};
use crate::vaccines::{COVID, INFLUENZA, Product, Route, SERIES, Series, TETANUS, product_of};
use crate::visits::{Purpose, Visit};

const MILLILITRE: Unit = Unit { shown: "mL", ucum: "mL" };
const ADMINISTERING: Code = hl7!("v2-0443", "AP", "Administering Provider");
const OBJECTION: Code = hl7!("v3-ActReason", "PATOBJ", "patient objection");
/// Doses older than this may be known by a card only: without lot and place.
const CARD_DAYS: i64 = years(6);
/// From which age COVID-19 vaccine is given here, in years.
const COVID_YEARS: i64 = 12;
/// How long a tetanus vaccine protects.
const TETANUS_YEARS: i64 = 10;

/// A dose, or one that was declined.
struct Dose<'a> {
    product: &'static Product,
    visit: &'a Visit,
    given: bool,
}

/// How far somebody is in a series.
struct Course {
    series: &'static Series,
    accepted: bool,
    next: usize,
    last: Option<Day>,
}

/// The immunizations of a person.
pub(crate) fn documents(
    plan: &Plan,
    clinic: &Clinic,
    person: &Person,
    adherence: Adherence,
    visits: &[Visit],
) -> Vec<Vec<u8>> {
    let mut chance = Chance::of(plan.seed, Topic::Doses, person.household, person.member);
    let declines = adherence == Adherence::Declines;
    let mut doses = Vec::new();
    series(&mut chance, person, declines, visits, &mut doses);
    if !declines {
        yearly(&mut chance, person, visits, &mut doses);
        tetanus(&mut chance, person, visits, &mut doses);
    }
    doses.sort_by_key(|dose| dose.visit.day);
    doses.iter().map(|dose| document(plan, clinic, person, dose, &mut chance)).collect()
}

fn series<'a>(chance: &mut Chance, person: &Person, declines: bool, visits: &'a [Visit], doses: &mut Vec<Dose<'a>>) {
    // By name, so that a further series leaves the others as they are.
    let own = chance.clone();
    let course = |series: &'static Series| Course {
        series,
        accepted: !declines && own.apart(series.name).percent(series.accepted),
        next: 0,
        last: None,
    };
    let mut courses: Vec<Course> = SERIES.iter().map(course).collect();
    for visit in visits.iter().filter(|visit| !matches!(visit.purpose, Purpose::Illness(_))) {
        let age = visit.day.since(person.born);
        for course in &mut courses {
            let Some(step) = course.series.steps.get(course.next) else { continue };
            let rested = course.last.is_none_or(|last| visit.day.since(last) >= step.gap);
            let Some(product) = product_of(course.series.products, visit.day.year()) else { continue };
            if !rested || !(step.from..=step.to).contains(&age) {
                continue;
            }
            // Now and then the refrigerator is empty, or a child has a fever.
            if course.accepted && chance.percent(95) {
                doses.push(Dose { product, visit, given: true });
                course.next += 1;
                course.last = Some(visit.day);
            } else if declines && course.next == 0 && chance.percent(40) {
                doses.push(Dose { product, visit, given: false });
                course.next = course.series.steps.len();
            }
        }
    }
}

/// Influenza and COVID-19: one dose of each between September and January.
fn yearly<'a>(chance: &mut Chance, person: &Person, visits: &'a [Visit], doses: &mut Vec<Dose<'a>>) {
    for (products, from_days, percent) in [(&INFLUENZA, 190, 74), (&COVID, years(COVID_YEARS), 55)] {
        let likes = chance.percent(percent + 10);
        let mut done = 0;
        for visit in visits.iter().filter(|visit| visit.day.since(person.born) >= from_days) {
            let season = match visit.day.month() {
                9..=12 => visit.day.year(),
                1 => visit.day.year() - 1,
                _ => continue,
            };
            let Some(product) = product_of(products, season) else { continue };
            let wanted = matches!(visit.purpose, Purpose::Vaccine) || chance.percent(percent);
            if likes && wanted && season != done && !matches!(visit.purpose, Purpose::Illness(_)) {
                done = season;
                doses.push(Dose { product, visit, given: true });
            }
        }
    }
}

/// Every ten years in adults, where somebody thinks of it; so some are overdue.
fn tetanus<'a>(chance: &mut Chance, person: &Person, visits: &'a [Visit], doses: &mut Vec<Dose<'a>>) {
    let adult =
        |visit: &&Visit| visit.day.years_since(person.born) >= 22 && !matches!(visit.purpose, Purpose::Illness(_));
    let mut last: Option<Day> = None;
    for visit in visits.iter().filter(adult) {
        let due = last.is_none_or(|last| visit.day.years_since(last) >= TETANUS_YEARS);
        let product = &TETANUS[usize::from(chance.percent(35))];
        if due && visit.day.year() >= product.from_year && chance.percent(18) {
            last = Some(visit.day);
            doses.push(Dose { product, visit, given: true });
        }
    }
}

fn document(plan: &Plan, clinic: &Clinic, person: &Person, dose: &Dose<'_>, chance: &mut Chance) -> Vec<u8> {
    let product = dose.product;
    let nurse = clinic.nurse(chance);
    let by_card = plan.at.since(dose.visit.day) > CARD_DAYS && chance.percent(30);
    let mut doc = Doc::new("Immunization", &chance.id());
    doc.text("status", if dose.given { "completed" } else { "not-done" });
    if !dose.given {
        doc.concept("statusReason", &[&OBJECTION]);
    }
    let (code, display) = product.cvx;
    doc.concept("vaccineCode", &[&Code { system: CVX, code, display }]);
    doc.reference("patient", "Patient", &person.id);
    if let Some(encounter) = &dose.visit.encounter {
        doc.reference("encounter", "Encounter", encounter);
    }
    if by_card {
        doc.text("occurrenceDateTime", &dose.visit.day.to_string()).flag("primarySource", false);
        doc.concept("reportOrigin", &[&hl7!("immunization-origin", "record", "Written Record")]);
        return doc.finish();
    }
    doc.text("occurrenceDateTime", &dose.visit.time(8)).flag("primarySource", true);
    if dose.given {
        package(&mut doc, product, dose.visit.day, chance);
        place(&mut doc, product.route, dose.visit.day.since(person.born), chance);
        doc.quantity("doseQuantity", Decimal { units: product.volume, places: 2 }, MILLILITRE);
    }
    doc.list("performer").item().concept("function", &[&ADMINISTERING]);
    doc.reference_to("actor", "Practitioner", nurse.id, &nurse.name());
    doc.finish()
}

/// Who made it, the lot and its last day.
fn package(doc: &mut Doc, product: &Product, day: Day, chance: &mut Chance) {
    doc.object("manufacturer").object("identifier").text("system", MVX).text("value", product.maker.mvx).end();
    doc.text("display", product.maker.name).end();
    let letters = ["A", "B", "C", "E", "H", "K", "M", "N", "R", "T", "U", "X"];
    let lot = format!("{}{}{:04}", chance.pick(&letters), chance.pick(&letters), chance.below(10_000));
    doc.text("lotNumber", &lot).text("expirationDate", &day.plus(chance.between(60, 540)).to_string());
}

/// Thigh of infants, upper arm of others.
fn place(doc: &mut Doc, route: Route, age_days: i64, chance: &mut Chance) {
    let left = chance.percent(60);
    let site = match (age_days < 500, left) {
        (true, true) => hl7!("v3-ActSite", "LT", "left thigh"),
        (true, false) => hl7!("v3-ActSite", "RT", "right thigh"),
        (false, true) => hl7!("v3-ActSite", "LD", "left deltoid"),
        (false, false) => hl7!("v3-ActSite", "RD", "right deltoid"),
    };
    let way = match route {
        Route::Muscle => hl7!("v3-RouteOfAdministration", "IM", "Injection, intramuscular"),
        Route::Skin => hl7!("v3-RouteOfAdministration", "SQ", "Injection, subcutaneous"),
        Route::Mouth => hl7!("v3-RouteOfAdministration", "PO", "Swallow, oral"),
    };
    if route != Route::Mouth {
        doc.concept("site", &[&site]);
    }
    doc.concept("route", &[&way]);
}
