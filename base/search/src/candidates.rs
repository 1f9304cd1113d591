//! Which parameters a resource can have values of, by the members that it has: the others need not be looked at.

use std::cmp::Ordering;
use std::collections::HashMap;

use iris_fhir::json::Value;
use iris_fhirpath::TypeRef;
use iris_kernel::Kind;

use super::plan::{Planned, Values};

/// Some parameters of a kind, a bit for each by its place.
type Params = u128;

/// Most parameters that one kind can have; R4 has far fewer, a test holds this.
pub(super) const PARAMS_MAX: u32 = Params::BITS;

/// By the names of members, which parameters can have values.
pub(super) struct Candidates {
    /// Those of which it is not known where their values come from.
    always: Params,
    /// Shorter names first, so that most are told apart by their length.
    by_member: Box<[(&'static str, Params)]>,
}

impl Candidates {
    pub(super) fn new(kind: Kind, params: &[Planned]) -> Self {
        let mut by_member: HashMap<&'static str, Params> = HashMap::new();
        let mut always = 0;
        for (planned, place) in params.iter().zip(0..PARAMS_MAX) {
            let sources = TypeRef::of_kind(kind).and_then(|of| match &planned.values {
                Values::Items(expression) => expression.program.sources(of),
                Values::Composite(composite) => composite.sources(planned.param.index, of),
                Values::Server => None,
            });
            match sources.filter(|sources| !sources.itself) {
                Some(sources) => {
                    sources.members.iter().for_each(|name| *by_member.entry(name).or_default() |= 1 << place);
                }
                None => always |= 1 << place,
            }
        }
        let mut by_member: Box<[_]> = by_member.into_iter().collect();
        by_member.sort_by(|(one, _), (other, _)| order(one.as_bytes(), other.as_bytes()));
        Self { always, by_member }
    }

    /// The parameters that this resource can have values of.
    pub(super) fn of(&self, root: Value<'_>) -> Params {
        let find = |name: &[u8]| self.by_member.binary_search_by(|(own, _)| order(own.as_bytes(), name)).ok();
        let led = root.members_in_bytes().filter_map(|(name, _)| self.by_member.get(find(&name)?));
        led.fold(self.always, |all, (_, params)| all | params)
    }
}

fn order(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use iris_fhir::Json;
    use iris_fhir::definitions::{definitions, kind_of};
    use iris_fhirpath::{Context, Item, Items, Node, Program};
    use iris_kernel::Timestamp;

    use super::PARAMS_MAX;
    use crate::plan::{Planned, Values, plan};
    use crate::sink::surroundings;

    fn candidates(text: &str) -> Vec<&'static str> {
        let json = Json::parse(text.to_owned()).unwrap();
        let plan = plan(kind_of(&json.root().str_of("resourceType").unwrap()).unwrap()).unwrap();
        plan.candidates(json.root()).map(|planned| planned.param.code).collect()
    }

    #[test]
    fn parameters_whose_elements_are_absent_are_not_looked_at() {
        let bare = candidates(r#"{"resourceType":"Observation"}"#);
        assert_eq!(bare, ["_id", "_lastUpdated"]);
        let valued = candidates(r#"{"resourceType":"Observation","valueQuantity":{},"_status":{}}"#);
        let expected =
            ["_id", "_lastUpdated", "code-value-quantity", "combo-value-quantity", "status", "value-quantity"];
        assert_eq!(valued, expected);
        // Whether somebody has died is a truth value even where nothing is said.
        assert!(candidates(r#"{"resourceType":"Patient"}"#).contains(&"deceased"));
    }

    #[test]
    fn every_parameter_of_every_kind_has_a_place() {
        for kind in definitions().kinds() {
            let count = plan(kind).map_or(0, |plan| plan.params.len());
            assert!(count <= PARAMS_MAX as usize, "{}", definitions().name_of(kind));
            assert!(plan(kind).is_none_or(|plan| plan.params.is_sorted_by_key(|planned| planned.param.index)));
        }
    }

    /// Whether a parameter has a value in a resource, by evaluating it.
    fn has_value(planned: &Planned, resource: Node<'_>) -> bool {
        let context = surroundings(resource, Timestamp(0));
        fn items<'a>(program: &Program, of: Item<'a>, context: &Context<'a, '_>) -> Items<'a> {
            program.evaluate(of, context).unwrap()
        }
        match &planned.values {
            Values::Items(expression) => !items(&expression.program, Item::Node(resource), &context).is_empty(),
            Values::Composite(composite) if !composite.stands_under.contains(&planned.param.index) => false,
            Values::Composite(composite) => {
                let elements = items(&composite.program, Item::Node(resource), &context);
                elements.iter().filter_map(Item::node).any(|element| {
                    let mut components = composite.components(element.of()).iter();
                    components.all(|one| !items(&one.expression.program, Item::Node(element), &context).is_empty())
                })
            }
            Values::Server => true,
        }
    }

    #[test]
    fn what_is_no_candidate_has_no_value_in_any_example() {
        let Some(examples) = iris_testkit::examples() else { return };
        let mut left_out = 0_u32;
        for (name, text) in examples {
            let json = Json::parse(text).unwrap();
            let resource = Node::resource(json.root()).unwrap();
            let plan = plan(kind_of(resource.of().name()).unwrap()).unwrap();
            let candidates: Vec<_> = plan.candidates(json.root()).map(|planned| planned.param.index).collect();
            for planned in plan.params.iter().filter(|planned| !candidates.contains(&planned.param.index)) {
                assert!(!has_value(planned, resource), "{name}: {}", planned.param.url);
                left_out += 1;
            }
        }
        assert!(left_out > 4_000, "{left_out}");
    }
}
