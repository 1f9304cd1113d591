//! What decisions know beyond roles, kept in memory: each tenant's policy, its consents, its care teams, its broken glasses.
//!
//! A tenant's records are read when somebody of it first asks. From then on every change of one of them, by whichever node,
//! raises the tenant's generation before its writer has an answer here (elsewhere within a second), and is read again before the
//! next decision. A caller whose generation is the current one costs a look at it. What only time changes (a consent that runs
//! out, a glass whose time is over) needs no write: a view holds until the next moment at which anything of the tenant begins or
//! ends.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use iris_audit::Audit;
use iris_kernel::kinds::{GLASS, POLICY};
use iris_kernel::{Clock, Entropy, Kind, RecordId, Tenant, Timestamp};
use iris_store::{Change, Follower, Row, Store};
use parking_lot::{Mutex, RwLock};
use quick_cache::sync::Cache;
use uuid::Uuid;

use crate::books::Books;
use crate::caller::{Proven, SubjectKind};
use crate::consent::Actor;
use crate::error::AccessError;
use crate::family::Family;
use crate::names::kind_of;
use crate::permission::Permission;
use crate::policy::{CareTeamPolicy, ConsentPolicy, TenantPolicy};
use crate::role::Role;
use crate::rule::Rule;
use crate::view::{Consents, View};

/// The id of the one record of kind [`POLICY`].
pub(crate) const POLICY_ID: &str = "policy";

/// Most callers whose views are kept.
const VIEWS_MAX: usize = 20_000;
/// Rows that are read at a time when a tenant's books are opened.
const ROWS_READ: usize = 500;

/// Everything that is followed.
static FOLLOWED: LazyLock<[Option<Kind>; 4]> =
    LazyLock::new(|| [kind_of("Consent"), kind_of("CareTeam"), Some(POLICY), Some(GLASS)]);

/// What decisions know beyond roles. One per process.
pub struct Policies {
    pub(crate) store: Store,
    pub(crate) audit: Arc<Audit>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    shelf: Arc<Shelf>,
    views: Cache<(Tenant, Uuid), Arc<Kept>>,
}

/// The tenants whose books are open.
#[derive(Default)]
struct Shelf(RwLock<HashMap<Tenant, Arc<Followed>>>);

/// One tenant's books, and what has changed since they were read.
#[derive(Default)]
struct Followed {
    /// Raised by every change, after it is noted in `changed`.
    generation: AtomicU64,
    changed: Mutex<HashSet<(Kind, RecordId)>>,
    books: Mutex<Option<Books>>,
}

/// A view with everything that it depends on.
struct Kept {
    generation: u64,
    lives: u64,
    kind: SubjectKind,
    is_admin: bool,
    rules: Arc<[Rule]>,
    patient: Option<Arc<str>>,
    practitioner: Option<Arc<str>>,
    departments: Arc<[String]>,
    view: Arc<View>,
}

impl Kept {
    fn is_of(&self, who: &Proven) -> bool {
        let same_rules = Arc::ptr_eq(&self.rules, &who.rules) || self.rules == who.rules;
        let same_places = Arc::ptr_eq(&self.departments, &who.departments) || self.departments == who.departments;
        same_rules
            && same_places
            && self.kind == who.subject.kind
            && self.is_admin == who.roles.has(Role::Admin)
            && self.patient == who.patient
            && self.practitioner == who.practitioner
    }
}

impl Follower for Shelf {
    fn committed(&self, changes: &mut [Change]) {
        for change in changes.iter().filter(|change| FOLLOWED.contains(&Some(change.kind))) {
            let Some(followed) = self.0.read().get(&change.tenant).map(Arc::clone) else { continue };
            followed.changed.lock().insert((change.kind, change.record));
            followed.generation.fetch_add(1, Ordering::Release);
        }
    }
}

impl Shelf {
    /// From the moment a tenant is asked for, its changes are noted: reading begins after that.
    fn of(&self, tenant: Tenant) -> Arc<Followed> {
        if let Some(known) = self.0.read().get(&tenant) {
            return Arc::clone(known);
        }
        Arc::clone(self.0.write().entry(tenant).or_default())
    }
}

impl Policies {
    /// Follows the changes of every node. Reads nothing yet.
    #[must_use]
    pub fn new(store: Store, audit: Arc<Audit>, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let shelf = Arc::new(Shelf::default());
        store.follow(Arc::clone(&shelf) as _);
        Self { store, audit, clock, entropy, shelf, views: Cache::new(VIEWS_MAX) }
    }

    /// What holds for somebody now. May read the store, where something has changed since the last time.
    ///
    /// # Errors
    /// The store cannot be read, or a record is damaged: nothing is decided then.
    pub fn view(&self, who: &Proven, now: Timestamp) -> Result<Arc<View>, AccessError> {
        if who.subject.kind == SubjectKind::System {
            return Ok(Arc::new(View::neutral(now)));
        }
        let (key, followed) = ((who.tenant, who.subject.id), self.shelf.of(who.tenant));
        // Both before anything is read: what changes meanwhile makes the view old at once.
        let (generation, lives) = (followed.generation.load(Ordering::Acquire), self.store.lives());
        if let Some(kept) = self.views.get(&key) {
            let is_now = kept.view.at <= now && now < kept.view.until;
            if kept.generation == generation && kept.lives == lives && is_now && kept.is_of(who) {
                return Ok(Arc::clone(&kept.view));
            }
        }
        let view = self.with_books(who.tenant, |books| Arc::new(view_of(books, who, now)))?;
        let kept = Kept {
            generation,
            lives,
            kind: who.subject.kind,
            is_admin: who.roles.has(Role::Admin),
            rules: Arc::clone(&who.rules),
            patient: who.patient.clone(),
            practitioner: who.practitioner.clone(),
            departments: Arc::clone(&who.departments),
            view: Arc::clone(&view),
        };
        self.views.insert(key, Arc::new(kept));
        Ok(view)
    }

    /// What a tenant has decided, as it holds now.
    ///
    /// # Errors
    /// The store cannot be read, or a record is damaged.
    pub fn policy(&self, tenant: Tenant) -> Result<TenantPolicy, AccessError> {
        self.with_books(tenant, |books| books.policy.clone())
    }

    /// Looks into a tenant's books after everything that has changed was read.
    pub(crate) fn with_books<T>(&self, tenant: Tenant, look: impl FnOnce(&Books) -> T) -> Result<T, AccessError> {
        let (followed, lives) = (self.shelf.of(tenant), self.store.lives());
        let mut books = followed.books.lock();
        match books.as_mut().filter(|books| books.lives == lives) {
            Some(books) => self.catch_up(tenant, &followed, books)?,
            None => {
                followed.changed.lock().clear();
                *books = Some(self.open(tenant, lives)?);
            }
        }
        let books = books.get_or_insert_with(|| Books::new(lives));
        Ok(look(books))
    }

    fn open(&self, tenant: Tenant, lives: u64) -> Result<Books, AccessError> {
        let mut books = Books::new(lives);
        for kind in FOLLOWED.iter().flatten() {
            let mut after = None;
            loop {
                let rows = self.store.current_of_kind(tenant, *kind, after, ROWS_READ)?;
                after = rows.last().map(|row| row.record);
                let is_last = rows.len() < ROWS_READ;
                for row in rows {
                    books.take(row.kind, row.record, Some(row))?;
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(books)
    }

    fn catch_up(&self, tenant: Tenant, followed: &Followed, books: &mut Books) -> Result<(), AccessError> {
        let changed = std::mem::take(&mut *followed.changed.lock());
        let mut left = changed.into_iter();
        while let Some((kind, record)) = left.next() {
            let read = self.store.current_by_record(tenant, kind, record).map_err(AccessError::from);
            if let Err(error) = read.and_then(|row: Option<Row>| books.take(kind, record, row)) {
                // The next one who asks tries again.
                followed.changed.lock().extend(left.chain([(kind, record)]));
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Whether the tenant's rule about care teams is for them: for whoever reaches clinical data of others by a rule. Administrators
/// answer for the whole, registrars and billing reach nothing clinical, and machines have no patients.
fn is_bound_to_teams(who: &Proven) -> bool {
    who.subject.kind == SubjectKind::User && !who.roles.has(Role::Admin) && who.rules.iter().any(Rule::is_of_care)
}

/// Whether consents do not close themselves to them. What machines may do with consents is in their scopes.
fn keeps_consents(who: &Proven) -> bool {
    let keeps = |rule: &Rule| !rule.own_record_only && rule.gives(Permission::HealthcareConsents, Family::Demographics);
    who.subject.kind != SubjectKind::User || who.rules.iter().any(keeps)
}

fn view_of(books: &Books, who: &Proven, now: Timestamp) -> View {
    let id = Box::from(who.subject.id.to_string());
    let is_person = who.subject.kind == SubjectKind::User;
    let mut actors = vec![if is_person { Actor::Account(id) } else { Actor::Client(id) }];
    actors.extend(who.practitioner.iter().map(|id| Actor::Practitioner((**id).into())));
    actors.extend(who.departments.iter().map(|id| Actor::Organization(id.as_str().into())));
    let asks_teams = books.policy.care_team == CareTeamPolicy::Required && is_bound_to_teams(who);
    let team = asks_teams.then(|| books.teams.patients(&actors, now));
    let asks_consents = books.policy.consent == ConsentPolicy::OptIn || !books.consents.is_empty();
    let consents = asks_consents.then(|| {
        actors.extend(books.teams.actors(&actors, now));
        actors.extend(who.patient.iter().map(|id| Actor::Patient((**id).into())));
        Consents::new(&books.consents, books.policy.consent, actors, (is_person, who.patient.clone()))
    });
    let glasses = books.glasses.open_of(who.subject.id, now);
    View::new((now, books.next_boundary(now)), team, glasses, consents).keeping(keeps_consents(who))
}
