//! Where the families of the demo live: real towns of one county, invented streets, and telephone numbers that ring nowhere.

use crate::chance::Chance;

/// A home.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) city: &'static str,
    pub(crate) zip: &'static str,
}

/// State of every town.
pub(crate) const STATE: &str = "IL";

/// Towns with their postal codes; the first ones are the largest and stand there several times.
const TOWNS: [(&str, &str); 18] = [
    ("Springfield", "62701"),
    ("Springfield", "62702"),
    ("Springfield", "62703"),
    ("Springfield", "62704"),
    ("Springfield", "62711"),
    ("Springfield", "62712"),
    ("Chatham", "62629"),
    ("Chatham", "62629"),
    ("Rochester", "62563"),
    ("Sherman", "62684"),
    ("Riverton", "62561"),
    ("Auburn", "62615"),
    ("Pawnee", "62558"),
    ("Williamsville", "62693"),
    ("New Berlin", "62670"),
    ("Pleasant Plains", "62677"),
    ("Petersburg", "62675"),
    ("Divernon", "62530"),
];

const STREETS: [&str; 32] = [
    "Alder",
    "Ashgrove",
    "Bluebird",
    "Briarwood",
    "Cardinal",
    "Cedar Hollow",
    "Chestnut",
    "Clover",
    "Copperfield",
    "Dogwood",
    "Fernleaf",
    "Goldfinch",
    "Hawthorn",
    "Hazel",
    "Heron",
    "Juniper",
    "Larkspur",
    "Linden",
    "Magnolia",
    "Meadowlark",
    "Millrace",
    "Mulberry",
    "Orchard",
    "Prairie View",
    "Quail Run",
    "Redbud",
    "Sandpiper",
    "Sycamore",
    "Thistledown",
    "Walnut",
    "Willow Bend",
    "Wren",
];
const STREET_KINDS: [&str; 6] = ["Street", "Avenue", "Lane", "Drive", "Court", "Road"];

/// Area codes of the state and its neighbours.
const AREAS: [&str; 24] = [
    "217", "217", "217", "217", "309", "618", "815", "630", "708", "773", "312", "847", "224", "331", "447", "464",
    "730", "779", "872", "314", "636", "573", "319", "563",
];

/// Draws a home.
pub(crate) fn address(chance: &mut Chance) -> Address {
    let (city, zip) = *chance.pick(&TOWNS);
    let (street, kind) = (chance.pick(&STREETS), chance.pick(&STREET_KINDS));
    let mut street = format!("{} {street} {kind}", chance.between(100, 4_899));
    if chance.percent(22) {
        street.push_str(&format!(", Apt {}", chance.between(1, 48)));
    }
    Address { street, city, zip }
}

/// Draws a telephone number of the exchange that is kept free for invented people: 555-0100 to 555-0199.
pub(crate) fn phone(chance: &mut Chance) -> String {
    format!("{}-555-01{:02}", chance.pick(&AREAS), chance.below(100))
}
