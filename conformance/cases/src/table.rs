//! Every cell of the state table `relationship` as a case: set up by the shortest path,
//! then the input, then a look at the state from outside.

mod play;

use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::Scene;
use kith_spec::{Cell, CellOutcome, StateTable, req};

use play::{Done, Play};

/// The cases: one for each cell. A cell needs the cells that lead to its state.
pub(crate) fn cases() -> Vec<Case> {
    let table = &kith_spec::RELATIONSHIP;
    table.cells().iter().map(|cell| case(table, cell)).collect()
}

fn id(state: &str, input: &str) -> String {
    format!("friends/table/{state}/{}", input.replace('.', "-"))
}

fn case(table: &'static StateTable, cell: &'static Cell) -> Case {
    let path = table.shortest_path(cell.state).unwrap_or_default();
    let input = table.inputs.iter().find(|input| input.id == cell.input);
    let meaning = input.map_or(cell.input, |input| input.meaning);
    let title = format!("{} → {}: {meaning}", cell.state, cell.to);
    let mut rules = vec![&req::FRIENDS_TABLE];
    rules.extend(cell.requirement.filter(|rule| *rule != &req::FRIENDS_TABLE));
    let needed = last_step(table, &path);
    let play = {
        let path = path.clone();
        move |scene| check(scene, table, cell, path.clone())
    };
    let case = Case::new(
        &id(cell.state, cell.input),
        &title,
        Rung::Handshake,
        &rules,
        play,
    );
    match needed {
        Some(needed) => case.needs(&[&needed]),
        None => case,
    }
}

/// The id of the cell by which a path ends.
fn last_step(table: &StateTable, path: &[&'static str]) -> Option<String> {
    let mut state = table.states.first()?.id;
    let mut last = None;
    for input in path {
        last = Some(id(state, input));
        state = table.cell(state, input)?.to;
    }
    last
}

async fn check(
    scene: Scene,
    table: &'static StateTable,
    cell: &'static Cell,
    path: Vec<&'static str>,
) -> Result<(), Stop> {
    let mut play = Play::new(&scene).await?;
    let mut state = table.states.first().map_or("", |state| state.id);
    for input in path {
        let done = play.input(input).await?;
        let step = table.cell(state, input);
        let step = step.ok_or_else(|| Stop::Harness(format!("no cell {state} × {input}")))?;
        verify(&scene, &mut play, step, &done).await?;
        state = step.to;
    }
    let done = play.input(cell.input).await?;
    verify(&scene, &mut play, cell, &done).await?;
    visible(&scene, &mut play, cell).await
}

/// Whether an input had the outcome, the state and the mail of its cell.
async fn verify(scene: &Scene, play: &mut Play, cell: &Cell, done: &Done) -> Result<(), Stop> {
    let rule = cell.requirement.unwrap_or(&req::FRIENDS_TABLE);
    let at = format!("{} × {}", cell.state, cell.input);
    let refused = done.refused.is_some();
    let right = refused == (cell.outcome == CellOutcome::Error);
    scene.expect(rule, right, || match &done.refused {
        Some(reason) => format!("{at}: expected the action to be done, seen `{reason}`"),
        None => format!("{at}: expected the action to be refused, seen it done"),
    });
    scene.expect(rule, done.sent == cell.sends, || {
        format!(
            "{at}: expected {:?} to be sent, seen {:?}",
            cell.sends, done.sent
        )
    });
    let seen = play.state().await?;
    for rule in [rule, &req::FRIENDS_TABLE] {
        scene.expect(rule, seen == cell.to, || {
            format!("{at}: expected the state {}, seen {seen}", cell.to)
        });
    }
    if seen == cell.to {
        Ok(())
    } else {
        Err(Stop::Failed)
    }
}

/// Whether a message of the other is seen exactly by friends.
async fn visible(scene: &Scene, play: &mut Play, cell: &Cell) -> Result<(), Stop> {
    let friends = matches!(cell.to, "friends" | "renewing");
    let shown = play.message_is_shown().await?;
    scene.expect(&req::FRIENDS_TABLE, shown == friends, || {
        let state = cell.to;
        match friends {
            true => format!("{state}: expected a message of the other to be shown, seen none"),
            false => format!("{state}: expected no message of the other to be shown, seen one"),
        }
    });
    Ok(())
}
