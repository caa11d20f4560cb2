//! Apps that two friends share: instances and their updates. The program behind an app calls these
//! commands with `--json`.

use std::path::PathBuf;

use clap::{Args as Arguments, Subcommand};
use kith_agent::Driver;
use kith_core::Action;
use kith_core::agent::view::App;
use kith_core::kinds::app_update::Said;

use super::failure::Failure;
use super::output::{safe, short};
use super::talk::say;
use super::{Context, now, resolve};

/// What to do with apps.
#[derive(Debug, Subcommand)]
pub(super) enum AppCommand {
    /// Show the apps that you share
    List,
    /// Show what happened in an app
    Show {
        /// The id of the app, or its beginning
        id: String,
    },
    /// Begin an app with a friend
    Start(Start),
    /// Add an update to an app
    Update(Update),
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Example:
  kith app start bob@example.net urn:example:chess 'Our game'")]
pub(super) struct Start {
    /// An address, a name, or the beginning of an identity
    #[arg(value_name = "FRIEND")]
    friend: String,
    /// The URI of the app's type, by which programs know it
    #[arg(value_name = "URI")]
    app_type: String,
    /// The name of this instance
    name: String,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Example:
  kith app update 1f0c9ab2 --info 'Alice moves e2-e4' --summary 'Black to move' --data move.json")]
pub(super) struct Update {
    /// The id of the app, or its beginning
    id: String,
    /// What happened, for people
    #[arg(long, value_name = "TEXT")]
    info: Option<String>,
    /// What stands next to the app's name from now on
    #[arg(long, value_name = "TEXT")]
    summary: Option<String>,
    /// A file with what the program says to its copies
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
}

pub(super) async fn app(context: &Context, command: &AppCommand) -> Result<(), Failure> {
    match command {
        AppCommand::List => list(context),
        AppCommand::Show { id } => show(context, id),
        AppCommand::Start(start) => self::start(context, start).await,
        AppCommand::Update(update) => self::update(context, update).await,
    }
}

async fn start(context: &Context, start: &Start) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let friend = resolve::friend(&driver, &start.friend)?;
    let action = Action::App {
        with: resolve::id(&friend.identity, "friend", "friends")?,
        app_type: start.app_type.clone(),
        name: start.name.clone(),
    };
    say(context, driver, action).await
}

async fn update(context: &Context, update: &Update) -> Result<(), Failure> {
    let driver = context.profile.driver(!context.offline)?;
    let found = find(&driver, &update.id)?;
    let author = resolve::id(&found.author, "app", "app list")?;
    let id = resolve::id(&found.id, "app", "app list")?;
    let read = |file: &PathBuf| {
        std::fs::read(file).map_err(|error| Failure::Unreadable(file.clone(), error))
    };
    let said = Said {
        info: update.info.clone(),
        summary: update.summary.clone(),
        data: update.data.as_ref().map(read).transpose()?,
    };
    let app = (author, id);
    say(context, driver, Action::AppUpdate { app, said }).await
}

/// An app, by the beginning of its id, or its name.
fn find(driver: &Driver, wanted: &str) -> Result<App, Failure> {
    let mut found = driver.view(now()).apps()?;
    found.retain(|app| resolve::begins(&app.id, wanted) || app.name == wanted);
    let shown = |app: &App| format!("{} {}", short(&app.id), app.name);
    resolve::one(found, shown, wanted, "app", "app list")
}

fn list(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let view = driver.view(now());
    let apps = view.apps()?;
    if context.output.is_json() {
        context.output.value(&apps);
        return Ok(());
    }
    let mut rows = Vec::new();
    for app in &apps {
        let with = resolve::id(&app.with, "friend", "friends")?;
        rows.push(vec![
            short(&app.id).to_owned(),
            safe(&app.name),
            safe(&view.name(with)?),
            safe(app.summary.as_deref().unwrap_or_default()),
            safe(&app.app_type),
        ]);
    }
    let none = "No apps: `kith app start` begins one with a friend.";
    context
        .output
        .table(&["id", "name", "with", "", "type"], &rows, none);
    Ok(())
}

fn show(context: &Context, wanted: &str) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let app = find(&driver, wanted)?;
    if context.output.is_json() {
        context.output.value(&app);
        return Ok(());
    }
    context.output.heading(&safe(&app.name));
    let view = driver.view(now());
    for update in &app.updates {
        let who = view.name(resolve::id(&update.author, "friend", "friends")?)?;
        let info = update.info.as_deref().unwrap_or("(for its program only)");
        context
            .output
            .entry(&who, &format!("update {}", update.serial), info);
    }
    for (author, serials) in &app.missing {
        let who = view.name(resolve::id(author, "friend", "friends")?)?;
        let serials: Vec<String> = serials.iter().map(ToString::to_string).collect();
        let serials = serials.join(", ");
        context
            .output
            .warning(&format!("updates {serials} of {who} are missing"));
    }
    if app.updates.is_empty() {
        context.output.line("Nothing happened yet.");
    }
    Ok(())
}
