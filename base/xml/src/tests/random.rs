//! Valid resources from a seed, by the definitions: every member in the order in which the reader writes it.

use iris_fhir::Writer;
use iris_fhir::definitions::{Element, ElementType, Primitive, Shape, Structure, definitions};

/// Deepest nesting of elements beyond those that must be there.
const DEPTH_MAX: usize = 5;

struct Random(u64);

impl Random {
    /// A number below `end` (splitmix64).
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn one_in(&mut self, end: usize) -> bool {
        self.below(end) == 0
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

/// The compact text of a valid resource.
pub(super) fn resource(seed: u64) -> String {
    let mut random = Random(seed);
    let kinds: Vec<_> = definitions().kinds().collect();
    let kind = kinds[random.below(kinds.len())];
    let mut json = Writer::new();
    write_resource(&mut random, definitions().structure_of(kind).unwrap(), None, 0, &mut json);
    String::from_utf8(json.finish()).unwrap()
}

fn write_resource(
    random: &mut Random,
    structure: &'static Structure,
    contained: Option<usize>,
    depth: usize,
    json: &mut Writer,
) {
    json.object().member("resourceType", structure.name);
    for element in &structure.elements {
        match (element.name, contained) {
            ("id", Some(at)) => {
                json.member("id", &format!("c{at}"));
            }
            // What is contained holds no resources and has no versions.
            ("contained" | "meta" | "implicitRules", Some(_)) => {}
            _ => write_element(random, structure, element, depth, json),
        }
    }
    json.end();
}

fn write_complex(
    random: &mut Random,
    of_type: &ElementType,
    structure: &'static Structure,
    depth: usize,
    json: &mut Writer,
) {
    json.object();
    match structure.name {
        "Extension" => write_extension(random, depth, json),
        "Reference" => {
            json.member("display", &string(random));
        }
        "CodeableConcept" if of_type.codes.is_some() => {
            json.key("coding").array();
            write_coding(random, of_type, json);
            json.end();
        }
        "Coding" if of_type.codes.is_some() => {
            json.end();
            unreachable!("codings with a required binding are written by write_coding");
        }
        _ => {
            let mut is_empty = true;
            for element in &structure.elements {
                let before = json.len();
                write_element(random, structure, element, depth, json);
                is_empty &= json.len() == before || element.name == "id";
            }
            // An id alone is no content (ele-1).
            if is_empty {
                json.key("extension").array().object();
                write_extension(random, depth + 1, json);
                json.end().end();
            }
        }
    }
    json.end();
}

fn write_extension(random: &mut Random, depth: usize, json: &mut Writer) {
    json.member("url", random.pick(&["urn:x", "http://example.org/a?b=c&d=<e>"]));
    if depth < DEPTH_MAX && random.one_in(3) {
        json.key("extension").array().object();
        write_extension(random, depth + 1, json);
        json.end().end();
        return;
    }
    let name = random.pick(&["valueString", "valueDecimal", "valueBoolean", "valuePeriod"]);
    let structure = definitions().structure("Extension").unwrap();
    let (_, element, of_type) = structure.member(name.as_bytes()).unwrap();
    write_typed(random, element, of_type, name, depth, json);
}

fn write_coding(random: &mut Random, of_type: &ElementType, json: &mut Writer) {
    let list = definitions().code_list(of_type.codes.unwrap()).unwrap();
    let (system, codes) = &list.systems[random.below(list.systems.len())];
    json.object().member("system", system).member("code", random.pick(codes)).end();
}

fn write_element(
    random: &mut Random,
    structure: &Structure,
    element: &'static Element,
    depth: usize,
    json: &mut Writer,
) {
    let wanted = element.min > 0 || depth < DEPTH_MAX && random.one_in(4 + 2 * depth);
    if !wanted || element.max == Some(0) {
        return;
    }
    let of_type = &element.types[random.below(element.types.len())];
    let name = if element.choice {
        let (first, rest) = of_type.name.split_at(1);
        format!("{}{}{rest}", element.name, first.to_ascii_uppercase())
    } else {
        element.name.to_owned()
    };
    if crate::read::is_attribute(structure, element) || structure.member(b"contained").is_some() && element.name == "id"
    {
        json.member(&name, random.pick(&["a", "b.c-1", "Z9"]));
        return;
    }
    write_typed(random, element, of_type, &name, depth, json);
}

fn write_typed(
    random: &mut Random,
    element: &'static Element,
    of_type: &'static ElementType,
    name: &str,
    depth: usize,
    json: &mut Writer,
) {
    let most = element.max.map_or(3, usize::from).min(3);
    let count = if element.repeats() {
        (1 + random.below(3)).clamp(usize::from(element.min).max(1), most.max(usize::from(element.min)))
    } else {
        1
    };
    if let Shape::Primitive(primitive) = of_type.shape {
        return write_primitives(random, element, of_type, primitive, name, count, depth, json);
    }
    json.key(name);
    if element.repeats() {
        json.array();
    }
    for at in 0..count {
        match of_type.shape {
            Shape::Complex(_) if of_type.name == "Coding" && of_type.codes.is_some() => {
                write_coding(random, of_type, json);
            }
            Shape::Complex(number) => {
                write_complex(random, of_type, definitions().structure_at(number).unwrap(), depth + 1, json);
            }
            _ => {
                let contained = (element.name == "contained").then_some(at);
                let name = random.pick(&["Basic", "Patient", "Observation", "Binary"]);
                let name = if contained.is_some() && name == "Binary" { "Device" } else { name };
                write_resource(random, definitions().structure(name).unwrap(), contained, depth + 2, json);
            }
        }
    }
    if element.repeats() {
        json.end();
    }
}

#[allow(clippy::too_many_arguments, reason = "all of it is what a primitive is written from")]
fn write_primitives(
    random: &mut Random,
    element: &Element,
    of_type: &ElementType,
    primitive: Primitive,
    name: &str,
    count: usize,
    depth: usize,
    json: &mut Writer,
) {
    let extensible = depth < DEPTH_MAX && primitive != Primitive::Xhtml;
    let mut values = Vec::new();
    let mut besides = Vec::new();
    for _ in 0..count {
        let extended = extensible && random.one_in(8);
        // A value may be missing where there is something in its place.
        values.push((!extended || random.one_in(2)).then(|| value(random, of_type, primitive)));
        besides.push(extended);
    }
    if values.iter().any(Option::is_some) {
        json.key(name);
        if element.repeats() {
            json.array();
        }
        for value in &values {
            match value {
                Some(value) => json.raw(value),
                None => json.null(),
            };
        }
        if element.repeats() {
            json.end();
        }
    }
    if besides.contains(&true) {
        json.key(&format!("_{name}"));
        if element.repeats() {
            json.array();
        }
        for extended in besides {
            if !extended {
                json.null();
                continue;
            }
            json.object();
            if random.one_in(2) {
                json.member("id", "p");
            }
            json.key("extension").array().object();
            write_extension(random, depth + 1, json);
            json.end().end();
            json.end();
        }
        if element.repeats() {
            json.end();
        }
    }
}

fn string(random: &mut Random) -> String {
    let pieces = [
        "a",
        "b c",
        "\"",
        "\\",
        "<",
        ">",
        "&",
        "&amp;",
        "'",
        "\n",
        "\r\n",
        "\t",
        "é",
        "\u{1F600}",
        "]]>",
        "<!--",
        "\u{FFFD}",
        "\u{7f}",
    ];
    let text: String = (0..1 + random.below(6)).map(|_| random.pick(&pieces)).collect();
    // Only white space would be no string.
    format!("x{text}")
}

/// A value as JSON.
fn value(random: &mut Random, of_type: &ElementType, primitive: Primitive) -> Vec<u8> {
    let unquoted = match primitive {
        Primitive::Boolean => Some(random.pick(&["true", "false"])),
        Primitive::Decimal => {
            Some(random.pick(&["0", "6.30", "-0.00", "1e5", "1.50E-10", "123456789012345678901234567890.1"]))
        }
        Primitive::Integer => Some(random.pick(&["0", "-7", "2147483647"])),
        Primitive::UnsignedInt | Primitive::PositiveInt => Some(random.pick(&["1", "42"])),
        _ => None,
    };
    if let Some(unquoted) = unquoted {
        return unquoted.as_bytes().to_vec();
    }
    let text = match primitive {
        Primitive::Base64Binary => random.pick(&["QUJD", "QQ=="]).to_owned(),
        Primitive::Instant => random.pick(&["2020-02-29T23:59:60Z", "1999-12-31T00:00:00.123+13:00"]).to_owned(),
        Primitive::Date => random.pick(&["1970", "1970-01", "2000-02-29"]).to_owned(),
        Primitive::DateTime => random.pick(&["1970", "2020-01-01T00:00:00.000-05:00"]).to_owned(),
        Primitive::Time => "23:59:59.9".to_owned(),
        Primitive::Code => match of_type.codes.and_then(|at| definitions().code_list(at)) {
            Some(list) => {
                let (_, codes) = &list.systems[random.below(list.systems.len())];
                random.pick(codes).to_owned()
            }
            None => random.pick(&["c", "a b"]).to_owned(),
        },
        Primitive::Oid => "urn:oid:1.2.3".to_owned(),
        Primitive::Id => "i-1".to_owned(),
        Primitive::Uuid => "urn:uuid:00000000-0000-4000-8000-00000000000a".to_owned(),
        Primitive::Uri | Primitive::Url | Primitive::Canonical => {
            random.pick(&["http://x.org/a?b=c&d", "urn:x"]).to_owned()
        }
        Primitive::Xhtml => random
            .pick(&[
                "<div xmlns=\"http://www.w3.org/1999/xhtml\">a &amp; b <br/>\r\n</div>",
                "<div xmlns='http://www.w3.org/1999/xhtml' ><p class=\"x\">é</p ><!-- \"c\" --></div>",
            ])
            .to_owned(),
        _ => string(random),
    };
    let mut out = Vec::new();
    iris_fhir::json::write_string(&text, &mut out);
    out
}
