//! Expressions from anywhere over documents from anywhere: nothing crashes, hangs or eats memory, and the ways to evaluate agree.
//! Seconds in an ordinary run, ten minutes each with `IRIS_SOAK` set.
#![allow(clippy::expect_used, clippy::panic, reason = "the helpers of tests fail like tests")]

use iris_fhir::Json;
use iris_fhir::definitions::{kind_of, name_of};
use iris_fhirpath::{
    BinaryOp, Context, EvalError, Expr, Focus, Host, Item, Limits, Literal, Mode, Node, Resolved, Settings, TypeOp,
    TypeRef, UnaryOp, UnitSpelling, compile, parse,
};
use iris_kernel::Timestamp;
use iris_testkit::{Fuzz, SeededEntropy};

/// So that no single input takes long.
const LIMITS: Limits = Limits { fuel: 100_000, items: 2_000 };
/// The byte between expression and document.
const BETWEEN: u8 = 1;
/// Deepest nesting of what is made from bytes.
const DEPTH_MAX: u8 = 7;

struct Outside;

impl<'a> Host<'a> for Outside {
    fn resolve(&self, reference: &str) -> Resolved<'a> {
        reference.split('/').find_map(kind_of).map_or(Resolved::Nowhere, Resolved::Type)
    }
}

/// Evaluates in every way, and answers whether there was something to evaluate.
fn evaluated(expr: &Expr, document: &Json) -> bool {
    let patient = TypeRef::named("Patient").expect("a type");
    let root = document.root();
    let node = Node::resource(root).unwrap_or(Node::element(Some(root), None, patient));
    let now = Timestamp::parse("2026-11-22T10:00:00Z").expect("a time");
    let context = Context { limits: LIMITS, ..Context::of(node, now).with_host(&Outside) };
    let typed = Settings::of_definitions(Focus::Type(node.of()));
    let lenient = Settings { mode: Mode::Lenient, ..Settings::strict(Focus::Any) };
    let mut compiled = false;
    for settings in [typed, lenient] {
        let Ok(program) = compile(expr, &settings) else { continue };
        compiled = true;
        let items = program.evaluate(Item::Node(node), &context);
        let mut visited = 0;
        let visiting = program.each(Item::Node(node), &context, &mut |_| visited += 1);
        let test = program.test(Item::Node(node), &context);
        let Ok(items) = items else { continue };
        assert!(items.len() <= LIMITS.items, "{} items", items.len());
        assert_eq!((visiting, visited), (Ok(()), items.len()), "visited otherwise than collected");
        match (&items[..], test) {
            ([] | [_], Err(error)) => panic!("a truth value has the error {error}"),
            ([], Ok(test)) => assert_eq!(test, None),
            ([Item::Boolean(value)], Ok(test)) => assert_eq!(test, Some(*value)),
            ([_], Ok(_)) | (_, Err(EvalError::Several(_))) => {}
            (_, test) => panic!("several items are {test:?}"),
        }
        // What is known of the types before is so.
        let Some(types) = program.leads_to() else { continue };
        for node in items.iter().filter_map(Item::node) {
            let of = |name: &&str| TypeRef::named(name).is_some_and(|of| node.of().is_a(of));
            assert!(types.iter().any(of), "{} is none of {types:?}", node.of().name());
        }
    }
    compiled
}

const PATIENT: &str = r##"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1974-12-25","_birthDate":{"id":"b"},
"name":[{"family":"A","given":["B",null],"_given":[null,{"extension":[{"url":"u","valueQuantity":{"value":1.50,"code":"mg",
"system":"http://unitsofmeasure.org"}}]}]}],"contained":[{"resourceType":"Organization","id":"o"}],
"managingOrganization":{"reference":"#o"},"deceasedDateTime":"2020-01"}"##;

#[test]
fn hostile_text_over_hostile_documents() {
    let samples: Vec<Vec<u8>> = [
        "name.where(use = 'official').given.first() | birthDate + 1 year",
        "contained.where((('#'+id in (%resource.descendants().reference | %resource.descendants().as(uri))).not())).trace('x', id).empty()",
        "hasValue() or (children().count() > id.count())",
        "descendants().select($this.toString()).distinct().sort().join(',').length() > 4 'mg'",
        "name.given.aggregate($total & $this, 'x').matches('a+b?').not() implies deceased is dateTime",
        "repeat(children()).extension('u').value.ofType(Quantity).lowBoundary() ~ @2020-01-01T10:00:00Z",
        "managingOrganization.resolve().id.replaceMatches('(o)', '$1$1').substring(1, 2).toChars().combine({})",
        "iif(active, name.exists(family.startsWith('A')), -1 div 0) xor (1 | 2).supersetOf(2 | 1)",
    ]
    .iter()
    .map(|text| [text.as_bytes(), &[BETWEEN], PATIENT.as_bytes()].concat())
    .collect();
    let tokens: [&[u8]; 24] = [
        b"descendants()",
        b".repeat(",
        b"%resource",
        b"$this",
        b"$total",
        b" | ",
        b" in ",
        b" as ",
        b".select(",
        b".where(",
        b"@2020-02",
        b"@T10",
        b"4 days",
        b"'a'",
        b")",
        b"[0]",
        b".toString()",
        b"{}",
        b" = ",
        b" ~ ",
        b"\"extension\":[",
        b"null",
        b"\"contained\":[{\"resourceType\":\"Bundle\"",
        b"1e400",
    ];
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let fuzz = Fuzz { name: "fhirpath text", samples: &samples, tokens: &tokens, megabytes_max: 256 };
    fuzz.run(|input| {
        let (text, document) = match input.iter().position(|byte| *byte == BETWEEN) {
            Some(at) => (&input[..at], &input[at + 1..]),
            None => (input, PATIENT.as_bytes()),
        };
        let Ok(expr) = parse(&String::from_utf8_lossy(text)) else { return false };
        let document = Json::parse(document.to_vec()).or_else(|_| Json::parse(PATIENT)).expect("JSON");
        evaluated(&expr, &document)
    });
}

/// Bytes as a source of choices; when they are over, every choice is the first.
struct Choices<'b>(std::slice::Iter<'b, u8>);

impl Choices<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % end)
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }
}

const ELEMENTS: [&str; 22] = [
    "name",
    "given",
    "family",
    "birthDate",
    "active",
    "id",
    "extension",
    "url",
    "value",
    "contained",
    "deceased",
    "reference",
    "managingOrganization",
    "identifier",
    "period",
    "start",
    "text",
    "div",
    "contact",
    "Patient",
    "multipleBirth",
    "telecom",
];
const MEMBERS: [&str; 22] = [
    "name",
    "given",
    "_given",
    "birthDate",
    "_birthDate",
    "active",
    "id",
    "extension",
    "url",
    "valueString",
    "valueQuantity",
    "valueDateTime",
    "_valueCode",
    "contained",
    "deceasedBoolean",
    "reference",
    "managingOrganization",
    "resourceType",
    "period",
    "text",
    "code",
    "system",
];
const FUNCTIONS: [&str; 40] = [
    "where",
    "select",
    "exists",
    "all",
    "empty",
    "count",
    "first",
    "last",
    "tail",
    "skip",
    "take",
    "children",
    "descendants",
    "repeat",
    "distinct",
    "isDistinct",
    "union",
    "combine",
    "intersect",
    "exclude",
    "subsetOf",
    "ofType",
    "is",
    "as",
    "iif",
    "toString",
    "toInteger",
    "toQuantity",
    "toDate",
    "length",
    "substring",
    "contains",
    "hasValue",
    "extension",
    "resolve",
    "not",
    "aggregate",
    "sort",
    "lowBoundary",
    "type",
];
const NAMES: [&str; 8] = ["Patient", "String", "string", "Quantity", "code", "System.Boolean", "Element", "Reference"];
const VARIABLES: [&str; 5] = ["resource", "context", "rootResource", "ucum", "none"];

fn literal(choices: &mut Choices<'_>) -> Literal {
    match choices.below(8) {
        0 => Literal::Boolean(choices.below(2) == 0),
        1 => Literal::String(choices.of(&["", "a", "B", "2020-01", "1", "Patient/1"]).to_owned()),
        2 => Literal::Number(choices.of(&["0", "1", "2147483647", "1.50", "0.1"]).to_owned()),
        3 => Literal::Moment(choices.of(&["2020", "2020-02-29", "2020-01-01T10:00:00Z", "T10:30"]).to_owned()),
        4 => Literal::Quantity { value: "4".to_owned(), unit: "days".to_owned(), spelt: UnitSpelling::Word },
        5 => Literal::Quantity {
            value: "1.5".to_owned(),
            unit: choices.of(&["mg", "m", "year", "1"]).to_owned(),
            spelt: UnitSpelling::Quoted,
        },
        _ => Literal::Empty,
    }
}

fn tree(choices: &mut Choices<'_>, depth: u8) -> Expr {
    let leaves = 5;
    let kind = if depth == 0 { choices.below(leaves) } else { choices.below(leaves + 14) };
    let below = depth.saturating_sub(1);
    let inner = |choices: &mut Choices<'_>| Box::new(tree(choices, below));
    match kind {
        0 => Expr::Member { of: None, name: choices.of(&ELEMENTS).to_owned() },
        1 => Expr::This,
        2 => Expr::Literal(literal(choices)),
        3 => Expr::Variable(choices.of(&VARIABLES).to_owned()),
        4 => {
            if choices.below(2) == 0 {
                Expr::Index
            } else {
                Expr::Total
            }
        }
        5..=8 => Expr::Member { of: Some(inner(choices)), name: choices.of(&ELEMENTS).to_owned() },
        9..=13 => {
            let name = choices.of(&FUNCTIONS);
            let of = (choices.below(8) > 0).then(|| inner(choices));
            let arguments = match name {
                "ofType" | "is" | "as" => vec![Expr::Member { of: None, name: choices.of(&NAMES[..5]).to_owned() }],
                "where" | "select" | "all" | "repeat" | "skip" | "take" | "union" | "combine" | "intersect"
                | "exclude" | "subsetOf" | "substring" | "contains" | "extension" | "aggregate" => {
                    vec![tree(choices, below)]
                }
                "iif" => vec![tree(choices, below), tree(choices, below), tree(choices, below)],
                _ => Vec::new(),
            };
            Expr::Call { of, name: name.to_owned(), arguments }
        }
        14 => Expr::Item { of: inner(choices), index: inner(choices) },
        15 => {
            let op = if choices.below(2) == 0 { UnaryOp::Minus } else { UnaryOp::Plus };
            Expr::Unary { op, operand: inner(choices) }
        }
        16 => {
            let op = if choices.below(2) == 0 { TypeOp::Is } else { TypeOp::As };
            Expr::Type { op, operand: inner(choices), name: choices.of(&NAMES).to_owned() }
        }
        _ => {
            let op = BinaryOp::ALL[choices.below(BinaryOp::ALL.len())];
            Expr::Binary { op, left: inner(choices), right: inner(choices) }
        }
    }
}

fn document(choices: &mut Choices<'_>, depth: u8, out: &mut String) {
    match if depth == 0 { choices.below(6) } else { choices.below(12) } {
        0 => out.push_str("null"),
        1 => out.push_str(choices.of(&["true", "false"])),
        2 => out.push_str(choices.of(&["0", "1.50", "-1e3", "99999999999999999999"])),
        3..=5 => out.push_str(choices.of(&[
            "\"a\"",
            "\"B\"",
            "\"2020-01\"",
            "\"Patient\"",
            "\"#o\"",
            "\"Organization/1\"",
            "\"\\u00e4\"",
        ])),
        6..=8 => {
            out.push('[');
            for at in 0..choices.below(4) {
                out.push_str(if at == 0 { "" } else { "," });
                document(choices, depth - 1, out);
            }
            out.push(']');
        }
        _ => members(choices, depth, out),
    }
}

fn members(choices: &mut Choices<'_>, depth: u8, out: &mut String) {
    out.push('{');
    let (mut at, count) = (choices.below(MEMBERS.len()), choices.below(7));
    for member in 0..count {
        // No name occurs twice.
        at += 1 + choices.below(3);
        out.push_str(if member == 0 { "\"" } else { ",\"" });
        out.push_str(MEMBERS[at % MEMBERS.len()]);
        out.push_str("\":");
        document(choices, depth - 1, out);
    }
    out.push('}');
}

#[test]
fn random_trees_over_random_documents() {
    let chance = SeededEntropy::new(7);
    let sample = |_| (0..400).map(|_| chance.next().to_le_bytes()[0]).collect();
    let samples: Vec<Vec<u8>> = (0..64).map(sample).collect();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let fuzz = Fuzz { name: "fhirpath trees", samples: &samples, tokens: &[b"\x09", b"\x11\x00"], megabytes_max: 256 };
    let patient = format!("\"resourceType\":\"{}\"", name_of(kind_of("Patient").expect("a type")));
    fuzz.run(|input| {
        let mut choices = Choices(input.iter());
        let mut text = String::new();
        members(&mut choices, 5, &mut text);
        if !text.contains("\"resourceType\"") {
            text.insert_str(1, &if text == "{}" { patient.clone() } else { format!("{patient},") });
        }
        let Ok(json) = Json::parse(text) else { return false };
        let expr = tree(&mut choices, DEPTH_MAX);
        match parse(&expr.to_string()) {
            Ok(again) => assert_eq!(again, expr),
            Err(error) => {
                assert!(error.what.starts_with("more than"), "{error}");
                return false;
            }
        }
        evaluated(&expr, &json)
    });
}
