//! The folders of kith in the mailbox, and leaving them.

use std::io::IsTerminal as _;

use serde_json::json;

use super::args::MailboxCommand;
use super::failure::Failure;
use super::init;
use super::{Context, now};

/// What a server that filters by Sieve (RFC 5228) can do before any program sees the mail.
const SIEVE: &str = "\
require [\"fileinto\", \"mailbox\"];
if header :is \"Kith-Version\" \"1.0\" { fileinto :create \"Kith\"; stop; }";

pub(super) async fn mailbox(context: &Context, command: &MailboxCommand) -> Result<(), Failure> {
    match command {
        MailboxCommand::Status => status(context),
        MailboxCommand::Sieve => {
            kith_core::implements!(
                kith_spec::req::FILE_SIEVE,
                // The person installs it: no script of others is touched.
                kith_spec::req::FILE_SIEVE_OWN
            );
            if context.output.is_json() {
                context.output.value(&json!({ "script": SIEVE }));
            }
            context.output.line(SIEVE);
            Ok(())
        }
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

fn status(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let files = !driver.files_nothing()?;
    let waiting = driver.agent().self_copies(driver.store())?.len();
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
