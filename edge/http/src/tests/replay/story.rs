//! The session that is recorded: a day of one patient in the clinic, over every route that takes or gives something of a patient.

use serde_json::{Value, json};

use super::canary::Canaries;
use super::chart::{Chart, person};
use super::session::{Asked, Session};
use super::{Clinic, PATIENTS};

/// What came of the session.
pub(super) struct Recorded {
    pub(super) asked: Vec<Asked>,
    /// Paths of the patients' records in the FHIR API.
    pub(super) records: Vec<String>,
    pub(super) patients: Vec<String>,
}

/// Goes through the day.
pub(super) async fn record(clinic: &Clinic, canaries: &Canaries) -> Recorded {
    let session = Session::new(&clinic.world, canaries);
    let story = Story { s: &session, clinic };
    let patients = story.register().await;
    let mut records: Vec<String> = patients.iter().map(|id| format!("/fhir/Patient/{id}")).collect();
    let own = clinic.own(&patients[0]).await;
    story.team(&patients).await;
    records.extend(story.chart(&patients[0]).await);
    records.extend(story.doses(&patients[0]).await);
    records.extend(story.consents(&patients[0]).await);
    story.writes(&patients[0], &records).await;
    story.bundles(&patients[0], &records).await;
    story.reads(&records).await;
    story.lists(&patients[0], &own).await;
    story.searches(&patients[0]).await;
    story.overviews(&patients[0], &records).await;
    story.changes(&records).await;
    story.emergency(&patients[1]).await;
    story.logs(&patients[0], &own).await;
    Recorded { asked: session.asked(), records, patients }
}

/// What goes on, and who is there.
pub(super) struct Story<'a> {
    pub(super) s: &'a Session<'a>,
    pub(super) clinic: &'a Clinic,
}

pub(super) fn plain(patient: &str, tail: &str) -> String {
    format!("/api/v1/patients/{patient}{tail}")
}

impl Story<'_> {
    /// Two patients who stay and one who goes, registered, changed, found.
    async fn register(&self) -> Vec<String> {
        let (s, desk) = (self.s, self.clinic.registrar.as_str());
        let mut ids: Vec<String> = Vec::new();
        for number in 0..PATIENTS {
            let key = s.canaries.word();
            let fields = person(s.canaries, number + 10);
            s.ask(desk, "POST", "/api/v1/patients/duplicates", Some(fields.clone()), 200).await;
            let headers = [("idempotency-key", key.as_str())];
            let made = s.with(desk, "POST", "/api/v1/patients", &headers, Some(fields), 201).await;
            ids.push(made.json()["id"].as_str().unwrap().to_owned());
        }
        let [first, _, gone] = [0, 1, 2].map(|at| plain(&ids[at], ""));
        let read = s.get(desk, &first, 200).await;
        let tag = read.header("etag").to_owned();
        s.with(desk, "GET", &first, &[("if-none-match", &tag)], None, 304).await;
        let change = json!({"address": {"street": s.canaries.word()}});
        s.with(desk, "PUT", &first, &[("if-match", &tag)], Some(change), 200).await;
        s.with(desk, "PUT", &first, &[("if-match", &tag)], Some(json!({"phone": "1"})), 412).await;
        let boss = &self.clinic.admin;
        s.ask(boss, "DELETE", &gone, None, 204).await;
        s.get(desk, &gone, 410).await;
        self.find(&read.json()).await;
        ids.truncate(2);
        ids
    }

    /// Every filter of the plain lists.
    async fn find(&self, patient: &Value) {
        let (s, desk) = (self.s, self.clinic.registrar.as_str());
        let of = |name: &str| patient[name].as_str().unwrap().to_owned();
        let (first, last, born) = (of("first_name"), of("last_name"), of("date_of_birth"));
        let (ssn, mrn) = (of("ssn"), of("medical_record_number"));
        for list in ["/api/v1/patients", "/api/v1/patients/search"] {
            for filter in [
                "total=true".to_owned(),
                "limit=1&total=true".to_owned(),
                format!("name={last}&total=true"),
                format!("first_name={first}&last_name={last}"),
                format!("date_of_birth={born}"),
                format!("date_of_birth_from={born}&date_of_birth_to={born}&total=true"),
                format!("phone={}", of("phone")),
                format!("email={}", of("email")),
                format!("ssn={ssn}"),
                format!("medical_record_number={mrn}"),
                "gender=female&patient_status=active&active=true&total=true".to_owned(),
            ] {
                let page = s.get(desk, &format!("{list}?{filter}"), 200).await.json();
                s.want(page["items"][0].is_object(), &format!("{list}?{filter}"));
                if let Some(cursor) = page["next_cursor"].as_str() {
                    s.get(desk, &format!("{list}?{filter}&cursor={cursor}"), 200).await;
                }
            }
        }
        for q in [last.clone(), format!("{first}%20{last}"), born, mrn.clone(), of("phone"), of("email")] {
            let found = s.get(desk, &format!("/api/v1/patients/search?q={q}"), 200).await.json();
            s.want(found["items"][0].is_object(), &q);
        }
        // A number of the house is one person's: whoever gives it again is told so, whoever it is.
        let again =
            json!({"first_name": first, "last_name": last, "date_of_birth": "1990", "medical_record_number": mrn});
        s.ask(desk, "POST", "/api/v1/patients", Some(again), 409).await;
    }

    async fn team(&self, patients: &[String]) {
        let (s, boss) = (self.s, self.clinic.admin.as_str());
        for patient in patients {
            let path = plain(patient, "/care-team");
            s.get(boss, &path, 200).await;
            let accounts = self.clinic.team.iter().enumerate();
            let members = accounts.map(|(at, id)| {
                let role = if at == 0 { s.canaries.word() } else { "nurse".to_owned() };
                json!({"member": format!("Account/{id}"), "role": role})
            });
            let body = json!({"members": members.collect::<Vec<_>>()});
            s.ask(boss, "PUT", &path, Some(body.clone()), 200).await;
            s.with(boss, "PUT", &path, &[("if-match", "W/\"7\"")], Some(body), 412).await;
            s.get(&self.clinic.clinician, &path, 200).await;
        }
        s.get(boss, "/api/v1/admin/policy", 200).await;
        let users = s.get(boss, "/api/v1/admin/users?limit=100", 200).await.json();
        s.get(boss, &format!("/api/v1/admin/users/{}", users["items"][0]["id"].as_str().unwrap()), 200).await;
    }

    async fn chart(&self, patient: &str) -> Vec<String> {
        let (s, doctor) = (self.s, self.clinic.clinician.as_str());
        let chart = Chart { c: s.canaries, patient };
        let mut made = Vec::new();
        for day in 1..=3 {
            made.push(s.store(doctor, chart.observation("laboratory", "2345-7", day)).await);
            made.push(s.store(doctor, chart.observation("vital-signs", "8480-6", day + 10)).await);
        }
        for resource in chart.clinical().into_iter().chain(chart.around()).chain(chart.beyond()) {
            made.push(s.store(doctor, resource).await);
        }
        made
    }

    async fn doses(&self, patient: &str) -> Vec<String> {
        let (s, doctor) = (self.s, self.clinic.clinician.as_str());
        let mut made = Vec::new();
        for (path, lot) in [("/api/v1/immunizations".to_owned(), true), (plain(patient, "/immunizations"), false)] {
            let mut dose = json!({
                "vaccine_code": "08", "lot_number": s.canaries.word(), "notes": s.canaries.word(), "manufacturer": s.canaries.word(),
                "site": s.canaries.word(), "administered_at": "2025-01-15T10:30:00Z", "dose_volume": 0.5
            });
            if lot {
                dose["patient_id"] = json!(patient);
            }
            let key = s.canaries.word();
            let made_now = s.with(doctor, "POST", &path, &[("idempotency-key", &key)], Some(dose), 201).await;
            made.push(made_now.json()["id"].as_str().unwrap().to_owned());
        }
        let one = format!("/api/v1/immunizations/{}", made[0]);
        let read = s.get(doctor, &one, 200).await;
        s.with(doctor, "GET", &one, &[("if-none-match", read.header("etag"))], None, 304).await;
        let notes = json!({"notes": s.canaries.word()});
        s.with(doctor, "PUT", &one, &[("if-match", read.header("etag"))], Some(notes), 200).await;
        for filter in ["", "&limit=1&total=true", "&skip=0", "&vaccine_code=08&status=completed&date_from=2025-01-01"] {
            let path = format!("/api/v1/immunizations?patient_id={patient}{filter}");
            let page = s.get(doctor, &path, 200).await.json();
            if let Some(cursor) = page["next_cursor"].as_str() {
                s.get(doctor, &format!("{path}&cursor={cursor}"), 200).await;
            }
        }
        s.get(doctor, "/api/v1/immunizations?total=true", 200).await;
        s.get(doctor, &plain(patient, "/immunizations?limit=1&total=true"), 200).await;
        made.into_iter().map(|id| format!("/fhir/Immunization/{id}")).collect()
    }

    async fn consents(&self, patient: &str) -> Vec<String> {
        let (s, desk) = (self.s, self.clinic.registrar.as_str());
        let path = plain(patient, "/consents");
        let mut made = Vec::new();
        for _ in 0..2 {
            let body = json!({"decision": "permit", "policy_text": s.canaries.word(), "category": s.canaries.word()});
            let consent = s.ask(desk, "POST", &path, Some(body), 201).await.json();
            made.push(consent["id"].as_str().unwrap().to_owned());
        }
        let change = json!({"policy_text": s.canaries.word()});
        let one = format!("{path}/{}", made[0]);
        s.with(desk, "PUT", &one, &[("if-match", "W/\"1\"")], Some(change), 200).await;
        let why = json!({"reason": s.canaries.word()});
        s.ask(desk, "POST", &format!("{path}/{}/revoke", made[1]), Some(why), 200).await;
        for query in ["", "?limit=1&total=true"] {
            s.get(desk, &format!("{path}{query}"), 200).await;
        }
        made.into_iter().map(|id| format!("/fhir/Consent/{id}")).collect()
    }
}
