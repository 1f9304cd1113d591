//! Functions on text (§ 5.6).

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regex::Regex;

use super::{Done, Machine, Scope, operand};
use crate::compile::regex_of;
use crate::context::MADE_BYTES_MAX;
use crate::error::EvalError;
use crate::function::Function;
use crate::item::{Item, Items, Text};
use crate::program::StepId;

impl<'a> Machine<'a, '_, '_> {
    fn input_text(input: &Items<'a>) -> Result<Option<Text<'a>>, EvalError> {
        match operand(input, "a function on text")? {
            None => Ok(None),
            Some(Item::String(text)) => Ok(Some(text)),
            Some(_) => Err(EvalError::Type("text was expected")),
        }
    }

    pub(super) fn text_function(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let Some(text) = Self::input_text(input)? else { return Ok(()) };
        let text = text.as_str();
        self.spend(text.len() as u64 / super::BYTES_PER_STEP)?;
        match function {
            Function::Length => {
                out.push(count(text.chars().count()));
                return Ok(());
            }
            Function::Upper => return self.made(text.to_uppercase(), out),
            Function::Lower => return self.made(text.to_lowercase(), out),
            Function::Trim => return self.made(text.trim().to_owned(), out),
            Function::ToChars => {
                self.may_make(text.len())?;
                let mut buffer = [0; 4];
                for letter in text.chars() {
                    out.push(Item::made(&*letter.encode_utf8(&mut buffer)));
                }
                return Ok(());
            }
            Function::Substring => return self.substring(text, arguments, scope, out),
            _ => {}
        }
        let Some(argument) = arguments.first() else { return Ok(()) };
        let Some(argument) = self.text(*argument, scope, "an argument")? else { return Ok(()) };
        let argument = argument.as_str();
        match function {
            Function::IndexOf => out.push(position(text, text.find(argument))),
            Function::LastIndexOf => out.push(position(text, text.rfind(argument))),
            Function::StartsWith => out.push(Item::Boolean(text.starts_with(argument))),
            Function::EndsWith => out.push(Item::Boolean(text.ends_with(argument))),
            Function::Contains => out.push(Item::Boolean(text.contains(argument))),
            Function::Split => {
                self.may_make(text.len())?;
                if argument.is_empty() {
                    return Err(EvalError::Argument("split() takes a separator"));
                }
                for part in text.split(argument) {
                    self.spend(1)?;
                    out.push(Item::made(part));
                }
            }
            Function::Replace => {
                let Some(with) = arguments.get(1) else { return Ok(()) };
                let Some(with) = self.text(*with, scope, "replace()")? else { return Ok(()) };
                let found = text.matches(argument).count();
                self.may_make(text.len().saturating_add(found.saturating_mul(with.as_str().len())))?;
                out.push(Item::made(text.replace(argument, with.as_str())));
            }
            Function::Encode => {
                self.may_make(text.len() * 2)?;
                return self.made(encoded(text, argument)?, out);
            }
            Function::Decode => {
                if let Some(decoded) = decoded(text, argument)? {
                    return self.made(decoded, out);
                }
            }
            Function::Escape => return self.made(escaped(text, argument)?, out),
            _ => return self.made(unescaped(text, argument)?, out),
        }
        Ok(())
    }

    fn substring(&mut self, text: &str, arguments: &[StepId], scope: Scope<'a, '_>, out: &mut Items<'a>) -> Done {
        let [start, rest @ ..] = arguments else { return Ok(()) };
        let Some(start) = self.integer(*start, scope, "substring()")? else { return Ok(()) };
        let length = match rest.first() {
            None => None,
            // § 5.6.2: a length of nothing is as if it were not given.
            Some(length) => self.integer(*length, scope, "substring()")?,
        };
        let Ok(start) = usize::try_from(start) else { return Ok(()) };
        let mut letters = text.chars();
        if start > 0 && letters.nth(start - 1).is_none() {
            return Ok(());
        }
        if letters.as_str().is_empty() {
            return Ok(());
        }
        let part: String = match length {
            None => letters.collect(),
            Some(length) => letters.take(usize::try_from(length).unwrap_or(0)).collect(),
        };
        self.made(part, out)
    }

    pub(super) fn matching(
        &mut self,
        function: Function,
        input: &Items<'a>,
        arguments: &[StepId],
        regex: Option<u16>,
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        let Some(text) = Self::input_text(input)? else { return Ok(()) };
        let text = text.as_str();
        self.spend(text.len() as u64 / super::BYTES_PER_STEP)?;
        let known = regex.and_then(|at| self.program.regexes.get(usize::from(at)));
        let made;
        let regex = match known {
            Some(regex) => regex,
            None => {
                let Some(pattern) = arguments.first() else { return Ok(()) };
                let Some(pattern) = self.text(*pattern, scope, "a regular expression")? else { return Ok(()) };
                made = self.regex(function, pattern.as_str())?;
                &made
            }
        };
        if function != Function::ReplaceMatches {
            out.push(Item::Boolean(regex.is_match(text)));
            return Ok(());
        }
        let Some(with) = arguments.get(1) else { return Ok(()) };
        let Some(with) = self.text(*with, scope, "replaceMatches()")? else { return Ok(()) };
        let replaced = replaced(regex, text, with.as_str()).ok_or(EvalError::Limit("bytes of text"))?;
        self.made(replaced, out)
    }

    /// A regular expression that is not known before: compiling one costs as much as many thousands of steps.
    fn regex(&mut self, function: Function, pattern: &str) -> Result<Regex, EvalError> {
        const COST: u64 = 50_000;
        self.spend(COST)?;
        regex_of(function, pattern).ok_or(EvalError::Argument("not a regular expression"))
    }

    /// `join()`: items that are no text are an error.
    pub(super) fn join(
        &mut self,
        input: &Items<'a>,
        arguments: &[StepId],
        scope: Scope<'a, '_>,
        out: &mut Items<'a>,
    ) -> Done {
        if input.is_empty() {
            return Ok(());
        }
        let separator = match arguments.first() {
            None => None,
            Some(separator) => self.text(*separator, scope, "join()")?,
        };
        let separator = separator.as_ref().map_or("", Text::as_str);
        let mut joined = String::new();
        for (item, at) in input.iter().zip(0_usize..) {
            match item.operand()? {
                Some(Item::String(text)) => {
                    if joined.len() + separator.len() + text.as_str().len() > MADE_BYTES_MAX {
                        return Err(EvalError::Limit("bytes of text"));
                    }
                    if at > 0 {
                        joined.push_str(separator);
                    }
                    joined.push_str(text.as_str());
                }
                None => {}
                Some(_) => return Err(EvalError::Type("text was expected")),
            }
        }
        self.made(joined, out)
    }
}

fn count<'a>(number: usize) -> Item<'a> {
    Item::Integer(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Characters before a byte; -1 if there is none.
fn position<'a>(text: &str, byte: Option<usize>) -> Item<'a> {
    match byte.and_then(|byte| text.get(..byte)) {
        None => Item::Integer(-1),
        Some(before) => count(before.chars().count()),
    }
}

/// Every match replaced; `None` beyond [`MADE_BYTES_MAX`]. An empty match is none. `$1` and `${name}` are groups.
fn replaced(regex: &Regex, text: &str, with: &str) -> Option<String> {
    // `$1x` is group 1 and an x, where the crate would read a group of the name 1x.
    let mut template = String::with_capacity(with.len() + 8);
    let mut letters = with.chars().peekable();
    while let Some(letter) = letters.next() {
        template.push(letter);
        if letter == '$' && letters.peek().is_some_and(char::is_ascii_digit) {
            template.push('{');
            while let Some(digit) = letters.next_if(char::is_ascii_digit) {
                template.push(digit);
            }
            template.push('}');
        }
    }
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for found in regex.captures_iter(text) {
        let whole = found.get(0)?;
        if whole.is_empty() {
            continue;
        }
        result.push_str(text.get(done..whole.start())?);
        found.expand(&template, &mut result);
        done = whole.end();
        if result.len() > MADE_BYTES_MAX {
            return None;
        }
    }
    result.push_str(text.get(done..)?);
    Some(result)
}

const UNKNOWN_FORMAT: EvalError = EvalError::Argument("no such format");

fn encoded(text: &str, format: &str) -> Result<String, EvalError> {
    match format {
        "base64" => Ok(STANDARD.encode(text)),
        "urlbase64" => Ok(URL_SAFE.encode(text)),
        "hex" => Ok(text
            .bytes()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()),
        _ => Err(UNKNOWN_FORMAT),
    }
}

fn decoded(text: &str, format: &str) -> Result<Option<String>, EvalError> {
    let bytes = match format {
        "base64" => STANDARD.decode(text).ok(),
        "urlbase64" => URL_SAFE.decode(text).ok(),
        "hex" => unhexed(text),
        _ => return Err(UNKNOWN_FORMAT),
    };
    Ok(bytes.and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    bytes.chunks(2).map(pair).collect()
}

fn escaped(text: &str, format: &str) -> Result<String, EvalError> {
    match format {
        "html" => Ok(text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;")),
        "json" => {
            let mut out = Vec::with_capacity(text.len() + 2);
            iris_fhir::json::write_string(text, &mut out);
            let text = String::from_utf8(out).unwrap_or_default();
            Ok(text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().to_owned())
        }
        _ => Err(UNKNOWN_FORMAT),
    }
}

fn unescaped(text: &str, format: &str) -> Result<String, EvalError> {
    match format {
        "html" => Ok(text
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&apos;", "'")
            .replace("&amp;", "&")),
        "json" => {
            // What is spelt with bare quotes is taken as it is; JSON itself would end there.
            let bare = text.replace("\\\"", "\"").replace('"', "\\\"");
            let json = iris_fhir::Json::parse(format!("\"{bare}\""))
                .map_err(|_| EvalError::Argument("not the inside of a JSON string"))?;
            Ok(json.root().as_str().unwrap_or_default().into_owned())
        }
        _ => Err(UNKNOWN_FORMAT),
    }
}
