//! Setting up: servers, password, identity, recovery kit.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as Arguments, ValueEnum};
use kith_agent::Driver;
use kith_core::agent::{NewIdentity, address};
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Strict};
use serde_json::json;

use super::config::Config;
use super::failure::Failure;
use super::output::safe;
use super::profile::write_private;
use super::provider::{Provider, Setting};
use super::{Context, now};

/// Which keys to make.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Keys {
    /// Version 4 with Curve25519, which today's mail programs can read
    V4,
    /// Version 6 (RFC 9580)
    V6,
    /// Version 6, and a post-quantum key for encryption beside the classical one
    Mixed,
    /// Post-quantum keys (RFC 9980), for friends whose programs know them
    Pq,
}

impl From<Keys> for KeyKind {
    fn from(keys: Keys) -> Self {
        match keys {
            Keys::V4 => Self::V4,
            Keys::V6 => Self::V6,
            Keys::Mixed => Self::Mixed,
            Keys::Pq => Self::Pq,
        }
    }
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Servers that you don't give are looked for: in the DNS of your domain, and on its web server, where
mail programs find them too. Nobody else is asked. A server outside your domain that only DNS names
is not used before you agree. No password goes to a server whose certificate doesn't fit its name.

Servers are given as HOST, HOST:PORT or HOST:PORT/starttls. Without port, TLS is spoken from the
first octet (IMAP 993, submission 465); at ports 143 and 587 it begins with STARTTLS.

The password is asked for and kept in a file that only you can read. With --password-file or the
environment variable KITH_PASSWORD_FILE only the path of your own file is kept, and with
--password-command the program that fetches it from a password manager or the system's keyring. It
is never taken from the command line, where others could see it.

Gmail, Outlook and others want an access token (OAuth2) where you have no app password. Then use
--auth oauth2, and as --password-command a program that prints a token which is valid now: oama,
pizauth, mutt_oauth2.py and others do, once you have allowed them in a browser to read and send your
mail, and they fetch a new token when the last one is too old. kith asks for one at every start.

Examples:
  kith init alice@example.org
  kith init alice@example.org --password-command 'pass show mail/alice'
  kith init alice@example.org --password-command 'secret-tool lookup mail alice@example.org'
  kith init alice@example.org --auth oauth2 --password-command 'oama access alice@example.org'
  kith init alice@example.org --imap mail.example.org:143 --smtp mail.example.org:587 --name Alice")]
pub(super) struct Init {
    /// Your mail address; asked for if missing
    pub(super) address: Option<String>,
    /// The name that others see
    #[arg(long)]
    pub(super) name: Option<String>,
    #[command(flatten)]
    pub(super) provider: Provider,
    /// Which keys to make
    #[arg(long, value_enum, default_value_t = Keys::V4)]
    pub(super) keys: Keys,
    /// Where to write the recovery kit [default: kith-recovery-ADDRESS.asc in this folder]
    #[arg(long, value_name = "FILE")]
    pub(super) recovery: Option<PathBuf>,
}

pub(super) async fn init(context: &Context, mut init: Init) -> Result<(), Failure> {
    let path = context.profile.config();
    if path.exists() {
        return Err(Failure::SetUp(path));
    }
    let asked = std::io::stdin().is_terminal() && !context.output.is_json();
    let address = match init.address.take() {
        Some(address) => address,
        None => ask(asked, "Your mail address", "the address")?,
    };
    if !address::is_valid(&address) {
        return Err(kith_agent::DriverError::Act(ActError::Address(address)).into());
    }
    if init.name.is_none() && asked {
        init.name = Some(ask(
            asked,
            "The name that others see (may be empty)",
            "the name",
        )?);
    }
    let name = init.name.take().filter(|name| !name.trim().is_empty());
    let setting = init.provider.configure(context, &address, asked).await?;
    setting.try_out(context).await?;
    let recovery = init.recovery.unwrap_or_else(|| recovery_file(&address));
    let new = NewIdentity {
        name,
        address,
        keys: init.keys.into(),
        now: now(),
    };
    let driver = create(context, &setting, &new, &recovery)?;
    tell(context, &driver, &setting.config, &recovery);
    Ok(())
}

/// Makes the identity and its recovery kit.
fn create(
    context: &Context,
    setting: &Setting,
    new: &NewIdentity,
    recovery: &Path,
) -> Result<Driver, Failure> {
    context.profile.make()?;
    // Before there is a key: one that can't be recovered should not exist.
    write_private(recovery, b"")?;
    let made = setting.settle(context, |store, account| {
        let (driver, kit) = Driver::create(Arc::new(Strict), store, account, new)?;
        let written = std::fs::write(recovery, &kit);
        written.map_err(|error| Failure::Unwritable(recovery.to_owned(), error))?;
        Ok((driver, ()))
    });
    if made.is_err() {
        // What can't be removed does no harm but to be in the way.
        let _ = std::fs::remove_file(recovery);
    }
    Ok(made?.0)
}

fn tell(context: &Context, driver: &Driver, config: &Config, recovery: &Path) {
    let own = driver.agent().own();
    if context.output.is_json() {
        context.output.value(&json!({
            "address": own.address, "name": own.name, "identity": hex::encode(own.id),
            "recovery_kit": recovery, "home": context.profile.config().parent(),
            "servers": { "mailbox": config.mailbox, "submission": config.submission },
        }));
        return;
    }
    let output = context.output;
    output.line(&format!("kith is set up for {}.", safe(&own.address)));
    output.heading(&format!("Recovery kit: {}", recovery.display()));
    output.line(
        "Keep it elsewhere: print it or put it on a USB stick, and delete it here. It is the only way\n\
         to keep your friends if your key is lost or stolen. Whoever has it can become you.",
    );
    output.line("Next: `kith invite`, or `kith befriend ADDRESS`.");
}

/// Asks for what an account needs.
pub(super) async fn configure_alone(context: &Context, init: Init) -> Result<Setting, Failure> {
    let asked = std::io::stdin().is_terminal() && !context.output.is_json();
    let to = match init.address {
        Some(address) => address,
        None => ask(asked, "Your mail address", "the address")?,
    };
    if !address::is_valid(&to) {
        return Err(kith_agent::DriverError::Act(ActError::Address(to)).into());
    }
    init.provider.configure(context, &to, asked).await
}

pub(super) fn recovery_file(address: &str) -> PathBuf {
    let fit = |character: char| character.is_alphanumeric() || "@.+-_".contains(character);
    let address: String = address
        .chars()
        .map(|character| if fit(character) { character } else { '_' })
        .collect();
    PathBuf::from(format!("kith-recovery-{address}.asc"))
}

pub(super) fn ask(asked: bool, question: &str, what: &'static str) -> Result<String, Failure> {
    if asked {
        prompt(question)
    } else {
        Err(Failure::Missing(what))
    }
}

pub(super) fn prompt(question: &str) -> Result<String, Failure> {
    let failed = |error| Failure::System("asking", error);
    let mut out = std::io::stderr();
    write!(out, "{question}: ")
        .and_then(|()| out.flush())
        .map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}
