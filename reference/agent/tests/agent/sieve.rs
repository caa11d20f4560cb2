//! Installing the filter script, on a small ManageSieve server (RFC 5804).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use kith_testbed::{Certificate, Config, Server};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{ALICE, AUTHORITY, Shell, server};

/// What stands on the server, and what was said to it.
#[derive(Default)]
struct World {
    scripts: BTreeMap<String, String>,
    active: String,
    said: Vec<String>,
    without_tls: bool,
    full: bool,
    /// Whether one logs in by XOAUTH2 only.
    token: bool,
}

struct Filter {
    world: Arc<Mutex<World>>,
    at: String,
}

const OFFERS: &str = "\"IMPLEMENTATION\" \"test\"\r\n\"SIEVE\" \"fileinto mailbox\"\r\n";

async fn filter(certificate: Certificate) -> Filter {
    let names = ["localhost".to_owned()];
    let acceptor = TlsAcceptor::from(AUTHORITY.server_config(&names, certificate).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("localhost:{}", listener.local_addr().unwrap().port());
    let world = Arc::new(Mutex::new(World::default()));
    let shared = Arc::clone(&world);
    tokio::spawn(async move {
        loop {
            let (tcp, _) = listener.accept().await.unwrap();
            tokio::spawn(session(tcp, acceptor.clone(), Arc::clone(&shared)));
        }
    });
    Filter { world, at }
}

async fn read_line(from: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(from.read_u8().await.ok()?);
    }
    Some(String::from_utf8(line).unwrap().trim_end().to_owned())
}

async fn session(mut tcp: TcpStream, acceptor: TlsAcceptor, world: Arc<Mutex<World>>) {
    let without = world.lock().unwrap().without_tls;
    let starttls = if without { "" } else { "\"STARTTLS\"\r\n" };
    let plain = "\"SIEVE\" \"fileinto\"\r\n\"SASL\" \"\"\r\n";
    let greeting = format!("{plain}{starttls}OK \"hello\"\r\n");
    tcp.write_all(greeting.as_bytes()).await.unwrap();
    let Some(line) = read_line(&mut tcp).await else {
        return;
    };
    world.lock().unwrap().said.push(line);
    tcp.write_all(b"OK\r\n").await.unwrap();
    let Ok(mut tls) = acceptor.accept(tcp).await else {
        return;
    };
    let token = world.lock().unwrap().token;
    let mechanism = if token { "XOAUTH2" } else { "PLAIN" };
    let greeting = format!("{OFFERS}\"SASL\" \"{mechanism}\"\r\nOK\r\n");
    tls.write_all(greeting.as_bytes()).await.unwrap();
    while let Some(line) = read_line(&mut tls).await {
        let mut body = String::new();
        if let Some((_, length)) = line.rsplit_once('{') {
            let mut octets = vec![0; length.trim_end_matches("+}").parse().unwrap()];
            tls.read_exact(&mut octets).await.unwrap();
            assert_eq!(read_line(&mut tls).await.unwrap(), "");
            body = String::from_utf8(octets).unwrap();
        }
        let answer = world.lock().unwrap().answer(&line, body);
        tls.write_all(answer.as_bytes()).await.unwrap();
    }
}

impl World {
    fn answer(&mut self, line: &str, body: String) -> String {
        self.said.push(line.to_owned());
        let words: Vec<&str> = line.split(' ').collect();
        let name = words.get(1).map(|name| name.trim_matches('"').to_owned());
        let name = name.unwrap_or_default();
        match words[0] {
            // "alice@a.test" and "secret".
            "AUTHENTICATE" if words[2] == "\"AGFsaWNlQGEudGVzdABzZWNyZXQ=\"" => {}
            "AUTHENTICATE"
                if words[2] == "\"dXNlcj1hbGljZUBhLnRlc3QBYXV0aD1CZWFyZXIgc2VjcmV0AQE=\"" => {}
            // Who has another token must answer a challenge.
            "AUTHENTICATE" if words[1] == "\"XOAUTH2\"" => {
                return "\"eyJzdGF0dXMiOiI0MDEifQ==\"\r\n".to_owned();
            }
            "\"\"" => return "NO \"too old\"\r\n".to_owned(),
            "AUTHENTICATE" => return "NO \"who?\"\r\n".to_owned(),
            "LISTSCRIPTS" => {
                let line = |name: &String| {
                    let active = if *name == self.active { " ACTIVE" } else { "" };
                    format!("\"{name}\"{active}\r\n")
                };
                let lines: String = self.scripts.keys().map(line).collect();
                return format!("{lines}OK\r\n");
            }
            "GETSCRIPT" => {
                let script = &self.scripts[&name];
                return format!("{{{}}}\r\n{script}\r\nOK\r\n", script.len());
            }
            "HAVESPACE" if self.full => return "NO (QUOTA) \"no room\"\r\n".to_owned(),
            "PUTSCRIPT" => {
                self.scripts.insert(name, body);
            }
            "SETACTIVE" => self.active = name,
            "DELETESCRIPT" => {
                assert_ne!(self.active, name);
                self.scripts.remove(&name);
            }
            _ => {}
        }
        "OK\r\n".to_owned()
    }
}

async fn alice() -> (Server, Shell) {
    let server = server(Config::default()).await;
    let alice = Shell::set_up(ALICE, &server);
    (server, alice)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_is_installed_and_taken_away() {
    let (_server, alice) = alice().await;
    let filter = filter(Certificate::Valid).await;
    let install = ["mailbox", "sieve", "--install", "--server", &filter.at];
    assert!(alice.run(&install).contains("is active on"));
    {
        let world = filter.world.lock().unwrap();
        assert_eq!(world.active, "kith");
        let script = alice.run(&["mailbox", "sieve"]);
        assert_eq!(world.scripts["kith"], script);
        assert!(world.said[0] == "STARTTLS" && world.said[1].starts_with("AUTHENTICATE"));
        assert_eq!(world.said.last().unwrap(), "LOGOUT");
    }
    assert!(
        alice
            .run(&["mailbox", "sieve", "--install"])
            .contains("already")
    );
    alice.run(&["mailbox", "restore", "--yes"]);
    {
        let world = filter.world.lock().unwrap();
        assert!(world.scripts.is_empty() && world.active.is_empty());
    }
    let remove = [
        "mailbox", "sieve", "--remove", "--server", &filter.at, "--json",
    ];
    assert_eq!(alice.run(&remove).trim(), "{\"removed\":false}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_is_taken_too() {
    let (_server, alice) = alice().await;
    let filter = filter(Certificate::Valid).await;
    filter.world.lock().unwrap().token = true;
    let install = ["mailbox", "sieve", "--install", "--server", &filter.at];
    assert!(alice.fails(5, &install).contains("auth = \"oauth2\""));
    let config = std::fs::read_to_string(alice.path("home/config.toml")).unwrap();
    let config = format!("auth = \"oauth2\"\n{config}");
    std::fs::write(alice.path("home/config.toml"), config).unwrap();
    assert!(alice.run(&install).contains("is active on"));
    std::fs::write(alice.path("secret"), "old\n").unwrap();
    let errors = alice.fails(5, &install);
    assert!(
        errors.contains("(too old)") && errors.contains("access token"),
        "{errors}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_the_person_is_left_as_it_is() {
    let (_server, alice) = alice().await;
    let filter = filter(Certificate::Valid).await;
    let install = ["mailbox", "sieve", "--install", "--server", &filter.at];
    let scripts = [("mine", "keep;"), ("kith", "discard;")];
    for (name, script) in scripts {
        {
            let mut world = filter.world.lock().unwrap();
            world.active = name.to_owned();
            world.scripts = BTreeMap::from([(name.to_owned(), script.to_owned())]);
        }
        assert!(alice.fails(3, &install).contains("nothing was changed"));
        alice.run(&["mailbox", "sieve", "--remove", "--server", &filter.at]);
        let world = filter.world.lock().unwrap();
        assert_eq!(world.active, name);
        assert_eq!(world.scripts[name], script);
    }
    let mut world = filter.world.lock().unwrap();
    world.scripts.clear();
    world.active.clear();
    world.full = true;
    drop(world);
    assert!(alice.fails(3, &install).contains("no room"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_server_needs_tls_that_is_its_own() {
    let (_server, alice) = alice().await;
    let wrong = filter(Certificate::WrongName).await;
    let install = ["mailbox", "sieve", "--install", "--server", &wrong.at];
    assert!(alice.fails(5, &install).contains("stands for another name"));
    assert_eq!(wrong.world.lock().unwrap().said, ["STARTTLS"]);
    let plain = filter(Certificate::Valid).await;
    plain.world.lock().unwrap().without_tls = true;
    let install = ["mailbox", "sieve", "--install", "--server", &plain.at];
    assert!(alice.fails(5, &install).contains("offers no TLS"));
    assert!(plain.world.lock().unwrap().said.is_empty());
}
