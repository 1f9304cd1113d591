//! Editing stored FHIR elements: what is not named stays as it is.

use iris_fhir::json::{Value, Writer, write_string};

/// A new value of a member, or `None` to take it away.
pub type Change<'n> = (&'n str, Option<Vec<u8>>);

/// A text as JSON.
#[must_use]
pub fn string(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    out
}

/// A value as JSON without white space.
#[must_use]
pub fn copy(value: Value<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    value.compact_into(&mut out);
    out
}

/// An object with changed members: the others stay, in their order; new ones come last. `None` if nothing is left, because
/// FHIR has no empty objects.
#[must_use]
pub fn object(before: Option<Value<'_>>, changes: &[Change<'_>]) -> Option<Vec<u8>> {
    let mut w = Writer::new();
    w.object();
    let mut count = 0;
    for (name, value) in before.iter().flat_map(|value| value.members()) {
        match changes.iter().find(|(changed, _)| *changed == name) {
            None => w.key(&name).value(value),
            Some((_, Some(new))) => w.key(&name).raw(new),
            Some((_, None)) => continue,
        };
        count += 1;
    }
    for (name, new) in changes {
        if let Some(new) = new.as_ref().filter(|_| before.is_none_or(|value| value.get(name).is_none())) {
            w.key(name).raw(new);
            count += 1;
        }
    }
    (count > 0).then(|| w.finish())
}

/// The items of an array, to be changed and put together again.
#[derive(Clone, Debug)]
pub struct List(Vec<Option<Vec<u8>>>);

impl List {
    /// The items of a member; empty if it is not there.
    #[must_use]
    pub fn of(array: Option<Value<'_>>) -> Self {
        Self(array.iter().flat_map(|array| array.items()).map(|item| Some(copy(item))).collect())
    }

    /// Sets an item, or adds one where there was none; `None` takes it away. Positions of other items do not change.
    pub fn set(&mut self, place: Option<usize>, item: Option<Vec<u8>>) {
        match place.and_then(|place| self.0.get_mut(place)) {
            Some(slot) => *slot = item,
            None => self.0.push(item),
        }
    }

    /// The array as JSON; `None` if nothing is left.
    #[must_use]
    pub fn finish(self) -> Option<Vec<u8>> {
        let mut w = Writer::new();
        w.array();
        let mut count = 0;
        for item in self.0.into_iter().flatten() {
            w.raw(&item);
            count += 1;
        }
        w.end();
        (count > 0).then(|| w.finish())
    }
}

#[cfg(test)]
mod tests {
    use iris_fhir::json::Json;

    use super::*;

    #[test]
    fn what_is_not_named_stays() {
        let json = Json::parse(r#"{"a": 1.00, "b": {"c": [1, 2]}, "d": "x"}"#).unwrap();
        let made =
            object(Some(json.root()), &[("d", None), ("a", Some(string("y"))), ("e", Some(b"3".to_vec()))]).unwrap();
        assert_eq!(made, br#"{"a":"y","b":{"c":[1,2]},"e":3}"#);
        assert_eq!(object(None, &[("a", None)]), None);
    }

    #[test]
    fn lists_lose_and_gain_items() {
        let json = Json::parse("[1,2,3]").unwrap();
        let mut list = List::of(Some(json.root()));
        list.set(Some(1), None);
        list.set(Some(0), Some(b"9".to_vec()));
        list.set(None, Some(b"4".to_vec()));
        assert_eq!(list.finish().unwrap(), b"[9,3,4]");
        assert_eq!(List::of(None).finish(), None);
    }
}
