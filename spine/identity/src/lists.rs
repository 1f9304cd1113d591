//! Numbered lists of users, clients and reviews: each record claims the next number of its tenant, so that pages can be read in order
//! without a scan.

use iris_kernel::{Kind, Tenant};
use iris_store::{ClaimExpect, Tx};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::identity::Identity;
use crate::kinds;
use crate::records::{self, CounterRecord, Stamp};
use crate::views::Page;
use iris_access::AccessError;

/// Largest page.
pub(crate) const LIST_PAGE_MAX: usize = 1_000;

/// Which list.
#[derive(Clone, Copy)]
pub(crate) enum List {
    Users,
    Clients,
    Reviews,
}

impl List {
    const fn id(self) -> &'static str {
        match self {
            List::Users => "users",
            List::Clients => "clients",
            List::Reviews => "reviews",
        }
    }

    const fn kind(self) -> Kind {
        match self {
            List::Users => kinds::USER,
            List::Clients => kinds::CLIENT,
            List::Reviews => kinds::REVIEW,
        }
    }
}

impl Identity {
    /// Gives a new record the next number. Two at once meet at the counter, and one of them is tried again.
    pub(crate) fn list_append(
        &self,
        tx: &mut Tx,
        stamp: Stamp,
        tenant: Tenant,
        list: List,
        id: Uuid,
    ) -> Result<(), AccessError> {
        let before = records::read::<CounterRecord>(self.store.current(tenant, kinds::COUNTER, list.id())?)?;
        let count = before.as_ref().map_or(0, |before| before.value.count) + 1;
        let next = CounterRecord { count };
        match &before {
            None => records::add(tx, stamp, kinds::COUNTER, list.id(), &next)?,
            Some(before) => records::change(tx, stamp, (kinds::COUNTER, list.id()), before, &next)?,
        }
        let holder = self.store.record_id(tenant, list.kind(), &id.to_string());
        tx.claim(kinds::CLAIM_NUMBER, &[list.id().as_bytes(), &count.to_be_bytes()], ClaimExpect::Absent, holder);
        Ok(())
    }

    /// How many records a list has.
    pub(crate) fn list_size(&self, tenant: Tenant, list: List) -> Result<u32, AccessError> {
        let counter = records::read::<CounterRecord>(self.store.current(tenant, kinds::COUNTER, list.id())?)?;
        Ok(counter.map_or(0, |counter| counter.value.count))
    }

    /// The records with the numbers that follow `after`.
    pub(crate) fn list_page<T: DeserializeOwned>(
        &self,
        tenant: Tenant,
        list: List,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<T>, AccessError> {
        let page = self.list_numbered(tenant, list, after, limit)?;
        let items = page.items.into_iter().map(|(_, item)| item).collect();
        Ok(Page { items, next: page.next, total: page.total })
    }

    /// The same, each with its number.
    pub(crate) fn list_numbered<T: DeserializeOwned>(
        &self,
        tenant: Tenant,
        list: List,
        after: Option<u32>,
        limit: usize,
    ) -> Result<Page<(u32, T)>, AccessError> {
        let count = self.list_size(tenant, list)?;
        let first = after.unwrap_or(0).saturating_add(1);
        let last = first.saturating_add(u32::try_from(limit.clamp(1, LIST_PAGE_MAX)).unwrap_or(1) - 1).min(count);
        let mut items = Vec::new();
        for number in first..=last {
            let value: &[&[u8]] = &[list.id().as_bytes(), &number.to_be_bytes()];
            let Some(holder) = self.store.claim_holder(tenant, kinds::CLAIM_NUMBER, value)? else { continue };
            let record = self.store.current_by_record(tenant, list.kind(), holder)?;
            items.extend(records::read(record)?.map(|stored| (number, stored.value)));
        }
        Ok(Page { items, next: (last < count).then_some(last), total: count })
    }
}
