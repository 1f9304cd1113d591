//! SIGTERM and ctrl-c.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::command::Go;

/// The signals that end a process in order.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes the signals over. Needs a runtime.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Whether one has come; it is not waited for, and not seen again by [`Self::next`].
    pub(crate) fn come(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.terminate.poll_recv(&mut context).is_ready() || self.interrupt.poll_recv(&mut context).is_ready()
    }

    /// Waits for the next one and names it.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Whether the person at the terminal wants a command to stop.
#[derive(Clone, Default)]
pub(crate) struct Stopping(Arc<AtomicBool>);

impl Stopping {
    /// Begins to listen: the first signal asks the command to end where it can be resumed, the second ends the process.
    pub(crate) fn listen(&self, runtime: &tokio::runtime::Runtime) -> io::Result<()> {
        let mut signals = runtime.block_on(async { Signals::new() })?;
        let flag = Arc::clone(&self.0);
        runtime.spawn(async move {
            signals.next().await;
            flag.store(true, Ordering::SeqCst);
            signals.next().await;
            // What was acknowledged is on disk; the exit code is the shell's for an interrupted process.
            std::process::exit(130);
        });
        Ok(())
    }

    pub(crate) fn go(&self) -> Go {
        if self.0.load(Ordering::SeqCst) { Go::Stop } else { Go::On }
    }
}
