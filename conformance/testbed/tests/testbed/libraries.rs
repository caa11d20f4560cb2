//! The client libraries that Rust programs use: lettre and async-imap, across two domains.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use kith_testbed::{Config, Server};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::client::{AUTHORITY, connector, server};

async fn smtp(server: &Server, user: &str) -> AsyncSmtpConnection {
    let endpoints = server.endpoints();
    let stream = TcpStream::connect(endpoints.submission_starttls)
        .await
        .unwrap();
    stream.set_nodelay(true).unwrap();
    let stream: Box<dyn AsyncTokioStream> = Box::new(stream);
    let hello = ClientId::Domain("client.test".to_owned());
    let mut connection = AsyncSmtpConnection::connect_with_transport(stream, &hello)
        .await
        .unwrap();
    let root = Certificate::from_pem(AUTHORITY.pem().as_bytes()).unwrap();
    let tls = TlsParameters::builder(endpoints.server_name)
        .add_root_certificate(root)
        .build_rustls()
        .unwrap();
    connection.starttls(tls, &hello).await.unwrap();
    let credentials = Credentials::new(user.to_owned(), "secret".to_owned());
    connection
        .auth(&[Mechanism::Plain], &credentials)
        .await
        .unwrap();
    connection
}

async fn imap(server: &Server, user: &str) -> async_imap::Session<TlsStream<TcpStream>> {
    let endpoints = server.endpoints();
    let stream = TcpStream::connect(endpoints.imap_tls).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from(endpoints.server_name).unwrap();
    let stream = connector().connect(name, stream).await.unwrap();
    let mut client = async_imap::Client::new(stream);
    client.read_response().await.unwrap().unwrap();
    client
        .login(user, "secret")
        .await
        .map_err(|error| error.0)
        .unwrap()
}

fn mail(number: usize) -> Message {
    Message::builder()
        .from("Alice <alice@a.test>".parse().unwrap())
        .to("Bob <bob@b.test>".parse().unwrap())
        .subject(format!("Mail {number}"))
        .body(format!("Grüße {number}\r\n.\r\nEnde"))
        .unwrap()
}

/// The mail with the line end that lettre adds.
fn as_sent(mail: &Message) -> Vec<u8> {
    [&*mail.formatted(), b"\r\n"].concat()
}

#[tokio::test]
async fn from_one_domain_to_the_other() {
    let server = server(Config::default()).await;
    let mut smtp = smtp(&server, "alice@a.test").await;
    let mail = mail(1);
    smtp.send(mail.envelope(), &mail.formatted()).await.unwrap();
    let to: Address = "nobody@b.test".parse().unwrap();
    let from: Address = "alice@a.test".parse().unwrap();
    let envelope = lettre::address::Envelope::new(Some(from), vec![to]).unwrap();
    let refused = smtp.send(&envelope, &mail.formatted()).await.unwrap_err();
    assert!(refused.is_permanent(), "{refused}");

    let mut session = imap(&server, "bob@b.test").await;
    let inbox = session.select("INBOX").await.unwrap();
    assert_eq!((inbox.exists, inbox.uid_next), (1, Some(2)));
    let query = "(UID FLAGS ENVELOPE INTERNALDATE BODYSTRUCTURE BODY.PEEK[])";
    let fetched = session.uid_fetch("1:*", query).await.unwrap();
    let fetched: Vec<_> = fetched.try_collect().await.unwrap();
    assert_eq!(fetched.len(), 1);
    assert!(fetched[0].body().unwrap().ends_with(&as_sent(&mail)));
    let envelope = fetched[0].envelope().unwrap();
    assert_eq!(envelope.subject.as_deref(), Some(&b"Mail 1"[..]));
    assert!(fetched[0].bodystructure().is_some());
    session.create("Kith").await.unwrap();
    session.uid_mv("1", "Kith").await.unwrap();
    session.logout().await.unwrap();
    assert_eq!(server.messages("bob@b.test", "Kith").unwrap().len(), 1);
}

#[tokio::test]
async fn idle_wakes_the_library() {
    let server = server(Config::default()).await;
    let mut session = imap(&server, "bob@b.test").await;
    session.select("INBOX").await.unwrap();
    let mut idle = session.idle();
    idle.init().await.unwrap();
    let (wait, _stop) = idle.wait_with_timeout(Duration::from_secs(20));
    let sender = async {
        let mut smtp = smtp(&server, "alice@a.test").await;
        let mail = mail(1);
        smtp.send(mail.envelope(), &mail.formatted()).await.unwrap();
    };
    let (woken, ()) = tokio::join!(wait, sender);
    assert!(matches!(
        woken.unwrap(),
        async_imap::extensions::idle::IdleResponse::NewData(_)
    ));
    let mut session = idle.done().await.unwrap();
    session.logout().await.unwrap();
}

#[tokio::test]
async fn many_mails() {
    let server = server(Config::default()).await;
    let mut smtp = smtp(&server, "alice@a.test").await;
    let mails: Vec<_> = (0..1_000).map(mail).collect();
    let formatted: Vec<Arc<[u8]>> = mails.iter().map(|mail| as_sent(mail).into()).collect();
    let start = Instant::now();
    for (mail, octets) in mails.iter().zip(&formatted) {
        smtp.send(mail.envelope(), &octets[..octets.len() - 2])
            .await
            .unwrap();
    }
    let sent = start.elapsed();
    let mut session = imap(&server, "bob@b.test").await;
    session.select("INBOX").await.unwrap();
    let fetched = session.uid_fetch("1:*", "(UID BODY.PEEK[])").await.unwrap();
    let fetched: Vec<_> = fetched.try_collect().await.unwrap();
    println!(
        "1000 mails sent in {sent:?}, and fetched in {:?}",
        start.elapsed() - sent
    );
    assert_eq!(fetched.len(), 1_000);
    let submissions = server.submissions();
    assert!(
        submissions
            .iter()
            .zip(&formatted)
            .all(|(submission, octets)| submission.octets == *octets)
    );
}
