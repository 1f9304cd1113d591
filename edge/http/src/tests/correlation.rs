use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use super::World;
use crate::answer::Answer;
use crate::app::router_of;
use crate::endpoint::{Endpoint, Needs};

/// What was logged, each with the correlation id of the spans around it.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, String)>>>);

#[derive(Default)]
struct Words {
    message: String,
    correlation: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "correlation" => self.correlation = format!("{value:?}").trim_matches('"').to_owned(),
            _ => {}
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Heard {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut words = Words::default();
        attributes.record(&mut words);
        context.span(id).unwrap().extensions_mut().insert(words);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut words = Words::default();
        event.record(&mut words);
        let around = context.event_scope(event).into_iter().flatten();
        let ids: Vec<String> =
            around.filter_map(|span| Some(span.extensions().get::<Words>()?.correlation.clone())).collect();
        self.0.lock().push((words.message, ids.join(" ")));
    }
}

#[tokio::test]
async fn whatever_a_request_logs_carries_its_id_on_whichever_thread() {
    let heard = Heard::default();
    // The subscriber belongs to the process; each test has a process of its own, or shares one that has it already.
    let subscriber = tracing_subscriber::registry().with(heard.clone());
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        return;
    }
    let world = World::new();
    let talks = Endpoint::new(Method::GET, "/talks", "", |_call| async {
        tracing::warn!("in the handler");
        tokio::task::yield_now().await;
        let _ = crate::blocking::blocking(|| tracing::warn!("on another thread")).await;
        Ok(Answer::empty())
    });
    let files: Arc<dyn crate::pages::Files> = Arc::new(crate::pages::Built);
    let router = router_of(&world.app, vec![talks.needs(Needs::Nothing)], &files);
    let ask = async |id: &str| {
        let request = Request::get("/talks").header("x-correlation-id", id).body(Body::empty()).unwrap();
        tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
    };
    tokio::join!(ask("one"), ask("two"));
    let heard = heard.0.lock();
    for message in ["in the handler", "on another thread"] {
        let mut ids: Vec<&str> =
            heard.iter().filter(|(said, _)| said == message).map(|(_, ids)| ids.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["one", "two"], "{message}: {heard:?}");
    }
}
