//! What an operator should know about the server: whether it loses nothing, and whether our role is as weak as it should be.

use super::link::Link;
use super::read::get;
use super::sql;
use crate::backend::Scope;
use crate::error::StoreError;

/// Names and values, in the order in which they are shown. The server is asked; nothing is assumed of its settings.
pub(super) fn report(link: &Link) -> Result<Vec<(String, String)>, StoreError> {
    let rows = link.ask(Scope::All, &sql::REPORT, &[])?;
    rows.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect()
}
