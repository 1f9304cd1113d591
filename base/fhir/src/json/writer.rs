//! Building JSON text piece by piece, without a tree in between.

/// Appends `text` as a JSON string with quotes.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut plain = 0;
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let short = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1F => 0,
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        if short == 0 {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', short]);
        }
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}

/// A writer of compact JSON. Commas are its business; that containers are closed and members have names is the caller's.
///
/// ```
/// let mut json = iris_fhir::Writer::new();
/// json.object().key("resourceType").string("Bundle").key("total").raw(b"3").key("entry").array().end().end();
/// assert_eq!(json.finish(), br#"{"resourceType":"Bundle","total":3,"entry":[]}"#);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    /// The closing bracket of every open container, outermost first.
    open: Vec<u8>,
    /// Whether the next value or name needs a comma before it.
    comma: bool,
}

impl Writer {
    /// An empty text.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty text with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { out: Vec::with_capacity(bytes), ..Self::default() }
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    fn open(&mut self, start: u8, end: u8) -> &mut Self {
        self.separate();
        self.out.push(start);
        self.open.push(end);
        self.comma = false;
        self
    }

    /// Opens an object.
    pub fn object(&mut self) -> &mut Self {
        self.open(b'{', b'}')
    }

    /// Opens an array.
    pub fn array(&mut self) -> &mut Self {
        self.open(b'[', b']')
    }

    /// Closes the innermost open container.
    pub fn end(&mut self) -> &mut Self {
        if let Some(end) = self.open.pop() {
            self.out.push(end);
        }
        self.comma = true;
        self
    }

    /// A member name; its value comes next.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        write_string(name, &mut self.out);
        self.out.push(b':');
        self.comma = false;
        self
    }

    /// A string.
    pub fn string(&mut self, text: &str) -> &mut Self {
        self.separate();
        write_string(text, &mut self.out);
        self
    }

    /// A value that is JSON text already.
    pub fn raw(&mut self, json: &[u8]) -> &mut Self {
        self.separate();
        self.out.extend_from_slice(json);
        self
    }

    /// `true` or `false`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"true" } else { b"false" })
    }

    /// A whole number.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        self.raw(value.to_string().as_bytes())
    }

    /// `null`.
    pub fn null(&mut self) -> &mut Self {
        self.raw(b"null")
    }

    /// A value of another document, without white space.
    pub fn value(&mut self, value: super::Value<'_>) -> &mut Self {
        self.separate();
        value.compact_into(&mut self.out);
        self
    }

    /// A member whose value is a string.
    pub fn member(&mut self, name: &str, text: &str) -> &mut Self {
        self.key(name).string(text)
    }

    /// How many bytes have been written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// The text; closes what is still open.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}
