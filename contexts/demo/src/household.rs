//! Families: who lives together, with ages that fit.

use iris_records::mrn;

use crate::chance::{Chance, Fixed, Topic};
use crate::day::{Day, years};
use crate::names::{ORIGINS, Origin};
use crate::places::{self, Address};
use crate::{Household, Plan};

/// Most children of a family.
const CHILDREN_MAX: i64 = 4;
/// Numbers of patients that one seed has room for; see [`mrn_of`].
pub(crate) const NUMBERS_OF_A_SEED: u64 = 1_000_000;
/// How many medical record numbers there are (nine digits, the first not zero).
const NUMBERS: u64 = 900_000_000;
/// Spreads neighbouring numbers far apart. Without a factor in common with [`NUMBERS`], so that no two become the same.
const SPREAD: u64 = 618_033_989;
/// Where the first number lies, so that it is not a round one.
const START: u64 = 271_828_182;

/// Sex as the records have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sex {
    Female,
    Male,
}

impl Sex {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::Female => Self::Male,
            Self::Male => Self::Female,
        }
    }
}

/// What somebody is in the household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Head,
    Spouse,
    Child,
    Grandparent,
}

/// How a family keeps appointments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adherence {
    Regular,
    Patchy,
    Rare,
    /// Comes to visits and declines vaccines.
    Declines,
}

/// One patient.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) household: u32,
    pub(crate) member: u32,
    pub(crate) id: String,
    pub(crate) mrn: String,
    pub(crate) role: Role,
    pub(crate) sex: Sex,
    pub(crate) given: &'static str,
    pub(crate) middle: &'static str,
    pub(crate) family: &'static str,
    pub(crate) born: Day,
    pub(crate) died: Option<Day>,
    pub(crate) active: bool,
    pub(crate) mobile: Option<String>,
    pub(crate) ssn: Option<String>,
}

/// A household with everybody in it.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) origin: &'static Origin,
    pub(crate) address: Address,
    pub(crate) phone: String,
    pub(crate) prefers_language: bool,
    pub(crate) adherence: Adherence,
    pub(crate) persons: Vec<Person>,
}

/// Who lives in a household.
#[derive(Clone, Copy, Debug)]
struct Shape {
    adults: i64,
    children: i64,
    grandparents: i64,
}

/// The household's own draws begin with its shape, so that its size is known before anything else is made.
fn shape(chance: &mut Chance, number: u32) -> Shape {
    // The household of the demo's patient account: a family in which much is to be seen.
    if number == 0 {
        return Shape { adults: 2, children: 2, grandparents: 0 };
    }
    let children = chance.between(1, CHILDREN_MAX) - i64::from(chance.percent(40));
    let children = children.max(1);
    match chance.below(100) {
        0..=23 => Shape { adults: 1, children: 0, grandparents: 0 },
        24..=46 => Shape { adults: 2, children: 0, grandparents: 0 },
        47..=79 => Shape { adults: 2, children, grandparents: 0 },
        80..=90 => Shape { adults: 1, children, grandparents: 0 },
        _ => Shape { adults: 2, children, grandparents: 1 },
    }
}

/// How many people a household has.
pub(crate) fn size(seed: u64, number: u32) -> u32 {
    let shape = shape(&mut Chance::of(seed, Topic::Household, number, 0), number);
    u32::try_from(shape.adults + shape.children + shape.grandparents).unwrap_or(1)
}

/// Everybody of a household.
pub(crate) fn family(plan: &Plan, household: &Household) -> Family {
    let mut chance = Chance::of(plan.seed, Topic::Household, household.number, 0);
    let shape = shape(&mut chance, household.number);
    let origin = origin(&mut chance);
    let name = chance.word(origin.family);
    let mut family = Family {
        origin,
        address: places::address(&mut chance),
        phone: places::phone(&mut chance),
        prefers_language: origin.language.is_some() && chance.percent(35),
        adherence: adherence(&mut chance, household.number),
        persons: Vec::new(),
    };
    let ages = ages(&mut chance, shape);
    let head_sex = if chance.percent(50) { Sex::Female } else { Sex::Male };
    for (place, (role, age_days)) in ages.into_iter().enumerate() {
        let member = u32::try_from(place).unwrap_or(0);
        let mut chance = Chance::of(plan.seed, Topic::Person, household.number, member);
        let sex = match role {
            Role::Head => head_sex,
            Role::Spouse if chance.percent(95) => head_sex.other(),
            Role::Spouse => head_sex,
            Role::Child | Role::Grandparent if chance.percent(51) => Sex::Female,
            Role::Child | Role::Grandparent => Sex::Male,
        };
        let own_name = matches!(role, Role::Spouse | Role::Grandparent) && chance.percent(15);
        let surname = if own_name { chance.word(origin.family) } else { name };
        let born = plan.at.plus(-age_days);
        let number = u64::from(household.first + member);
        family.persons.push(person(
            plan,
            &mut chance,
            origin,
            &Who { household: household.number, member, role, sex, surname, born, number },
        ));
    }
    family
}

struct Who {
    household: u32,
    member: u32,
    role: Role,
    sex: Sex,
    surname: &'static str,
    born: Day,
    number: u64,
}

fn person(plan: &Plan, chance: &mut Chance, origin: &Origin, who: &Who) -> Person {
    let given = match who.sex {
        Sex::Female => origin.female,
        Sex::Male => origin.male,
    };
    let age = plan.at.years_since(who.born);
    let died = (age >= 72 && who.household != 0 && chance.percent(7)).then(|| plan.at.plus(-chance.between(20, 900)));
    Person {
        household: who.household,
        member: who.member,
        id: chance.id(),
        mrn: mrn_of(plan.seed, who.number),
        role: who.role,
        sex: who.sex,
        given: chance.word(given),
        middle: chance.word(given),
        family: who.surname,
        born: who.born,
        died,
        active: who.household == 0 || !chance.percent(2),
        mobile: (age >= 15 && chance.percent(85)).then(|| places::phone(chance)),
        // Area 9 with a low group is given to nobody, as a number of social security or of taxes.
        ssn: (age >= 1 && chance.percent(70))
            .then(|| format!("9{:02}-{:02}-{:04}", chance.below(100), chance.between(1, 49), chance.between(1, 9_999))),
    }
}

/// A medical record number as the records context makes it. No two patients of a seed have the same, nor have those of two
/// seeds that differ by less than 900: each seed has a million numbers of its own, spread over all there are.
fn mrn_of(seed: u64, number: u64) -> String {
    let seeds = NUMBERS / NUMBERS_OF_A_SEED;
    let place = (seed % seeds) * NUMBERS_OF_A_SEED + number % NUMBERS_OF_A_SEED;
    // The product is below 9·10⁸ · 6.2·10⁸, so it fits.
    mrn::draw(&Fixed((place * SPREAD + START) % NUMBERS))
}

fn origin(chance: &mut Chance) -> &'static Origin {
    let mut left = chance.below(100);
    for origin in &ORIGINS {
        if left < origin.share {
            return origin;
        }
        left -= origin.share;
    }
    &ORIGINS[0]
}

fn adherence(chance: &mut Chance, number: u32) -> Adherence {
    if number == 0 {
        return Adherence::Patchy;
    }
    match chance.below(100) {
        0..=61 => Adherence::Regular,
        62..=86 => Adherence::Patchy,
        87..=95 => Adherence::Rare,
        _ => Adherence::Declines,
    }
}

/// Role and age in days of everybody, adults first. Children come one to four years apart; parents were of age when the first
/// was born and not past their forties when the last was.
fn ages(chance: &mut Chance, shape: Shape) -> Vec<(Role, i64)> {
    let mut children = Vec::new();
    let mut age = chance.between(6, years(13));
    for _ in 0..shape.children {
        children.push(age);
        age += chance.between(400, years(4));
    }
    let youngest = children.first().copied().unwrap_or(0);
    let head = match children.last() {
        Some(eldest) => (eldest + chance.between(years(20), years(33))).min(youngest + years(44)),
        None => chance.between(years(20), years(91)),
    };
    let head = head.max(children.last().map_or(0, |eldest| eldest + years(18)));
    let mut ages = vec![(Role::Head, head)];
    if shape.adults > 1 {
        let eldest = children.last().copied().unwrap_or(0);
        let spouse = (head + chance.between(-years(5), years(5))).max(eldest + years(18)).max(years(19));
        ages.push((Role::Spouse, spouse));
    }
    for _ in 0..shape.grandparents {
        ages.push((Role::Grandparent, (head + chance.between(years(21), years(33))).min(years(101))));
    }
    ages.extend(children.into_iter().rev().map(|age| (Role::Child, age)));
    ages
}
