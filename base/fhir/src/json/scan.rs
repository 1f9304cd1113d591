//! Looking at eight bytes at once, without `unsafe`.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// A word whose high bits mark bytes of `word` that are zero. The lowest mark is exact; those above it may be false, which
/// is why callers only use the lowest.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

fn word_at(text: &[u8], at: usize) -> Option<u64> {
    let bytes: [u8; 8] = text.get(at..at + 8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// Position of the first byte from `at` on that can end or interrupt a string: a quote, a backslash or a control
/// character. The length of the text if there is none.
#[inline]
pub(super) fn string_stop(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = word_at(text, at) {
        let quote = zeros(word ^ (ONES * b'"' as u64));
        let backslash = zeros(word ^ (ONES * b'\\' as u64));
        // Bytes below 0x20: subtracting 0x20 borrows into the high bit, unless that was set already (not ASCII).
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let stop = quote | backslash | control;
        if stop != 0 {
            return at + (stop.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(&byte) = text.get(at) {
        if byte == b'"' || byte == b'\\' || byte < 0x20 {
            return at;
        }
        at += 1;
    }
    at
}

/// Position of the first byte from `at` on that is no white space.
#[inline]
pub(super) fn skip_space(text: &[u8], mut at: usize) -> usize {
    loop {
        match text.get(at) {
            Some(b' ') => {
                // Indented documents are one third spaces: take them eight at a time.
                while word_at(text, at) == Some(ONES * b' ' as u64) {
                    at += 8;
                }
                if text.get(at) == Some(&b' ') {
                    at += 1;
                }
            }
            Some(b'\n' | b'\r' | b'\t') => at += 1,
            _ => return at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_stops_at_every_position() {
        for stop in [b'"', b'\\', 0x00, 0x1f, b'\n'] {
            for at in 0..40 {
                let mut text = "añ\u{7f}€x".repeat(8).into_bytes();
                text[at] = stop;
                let expected = text.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20);
                assert_eq!(Some(string_stop(&text, 0)), expected, "{stop} at {at}");
            }
        }
        assert_eq!(string_stop(b"abc", 0), 3);
        assert_eq!(string_stop(b"\x20\x7f\x80\xff\x21\x20\x20\x20\x20\"", 0), 9);
    }

    #[test]
    fn white_space_ends_anywhere() {
        for spaces in 0..30 {
            let text = format!("{}\n\t\r{}x", " ".repeat(spaces), " ".repeat(29 - spaces));
            assert_eq!(skip_space(text.as_bytes(), 0), 32);
        }
        assert_eq!(skip_space(b"        ", 0), 8);
        assert_eq!(skip_space(b"\x0b", 0), 0);
    }
}
