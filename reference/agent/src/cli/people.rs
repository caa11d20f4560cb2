//! Friends, requests and invites.

use kith_core::agent::invite::Invitation;
use kith_core::agent::view::{Direction, Request, View};
use kith_core::{ActError, Action, Done};
use serde_json::json;

use super::args::{Befriend, Decline, Invite};
use super::failure::Failure;
use super::output::{person, qr_code, safe, short, when};
use super::sync::finish;
use super::{Context, now, resolve};

/// Does an action that names nothing, and syncs.
async fn simply(
    context: &Context,
    mut driver: kith_agent::Driver,
    action: Action,
    line: &str,
) -> Result<(), Failure> {
    driver.act(action, now())?;
    context.output.line(line);
    finish(context, driver, json!({})).await
}

pub(super) async fn invite(context: &Context, invite: &Invite) -> Result<(), Failure> {
    use std::io::IsTerminal as _;
    let mut driver = context.profile.driver(false)?;
    let (done, _) = driver.act(Action::Invite, now())?;
    let Done::Invite(invitation) = done else {
        return Ok(());
    };
    let uri = invitation.uri();
    if context.output.is_json() {
        context
            .output
            .value(&json!({ "uri": uri, "expires": invitation.expires }));
        return Ok(());
    }
    context.output.line(&uri);
    if invite.qr || std::io::stdout().is_terminal() {
        context.output.line(&qr_code(&uri).unwrap_or_default());
    }
    let until = when(invitation.expires);
    context.output.line(&format!(
        "For one person, until {until}. Whoever has it becomes your friend without further question."
    ));
    Ok(())
}

pub(super) async fn befriend(context: &Context, befriend: Befriend) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let invite = befriend.who.trim().starts_with("kith:");
    let invite = if invite {
        let invite = Invitation::parse(&befriend.who);
        Some(invite.map_err(|error| kith_agent::DriverError::Act(ActError::Invite(error)))?)
    } else {
        None
    };
    let address = invite
        .as_ref()
        .map_or(befriend.who, |invite| invite.address.clone());
    let line = format!("You asked {}.", safe(&address));
    let action = Action::Befriend {
        address,
        note: befriend.note,
        invite,
    };
    let (done, _) = driver.act(action, now())?;
    context.output.line(&line);
    let Done::Object(id) = done else {
        return finish(context, driver, json!({})).await;
    };
    finish(context, driver, json!({ "request": hex::encode(id) })).await
}

pub(super) fn requests(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let requests = resolve::numbered(&driver)?;
    if context.output.is_json() {
        let all: Vec<&Request> = requests.iter().map(|(_, request)| request).collect();
        context.output.value(&all);
        return Ok(());
    }
    let view = driver.view(now());
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (number, request) in &requests {
        let state = match request.direction {
            Direction::Incoming => "asks you",
            Direction::Outgoing => "you asked",
            Direction::Accepted => "you accepted, not confirmed yet",
        };
        let who = person(request.name.as_deref(), &request.address);
        let by = introducer(&view, request.introduced.as_deref())?;
        let remarks = remarks(request, by);
        rows.push(vec![number.to_string(), who, state.to_owned(), remarks]);
    }
    for one in view.introductions()? {
        let known = |(_, request): &(usize, Request)| request.address == one.address;
        if !requests.iter().any(known) {
            let who = person(one.name.as_deref(), &one.address);
            let by = introducer(&view, Some(&one.by))?.unwrap_or_default();
            let note = format!("{by}; ask with `kith befriend`");
            rows.push(vec![String::new(), who, "not asked yet".to_owned(), note]);
        }
    }
    context
        .output
        .table(&["#", "who", "state", "note"], &rows, "No request waits.");
    let asked = |(_, request): &(usize, Request)| request.direction == Direction::Incoming;
    if requests.iter().any(asked) {
        context
            .output
            .line("\nAnswer with `kith accept #` or `kith decline #`.");
    }
    Ok(())
}

/// Who introduced somebody.
fn introducer(view: &View<'_>, by: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(by) = by.and_then(resolve::octets) else {
        return Ok(None);
    };
    Ok(Some(format!("introduced by {}", safe(&view.name(by)?))))
}

/// The note of a request and what the person should know about it.
fn remarks(request: &Request, introduced: Option<String>) -> String {
    let mut remarks: Vec<String> = request.note.as_deref().map(safe).into_iter().collect();
    remarks.extend(
        request
            .warning
            .as_deref()
            .map(|warning| format!("warning: {}", safe(warning))),
    );
    if !request.rivals.is_empty() {
        remarks.push("warning: another request claims the same address or name".to_owned());
    }
    let proved = request.authenticated || introduced.is_some();
    remarks.extend(introduced.map(|by| format!("({by})")));
    if request.direction == Direction::Incoming && !proved {
        remarks.push("(your server did not confirm the sender's domain)".to_owned());
    }
    if request.invited {
        remarks.push("(by invite)".to_owned());
    }
    remarks.join(" ")
}

pub(super) async fn accept(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let request = resolve::request(&driver, wanted, Direction::Incoming)?;
    let line = "Accepted. You are friends as soon as the other's kith confirms.";
    simply(context, driver, Action::Accept { request }, line).await
}

pub(super) async fn decline(context: &Context, decline: &Decline) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let request = resolve::request(&driver, &decline.request, Direction::Incoming)?;
    let line = if decline.tell {
        "Declined, and told."
    } else {
        "Declined; nobody is told."
    };
    simply(
        context,
        driver,
        Action::Decline {
            request,
            notify: decline.tell,
        },
        line,
    )
    .await
}

pub(super) async fn withdraw(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let request = resolve::request(&driver, wanted, Direction::Outgoing)?;
    let line = "Withdrawn: an answer to it will have no effect.";
    simply(context, driver, Action::Withdraw { request }, line).await
}

pub(super) async fn end(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let identity = resolve::anybody(&driver, wanted, false)?;
    simply(
        context,
        driver,
        Action::End { identity },
        "Ended; the other is told.",
    )
    .await
}

pub(super) async fn block(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let identity = resolve::anybody(&driver, wanted, false)?;
    simply(
        context,
        driver,
        Action::Block { identity },
        "Blocked; nobody is told.",
    )
    .await
}

pub(super) async fn unblock(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let identity = resolve::anybody(&driver, wanted, true)?;
    let line = "Unblocked. To be friends again, one of you must ask.";
    simply(context, driver, Action::Unblock { identity }, line).await
}

pub(super) fn friends(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let friends = driver.view(now()).friends()?;
    if context.output.is_json() {
        context.output.value(&friends);
        return Ok(());
    }
    let row = |friend: &kith_core::agent::view::Friend| {
        vec![
            person(friend.name.as_deref(), &friend.address),
            when(friend.since),
            short(&friend.identity).to_owned(),
        ]
    };
    let mut rows: Vec<Vec<String>> = friends.iter().map(row).collect();
    rows.sort();
    context.output.table(
        &["who", "since", "identity"],
        &rows,
        "No friends yet: `kith invite` makes an invite, `kith befriend ADDRESS` asks somebody.",
    );
    Ok(())
}
