//! Places near another: `latitude|longitude|distance|units`.

use iris_ucum::{Decimal, Unit};

use super::{Refusal, plain};
use crate::position::{Around, NEAR_KM_DEFAULT, Place};
use crate::scan::{Scan, ScanTest};
use crate::term::{Mode, head};
use crate::{Criterion, value};

const FORM: &str = "needs latitude|longitude, latitude|longitude|distance or latitude|longitude|distance|units, such as 42.25|-83.69|11.2|km";
/// The units where none are named (R4 location.html#positional).
const UNITS: &str = "km";
/// In which a radius is held.
const KILOMETRE: &str = "km";

/// A place within a distance. Without one it is [`NEAR_KM_DEFAULT`], and the units say nothing.
pub(super) fn near(index: u16, piece: &str) -> Result<Criterion, Refusal> {
    let mut parts = Vec::with_capacity(4);
    let mut rest = piece;
    while let Some((part, after)) = value::split_at_plain(rest, b'|') {
        parts.push(plain(part)?);
        rest = after;
    }
    parts.push(plain(rest)?);
    let (latitude, longitude, distance, units) = match &parts[..] {
        [latitude, longitude] => (latitude, longitude, "", ""),
        [latitude, longitude, distance] => (latitude, longitude, &**distance, ""),
        [latitude, longitude, distance, units] => (latitude, longitude, &**distance, &**units),
        _ => return Err(FORM.into()),
    };
    let degrees = |text: &str| Decimal::parse(text).map(Decimal::to_f64).map_err(|_| Refusal::from(FORM));
    let place = Place { latitude: degrees(latitude)?, longitude: degrees(longitude)? };
    if !place.is_on_the_globe() {
        return Err("needs a latitude from -90 to 90 and a longitude from -180 to 180 degrees".into());
    }
    let radius = if distance.is_empty() { NEAR_KM_DEFAULT } else { kilometres(distance, units)? };
    let test = ScanTest::Around(Around::new(place, radius));
    Ok(Criterion::Scan(Scan::new(head(index, Mode::Position), test)))
}

fn kilometres(distance: &str, units: &str) -> Result<f64, Refusal> {
    let distance = Decimal::parse(distance).map_err(|_| FORM)?;
    if distance < Decimal::from(0) {
        return Err("needs a distance that is not negative".into());
    }
    let units = if units.is_empty() { UNITS } else { units };
    const LENGTH: &str = "needs units of length as UCUM has them, such as km, m or [mi_i]";
    let unit = Unit::parse(units).map_err(|_| LENGTH)?;
    let kilometre = Unit::parse(KILOMETRE).map_err(|_| LENGTH)?;
    let kilometres = unit.convert(distance, &kilometre).ok_or(LENGTH)?;
    Ok(kilometres.to_f64())
}
