//! Tenants: organisations that see nothing of each other. The operator, who administers the first tenant or sits at the machine, makes them,
//! names them, and switches them off and on; what is in them is not the operator's.

use iris_audit::{Action, Outcome};
use iris_kernel::Tenant;

use crate::identity::Identity;
use crate::records::{self, Stored, TenantsRecord};
use crate::users::NewAccount;
use crate::views::{Page, TenantView, UserView};
use crate::{kinds, username};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{AccessError, Create, Denial, Named, Permission, Permit, Role, Rule, Search, Target, Update};

/// Name of the tenant that every installation has.
pub const DEFAULT_TENANT: &str = "default";
/// Most tenants of one installation; they stand in one record.
pub const TENANTS_MAX: usize = 10_000;

/// Id of the one record of tenants.
pub(crate) const TENANTS_ID: &str = "all";

/// What is to be changed of a tenant; `None` leaves it as it is.
#[derive(Clone, Debug, Default)]
pub struct TenantChange {
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is switched on. Switching it off ends all its sessions for good.
    pub on: Option<bool>,
}

impl Identity {
    /// Makes a tenant. Only the operator may.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] or [`AccessError::Taken`] for the name; [`AccessError::Denied`].
    pub async fn tenant_create(&self, permit: &Permit<Create>, name: &str) -> Result<TenantView, AccessError> {
        let result = self.tenant_made(permit, name).await;
        self.tried(permit.caller(), (Action::TenantCreate, None), result).await
    }

    /// Makes a tenant with its first administrator. Only the operator may. Should the server stop between the two, the tenant is there
    /// without anybody in it; the operator's `iris user create` makes its administrator then.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault of the account; as [`Identity::tenant_create`].
    pub async fn tenant_create_with(
        &self,
        permit: &Permit<Create>,
        name: &str,
        admin: NewAccount,
    ) -> Result<(TenantView, UserView), AccessError> {
        let result = self.tenant_made_with(permit, name, admin).await;
        self.tried(permit.caller(), (Action::TenantCreate, None), result).await
    }

    async fn tenant_made_with(
        &self,
        permit: &Permit<Create>,
        name: &str,
        admin: NewAccount,
    ) -> Result<(TenantView, UserView), AccessError> {
        let caller = self.on_platform(permit)?;
        let admin = NewAccount { roles: vec![Role::Admin.name().to_owned()], ..admin };
        let mut faults: Vec<_> = username::check(name, "name").err().into_iter().collect();
        // A tenant that does not exist yet has no accounts, so the faults are those of the words alone.
        let found = self.account_ready(Tenant::PLATFORM, &admin).await;
        match found {
            Err(AccessError::Invalid(of_admin)) => faults.extend(of_admin.into_iter().map(|mut fault| {
                fault.at = format!("admin/{}", fault.at.trim_start_matches('/'));
                fault
            })),
            other => other?,
        }
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        self.account_reachable(&admin)?;
        let made = self.tenant_made(permit, name).await?;
        let user = self.account_make(caller, Tenant(made.number), admin).await?;
        Ok((made, user))
    }

    async fn tenant_made(&self, permit: &Permit<Create>, name: &str) -> Result<TenantView, AccessError> {
        let caller = self.on_platform(permit)?;
        username::check(name, "name").map_err(|fault| AccessError::Invalid(vec![fault]))?;
        for _ in 0..TRIES_MAX {
            if self.tenant_by_name(name)?.is_some() {
                return Err(AccessError::Taken("the tenant's name"));
            }
            let before = self.tenants()?;
            let mut next = before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
            if next.tenants.len() >= TENANTS_MAX {
                return Err(AccessError::Taken("every place for a tenant"));
            }
            let number = next.tenants.iter().map(|tenant| tenant.number).max().unwrap_or(Tenant::DEFAULT.0) + 1;
            let tenant = TenantView { number, name: name.to_owned(), off: false, stopped: None };
            next.tenants.push(tenant.clone());
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(Tenant::PLATFORM);
            match &before {
                None => records::add(&mut tx, stamp, kinds::TENANTS, TENANTS_ID, &next)?,
                Some(before) => {
                    records::change(&mut tx, stamp, (kinds::TENANTS, TENANTS_ID), before, &next)?;
                }
            }
            let what = Happened::new(Action::TenantCreate, Outcome::Success, Some(format!("Tenant/{number}")));
            tx.audit(self.audit.row(&self.event_by(caller, what.because(name)))?);
            if let Try::Done = commit(tx).await? {
                return Ok(tenant);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Names a tenant anew, or switches it off or on. Switching off ends all its sessions for good and lets nobody sign in, people and
    /// machines, on every node within a second. Only the operator may; the first tenant, which is the operator's, stays as it is.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Invalid`] or [`AccessError::Taken`] for the name; [`AccessError::Refused`] for the first
    /// tenant; [`AccessError::Denied`].
    pub async fn tenant_change(
        &self,
        permit: &Permit<Update>,
        number: u32,
        change: TenantChange,
    ) -> Result<TenantView, AccessError> {
        let result = self.tenant_changed(permit, number, change).await;
        let resource = Some(format!("Tenant/{number}"));
        self.tried(permit.caller(), (Action::TenantUpdate, resource), result).await
    }

    async fn tenant_changed(
        &self,
        permit: &Permit<Update>,
        number: u32,
        change: TenantChange,
    ) -> Result<TenantView, AccessError> {
        let caller = self.on_platform(permit)?;
        if let Some(name) = &change.name {
            username::check(name, "name").map_err(|fault| AccessError::Invalid(vec![fault]))?;
        }
        if number == Tenant::DEFAULT.0 {
            return Err(AccessError::Refused("the first tenant keeps its name and stays on"));
        }
        for _ in 0..TRIES_MAX {
            let before = self.tenants()?.ok_or(AccessError::NotFound("tenant"))?;
            let mut next = before.value.clone();
            if let Some(name) = &change.name
                && self.tenant_by_name(name)?.is_some_and(|holder| holder.0 != number)
            {
                return Err(AccessError::Taken("the tenant's name"));
            }
            let tenant = next.tenants.iter_mut().find(|tenant| tenant.number == number);
            let tenant = tenant.ok_or(AccessError::NotFound("tenant"))?;
            let was = tenant.clone();
            if let Some(name) = &change.name {
                tenant.name.clone_from(name);
            }
            let stamp = self.stamp(caller.subject.id);
            if let Some(on) = change.on.filter(|on| *on == was.off) {
                tenant.off = !on;
                // Also when it is switched on: what was begun while it was off must not count.
                tenant.stopped = Some(stamp.at.0);
            }
            let tenant = tenant.clone();
            if tenant == was {
                return Ok(tenant);
            }
            let mut tx = self.store.begin(Tenant::PLATFORM);
            records::change(&mut tx, stamp, (kinds::TENANTS, TENANTS_ID), &before, &next)?;
            let detail = format!("before: {}; after: {}", told(&was), told(&tenant));
            let what = Happened::new(Action::TenantUpdate, Outcome::Success, Some(format!("Tenant/{number}")));
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&detail)))?);
            if let Try::Done = commit(tx).await? {
                self.standings.lower(self.store.record_id(Tenant::PLATFORM, kinds::TENANTS, TENANTS_ID));
                return Ok(tenant);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Whether what began at `began` (microseconds) in this tenant still counts: the tenant is on, and was not switched off since.
    pub(crate) fn tenant_admits(&self, tenant: Tenant, began: i64) -> Result<bool, AccessError> {
        if tenant == Tenant::DEFAULT || tenant == Tenant::PLATFORM {
            return Ok(true);
        }
        let tenants = self.tenants()?.map(|stored| stored.value.tenants).unwrap_or_default();
        let found = tenants.iter().find(|known| known.number == tenant.0);
        Ok(found.is_some_and(|known| !known.off && known.stopped.is_none_or(|stopped| stopped < began)))
    }

    /// The tenant with this name, in any case or width.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tenant_by_name(&self, name: &str) -> Result<Option<Tenant>, AccessError> {
        let Some(folded) = username::fold_bounded(name) else { return Ok(None) };
        if folded == DEFAULT_TENANT {
            return Ok(Some(Tenant::DEFAULT));
        }
        let tenants = self.tenants()?.map(|stored| stored.value.tenants).unwrap_or_default();
        let found = tenants.iter().find(|tenant| username::fold(&tenant.name) == folded);
        Ok(found.map(|tenant| Tenant(tenant.number)))
    }

    /// Every tenant.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn tenant_list(&self, permit: &Permit<Search>) -> Result<Vec<TenantView>, AccessError> {
        self.on_platform(permit)?;
        let name = DEFAULT_TENANT.to_owned();
        let mut tenants = vec![TenantView { number: Tenant::DEFAULT.0, name, off: false, stopped: None }];
        tenants.extend(self.tenants()?.map(|stored| stored.value.tenants).unwrap_or_default());
        Ok(tenants)
    }

    /// A page of the tenants behind the one with the number `after`, in the order in which they were made.
    ///
    /// # Errors
    /// [`AccessError::Denied`]; the store cannot be read, or the entry about it not written.
    pub async fn tenant_page(
        &self,
        permit: &Permit<Search>,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<TenantView>, AccessError> {
        let listed = self.tenant_list(permit);
        let mut all = self.tried(permit.caller(), (Action::TenantRead, None), listed).await?;
        let what = Happened::new(Action::TenantRead, Outcome::Success, None);
        self.audit.record(self.event_by(permit.caller(), what)).await?;
        let total = u32::try_from(all.len()).unwrap_or(u32::MAX);
        all.sort_by_key(|tenant| tenant.number);
        let mut items: Vec<TenantView> =
            all.into_iter().filter(|tenant| after.is_none_or(|a| tenant.number > a)).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().map(|last| last.number).filter(|_| more);
        Ok(Page { items, next, total })
    }

    /// Everybody who has an outbox: the platform, the first tenant, and all others.
    pub(crate) fn tenants_every(&self) -> Result<Vec<Tenant>, AccessError> {
        let made = self.tenants()?.map(|stored| stored.value.tenants).unwrap_or_default();
        Ok([Tenant::PLATFORM, Tenant::DEFAULT]
            .into_iter()
            .chain(made.iter().map(|tenant| Tenant(tenant.number)))
            .collect())
    }

    /// Whether there is a tenant with this number.
    pub(crate) fn tenant_exists(&self, tenant: Tenant) -> Result<bool, AccessError> {
        if tenant == Tenant::DEFAULT {
            return Ok(true);
        }
        let tenants = self.tenants()?.map(|stored| stored.value.tenants).unwrap_or_default();
        Ok(tenants.iter().any(|known| known.number == tenant.0))
    }

    fn tenants(&self) -> Result<Option<Stored<TenantsRecord>>, AccessError> {
        records::read(self.store.current(Tenant::PLATFORM, kinds::TENANTS, TENANTS_ID)?)
    }

    /// Whether the permit is the operator's: of the installation itself on the platform, or of somebody who holds everything in the first
    /// tenant. A tenant's own administrator holds `system:admin` inside the tenant, which is not enough here; nor is an account of the
    /// first tenant that has less than everything, since a tenant's first administrator would have more than its maker.
    fn on_platform<'a, A: iris_access::Action>(
        &self,
        permit: &'a Permit<A>,
    ) -> Result<&'a std::sync::Arc<iris_access::Caller>, AccessError> {
        let caller = match permit.target() {
            Target::Named(Named::Tenants) => permit.caller(),
            _ => on_accounts(permit)?,
        };
        let tenant = permit.tenant();
        if tenant == Tenant::PLATFORM {
            return Ok(caller);
        }
        if tenant == Tenant::DEFAULT {
            self.giver(caller, None)?.may_give(&[Rule::EVERYTHING])?;
            return Ok(caller);
        }
        let family = permit.target().family();
        Err(AccessError::Denied(Denial::Permission { missing: Permission::SystemAdmin, family }))
    }
}

fn told(tenant: &TenantView) -> String {
    format!("{} {}", tenant.name, if tenant.off { "off" } else { "on" })
}
