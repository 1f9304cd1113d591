//! The settings as they count on this node: the start's values under what was changed since, applied as soon as this node hears
//! of a change, whoever made it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use iris_access::AccessError;
use iris_identity::{ChangedSetting, ChangedSettings, DORMANT_DEFAULT, Identity, kinds};
use iris_kernel::{Fault, Span, Tenant, Timestamp, Version};
use iris_resources::Records;
use iris_store::{Change, Follower, Store};
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::catalogue::{SETTINGS, SLOW_REQUEST_DEFAULT, Setting, Values};

/// Rest after the store could not say what was changed.
const RETRY: Duration = Duration::from_millis(500);
/// How often a database that several nodes share is asked again though nobody told of a change: what a failover lost is told to
/// nobody, and must not go on counting.
const LOOK: Duration = Duration::from_secs(1);

/// What a setting is at the start of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Its value as text.
    pub value: String,
    /// Where it was said: `default`, `environment`, a place in a file, a flag.
    pub origin: String,
}

/// Takes in what only the process can change: the log level.
pub type LevelSink = Box<dyn Fn(&'static str) + Send + Sync>;

/// The settings of this node.
pub struct Settings {
    start: BTreeMap<&'static str, Started>,
    level: LevelSink,
    state: Mutex<State>,
    slow_us: AtomicU64,
    dormant_us: AtomicU64,
    docs: AtomicBool,
    audit_export: AtomicBool,
    draining: AtomicBool,
    pub(super) changed: Arc<Notify>,
}

/// What was changed, as this node knows it.
#[derive(Default)]
struct State {
    known: ChangedSettings,
    /// How often something else was made to count.
    changes: u64,
}

/// Taken before the database is asked what was changed, see [`Settings::apply`].
#[derive(Clone, Copy)]
pub(crate) struct Asked(u64);

/// One setting as it counts here.
pub(super) struct Shown {
    pub(super) setting: &'static Setting,
    pub(super) value: String,
    pub(super) start: Started,
    pub(super) changed: Option<ChangedSetting>,
}

impl Settings {
    /// The settings of a start. What is not named there has its default; names that are no setting of the catalogue are left out.
    ///
    /// # Errors
    /// Every value that is none.
    pub fn new(given: Vec<(String, Started)>, level: LevelSink) -> Result<Arc<Self>, Vec<Fault>> {
        let mut given: BTreeMap<String, Started> = given.into_iter().collect();
        let start: BTreeMap<&'static str, Started> = SETTINGS
            .iter()
            .map(|setting| {
                let default = || Started { value: setting.default.to_owned(), origin: "default".to_owned() };
                (setting.name, given.remove(setting.name).unwrap_or_else(default))
            })
            .collect();
        let texts = start.iter().map(|(name, started)| (*name, started.value.clone())).collect();
        let values = Values::read(&texts)?;
        let settings = Arc::new(Self {
            start,
            level,
            state: Mutex::default(),
            slow_us: AtomicU64::new(micros(SLOW_REQUEST_DEFAULT)),
            dormant_us: AtomicU64::new(micros(DORMANT_DEFAULT)),
            docs: AtomicBool::new(true),
            audit_export: AtomicBool::new(true),
            draining: AtomicBool::new(false),
            changed: Arc::new(Notify::new()),
        });
        settings.switch(&values);
        Ok(settings)
    }

    /// The defaults, for tests.
    #[cfg(test)]
    pub(crate) fn defaults() -> Arc<Self> {
        let references = Started { value: "checked".to_owned(), origin: "environment".to_owned() };
        Self::new(vec![("references".to_owned(), references)], Box::new(|_| {})).unwrap()
    }

    /// From when on a request counts as slow.
    pub(crate) fn slow_request(&self) -> Duration {
        Duration::from_micros(self.slow_us.load(Ordering::Relaxed))
    }

    /// After how long without a sign-in an account is dormant.
    pub(crate) fn account_dormant(&self) -> Duration {
        Duration::from_micros(self.dormant_us.load(Ordering::Relaxed))
    }

    /// Whether the API's documents are shown.
    pub(crate) fn docs(&self) -> bool {
        self.docs.load(Ordering::Relaxed)
    }

    /// Whether the access log can be taken away through the API.
    pub(crate) fn audit_export(&self) -> bool {
        self.audit_export.load(Ordering::Relaxed)
    }

    /// From now on this node says that it is not ready and asks callers to connect anew, elsewhere; it still serves.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    /// Whether it does.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Every setting as it counts, with the version of what was changed and its time.
    pub(super) fn shown(&self) -> (Option<Version>, Timestamp, Vec<Shown>) {
        let state = self.state.lock();
        let mut texts = self.texts(&state.known);
        let shown = SETTINGS.iter().filter_map(|setting| {
            let start = self.start.get(setting.name)?.clone();
            let changed = state.known.settings.get(setting.name).filter(|one| setting.normal(&one.value).is_some());
            let value = texts.remove(setting.name)?;
            Some(Shown { setting, value, start, changed: changed.cloned() })
        });
        (state.known.version, state.known.at, shown.collect())
    }

    /// The values that would count with these changes on top of those known.
    ///
    /// # Errors
    /// What does not go together.
    pub(super) fn with(&self, known: &ChangedSettings, changes: &[(String, Option<String>)]) -> Result<(), Vec<Fault>> {
        let mut texts = self.texts(known);
        for (name, value) in changes {
            if let Some(setting) = super::catalogue::setting(name) {
                let start = self.start.get(setting.name).map(|started| started.value.clone());
                texts.insert(setting.name, value.clone().or(start).unwrap_or_default());
            }
        }
        Values::read(&texts).map(|_| ())
    }

    /// Every setting as it counts here. What all nodes were told and what this node was started with are values each, and need not
    /// go together: a session that would be idle for longer than it lives is idle for as long as it lives. Nothing else may fail to
    /// count because of that.
    fn texts(&self, known: &ChangedSettings) -> BTreeMap<&'static str, String> {
        let text = |setting: &'static Setting| {
            let changed = known.settings.get(setting.name).and_then(|one| setting.normal(&one.value));
            let start = || self.start.get(setting.name).map_or_else(String::new, |started| started.value.clone());
            (setting.name, changed.unwrap_or_else(start))
        };
        let mut texts: BTreeMap<&'static str, String> = SETTINGS.iter().map(text).collect();
        bound(&mut texts, ("session_idle", "session_life"));
        texts
    }

    fn switch(&self, values: &Values) {
        self.slow_us.store(micros(values.slow_request), Ordering::Relaxed);
        self.dormant_us.store(micros(values.account_dormant), Ordering::Relaxed);
        self.docs.store(values.docs, Ordering::Relaxed);
        self.audit_export.store(values.audit_export, Ordering::Relaxed);
        (self.level)(values.log_level);
    }

    /// To be taken before the database is asked.
    pub(crate) fn asking(&self) -> Asked {
        Asked(self.state.lock().changes)
    }

    /// Makes count here what the database says, also if it is older than what counted: a failover may have lost that. Only if
    /// something else was made to count since it was asked, which may have been read later, an older version decides nothing,
    /// and the database is asked again.
    pub(crate) fn apply(&self, asked: Asked, known: ChangedSettings, access: &Identity, records: &Records) {
        let mut state = self.state.lock();
        if asked.0 != state.changes && known.version <= state.known.version {
            if known != state.known {
                self.changed.notify_one();
            }
            return;
        }
        match Values::read(&self.texts(&known)) {
            Ok(values) => {
                self.switch(&values);
                access.page_sessions_set(values.page_sessions);
                records.policy_set(values.policy);
            }
            // A start's value that is none stops the start, and a change that is none is left out: a defect of ours.
            Err(faults) => {
                for fault in faults {
                    tracing::error!(
                        fault = fault.at,
                        "settings do not go together on this node; they stay as they were"
                    );
                }
            }
        }
        if state.known != known {
            state.known = known;
            state.changes += 1;
        }
    }
}

/// Lowers the first span to the second if it is longer.
fn bound(texts: &mut BTreeMap<&'static str, String>, (lower, upper): (&'static str, &str)) {
    let span = |name: &str| texts.get(name).and_then(|text| text.parse::<Span>().ok()).map(|span| span.0);
    if span(lower) > span(upper)
        && let Some(most) = texts.get(upper).cloned()
    {
        texts.insert(lower, most);
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// Hears of every change in the store and notes those of settings.
struct Listener(Arc<Notify>);

impl Follower for Listener {
    fn committed(&self, changes: &mut [Change]) {
        if changes.iter().any(|change| change.kind == kinds::SETTINGS && change.tenant == Tenant::PLATFORM) {
            self.0.notify_one();
        }
    }
}

/// Makes what was changed count before this node serves: nobody must get from it what was switched off everywhere. If the store
/// cannot say, who follows asks again.
pub(crate) async fn take_over(settings: &Settings, access: &Arc<Identity>, records: &Records) {
    let asked = settings.asking();
    match read(access).await {
        Ok(known) => settings.apply(asked, known, access, records),
        Err(cause) => tracing::warn!(%cause, "the changed settings cannot be read; those of the start count"),
    }
}

/// Reads what was changed and makes it count, now and whenever any node changes something. Ends never; runs beside the server.
pub(crate) async fn follow(settings: Arc<Settings>, access: Arc<Identity>, records: Records, store: Store) {
    // Listening first: a change between the reading and the listening would be missed.
    store.follow(Arc::new(Listener(Arc::clone(&settings.changed))));
    let is_shared = store.is_shared();
    drop(store);
    let mut is_away = false;
    loop {
        let asked = settings.asking();
        match read(&access).await {
            Ok(known) => {
                is_away = false;
                settings.apply(asked, known, &access, &records);
                let told = settings.changed.notified();
                if is_shared {
                    // Told or not: it is asked again.
                    let _told = tokio::time::timeout(LOOK, told).await;
                } else {
                    told.await;
                }
            }
            Err(cause) => {
                if !std::mem::replace(&mut is_away, true) {
                    tracing::warn!(%cause, "the changed settings cannot be read; trying again");
                }
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

async fn read(access: &Arc<Identity>) -> Result<ChangedSettings, AccessError> {
    let access = Arc::clone(access);
    let read = tokio::task::spawn_blocking(move || access.settings()).await;
    read.map_err(|cause| AccessError::Internal(Box::new(cause)))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(name: &str, value: &str) -> (String, Started) {
        (name.to_owned(), Started { value: value.to_owned(), origin: "environment".to_owned() })
    }

    fn changed(name: &str, value: &str) -> ChangedSettings {
        let one = serde_json::json!({"value": value, "by": uuid::Uuid::nil(), "by_name": "root", "at": 1});
        let one: ChangedSetting = serde_json::from_value(one).unwrap();
        let settings = BTreeMap::from([(name.to_owned(), one)]);
        ChangedSettings { version: Some(Version::FIRST), settings, ..ChangedSettings::default() }
    }

    #[test]
    fn a_span_that_does_not_fit_this_nodes_start_keeps_no_other_setting_from_counting() {
        let start = vec![started("session_idle", "5m"), started("session_life", "10m")];
        let settings = Settings::new(start, Box::new(|_| {})).unwrap();
        let known = changed("session_idle", "15m");
        let values = Values::read(&settings.texts(&known)).unwrap();
        assert_eq!(values.page_sessions.idle, Duration::from_secs(600));
        // Whoever switches a feature off is not told about somebody else's span, and whoever sets a wrong one still is.
        let one = |name: &str, value: &str| vec![(name.to_owned(), Some(value.to_owned()))];
        settings.with(&known, &one("flag_audit_export", "off")).unwrap();
        assert!(settings.with(&known, &one("session_idle", "11m")).is_err());
        settings.state.lock().known = known;
        let (_, _, shown) = settings.shown();
        let idle = shown.iter().find(|one| one.setting.name == "session_idle").unwrap();
        assert_eq!((idle.value.as_str(), idle.start.value.as_str()), ("10m", "5m"));
    }
}
