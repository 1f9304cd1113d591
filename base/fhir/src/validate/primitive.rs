//! The formats of the primitive types (R4 datatypes.html#primitive).

/// Whether this is an `id`: 1 to 64 of letters, digits, `-` and `.`.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}
