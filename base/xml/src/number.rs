//! Numbers of FHIR's XML as JSON spells them.

use iris_fhir::definitions::Primitive;

/// The text as a JSON number of this type, spelt as it is; `None` if JSON cannot say it. Whole numbers lose a plus sign, which
/// R4 allows for them and JSON does not.
pub(crate) fn json_number(primitive: Primitive, text: &str) -> Option<&str> {
    let text = match primitive {
        Primitive::Decimal => text,
        _ => text.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(text),
    };
    is_json_number(text.as_bytes()).then_some(text)
}

fn is_json_number(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let Some(rest) = (match text {
        [b'0', rest @ ..] => Some(rest),
        _ => digits(text),
    }) else {
        return false;
    };
    let Some(rest) = (match rest {
        [b'.', fraction @ ..] => digits(fraction),
        _ => Some(rest),
    }) else {
        return false;
    };
    match rest {
        [] => true,
        [b'e' | b'E', b'+' | b'-', power @ ..] | [b'e' | b'E', power @ ..] => {
            digits(power).is_some_and(<[u8]>::is_empty)
        }
        _ => false,
    }
}

/// What follows one or more digits.
fn digits(text: &[u8]) -> Option<&[u8]> {
    let end = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if end == 0 { None } else { text.get(end..) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-0", "10", "6.30", "-0.001", "1e5", "1.0E+10", "2e-7"] {
            assert_eq!(json_number(Primitive::Decimal, good), Some(good));
        }
        for bad in ["", "-", "+1", "01", ".5", "1.", "1e", "1e+", "0x1", " 1", "1 ", "NaN", "1,5", "1.5.2", "1e5.0"] {
            assert_eq!(json_number(Primitive::Decimal, bad), None, "{bad}");
        }
        assert_eq!(json_number(Primitive::PositiveInt, "+5"), Some("5"));
        assert_eq!(json_number(Primitive::Integer, "+-5"), None);
    }
}
