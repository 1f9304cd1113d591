//! Logs: one JSON object a line on standard error, with the fields of an allow-list and no others.
//!
//! A field that is not on the list is named as withheld, counted, and its value dropped, so that a value that could be PHI does not
//! reach a log through somebody's forgotten debug line. Messages are literals in the source by the rule of the house.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use iris_kernel::Clock;
use parking_lot::Mutex;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layered, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry, reload};

use crate::config::LogLevel;
use crate::traces::SpanLayer;

/// What may stand in a log besides the message. Each holds a number, a word of a closed set, a random id, an address of the
/// installation, or the text of an error of ours (which repeats no input).
const FIELDS: &[&str] = &[
    "address",
    "attempt",
    "bytes",
    "cause",
    "code",
    "command",
    "connections",
    "correlation",
    "count",
    "entry",
    "end",
    "error",
    "failed",
    "fault",
    "first",
    "folder",
    "from",
    "head",
    "job",
    "kind",
    "level",
    "line",
    "location",
    "method",
    "missing",
    "ms",
    "position",
    "positions",
    "reason",
    "route",
    "rows",
    "seconds",
    "segment",
    "seq",
    "signal",
    "size",
    "status",
    "stream",
    "tenant",
    "timeline",
    "until",
    "version",
    "what",
    "why",
];

/// Beginnings of the names of fields that are there for traces only.
const FOR_TRACES: [&str; 2] = ["otel.", "http."];

/// Sets how much is logged, while the process runs.
#[derive(Clone)]
pub struct LevelSwitch(reload::Handle<Targets, Layered<Option<SpanLayer>, Registry>>);

impl LevelSwitch {
    /// From now on this much.
    pub fn set(&self, level: LogLevel) {
        // It fails only once the process has no subscriber any more, and nothing is logged then anyhow.
        drop(self.0.reload(targets(level)));
    }
}

/// Starts logging for the process; `spans` hears of spans besides.
///
/// # Errors
/// When something has started it already.
pub(crate) fn start(
    level: LogLevel,
    clock: Arc<dyn Clock>,
    spans: Option<SpanLayer>,
) -> Result<LevelSwitch, tracing_subscriber::util::TryInitError> {
    let (filter, handle) = reload::Layer::new(targets(level));
    let layer = JsonLines { clock, out: Mutex::new(std::io::stderr()) };
    Registry::default().with(spans).with(layer.with_filter(filter)).try_init()?;
    report_panics();
    Ok(LevelSwitch(handle))
}

fn targets(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // Libraries write for their own developers: only what they warn of is for an operator.
    Targets::new().with_default(LevelFilter::WARN.min(own)).with_target("iris", own)
}

/// A panic's message may quote the value that it stumbled over; its place is enough to find the defect.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a defect: the code panicked");
    }));
}

/// Writes each event as one JSON line.
struct JsonLines<W> {
    clock: Arc<dyn Clock>,
    out: Mutex<W>,
}

/// The allowed fields of a span, kept for the events inside it.
struct SpanFields(Map<String, Value>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + Send + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields.kept));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(SpanFields(kept)) = span.extensions_mut().get_mut::<SpanFields>() {
            kept.extend(fields.kept);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Map::new();
        line.insert("time".to_owned(), self.clock.now().rfc3339().into());
        line.insert("severity".to_owned(), event.metadata().level().as_str().into());
        line.insert("part".to_owned(), event.metadata().target().into());
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(SpanFields(kept)) = span.extensions().get::<SpanFields>() {
                line.extend(kept.clone());
            }
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        line.extend(fields.kept);
        if !fields.withheld.is_empty() {
            line.insert("withheld".to_owned(), fields.withheld.into());
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        // Where standard error is gone there is nowhere to say so.
        drop(self.out.lock().write_all(text.as_bytes()));
    }
}

/// Collects the fields of one event or span.
#[derive(Default)]
struct Fields {
    kept: Map<String, Value>,
    withheld: Vec<&'static str>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        if FOR_TRACES.iter().any(|prefix| field.name().starts_with(prefix)) {
            return;
        }
        if field.name() == "message" || FIELDS.contains(&field.name()) {
            self.kept.insert(field.name().to_owned(), value);
        } else {
            metrics::counter!(iris_http::metrics::LOG_WITHHELD).increment(1);
            self.withheld.push(field.name());
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }
    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, value.to_string().into());
    }
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use iris_testkit::ManualClock;

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(act: impl FnOnce()) -> Vec<Value> {
        let page = Page::default();
        let layer = JsonLines { clock: Arc::new(ManualClock::default()), out: Mutex::new(page.clone()) };
        tracing::subscriber::with_default(Registry::default().with(layer), act);
        let text = String::from_utf8(page.0.lock().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_field_off_the_list_is_named_but_not_shown() {
        let lines = logged(|| tracing::info!(status = 200, family = "Kowalski", "answered"));
        assert_eq!(lines[0]["status"], 200);
        assert_eq!(lines[0]["message"], "answered");
        assert_eq!(lines[0]["withheld"], serde_json::json!(["family"]));
        assert!(!lines[0].to_string().contains("Kowalski"));
    }

    #[test]
    fn what_a_span_knows_stands_in_each_line_inside_it() {
        let lines = logged(|| {
            let span = tracing::info_span!("request", correlation = "abc", name = "Kowalski");
            span.in_scope(|| tracing::warn!("slow"));
        });
        assert_eq!(lines[0]["correlation"], "abc");
        assert_eq!(lines[0]["severity"], "WARN");
        assert!(!lines[0].to_string().contains("Kowalski"));
    }

    /// The arguments of a macro, of which `text` holds what comes after the bracket, each without spaces around it.
    fn arguments(text: &str) -> Vec<&str> {
        let (mut depth, mut quoted, mut escaped, mut from) = (0, false, false, 0);
        let mut found = Vec::new();
        for (at, c) in text.char_indices() {
            match c {
                _ if std::mem::take(&mut escaped) => {}
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '(' | '[' | '{' => depth += 1,
                ')' if depth == 0 => {
                    found.push(text[from..at].trim());
                    return found;
                }
                ')' | ']' | '}' => depth -= 1,
                ',' if depth == 0 => {
                    found.push(text[from..at].trim());
                    from = at + 1;
                }
                _ => {}
            }
        }
        found
    }

    /// Every source file of the product, without its tests.
    fn sources(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "tests" {
                sources(&path, found);
            } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path.display().to_string(), text));
            }
        }
    }

    /// Messages that show a value all the same; this list may only shrink. The notes of PostgreSQL name things of its own (tables,
    /// settings), and are logged at `debug` alone.
    const SHOWING: &[&str] = &["\"the database notes: {}\""];

    /// A field that is not on the list says nothing to whoever needs it, and only once it is too late.
    #[test]
    fn whatever_is_logged_anywhere_is_on_the_list() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut files = Vec::new();
        for part in ["base", "spine", "contexts", "edge"] {
            sources(&root.join(part), &mut files);
        }
        let (mut seen, mut unlisted) = (0, Vec::new());
        for (path, text) in &files {
            for call in text.split("tracing::").skip(1) {
                let Some((name, rest)) = call.split_once("!(") else { continue };
                if !name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
                    continue;
                }
                let mut arguments = arguments(rest);
                if let Some(at) = arguments.iter().position(|argument| SHOWING.contains(argument)) {
                    arguments.truncate(at);
                }
                for argument in arguments.into_iter().filter(|argument| !argument.starts_with("target:")) {
                    let name = argument.split(" =").next().unwrap_or_default().trim_start_matches(['%', '?']);
                    let is_message = argument.starts_with('"') || argument.is_empty();
                    let is_for_traces = FOR_TRACES.iter().any(|prefix| name.starts_with(prefix));
                    // What a message shows of values, no list holds back.
                    let is_listed = if is_message { !argument.contains('{') } else { FIELDS.contains(&name) };
                    seen += 1;
                    if !is_listed && !is_for_traces {
                        unlisted.push(format!("{path}: {argument}"));
                    }
                }
            }
        }
        assert!(seen > 100, "{seen}");
        assert!(unlisted.is_empty(), "{unlisted:#?}");
    }

    #[test]
    fn a_line_feed_in_a_value_makes_no_second_line() {
        let lines = logged(|| tracing::error!(error = "one\ntwo", "failed"));
        assert_eq!(lines.len(), 1);
    }
}
