//! What is given to one person beside their standing roles: a role of the product or of the tenant, or a single permission, from and
//! until when, by whom and why. Nobody gives what they do not hold themselves, nothing to themselves, and nothing for longer than they hold
//! it.

use std::sync::Arc;

use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{AccessError, Caller, PermissionSet, Permit, Role, Rule, Update};
use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Tenant, Timestamp};
use iris_store::{Expect, Tx};
use uuid::Uuid;

use crate::accounts::not_oneself;
use crate::held::{permission_named, rules_of};
use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, Grant, Granted, Stored, UserRecord};
use crate::roles::{ROLES_ID, RolesRecord};
use crate::views::{GrantView, UserView};

/// Most grants of one account, those whose time is over not counted.
pub const GRANTS_MAX: usize = 50;
/// Longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 500;

/// What is to be given, or taken away: exactly one of the two words.
#[derive(Clone, Debug, Default)]
pub struct GrantWords {
    /// Name of a role of the product or of the tenant.
    pub role: Option<String>,
    /// Name of a permission.
    pub permission: Option<String>,
}

/// A grant to be made.
#[derive(Clone, Debug, Default)]
pub struct NewGrant {
    /// What is given.
    pub what: GrantWords,
    /// From when on; from now on where there is none.
    pub from: Option<Timestamp>,
    /// Until when; for good where there is none.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// A grant, or a standing role, to be taken away.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// What is taken away: every grant of it, and the standing role.
    pub what: GrantWords,
    /// Only the grant with this id.
    pub grant: Option<Uuid>,
    /// Why.
    pub reason: String,
}

pub(crate) fn reason_faults(reason: &str, faults: &mut Vec<Fault>) {
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        faults.push(Fault::new("reason", "must be a text of at most 500 characters"));
    }
}

impl GrantWords {
    /// What is meant, among the roles of the product and of the tenant.
    fn resolve(&self, custom: &RolesRecord, faults: &mut Vec<Fault>) -> Option<Granted> {
        let fault = |at: &str, what: &str| Some(Fault::new(at, what));
        let (meant, fault) = match (&self.role, &self.permission) {
            (Some(name), None) => match name.parse::<Role>() {
                Ok(role) => (Some(Granted::Role(role.name().to_owned())), None),
                Err(_) => match custom.by_name(name) {
                    Some(role) => (Some(Granted::Custom(role.id)), None),
                    None => (None, fault("role", "there is no such role")),
                },
            },
            (None, Some(name)) => match permission_named(name) {
                Some(permission) => (Some(Granted::Permission(permission.name().to_owned())), None),
                None => (None, fault("permission", "there is no such permission")),
            },
            (None, None) => (None, fault("role", "a role or a permission is needed")),
            (Some(_), Some(_)) => (None, fault("permission", "cannot stand beside a role; grant one after the other")),
        };
        faults.extend(fault);
        meant
    }
}

impl Granted {
    /// The rules that it gives.
    pub(crate) fn rules(&self, custom: &RolesRecord) -> Result<Vec<Rule>, AccessError> {
        Ok(match self {
            Granted::Role(name) => name.parse().map(rules_of).unwrap_or_default(),
            Granted::Custom(id) => custom.by_id(*id).map(|role| role.rules()).transpose()?.unwrap_or_default(),
            Granted::Permission(name) => {
                permission_named(name).map(|one| vec![Rule::granted(PermissionSet::of(&[one]))]).unwrap_or_default()
            }
        })
    }

    /// Its name, for people.
    pub(crate) fn name(&self, custom: &RolesRecord) -> String {
        match self {
            Granted::Role(name) | Granted::Permission(name) => name.clone(),
            Granted::Custom(id) => custom.by_id(*id).map_or_else(|| id.to_string(), |role| role.name.clone()),
        }
    }
}

impl Grant {
    fn view(&self, custom: &RolesRecord, now: Timestamp) -> GrantView {
        let name = self.what.name(custom);
        let (role, permission) = match self.what {
            Granted::Permission(_) => (None, Some(name)),
            Granted::Role(_) | Granted::Custom(_) => (Some(name), None),
        };
        GrantView {
            id: self.id,
            role,
            permission,
            from: self.from.map(Timestamp),
            until: self.until.map(Timestamp),
            by: self.by,
            reason: self.why.clone(),
            counts: self.counts(now),
        }
    }
}

/// The names of everything that an account holds or will hold, for the log: what counts only for a time says so.
pub(crate) fn told(user: &UserRecord, custom: &RolesRecord) -> String {
    let mut names = user.roles.clone();
    names.extend(user.grants.iter().map(|grant| {
        let limits = [("from", grant.from), ("until", grant.until)];
        let limits = limits.into_iter().filter_map(|(word, at)| Some(format!(" {word} {}", Timestamp(at?).rfc3339())));
        grant.what.name(custom) + &limits.collect::<String>()
    }));
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

impl Identity {
    /// Gives an account a role or a permission, for good or for a time. It counts from its next request on, or from its beginning.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Invalid`] with every fault; [`AccessError::Denied`] for what the caller does not hold as
    /// long; [`AccessError::Refused`] for the caller's own account.
    pub async fn grant(&self, permit: &Permit<Update>, id: Uuid, grant: NewGrant) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.grant_add(caller, permit.tenant(), id, grant).await;
        self.tried(caller, (Action::RoleGrant, Some(format!("User/{id}"))), result).await
    }

    async fn grant_add(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        id: Uuid,
        grant: NewGrant,
    ) -> Result<UserView, AccessError> {
        for _ in 0..TRIES_MAX {
            let stored = self.roles_record(tenant)?;
            let expect = stored.as_ref().map_or(Expect::Absent, |stored| Expect::Current(stored.seq));
            let custom = stored.map(|stored| stored.value).unwrap_or_default();
            let what = self.grant_checked(&grant, &custom)?;
            not_oneself(caller, id)?;
            let before = self.user(tenant, id)?.ok_or(AccessError::NotFound("user"))?;
            let giver = self.giver(caller, grant.until.map(|until| until.0))?;
            giver.may_give(&what.rules(&custom)?)?;
            let toucher = self.may_touch(caller, tenant, &before.value)?;
            let (now, mut next) = (self.clock.now(), before.value.clone());
            next.grants.retain(|grant| !grant.is_over(now));
            if next.grants.len() >= GRANTS_MAX {
                return Err(AccessError::Refused("an account has at most 50 grants"));
            }
            let from = grant.from.filter(|from| *from > now).map(|from| from.0);
            next.grants.push(Grant {
                id: self.entropy.uuid(),
                what: what.clone(),
                from,
                until: grant.until.map(|until| until.0),
                by: caller.subject.id,
                why: grant.reason.clone(),
            });
            let mut tx = self.store.begin(tenant);
            giver.require(&mut tx);
            toucher.require(&mut tx);
            if let Granted::Custom(_) = what {
                tx.require(kinds::ROLES, ROLES_ID, expect);
                self.role_used(&mut tx, tenant, self.stamp(caller.subject.id))?;
            }
            let detail = format!("granted {}; {}", what.name(&custom), grant.reason);
            self.account_put(&mut tx, caller, &before, (&next, &custom), (Action::RoleGrant, &detail))?;
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return Ok(self.view_with(next, &custom));
            }
        }
        Err(AccessError::Conflict)
    }

    /// Every fault of a grant at once.
    fn grant_checked(&self, grant: &NewGrant, custom: &RolesRecord) -> Result<Granted, AccessError> {
        let mut faults = Vec::new();
        let what = grant.what.resolve(custom, &mut faults);
        match &what {
            Some(Granted::Role(name)) if name == "system" => {
                faults.push(Fault::new("role", "system is for machines and for nobody with an account"));
            }
            Some(Granted::Role(name)) if name.parse::<Role>().is_ok_and(Role::own_record_only) => {
                faults.push(Fault::new("role", "comes with an own record; set it with the roles of the account"));
            }
            _ => {}
        }
        if grant.until.is_some_and(|until| until <= self.clock.now()) {
            faults.push(Fault::new("valid_until", "is over already"));
        } else if let (Some(from), Some(until)) = (grant.from, grant.until)
            && from >= until
        {
            faults.push(Fault::new("valid_until", "must be after valid_from"));
        }
        reason_faults(&grant.reason, &mut faults);
        match what {
            Some(what) if faults.is_empty() => Ok(what),
            _ => Err(AccessError::Invalid(faults)),
        }
    }

    /// Takes a role or a permission away from an account: every grant of it and the standing role, or one grant alone. It counts from
    /// the account's next request on.
    ///
    /// # Errors
    /// [`AccessError::NotFound`], also for what the account does not have; [`AccessError::Invalid`] with every fault;
    /// [`AccessError::Refused`] for the caller's own account and for the last administrator.
    pub async fn grant_take(&self, permit: &Permit<Update>, id: Uuid, taken: Taken) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.grant_remove(caller, permit.tenant(), id, taken).await;
        self.tried(caller, (Action::RoleRevoke, Some(format!("User/{id}"))), result).await
    }

    async fn grant_remove(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        id: Uuid,
        taken: Taken,
    ) -> Result<UserView, AccessError> {
        for _ in 0..TRIES_MAX {
            let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
            let mut faults = Vec::new();
            let what = taken.what.resolve(&custom, &mut faults);
            reason_faults(&taken.reason, &mut faults);
            let (Some(what), true) = (what, faults.is_empty()) else { return Err(AccessError::Invalid(faults)) };
            not_oneself(caller, id)?;
            let before = self.user(tenant, id)?.ok_or(AccessError::NotFound("user"))?;
            let taker = self.may_touch(caller, tenant, &before.value)?;
            let mut next = before.value.clone();
            next.grants.retain(|grant| grant.what != what || taken.grant.is_some_and(|one| one != grant.id));
            if let (Granted::Role(name), None) = (&what, taken.grant) {
                next.roles.retain(|role| role != name);
            }
            if next.roles.len() + next.grants.len() == before.value.roles.len() + before.value.grants.len() {
                return Err(AccessError::NotFound("grant"));
            }
            if !next.roles.iter().any(|role| role == Role::Patient.name()) {
                next.patient = None;
            }
            let mut tx = self.store.begin(tenant);
            self.keep_an_admin(&mut tx, tenant, &before.value, &next)?;
            taker.require(&mut tx);
            let detail = format!("took {}; {}", what.name(&custom), taken.reason);
            self.account_put(&mut tx, caller, &before, (&next, &custom), (Action::RoleRevoke, &detail))?;
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return Ok(self.view_with(next, &custom));
            }
        }
        Err(AccessError::Conflict)
    }

    /// Puts an account with its entry into the write set: what was done, and what the account held before and holds after.
    pub(crate) fn account_put(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        before: &Stored<UserRecord>,
        (next, custom): (&UserRecord, &RolesRecord),
        (action, detail): (Action, &str),
    ) -> Result<(), AccessError> {
        let id = next.id.to_string();
        let held = format!("before: {}; after: {}", told(&before.value, custom), told(next, custom));
        let detail = format!("{} ({}); {held}", detail, next.name);
        let what = Happened::new(action, Outcome::Success, Some(format!("User/{id}"))).because(&detail);
        tx.audit(self.audit.row(&self.event_by(caller, what))?);
        records::change(tx, self.stamp(caller.subject.id), (kinds::USER, &id), before, next)
    }

    /// An account for answers, with the names of the tenant's roles.
    pub(crate) fn view_with(&self, user: UserRecord, custom: &RolesRecord) -> UserView {
        let now = self.clock.now();
        let grants: Vec<GrantView> = user.grants.iter().map(|grant| grant.view(custom, now)).collect();
        let mut view = user.view();
        let lasting = grants.iter().filter(|grant| grant.from.is_none() && grant.until.is_none());
        for role in lasting.filter_map(|grant| grant.role.clone()) {
            if !view.roles.contains(&role) {
                view.roles.push(role);
            }
        }
        view.grants = grants;
        view
    }

    /// An account for answers; reads the tenant's roles.
    pub(crate) fn view_of(&self, tenant: Tenant, user: UserRecord) -> Result<UserView, AccessError> {
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        Ok(self.view_with(user, &custom))
    }
}
