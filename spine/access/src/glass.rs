//! Breaking the glass: in an emergency somebody sees one patient's record that care teams, consents or labels close to them, for
//! a while, with a reason, and somebody else looks at it afterwards.

use std::collections::HashMap;
use std::time::Duration;

use iris_audit::{Action as AuditAction, Event, Outcome};
use iris_kernel::kinds::GLASS;
use iris_kernel::{Fault, RecordId, Tenant, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::action::{Action, Create, Search, Update};
use crate::caller::Caller;
use crate::error::AccessError;
use crate::permit::{Denial, Named, Permit, Target};
use crate::policies::Policies;
use crate::records::{self, Stamp, Stored};
use crate::trail::{Happened, TRIES_MAX, Try, commit, event_by};
use crate::view::OpenGlass;

/// Longest reason or note, in characters.
pub const GLASS_TEXT_CHARS_MAX: usize = 1_000;
/// Most glasses that one person has broken at the same time.
pub const GLASSES_OPEN_MAX: usize = 20;

/// What a reviewer found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlassVerdict {
    /// There was an emergency.
    Justified,
    /// There was none.
    Unjustified,
}

impl GlassVerdict {
    /// The words of the API.
    pub const WORDS: &[&str] = &["justified", "unjustified"];

    /// The word of the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::Unjustified => "unjustified",
        }
    }

    /// The verdict with this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Justified, Self::Unjustified].into_iter().find(|verdict| verdict.name() == word)
    }
}

/// What somebody said about a broken glass afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassReview {
    /// Who.
    pub by: Uuid,
    /// Their name.
    pub by_name: String,
    /// When: microseconds since 1970.
    pub at: i64,
    /// What they found.
    pub verdict: GlassVerdict,
    /// Why.
    pub note: String,
}

/// A glass that somebody broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassRecord {
    /// Its id.
    pub id: Uuid,
    /// Who broke it.
    pub user: Uuid,
    /// Their name.
    pub user_name: String,
    /// The logical id of the patient.
    pub patient: String,
    /// Why.
    pub reason: String,
    /// When: microseconds since 1970.
    pub opened: i64,
    /// Until just before when: microseconds since 1970.
    pub until: i64,
    /// What was found afterwards.
    pub review: Option<GlassReview>,
}

impl GlassRecord {
    /// Whether it opens the record at this moment.
    #[must_use]
    pub const fn is_open(&self, now: Timestamp) -> bool {
        self.opened <= now.0 && now.0 < self.until
    }

    pub(crate) fn boundaries(&self, out: &mut Vec<Timestamp>) {
        out.extend([Timestamp(self.opened), Timestamp(self.until)]);
    }

    fn reference(&self) -> String {
        format!("BreakGlass/{}", self.id)
    }
}

/// The broken glasses of a tenant.
#[derive(Default)]
pub(crate) struct Glasses(HashMap<RecordId, Stored<GlassRecord>>);

impl Glasses {
    /// Takes the current version of one; gives the one it replaces.
    pub(crate) fn set(&mut self, record: RecordId, glass: Option<Stored<GlassRecord>>) -> Option<Stored<GlassRecord>> {
        match glass {
            Some(glass) => self.0.insert(record, glass),
            None => self.0.remove(&record),
        }
    }

    /// Those that open something to somebody now.
    pub(crate) fn open_of(&self, user: Uuid, now: Timestamp) -> Vec<OpenGlass> {
        let open = self.0.values().map(|stored| &stored.value).filter(|glass| glass.user == user && glass.is_open(now));
        let mut open: Vec<OpenGlass> =
            open.map(|glass| OpenGlass { patient: glass.patient.as_str().into(), id: glass.id }).collect();
        open.sort_unstable_by_key(|glass| glass.id);
        open
    }

    fn list(&self, meant: impl Fn(&GlassRecord) -> bool) -> Vec<GlassRecord> {
        let mut list: Vec<GlassRecord> =
            self.0.values().map(|stored| &stored.value).filter(|glass| meant(glass)).cloned().collect();
        list.sort_unstable_by_key(|glass| (std::cmp::Reverse(glass.opened), glass.id));
        list
    }
}

/// Whether the permit is one on broken glasses.
fn on_glasses<A: Action>(permit: &Permit<A>) -> Result<&Caller, AccessError> {
    if permit.target() == Target::Named(Named::BreakGlass) {
        return Ok(permit.caller());
    }
    let (action, family) = (permit.action(), Target::Named(Named::BreakGlass).family());
    Err(AccessError::Denied(Denial::Never { action, family }))
}

impl Policies {
    fn glass_event(&self, caller: &Caller, action: AuditAction, glass: &GlassRecord, detail: &str) -> Event {
        let what = Happened::new(action, Outcome::Success, Some(glass.reference())).because(detail);
        let mut event = event_by(caller, what, self.clock.now());
        event.resources.push(format!("Patient/{}", glass.patient));
        event.patients.push(glass.patient.clone());
        event
    }

    /// Breaks the glass before one patient's record for the caller, for `minutes` or as long as the tenant allows. Whether the
    /// patient is hidden from the caller does not matter, that is what it is for; the reason is on the log before this returns.
    ///
    /// # Errors
    /// More minutes than the tenant allows, no such patient, too many broken at once, the store or the log cannot take it.
    pub async fn glass_break(
        &self,
        permit: &Permit<Create>,
        (patient, reason): (&str, &str),
        minutes: Option<u32>,
    ) -> Result<GlassRecord, AccessError> {
        let caller = on_glasses(permit)?;
        let (tenant, now) = (permit.tenant(), self.clock.now());
        let minutes_max = self.policy(tenant)?.break_glass_minutes;
        let minutes = minutes.unwrap_or(minutes_max);
        if !(1..=minutes_max).contains(&minutes) {
            return Err(AccessError::Invalid(vec![Fault::new("/minutes", format!("must be from 1 to {minutes_max}"))]));
        }
        let is_there = |kind| self.store.present(tenant, kind, patient);
        if !crate::names::kind_of("Patient").map_or(Ok(false), is_there)? {
            return Err(AccessError::NotFound("patient"));
        }
        let open = self.with_books(tenant, |books| books.glasses.open_of(caller.subject.id, now).len())?;
        if open >= GLASSES_OPEN_MAX {
            return Err(AccessError::Refused("too many records are open to you in emergencies at the same time"));
        }
        let glass = GlassRecord {
            id: self.entropy.uuid(),
            user: caller.subject.id,
            user_name: caller.subject.name.to_string(),
            patient: patient.to_owned(),
            reason: reason.to_owned(),
            opened: now.0,
            until: now.plus(Duration::from_secs(u64::from(minutes) * 60)).0,
            review: None,
        };
        let mut tx = self.store.begin(tenant);
        let stamp = Stamp { author: caller.subject.id.into_bytes(), at: now };
        records::add(&mut tx, stamp, GLASS, &glass.id.to_string(), &glass)?;
        let detail = format!("{minutes} minutes: {reason}");
        tx.audit(self.audit.row(&self.glass_event(caller, AuditAction::BreakGlassStart, &glass, &detail))?);
        match commit(tx).await? {
            Try::Done => Ok(glass),
            Try::Again => Err(AccessError::Conflict),
        }
    }

    /// Those that the caller broke, the newest first. Nobody needs a permit for what they did themselves; who may break none has none.
    ///
    /// # Errors
    /// The store or the log cannot be used.
    pub async fn glasses_own(&self, caller: &Caller) -> Result<Vec<GlassRecord>, AccessError> {
        let list = self.glasses(caller.tenant, |glass| glass.user == caller.subject.id)?;
        self.glasses_shown(caller, &list, "own").await?;
        Ok(list)
    }

    /// All of them, the newest first, for whoever reviews them; that they were looked at is on the log.
    ///
    /// # Errors
    /// The store or the log cannot be used.
    pub async fn glasses_all(&self, permit: &Permit<Search>) -> Result<Vec<GlassRecord>, AccessError> {
        let caller = on_glasses(permit)?;
        let list = self.glasses(permit.tenant(), |_| true)?;
        self.glasses_shown(caller, &list, "all").await?;
        Ok(list)
    }

    fn glasses(&self, tenant: Tenant, meant: impl Fn(&GlassRecord) -> bool) -> Result<Vec<GlassRecord>, AccessError> {
        self.with_books(tenant, |books| books.glasses.list(meant))
    }

    async fn glasses_shown(&self, caller: &Caller, list: &[GlassRecord], which: &str) -> Result<(), AccessError> {
        let what = Happened::new(AuditAction::BreakGlassRead, Outcome::Success, None).because(which);
        let mut event = event_by(caller, what, self.clock.now());
        event.patients = list.iter().map(|glass| glass.patient.clone()).collect();
        event.patients.sort_unstable();
        event.patients.dedup();
        let _receipt = self.audit.record(event).await?;
        Ok(())
    }

    /// Says what somebody else's emergency was. One that was none is over from now on.
    ///
    /// # Errors
    /// There is none with this id, it is the caller's own, it was reviewed before, somebody else is faster; the store or the log
    /// cannot take it.
    pub async fn glass_review(
        &self,
        permit: &Permit<Update>,
        id: Uuid,
        (verdict, note): (GlassVerdict, &str),
    ) -> Result<GlassRecord, AccessError> {
        let caller = on_glasses(permit)?;
        for _ in 0..TRIES_MAX {
            let (tenant, now) = (permit.tenant(), self.clock.now());
            let stored = records::read::<GlassRecord>(self.store.current(tenant, GLASS, &id.to_string())?)?;
            let stored = stored.ok_or(AccessError::NotFound("break-glass"))?;
            let mut glass = stored.value.clone();
            let refused = if glass.user == caller.subject.id {
                Some("nobody reviews what they broke themselves")
            } else if glass.review.is_some() {
                Some("it was reviewed before")
            } else {
                None
            };
            if let Some(why) = refused {
                let what = Happened::new(AuditAction::BreakGlassReview, Outcome::Denied, Some(glass.reference()));
                let _receipt = self.audit.record(event_by(caller, what.because(why), now)).await?;
                return Err(AccessError::Refused(why));
            }
            if verdict == GlassVerdict::Unjustified {
                glass.until = glass.until.min(now.0);
            }
            let (by, by_name) = (caller.subject.id, caller.subject.name.to_string());
            glass.review = Some(GlassReview { by, by_name, at: now.0, verdict, note: note.to_owned() });
            let mut tx = self.store.begin(tenant);
            let stamp = Stamp { author: by.into_bytes(), at: now };
            records::change(&mut tx, stamp, (GLASS, &id.to_string()), &stored, &glass)?;
            let detail = format!("{}: {note}", verdict.name());
            tx.audit(self.audit.row(&self.glass_event(caller, AuditAction::BreakGlassReview, &glass, &detail))?);
            if let Try::Done = commit(tx).await? {
                return Ok(glass);
            }
        }
        Err(AccessError::Conflict)
    }
}
