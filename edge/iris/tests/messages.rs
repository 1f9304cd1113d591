//! The real binary with a real mail server and a real webhook beside it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is not as it must be")]

use std::path::Path;

use iris_testkit::wait::until;
use iris_testkit::{MailSink, Manner, Server, TextSink};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_iris");
const PASSWORD: &str = "correct horse battery staple";
const NEW_PASSWORD: &str = "a lamp under the willow tree";

fn post(server: &Server, path: &str, token: &str, body: &Value) -> (u16, Value) {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("content-type", "application/json")];
    if !token.is_empty() {
        headers.push(("authorization", authorization.as_str()));
    }
    let answer = server.send("POST", path, &headers, Some(body.to_string().as_bytes()));
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or(Value::Null))
}

fn login(server: &Server, name: &str, password: &str) -> (u16, String) {
    let (status, body) = post(server, "/api/v1/auth/login", "", &json!({"username": name, "password": password}));
    (status, body["access_token"].as_str().unwrap_or_default().to_owned())
}

fn administrator(folder: &Path) {
    let mut create = Server::command(BINARY, folder, &[("IRIS_USER_PASSWORD", PASSWORD)]);
    let output = create.args(["user", "create", "--name", "root", "--role", "admin"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn somebody_is_invited_by_mail_and_a_mail_that_was_asked_for_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let sink = MailSink::start();
    let url = format!("smtp://iris:word@127.0.0.1:{}", sink.port());
    let environment = [
        ("IRIS_SMTP_URL", url.as_str()),
        ("IRIS_MAIL_FROM", "IRIS <iris@clinic.example>"),
        ("IRIS_PUBLIC_URL", "https://clinic.example"),
    ];
    administrator(folder.path());
    let mut server = Server::start(BINARY, folder.path(), &environment);
    let (_, root) = login(&server, "root", PASSWORD);
    let account = json!({"username": "nora", "roles": ["nurse"], "email": "nora@clinic.example"});
    let (status, made) = post(&server, "/api/v1/admin/users", &root, &account);
    assert_eq!(status, 201, "{made}");
    let invitation = sink.mail(0);
    assert_eq!(invitation.to, ["nora@clinic.example"]);
    assert!(invitation.body().contains("https://clinic.example/app/invitation#token="), "{}", invitation.text);
    let set = json!({"token": invitation.token(), "new_password": PASSWORD});
    assert_eq!(post(&server, "/api/v1/auth/verify-reset", "", &set).0, 204);
    assert_eq!(login(&server, "nora", PASSWORD).0, 200);

    // The mail server has no time, and then the machine dies.
    sink.behave(Manner::Later);
    let asked = post(&server, "/api/v1/auth/reset-password", "", &json!({"email": "nora@clinic.example"}));
    assert_eq!(asked, (202, json!({"accepted": true})));
    server.kill();
    sink.behave(Manner::Takes);
    let server = Server::start(BINARY, folder.path(), &environment);
    let set = json!({"token": sink.mail(1).token(), "new_password": NEW_PASSWORD});
    assert_eq!(post(&server, "/api/v1/auth/verify-reset", "", &set).0, 204);
    assert_eq!((login(&server, "nora", PASSWORD).0, login(&server, "nora", NEW_PASSWORD).0), (401, 200));
    assert_eq!(post(&server, "/api/v1/auth/verify-reset", "", &set).0, 422);
}

#[test]
fn a_patient_gets_a_code_by_text_message() {
    let folder = tempfile::tempdir().unwrap();
    let sink = TextSink::start();
    let url = format!("http://127.0.0.1:{}/send", sink.port());
    administrator(folder.path());
    let server = Server::start(BINARY, folder.path(), &[("IRIS_SMS_URL", &url), ("IRIS_SMS_TOKEN", "t0ken")]);
    let (_, root) = login(&server, "root", PASSWORD);
    let patient =
        json!({"first_name": "Jane", "last_name": "Doe", "date_of_birth": "1985-05-15", "phone": "(202) 555-0143"});
    let (status, made) = post(&server, "/api/v1/patients", &root, &patient);
    assert_eq!(status, 201, "{made}");
    let mut who = json!({"patient_id": made["id"], "date_of_birth": "1985-05-15"});
    assert_eq!(post(&server, "/api/v1/auth/patient-login", "", &who).0, 202);
    let text = until(30, "the text message", || sink.posted().into_iter().next());
    assert_eq!((&text.body["to"], text.header("authorization")), (&json!("+12025550143"), "Bearer t0ken"));
    let code = text.body["text"].as_str().unwrap().split(' ').next().unwrap().to_owned();
    who["verification_code"] = json!(code);
    let (status, tokens) = post(&server, "/api/v1/auth/patient-login", "", &who);
    assert_eq!((status, &tokens["passkey_offer"]), (200, &json!(true)), "{tokens}");
}

#[test]
fn mails_of_a_laptop_lie_in_a_folder_and_its_invitations_are_refused_without_one() {
    let base = tempfile::tempdir().unwrap();
    let (folder, mails) = (base.path().join("data"), base.path().join("mails"));
    administrator(&folder);
    let account = json!({"username": "nora", "roles": ["nurse"], "email": "nora@clinic.example"});
    {
        let server = Server::start(BINARY, &folder, &[]);
        let (_, root) = login(&server, "root", PASSWORD);
        let (status, refused) = post(&server, "/api/v1/admin/users", &root, &account);
        assert_eq!((status, &refused["error_type"]), (503, &json!("mail_not_configured")), "{refused}");
    }
    let server = Server::start(BINARY, &folder, &[("IRIS_MAIL_FOLDER", mails.to_str().unwrap())]);
    let (_, root) = login(&server, "root", PASSWORD);
    assert_eq!(post(&server, "/api/v1/admin/users", &root, &account).0, 201);
    let path = until(30, "the mail", || {
        let found = std::fs::read_dir(&mails).ok()?.flatten().map(|entry| entry.path());
        found.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "eml"))
    });
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(&format!("{}/app/invitation#token=", server.base)), "{text}");
}
