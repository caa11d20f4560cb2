//! Setting up: servers, password, identity, recovery kit.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kith_agent::connect::Dialer;
use kith_agent::{Account, Driver, Mailbox, Password, Store, Submission};
use kith_core::agent::{NewIdentity, address};
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Strict};
use serde_json::json;

use super::args::{Init, Keys};
use super::config::{Config, Server};
use super::failure::Failure;
use super::output::safe;
use super::profile::{read_password, write_private};
use super::{Context, now};

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
    let (config, password) = configure(context, &mut init, &address, asked)?;
    let account = account(&config, &init, &password)?;
    if !context.offline {
        let _spinner = context.output.spinner("logging in …");
        let dialer = Dialer::new(&account.roots, account.patience)?;
        Mailbox::open(&dialer, &account, Arc::new(Strict))
            .await?
            .close()
            .await;
        Submission::open(&dialer, &account).await?.close().await;
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
    let own = init.password_file.is_none().then_some(&password);
    let driver = create(context, &config, account, &new, own, &recovery)?;
    tell(context, &driver, &recovery);
    Ok(())
}

fn configure(
    context: &Context,
    init: &mut Init,
    address: &str,
    asked: bool,
) -> Result<(Config, Password), Failure> {
    let domain = address::domain(address);
    let server = |given: Option<Server>, usual: String, what: &str| match given {
        Some(server) => Ok(server),
        None if asked => loop {
            let answer = prompt(&format!("{what} [{usual}]"))?;
            let answer = if answer.is_empty() {
                usual.clone()
            } else {
                answer
            };
            match answer.parse() {
                Ok(server) => break Ok(server),
                Err(error) => context.output.warning(&format!("{error}")),
            }
        },
        None => usual
            .parse()
            .map_err(|_| Failure::Missing("the name of a server")),
    };
    let mailbox = server(init.imap.take(), format!("imap.{domain}"), "IMAP server")?;
    let submission = server(
        init.smtp.take(),
        format!("smtp.{domain}"),
        "Submission server",
    )?;
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| Failure::Unreadable(path.to_owned(), error))
    };
    let (password_file, password) = match &init.password_file {
        Some(path) => (absolute(path)?, read_password(path)?),
        None if asked => {
            let password = rpassword::prompt_password(format!("Password of {address}: "));
            let password = password.map_err(|error| Failure::System("asking", error))?;
            (PathBuf::from("password"), Password::new(password))
        }
        None => return Err(Failure::Missing("--password-file")),
    };
    let config = Config {
        address: address.to_owned(),
        user: init.user.take(),
        password_file,
        ca: init.ca.as_deref().map(absolute).transpose()?,
        authserv_id: init.authserv_id.take(),
        daily: None,
        submission: submission.endpoint(465, 587),
        mailbox: mailbox.endpoint(993, 143),
    };
    Ok((config, password))
}

fn account(config: &Config, init: &Init, password: &Password) -> Result<Account, Failure> {
    let roots = match &init.ca {
        Some(path) => {
            let pem = std::fs::read_to_string(path);
            kith_agent::Roots::Pem(pem.map_err(|error| Failure::Unreadable(path.clone(), error))?)
        }
        None => kith_agent::Roots::Platform,
    };
    Ok(Account {
        user: config
            .user
            .clone()
            .unwrap_or_else(|| config.address.clone()),
        password: password.clone(),
        submission: config.submission.clone(),
        mailbox: config.mailbox.clone(),
        roots,
        authserv_id: config.authserv_id.clone(),
        daily: config.daily,
        patience: kith_agent::account::PATIENCE,
    })
}

/// Makes the identity. The configuration comes last: without it, nothing is set up.
fn create(
    context: &Context,
    config: &Config,
    account: Account,
    new: &NewIdentity,
    password: Option<&Password>,
    recovery: &Path,
) -> Result<Driver, Failure> {
    let profile = &context.profile;
    profile.make()?;
    // Before there is a key: one that can't be recovered should not exist.
    write_private(recovery, b"")?;
    let mut made = vec![recovery.to_owned()];
    let run = || {
        if let Some(password) = password {
            write_private(&profile.own_password(), password.line().as_bytes())?;
            made.push(profile.own_password());
        }
        let fresh = !profile.store().exists();
        let store = Store::open(&profile.store())?;
        if fresh {
            made.push(profile.store());
        }
        let (driver, kit) = Driver::create(Arc::new(Strict), store, account, new)?;
        std::fs::write(recovery, &kit)
            .map_err(|error| Failure::Unwritable(recovery.to_owned(), error))?;
        write_private(&profile.config(), config.text().as_bytes())?;
        Ok(driver)
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

fn tell(context: &Context, driver: &Driver, recovery: &Path) {
    let own = driver.agent().own();
    if context.output.is_json() {
        context.output.value(&json!({
            "address": own.address, "name": own.name, "identity": hex::encode(own.id),
            "recovery_kit": recovery, "home": context.profile.config().parent(),
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
pub(super) fn configure_alone(context: &Context, init: &mut Init) -> Result<Setting, Failure> {
    let asked = std::io::stdin().is_terminal() && !context.output.is_json();
    let to = match init.address.take() {
        Some(address) => address,
        None => ask(asked, "Your mail address", "the address")?,
    };
    if !address::is_valid(&to) {
        return Err(kith_agent::DriverError::Act(ActError::Address(to)).into());
    }
    let (config, password) = configure(context, init, &to, asked)?;
    Ok(Setting {
        account: account(&config, init, &password)?,
        password: init.password_file.is_none().then_some(password),
        config,
    })
}

/// Makes a driver in an empty store, and writes configuration and password. After a failure nothing
/// of it is left.
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

fn prompt(question: &str) -> Result<String, Failure> {
    let failed = |error| Failure::System("asking", error);
    let mut out = std::io::stderr();
    write!(out, "{question}: ")
        .and_then(|()| out.flush())
        .map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}
