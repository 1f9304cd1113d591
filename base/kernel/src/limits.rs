//! Every limit that holds everywhere, by name. A limit that only one crate knows stands in that crate.

/// Largest request body in bytes, after decompression (a transaction of several thousand entries fits).
pub const BODY_BYTES_MAX: usize = 64 << 20;
/// Deepest nesting of a JSON document.
pub const JSON_DEPTH_MAX: usize = 64;
/// Most values (objects, arrays, strings, numbers, literals) in one JSON document.
pub const JSON_VALUES_MAX: usize = 8_000_000;
/// Most entries of a batch or transaction.
pub const BUNDLE_ENTRIES_MAX: usize = 10_000;
/// Most faults that one refusal lists; the rest is counted.
pub const FAULTS_MAX: usize = 100;
/// Page size when none is asked for.
pub const PAGE_DEFAULT: usize = 20;
/// Largest page of the plain API.
pub const PAGE_MAX: usize = 100;
/// Largest page of a FHIR search (`_count`).
pub const FHIR_PAGE_MAX: usize = 1_000;
/// Longest `X-Correlation-ID` that is taken over from a caller.
pub const CORRELATION_CHARS_MAX: usize = 64;
/// Longest search value, in bytes.
pub const SEARCH_VALUE_BYTES_MAX: usize = 1_024;
/// Most alternatives (commas) in one search parameter.
pub const SEARCH_ALTERNATIVES_MAX: usize = 1_000;
/// Most parameters of one search.
pub const SEARCH_PARAMETERS_MAX: usize = 100;
/// Most criteria that the values of one search stand for, those of value sets and of chains counted.
pub const SEARCH_CRITERIA_MAX: usize = 10_000;
/// Most references that a chained parameter follows, `_has` counted, one after the other.
pub const SEARCH_CHAIN_DEPTH_MAX: usize = 8;
/// Most ways that the chained parameters of one search lead, through the types that each may follow.
pub const SEARCH_CHAINS_MAX: usize = 64;
/// Most `_include` and `_revinclude` parameters of one search.
pub const SEARCH_INCLUDES_MAX: usize = 50;
/// Deepest nesting of parentheses, `not` included, in a `_filter`.
pub const SEARCH_FILTER_DEPTH_MAX: usize = 16;
/// Longest `_filter`, in bytes.
pub const SEARCH_FILTER_BYTES_MAX: usize = 8_192;
/// Most codes of a value set, or above or below a code, that one search value may stand for.
pub const SEARCH_EXPANSION_MAX: usize = 5_000;
