//! Tenants share the connections of a pool and nothing else.

use iris_testkit::Clinic;
use iris_testkit::load::{Load, Request, summary};
use iris_testkit::postgres::{Database, RUNTIME};
use serde_json::json;

use crate::{binary, soak};

const TENANTS: usize = 4;
const PATIENTS: usize = 10;

#[test]
fn interleaved_requests_of_tenants_through_one_pool_see_their_own_records_only() {
    let Some(database) = Database::empty() else { return };
    let environment = [
        ("IRIS_DATABASE_URL", database.url()),
        ("IRIS_DATABASE_MIGRATE_URL", database.owner_url()),
        ("IRIS_DATABASE_POOL", "4".to_owned()),
    ];
    let clinic = Clinic::with(binary(), &environment.each_ref().map(|(name, value)| (*name, value.as_str())));
    let tenants = (0..TENANTS).map(|number| Tenant::open(&clinic, number)).collect::<Vec<_>>();
    let requests = if soak() { 100_000 } else { 4_000 };
    let load = Load {
        name: "tenants",
        base: &clinic.server.base,
        bearer: None,
        rate: requests / 8,
        seconds: 8,
        connections: 16,
    };
    // Each request is signed by one tenant and asks for a record of that or of another.
    let pick = |number: u64| {
        let number = usize::try_from(number).unwrap();
        let (asking, asked) = (number % TENANTS, number / TENANTS % TENANTS);
        (asking, asked, number / TENANTS / TENANTS % PATIENTS)
    };
    let outcomes = load.run(&|number| {
        let (asking, asked, patient) = pick(number);
        let path = match number % 7 {
            0 => format!("/fhir/Patient?family=family&_count={PATIENTS}"),
            1 => format!("/fhir/Patient?_id={}", tenants[asked].patients[patient]),
            _ => format!("/fhir/Patient/{}", tenants[asked].patients[patient]),
        };
        let headers = vec![("authorization", tenants[asking].bearer.clone())];
        Request { what: "read", method: "GET", path, headers, body: None }
    });
    println!("{}", summary(&outcomes));
    for outcome in &outcomes {
        let (asking, asked, _) = pick(outcome.number);
        let answer = outcome.answer.as_ref().unwrap();
        let body = String::from_utf8_lossy(&answer.body);
        let own = format!("\"Family of {asking}\"");
        let foreign = body.matches("\"Family of ").count() - body.matches(&own).count();
        assert_eq!(foreign, 0, "tenant {asking} was shown {body}");
        let (status, records) = match (outcome.number % 7, asking == asked) {
            (0, _) => (200, PATIENTS),
            (1, own) => (200, usize::from(own)),
            (_, true) => (200, 1),
            (_, false) => (404, 0),
        };
        assert_eq!((answer.status, body.matches(&own).count()), (status, records), "{body}");
    }
    the_role_sees_nothing_without_a_tenant(&database);
}

struct Tenant {
    bearer: String,
    patients: Vec<String>,
}

impl Tenant {
    fn open(clinic: &Clinic, number: usize) -> Self {
        let name = format!("tenant{number}");
        let tenant = clinic.command(&["tenant", "create", "--name", &name, "-o", "json"])["tenant"].to_string();
        let arguments = ["--role", "physician", "--tenant", &tenant];
        let bearer = clinic.user_with(&format!("doc.{number}"), &arguments, Some(&name));
        let make = |_| {
            let body = json!({ "resourceType": "Patient", "name": [{ "family": format!("Family of {number}") }] });
            let headers = [("authorization", bearer.as_str()), ("content-type", "application/fhir+json")];
            let made = clinic.server.send("POST", "/fhir/Patient", &headers, Some(body.to_string().as_bytes()));
            made.expect(201).json()["id"].as_str().unwrap().to_owned()
        };
        let patients = (0..PATIENTS).map(make).collect();
        Self { bearer, patients }
    }
}

/// Every table of rows that belong to a tenant, as the role that IRIS runs as: without naming a tenant there is nothing in it, and
/// nothing can be put there; having named one, only that one's.
fn the_role_sees_nothing_without_a_tenant(database: &Database) {
    let tables = database.sql(
        "select table_name from information_schema.columns where column_name = 'tenant' and table_schema = 'public'",
    );
    let mut filled = 0;
    for table in tables.lines() {
        let all: u64 = database.sql(&format!("select count(*) from {table}")).parse().unwrap();
        filled += u64::from(all > 0);
        let seen = |before: &str| {
            let asked = format!("begin; {before} select count(*) from {table}; commit");
            database.try_sql(RUNTIME, &asked).unwrap().lines().last().unwrap().to_owned()
        };
        assert_eq!(seen(""), "0", "{table}");
        assert_eq!(seen("set local iris.tenant = '';"), "0", "{table}");
        let second = database.sql(&format!("select count(*) from {table} where tenant = 2"));
        assert_eq!(seen("set local iris.tenant = '2';"), second, "{table}");
        let moved = database.try_sql(RUNTIME, &format!("update {table} set tenant = 3")).unwrap_or_default();
        assert_eq!(moved, "", "{table}");
        assert_eq!(database.sql(&format!("select count(*) from {table}")), all.to_string());
        let named =
            format!("begin; set local iris.tenant = '2'; update {table} set tenant = 3 where tenant = 2; commit");
        if second != "0" {
            assert!(database.try_sql(RUNTIME, &named).is_err(), "a row of {table} was given to another tenant");
        }
    }
    assert!(filled >= 3, "of {tables} only {filled} have rows");
}
