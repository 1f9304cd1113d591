//! What the official suite leaves out.

use iris_fhir::Json;
use iris_fhir::definitions::kind_of;

use super::{PATIENT, now, on_patient};
use crate::context::{Code, Context, Host, Resolved};
use crate::{Focus, InBundle, Item, Mode, Node, Program, Settings, TypeRef, compile, parse};

fn gives(expression: &str, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
    assert_eq!(on_patient(expression), Ok(expected), "{expression}");
}

fn fails(expression: &str, with: &str) {
    let error = on_patient(expression).expect_err(expression);
    assert!(error.contains(with), "{expression}: {error}");
}

#[test]
fn contained_resources_resolve_and_others_are_the_hosts() {
    gives("managingOrganization.resolve().name", &["ACME"]);
    gives("managingOrganization.resolve() is Organization", &["true"]);
    gives("generalPractitioner.resolve()", &[]);
    gives("contained.resolve()", &[]);
}

#[test]
fn the_host_is_asked_for_what_lies_outside() {
    struct Outside;
    impl<'a> Host<'a> for Outside {
        fn resolve(&self, reference: &str) -> Resolved<'a> {
            let _ = reference;
            kind_of("Practitioner").map_or(Resolved::Nowhere, Resolved::Type)
        }
        fn member_of(&self, code: Code<'_>, value_set: &str) -> Option<bool> {
            (value_set == "http://v").then_some(code.code == "M" && code.system == Some("http://s"))
        }
    }
    let json = Json::parse(PATIENT).unwrap();
    let resource = Node::resource(json.root()).unwrap();
    let context = Context::of(resource, now()).with_host(&Outside);
    let run = |text: &str| {
        let program = compile(&parse(text).unwrap(), &Settings::strict(Focus::Type(resource.of()))).unwrap();
        program.test(Item::Node(resource), &context)
    };
    assert_eq!(run("generalPractitioner.where(resolve() is Practitioner).exists()"), Ok(Some(true)));
    assert_eq!(run("generalPractitioner.where(resolve() is Patient).exists()"), Ok(Some(false)));
    assert_eq!(run("maritalStatus.memberOf('http://v')"), Ok(Some(true)));
    assert!(run("maritalStatus.memberOf('http://other')").is_err());
}

#[test]
fn what_is_not_supplied_is_an_error_and_no_guess() {
    fails("maritalStatus.memberOf('http://v')", "not available");
    fails("conformsTo('http://example.org/profile')", "not available");
    gives("conformsTo('http://hl7.org/fhir/StructureDefinition/Patient')", &["true"]);
    gives("text.div.htmlChecks()", &[]);
}

#[test]
fn extensions_of_primitives_are_found() {
    gives("birthDate.extension('http://x/time').value", &["1974-12-25T14:35:45-05:00"]);
    gives("birthDate.extension.value.type().name", &["dateTime"]);
    gives("birthDate.hasValue()", &["true"]);
    gives("birthDate.children().count()", &["1"]);
}

#[test]
fn quantities_of_the_calendar_and_of_ucum() {
    gives("1 year = 12 months", &["true"]);
    gives("1 year = 365 days", &[]);
    gives("1 year ~ 1 'a'", &["true"]);
    gives("1 'km' + 1 'm'", &["1001 'm'"]);
    gives("1 'g' > 1 'm'", &[]);
    gives("3 'm' / 2 's'", &["1.5 'm/s'"]);
    gives("37 'Cel' = 98.6 '[degF]'", &["true"]);
    gives("2 'mg' * 3", &["6 'mg'"]);
}

#[test]
fn quantities_convert_to_a_unit_that_is_asked_for() {
    gives("(1 'g').toQuantity('mg')", &["1000 'mg'"]);
    gives("'1.5 \\'km\\''.toQuantity('m')", &["1500 'm'"]);
    gives("(1 'g').toQuantity('m')", &[]);
    gives("(1 'g').toQuantity('no unit')", &[]);
    gives("(1 'g').convertsToQuantity('kg') and (1 'g').convertsToQuantity('m').not()", &["true"]);
    gives("(2 years).toQuantity('months')", &["24 months"]);
    gives("(18 months).toQuantity('year')", &["1.5 years"]);
    gives("(1 day).toQuantity('h')", &["24 'h'"]);
    gives("(37 'Cel').toQuantity('[degF]') = 98.6 '[degF]'", &["true"]);
    gives("4.toQuantity('1')", &["4 '1'"]);
    gives("4.toQuantity('mg')", &[]);
    gives("'a'.toQuantity('mg')", &[]);
    gives("(1 'g').toQuantity({})", &[]);
}

#[test]
fn dates_move_by_the_calendar() {
    gives("@2024-01-31 + 1 month", &["2024-02-29"]);
    gives("@2024-02-29 + 1 year", &["2025-02-28"]);
    gives("@2024 + 25 months", &["2026"]);
    gives("@T23:30 + 45 minutes", &["00:15"]);
    gives("@2024-01-01T00:00:00Z + 0.5 seconds", &["2024-01-01T00:00:00.500Z"]);
    gives("@9999-12-31 + 1 day", &[]);
    gives("birthDate + 1 day", &["1974-12-26"]);
    fails("@T10:00 + 1 year", "years and months");
}

#[test]
fn moments_with_and_without_offset() {
    gives("@2024-01-01T00:00:00Z = @2024-01-01T01:00:00+01:00", &["true"]);
    gives("@2024-01-05T00:00:00Z > @2024-01-01T00:00:00", &["true"]);
    gives("@2024-01-01T05:00:00Z > @2024-01-01T00:00:00", &[]);
    gives("now()", &["2026-11-22T10:00:00.000Z"]);
    gives("today()", &["2026-11-22"]);
    gives("timeOfDay()", &["10:00:00.000"]);
}

#[test]
fn numbers_keep_to_their_limits() {
    gives("2147483647 + 1", &[]);
    gives("1 / 3 * 3 ~ 1", &["true"]);
    gives("0.1 + 0.2 = 0.3", &["true"]);
    gives("7 div 2 | 7 mod 2", &["3", "1"]);
    gives("2.power(31)", &[]);
    gives("(-8).power(2)", &["64"]);
    fails("2147483648", "cannot be used");
}

#[test]
fn what_the_definitions_do_not_have_is_refused() {
    fails("nam", "no element");
    fails("name.first().givven", "no element");
    fails("Observation.code", "no Observation");
    fails("name.frobnicate()", "no function");
    fails("%nothing", "no variable");
    fails("name as Nothing", "no type");
    fails("name.first() + 1", "not an element with parts");
    fails("name.first() < name.last()", "not an element with parts");
    fails("active.upper()", "no meaning");
    fails("name.where()", "arguments");
    fails("'a'.matches('(')", "cannot be used");
    fails("name.given.substring(0)", "several");
}

#[test]
fn lenient_and_filtering_settings() {
    let json = Json::parse(PATIENT).unwrap();
    let resource = Node::resource(json.root()).unwrap();
    let strict = Settings::strict(Focus::Type(resource.of()));
    let run = |text: &str, settings: &Settings<'_>| {
        let program = compile(&parse(text).unwrap(), settings).unwrap();
        program.evaluate(Item::Node(resource), &Context::of(resource, now())).map(|items| items.len())
    };
    let lenient = Settings { mode: Mode::Lenient, ..strict };
    assert_eq!(run("name.given1 | Encounter.status", &lenient), Ok(0));
    let filtering = Settings::of_definitions(Focus::Type(resource.of()));
    assert_eq!(run("name as HumanName", &filtering), Ok(2));
    assert!(run("name as HumanName", &strict).is_err());
}

#[test]
fn variables_of_the_caller() {
    let json = Json::parse(PATIENT).unwrap();
    let resource = Node::resource(json.root()).unwrap();
    let settings = Settings { variables: &["limit"], ..Settings::strict(Focus::Type(resource.of())) };
    let program = compile(&parse("name.count() <= %limit and %resource.id = %context.id").unwrap(), &settings).unwrap();
    let values = [smallvec::smallvec![Item::Integer(2)]];
    let context = Context { variables: &values, ..Context::of(resource, now()) };
    assert_eq!(program.test(Item::Node(resource), &context), Ok(Some(true)));
}

#[test]
fn text_functions_beyond_the_suite() {
    gives("'a-b-c'.lastIndexOf('-')", &["3"]);
    gives("'2024-01'.replaceMatches('(\\\\d+)-(\\\\d+)', '$2x$1')", &["01x2024"]);
    gives("'äöü'.substring(1, 1)", &["ö"]);
    gives("'äöü'.indexOf('ü')", &["2"]);
    gives("'abc'.toChars().join('.')", &["a.b.c"]);
    gives("name.given.where($index = 1)", &["James"]);
}

#[test]
fn what_does_not_depend_on_the_item_is_evaluated_once() {
    let program = |text: &str| {
        let of = TypeRef::named("Patient").unwrap();
        compile(&parse(text).unwrap(), &Settings::strict(Focus::Type(of))).unwrap()
    };
    assert_eq!(program("name.where(family in %resource.descendants().family)").kept.len(), 1);
    assert_eq!(program("name.where(family in descendants().family)").kept.len(), 0);
    // All of it depends on nothing, and still asks the same for each item.
    assert_eq!(program("%resource.name.where(%resource.descendants().count() > 3).count()").kept.len(), 1);
    assert_eq!(program("%resource.descendants().count() > 3").kept.len(), 0);
    gives("name.where(family in (%resource.descendants().family | %resource.descendants().use)).count()", &["1"]);
    gives("name.given.select(%resource.descendants().where($this is HumanName).count())", &["2", "2", "2"]);
}

#[test]
fn references_lead_to_other_entries_of_a_bundle() {
    let json = Json::parse(
        r#"{"resourceType":"Bundle","type":"collection","entry":[
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"a","managingOrganization":{"reference":"Organization/o"},
          "generalPractitioner":[{"reference":"urn:uuid:2"},{"reference":"Organization/twice"},{"reference":"Patient/nobody"}]}},
        {"fullUrl":"http://x/Organization/o","resource":{"resourceType":"Organization","id":"o","name":"O"}},
        {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Practitioner","id":"p"}},
        {"fullUrl":"http://x/Organization/twice","resource":{"resourceType":"Organization","id":"twice"}},
        {"fullUrl":"http://y/Organization/twice","resource":{"resourceType":"Organization","id":"twice"}}]}"#,
    )
    .unwrap();
    let bundle = Node::resource(json.root()).unwrap();
    let host = InBundle::new(json.root());
    let context = Context::of(bundle, now()).with_host(&host);
    let count = |text: &str| {
        let program = compile(&parse(text).unwrap(), &Settings::strict(Focus::Type(bundle.of()))).unwrap();
        program.evaluate(Item::Node(bundle), &context).unwrap().len()
    };
    assert_eq!(count("entry.resource.ofType(Patient).managingOrganization.resolve().ofType(Organization).name"), 1);
    assert_eq!(count("entry.resource.ofType(Patient).generalPractitioner.resolve()"), 1);
}

#[test]
fn relative_references_stay_on_the_server_of_their_entry_and_versions_are_kept() {
    let json = Json::parse(
        r#"{"resourceType":"Bundle","type":"history","entry":[
        {"fullUrl":"http://x/Patient/a","resource":{"resourceType":"Patient","id":"a",
          "managingOrganization":{"reference":"Organization/o"},
          "generalPractitioner":[{"reference":"Practitioner/p"},{"reference":"http://y/Practitioner/p"},
            {"reference":"Organization/v"},{"reference":"Organization/v/_history/2"},{"reference":"Organization/v/_history/3"},
            {"identifier":{"value":"1"}}]}},
        {"fullUrl":"http://x/Organization/o","resource":{"resourceType":"Organization","id":"o","name":"X"}},
        {"fullUrl":"http://y/Organization/o","resource":{"resourceType":"Organization","id":"o","name":"Y"}},
        {"fullUrl":"http://y/Practitioner/p","resource":{"resourceType":"Practitioner","id":"p"}},
        {"fullUrl":"http://x/Organization/v","resource":{"resourceType":"Organization","id":"v","meta":{"versionId":"1"}}},
        {"fullUrl":"http://x/Organization/v","resource":{"resourceType":"Organization","id":"v","meta":{"versionId":"2"}}},
        {"fullUrl":"http://x/Organization/none"}]}"#,
    )
    .unwrap();
    let bundle = Node::resource(json.root()).unwrap();
    let host = InBundle::new(json.root());
    let context = Context::of(bundle, now()).with_host(&host);
    let gives = |text: &str| {
        let program = compile(&parse(text).unwrap(), &Settings::strict(Focus::Any)).unwrap();
        let items = program.evaluate(Item::Node(bundle), &context).unwrap();
        super::shown(&items).join(" ")
    };
    assert_eq!(gives("entry.resource.managingOrganization.resolve().name"), "X");
    // Another server's practitioner has the same id; without a version it is not known which is meant.
    let led = |at: usize| {
        gives(&format!("entry.resource.generalPractitioner[{at}].resolve().select(id & '/' & meta.versionId)"))
    };
    assert_eq!([0, 1, 2, 3, 4, 5].map(led), ["", "p/", "", "v/2", "", ""]);
    assert_eq!(gives("'Practitioner/p'.resolve().id"), "p");
    assert_eq!(gives("'Organization/o'.resolve().id"), "");
}

#[test]
fn programs_are_shared_among_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Program>();
}

#[test]
fn what_an_expression_leads_to_is_known_before() {
    let leads_to = |text: &str| {
        let settings = Settings::of_definitions(Focus::Type(TypeRef::named("Observation").unwrap()));
        let program = compile(&parse(text).unwrap(), &settings).unwrap();
        program.leads_to().map(|types| types.join(" "))
    };
    for (text, types) in [
        ("Observation.code", "CodeableConcept"),
        ("Observation.value as Quantity", "Quantity"),
        ("Observation.effective", "Period Timing dateTime instant"),
        ("Observation.subject.where(resolve() is Patient)", "Reference"),
        ("code | component.code | status", "CodeableConcept code"),
        ("contained", "Resource"),
        ("value.exists()", "Boolean"),
        ("component", "Observation.component"),
        ("{}", ""),
    ] {
        let mut known: Vec<String> = leads_to(text).unwrap().split(' ').map(str::to_owned).collect();
        known.sort_unstable();
        assert_eq!(known.join(" "), types, "{text}");
    }
    assert_eq!(leads_to("children()"), None);
}

#[test]
fn items_are_visited_one_by_one_and_know_their_codes() {
    let json = Json::parse(PATIENT).unwrap();
    let resource = Node::resource(json.root()).unwrap();
    let settings = Settings::strict(Focus::Type(resource.of()));
    let program = compile(&parse("name.use | name.family").unwrap(), &settings).unwrap();
    let mut seen = Vec::new();
    let visit = &mut |item: Item<'_>| {
        let node = item.node().unwrap();
        seen.push((node.of().name(), node.codes().map(|codes| codes.name)));
    };
    program.each(Item::Node(resource), &Context::of(resource, now()), visit).unwrap();
    assert_eq!(seen, [("code", Some("name-use")), ("code", Some("name-use")), ("string", None)]);
}

#[test]
fn no_more_is_looked_at_than_is_needed() {
    gives("(true | 'a').select(iif($this is Boolean, $this, (1 | 2) + 1)).exists()", &["true"]);
    fails("('a' | true).select(iif($this is Boolean, $this, (1 | 2) + 1)).exists()", "several");
    gives("(1 | 2 | 3).first() | (1 | 2 | 3).take(2) | (1 | 2 | 3).skip(2)", &["1", "2", "3"]);
    gives("name.select(given.first())", &["Peter", "Jim"]);
    gives("name.select(given[0] | given.tail())", &["Peter", "James", "Jim"]);
    gives("name.where(given.first() = 'Jim').use", &["usual"]);
    gives("name.take(0) | name.skip(5).given", &[]);
    gives("name.given.exists($index = 2) and name.given.all($index < 3)", &["true"]);
    gives("(name | contained).exists() and (photo | contact).empty()", &["true"]);
    gives("active.combine(active).hasValue()", &["false"]);
    gives("'b' in ('a' | 'b' | 'a')", &["true"]);
}
