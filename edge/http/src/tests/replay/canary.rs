//! Strings that stand in one patient's data and nowhere else, each with a twin of the same length that never stood anywhere.

use std::cell::{Cell, RefCell};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use iris_records::mrn::is_drawn;
use serde_json::Value;

use super::super::Reply;

/// How every canary begins, and every twin.
const BEGINNING: &str = "Kanarix";
const TWIN: &str = "Kenorix";
/// Length of a UUID as text.
const UUID_CHARS: usize = 36;
/// Shortest cursor that is looked for by itself: a shorter one is a number that may stand anywhere.
const CURSOR_CHARS_MIN: usize = 16;

/// Every canary of a world, and what the server made for the patient: ids, record numbers, cursors.
#[derive(Default)]
pub(super) struct Canaries {
    made: Cell<u32>,
    pairs: RefCell<Vec<(String, String)>>,
}

impl Canaries {
    /// A word that was never used before.
    pub(super) fn word(&self) -> String {
        let mut number = self.made.replace(self.made.get() + 1);
        let mut word = BEGINNING.to_owned();
        for _ in 0..3 {
            word.push(char::from(b'a' + u8::try_from(number % 26).unwrap()));
            number /= 26;
        }
        self.known(&word, &word.replace(BEGINNING, TWIN));
        word
    }

    /// Content of a document: a word as base64.
    pub(super) fn content(&self) -> String {
        let word = self.word();
        let content = STANDARD.encode(&word);
        self.known(&content, &STANDARD.encode(word.replace(BEGINNING, TWIN)));
        content
    }

    /// Takes something that was said about the patient, and what is to be asked in its place.
    pub(super) fn known(&self, secret: &str, twin: &str) {
        assert_ne!(secret, twin);
        let mut pairs = self.pairs.borrow_mut();
        if pairs.iter().all(|(known, _)| known != secret) {
            pairs.push((secret.to_owned(), twin.to_owned()));
            // What is contained in something longer must not be replaced first.
            pairs.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
        }
    }

    /// Takes the ids of what a reply says was made, the cursors in it, and the numbers that the server drew.
    pub(super) fn learn(&self, reply: &Reply) {
        for id in uuids(reply.header("location")) {
            self.id(id);
        }
        if let Ok(body) = serde_json::from_slice::<Value>(&reply.body) {
            self.learn_from(&body);
        }
    }

    fn learn_from(&self, body: &Value) {
        for (name, value) in members(body) {
            match (name, value.as_str()) {
                ("location", Some(text)) => uuids(text).for_each(|id| self.id(id)),
                ("next_cursor", Some(text)) => self.cursor(text),
                ("url", Some(text)) => {
                    let cursor = text.split(['?', '&']).find_map(|pair| pair.strip_prefix("_cursor="));
                    cursor.into_iter().for_each(|cursor| self.cursor(cursor));
                }
                ("medical_record_number", Some(number)) if is_drawn(number) => {
                    let first = if number.starts_with('1') { "2" } else { "1" };
                    self.known(number, &format!("{first}{}", &number[1..]));
                }
                _ => self.learn_from(value),
            }
        }
    }

    fn id(&self, id: &str) {
        let (start, end) = id.split_at(UUID_CHARS - 12);
        let turned = end.chars().map(|digit| char::from_digit(15 - digit.to_digit(16).unwrap(), 16).unwrap());
        self.known(id, &format!("{start}{}", turned.collect::<String>()));
    }

    fn cursor(&self, cursor: &str) {
        if cursor.len() >= CURSOR_CHARS_MIN && uuids(cursor).next().is_none() {
            let first = if cursor.starts_with('A') { "B" } else { "A" };
            self.known(cursor, &format!("{first}{}", &cursor[1..]));
        }
    }

    pub(super) fn count(&self) -> usize {
        self.pairs.borrow().len()
    }

    /// The same text about things that never existed.
    pub(super) fn twin(&self, text: &str) -> String {
        let pairs = self.pairs.borrow();
        pairs.iter().fold(text.to_owned(), |text, (secret, twin)| text.replace(secret.as_str(), twin))
    }

    /// What of the patient's is in an answer that was not in the question.
    pub(super) fn leaks(&self, sent: &str, reply: &Reply) -> Vec<String> {
        let (told, sent) = (text_of(reply).to_lowercase(), sent.to_lowercase());
        let secrets = self.pairs.borrow().iter().map(|(secret, _)| secret.to_lowercase()).collect::<Vec<_>>();
        secrets.into_iter().filter(|secret| told.contains(secret) && !sent.contains(secret)).collect()
    }

    /// An answer without what has to differ between two questions: the names that were asked for, ids that were just drawn, the
    /// marks of the request.
    pub(super) fn plain(&self, reply: &Reply) -> String {
        let mut text = text_of(reply);
        for (secret, twin) in self.pairs.borrow().iter() {
            text = text.replace(secret.as_str(), "#").replace(twin.as_str(), "#");
        }
        without_drawn(&text)
    }
}

/// Headers that say something about the request and nothing about what was asked for.
const OF_THE_REQUEST: [&str; 3] = ["x-correlation-id", "x-process-time", "date"];

/// Status, headers and body, in one text.
fn text_of(reply: &Reply) -> String {
    let mut text = format!("{}\n", reply.status.as_u16());
    for (name, value) in reply.headers.iter().filter(|(name, _)| !OF_THE_REQUEST.contains(&name.as_str())) {
        text.push_str(&format!("{name}: {}\n", value.to_str().unwrap()));
    }
    match serde_json::from_slice::<Value>(&reply.body) {
        Ok(Value::Object(mut body)) => {
            body.remove("correlation_id");
            text.push_str(&Value::Object(body).to_string());
        }
        _ => text.push_str(&String::from_utf8_lossy(&reply.body)),
    }
    text
}

/// Members of an object, or of the objects of an array.
fn members(value: &Value) -> Vec<(&str, &Value)> {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.as_str(), value)).collect(),
        Value::Array(items) => items.iter().map(|item| ("", item)).collect(),
        _ => Vec::new(),
    }
}

/// Every UUID in a text.
pub(super) fn uuids(text: &str) -> impl Iterator<Item = &str> {
    let starts = 0..=text.len().saturating_sub(UUID_CHARS);
    starts.filter_map(|start| text.get(start..start + UUID_CHARS)).filter(|part| {
        part.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

/// Without UUIDs and record numbers: whoever makes something of their own gets one that nobody had.
fn without_drawn(text: &str) -> String {
    let ids: Vec<&str> = uuids(text).collect();
    let text = ids.iter().fold(text.to_owned(), |text, id| text.replace(id, "#"));
    let numbers: Vec<&str> = text.split(|c: char| !c.is_ascii_digit()).filter(|run| is_drawn(run)).collect();
    numbers.iter().fold(text.clone(), |text, number| text.replace(number, "#"))
}
