//! What an operator should know about the server: whether it loses nothing, and whether our role is as weak as it should be. And of
//! this node's own: its connections, and what it keeps near at hand.

use super::cache::Cache;
use super::link::Link;
use super::read::get;
use super::sql;
use crate::backend::Scope;
use crate::error::StoreError;
use crate::figures::Connections;

/// Names and values, in the order in which they are shown. The server is asked; nothing is assumed of its settings.
pub(super) fn report(link: &Link, cache: Option<&Cache>) -> Result<Vec<(String, String)>, StoreError> {
    let rows = link.ask(Scope::All, &sql::REPORT, &[])?;
    let mut report: Vec<(String, String)> =
        rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect::<Result<_, StoreError>>()?;
    let Connections { in_use, idle, waiting, max } = link.connections();
    let counts = [("in_use", in_use), ("idle", idle), ("waiting", waiting), ("max", max)];
    report.extend(counts.map(|(name, count)| (format!("connections_{name}"), count.to_string())));
    let states = cache.map(Cache::states).unwrap_or_default();
    report.extend(states.into_iter().map(|(name, state)| (format!("cache_{name}"), state.word().to_owned())));
    Ok(report)
}
