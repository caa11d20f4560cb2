//! Finding servers by DNS and by HTTPS, and what is done with what was found.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use kith_agent::connect::Dialer;
use kith_agent::discovery::{Finder, Found, Proposal, Source};
use kith_agent::{Auth, Endpoint, Roots, TlsMode};
use kith_testbed::{Certificate, Config, Server};
use simple_dns::rdata::{RData, SRV};
use simple_dns::{CLASS, Name, Packet, PacketFlag, RCODE, ResourceRecord};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::support::{ALICE, AUTHORITY, Shell, server};

/// A record: name, priority, weight, port, target.
type Srv<'a> = (&'a str, u16, u16, u16, &'a str);

/// A name server that knows these records and nothing else. What doesn't fit a datagram it tells by
/// TCP only.
async fn name_server(records: &[Srv<'_>]) -> SocketAddr {
    let mut zone: HashMap<String, Vec<ResourceRecord<'static>>> = HashMap::new();
    for &(of, priority, weight, port, target) in records {
        let target = Name::new(target).unwrap();
        let server = RData::SRV(SRV {
            priority,
            weight,
            port,
            target,
        });
        let record = ResourceRecord::new(Name::new(of).unwrap(), CLASS::IN, 60, server);
        zone.entry(of.to_owned())
            .or_default()
            .push(record.into_owned());
    }
    let answer = move |octets: &[u8]| {
        let mut packet = Packet::parse(octets).unwrap().into_reply();
        let known = zone.get(&packet.questions[0].qname.to_string());
        match known {
            Some(known) => packet.answers.clone_from(known),
            None => *packet.rcode_mut() = RCODE::NameError,
        }
        packet.build_bytes_vec().unwrap()
    };
    // A port that is free for both.
    let (udp, tcp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = udp.local_addr().unwrap();
    let by_tcp = answer.clone();
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = tcp.accept().await.unwrap();
            let mut octets = vec![0; usize::from(tcp.read_u16().await.unwrap())];
            tcp.read_exact(&mut octets).await.unwrap();
            let answer = by_tcp(&octets);
            tcp.write_u16(u16::try_from(answer.len()).unwrap())
                .await
                .unwrap();
            tcp.write_all(&answer).await.unwrap();
        }
    });
    tokio::spawn(async move {
        let mut octets = [0; 4096];
        loop {
            let (length, from) = udp.recv_from(&mut octets).await.unwrap();
            let mut forged = Packet::parse(&octets[..length]).unwrap().into_reply();
            forged.set_id(forged.id().wrapping_add(1));
            let evil = Name::new_unchecked("evil.test");
            let evil = SRV {
                priority: 0,
                weight: 0,
                port: 1,
                target: evil,
            };
            let owner = forged.questions[0].qname.clone();
            let evil = ResourceRecord::new(owner, CLASS::IN, 60, RData::SRV(evil));
            forged.answers.push(evil);
            udp.send_to(&forged.build_bytes_vec().unwrap(), from)
                .await
                .unwrap();
            let mut answer = answer(&octets[..length]);
            if answer.len() > 512 {
                let mut cut = Packet::parse(&octets[..length]).unwrap().into_reply();
                cut.set_flags(PacketFlag::TRUNCATION);
                answer = cut.build_bytes_vec().unwrap();
            }
            udp.send_to(&answer, from).await.unwrap();
        }
    });
    address
}

/// What a web server answers to host and path, and which of them it was asked for.
struct Web {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// A web server by HTTPS, with a certificate for some names.
async fn web(names: &[&str], pages: &[(&str, &str)]) -> Web {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let config = AUTHORITY.server_config(&names, Certificate::Valid).unwrap();
    let acceptor = TlsAcceptor::from(config);
    let pages: HashMap<String, String> = pages
        .iter()
        .map(|&(url, answer)| (url.to_owned(), answer.to_owned()))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            let Ok(mut tls) = acceptor.accept(tcp).await else {
                continue;
            };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tls.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            let path = head.split(' ').nth(1).unwrap();
            let host = head.split_once("host: ").unwrap().1.lines().next().unwrap();
            let url = format!("https://{host}{path}");
            let missing = "404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned();
            let answer = pages.get(&url).unwrap_or(&missing);
            log.lock().unwrap().push(url);
            // Who gives up on a page that is too large doesn't wait for its end.
            let _ = tls.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await;
            let _ = tls.shutdown().await;
        }
    });
    Web { address, asked }
}

/// A file that names servers of a provider.
fn autoconfig(login: &str) -> String {
    let part = |tag: &str, kind: &str, host: &str, port: u16, socket: &str| {
        format!(
            "<{tag} type=\"{kind}\"><hostname>{host}</hostname><port>{port}</port>\
             <socketType>{socket}</socketType><username>%EMAILLOCALPART%</username>\
             <authentication>{login}</authentication></{tag}>"
        )
    };
    let imap = part("incomingServer", "imap", "imap.provider.test", 993, "SSL");
    let smtp = part(
        "outgoingServer",
        "smtp",
        "smtp.provider.test",
        587,
        "STARTTLS",
    );
    let text = format!(
        "<?xml version=\"1.0\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"a.test\">\
         <domain>a.test</domain>{imap}{smtp}</emailProvider></clientConfig>"
    );
    format!("200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len())
}

fn finder(names: SocketAddr, web: SocketAddr) -> Finder {
    let roots = Roots::Pem(AUTHORITY.pem().to_owned());
    let dialer = Dialer::new(&roots, std::time::Duration::from_secs(5)).unwrap();
    Finder::new(Some(names), dialer).with_web_at(web)
}

fn endpoint(host: &str, port: u16, mode: TlsMode) -> Endpoint {
    Endpoint {
        host: host.to_owned(),
        connect: None,
        port,
        mode,
    }
}

fn by_dns(name: &str, endpoint: Endpoint, vouched: bool) -> Option<Proposal> {
    Some(Proposal {
        endpoint,
        user: None,
        source: Source::Dns(name.to_owned()),
        vouched,
    })
}

fn by_web(url: &str, endpoint: Endpoint) -> Option<Proposal> {
    Some(Proposal {
        endpoint,
        user: Some("alice".to_owned()),
        source: Source::Web(url.to_owned()),
        vouched: true,
    })
}

const FILE: &str = "https://autoconfig.a.test/mail/config-v1.1.xml";
const WELL_KNOWN: &str = "https://a.test/.well-known/autoconfig/mail/config-v1.1.xml";

#[tokio::test]
async fn dns_names_the_servers_in_their_order() {
    let names = name_server(&[
        ("_imaps._tcp.a.test", 10, 0, 993, "second.a.test"),
        ("_imaps._tcp.a.test", 0, 1, 993, "seldom.a.test"),
        ("_imaps._tcp.a.test", 0, 9, 9993, "first.a.test"),
        ("_imap._tcp.a.test", 0, 0, 143, "starttls.a.test"),
        ("_submissions._tcp.a.test", 0, 0, 0, ""),
        ("_submission._tcp.a.test", 0, 0, 587, "mail.a.test"),
        ("_sieve._tcp.a.test", 0, 0, 4190, "mail.b.test"),
    ])
    .await;
    let web = web(&["autoconfig.a.test"], &[]).await;
    let finder = finder(names, web.address);
    let wanted = Found {
        mailbox: by_dns(
            "_imaps._tcp.a.test",
            endpoint("first.a.test", 9993, TlsMode::Tls),
            true,
        ),
        submission: by_dns(
            "_submission._tcp.a.test",
            endpoint("mail.a.test", 587, TlsMode::Starttls),
            true,
        ),
        other_login: false,
    };
    assert_eq!(finder.servers(ALICE, Auth::Password).await, wanted);
    assert!(web.asked.lock().unwrap().is_empty());
    let elsewhere = endpoint("mail.b.test", 4190, TlsMode::Starttls);
    let wanted = by_dns("_sieve._tcp.a.test", elsewhere, false);
    assert_eq!(finder.sieve(ALICE).await, wanted);
}

#[tokio::test]
async fn a_long_answer_comes_by_tcp() {
    let hosts: Vec<String> = (0..20)
        .map(|n| format!("mail-{n}.example.a.test"))
        .collect();
    let port = |n: usize| u16::try_from(1000 + n).unwrap();
    let records = hosts.iter().enumerate();
    let records: Vec<Srv<'_>> = records
        .map(|(n, host)| {
            (
                "_sieve._tcp.a.test",
                port(20 - n),
                0,
                port(n),
                host.as_str(),
            )
        })
        .collect();
    let names = name_server(&records).await;
    let finder = finder(names, names);
    let last = endpoint("mail-19.example.a.test", 1019, TlsMode::Starttls);
    assert_eq!(
        finder.sieve(ALICE).await,
        by_dns("_sieve._tcp.a.test", last, true)
    );
    assert_eq!(finder.sieve("bob@b.test").await, None);
}

#[tokio::test]
async fn the_web_server_of_the_domain_counts_more_than_dns_elsewhere() {
    let names = name_server(&[
        ("_imaps._tcp.a.test", 0, 0, 993, "imap.evil.test"),
        ("_submissions._tcp.a.test", 0, 0, 465, "mail.a.test"),
    ])
    .await;
    let web = web(
        &["autoconfig.a.test"],
        &[(FILE, &autoconfig("password-cleartext"))],
    )
    .await;
    let found = finder(names, web.address)
        .servers(ALICE, Auth::Password)
        .await;
    let imap = endpoint("imap.provider.test", 993, TlsMode::Tls);
    assert_eq!(found.mailbox, by_web(FILE, imap));
    let mail = endpoint("mail.a.test", 465, TlsMode::Tls);
    assert_eq!(
        found.submission,
        by_dns("_submissions._tcp.a.test", mail, true)
    );
    assert_eq!(*web.asked.lock().unwrap(), [FILE]);
}

#[tokio::test]
async fn redirections_lead_to_https_only() {
    let names = name_server(&[]).await;
    let to = |url: &str| format!("302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n");
    let hosts = ["autoconfig.a.test", "a.test", "www.a.test"];
    let file = autoconfig("plain");
    let elsewhere = "https://www.a.test/mail.xml?x=1";
    let pages = [
        (FILE, to("http://www.a.test/mail.xml?x=1")),
        (WELL_KNOWN, to("//www.a.test/mail.xml?x=1")),
        (elsewhere, file),
    ];
    let pages: Vec<(&str, &str)> = pages
        .iter()
        .map(|(url, page)| (*url, page.as_str()))
        .collect();
    let web = web(&hosts, &pages).await;
    let found = finder(names, web.address)
        .servers(ALICE, Auth::Password)
        .await;
    let smtp = endpoint("smtp.provider.test", 587, TlsMode::Starttls);
    assert_eq!(found.submission, by_web(WELL_KNOWN, smtp));
    assert_eq!(*web.asked.lock().unwrap(), [FILE, WELL_KNOWN, elsewhere]);
}

#[tokio::test]
async fn a_web_server_that_is_not_the_domains_tells_nothing() {
    let names = name_server(&[]).await;
    let pages = [
        (FILE, &*autoconfig("plain")),
        (WELL_KNOWN, &*autoconfig("plain")),
    ];
    let other = web(&["other.test"], &pages).await;
    assert_eq!(
        finder(names, other.address)
            .servers(ALICE, Auth::Password)
            .await,
        Found::default()
    );
    assert!(other.asked.lock().unwrap().is_empty());
    let large = format!("200 OK\r\n\r\n{}", " ".repeat(100_000));
    let around = format!("301 Moved\r\nLocation: {WELL_KNOWN}\r\nContent-Length: 0\r\n\r\n");
    let pages = [(FILE, large.as_str()), (WELL_KNOWN, around.as_str())];
    let own = web(&["autoconfig.a.test", "a.test"], &pages).await;
    assert_eq!(
        finder(names, own.address)
            .servers(ALICE, Auth::Password)
            .await,
        Found::default()
    );
    assert_eq!(own.asked.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn servers_other_logins_are_told() {
    let names = name_server(&[]).await;
    let web = web(&["autoconfig.a.test"], &[(FILE, &autoconfig("OAuth2"))]).await;
    let found = finder(names, web.address)
        .servers(ALICE, Auth::Password)
        .await;
    assert!(found.other_login && found.mailbox.is_none());
}

/// The arguments of a first run that names no server.
fn arguments<'a>(address: &'a str, names: &'a str) -> Vec<&'a str> {
    let rest = ["--ca", "ca.pem", "--password-file", "secret"];
    [&["init", address, "--name-server", names][..], &rest].concat()
}

/// A name server for domains whose mail servers are `localhost`.
pub(crate) async fn names_of(server: &Server) -> String {
    let ports = server.endpoints();
    let (imap, smtp) = (ports.imap_tls.port(), ports.submission_starttls.port());
    let names = name_server(&[
        ("_imaps._tcp.localhost", 0, 0, imap, "localhost"),
        ("_submission._tcp.localhost", 0, 0, smtp, "localhost"),
        ("_imaps._tcp.a.test", 0, 0, imap, "localhost"),
        ("_submission._tcp.a.test", 0, 0, smtp, "localhost"),
    ])
    .await;
    names.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_finds_the_servers() {
    let config = Config {
        domains: ["a.test", "b.test", "localhost"].map(str::to_owned).into(),
        ..Config::default()
    };
    let server = server(config).await;
    server.add_account("alice@localhost", "secret").unwrap();
    let names = names_of(&server).await;
    let alice = Shell::new("alice@localhost");
    let text = alice.run(&arguments("alice@localhost", &names));
    let imap = server.endpoints().imap_tls.port();
    let line = format!("IMAP server: localhost:{imap}, TLS (DNS, _imaps._tcp.localhost)");
    assert!(text.contains(&line), "{text}");
    assert!(text.contains("STARTTLS (DNS, _submission._tcp.localhost)"));
    assert!(alice.run(&["sync"]).contains("0 mails read"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_elsewhere_that_only_dns_names_is_not_used_unasked() {
    let server = server(Config::default()).await;
    let names = names_of(&server).await;
    let alice = Shell::new(ALICE);
    let mut arguments = arguments(ALICE, &names);
    let errors = alice.fails(3, &arguments);
    assert!(
        errors.contains("localhost:") && errors.contains("--trust-dns"),
        "{errors}"
    );
    assert!(!alice.path("home").exists());
    let said = server.wire_log().render();
    assert!(said.is_empty(), "{said}");
    arguments.extend(["--trust-dns", "--json"]);
    let text: serde_json::Value = serde_json::from_str(&alice.run(&arguments)).unwrap();
    assert_eq!(text["servers"]["mailbox"]["host"], "localhost");
    assert_eq!(text["servers"]["submission"]["mode"], "starttls");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_goes_to_a_server_that_was_found_but_is_another() {
    let server = server(Config::default()).await;
    server
        .set_certificate(&AUTHORITY, Certificate::WrongName)
        .unwrap();
    let names = names_of(&server).await;
    let alice = Shell::new("alice@localhost");
    let errors = alice.fails(5, &arguments("alice@localhost", &names));
    assert!(errors.contains("stands for another name"), "{errors}");
    let said = server.wire_log().render();
    assert!(!said.contains("AUTH") && !said.contains("LOGIN"), "{said}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_program_can_hold_the_password() {
    let server = server(Config::default()).await;
    let alice = Shell::new(ALICE);
    let mut arguments = alice.init(&server);
    arguments.truncate(arguments.len() - 2);
    arguments.push("--password-command".to_owned());
    let with = |command: &str| {
        let mut arguments = arguments.clone();
        arguments.push(command.to_owned());
        arguments
    };
    let run = |arguments: Vec<String>, status: i32| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        alice.fails(status, &arguments)
    };
    assert!(run(with("false"), 6).contains("gave no password"));
    assert!(run(with("true"), 6).contains("it prints nothing"));
    assert!(run(with("no-such-program"), 6).contains("no-such-program"));
    assert!(run(with("echo 'wrong"), 2).contains("quotation mark"));
    assert!(run(with("echo wrong"), 5).contains("password"));
    let works = with("head -n 1 secret");
    alice.run(&works.iter().map(String::as_str).collect::<Vec<_>>());
    let config = std::fs::read_to_string(alice.path("home/config.toml")).unwrap();
    let line = r#"password_command = ["head", "-n", "1", "secret"]"#;
    assert!(config.contains(line), "{config}");
    assert!(!alice.path("home/password").exists());
    alice.run(&["sync"]);
    assert!(
        alice
            .run(&["doctor"])
            .contains("password command: head -n 1 secret")
    );
    let both = config.replace(line, &format!("{line}\npassword_file = \"password\""));
    std::fs::write(alice.path("home/config.toml"), both).unwrap();
    assert!(alice.fails(6, &["sync"]).contains("either password_file"));
}
