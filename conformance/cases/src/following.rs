//! Every cell of the state tables `following` and `followers` as a case: set up by the shortest
//! path, then the input, then a look at the state from outside.

mod play;

use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::Scene;
use kith_spec::{Cell, CellOutcome, StateTable, req};

use play::{Done, Play};

/// The cases: one for each cell. A cell needs the cells that lead to its state.
pub(crate) fn cases() -> Vec<Case> {
    let tables = [&kith_spec::FOLLOWING, &kith_spec::FOLLOWERS];
    let cases = tables
        .into_iter()
        .flat_map(|table| table.cells().iter().map(move |cell| case(table, cell)));
    cases.collect()
}

fn id(table: &StateTable, state: &str, input: &str) -> String {
    format!("follow/{}/{state}/{}", table.name, input.replace('.', "-"))
}

fn case(table: &'static StateTable, cell: &'static Cell) -> Case {
    let path = table.shortest_path(cell.state).unwrap_or_default();
    let input = table.inputs.iter().find(|input| input.id == cell.input);
    let meaning = input.map_or(cell.input, |input| input.meaning);
    let title = format!("{} → {}: {meaning}", cell.state, cell.to);
    let mut rules = vec![&req::FOLLOW_TABLE];
    rules.extend(cell.requirement.filter(|rule| *rule != &req::FOLLOW_TABLE));
    let steps: Vec<&'static Cell> = steps(table, &path);
    let needed = steps.last().map(|step| id(table, step.state, step.input));
    let play = move |scene| check(scene, table, steps.clone(), cell);
    let name = id(table, cell.state, cell.input);
    let case = Case::new(&name, &title, Rung::Rest, &rules, play);
    match needed {
        Some(needed) => case.needs(&[&needed]),
        None => case,
    }
}

/// The cells along a path from the first state.
fn steps(table: &'static StateTable, path: &[&'static str]) -> Vec<&'static Cell> {
    let mut state = table.states.first().map_or("", |state| state.id);
    let mut steps = Vec::new();
    for input in path {
        if let Some(cell) = table.cell(state, input) {
            state = cell.to;
            steps.push(cell);
        }
    }
    steps
}

async fn check(
    scene: Scene,
    table: &'static StateTable,
    steps: Vec<&'static Cell>,
    cell: &'static Cell,
) -> Result<(), Stop> {
    let page = table.name == "followers";
    let mut play = Play::new(&scene, page).await?;
    for cell in steps.into_iter().chain([cell]) {
        let done = play.input(cell.input).await?;
        verify(&scene, &play, cell, &done).await?;
    }
    Ok(())
}

/// Whether an input had the outcome, the state and the mail of its cell.
async fn verify(scene: &Scene, play: &Play, cell: &Cell, done: &Done) -> Result<(), Stop> {
    let rule = cell.requirement.unwrap_or(&req::FOLLOW_TABLE);
    let at = format!("{} × {}", cell.state, cell.input);
    let right = done.refused.is_some() == (cell.outcome == CellOutcome::Error);
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
    if let Some(shown) = done.shown {
        let expected = cell.outcome == CellOutcome::Accept;
        scene.expect(rule, shown == expected, || {
            format!("{at}: expected the post to be shown: {expected}, seen: {shown}")
        });
    }
    let seen = play.state().await?;
    for rule in [rule, &req::FOLLOW_TABLE] {
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
