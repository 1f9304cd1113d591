//! The proxy of faults does what it is told, and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use iris_testkit::{Direction, FaultProxy};

/// A server that sends back what it gets, and a proxy to it.
fn echo() -> FaultProxy {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            std::thread::spawn(move || {
                let mut reader = connection.try_clone().unwrap();
                // Ends when either side is cut.
                drop(std::io::copy(&mut reader, &mut connection));
            });
        }
    });
    FaultProxy::to(port)
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let connection = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    connection
}

fn talk(connection: &mut TcpStream, text: &[u8]) -> std::io::Result<Vec<u8>> {
    connection.write_all(text)?;
    let mut answer = vec![0; text.len()];
    connection.read_exact(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_cut_ends_what_is_there_and_a_new_connection_works() {
    let proxy = echo();
    let (mut one, mut two) = (connect(&proxy), connect(&proxy));
    assert_eq!(talk(&mut one, b"one").unwrap(), b"one");
    assert_eq!(talk(&mut two, b"two").unwrap(), b"two");
    proxy.cut();
    assert!(talk(&mut one, b"more").is_err() && talk(&mut two, b"more").is_err());
    assert_eq!(talk(&mut connect(&proxy), b"again").unwrap(), b"again");
    assert_eq!(proxy.accepted(), 3);
}

#[test]
fn new_connections_are_refused_until_it_is_healed() {
    let proxy = echo();
    let mut before = connect(&proxy);
    assert_eq!(talk(&mut before, b"before").unwrap(), b"before");
    proxy.refuse();
    assert!(talk(&mut connect(&proxy), b"new").is_err());
    assert_eq!(talk(&mut before, b"still").unwrap(), b"still");
    proxy.heal();
    assert_eq!(talk(&mut connect(&proxy), b"new").unwrap(), b"new");
}

#[test]
fn a_stalled_connection_goes_on_where_it_was() {
    let proxy = echo();
    let mut connection = connect(&proxy);
    assert_eq!(talk(&mut connection, b"before").unwrap(), b"before");
    proxy.stall();
    connection.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let waited = talk(&mut connection, b"during").unwrap_err().kind();
    assert!(matches!(waited, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{waited}");
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    proxy.heal();
    let mut answer = [0; 6];
    connection.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"during");
}

#[test]
fn exactly_so_many_bytes_pass_before_the_cut() {
    for direction in [Direction::ToServer, Direction::ToClient] {
        let proxy = echo();
        let mut connection = connect(&proxy);
        proxy.cut_after(direction, 10);
        assert_eq!(talk(&mut connection, b"12345").unwrap(), b"12345");
        connection.write_all(b"67890abc").unwrap();
        let mut rest = Vec::new();
        // Whether the end comes as an end or as a reset depends on what was on its way.
        drop(connection.read_to_end(&mut rest));
        assert!(b"67890".starts_with(&rest[..]), "{rest:?}");
        if direction == Direction::ToClient {
            assert_eq!(rest, b"67890");
        }
        assert_eq!(talk(&mut connect(&proxy), b"a long word, once it is over").unwrap().len(), 28);
    }
}
