//! The server's end.

use std::fs::Permissions;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use super::{ACCEPT_PAUSE, COMMAND_BYTES_MAX, COMMAND_WAIT_MAX, COMMANDS_MAX, SOCKET_NAME, address};
use crate::command::{AdminCommand, Failure, Go, Operations, Reply};

/// A listening admin socket with the thread that serves it.
#[derive(Debug)]
pub struct AdminSocket {
    folder: PathBuf,
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl AdminSocket {
    /// Listens in `folder`. The caller holds the folder's lock, so a socket found there is a dead process's and is replaced.
    ///
    /// # Errors
    /// The socket or its thread cannot be made.
    pub fn open(folder: &Path, operations: Arc<dyn Operations>) -> io::Result<Self> {
        let path = folder.join(SOCKET_NAME);
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let (short, _open) = address(folder)?;
        let listener = UnixListener::bind(short)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let stopping = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopping);
        let thread = std::thread::Builder::new()
            .name("admin".to_owned())
            .spawn(move || accept(&listener, &operations, &flag))?;
        Ok(Self { folder: folder.to_owned(), stopping, thread })
    }

    /// Tells running commands to stop, waits for them, and removes the socket.
    pub fn close(self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.thread.thread().unpark();
        // Wakes the accept; if even that fails the listener is gone already.
        let woken = address(&self.folder).and_then(|(short, _open)| UnixStream::connect(short));
        if woken.is_ok() && self.thread.join().is_err() {
            tracing::error!("the admin socket's thread panicked");
        }
        if let Err(error) = std::fs::remove_file(self.folder.join(SOCKET_NAME)) {
            tracing::warn!(%error, "the admin socket cannot be removed");
        }
    }
}

fn accept(listener: &UnixListener, operations: &Arc<dyn Operations>, stopping: &Arc<AtomicBool>) {
    let running = Arc::new(AtomicUsize::new(0));
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for stream in listener.incoming() {
        if stopping.load(Ordering::SeqCst) {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        let stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                // Of a process without a free descriptor every accept fails at once, for the caller stays in the queue.
                tracing::warn!(%error, "the admin socket cannot accept");
                std::thread::park_timeout(ACCEPT_PAUSE);
                continue;
            }
        };
        let (operations, stopping, running) = (Arc::clone(operations), Arc::clone(stopping), Arc::clone(&running));
        let spawned = std::thread::Builder::new().name("admin-command".to_owned()).spawn(move || {
            let before = running.fetch_add(1, Ordering::SeqCst);
            if let Err(error) = converse(&stream, &*operations, &stopping, before) {
                tracing::info!(%error, "an admin connection ended early");
            }
            running.fetch_sub(1, Ordering::SeqCst);
        });
        match spawned {
            Ok(thread) => threads.push(thread),
            Err(error) => tracing::error!(%error, "no thread for an admin command"),
        }
    }
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("an admin command panicked");
        }
    }
}

/// Reads one command, carries it out, replies.
fn converse(stream: &UnixStream, operations: &dyn Operations, stopping: &AtomicBool, before: usize) -> io::Result<()> {
    let mut line = Vec::new();
    // Somebody who connects and says nothing must not keep the server from stopping.
    stream.set_read_timeout(Some(COMMAND_WAIT_MAX))?;
    BufReader::new(stream.take(COMMAND_BYTES_MAX)).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(());
    }
    let outcome = match serde_json::from_slice::<AdminCommand>(&line) {
        _ if before >= COMMANDS_MAX => Err(Failure::new(format!("{COMMANDS_MAX} commands are running already"))),
        // The message could quote the line, which can hold a password.
        Err(error) => Err(Failure::new(format!(
            "the server does not understand this command (column {}); is it of another version?",
            error.column()
        ))),
        Ok(command) => {
            tracing::info!(command = command.name(), "an admin command starts");
            operations.execute(command, &mut |progress| {
                let heard = reply(stream, &Reply::Progress(progress)).is_ok();
                if heard && !stopping.load(Ordering::SeqCst) { Go::On } else { Go::Stop }
            })
        }
    };
    let last = match outcome {
        Ok(result) => Reply::Done { result },
        Err(failure) => Reply::Failed(failure),
    };
    reply(stream, &last)
}

fn reply(mut stream: &UnixStream, reply: &Reply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    stream.write_all(&line)
}
