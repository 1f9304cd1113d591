//! A forgotten password, and the first one of somebody who was invited.

use iris_audit::{Action, Actor, Outcome};
use iris_kernel::{Secret, Tenant};
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::messages::{EmailAddress, Language, Notice, Purpose, Question, What};
use crate::records::{self, Must, UserRecord};
use crate::username;
use iris_access::trail::{Happened, TRIES_MAX, Try, commit};
use iris_access::{AccessError, Origin};

/// Whose password is forgotten.
#[derive(Debug)]
pub enum Forgotten {
    /// The account with this user name.
    Name(String),
    /// The account that has proven this address.
    Email(EmailAddress),
}

impl Identity {
    /// Takes in that somebody forgot a password. The answer is the same whether there is such an account, and takes the same time:
    /// who is meant is looked up later, elsewhere.
    ///
    /// # Errors
    /// [`AccessError::TooMany`]
    pub async fn reset_ask(
        &self,
        tenant: Option<Tenant>,
        whose: &Forgotten,
        language: Language,
        origin: &Origin,
    ) -> Result<(), AccessError> {
        let tenant = self.asked_tenant(tenant);
        let (folded, typed, what) = match whose {
            // What is too long to be a name is kept short and finds nobody.
            Forgotten::Name(name) => {
                let name: String = name.chars().take(username::USER_NAME_CHARS_MAX + 1).collect();
                (username::fold(&name), name.clone(), What::ResetByName(name))
            }
            Forgotten::Email(email) => {
                (email.folded(), email.as_str().to_owned(), What::ResetByEmail(email.as_str().to_owned()))
            }
        };
        let question = Question {
            tenant,
            named: &[b"reset\0", folded.as_bytes()],
            action: Action::ResetAsk,
            typed: &typed,
            resource: None,
        };
        if self.question_counts(&question, origin)? {
            self.question_keep(&question, (self.entropy.uuid(), what), language, origin).await?;
        }
        Ok(())
    }

    /// Sets the password of the account for which a link was mailed, ends all its sessions, and voids every other link of its. The
    /// address to which the link went is proven by it. A second factor stays as it is.
    ///
    /// # Errors
    /// [`AccessError::Invalid`] at `/token`, the same for every link that is not good, or at `/new_password`, which spends no link;
    /// [`AccessError::TooMany`].
    pub async fn password_reset(
        &self,
        text: &str,
        password: &Secret<String>,
        origin: &Origin,
    ) -> Result<(), AccessError> {
        let token = self.link(text, &[Purpose::Reset, Purpose::Invite], origin).await?;
        let mut hash = None;
        for _ in 0..TRIES_MAX {
            let record = self.link_record(&token, origin).await?;
            let id = record.value.user.unwrap_or(Uuid::nil());
            let user = self.link_user(&token, &record, id, origin).await?;
            let hash = match &hash {
                Some(hash) => hash,
                None => hash.insert(self.password_checked(password, &user.value).await?),
            };
            let stamp = self.stamp(id);
            let next = UserRecord {
                password: hash.clone(),
                password_changed: Some(stamp.at.0),
                epoch: user.value.epoch.saturating_add(1),
                email_verified: true,
                must: user.value.must.iter().copied().filter(|must| *must != Must::PasswordChange).collect(),
                ..user.value.clone()
            };
            let mut tx = self.store.begin(token.tenant);
            self.link_spend(&mut tx, stamp, &token, &record)?;
            self.imports_count(&mut tx, stamp, (&user.value.password, &next.password))?;
            self.email_claim(&mut tx, token.tenant, &next)?;
            records::change(&mut tx, stamp, (kinds::USER, &id.to_string()), &user, &next)?;
            let actor = Actor::new(id.into_bytes(), &*user.value.name);
            let what = Happened::new(Action::PasswordReset, Outcome::Success, Some(format!("User/{id}")));
            tx.audit(self.audit.row(&self.event(token.tenant, actor, what, origin))?);
            if token.purpose == Purpose::Reset {
                self.notice_put(&mut tx, stamp, (&user.value, Notice::PasswordReset), &origin.correlation)?;
            }
            if let Try::Done = commit(tx).await? {
                self.lower(token.tenant, kinds::USER, id);
                return Ok(());
            }
        }
        Err(AccessError::Conflict)
    }

    async fn password_checked(&self, password: &Secret<String>, user: &UserRecord) -> Result<String, AccessError> {
        let about =
            [&*user.name, user.email.as_deref().unwrap_or_default(), user.display_name.as_deref().unwrap_or_default()];
        if let Some(fault) = self.password_fault(password, &about, "/new_password").await? {
            return Err(AccessError::Invalid(vec![fault]));
        }
        let turn = self.passwords.turn().await?;
        self.passwords.hash(turn, password, self.entropy.as_ref()).await
    }
}
