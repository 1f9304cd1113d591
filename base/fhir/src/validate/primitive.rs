//! The formats of the primitive types (R4 datatypes.html#primitive), as they stand in JSON.

use crate::definitions::Primitive;
use crate::json::{Value, ValueKind};

/// Longest string: 1 MiB of characters (R4 datatypes.html#string).
pub const STRING_CHARS_MAX: usize = 1 << 20;

/// Whether this is an `id`: 1 to 64 of letters, digits, `-` and `.`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// What is wrong with a value of a primitive type; `None` if nothing is.
#[must_use]
pub fn fault(primitive: Primitive, value: Value<'_>) -> Option<&'static str> {
    match (primitive, value.kind()) {
        (Primitive::Boolean, ValueKind::Bool) => None,
        (Primitive::Boolean, _) => Some("A boolean is true or false, without quotes"),
        (Primitive::Decimal, ValueKind::Number) => None,
        (Primitive::Decimal, _) => Some("A decimal is a JSON number"),
        (Primitive::Integer, _) => whole_number(value, -(1 << 31), "An integer is a whole JSON number of 32 bits"),
        (Primitive::UnsignedInt, _) => {
            whole_number(value, 0, "An unsignedInt is a whole JSON number from 0 to 2147483647")
        }
        (Primitive::PositiveInt, _) => {
            whole_number(value, 1, "A positiveInt is a whole JSON number from 1 to 2147483647")
        }
        (_, ValueKind::String) => {
            let text = value.as_str()?;
            if text.is_empty() { Some("A string must not be empty") } else { text_fault(primitive, &text) }
        }
        _ => Some("Expected a JSON string"),
    }
}

fn whole_number(value: Value<'_>, least: i64, message: &'static str) -> Option<&'static str> {
    let literal = value.number().filter(|literal| literal.len() <= 11 && *literal != "-0");
    let number = literal.and_then(|literal| literal.parse::<i64>().ok());
    number.is_none_or(|number| number < least || number > i64::from(i32::MAX)).then_some(message)
}

fn text_fault(primitive: Primitive, text: &str) -> Option<&'static str> {
    let (good, message) = match primitive {
        Primitive::Code => (is_code(text), "A code has no white space at its ends and single spaces inside"),
        Primitive::Id => (is_id(text), "An id is 1 to 64 letters, digits, - and ."),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => {
            (!text.contains(char::is_whitespace), "A URI has no white space")
        }
        Primitive::Oid => (is_oid(text), "An oid is urn:oid: and numbers with dots"),
        Primitive::Uuid => (is_uuid(text), "A uuid is urn:uuid: and a UUID in lower case"),
        Primitive::Date => (is_date(text), "A date is YYYY, YYYY-MM or YYYY-MM-DD, and must exist"),
        Primitive::DateTime => {
            (is_date_time(text), "A dateTime is a date, or YYYY-MM-DDThh:mm:ss with Z or an offset, and must exist")
        }
        Primitive::Instant => {
            (is_instant(text), "An instant is YYYY-MM-DDThh:mm:ss with Z or an offset, and must exist")
        }
        Primitive::Time => (is_time(text), "A time is hh:mm:ss"),
        Primitive::Base64Binary => {
            (is_base64(text), "A base64Binary has groups of four letters, digits, + and /, padded with =")
        }
        Primitive::Xhtml => (is_div(text), "Narrative is one XHTML div element"),
        _ => (is_short(text), "A string has at most 1048576 characters"),
    };
    (!good).then_some(message)
}

fn is_short(text: &str) -> bool {
    text.len() <= STRING_CHARS_MAX || text.chars().count() <= STRING_CHARS_MAX
}

fn is_code(text: &str) -> bool {
    // `[^\s]+(\s[^\s]+)*`: nothing between two neighbouring white spaces, or before the first, is empty.
    text.split(char::is_whitespace).all(|part| !part.is_empty())
}

fn is_oid(text: &str) -> bool {
    let Some(arcs) = text.strip_prefix("urn:oid:") else { return false };
    let mut arcs = arcs.split('.');
    arcs.next().is_some_and(|root| matches!(root, "0" | "1" | "2")) && {
        let rest: Vec<&str> = arcs.collect();
        !rest.is_empty() && rest.iter().all(|arc| *arc == "0" || is_digits(arc) && !arc.starts_with('0'))
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("urn:uuid:") else { return false };
    uuid.len() == 36
        && uuid.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

fn is_base64(text: &str) -> bool {
    let mut count = 0_usize;
    let mut padding = 0_usize;
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => continue,
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => {}
            _ => return false,
        }
        count += 1;
    }
    count > 0 && count.is_multiple_of(4) && padding <= 2
}

/// Only the outermost element; that everything inside is well-formed and harmless is for whoever shows it.
fn is_div(text: &str) -> bool {
    let text = text.trim();
    let Some(rest) = text.strip_prefix("<div") else { return false };
    rest.starts_with(|next: char| next == '>' || next == '/' || next.is_whitespace())
        && (text.ends_with("</div>") || text.ends_with("/>"))
        && is_short(text)
}

/// The number of exactly `count` digits at the start, and what follows.
fn digits(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (number, rest) = text.split_at_checked(count)?;
    number.iter().all(u8::is_ascii_digit).then(|| {
        let value = number.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        (value, rest)
    })
}

fn after(text: &[u8], separator: u8) -> Option<&[u8]> {
    text.split_first().filter(|(first, _)| **first == separator).map(|(_, rest)| rest)
}

/// A full or partial date at the start; what follows, and whether it has a day.
fn date(text: &[u8]) -> Option<(&[u8], bool)> {
    let (year, rest) = digits(text, 4)?;
    if year == 0 {
        return None;
    }
    let Some(rest) = after(rest, b'-') else { return Some((rest, false)) };
    let (month, rest) = digits(rest, 2)?;
    if !(1..=12).contains(&month) {
        return None;
    }
    let Some(rest) = after(rest, b'-') else { return Some((rest, false)) };
    let (day, rest) = digits(rest, 2)?;
    (1..=days_in(year, month)).contains(&day).then_some((rest, true))
}

const fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `hh:mm:ss` with maybe a fraction at the start, and what follows. Second 60 is a leap second.
fn clock(text: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(after(rest, b':')?, 2)?;
    let (second, rest) = digits(after(rest, b':')?, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    match after(rest, b'.') {
        None => Some(rest),
        Some(fraction) => {
            let end = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if end == 0 { None } else { fraction.get(end..) }
        }
    }
}

/// `Z`, or `+hh:mm` up to 14 hours, and nothing after it.
fn is_offset(text: &[u8]) -> bool {
    match text.split_first() {
        Some((b'Z', rest)) => rest.is_empty(),
        Some((b'+' | b'-', rest)) => {
            let read = digits(rest, 2).and_then(|(hours, rest)| Some((hours, digits(after(rest, b':')?, 2)?)));
            matches!(read, Some((hours, (minutes, []))) if hours * 60 + minutes <= 14 * 60 && minutes < 60)
        }
        _ => false,
    }
}

fn is_date(text: &str) -> bool {
    matches!(date(text.as_bytes()), Some(([], _)))
}

fn is_instant(text: &str) -> bool {
    let time = date(text.as_bytes()).filter(|(_, day)| *day).and_then(|(rest, _)| clock(after(rest, b'T')?));
    time.is_some_and(is_offset)
}

fn is_date_time(text: &str) -> bool {
    is_date(text) || is_instant(text)
}

fn is_time(text: &str) -> bool {
    matches!(clock(text.as_bytes()), Some([]))
}

#[cfg(test)]
#[path = "primitive_tests.rs"]
mod tests;
