//! The files of the web build.

use std::borrow::Cow;

use axum::http::HeaderValue;
use bytes::Bytes;
use rust_embed::RustEmbed;

/// Longest name that is looked up.
const NAME_BYTES_MAX: usize = 200;
/// Endings of compressed twins, which have no address of their own.
const TWINS: [&str; 2] = [".gz", ".br"];

/// Where the files come from: the binary, or a table in tests.
pub(crate) trait Files: Send + Sync {
    /// The file with this name, which is [`plain`]; compressed twins have the name of the file and their ending.
    fn get(&self, name: &str) -> Option<File>;
}

/// A file's content.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// The bytes.
    pub(crate) data: Bytes,
    /// A strong ETag: a digest of the bytes.
    pub(crate) etag: HeaderValue,
}

impl File {
    /// A file whose content has this SHA-256.
    pub(crate) fn new(data: Bytes, digest: [u8; 32]) -> Self {
        let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        // Hexadecimal digits always fit a header.
        let etag = HeaderValue::from_str(&format!("\"{hex}\"")).unwrap_or(HeaderValue::from_static("\"\""));
        Self { data, etag }
    }
}

/// `web/dist`, in release builds inside the binary; debug builds read the folder whenever a file is asked for.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// What was built into this binary.
pub(crate) struct Built;

impl Files for Built {
    fn get(&self, name: &str) -> Option<File> {
        let file = Dist::get(name)?;
        let data = match file.data {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        Some(File::new(data, file.metadata.sha256_hash()))
    }
}

/// Whether this can be the name of a file at all: segments of letters, digits, `.`, `-` and `_` that begin with no dot. What
/// climbs out of the folder, hides or is escaped is none, and is never looked up.
pub(crate) fn plain(name: &str) -> bool {
    let segment = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    name.len() <= NAME_BYTES_MAX && !TWINS.iter().any(|twin| name.ends_with(twin)) && name.split('/').all(segment)
}

/// Media types by the ending of a name.
const MEDIA_TYPES: [(&str, &str); 13] = [
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("webmanifest", "application/manifest+json"),
    ("woff2", "font/woff2"),
];

/// The media type by the name's ending.
pub(crate) fn media_type(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    MEDIA_TYPES.iter().find(|(known, _)| *known == ending).map_or("application/octet-stream", |(_, media)| media)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_looked_up() {
        for name in ["index.html", "assets/index-B4_x.js", "iris.svg", &"a".repeat(NAME_BYTES_MAX)] {
            assert!(plain(name), "{name}");
        }
        for name in [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "assets/../../x",
            "assets/./x",
            ".git/config",
            "assets/.env",
            "assets//x",
            "assets/",
            "%2e%2e/x",
            "a\\..\\b",
            "a\0b",
            "a b",
            "x.js.gz",
            "x.js.br",
            &"a".repeat(NAME_BYTES_MAX + 1),
        ] {
            assert!(!plain(name), "{name}");
        }
    }
}
