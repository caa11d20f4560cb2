//! Setting up: servers, password, identity, recovery kit.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as Arguments, ValueEnum};
use kith_agent::connect::Dialer;
use kith_agent::{Account, Driver, Mailbox, Password, Store, Submission};
use kith_core::agent::{NewIdentity, address};
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Strict};
use serde_json::json;

use super::config::{Config, Server};
use super::failure::Failure;
use super::output::safe;
use super::profile::write_private;
use super::secret::{PasswordCommand, Secret};
use super::{Context, now, servers};

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

Examples:
  kith init alice@example.org
  kith init alice@example.org --password-command 'pass show mail/alice'
  kith init alice@example.org --password-command 'secret-tool lookup mail alice@example.org'
  kith init alice@example.org --imap mail.example.org:143 --smtp mail.example.org:587 --name Alice")]
pub(super) struct Init {
    /// Your mail address; asked for if missing
    pub(super) address: Option<String>,
    /// The name that others see
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The IMAP server [default: what your domain names, else imap.DOMAIN]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) imap: Option<Server>,
    /// The submission server [default: what your domain names, else smtp.DOMAIN]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) smtp: Option<Server>,
    /// Use servers outside your domain that only DNS names, without asking
    #[arg(long)]
    pub(super) trust_dns: bool,
    /// Ask this name server for the mail servers, instead of the system's
    #[arg(long, value_name = "IP:PORT")]
    pub(super) name_server: Option<SocketAddr>,
    /// The login name, if it isn't the address
    #[arg(long)]
    pub(super) user: Option<String>,
    /// A file that holds the password
    #[arg(long, value_name = "FILE", env = "KITH_PASSWORD_FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// A program that prints the password, with its arguments; no shell runs it
    #[arg(long, value_name = "COMMAND", conflicts_with = "password_file")]
    pub(super) password_command: Option<PasswordCommand>,
    /// Trust only the authorities in this PEM file, for instance that of your own server
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The name under which your server writes Authentication-Results, which are then believed
    #[arg(long, value_name = "NAME")]
    pub(super) authserv_id: Option<String>,
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
    let setting = configure(context, &mut init, &address, asked).await?;
    let account = &setting.account;
    if !context.offline {
        let _spinner = context.output.spinner("logging in …");
        let dialer = Dialer::new(&account.roots, account.patience)?;
        Mailbox::open(&dialer, account, Arc::new(Strict))
            .await?
            .close()
            .await;
        Submission::open(&dialer, account).await?.close().await;
    }
    let recovery = init.recovery.unwrap_or_else(|| recovery_file(&address));
    let keys = match init.keys {
        Keys::V4 => KeyKind::V4,
        Keys::V6 => KeyKind::V6,
        Keys::Mixed => KeyKind::Mixed,
        Keys::Pq => KeyKind::Pq,
    };
    let new = NewIdentity {
        name,
        address,
        keys,
        now: now(),
    };
    let driver = create(context, &setting, &new, &recovery)?;
    tell(context, &driver, &setting.config, &recovery);
    Ok(())
}

async fn configure(
    context: &Context,
    init: &mut Init,
    address: &str,
    asked: bool,
) -> Result<Setting, Failure> {
    let servers = servers::choose(context, init, address, asked).await?;
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| Failure::Unreadable(path.to_owned(), error))
    };
    let secret = match (&init.password_file, init.password_command.take()) {
        (_, Some(command)) => Some(Secret::Command(command.0)),
        (Some(path), None) => Some(Secret::File(absolute(path)?)),
        (None, None) => None,
    };
    let password = match &secret {
        Some(secret) => secret.read()?,
        None if asked => {
            let password = rpassword::prompt_password(format!("Password of {address}: "));
            Password::new(password.map_err(|error| Failure::System("asking", error))?)
        }
        None => return Err(Failure::Missing("--password-file or --password-command")),
    };
    let own = secret.is_none().then(|| password.clone());
    let mut config = Config {
        address: address.to_owned(),
        user: init.user.take().or(servers.user),
        password_file: None,
        password_command: Vec::new(),
        ca: init.ca.as_deref().map(absolute).transpose()?,
        authserv_id: init.authserv_id.take(),
        daily: None,
        submission: servers.submission,
        mailbox: servers.mailbox,
        sieve: None,
    };
    config.set_secret(secret.unwrap_or_else(|| Secret::File(PathBuf::from("password"))));
    Ok(Setting {
        account: account(&config, init, password)?,
        password: own,
        config,
    })
}

fn account(config: &Config, init: &Init, password: Password) -> Result<Account, Failure> {
    let roots = servers::roots(init.ca.as_deref())?;
    Ok(Account {
        user: config
            .user
            .clone()
            .unwrap_or_else(|| config.address.clone()),
        password,
        submission: config.submission.clone(),
        mailbox: config.mailbox.clone(),
        roots,
        authserv_id: config.authserv_id.clone(),
        daily: config.daily,
        patience: kith_agent::account::PATIENCE,
    })
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
    let made = settle(context, setting, |store, account| {
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

/// An account for an identity that exists already.
pub(super) struct Setting {
    pub(super) config: Config,
    account: Account,
    /// The password, if kith is to keep it.
    password: Option<Password>,
}

/// Asks for what an account needs.
pub(super) async fn configure_alone(
    context: &Context,
    init: &mut Init,
) -> Result<Setting, Failure> {
    let asked = std::io::stdin().is_terminal() && !context.output.is_json();
    let to = match init.address.take() {
        Some(address) => address,
        None => ask(asked, "Your mail address", "the address")?,
    };
    if !address::is_valid(&to) {
        return Err(kith_agent::DriverError::Act(ActError::Address(to)).into());
    }
    configure(context, init, &to, asked).await
}

/// Makes a driver in an empty store, and writes configuration and password. The configuration comes
/// last: without it, nothing is set up. After a failure nothing of it is left.
pub(super) fn settle<T>(
    context: &Context,
    setting: &Setting,
    make: impl FnOnce(Store, Account) -> Result<(Driver, T), Failure>,
) -> Result<(Driver, T), Failure> {
    let profile = &context.profile;
    profile.make()?;
    let store = profile.store();
    let mut made = Vec::new();
    let run = || {
        made.extend((!store.exists()).then(|| store.clone()));
        let done = make(Store::open(&store)?, setting.account.clone())?;
        if let Some(password) = &setting.password {
            write_private(&profile.own_password(), password.line().as_bytes())?;
            made.push(profile.own_password());
        }
        write_private(&profile.config(), setting.config.text().as_bytes())?;
        Ok(done)
    };
    let outcome = run();
    if outcome.is_err() {
        for file in made {
            // What can't be removed does no harm but to be in the way.
            let _ = std::fs::remove_file(file);
        }
    }
    outcome
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
