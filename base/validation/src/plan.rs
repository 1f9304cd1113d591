//! The invariants of R4, compiled once: which hold for an element of which structure.

use std::collections::HashMap;
use std::sync::LazyLock;

use iris_fhir::definitions::{Element, Shape, Structure, definitions};
use iris_fhir::validate::Severity;
use iris_fhirpath::{Focus, Mode, Program, Settings, TypeRef, compile, parse};
use smallvec::SmallVec;

const INVARIANTS: &str = include_str!("../../fhir/tables/invariants.txt");
const MENDED: &str = include_str!("../../fhir/tables/mended.txt");

/// Invariants that every other element or resource would be asked for: held by code of our own, which a test compares with the
/// expressions.
pub(crate) const NATIVE: [&str; 11] =
    ["bdl-7", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "ele-1", "ext-1", "ref-1", "txt-1", "txt-2"];

/// One invariant.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) key: &'static str,
    pub(crate) severity: Severity,
    pub(crate) program: Program,
    /// What it says.
    pub(crate) human: &'static str,
}

/// Numbers of rules.
type Numbers = SmallVec<[u16; 4]>;

/// Which rule holds where.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    rules: Vec<Rule>,
    /// By structure, those of what it specialises included.
    of_structure: Vec<Numbers>,
    /// By structure, then by position of the element; no list where no element has any.
    of_element: Vec<Vec<Numbers>>,
}

static PLAN: LazyLock<Result<Plan, String>> = LazyLock::new(Plan::read);

/// The one plan.
///
/// # Errors
/// The line of the tables that cannot be compiled. A test compiles all of them.
pub(crate) fn plan() -> Result<&'static Plan, &'static str> {
    PLAN.as_ref().map_err(String::as_str)
}

/// A line of a table.
#[derive(Clone, Copy)]
struct Line {
    path: &'static str,
    key: &'static str,
    severity: Severity,
    expression: &'static str,
    human: &'static str,
}

fn lines(table: &'static str) -> impl Iterator<Item = Result<Line, String>> {
    table.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let unreadable = || format!("unreadable line of a table: {line}");
        let mut parts = line.split('\t');
        let mut part = || parts.next().ok_or_else(unreadable);
        let (path, key, severity, expression, human) = (part()?, part()?, part()?, part()?, part()?);
        let severity = match severity {
            "error" => Severity::Error,
            "warning" => Severity::Warning,
            _ => return Err(unreadable()),
        };
        Ok(Line { path, key, severity, expression, human })
    })
}

impl Plan {
    fn read() -> Result<Self, String> {
        let structures = definitions().structures();
        let mut plan =
            Self { rules: Vec::new(), of_structure: vec![Numbers::new(); structures.len()], of_element: Vec::new() };
        plan.of_element.resize(structures.len(), Vec::new());
        let mended = lines(MENDED).collect::<Result<Vec<_>, _>>()?;
        let mut own: HashMap<&str, Vec<u16>> = HashMap::new();
        for line in lines(INVARIANTS) {
            let line = line?;
            if NATIVE.contains(&line.key) {
                continue;
            }
            let instead = mended.iter().filter(|own| (own.path, own.key) == (line.path, line.key));
            let instead: Vec<Line> = instead.copied().collect();
            for line in if instead.is_empty() { vec![line] } else { instead } {
                plan.line(line, &mut own)?;
            }
        }
        // Each structure is asked for what it specialises as well.
        for (structure, numbers) in structures.iter().zip(&mut plan.of_structure) {
            let mut at = Some(structure);
            while let Some(base) = at {
                numbers.extend(own.get(base.name).into_iter().flatten().copied());
                at = definitions().structure(base.base);
            }
        }
        Ok(plan)
    }

    fn line(&mut self, line: Line, own: &mut HashMap<&'static str, Vec<u16>>) -> Result<(), String> {
        if let Some(of) = TypeRef::named(line.path) {
            let number = self.compile(line, &Settings::of_definitions(Focus::Type(of)))?;
            own.entry(line.path).or_default().push(number);
            return Ok(());
        }
        let no_element = || format!("{} of {}: there is no such element", line.key, line.path);
        let (parent, name) = line.path.rsplit_once('.').ok_or_else(no_element)?;
        let structure = definitions().structure(parent).ok_or_else(no_element)?;
        let position = structure.elements.iter().position(|element| element.name == name).ok_or_else(no_element)?;
        let element = structure.elements.get(position).ok_or_else(no_element)?;
        // An invariant of a choice names elements that not all of its types have.
        let settings = match focus(element) {
            Some(of) => Settings::of_definitions(Focus::Type(of)),
            None => Settings { mode: Mode::Lenient, ..Settings::of_definitions(Focus::Any) },
        };
        let number = self.compile(line, &settings)?;
        let elements = self.of_element.get_mut(usize::from(structure.index)).ok_or_else(no_element)?;
        elements.resize(structure.elements.len(), Numbers::new());
        elements.get_mut(position).ok_or_else(no_element)?.push(number);
        Ok(())
    }

    fn compile(&mut self, line: Line, settings: &Settings<'_>) -> Result<u16, String> {
        let named = |error: &dyn std::fmt::Display| format!("{} of {}: {error}", line.key, line.path);
        let expr = parse(line.expression).map_err(|error| named(&error))?;
        let program = compile(&expr, settings).map_err(|error| named(&error))?;
        let number = u16::try_from(self.rules.len()).map_err(|error| named(&error))?;
        self.rules.push(Rule { key: line.key, severity: line.severity, program, human: line.human });
        Ok(number)
    }

    /// How many rules there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.rules.len()
    }

    /// What holds for everything of a structure.
    pub(crate) fn of_structure(&self, structure: &Structure) -> impl Iterator<Item = &Rule> {
        let numbers = self.of_structure.get(usize::from(structure.index)).map_or(&[][..], |numbers| numbers);
        numbers.iter().filter_map(|number| self.rules.get(usize::from(*number)))
    }

    /// What holds for one element of a structure.
    pub(crate) fn of_element(&self, structure: &Structure, position: usize) -> impl Iterator<Item = &Rule> {
        let elements = self.of_element.get(usize::from(structure.index)).map_or(&[][..], Vec::as_slice);
        let numbers = elements.get(position).map_or(&[][..], |numbers| numbers);
        numbers.iter().filter_map(|number| self.rules.get(usize::from(*number)))
    }
}

/// The one type of an element; `None` for a choice.
fn focus(element: &Element) -> Option<TypeRef> {
    let [of_type] = element.types.as_slice() else { return None };
    match of_type.shape {
        Shape::Primitive(primitive) => Some(TypeRef::Primitive(primitive)),
        Shape::Complex(index) => Some(TypeRef::Structure(index)),
        Shape::Resource => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invariant_has_a_program() {
        let plan = Plan::read().unwrap();
        let lines = INVARIANTS.lines().filter(|line| !line.starts_with('#')).count();
        let native: std::collections::BTreeSet<&str> =
            lines_of(INVARIANTS).filter(|line| NATIVE.contains(&line.key)).map(|line| line.key).collect();
        assert_eq!(native.len(), NATIVE.len());
        // `que-1` is two rules here.
        assert_eq!(plan.len(), lines - NATIVE.len() + 1);
        println!("invariants: {} programs, {} held by code", plan.len(), NATIVE.len());
    }

    #[test]
    fn what_is_mended_is_there() {
        for mended in lines_of(MENDED) {
            assert!(
                lines_of(INVARIANTS).any(|line| (line.path, line.key) == (mended.path, mended.key)),
                "{}",
                mended.key
            );
        }
    }

    #[test]
    fn no_invariant_asks_the_time() {
        for line in lines_of(INVARIANTS).chain(lines_of(MENDED)) {
            for function in ["now()", "today()", "timeOfDay()"] {
                assert!(!line.expression.contains(function), "{}", line.key);
            }
        }
    }

    fn lines_of(table: &'static str) -> impl Iterator<Item = Line> {
        lines(table).map(|line| line.unwrap())
    }
}
