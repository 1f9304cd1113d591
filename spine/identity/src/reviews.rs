//! Reviews of who has access (45 CFR 164.308(a)(4)(ii)(C)): somebody begins one over all accounts, those with a role or those of a
//! department; each account is kept or its access taken away, with a reason; the review closes when all are decided.

use std::sync::Arc;
use std::time::Duration;

use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Action, Caller, Create, Denial, Named, Permit, Read, Search, Target, Update};
use iris_audit::{Action as AuditAction, Outcome};
use iris_kernel::{Fault, Tenant, Timestamp};
use iris_store::{Expect, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts::not_oneself;
use crate::grants::{reason_faults, told};
use crate::identity::Identity;
use crate::kinds;
use crate::lists::{LIST_PAGE_MAX, List};
use crate::records::{self, Granted, Stored, UserRecord};
use crate::roles::RolesRecord;
use crate::users::USERS_COUNTED_MAX;
use crate::views::{Page, UserView};

/// Longest time that a review may take.
pub const REVIEW_SPAN_MAX: Duration = Duration::from_secs(366 * 86_400);
/// Accounts in one stored part of a review.
const PART_ITEMS: usize = 100;

/// Which accounts a review is about; those that are locked have no access to review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewScope {
    /// All.
    All,
    /// Those that have this role, of the product or of the tenant, be it for a time.
    Role(String),
    /// Those of the Organization with this id.
    Department(String),
}

/// What a reviewer decides about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It keeps what it has.
    Keep,
    /// All its roles and grants are taken away, its sessions end, and nobody signs in with it.
    Revoke,
}

impl Verdict {
    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Keep => "keep",
            Verdict::Revoke => "revoke",
        }
    }
}

/// A review as stored, without its accounts.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReviewRecord {
    id: Uuid,
    scope: ReviewScope,
    by: Uuid,
    by_name: String,
    started: i64,
    due: i64,
    total: u32,
    decided: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    closed: Option<i64>,
}

/// Some of its accounts.
#[derive(Clone, Default, Serialize, Deserialize)]
struct PartRecord {
    items: Vec<ItemRecord>,
}

#[derive(Clone, Serialize, Deserialize)]
struct ItemRecord {
    user: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

/// What was decided about an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// Who decided.
    pub by: Uuid,
    /// Their name at that time.
    pub by_name: String,
    /// Why.
    pub reason: String,
    /// What the account held when it was decided.
    pub held: String,
    at: i64,
}

impl Decision {
    /// When it was decided.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        Timestamp(self.at)
    }
}

/// A review as answers show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewView {
    /// The id.
    pub id: Uuid,
    /// Which accounts it is about.
    pub scope: ReviewScope,
    /// Who began it, by the name at that time.
    pub by_name: String,
    /// When it began.
    pub started: Timestamp,
    /// When it should be done.
    pub due: Timestamp,
    /// How many accounts it is about.
    pub total: u32,
    /// About how many of them has been decided.
    pub decided: u32,
    /// When the last one was decided.
    pub closed: Option<Timestamp>,
    /// Whether it is open and should have been done by now.
    pub overdue: bool,
}

/// An account in a review: as it is now, with what was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewItem {
    /// The account.
    pub user: UserView,
    /// What was decided, if anything was.
    pub decision: Option<Decision>,
}

impl ReviewRecord {
    fn view(&self, now: Timestamp) -> ReviewView {
        ReviewView {
            id: self.id,
            scope: self.scope.clone(),
            by_name: self.by_name.clone(),
            started: Timestamp(self.started),
            due: Timestamp(self.due),
            total: self.total,
            decided: self.decided,
            closed: self.closed.map(Timestamp),
            overdue: self.closed.is_none() && self.due <= now.0,
        }
    }
}

fn part_id(review: Uuid, part: usize) -> String {
    format!("{review}-{part}")
}

impl Identity {
    /// Begins a review in the permit's tenant, to be done until `due`. The permit is one on [`Named::Reviews`].
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault; [`AccessError::Refused`] for more accounts than [`USERS_COUNTED_MAX`].
    pub async fn review_start(
        &self,
        permit: &Permit<Create>,
        scope: ReviewScope,
        due: Timestamp,
    ) -> Result<ReviewView, AccessError> {
        let caller = on_reviews(permit)?;
        let result = self.review_started(caller, permit.tenant(), (scope, due)).await;
        self.tried(caller, (AuditAction::ReviewStart, None), result).await
    }

    async fn review_started(
        &self,
        caller: &Caller,
        tenant: Tenant,
        (scope, due): (ReviewScope, Timestamp),
    ) -> Result<ReviewView, AccessError> {
        let now = self.clock.now();
        let mut faults = Vec::new();
        if due <= now || due > now.plus(REVIEW_SPAN_MAX) {
            faults.push(Fault::new("due", "must be within a year from now"));
        }
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        match &scope {
            ReviewScope::All => {}
            ReviewScope::Role(name) if name.parse::<iris_access::Role>().is_err() && custom.by_name(name).is_none() => {
                faults.push(Fault::new("role", "there is no such role"));
            }
            ReviewScope::Role(_) => {}
            ReviewScope::Department(id) => {
                if !self.resource_present(tenant, "Organization", id).await? {
                    faults.push(Fault::new("department", "there is no such organization"));
                }
            }
        }
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        let users = self.reviewed(tenant, (&scope, &custom), now)?;
        if users.is_empty() {
            return Err(AccessError::Invalid(vec![Fault::new("scope", "there is no account to review")]));
        }
        let review = ReviewRecord {
            id: self.entropy.uuid(),
            scope,
            by: caller.subject.id,
            by_name: caller.subject.name.to_string(),
            started: now.0,
            due: due.0,
            total: u32::try_from(users.len()).unwrap_or(u32::MAX),
            decided: 0,
            closed: None,
        };
        for _ in 0..TRIES_MAX {
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(tenant);
            records::add(&mut tx, stamp, kinds::REVIEW, &review.id.to_string(), &review)?;
            for (at, part) in users.chunks(PART_ITEMS).enumerate() {
                let items = part.iter().map(|user| ItemRecord { user: *user, decision: None }).collect();
                records::add(&mut tx, stamp, kinds::REVIEW_PART, &part_id(review.id, at), &PartRecord { items })?;
            }
            self.list_append(&mut tx, stamp, tenant, List::Reviews, review.id)?;
            let detail = format!("{} accounts, due {}", review.total, due.rfc3339());
            let resource = Some(format!("Review/{}", review.id));
            let what = Happened::new(AuditAction::ReviewStart, Outcome::Success, resource).because(&detail);
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                return Ok(review.view(now));
            }
        }
        Err(AccessError::Conflict)
    }

    /// The accounts that a scope means.
    fn reviewed(
        &self,
        tenant: Tenant,
        (scope, custom): (&ReviewScope, &RolesRecord),
        now: Timestamp,
    ) -> Result<Vec<Uuid>, AccessError> {
        if self.list_size(tenant, List::Users)? > USERS_COUNTED_MAX {
            return Err(AccessError::Refused("there are more than 10,000 accounts; a review takes no more"));
        }
        let has = |user: &UserRecord, name: &str| {
            let own = custom.by_name(name).map(|role| role.id);
            let granted = |what: &Granted| match what {
                Granted::Role(role) => role == name,
                Granted::Custom(id) => Some(*id) == own,
                Granted::Permission(_) => false,
            };
            user.roles.iter().any(|role| role == name)
                || user.grants.iter().any(|grant| !grant.is_over(now) && granted(&grant.what))
        };
        let meant = |user: &UserRecord| match scope {
            ReviewScope::All => true,
            ReviewScope::Role(name) => has(user, name),
            ReviewScope::Department(id) => user.departments.contains(id),
        };
        let (mut users, mut after) = (Vec::new(), Some(0));
        while let Some(from) = after {
            let page = self.list_page::<UserRecord>(tenant, List::Users, Some(from), LIST_PAGE_MAX)?;
            users.extend(page.items.iter().filter(|user| user.enabled && meant(user)).map(|user| user.id));
            after = page.next;
        }
        Ok(users)
    }

    /// The reviews of the permit's tenant, oldest first.
    ///
    /// # Errors
    /// The store cannot be read, or the entry about it not written.
    pub async fn review_list(
        &self,
        permit: &Permit<Search>,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<ReviewView>, AccessError> {
        let caller = on_reviews(permit)?;
        let page = self.list_page::<ReviewRecord>(permit.tenant(), List::Reviews, after, limit)?;
        let what = Happened::new(AuditAction::ReviewRead, Outcome::Success, None).because("reviews were listed");
        self.audit.record(self.event_by(caller, what)).await?;
        let now = self.clock.now();
        let items = page.items.iter().map(|review| review.view(now)).collect();
        Ok(Page { items, next: page.next, total: page.total })
    }

    /// A review with a page of its accounts, as they are now.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn review_read(
        &self,
        permit: &Permit<Read>,
        id: Uuid,
        after: Option<u32>,
        limit: usize,
    ) -> Result<(ReviewView, Page<ReviewItem>), AccessError> {
        let caller = on_reviews(permit)?;
        let resource = Some(format!("Review/{id}"));
        let found = self.review(permit.tenant(), id);
        let review = self.tried(caller, (AuditAction::ReviewRead, resource.clone()), found).await?.value;
        let page = self.review_items(permit.tenant(), &review, (after, limit))?;
        let what = Happened::new(AuditAction::ReviewRead, Outcome::Success, resource);
        self.audit.record(self.event_by(caller, what)).await?;
        Ok((review.view(self.clock.now()), page))
    }

    fn review_items(
        &self,
        tenant: Tenant,
        review: &ReviewRecord,
        (after, limit): (Option<u32>, usize),
    ) -> Result<Page<ReviewItem>, AccessError> {
        let first = after.unwrap_or(0) as usize;
        let last = first.saturating_add(limit.clamp(1, LIST_PAGE_MAX)).min(review.total as usize);
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        let mut items = Vec::new();
        let mut at = first;
        while at < last {
            let part = self.review_part(tenant, review.id, at / PART_ITEMS)?;
            let until = last.min((at / PART_ITEMS + 1) * PART_ITEMS);
            for item in part.value.items.into_iter().skip(at % PART_ITEMS).take(until - at) {
                let Some(user) = self.user(tenant, item.user)? else { continue };
                items.push(ReviewItem { user: self.view_with(user.value, &custom), decision: item.decision });
            }
            at = until;
        }
        let next = u32::try_from(last).ok().filter(|last| *last < review.total);
        Ok(Page { items, next, total: review.total })
    }

    fn review(&self, tenant: Tenant, id: Uuid) -> Result<Stored<ReviewRecord>, AccessError> {
        let row = self.store.current(tenant, kinds::REVIEW, &id.to_string())?;
        records::read(row)?.ok_or(AccessError::NotFound("review"))
    }

    fn review_part(&self, tenant: Tenant, id: Uuid, part: usize) -> Result<Stored<PartRecord>, AccessError> {
        let row = self.store.current(tenant, kinds::REVIEW_PART, &part_id(id, part))?;
        records::read(row)?.ok_or_else(|| AccessError::Damaged("a part of a review is gone".into()))
    }

    /// Decides about one account of a review. `revoke` takes all its roles and grants away, ends its sessions and locks it, in the same
    /// write.
    ///
    /// # Errors
    /// [`AccessError::NotFound`] for a review that is not there or is not about the account; [`AccessError::Refused`] for oneself, for
    /// what has been decided, for the last administrator; [`AccessError::Denied`] where somebody who is no administrator revokes one.
    pub async fn review_decide(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        user: Uuid,
        (verdict, reason): (Verdict, String),
    ) -> Result<ReviewView, AccessError> {
        let caller = on_reviews(permit)?;
        let mut faults = Vec::new();
        reason_faults(&reason, &mut faults);
        let result = match faults.is_empty() {
            true => self.review_decided(caller, permit.tenant(), (id, user), (verdict, reason)).await,
            false => Err(AccessError::Invalid(faults)),
        };
        self.tried(caller, (AuditAction::ReviewDecide, Some(format!("Review/{id}"))), result).await
    }

    async fn review_decided(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        (id, user): (Uuid, Uuid),
        (verdict, reason): (Verdict, String),
    ) -> Result<ReviewView, AccessError> {
        for _ in 0..TRIES_MAX {
            let review = self.review(tenant, id)?;
            let (at, part, item) = self.review_item(tenant, &review.value, user)?;
            not_oneself(caller, user)?;
            if part.value.items[item].decision.is_some() {
                return Err(AccessError::Refused("this has been decided already"));
            }
            let account = self.user(tenant, user)?.ok_or(AccessError::NotFound("user"))?;
            let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
            let held = told(&account.value, &custom);
            let mut tx = self.store.begin(tenant);
            match verdict {
                Verdict::Revoke => self.revoke_all(&mut tx, caller, (&account, &custom), &reason)?,
                // What was held is kept with the decision, so it must be what was decided about.
                Verdict::Keep => {
                    self.giver(caller, Some(self.clock.now().0))?.require(&mut tx);
                    tx.require(kinds::USER, &user.to_string(), Expect::Current(account.seq));
                }
            }
            let stamp = self.stamp(caller.subject.id);
            let (by, by_name, reason) = (caller.subject.id, caller.subject.name.to_string(), reason.clone());
            let mut next = part.value.clone();
            next.items[item].decision = Some(Decision { verdict, by, by_name, reason, held, at: stamp.at.0 });
            records::change(&mut tx, stamp, (kinds::REVIEW_PART, &part_id(id, at)), &part, &next)?;
            let decided = review.value.decided + 1;
            let closed = (decided >= review.value.total).then_some(stamp.at.0);
            let after = ReviewRecord { decided, closed, ..review.value.clone() };
            records::change(&mut tx, stamp, (kinds::REVIEW, &id.to_string()), &review, &after)?;
            let end = if closed.is_some() { "; the review is closed" } else { "" };
            let detail =
                format!("{} {} ({user}); {}{end}", verdict.name(), account.value.name, next.items[item].reason());
            let resource = Some(format!("Review/{id}"));
            let what = Happened::new(AuditAction::ReviewDecide, Outcome::Success, resource).because(&detail);
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                if verdict == Verdict::Revoke {
                    self.lower(tenant, kinds::USER, user);
                }
                return Ok(after.view(stamp.at));
            }
        }
        Err(AccessError::Conflict)
    }

    /// Where in a review an account stands: the part's number, the part, the place in it.
    fn review_item(
        &self,
        tenant: Tenant,
        review: &ReviewRecord,
        user: Uuid,
    ) -> Result<(usize, Stored<PartRecord>, usize), AccessError> {
        for at in 0..(review.total as usize).div_ceil(PART_ITEMS) {
            let part = self.review_part(tenant, review.id, at)?;
            if let Some(item) = part.value.items.iter().position(|item| item.user == user) {
                return Ok((at, part, item));
            }
        }
        Err(AccessError::NotFound("account in this review"))
    }

    fn revoke_all(
        &self,
        tx: &mut Tx,
        caller: &Arc<Caller>,
        (account, custom): (&Stored<UserRecord>, &RolesRecord),
        reason: &str,
    ) -> Result<(), AccessError> {
        let tenant = caller.tenant;
        self.may_lock(caller, tenant, &account.value)?.require(tx);
        let next = UserRecord {
            roles: Vec::new(),
            grants: Vec::new(),
            patient: None,
            enabled: false,
            epoch: account.value.epoch.saturating_add(1),
            ..account.value.clone()
        };
        self.keep_an_admin(tx, tenant, &account.value, &next)?;
        let detail = format!("took everything and locked, by a review: {reason}");
        self.account_put(tx, caller, account, (&next, custom), (AuditAction::RoleRevoke, &detail))
    }
}

impl ItemRecord {
    fn reason(&self) -> &str {
        self.decision.as_ref().map_or("", |decision| decision.reason.as_str())
    }
}

/// Whether the permit is one on reviews.
pub(crate) fn on_reviews<A: Action>(permit: &Permit<A>) -> Result<&Arc<Caller>, AccessError> {
    if permit.target() == Target::Named(Named::Reviews) {
        return Ok(permit.caller());
    }
    let (action, family) = (permit.action(), Target::Named(Named::Reviews).family());
    Err(AccessError::Denied(Denial::Never { action, family }))
}
