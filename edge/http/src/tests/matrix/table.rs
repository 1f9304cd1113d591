//! The table that people read: for each group of routes, what each role may in each relation.

use iris_access::{Role, Target, family_of_name};

use super::model::Came;
use super::promised::Relation;
use crate::endpoint::{Endpoint, Needs};

/// What came of one row: for each relation, each role.
pub(super) type Outcomes = Vec<Vec<Came>>;

/// Widest name of a relation, and a gap.
const NAME: usize = 16;

/// Chapters, each with the beginnings of its paths; the first that fits counts.
const CHAPTERS: [(&str, &[&str]); 7] = [
    (
        "Immunizations, and the tables of vaccines",
        &["/api/v1/immunizations", "/api/v1/patients/{id}/immunizations", "/api/v1/iris"],
    ),
    ("Patients, their charts and consents", &["/api/v1/patients"]),
    ("Emergencies", &["/api/v1/break-glass"]),
    ("The access log", &["/api/v1/audit"]),
    ("FHIR: one type of each family", &["/fhir/{type}", "/fhir"]),
    (
        "Accounts, roles, tenants, reviews, settings",
        &[
            "/api/v1/admin",
            "/api/v1/auth/roles",
            "/api/v1/auth/users",
            "/api/v1/auth/permissions",
            "/api/v1/keys",
            "/api/v1/config",
        ],
    ),
    ("Signing in, the own account, what is open to all", &["/"]),
];

/// A route of the table: as routed, or with the type that a row stands for.
pub(super) struct Line {
    pub(super) endpoint: Endpoint,
    pub(super) kind: &'static str,
    pub(super) outcomes: Outcomes,
}

impl Line {
    fn chapter(&self) -> &'static str {
        let (chapter, _) =
            CHAPTERS.iter().find(|(_, paths)| paths.iter().any(|path| self.endpoint.path.starts_with(path))).unwrap();
        chapter
    }

    fn text(&self) -> String {
        let path = self.endpoint.path.replace("{type}", self.kind);
        let route = format!("{:<7} {path}", self.endpoint.method.as_str());
        format!("{route:<72} {}", self.needs()).trim_end().to_owned()
    }

    /// The permission that the route names.
    fn needs(&self) -> String {
        let permission = match self.endpoint.needs {
            Needs::Records(action, name) => family_of_name(name).permission(action),
            Needs::Named(action, named) => Target::Named(named).family().permission(action),
            Needs::Nothing => return String::new(),
            Needs::SignedIn | Needs::Session => {
                return if self.kind.is_empty() { "a token".to_owned() } else { String::new() };
            }
        };
        let fresh = if self.endpoint.step_up { ", fresh proof" } else { "" };
        permission.map(|permission| format!("{permission}{fresh}")).unwrap_or_default()
    }
}

/// The whole table.
pub(super) fn table(lines: &[Line]) -> String {
    let mut out = legend(lines);
    for (chapter, _) in CHAPTERS {
        out.push_str(&format!("\n\n{}\n{}\n", chapter, "=".repeat(chapter.len())));
        let mut groups: Vec<(&Outcomes, Vec<&Line>)> = Vec::new();
        for line in lines.iter().filter(|line| line.chapter() == chapter) {
            match groups.iter_mut().find(|(outcomes, _)| **outcomes == line.outcomes) {
                Some((_, group)) => group.push(line),
                None => groups.push((&line.outcomes, vec![line])),
            }
        }
        for (outcomes, group) in groups {
            out.push('\n');
            group.iter().for_each(|line| out.push_str(&format!("{}\n", line.text())));
            out.push_str(&grid(outcomes));
        }
    }
    out
}

fn legend(lines: &[Line]) -> String {
    let cells = lines.len() * Relation::ALL.len() * Role::ALL.len();
    let mut out = format!(
        "Who may do what, for whom: {} routes x {} relations x {} roles = {cells} requests, each made and compared with what is promised.\n\n",
        lines.len(),
        Relation::ALL.len(),
        Role::ALL.len()
    );
    out.push_str("What came of a request:\n");
    for (came, meaning) in Came::LEGEND {
        out.push_str(&format!("  {:<8}{meaning}\n", came.word()));
    }
    out.push_str("\nHow the caller stands to what the request is about:\n");
    for relation in Relation::ALL {
        out.push_str(&format!("  {:<NAME$}{}\n", relation.name(), relation.meaning()));
    }
    out.push_str(
        "\nRoutes with one grid below them are answered alike. What is about no patient, account or tenant is answered alike in most relations.\n",
    );
    out
}

fn grid(outcomes: &Outcomes) -> String {
    let mut out = format!("  {:<NAME$}", "");
    for role in Role::ALL {
        out.push_str(&format!("{:<width$}", role.name(), width = width(role)));
    }
    out = format!("{}\n", out.trim_end());
    for (relation, cells) in Relation::ALL.iter().zip(outcomes) {
        let mut line = format!("  {:<NAME$}", relation.name());
        for (role, came) in Role::ALL.iter().zip(cells) {
            line.push_str(&format!("{:<width$}", came.word(), width = width(*role)));
        }
        out.push_str(&format!("{}\n", line.trim_end()));
    }
    out
}

/// Room for the name of a role and for every word.
fn width(role: Role) -> usize {
    role.name().len().max(6) + 2
}
