//! As much of CBOR (RFC 8949) as authenticators write: CTAP2's canonical form, in which everything has a length and nothing is
//! deeper than four. Anything else is no answer of an authenticator.

/// Deepest nesting (CTAP 2.1, §8).
const DEPTH_MAX: usize = 4;
/// Most members of a map or items of a list.
const ITEMS_MAX: u64 = 64;

/// An item.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// An integer, of either sign.
    Number(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// A list; what is in it is nobody's business here, but how much there is.
    List(usize),
    /// A map, in the order sent.
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// True, false or null.
    Simple(u8),
}

impl<'a> Item<'a> {
    /// Reads one item and gives what comes after it.
    pub(super) fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        read(bytes, DEPTH_MAX)
    }

    /// The value of a member with a text as its key.
    pub(super) fn named(&self, name: &str) -> Option<&Self> {
        self.member(|key| *key == Item::Text(name))
    }

    /// The value of a member with a number as its key.
    pub(super) fn numbered(&self, number: i64) -> Option<&Self> {
        self.member(|key| *key == Item::Number(number))
    }

    fn member(&self, wanted: impl Fn(&Self) -> bool) -> Option<&Self> {
        let Item::Map(members) = self else { return None };
        members.iter().find(|(key, _)| wanted(key)).map(|(_, value)| value)
    }

    /// The bytes, if it is some.
    pub(super) const fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Item::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub(super) const fn number(&self) -> Option<i64> {
        match self {
            Item::Number(number) => Some(*number),
            _ => None,
        }
    }
}

fn read(bytes: &[u8], depth: usize) -> Option<(Item<'_>, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (kind, short) = (first >> 5, first & 0x1f);
    if kind == 7 {
        return matches!(short, 20..=22).then_some((Item::Simple(short), rest));
    }
    let (count, rest) = argument(short, rest)?;
    match kind {
        0 => Some((Item::Number(i64::try_from(count).ok()?), rest)),
        1 => Some((Item::Number(-1 - i64::try_from(count).ok()?), rest)),
        2 | 3 => {
            let (taken, rest) = rest.split_at_checked(usize::try_from(count).ok()?)?;
            let item = if kind == 2 { Item::Bytes(taken) } else { Item::Text(std::str::from_utf8(taken).ok()?) };
            Some((item, rest))
        }
        4 | 5 if count <= ITEMS_MAX && depth > 0 => nested(kind == 5, count, rest, depth - 1),
        _ => None,
    }
}

fn nested(is_map: bool, count: u64, mut rest: &[u8], depth: usize) -> Option<(Item<'_>, &[u8])> {
    let mut members: Vec<(Item<'_>, Item<'_>)> = Vec::new();
    for _ in 0..count {
        let (first, after) = read(rest, depth)?;
        rest = after;
        if is_map {
            let (value, after) = read(rest, depth)?;
            rest = after;
            // A key that stands twice means one thing to one reader and another to the next.
            if members.iter().any(|(known, _)| *known == first) {
                return None;
            }
            members.push((first, value));
        }
    }
    let item = if is_map { Item::Map(members) } else { Item::List(usize::try_from(count).ok()?) };
    Some((item, rest))
}

/// The number behind an item's first byte. Whether it could have been written shorter makes no difference to what it says.
fn argument(short: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let width = match short {
        0..=23 => return Some((u64::from(short), rest)),
        24..=27 => 1_usize << (short - 24),
        _ => return None,
    };
    let (taken, rest) = rest.split_at_checked(width)?;
    let count = taken.iter().fold(0_u64, |count, byte| (count << 8) | u64::from(*byte));
    Some((count, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_rfc_8949() {
        let cases: [(&[u8], Item<'_>); 9] = [
            (&[0x00], Item::Number(0)),
            (&[0x18, 0x64], Item::Number(100)),
            (&[0x1a, 0x00, 0x0f, 0x42, 0x40], Item::Number(1_000_000)),
            (&[0x20], Item::Number(-1)),
            (&[0x39, 0x03, 0xe7], Item::Number(-1_000)),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x62, 0xc3, 0xbc], Item::Text("ü")),
            (&[0x83, 1, 2, 3], Item::List(3)),
            (&[0xf5], Item::Simple(21)),
        ];
        for (bytes, item) in cases {
            assert_eq!(Item::read(bytes), Some((item, &[][..])), "{bytes:x?}");
        }
        let (map, rest) = Item::read(&[0xa2, 0x01, 0x02, 0x61, 0x61, 0x41, 7, 9]).unwrap();
        assert_eq!(map.numbered(1).and_then(Item::number), Some(2));
        assert_eq!(map.named("a").and_then(Item::bytes), Some(&[7][..]));
        assert_eq!(rest, [9]);
    }

    #[test]
    fn hostile_items_are_none() {
        let deep = [[0x81; 5].as_slice(), &[0]].concat();
        let wide = [&[0x98, 65][..], &[0; 65]].concat();
        let cases: [&[u8]; 11] = [
            &[],
            &[0x18],
            &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x5f, 0x41, 1, 0xff],
            &[0x62, 0xc3, 0x28],
            &[0xa2, 0x01, 0x02, 0x01, 0x03],
            &[0xc0, 0x00],
            &[0xfb, 0, 0, 0, 0, 0, 0, 0, 0],
            &deep,
            &wide,
        ];
        for bytes in cases {
            assert_eq!(Item::read(bytes), None, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_stumble(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some((_, rest)) = Item::read(&bytes) {
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
