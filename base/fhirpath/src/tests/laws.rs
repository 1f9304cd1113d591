//! Laws of the language.

use proptest::prelude::*;

use super::on_patient;
use crate::{BinaryOp, Expr, Literal, TypeOp, UnaryOp, UnitSpelling, parse};

/// A constant of any sort, as text.
fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        (-50_i32..50).prop_map(|number| format!("({number})")),
        (-500_i32..500).prop_map(|number| format!("({}.{})", number / 10, (number % 10).abs())),
        "[a-c ]{0,3}".prop_map(|text| format!("'{text}'")),
        (2_019_u16..2_022, 1_u8..4, 1_u8..4, 0_u8..4).prop_map(|(year, month, day, parts)| match parts {
            0 => format!("@{year}"),
            1 => format!("@{year}-0{month}"),
            2 => format!("@{year}-0{month}-0{day}"),
            _ => format!("@{year}-0{month}-0{day}T10:0{day}:00Z"),
        }),
        (0_u8..3, 0_u8..3).prop_map(|(hour, minute)| format!("@T0{hour}:0{minute}")),
        (1_u8..5, prop::sample::select(vec!["'g'", "'mg'", "'m'", "days", "weeks", "months", "years"]))
            .prop_map(|(value, unit)| format!("{value} {unit}")),
        Just("name".to_owned()),
        Just("name.given".to_owned()),
        Just("birthDate".to_owned()),
    ]
}

fn truth() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["true", "false", "{}"])
}

fn same(left: &str, right: &str) -> Result<(), TestCaseError> {
    let (left_value, right_value) = (on_patient(left), on_patient(right));
    let agree = left_value == right_value || left_value.is_err() && right_value.is_err();
    prop_assert!(agree, "{left} is {left_value:?}, {right} is {right_value:?}");
    Ok(())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("name".to_owned()),
        Just("given".to_owned()),
        Just("is".to_owned()),
        Just("true".to_owned()),
        Just("div".to_owned()),
        "[a-z`' .\\\\äß\u{1}-]{1,5}",
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        Just(Literal::Empty),
        any::<bool>().prop_map(Literal::Boolean),
        "\\PC{0,6}".prop_map(Literal::String),
        "[\n\r\t\u{1}\\\\'a]{0,4}".prop_map(Literal::String),
        "[1-9][0-9]{0,3}(\\.[0-9]{1,3})?".prop_map(Literal::Number),
        Just(Literal::Moment("2015-02-04T14:34:28.123+10:00".to_owned())),
        Just(Literal::Moment("2015T".to_owned())),
        Just(Literal::Moment("T14:34".to_owned())),
        Just(Literal::Quantity { value: "4".to_owned(), unit: "days".to_owned(), spelt: UnitSpelling::Word }),
        "[a-z'/\\\\]{1,4}".prop_map(|unit| Literal::Quantity {
            value: "1.5".to_owned(),
            unit,
            spelt: UnitSpelling::Quoted
        }),
    ]
}

fn tree() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        literal().prop_map(Expr::Literal),
        Just(Expr::This),
        Just(Expr::Index),
        Just(Expr::Total),
        name().prop_map(Expr::Variable),
        name().prop_map(|name| Expr::Member { of: None, name }),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let operators = BinaryOp::ALL.to_vec();
        prop_oneof![
            (boxed.clone(), name()).prop_map(|(of, name)| Expr::Member { of: Some(of), name }),
            (prop::option::of(boxed.clone()), name(), prop::collection::vec(inner, 0..3))
                .prop_map(|(of, name, arguments)| Expr::Call { of, name, arguments }),
            (boxed.clone(), boxed.clone()).prop_map(|(of, index)| Expr::Item { of, index }),
            (any::<bool>(), boxed.clone()).prop_map(|(minus, operand)| Expr::Unary {
                op: if minus { UnaryOp::Minus } else { UnaryOp::Plus },
                operand
            }),
            (prop::sample::select(operators), boxed.clone(), boxed.clone())
                .prop_map(|(op, left, right)| Expr::Binary { op, left, right }),
            (any::<bool>(), boxed, "[A-Za-z]{1,5}(\\.[A-Za-z]{1,5})?").prop_map(|(is, operand, name)| Expr::Type {
                op: if is { TypeOp::Is } else { TypeOp::As },
                operand,
                name
            }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in tree()) {
        let text = tree.to_string();
        prop_assert_eq!(parse(&text), Ok(tree), "{}", text);
    }

    #[test]
    fn no_text_makes_the_parser_or_the_evaluator_panic(
        any in "\\PC{0,40}",
        likely in r"[a-z0-9 .()\[\]|'\\@$%{}=<>!~+*/,-]{0,40}",
    ) {
        let _ = on_patient(&any);
        let _ = on_patient(&likely);
    }

    #[test]
    fn no_sequence_of_words_makes_anything_panic(words in prop::collection::vec(prop::sample::select(vec![
        "name", "given", "birthDate", ".", ".", "(", ")", "[", "]", "0", "1", "2.5", "'a'", "'1'", "{}", "true", "@2020", "@T10:00", "$this",
        "$index", "+", "-", "*", "/", "|", "&", "=", "~", "<", "and", "or", "implies", "is", "as", "in", "where", "select", "first()",
        "repeat", "descendants()", "toString()", "lowBoundary()", "toQuantity()", "4 days", "1 'mg'", "String", "sort()", ",",
    ]), 0..14)) {
        let _ = on_patient(&words.join(" "));
        let _ = on_patient(&words.concat());
    }

    #[test]
    fn functions_on_any_constant_never_panic(value in constant(), function in prop::sample::select(vec![
        "abs()", "ceiling()", "floor()", "round(1)", "sqrt()", "ln()", "exp()", "log(2)", "power(2)", "power(0.5)", "truncate()",
        "toInteger()", "toDecimal()", "toQuantity()", "toString()", "toDate()", "toDateTime()", "toTime()", "toBoolean()",
        "lowBoundary()", "highBoundary(3)", "highBoundary()", "precision()", "length()", "upper()", "toChars()", "substring(1)",
        "distinct()", "sort()", "sort(-$this)", "type()", "children()", "not()", "allTrue()", "single()", "comparable(1 'g')",
    ])) {
        let _ = on_patient(&format!("({value}).{function}"));
        let _ = on_patient(&format!("({value} | 1 | @2020-02).{function}"));
    }

    #[test]
    fn the_logic_of_three_values(a in truth(), b in truth(), c in truth()) {
        same(&format!("{a} and {b}"), &format!("{b} and {a}"))?;
        same(&format!("{a} or {b}"), &format!("{b} or {a}"))?;
        same(&format!("{a} xor {b}"), &format!("{b} xor {a}"))?;
        same(&format!("({a} and {b}).not()"), &format!("{a}.not() or {b}.not()"))?;
        same(&format!("({a} or {b}).not()"), &format!("{a}.not() and {b}.not()"))?;
        same(&format!("{a} implies {b}"), &format!("{a}.not() or {b}"))?;
        same(&format!("({a} and {b}) and {c}"), &format!("{a} and ({b} and {c})"))?;
        same(&format!("{a} and ({b} or {c})"), &format!("({a} and {b}) or ({a} and {c})"))?;
        same(&format!("{a}.not().not()"), a)?;
        same(&format!("{a} xor {b}"), &format!("({a} and {b}.not()) or ({a}.not() and {b})"))?;
    }

    #[test]
    fn equality_and_equivalence_are_symmetric(a in constant(), b in constant()) {
        for operator in ["=", "!=", "~", "!~"] {
            same(&format!("{a} {operator} {b}"), &format!("{b} {operator} {a}"))?;
        }
        same(&format!("({a} = {b}).not()"), &format!("{a} != {b}"))?;
        same(&format!("({a} ~ {b}).not()"), &format!("{a} !~ {b}"))?;
        prop_assert_eq!(on_patient(&format!("{a} ~ {a}")), Ok(vec!["true".to_owned()]), "{}", a);
        let itself = on_patient(&format!("{a} = {a}"));
        prop_assert!(itself == Ok(vec!["true".to_owned()]) || itself == Ok(vec![]), "{} {:?}", a, itself);
    }

    #[test]
    fn the_orders_agree(a in constant(), b in constant()) {
        same(&format!("{a} < {b}"), &format!("{b} > {a}"))?;
        same(&format!("{a} <= {b}"), &format!("{b} >= {a}"))?;
        same(&format!("({a} < {b}).not()"), &format!("{a} >= {b}"))?;
    }

    #[test]
    fn unions_are_sets(a in constant(), b in constant(), c in constant()) {
        same(&format!("({a} | {b}).count()"), &format!("({b} | {a}).count()"))?;
        same(&format!("({a} | {b}).subsetOf({b} | {a})"), "true")?;
        same(&format!("({a} | {a}).count()"), &format!("({a}).distinct().count()"))?;
        same(&format!("({a} | {b}).isDistinct()"), "true")?;
        same(&format!("({a}).union({b})"), &format!("{a} | {b}"))?;
        same(&format!("({a}).intersect({b}).count()"), &format!("({b}).intersect({a}).count()"))?;
        same(&format!("({a}).combine({c}).exclude({c}).count()"), &format!("({a}).exclude({c}).combine(({c}).exclude({c})).count()"))?;
    }
}
