//! Deleting what criteria match (R4 http.html#3.1.0.7.1).

use iris_access::{Delete, Permit};
use iris_kernel::ErrorKind;
use iris_kernel::limits::FHIR_PAGE_MAX;

use crate::conditional::Criteria;
use crate::lookups::Trail;
use crate::plan::Plan;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::write::{ATTEMPTS_MAX, Commit, Written, contended, written};
use crate::{MultipleDeletes, Records};

/// Most records that one conditional delete takes away: one less than a search finds at once, to know that there are no more.
pub const CONDITIONAL_DELETE_MAX: usize = FHIR_PAGE_MAX - 1;

impl Records {
    /// Deletes what criteria match, all of it in one commit: one record at most, or [`CONDITIONAL_DELETE_MAX`] where the installation
    /// allows several. What nothing matches is deleted already.
    ///
    /// # Errors
    /// More records than may be deleted at once. What the caller may not delete is not matched.
    pub async fn delete_where(&self, permit: &Permit<Delete>, criteria: &Criteria) -> Result<Vec<Written>, Refusal> {
        let who = Who::caller(permit.caller());
        for _ in 0..ATTEMPTS_MAX {
            let at = self.clock.now();
            let mut trail = Trail::default();
            let found = self.deleted_by(permit, criteria, &mut trail);
            self.write_down(&who, &trail).await?;
            let Some(found) = found? else { continue };
            let mut plan = Plan::default();
            let mut done = Vec::with_capacity(found.len());
            for current in &found {
                let write = self.plan_delete(current)?;
                done.push(written(&write, at, permit.caller())?);
                plan.writes.push(write);
            }
            if plan.writes.is_empty() || self.commit(self.write_set(plan, &who, at, None)?).await? == Commit::Done {
                return Ok(done);
            }
        }
        Err(contended())
    }

    /// The records that are to be deleted; nothing where one was changed while they were looked for.
    pub(crate) fn deleted_by(
        &self,
        permit: &Permit<Delete>,
        criteria: &Criteria,
        trail: &mut Trail,
    ) -> Result<Option<Vec<Stored>>, Refusal> {
        let limit = match self.policy().multiple_deletes {
            MultipleDeletes::Refused => 1,
            MultipleDeletes::Allowed => CONDITIONAL_DELETE_MAX,
        };
        // What the caller may see and not delete is not matched: it is judged before it counts. What may be deleted can stand behind it.
        let looked_at = if permit.restriction().is_none() { limit + 1 } else { FHIR_PAGE_MAX };
        let mut found = self.lookup(permit.caller(), &criteria.query, looked_at, trail)?;
        let is_all = found.len() < looked_at;
        found.retain(|found| permit.admits(&found.head.facts()));
        if found.len() > limit || !is_all {
            let what = match limit {
                1 if found.len() > 1 => "the criteria match more than one record; nothing was deleted".to_owned(),
                1 => format!("the criteria match more than {} records; nothing was deleted", looked_at - 1),
                _ => format!("the criteria match more than {limit} records; nothing was deleted"),
            };
            return Err(Refusal::new(ErrorKind::MultipleMatches, "", what));
        }
        let mut records = Vec::with_capacity(found.len());
        for found in found {
            let current = self.deletable(permit, found.kind, &found.id, None)?;
            if current.seq != found.seq {
                return Ok(None);
            }
            trail.may_replace(permit.caller(), Some(&current), None)?;
            records.push(current);
        }
        Ok(Some(records))
    }
}
