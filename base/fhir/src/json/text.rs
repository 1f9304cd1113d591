//! Strings and numbers: their spelling, and what an escape stands for.

use super::error::JsonErrorKind;

type Refusal = (usize, JsonErrorKind, &'static str);

/// End of the escape whose backslash is at `at`. A surrogate pair is one escape.
pub(super) fn escape_end(text: &[u8], at: usize) -> Result<usize, Refusal> {
    match text.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
        Some(b'u') => {
            let unit = hex4(text, at + 2)?;
            match unit {
                0xD800..=0xDBFF => {
                    let paired = text.get(at + 6) == Some(&b'\\') && text.get(at + 7) == Some(&b'u');
                    if paired && (0xDC00..=0xDFFF).contains(&hex4(text, at + 8)?) {
                        Ok(at + 12)
                    } else {
                        Err((at, JsonErrorKind::Syntax, "Half of a surrogate pair stands alone"))
                    }
                }
                0xDC00..=0xDFFF => Err((at, JsonErrorKind::Syntax, "Half of a surrogate pair stands alone")),
                _ => Ok(at + 6),
            }
        }
        Some(_) => Err((at, JsonErrorKind::Syntax, "There is no such escape")),
        None => Err((at, JsonErrorKind::Truncated, "The document ends inside a string")),
    }
}

fn hex4(text: &[u8], at: usize) -> Result<u32, Refusal> {
    let mut unit = 0;
    for at in at..at + 4 {
        let Some(&byte) = text.get(at) else {
            return Err((at, JsonErrorKind::Truncated, "The document ends inside a string"));
        };
        let Some(digit) = char::from(byte).to_digit(16) else {
            return Err((at, JsonErrorKind::Syntax, "Expected four hexadecimal digits"));
        };
        unit = unit << 4 | digit;
    }
    Ok(unit)
}

/// End of the number that starts at `at`; where it is wrong otherwise.
pub(super) fn number_end(text: &[u8], mut at: usize) -> Result<usize, usize> {
    if text.get(at) == Some(&b'-') {
        at += 1;
    }
    match text.get(at) {
        Some(b'0') => at += 1,
        Some(b'1'..=b'9') => at = digits_end(text, at),
        _ => return Err(at),
    }
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = text.get(at) {
            at += 1;
        }
        at = some_digits(text, at)?;
    }
    // `01`, `1x` and `1.5.2` would otherwise be reported as a missing comma.
    match text.get(at) {
        Some(b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'+' | b'-' | b'_') => Err(at),
        _ => Ok(at),
    }
}

fn some_digits(text: &[u8], at: usize) -> Result<usize, usize> {
    let end = digits_end(text, at);
    if end == at { Err(at) } else { Ok(end) }
}

fn digits_end(text: &[u8], at: usize) -> usize {
    at + text.iter().skip(at).take_while(|byte| byte.is_ascii_digit()).count()
}

/// The characters that the inside of a string (without its quotes) stands for. The reader has checked every escape, so the
/// branches for bad ones are never taken.
pub(super) fn unescape(inside: &[u8]) -> String {
    let mut out = Vec::with_capacity(inside.len());
    let mut at = 0;
    while let Some(&byte) = inside.get(at) {
        if byte != b'\\' {
            out.push(byte);
            at += 1;
            continue;
        }
        match inside.get(at + 1) {
            Some(b'u') => {
                let (character, end) = unicode(inside, at);
                let mut utf8 = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
                at = end;
                continue;
            }
            Some(b'b') => out.push(0x08),
            Some(b'f') => out.push(0x0C),
            Some(b'n') => out.push(b'\n'),
            Some(b'r') => out.push(b'\r'),
            Some(b't') => out.push(b'\t'),
            Some(&other) => out.push(other),
            None => {}
        }
        at += 2;
    }
    String::from_utf8(out).unwrap_or_default()
}

fn unicode(inside: &[u8], at: usize) -> (char, usize) {
    let high = hex4(inside, at + 2).unwrap_or(0xFFFD);
    if !(0xD800..=0xDBFF).contains(&high) {
        return (char::from_u32(high).unwrap_or('\u{FFFD}'), at + 6);
    }
    let low = hex4(inside, at + 8).unwrap_or(0xDC00);
    let code = 0x1_0000 + ((high - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
    (char::from_u32(code).unwrap_or('\u{FFFD}'), at + 12)
}
