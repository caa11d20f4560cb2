//! The matrix: feature class × chapter of the specification, by status.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Report, Status, Summary};

/// The matrix as text; only the statuses that occur have a column. `width` is that of the
/// terminal, in characters.
pub(super) fn matrix(report: &Report, width: Option<u16>) -> String {
    let mut rows = BTreeMap::<(usize, u32, String, &str), Summary>::new();
    for case in &report.cases {
        let id = case
            .requirements
            .first()
            .map(String::as_str)
            .unwrap_or_default();
        let chapter = kith_spec::requirement(id).map_or("", |rule| rule.chapter);
        let chapters = kith_spec::chapters();
        let number = chapters
            .iter()
            .find(|c| c.name == chapter)
            .map_or(0, |c| c.number);
        let classes = kith_spec::Class::ALL;
        let class = classes
            .iter()
            .position(|class| class.as_str() == case.class);
        let key = (
            class.unwrap_or(usize::MAX),
            number,
            case.class.clone(),
            chapter,
        );
        rows.entry(key).or_default().add(case.status);
    }
    let statuses: Vec<Status> = Status::ALL
        .into_iter()
        .filter(|status| report.summary.of(*status) > 0)
        .collect();
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = width {
        table.set_width(width);
    }
    let names = statuses.iter().map(|status| status.as_str());
    table.set_header(["class", "chapter"].into_iter().chain(names));
    for ((_, _, class, chapter), summary) in &rows {
        let counts = statuses.iter().map(|status| match summary.of(*status) {
            0 => String::new(),
            count => count.to_string(),
        });
        let head = [class.clone(), (*chapter).to_owned()];
        table.add_row(head.into_iter().chain(counts));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
