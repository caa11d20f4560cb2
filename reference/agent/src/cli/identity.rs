//! The own identity, and what the person makes of others': safety codes, petnames, introductions.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as Arguments, Subcommand, ValueEnum};
use kith_agent::Driver;
use kith_core::agent::address;
use kith_core::wire::keys::KeyKind;
use kith_core::{ActError, Action, Done, Strict};
use serde_json::json;

use super::config::Config;
use super::failure::Failure;
use super::init::{Init, Keys};
use super::output::{qr_code, safe};
use super::profile::write_private;
use super::provider::{Provider, try_out};
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
    Move(Box<Move>),
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

Which key a kit holds was settled when it was written, and your friends know. --next-keys chooses
for the new kit, so post-quantum keys take two rotations: the first writes a kit with such a key,
the second takes it. `mixed` keeps what friends send you from being read later by a quantum
computer, and friends whose programs know nothing of that stay. `pq` protects signatures, too, but
such friends are lost, and after pq there is only pq. Ordinary mail programs of today show what
comes to v4 keys, and nothing else. `kith identity show` tells what you have.

A new key is on this device only. Your other devices need it, too: use `kith device add` here, and
`kith import` there, in a new folder.

Examples:
  kith identity rotate kith-recovery.asc --recovery new-kit.asc --compromised
  kith identity rotate kith-recovery.asc --recovery second-kit.asc --next-keys mixed
  kith identity rotate second-kit.asc --recovery third-kit.asc")]
pub(super) struct Rotate {
    /// The recovery kit
    #[arg(value_name = "KIT")]
    kit: PathBuf,
    /// Somebody else may have the present key: nothing new that it signed is believed any more
    #[arg(long)]
    compromised: bool,
    /// Which keys the new kit holds, for the next rotation [default: those of this kit]
    #[arg(long, value_enum, value_name = "KEYS")]
    next_keys: Option<Keys>,
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

#[derive(Debug, Arguments)]
#[command(after_help = "\
The servers of the new address are looked for as `kith init` does, and kith logs in there before
anybody is told. With --same-mailbox, the mail of both addresses is in the mailbox that you have
now, and nothing but the address changes.

Mail to the earlier address is for you as before, but only one mailbox is read: let the earlier one
forward its mail.

Examples:
  kith identity move alice@new.example
  kith identity move alice@new.example --imap imap.new.example --smtp smtp.new.example
  kith identity move alice.other@example.org --same-mailbox")]
pub(super) struct Move {
    /// The address
    address: String,
    /// Its mail is in the mailbox that you have now
    #[arg(long, conflicts_with_all = ["imap", "smtp", "user", "password_command"])]
    same_mailbox: bool,
    #[command(flatten)]
    provider: Provider,
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
        IdentityCommand::Recover(spec) => recover(context, *spec).await,
        IdentityCommand::Move(to) => move_to(context, *to).await,
        IdentityCommand::Agree { to, no } => agree(context, to, !no).await,
    }
}

async fn move_to(context: &Context, to: Move) -> Result<(), Failure> {
    let (profile, output) = (&context.profile, context.output);
    let asked = std::io::stdin().is_terminal() && !output.is_json();
    let address = to.address.clone();
    if !address::is_valid(&address) {
        return Err(kith_agent::DriverError::Act(ActError::Address(address)).into());
    }
    let mut config = Config::read(&profile.config())?;
    let elsewhere = if is_same_mailbox(&to, asked)? {
        let account = profile.account(&config, !context.offline)?;
        try_out(context, &account, &address).await?;
        None
    } else {
        let mut setting = to.provider.configure(context, &address, asked).await?;
        setting.try_out(context).await?;
        setting.config.daily = config.daily;
        Some(setting)
    };
    let mut driver = profile.driver(!context.offline)?;
    if elsewhere.is_some() && !context.offline && !profile.rehearses() {
        // What waits in the mailbox that is left; if it is gone already, it is gone.
        let report = driver.sync(now()).await?;
        output.report(&report, true);
    }
    if !profile.rehearses() {
        match elsewhere {
            Some(setting) => setting.prepare(context)?,
            None => {
                config.user = Some(config.user().to_owned());
                config.address.clone_from(&address);
                profile.prepare(&config, None)?;
            }
        }
    }
    let line = format!("Your friends learn that you are at {}.", safe(&address));
    driver.act(Action::Move { address }, now())?;
    output.line(&line);
    if profile.rehearses() {
        return finish(context, driver, json!({})).await;
    }
    drop(driver);
    finish(context, profile.driver(!context.offline)?, json!({})).await
}

/// Whether the mail of the new address is in the mailbox that is there already.
fn is_same_mailbox(to: &Move, asked: bool) -> Result<bool, Failure> {
    let told = to.provider.has_secret() || to.provider.imap.is_some();
    if to.same_mailbox || told {
        return Ok(to.same_mailbox);
    }
    if !asked {
        return Err(Failure::Missing(
            "--same-mailbox, or the new mailbox's --password-file or --password-command,",
        ));
    }
    let question = format!(
        "Is the mail of {} in the mailbox that you have now (yes/no)",
        safe(&to.address)
    );
    Ok(init::prompt(&question)? == "yes")
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
    if let Some(name) = &own.name {
        output.line(&format!("name     {}", safe(name)));
    }
    output.line(&format!("address  {}", safe(&own.address)));
    for earlier in &own.earlier {
        output.line(&format!("before   {}", safe(earlier)));
    }
    let keys = match own.keys {
        KeyKind::V4 => "version 4",
        KeyKind::V6 => "version 6",
        KeyKind::Mixed => "version 6, post-quantum for encryption",
        KeyKind::Pq => "version 6, post-quantum",
    };
    output.line(&format!("keys     {} so far, now {keys}", own.epoch + 1));
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
        next: rotate.next_keys.map(KeyKind::from),
    };
    with_kit(context, recovery, || match driver.act(action, now())?.0 {
        Done::Kit(kit) => Ok(((), kit)),
        _ => Ok(((), String::new())),
    })?;
    if !context.profile.rehearses() {
        tell_kit(context, recovery);
    }
    context.output.line(
        "Your friends learn of the new key. Other devices of yours need it: `kith device add`.",
    );
    finish(context, driver, json!({ "recovery_kit": recovery })).await
}

/// Does what makes a recovery kit. Without a place for the kit, nothing happens.
fn with_kit<T>(
    context: &Context,
    recovery: &Path,
    make: impl FnOnce() -> Result<(T, String), Failure>,
) -> Result<T, Failure> {
    if context.profile.rehearses() {
        return Ok(make()?.0);
    }
    write_private(recovery, b"")?;
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

async fn recover(context: &Context, recover: Recover) -> Result<(), Failure> {
    let (file, wanted) = (recover.kit, recover.account);
    let path = context.profile.config();
    if path.exists() {
        return Err(Failure::SetUp(path));
    }
    let kit = std::fs::read(&file).map_err(|error| Failure::Unreadable(file, error))?;
    let recovery = wanted.recovery.clone();
    let setting = init::configure_alone(context, wanted).await?;
    let recovery = recovery.unwrap_or_else(|| init::recovery_file(&setting.config.address));
    let make = |store, account| {
        let lost = (recover.compromised, Some(&*setting.config.address));
        let made = Driver::recover(Arc::new(Strict), store, account, &kit, lost, now());
        Ok(made?)
    };
    let driver = with_kit(context, &recovery, || setting.settle(context, make))?;
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
