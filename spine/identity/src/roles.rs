//! Roles that a tenant makes for itself. They stand in one record, which every node follows: a change counts at the next request.

use iris_access::trail::{Happened, TRIES_MAX, Try, commit, on_accounts};
use iris_access::{
    AccessError, Create, Delete, Family, FamilySet, Permission, PermissionSet, Permit, Role, Rule, Search, Update,
};
use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Tenant};
use iris_store::{Expect, Tx};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::held::{family_named, permission_named, rules_of};
use crate::identity::Identity;
use crate::kinds;
use crate::lists::{LIST_PAGE_MAX, List};
use crate::records::{self, Granted, Stamp, Stored, UserRecord};
use crate::views::RoleView;

/// Most roles of a tenant's own; they stand in one record.
pub const ROLES_MAX: usize = 200;
/// Longest name of a role, in characters.
pub const ROLE_NAME_CHARS_MAX: usize = 64;

/// Id of the one record.
pub(crate) const ROLES_ID: &str = "all";

/// Every role that a tenant has made.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct RolesRecord {
    pub(crate) roles: Vec<CustomRole>,
}

impl RolesRecord {
    pub(crate) fn by_id(&self, id: Uuid) -> Option<&CustomRole> {
        self.roles.iter().find(|role| role.id == id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<&CustomRole> {
        self.roles.iter().find(|role| role.name == name)
    }
}

/// A role of the tenant's own, as stored.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CustomRole {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// The role of the product whose rules it has too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) based_on: Option<String>,
    pub(crate) permissions: Vec<String>,
    /// The families on which its permissions count; those that ask for one of them, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) families: Vec<String>,
}

impl CustomRole {
    /// What it allows: what the role does that it is based on, and its own permissions.
    pub(crate) fn rules(&self) -> Result<Vec<Rule>, AccessError> {
        let damaged = || AccessError::Damaged("a role of the tenant does not read".into());
        let base: Option<Role> = self.based_on.as_deref().map(str::parse).transpose().map_err(|_| damaged())?;
        let permissions: Option<Vec<Permission>> = self.permissions.iter().map(|name| permission_named(name)).collect();
        let families: Option<Vec<Family>> = self.families.iter().map(|name| family_named(name)).collect();
        let permissions = PermissionSet::of(&permissions.ok_or_else(damaged)?);
        let families = families.ok_or_else(damaged)?;
        let mut rules = base.map(rules_of).unwrap_or_default();
        let own = Rule::granted(permissions);
        if permissions != PermissionSet::NONE {
            let reach = if families.is_empty() { own.reach } else { FamilySet::of(&families) };
            rules.push(Rule { reach, ..own });
        }
        Ok(rules)
    }

    fn view(&self) -> Result<RoleView, AccessError> {
        Ok(RoleView {
            id: self.id,
            name: self.name.clone(),
            description: self.description.clone(),
            based_on: self.based_on.clone(),
            permissions: self.permissions.clone(),
            families: self.families.clone(),
            rules: self.rules()?,
        })
    }

    /// What it is, for the log.
    fn told(&self) -> String {
        let base = self.based_on.as_deref().unwrap_or("nothing");
        let families = if self.families.is_empty() { "where asked for".to_owned() } else { self.families.join(" ") };
        format!("{} based on {base}, {} on {families}", self.name, self.permissions.join(" "))
    }
}

/// A role to be made, or what one is to be from now on.
#[derive(Clone, Debug, Default)]
pub struct NewRole {
    /// Its name: lower-case letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Name of the role of the product whose rules it has too.
    pub based_on: Option<String>,
    /// Names of permissions.
    pub permissions: Vec<String>,
    /// Names of the families on which they count; those that ask for one of them, where none is named.
    pub families: Vec<String>,
}

impl NewRole {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if !(2..=ROLE_NAME_CHARS_MAX).contains(&self.name.len()) || !self.name.chars().all(letter) {
            faults.push(Fault::new("name", "must be 2 to 64 lower-case letters, digits, _ and -"));
        }
        if self.name.parse::<Role>().is_ok() {
            faults.push(Fault::new("name", "is the name of a role of the product"));
        }
        if let Some(base) = &self.based_on {
            match base.parse::<Role>() {
                Err(_) => faults.push(Fault::new("based_on", "is no role of the product")),
                Ok(role) if !may_be_based_on(role) => {
                    faults.push(Fault::new("based_on", format!("no other role can be based on {role}")));
                }
                Ok(_) => {}
            }
        }
        if self.permissions.is_empty() && self.based_on.is_none() {
            faults.push(Fault::new("permissions", "at least one is needed where the role is based on no other"));
        }
        for (at, name) in self.permissions.iter().enumerate().filter(|(_, name)| permission_named(name).is_none()) {
            let shown: String = name.chars().take(ROLE_NAME_CHARS_MAX).collect();
            faults.push(Fault::new(format!("permissions/{at}"), format!("there is no permission {shown}")));
        }
        for (at, name) in self.families.iter().enumerate().filter(|(_, name)| family_named(name).is_none()) {
            let shown: String = name.chars().take(ROLE_NAME_CHARS_MAX).collect();
            faults.push(Fault::new(format!("families/{at}"), format!("there is no family {shown}")));
        }
        faults
    }

    fn made(self, id: Uuid) -> CustomRole {
        let mut role = CustomRole {
            id,
            name: self.name,
            description: self.description,
            based_on: self.based_on,
            permissions: self.permissions,
            families: self.families,
        };
        for list in [&mut role.permissions, &mut role.families] {
            list.sort_unstable();
            list.dedup();
        }
        role
    }
}

/// A role on the own record needs a record of one's own, and the role of machines is for no person.
fn may_be_based_on(role: Role) -> bool {
    !role.own_record_only() && role.name() != "system"
}

/// What is to be done with the tenant's roles.
enum Change {
    Add(CustomRole),
    Replace(CustomRole),
    Remove(Uuid),
}

impl Identity {
    /// The roles of the permit's tenant's own, by name.
    ///
    /// # Errors
    /// The store cannot be read, or the entry about it not written.
    pub async fn role_list(&self, permit: &Permit<Search>) -> Result<Vec<RoleView>, AccessError> {
        let caller = on_accounts(permit)?;
        let roles = self.roles_record(permit.tenant())?.map(|stored| stored.value.roles).unwrap_or_default();
        let what = Happened::new(Action::UserRead, Outcome::Success, None).because("roles were listed");
        self.audit.record(self.event_by(caller, what)).await?;
        let mut views: Vec<RoleView> = roles.iter().map(CustomRole::view).collect::<Result<_, _>>()?;
        views.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(views)
    }

    /// Makes a role of the permit's tenant. It holds nothing that its maker does not hold for good.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault; [`AccessError::Taken`]; [`AccessError::Denied`] for what the caller does not hold.
    pub async fn role_create(&self, permit: &Permit<Create>, role: NewRole) -> Result<RoleView, AccessError> {
        on_accounts(permit)?;
        let faults = role.faults();
        let id = self.entropy.uuid();
        let result = match faults.is_empty() {
            true => self.roles_change(permit, Change::Add(role.made(id))).await,
            false => Err(AccessError::Invalid(faults)),
        };
        self.tried(permit.caller(), (Action::RoleDefine, Some(format!("Role/{id}"))), result).await
    }

    /// Makes a role of the tenant another one; it counts for everybody who has it from their next request on.
    ///
    /// # Errors
    /// As [`Identity::role_create`]; [`AccessError::NotFound`].
    pub async fn role_update(&self, permit: &Permit<Update>, id: Uuid, role: NewRole) -> Result<RoleView, AccessError> {
        on_accounts(permit)?;
        let faults = role.faults();
        let result = match faults.is_empty() {
            true => self.roles_change(permit, Change::Replace(role.made(id))).await,
            false => Err(AccessError::Invalid(faults)),
        };
        self.tried(permit.caller(), (Action::RoleDefine, Some(format!("Role/{id}"))), result).await
    }

    /// Takes a role of the tenant away, if nobody has it.
    ///
    /// # Errors
    /// [`AccessError::NotFound`]; [`AccessError::Refused`] while somebody has it, now or from a later moment on.
    pub async fn role_delete(&self, permit: &Permit<Delete>, id: Uuid) -> Result<(), AccessError> {
        on_accounts(permit)?;
        let result = self.roles_change(permit, Change::Remove(id)).await.map(|_| ());
        self.tried(permit.caller(), (Action::RoleDefine, Some(format!("Role/{id}"))), result).await
    }

    async fn roles_change<A: iris_access::Action>(
        &self,
        permit: &Permit<A>,
        change: Change,
    ) -> Result<RoleView, AccessError> {
        let (caller, tenant) = (permit.caller(), permit.tenant());
        for _ in 0..TRIES_MAX {
            let giver = self.giver(caller, None)?;
            let before = self.roles_record(tenant)?;
            let mut next = before.as_ref().map(|before| before.value.clone()).unwrap_or_default();
            let mut tx = self.store.begin(tenant);
            let (id, was) = match &change {
                Change::Add(role) => (role.id, None),
                Change::Replace(CustomRole { id, .. }) | Change::Remove(id) => {
                    (*id, Some(next.by_id(*id).ok_or(AccessError::NotFound("role"))?.clone()))
                }
            };
            // Whoever does not hold a role gives it no other meaning either.
            giver.may_give(&was.as_ref().map(CustomRole::rules).transpose()?.unwrap_or_default())?;
            next.roles.retain(|role| role.id != id);
            let now = match &change {
                Change::Add(role) | Change::Replace(role) => {
                    giver.may_give(&role.rules()?)?;
                    if next.by_name(&role.name).is_some() {
                        return Err(AccessError::Taken("the role's name"));
                    }
                    if next.roles.len() >= ROLES_MAX {
                        return Err(AccessError::Refused("a tenant has at most 200 roles of its own"));
                    }
                    next.roles.push(role.clone());
                    Some(role.clone())
                }
                Change::Remove(id) => {
                    self.require_unused(&mut tx, tenant, *id)?;
                    None
                }
            };
            giver.require(&mut tx);
            let stamp = self.stamp(caller.subject.id);
            match &before {
                None => records::add(&mut tx, stamp, kinds::ROLES, ROLES_ID, &next)?,
                Some(before) => records::change(&mut tx, stamp, (kinds::ROLES, ROLES_ID), before, &next)?,
            }
            let told = |role: &Option<CustomRole>| role.as_ref().map_or_else(|| "nothing".to_owned(), CustomRole::told);
            let detail = format!("before: {}; after: {}", told(&was), told(&now));
            let what = Happened::new(Action::RoleDefine, Outcome::Success, Some(format!("Role/{id}")));
            tx.audit(self.audit.row(&self.event_by(caller, what.because(&detail)))?);
            if let Try::Done = commit(tx).await? {
                self.standings.lower(self.store.record_id(tenant, kinds::ROLES, ROLES_ID));
                return now.or(was).ok_or(AccessError::Conflict)?.view();
            }
        }
        Err(AccessError::Conflict)
    }

    pub(crate) fn roles_record(&self, tenant: Tenant) -> Result<Option<Stored<RolesRecord>>, AccessError> {
        records::read(self.store.current(tenant, kinds::ROLES, ROLES_ID)?)
    }

    /// Lets a role go only while nobody has it, and while nobody gets it at the same moment: each grant of one changes a record that is
    /// required here as it was before the accounts were looked at.
    fn require_unused(&self, tx: &mut Tx, tenant: Tenant, id: Uuid) -> Result<(), AccessError> {
        let uses = records::read::<u64>(self.store.current(tenant, kinds::ROLE_USES, ROLES_ID)?)?;
        let expect = uses.map_or(Expect::Absent, |uses| Expect::Current(uses.seq));
        let now = self.clock.now();
        let mut after = Some(0);
        while let Some(from) = after {
            let page = self.list_page::<UserRecord>(tenant, List::Users, Some(from), LIST_PAGE_MAX)?;
            let mut grants = page.items.iter().flat_map(|user| &user.grants);
            if grants.any(|grant| grant.what == Granted::Custom(id) && !grant.is_over(now)) {
                return Err(AccessError::Refused("somebody has this role; take it away from them first"));
            }
            after = page.next;
        }
        tx.require(kinds::ROLE_USES, ROLES_ID, expect);
        Ok(())
    }

    /// Notes in the write set that a role of the tenant is granted, and lets the write go through only while the roles are as they were
    /// read.
    pub(crate) fn role_used(&self, tx: &mut Tx, tenant: Tenant, stamp: Stamp) -> Result<(), AccessError> {
        let before = records::read::<u64>(self.store.current(tenant, kinds::ROLE_USES, ROLES_ID)?)?;
        match &before {
            None => records::add(tx, stamp, kinds::ROLE_USES, ROLES_ID, &1_u64),
            Some(before) => {
                let next = before.value.saturating_add(1);
                records::change(tx, stamp, (kinds::ROLE_USES, ROLES_ID), before, &next)
            }
        }
    }
}
