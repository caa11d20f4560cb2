//! Syncing, once or for ever, and what waits.

use std::sync::Arc;
use std::time::Duration;

use kith_agent::driver::Resting;
use kith_agent::{Auth, Driver, Problem, Report};
use kith_core::Strict;
use kith_core::agent::outbox::Submission;
use serde_json::{Value, json};

use super::args::Sync;
use super::config::Config;
use super::failure::Failure;
use super::output::{person, report_value, safe, when};
use super::{Context, now};

/// How long a server is trusted to tell of new mail before the mailbox is looked at anyway.
const LOOK: Duration = Duration::from_secs(300);
/// The shortest pause after a failure.
const PAUSE: Duration = Duration::from_secs(30);

async fn run(context: &Context, driver: &mut Driver) -> Result<Report, Failure> {
    let _spinner = context.output.spinner("talking to the mail servers …");
    Ok(driver.sync(now()).await?)
}

/// Ends an action: sends what it queued, unless the person wants to stay offline.
pub(super) async fn finish(
    context: &Context,
    mut driver: Driver,
    mut done: Value,
) -> Result<(), Failure> {
    if context.profile.rehearses() {
        return rehearsed(context, &driver, done);
    }
    if context.offline {
        if context.output.is_json() {
            context.output.value(&done);
        } else if waiting(&driver)? > 0 {
            context.output.line("It waits here until `kith sync`.");
        }
        return Ok(());
    }
    let report = run(context, &mut driver).await?;
    context.output.report(&report, true);
    if context.output.is_json() {
        done["sync"] = report_value(&report);
        context.output.value(&done);
    }
    Failure::of(&report.problems).map_or(Ok(()), Err)
}

/// Ends an action that was only tried: shows the mails that it would send.
fn rehearsed(context: &Context, driver: &Driver, mut done: Value) -> Result<(), Failure> {
    let before = context.profile.open_store()?;
    let outbox = |store| driver.agent().outbox(store, i64::MAX, usize::MAX);
    let known: Vec<u64> = outbox(&before)?.iter().map(|mail| mail.number).collect();
    let mut mails = outbox(driver.store())?;
    mails.retain(|mail| !known.contains(&mail.number));
    if context.output.is_json() {
        let mails = mails.iter();
        let shown = mails.map(|mail| json!({ "to": mail.to, "octets": mail.octets.len() }));
        done["would_send"] = shown.collect();
        context.output.value(&done);
        return Ok(());
    }
    let row = |mail: &Submission| {
        let to: Vec<String> = mail.to.iter().map(|to| safe(to)).collect();
        vec![to.join(", "), mail.octets.len().to_string()]
    };
    let rows: Vec<Vec<String>> = mails.iter().map(row).collect();
    context
        .output
        .line("Only tried; nothing was changed or sent. It would send:");
    context.output.table(&["to", "octets"], &rows, "no mail");
    Ok(())
}

fn waiting(driver: &Driver) -> Result<usize, Failure> {
    Ok(driver.agent().waiting(driver.store())?)
}

pub(super) async fn sync(context: &Context, sync: &Sync) -> Result<(), Failure> {
    if sync.watch {
        return watch(context, Duration::from_secs(sync.poll.max(1))).await;
    }
    let mut driver = context.profile.driver(true)?;
    let report = run(context, &mut driver).await?;
    context.output.report(&report, false);
    if context.output.is_json() {
        context.output.value(&report_value(&report));
    }
    Failure::of(&report.problems).map_or(Ok(()), Err)
}

async fn watch(context: &Context, poll: Duration) -> Result<(), Failure> {
    let config = Config::read(&context.profile.config())?;
    let account = context.profile.account(&config, true)?;
    let secret = context.profile.secret(&config);
    let mut resting = Resting::new(Arc::new(Strict), account);
    let end = tokio::signal::ctrl_c();
    tokio::pin!(end);
    context.output.line("Watching; end with Ctrl-C.");
    loop {
        if config.auth == Auth::Oauth2 {
            // The last token may be too old for a new connection.
            match secret.read() {
                Ok(token) => resting.renew(token),
                Err(failure) => context.output.warning(&failure.to_string()),
            }
        }
        let mut driver = resting
            .wake(context.profile.open_store()?)?
            .keeping_connection();
        let report = driver.sync(now()).await?;
        if context.output.is_json() {
            context.output.value(&report_value(&report));
        }
        context.output.report(&report, true);
        // What was put off is no reason not to wait for mail.
        let put_off = |problem: &Problem| matches!(problem, Problem::PutOff { .. });
        let mut problems = report.problems;
        problems.retain(|problem| !put_off(problem));
        let failed = Failure::of(&problems).is_some();
        let due = report
            .next_due
            .map_or(u64::MAX, |at| u64::try_from(at - now()).unwrap_or(0));
        let most = Duration::from_secs(due.max(1)).min(LOOK);
        // While it waits, other commands may use the store.
        let (rest, store) = driver.rest();
        drop(store);
        resting = rest;
        let wait = async {
            if failed {
                tokio::time::sleep(most.max(PAUSE)).await;
            } else if let Err(error) = resting.wait(most, poll).await {
                context.output.warning(&error.to_string());
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            () = wait => {}
            _ = &mut end => break,
        }
    }
    resting.close().await;
    Ok(())
}

pub(super) fn status(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let view = driver.view(now());
    let own = driver.agent().own();
    let (friends, requests) = (view.friends()?.len(), view.requests()?.len());
    let relations = view.relations()?;
    let (gaps, waiting) = (view.gaps()?, waiting(&driver)?);
    let due = driver.agent().next_due(driver.store())?;
    if context.output.is_json() {
        context.output.value(&json!({
            "address": own.address, "name": own.name, "identity": hex::encode(own.id),
            "friends": friends, "requests": requests, "waiting": waiting, "gaps": gaps,
            "next_due": due, "relations": relations,
        }));
        return Ok(());
    }
    let who = person(own.name.as_deref(), &own.address);
    context.output.heading(&who);
    context
        .output
        .line(&format!("identity  {}", hex::encode(own.id)));
    context.output.line(&format!("friends   {friends}"));
    context.output.line(&format!("requests  {requests}"));
    context.output.line(&format!("unsent    {waiting}"));
    if let Some(due) = due {
        let due = if due > now() {
            when(due)
        } else {
            "now".to_owned()
        };
        context.output.line(&format!("next due  {due}"));
    }
    for gap in &gaps {
        let missing: Vec<String> = gap
            .missing
            .iter()
            .take(10)
            .map(ToString::to_string)
            .collect();
        let from = super::resolve::octets(&gap.identity);
        let from = from
            .map(|id| view.name(id))
            .transpose()?
            .unwrap_or_default();
        let numbers = missing.join(", ");
        context.output.warning(&format!(
            "mail from {from} is missing (numbers {numbers}); it was asked for again"
        ));
    }
    let rows: Vec<Vec<String>> = relations
        .iter()
        .map(|relation| {
            let state = serde_json::to_value(relation.state).unwrap_or_default();
            let identity = relation.identity.as_deref().unwrap_or_default();
            vec![
                safe(relation.address.as_deref().unwrap_or_default()),
                state.as_str().unwrap_or_default().to_owned(),
                super::output::short(identity).to_owned(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        context.output.line("");
        context
            .output
            .table(&["relation", "state", "identity"], &rows, "");
    }
    Ok(())
}
