//! Tenants: organisations that see nothing of each other.

use iris_audit::{Action, Outcome};
use iris_kernel::Tenant;

use crate::identity::Identity;
use crate::records::{self, Stored, TenantsRecord};
use crate::views::TenantView;
use crate::{kinds, username};
use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{AccessError, Create, Denial, Permission, Permit, Search};

/// Name of the tenant that every installation has.
pub const DEFAULT_TENANT: &str = "default";
/// Most tenants of one installation; they stand in one record.
pub const TENANTS_MAX: usize = 10_000;

/// Id of the one record of tenants.
const TENANTS_ID: &str = "all";

impl Identity {
    /// Makes a tenant. Only the platform itself may: a permit of [`crate::Caller::system`] on [`Tenant::PLATFORM`].
    ///
    /// # Errors
    /// [`AccessError::Invalid`] or [`AccessError::Taken`] for the name.
    pub async fn tenant_create(&self, permit: &Permit<Create>, name: &str) -> Result<TenantView, AccessError> {
        let caller = on_platform(permit)?;
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
            let tenant = TenantView { number, name: name.to_owned() };
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
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                return Ok(tenant);
            }
        }
        Err(AccessError::Conflict)
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
        on_platform(permit)?;
        let mut tenants = vec![TenantView { number: Tenant::DEFAULT.0, name: DEFAULT_TENANT.to_owned() }];
        tenants.extend(self.tenants()?.map(|stored| stored.value.tenants).unwrap_or_default());
        Ok(tenants)
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
}

/// A tenant's own administrator holds `system:admin` inside the tenant, which is not enough here.
fn on_platform<A: iris_access::Action>(
    permit: &Permit<A>,
) -> Result<&std::sync::Arc<iris_access::Caller>, AccessError> {
    let caller = on_accounts(permit)?;
    if permit.tenant() == Tenant::PLATFORM {
        return Ok(caller);
    }
    let family = permit.target().family();
    Err(AccessError::Denied(Denial::Permission { missing: Permission::SystemAdmin, family }))
}
