//! What somebody holds at a moment: standing roles, roles of the tenant, grants for a time, as the rules that the decision takes.

use iris_access::{
    AccessError, ActionKind, Caller, Denial, Family, Permission, PermissionSet, Role, RoleSet, Rule, SubjectKind,
    invitable, permissions_of,
};
use iris_kernel::{Seq, Tenant, Timestamp};
use iris_store::{Expect, Tx};

use crate::identity::Identity;
use crate::kinds;
use crate::open_sessions::Own;
use crate::records::{Grant, Granted, UserRecord};
use crate::roles::RolesRecord;

/// What an account holds at a moment.
pub(crate) struct Held {
    /// The roles of the product among it.
    pub(crate) roles: RoleSet,
    /// Everything it holds.
    pub(crate) rules: Vec<Rule>,
    /// The next moment at which it changes by itself, because a grant begins or ends.
    pub(crate) until: Option<Timestamp>,
}

impl Held {
    /// The permissions of all rules together, for tokens and profiles.
    pub(crate) fn permissions(&self) -> PermissionSet {
        permissions_of(&self.rules)
    }
}

impl Grant {
    /// Whether it counts at a moment: from its beginning on, and before its end.
    pub(crate) fn counts(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now.0) && !self.is_over(now)
    }

    /// Whether its time is over.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now.0)
    }

    /// Whether it holds without any limit of time.
    pub(crate) const fn lasts(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }
}

impl UserRecord {
    /// What the account holds at `now`. A role of the tenant that is no longer there gives nothing.
    pub(crate) fn rules_at(&self, custom: &RolesRecord, now: Timestamp) -> Result<Held, AccessError> {
        let counted = self.grants.iter().filter(|grant| grant.counts(now));
        let mut held = self.rules_with(custom, counted)?;
        let boundaries = self.grants.iter().flat_map(|grant| [grant.from, grant.until]).flatten();
        held.until = boundaries.filter(|at| *at > now.0).min().map(Timestamp);
        Ok(held)
    }

    /// What of it holds from `now` until `end` without a gap; for good, where there is no end.
    fn rules_lasting(&self, custom: &RolesRecord, now: Timestamp, end: Option<i64>) -> Result<Held, AccessError> {
        let long = |grant: &&Grant| grant.until.is_none_or(|until| end.is_some_and(|end| until >= end));
        self.rules_with(custom, self.grants.iter().filter(|grant| grant.counts(now)).filter(long))
    }

    fn rules_with<'a>(
        &self,
        custom: &RolesRecord,
        grants: impl Iterator<Item = &'a Grant>,
    ) -> Result<Held, AccessError> {
        let mut roles: Vec<Role> = self.role_set()?.iter().collect();
        let (mut rules, mut single) = (Vec::new(), Vec::new());
        for grant in grants {
            match &grant.what {
                Granted::Role(name) => roles.push(name.parse().map_err(damaged)?),
                Granted::Custom(id) => {
                    rules.extend(custom.by_id(*id).map(|role| role.rules()).transpose()?.into_iter().flatten());
                }
                Granted::Permission(name) => {
                    single.push(permission_named(name).ok_or_else(|| damaged_word("permission"))?);
                }
            }
        }
        let roles = RoleSet::of(&roles);
        rules.extend(roles.iter().flat_map(rules_of));
        if !single.is_empty() {
            rules.push(Rule::granted(PermissionSet::of(&single)));
        }
        Ok(Held { roles, rules, until: None })
    }

    /// Whether it administers its tenant now and for good: enabled, able to sign in, and `admin` without any limit of time. Only such an
    /// account counts as the administrator who stays.
    pub(crate) fn administers(&self) -> bool {
        let admin = Role::Admin.name();
        let granted = |grant: &Grant| grant.lasts() && matches!(&grant.what, Granted::Role(name) if name == admin);
        self.enabled
            && !self.password.is_empty()
            && (self.roles.iter().any(|role| role == admin) || self.grants.iter().any(granted))
    }
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> AccessError {
    AccessError::Damaged(Box::new(error))
}

fn damaged_word(what: &str) -> AccessError {
    AccessError::Damaged(format!("a stored {what} is not known").into())
}

/// The permission with this name.
pub(crate) fn permission_named(name: &str) -> Option<Permission> {
    Permission::ALL.into_iter().find(|permission| permission.name() == name)
}

/// The family with this name.
pub(crate) fn family_named(name: &str) -> Option<Family> {
    Family::ALL.into_iter().find(|family| family.name() == name)
}

/// The rules of a role of the product.
pub(crate) fn rules_of(role: Role) -> Vec<Rule> {
    role.rules().to_vec()
}

/// The first permission, with its family, that `wanted` gives and `mine` do not. What is held on the own record only is nothing that one
/// has to give. A permission on a family that never asks for it has no meaning there, and is not looked at.
pub(crate) fn lacking(mine: &[Rule], wanted: &[Rule]) -> Option<(Permission, Family)> {
    let asked = |permission: Permission, family: Family| {
        let by = |family: Family| ActionKind::ALL.iter().any(|action| family.permission(*action) == Some(permission));
        by(family) || !Family::ALL.into_iter().any(by)
    };
    let pairs = Permission::ALL.into_iter().flat_map(|p| Family::ALL.into_iter().map(move |f| (p, f)));
    let mut needed = pairs.filter(|(p, f)| asked(*p, *f) && wanted.iter().any(|rule| rule.gives(*p, *f)));
    needed.find(|(p, f)| !mine.iter().any(|rule| !rule.own_record_only && rule.gives(*p, *f)))
}

/// Somebody who gives rights to others, or takes them: what they hold, and what must still be so when the write is stored.
#[must_use = "what was decided must still be so when the write is stored"]
pub(crate) struct Giver {
    rules: Vec<Rule>,
    requires: Vec<(iris_kernel::Kind, String, Expect)>,
}

impl Giver {
    /// Refuses what the giver does not hold, by the name of the permission.
    pub(crate) fn may_give(&self, wanted: &[Rule]) -> Result<(), AccessError> {
        match lacking(&self.rules, wanted) {
            None => Ok(()),
            Some((missing, family)) => Err(AccessError::Denied(Denial::Permission { missing, family })),
        }
    }

    /// Whether the giver may invite somebody with these roles: each is one that whoever runs accounts invites with.
    pub(crate) fn may_invite(&self, roles: RoleSet) -> bool {
        invitable(&self.rules).has_all(roles)
    }

    /// Lets the write go through only if the giver still is who they were: somebody whose rights are taken away at the same moment must
    /// not hand them on.
    pub(crate) fn require(&self, tx: &mut Tx) {
        for (kind, id, expect) in &self.requires {
            tx.require(*kind, id, *expect);
        }
    }
}

impl Identity {
    /// What an account holds at `now`.
    pub(crate) fn rules_at(&self, tenant: Tenant, user: &UserRecord, now: Timestamp) -> Result<Held, AccessError> {
        user.rules_at(&self.custom_roles(tenant, user)?, now)
    }

    /// The roles of the tenant, where the account has any of them; otherwise nothing is read.
    fn custom_roles(&self, tenant: Tenant, user: &UserRecord) -> Result<RolesRecord, AccessError> {
        let some = user.grants.iter().any(|grant| matches!(grant.what, Granted::Custom(_)));
        Ok(if some {
            self.roles_record(tenant)?.map(|stored| stored.value).unwrap_or_default()
        } else {
            RolesRecord::default()
        })
    }

    /// The caller as somebody who gives rights that last until `end`; for good, where there is none. Rights that end earlier than what
    /// is given do not count: whoever is an administrator for an hour makes no administrator for ever.
    ///
    /// # Errors
    /// [`AccessError::Token`] for an account or session that was ended meanwhile; [`AccessError::Conflict`] where the account holds
    /// something else than what the request was decided by.
    pub(crate) fn giver(&self, caller: &Caller, end: Option<i64>) -> Result<Giver, AccessError> {
        if caller.subject.kind == SubjectKind::System {
            return Ok(Giver { rules: vec![Rule::EVERYTHING], requires: Vec::new() });
        }
        let Own { user, session, id: session_id } = self.own(caller)?;
        let stored = self.roles_record(caller.tenant)?;
        let seq: Option<Seq> = stored.as_ref().map(|stored| stored.seq);
        let custom = stored.map(|stored| stored.value).unwrap_or_default();
        let now = self.clock.now();
        if user.value.rules_at(&custom, now)?.rules != *caller.rules {
            // The permit was decided by rules that are not theirs any more; the next request is decided anew.
            return Err(AccessError::Conflict);
        }
        let held = user.value.rules_lasting(&custom, now, end)?;
        let mut requires = vec![
            (kinds::USER, user.value.id.to_string(), Expect::Current(user.seq)),
            (kinds::SESSION, session_id.to_string(), Expect::Current(session.seq)),
        ];
        if let Some(seq) = seq {
            requires.push((kinds::ROLES, crate::roles::ROLES_ID.to_owned(), Expect::Current(seq)));
        }
        Ok(Giver { rules: held.rules, requires })
    }
}
