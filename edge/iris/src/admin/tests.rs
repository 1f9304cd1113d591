use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::*;
use crate::command::{AdminCommand, Failure, Go, Operations, Progress, Report};

/// Answers some commands; `StoreVerify` runs until it is told to stop and then says so.
struct Scripted(Mutex<Sender<&'static str>>);

impl Operations for Scripted {
    fn execute(&self, command: AdminCommand, report: &mut Report<'_>) -> Result<Value, Failure> {
        let progress = Progress { done: 1, total: 2, items: 1, unit: "rows".to_owned() };
        match command {
            AdminCommand::AuditKey => Ok(json!({ "key": "abc" })),
            AdminCommand::StoreVerify => {
                while report(progress.clone()) == Go::On {
                    std::thread::yield_now();
                }
                self.0.lock().send("stopped").unwrap();
                Err(Failure::new("stopped"))
            }
            other => Err(Failure { faults: vec![other.name().to_owned()], ..Failure::new("no") }),
        }
    }
}

fn open(folder: &Path) -> (AdminSocket, Receiver<&'static str>) {
    let (sender, receiver) = channel();
    (AdminSocket::open(folder, Arc::new(Scripted(Mutex::new(sender)))).unwrap(), receiver)
}

#[test]
fn a_command_is_answered_and_the_socket_is_the_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, _said) = open(folder.path());
    let mode = std::fs::metadata(folder.path().join(SOCKET_NAME)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let done = call(folder.path(), &AdminCommand::AuditKey, &mut |_| Go::On).unwrap();
    assert_eq!(done, json!({ "key": "abc" }));
    let failed = call(folder.path(), &AdminCommand::IndexVerify, &mut |_| Go::On).unwrap_err();
    assert_eq!(failed.faults, ["index verify"]);
    socket.close();
    assert!(!folder.path().join(SOCKET_NAME).exists());
}

#[test]
fn closing_stops_what_runs_and_its_caller_hears_so() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, said) = open(folder.path());
    let (started, heard) = channel();
    let path = folder.path().to_owned();
    let caller = std::thread::spawn(move || {
        call(&path, &AdminCommand::StoreVerify, &mut |_| {
            started.send(()).ok();
            Go::On
        })
    });
    heard.recv().unwrap();
    socket.close();
    assert_eq!(said.recv().unwrap(), "stopped");
    assert_eq!(caller.join().unwrap().unwrap_err().message, "stopped");
}

#[test]
fn a_caller_who_leaves_stops_the_command() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, said) = open(folder.path());
    let left = call(folder.path(), &AdminCommand::StoreVerify, &mut |_| Go::Stop).unwrap_err();
    assert!(left.message.starts_with("stopped"));
    assert_eq!(said.recv().unwrap(), "stopped");
    socket.close();
}

#[test]
fn nonsense_is_refused_without_being_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let (socket, _said) = open(folder.path());
    let mut stream = UnixStream::connect(folder.path().join(SOCKET_NAME)).unwrap();
    stream.write_all(b"{\"command\":\"user_create\",\"password\":\"hunter2\",\"x\":1}\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("does not understand"), "{answer}");
    assert!(!answer.contains("hunter2"), "{answer}");
    socket.close();
}

#[test]
fn a_folder_with_a_long_path_has_a_socket_too() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("d".repeat(120));
    std::fs::create_dir(&deep).unwrap();
    let (socket, _said) = open(&deep);
    assert!(call(&deep, &AdminCommand::AuditKey, &mut |_| Go::On).is_ok());
    socket.close();
}

#[test]
fn without_a_server_the_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let failed = call(folder.path(), &AdminCommand::AuditKey, &mut |_| Go::On).unwrap_err();
    assert!(failed.message.contains(&folder.path().display().to_string()), "{}", failed.message);
}
