//! Users' accounts.

use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Tenant};
use iris_store::{ClaimExpect, CommitError, Conflict};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::lists::{LIST_PAGE_MAX, List};
use crate::records::{self, UserRecord};
use crate::views::{NewUser, Page, UserView};
use crate::{password, username};
use iris_access::trail::{Happened, TRIES_MAX, on_accounts};
use iris_access::{AccessError, Caller, Create, Permit, Read, Role, RoleSet, Search};
use iris_fhir::definitions as names;

/// Longest logical id of a FHIR resource.
const FHIR_ID_CHARS_MAX: usize = 64;

/// Most users of which the locked ones are counted.
pub const USERS_COUNTED_MAX: u32 = 10_000;

impl Identity {
    /// Makes a user in the permit's tenant. The permit is one on [`crate::Named::Accounts`].
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault, [`AccessError::Taken`] if the name, folded, is in use.
    pub async fn user_create(&self, permit: &Permit<Create>, user: NewUser) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.user_add(caller, permit.tenant(), user).await;
        self.tried(caller, (Action::UserCreate, None), result).await
    }

    async fn user_add(&self, caller: &Caller, tenant: Tenant, user: NewUser) -> Result<UserView, AccessError> {
        let faults = self.user_faults(tenant, &user).await?;
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        let turn = self.passwords.turn().await?;
        let now = self.clock.now().0;
        let record = UserRecord {
            id: self.entropy.uuid(),
            password: self.passwords.hash(turn, &user.password, self.entropy.as_ref()).await?,
            name: user.name,
            roles: user.roles.names().into_iter().map(str::to_owned).collect(),
            patient: user.patient,
            enabled: true,
            epoch: 0,
            email: None,
            email_verified: false,
            phone: None,
            display_name: None,
            departments: Vec::new(),
            practitioner: None,
            grants: Vec::new(),
            password_changed: Some(now),
            must: Vec::new(),
            last_login: None,
            created: Some(now),
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

    async fn user_faults(&self, tenant: Tenant, user: &NewUser) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        faults.extend(username::check(&user.name, "username").err());
        faults.extend(password::check(&user.password, "password").err());
        faults.extend(self.role_faults(tenant, user.roles, user.patient.as_deref()).await?);
        Ok(faults)
    }

    /// What is wrong with an account that has these roles and this own record.
    pub(crate) async fn role_faults(
        &self,
        tenant: Tenant,
        roles: RoleSet,
        patient: Option<&str>,
    ) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        if roles.is_empty() {
            faults.push(Fault::new("roles", "at least one role is needed"));
        }
        match (patient, roles.has(Role::Patient)) {
            (None, true) => faults.push(Fault::new("patient_id", "is needed by the role patient")),
            (Some(_), false) => faults.push(Fault::new("patient_id", "is only for the role patient")),
            (Some(id), true) if !self.patient_present(tenant, id).await? => {
                faults.push(Fault::new("patient_id", "there is no such patient"));
            }
            _ => {}
        }
        Ok(faults)
    }

    async fn patient_present(&self, tenant: Tenant, id: &str) -> Result<bool, AccessError> {
        match names::kind_of("Patient") {
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
        Ok(Page { items: page.items.into_iter().map(UserRecord::view).collect(), next: page.next, total: page.total })
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

    /// One user by id.
    ///
    /// # Errors
    /// [`AccessError::NotFound`].
    pub async fn user_read(&self, permit: &Permit<Read>, id: Uuid) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let found = self.user(permit.tenant(), id)?.ok_or(AccessError::NotFound("user"));
        let user = self.tried(caller, (Action::UserRead, Some(format!("User/{id}"))), found).await?;
        let what = Happened::new(Action::UserRead, Outcome::Success, Some(format!("User/{id}")));
        self.audit.record(self.event_by(caller, what)).await?;
        Ok(user.value.view())
    }

    /// How many users the permit's tenant has, and how many of them are locked; the latter is `None` for more users than
    /// [`USERS_COUNTED_MAX`], since each of them has to be looked at. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn user_counts(&self, permit: &Permit<Search>) -> Result<(u32, Option<u32>), AccessError> {
        on_accounts(permit)?;
        let total = self.list_size(permit.tenant(), List::Users)?;
        if total > USERS_COUNTED_MAX {
            return Ok((total, None));
        }
        Ok((total, Some(self.users_counted(permit, |user| !user.enabled)?)))
    }

    /// How many administrators of the permit's tenant can sign in; `None` for more users than [`USERS_COUNTED_MAX`]. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn administrators(&self, permit: &Permit<Search>) -> Result<Option<u32>, AccessError> {
        on_accounts(permit)?;
        if self.list_size(permit.tenant(), List::Users)? > USERS_COUNTED_MAX {
            return Ok(None);
        }
        let one = |user: &UserRecord| user.enabled && user.roles.iter().any(|role| role == Role::Admin.name());
        self.users_counted(permit, one).map(Some)
    }

    fn users_counted(&self, permit: &Permit<Search>, one: fn(&UserRecord) -> bool) -> Result<u32, AccessError> {
        let (mut count, mut after) = (0, Some(0));
        while let Some(from) = after {
            let page = self.list_page::<UserRecord>(permit.tenant(), List::Users, Some(from), LIST_PAGE_MAX)?;
            count += u32::try_from(page.items.iter().filter(|user| one(user)).count()).unwrap_or(u32::MAX);
            after = page.next;
        }
        Ok(count)
    }
}
