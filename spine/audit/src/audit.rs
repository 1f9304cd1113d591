//! Taking entries in.

use std::sync::Arc;

use iris_crypto::MacKey;
use iris_kernel::{Clock, Entropy, Tenant};
use iris_store::{AuditRow, Committed, Store, Stream};

use crate::catalogue::DataClass;
use crate::entry::{self, Header};
use crate::error::{AuditError, Unavailable};
use crate::event::{DetailsOf, Event};
use crate::follower::{Follower, LogStatus};
use crate::gap;
use crate::key;
use crate::keys::Keys;
use crate::note::Verifier;
use crate::sealed::{Receipt, Sealed};
use crate::turn::Turn;

/// Label under which the key of actor tokens is derived from the root.
const ACTOR_KEY: &str = "iris audit actor token v1";

/// Entries made about patients' data, by action and outcome. Whoever sees one that is not durable afterwards sees a 503 as well.
pub const PHI_ACCESSES: &str = "iris_phi_accesses_total";

/// The audit log of one store, with its follower.
pub struct Audit {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    actors: MacKey,
    keys: Keys,
    verifier: Verifier,
    follower: Follower,
}

impl Audit {
    /// Opens the log, makes its signing key at the first start, and starts the follower.
    ///
    /// # Errors
    /// The store's; [`AuditError::Damaged`] if a log exists without its signing key.
    pub fn open(store: Store, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Self, AuditError> {
        let turn = Turn::of(&store);
        Self::open_in_turn(store, clock, entropy, turn)
    }

    /// [`Audit::open`], where `turn` says who signs.
    pub(crate) fn open_in_turn(
        store: Store,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        turn: Turn,
    ) -> Result<Self, AuditError> {
        let signer = Arc::new(key::load(&store, clock.as_ref(), entropy.as_ref())?);
        let actors = MacKey::new(&store.derive(ACTOR_KEY));
        let verifier = Verifier::new(signer.verifying_key());
        let signs = turn.take()?;
        let follower = Follower::start(store.clone(), signer, turn)?;
        let audit = Self { store, clock, entropy, actors, keys: Keys::default(), verifier, follower };
        if signs {
            gap::close(&audit)?;
        }
        Ok(audit)
    }

    /// Seals an event into the row that [`iris_store::Tx::audit`] takes into the transaction of the write it describes.
    ///
    /// # Errors
    /// [`Unavailable`] if the key for its details cannot be had.
    pub fn row(&self, event: &Event) -> Result<AuditRow, Unavailable> {
        if event.action.class() == DataClass::Health {
            metrics::counter!(PHI_ACCESSES, "action" => event.action.name(), "outcome" => event.outcome.name())
                .increment(1);
        }
        let (key_id, key) = self.keys.of(&self.store, event.tenant, event.at)?;
        let mut chance = [0; 12 + entry::SALT_BYTES];
        self.entropy.fill(&mut chance);
        let (mut nonce, mut salt) = ([0; 12], [0; entry::SALT_BYTES]);
        nonce.copy_from_slice(&chance[..12]);
        salt.copy_from_slice(&chance[12..]);
        let mut header = Header {
            tenant: event.tenant,
            actor: self.actor_token(event.tenant, &event.actor.id),
            action: event.action,
            outcome: event.outcome,
            at: event.at,
            commitment: [0; 32],
        };
        let text = serde_json::to_string(&DetailsOf::from(event))?;
        let details = entry::seal(&mut header, (key_id.0, &key), (nonce, salt), &text);
        Ok(AuditRow { header: header.encode().to_vec(), details })
    }

    /// Puts a value behind the barrier, together with the events that its release records. Without events only the
    /// receipt of a write opens it.
    pub fn seal<T>(&self, value: T, events: Vec<Event>) -> Sealed<T> {
        Sealed::new(value, events)
    }

    /// Makes the pending entries durable and gives the value out.
    ///
    /// # Errors
    /// [`Unavailable`]: then nothing was shown, and the value is gone.
    pub async fn release<T>(&self, sealed: Sealed<T>) -> Result<T, Unavailable> {
        let (value, events) = sealed.into_parts();
        self.record_all(&events).await?;
        Ok(value)
    }

    /// Makes one entry durable that describes no write and guards no value, such as a refusal.
    ///
    /// # Errors
    /// [`Unavailable`]: then the answer must be 503, whatever it was to be.
    pub async fn record(&self, event: Event) -> Result<Receipt, Unavailable> {
        self.record_all(&[event]).await
    }

    /// Makes several entries durable at once.
    ///
    /// # Errors
    /// [`Unavailable`] if they are not all durable, or if there is none.
    pub async fn record_all(&self, events: &[Event]) -> Result<Receipt, Unavailable> {
        if events.is_empty() {
            return Err(Unavailable::NothingRecorded);
        }
        let rows = events.iter().map(|event| self.row(event)).collect::<Result<Vec<_>, _>>()?;
        self.store.journal().append(rows).await?;
        self.nudge();
        Ok(Receipt::new())
    }

    /// As [`Audit::record`], for threads outside the runtime (commands, workers).
    ///
    /// # Errors
    /// [`Unavailable`]: then what it describes must not be done or shown.
    pub fn record_blocking(&self, event: &Event) -> Result<Receipt, Unavailable> {
        self.store.journal().append_blocking(vec![self.row(event)?])?;
        self.nudge();
        Ok(Receipt::new())
    }

    /// The receipt of a write whose transaction carried its entries ([`Audit::row`]).
    #[must_use]
    pub fn receipt(&self, _committed: &Committed) -> Receipt {
        self.nudge();
        Receipt::new()
    }

    /// Tells the follower that there are new entries. [`Audit::receipt`], [`Audit::release`] and [`Audit::record`] do it.
    pub fn nudge(&self) {
        self.follower.nudge();
    }

    /// Waits until every entry that is durable now has its position and is under a signed checkpoint. Blocks for one
    /// transaction; where another node signs, until that has done it, [`crate::SETTLE_MAX`] at most. A log that makes no progress,
    /// or a follower that is gone, shows in the status's fault.
    pub fn settle(&self) -> LogStatus {
        self.settled().unwrap_or_else(|_| self.status())
    }

    /// Ends the follower: what is durable is signed, if it is this node's turn, and another node may go on at once. To be called while
    /// the store is still open; entries that are taken in afterwards are signed by another node or the next start.
    pub fn close(&self) {
        self.follower.end();
    }

    /// As [`Audit::settle`], where a follower that is gone must be an error.
    pub(crate) fn settled(&self) -> Result<LogStatus, Unavailable> {
        self.follower.settle()
    }

    /// How the log stands: for health checks, which must show a follower that makes no progress.
    #[must_use]
    pub fn status(&self) -> LogStatus {
        self.follower.status()
    }

    /// The newest signed checkpoint, as a C2SP note; `None` for an empty log.
    #[must_use]
    pub fn checkpoint(&self) -> Option<String> {
        self.status().checkpoint
    }

    /// Entries under the newest signed checkpoint.
    pub(crate) fn signed(&self, status: &LogStatus) -> u64 {
        let newest = status.checkpoint.as_deref().and_then(|note| self.verifier.open(note).ok());
        newest.map_or(0, |checkpoint| checkpoint.size)
    }

    /// Durable entries that have no position yet.
    pub(crate) fn waiting(&self) -> Result<u64, AuditError> {
        let taken = self.store.audit_head(Stream::Writes)?.saturating_add(self.store.audit_head(Stream::Reads)?);
        Ok(taken.saturating_sub(self.store.log_size()?))
    }

    /// The public key that checks this log's checkpoints; prints as `iris-audit+hash+base64`.
    #[must_use]
    pub const fn public_key(&self) -> Verifier {
        self.verifier
    }

    /// Ends as a killed process would.
    #[cfg(test)]
    pub(crate) fn kill(self) {
        self.follower.kill();
    }

    /// The token by which a tenant's headers name an actor.
    pub(crate) fn actor_token(&self, tenant: Tenant, id: &[u8; 16]) -> [u8; 16] {
        self.actors.token(&[&tenant.0.to_be_bytes(), id])
    }
}
