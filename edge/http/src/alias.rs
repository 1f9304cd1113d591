//! The other prefixes under which the plain API answers, in one table.

use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// The canonical prefix of the plain API.
const API: &str = "/api/v1";

/// Prefixes that stand for another one.
pub const PREFIXES: [(&str, &str); 5] = [
    ("/api/v1/healthcare-records", API),
    ("/api/v1/clinical-workflows", API),
    ("/api/v1/iris-api", API),
    ("/api/v1/ai/gemma", "/api/v1/ai"),
    ("/redoc", "/docs"),
];

/// First segments that are served below [`API`] and may be asked for without any prefix.
pub const BARE: [&str; 4] = ["/auth", "/patients", "/immunizations", "/audit"];

/// The canonical URI, if the path is an alias.
#[must_use]
pub fn resolve(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    let below = |prefix: &str| path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let canonical = PREFIXES
        .iter()
        .find_map(|(alias, canonical)| below(alias).map(|rest| format!("{canonical}{rest}")))
        .or_else(|| BARE.iter().find(|prefix| below(prefix).is_some()).map(|_| format!("{API}{path}")))?;
    let full = uri.query().map_or(canonical.clone(), |query| format!("{canonical}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(full).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn aliases_lead_to_the_canonical_path_and_keep_the_query() {
        let cases = [
            ("/patients", Some("/api/v1/patients")),
            ("/patients/search?phone=1", Some("/api/v1/patients/search?phone=1")),
            ("/api/v1/healthcare-records/immunizations?skip=0", Some("/api/v1/immunizations?skip=0")),
            ("/redoc", Some("/docs")),
            ("/patientsx", None),
            ("/api/v1/patients", None),
            ("/fhir/Patient", None),
            ("/health", None),
        ];
        for (alias, canonical) in cases {
            let resolved = resolve(&alias.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(resolved.as_deref(), canonical, "{alias}");
        }
    }
}
