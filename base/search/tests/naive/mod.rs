//! Numbers and quantities as R4 compares them (search.html#number, #quantity), over exact numbers.

/// A unit as it may stand in a quantity.
pub(crate) struct Unit {
    pub(crate) system: &'static str,
    pub(crate) code: &'static str,
    pub(crate) text: &'static str,
    /// What it measures, and how many of the smallest such unit it is; for units of UCUM.
    measure: Option<(char, i128)>,
}

const UCUM: &str = "http://unitsofmeasure.org";

pub(crate) const UNITS: [Unit; 8] = [
    Unit { system: UCUM, code: "mg", text: "mg", measure: Some(('m', 1)) },
    Unit { system: UCUM, code: "g", text: "gram", measure: Some(('m', 1_000)) },
    Unit { system: UCUM, code: "dag", text: "", measure: Some(('m', 10_000)) },
    Unit { system: UCUM, code: "mm", text: "mm", measure: Some(('l', 1)) },
    Unit { system: UCUM, code: "cm", text: "mg", measure: Some(('l', 10)) },
    Unit { system: "urn:units", code: "mg", text: "", measure: None },
    Unit { system: "", code: "", text: "mg", measure: None },
    Unit { system: "", code: "", text: "", measure: None },
];

/// A decimal in millionths, which is exact for all that the tests make, and the half of its last place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exact {
    value: i128,
    half: i128,
}

const MILLIONTHS: u32 = 6;
const NEVER: i128 = i128::MAX / 4;

impl Exact {
    pub(crate) fn of(text: &str) -> Self {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
        let whole: i128 = digits.replace('.', "").parse().unwrap();
        let scale = MILLIONTHS + exponent.parse::<u32>().unwrap() - u32::try_from(places).unwrap();
        let unit = 10_i128.pow(scale);
        Self { value: whole * unit, half: unit / 2 }
    }

    /// The number of a resource, which is exact.
    pub(crate) fn point(text: &str) -> (i128, i128) {
        let value = Self::of(text).value;
        (value, value)
    }

    fn times(self, factor: i128) -> Self {
        Self { value: self.value * factor, half: self.half * factor }
    }
}

/// Whether a comparison holds for a number or range of a resource, both ends included.
pub(crate) fn holds(op: &str, asked: Exact, (low, high): (i128, i128)) -> bool {
    let rounds_to = asked.value - asked.half <= low && high < asked.value + asked.half;
    match op {
        "" | "eq" => rounds_to,
        "ne" => !rounds_to,
        "gt" => high > asked.value,
        "lt" => low < asked.value,
        "ge" => high >= asked.value,
        "le" => low <= asked.value,
        "sa" => low > asked.value,
        "eb" => high < asked.value,
        _ => {
            let near = (asked.value.abs() / 10).max(asked.half);
            low <= asked.value + near && high >= asked.value - near
        }
    }
}

/// Whether a quantity (number, unit, comparator) is found by a number and, by form, no unit, a unit as it is written, or a system and
/// code.
pub(crate) fn quantity_holds(had: &(String, usize, usize), op: &str, asked: &str, form: usize, unit: usize) -> bool {
    let (number, own, comparator) = had;
    let (own, unit) = (&UNITS[*own], &UNITS[unit]);
    let fits = match form {
        0 => true,
        1 => {
            let name = if unit.code.is_empty() { unit.text } else { unit.code };
            own.code == name || own.text == name
        }
        _ => match (own.measure, unit.measure) {
            (Some((one, _)), Some((other, _))) => one == other,
            _ => own.system == unit.system && own.code == unit.code,
        },
    };
    // Only where the system is asked for are units converted.
    let factor = |of: &Unit| if form == 2 { of.measure.map_or(1, |(_, factor)| factor) } else { 1 };
    let value = Exact::of(number).times(factor(own)).value;
    let extent = match comparator {
        0 | 1 => (-NEVER, value),
        2 | 3 => (value, NEVER),
        _ => (value, value),
    };
    fits && holds(op, Exact::of(asked).times(factor(unit)), extent)
}
