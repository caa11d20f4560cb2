//! Two domains on real servers: mail crosses, authenticated and encrypted, and nothing is lost
//! or doubled by what happens to a server.
//!
//! Without a container engine these tests say so and pass; with `CI=true` they fail.

#![expect(clippy::unwrap_used, reason = "a test may fail so")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::TryStreamExt as _;
use kith_containers::{
    AGENT_DOMAIN, Confederation, Engine, MailServer, PUPPET_DOMAIN, Stack, Wanted,
};
use kith_testbed::{Described, DescribedAccount, DescribedEndpoint};
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a mail may take that nothing hinders.
const SOON: Duration = Duration::from_secs(20);

async fn confederation(stack: Stack) -> Option<Confederation> {
    let engine = match Engine::find().await {
        Ok(engine) => engine,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{error}");
            eprintln!("not tested: {error}");
            return None;
        }
    };
    let wanted = Wanted {
        stack,
        lanes: 1,
        people: 2,
    };
    let mut progress = |line: &str| eprintln!("{line}");
    Some(
        Confederation::start(&engine, wanted, &mut progress)
            .await
            .unwrap(),
    )
}

/// Loopback, with the name that the certificate stands for.
fn tls(
    described: &Described,
    endpoint: &DescribedEndpoint,
) -> (rustls::ClientConfig, ServerName<'static>) {
    let mut roots = rustls::RootCertStore::empty();
    let ca = described.ca.as_ref().unwrap();
    roots
        .add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap())
        .unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (config, endpoint.host.clone().try_into().unwrap())
}

async fn submit(
    described: &Described,
    from: &DescribedAccount,
    to: &DescribedAccount,
    token: &str,
) {
    submit_with(described, from, to, token, "").await;
}

/// Submits a mail with these header fields besides the usual ones.
async fn submit_with(
    described: &Described,
    from: &DescribedAccount,
    to: &DescribedAccount,
    token: &str,
    fields: &str,
) {
    let endpoint = &described.domain_of(from).unwrap().submission;
    let ca = Certificate::from_pem(described.ca.as_ref().unwrap().as_bytes()).unwrap();
    let parameters = TlsParameters::builder(endpoint.host.clone())
        .add_root_certificate(ca)
        .build_rustls()
        .unwrap();
    let address = endpoint.ip().unwrap().to_string();
    let credentials = Credentials::new(from.login().to_owned(), from.password.clone());
    let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address)
        .port(endpoint.port)
        .tls(Tls::Wrapper(parameters))
        .credentials(credentials)
        .build();
    let mail = format!(
        "From: {}\r\nTo: {}\r\nSubject: {token}\r\nDate: Sun, 22 Nov 2026 06:00:00 +0000\r\n\
         Message-ID: <{token}@test>\r\n{fields}\r\nHello.\r\n",
        from.address, to.address
    );
    let from = from.address.parse().unwrap();
    let envelope = Envelope::new(Some(from), vec![to.address.parse().unwrap()]).unwrap();
    transport
        .send_raw(&envelope, mail.as_bytes())
        .await
        .unwrap();
}

type Imap = async_imap::Session<TlsStream<TcpStream>>;

async fn login(described: &Described, account: &DescribedAccount) -> Imap {
    let endpoint = &described.domain_of(account).unwrap().mailbox;
    let (config, name) = tls(described, endpoint);
    let stream = TcpStream::connect((endpoint.ip().unwrap(), endpoint.port))
        .await
        .unwrap();
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap();
    let mut client = async_imap::Client::new(stream);
    client.read_response().await.unwrap().unwrap();
    client
        .login(account.login(), &account.password)
        .await
        .map_err(|(error, _)| error)
        .unwrap()
}

/// The mails in an INBOX whose subject is the token.
async fn inbox(imap: &mut Imap, token: &str) -> Vec<String> {
    imap.select("INBOX").await.unwrap();
    selected(imap, token).await
}

/// The mails in the folder that is open whose subject is the token.
async fn selected(imap: &mut Imap, token: &str) -> Vec<String> {
    let found = imap.uid_search(format!("SUBJECT {token}")).await.unwrap();
    let mut mails = Vec::new();
    for uid in found {
        let fetched = imap
            .uid_fetch(uid.to_string(), "BODY.PEEK[]")
            .await
            .unwrap();
        let fetched: Vec<_> = fetched.try_collect().await.unwrap();
        let bodies = fetched.iter().filter_map(|fetch| fetch.body());
        mails.extend(bodies.map(|body| String::from_utf8_lossy(body).into_owned()));
    }
    mails
}

/// Waits for the mail with this token, and returns it and how long that took.
async fn arrival(described: &Described, to: &DescribedAccount, token: &str) -> (String, Duration) {
    let mut imap = login(described, to).await;
    let began = Instant::now();
    loop {
        let mails = inbox(&mut imap, token).await;
        assert!(mails.len() <= 1, "doubled: {mails:?}");
        if let Some(mail) = mails.into_iter().next() {
            return (mail, began.elapsed());
        }
        assert!(began.elapsed() < SOON, "the mail {token} did not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Both queues are empty and the mail is there once.
async fn settled(
    confederation: &Confederation,
    described: &Described,
    to: &DescribedAccount,
    token: &str,
) {
    let began = Instant::now();
    for server in confederation.servers() {
        while server.queued().await.unwrap() > 0 {
            assert!(began.elapsed() < SOON, "{} still has mail", server.domain());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let mut imap = login(described, to).await;
    assert_eq!(inbox(&mut imap, token).await.len(), 1, "{token}");
}

/// What chapter "The mailbox" of the specification has for servers that filter.
const SIEVE: &str = "require [\"fileinto\", \"mailbox\"];\r\n\
    if header :is \"Kith-Version\" \"1.0\" { fileinto :create \"Kith\"; stop; }\r\n";

/// Says something in ManageSieve (RFC 5804) and waits for OK.
async fn manage(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), said: &str) {
    stream.write_all(said.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(
            !line.starts_with("NO") && !line.starts_with("BYE"),
            "{line}"
        );
        if line.starts_with("OK") {
            return;
        }
    }
}

/// A script that is installed by ManageSieve puts Kith mail aside.
async fn filters(
    described: &Described,
    server: &MailServer,
    account: &DescribedAccount,
    from: &DescribedAccount,
) {
    let (config, name) = tls(described, &described.domain_of(account).unwrap().mailbox);
    let mut stream = TcpStream::connect(server.sieve()).await.unwrap();
    manage(&mut stream, "").await;
    manage(&mut stream, "STARTTLS\r\n").await;
    let connector = TlsConnector::from(Arc::new(config));
    let mut stream = connector.connect(name, stream).await.unwrap();
    manage(&mut stream, "").await;
    let plain = format!("\0{}\0{}", account.login(), account.password);
    let plain = STANDARD.encode(plain);
    for step in [
        format!("AUTHENTICATE \"PLAIN\" \"{plain}\"\r\n"),
        format!("PUTSCRIPT \"kith\" {{{}+}}\r\n{SIEVE}\r\n", SIEVE.len()),
        "SETACTIVE \"kith\"\r\n".to_owned(),
    ] {
        manage(&mut stream, &step).await;
    }
    let fields = "Kith-Version: 1.0\r\n";
    submit_with(described, from, account, "tokkith", fields).await;
    let began = Instant::now();
    let mut imap = login(described, account).await;
    while !matches!(imap.select("Kith").await, Ok(there) if there.exists > 0) {
        assert!(began.elapsed() < SOON, "nothing came into the folder");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(selected(&mut imap, "tokkith").await.len(), 1);
    assert!(inbox(&mut imap, "tokkith").await.is_empty());
    submit(described, from, account, "tokother").await;
    arrival(described, account, "tokother").await;
}

/// The agent's side and one of the people.
fn both(described: &Described) -> (&DescribedAccount, &DescribedAccount) {
    (&described.accounts[0], &described.accounts[1])
}

async fn queued_while(server: &MailServer) {
    let began = Instant::now();
    while server.queued().await.unwrap() == 0 {
        assert!(
            began.elapsed() < SOON,
            "nothing waits at {}",
            server.domain()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Mail crosses both ways, and the receiver vouches for the sender's domain.
async fn crosses(stack: Stack) {
    let Some(confederation) = confederation(stack).await else {
        return;
    };
    let described = confederation.described().remove(0);
    let (agent, person) = both(&described);
    submit(&described, person, agent, "tokone").await;
    let (mail, _) = arrival(&described, agent, "tokone").await;
    let authenticated = mail.lines().any(|line| {
        line.starts_with("Authentication-Results: mail.a.test") && line.contains("dmarc=pass")
    });
    assert!(authenticated, "{mail}");
    submit(&described, agent, person, "toktwo").await;
    let (mail, _) = arrival(&described, person, "toktwo").await;
    assert!(mail.contains("dmarc=pass"), "{mail}");
    let there = confederation.server(PUPPET_DOMAIN).unwrap();
    let policy = there.policy_for(AGENT_DOMAIN).await.unwrap();
    let enforced = policy.starts_with("secure match=") && policy.contains("mail.a.test");
    assert!(enforced, "{policy}");
    let versions = confederation.versions().join(" ");
    assert!(versions.contains("mlmmj"), "{versions}");
    let list = described.list.clone().unwrap();
    let list = DescribedAccount {
        address: list.clone(),
        ..agent.clone()
    };
    submit(&described, agent, &list, "tokthree").await;
    let (mail, _) = arrival(&described, person, "tokthree").await;
    for changed in [
        "Subject: [fans-1] tokthree",
        "\nList-Id: <fans-1.lists.test>",
        "\r\n-- \r\nTo leave this list",
        // What its author's domain signed is not what came.
        "dmarc=fail",
    ] {
        assert!(mail.contains(changed), "{changed:?} in {mail}");
    }
    let mut own = login(&described, agent).await;
    assert_eq!(
        inbox(&mut own, "tokthree").await.len(),
        0,
        "not to its author"
    );
    if stack != Stack::EximCourier {
        let here = confederation.server(AGENT_DOMAIN).unwrap();
        filters(&described, here, agent, person).await;
    }
    confederation.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_crosses_between_postfix_and_dovecot() {
    crosses(Stack::PostfixDovecot).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_crosses_to_exim_and_cyrus() {
    crosses(Stack::EximCyrus).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_crosses_to_exim_and_courier() {
    crosses(Stack::EximCourier).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_a_server_that_is_cut_off_paused_full_or_putting_off() {
    let Some(confederation) = confederation(Stack::PostfixDovecot).await else {
        return;
    };
    let described = confederation.described().remove(0);
    let (agent, person) = both(&described);
    let here = confederation.server(AGENT_DOMAIN).unwrap();
    let there = confederation.server(PUPPET_DOMAIN).unwrap();
    let mut table = Vec::new();

    here.cut().await.unwrap();
    submit(&described, person, agent, "tokcut").await;
    queued_while(there).await;
    confederation.join(here).await.unwrap();
    table.push(("cut off", arrival(&described, agent, "tokcut").await.1));
    settled(&confederation, &described, agent, "tokcut").await;

    here.pause().await.unwrap();
    submit(&described, person, agent, "tokpaused").await;
    queued_while(there).await;
    here.resume().await.unwrap();
    table.push(("paused", arrival(&described, agent, "tokpaused").await.1));
    settled(&confederation, &described, agent, "tokpaused").await;

    here.quota(&agent.address, Some(1)).await.unwrap();
    submit(&described, person, agent, "tokfull").await;
    queued_while(here).await;
    here.quota(&agent.address, None).await.unwrap();
    table.push(("full", arrival(&described, agent, "tokfull").await.1));
    settled(&confederation, &described, agent, "tokfull").await;

    here.greylist(true).await.unwrap();
    submit(&described, person, agent, "tokgrey").await;
    queued_while(there).await;
    table.push(("greylisted", arrival(&described, agent, "tokgrey").await.1));
    here.greylist(false).await.unwrap();
    settled(&confederation, &described, agent, "tokgrey").await;

    submit(&described, person, agent, "tokrestart").await;
    here.restart().await.unwrap();
    table.push((
        "restarted",
        arrival(&described, agent, "tokrestart").await.1,
    ));
    settled(&confederation, &described, agent, "tokrestart").await;

    for (what, took) in table {
        eprintln!("{what}: arrived {:.1} s after", took.as_secs_f64());
    }
    confederation.stop().await.unwrap();
}
