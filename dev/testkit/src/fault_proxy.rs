//! A connection that fails when a test wants it to: a TCP proxy on loopback.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// Forwards connections to a port of 127.0.0.1 until it is told otherwise. Every connection is cut when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: u16,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Both ends of each connection that was made and perhaps still is.
    connections: Vec<TcpStream>,
    accepted: u64,
    refusing: bool,
    stalled: bool,
    over: bool,
    /// Bytes that may still pass before everything is cut: to the server, and from it.
    left: [Option<u64>; 2],
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the server.
    ToServer,
    /// From the server to the client.
    ToClient,
}

impl FaultProxy {
    /// A proxy to that port.
    ///
    /// # Panics
    /// When there is no free port to listen on.
    #[must_use]
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let shared = Arc::new(Shared { target, state: Mutex::default(), changed: Condvar::new() });
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { continue };
                if of_listener.state().over {
                    return;
                }
                of_listener.connect(&client);
            }
        });
        Self { port, shared }
    }

    /// Where it listens on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections it has made to the server so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.state().accepted
    }

    /// Cuts every connection there is, now. New ones are made.
    pub fn cut(&self) {
        self.shared.state().cut();
    }

    /// Closes new connections as soon as they are made, until [`FaultProxy::heal`]. Those there are go on.
    pub fn refuse(&self) {
        self.shared.state().refusing = true;
    }

    /// Lets nothing pass, either way, until [`FaultProxy::heal`]; connections stay open.
    pub fn stall(&self) {
        self.shared.state().stalled = true;
    }

    /// Lets that many bytes pass in that direction, all connections together, and then cuts everything, once.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        self.shared.state().left[direction as usize] = Some(bytes);
    }

    /// Forwards again: ends refusing and stalling, and forgets a cut that has not come.
    pub fn heal(&self) {
        let mut state = self.shared.state();
        (state.refusing, state.stalled, state.left) = (false, false, [None, None]);
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.over = true;
        state.stalled = false;
        state.cut();
        drop(state);
        self.shared.changed.notify_all();
        // Wakes the listener, which sees that it is over.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl State {
    fn cut(&mut self) {
        for connection in self.connections.drain(..) {
            // It may be closed already.
            drop(connection.shutdown(Shutdown::Both));
        }
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics with the state")
    }

    fn connect(self: &Arc<Self>, client: &TcpStream) {
        if self.state().refusing {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target)) else { return };
        // A proxy that gathers bytes would add delays that no cable has.
        let delays = client.set_nodelay(true).and(server.set_nodelay(true));
        let ends = client.try_clone().and_then(|client| Ok((client, server.try_clone()?)));
        let (Ok(()), Ok((client_end, server_end))) = (delays, ends) else { return };
        let mut state = self.state();
        state.accepted += 1;
        state.connections.extend([client_end, server_end]);
        drop(state);
        for (from, to, direction) in [(client, &server, Direction::ToServer), (&server, client, Direction::ToClient)] {
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
            let shared = Arc::clone(self);
            std::thread::spawn(move || shared.forward(from, to, direction));
        }
    }

    /// Forwards one way until either end closes; then the other is closed too.
    fn forward(&self, mut from: TcpStream, mut to: TcpStream, direction: Direction) {
        let mut buffer = vec![0; 16 << 10];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let pass = self.admit(read, direction);
            if to.write_all(&buffer[..pass]).is_err() {
                break;
            }
            if pass < read {
                self.state().cut();
                break;
            }
        }
        // The other end may have closed them already.
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    }

    /// How many of the bytes may pass, once anything may.
    fn admit(&self, bytes: usize, direction: Direction) -> usize {
        let state = self.state();
        let mut state = self.changed.wait_while(state, |state| state.stalled).expect("no thread panics with the state");
        let Some(left) = state.left[direction as usize].as_mut() else { return bytes };
        let pass = usize::try_from(*left).map_or(bytes, |left| left.min(bytes));
        *left -= pass as u64;
        if pass < bytes {
            state.left[direction as usize] = None;
        }
        pass
    }
}
