//! Places on the globe, and what is near them (R4 location.html#positional).
//!
//! A place is `[latitude][longitude]`, each as [`super::number::ordered`] writes it, so that places stand in the order of their
//! latitudes. Distances are those along a great circle of a sphere of [`EARTH_KM`]: half a percent at most from those on the ellipsoid of
//! WGS 84.

use iris_fhir::json::Value;

use super::number::{from_ordered, ordered};
use super::read::decimal;
use super::scan::{Stretch, prefix_end};

/// The mean radius of the Earth in kilometres (IUGG, R₁).
pub const EARTH_KM: f64 = 6_371.008_8;
/// What counts as near where a search names no distance, in kilometres: R4 leaves it to the server.
pub const NEAR_KM_DEFAULT: f64 = 50.0;
/// By how many degrees of latitude more is looked at than can hold, so that no rounding leaves a place out: about a metre. From
/// pole to pole a distance is known to a third of that.
const MARGIN_DEGREES: f64 = 1e-5;
/// Bytes of a number.
const NUMBER: usize = 8;

/// A place, in degrees of WGS 84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

impl Place {
    /// Whether there is such a place: at most 90 degrees north or south, at most 180 east or west.
    #[must_use]
    pub fn is_on_the_globe(self) -> bool {
        (-90.0..=90.0).contains(&self.latitude) && (-180.0..=180.0).contains(&self.longitude)
    }

    /// How far another place is, in kilometres.
    #[must_use]
    pub fn kilometres_to(self, other: Self) -> f64 {
        let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin();
        let (north, east) = (half(self.latitude, other.latitude), half(self.longitude, other.longitude));
        let parallels = self.latitude.to_radians().cos() * other.latitude.to_radians().cos();
        // Rounding may lead a little beyond the greatest sine that there is.
        let sine = north.mul_add(north, parallels * east * east).clamp(0.0, 1.0).sqrt();
        2.0 * EARTH_KM * sine.asin()
    }
}

/// The place of a position; `None` where there is none such.
pub(crate) fn read(position: Value<'_>) -> Option<Place> {
    let degrees = |name| position.get(name).and_then(decimal).map(iris_ucum::Decimal::to_f64);
    let place = Place { latitude: degrees("latitude")?, longitude: degrees("longitude")? };
    place.is_on_the_globe().then_some(place)
}

/// The bytes of a place.
pub(crate) fn written(place: Place) -> [u8; 2 * NUMBER] {
    let mut bytes = [0; 2 * NUMBER];
    bytes[..NUMBER].copy_from_slice(&ordered(place.latitude));
    bytes[NUMBER..].copy_from_slice(&ordered(place.longitude));
    bytes
}

/// The test whether a place is within a distance of another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Around {
    place: Place,
    kilometres: f64,
}

impl Around {
    /// Within so many kilometres of a place.
    #[must_use]
    pub const fn new(place: Place, kilometres: f64) -> Self {
        Self { place, kilometres }
    }

    /// Whether it holds for a place.
    #[must_use]
    pub fn holds_for(&self, place: Place) -> bool {
        self.place.kilometres_to(place) <= self.kilometres
    }

    /// [`Around::holds_for`] for bytes that [`written`] made.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let place = || {
            let (latitude, rest) = bytes.split_first_chunk::<NUMBER>()?;
            let (longitude, _) = rest.split_first_chunk::<NUMBER>()?;
            Some(Place { latitude: from_ordered(*latitude), longitude: from_ordered(*longitude) })
        };
        place().is_some_and(|place| self.holds_for(place))
    }

    /// Where under `lead` those places stand that it may hold for: between two parallels.
    pub(crate) fn stretch(&self, lead: &[u8]) -> Stretch {
        let degrees = (self.kilometres / EARTH_KM).to_degrees() + MARGIN_DEGREES;
        let at = |latitude: f64| [lead, &ordered(latitude)].concat();
        Stretch { from: at(self.place.latitude - degrees), to: prefix_end(&at(self.place.latitude + degrees)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(latitude: f64, longitude: f64) -> Place {
        Place { latitude, longitude }
    }

    fn is_about(kilometres: f64, expected: f64) -> bool {
        (kilometres - expected).abs() <= 0.001 * expected.max(1.0)
    }

    #[test]
    fn distances_at_the_poles_across_the_date_line_and_between_cities() {
        let degree = EARTH_KM.to_radians();
        for (from, to, expected) in [
            (place(0.0, 0.0), place(0.0, 1.0), degree),
            (place(0.0, 179.5), place(0.0, -179.5), degree),
            (place(0.0, 180.0), place(0.0, -180.0), 0.0),
            (place(90.0, 0.0), place(90.0, 137.0), 0.0),
            (place(89.5, 0.0), place(89.5, 180.0), degree),
            (place(90.0, 0.0), place(-90.0, 0.0), 180.0 * degree),
            (place(10.0, 20.0), place(-10.0, -160.0), 180.0 * degree),
            // Berlin and Paris; Auckland and Honolulu.
            (place(52.52, 13.405), place(48.8566, 2.3522), 877.5),
            (place(-36.8485, 174.7633), place(21.3069, -157.8583), 7_075.7),
        ] {
            let found = from.kilometres_to(to);
            assert!(is_about(found, expected), "{from:?} {to:?}: {found}, not {expected}");
        }
    }

    /// Where distances are known least: from pole to pole.
    #[test]
    fn what_is_opposite_stands_in_the_stretch() {
        for step in 0..100_000 {
            let off = f64::from(step) * 1e-8;
            let (a, b) = (place(off - 90.0, 20.0), place(90.0 - off / 3.0, 20.0));
            for (from, to) in [(a, b), (b, a)] {
                let around = Around::new(from, from.kilometres_to(to));
                assert!(around.stretch(&[]).has(&written(to)), "{from:?} {to:?}");
            }
        }
    }

    proptest! {
        /// The cosine of the angle between two directions, by another formula.
        #[test]
        fn distance_is_the_angle_between_directions(a in (-90.0..90.0, -180.0..180.0), b in (-90.0..90.0, -180.0..180.0)) {
            let (a, b) = (place(a.0, a.1), place(b.0, b.1));
            let direction = |of: Place| {
                let (north, east) = (of.latitude.to_radians(), of.longitude.to_radians());
                [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
            };
            let (x, y) = (direction(a), direction(b));
            let cosine: f64 = x.iter().zip(y).map(|(x, y)| x * y).sum();
            let expected = EARTH_KM * cosine.clamp(-1.0, 1.0).acos();
            prop_assert!((a.kilometres_to(b) - expected).abs() < 1.0, "{} {}", a.kilometres_to(b), expected);
            prop_assert!((a.kilometres_to(b) - b.kilometres_to(a)).abs() < 1e-6);
        }

        #[test]
        fn what_is_near_stands_in_the_stretch(
            a in (-90.0..=90.0, -180.0..=180.0), b in (-90.0..=90.0, -180.0..=180.0), kilometres in 0.0..25_000.0_f64,
        ) {
            let (a, b) = (place(a.0, a.1), place(b.0, b.1));
            let around = Around::new(a, kilometres);
            let term = [&[0, 7, 28][..], &written(b)].concat();
            prop_assert_eq!(around.holds(&written(b)), around.holds_for(b));
            prop_assert!(!around.holds_for(b) || around.stretch(&[0, 7, 28]).has(&term));
            prop_assert!(Around::new(a, a.kilometres_to(b)).holds_for(b));
        }
    }
}
