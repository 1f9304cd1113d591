//! JSON Pointer (RFC 6901).

/// A parsed pointer: the tokens, unescaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer {
    tokens: Vec<String>,
}

impl Pointer {
    /// Reads the string representation (RFC 6901, 3 and 5): empty for the whole document, else tokens that each start with `/`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Ok(Self { tokens: Vec::new() });
        }
        let Some(rest) = text.strip_prefix('/') else {
            return Err("A JSON pointer is empty or starts with /");
        };
        let tokens = rest.split('/').map(unescape).collect::<Result<_, _>>()?;
        Ok(Self { tokens })
    }

    /// The tokens, from the root on.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Whether this leads to something inside of what `other` leads to.
    pub(crate) fn is_inside(&self, other: &Self) -> bool {
        self.tokens.len() > other.tokens.len() && self.tokens.starts_with(&other.tokens)
    }
}

fn unescape(token: &str) -> Result<String, &'static str> {
    let mut out = String::with_capacity(token.len());
    let mut pieces = token.split('~');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let mut characters = piece.chars();
        out.push(match characters.next() {
            Some('0') => '~',
            Some('1') => '/',
            _ => return Err("In a JSON pointer, ~ is written ~0 and / is written ~1"),
        });
        out.push_str(characters.as_str());
    }
    Ok(out)
}

/// The position that a token names in an array: digits without zeros before them.
pub(crate) fn index(token: &str) -> Option<usize> {
    let digits = token.bytes().all(|byte| byte.is_ascii_digit());
    let plain = token == "0" || !token.starts_with('0');
    if digits && plain { token.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_those_of_the_rfc() {
        let tokens = |text: &str| Pointer::parse(text).map(|pointer| pointer.tokens);
        assert_eq!(tokens(""), Ok(vec![]));
        assert_eq!(tokens("/"), Ok(vec![String::new()]));
        assert_eq!(tokens("/a~1b/m~0n/ /~01"), Ok(["a/b", "m~n", " ", "~1"].map(str::to_owned).to_vec()));
        for bad in ["a", "#/a", "/~", "/~2", "/a~"] {
            assert!(tokens(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn positions_have_one_spelling() {
        assert_eq!((index("0"), index("10")), (Some(0), Some(10)));
        for bad in ["", "-", "-1", "+1", "00", "01", "1.0", "1e0", " 1", "a", "99999999999999999999999"] {
            assert_eq!(index(bad), None, "{bad}");
        }
    }
}
