//! What stands under posts: comments, reactions, shares and hiding.

use clap::Args as Arguments;
use kith_agent::Driver;
use kith_core::agent::view::Thread;
use kith_core::{Action, Done};
use serde_json::json;

use super::failure::Failure;
use super::output::{safe, short, when};
use super::sync::finish;
use super::talk::{protection, say, text};
use super::{Context, now, resolve};

#[derive(Debug, Arguments)]
#[command(after_help = "\
The comment goes to the author of the post, who passes it on to all readers of the post, unless you
say --private. Under the post of a page, its readers are all who follow the page.")]
pub(super) struct Comment {
    /// The id of a post or comment, or its beginning
    under: String,
    /// The text, or `-` to read it from standard input
    text: String,
    /// For the author of the post alone
    #[arg(long)]
    private: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct React {
    /// The id of a post or comment, or its beginning
    to: String,
    /// Emoji or short words, all that you feel; none takes it back
    symbols: Vec<String>,
    /// For the author of the post alone
    #[arg(long)]
    private: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Share {
    /// The id of a public post, or its beginning
    post: String,
    /// Words of your own, or `-` to read them from standard input
    text: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Hide {
    /// The id of a comment, or its beginning
    comment: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Relaying {
    /// The id of a post of yours, or its beginning
    post: String,
    /// Keep comments to yourself from now on
    #[arg(long)]
    stop: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct ThreadOf {
    /// Only under this post: its id, or the beginning of it
    post: Option<String>,
}

pub(super) async fn comment(context: &Context, comment: &Comment) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let spot = resolve::spot(&driver, &comment.under)?;
    let action = Action::Comment {
        root: spot.root,
        parent: spot.comment,
        text: text(&comment.text)?,
        private: comment.private,
    };
    say(context, driver, action).await
}

pub(super) async fn react(context: &Context, react: &React) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let spot = resolve::spot(&driver, &react.to)?;
    let action = Action::React {
        root: spot.root,
        parent: spot.comment,
        symbols: react.symbols.clone(),
        private: react.private,
    };
    driver.act(action, now())?;
    let line = match react.symbols.as_slice() {
        [] => "Taken back.".to_owned(),
        symbols => format!("You feel: {}", symbols.join(" ")),
    };
    context.output.line(&line);
    finish(context, driver, json!({})).await
}

pub(super) async fn share(context: &Context, share: &Share) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let post = resolve::public_post(&driver, &share.post)?;
    let words = share.text.as_deref().map(text).transpose()?;
    say(context, driver, Action::Share { post, text: words }).await
}

pub(super) async fn hide(context: &Context, hide: &Hide) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let spot = resolve::spot(&driver, &hide.comment)?;
    let target = spot.comment.ok_or_else(|| Failure::Nobody {
        what: "comment",
        wanted: hide.comment.clone(),
        list: "thread",
    })?;
    let (done, _) = driver.act(Action::Hide { target }, now())?;
    let Done::Object(id) = done else {
        return finish(context, driver, json!({})).await;
    };
    let id = hex::encode(id);
    let line = format!("Hidden from all readers. To show it again: kith retract {id}");
    context.output.line(&line);
    finish(context, driver, json!({ "id": id })).await
}

pub(super) async fn relaying(context: &Context, relaying: &Relaying) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let id = resolve::said(&driver, &relaying.post, true)?.id;
    let allow = !relaying.stop;
    driver.act(Action::Relaying { id, allow }, now())?;
    context.output.line(match allow {
        true => "Comments under it go on to its readers.",
        false => "Comments under it stay with you.",
    });
    finish(context, driver, json!({})).await
}

pub(super) fn thread(context: &Context, of: &ThreadOf) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let mut threads = driver.view(now()).threads()?;
    if let Some(wanted) = &of.post {
        let (author, id) = resolve::spot(&driver, wanted)?.root;
        let (author, id) = (hex::encode(author), hex::encode(id));
        threads.retain(|thread| thread.author == author && thread.id == id);
    }
    if context.output.is_json() {
        context.output.value(&threads);
        return Ok(());
    }
    if threads.is_empty() {
        context.output.line("Nobody said anything.");
    }
    for thread in &threads {
        show(context, &driver, thread);
    }
    Ok(())
}

fn show(context: &Context, driver: &Driver, thread: &Thread) {
    let title = format!("Under the {} {}:", thread.kind, short(&thread.id));
    context.output.line(&title);
    for comment in &thread.comments {
        let mut rest = vec![when(comment.created), short(&comment.id).to_owned()];
        rest.extend((comment.rev > 1).then(|| "edited".to_owned()));
        rest.extend(comment.private.then(|| "for the author alone".to_owned()));
        let answered = comment.parent.as_ref();
        rest.extend(answered.map(|(_, id)| format!("to {}", short(id))));
        rest.extend(protection(driver, comment.protected));
        let who = &comment.speaker.name;
        context.output.entry(who, &rest.join(", "), &comment.text);
    }
    for reaction in &thread.reactions {
        let (who, symbols) = (&reaction.speaker.name, reaction.symbols.join(" "));
        let to = hex::encode(reaction.target.id);
        let mut line = format!(
            "{} feels {} about {}",
            safe(who),
            safe(&symbols),
            short(&to)
        );
        if let Some(protection) = protection(driver, reaction.protected) {
            line = format!("{line}, {protection}");
        }
        context.output.line(&line);
    }
}
