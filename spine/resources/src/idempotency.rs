//! Idempotency keys: a create that is sent again finds what the first one made, also after a restart.

use iris_fhir::definitions::definitions;
use iris_fhir::json::{Json, Writer};
use iris_kernel::{ErrorKind, Version, kinds};
use iris_store::{Expect, KeyOwner, Put, Tx};

use crate::Records;
use crate::head::Head;
use crate::refusal::Refusal;
use crate::stored::Stored;
use crate::trail::Who;
use crate::write::Written;

/// `Idempotency-Key` of a request, with the digest of what was sent under it.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// The header's value.
    pub key: String,
    /// SHA-256 of the request's body.
    pub digest: [u8; 32],
}

/// Whether a key was used before.
pub(crate) enum Repeat {
    /// It was not.
    No,
    /// It was, and made this.
    Of(Box<Stored>),
}

impl Records {
    pub(crate) fn repeat_of(&self, who: &Who, key: &IdempotencyKey) -> Result<Repeat, Refusal> {
        let Some(row) = self.store.current(who.tenant, kinds::IDEMPOTENCY, &remembered_id(who, key))? else {
            return Ok(Repeat::No);
        };
        let damaged = || Refusal::new(ErrorKind::Damaged, "", "the record of this idempotency key cannot be read");
        let note = Json::parse(row.body).map_err(|_| damaged())?;
        let text = |name: &str| note.root().str_of(name).map(std::borrow::Cow::into_owned);
        if text("digest").as_deref() != Some(hex(&key.digest).as_str()) {
            let what = "this key was used before with another body; nothing was stored";
            return Err(Refusal::new(ErrorKind::Invalid, "Idempotency-Key", what));
        }
        let kind = text("type").and_then(|name| definitions().kind_of(&name)).ok_or_else(damaged)?;
        let id = text("id").ok_or_else(damaged)?;
        let first = self.store.version(who.tenant, kind, &id, Version::FIRST)?.ok_or_else(damaged)?;
        Ok(Repeat::Of(Box::new(Stored::from_row(first, id)?)))
    }

    /// Adds to the write set what the key made. A second request under the same key conflicts here and looks again.
    pub(crate) fn remember(&self, tx: &mut Tx, who: &Who, key: &IdempotencyKey, made: &Written) {
        let mut note = Writer::new();
        note.object()
            .member("digest", &hex(&key.digest))
            .member("type", definitions().name_of(made.kind))
            .member("id", &made.id);
        tx.put(Put {
            kind: kinds::IDEMPOTENCY,
            id: &remembered_id(who, key),
            expect: Expect::Absent,
            version: Version::FIRST,
            born: None,
            at: made.at,
            head: &Head { author: who.actor.id, ..Head::default() }.encode(),
            body: &note.finish(),
            owner: KeyOwner::Tenant,
            deleted: false,
            shadow: None,
        });
    }
}

/// Keys of two callers are two keys.
fn remembered_id(who: &Who, key: &IdempotencyKey) -> String {
    format!("{}/{}", hex(&who.actor.id), key.key)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
