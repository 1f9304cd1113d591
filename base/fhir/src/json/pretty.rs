//! JSON for people: each member and item on a line of its own.

/// Spaces of one level.
const INDENT: usize = 2;

/// A JSON text with each member and item on a line of its own, two spaces deeper than what it is in. Strings and numbers are
/// copied as they are spelt; the text must be JSON.
#[must_use]
pub fn pretty(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    // Whether the last bracket was opened and nothing has stood in it yet.
    let mut fresh = false;
    for &byte in text {
        if in_string {
            out.push(byte);
            in_string = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            continue;
        }
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            continue;
        }
        if fresh && !matches!(byte, b'}' | b']') {
            line(depth, &mut out);
        }
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !fresh {
                    line(depth, &mut out);
                }
            }
            b'"' => in_string = true,
            _ => {}
        }
        fresh = matches!(byte, b'{' | b'[');
        out.push(byte);
        match byte {
            b',' => line(depth, &mut out),
            b':' => out.push(b' '),
            _ => {}
        }
    }
    out.push(b'\n');
    out
}

fn line(depth: usize, out: &mut Vec<u8>) {
    out.push(b'\n');
    out.resize(out.len() + depth * INDENT, b' ');
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use crate::json::Json;

    #[test]
    fn members_and_items_have_lines_of_their_own() {
        let text = br#"{"a":[1.50,{"b":"x, {\"y\": \\"}],"c":{},"d":[]}"#;
        let made = pretty(text);
        let expected = "{\n  \"a\": [\n    1.50,\n    {\n      \"b\": \"x, {\\\"y\\\": \\\\\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n";
        assert_eq!(String::from_utf8(made.clone()).unwrap(), expected);
        assert_eq!(Json::parse(made.clone()).unwrap().compact(), text);
        assert_eq!(pretty(&made), made);
    }
}
