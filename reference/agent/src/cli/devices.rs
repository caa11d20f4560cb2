//! Exports, and several devices.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as Arguments, Subcommand};
use kith_agent::Driver;
use kith_core::Strict;
use kith_core::agent::address;
use serde_json::json;

use super::failure::Failure;
use super::init::{self, Init};
use super::output::{safe, when};
use super::profile::{make_private, read_password, write_private};
use super::{Context, now};

/// The letters of a setup code: none that is taken for another.
const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Groups of a setup code, of four letters each: 140 bits.
const GROUPS: usize = 7;

#[derive(Debug, Arguments)]
#[command(after_help = "\
The file is an OpenPGP message with a tar archive; with the passphrase, `gpg --decrypt FILE | tar -t`
lists it. Whoever has both can become you.

With --readable, kith writes a folder for people and other programs instead: contacts.vcf (vCard),
events.ics (iCalendar), messages.mbox, posts.html and its pictures. Nothing of that is encrypted, and
`kith import` doesn't read it.

Examples:
  kith export everything.kith
  kith export --readable for-my-other-programs")]
pub(super) struct Export {
    /// The file to write
    #[arg(required_unless_present = "readable")]
    pub(super) file: Option<PathBuf>,
    /// Write this folder instead, which doesn't exist yet, for people and other programs
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["file", "passphrase_file"])]
    pub(super) readable: Option<PathBuf>,
    /// Write it without asking
    #[arg(long, requires = "readable")]
    pub(super) yes: bool,
    /// A file that holds the passphrase, which is asked for otherwise
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(super) struct Import {
    /// The file
    pub(super) file: PathBuf,
    /// A file that holds the passphrase, which is asked for otherwise
    #[arg(long, value_name = "FILE")]
    pub(super) passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) account: Init,
}

#[derive(Debug, Arguments)]
pub(super) struct Device {
    #[command(subcommand)]
    pub(super) command: DeviceCommand,
}

/// What can be done with devices.
#[derive(Debug, Subcommand)]
pub(super) enum DeviceCommand {
    /// Show your devices
    List,
    /// Name this device
    Name {
        /// The name
        name: String,
    },
    /// Write a file for another device, with a setup code that is shown once
    Add {
        /// The file to write
        file: PathBuf,
    },
}

/// The passphrase in a file's first line, or as it is typed.
fn passphrase(file: Option<&Path>, question: &str) -> Result<String, Failure> {
    if let Some(file) = file {
        return Ok(read_password(file)?.line().trim_end().to_owned());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Missing("--passphrase-file"));
    }
    let typed = rpassword::prompt_password(format!("{question}: "));
    typed.map_err(|error| Failure::System("asking", error))
}

pub(super) fn export(context: &Context, export: &Export) -> Result<(), Failure> {
    match (&export.readable, &export.file) {
        (Some(folder), _) => readable(context, folder, export.yes),
        (None, Some(target)) => archive(context, export, target),
        (None, None) => Err(Failure::Missing("the file to write")),
    }
}

/// Writes what people and other programs can read, once the person knows that it isn't encrypted.
fn readable(context: &Context, folder: &Path, yes: bool) -> Result<(), Failure> {
    let asked = std::io::stdin().is_terminal() && !context.output.is_json();
    context.output.line(
        "These files are not encrypted: whoever can read them reads your messages and posts.",
    );
    if !yes {
        let answer = match asked {
            true => init::ask(asked, "Go on (yes/no)", "--yes")?,
            false => String::new(),
        };
        if answer != "yes" {
            return Err(Failure::Unconfirmed);
        }
    }
    let driver = context.profile.driver(false)?;
    let files = driver.readable(now())?;
    make_private(folder)?;
    if files.len() > kith_agent::readable::NAMES.len() {
        make_private(&folder.join(kith_agent::readable::MEDIA))?;
    }
    for file in &files {
        write_private(&folder.join(&file.name), &file.octets)?;
    }
    if context.output.is_json() {
        let value = json!({ "folder": folder, "files": files.len() });
        context.output.value(&value);
    }
    let (count, folder) = (files.len(), folder.to_string_lossy());
    let line = format!("Written: {count} files in {}.", safe(&folder));
    context.output.line(&line);
    Ok(())
}

fn archive(context: &Context, export: &Export, target: &Path) -> Result<(), Failure> {
    let file = export.passphrase_file.as_deref();
    let words = passphrase(file, "Passphrase for the export")?;
    if file.is_none() && passphrase(None, "Once more")? != words {
        return Err(Failure::Differ);
    }
    let mut driver = context.profile.driver(false)?;
    let archive = driver.export(&words, now())?;
    write_private(target, &archive)?;
    if context.output.is_json() {
        let value = json!({ "file": target, "octets": archive.len() });
        context.output.value(&value);
    }
    context.output.line(&format!(
        "Written: {}. Keep file and passphrase apart: whoever has both can become you.",
        target.display()
    ));
    Ok(())
}

pub(super) async fn import(context: &Context, import: Import) -> Result<(), Failure> {
    let Import {
        file,
        passphrase_file,
        account: wanted,
    } = import;
    let path = context.profile.config();
    if path.exists() {
        return Err(Failure::SetUp(path));
    }
    let archive = std::fs::read(&file).map_err(|error| Failure::Unreadable(file, error))?;
    let words = passphrase(passphrase_file.as_deref(), "Passphrase or setup code")?;
    let setting = init::configure_alone(context, wanted).await?;
    let make = |store, account| {
        let to = &setting.config.address;
        let driver = Driver::import(Arc::new(Strict), store, account, &archive, &words, now())?;
        let own = driver.agent().own().address.clone();
        if !address::same(&own, to) {
            return Err(Failure::OtherAddress(own, to.clone()));
        }
        Ok((driver, ()))
    };
    let (driver, ()) = setting.settle(context, make)?;
    let own = driver.agent().own();
    if context.output.is_json() {
        let value = json!({ "address": own.address, "identity": hex::encode(own.id) });
        context.output.value(&value);
    }
    context.output.line(&format!(
        "This device is one of {}. `kith device name NAME` names it; `kith sync` reads the rest \
         from the mailbox. Delete the file.",
        safe(&own.address)
    ));
    Ok(())
}

pub(super) fn device(context: &Context, command: &DeviceCommand) -> Result<(), Failure> {
    let mut driver = context.profile.driver(false)?;
    match command {
        DeviceCommand::List => list(context, &driver),
        DeviceCommand::Name { name } => {
            driver.name_device(name, now())?;
            context.output.line("Named.");
            Ok(())
        }
        DeviceCommand::Add { file } => {
            kith_core::implements!(kith_spec::req::DEVICES_SETUP_CODE);
            let code = setup_code();
            let archive = driver.export(&code, now())?;
            write_private(file, &archive)?;
            if context.output.is_json() {
                context.output.value(&json!({ "file": file, "code": code }));
            }
            context.output.heading(&format!("Setup code: {code}"));
            context.output.line(&format!(
                "Bring {} to the other device and use `kith import` there, with this code. It is \
                 shown only now.",
                file.display()
            ));
            Ok(())
        }
    }
}

fn list(context: &Context, driver: &Driver) -> Result<(), Failure> {
    let devices = driver.view(now()).devices()?;
    if context.output.is_json() {
        context.output.value(&devices);
        return Ok(());
    }
    let mut rows: Vec<Vec<String>> = devices
        .iter()
        .map(|device| {
            let name = device.name.as_deref().unwrap_or("(no name)");
            let last = device.last.map(when).unwrap_or_default();
            let here = if device.current { "this one" } else { "" };
            vec![safe(name), last, here.to_owned()]
        })
        .collect();
    rows.sort();
    let none = "No device has told of itself yet.";
    context
        .output
        .table(&["device", "last heard of", ""], &rows, none);
    Ok(())
}

/// A passphrase that is read from one screen and typed on another device.
fn setup_code() -> String {
    let group = || -> String {
        let random: [u8; 4] = rand::random();
        let letter = |octet: u8| char::from(LETTERS[usize::from(octet % 32)]);
        random.into_iter().map(letter).collect()
    };
    (0..GROUPS).map(|_| group()).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setup_codes_are_long_and_differ() {
        let code = setup_code();
        assert_eq!(code.len(), GROUPS * 5 - 1);
        assert_ne!(code, setup_code());
    }
}
