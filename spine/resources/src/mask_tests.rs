use iris_kernel::{Seq, Tenant, Timestamp, Version};

use super::*;
use crate::head::Head;

const SSN: &str = "http://hl7.org/fhir/sid/us-ssn";

fn shown(text: &str, sight: Sight) -> (String, Sensitive) {
    let body = || Bytes::from(text.to_owned());
    let known = unmasked(&Resource::parse(body()).unwrap()).unwrap() != Sensitive::Absent;
    let [seen, from_before] = [Some(known), None].map(|known| seen(body(), known, sight).unwrap());
    assert_eq!((&seen.body, seen.sensitive), (&from_before.body, from_before.sensitive));
    assert_eq!(seen.whole.is_some(), seen.sensitive == Sensitive::Masked);
    (String::from_utf8(seen.body.to_vec()).unwrap(), seen.sensitive)
}

fn labels() -> [String; 2] {
    [(SUBSETTED, "subsetted"), (MASKED, "masked")]
        .map(|(code, display)| format!(r#"{{"system":"{LABELS}","code":"{code}","display":"{display}"}}"#))
}

#[test]
fn a_record_without_sensitive_identifiers_is_shown_as_it_is() {
    for text in [
        r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"1"},"identifier":[{"system":"urn:mrn","value":"123-45-6789"}]}"#,
        r#"{"resourceType":"Patient","id":"a","identifier":[{"system":"http://hl7.org/fhir/sid/us-ssn"}],"x":1.00}"#,
        r#"{"resourceType":"Patient","id":"a","name":[{"text":"us-ssn"}]}"#,
    ] {
        assert_eq!(shown(text, Sight::Masked), (text.to_owned(), Sensitive::Absent));
    }
}

#[test]
fn what_is_masked_is_labelled_and_all_else_stays_byte_for_byte() {
    let text = format!(
        r#"{{"resourceType":"Patient","id":"a","meta":{{"versionId":"1","tag":[{{"code":"x"}}]}},"text":{{"status":"generated","div":"<div>123-45-6789</div>"}},"extension":[{{"url":"u","valueDecimal":1.00}}],"identifier":[{{"use":"usual","system":"{SSN}","value":"123-45-6789","_value":{{"id":"v"}},"period":{{"start":"2001"}}}},{{"system":"urn:mrn","value":"7"}}],"birthDate":"1985"}}"#
    );
    let [tag, security] = labels();
    let expected = format!(
        r#"{{"resourceType":"Patient","id":"a","meta":{{"security":[{security}],"versionId":"1","tag":[{{"code":"x"}},{tag}]}},"extension":[{{"url":"u","valueDecimal":1.00}}],"identifier":[{{"use":"usual","system":"{SSN}","value":"***-**-6789","period":{{"start":"2001"}}}},{{"system":"urn:mrn","value":"7"}}],"birthDate":"1985"}}"#
    );
    assert_eq!(shown(&text, Sight::Masked), (expected, Sensitive::Masked));
    assert_eq!(shown(&text, Sight::Full), (text.clone(), Sensitive::Shown));
}

#[test]
fn nothing_hides_deeper_in_a_record() {
    let dl = r#"{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"DL"}]},"value":"S99971451"}"#;
    for text in [
        format!(r#"{{"resourceType":"Observation","id":"a","subject":{{"identifier":{dl}}}}}"#),
        format!(
            r#"{{"resourceType":"Claim","id":"a","contained":[{{"resourceType":"Patient","identifier":[{dl}],"text":{{"div":"S99971451"}}}}]}}"#
        ),
        format!(
            r#"{{"resourceType":"Patient","id":"a","meta":{{"security":[{{"code":"N","extension":[{{"url":"u","valueIdentifier":{dl}}}]}}]}}}}"#
        ),
        format!(
            r#"{{"resourceType":"Bundle","id":"a","entry":[{{"resource":{{"resourceType":"Person","identifier":[{dl}]}}}}]}}"#
        ),
        format!(
            r#"{{"resourceType":"Patient","id":"a","identifier":[{{"system":"x","value":"1","assigner":{{"identifier":{dl}}}}}]}}"#
        ),
    ] {
        let (masked, sensitive) = shown(&text, Sight::Masked);
        assert_eq!(sensitive, Sensitive::Masked, "{text}");
        assert!(!masked.contains("S99971451") && masked.contains("***1451"), "{masked}");
        assert!(masked.contains(MASKED) && masked.contains(SUBSETTED), "{masked}");
        Json::parse(masked).unwrap();
    }
}

#[test]
fn a_mask_is_refused_at_its_place_and_repeats_no_value() {
    let resource = |value: &str| {
        Resource::parse(format!(
            r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:mrn","value":"***"}},{{"system":"{SSN}","value":"{value}"}}]}}"#
        ))
        .unwrap()
    };
    assert_eq!(unmasked(&resource("123-45-6789")).unwrap(), Sensitive::Shown);
    for mask in ["***-**-6789", "XXX-XX-6789", "***", "•••-••-6789"] {
        let refusal = unmasked(&resource(mask)).unwrap_err();
        assert_eq!((refusal.kind, refusal.faults.len()), (ErrorKind::Invalid, 1));
        assert_eq!(refusal.faults[0].at, "/identifier/1/value");
        assert!(!refusal.faults[0].what.contains("6789"));
    }
}

fn stored(text: &str) -> Stored {
    Stored {
        seq: Seq(1),
        born: Seq(1),
        kind: iris_fhir::definitions::kind_of("Patient").unwrap(),
        id: "a".to_owned(),
        version: Version::FIRST,
        at: Timestamp(0),
        deleted: false,
        body: text.to_owned().into(),
        head: Head { patients: vec!["a".to_owned()], ..Head::default() },
        whole: None,
        sensitive: Sensitive::Absent,
        part: None,
    }
}

fn nurse() -> Caller {
    Caller::pretend(Tenant::DEFAULT, "nurse", iris_access::RoleSet::of(&[iris_access::Role::Nurse]), None)
}

#[test]
fn who_does_not_see_an_identifier_cannot_lose_it_by_leaving_it_out() {
    let before = format!(
        r#"{{"resourceType":"Patient","id":"a","identifier":[{{"system":"{SSN}","value":"123-45-6789"}},{{"system":"urn:mrn","value":"7"}}]}}"#
    );
    let after = |sent: &str, caller: &Caller| {
        let sent = Resource::parse(sent.to_owned()).unwrap();
        let kept = with_unseen(caller, Some(&stored(&before)), &sent).unwrap();
        kept.map(|kept| String::from_utf8(kept.json().text().to_vec()).unwrap())
    };
    let none = r#"{"resourceType":"Patient","id":"a","active":true}"#;
    let ssn = format!(r#"{{"system":"{SSN}","value":"123-45-6789"}}"#);
    assert_eq!(
        after(none, &nurse()).unwrap(),
        format!(r#"{{"identifier":[{ssn}],"resourceType":"Patient","id":"a","active":true}}"#)
    );
    let other = r#"{"resourceType":"Patient","id":"a","identifier":[{"system":"urn:mrn","value":"8"}]}"#;
    assert_eq!(
        after(other, &nurse()).unwrap(),
        format!(r#"{{"resourceType":"Patient","id":"a","identifier":[{{"system":"urn:mrn","value":"8"}},{ssn}]}}"#)
    );
    let new =
        format!(r#"{{"resourceType":"Patient","id":"a","identifier":[{{"system":"{SSN}","value":"987-65-4321"}}]}}"#);
    assert_eq!(after(&new, &nurse()), None, "a new number takes the place of the old one");
    let admin = Caller::pretend(Tenant::DEFAULT, "root", iris_access::RoleSet::of(&[iris_access::Role::Admin]), None);
    assert_eq!(after(none, &admin), None, "who sees it may take it away");
}

#[test]
fn a_masked_copy_does_not_replace_the_record() {
    let plain = r#"{"resourceType":"Patient","id":"a"}"#;
    for (list, code) in [("security", MASKED), ("tag", SUBSETTED)] {
        let copy = format!(
            r#"{{"resourceType":"Patient","id":"a","meta":{{"{list}":[{{"code":"x"}},{{"system":"{LABELS}","code":"{code}"}}]}}}}"#
        );
        let sent = Resource::parse(copy.clone()).unwrap();
        let refusal = with_unseen(&nurse(), Some(&stored(plain)), &sent).unwrap_err();
        assert_eq!((refusal.kind, refusal.faults[0].at.as_str()), (ErrorKind::Invalid, &*format!("/meta/{list}/1")));
        assert!(with_unseen(&nurse(), Some(&stored(&copy)), &sent).unwrap().is_none());
        assert!(with_unseen(&nurse(), None, &sent).unwrap().is_none());
    }
}

#[test]
fn the_log_is_told_which_classes_of_data_were_shown() {
    let kind = |name: &str| iris_fhir::definitions::kind_of(name).unwrap();
    let told = |records: &[(&str, Sensitive)]| {
        classes_of(records.iter().map(|(name, sensitive)| (kind(name), *sensitive))).join(", ")
    };
    assert_eq!(
        told(&[("Patient", Sensitive::Masked), ("Observation", Sensitive::Absent)]),
        "PHI, PII, sensitive (masked)"
    );
    assert_eq!(told(&[("Patient", Sensitive::Shown)]), "PII, sensitive");
    assert_eq!(told(&[("ValueSet", Sensitive::Absent)]), "public");
}
