//! State tables: an overview of all cells for wide screens and paper, and a
//! list by input that is readable everywhere.

use kith_spec_source::{Cell, Table};
use maud::{Markup, html};

use crate::links::Links;
use crate::text::{Text, breakable};

pub(crate) fn table(links: &Links<'_>, text: &Text<'_>, table: &Table) -> Markup {
    html! {
        figure.state #{"table-" (table.name)} {
            figcaption { "State table " em { (table.title) } span.source { " " code { (table.file) } } }
            p { (text.inline(&table.about)) }
            (states(text, table))
            (overview(table))
            @for (input, meaning) in &table.inputs {
                (by_input(links, text, table, input, meaning))
            }
        }
    }
}

fn states(text: &Text<'_>, table: &Table) -> Markup {
    html! {
        dl.states {
            @for (id, meaning) in &table.states {
                div { dt { code { (id) } } dd { (text.inline(meaning)) } }
            }
        }
    }
}

/// The letters that stand for outcomes in the overview.
fn mark(cell: &Cell) -> &'static str {
    match cell.outcome.as_str() {
        "accept" | "done" => "✓",
        "refuse" | "error" => "✕",
        "hold" => "…",
        _ => "·",
    }
}

fn overview(table: &Table) -> Markup {
    let cell = |state: &str, input: &str| {
        let mut cells = table.cells.iter();
        cells.find(|cell| cell.state == state && cell.input == input)
    };
    html! {
        div.wide.overview tabindex="0" {
            table.matrix {
                caption { "Rows: input. Columns: state before. Cells: outcome, and the state afterwards if it is another." }
                thead { tr { th scope="col" { "Input" } @for (state, _) in &table.states { th scope="col" { (state) } } } }
                tbody {
                    @for (input, _) in &table.inputs {
                        tr {
                            th scope="row" { (breakable(input)) }
                            @for (state, _) in &table.states {
                                @if let Some(cell) = cell(state, input) {
                                    td data-outcome=(cell.outcome) title={(cell.outcome) ", " (cell.to)} {
                                        (mark(cell)) @if cell.to != cell.state { " " span.to { (cell.to) } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Cells of one input that do the same, with the states they are for.
fn grouped<'a>(table: &'a Table, input: &str) -> Vec<(&'a Cell, Vec<&'a str>)> {
    let mut groups: Vec<(&Cell, Vec<&str>)> = Vec::new();
    for cell in table.cells.iter().filter(|cell| cell.input == input) {
        let same = |group: &&mut (&Cell, Vec<&str>)| {
            let first = group.0;
            (first.to == first.state) == (cell.to == cell.state)
                && (first.to == cell.to || cell.to == cell.state)
                && (first.outcome, &first.sends) == (cell.outcome, &cell.sends)
                && (&first.requirement, &first.note) == (&cell.requirement, &cell.note)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.1.push(&cell.state),
            None => groups.push((cell, vec![&cell.state])),
        }
    }
    groups
}

fn by_input(
    links: &Links<'_>,
    text: &Text<'_>,
    table: &Table,
    input: &str,
    meaning: &str,
) -> Markup {
    html! {
        section.input {
            h5 { code { (input) } " " span.meaning { (text.inline(meaning)) } }
            ul.transitions {
                @for (cell, states) in grouped(table, input) {
                    li {
                        span.from { @for (index, state) in states.iter().enumerate() { @if index > 0 { ", " } (state) } }
                        span.effect {
                            span.outcome data-outcome=(cell.outcome) { (cell.outcome) }
                            @if cell.to != cell.state { " → " b { (cell.to) } }
                            @if !cell.sends.is_empty() { ", sends " (cell.sends.join(", ")) }
                            @if let Some((id, href)) = cell.requirement.as_ref().and_then(|id| Some((id, links.requirement(id)?))) {
                                " " a.ref href=(href) { code { (id) } }
                            }
                            @if let Some(note) = &cell.note { span.note { (text.inline(note)) } }
                        }
                    }
                }
            }
        }
    }
}
