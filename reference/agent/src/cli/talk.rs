//! Messages and posts.

use std::io::Read as _;

use kith_agent::Driver;
use kith_core::agent::view::{DeliveryState, Direction};
use kith_core::kinds::post::NewPost;
use kith_core::{Action, Done};
use serde_json::json;

use super::args::{Edit, Hand, Message, Post, Resend, Retract};
use super::failure::Failure;
use super::output::{person, safe, short, when};
use super::sync::finish;
use super::{Context, circle, media, now, resolve};

/// Octets of a text that are read from standard input; a document can't hold more.
const MOST: u64 = kith_spec::limit::XML_OCTETS;

pub(super) fn text(given: &str) -> Result<String, Failure> {
    let mut text = given.to_owned();
    if given == "-" {
        text.clear();
        let mut input = std::io::stdin().take(MOST + 1);
        let read = input.read_to_string(&mut text);
        read.map_err(|error| Failure::System("reading the text", error))?;
    }
    let text = text.replace("\r\n", "\n").trim_end().to_owned();
    if text.is_empty() {
        Err(Failure::NoText)
    } else {
        Ok(text)
    }
}

pub(super) async fn say(
    context: &Context,
    mut driver: Driver,
    action: Action,
) -> Result<(), Failure> {
    let (done, _) = driver.act(action, now())?;
    let Done::Object(id) = done else {
        return finish(context, driver, json!({})).await;
    };
    let id = hex::encode(id);
    context.output.line(&format!("Written, id {}.", short(&id)));
    finish(context, driver, json!({ "id": id })).await
}

pub(super) async fn message(context: &Context, message: Message) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let friend = resolve::friend(&driver, &message.friend)?;
    let nobody = Failure::Nobody {
        what: "friend",
        wanted: message.friend,
        list: "friends",
    };
    let to = resolve::octets(&friend.identity).ok_or(nobody)?;
    let parent = match &message.reply_to {
        Some(id) => {
            let said = resolve::said(&driver, id, false)?;
            Some((said.author, said.id))
        }
        None => None,
    };
    let action = Action::Message {
        to,
        text: text(&message.text)?,
        parent,
        media: media::attachments(&message.media)?,
    };
    say(context, driver, action).await
}

pub(super) async fn post(context: &Context, post: &Post) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let mut attached = media::attachments(&post.media)?;
    if let Some(link) = &post.link {
        attached.push(media::linked(
            link,
            post.link_file.as_deref(),
            post.encrypt.as_deref(),
        )?);
    }
    let mut mentions = Vec::new();
    for wanted in &post.mention {
        let friend = resolve::friend(&driver, wanted)?;
        let name = friend.name.clone().unwrap_or(friend.address);
        mentions.extend(resolve::octets(&friend.identity).map(|id| (id, name)));
    }
    let to = circle::readers(&driver, &post.to)?;
    let new = NewPost {
        text: match &post.text {
            Some(given) => text(given)?,
            None => String::new(),
        },
        mentions,
        media: attached,
        to,
    };
    say(context, driver, Action::Post(new)).await
}

pub(super) async fn hand(context: &Context, hand: &Hand) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let id = resolve::said(&driver, &hand.id, true)?.id;
    let to = circle::people(&driver, &hand.to)?;
    driver.act(Action::Widen { id, to }, now())?;
    context.output.line("Handed on.");
    finish(context, driver, json!({})).await
}

pub(super) async fn edit(context: &Context, edit: &Edit) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let id = resolve::said(&driver, &edit.id, true)?.id;
    say(
        context,
        driver,
        Action::Edit {
            id,
            text: text(&edit.text)?,
        },
    )
    .await
}

pub(super) async fn retract(context: &Context, retract: &Retract) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let id = resolve::said(&driver, &retract.id, true)?.id;
    if !retract.from.is_empty() {
        let from = circle::people(&driver, &retract.from)?;
        driver.act(Action::Narrow { id, from }, now())?;
        context
            .output
            .line("Taken back from them; the others keep it.");
        return finish(context, driver, json!({})).await;
    }
    driver.act(Action::Retract { id }, now())?;
    context.output.line("Taken back from everybody who got it.");
    finish(context, driver, json!({})).await
}

pub(super) async fn resend(context: &Context, resend: &Resend) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let (id, line) = match resolve::said(&driver, &resend.id, true) {
        Ok(said) => (said.id, "What came back is sent again."),
        Err(nobody @ Failure::Nobody { .. }) => {
            let request = resolve::request(&driver, &resend.id, Direction::Outgoing);
            (request.map_err(|_| nobody)?, "The request is sent again.")
        }
        Err(other) => return Err(other),
    };
    driver.act(Action::Resend { id }, now())?;
    context.output.line(line);
    finish(context, driver, json!({})).await
}

pub(super) fn messages(context: &Context, friend: Option<&str>) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let with = match friend {
        Some(wanted) => resolve::octets(&resolve::friend(&driver, wanted)?.identity),
        None => None,
    };
    let view = driver.view(now());
    let messages = view.messages(with)?;
    if context.output.is_json() {
        context.output.value(&messages);
        return Ok(());
    }
    if messages.is_empty() {
        context.output.line("No messages.");
    }
    let own = hex::encode(driver.agent().own().id);
    for message in &messages {
        let mine = message.author == own;
        let other = if mine { &message.to } else { &message.author };
        let other = match resolve::octets(other) {
            Some(id) => view.name(id)?,
            None => other.clone(),
        };
        let who = if mine {
            format!("you to {other}")
        } else {
            other
        };
        let mut rest = vec![when(message.created), short(&message.id).to_owned()];
        rest.extend((message.rev > 1).then(|| "edited".to_owned()));
        rest.extend(message.delivery.map(|state| delivery(state).to_owned()));
        rest.extend(protection(&driver, message.protected));
        context.output.entry(
            &who,
            &rest.join(", "),
            &media::shown(&message.text, &message.media),
        );
    }
    Ok(())
}

/// How the mails that carried something were encrypted, in a word. Without a word it was
/// classical; who has post-quantum keys is told that too.
pub(super) fn protection(driver: &Driver, protected: Option<bool>) -> Option<String> {
    let word = match protected? {
        true => Some("post-quantum"),
        false => (driver.agent().own().is_protected()).then_some("not post-quantum"),
    };
    word.map(str::to_owned)
}

fn delivery(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Queued => "waits to be sent",
        DeliveryState::Sent => "sent",
        DeliveryState::Acknowledged => "arrived",
        DeliveryState::Bounced => "not delivered",
    }
}

pub(super) fn timeline(context: &Context, last: usize) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let view = driver.view(now());
    let posts = view.timeline(last)?;
    if context.output.is_json() {
        context.output.value(&posts);
        return Ok(());
    }
    if posts.is_empty() {
        context
            .output
            .line("No posts yet: `kith post TEXT` writes one to all friends.");
    }
    let own = driver.agent().own();
    for post in &posts {
        let mine = post.author == hex::encode(own.id);
        let who = if mine {
            person(own.name.as_deref(), &own.address)
        } else {
            post.name.clone()
        };
        let mut rest = vec![when(post.created), short(&post.id).to_owned()];
        rest.extend((post.rev > 1).then(|| "edited".to_owned()));
        let copies = match mine {
            true => view.deliveries_of(&post.kind, &post.id)?,
            false => Vec::new(),
        };
        let lost = copies
            .iter()
            .filter(|copy| copy.state == DeliveryState::Bounced);
        rest.extend(lost.map(|copy| format!("not delivered to {}", safe(&copy.address))));
        rest.extend(protection(&driver, post.protected));
        context.output.entry(
            &who,
            &rest.join(", "),
            &media::shown(&post.text, &post.media),
        );
    }
    Ok(())
}
