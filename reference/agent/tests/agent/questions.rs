//! What `kith init` asks in a terminal.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use kith_testbed::Config;

use crate::discovery::names_of;
use crate::support::{Shell, server};

const ERIN: &str = "erin@a.test";
const PASSWORD: &str = "kept-from-the-screen";

/// The program in a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: ChildStdout,
}

impl Terminal {
    fn new(shell: &Shell, arguments: &[&str]) -> Self {
        let words = [&[env!("CARGO_BIN_EXE_kith"), "--home", "home"], arguments].concat();
        let line = shlex::try_join(words).unwrap();
        // Silence for a minute ends it, and the screen with it.
        let mut child = Command::new("timeout")
            .args(["-k", "5", "60", "script", "-qec"])
            .args([&format!("exec {line}"), "/dev/null"])
            .current_dir(shell.folder.path())
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: install util-linux or bsdutils"));
        Self {
            keyboard: child.stdin.take().unwrap(),
            screen: child.stdout.take().unwrap(),
            child,
        }
    }

    /// Waits for a question and types the answer. Returns what stood on the screen before.
    fn answer(&mut self, question: &str, answer: &str) -> String {
        let seen = self.wait_for(question);
        writeln!(self.keyboard, "{answer}").unwrap();
        seen
    }

    fn wait_for(&mut self, question: &str) -> String {
        let mut seen = Vec::new();
        let mut octet = [0];
        while !String::from_utf8_lossy(&seen).contains(question) {
            let read = self.screen.read(&mut octet).unwrap();
            let told = || String::from_utf8_lossy(&seen).into_owned();
            assert_eq!(read, 1, "expected {question:?}, seen {:?}", told());
            seen.push(octet[0]);
        }
        // What is asked ends with a colon and a space; only then the terminal is ready.
        self.screen.read_exact(&mut [0, 0]).unwrap();
        String::from_utf8(seen).unwrap()
    }

    /// Types a password as slowly as people do: a terminal stops showing what is typed only after the
    /// question.
    fn conceal(&mut self, question: &str, password: &str) {
        let slowly = std::time::Duration::from_millis(500);
        self.wait_for(question);
        std::thread::sleep(slowly);
        writeln!(self.keyboard, "{password}").unwrap();
    }

    /// What is shown until the end, which must be a good one.
    fn end(mut self) -> String {
        let mut seen = String::new();
        self.screen.read_to_string(&mut seen).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {seen}");
        seen
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_run_asks_for_what_it_was_not_told() {
    let server = server(Config::default()).await;
    server.add_account(ERIN, PASSWORD).unwrap();
    let names = names_of(&server).await;
    let imap = server.endpoints().imap_tls.port();
    let erin = Shell::new(ERIN);
    let arguments = ["init", "--name-server", &names, "--ca", "ca.pem"];
    let mut terminal = Terminal::new(&erin, &arguments);
    terminal.answer("Your mail address", ERIN);
    terminal.answer("The name that others see (may be empty)", "Erin");
    // Only DNS says so, and she knows better.
    terminal.answer("Is it your provider's (yes/no)", "no");
    terminal.answer("IMAP server [imap.a.test]", "one:two:three");
    let told = terminal.answer("IMAP server [imap.a.test]", &format!("localhost:{imap}"));
    assert!(told.contains("a server is HOST, HOST:PORT"), "{told}");
    terminal.answer("Is it your provider's (yes/no)", "yes");
    terminal.conceal(&format!("Password of {ERIN}"), PASSWORD);
    let told = terminal.end();
    assert!(!told.contains(PASSWORD), "{told}");
    assert!(told.contains("kith-recovery-erin@a.test.asc"), "{told}");
    let config = std::fs::read_to_string(erin.path("home/config.toml")).unwrap();
    assert!(!config.contains(PASSWORD), "{config}");
    erin.run(&["sync"]);
    let own = erin.run(&["identity", "show"]);
    assert!(own.contains("name     Erin\n"), "{own}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_asks_for_what_it_was_not_told() {
    const NEW: &str = "erin@b.test";
    const TAGGED: &str = "erin+kith@b.test";
    let server = server(Config::default()).await;
    server.add_account(ERIN, "secret").unwrap();
    server.add_account(NEW, PASSWORD).unwrap();
    let endpoints = server.endpoints();
    let names = names_of(&server).await;
    let erin = Shell::set_up(ERIN, &server);
    let arguments = [
        "identity",
        "move",
        NEW,
        "--name-server",
        &names,
        "--ca",
        "ca.pem",
    ];
    let mut terminal = Terminal::new(&erin, &arguments);
    terminal.answer("in the mailbox that you have now (yes/no)", "no");
    let imap = format!("localhost:{}", endpoints.imap_tls.port());
    terminal.answer("IMAP server [imap.b.test]", &imap);
    let smtp = format!(
        "localhost:{}/starttls",
        endpoints.submission_starttls.port()
    );
    terminal.answer("Submission server [smtp.b.test]", &smtp);
    terminal.conceal(&format!("Password of {NEW}"), PASSWORD);
    let told = terminal.end();
    assert!(told.contains(NEW) && !told.contains(PASSWORD), "{told}");
    let kept = std::fs::read_to_string(erin.path("home/password")).unwrap();
    assert_eq!(kept.trim_end(), PASSWORD);
    assert!(erin.run(&["doctor"]).contains("logged in as erin@b.test"));
    let mut terminal = Terminal::new(&erin, &["identity", "move", TAGGED]);
    terminal.answer("in the mailbox that you have now (yes/no)", "yes");
    assert!(terminal.end().contains(TAGGED));
}
