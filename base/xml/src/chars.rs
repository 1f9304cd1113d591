//! Characters, names and references of XML 1.0.

use std::borrow::Cow;

use crate::fault::{Refusal, XmlFaultKind};

/// Where the first character is that XML 1.0 does not have, not even as a reference: controls but tab, line feed and carriage
/// return, and U+FFFE and U+FFFF. Of UTF-8 text.
pub(crate) fn first_alien(text: &[u8]) -> Option<usize> {
    let control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r');
    let control = text.iter().position(control);
    let mut rest = memchr::memmem::find_iter(text, b"\xEF\xBF");
    let noncharacter = rest.find(|at| matches!(text.get(at + 2), Some(0xBE | 0xBF)));
    match (control, noncharacter) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

const fn is_char(code: u32) -> bool {
    matches!(code, 9 | 10 | 13 | 0x20..=0xD7FF | 0xE000..=0xFFFD | 0x1_0000..=0x10_FFFF)
}

/// White space between tokens.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a text is nothing but white space.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// Bytes up to here cannot be part of a name, so a name ends before the first of them.
pub(crate) const fn ends_name(byte: u8) -> bool {
    matches!(byte, 0..=b' ' | b'/' | b'>' | b'=' | b'<' | b'"' | b'\'' | b'&' | b'?' | b'!')
}

const fn starts_name(character: char) -> bool {
    matches!(character,
        'A'..='Z' | 'a'..='z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

const fn continues_name(character: char) -> bool {
    starts_name(character)
        || matches!(character, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Whether this is a name without a colon (`NCName`).
pub(crate) fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(starts_name) && characters.all(continues_name)
}

/// Looks at every reference of a text: `&lt;` and its four kin, and characters by number.
pub(crate) fn check_references(text: &str, offset: usize) -> Result<(), Refusal> {
    for at in memchr::memchr_iter(b'&', text.as_bytes()) {
        reference(text, at).map_err(|(kind, what)| Refusal::new(offset + at, kind, what))?;
    }
    Ok(())
}

/// The character that the reference at `at` stands for, and where it ends.
fn reference(text: &str, at: usize) -> Result<(char, usize), (XmlFaultKind, &'static str)> {
    let rest = text.get(at + 1..).unwrap_or_default();
    let Some((name, _)) = rest.split_once(';') else {
        return Err((XmlFaultKind::Syntax, "A reference ends with a semicolon; a single & is written &amp;"));
    };
    let end = at + name.len() + 2;
    let character = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => return Ok((by_number(number)?, end)),
            None if is_name(name) => {
                return Err((
                    XmlFaultKind::Entity,
                    "This entity is not declared: XML has lt, gt, amp, quot and apos only, other characters are written as \
                     such or by number",
                ));
            }
            None => return Err((XmlFaultKind::Syntax, "A single & is written &amp;")),
        },
    };
    Ok((character, end))
}

fn by_number(number: &str) -> Result<char, (XmlFaultKind, &'static str)> {
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Err((XmlFaultKind::Syntax, "A character is referred to by its number, &#233; or &#xE9;"));
    }
    // A number with too many digits is no character either; zeros before it are allowed.
    let code = u32::from_str_radix(digits, radix).ok().filter(|code| is_char(*code));
    code.and_then(char::from_u32).ok_or((XmlFaultKind::Syntax, "XML has no character of this number"))
}

/// The value of an attribute: references replaced, white space made spaces (XML 1.0, 3.3.3). Its references have been checked.
pub(crate) fn attribute_value(raw: &str) -> Cow<'_, str> {
    let special = |byte: u8| matches!(byte, b'&' | b'\t' | b'\n' | b'\r');
    let Some(first) = raw.bytes().position(special) else { return Cow::Borrowed(raw) };
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    let mut next = Some(first);
    while let Some(stop) = next {
        out.push_str(raw.get(at..stop).unwrap_or_default());
        at = stop + 1;
        match raw.as_bytes().get(stop) {
            Some(b'&') => {
                // The branch for a bad one is never taken.
                let (character, end) = reference(raw, stop).unwrap_or(('\u{FFFD}', at));
                out.push(character);
                at = end;
            }
            // A line end of two characters is one (2.11).
            Some(b'\r') if raw.as_bytes().get(at) == Some(&b'\n') => {}
            _ => out.push(' '),
        }
        next = raw.as_bytes().get(at..).and_then(|rest| rest.iter().position(|byte| special(*byte))).map(|on| at + on);
    }
    out.push_str(raw.get(at..).unwrap_or_default());
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_xml_says() {
        for (raw, value) in [
            ("", ""),
            ("a", "a"),
            ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
            ("a&#233;b&#xE9;c&#x00000E9;", "aébéc\u{e9}"),
            ("a\tb\nc\r\nd\re", "a b c d e"),
            ("&#9;&#10;&#13;&#x1F600;", "\t\n\r\u{1F600}"),
            ("&amp;lt;", "&lt;"),
        ] {
            assert!(check_references(raw, 0).is_ok(), "{raw}");
            assert_eq!(attribute_value(raw), value, "{raw}");
        }
    }

    #[test]
    fn bad_references_are_told_apart() {
        for (raw, kind) in [
            ("&", XmlFaultKind::Syntax),
            ("a & b; c", XmlFaultKind::Syntax),
            ("&;", XmlFaultKind::Syntax),
            ("&nbsp;", XmlFaultKind::Entity),
            ("&xxe;", XmlFaultKind::Entity),
            ("&#;", XmlFaultKind::Syntax),
            ("&#x;", XmlFaultKind::Syntax),
            ("&#X41;", XmlFaultKind::Syntax),
            ("&#+65;", XmlFaultKind::Syntax),
            ("&#0;", XmlFaultKind::Syntax),
            ("&#8;", XmlFaultKind::Syntax),
            ("&#xD800;", XmlFaultKind::Syntax),
            ("&#xFFFE;", XmlFaultKind::Syntax),
            ("&#x110000;", XmlFaultKind::Syntax),
            ("&#99999999999999999999;", XmlFaultKind::Syntax),
        ] {
            assert_eq!(check_references(raw, 0).map_err(|refusal| refusal.kind), Err(kind), "{raw}");
        }
    }

    #[test]
    fn names_and_characters() {
        assert!(is_name("a") && is_name("_é-1.x") && is_name("div"));
        assert!(!is_name("") && !is_name("1a") && !is_name("a:b") && !is_name("-a") && !is_name("a b"));
        assert_eq!(first_alien("a\u{FFFD}\u{FFEF}\t\n\r\u{7f}".as_bytes()), None);
        assert_eq!(first_alien("ab\u{FFFE}".as_bytes()), Some(2));
        assert_eq!(first_alien("a\u{FFFF}\0".as_bytes()), Some(1));
        assert_eq!(first_alien(b"ab\x1f\xEF\xBF\xBF"), Some(2));
    }
}
