//! Circles: lists of friends that nobody else knows.

use kith_agent::Driver;
use kith_core::Action;
use kith_core::agent::circle::Readers;
use serde_json::json;

use super::args::{CircleChange, CircleCommand};
use super::failure::Failure;
use super::sync::finish;
use super::{Context, now, resolve};

/// Friends by what a person types.
pub(super) fn people(driver: &Driver, wanted: &[String]) -> Result<Vec<[u8; 32]>, Failure> {
    let friends = wanted
        .iter()
        .map(|wanted| resolve::friend(driver, wanted))
        .collect::<Result<Vec<_>, _>>()?;
    let ids = friends.iter();
    Ok(ids
        .filter_map(|friend| resolve::octets(&friend.identity))
        .collect())
}

/// For whom something is: all friends, a circle, or some friends.
pub(super) fn readers(driver: &Driver, wanted: &[String]) -> Result<Readers, Failure> {
    if wanted.is_empty() {
        return Ok(Readers::Friends);
    }
    let circles = driver.view(now()).circles()?;
    if let [name] = wanted
        && circles.iter().any(|circle| circle.name == *name)
    {
        return Ok(Readers::Circle(name.clone()));
    }
    people(driver, wanted).map(Readers::Chosen)
}

pub(super) async fn circle(context: &Context, command: &CircleCommand) -> Result<(), Failure> {
    match command {
        CircleCommand::List => list(context),
        CircleCommand::Add(change) => {
            let driver = context.profile.driver(!context.offline)?;
            let add = people(&driver, &change.friends)?;
            self::change(context, driver, change, add, Vec::new()).await
        }
        CircleCommand::Remove(change) => {
            let driver = context.profile.driver(!context.offline)?;
            let remove = people(&driver, &change.friends)?;
            self::change(context, driver, change, Vec::new(), remove).await
        }
    }
}

async fn change(
    context: &Context,
    mut driver: Driver,
    change: &CircleChange,
    add: Vec<[u8; 32]>,
    remove: Vec<[u8; 32]>,
) -> Result<(), Failure> {
    let name = change.name.clone();
    driver.act(Action::Circle { name, add, remove }, now())?;
    context
        .output
        .line("Done. Nobody learns of your circles; earlier posts stay where they are.");
    finish(context, driver, json!({})).await
}

fn list(context: &Context) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let view = driver.view(now());
    let circles = view.circles()?;
    if context.output.is_json() {
        context.output.value(&circles);
        return Ok(());
    }
    let mut rows = Vec::new();
    for circle in circles {
        let mut names = Vec::new();
        for member in &circle.members {
            if let Some(id) = resolve::octets(member) {
                names.push(view.name(id)?);
            }
        }
        names.sort();
        rows.push(vec![circle.name, names.join(", ")]);
    }
    let none = "No circles yet: `kith circle add NAME FRIEND` begins one.";
    context.output.table(&["circle", "friends"], &rows, none);
    Ok(())
}
