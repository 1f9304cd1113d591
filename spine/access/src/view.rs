//! What holds for one caller at one moment, beside their rules: clearance, care relations, consents, broken glasses.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, LazyLock};

use iris_fhir::json::Value;
use iris_kernel::{Kind, Timestamp};
use iris_search::may_be_of_patients;
use parking_lot::RwLock;
use uuid::Uuid;

use crate::action::ActionKind;
use crate::consent::{Actor, Changer, Consent, Question, Verdict, Verdicts, compile, relents, stated, verdicts};
use crate::labels::Labels;
use crate::names::kind_of;
use crate::policy::ConsentPolicy;
use crate::restriction::{ConsentRules, Denied, PatientSet};

/// Consents are for those who keep them to see and to change, whatever they say (`healthcare:consents`): one that closed itself
/// could never be honoured or taken back. For everybody else they are as open as their patient is.
static CONSENT: LazyLock<Option<Kind>> = LazyLock::new(|| kind_of("Consent"));
static PATIENT: LazyLock<Option<Kind>> = LazyLock::new(|| kind_of("Patient"));

/// The consents that may count, by patient.
pub(crate) type ConsentBook = BTreeMap<Box<str>, Vec<Arc<Consent>>>;

/// What holds for one caller now.
pub struct View {
    /// The moment for which it was worked out.
    pub at: Timestamp,
    /// The first moment at which something in it may be otherwise by time alone.
    pub(crate) until: Timestamp,
    team: Option<PatientSet>,
    glass: PatientSet,
    glasses: Vec<OpenGlass>,
    consents: Option<Consents>,
    /// Whether the caller keeps consents.
    keeps: bool,
}

/// A glass that the caller broke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenGlass {
    pub(crate) patient: Box<str>,
    pub(crate) id: Uuid,
}

/// What consents are asked with, and what they answered.
pub(crate) struct Consents {
    book: Arc<ConsentBook>,
    policy: ConsentPolicy,
    /// Everything that the caller is.
    actors: Vec<Actor>,
    is_person: bool,
    /// The caller's own patient record, which consents never close.
    own: Option<Arc<str>>,
    answers: RwLock<HashMap<Access, ConsentRules>>,
}

/// A sort of access: type, action, and purpose as far as it is known.
type Access = (Kind, ActionKind, Option<&'static str>);

/// Most answers that one view keeps; a caller asks for few sorts of access.
const ANSWERS_MAX: usize = 4_096;

impl Consents {
    pub(crate) fn new(
        book: &Arc<ConsentBook>,
        policy: ConsentPolicy,
        actors: Vec<Actor>,
        (is_person, own): (bool, Option<Arc<str>>),
    ) -> Self {
        Self { book: Arc::clone(book), policy, actors, is_person, own, answers: RwLock::default() }
    }

    fn rules(&self, at: Timestamp, (kind, action, purpose): Access) -> ConsentRules {
        if let Some(known) = self.answers.read().get(&(kind, action, purpose)) {
            return known.clone();
        }
        let (actors, is_person) = (self.actors.as_slice(), self.is_person);
        let rules = self.ask(&Question { actors, is_person, kind, action, purpose, at });
        let mut answers = self.answers.write();
        if answers.len() >= ANSWERS_MAX {
            answers.clear();
        }
        answers.insert((kind, action, purpose), rules.clone());
        rules
    }

    fn ask(&self, question: &Question<'_>) -> ConsentRules {
        let mut within: Vec<Box<str>> = self.own.iter().map(|own| (**own).into()).collect();
        let mut outside = Vec::new();
        for (patient, consents) in &*self.book {
            if self.own.as_deref() == Some(&**patient) {
                continue;
            }
            let Verdicts { unlabelled, denied, permitted } = verdicts(&consents.iter().map(|one| &**one), question);
            // Where nothing is permitted without a consent, what no consent speaks of is closed.
            let (is_open, closed) = match self.policy {
                ConsentPolicy::OptOut => (unlabelled != Verdict::Deny, denied),
                ConsentPolicy::OptIn => (unlabelled == Verdict::Permit, Labels::ALL.without(permitted)),
            };
            if !is_open {
                // Under opt-in whoever is not within is closed anyway.
                if self.policy == ConsentPolicy::OptOut || unlabelled == Verdict::Deny {
                    outside.push(Denied { patient: patient.clone(), labels: Labels::NONE });
                }
                continue;
            }
            if self.policy == ConsentPolicy::OptIn {
                within.push(patient.clone());
            }
            if !closed.is_none() {
                outside.push(Denied { patient: patient.clone(), labels: closed });
            }
        }
        let within = (self.policy == ConsentPolicy::OptIn).then(|| PatientSet::of(within));
        ConsentRules::new(within, outside)
    }
}

impl fmt::Debug for View {
    /// Names no patient: views stand in callers, which may be logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("at", &self.at).field("until", &self.until).finish_non_exhaustive()
    }
}

impl View {
    /// No care relation is asked for, no consent says anything, no glass is broken.
    #[must_use]
    pub fn neutral(at: Timestamp) -> Self {
        Self {
            at,
            until: Timestamp(i64::MAX),
            team: None,
            glass: PatientSet::default(),
            glasses: Vec::new(),
            consents: None,
            keeps: false,
        }
    }

    /// What was worked out for a caller at `at`, and holds until just before `until`.
    pub(crate) fn new(
        (at, until): (Timestamp, Timestamp),
        team: Option<PatientSet>,
        glasses: Vec<OpenGlass>,
        consents: Option<Consents>,
    ) -> Self {
        let glass = PatientSet::of(glasses.iter().map(|glass| glass.patient.clone()));
        Self { at, until, team, glass, glasses, consents, keeps: false }
    }

    /// The same for somebody who keeps consents, or does not.
    pub(crate) fn keeping(self, keeps: bool) -> Self {
        Self { keeps, ..self }
    }

    /// Whether another view, of another moment perhaps, says the same. One of which that cannot be told at a glance does not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let consents = match (&self.consents, &other.consents) {
            (None, None) => true,
            (Some(mine), Some(theirs)) => {
                // A consent that begins or ends by time alone changes no book.
                let at_once = Arc::ptr_eq(&mine.book, &theirs.book) && self.until == other.until;
                at_once && mine.policy == theirs.policy && mine.actors == theirs.actors
            }
            _ => false,
        };
        consents && self.team == other.team && self.glasses == other.glasses && self.keeps == other.keeps
    }

    /// Whether the caller keeps consents, whatever they say.
    pub(crate) const fn keeps(&self) -> bool {
        self.keeps
    }

    /// Whether replacing a record of this type asks [`View::may_replace`] at all.
    #[must_use]
    pub fn guards(&self, kind: Kind) -> bool {
        !self.keeps && self.consents.is_some() && Some(kind) == *CONSENT
    }

    /// Whether the caller may put `after` in the place of `before`, as far as that is a consent which denies something to the caller.
    #[must_use]
    pub(crate) fn may_replace(
        &self,
        kind: Kind,
        (before, after): (Value<'_>, Option<Value<'_>>),
        purposes: impl Iterator<Item = &'static str>,
    ) -> bool {
        let Some(consents) = self.consents.as_ref().filter(|_| self.guards(kind)) else { return true };
        let Some(before) = compile(before) else { return true };
        if consents.own.as_deref() == Some(&*before.patient) {
            return true;
        }
        let after = after.and_then(compile);
        let is_person = consents.is_person;
        let purposes: Vec<_> =
            [None].into_iter().chain(purposes.map(Some)).map(|code| stated(code, is_person)).collect();
        let who = Changer { actors: &consents.actors, is_person, purposes: &purposes };
        !relents(&before, after.as_ref(), who, self.at)
    }

    /// The same without what consents say; see [`crate::Caller::keeping_consents`].
    pub(crate) fn without_consents(&self) -> Self {
        Self::new((self.at, self.until), self.team.clone(), self.glasses.clone(), None).keeping(self.keeps)
    }

    /// Labels that are open beyond what the caller's permissions open: none. A broken glass opens patients and not labels.
    #[must_use]
    pub const fn clearance(&self) -> Labels {
        Labels::NONE
    }

    /// The patients whom the caller treats; `None` where nobody asks.
    #[must_use]
    pub const fn team(&self) -> Option<&PatientSet> {
        self.team.as_ref()
    }

    /// What consents say about an action on records of a type, for the purpose that the caller states. A caller's own record is
    /// never closed to them by their consents, and whoever keeps consents is not kept from those.
    #[must_use]
    pub fn consent(&self, kind: Kind, action: ActionKind, purpose: Option<&str>) -> ConsentRules {
        let Some(consents) = self.consents.as_ref().filter(|_| may_be_of_patients(kind)) else {
            return ConsentRules::default();
        };
        let asked = match *PATIENT {
            Some(_) if Some(kind) == *CONSENT && self.keeps => return ConsentRules::default(),
            // That somebody has denied everything tells that there is somebody.
            Some(patient) if Some(kind) == *CONSENT => patient,
            _ => kind,
        };
        consents.rules(self.at, (asked, action, stated(purpose, consents.is_person)))
    }

    /// The patients for whom the caller broke the glass.
    #[must_use]
    pub const fn glass(&self) -> &PatientSet {
        &self.glass
    }

    /// The ids of the broken glasses through which the caller sees one of these patients.
    pub fn glasses_of<'a>(&'a self, patients: &'a [String]) -> impl Iterator<Item = Uuid> + 'a {
        let meant = |glass: &&OpenGlass| patients.iter().any(|patient| **patient == *glass.patient);
        self.glasses.iter().filter(meant).map(|glass| glass.id)
    }
}
