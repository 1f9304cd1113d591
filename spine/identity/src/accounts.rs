//! What an administrator does to accounts that are there: roles, locking, unlocking. Nobody does it to their own account, and the
//! last administrator of a tenant stays one: otherwise one wrong click, or one stolen session, shuts everybody out.

use std::sync::Arc;

use iris_audit::{Action, Outcome};
use iris_kernel::Tenant;
use iris_store::{Expect, Tx};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::lists::{LIST_PAGE_MAX, List};
use crate::records::{self, Stored, UserRecord};
use crate::views::{Enabled, UserView};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{AccessError, Caller, Permit, Role, RoleSet, Update};

impl Identity {
    /// Gives a user these roles, and this own record, in place of those they have. It counts from their next request on.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Invalid`] with every fault; [`AccessError::Refused`] for the caller's own account
    /// and for the last administrator.
    pub async fn user_roles(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        roles: RoleSet,
        patient: Option<String>,
    ) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.roles_set(caller, permit.tenant(), id, (roles, patient)).await;
        self.tried(caller, (Action::UserUpdate, Some(format!("User/{id}"))), result).await
    }

    async fn roles_set(
        &self,
        caller: &Arc<Caller>,
        tenant: Tenant,
        id: Uuid,
        (roles, patient): (RoleSet, Option<String>),
    ) -> Result<UserView, AccessError> {
        let faults = self.role_faults(tenant, roles, patient.as_deref()).await?;
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        not_oneself(caller, id)?;
        for _ in 0..TRIES_MAX {
            let before = self.user(tenant, id)?.ok_or(AccessError::NotFound("user"))?;
            let had = before.value.role_set()?;
            let next = UserRecord {
                roles: roles.names().into_iter().map(str::to_owned).collect(),
                patient: patient.clone(),
                ..before.value.clone()
            };
            if had == roles && next.patient == before.value.patient {
                return Ok(next.view());
            }
            let mut tx = self.store.begin(tenant);
            if had.has(Role::Admin) && !roles.has(Role::Admin) && before.value.enabled {
                self.require_another_admin(&mut tx, tenant, id)?;
            }
            records::change(&mut tx, self.stamp(caller.subject.id), (kinds::USER, &id.to_string()), &before, &next)?;
            let only =
                |of: RoleSet, not: RoleSet| of.names().into_iter().filter(|name| !not.names().contains(name)).collect();
            let (granted, revoked): (Vec<&str>, Vec<&str>) = (only(roles, had), only(had, roles));
            let mut entry = |action, detail: &str| -> Result<(), AccessError> {
                let what = Happened::new(action, Outcome::Success, Some(format!("User/{id}"))).because(detail);
                tx.audit(self.audit.row(&self.event_by(caller, what))?);
                Ok(())
            };
            if !granted.is_empty() {
                entry(Action::RoleGrant, &granted.join(" "))?;
            }
            if !revoked.is_empty() {
                entry(Action::RoleRevoke, &revoked.join(" "))?;
            }
            if granted.is_empty() && revoked.is_empty() {
                entry(Action::UserUpdate, "the own record was changed")?;
            }
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return Ok(next.view());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Lets a user sign in, or not. Locking ends all their sessions at once and for good: unlocking brings none of them back.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Refused`] for the caller's own account and for the last administrator.
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
            if before.value.enabled != locks {
                return Ok(before.value.view());
            }
            let epoch = before.value.epoch.saturating_add(u32::from(locks));
            let next = UserRecord { enabled: !locks, epoch, ..before.value.clone() };
            let mut tx = self.store.begin(tenant);
            if locks && before.value.role_set()?.has(Role::Admin) {
                self.require_another_admin(&mut tx, tenant, id)?;
            }
            records::change(&mut tx, self.stamp(caller.subject.id), (kinds::USER, &id.to_string()), &before, &next)?;
            let what = Happened::new(action, Outcome::Success, Some(format!("User/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                self.lower(tenant, kinds::USER, id);
                return Ok(next.view());
            }
        }
        Err(AccessError::Conflict)
    }

    /// Lets the write go through only while another administrator who may sign in stays as they are: two administrators who take
    /// each other's role away at the same moment must not both succeed.
    fn require_another_admin(&self, tx: &mut Tx, tenant: Tenant, id: Uuid) -> Result<(), AccessError> {
        let other = self.another_admin(tenant, id)?;
        let refused = AccessError::Refused("this is the last administrator who can sign in");
        let other = other.ok_or(refused)?;
        tx.require(kinds::USER, &other.value.id.to_string(), Expect::Current(other.seq));
        Ok(())
    }

    fn another_admin(&self, tenant: Tenant, id: Uuid) -> Result<Option<Stored<UserRecord>>, AccessError> {
        let administers = |user: &UserRecord| -> Result<bool, AccessError> {
            Ok(user.id != id && user.enabled && user.role_set()?.has(Role::Admin))
        };
        let mut after = Some(0);
        while let Some(from) = after {
            let page = self.list_page::<UserRecord>(tenant, List::Users, Some(from), LIST_PAGE_MAX)?;
            for user in page.items {
                // Read again, with its place in the store, which the write will require.
                if administers(&user)?
                    && let Some(stored) = self.user(tenant, user.id)?
                    && administers(&stored.value)?
                {
                    return Ok(Some(stored));
                }
            }
            after = page.next;
        }
        Ok(None)
    }
}

fn not_oneself(caller: &Arc<Caller>, id: Uuid) -> Result<(), AccessError> {
    if caller.subject.id == id { Err(AccessError::Refused("nobody does this to their own account")) } else { Ok(()) }
}
