//! What consents say, case by case: the consent, who asks for what, and the answer.

use iris_fhir::json::Json;
use iris_kernel::Timestamp;
use iris_search::{Label, Labels};

use super::{Actor, Consent, Question, Verdict, Verdicts, compile, stated, verdicts};
use crate::action::ActionKind;
use crate::names::kind_of;

use Verdict::{Deny, Permit, Silent};

const PRIVACY: &str =
    r#"{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]}"#;

/// A consent with this base (`OPTIN`, `OPTOUT` or nothing) and these members of its root provision.
fn consent(base: &str, provision: &str) -> Option<Consent> {
    with(&format!(
        r#""status":"active","scope":{PRIVACY},"policyRule":{{"coding":[{{"code":"{base}"}}]}},"provision":{{{provision}}}"#
    ))
}

fn with(members: &str) -> Option<Consent> {
    let text = format!(r#"{{"resourceType":"Consent","id":"c","patient":{{"reference":"Patient/p"}},{members}}}"#);
    compile(Json::parse(text).unwrap().root())
}

/// Exceptions of the root.
fn except(provisions: &str) -> String {
    format!(r#""provision":[{provisions}]"#)
}

fn actor(reference: &str) -> String {
    format!(r#""actor":[{{"role":{{"text":"x"}},"reference":{{"reference":"{reference}"}}}}]"#)
}

/// Who asks for what.
#[derive(Clone, Copy)]
struct Asks {
    who: &'static str,
    kind: &'static str,
    action: ActionKind,
    purpose: Option<&'static str>,
    at: &'static str,
}

/// A physician reads an Observation.
const ANN: Asks =
    Asks { who: "ann", kind: "Observation", action: ActionKind::Read, purpose: None, at: "2026-06-01T12:00:00Z" };

fn answer(consents: &[Option<Consent>], asks: Asks) -> Verdicts {
    let actors = match asks.who {
        "ann" => {
            vec![Actor::Practitioner("ann".into()), Actor::Organization("ward".into()), Actor::Account("u1".into())]
        }
        "bob" => vec![Actor::Practitioner("bob".into()), Actor::CareTeam("team".into())],
        "machine" => vec![Actor::Client("c1".into())],
        other => panic!("{other}"),
    };
    let is_person = asks.who != "machine";
    let question = Question {
        actors: &actors,
        is_person,
        kind: kind_of(asks.kind).unwrap(),
        action: asks.action,
        purpose: stated(asks.purpose, is_person),
        at: Timestamp::parse(asks.at).unwrap(),
    };
    verdicts(&consents.iter().flatten(), &question)
}

#[track_caller]
fn check(provision: &str, base: &str, cases: &[(Asks, Verdict)]) {
    let consent = consent(base, provision);
    assert!(consent.is_some());
    for (number, (asks, expected)) in cases.iter().enumerate() {
        let found = answer(std::slice::from_ref(&consent), *asks).unlabelled;
        assert_eq!(found, *expected, "case {number} of {base} {provision}");
    }
}

#[test]
fn the_base_holds_where_nothing_else_does() {
    check("", "OPTIN", &[(ANN, Permit)]);
    check("", "OPTOUT", &[(ANN, Deny)]);
    check("", "none", &[(ANN, Silent)]);
    check(r#""type":"deny""#, "OPTIN", &[(ANN, Deny)]);
    let bare = with(&format!(r#""status":"active","scope":{PRIVACY},"policyRule":{{"coding":[{{"code":"OPTOUT"}}]}}"#));
    assert_eq!(answer(&[bare], ANN).unlabelled, Deny);
}

#[test]
fn an_exception_names_actors() {
    let bob = Asks { who: "bob", ..ANN };
    let machine = Asks { who: "machine", ..ANN };
    let deny = |reference: &str| except(&format!(r#"{{"type":"deny",{}}}"#, actor(reference)));
    check(&deny("Practitioner/ann"), "OPTIN", &[(ANN, Deny), (bob, Permit), (machine, Permit)]);
    check(&deny("Organization/ward"), "OPTIN", &[(ANN, Deny), (bob, Permit)]);
    check(&deny("CareTeam/team"), "OPTIN", &[(ANN, Permit), (bob, Deny)]);
    check(&deny("Device/c1"), "OPTIN", &[(ANN, Permit), (machine, Deny)]);
    // Nobody signs in as a related person, so nobody who asks is one.
    check(&deny("RelatedPerson/r"), "OPTIN", &[(ANN, Permit), (bob, Permit)]);
    let permit = except(&format!(r#"{{"type":"permit",{}}}"#, actor("Practitioner/ann")));
    check(&permit, "OPTOUT", &[(ANN, Permit), (bob, Deny)]);
    let account = r#"{"type":"deny","actor":[{"role":{"text":"x"},"reference":{"identifier":{"system":"urn:iris:account","value":"u1"}}}]}"#;
    check(&except(account), "OPTIN", &[(ANN, Deny), (bob, Permit)]);
    // A root that names actors is about them alone.
    check(&actor("Practitioner/bob"), "OPTOUT", &[(ANN, Silent), (bob, Deny)]);
}

#[test]
fn an_actor_that_cannot_be_known_widens_a_denial_and_narrows_a_permission() {
    for reference in ["PractitionerRole/r", "https://elsewhere.example/Practitioner/1", "#contained", "Group/g"] {
        let deny = except(&format!(r#"{{"type":"deny",{}}}"#, actor(reference)));
        check(&deny, "OPTIN", &[(ANN, Deny)]);
        let permit = except(&format!(r#"{{"type":"permit",{}}}"#, actor(reference)));
        check(&permit, "OPTOUT", &[(ANN, Deny)]);
        assert_eq!(consent("OPTIN", &deny).unwrap().doubts.len(), 1, "{reference}");
    }
}

#[test]
fn an_exception_names_purposes() {
    let research = Asks { purpose: Some("HRESCH"), ..ANN };
    let clinical_research = Asks { purpose: Some("CLINTRCH"), ..ANN };
    let nonsense = Asks { purpose: Some("curiosity"), ..ANN };
    let machine = Asks { who: "machine", ..ANN };
    let deny = except(r#"{"type":"deny","purpose":[{"code":"HRESCH"}]}"#);
    check(
        &deny,
        "OPTIN",
        &[(ANN, Permit), (research, Deny), (clinical_research, Deny), (nonsense, Deny), (machine, Deny)],
    );
    let permit = except(r#"{"type":"permit","purpose":[{"code":"TREAT"}]}"#);
    let emergency = Asks { purpose: Some("ETREAT"), ..ANN };
    check(
        &permit,
        "OPTOUT",
        &[(ANN, Permit), (emergency, Permit), (research, Deny), (nonsense, Deny), (machine, Deny)],
    );
}

#[test]
fn an_exception_names_types_and_actions() {
    let dose = Asks { kind: "Immunization", ..ANN };
    let class =
        |system: &str| except(&format!(r#"{{"type":"deny","class":[{{"system":"{system}","code":"Observation"}}]}}"#));
    check(&class("http://hl7.org/fhir/resource-types"), "OPTIN", &[(ANN, Deny), (dose, Permit)]);
    // A class of another kind may be anything.
    check(&class("urn:ietf:bcp:13"), "OPTIN", &[(ANN, Deny), (dose, Deny)]);
    let write = Asks { action: ActionKind::Update, ..ANN };
    let (export, remove) = (Asks { action: ActionKind::Export, ..ANN }, Asks { action: ActionKind::Delete, ..ANN });
    let action = |kind: &str, code: &str| {
        except(&format!(r#"{{"type":"{kind}","action":[{{"coding":[{{"code":"{code}"}}]}}]}}"#))
    };
    check(&action("deny", "access"), "OPTIN", &[(ANN, Deny), (export, Deny), (write, Permit)]);
    check(&action("deny", "disclose"), "OPTIN", &[(ANN, Deny), (export, Deny), (write, Permit)]);
    check(&action("deny", "correct"), "OPTIN", &[(ANN, Permit), (write, Deny), (remove, Deny)]);
    check(&action("permit", "access"), "OPTOUT", &[(ANN, Permit), (export, Deny), (write, Deny)]);
    check(&action("permit", "disclose"), "OPTOUT", &[(ANN, Deny), (export, Permit)]);
    check(&action("deny", "sing"), "OPTIN", &[(ANN, Deny), (write, Deny)]);
    check(&action("permit", "sing"), "OPTOUT", &[(ANN, Deny)]);
}

#[test]
fn what_is_about_content_widens_a_denial_and_narrows_a_permission() {
    let dose = Asks { kind: "Immunization", ..ANN };
    let criteria = [
        (r#""code":[{"text":"x"}]"#, Deny),
        (r#""dataPeriod":{"start":"2020"}"#, Deny),
        (r#""data":[{"meaning":"related","reference":{"reference":"Observation/1"}}]"#, Deny),
        // Which Observation is meant is not known, but no Immunization is.
        (r#""data":[{"meaning":"instance","reference":{"reference":"Observation/1"}}]"#, Permit),
    ];
    for (criterion, of_a_dose) in criteria {
        check(&except(&format!(r#"{{"type":"deny",{criterion}}}"#)), "OPTIN", &[(ANN, Deny), (dose, of_a_dose)]);
        check(&except(&format!(r#"{{"type":"permit",{criterion}}}"#)), "OPTOUT", &[(ANN, Deny), (dose, Deny)]);
    }
}

#[test]
fn consents_begin_and_end_by_themselves() {
    let at = |at| Asks { at, ..ANN };
    let span = r#""period":{"start":"2026-02-01","end":"2026-06-30T12:00:00Z"}"#;
    let cases = [
        (at("2026-01-31T23:59:59Z"), Silent),
        (at("2026-02-01T00:00:00Z"), Deny),
        (at("2026-06-30T12:00:00Z"), Deny),
        (at("2026-06-30T12:00:01Z"), Silent),
    ];
    check(span, "OPTOUT", &cases);
    let exception = except(&format!(r#"{{"type":"permit",{span}}}"#));
    check(
        &exception,
        "OPTOUT",
        &[(at("2026-01-01T00:00:00Z"), Deny), (ANN, Permit), (at("2026-07-01T00:00:00Z"), Deny)],
    );
    let mut moments = Vec::new();
    consent("OPTOUT", span).unwrap().boundaries(&mut moments);
    assert_eq!(moments.len(), 2);
}

#[test]
fn exceptions_have_exceptions_and_a_denial_wins_among_equals() {
    let bob = Asks { who: "bob", ..ANN };
    let research = Asks { purpose: Some("HRESCH"), ..ANN };
    // Nobody, except the ward, except for research.
    let nested = except(&format!(
        r#"{{"type":"permit",{},"provision":[{{"type":"deny","purpose":[{{"code":"HRESCH"}}]}}]}}"#,
        actor("Organization/ward")
    ));
    check(&nested, "OPTOUT", &[(ANN, Permit), (bob, Deny), (research, Deny)]);
    let deeper = except(&format!(
        r#"{{"type":"deny","provision":[{{"type":"permit",{},"provision":[{{"type":"deny","purpose":[{{"code":"HRESCH"}}]}}]}}]}}"#,
        actor("Organization/ward")
    ));
    check(&deeper, "OPTIN", &[(ANN, Permit), (bob, Deny), (research, Deny)]);
    let both = except(&format!(r#"{{"type":"permit",{0}}},{{"type":"deny",{0}}}"#, actor("Practitioner/ann")));
    check(&both, "OPTOUT", &[(ANN, Deny)]);
    check(&both, "OPTIN", &[(ANN, Deny), (bob, Permit)]);
    // R4 asks for a type; one without it shows nothing.
    check(&except(&format!("{{{}}}", actor("Practitioner/ann"))), "OPTIN", &[(ANN, Deny), (bob, Permit)]);
}

#[test]
fn of_several_consents_of_a_patient_a_denial_wins() {
    let (yes, no) = (consent("OPTIN", ""), consent("OPTOUT", &actor("Practitioner/ann")));
    assert_eq!(answer(&[yes.clone(), no.clone()], ANN).unlabelled, Deny);
    assert_eq!(answer(&[yes, no], Asks { who: "bob", ..ANN }).unlabelled, Permit);
    assert_eq!(answer(&[], ANN), Verdicts::SILENT);
}

#[test]
fn only_active_consents_about_privacy_of_a_patient_of_ours_count() {
    for status in ["draft", "proposed", "rejected", "inactive", "entered-in-error"] {
        assert_eq!(with(&format!(r#""status":"{status}","scope":{PRIVACY}"#)), None, "{status}");
    }
    assert_eq!(with(r#""status":"active","scope":{"coding":[{"code":"research"}]}"#), None);
    assert_eq!(with(r#""status":"active""#), None);
    let elsewhere = r#"{"resourceType":"Consent","status":"active","patient":{"reference":"http://x.example/Patient/p"},
        "scope":{"coding":[{"code":"patient-privacy"}]}}"#;
    assert_eq!(compile(Json::parse(elsewhere).unwrap().root()), None);
}

fn label(kind: &str, codes: &str) -> String {
    let codings = codes.split(' ').map(|code| {
        let system = if ["N", "R", "V"].contains(&code) { "v3-Confidentiality" } else { "v3-ActCode" };
        format!(r#"{{"system":"http://terminology.hl7.org/CodeSystem/{system}","code":"{code}"}}"#)
    });
    except(&format!(r#"{{"type":"{kind}","securityLabel":[{}]}}"#, codings.collect::<Vec<_>>().join(",")))
}

#[test]
fn labels_divide_the_records_of_a_patient() {
    let very = Labels::of(&[Label::VeryRestricted]);
    let cases = [
        // A denial of one sensitivity.
        ("OPTIN", label("deny", "HIV"), Permit, Labels::of(&[Label::Hiv])),
        ("OPTIN", label("deny", "HIV PSY"), Permit, Labels::of(&[Label::Hiv, Label::Psychiatry])),
        // Levels: a denial begins there, a permission reaches up to there.
        ("OPTIN", label("deny", "R"), Permit, Labels::of(&[Label::Restricted, Label::VeryRestricted, Label::Other])),
        ("OPTIN", label("deny", "V"), Permit, very),
        ("OPTIN", label("deny", "N"), Deny, Labels::ALL),
        ("OPTOUT", label("permit", "N"), Permit, Labels::ALL),
        ("OPTOUT", label("permit", "R"), Permit, very),
        ("OPTOUT", label("permit", "V"), Permit, Labels::NONE),
        // Only what is labelled so is permitted.
        ("OPTOUT", label("permit", "HIV"), Deny, Labels::ALL.without(Labels::of(&[Label::Hiv]))),
        // What nobody knows: all such records are denied, none is permitted.
        ("OPTIN", label("deny", "CELEBRITY"), Permit, Labels::of(&[Label::Other])),
        ("OPTOUT", label("permit", "CELEBRITY"), Deny, Labels::ALL),
    ];
    for (base, provision, unlabelled, denied) in cases {
        let found = answer(&[consent(base, &provision)], ANN);
        assert_eq!((found.unlabelled, found.denied), (unlabelled, denied), "{base} {provision}");
    }
}

/// Attack: a record with two labels slips between a permission for the one and a denial of the other.
#[test]
fn a_record_with_two_labels_is_closed_if_one_of_them_is() {
    let nested = except(
        r#"{"type":"permit","securityLabel":[{"code":"PSY"}],"provision":[{"type":"deny","securityLabel":[{"code":"HIV"}]}]}"#,
    );
    let found = answer(&[consent("OPTIN", &nested)], ANN);
    assert_eq!((found.unlabelled, found.denied), (Permit, Labels::of(&[Label::Hiv])));
}
