//! Users' accounts: made, listed, counted, shown.

use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Secret, Tenant};
use iris_store::{CommitError, Conflict, Expect};
use uuid::Uuid;

use crate::accounts::{UserChange, Wanted};
use crate::held::{Giver, permission_named};
use crate::identity::Identity;
use crate::imported::Imported;
use crate::kinds;
use crate::lists::{LIST_PAGE_MAX, List};
use crate::messages::Language;
use crate::records::{Grant, Granted, Must, UserRecord};
use crate::roles::{ROLES_ID, RolesRecord};
use crate::username;
use crate::views::{ColleagueView, NewUser, Page, UserView};
use iris_access::trail::{Happened, TRIES_MAX, on_accounts};
use iris_access::{AccessError, Caller, Create, Permit, Read, Role, RoleSet, Search};

/// Most users of which the locked ones are counted.
pub const USERS_COUNTED_MAX: u32 = 10_000;
/// Why a permission is there that came with the account.
const WITH: &str = "given with the account";

/// An account to be made, with everything that it is to have from the beginning.
#[derive(Debug, Default)]
pub struct NewAccount {
    /// The name to sign in with; unique in the tenant by case-folded NFKC.
    pub name: String,
    /// How its first password comes about.
    pub password: FirstPassword,
    /// Names of roles, of the product and of the tenant.
    pub roles: Vec<String>,
    /// Names of permissions that it has besides.
    pub permissions: Vec<String>,
    /// Id of the own Patient resource; needed by the role patient.
    pub patient: Option<String>,
    /// Where messages about the account go.
    pub email: Option<String>,
    /// Where codes go.
    pub phone: Option<String>,
    /// How colleagues call the person.
    pub display_name: Option<String>,
    /// Ids of the Organizations in which the person works.
    pub departments: Vec<String>,
    /// Id of the Practitioner who the person is.
    pub practitioner: Option<String>,
    /// In which language messages to the person are written, if that is known.
    pub language: Option<Language>,
    /// In which language the first message is written, where that is not known.
    pub asked_in: Language,
}

/// How an account gets its first password.
#[derive(Debug, Default)]
pub enum FirstPassword {
    /// This one, chosen by its owner.
    Chosen(Secret<String>),
    /// The one whose hash another system made; ours takes its place at the first sign-in.
    Imported(Imported),
    /// This one, made for its owner, who sets another one at the first sign-in.
    Made(Secret<String>),
    /// By a link in a mail to its address.
    #[default]
    Invited,
}

/// The mailbox behind an address, as far as that can be told: `Ann+nurse@example.org` is `ann@example.org` (RFC 5233).
fn mailbox(address: &str) -> String {
    let folded = username::fold(address);
    match folded.split_once('@') {
        Some((local, host)) => format!("{}@{host}", local.split('+').next().unwrap_or_default()),
        None => folded,
    }
}

impl NewAccount {
    /// What of it an account can be changed in too.
    fn contact(&self) -> UserChange {
        UserChange {
            email: Some(self.email.clone()),
            phone: Some(self.phone.clone()),
            display_name: Some(self.display_name.clone()),
            departments: Some(self.departments.clone()),
            practitioner: Some(self.practitioner.clone()),
            ..UserChange::default()
        }
    }
}

impl Identity {
    /// Makes a user in the permit's tenant. The permit is one on [`iris_access::Named::Accounts`].
    ///
    /// # Errors
    /// As [`Identity::account_create`].
    pub async fn user_create(&self, permit: &Permit<Create>, user: NewUser) -> Result<UserView, AccessError> {
        let account = NewAccount {
            name: user.name,
            password: FirstPassword::Chosen(user.password),
            roles: user.roles.names().into_iter().map(str::to_owned).collect(),
            patient: user.patient,
            ..NewAccount::default()
        };
        self.account_create(permit, account).await
    }

    /// Makes an account in the permit's tenant. It holds nothing that the caller does not hold for good.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault; [`AccessError::Taken`] if the name, folded, is in use; [`AccessError::Denied`] for
    /// what the caller does not hold; [`AccessError::MailNotConfigured`] for an invitation where no mail can be sent.
    pub async fn account_create(&self, permit: &Permit<Create>, user: NewAccount) -> Result<UserView, AccessError> {
        let caller = on_accounts(permit)?;
        let result = self.account_make(caller, permit.tenant(), user).await;
        self.tried(caller, (Action::UserCreate, None), result).await
    }

    /// Makes an account in a tenant that the caller was found to be allowed to fill.
    pub(crate) async fn account_make(
        &self,
        caller: &Caller,
        tenant: Tenant,
        user: NewAccount,
    ) -> Result<UserView, AccessError> {
        self.account_ready(tenant, &user).await?;
        // Looked at before the work of a hash is spent.
        drop(self.account_giver(caller, tenant, &user)?);
        self.account_reachable(&user)?;
        let now = self.clock.now();
        let (password, must) = match &user.password {
            FirstPassword::Invited => (String::new(), Vec::new()),
            FirstPassword::Imported(hash) => (hash.text().to_owned(), Vec::new()),
            FirstPassword::Chosen(password) => (self.first_hash(password).await?, Vec::new()),
            FirstPassword::Made(password) => (self.first_hash(password).await?, vec![Must::PasswordChange]),
        };
        let fresh = UserRecord {
            password_changed: (!password.is_empty()).then_some(now.0),
            password,
            must,
            roles: Vec::new(),
            patient: user.patient.clone(),
            email: user.email.clone(),
            phone: user.phone.clone(),
            display_name: user.display_name.clone(),
            departments: user.departments.clone(),
            practitioner: user.practitioner.clone(),
            language: user.language,
            ..UserRecord::fresh(self.entropy.uuid(), &user.name, Role::Auditor, now)
        };
        for _ in 0..TRIES_MAX {
            if let Some(made) = self.account_try(caller, tenant, (&user, fresh.clone())).await? {
                return Ok(made);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Refuses an account with everything that is wrong with it.
    pub(crate) async fn account_ready(&self, tenant: Tenant, user: &NewAccount) -> Result<(), AccessError> {
        let faults = self.account_faults(tenant, user).await?;
        if faults.is_empty() { Ok(()) } else { Err(AccessError::Invalid(faults)) }
    }

    /// Refuses an invitation that nobody would get.
    pub(crate) fn account_reachable(&self, user: &NewAccount) -> Result<(), AccessError> {
        if matches!(user.password, FirstPassword::Invited) && !self.mail_is_set() {
            return Err(AccessError::MailNotConfigured);
        }
        Ok(())
    }

    async fn first_hash(&self, password: &Secret<String>) -> Result<String, AccessError> {
        let turn = self.passwords.turn().await?;
        self.passwords.hash(turn, password, self.entropy.as_ref()).await
    }

    /// The rules that the account is to have, the caller who gives them, and the tenant's roles among which they were found.
    fn account_giver(
        &self,
        caller: &Caller,
        tenant: Tenant,
        user: &NewAccount,
    ) -> Result<(Giver, Wanted, RolesRecord, Expect), AccessError> {
        let stored = self.roles_record(tenant)?;
        let expect = stored.as_ref().map_or(Expect::Absent, |stored| Expect::Current(stored.seq));
        let custom = stored.map(|stored| stored.value).unwrap_or_default();
        let mut faults = Vec::new();
        let wanted = Wanted::of(&user.roles, &custom, &mut faults);
        if !faults.is_empty() {
            return Err(AccessError::Invalid(faults));
        }
        let mut rules = wanted.rules(&custom)?;
        for name in &user.permissions {
            rules.extend(Granted::Permission(name.clone()).rules(&custom)?);
        }
        let giver = self.giver(caller, None)?;
        let given = giver.may_give(&rules);
        if given.is_err() && !self.may_invite(caller, tenant, &giver, (user, &wanted))? {
            given?;
        }
        Ok((giver, wanted, custom, expect))
    }

    /// Whether the caller may invite somebody with roles that they do not hold themselves (`iris_access::invitable`). The account must
    /// not be one that they could use: it begins without a password, and its link goes to an address that is not theirs.
    fn may_invite(
        &self,
        caller: &Caller,
        tenant: Tenant,
        giver: &Giver,
        (user, wanted): (&NewAccount, &Wanted),
    ) -> Result<bool, AccessError> {
        let is_plain = wanted.custom.is_empty() && user.permissions.is_empty() && user.patient.is_none();
        let is_invited = matches!(user.password, FirstPassword::Invited) && caller.tenant == tenant;
        if !is_plain || !is_invited || !giver.may_invite(wanted.roles) {
            return Ok(false);
        }
        let own = self.user(tenant, caller.subject.id)?.ok_or(AccessError::Token)?.value;
        let Some(address) = user.email.as_deref().map(mailbox) else { return Ok(false) };
        Ok([own.email.as_deref(), Some(&own.name)].into_iter().flatten().all(|own| mailbox(own) != address))
    }

    async fn account_try(
        &self,
        caller: &Caller,
        tenant: Tenant,
        (user, mut record): (&NewAccount, UserRecord),
    ) -> Result<Option<UserView>, AccessError> {
        let (giver, wanted, custom, expect) = self.account_giver(caller, tenant, user)?;
        wanted.put_into(&mut record, caller.subject.id, || self.entropy.uuid());
        for name in &user.permissions {
            let what = Granted::Permission(name.clone());
            if !record.grants.iter().any(|grant| grant.what == what) {
                let (id, by, why) = (self.entropy.uuid(), caller.subject.id, WITH.to_owned());
                record.grants.push(Grant { id, what, from: None, until: None, by, why });
            }
        }
        let stamp = self.stamp(caller.subject.id);
        let mut tx = self.store.begin(tenant);
        self.account_add(&mut tx, stamp, &record)?;
        self.imports_count(&mut tx, stamp, ("", &record.password))?;
        // What is required of the caller stands in the caller's own tenant.
        if caller.tenant == tenant {
            giver.require(&mut tx);
        }
        if !wanted.custom.is_empty() {
            tx.require(kinds::ROLES, ROLES_ID, expect);
            self.role_used(&mut tx, tenant, stamp)?;
        }
        let told = (record.language.unwrap_or(user.asked_in), &*caller.correlation);
        if record.password.is_empty() {
            self.invitation_put(&mut tx, stamp, record.id, told)?;
        } else if record.email.is_some() && self.mail_is_set() {
            self.verification_put(&mut tx, stamp, record.id, told)?;
        }
        let how = if record.password.is_empty() { "; invited by mail" } else { "" };
        let detail = format!("{}; before: nothing; after: {}{how}", record.name, crate::grants::told(&record, &custom));
        let what = Happened::new(Action::UserCreate, Outcome::Success, Some(format!("User/{}", record.id)));
        let mut event = self.event_by(caller, what.because(&detail));
        event.tenant = tenant;
        tx.audit(self.audit.row(&event)?);
        match tx.commit().await {
            Ok(_) => Ok(Some(self.view_with(record, &custom))),
            Err(CommitError::Conflict { which: Conflict::Claim(0) }) => Err(AccessError::Taken("the user name")),
            Err(CommitError::Conflict { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }

    async fn account_faults(&self, tenant: Tenant, user: &NewAccount) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        faults.extend(username::check(&user.name, "username").err());
        if let FirstPassword::Chosen(password) | FirstPassword::Made(password) = &user.password {
            let about = [Some(user.name.as_str()), user.email.as_deref(), user.display_name.as_deref()];
            let about: Vec<&str> = about.into_iter().flatten().collect();
            faults.extend(self.password_fault(password, &about, "password").await?);
        } else if matches!(user.password, FirstPassword::Invited) && user.email.is_none() {
            faults.push(Fault::new("email", "is needed where no password is given: the invitation goes there"));
        }
        let custom = self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default();
        let wanted = Wanted::of(&user.roles, &custom, &mut faults);
        if !faults.iter().any(|fault| fault.at.starts_with("roles")) {
            let others = wanted.custom.len() + user.permissions.len();
            faults.extend(self.role_faults(tenant, (wanted.roles, others), user.patient.as_deref()).await?);
        }
        for (at, name) in user.permissions.iter().enumerate().filter(|(_, name)| permission_named(name).is_none()) {
            let shown: String = name.chars().take(crate::roles::ROLE_NAME_CHARS_MAX).collect();
            faults.push(Fault::new(format!("permissions/{at}"), format!("there is no permission {shown}")));
        }
        faults.extend(self.contact_faults(tenant, &user.contact()).await?);
        Ok(faults)
    }

    /// What is wrong with an account that has these roles, so many other grants, and this own record.
    pub(crate) async fn role_faults(
        &self,
        tenant: Tenant,
        (roles, others): (RoleSet, usize),
        patient: Option<&str>,
    ) -> Result<Vec<Fault>, AccessError> {
        let mut faults = Vec::new();
        if roles.is_empty() && others == 0 {
            faults.push(Fault::new("roles", "at least one role is needed"));
        }
        if roles.iter().any(|role| role.name() == "system") {
            faults.push(Fault::new("roles", "system is for machines and for nobody with an account"));
        }
        match (patient, roles.has(Role::Patient)) {
            (None, true) => faults.push(Fault::new("patient_id", "is needed by the role patient")),
            (Some(_), false) => faults.push(Fault::new("patient_id", "is only for the role patient")),
            (Some(id), true) if !self.resource_present(tenant, "Patient", id).await? => {
                faults.push(Fault::new("patient_id", "there is no such patient"));
            }
            _ => {}
        }
        Ok(faults)
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
        let custom = self.roles_record(permit.tenant())?.map(|stored| stored.value).unwrap_or_default();
        let what = Happened::new(Action::UserRead, Outcome::Success, None).because("users were listed");
        self.audit.record(self.event_by(caller, what)).await?;
        let items = page.items.into_iter().map(|user| self.view_with(user, &custom)).collect();
        Ok(Page { items, next: page.next, total: page.total })
    }

    /// The colleagues of somebody who works in the tenant, oldest first: those who may sign in and are no patients. Machines, and those who
    /// see nothing but their own record, have none.
    ///
    /// # Errors
    /// [`AccessError::Refused`] for the latter; the store cannot be read, or the entry about it not written.
    pub async fn colleagues(
        &self,
        caller: &Caller,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<ColleagueView>, AccessError> {
        if !works_here(caller) {
            let what = Happened::new(Action::UserRead, Outcome::Denied, None).because("colleagues");
            self.audit.record(self.event_by(caller, what)).await?;
            return Err(AccessError::NotFound("list of colleagues"));
        }
        let page = self.list_page::<UserRecord>(caller.tenant, List::Users, after, limit)?;
        let what = Happened::new(Action::UserRead, Outcome::Success, None).because("colleagues were listed");
        self.audit.record(self.event_by(caller, what)).await?;
        let colleague = |user: &UserRecord| user.enabled && user.patient.is_none();
        let view = |user: UserRecord| ColleagueView {
            id: user.id,
            name: user.name,
            display_name: user.display_name,
            practitioner_id: user.practitioner,
        };
        let items = page.items.into_iter().filter(colleague).map(view).collect();
        Ok(Page { items, next: page.next, total: page.total })
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
        self.view_of(permit.tenant(), user.value)
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
        self.view_of(permit.tenant(), user.value)
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

    /// How many administrators of the permit's tenant can sign in and are so for good; `None` for more users than
    /// [`USERS_COUNTED_MAX`]. Blocks.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn administrators(&self, permit: &Permit<Search>) -> Result<Option<u32>, AccessError> {
        on_accounts(permit)?;
        if self.list_size(permit.tenant(), List::Users)? > USERS_COUNTED_MAX {
            return Ok(None);
        }
        self.users_counted(permit, UserRecord::administers).map(Some)
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

/// Whether somebody is one of the people who work in the tenant.
fn works_here(caller: &Caller) -> bool {
    caller.rules.iter().any(|rule| !rule.own_record_only && !rule.permissions.is_empty())
}
