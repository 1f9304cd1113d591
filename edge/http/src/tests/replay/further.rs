//! What FHIR has beyond single records and searches of one type.

use serde_json::json;

use super::chart::HOUSE;
use super::story::Story;

impl Story<'_> {
    /// Histories of types and of all, searches over several types and within a compartment, and a whole record.
    pub(super) async fn overviews(&self, patient: &str, records: &[String]) {
        let (s, doctor) = (self.s, self.clinic.clinician.as_str());
        let path = format!("/fhir/Patient/{patient}");
        for way in ["Patient/_history", "Observation/_history", "_history"] {
            s.get(doctor, &format!("/fhir/{way}?_count=1000"), 200).await;
        }
        let several = format!("_type=Patient,Observation&_lastUpdated=ge2020-01-01&_id={patient}");
        for base in ["/fhir", "/fhir/"] {
            s.get(doctor, &format!("{base}?{several}"), 200).await;
        }
        s.form(doctor, "/fhir/_search", &several).await;
        s.get(doctor, &format!("{path}/Observation?_total=accurate"), 200).await;
        s.get(doctor, &format!("{path}/*?_count=1000"), 200).await;
        s.form(doctor, &format!("{path}/Observation/_search"), "_count=50").await;
        s.get(doctor, &format!("{path}/$everything?_count=1000"), 200).await;
        s.ask(doctor, "POST", &format!("{path}/$everything"), Some(json!({"resourceType": "Parameters"})), 200).await;
        for path in records {
            let record = s.get(doctor, path, 200).await.json();
            s.get(doctor, &format!("{path}/$meta"), 200).await;
            s.get(doctor, &format!("{path}/$validate"), 200).await;
            s.ask(doctor, "POST", &format!("{path}/$validate"), Some(record), 200).await;
        }
    }

    /// Patches, labels and writes by criteria, of one result.
    pub(super) async fn changes(&self, records: &[String]) {
        let (s, boss, doctor) = (self.s, self.clinic.admin.as_str(), self.clinic.clinician.as_str());
        let path = records.iter().find(|path| path.starts_with("/fhir/Observation")).unwrap();
        let mut record = s.get(doctor, path, 200).await.json();
        s.ask(doctor, "POST", "/fhir/Observation/$validate", Some(record.clone()), 200).await;
        let patch = [("content-type", "application/json-patch+json")];
        let word = s.canaries.word();
        let change = |at: &str| json!([{"op": "replace", "path": at, "value": word}]);
        s.with(doctor, "PATCH", path, &patch, Some(change("/identifier/0/value")), 200).await;
        let tags = json!({"resourceType": "Parameters", "parameter": [
            {"name": "meta", "valueMeta": {"tag": [{"system": "urn:replay", "code": "seen"}]}}]});
        for operation in ["$meta-add", "$meta-delete"] {
            s.ask(doctor, "POST", &format!("{path}/{operation}"), Some(tags.clone()), 200).await;
        }
        let criteria = format!("/fhir/Observation?identifier={HOUSE}%7C{word}");
        record["identifier"][0]["value"] = json!(word);
        s.ask(doctor, "PUT", &criteria, Some(record.clone()), 200).await;
        s.with(doctor, "PATCH", &criteria, &patch, Some(change("/identifier/0/value")), 200).await;
        s.ask(boss, "DELETE", &criteria, None, 204).await;
        s.ask(boss, "PUT", path, Some(record), 201).await;
    }
}
