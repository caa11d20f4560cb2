//! The matrix: feature class × chapter of the specification, by status.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{CaseResult, Report, Status, Summary};

/// One row: how the cases of a class and a chapter ended.
pub(super) struct Row {
    pub(super) class: String,
    pub(super) chapter: &'static str,
    pub(super) summary: Summary,
}

/// The chapter that a case is about: that of its first requirement.
pub(super) fn chapter_of(case: &CaseResult) -> &'static str {
    let first = case.requirements.first();
    let rule = first.and_then(|id| kith_spec::requirement(id));
    rule.map_or("", |rule| rule.chapter)
}

/// The rows, by class and chapter in the order of the specification.
pub(super) fn rows(report: &Report) -> Vec<Row> {
    let mut rows = BTreeMap::<(usize, u32, &str, &'static str), Summary>::new();
    for case in &report.cases {
        let chapter = chapter_of(case);
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
            case.class.as_str(),
            chapter,
        );
        rows.entry(key).or_default().add(case.status);
    }
    let row = |((_, _, class, chapter), summary): ((_, _, &str, _), _)| Row {
        class: class.to_owned(),
        chapter,
        summary,
    };
    rows.into_iter().map(row).collect()
}

/// The matrix as text; only the statuses that occur have a column. `width` is that of the
/// terminal, in characters.
pub(super) fn matrix(report: &Report, width: Option<u16>) -> String {
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
    for row in rows(report) {
        let counts = statuses.iter().map(|status| match row.summary.of(*status) {
            0 => String::new(),
            count => count.to_string(),
        });
        let head = [row.class, row.chapter.to_owned()];
        table.add_row(head.into_iter().chain(counts));
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}
