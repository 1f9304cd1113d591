use iris_fhir::Resource;

use super::*;

fn written(json: &str, layout: Layout) -> String {
    let resource = Resource::parse(json.to_owned()).unwrap();
    String::from_utf8(write(resource.root(), layout).unwrap()).unwrap()
}

fn refused(json: &str) -> Vec<String> {
    let resource = Resource::parse(json.to_owned()).unwrap();
    write(resource.root(), Layout::Compact).unwrap_err().iter().map(ToString::to_string).collect()
}

const PATIENT: &str = r#"{"name":[{"given":["a",null],"_given":[null,{"id":"g","extension":[{"valueDecimal":1.50,"url":"u&v"}]}],"id":"n"}],
    "_birthDate":{"id":"b"},"birthDate":"1970","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>c</b></div>","status":"generated"},
    "resourceType":"Patient","contained":[{"resourceType":"Basic","id":"c"},{"resourceType":"Device"}],"id":"1 \"<>\t\n\r&'é"}"#;

#[test]
fn elements_are_written_in_the_order_of_the_definitions() {
    assert_eq!(
        written(PATIENT, Layout::Compact),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient xmlns=\"http://hl7.org/fhir\">\
         <id value=\"1 &quot;&lt;&gt;&#9;&#10;&#13;&amp;'é\"/>\
         <text><status value=\"generated\"/><div xmlns=\"http://www.w3.org/1999/xhtml\">a <b>c</b></div></text>\
         <contained><Basic><id value=\"c\"/></Basic></contained><contained><Device/></contained>\
         <name id=\"n\"><given value=\"a\"/><given id=\"g\"><extension url=\"u&amp;v\"><valueDecimal value=\"1.50\"/></extension></given></name>\
         <birthDate value=\"1970\" id=\"b\"/></Patient>"
    );
}

#[test]
fn pretty_puts_each_element_on_a_line() {
    assert_eq!(
        written(PATIENT, Layout::Pretty),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir">
  <id value="1 &quot;&lt;&gt;&#9;&#10;&#13;&amp;'é"/>
  <text>
    <status value="generated"/>
    <div xmlns="http://www.w3.org/1999/xhtml">a <b>c</b></div>
  </text>
  <contained>
    <Basic>
      <id value="c"/>
    </Basic>
  </contained>
  <contained>
    <Device/>
  </contained>
  <name id="n">
    <given value="a"/>
    <given id="g">
      <extension url="u&amp;v">
        <valueDecimal value="1.50"/>
      </extension>
    </given>
  </name>
  <birthDate value="1970" id="b"/>
</Patient>
"#
    );
    assert_eq!(
        json(&written(PATIENT, Layout::Pretty)),
        json(&written(PATIENT, Layout::Compact)),
        "white space between elements says nothing"
    );
}

#[test]
fn what_xml_cannot_say_is_refused_by_name() {
    let patient = |members: &str| format!(r#"{{"resourceType":"Patient",{members}}}"#);
    for (members, fault) in [
        (r#""colour":"red""#, "/colour: Patient has no such element"),
        (r#""_name":[{}]"#, "/_name: Patient has no such element"),
        (r#""name":[{"_id":{"id":"x"}}]"#, "/name/0/_id: HumanName has no such element"),
        (r#""id":"a\u0001""#, "/id: XML does not have one of the characters of this string"),
        (r#""id":"a\uFFFE""#, "/id: XML does not have one of the characters of this string"),
        (r#""active":"true""#, "/active: A boolean is true or false, without quotes"),
        (r#""active":null"#, "/active: null is only allowed in arrays of primitive values"),
        (r#""birthDate":1970"#, "/birthDate: Expected a JSON string"),
        (r#""name":{}"#, "/name: An array stands where an element repeats, and only there"),
        (r#""birthDate":["1970"]"#, "/birthDate: An array stands where an element repeats, and only there"),
        (r#""name":[]"#, "/name: An array must not be empty"),
        (r#""name":[1]"#, "/name/0: Expected an object (HumanName)"),
        (r#""name":[{"given":[null]}]"#, "/name/0/given/0: null stands only where the other array has something"),
        (
            r#""deceasedBoolean":true,"deceasedDateTime":"2020""#,
            "/deceasedDateTime: deceased[x] may have only one type",
        ),
        (r#""contained":[{"resourceType":"Dog"}]"#, "/contained/0: R4 has no resource type \"Dog\""),
        (r#""text":{"div":"hello"}"#, "/text/div: Narrative is one XHTML div element"),
        (r#""text":{"div":"<div>a</p></div>"}"#, "/text/div: This is not the end of the element that is open"),
        (
            r#""text":{"div":"<div>&nbsp;</div>"}"#,
            "/text/div: This entity is not declared: XML has lt, gt, amp, quot and apos only, other characters are written as such or by number",
        ),
        (r#""text":{"div":"<div/><div/>"}"#, "/text/div: There is more than one root element"),
        (
            r#""text":{"div":"<div xmlns=\"urn:x\"/>"}"#,
            "/text/div: Narrative is in the namespace http://www.w3.org/1999/xhtml",
        ),
        (r#""text":{"div":"<div><x:p/></div>"}"#, "/text/div: The prefix of this element is not declared"),
    ] {
        assert_eq!(refused(&patient(members)), [fault], "{members}");
    }
    let many = vec!["null"; limits::FAULTS_MAX + 3].join(",");
    let faults = refused(&patient(&format!(r#""name":[{{"given":[{many}]}}]"#)));
    assert_eq!((faults.len(), &*faults[limits::FAULTS_MAX]), (limits::FAULTS_MAX + 1, "There are 3 more faults"));
}

#[test]
fn narrative_without_a_namespace_gets_it() {
    let xml = written(r#"{"resourceType":"Basic","text":{"div":" <div class='x'>a</div>\n"}}"#, Layout::Compact);
    assert!(xml.contains("<text><div xmlns=\"http://www.w3.org/1999/xhtml\" class='x'>a</div></text>"), "{xml}");
}
