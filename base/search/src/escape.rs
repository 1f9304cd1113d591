//! Values that are to be taken to the letter.

/// A value as one literal FHIR search value (R4 search.html, "escaping search parameters").
#[must_use]
pub fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '|' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
