//! The two forms of FHIR, and how callers name them: `_format`, `Accept` and `Content-Type` (R4 http.html#mime-type).

use iris_kernel::ErrorKind;

use crate::problem::Problem;

/// A form of FHIR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// R4 json.html.
    #[default]
    Json,
    /// R4 xml.html.
    Xml,
}

/// The names of each form; the first is the one that the standard wants.
const NAMES: [(Format, [&str; 5]); 2] = [
    (Format::Json, ["application/fhir+json", "application/json", "text/json", "application/json+fhir", "json"]),
    (Format::Xml, ["application/fhir+xml", "application/xml", "text/xml", "application/xml+fhir", "xml"]),
];
/// What can be made, in words.
const MADE: &str = "application/fhir+json and application/fhir+xml, both with fhirVersion=4.0, can be made here; nothing else, \
                    such as html or turtle, is";
/// The version of FHIR that is spoken.
const VERSION: &str = "4.0";
/// A quality of 1, in thousandths.
const WHOLE: u16 = 1_000;

/// A media type or range with the parameters that matter.
struct Media {
    name: String,
    /// Whether it is of the version that is spoken here, and in UTF-8.
    fits: bool,
    /// In thousandths.
    quality: u16,
}

impl Media {
    fn read(text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        // In a query a plus is a space, and many callers write it so.
        let name = parts.next().unwrap_or_default().to_ascii_lowercase().replace(' ', "+");
        let mut media = Self { name, fits: true, quality: WHOLE };
        for (key, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"').to_ascii_lowercase();
            match key.trim().to_ascii_lowercase().as_str() {
                "fhirversion" => media.fits &= value == VERSION,
                "charset" => media.fits &= matches!(value.as_str(), "utf-8" | "utf8" | "us-ascii"),
                "q" => media.quality = thousandths(&value),
                _ => {}
            }
        }
        media
    }

    /// How closely it names a form: 3 by name, 2 by its first half, 1 with everything; `None` where it does not.
    fn names(&self, format: Format) -> Option<u8> {
        match self.name.as_str() {
            "*/*" => Some(1),
            "application/*" | "text/*" => Some(2),
            name => (Format::named(name) == Some(format)).then_some(3),
        }
    }
}

/// A quality as `0.75`; what is none counts for nothing.
fn thousandths(text: &str) -> u16 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = part.len() <= 3 && part.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "1" if part.bytes().all(|b| b == b'0') => WHOLE,
        "0" if digits => format!("{part:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

impl Format {
    fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, names)| names.contains(&name)).map(|(format, _)| *format)
    }

    /// The form of a body by its `Content-Type`; a body without one is taken for JSON.
    ///
    /// # Errors
    /// `MediaType`: no form of FHIR, another version of it, or another encoding than UTF-8.
    pub(crate) fn sent(content_type: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = content_type else { return Ok(Self::Json) };
        let media = Media::read(text);
        Self::named(&media.name).filter(|_| media.fits).ok_or_else(|| {
            let what = "must be application/fhir+json or application/fhir+xml, of fhirVersion 4.0 and in UTF-8";
            Problem::at(ErrorKind::MediaType, "Content-Type", what)
        })
    }

    /// The form that `_format` names.
    ///
    /// # Errors
    /// `NotAcceptable`: none that can be made.
    pub(crate) fn asked(text: &str) -> Result<Self, Problem> {
        let media = Media::read(text);
        let format = Self::named(&media.name).filter(|_| media.fits);
        format.ok_or_else(|| Problem::at(ErrorKind::NotAcceptable, "_format", MADE))
    }

    /// The form that the lines of `Accept` like best. Between two that are liked equally, the one that is named more closely
    /// counts, then the one that is named first, then JSON.
    ///
    /// # Errors
    /// `NotAcceptable`: none that can be made.
    pub(crate) fn accepted<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self, Problem> {
        let media: Vec<Media> = lines.flat_map(|line| line.split(',')).map(Media::read).collect();
        if media.iter().all(|media| media.name.is_empty()) {
            return Ok(Self::default());
        }
        let liked = |format: Format| {
            let named = media.iter().enumerate().filter(|(_, media)| media.fits);
            let named = named.filter_map(|(at, media)| Some((media.names(format)?, media.quality, usize::MAX - at)));
            // The closest range decides, even where it says no.
            let best = named.max();
            best.filter(|(_, quality, _)| *quality > 0).map(|(close, quality, early)| (quality, close, early))
        };
        match (liked(Self::Json), liked(Self::Xml)) {
            (None, None) => Err(Problem::at(ErrorKind::NotAcceptable, "Accept", MADE)),
            (json, xml) if xml > json => Ok(Self::Xml),
            _ => Ok(Self::Json),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_weighed_as_it_is_meant() {
        let cases = [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            ("application/fhir+xml", Some(Format::Xml)),
            ("application/fhir+xml; fhirVersion=4.0", Some(Format::Xml)),
            ("application/fhir+xml; fhirVersion=\"4.0\"; charset=UTF-8", Some(Format::Xml)),
            ("application/fhir+xml; fhirVersion=5.0", None),
            ("application/fhir+json; fhirVersion=3.0, application/xml", Some(Format::Xml)),
            ("application/fhir+json;q=0.5, application/fhir+xml", Some(Format::Xml)),
            ("application/fhir+json;q=0.5, application/fhir+xml;q=0.4", Some(Format::Json)),
            ("application/fhir+xml, */*", Some(Format::Xml)),
            ("application/fhir+json, application/fhir+xml", Some(Format::Json)),
            ("text/xml, text/json", Some(Format::Xml)),
            ("application/json;q=0, */*", Some(Format::Xml)),
            ("application/json;q=0", None),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Some(Format::Xml)),
            ("text/html, */*;q=0.1", Some(Format::Json)),
            ("TEXT/XML", Some(Format::Xml)),
            ("application/fhir+turtle", None),
            ("text/html", None),
            ("application/json;q=much", None),
            ("json", Some(Format::Json)),
        ];
        for (text, expected) in cases {
            assert_eq!(Format::accepted(std::iter::once(text)).ok(), expected, "{text}");
        }
        assert_eq!(Format::accepted(std::iter::empty()).ok(), Some(Format::Json));
        assert_eq!(Format::accepted(["text/html", "application/xml"].into_iter()).ok(), Some(Format::Xml));
    }

    #[test]
    fn formats_and_types_of_bodies_are_known_or_refused() {
        for (text, expected) in [
            ("json", Some(Format::Json)),
            ("xml", Some(Format::Xml)),
            ("application/fhir xml", Some(Format::Xml)),
            ("application/fhir+json; fhirVersion=4.0", Some(Format::Json)),
            ("application/fhir+json;fhirVersion=4.3", None),
            ("html", None),
            ("ttl", None),
            ("", None),
        ] {
            assert_eq!(Format::asked(text).ok(), expected, "{text}");
        }
        for (text, expected) in [
            (None, Some(Format::Json)),
            (Some("application/fhir+xml; charset=utf-8"), Some(Format::Xml)),
            (Some("text/xml; charset=latin1"), None),
            (Some("application/fhir+json; fhirVersion=5.0"), None),
            (Some("text/plain"), None),
        ] {
            assert_eq!(Format::sent(text).ok(), expected, "{text:?}");
        }
    }
}
