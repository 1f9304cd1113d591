//! What an administrator does to accounts that are there: roles, contact, locking, unlocking. Nobody does it to their own account, nor to
//! one that holds more than they do: whoever can give another person's account a new address can sign in with it. The last administrator
//! of a tenant stays one: otherwise one wrong click, or one stolen session, shuts everybody out.

use std::sync::Arc;

use iris_audit::{Action, Outcome};
use iris_fhir::definitions as names;
use iris_kernel::{Fault, Tenant};
use iris_store::{Expect, Tx};
use uuid::Uuid;

use crate::grants::GRANTS_MAX;
use crate::held::Giver;
use crate::identity::Identity;
use crate::kinds;
use crate::lists::{LIST_PAGE_MAX, List};
use crate::messages::{EmailAddress, Notice, PhoneNumber};
use crate::records::{self, Grant, Granted, Stored, UserRecord};
use crate::roles::{ROLES_ID, RolesRecord};
use crate::views::{Enabled, UserView};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{AccessError, Caller, Permit, Role, RoleSet, Rule, Update};

/// Longest name by which a person is shown, in characters.
pub const SHOWN_NAME_CHARS_MAX: usize = 128;
/// Most departments of a person.
pub const DEPARTMENTS_MAX: usize = 20;
/// Why a role is there that was set with all roles of an account.
const SET: &str = "set with the roles of the account";

/// What is to be changed of an account; `None` leaves it as it is, `Some(None)` takes it away.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// All the roles that it has without limit of time, of the product and of the tenant.
    pub roles: Option<Vec<String>>,
    /// The own record, for the role patient.
    pub patient: Option<Option<String>>,
    /// Where messages about the account go; it has to be proven again.
    pub email: Option<Option<String>>,
    /// Where codes go.
    pub phone: Option<Option<String>>,
    /// How colleagues call the person.
    pub display_name: Option<Option<String>>,
    /// Ids of the Organizations in which the person works.
    pub departments: Option<Vec<String>>,
    /// Id of the Practitioner who the person is.
    pub practitioner: Option<Option<String>>,
}

/// The roles that an account is to have: those of the product, and the ids of the tenant's.
pub(crate) struct Wanted {
    pub(crate) roles: RoleSet,
    pub(crate) custom: Vec<Uuid>,
}

impl Wanted {
    /// What these words mean.
    pub(crate) fn of(words: &[String], custom: &RolesRecord, faults: &mut Vec<Fault>) -> Self {
        let (mut roles, mut own) = (Vec::new(), Vec::new());
        for (at, word) in words.iter().enumerate() {
            match (word.parse::<Role>(), custom.by_name(word)) {
                (Ok(role), _) => roles.push(role),
                (Err(_), Some(role)) if !own.contains(&role.id) => own.push(role.id),
                (Err(_), Some(_)) => {}
                (Err(_), None) => faults.push(Fault::new(format!("roles/{at}"), "there is no such role")),
            }
        }
        Self { roles: RoleSet::of(&roles), custom: own }
    }

    /// The rules of all of them.
    pub(crate) fn rules(&self, custom: &RolesRecord) -> Result<Vec<Rule>, AccessError> {
        let mut rules: Vec<Rule> = self.roles.iter().flat_map(crate::held::rules_of).collect();
        for id in &self.custom {
            rules.extend(Granted::Custom(*id).rules(custom)?);
        }
        Ok(rules)
    }

    /// Puts them in the place of what an account has without limit of time. Roles for a time stay.
    pub(crate) fn put_into(&self, user: &mut UserRecord, by: Uuid, fresh: impl Fn() -> Uuid) {
        let kept = |what: &Granted| match what {
            Granted::Role(name) => self.roles.names().contains(&name.as_str()),
            Granted::Custom(id) => self.custom.contains(id),
            Granted::Permission(_) => true,
        };
        user.grants.retain(|grant| !grant.lasts() || kept(&grant.what));
        let there = |user: &UserRecord, what: &Granted| user.grants.iter().any(|g| g.lasts() && g.what == *what);
        let names = self.roles.names().into_iter().map(str::to_owned);
        user.roles = names.filter(|name| !there(user, &Granted::Role(name.clone()))).collect();
        for id in &self.custom {
            if !there(user, &Granted::Custom(*id)) {
                let (what, why) = (Granted::Custom(*id), SET.to_owned());
                user.grants.push(Grant { id: fresh(), what, from: None, until: None, by, why });
            }
        }
    }
}

impl Identity {
    /// Gives a user these roles, and this own record, in place of those they have without limit of time. It counts from their next
    /// request on.
    ///
    /// # Errors
    /// As [`Identity::user_change`].
    pub async fn user_roles(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        roles: RoleSet,
        patient: Option<String>,
    ) -> Result<UserView, AccessError> {
        let roles = roles.names().into_iter().map(str::to_owned).collect();
        let change = UserChange { roles: Some(roles), patient: Some(patient), ..UserChange::default() };
        self.user_change(permit, id, change).await
    }

    /// Changes an account. It counts from its next request on.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Invalid`] with every fault; [`AccessError::Denied`] for what the caller does not hold,
    /// and for an account that holds more than the caller; [`AccessError::Refused`] for the caller's own account and for the last
    /// administrator.
    pub async fn user_change(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        change: UserChange,
    ) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.user_changed(caller, permit.tenant(), id, &change).await;
        self.tried(caller, (Action::UserUpdate, Some(format!("User/{id}"))), result).await
    }

    async fn user_changed(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        id: Uuid,
        change: &UserChange,
    ) -> Result<UserView, AccessError> {
        for _ in 0..TRIES_MAX {
            let stored = self.roles_record(tenant)?;
            let expect = stored.as_ref().map_or(Expect::Absent, |stored| Expect::Current(stored.seq));
            let custom = stored.map(|stored| stored.value).unwrap_or_default();
            let mut faults = self.contact_faults(tenant, change).await?;
            let wanted = change.roles.as_ref().map(|words| Wanted::of(words, &custom, &mut faults));
            let before = self.user(tenant, id)?;
            if let Some(before) = before.as_ref().filter(|_| change.roles.is_some() || change.patient.is_some()) {
                faults.extend(self.changed_role_faults(tenant, &before.value, (change, wanted.as_ref())).await?);
            }
            if !faults.is_empty() {
                return Err(AccessError::Invalid(faults));
            }
            not_oneself(caller, id)?;
            let before = before.ok_or(AccessError::NotFound("user"))?;
            let toucher = self.may_touch(caller, tenant, &before.value)?;
            let giver = self.giver(caller, None)?;
            if let Some(wanted) = &wanted {
                giver.may_give(&wanted.rules(&custom)?)?;
            }
            let next = self.user_next(caller, &before.value, (change, wanted.as_ref()));
            if next.grants.len() > GRANTS_MAX {
                return Err(AccessError::Refused("an account has at most 50 grants"));
            }
            if serde_json::to_vec(&next).ok() == serde_json::to_vec(&before.value).ok() {
                return Ok(self.view_with(next, &custom));
            }
            let mut tx = self.store.begin(tenant);
            self.keep_an_admin(&mut tx, tenant, &before.value, &next)?;
            giver.require(&mut tx);
            toucher.require(&mut tx);
            if wanted.as_ref().is_some_and(|wanted| !wanted.custom.is_empty()) {
                tx.require(kinds::ROLES, ROLES_ID, expect);
                self.role_used(&mut tx, tenant, self.stamp(caller.subject.id))?;
            }
            self.change_put(&mut tx, caller, &before, (&next, &custom))?;
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return Ok(self.view_with(next, &custom));
            }
        }
        Err(AccessError::Conflict)
    }

    /// What is wrong with the roles and the own record that the account is to have.
    async fn changed_role_faults(
        &self,
        tenant: Tenant,
        before: &UserRecord,
        (change, wanted): (&UserChange, Option<&Wanted>),
    ) -> Result<Vec<Fault>, AccessError> {
        let (roles, others) = match wanted {
            Some(wanted) => (wanted.roles, wanted.custom.len()),
            None => (before.role_set()?, 1),
        };
        let own = match &change.patient {
            Some(own) => own.as_deref(),
            // Who is a patient no longer has no own record either.
            None => before.patient.as_deref().filter(|_| roles.has(Role::Patient)),
        };
        self.role_faults(tenant, (roles, others), own).await
    }

    /// The account as it is after the change.
    fn user_next(
        &self,
        caller: &Caller,
        before: &UserRecord,
        (change, wanted): (&UserChange, Option<&Wanted>),
    ) -> UserRecord {
        let mut next = before.clone();
        if let Some(wanted) = wanted {
            wanted.put_into(&mut next, caller.subject.id, || self.entropy.uuid());
        }
        if let Some(patient) = &change.patient {
            next.patient.clone_from(patient);
        }
        if !next.roles.iter().any(|role| role == Role::Patient.name()) {
            next.patient = None;
        }
        if let Some(email) = change.email.as_ref().filter(|email| **email != next.email) {
            // Nobody has read a message there yet.
            next.email.clone_from(email);
            next.email_verified = false;
        }
        if let Some(phone) = &change.phone {
            next.phone.clone_from(phone);
        }
        if let Some(shown) = &change.display_name {
            next.display_name.clone_from(shown);
        }
        if let Some(departments) = &change.departments {
            next.departments.clone_from(departments);
        }
        if let Some(practitioner) = &change.practitioner {
            next.practitioner.clone_from(practitioner);
        }
        next
    }

    /// Puts the changed account with its entries into the write set: what was granted, what was revoked, what else is different.
    fn change_put(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        before: &Stored<UserRecord>,
        (next, custom): (&UserRecord, &RolesRecord),
    ) -> Result<(), AccessError> {
        let was = self.view_with(before.value.clone(), custom).roles;
        let is = self.view_with(next.clone(), custom).roles;
        let only = |of: &[String], not: &[String]| {
            of.iter().filter(|name| !not.contains(name)).cloned().collect::<Vec<_>>().join(" ")
        };
        let (granted, revoked) = (only(&is, &was), only(&was, &is));
        let old = &before.value;
        let other: Vec<&str> = [
            ("patient_id", old.patient != next.patient),
            ("email", old.email != next.email),
            ("phone", old.phone != next.phone),
            ("display_name", old.display_name != next.display_name),
            ("departments", old.departments != next.departments),
            ("practitioner_id", old.practitioner != next.practitioner),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect();
        let mut entries = Vec::new();
        if !granted.is_empty() {
            entries.push((Action::RoleGrant, format!("granted {granted}")));
        }
        if !revoked.is_empty() {
            entries.push((Action::RoleRevoke, format!("took {revoked}")));
        }
        if entries.is_empty() || !other.is_empty() {
            entries.push((Action::UserUpdate, format!("changed {}", other.join(" "))));
        }
        if next.email.is_some() && old.email != next.email && self.mail_is_set() {
            // The link that proves it goes to the new address.
            let (stamp, language) = (self.stamp(caller.subject.id), next.language.unwrap_or_default());
            self.verification_put(tx, stamp, next.id, (language, &caller.correlation))?;
        }
        if old.email != next.email {
            let stamp = self.stamp(caller.subject.id);
            self.notice_put(tx, stamp, (old, Notice::EmailChanged), &caller.correlation)?;
        }
        if old.patient != next.patient && crate::factors::of(&self.factors(tx.tenant(), next.id)?).any() {
            self.guard_put(tx, self.stamp(caller.subject.id), next)?;
        }
        let last = entries.pop();
        for (action, detail) in &entries {
            let told = format!("{detail} ({})", next.name);
            let what = Happened::new(*action, Outcome::Success, Some(format!("User/{}", next.id))).because(&told);
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
        }
        let (action, detail) = last.unwrap_or((Action::UserUpdate, String::new()));
        self.account_put(tx, caller, before, (next, custom), (action, &detail))
    }

    /// What is wrong with contact, departments and practitioner.
    pub(crate) async fn contact_faults(&self, tenant: Tenant, change: &UserChange) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        if let Some(Some(email)) = &change.email
            && let Err(fault) = email.parse::<EmailAddress>()
        {
            faults.push(Fault::new("email", fault.to_string()));
        }
        if let Some(Some(phone)) = &change.phone
            && PhoneNumber::read(phone).is_none()
        {
            faults.push(Fault::new("phone", "must be a number with its country, such as +12025550143"));
        }
        if let Some(Some(shown)) = &change.display_name
            && (shown.trim().is_empty()
                || shown.chars().count() > SHOWN_NAME_CHARS_MAX
                || shown.chars().any(char::is_control))
        {
            faults.push(Fault::new("display_name", "must be a text of at most 128 characters in one line"));
        }
        let departments = change.departments.as_deref().unwrap_or_default();
        if departments.len() > DEPARTMENTS_MAX {
            faults.push(Fault::new("departments", "are at most 20"));
        }
        for (at, id) in departments.iter().take(DEPARTMENTS_MAX).enumerate() {
            if !self.resource_present(tenant, "Organization", id).await? {
                faults.push(Fault::new(format!("departments/{at}"), "there is no such organization"));
            }
        }
        if let Some(Some(id)) = &change.practitioner
            && !self.resource_present(tenant, "Practitioner", id).await?
        {
            faults.push(Fault::new("practitioner_id", "there is no such practitioner"));
        }
        Ok(faults)
    }

    /// Whether there is a record of this type with this id now.
    pub(crate) async fn resource_present(&self, tenant: Tenant, name: &str, id: &str) -> Result<bool, AccessError> {
        /// Longest logical id of a FHIR resource.
        const FHIR_ID_CHARS_MAX: usize = 64;
        match names::kind_of(name) {
            Some(kind) if (1..=FHIR_ID_CHARS_MAX).contains(&id.len()) => {
                if self.store.is_shared() {
                    // What another node has just stored counts too. The wait may be for another thread that reads it.
                    let store = self.store.clone();
                    let waited = tokio::task::spawn_blocking(move || store.catch_up()).await;
                    waited.map_err(|cause| AccessError::Internal(Box::new(cause)))??;
                }
                Ok(self.store.present(tenant, kind, id)?)
            }
            _ => Ok(false),
        }
    }

    /// Lets a user sign in, or not. Locking ends all their sessions at once and for good: unlocking brings none of them back.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Refused`] for the caller's own account and for the last administrator;
    /// [`AccessError::Denied`] for an administrator, by somebody who is none.
    pub async fn user_enable(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        enabled: Enabled,
    ) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let locks = enabled == Enabled::No;
        let action = if locks { Action::UserDisable } else { Action::UserUnlock };
        let result = self.lock_set(caller, permit.tenant(), id, (locks, action)).await;
        self.tried(caller, (action, Some(format!("User/{id}"))), result).await
    }

    async fn lock_set(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        id: Uuid,
        (locks, action): (bool, Action),
    ) -> Result<UserView, AccessError> {
        not_oneself(caller, id)?;
        for _ in 0..TRIES_MAX {
            let before = self.user(tenant, id)?.ok_or(AccessError::NotFound("user"))?;
            let locker = self.may_lock(caller, tenant, &before.value)?;
            if before.value.enabled != locks {
                return self.view_of(tenant, before.value);
            }
            let epoch = before.value.epoch.saturating_add(u32::from(locks));
            let next = UserRecord { enabled: !locks, epoch, ..before.value.clone() };
            let mut tx = self.store.begin(tenant);
            self.keep_an_admin(&mut tx, tenant, &before.value, &next)?;
            locker.require(&mut tx);
            records::change(&mut tx, self.stamp(caller.subject.id), (kinds::USER, &id.to_string()), &before, &next)?;
            let what = Happened::new(action, Outcome::Success, Some(format!("User/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&next.name)))?);
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return self.view_of(tenant, next);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Takes all second factors away from somebody who has lost them, and ends their sessions: whoever has found what was lost is
    /// out too. The next sign-in needs the password alone, and where the roles ask for a second factor it can only set one up. Who
    /// holds less than the account must not weaken it.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Refused`] for the caller's own account; [`AccessError::Denied`] for an account that
    /// holds more than the caller.
    pub async fn user_factors_reset(&self, permit: &Permit<Update>, id: Uuid) -> Result<(), AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.factors_empty(caller, permit.tenant(), id).await;
        self.tried(caller, (Action::FactorRemove, Some(format!("User/{id}"))), result).await
    }

    /// Whether the caller holds everything that this account holds, now or from a later moment on. Otherwise they could take it over, or
    /// use it through somebody else.
    pub(crate) fn may_touch(&self, caller: &Caller, tenant: Tenant, user: &UserRecord) -> Result<Giver, AccessError> {
        let now = self.clock.now();
        let giver = self.giver(caller, Some(now.0))?;
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        let mut rules: Vec<Rule> = user.role_set()?.iter().flat_map(crate::held::rules_of).collect();
        for grant in user.grants.iter().filter(|grant| !grant.is_over(now)) {
            rules.extend(grant.what.rules(&custom)?);
        }
        giver.may_give(&rules)?;
        Ok(giver)
    }

    /// Whether the caller may take an account's access away, or let it in again. That gives nobody anything, so it needs less than a
    /// change does; but administrators are stopped by administrators alone.
    pub(crate) fn may_lock(&self, caller: &Caller, tenant: Tenant, user: &UserRecord) -> Result<Giver, AccessError> {
        let admin = Role::Admin.name();
        let granted = user.grants.iter().any(|grant| matches!(&grant.what, Granted::Role(name) if name == admin));
        if granted || user.roles.iter().any(|role| role == admin) {
            return self.may_touch(caller, tenant, user);
        }
        self.giver(caller, Some(self.clock.now().0))
    }

    /// Lets a write that takes an administrator away go through only while another one, who may sign in, stays as they are: two
    /// administrators who take each other's role away at the same moment, on whatever nodes, must not both succeed. Who is one for a
    /// time only does not count: that time ends without anybody's doing.
    pub(crate) fn keep_an_admin(
        &self,
        tx: &mut Tx,
        tenant: Tenant,
        before: &UserRecord,
        next: &UserRecord,
    ) -> Result<(), AccessError> {
        if !before.administers() || next.administers() {
            return Ok(());
        }
        let refused = AccessError::Refused("this is the last administrator who can sign in");
        let other = self.another_admin(tenant, before.id)?.ok_or(refused)?;
        tx.require(kinds::USER, &other.value.id.to_string(), Expect::Current(other.seq));
        Ok(())
    }

    fn another_admin(&self, tenant: Tenant, id: Uuid) -> Result<Option<Stored<UserRecord>>, AccessError> {
        let mut after = Some(0);
        while let Some(from) = after {
            let page = self.list_page::<UserRecord>(tenant, List::Users, Some(from), LIST_PAGE_MAX)?;
            for user in page.items.into_iter().filter(|user| user.id != id && user.administers()) {
                // Read again, with its place in the store, which the write will require.
                if let Some(stored) = self.user(tenant, user.id)?.filter(|stored| stored.value.administers()) {
                    return Ok(Some(stored));
                }
            }
            after = page.next;
        }
        Ok(None)
    }
}

pub(crate) fn not_oneself(caller: &Arc<Caller>, id: Uuid) -> Result<(), AccessError> {
    if caller.subject.id == id { Err(AccessError::Refused("nobody does this to their own account")) } else { Ok(()) }
}
