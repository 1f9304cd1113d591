//! Conditions in brackets: several comparisons of one record or element.

use super::super::{Asked, Leaf, Reader, Trouble};
use super::grammar::{Comparison, Tree};
use super::{Operator, with_systems};
use crate::criteria::{Ask, Refusal, criteria};
use crate::plan::planned;
use crate::value::split;
use iris_fhir::definitions::{ParamKind, definitions};
use iris_kernel::Kind;

/// A comparison that is still to be followed, with the conditions on its way.
#[derive(Clone, Copy, Debug)]
pub(in crate::parse) struct Tied<'a> {
    /// As in [`Comparison::tied`], those that are left.
    pub(super) tied: &'a [(String, Tree)],
    /// As in [`Comparison::last`].
    pub(super) last: &'a str,
    pub(super) operator: Operator,
    pub(super) value: &'a str,
}

/// An element whose parts are tied under a name that is no reference (R4 search_filter.html#params).
struct Element {
    /// The type.
    of: &'static str,
    /// The name before the brackets.
    name: &'static str,
    /// The parameter that compares both parts at once.
    composite: &'static str,
    /// The names of the parts, in the order of that parameter.
    parts: [&'static str; 2],
}

const ELEMENTS: [Element; 2] = [
    Element { of: "Group", name: "characteristic", composite: "characteristic-value", parts: ["code", "value"] },
    Element { of: "DocumentReference", name: "relatesTo", composite: "relationship", parts: ["code", "target"] },
];

impl Comparison {
    /// The path without its conditions.
    pub(super) fn shown(&self) -> String {
        let names = self.tied.iter().map(|(name, _)| &**name);
        names.chain([&*self.last]).collect::<Vec<_>>().join(".")
    }
}

impl Reader<'_> {
    /// What a path asks of records of a kind.
    pub(super) fn path(&mut self, kind: Kind, test: Tied<'_>, depth: usize) -> Result<Asked, Trouble> {
        let Some(((name, condition), _)) = test.tied.split_first() else {
            return self.asked(kind, test.last, Leaf::Test(test.operator, test.value), depth);
        };
        let of = definitions().name_of(kind);
        if let Some(element) = ELEMENTS.iter().find(|element| element.of == of && element.name == name) {
            return self.element(kind, element, condition, test).map_err(Trouble::Wrong);
        }
        // A path that ends in a point ends at a record.
        self.asked(kind, &format!("{name}."), Leaf::Tied(test), depth)
    }

    /// What is asked of the record at which a condition stands: that it fulfils it, and what follows.
    pub(in crate::parse) fn tied(&mut self, kind: Kind, test: Tied<'_>, depth: usize) -> Result<Asked, Trouble> {
        let Some(((_, condition), tied)) = test.tied.split_first() else { return Ok(Asked::default()) };
        let condition = self.tree(kind, condition, depth)?;
        let mut asked = self.path(kind, Tied { tied, ..test }, depth)?;
        asked.all.push(vec![condition]);
        Ok(asked)
    }

    /// `characteristic[code eq x].value eq y`: both of one element, as the composite parameter compares them.
    fn element(&mut self, kind: Kind, element: &Element, condition: &Tree, test: Tied<'_>) -> Result<Asked, Refusal> {
        let [first, second] = element.parts;
        let form = || -> Refusal {
            let name = element.name;
            format!("supports the form {name}[{first} eq code].{second} eq value").into()
        };
        let Tree::One(code) = condition else { return Err(form()) };
        let is_equal = |operator| matches!(operator, Operator::Eq | Operator::Re);
        let fits = code.tied.is_empty()
            && test.tied.len() == 1
            && (&*code.last, test.last) == (first, second)
            && code.operator == Operator::Eq
            && is_equal(test.operator);
        let planned = planned(kind, element.composite).filter(|_| fits).ok_or_else(form)?;
        let mut group = Vec::new();
        let dollars = |value: &str| split(&with_systems(ParamKind::Token, value), b'$').join("\\$");
        let value = format!("{}${}", dollars(&code.value), dollars(test.value));
        criteria(&Ask { planned, modifier: None, context: self.context }, &value, &mut group)?;
        self.spend(group.len())?;
        self.criteria += group.len();
        Ok(Asked::group(group))
    }
}
