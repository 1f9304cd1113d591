//! The rest of the session that is recorded: everything that is asked about a chart once it is there.

use serde_json::{Value, json};

use super::chart::HOUSE;
use super::story::{Story, plain};

/// Lists of the chart that have pages.
const LISTS: [&str; 7] =
    ["conditions", "allergies", "medications", "encounters", "lab-results", "vital-signs", "immunizations"];

impl Story<'_> {
    /// Changes over FHIR, with and without a condition, and deletions of what is put back.
    pub(super) async fn writes(&self, patient: &str, records: &[String]) {
        let (s, boss) = (self.s, self.clinic.admin.as_str());
        for path in records.iter().filter(|path| !path.starts_with("/fhir/Bundle") && !path.starts_with("/fhir/Binary"))
        {
            let read = s.get(boss, path, 200).await;
            let (tag, body) = (read.header("etag").to_owned(), read.json());
            s.with(boss, "PUT", path, &[("if-match", &tag), ("prefer", "return=minimal")], Some(body.clone()), 200)
                .await;
            s.with(boss, "PUT", path, &[("if-match", &tag)], Some(body.clone()), 412).await;
            s.with(boss, "PUT", path, &[("if-none-match", "*")], Some(body), 412).await;
        }
        let procedure = records.iter().find(|path| path.starts_with("/fhir/Procedure")).unwrap();
        let dose = records.iter().find_map(|path| path.strip_prefix("/fhir/Immunization/")).unwrap();
        let deletions = [
            (procedure.clone(), procedure.clone()),
            (plain(patient, ""), format!("/fhir/Patient/{patient}")),
            (format!("/api/v1/immunizations/{dose}"), format!("/fhir/Immunization/{dose}")),
        ];
        for (path, record) in deletions {
            let body = s.get(boss, &record, 200).await.json();
            s.with(boss, "DELETE", &path, &[("if-match", "W/\"99\"")], None, 412).await;
            s.ask(boss, "DELETE", &path, None, 204).await;
            s.get(boss, &record, 410).await;
            s.ask(boss, "PUT", &record, Some(body), 201).await;
        }
    }

    /// Batches and transactions that read, make, change and delete, and creates under a condition.
    pub(super) async fn bundles(&self, patient: &str, records: &[String]) {
        let (s, boss, doctor) = (self.s, self.clinic.admin.as_str(), self.clinic.clinician.as_str());
        let short = |path: &String| path.strip_prefix("/fhir/").unwrap().to_owned();
        let of = |kind: &str, entries: Vec<Value>| json!({"resourceType": "Bundle", "type": kind, "entry": entries});
        let asked = |method: &str, url: String| json!({"request": {"method": method, "url": url}});
        let mut reads: Vec<Value> = records.iter().map(|path| asked("GET", short(path))).collect();
        reads.push(asked("GET", format!("Observation?patient=Patient/{patient}&_total=accurate")));
        for path in ["/fhir", "/fhir/"] {
            s.ask(doctor, "POST", path, Some(of("batch", reads.clone())), 200).await;
        }
        let observation = records.iter().find(|path| path.starts_with("/fhir/Observation")).unwrap();
        let body = s.get(doctor, observation, 200).await.json();
        let mut another = body.clone();
        another["identifier"][0]["value"] = json!(s.canaries.word());
        another.as_object_mut().unwrap().remove("id");
        let criteria = format!("identifier={HOUSE}|{}", another["identifier"][0]["value"].as_str().unwrap());
        let writes = |condition: &str| {
            let mut post = json!({"resource": another, "request": {"method": "POST", "url": "Observation"}});
            if !condition.is_empty() {
                post["request"]["ifNoneExist"] = json!(condition);
            }
            vec![json!({"resource": body, "request": {"method": "PUT", "url": short(observation)}}), post]
        };
        for kind in ["batch", "transaction"] {
            let headers = [("prefer", "return=representation")];
            s.with(doctor, "POST", "/fhir", &headers, Some(of(kind, writes(&criteria))), 200).await;
            s.ask(boss, "POST", "/fhir", Some(of(kind, vec![asked("DELETE", "Flag/none".to_owned())])), 0).await;
        }
        let headers = [("if-none-exist", criteria.as_str())];
        s.with(doctor, "POST", "/fhir/Observation", &headers, Some(another.clone()), 200).await;
        s.ask(doctor, "POST", "/fhir", Some(of("transaction", writes(""))), 200).await;
        let flag = records.iter().find(|path| path.starts_with("/fhir/Flag")).unwrap();
        let kept = s.get(boss, flag, 200).await.json();
        s.ask(boss, "POST", "/fhir", Some(of("transaction", vec![asked("DELETE", short(flag))])), 200).await;
        s.ask(boss, "PUT", flag, Some(kept), 201).await;
    }

    /// Every record by its id: now, then, and all of its versions.
    pub(super) async fn reads(&self, records: &[String]) {
        let (s, doctor) = (self.s, self.clinic.clinician.as_str());
        for path in records {
            let read = s.get(doctor, path, 200).await;
            s.with(doctor, "GET", path, &[("if-none-match", read.header("etag"))], None, 304).await;
            for way in ["/_history", "/_history/1"] {
                s.get(doctor, &format!("{path}{way}"), 200).await;
            }
            let newest = s.get(doctor, &format!("{path}/_history?_count=1"), 200).await.json();
            if let Some(next) = next_of(&newest) {
                s.get(doctor, &next, 200).await;
            }
            s.get(doctor, &format!("{path}/_history/77"), 404).await;
        }
    }

    /// The chart in the plain dialect, for who treats and for the patient.
    pub(super) async fn lists(&self, patient: &str, own: &str) {
        let s = self.s;
        let chart = [
            "",
            "/summary",
            "/timeline",
            "/timeline?kinds=observation",
            "/lab-results/trends",
            "/vital-signs/trends?code=8480-6",
        ];
        for token in [self.clinic.clinician.as_str(), own] {
            for tail in chart {
                s.get(token, &plain(patient, tail), 200).await;
            }
            for tail in LISTS
                .map(|list| format!("/{list}?limit=1&total=true"))
                .into_iter()
                .chain(["/timeline?limit=2".to_owned()])
            {
                let page = s.get(token, &plain(patient, &tail), 200).await.json();
                s.want(page["items"][0].is_object(), &tail);
                if let Some(cursor) = page["next_cursor"].as_str() {
                    s.get(token, &plain(patient, &format!("{tail}&cursor={cursor}")), 200).await;
                }
            }
            s.get(token, &plain(patient, "/care-team"), 0).await;
            s.get(token, &plain(patient, "/duplicates"), 0).await;
            s.get(token, &plain(patient, "/consents"), 0).await;
        }
    }

    /// Searches with each sort of parameter, in the path and as a form, with the pages that follow.
    pub(super) async fn searches(&self, patient: &str) {
        let (s, doctor) = (self.s, self.clinic.clinician.as_str());
        let shown = s.get(doctor, &format!("/fhir/Patient/{patient}"), 200).await.json();
        let results = s.get(doctor, &format!("/fhir/Observation?patient={patient}"), 200).await.json();
        let family = shown["name"][0]["family"].as_str().unwrap();
        let identifier = results["entry"][0]["resource"]["identifier"][0]["value"].as_str().unwrap();
        for (search, served) in searches(patient, family, identifier) {
            let page = s.get(doctor, &format!("/fhir/{search}"), 0).await;
            s.want((page.status == 200) == served, &format!("{search}: {}", String::from_utf8_lossy(&page.body)));
            let (kind, form) = search.split_once('?').unwrap();
            let posted = s.form(doctor, &format!("/fhir/{kind}/_search"), form).await;
            s.want((posted.status == 200) == served, &format!("{search}, as a form"));
            if page.status != 200 {
                continue;
            }
            let page = page.json();
            let found =
                page["total"].as_u64().unwrap_or(page["entry"].as_array().map_or(0, |found| found.len() as u64));
            s.want(found > 0, &search);
            if let Some(next) = next_of(&page) {
                s.get(doctor, &next, 200).await;
            }
        }
    }

    /// Somebody who does not treat the second patient breaks the glass, and somebody else reviews it.
    pub(super) async fn emergency(&self, patient: &str) {
        let (s, nurse, auditor) = (self.s, self.clinic.emergency.as_str(), self.clinic.auditor.as_str());
        s.get(nurse, &plain(patient, ""), 404).await;
        let body = json!({"patient_id": patient, "reason": s.canaries.word(), "minutes": 10});
        let glass = s.ask(nurse, "POST", "/api/v1/break-glass", Some(body), 201).await;
        let path = glass.header("location").to_owned();
        for tail in ["", "/summary", "/timeline"] {
            let seen = s.get(nurse, &plain(patient, tail), 200).await;
            s.want(!seen.header("x-iris-break-glass").is_empty(), "an emergency that is not told of");
        }
        for token in [nurse, auditor] {
            s.get(token, &path, 200).await;
            s.get(token, "/api/v1/break-glass", 200).await;
            s.get(token, "/api/v1/break-glass?state=unreviewed&limit=1", 200).await;
        }
        let verdict = json!({"verdict": "justified", "note": s.canaries.word()});
        s.ask(auditor, "POST", &format!("{path}/review"), Some(verdict), 200).await;
        s.get(auditor, "/api/v1/break-glass?state=reviewed", 200).await;
    }

    /// Who has seen what, for auditors and for the patient.
    pub(super) async fn logs(&self, patient: &str, own: &str) {
        let (s, auditor) = (self.s, self.clinic.auditor.as_str());
        s.world.app.audit.settle();
        let disclosures = format!("/api/v1/audit/patients/{patient}/disclosures");
        let mut paths = vec![
            format!("/api/v1/audit/logs?patient_id={patient}&limit=2"),
            format!("/api/v1/audit/logs?resource=Patient/{patient}"),
            "/api/v1/audit/logs?action=phi.read,phi.create,phi.search&outcome=success&limit=100".to_owned(),
            "/api/v1/audit/checkpoints?limit=1".to_owned(),
            "/api/v1/audit/export".to_owned(),
        ];
        paths.push(disclosures.clone());
        for path in &paths {
            let page = s.get(auditor, path, 200).await;
            let cursor = serde_json::from_slice::<Value>(&page.body)
                .ok()
                .and_then(|page| page["next_cursor"].as_str().map(str::to_owned));
            if let Some(cursor) = cursor {
                let mark = if path.contains('?') { '&' } else { '?' };
                s.get(auditor, &format!("{path}{mark}cursor={cursor}"), 200).await;
            }
        }
        for query in ["", "?limit=1", "?date_from=2020-01-01&date_to=2999-01-01"] {
            s.get(own, &format!("{disclosures}{query}"), 200).await;
        }
        let list = s.get(auditor, &paths[0], 200).await.json();
        let place = list["items"][0]["id"].as_str().unwrap();
        let entry = format!("/audit/logs/{place}");
        s.canaries.known(&entry, &format!("/audit/logs/9999{place}"));
        s.get(auditor, &format!("/api/v1{entry}"), 200).await;
        s.get(auditor, &format!("/api/v1{entry}/proof"), 200).await;
        s.ask(auditor, "POST", "/api/v1/audit/verify-integrity", None, 200).await;
    }
}

/// What searches are asked for, and whether they are served: what is not is refused by name, for everybody.
fn searches(patient: &str, family: &str, identifier: &str) -> Vec<(String, bool)> {
    let served = [
        format!("Patient?family={family}&_total=accurate"),
        format!("Patient?family:exact={family}"),
        format!("Patient?_id={patient}&_total=accurate"),
        "Patient?birthdate=1931-03-10&_summary=count".to_owned(),
        "Patient?gender=female&_count=1&_sort=-_lastUpdated".to_owned(),
        "Patient?_lastUpdated=ge2020-01-01&_summary=count".to_owned(),
        format!("Observation?identifier={HOUSE}%7C{identifier}"),
        format!("Observation?subject=Patient/{patient}&_count=2&_total=accurate"),
        format!("Observation?patient={patient}&date=ge2025-01-01&_sort=-date"),
        format!("Observation?code=http://loinc.org%7C2345-7&patient=Patient/{patient}&status=final"),
        "Observation?code=2345-7&_total=accurate".to_owned(),
        "Observation?category=laboratory&_count=1".to_owned(),
        "Device?_total=accurate".to_owned(),
        "Binary?_total=accurate".to_owned(),
        "Bundle?_total=accurate".to_owned(),
        format!("Device?patient=Patient/{patient}"),
        format!("Contract?patient=Patient/{patient}"),
        "GuidanceResponse?_total=accurate".to_owned(),
        format!("Task?patient=Patient/{patient}&_total=accurate"),
        format!("List?subject=Patient/{patient}"),
        format!("Observation?patient={patient}&_include=Observation:subject"),
        format!("Patient?_id={patient}&_revinclude=Observation:subject"),
        format!("Patient?_has:Observation:patient:code=2345-7&_id={patient}"),
        format!("Observation?subject:Patient.family={family}"),
        format!("Patient?_filter=family%20eq%20{family}%20and%20gender%20eq%20female"),
        "Patient?gender=female&_sort=family,-birthdate&_count=1".to_owned(),
        format!("Patient?family={family}&_contained=both"),
        format!("Patient?_id={patient}&_revinclude=*"),
    ];
    let refused = [format!("Patient?_content={family}")];
    let served = served.into_iter().map(|search| (search, true));
    served.chain(refused.into_iter().map(|search| (search, false))).collect()
}

/// The path of the page after this one.
fn next_of(page: &Value) -> Option<String> {
    let next = page["link"].as_array()?.iter().find(|link| link["relation"] == "next")?;
    let url = next["url"].as_str()?;
    Some(url[url.find("/fhir/")?..].to_owned())
}
