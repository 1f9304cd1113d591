//! The one write path and the one read path of every FHIR resource.
//!
//! Whoever reads or writes holds a [`Permit`](iris_access::Permit); what is read comes back [`Sealed`](iris_audit::Sealed)
//! and opens only once its audit entry is durable; what is written goes into the store together with its unique claims, its
//! event and its audit entry, or not at all. Contexts add [`Rule`]s for their types; nothing here names one, except that
//! Patient is the resource whose compartment decides about keys and access (R4, CompartmentDefinition "patient").
//!
//! # Searching
//!
//! A [`Query`](iris_search::Query) comes from `iris_search::parse_query` against [`Records::query_context`], with
//! [`Records::terminology`] in it for value sets and code systems that are stored here. Every search gives a sealed [`Page`]: its
//! matches, what came along with them ([`Page::entries`] has both with their [`Mode`]), and the cursor of the next page, to be put
//! into `Query::cursor`.
//! - [`Records::search`]: one type. Chains, `_has` and `_list` are asked with the caller's own permits for the types they lead
//!   through; `_include` and `_revinclude` bring along at most [`INCLUDED_MAX`] records.
//! - [`Records::search_several`]: the same parameters over several types (`iris_search::parse_system_query`), each with its permit,
//!   in one order under one cursor, which goes into the first query.
//! - [`Records::search_within`]: the same within a [`Compartment`], for one type or several.
//! - `_contained` finds what records contain as well, within at most [`CONTAINERS_MAX`] of them, and of that at most [`WITHIN_MAX`].
//! - [`Records::everything`]: `Patient/{id}/$everything`, whose parameters [`Everything::parse`] reads.

mod bundle;
mod change;
mod compartment;
mod conditional;
mod contained;
mod cursor;
mod deletes;
mod everything;
mod head;
mod history;
mod idempotency;
mod import;
mod include;
mod lookups;
mod mask;
mod merge;
mod meta;
mod patch;
mod permits;
mod plan;
mod policy;
mod read;
mod references;
mod refusal;
mod resolve;
mod rules;
mod search;
mod sift;
mod stored;
mod terminology;
mod trail;
mod veil;
mod write;

use std::sync::{Arc, LazyLock};

use iris_audit::Audit;
use iris_fhir::definitions::definitions;
use iris_index::Index;
use iris_kernel::{Clock, Entropy, Kind};
use iris_store::{Follower, Store};
use tokio::runtime::{Handle, RuntimeFlavor};

use policy::CurrentPolicy;
use terminology::Codes;

pub use bundle::{
    BUNDLE_READ_BYTES_MAX, BUNDLE_READ_MAX, Batched, BundleInput, BundleKind, EntryInput, EntryOutcome, Part, Request,
    Whose, parse_etag,
};
pub use change::{Change, Content, Which};
pub use compartment::Compartment;
pub use conditional::Criteria;
pub use contained::{CONTAINERS_MAX, WITHIN_MAX};
pub use cursor::CursorKey;
pub use deletes::CONDITIONAL_DELETE_MAX;
pub use everything::{Everything, REFERENCE_STEPS, REFERRED_MAX, WALKED_MAX};
pub use head::Head;
pub use history::{HistoryPage, HistoryQuery};
pub use idempotency::IdempotencyKey;
pub use import::{ImportBatch, ImportItem, ImportOutcome};
pub use include::{INCLUDE_STEPS_MAX, INCLUDED_MAX};
pub use mask::searchable;
pub use merge::{Concern, Further, Merged};
pub use meta::{MetaChange, MetaOp, meta_of};
pub use patch::Patch;
pub use policy::{ClientIds, MultipleDeletes, Policy, ReferencePolicy};
pub use read::Instance;
pub use refusal::Refusal;
pub use rules::{Rule, Rules, Unique};
pub use search::{Mode, Page};
pub use sift::{Judge, Measure, Sifted, Until};
pub use stored::Stored;
pub use terminology::{StoredCodes, VALUE_SET_DEPTH_MAX};
pub use trail::Who;
pub use write::{CreateOptions, Outcome, Precondition, Written};

/// The resource type whose compartment decides about data keys and about what a patient may see.
pub(crate) static PATIENT: LazyLock<Kind> =
    LazyLock::new(|| definitions().kind_of("Patient").unwrap_or(Kind(Kind::INTERNAL)));

/// Records: the store, its index and its audit log behind one door.
#[derive(Clone)]
pub struct Records {
    store: Store,
    index: Arc<Index>,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    policy: CurrentPolicy,
    rules: Rules,
    cursors: CursorKey,
    codes: Arc<Codes>,
    base_url: Arc<str>,
}

/// Everything that [`Records`] is made of.
pub struct Parts {
    /// The truth.
    pub store: Store,
    /// Its shadow.
    pub index: Arc<Index>,
    /// The access log.
    pub audit: Arc<Audit>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The installation's decisions.
    pub policy: Policy,
    /// The contexts' rules.
    pub rules: Rules,
    /// Seals paging cursors.
    pub cursors: CursorKey,
    /// The address of the FHIR API without a slash at the end: absolute references to it are local ones.
    pub base_url: Arc<str>,
}

impl Records {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, index, audit, clock, entropy, policy, rules, cursors, base_url } = parts;
        let policy = CurrentPolicy::new(policy);
        let codes = Arc::<Codes>::default();
        // Behind the index, which was there first: what is kept is thrown away once the index has the change.
        store.follow(Arc::clone(&codes) as Arc<dyn Follower>);
        Self { codes, store, index, audit, clock, entropy, policy, rules, cursors, base_url }
    }

    /// The access log, for callers that release what they read.
    #[must_use]
    pub fn audit(&self) -> &Arc<Audit> {
        &self.audit
    }

    /// The installation's decisions.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy.get()
    }

    /// Decides otherwise from now on, for this value and all its clones.
    pub fn policy_set(&self, policy: Policy) {
        self.policy.set(policy);
    }

    /// Waits until what any node had stored is known here. The wait may be for another thread that reads it, which no connection
    /// of the runtime tells of: were all of its threads to wait here, it would answer nobody. So it is told to go on without.
    pub(crate) fn caught_up(&self) -> Result<(), Refusal> {
        if !self.store.is_shared() {
            return Ok(());
        }
        let on_runtime = Handle::try_current().is_ok_and(|own| own.runtime_flavor() == RuntimeFlavor::MultiThread);
        let waited =
            if on_runtime { tokio::task::block_in_place(|| self.store.catch_up()) } else { self.store.catch_up() };
        Ok(waited.map(drop)?)
    }
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("policy", &self.policy()).finish_non_exhaustive()
    }
}
