//! `iris serve`: listen, open, serve, drain.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use iris_audit::{Action, Outcome};
use iris_http::settings::Settings;
use iris_http::{App, Drained, Parts, Traces};
use iris_store::FolderLock;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::admin::AdminSocket;
use crate::application::{Application, KeyProtection, failure};
use crate::cli::ServeFlags;
use crate::command::{Failure, Operations};
use crate::config::{Config, LogLevel, MailRoute};
use crate::demo::{self, Demo, Filled};
use crate::logging::LevelSwitch;
use crate::platform::Machine;
use crate::stopping::Signals;
use crate::vaccines::Damaged;

/// The runtime of the process.
pub(crate) fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().enable_all().thread_name("iris").build();
    runtime.map_err(|error| failure("the runtime cannot start", &error))
}

/// Serves until a signal says stop, then lets requests in flight end.
pub(crate) fn serve(config: &Config, flags: &ServeFlags, machine: &Machine, watch: Watch) -> Result<(), Failure> {
    let Watch { level, traces } = watch;
    let live = Live { settings: live_settings(config, level)?, traces };
    let demo_wanted = Demo::wanted(flags, config)?;
    let runtime = runtime()?;
    // Signals first: one that comes during a long opening is then seen right after it.
    let mut signals =
        runtime.block_on(async { Signals::new() }).map_err(|error| failure("signals cannot be heard", &error))?;
    let lock = FolderLock::take(&config.data_dir)
        .map_err(|error| failure("IRIS_DATA_DIR: the data folder cannot be used", &error))?;
    let mut demo = demo_wanted.then(|| Demo::claim(&config.data_dir, flags, machine)).transpose()?;
    // Before the opening, which can take a while: a port in use is known at once.
    let listener = runtime.block_on(listen("IRIS_HTTP_LISTEN", config.http_listen))?;
    let metrics_listener = runtime.block_on(listen("IRIS_METRICS_LISTEN", config.metrics_listen))?;
    let bound = listener.local_addr().map_err(|error| failure("the listener has no address", &error))?;
    let config = &if demo_wanted { demo::address(config, bound) } else { config.clone() };
    let (base_url, handle) = (config.fhir_url(bound), runtime.handle().clone());
    let application = Application::open(config, &base_url, lock, machine, handle, Damaged::Refused)?;
    if application.key_protection == KeyProtection::ModeOnly && demo.is_none() {
        tracing::warn!("the key file has no passphrase: whoever reads the data folder reads everything in it");
    }
    application.record(Action::ServerStart, Outcome::Success, concat!("version ", env!("CARGO_PKG_VERSION")))?;
    if let Some(demo) = &mut demo
        && demo.fill(&application, &mut || signals.come())? == Filled::Told
    {
        tracing::info!("stopped while the demo clinic was made; the next start goes on");
        application.close();
        return Ok(());
    }
    let application = Arc::new(application);
    let operations: Arc<dyn Operations> = application.clone();
    let admin = AdminSocket::open(&config.data_dir, operations);
    let admin = admin.map_err(|error| failure("the admin socket cannot be opened", &error))?;
    let doors = Doors { listener, metrics_listener };
    let served = runtime.block_on(serve_until(signals, config, demo.as_ref(), &application, live, doors));
    admin.close();
    if let Err(error) = application.record(Action::ServerStop, Outcome::Success, "") {
        tracing::error!(error = error.message, "the stop is not in the audit log");
    }
    // Requests that were cut off may still hold the application; they go with the runtime.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match Arc::try_unwrap(application) {
        Ok(application) => application.close(),
        Err(_) => tracing::warn!("something still used the store when the server stopped"),
    }
    served
}

async fn listen(setting: &str, address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::new(format!("{setting}: cannot listen on {address}: {error}")))
}

async fn serve_until(
    mut signals: Signals,
    config: &Config,
    demo: Option<&Demo>,
    application: &Arc<Application>,
    live: Live,
    doors: Doors,
) -> Result<(), Failure> {
    let Doors { listener, metrics_listener } = doors;
    let address = |listener: &TcpListener| listener.local_addr().map_err(|error| failure("no address", &error));
    let (base, metrics) = (address(&listener)?, address(&metrics_listener)?);
    let handle = iris_http::metrics::install().map_err(|error| failure("metrics cannot be kept", &error))?;
    let settings = Arc::clone(&live.settings);
    let app = app(application, config, base, live);
    app.take_over_settings().await;
    if let Some(MailRoute::Folder(folder)) = &config.messages.mail {
        tracing::warn!(folder = %folder.display(), "mails are kept as files in a folder, and sent to nobody");
    }
    announce(base, metrics, demo.map(|demo| demo.table(&config.base_url(base))))?;
    let (stop, stopped) = watch::channel(false);
    let drain = |mut stopped: watch::Receiver<bool>| async move {
        // An error means that the sender is gone, which is a reason to stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    let gauges = Arc::clone(&app);
    let refresh = move || gauges.gauges();
    let metrics = tokio::spawn(iris_http::metrics::serve(metrics_listener, handle, refresh, drain(stopped.clone())));
    let api = tokio::spawn(iris_http::serve(listener, iris_http::router(&app), drain(stopped)));
    let following = tokio::spawn(app.follow_settings());
    let keys = tokio::spawn(Arc::clone(&application.identity).keep_keys());
    let messages = tokio::spawn(application.identity.messages_follow());
    let sweeping = tokio::spawn(application.identity.sweep_follow());
    let signal = signals.next().await;
    settings.drain();
    tracing::info!(signal, seconds = config.drain_delay.as_secs(), "draining: not ready any more, still serving");
    // What stands in front of this node needs some time to notice. A second signal means that nobody wants to wait for it.
    let _ = tokio::time::timeout(config.drain_delay, signals.next()).await;
    let _ = stop.send(true);
    let drained = api.await.map_err(|error| failure("the listener failed", &error))?;
    following.abort();
    keys.abort();
    // A message that is cut short is sent again: by another node, or at the next start.
    messages.abort();
    sweeping.abort();
    metrics.abort();
    match drained {
        Drained::Fully => tracing::info!("drained"),
        Drained::Cut => tracing::warn!("requests were cut off, because draining took too long"),
    }
    Ok(())
}

/// Where callers come in.
struct Doors {
    listener: TcpListener,
    metrics_listener: TcpListener,
}

/// How the server is watched.
pub(crate) struct Watch {
    /// How much is logged.
    pub(crate) level: LevelSwitch,
    /// Who collects traces.
    pub(crate) traces: Option<Arc<dyn Traces>>,
}

/// What handlers get besides the application.
struct Live {
    settings: Arc<Settings>,
    traces: Option<Arc<dyn Traces>>,
}

/// What can be changed while the server runs, as the configuration has it at the start.
fn live_settings(config: &Config, level: LevelSwitch) -> Result<Arc<Settings>, Failure> {
    let sink = move |word: &str| {
        if let Ok(wanted) = word.parse::<LogLevel>() {
            level.set(wanted);
        }
    };
    let settings = Settings::new(config.live(), Box::new(sink));
    settings.map_err(|faults| Failure::with_faults("the settings do not go together", &faults))
}

/// What the handlers work with.
fn app(application: &Application, config: &Config, bound: SocketAddr, live: Live) -> Arc<App> {
    App::new(Parts {
        records: application.records.clone(),
        identity: Arc::clone(&application.identity),
        audit: Arc::clone(&application.audit),
        index: Arc::clone(&application.index),
        store: application.store.clone(),
        vaccines: Arc::clone(&application.vaccines),
        clock: Arc::clone(&application.clock),
        entropy: Arc::clone(&application.entropy),
        base_url: config.base_url(bound).into(),
        behind_proxy: config.behind_proxy,
        version: env!("CARGO_PKG_VERSION"),
        settings: live.settings,
        traces: live.traces,
    })
}

/// Says where it listens, for people and for scripts that asked for a free port.
fn announce(base: SocketAddr, metrics: SocketAddr, demo: Option<Zeroizing<String>>) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on http://{base}")
        .and_then(|()| writeln!(out, "metrics on http://{metrics}"))
        .and_then(|()| demo.map_or(Ok(()), |table| out.write_all(table.as_bytes())))
        .and_then(|()| out.flush())
        .map_err(|error| failure("standard output cannot be written", &error))
}
