//! The grammar of search values (R4 §3.1.1.4.0.1): commas between alternatives, pipes inside tokens, backslashes before
//! either when they are meant as themselves.

use std::borrow::Cow;

/// Splits at each comma that no backslash stands before. The pieces are still escaped.
pub(super) fn alternatives(text: &str) -> Vec<&str> {
    split(text, b',')
}

/// Splits at each `separator` that no backslash stands before. The pieces are still escaped.
pub(super) fn split(text: &str, separator: u8) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((piece, after)) = split_at_plain(rest, separator) {
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Splits at the first `separator` that no backslash stands before.
pub(super) fn split_at_plain(text: &str, separator: u8) -> Option<(&str, &str)> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == separator {
            return Some((&text[..at], &text[at + 1..]));
        }
    }
    None
}

/// Takes the backslashes out. `None` when one stands before anything but `\`, `,`, `|` or `$`, or at the end.
pub(super) fn unescape(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('\\') {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        plain.push(match letter {
            '\\' => letters.next().filter(|escaped| matches!(escaped, '\\' | ',' | '|' | '$'))?,
            other => other,
        });
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn splits_only_at_plain_separators() {
        assert_eq!(alternatives("a,b"), ["a", "b"]);
        assert_eq!(alternatives(r"a\,b"), [r"a\,b"]);
        assert_eq!(alternatives(r"a\\,b"), [r"a\\", "b"]);
        assert_eq!(alternatives(",a,"), ["", "a", ""]);
        assert_eq!(alternatives(""), [""]);
        assert_eq!(split_at_plain(r"s\|t|c|d", b'|'), Some((r"s\|t", "c|d")));
        assert_eq!(split_at_plain("c", b'|'), None);
    }

    #[test]
    fn backslashes_stand_before_special_characters_only() {
        assert_eq!(unescape(r"a\,b\|c\$d\\e").as_deref(), Some(r"a,b|c$d\e"));
        assert_eq!(unescape("plain").as_deref(), Some("plain"));
        assert_eq!(unescape(r"a\b"), None);
        assert_eq!(unescape("a\\"), None);
    }

    proptest! {
        #[test]
        fn what_is_escaped_and_joined_comes_apart_again(pieces in proptest::collection::vec(r"[a-z,|$\\ä]{0,6}", 1..5)) {
            let escape = |piece: &String| {
                piece.replace('\\', r"\\").replace(',', r"\,").replace('|', r"\|").replace('$', r"\$")
            };
            let joined = pieces.iter().map(escape).collect::<Vec<_>>().join(",");
            let apart: Option<Vec<_>> = alternatives(&joined).into_iter().map(|piece| unescape(piece).map(Cow::into_owned)).collect();
            prop_assert_eq!(apart, Some(pieces));
        }
    }
}
