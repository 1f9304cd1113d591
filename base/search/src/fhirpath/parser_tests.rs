use super::*;

fn member(of: Expr, name: &str) -> Expr {
    Expr::Member { of: Some(Box::new(of)), name: name.into() }
}

fn name(name: &str) -> Expr {
    Expr::Member { of: None, name: name.into() }
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

#[test]
fn paths_calls_and_items() {
    let entry = Expr::Item {
        of: Box::new(member(name("Bundle"), "entry")),
        index: Box::new(Expr::Literal(Literal::Number("0".into()))),
    };
    assert_eq!(parse("Bundle.entry[0].resource"), Ok(member(entry, "resource")));
    let criterion = binary(BinaryOp::Equal, name("system"), Expr::Literal(Literal::String("phone".into())));
    let filtered = Expr::Call {
        of: Some(Box::new(member(name("Patient"), "telecom"))),
        name: "where".into(),
        arguments: vec![criterion],
    };
    assert_eq!(parse("Patient.telecom.where(system='phone')"), Ok(filtered));
    assert_eq!(parse("a.contains(b)").unwrap(), parse("a . contains ( b )").unwrap());
    assert_eq!(parse("`div`.as"), Ok(member(name("div"), "as")));
}

#[test]
fn type_operators_bind_tighter_than_unions() {
    let typed = |operand, name: &str| Expr::Type { op: TypeOp::As, operand: Box::new(operand), name: name.into() };
    let left = typed(member(name("A"), "b"), "Quantity");
    let right = typed(member(name("A"), "c"), "System.String");
    let union = binary(BinaryOp::Union, left, right);
    assert_eq!(parse("A.b as Quantity | A.c as System.String"), Ok(union.clone()));
    assert_eq!(parse("(A.b as Quantity) | (A.c as System.String)"), Ok(union));
}

#[test]
fn operators_follow_the_precedence_of_the_grammar() {
    for (plain, bracketed) in [
        ("a and b or c and d", "(a and b) or (c and d)"),
        ("a implies b or c", "a implies (b or c)"),
        ("a = b and c != d", "(a = b) and (c != d)"),
        ("a < b = c > d", "(a < b) = (c > d)"),
        ("a | b < c", "(a | b) < c"),
        ("a + b * c - d", "(a + (b * c)) - d"),
        ("a - b - c", "(a - b) - c"),
        ("-a + b", "(-a) + b"),
        ("-a.b", "-(a.b)"),
        ("a in b and c contains d", "(a in b) and (c contains d)"),
        ("a & b is String", "(a & b) is String"),
        ("a.exists() and b", "(a.exists()) and b"),
    ] {
        assert_eq!(parse(plain), parse(bracketed), "{plain}");
        assert!(parse(plain).is_ok(), "{plain}");
    }
}

#[test]
fn constants_of_every_sort() {
    let constants = [
        ("{}", Literal::Empty),
        ("true", Literal::Boolean(true)),
        (r"'it\'s \u0041\n'", Literal::String("it's A\n".into())),
        ("0.10", Literal::Number("0.10".into())),
        ("@2013-01-14T10:00:00.5Z", Literal::Moment("2013-01-14T10:00:00.5Z".into())),
        ("@T10:00", Literal::Moment("T10:00".into())),
        ("4.5 'mg'", Literal::Quantity { value: "4.5".into(), unit: "mg".into() }),
        ("7 days", Literal::Quantity { value: "7".into(), unit: "days".into() }),
    ];
    for (text, literal) in constants {
        assert_eq!(parse(text), Ok(Expr::Literal(literal)), "{text}");
    }
    assert_eq!(parse("$this"), Ok(Expr::This));
    assert_eq!(parse("%`vs-name`"), Ok(Expr::Variable("vs-name".into())));
    assert_eq!(parse("%'vs-name'"), Ok(Expr::Variable("vs-name".into())));
    assert_eq!(parse("a // to the end\n /* and\n here */ .b"), Ok(member(name("a"), "b")));
}

#[test]
fn what_is_no_expression_names_its_place() {
    for (text, at) in [
        ("", 0),
        ("a.", 2),
        ("a b", 2),
        ("(a", 2),
        ("a[0", 3),
        ("a.where(b,", 10),
        ("a | | b", 4),
        ("'open", 0),
        ("a /* open", 2),
        ("a # b", 2),
        ("@", 0),
        (r"'\q'", 0),
        (r"'\u12'", 0),
        ("$that", 5),
    ] {
        assert_eq!(parse(text).map_err(|error| error.at), Err(at), "{text}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(DEPTH_MAX - 1)).is_ok());
    assert_eq!(parse(&nested(DEPTH_MAX)).unwrap_err().what, "nested too deeply");
    assert_eq!(parse(&nested(100_000)).unwrap_err().what, "more than 2048 tokens");
    let flat = |length: usize| vec!["a"; length].join(" | ");
    assert!(parse(&flat(TOKENS_MAX / 2)).is_ok());
    assert_eq!(parse(&flat(TOKENS_MAX / 2 + 1)).unwrap_err().what, "more than 2048 tokens");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in r"[a-z0-9 .()\[\]|'\\@$%{}=<>!~+-]{0,40}") {
        let _ = parse(&text);
    }
}
