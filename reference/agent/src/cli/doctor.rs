//! `kith doctor`: what works, what doesn't, and what to do.

use std::sync::Arc;

use kith_agent::connect::Dialer;
use kith_agent::mailbox::Folder;
use kith_agent::{Account, Driver, Mailbox, Submission};
use kith_core::Strict;
use serde_json::json;

use super::config::Config;
use super::failure::Failure;
use super::output::{safe, when};
use super::secret::unexposed;
use super::{Context, now};

/// What was looked at.
struct Findings<'a> {
    context: &'a Context,
    all: Vec<(String, bool, String)>,
}

impl Findings<'_> {
    fn add(&mut self, what: &str, outcome: Result<String, String>) {
        let fine = outcome.is_ok();
        let (Ok(text) | Err(text)) = outcome;
        self.context
            .output
            .check(fine, &format!("{what}: {}", safe(&text)));
        self.all.push((what.to_owned(), fine, text));
    }

    fn end(self) -> Result<(), Failure> {
        if self.context.output.is_json() {
            let finding = |(what, fine, text): &(String, bool, String)| json!({ "check": what, "ok": fine, "text": text });
            self.context
                .output
                .value(&self.all.iter().map(finding).collect::<Vec<_>>());
        }
        if self.all.iter().all(|(_, fine, _)| *fine) {
            Ok(())
        } else {
            Err(Failure::Unwell)
        }
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

pub(super) async fn doctor(context: &Context) -> Result<(), Failure> {
    let mut findings = Findings {
        context,
        all: Vec::new(),
    };
    let path = context.profile.config();
    let config = match Config::read(&path) {
        Ok(config) => config,
        Err(failure) => {
            findings.add("configuration", Err(text(failure)));
            return findings.end();
        }
    };
    findings.add("configuration", Ok(path.display().to_string()));
    let secret = context.profile.secret(&config);
    findings.add(secret.what(), secret.check());
    let store = context.profile.store();
    findings.add(
        "store",
        unexposed(&store).and_then(|()| inspect(context, &config)),
    );
    match context.profile.account(&config, true) {
        Ok(account) if !context.offline => servers(&mut findings, &account, &config.address).await,
        Ok(_) => {}
        Err(failure) => {
            let failure = text(failure);
            if !findings.all.iter().any(|(_, _, known)| *known == failure) {
                findings.add("account", Err(failure));
            }
        }
    }
    findings.end()
}

/// Store, keys and the time of the last sync.
fn inspect(context: &Context, config: &Config) -> Result<String, String> {
    let account = context.profile.account(config, false).map_err(text)?;
    let store = context.profile.open_store().map_err(text)?;
    store.check().map_err(text)?;
    let driver = Driver::open(Arc::new(Strict), store, account).map_err(text)?;
    let own = driver.agent().own();
    own.certificate_armor().map_err(text)?;
    if own.address != config.address {
        return Err(format!(
            "it belongs to {}, the configuration to {}; use another folder for each",
            own.address, config.address
        ));
    }
    driver.check_clock(now()).map_err(text)?;
    Ok(format!("sound, keys of {}", own.address))
}

async fn servers(findings: &mut Findings<'_>, account: &Account, address: &str) {
    let dialer = match Dialer::new(&account.roots, account.patience) {
        Ok(dialer) => dialer,
        Err(error) => return findings.add("trusted authorities", Err(text(error))),
    };
    let submission = match Submission::open(&dialer, account).await {
        Ok(mut submission) => {
            let sender = submission.try_sender(address).await;
            submission.close().await;
            sender.map_err(text).map(|()| {
                format!(
                    "{}, logged in as {}, takes mail of {address}",
                    account.submission, account.user
                )
            })
        }
        Err(error) => Err(text(error)),
    };
    findings.add("submission", submission);
    match Mailbox::open(&dialer, account, Arc::new(Strict)).await {
        Ok(mut mailbox) => {
            findings.add(
                "mailbox",
                Ok(format!(
                    "{}, logged in as {}",
                    account.mailbox, account.user
                )),
            );
            findings.add("folders", folders(&mut mailbox).await);
            findings.add("clock", clock(&mut mailbox).await);
            mailbox.close().await;
        }
        Err(error) => findings.add("mailbox", Err(text(error))),
    }
}

async fn folders(mailbox: &mut Mailbox) -> Result<String, String> {
    if !mailbox.can_move() {
        let advice = "the server has neither MOVE nor UIDPLUS, so Kith mail stays in INBOX; \
            ask the provider, or let a filter of the server sort it";
        return Err(advice.to_owned());
    }
    let mut names = Vec::new();
    for folder in [Folder::Kith, Folder::Refused] {
        let there = mailbox.has(folder).await.map_err(text)?;
        let missing = if there { "" } else { " (made when needed)" };
        names.push(format!("{}{missing}", mailbox.name(folder)));
    }
    Ok(names.join(", "))
}

/// The clock, compared with the newest mail in INBOX.
async fn clock(mailbox: &mut Mailbox) -> Result<String, String> {
    let position = mailbox.select(Folder::Inbox).await.map_err(text)?;
    let mut newest = None;
    if position.exists > 0 {
        let uid = mailbox.uid_at(position.exists).await.map_err(text)?;
        let last = mailbox
            .list_from(uid.unwrap_or(u32::MAX))
            .await
            .map_err(text)?;
        newest = last.iter().filter_map(|mail| mail.internal_date).max();
    }
    let now = now();
    match newest {
        Some(newest) if newest > now + kith_spec::limit::CLOCK_SKEW_SECONDS as i64 => Err(format!(
            "this computer's clock says {}, but the newest mail is of {}; set the clock",
            when(now),
            when(newest)
        )),
        _ => Ok(when(now)),
    }
}
