//! Users' accounts.

use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Tenant};
use iris_store::{ClaimExpect, CommitError, Conflict};
use uuid::Uuid;

use crate::access::{Access, Happened, TRIES_MAX, Try, commit, on_accounts};
use crate::action::{Create, Read, Search, Update};
use crate::error::AccessError;
use crate::kinds;
use crate::lists::List;
use crate::permit::Permit;
use crate::records::{self, UserRecord};
use crate::role::Role;
use crate::views::{Enabled, NewUser, Page, UserView};
use crate::{names, password, username};

/// Longest logical id of a FHIR resource.
const FHIR_ID_CHARS_MAX: usize = 64;

impl Access {
    /// Makes a user in the permit's tenant. The permit is one on [`crate::Named::Accounts`].
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault, [`AccessError::Taken`] if the name, folded, is in use.
    pub async fn user_create(&self, permit: &Permit<Create>, user: NewUser) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let tenant = permit.tenant();
        let faults = self.user_faults(tenant, &user)?;
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        let turn = self.passwords.turn().await?;
        let record = UserRecord {
            id: self.entropy.uuid(),
            password: self.passwords.hash(turn, &user.password, self.entropy.as_ref()).await?,
            name: user.name,
            roles: user.roles.names().into_iter().map(str::to_owned).collect(),
            patient: user.patient,
            enabled: true,
            epoch: 0,
        };
        let id = record.id.to_string();
        let roles = record.roles.join(" ");
        for _ in 0..TRIES_MAX {
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(tenant);
            let holder = self.store.record_id(tenant, kinds::USER, &id);
            let folded = username::fold(&record.name);
            tx.claim(kinds::CLAIM_USER_NAME, &[folded.as_bytes()], ClaimExpect::Absent, holder);
            records::add(&mut tx, stamp, kinds::USER, &id, &record)?;
            self.list_append(&mut tx, stamp, tenant, List::Users, record.id)?;
            let what = Happened::new(Action::UserCreate, Outcome::Success, Some(format!("User/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&roles)))?);
            match tx.commit().await {
                Ok(_) => return Ok(record.view()),
                Err(CommitError::Conflict { which: Conflict::Claim(0) }) => {
                    return Err(AccessError::Taken("the user name"));
                }
                Err(CommitError::Conflict { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(AccessError::Conflict)
    }

    fn user_faults(&self, tenant: Tenant, user: &NewUser) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        faults.extend(username::check(&user.name, "username").err());
        faults.extend(password::check(&user.password, "password").err());
        if user.roles.is_empty() {
            faults.push(Fault::new("roles", "at least one role is needed"));
        }
        match (&user.patient, user.roles.has(Role::Patient)) {
            (None, true) => faults.push(Fault::new("patient_id", "is needed by the role patient")),
            (Some(_), false) => faults.push(Fault::new("patient_id", "is only for the role patient")),
            (Some(id), true) if !self.patient_present(tenant, id)? => {
                faults.push(Fault::new("patient_id", "there is no such patient"));
            }
            _ => {}
        }
        Ok(faults)
    }

    fn patient_present(&self, tenant: Tenant, id: &str) -> Result<bool, AccessError> {
        match names::kind_of("Patient") {
            Some(kind) if (1..=FHIR_ID_CHARS_MAX).contains(&id.len()) => Ok(self.store.present(tenant, kind, id)?),
            _ => Ok(false),
        }
    }

    /// Lists the users of the permit's tenant, oldest first.
    ///
    /// # Errors
    /// The store cannot be read, or the entry about it not written.
    pub async fn user_list(
        &self,
        permit: &Permit<Search>,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<UserView>, AccessError> {
        let caller = on_accounts(permit)?;
        let page = self.list_page::<UserRecord>(permit.tenant(), List::Users, after, limit)?;
        let what = Happened::new(Action::UserRead, Outcome::Success, None).because("users were listed");
        self.audit.record(self.event_by(caller, what)).await?;
        Ok(Page { items: page.items.into_iter().map(UserRecord::view).collect(), next: page.next })
    }

    /// One user by name, in any case or width.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn user_by_name(&self, permit: &Permit<Read>, name: &str) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let folded = username::fold_bounded(name).ok_or(AccessError::NotFound("user"))?;
        let user = self.user_named(permit.tenant(), &folded)?.ok_or(AccessError::NotFound("user"))?;
        let resource = Some(format!("User/{}", user.value.id));
        let what = Happened::new(Action::UserRead, Outcome::Success, resource);
        self.audit.record(self.event_by(caller, what)).await?;
        Ok(user.value.view())
    }

    /// Lets a user sign in, or not; their tokens stop working at once.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn user_enable(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        enabled: Enabled,
    ) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let tenant = permit.tenant();
        for _ in 0..TRIES_MAX {
            let before = self.user(tenant, id)?.ok_or(AccessError::NotFound("user"))?;
            let next = UserRecord { enabled: enabled == Enabled::Yes, ..before.value.clone() };
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(tenant);
            records::change(&mut tx, stamp, (kinds::USER, &id.to_string()), &before, &next)?;
            let action = if next.enabled { Action::UserUpdate } else { Action::UserDisable };
            let what = Happened::new(action, Outcome::Success, Some(format!("User/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                self.standings.lower(id);
                return Ok(next.view());
            }
        }
        Err(AccessError::Conflict)
    }
}
