//! `/health`, `/health/live`, `/health/ready`, `/health/detailed`: is the process alive, can it do its work, and if not, which
//! part is away. Nothing here shows a record or a secret, so nobody has to sign in.

use axum::http::{Method, StatusCode};
use iris_fhir::json::Writer;
use iris_index::Phase;
use iris_kernel::{Kind, Tenant};

use crate::answer::Answer;
use crate::app::App;
use crate::call::Call;
use crate::endpoint::{Endpoint, Needs, Outcome};

/// How a part is, or the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Healthy,
    /// Works, but something that is not needed for every request is away.
    Degraded,
    Unhealthy,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// One part and how it is.
struct Component {
    name: &'static str,
    state: State,
    what: &'static str,
}

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
    head(&call, State::Healthy, &mut w);
    Ok(Answer::json(StatusCode::OK, w.finish()))
}

async fn summary(call: Call) -> Outcome {
    let (state, components) = examined(&call).await;
    let mut w = Writer::new();
    head(&call, state, &mut w);
    w.key("checks").object();
    for component in &components {
        w.member(component.name, component.state.word());
    }
    Ok(Answer::json(status(state), w.finish()))
}

async fn ready(call: Call) -> Outcome {
    summary(call).await
}

async fn detailed(call: Call) -> Outcome {
    let (state, components) = examined(&call).await;
    let mut w = Writer::new();
    head(&call, state, &mut w);
    w.key("components").object();
    for component in &components {
        w.key(component.name).object().member("status", component.state.word()).member("detail", component.what).end();
    }
    Ok(Answer::json(status(state), w.finish()))
}

/// Writes state and reason of every part into the open object. Blocks.
pub(crate) fn detail(app: &App, w: &mut Writer) {
    let components = components(app);
    let worst = components.iter().map(|component| component.state).max().unwrap_or(State::Healthy);
    w.member("status", worst.word()).key("components").object();
    for component in &components {
        w.key(component.name).object().member("status", component.state.word()).member("detail", component.what).end();
    }
    w.end();
}

fn head(call: &Call, state: State, w: &mut Writer) {
    w.object().member("status", state.word()).member("timestamp", &call.app.clock.now().rfc3339());
    w.member("version", call.app.version);
}

/// A server that is degraded still serves: only what it cannot do at all takes it out of rotation.
const fn status(state: State) -> StatusCode {
    match state {
        State::Healthy | State::Degraded => StatusCode::OK,
        State::Unhealthy => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Looks at every part. The store is really read, on a thread that may block: a dead disk must not stop the others.
async fn examined(call: &Call) -> (State, Vec<Component>) {
    let app = call.app.clone();
    let components = tokio::task::spawn_blocking(move || components(&app)).await.unwrap_or_else(|_| {
        vec![Component { name: "database", state: State::Unhealthy, what: "looking at it ended in a defect" }]
    });
    let worst = components.iter().map(|component| component.state).max().unwrap_or(State::Healthy);
    (worst, components)
}

fn components(app: &App) -> Vec<Component> {
    let part = |name, state, what| Component { name, state, what };
    let database = match app.store.present(Tenant::PLATFORM, Kind(Kind::INTERNAL), "health") {
        Ok(_) if !app.store.writing() => {
            part("database", State::Unhealthy, "can be read, but takes no writes until a restart")
        }
        Ok(_) => part("database", State::Healthy, "answers"),
        Err(_) => part("database", State::Unhealthy, "cannot be read"),
    };
    let index = match app.index.status().phase {
        Phase::Ready => part("index", State::Healthy, "answers"),
        Phase::Building => {
            part("index", State::Degraded, "is being built; reading by id works, searching does not yet")
        }
        Phase::Failed(_) => part("index", State::Degraded, "cannot be built; reading by id works, searching does not"),
        Phase::Closed => part("index", State::Unhealthy, "is closed"),
    };
    let audit = match app.audit.status().fault {
        _ if app.store.journal().ended() => {
            part("audit", State::Unhealthy, "takes no entries until a restart, so nothing is shown")
        }
        None => part("audit", State::Healthy, "entries are taken and signed"),
        Some(_) => part("audit", State::Degraded, "entries are taken but not signed"),
    };
    // A data key needs the root key to be opened; this one is made by the first look and only looked up afterwards.
    let keys = match app.store.data_key(Tenant::PLATFORM, &iris_store::KeyLabel::new("health")) {
        Ok(_) => part("keys", State::Healthy, "the key provider answers"),
        Err(_) => part("keys", State::Unhealthy, "the key provider gives no key"),
    };
    vec![database, index, audit, keys]
}
