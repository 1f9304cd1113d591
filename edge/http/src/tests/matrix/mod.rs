//! Every route, in every role, in every relation: asked for real, and compared with what is promised. What is asked comes from the list
//! of endpoints that is routed; what must come of it from a table by hand (`promised`) and a small model (`model`), neither of
//! which looks at the code that decides. `golden/access-matrix.txt` is the whole of it, for people to read.

mod bodies;
mod cell;
mod model;
mod promised;
mod rows;
mod scene;
mod table;

use iris_access::Role;

use self::model::expected;
use self::promised::Relation;
use self::rows::{ROUNDS, Row, rows};
use self::scene::Scene;
use self::table::{Line, table};
use crate::endpoint::Endpoint;
use crate::endpoints;

/// Fewer cells than this and something fell out.
const CELLS_MIN: usize = 10_000;

/// Every route with its rows, in the order in which it is routed; FHIR's routes have one for each type.
fn routed() -> Vec<(Endpoint, Vec<Row>)> {
    let mut left = rows();
    let mut routed = Vec::new();
    for endpoint in endpoints() {
        let is_of = |row: &Row| row.method == endpoint.method.as_str() && row.path == endpoint.path;
        let (mine, others) = left.into_iter().partition(is_of);
        left = others;
        routed.push((endpoint, mine));
    }
    let lost: Vec<(&str, &str)> = left.iter().map(|row| (row.method, row.path)).collect();
    assert!(lost.is_empty(), "rows without a route: {lost:#?}");
    routed
}

#[test]
fn every_route_has_its_row() {
    let without = |(endpoint, rows): &(Endpoint, Vec<Row>)| {
        rows.is_empty().then(|| format!("{} {}", endpoint.method, endpoint.path))
    };
    let bare: Vec<String> = routed().iter().filter_map(without).collect();
    assert!(bare.is_empty(), "routes without a row in the matrix, see rows.rs: {bare:#?}");
}

#[test]
fn the_table_is_what_is_promised() {
    let line = |endpoint: &Endpoint, row: Row| {
        let of = |relation| Role::ALL.map(|role| expected(row.asks, relation, role)).to_vec();
        Line { endpoint: endpoint.clone(), kind: row.kind, outcomes: Relation::ALL.map(of).to_vec() }
    };
    let lines: Vec<Line> = routed()
        .into_iter()
        .flat_map(|(endpoint, rows)| rows.into_iter().map(move |row| line(&endpoint, row)))
        .collect();
    let cells = lines.len() * Relation::ALL.len() * Role::ALL.len();
    assert!(cells >= CELLS_MIN, "{cells} cells");
    crate::golden::check("access-matrix.txt", &table(&lines));
}

/// All rows in all roles in one relation, in a world of its own: each as promised.
async fn ask(relation: Relation) {
    let rows: Vec<Row> = routed().into_iter().flat_map(|(_, rows)| rows).collect();
    let (scene, all) = Scene::new(relation).await;
    let (mut cells, mut wrong) = (0, Vec::new());
    for round in 0..ROUNDS {
        for who in &all {
            for row in rows.iter().filter(|row| row.round == round) {
                cells += 1;
                if let Err(why) = cell::cell(&scene, who, row).await {
                    let path = row.path.replace("{type}", row.kind);
                    wrong.push(format!("  {} {path}, {}: {why}\n", row.method, who.role));
                }
            }
        }
    }
    println!("{}: {cells} cells, {} mismatches", relation.name(), wrong.len());
    assert_eq!(cells, rows.len() * Role::ALL.len());
    assert!(
        wrong.is_empty(),
        "{}: {} of {cells} cells are not as promised:\n{}",
        relation.name(),
        wrong.len(),
        wrong.concat()
    );
}

#[tokio::test]
async fn promised_to_oneself() {
    ask(Relation::Own).await;
}

#[tokio::test]
async fn promised_to_the_care_team() {
    ask(Relation::CareTeam).await;
}

#[tokio::test]
async fn promised_to_strangers() {
    ask(Relation::Stranger).await;
}

#[tokio::test]
async fn promised_to_another_tenant() {
    ask(Relation::OtherTenant).await;
}

#[tokio::test]
async fn promised_to_whom_a_consent_denies() {
    ask(Relation::ConsentDenied).await;
}

#[tokio::test]
async fn promised_to_whom_a_label_denies() {
    ask(Relation::LabelDenied).await;
}

#[tokio::test]
async fn promised_after_a_grant() {
    ask(Relation::ExpiredGrant).await;
}

#[tokio::test]
async fn promised_in_an_emergency() {
    ask(Relation::BreakGlass).await;
}

#[tokio::test]
async fn promised_after_signing_out() {
    ask(Relation::RevokedToken).await;
}

#[tokio::test]
async fn promised_without_a_token() {
    ask(Relation::NoToken).await;
}
