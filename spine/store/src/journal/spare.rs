//! The next segment's file, made in the background before it is needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::{Condvar, Mutex};

use super::segment::make_spare;

enum State {
    None,
    Wanted,
    Ready,
    Failed(std::io::Error),
    Stop,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The one who asks for spare files.
pub(super) struct Spare {
    shared: Arc<Shared>,
    path: PathBuf,
}

impl Spare {
    /// Starts the thread that makes them.
    pub(super) fn start(folder: &Path, size: u64) -> std::io::Result<(Self, JoinHandle<()>)> {
        let shared = Arc::new(Shared { state: Mutex::new(State::None), changed: Condvar::new() });
        let path = folder.join("spare");
        let spare = Self { shared: Arc::clone(&shared), path: path.clone() };
        let thread =
            std::thread::Builder::new().name("journal-spare".into()).spawn(move || work(&shared, &path, size))?;
        Ok((spare, thread))
    }

    /// Asks for a spare file, if none is there or on its way.
    pub(super) fn want(&self) {
        let mut state = self.shared.state.lock();
        if matches!(*state, State::None | State::Failed(_)) {
            *state = State::Wanted;
            self.shared.changed.notify_all();
        }
    }

    /// Waits for the spare file and hands out its path; the caller renames it. A failure is told once, then tried anew.
    pub(super) fn take(&self) -> std::io::Result<&Path> {
        self.want();
        let mut state = self.shared.state.lock();
        while matches!(*state, State::Wanted) {
            self.shared.changed.wait(&mut state);
        }
        match std::mem::replace(&mut *state, State::None) {
            State::Failed(error) => Err(error),
            _ => Ok(&self.path),
        }
    }
}

impl Drop for Spare {
    fn drop(&mut self) {
        *self.shared.state.lock() = State::Stop;
        self.shared.changed.notify_all();
    }
}

fn work(shared: &Shared, path: &Path, size: u64) {
    loop {
        {
            let mut state = shared.state.lock();
            loop {
                match *state {
                    State::Wanted => break,
                    State::Stop => return,
                    _ => shared.changed.wait(&mut state),
                }
            }
        }
        let made = make_spare(path, size);
        if let Err(error) = &made {
            tracing::warn!(%error, "no room could be set aside for the journal");
            // What was written of it is room that others need now.
            if let Err(error) = std::fs::remove_file(path) {
                tracing::warn!(%error, "the unfinished spare file stays");
            }
        }
        let mut state = shared.state.lock();
        if matches!(*state, State::Stop) {
            return;
        }
        *state = made.map_or_else(State::Failed, |()| State::Ready);
        shared.changed.notify_all();
    }
}
