//! The own identity, and what the person makes of others': safety codes, petnames, introductions.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as Arguments, Subcommand, ValueEnum};
use kith_agent::Driver;
use kith_core::agent::address;
use kith_core::{Action, Done, Strict};
use serde_json::json;

use super::args::Init;
use super::failure::Failure;
use super::output::{qr_code, safe};
use super::sync::finish;
use super::{Context, init, now, resolve};

/// What to do with the own identity.
#[derive(Debug, Subcommand)]
pub(super) enum IdentityCommand {
    /// Show identity, addresses, how many keys there were, and what you agreed to
    Show,
    /// Take the next key, from the recovery kit
    Rotate(Rotate),
    /// Go on as the same identity after everything but the recovery kit is lost
    Recover(Box<Recover>),
    /// Tell your friends that you are at another address
    Move {
        /// The address
        address: String,
    },
    /// Agree to something, or not any more
    Agree {
        /// To what
        #[arg(value_enum)]
        to: Agreement,
        /// Not any more
        #[arg(long)]
        no: bool,
    },
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
The kit is used up; a new one is written. With --compromised, friends believe nothing more that the
present key signs, and what you wrote is signed again with the new one.

Example:
  kith identity rotate kith-recovery.asc --recovery new-kit.asc --compromised")]
pub(super) struct Rotate {
    /// The recovery kit
    #[arg(value_name = "KIT")]
    kit: PathBuf,
    /// Somebody else may have the present key: nothing new that it signed is believed any more
    #[arg(long)]
    compromised: bool,
    /// Where to write the new recovery kit
    #[arg(long, value_name = "FILE")]
    recovery: PathBuf,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Your friends are not in the kit: ask them again with `kith befriend`. Their kith knows you as the one
you were. If you have an export, `kith import` and then `kith identity rotate` keep more.

Example:
  kith identity recover kith-recovery.asc alice@new.example --recovery new-kit.asc")]
pub(super) struct Recover {
    /// The recovery kit
    #[arg(value_name = "KIT")]
    kit: PathBuf,
    /// Somebody else may have the lost key: nothing new that it signed is believed any more
    #[arg(long)]
    compromised: bool,
    #[command(flatten)]
    account: Init,
}

/// What a person can agree to.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Agreement {
    /// That friends introduce you to friends of theirs
    Introductions,
    /// That friends learn that their messages arrived
    Delivered,
    /// That friends learn that you read their messages
    Seen,
}

#[derive(Debug, Arguments)]
pub(super) struct Verify {
    /// An address, a name, or the beginning of an identity
    #[arg(value_name = "FRIEND")]
    friend: String,
    /// The code that your friend reads out; without it, the code is shown
    code: Option<String>,
    /// Draw the QR code even if the output is no terminal
    #[arg(long, conflicts_with = "code")]
    qr: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Petname {
    /// An address, a name, or the beginning of an identity
    #[arg(value_name = "FRIEND")]
    friend: String,
    /// The name; without it, your friend's own is shown again
    name: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Introduce {
    /// A friend
    #[arg(value_name = "FRIEND")]
    one: String,
    /// Another friend
    #[arg(value_name = "OTHER")]
    other: String,
}

pub(super) async fn identity(context: &Context, command: IdentityCommand) -> Result<(), Failure> {
    match command {
        IdentityCommand::Show => show(context),
        IdentityCommand::Rotate(spec) => rotate(context, &spec).await,
        IdentityCommand::Recover(spec) => recover(context, *spec),
        IdentityCommand::Move { address } => {
            let mut driver = context.profile.driver(!context.offline)?;
            let line = format!(
                "Your friends learn that you are at {}. If your mailbox is at another server now, \
                 change the configuration.",
                safe(&address)
            );
            driver.act(Action::Move { address }, now())?;
            context.output.line(&line);
            finish(context, driver, json!({})).await
        }
        IdentityCommand::Agree { to, no } => agree(context, to, !no).await,
    }
}

async fn agree(context: &Context, to: Agreement, yes: bool) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let mut consent = driver.agent().own().consent;
    match to {
        Agreement::Introductions => consent.introduce = yes,
        Agreement::Delivered => consent.delivered = yes,
        Agreement::Seen => consent.seen = yes,
    }
    driver.act(Action::Consent(consent), now())?;
    let line = if yes { "Agreed." } else { "Not any more." };
    context.output.line(line);
    finish(context, driver, json!({})).await
}

fn show(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let own = driver.view(now()).identity()?;
    if context.output.is_json() {
        context.output.value(&own);
        return Ok(());
    }
    let output = context.output;
    output.line(&format!("identity {}", own.identity));
    output.line(&format!("address  {}", safe(&own.address)));
    for earlier in &own.earlier {
        output.line(&format!("before   {}", safe(earlier)));
    }
    output.line(&format!("keys     {} so far", own.epoch + 1));
    let consents = [
        (own.consent.introduce, "to be introduced"),
        (own.consent.delivered, "to tell that messages arrived"),
        (own.consent.seen, "to tell that messages were read"),
    ];
    let agreed: Vec<&str> = consents
        .iter()
        .filter(|(yes, _)| *yes)
        .map(|(_, what)| *what)
        .collect();
    let agreed = if agreed.is_empty() {
        "to nothing".to_owned()
    } else {
        agreed.join(", ")
    };
    output.line(&format!("agreed   {agreed}"));
    Ok(())
}

async fn rotate(context: &Context, rotate: &Rotate) -> Result<(), Failure> {
    let (kit, recovery) = (&rotate.kit, rotate.recovery.as_path());
    let text = std::fs::read(kit).map_err(|error| Failure::Unreadable(kit.clone(), error))?;
    let mut driver = context.profile.driver(!context.offline)?;
    let action = Action::Rotate {
        kit: text,
        compromised: rotate.compromised,
    };
    with_kit(recovery, || match driver.act(action, now())?.0 {
        Done::Kit(kit) => Ok(((), kit)),
        _ => Ok(((), String::new())),
    })?;
    tell_kit(context, recovery);
    context.output.line("Your friends learn of the new key.");
    finish(context, driver, json!({ "recovery_kit": recovery })).await
}

/// Does what makes a recovery kit. Without a place for the kit, nothing happens.
fn with_kit<T>(
    recovery: &Path,
    make: impl FnOnce() -> Result<(T, String), Failure>,
) -> Result<T, Failure> {
    super::profile::write_private(recovery, b"")?;
    let made = make().and_then(|(made, kit)| {
        let written = std::fs::write(recovery, kit);
        written.map_err(|error| Failure::Unwritable(recovery.to_owned(), error))?;
        Ok(made)
    });
    if made.is_err() {
        // What can't be removed does no harm but to be in the way.
        let _ = std::fs::remove_file(recovery);
    }
    made
}

fn tell_kit(context: &Context, recovery: &Path) {
    let output = context.output;
    output.heading(&format!("New recovery kit: {}", recovery.display()));
    output.line("Keep it elsewhere, and destroy the old one.");
}

fn recover(context: &Context, recover: Recover) -> Result<(), Failure> {
    let (file, mut wanted) = (recover.kit, recover.account);
    let path = context.profile.config();
    if path.exists() {
        return Err(Failure::SetUp(path));
    }
    let kit = std::fs::read(&file).map_err(|error| Failure::Unreadable(file, error))?;
    let setting = init::configure_alone(context, &mut wanted)?;
    let recovery = wanted.recovery.clone();
    let recovery = recovery.unwrap_or_else(|| init::recovery_file(&setting.config.address));
    let make = |store, account| {
        let to = &setting.config.address;
        let made = Driver::recover(
            Arc::new(Strict),
            store,
            account,
            &kit,
            recover.compromised,
            now(),
        );
        let (mut driver, kit) = made?;
        if !address::same(&driver.agent().own().address, to) {
            let address = to.clone();
            driver.act(Action::Move { address }, now())?;
        }
        Ok((driver, kit))
    };
    let driver = with_kit(&recovery, || init::settle(context, &setting, make))?;
    let own = driver.agent().own();
    if context.output.is_json() {
        let value = json!({
            "address": own.address, "identity": hex::encode(own.id), "recovery_kit": recovery,
        });
        context.output.value(&value);
        return Ok(());
    }
    tell_kit(context, &recovery);
    context.output.line(&format!(
        "You are the same as before, at {}. Ask your friends again: `kith befriend ADDRESS`.",
        safe(&own.address)
    ));
    Ok(())
}

pub(super) async fn verify(context: &Context, verify: &Verify) -> Result<(), Failure> {
    let mut driver = context.profile.driver(false)?;
    let friend = resolve::friend(&driver, &verify.friend)?;
    let contacts = driver.view(now()).contacts()?;
    let contact = contacts
        .into_iter()
        .find(|contact| contact.identity == friend.identity);
    let (Some(contact), Some(identity)) = (contact, resolve::octets(&friend.identity)) else {
        return Ok(());
    };
    let Some(code) = verify.code.clone() else {
        if context.output.is_json() {
            context.output.value(&contact);
            return Ok(());
        }
        context.output.line(&contact.code);
        if verify.qr || std::io::stdout().is_terminal() {
            let text = format!("kith-safety:{}", contact.code.replace(' ', ""));
            let drawn = qr_code(&text).unwrap_or_default();
            context.output.line(&drawn);
        }
        let name = safe(&friend.address);
        context.output.line(&format!(
            "Let {name} read out the code, and compare. If it is the same: kith verify {name} CODE"
        ));
        return Ok(());
    };
    driver.act(Action::Verify { identity, code }, now())?;
    context.output.line("The safety code is right.");
    finish(context, driver, json!({})).await
}

pub(super) async fn petname(context: &Context, petname: Petname) -> Result<(), Failure> {
    let mut driver = context.profile.driver(false)?;
    let friend = resolve::friend(&driver, &petname.friend)?;
    let Some(identity) = resolve::octets(&friend.identity) else {
        return Ok(());
    };
    let name = petname.name;
    driver.act(Action::Petname { identity, name }, now())?;
    context.output.line("Only you see this name.");
    finish(context, driver, json!({})).await
}

pub(super) async fn introduce(context: &Context, people: &Introduce) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let one = resolve::friend(&driver, &people.one)?;
    let other = resolve::friend(&driver, &people.other)?;
    let ids = (
        resolve::octets(&one.identity),
        resolve::octets(&other.identity),
    );
    let (Some(one), Some(other)) = ids else {
        return Ok(());
    };
    driver.act(Action::Introduce { one, other }, now())?;
    context
        .output
        .line("Each of them can ask the other now, sealed.");
    finish(context, driver, json!({})).await
}
