//! `/health`, `/health/live`, `/health/ready`, `/health/detailed`: is the process alive, can it do its work, and if not, which
//! part is away. Nothing here shows a record or a secret, so nobody has to sign in.

mod look;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use futures_util::future::join_all;
use iris_fhir::json::Writer;
use iris_index::Phase;
use iris_kernel::{Kind, Seq, Tenant};
use iris_store::{CacheState, Connections};

use crate::answer::Answer;
use crate::app::App;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};
use look::{Found, Known, LOOK_WAIT, Part, State};

/// A part of the server and how to look at it. A new part is a new row.
struct Watched {
    name: &'static str,
    /// Whether this server has such a part at all.
    there: fn(&App) -> bool,
    look: fn(&App) -> Found,
    /// What is counted of it, asking nobody.
    figures: fn(&App) -> Figures,
}

type Figures = Vec<(&'static str, usize)>;

const PARTS: [Watched; 7] = [
    Watched { name: "database", there: always, look: database, figures: none },
    Watched {
        name: "connections",
        there: |app| app.store.connections().is_some(),
        look: connections,
        figures: connections_counted,
    },
    Watched { name: "replicas", there: |app| !app.store.replicas().is_empty(), look: replicas, figures: none },
    Watched { name: "cache", there: |app| !app.store.caches().is_empty(), look: cache, figures: none },
    Watched { name: "index", there: always, look: index, figures: none },
    Watched { name: "audit", there: always, look: audit, figures: none },
    Watched { name: "keys", there: always, look: keys, figures: none },
];

const fn none(_: &App) -> Figures {
    Vec::new()
}

const fn always(_: &App) -> bool {
    true
}

/// How the parts were when they were last looked at.
#[derive(Default)]
pub(crate) struct Looks {
    parts: [Arc<Part>; PARTS.len()],
    /// Whether searches could be answered since this process began.
    has_searched: AtomicBool,
}

/// Changes that a server for reading may lack before somebody should know: some seconds of the busiest clinic.
const BEHIND_MAX: u64 = 10_000;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let of = |endpoint: Endpoint| endpoint.needs(Needs::Nothing).gives(&[(200, Some("Health")), (503, Some("Health"))]);
    vec![
        of(Endpoint::new(Method::GET, "/health", "State of the server and of its parts, in one word each", summary)),
        of(Endpoint::new(Method::GET, "/health/live", "Whether the process answers", live)),
        of(Endpoint::new(Method::GET, "/health/ready", "Whether requests can be served; 503 if not", ready)),
        of(Endpoint::new(Method::GET, "/health/detailed", "State of every part, with the reason", detailed)),
    ]
}

async fn live(call: Call) -> Outcome {
    let mut w = Writer::new();
    head(&call, State::Healthy.word(), &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn summary(call: Call) -> Outcome {
    let components = examined(&call.app).await;
    let mut w = Writer::new();
    head(&call, worst(&components).word(), &mut w);
    w.key("checks").object();
    for Component { name, known, .. } in &components {
        w.member(name, known.found.state.word());
    }
    Ok(Answer::json(status(worst(&components)), w.finish()))
}

/// A server that was told to stop, or that has yet to catch up, is not ready although everything in it is well: whoever sends it
/// requests should send them elsewhere while it still serves those that come all the same.
async fn ready(call: Call) -> Outcome {
    let word = if call.app.settings.draining() {
        "draining"
    } else if is_catching_up(&call.app) {
        "starting"
    } else {
        return summary(call).await;
    };
    let mut w = Writer::new();
    head(&call, word, &mut w);
    Ok(Answer::json(StatusCode::SERVICE_UNAVAILABLE, w.finish()))
}

/// Whether this is one of several nodes and could not search yet since it began. One that could and cannot now is ready all the
/// same: what stops one index may stop all, and then reading is better than nothing.
fn is_catching_up(app: &App) -> bool {
    app.store.is_shared() && !has_searched(&app.looks.has_searched, &app.index.status().phase)
}

fn has_searched(ever: &AtomicBool, phase: &Phase) -> bool {
    let now = *phase == Phase::Ready;
    ever.fetch_or(now, Ordering::Relaxed) || now
}

async fn detailed(call: Call) -> Outcome {
    let components = examined(&call.app).await;
    let mut w = Writer::new();
    head(&call, worst(&components).word(), &mut w);
    write(&components, &mut w);
    Ok(Answer::json(status(worst(&components)), w.finish()))
}

/// How every part is, for the dashboard of administrators.
pub(crate) struct Examined(Components);

/// Looks at every part.
pub(crate) async fn examine(app: &Arc<App>) -> Examined {
    Examined(examined(app).await)
}

impl Examined {
    /// Writes the state of the whole and of every part into the open object.
    pub(crate) fn write(&self, w: &mut Writer) {
        w.member("status", worst(&self.0).word());
        write(&self.0, w);
    }
}

/// A part, how it was when it was last looked at, and what is counted of it.
struct Component {
    name: &'static str,
    known: Known,
    figures: Figures,
}

type Components = Vec<Component>;

fn write(components: &Components, w: &mut Writer) {
    w.key("components").object();
    for Component { name, known, figures } in components {
        let micros = i64::try_from(known.took.as_micros()).unwrap_or(i64::MAX);
        w.key(name).object().member("status", known.found.state.word()).member("detail", known.found.what);
        w.member("since", &known.since.rfc3339()).member("checked_at", &known.at.rfc3339());
        w.key("took_us").integer(micros);
        for (figure, count) in figures {
            w.key(figure).integer(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        w.end();
    }
    w.end();
}

fn head(call: &Call, state: &str, w: &mut Writer) {
    w.object().member("status", state).member("timestamp", &call.app.clock.now().rfc3339());
    w.member("version", call.app.version);
}

/// A server that is degraded still serves: only what it cannot do at all takes it out of rotation.
const fn status(state: State) -> StatusCode {
    match state {
        State::Healthy | State::Degraded => StatusCode::OK,
        State::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn worst(components: &Components) -> State {
    components.iter().map(|component| component.known.found.state).max().unwrap_or(State::Healthy)
}

/// Looks at every part, at all of them at once. The store is really read: a dead disk must show, and must not stop the others.
async fn examined(app: &Arc<App>) -> Components {
    let parts = PARTS.iter().zip(&app.looks.parts).filter(|(watched, _)| (watched.there)(app));
    let looks = parts.map(async |(watched, part)| {
        let (look, at) = (watched.look, Arc::clone(app));
        let known = part.look(&app.clock, LOOK_WAIT, move || look(&at)).await;
        Component { name: watched.name, known, figures: (watched.figures)(app) }
    });
    join_all(looks).await
}

fn database(app: &App) -> Found {
    match app.store.present(Tenant::PLATFORM, Kind(Kind::INTERNAL), "health") {
        Ok(_) if !app.store.writing() => {
            Found { state: State::Unhealthy, what: "can be read, but takes no writes until a restart" }
        }
        Ok(_) => Found { state: State::Healthy, what: "answers" },
        Err(_) => Found { state: State::Unhealthy, what: "cannot be read" },
    }
}

/// Who finds none free waits for one, for some seconds.
fn connections(app: &App) -> Found {
    app.store.connections().map_or(Found { state: State::Healthy, what: "none are needed" }, of_connections)
}

fn of_connections(Connections { in_use, waiting, max, .. }: Connections) -> Found {
    match waiting {
        0 => Found { state: State::Healthy, what: "nobody waits for one" },
        _ if in_use < max => Found { state: State::Healthy, what: "another one is being opened" },
        _ => Found { state: State::Degraded, what: "each is in use, and somebody waits for one" },
    }
}

fn connections_counted(app: &App) -> Figures {
    let counted = |Connections { in_use, idle, waiting, max }: Connections| {
        vec![("in_use", in_use), ("idle", idle), ("waiting", waiting), ("max", max)]
    };
    app.store.connections().map(counted).unwrap_or_default()
}

/// Without it the database answers everything.
fn cache(app: &App) -> Found {
    of_caches(&app.store.caches())
}

fn of_caches(caches: &[(&str, CacheState)]) -> Found {
    let is = |state: CacheState| caches.iter().any(|(_, found)| *found == state);
    let (state, what) = if is(CacheState::Away) {
        (State::Degraded, "the one that the nodes share does not answer; the database does")
    } else if is(CacheState::Refuses) {
        (State::Degraded, "the one that the nodes share takes nothing in; the database answers")
    } else {
        (State::Healthy, "answers")
    };
    Found { state, what }
}

/// Servers that may answer what need not be newest. Without them the primary answers everything.
fn replicas(app: &App) -> Found {
    of_replicas(app.store.head().0, &app.store.replicas())
}

fn of_replicas(head: u64, replicas: &[Seq]) -> Found {
    let behind = |seq: &Seq| head.saturating_sub(seq.0) > BEHIND_MAX;
    let (state, what) = if replicas.iter().all(|seq| seq.0 == 0) && head > 0 {
        (State::Degraded, "none answers; the primary answers everything")
    } else if head > 0 && replicas.iter().any(|seq| seq.0 == 0) {
        (State::Degraded, "one of them does not answer; the others and the primary do")
    } else if replicas.iter().any(behind) {
        (State::Degraded, "one of them is far behind the primary, which answers in its place")
    } else {
        (State::Healthy, "answer")
    };
    Found { state, what }
}

fn index(app: &App) -> Found {
    let (state, what) = match app.index.status().phase {
        Phase::Ready => (State::Healthy, "answers"),
        Phase::Building => (State::Degraded, "is being built; reading by id works, searching does not yet"),
        Phase::Failed(_) => (State::Degraded, "cannot be built; reading by id works, searching does not"),
        Phase::Closed => (State::Unhealthy, "is closed"),
    };
    Found { state, what }
}

fn audit(app: &App) -> Found {
    let (state, what) = match app.audit.status().fault {
        _ if app.store.journal().ended() => (State::Unhealthy, "takes no entries until a restart, so nothing is shown"),
        None => (State::Healthy, "entries are taken and signed"),
        Some(_) => (State::Degraded, "entries are taken but not signed"),
    };
    Found { state, what }
}

/// A data key needs the root key to be opened; this one is made by the first look and only looked up afterwards.
fn keys(app: &App) -> Found {
    match app.store.data_key(Tenant::PLATFORM, &iris_store::KeyLabel::new("health")) {
        Ok(_) => Found { state: State::Healthy, what: "the key provider answers" },
        Err(_) => Found { state: State::Unhealthy, what: "the key provider gives no key" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_for_reading_that_are_away_or_behind_degrade_and_do_not_take_out_of_rotation() {
        let state = |heads: &[u64]| {
            let heads: Vec<Seq> = heads.iter().copied().map(Seq).collect();
            of_replicas(20_000, &heads).state
        };
        assert_eq!(state(&[20_000, 19_990]), State::Healthy);
        assert_eq!((state(&[10_000]), state(&[9_999])), (State::Healthy, State::Degraded));
        assert_eq!((state(&[0]), state(&[0, 20_000])), (State::Degraded, State::Degraded));
        assert_eq!(of_replicas(0, &[Seq(0)]).state, State::Healthy);
        assert_eq!(status(State::Degraded), StatusCode::OK);
    }

    #[test]
    fn a_node_is_ready_once_it_could_search_and_stays_so() {
        let ever = AtomicBool::default();
        let phases = [Phase::Building, Phase::Failed("disk".into()), Phase::Ready, Phase::Building];
        assert_eq!(phases.map(|phase| has_searched(&ever, &phase)), [false, false, true, true]);
    }

    #[test]
    fn a_pool_that_somebody_waits_for_and_a_cache_that_is_away_degrade() {
        let pool = |in_use, waiting| of_connections(Connections { in_use, idle: 9 - in_use, waiting, max: 9 }).state;
        assert_eq!((pool(9, 0), pool(9, 1)), (State::Healthy, State::Degraded));
        // While connections are opened somebody waits for a moment.
        assert_eq!(pool(8, 2), State::Healthy);
        let cache = |redis| of_caches(&[("memory", CacheState::Answers), ("redis", redis)]).state;
        let states = [CacheState::Answers, CacheState::Refuses, CacheState::Away].map(cache);
        assert_eq!(states, [State::Healthy, State::Degraded, State::Degraded]);
    }
}
