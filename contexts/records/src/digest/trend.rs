//! Trends: the numbers of each code in each unit, by time.

use std::borrow::Cow;
use std::collections::HashMap;

use iris_fhir::json::{Value, Writer};

use super::observation::{TIMES, interpretation, number, range, unit};
use super::read::{coding, concept, items, text, time_of};

/// The values of one code in one unit. Numbers are as they are spelt in the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    /// The code.
    pub code: Option<String>,
    /// System of the code.
    pub system: Option<String>,
    /// What was measured.
    pub name: String,
    /// The unit.
    pub unit: Option<String>,
    /// Lower end of the newest reference range.
    pub low: Option<String>,
    /// Upper end of the newest reference range.
    pub high: Option<String>,
    /// The values, oldest first.
    pub points: Vec<Point>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Id of the observation.
    pub id: String,
    /// When.
    pub at: String,
    /// The number.
    pub value: String,
    /// Code of the interpretation.
    pub interpretation: Option<String>,
}

/// The trends in observations that come newest first. What has no number, no time, or should not exist is left out, and so is a
/// mere bound (`<5`). Parts, such as systolic and diastolic pressure, make trends of their own. Codes narrow: that of a panel stands
/// for all of its parts, that of a part for itself; no codes find everything.
#[must_use]
pub fn trends(observations: &[Value<'_>], codes: &[&str]) -> Vec<Trend> {
    let mut found = Found::default();
    let usable = |observation: &&Value<'_>| {
        !text(**observation, "status").is_some_and(|status| ["entered-in-error", "cancelled"].contains(&&*status))
    };
    for observation in observations.iter().filter(usable) {
        let (Some(id), Some(at)) = (text(*observation, "id"), time_of(*observation, TIMES)) else { continue };
        let whole = codes.is_empty() || has_code(*observation, codes);
        for part in std::iter::once(*observation).chain(items(*observation, "component")) {
            if whole || has_code(part, codes) {
                found.add(part, &id, &at);
            }
        }
    }
    for trend in &mut found.trends {
        trend.points.reverse();
    }
    found.trends
}

/// What tells one trend from another: code, system, unit, and the name where there is no code.
type Key = (Option<String>, Option<String>, Option<String>, Option<String>);

/// The trends so far, and the place of each: an observation can have thousands of parts.
#[derive(Default)]
struct Found {
    trends: Vec<Trend>,
    places: HashMap<Key, usize>,
}

fn has_code(owner: Value<'_>, codes: &[&str]) -> bool {
    let codings = owner.get("code").into_iter().flat_map(|code| items(code, "coding"));
    codings.filter_map(|coding| text(coding, "code")).any(|code| codes.contains(&&*code))
}

impl Found {
    fn add(&mut self, part: Value<'_>, id: &str, at: &str) {
        let Some(quantity) = part.get("valueQuantity") else { return };
        let (Some(value), Some(name)) = (number(quantity), concept(part, "code")) else { return };
        let coded = coding(part, "code");
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let code = owned(coded.and_then(|coding| text(coding, "code")));
        let system = owned(coded.and_then(|coding| text(coding, "system")));
        let unit = owned(unit(quantity));
        let point = Point {
            id: id.to_owned(),
            at: at.to_owned(),
            value: value.to_owned(),
            interpretation: owned(interpretation(part)),
        };
        let (low, high) = range(part, quantity);
        let (low, high) = (low.map(str::to_owned), high.map(str::to_owned));
        // A code tells what is measured; where there is none, the name must do.
        let named = code.is_none().then(|| name.clone());
        let next = self.trends.len();
        let place = *self.places.entry((code.clone(), system.clone(), unit.clone(), named)).or_insert(next);
        match self.trends.get_mut(place) {
            Some(trend) => {
                if trend.low.is_none() && trend.high.is_none() {
                    (trend.low, trend.high) = (low, high);
                }
                trend.points.push(point);
            }
            None => self.trends.push(Trend { code, system, name, unit, low, high, points: vec![point] }),
        }
    }
}

impl Trend {
    /// Writes the trend as an object.
    pub fn show(&self, w: &mut Writer) {
        w.object();
        let text = |w: &mut Writer, name: &str, value: Option<&String>| {
            w.key(name);
            match value {
                Some(value) => w.string(value),
                None => w.null(),
            };
        };
        let decimal = |w: &mut Writer, name: &str, value: Option<&String>| {
            w.key(name);
            match value {
                Some(value) => w.raw(value.as_bytes()),
                None => w.null(),
            };
        };
        text(w, "code", self.code.as_ref());
        text(w, "system", self.system.as_ref());
        w.member("name", &self.name);
        text(w, "unit", self.unit.as_ref());
        decimal(w, "low", self.low.as_ref());
        decimal(w, "high", self.high.as_ref());
        w.key("points").array();
        for point in &self.points {
            w.object().member("id", &point.id).member("at", &point.at).key("value").raw(point.value.as_bytes());
            text(w, "interpretation", point.interpretation.as_ref());
            w.end();
        }
        w.end().end();
    }
}
