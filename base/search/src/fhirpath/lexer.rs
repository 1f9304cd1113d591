//! Text to tokens.

use super::ParseError;

/// A word, constant or symbol of the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, which may also be a key word.
    Word(String),
    /// A name in backquotes: never a key word.
    Quoted(String),
    /// `'text'`, decoded.
    Text(String),
    /// A number as spelt.
    Number(String),
    /// A date, time or both, without the `@`.
    Moment(String),
    /// An operator, bracket, comma, dot, `$` or `%`.
    Symbol(&'static str),
}

/// Longer symbols first, so that `<=` is not read as `<` and `=`.
const SYMBOLS: [&str; 24] = [
    "<=", ">=", "!=", "!~", "<", ">", "=", "~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|",
    "$", "%",
];

/// Splits an expression into tokens, each with the byte at which it starts.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks()?;
        let start = lexer.at;
        let Some(token) = lexer.token()? else { return Ok(tokens) };
        tokens.push((start, token));
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Takes the longest run of characters that fit.
    fn run(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|letter| !fits(letter)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blanks(&mut self) -> Result<(), ParseError> {
        loop {
            self.run(|letter| matches!(letter, ' ' | '\t' | '\r' | '\n'));
            if self.rest().starts_with("//") {
                self.run(|letter| letter != '\n');
            } else if let Some(comment) = self.rest().strip_prefix("/*") {
                let length = comment.find("*/").ok_or(ParseError { at: self.at, what: "comment without end" })?;
                self.at += length + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Option<Token>, ParseError> {
        let Some(first) = self.rest().chars().next() else { return Ok(None) };
        let token = match first {
            'A'..='Z' | 'a'..='z' | '_' => {
                Token::Word(self.run(|letter| letter.is_ascii_alphanumeric() || letter == '_').to_owned())
            }
            '0'..='9' => Token::Number(self.number().to_owned()),
            '\'' => Token::Text(self.quoted('\'')?),
            '`' => Token::Quoted(self.quoted('`')?),
            '"' => Token::Quoted(self.quoted('"')?),
            '@' => Token::Moment(self.moment()?),
            _ => Token::Symbol(self.symbol()?),
        };
        Ok(Some(token))
    }

    fn symbol(&mut self) -> Result<&'static str, ParseError> {
        let rest = self.rest();
        let symbol = SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol));
        let symbol = symbol.ok_or(ParseError { at: self.at, what: "unexpected character" })?;
        self.at += symbol.len();
        Ok(symbol)
    }

    fn number(&mut self) -> &'a str {
        let start = self.at;
        self.run(|digit| digit.is_ascii_digit());
        if self.digit_after(".") {
            self.at += 1;
            self.run(|digit| digit.is_ascii_digit());
        }
        &self.text[start..self.at]
    }

    /// `2013`, `2013-01`, `2013-01-14`, each maybe with `T` and a time; `T10:00:00.5` with an offset or not.
    fn moment(&mut self) -> Result<String, ParseError> {
        let start = self.at;
        self.at += 1;
        self.parts('-', 3);
        if self.rest().starts_with('T') {
            self.at += 1;
            self.parts(':', 3);
            if self.digit_after(".") {
                self.at += 1;
                self.run(|digit| digit.is_ascii_digit());
            }
            if self.rest().starts_with('Z') {
                self.at += 1;
            } else if self.is_offset() {
                self.at += "+00:00".len();
            }
        }
        if self.at == start + 1 {
            return Err(ParseError { at: start, what: "date or time expected after @" });
        }
        Ok(self.text[start + 1..self.at].to_owned())
    }

    /// Takes up to `most` numbers with `separator` between them.
    fn parts(&mut self, separator: char, most: usize) {
        self.run(|digit| digit.is_ascii_digit());
        for _ in 1..most {
            if !self.digit_after(separator.encode_utf8(&mut [0; 4])) {
                return;
            }
            self.at += 1;
            self.run(|digit| digit.is_ascii_digit());
        }
    }

    fn digit_after(&self, sign: &str) -> bool {
        self.rest().strip_prefix(sign).is_some_and(|rest| rest.starts_with(|digit: char| digit.is_ascii_digit()))
    }

    fn is_offset(&self) -> bool {
        match self.rest().as_bytes() {
            [b'+' | b'-', a, b, b':', c, d, ..] => [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()),
            _ => false,
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let start = self.at;
        let unended = ParseError { at: start, what: "quote without end" };
        let mut letters = self.text[start + 1..].chars();
        let mut decoded = String::new();
        loop {
            let letter = letters.next().ok_or(unended.clone())?;
            if letter == quote {
                self.at = self.text.len() - letters.as_str().len();
                return Ok(decoded);
            }
            if letter != '\\' {
                decoded.push(letter);
                continue;
            }
            let escape = letters.next().ok_or(unended.clone())?;
            decoded.push(match escape {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'f' => '\u{c}',
                '\\' | '/' | '\'' | '"' | '`' => escape,
                'u' => {
                    let wrong = ParseError { at: start, what: "four hexadecimal digits expected after \\u" };
                    let digits = letters.as_str().get(..4).ok_or(wrong.clone())?;
                    letters = letters.as_str()[4..].chars();
                    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or(wrong)?
                }
                _ => return Err(ParseError { at: start, what: "unknown escape" }),
            });
        }
    }
}
