//! Reading the tables. They are part of the program, and a test reads every line of them; should one be unreadable all the
//! same, there are no definitions at all and every resource is refused.

use std::collections::HashMap;

use iris_kernel::Kind;

use super::Definitions;
use super::elements::{CodeList, Element, ElementType, Member, Primitive, Shape, Structure, Targets};
use super::search::{ParamKind, SearchParam};

const KINDS: &str = include_str!("../../tables/kinds.txt");
const ELEMENTS: &str = include_str!("../../tables/elements.txt");
const RELAXED: &str = include_str!("../../tables/relaxed.txt");
const CODES: &str = include_str!("../../tables/codes.txt");
const SEARCH: &str = include_str!("../../tables/search.txt");
const COMPARTMENT: &str = include_str!("../../tables/compartment.txt");

const URL: &str = "http://hl7.org/fhir/SearchParameter/";

/// Names the line that cannot be read.
type Read<T> = Result<T, String>;

/// Reads everything.
pub(super) fn load() -> Definitions {
    read().unwrap_or_default()
}

pub(super) fn read() -> Read<Definitions> {
    let mut definitions = Definitions::default();
    read_kinds(&mut definitions)?;
    read_codes(&mut definitions)?;
    let own = read_structures(&mut definitions)?;
    inherit(&mut definitions, &own)?;
    for name in &definitions.kinds {
        let structure = definitions.structure_by_name.get(name).ok_or_else(|| format!("{name} has no elements"))?;
        definitions.structure_by_kind.push(*structure);
    }
    read_search(&mut definitions)?;
    read_compartment(&mut definitions)?;
    Ok(definitions)
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

fn unreadable<T>(line: &str) -> Read<T> {
    Err(format!("unreadable line of a table: {line}"))
}

fn read_kinds(definitions: &mut Definitions) -> Read<()> {
    for (line, number) in lines(KINDS).zip(1_u16..) {
        let Some((own, name)) = line.split_once(' ') else { return unreadable(line) };
        // A gap would shift the meaning of stored numbers.
        if own.parse() != Ok(number) {
            return unreadable(line);
        }
        definitions.kinds.push(name);
        definitions.kind_by_name.insert(name, Kind(number));
    }
    Ok(())
}

fn read_codes(definitions: &mut Definitions) -> Read<()> {
    for line in lines(CODES) {
        let Some(codes) = line.strip_prefix("  ") else {
            definitions.code_lists.push(CodeList { name: line, systems: Vec::new() });
            continue;
        };
        let Some(list) = definitions.code_lists.last_mut() else { return unreadable(line) };
        let mut words = codes.split(' ');
        let Some(system) = words.next() else { return unreadable(line) };
        list.systems.push((system, words.collect()));
    }
    Ok(())
}

/// Reads the structures with their own elements, which are given back.
fn read_structures(definitions: &mut Definitions) -> Read<Vec<Vec<Element>>> {
    for line in lines(ELEMENTS).filter(|line| !line.starts_with(' ')) {
        let Some((name, base)) = line.split_once(" : ") else { return unreadable(line) };
        let base = if base == "-" { "" } else { base };
        let index = u16::try_from(definitions.structures.len()).map_err(|_| "too many structures".to_owned())?;
        definitions.structure_by_name.insert(name, index);
        definitions.structures.push(Structure { index, name, base, elements: Vec::new(), members: Vec::new() });
    }
    let code_lists: HashMap<&str, u16> = definitions.code_lists.iter().map(|list| list.name).zip(0..).collect();
    let mut own: Vec<Vec<Element>> = Vec::with_capacity(definitions.structures.len());
    for line in lines(ELEMENTS) {
        match line.strip_prefix("  ") {
            None => own.push(Vec::new()),
            Some(element) => {
                let element = read_element(element, definitions, &code_lists)?;
                own.last_mut().map(|elements| elements.push(element)).ok_or_else(|| line.to_owned())?;
            }
        }
    }
    relax(definitions, &code_lists, &mut own)?;
    Ok(own)
}

/// Puts the widened elements in the place of the published ones.
fn relax(definitions: &Definitions, code_lists: &HashMap<&str, u16>, own: &mut [Vec<Element>]) -> Read<()> {
    for line in lines(RELAXED) {
        let Some((structure, element)) = line.split_once(' ') else { return unreadable(line) };
        let element = read_element(element, definitions, code_lists)?;
        let index = definitions.structure_by_name.get(structure).map(|index| usize::from(*index));
        let elements = index.and_then(|index| own.get_mut(index)).into_iter().flatten();
        let mut replaced = elements.filter(|published| published.name == element.name);
        let Some(place) = replaced.next() else { return unreadable(line) };
        *place = element;
    }
    Ok(())
}

fn read_element(line: &'static str, definitions: &Definitions, code_lists: &HashMap<&str, u16>) -> Read<Element> {
    let mut words = line.split(' ');
    let (Some(name), Some(cardinality)) = (words.next(), words.next()) else { return unreadable(line) };
    let Some((min, max)) = cardinality.split_once("..") else { return unreadable(line) };
    let (Ok(min), Ok(max)) = (min.parse(), if max == "*" { Ok(None) } else { max.parse().map(Some) }) else {
        return unreadable(line);
    };
    let (name, choice) = name.strip_suffix("[x]").map_or((name, false), |name| (name, true));
    let types = words.map(|word| read_type(word, definitions, code_lists)).collect::<Read<Vec<_>>>()?;
    Ok(Element { name, min, max, choice, types })
}

fn read_type(word: &'static str, definitions: &Definitions, code_lists: &HashMap<&str, u16>) -> Read<ElementType> {
    let list = |name| code_lists.get(name).copied().ok_or_else(|| format!("no code list {name}")).map(Some);
    let (word, codes, suggested) = match (word.split_once('='), word.split_once('~')) {
        (Some((word, name)), _) => (word, list(name)?, None),
        (None, Some((word, name))) => (word, None, list(name)?),
        (None, None) => (word, None, None),
    };
    let (name, targets) = match word.split_once('>') {
        Some((name, targets)) => (name, Targets::Only(read_targets(targets, definitions)?)),
        None => (word, Targets::Any),
    };
    let shape = if let Some(primitive) = Primitive::named(name) {
        Shape::Primitive(primitive)
    } else if name == "Resource" {
        Shape::Resource
    } else {
        Shape::Complex(*definitions.structure_by_name.get(name).ok_or_else(|| format!("no type {name}"))?)
    };
    Ok(ElementType { name, shape, targets, codes, suggested })
}

fn read_targets(names: &str, definitions: &Definitions) -> Read<Vec<Kind>> {
    names.split('|').map(|name| definitions.kind_of(name).ok_or_else(|| format!("no kind {name}"))).collect()
}

/// Puts inherited elements before the own ones, and makes the lists of member names.
fn inherit(definitions: &mut Definitions, own: &[Vec<Element>]) -> Read<()> {
    let mut all: Vec<Vec<Element>> = Vec::with_capacity(own.len());
    for structure in &definitions.structures {
        let mut chain = Vec::new();
        let mut name = structure.name;
        while !name.is_empty() {
            let index = usize::from(*definitions.structure_by_name.get(name).ok_or_else(|| format!("no type {name}"))?);
            chain.push(own.get(index).ok_or_else(|| format!("no elements of {name}"))?);
            name = definitions.structures.get(index).map_or("", |structure| structure.base);
        }
        all.push(chain.into_iter().rev().flatten().cloned().collect());
    }
    for (structure, elements) in definitions.structures.iter_mut().zip(all) {
        structure.members = members(&elements);
        structure.elements = elements;
    }
    Ok(())
}

fn members(elements: &[Element]) -> Vec<Member> {
    let mut members = Vec::new();
    for (element, at) in elements.iter().zip(0..) {
        for (of_type, type_at) in element.types.iter().zip(0..) {
            let name = if element.choice {
                format!("{}{}", element.name, capitalised(of_type.name))
            } else {
                element.name.to_owned()
            };
            members.push(Member { name: name.into_boxed_str(), element: at, of_type: type_at });
        }
    }
    members.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    members
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn read_search(definitions: &mut Definitions) -> Read<()> {
    let mut own: HashMap<&str, Vec<SearchParam>> = HashMap::new();
    let mut of_type = "";
    for line in lines(SEARCH) {
        if line.contains('\t') {
            own.entry(of_type).or_default().push(read_param(line, definitions)?);
        } else {
            of_type = line;
        }
    }
    let mut params = Vec::with_capacity(definitions.kinds.len());
    for (name, structure) in definitions.kinds.iter().zip(&definitions.structure_by_kind) {
        let base = definitions.structure_at(*structure).map_or("", |structure| structure.base);
        let domain = (base == "DomainResource").then_some("DomainResource");
        let levels = [Some("Resource"), domain, Some(*name)];
        let mut all: Vec<SearchParam> =
            levels.iter().flatten().filter_map(|level| own.get(level)).flatten().cloned().collect();
        all.sort_by_key(|param| param.code);
        params.push(all);
    }
    definitions.params = params;
    Ok(())
}

fn read_param(line: &'static str, definitions: &Definitions) -> Read<SearchParam> {
    let mut columns = line.split('\t');
    let mut column = || columns.next().ok_or_else(|| format!("unreadable line of a table: {line}"));
    let (index, code, kind, targets, url, expression) =
        (column()?, column()?, column()?, column()?, column()?, column()?);
    let (Ok(index), Some(kind)) = (index.parse(), ParamKind::read(kind)) else { return unreadable(line) };
    // Read once and kept for the life of the program, like the tables themselves.
    let targets: &'static [Kind] = if targets == "-" { &[] } else { read_targets(targets, definitions)?.leak() };
    Ok(SearchParam { index, code, kind, expression, targets, url: format!("{URL}{url}").leak() })
}

/// Types that R4's compartment leaves out although their resources can be about one patient: whoever may not see a patient's record
/// must not see their devices, contracts and advice either. What else can be about a patient without a parameter that says so is
/// read from the resource itself (`search::extract`).
const BEYOND: [(&str, &[&str]); 3] =
    [("Contract", &["patient", "signer"]), ("Device", &["patient"]), ("GuidanceResponse", &["patient"])];

fn read_compartment(definitions: &mut Definitions) -> Read<()> {
    definitions.patient = vec![Vec::new(); definitions.kinds.len()];
    for line in lines(COMPARTMENT) {
        let mut words = line.split(' ');
        let kind = words.next().and_then(|name| definitions.kind_of(name)).map(|kind| usize::from(kind.0) - 1);
        let Some(params) = kind.and_then(|at| definitions.patient.get_mut(at)) else { return unreadable(line) };
        params.extend(words);
    }
    for (name, beyond) in BEYOND {
        let Some(kind) = definitions.kind_of(name) else { return unreadable(name) };
        if let Some(params) = definitions.patient.get_mut(usize::from(kind.0) - 1) {
            params.extend(beyond);
        }
    }
    Ok(())
}
