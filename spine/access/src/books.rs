//! One tenant's records that decisions depend on, as they are now.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use iris_fhir::json::Json;
use iris_kernel::kinds::{GLASS, POLICY};
use iris_kernel::{Kind, RecordId, Timestamp};
use iris_store::Row;

use crate::consent::{Consent, compile};
use crate::error::AccessError;
use crate::glass::{GlassRecord, Glasses};
use crate::names::kind_of;
use crate::policy::TenantPolicy;
use crate::records;
use crate::teams::{Team, Teams};
use crate::view::ConsentBook;

/// What is known of one tenant.
pub(crate) struct Books {
    /// [`iris_store::Store::lives`] before the first of it was read.
    pub(crate) lives: u64,
    pub(crate) policy: TenantPolicy,
    /// By patient, for whoever asks; replaced and never changed while a view looks at it.
    pub(crate) consents: Arc<ConsentBook>,
    by_record: HashMap<RecordId, Arc<Consent>>,
    pub(crate) teams: Teams,
    pub(crate) glasses: Glasses,
    /// Moments at which something begins or ends, with how many things.
    boundaries: BTreeMap<Timestamp, usize>,
}

impl Books {
    pub(crate) fn new(lives: u64) -> Self {
        Self {
            lives,
            policy: TenantPolicy::default(),
            consents: Arc::default(),
            by_record: HashMap::new(),
            teams: Teams::default(),
            glasses: Glasses::default(),
            boundaries: BTreeMap::new(),
        }
    }

    /// Takes the current version of a record; `None` for one that is not there.
    pub(crate) fn take(&mut self, kind: Kind, record: RecordId, row: Option<Row>) -> Result<(), AccessError> {
        if kind == POLICY {
            self.policy = records::read::<TenantPolicy>(row)?.map_or_else(TenantPolicy::default, |stored| stored.value);
            return Ok(());
        }
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        if kind == GLASS {
            let glass = records::read::<GlassRecord>(row)?;
            glass.iter().for_each(|stored| stored.value.boundaries(&mut new));
            let before = self.glasses.set(record, glass);
            before.iter().for_each(|stored| stored.value.boundaries(&mut gone));
        } else {
            let json = row.filter(|row| !row.deleted).map(|row| Json::parse(row.body)).transpose();
            let json = json.map_err(|error| AccessError::Damaged(Box::new(error)))?;
            if Some(kind) == kind_of("CareTeam") {
                let team = json.as_ref().and_then(|json| Team::read(json.root()));
                team.iter().for_each(|team| team.boundaries(&mut new));
                self.teams.set(record, team).iter().for_each(|team| team.boundaries(&mut gone));
            } else {
                let consent = json.as_ref().and_then(|json| compile(json.root())).map(Arc::new);
                consent.iter().for_each(|consent| consent.boundaries(&mut new));
                self.set_consent(record, consent).iter().for_each(|consent| consent.boundaries(&mut gone));
            }
        }
        for at in gone {
            if let Some(count) = self.boundaries.get_mut(&at) {
                *count -= 1;
                if *count == 0 {
                    self.boundaries.remove(&at);
                }
            }
        }
        for at in new {
            *self.boundaries.entry(at).or_default() += 1;
        }
        Ok(())
    }

    fn set_consent(&mut self, record: RecordId, consent: Option<Arc<Consent>>) -> Option<Arc<Consent>> {
        let before = self.by_record.remove(&record);
        if before.is_none() && consent.is_none() {
            return None;
        }
        let book = Arc::make_mut(&mut self.consents);
        if let Some(before) = &before
            && let Some(of_patient) = book.get_mut(&before.patient)
        {
            of_patient.retain(|one| !Arc::ptr_eq(one, before));
            if of_patient.is_empty() {
                book.remove(&before.patient);
            }
        }
        if let Some(consent) = consent {
            book.entry(consent.patient.clone()).or_default().push(Arc::clone(&consent));
            self.by_record.insert(record, consent);
        }
        before
    }

    /// The first moment after `now` at which something begins or ends.
    pub(crate) fn next_boundary(&self, now: Timestamp) -> Timestamp {
        let after = std::ops::Bound::Excluded(now);
        let next = self.boundaries.range((after, std::ops::Bound::Unbounded)).next();
        next.map_or(Timestamp(i64::MAX), |(at, _)| *at)
    }
}
