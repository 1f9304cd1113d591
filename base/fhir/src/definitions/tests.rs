//! The tables say what R4 says.

use super::*;

#[test]
fn every_line_of_the_tables_can_be_read() {
    let read = load::read().unwrap();
    assert_eq!(read.kinds.len(), 146);
    assert_eq!(read.structures().len(), 662);
    assert_eq!(read.code_lists().len(), 281);
}

#[test]
fn a_number_never_changes_its_meaning() {
    let names = [(1, "Account"), (2, "ActivityDefinition"), (62, "Immunization"), (88, "MedicinalProductPackaged")];
    for (number, name) in names {
        assert_eq!(name_of(Kind(number)), name);
        assert_eq!(kind_of(name), Some(Kind(number)));
    }
    assert_eq!(kind_of("VisionPrescription"), Some(Kind(146)));
    assert_eq!(name_of(Kind(147)), "(internal)");
    assert_eq!(name_of(Kind(0)), "(internal)");
    assert!(definitions().kinds().map(name_of).is_sorted());
    for foreign in
        ["Resource", "DomainResource", "MetadataResource", "SubscriptionStatus", "Bot", "HumanName", "patient", ""]
    {
        assert_eq!(kind_of(foreign), None, "{foreign}");
    }
}

#[test]
fn elements_have_their_cardinality_and_types() {
    let patient = definitions().structure("Patient").unwrap();
    let gender = patient.element("gender").unwrap();
    assert_eq!((gender.min, gender.max, gender.repeats()), (0, Some(1), false));
    let codes = definitions().code_list(gender.types[0].codes.unwrap()).unwrap();
    assert!(codes.has("female") && !codes.has("f"));
    assert!(codes.has_in("http://hl7.org/fhir/administrative-gender", "unknown"));
    assert!(patient.element("name").unwrap().repeats());
    let (_, element, of_type) = patient.member(b"deceasedDateTime").unwrap();
    assert_eq!(
        (element.name, of_type.name, of_type.shape),
        ("deceased", "dateTime", Shape::Primitive(Primitive::DateTime))
    );
    assert!(patient.member(b"deceased").is_none() && patient.member(b"deceasedString").is_none());
    let (_, _, part) = patient.member(b"contact").unwrap();
    let Shape::Complex(part) = part.shape else { panic!("a part has elements") };
    assert_eq!(definitions().structure_at(part).unwrap().name, "Patient.contact");
    assert_eq!(patient.element("id").unwrap().types[0].name, "id");
    assert!(
        patient.element("contained").is_some()
            && definitions().structure("Bundle").unwrap().element("contained").is_none()
    );
    let managing = &patient.element("managingOrganization").unwrap().types[0];
    assert_eq!(managing.targets, Targets::Only(vec![kind_of("Organization").unwrap()]));
}

#[test]
fn what_the_source_patched_in_is_not_there() {
    let meta = definitions().structure("Meta").unwrap();
    let names: Vec<&str> = meta.elements.iter().map(|element| element.name).collect();
    assert_eq!(names, ["id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag"]);
    assert!(definitions().structure("Binary").unwrap().element("url").is_none());
    assert!(definitions().structure("ResearchStudy").unwrap().element("label").is_none());
    let characteristic = definitions().structure("EvidenceVariable.characteristic").unwrap();
    assert!(characteristic.element("definition").unwrap().choice);
    assert_eq!(definitions().structure("EvidenceVariable").unwrap().element("characteristic").unwrap().min, 1);
}

#[test]
fn search_parameters_of_all_three_levels() {
    let params = definitions().params_of(kind_of("Patient").unwrap());
    let find = |code: &str| params.iter().find(|param| param.code == code).unwrap();
    assert_eq!(find("birthdate").kind, ParamKind::Date);
    assert_eq!(find("birthdate").expression, "Patient.birthDate");
    assert_eq!(find("general-practitioner").targets.len(), 3);
    assert_eq!(find("_lastUpdated").expression, "Resource.meta.lastUpdated");
    assert_eq!(find("_id").url, "http://hl7.org/fhir/SearchParameter/Resource-id");
    assert!(params.is_sorted_by_key(|param| param.code));
    let observation = definitions().params_of(kind_of("Observation").unwrap());
    assert_eq!(observation.iter().find(|param| param.code == "status").unwrap().index, params_index("Task", "status"));
    assert!(definitions().params_of(Kind(0x8000)).is_empty());
}

fn params_index(kind: &str, code: &str) -> u16 {
    definitions().params_of(kind_of(kind).unwrap()).iter().find(|param| param.code == code).unwrap().index
}

#[test]
fn the_patient_compartment_is_by_reference_parameters() {
    let of = |name: &str| definitions().patient_compartment(kind_of(name).unwrap());
    assert_eq!(of("AllergyIntolerance"), ["patient", "recorder", "asserter"]);
    assert_eq!(of("Medication"), [""; 0]);
    for kind in definitions().kinds() {
        for code in definitions().patient_compartment(kind) {
            let param = definitions().params_of(kind).iter().find(|param| param.code == *code);
            assert_eq!(param.map(|param| param.kind), Some(ParamKind::Reference), "{} {code}", name_of(kind));
        }
    }
}

#[test]
fn a_member_name_means_one_thing() {
    for structure in definitions().structures() {
        for pair in structure.members.windows(2) {
            assert_ne!(pair[0].name, pair[1].name, "{}", structure.name);
        }
    }
}
