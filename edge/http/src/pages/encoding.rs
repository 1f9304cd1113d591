//! Which compressed form a caller takes (RFC 9110 §12.5.3).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;

/// A form in which the web build may have put a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Brotli.
    Brotli,
    /// Gzip.
    Gzip,
}

impl Encoding {
    /// The best first: brotli is the smaller one.
    const ALL: [Encoding; 2] = [Encoding::Brotli, Encoding::Gzip];

    /// The word of `Content-Encoding`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }

    /// How the file's name ends, after a dot.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gz",
        }
    }
}

/// The encodings that the caller takes, the smallest first. Weights other than zero do not count: the files are small.
pub(crate) fn wanted(headers: &HeaderMap) -> Vec<Encoding> {
    let lines = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let offers: Vec<(String, bool)> = lines.flat_map(|line| line.split(',')).map(offer).collect();
    let takes = |encoding: &Encoding| {
        let of = |name: &str| offers.iter().find(|(known, _)| known == name).map(|(_, taken)| *taken);
        of(encoding.name()).or_else(|| of("*")).unwrap_or(false)
    };
    Encoding::ALL.into_iter().filter(takes).collect()
}

/// One member of the header: its name, and whether its weight is more than zero.
fn offer(text: &str) -> (String, bool) {
    let mut parts = text.split(';');
    let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let zero = parts.any(|part| {
        let part = part.trim().to_ascii_lowercase();
        part.strip_prefix("q=").is_some_and(|weight| weight.trim().parse().is_ok_and(|weight: f32| weight <= 0.0))
    });
    (name, !zero)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_smallest_form_that_is_taken() {
        use Encoding::{Brotli, Gzip};
        let cases: [(&str, &[Encoding]); 9] = [
            ("", &[]),
            ("identity", &[]),
            ("gzip", &[Gzip]),
            ("gzip, deflate, br, zstd", &[Brotli, Gzip]),
            ("br;q=0, gzip;q=0.5", &[Gzip]),
            ("GZIP ; Q=1", &[Gzip]),
            ("*", &[Brotli, Gzip]),
            ("*;q=0", &[]),
            ("*, br; q=0.000", &[Gzip]),
        ];
        for (text, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(text).unwrap());
            assert_eq!(wanted(&headers), expected, "{text}");
        }
    }
}
