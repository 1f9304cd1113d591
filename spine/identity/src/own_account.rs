//! What people change of their own account: the password, how they are called, where messages go.

use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Caller, Denial, Origin};
use iris_audit::{Action, Outcome};
use iris_kernel::{Fault, Secret, Tenant};

use crate::identity::Identity;
use crate::kinds;
use crate::messages::{EmailAddress, Notice, PhoneNumber};
use crate::open_sessions::OwnChange;
use crate::password::Turn;
use crate::records::{self, Must, Stored, UserRecord};
use crate::views::{Profile, ProfileChange};

/// Longest name by which colleagues call somebody, in characters.
pub const DISPLAY_NAME_CHARS_MAX: usize = 200;

impl Identity {
    /// Sets a new password. Every other session of the account ends; the one that asks goes on.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault; [`AccessError::TooMany`] after too many wrong ones.
    pub async fn password_change(
        &self,
        caller: &Caller,
        (current, new): (&Secret<String>, &Secret<String>),
        origin: &Origin,
    ) -> Result<(), AccessError> {
        let user = self.own_password(caller, (current, "/current_password"), (Action::PasswordChange, origin)).await?;
        let resource = Some(format!("User/{}", user.value.id));
        let checked = self.new_password_checked(&user.value, current, new).await;
        self.tried(caller, (Action::PasswordChange, resource.clone()), checked).await?;
        let turn = self.passwords.turn().await?;
        let hash = self.passwords.hash(turn, new, self.entropy.as_ref()).await?;
        let mut before = user;
        for _ in 0..TRIES_MAX {
            let mut next = UserRecord {
                password: hash.clone(),
                password_changed: Some(self.clock.now().0),
                ..before.value.clone()
            };
            next.must.retain(|must| *must != Must::PasswordChange);
            let what = Happened::new(Action::PasswordChange, Outcome::Success, resource.clone());
            let what = what.because("every other session was ended");
            let change = OwnChange { next, what, notice: Some(Notice::PasswordChanged) };
            if let Try::Done = self.own_account_change(caller, &before, change).await? {
                return Ok(());
            }
            let fresh = self.own_account(caller)?;
            if fresh.value.password != before.value.password {
                // Somebody else has set one meanwhile: the one that was proven is not the account's any more.
                return Err(AccessError::Conflict);
            }
            before = fresh;
        }
        Err(AccessError::Conflict)
    }

    async fn new_password_checked(
        &self,
        user: &UserRecord,
        current: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), AccessError> {
        const AT: &str = "/new_password";
        let fault = match self.password_fault(new, &user.words(), AT).await? {
            None if current.expose() == new.expose() => Some(Fault::new(AT, "is the one that is set already")),
            fault => fault,
        };
        fault.map_or(Ok(()), |fault| Err(AccessError::Invalid(vec![fault])))
    }

    /// Puts a hash of ours in the place of one that another system made, now that the password is known. Whatever keeps it from being
    /// stored keeps nobody from signing in: the next sign-in tries again.
    pub(crate) async fn password_upgraded(
        &self,
        tenant: Tenant,
        user: Stored<UserRecord>,
        (password, turn): (&Secret<String>, Turn),
        origin: &Origin,
    ) -> Result<Stored<UserRecord>, AccessError> {
        if !crate::imported::is_bcrypt(&user.value.password) {
            return Ok(user);
        }
        let hash = self.passwords.hash(turn, password, self.entropy.as_ref()).await?;
        let stamp = self.stamp(user.value.id);
        let next = UserRecord { password: hash.clone(), ..user.value.clone() };
        let id = user.value.id.to_string();
        let mut tx = self.store.begin(tenant);
        records::change(&mut tx, stamp, (kinds::USER, &id), &user, &next)?;
        self.imports_count(&mut tx, stamp, (&user.value.password, &hash))?;
        let what = Happened::new(Action::PasswordChange, Outcome::Success, Some(format!("User/{id}")));
        let what = what.because("a hash of ours took the place of one of another system");
        let actor = iris_audit::Actor::new(user.value.id.into_bytes(), &*user.value.name);
        tx.audit(self.audit.row(&self.event(tenant, actor, what, origin))?);
        match commit(tx).await? {
            Try::Again => Ok(user),
            Try::Done => {
                self.lower(tenant, kinds::USER, user.value.id);
                let fresh = self.user(tenant, user.value.id)?;
                fresh.filter(|fresh| fresh.value.password == hash).ok_or(AccessError::Credentials)
            }
        }
    }

    /// Changes how the caller is called and where messages go. A new e-mail address has yet to be proven.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] with every fault; [`AccessError::Refused`] for a caller without an account; [`AccessError::Denied`] where
    /// something must be done first in this session.
    pub async fn profile_change(&self, caller: &Caller, change: &ProfileChange) -> Result<Profile, AccessError> {
        let resource = Some(format!("User/{}", caller.subject.id));
        let faults = change.faults();
        let checked = match caller.limited {
            // Who knows a password that is to be changed, or nothing but a password, turns no messages away from the owner.
            Some(limit) => Err(AccessError::Denied(Denial::Limited(limit))),
            None if faults.is_empty() => Ok(()),
            None => Err(AccessError::Invalid(faults)),
        };
        let own = checked.and_then(|()| self.own_account(caller)).and_then(|own| change.fits(&own.value));
        self.tried(caller, (Action::UserUpdate, resource.clone()), own).await?;
        for _ in 0..TRIES_MAX {
            let before = self.own_account(caller)?;
            let next = change.of(&before.value);
            let stamp = self.stamp(caller.subject.id);
            let mut tx = self.store.begin(caller.tenant);
            records::change(&mut tx, stamp, (kinds::USER, &before.value.id.to_string()), &before, &next)?;
            if next.email.is_some() && next.email != before.value.email {
                // The link that proves it goes to the new address.
                let language = next.language.unwrap_or_default();
                self.verification_put(&mut tx, stamp, before.value.id, (language, &caller.correlation))?;
            }
            if next.email != before.value.email {
                self.notice_put(&mut tx, stamp, (&before.value, Notice::EmailChanged), &caller.correlation)?;
            }
            let fields = change.fields().join(" ");
            let what = Happened::new(Action::UserUpdate, Outcome::Success, resource.clone()).because(&fields);
            tx.audit(self.audit.row(&self.event_by(caller, what))?);
            if let Try::Done = commit(tx).await? {
                self.lower(caller.tenant, kinds::USER, before.value.id);
                return self.me(caller);
            }
        }
        Err(AccessError::Conflict)
    }

    /// Who the caller is, for `GET /auth/me`: what the token proves, and what the account says of itself.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn me(&self, caller: &Caller) -> Result<Profile, AccessError> {
        let mut profile = Profile::of(caller);
        if caller.session.is_some() {
            let user = self.user(caller.tenant, caller.subject.id)?.ok_or(AccessError::Token)?;
            profile.add(&user.value);
            let factors = crate::factors::of(&self.factors(caller.tenant, caller.subject.id)?).kinds();
            profile.factors = Some(factors.into_iter().map(|factor| factor.name()).collect());
        }
        Ok(profile)
    }
}

impl UserRecord {
    /// What everybody may know of the account, and no password is made of.
    pub(crate) fn words(&self) -> Vec<&str> {
        let more = [self.display_name.as_deref(), self.email.as_deref(), self.phone.as_deref()];
        std::iter::once(self.name.as_str()).chain(more.into_iter().flatten()).collect()
    }
}

impl ProfileChange {
    fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let hidden = |text: &str| text.chars().any(char::is_control);
        if let Some(Some(name)) = &self.display_name
            && (name.trim().is_empty() || name.chars().count() > DISPLAY_NAME_CHARS_MAX || hidden(name))
        {
            let what = format!("must have 1 to {DISPLAY_NAME_CHARS_MAX} characters, and none that is invisible");
            faults.push(Fault::new("/display_name", what));
        }
        if let Some(Some(email)) = &self.email
            && email.parse::<EmailAddress>().is_err()
        {
            faults.push(Fault::new("/email", "must be an e-mail address"));
        }
        if let Some(Some(phone)) = &self.phone
            && PhoneNumber::read(phone).is_none()
        {
            faults.push(Fault::new("/phone", "must be a telephone number in its international form: +49 30 1234567"));
        }
        faults
    }

    /// An account without a password is a patient's portal, whose messages go where the record says. With an address of its own it could
    /// be given a password, and a session of two hours would become a way in for good.
    fn fits(&self, user: &UserRecord) -> Result<(), AccessError> {
        if user.password.is_empty() && (self.email.is_some() || self.phone.is_some()) {
            return Err(AccessError::Refused(
                "messages go where the patient's record says; have the clinic change it there",
            ));
        }
        Ok(())
    }

    fn of(&self, user: &UserRecord) -> UserRecord {
        let mut next = user.clone();
        if let Some(name) = &self.display_name {
            next.display_name.clone_from(name);
        }
        if let Some(email) = &self.email
            && next.email != *email
        {
            next.email.clone_from(email);
            next.email_verified = false;
        }
        if let Some(phone) = &self.phone {
            next.phone.clone_from(phone);
        }
        if let Some(language) = self.language {
            next.language = language;
        }
        next
    }

    fn fields(&self) -> Vec<&'static str> {
        let named = [
            ("display_name", self.display_name.is_some()),
            ("email", self.email.is_some()),
            ("phone", self.phone.is_some()),
            ("language", self.language.is_some()),
        ];
        named.into_iter().filter_map(|(name, is_sent)| is_sent.then_some(name)).collect()
    }
}
