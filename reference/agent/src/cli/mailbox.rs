//! The folders of kith in the mailbox, and leaving them.

use std::io::IsTerminal as _;

use kith_agent::connect::Dialer;
use kith_agent::discovery::Finder;
use kith_agent::sieve::{Installed, SCRIPT, Sieve as SieveSession};
use kith_agent::{Endpoint, TlsMode};
use serde_json::json;

use super::args::{MailboxCommand, Sieve};
use super::config::Config;
use super::failure::Failure;
use super::init;
use super::profile::replace_private;
use super::{Context, now};

pub(super) async fn mailbox(context: &Context, command: &MailboxCommand) -> Result<(), Failure> {
    match command {
        MailboxCommand::Status => status(context),
        MailboxCommand::Sieve(spec) => sieve(context, spec).await,
        MailboxCommand::Restore { yes } => restore(context, *yes).await,
        MailboxCommand::Resume => {
            context.profile.driver(false)?.resume_filing()?;
            context
                .output
                .line("Mail is filed again from the next sync on.");
            Ok(())
        }
    }
}

async fn sieve(context: &Context, spec: &Sieve) -> Result<(), Failure> {
    if !spec.install && !spec.remove {
        if context.output.is_json() {
            context.output.value(&json!({ "script": SCRIPT }));
        }
        context.output.line(SCRIPT.trim_end());
        return Ok(());
    }
    let mut config = Config::read(&context.profile.config())?;
    let server = match (spec.server.clone(), config.sieve.clone()) {
        (Some(server), _) => server.sieve(),
        (None, Some(known)) => known,
        (None, None) => find(context, &config).await?,
    };
    if spec.remove {
        let removed = remove(context, config, &server).await?;
        if context.output.is_json() {
            context.output.value(&json!({ "removed": removed }));
        }
        let line = match removed {
            true => "The script is gone from",
            false => "No script of kith is on",
        };
        context.output.line(&format!("{line} {server}."));
        return Ok(());
    }
    let mut session = open(context, &config, &server).await?;
    let installed = session.install().await?;
    session.close().await;
    let line = match &installed {
        Installed::Other(name) => return Err(Failure::OtherScript(name.clone())),
        Installed::Now => "The script is active on",
        Installed::Already => "The script was active already on",
    };
    context.output.line(&format!("{line} {server}."));
    if context.output.is_json() {
        let new = installed == Installed::Now;
        context
            .output
            .value(&json!({ "installed": true, "new": new, "server": server }));
    }
    config.sieve = Some(server);
    replace_private(&context.profile.config(), config.text().as_bytes())
}

/// The filter server: that of DNS where it is the domain's or the one of the mailbox, else the
/// mailbox's host. No other is given the password unasked.
async fn find(context: &Context, config: &Config) -> Result<Endpoint, Failure> {
    let account = context.profile.account(config, false)?;
    let dialer = Dialer::new(&account.roots, account.patience)?;
    let found = Finder::new(None, dialer).sieve(&config.address).await;
    let found = found.map(|found| (found.vouched, found.endpoint));
    let fits = |(vouched, at): &(bool, Endpoint)| *vouched || at.host == config.mailbox.host;
    Ok(match found.filter(fits) {
        Some((_, endpoint)) => endpoint,
        None => Endpoint {
            port: kith_agent::sieve::PORT,
            mode: TlsMode::Starttls,
            ..config.mailbox.clone()
        },
    })
}

async fn open(
    context: &Context,
    config: &Config,
    server: &Endpoint,
) -> Result<SieveSession, Failure> {
    let account = context.profile.account(config, true)?;
    let dialer = Dialer::new(&account.roots, account.patience)?;
    Ok(SieveSession::open(&dialer, &account, server).await?)
}

/// Takes the script away, and forgets where it was.
async fn remove(context: &Context, mut config: Config, server: &Endpoint) -> Result<bool, Failure> {
    let mut session = open(context, &config, server).await?;
    let removed = session.remove().await?;
    session.close().await;
    config.sieve = None;
    replace_private(&context.profile.config(), config.text().as_bytes())?;
    Ok(removed)
}

fn status(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let files = !driver.files_nothing()?;
    let waiting = driver.agent().untold(driver.store())?;
    if context.output.is_json() {
        let value = json!({ "files": files, "self_copies_waiting": waiting });
        context.output.value(&value);
        return Ok(());
    }
    context.output.line(if files {
        "Kith mail is filed into the folders Kith and Kith/Refused."
    } else {
        "Nothing is filed, because you left; `kith mailbox resume` files again."
    });
    if waiting > 0 {
        let line = format!("{waiting} notes to your other devices wait for the next sync.");
        context.output.line(&line);
    }
    Ok(())
}

async fn restore(context: &Context, yes: bool) -> Result<(), Failure> {
    let asked = std::io::stdin().is_terminal() && !context.output.is_json();
    if !yes {
        context.output.line(
            "All Kith mail goes back to INBOX. The notes between your devices are deleted: use \
             `kith export` first.",
        );
        let answer = match asked {
            true => init::ask(asked, "Go on (yes/no)", "--yes")?,
            false => String::new(),
        };
        if answer != "yes" {
            return Err(Failure::Unconfirmed);
        }
    }
    // First: it would file what goes back.
    let config = Config::read(&context.profile.config())?;
    if let Some(server) = config.sieve.clone() {
        remove(context, config, &server).await?;
    }
    let mut driver = context.profile.driver(true)?;
    let restored = driver.restore_mailbox(now()).await?;
    if context.output.is_json() {
        let value = json!({ "moved": restored.moved, "deleted": restored.deleted });
        context.output.value(&value);
    }
    context.output.line(&format!(
        "{} mails are back in INBOX, and {} notes of your devices deleted.",
        restored.moved, restored.deleted
    ));
    Ok(())
}
