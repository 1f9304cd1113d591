//! User names: what may be one, and when two are the same.

use iris_kernel::Fault;
use unicode_normalization::UnicodeNormalization;

/// Longest user name, in characters.
pub const USER_NAME_CHARS_MAX: usize = 128;

/// Characters that show nothing or turn the direction of text: two names that differ only in them look the same (Unicode's
/// default ignorable code points and the bidirectional controls).
const INVISIBLE: &[(u32, u32)] = &[
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x061c, 0x061c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_0fff),
];

/// The form in which names are compared: NFKC, full case folding by way of lower, upper and lower case (`ẞ` → `ß` → `SS` → `ss`),
/// NFKC again. `Straße`, `STRASSE` and
/// `ｓｔｒａｓｓｅ` are one name; so nobody registers a look-alike of an existing account by case or by width.
pub(crate) fn fold(name: &str) -> String {
    let lower = name.nfkc().flat_map(char::to_lowercase);
    lower.flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
}

/// [`fold`] for a sign-in: `None` for what cannot be a name because of its length, before any work is spent on it.
pub(crate) fn fold_bounded(name: &str) -> Option<String> {
    (name.len() <= USER_NAME_CHARS_MAX * 4).then(|| fold(name))
}

/// Checks a new name.
pub(crate) fn check(name: &str, at: &str) -> Result<(), Fault> {
    let hidden = |c: char| INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(c)));
    let fault = |what: &str| Err(Fault::new(at, what));
    if name.is_empty() {
        fault("must not be empty")
    } else if name.chars().count() > USER_NAME_CHARS_MAX || fold(name).len() > USER_NAME_CHARS_MAX * 4 {
        fault("is longer than 128 characters")
    } else if name.trim() != name {
        fault("must not begin or end with a space")
    } else if name.chars().any(|c| c.is_control() || (c.is_whitespace() && c != ' ') || hidden(c)) {
        fault("must not contain control or invisible characters")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_by_case_or_width_are_one() {
        for same in ["STRASSE", "strasse", "Straße", "ｓｔｒａｓｓｅ", "ＳＴＲＡẞＥ"] {
            assert_eq!(fold(same), "strasse", "{same}");
        }
        assert_eq!(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
        assert_eq!(fold("Jose\u{301}"), fold("JOSÉ"));
        assert_eq!(fold("ﬁona"), "fiona");
        assert_ne!(fold("alice"), fold("alíce"));
    }

    #[test]
    fn hostile_names() {
        for bad in ["", " alice", "alice ", "a\0b", "a\nb", "a\u{200b}b", "\u{202e}ecila", "a\u{feff}", "a\u{a0}b"] {
            assert!(check(bad, "username").is_err(), "{bad:?}");
        }
        assert!(check(&"é".repeat(USER_NAME_CHARS_MAX), "username").is_ok());
        assert!(check(&"é".repeat(USER_NAME_CHARS_MAX + 1), "username").is_err());
        for good in ["o'; DROP TABLE user;--", "Łukasz Żółw", "王小明", "a@b.example", "<script>"] {
            assert!(check(good, "username").is_ok(), "{good:?}");
        }
        assert!(fold_bounded(&"x".repeat(USER_NAME_CHARS_MAX * 4 + 1)).is_none());
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(name in "\\PC{0,40}") {
            let once = fold(&name);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
