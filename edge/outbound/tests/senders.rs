//! The senders against real servers on loopback.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use iris_identity::messages::{Mail, Mailer as _, SendError, Text, Texter as _};
use iris_kernel::{Secret, Timestamp};
use iris_outbound::{MailFolder, Security, Sender, SmsConfig, SmsWebhook, SmtpConfig, SmtpMailer};
use iris_testkit::{MailSink, Manner, SinkTls, TextSink};
use uuid::Uuid;

fn mail(text: &str) -> Mail {
    Mail {
        id: Uuid::from_u128(7),
        at: Timestamp(1_800_000_000_000_000),
        to: "ann@example.org".parse().unwrap(),
        subject: "Contraseña nueva",
        text: Secret::new(text.to_owned()),
    }
}

fn config(sink: &MailSink, security: Security) -> SmtpConfig {
    SmtpConfig {
        host: "localhost".to_owned(),
        port: sink.port(),
        security,
        login: Some(("iris".to_owned(), Secret::new("pass".to_owned()))),
        authorities: sink.authority().map(str::to_owned),
        from: Sender::read("IRIS <iris@clinic.example>").unwrap(),
    }
}

#[tokio::test]
async fn a_mail_arrives_in_clear_on_this_machine_and_over_tls_elsewhere() {
    let cases =
        [(SinkTls::Off, Security::Off), (SinkTls::StartTls, Security::StartTls), (SinkTls::Wrapped, Security::Wrapped)];
    for (speaks, security) in cases {
        let sink = MailSink::speaking(speaks);
        let mailer = SmtpMailer::new(config(&sink, security)).unwrap();
        mailer.send(&mail("Línea\nhttps://clinic.example/app/reset#token=imt1_abc\n")).await.unwrap();
        let came = sink.mail(0);
        assert_eq!(
            (came.from.as_str(), came.to.as_slice()),
            ("iris@clinic.example", &["ann@example.org".to_owned()][..])
        );
        assert_eq!(came.tls, speaks != SinkTls::Off);
        assert!(came.body().contains("Línea"), "{}", came.text);
        assert_eq!(came.token(), "imt1_abc");
    }
}

#[tokio::test]
async fn attack_stripped_starttls_nothing_is_sent_in_clear() {
    let sink = MailSink::start();
    let mailer = SmtpMailer::new(config(&sink, Security::StartTls)).unwrap();
    assert!(matches!(mailer.send(&mail("secret")).await, Err(SendError::Later(_))));
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn attack_man_in_the_middle_a_certificate_of_nobody_we_know_is_refused() {
    for (speaks, security) in [(SinkTls::StartTls, Security::StartTls), (SinkTls::Wrapped, Security::Wrapped)] {
        let (sink, stranger) = (MailSink::speaking(speaks), MailSink::speaking(speaks));
        let authorities = stranger.authority().map(str::to_owned);
        let mailer = SmtpMailer::new(SmtpConfig { authorities, ..config(&sink, security) }).unwrap();
        assert!(matches!(mailer.send(&mail("secret")).await, Err(SendError::Later(_))));
        // A name that the certificate does not have.
        let mailer = SmtpMailer::new(SmtpConfig { host: "127.0.0.2".to_owned(), ..config(&sink, security) }).unwrap();
        assert!(matches!(mailer.send(&mail("secret")).await, Err(SendError::Later(_))));
        assert!(sink.mails().is_empty());
    }
}

#[tokio::test]
async fn what_a_server_says_decides_whether_it_is_tried_again_and_no_address_is_repeated() {
    let sink = MailSink::start();
    let mailer = SmtpMailer::new(config(&sink, Security::Off)).unwrap();
    sink.behave(Manner::Later);
    let later = mailer.send(&mail("x")).await.unwrap_err();
    assert_eq!(later, SendError::Later("the mail server answered 451".to_owned()));
    sink.behave(Manner::Never);
    let never = mailer.send(&mail("x")).await.unwrap_err();
    assert_eq!(never, SendError::Never("the mail server answered 550".to_owned()));
    sink.behave(Manner::Takes);
    mailer.send(&mail("x")).await.unwrap();
    let nowhere = SmtpMailer::new(SmtpConfig { port: 1, ..config(&sink, Security::Off) }).unwrap();
    assert!(matches!(nowhere.send(&mail("x")).await, Err(SendError::Later(_))));
}

#[tokio::test]
async fn a_text_is_posted_once_and_redirects_are_not_followed() {
    let sink = TextSink::start();
    let config = SmsConfig {
        host: "127.0.0.1".to_owned(),
        port: sink.port(),
        tls: false,
        path: Secret::new("/send?key=abc".to_owned()),
        token: Some(Secret::new("t0ken".to_owned())),
        authorities: None,
    };
    let webhook = SmsWebhook::new(config.clone()).unwrap();
    let to = iris_identity::messages::PhoneNumber::read("(202) 555-0143").unwrap();
    let text = Text { id: Uuid::from_u128(9), to, text: Secret::new("12345678 is your code\n".to_owned()) };
    webhook.send(&text).await.unwrap();
    let posted = sink.posted();
    assert_eq!(posted.len(), 1);
    assert_eq!(posted[0].line, "POST /send?key=abc HTTP/1.1");
    assert_eq!(posted[0].header("authorization"), "Bearer t0ken");
    assert_eq!(
        (&posted[0].body["to"], &posted[0].body["text"]),
        (&"+12025550143".into(), &"12345678 is your code\n".into())
    );
    for (status, later) in [(302, true), (307, true), (401, true), (429, true), (500, true), (400, false), (422, false)]
    {
        sink.answer(status);
        let error = webhook.send(&text).await.unwrap_err();
        assert_eq!(matches!(error, SendError::Later(_)), later, "{status}");
        assert!(!error.to_string().contains("555"), "{error}");
    }
    let nowhere = SmsWebhook::new(SmsConfig { port: 1, ..config }).unwrap();
    assert!(matches!(nowhere.send(&text).await, Err(SendError::Later(_))));
}

#[tokio::test]
async fn a_folder_gets_whole_mails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mails");
    let mailer = MailFolder::new(&path, Sender::read("iris@clinic.example").unwrap()).unwrap();
    mailer.send(&mail("hello")).await.unwrap();
    let names: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["00000000-0000-0000-0000-000000000007.eml"]);
    assert!(std::fs::read_to_string(path.join(&names[0])).unwrap().contains("To: ann@example.org\r\n"));
}
