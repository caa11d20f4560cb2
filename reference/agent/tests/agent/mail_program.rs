//! What an ordinary mail program shows: mutt with GnuPG, in a terminal of its own.

use std::process::{Command, Stdio};

use kith_testbed::Server;

use crate::support::Shell;

/// Reads every mail of a folder as mutt displays it. `keys.asc` holds the keys.
pub(crate) fn shown(shell: &Shell, server: &Server, user: &str, folder: &str) -> Vec<String> {
    import(shell);
    let count = server.messages(user, folder).unwrap().len();
    let port = server.endpoints().imap_tls.port();
    let displays = "<display-message><next-entry>".repeat(count);
    let config = format!(
        "set imap_user = '{user}'\nset imap_pass = 'secret'\n\
         set spoolfile = 'imaps://localhost:{port}/{folder}'\n\
         set ssl_force_tls = yes\nset certificate_file = './ca.pem'\nset folder = '.'\nset sort = mailbox-order\n\
         set pager = './pager'\nset prompt_after = no\nset quit = yes\nset wait_key = no\n\
         ignore *\nunignore from to subject\n\
         push '<first-entry>{displays}<exit>'\n"
    );
    std::fs::write(shell.path("muttrc"), config).unwrap();
    let pager = shell.path("pager");
    std::fs::write(&pager, "#!/bin/sh\ncp \"$1\" \"$(mktemp shown-XXXXXX)\"\n").unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&pager, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    // In the foreground of its terminal, else it is stopped when it sets the terminal's mode.
    let terminal = ["script", "-qec", "exec mutt -F muttrc", "screen"];
    run(
        shell,
        "timeout",
        &[&["-k", "5", "60"], &terminal[..]].concat(),
    );
    let files = std::fs::read_dir(shell.folder.path()).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let shown = files.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("shown-")
    });
    shown
        .map(|path| String::from_utf8(std::fs::read(path).unwrap()).unwrap())
        .collect()
}

/// After a rotation, mail to the earlier key and to the new one can be read.
#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_all_epochs_are_for_other_programs_too() {
    let server = crate::support::server(kith_testbed::Config::default()).await;
    let alice = Shell::set_up(crate::support::ALICE, &server);
    let kit = "kith-recovery-alice@a.test.asc";
    alice.run(&["identity", "rotate", kit, "--recovery", "second.asc"]);
    alice.run(&["keys", "keys.asc"]);
    import(&alice);
    let listed = run(
        &alice,
        "gpg",
        &["--batch", "--list-secret-keys", "--with-colons"],
    );
    for kind in ["sec:", "ssb:"] {
        let lines = listed.lines().filter(|line| line.starts_with(kind));
        assert_eq!(lines.count(), 2, "{listed}");
    }
    assert_eq!(listed.matches("<alice@a.test>").count(), 2, "{listed}");
}

/// Imports `keys.asc`.
fn import(shell: &Shell) {
    let home = shell.path("gnupg");
    std::fs::create_dir_all(&home).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&home, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    run(
        shell,
        "gpg",
        &["--batch", "--quiet", "--import", "keys.asc"],
    );
}

fn run(shell: &Shell, program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(shell.folder.path())
        .env("GNUPGHOME", shell.path("gnupg"))
        .env("HOME", shell.folder.path())
        .env("TERM", "xterm")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| {
            panic!("{program} can't be run ({error}); install it with `apt-get install mutt gnupg`")
        });
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
