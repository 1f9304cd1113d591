//! The report on accounts: who holds much, who has not been here for long, which account belongs to nobody any more, and who failed to
//! sign in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use iris_access::trail::Happened;
use iris_access::{AccessError, Permission, Permit, Search};
use iris_audit::{Action as AuditAction, Content, Filter, Outcome, Page as LogPage, QUERY_POSITIONS_MAX};
use iris_kernel::{Tenant, Timestamp};
use uuid::Uuid;

use crate::identity::{Identity, before};
use crate::lists::List;
use crate::records::UserRecord;
use crate::reviews::on_reviews;
use crate::roles::RolesRecord;
use crate::views::UserView;

/// After how long without a sign-in an account is dormant, where nobody says anything.
pub const DORMANT_DEFAULT: Duration = Duration::from_secs(90 * 86_400);
/// How far back failed sign-ins are looked for.
pub const FAILURES_WITHIN: Duration = Duration::from_secs(7 * 86_400);
/// Most failed sign-ins that are looked at; what is beyond stands in the log.
pub const FAILURES_MAX: usize = 1_000;
/// Most accounts that one page looks at.
const LOOKED_MAX: usize = 1_000;
/// Permissions with which somebody can do harm to more than single records.
const PRIVILEGES: [Permission; 8] = [
    Permission::SystemAdmin,
    Permission::AuditAdmin,
    Permission::HealthcareAdmin,
    Permission::ClinicalAdmin,
    Permission::DocumentAdmin,
    Permission::DicomAdmin,
    Permission::RetentionAdmin,
    Permission::HealthcareVeryRestricted,
];

/// What there is to say about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// It holds a permission that reaches far, now or from a later moment on.
    Privileged,
    /// It may sign in, and has not for long.
    Dormant,
    /// It may sign in, and never has.
    NeverSignedIn,
    /// No message can reach its owner.
    NoEmail,
    /// Its own patient record is gone.
    PatientGone,
    /// The practitioner who it was is gone.
    PractitionerGone,
}

impl Finding {
    /// Every finding.
    pub const ALL: [Finding; 6] = [
        Finding::Privileged,
        Finding::Dormant,
        Finding::NeverSignedIn,
        Finding::NoEmail,
        Finding::PatientGone,
        Finding::PractitionerGone,
    ];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Finding::Privileged => "privileged",
            Finding::Dormant => "dormant",
            Finding::NeverSignedIn => "never_signed_in",
            Finding::NoEmail => "no_email",
            Finding::PatientGone => "patient_gone",
            Finding::PractitionerGone => "practitioner_gone",
        }
    }

    /// Whether it makes the account one that belongs to nobody.
    #[must_use]
    pub const fn is_orphan(self) -> bool {
        matches!(self, Self::NeverSignedIn | Self::NoEmail | Self::PatientGone | Self::PractitionerGone)
    }
}

/// An account of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportItem {
    /// The account.
    pub user: UserView,
    /// What there is to say about it.
    pub findings: BTreeSet<Finding>,
    /// Which far-reaching permissions it holds.
    pub privileges: Vec<&'static str>,
}

/// A page of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportPage {
    /// The accounts, oldest first.
    pub items: Vec<ReportItem>,
    /// Where to go on; `None` at the end. A page may be short or empty and have more behind it.
    pub next: Option<u32>,
}

/// Failed sign-ins of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failures {
    /// The account; `None` for names that are none, which are not told: people type passwords there.
    pub user: Option<Uuid>,
    /// Its name.
    pub name: Option<String>,
    /// How many there were.
    pub count: u32,
    /// From how many addresses.
    pub addresses: u32,
    /// When the last one was.
    pub last: Timestamp,
}

impl Identity {
    /// A page of the report on the accounts of the permit's tenant. The permit is one on [`iris_access::Named::Reviews`].
    ///
    /// # Errors
    /// The store cannot be read, or the entry about it not written.
    pub async fn access_report(
        &self,
        permit: &Permit<Search>,
        dormant: Duration,
        (after, limit): (Option<u32>, usize),
    ) -> Result<ReportPage, AccessError> {
        let (caller, tenant) = (on_reviews(permit)?, permit.tenant());
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        let mut page = ReportPage::default();
        let listed = self.list_numbered::<UserRecord>(tenant, List::Users, after, LOOKED_MAX)?;
        page.next = listed.next;
        let last = listed.items.len();
        for (at, (number, user)) in listed.items.into_iter().enumerate() {
            let item = self.report_item(tenant, user, (&custom, dormant))?;
            if !item.findings.is_empty() {
                page.items.push(item);
            }
            if page.items.len() >= limit {
                page.next = if at + 1 < last { Some(number) } else { page.next };
                break;
            }
        }
        let what = Happened::new(AuditAction::ReviewRead, Outcome::Success, None).because("the report on accounts");
        self.audit.record(self.event_by(caller, what)).await?;
        Ok(page)
    }

    fn report_item(
        &self,
        tenant: Tenant,
        user: UserRecord,
        (custom, dormant): (&RolesRecord, Duration),
    ) -> Result<ReportItem, AccessError> {
        let now = self.clock.now();
        let mut rules: Vec<_> = user.role_set()?.iter().flat_map(crate::held::rules_of).collect();
        for grant in user.grants.iter().filter(|grant| !grant.is_over(now)) {
            rules.extend(grant.what.rules(custom)?);
        }
        let holds = |one: &Permission| rules.iter().any(|rule| !rule.own_record_only && rule.permissions.has(*one));
        let privileges: Vec<_> = PRIVILEGES.into_iter().filter(holds).map(Permission::name).collect();
        let long_ago = |at: i64| now.since(Timestamp(at)) >= dormant;
        let gone = |name: &str, id: &Option<String>| -> Result<bool, AccessError> {
            match (iris_fhir::definitions::kind_of(name), id) {
                (Some(kind), Some(id)) => Ok(!self.store.present(tenant, kind, id)?),
                _ => Ok(false),
            }
        };
        let said = [
            (Finding::Privileged, !privileges.is_empty()),
            (Finding::Dormant, user.enabled && user.last_login.or(user.created).is_none_or(long_ago)),
            (Finding::NeverSignedIn, user.enabled && user.last_login.is_none() && user.created.is_some()),
            (Finding::NoEmail, user.email.is_none()),
            (Finding::PatientGone, gone("Patient", &user.patient)?),
            (Finding::PractitionerGone, gone("Practitioner", &user.practitioner)?),
        ];
        let findings = said.into_iter().filter_map(|(finding, is)| is.then_some(finding)).collect();
        Ok(ReportItem { user: self.view_with(user, custom), findings, privileges })
    }

    /// The failed sign-ins of the last seven days, at most [`FAILURES_MAX`] of them, by account, most first. Blocks while it looks
    /// through the log.
    ///
    /// # Errors
    /// The log or the store cannot be read, or the entry about it not written.
    pub async fn failed_sign_ins(&self, permit: &Permit<Search>) -> Result<Vec<Failures>, AccessError> {
        let (caller, tenant) = (on_reviews(permit)?, permit.tenant());
        let filter = Filter {
            actions: vec![AuditAction::LoginFailure, AuditAction::FactorRefuse],
            from: Some(before(self.clock.now(), FAILURES_WITHIN)),
            ..Filter::tenant(tenant)
        };
        let what = Happened::new(AuditAction::ReviewRead, Outcome::Success, None).because("failed sign-ins");
        let event = self.event_by(caller, what);
        let page = LogPage { before: None, size: FAILURES_MAX };
        let sealed =
            self.audit.query(&filter, page, event).map_err(|error| AccessError::Unavailable(Box::new(error)))?;
        let entries = self.audit.release(sealed).await?.entries;
        let mut by_account: BTreeMap<Option<Uuid>, (u32, BTreeSet<String>, Timestamp)> = BTreeMap::new();
        for entry in entries {
            let Content::Open(details) = entry.content else { continue };
            let account = details.resources.iter().find_map(|one| one.strip_prefix("User/")?.parse::<Uuid>().ok());
            let (count, addresses, last) = by_account.entry(account).or_default();
            *count += 1;
            addresses.insert(details.address.clone());
            *last = (*last).max(entry.header.at);
        }
        let mut failures = Vec::new();
        for (user, (count, addresses, last)) in by_account {
            let known = user.map(|id| self.user(tenant, id)).transpose()?.flatten();
            let name = known.as_ref().map(|user| user.value.name.clone());
            let addresses = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
            failures.push(Failures { user: known.map(|user| user.value.id), name, count, addresses, last });
        }
        failures.sort_by_key(|one| std::cmp::Reverse(one.count));
        Ok(failures)
    }
}

// The log is read in one look, which must be able to see as many entries as are counted.
const _: () = assert!(FAILURES_MAX as u64 <= QUERY_POSITIONS_MAX);
