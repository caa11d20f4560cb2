//! The own page, its followers, and following the pages of others.

use clap::{Args as Arguments, Subcommand};
use kith_agent::Driver;
use kith_core::agent::follow::{FollowingState, PageName};
use kith_core::agent::view::{Follower, Page};
use kith_core::kinds::page::Face;
use kith_core::{Action, Done};
use serde_json::json;

use super::failure::Failure;
use super::output::{person, safe, short, when};
use super::sync::finish;
use super::talk::{say, text};
use super::{Context, now, resolve};

/// What to do with pages.
#[derive(Debug, Subcommand)]
pub(super) enum PageCommand {
    /// Show your page and those that you follow
    List,
    /// Make your page, or change it
    Set(Set),
    /// Publish a post to everybody who follows your page
    Post {
        /// The text, or `-` to read it from standard input
        text: String,
    },
    /// Show who follows your page
    Followers,
    /// Remove a follower of your page
    Remove {
        /// An address, or the beginning of an identity
        #[arg(value_name = "FOLLOWER")]
        follower: String,
    },
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
A page is public: everybody may read it, and follow it without being asked for. What you write to
friends never goes there.

Examples:
  kith page set 'Choir of Vienna' --about 'We sing on Fridays.' --link https://choir.example=Website
  kith page set --list choir@lists.example --comments no")]
pub(super) struct Set {
    /// Its name; it has to be given the first time
    name: Option<String>,
    /// What it is about
    #[arg(long, value_name = "TEXT")]
    about: Option<String>,
    /// What it is, in a word or two
    #[arg(long, value_name = "TEXT")]
    category: Option<String>,
    /// A place elsewhere, with a label; these replace the earlier ones
    #[arg(long, value_name = "URL=LABEL")]
    link: Vec<String>,
    /// Whether followers may comment [default: yes]
    #[arg(long, value_parser = ["yes", "no"])]
    comments: Option<String>,
    /// The address of a mailing list that carries what you publish
    #[arg(long, value_name = "ADDRESS")]
    list: Option<String>,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
By an address, the page sends to you what it publishes. By an identity nothing is sent: join the
mailing list of the page by its own means.

Examples:
  kith follow choir@example.org
  kith follow 9e5f…64 hexadecimal digits…")]
pub(super) struct Follow {
    /// The page: its address, or its whole identity
    #[arg(value_name = "ADDRESS|ID")]
    page: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Unfollow {
    /// The page: its address, its name, or the beginning of its identity
    #[arg(value_name = "PAGE")]
    page: String,
}

pub(super) async fn page(context: &Context, command: &PageCommand) -> Result<(), Failure> {
    match command {
        PageCommand::List => list(context),
        PageCommand::Set(set) => self::set(context, set).await,
        PageCommand::Post { text: words } => {
            let driver = context.profile.driver(!context.offline)?;
            let text = text(words)?;
            say(context, driver, Action::Publish { text }).await
        }
        PageCommand::Followers => followers(context),
        PageCommand::Remove { follower } => remove(context, follower).await,
    }
}

/// The own page.
fn own(driver: &Driver) -> Result<Option<Face>, Failure> {
    let pages = driver.view(now()).pages()?;
    let own = pages.into_iter().find(|page| page.state.is_none());
    Ok(own.and_then(|page| page.face))
}

async fn set(context: &Context, set: &Set) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let known = own(&driver)?;
    let name = set.name.clone();
    let mut face = match (known, name) {
        (Some(face), None) => face,
        (Some(face), Some(name)) => Face { name, ..face },
        (None, Some(name)) => Face {
            name,
            description: None,
            category: None,
            links: Vec::new(),
            comments: true,
            list: None,
        },
        (None, None) => return Err(Failure::Missing("the name of the page")),
    };
    let over = |new: &Option<String>, old: &mut Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    over(&set.about, &mut face.description);
    over(&set.category, &mut face.category);
    over(&set.list, &mut face.list);
    if let Some(comments) = &set.comments {
        face.comments = comments == "yes";
    }
    if !set.link.is_empty() {
        face.links = set.link.iter().map(|link| labelled(link)).collect();
    }
    driver.act(Action::Page(face), now())?;
    context
        .output
        .line("Your page is there. Everybody who follows it will know.");
    finish(context, driver, json!({})).await
}

/// `URL=LABEL`; a URL may hold `=`, a label doesn't.
fn labelled(link: &str) -> (String, String) {
    let (url, label) = link.rsplit_once('=').unwrap_or((link, link));
    (url.to_owned(), label.to_owned())
}

async fn remove(context: &Context, wanted: &str) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let followers = driver.view(now()).followers()?.into_iter();
    let named = followers.map(|one| (one.identity, Some(one.address), one.name));
    let identity = resolve::identity(named, wanted, "follower", "page followers")?;
    driver.act(Action::RemoveFollower { identity }, now())?;
    context.output.line("Removed, and told.");
    finish(context, driver, json!({})).await
}

pub(super) async fn follow(context: &Context, follow: &Follow) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let wanted = follow.page.trim();
    let (action, line) = match resolve::octets(wanted) {
        Some(identity) => (
            Action::FollowId { identity },
            "Followed: its posts come by its mailing list, which you have to join.",
        ),
        None => (
            Action::Follow {
                address: wanted.to_owned(),
            },
            "You asked to follow; the page answers by itself.",
        ),
    };
    let (done, _) = driver.act(action, now())?;
    context.output.line(line);
    let done = match done {
        Done::Object(id) => json!({ "request": hex::encode(id) }),
        _ => json!({}),
    };
    finish(context, driver, done).await
}

pub(super) async fn unfollow(context: &Context, unfollow: &Unfollow) -> Result<(), Failure> {
    let mut driver = context.profile.driver(!context.offline)?;
    let wanted = unfollow.page.trim();
    let pages = driver.view(now()).pages()?.into_iter();
    let followed = pages.filter(|page| page.state.is_some());
    let named = followed.filter_map(|page| {
        let name = page.face.map(|face| face.name);
        Some((page.identity?, page.address, name))
    });
    let page = match resolve::identity(named, wanted, "page that you follow", "page list") {
        Ok(identity) => PageName::Identity(identity),
        // One that did not answer yet has no identity.
        Err(_) if wanted.contains('@') => PageName::Address(wanted.to_owned()),
        Err(failure) => return Err(failure),
    };
    driver.act(Action::Unfollow { page }, now())?;
    context.output.line("You don't follow it any more.");
    finish(context, driver, json!({})).await
}

fn list(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let pages = driver.view(now()).pages()?;
    if context.output.is_json() {
        context.output.value(&pages);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = pages.iter().map(row).collect();
    let none = "No pages: `kith follow ADDRESS` follows one, `kith page set NAME` makes yours.";
    context
        .output
        .table(&["page", "state", "about", "identity"], &rows, none);
    Ok(())
}

fn row(page: &Page) -> Vec<String> {
    let state = match page.state {
        None => "yours",
        Some(FollowingState::Asked) => "you asked",
        Some(FollowingState::Following) => "you follow",
        Some(FollowingState::Listed) => "by its list",
    };
    let name = page.face.as_ref().map(|face| face.name.as_str());
    let who = match (name, &page.address) {
        (name, Some(address)) => person(name, address),
        (Some(name), None) => safe(name),
        (None, None) => String::new(),
    };
    let mut about: Vec<String> = Vec::new();
    if let Some(face) = &page.face {
        about.extend(face.category.as_deref().map(safe));
        about.extend(face.description.as_deref().map(safe));
        let link = |(url, label): &(String, String)| format!("{}: {}", safe(label), safe(url));
        about.extend(face.links.iter().map(link));
        about.extend((!face.comments).then(|| "takes no comments".to_owned()));
        let list = face.list.as_deref();
        about.extend(list.map(|list| format!("mailing list {}", safe(list))));
    }
    let identity = page.identity.as_deref().map(short).unwrap_or_default();
    vec![who, state.to_owned(), about.join("\n"), identity.to_owned()]
}

fn followers(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let followers = driver.view(now()).followers()?;
    if context.output.is_json() {
        context.output.value(&followers);
        return Ok(());
    }
    let row = |follower: &Follower| {
        vec![
            person(follower.name.as_deref(), &follower.address),
            follower
                .since
                .map_or_else(|| "not confirmed yet".to_owned(), when),
            short(&follower.identity).to_owned(),
        ]
    };
    let mut rows: Vec<Vec<String>> = followers.iter().map(row).collect();
    rows.sort();
    let none = "Nobody follows your page yet.";
    context
        .output
        .table(&["who", "since", "identity"], &rows, none);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_a_label() {
        let pair = |url: &str, label: &str| (url.to_owned(), label.to_owned());
        assert_eq!(
            labelled("https://a.example/?q=1=Search"),
            pair("https://a.example/?q=1", "Search")
        );
        assert_eq!(
            labelled("https://a.example"),
            pair("https://a.example", "https://a.example")
        );
    }
}
