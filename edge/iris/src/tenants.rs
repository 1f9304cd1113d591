//! `iris tenant …`: the operator makes, names and switches tenants from the machine.

use std::sync::Arc;

use iris_access::{Action, Caller, Facts, Named, Permit, Search, Update, decide};
use iris_identity::{FirstPassword, NewAccount, TenantChange, TenantView, password};
use iris_kernel::{Secret, Tenant};
use serde_json::{Value, json};

use crate::application::{Application, failure};
use crate::command::Failure;
use crate::operations::refused;

impl Application {
    /// Makes a tenant, with its first administrator if one is named, whose password is made and printed once.
    pub(crate) fn tenant_create(&self, what: &str, name: &str, admin: Option<String>) -> Result<Value, Failure> {
        let permit = on_tenants(&self.caller(Tenant::PLATFORM, what), iris_access::Create)?;
        let Some(admin) = admin else {
            let made = self.runtime.block_on(self.identity.tenant_create(&permit, name)).map_err(refused)?;
            return Ok(shown(&made));
        };
        let made = password::generate(&*self.entropy);
        let password = made.expose().clone();
        let admin = NewAccount {
            name: admin,
            password: FirstPassword::Made(Secret::new(made.expose().clone())),
            ..NewAccount::default()
        };
        let stored = self.runtime.block_on(self.identity.tenant_create_with(&permit, name, admin));
        let (tenant, user) = stored.map_err(refused)?;
        let mut told = shown(&tenant);
        told["admin"] = json!({ "id": user.id, "name": user.name, "password": password });
        Ok(told)
    }

    /// Names a tenant anew, or switches it off or on.
    pub(crate) fn tenant_change(&self, what: &str, number: u32, change: TenantChange) -> Result<Value, Failure> {
        let permit = on_tenants(&self.caller(Tenant::PLATFORM, what), Update)?;
        let changed = self.runtime.block_on(self.identity.tenant_change(&permit, number, change)).map_err(refused)?;
        Ok(shown(&changed))
    }

    /// Every tenant.
    pub(crate) fn tenant_list(&self, what: &str) -> Result<Value, Failure> {
        let permit = on_tenants(&self.caller(Tenant::PLATFORM, what), Search)?;
        let tenants = self.identity.tenant_list(&permit).map_err(refused)?;
        Ok(json!({ "tenants": tenants.iter().map(shown).collect::<Vec<_>>() }))
    }
}

fn shown(tenant: &TenantView) -> Value {
    json!({ "tenant": tenant.number, "name": tenant.name, "active": !tenant.off })
}

fn on_tenants<A: Action>(caller: &Arc<Caller>, action: A) -> Result<Permit<A>, Failure> {
    decide(caller, action, &Facts::named(Named::Tenants)).map_err(|denial| failure("not allowed", &denial))
}
