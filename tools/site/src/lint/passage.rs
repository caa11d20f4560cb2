//! The running text of a chapter: paragraphs, list items, headings and table
//! cells, as pieces with their lines.

use kith_spec_source::Chapter;
use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use crate::input::Input;
use crate::text::options;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Code,
    Emphasis,
    Strong,
}

/// A piece of text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// Its line in the chapter's file, from 1.
    pub(super) line: usize,
}

/// A paragraph, a list item, a heading or a cell.
pub(super) type Passage = Vec<Piece>;

pub(super) fn read(input: &Input, chapter: &Chapter) -> Vec<Passage> {
    let (body, first_line) = input.body(&chapter.file);
    let mut passages: Vec<Passage> = vec![Vec::new()];
    let (mut emphasis, mut strong, mut code) = (0usize, 0usize, false);
    let mut line = first_line;
    let mut at = 0;
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        if range.start > at {
            line += body[at..range.start].matches('\n').count();
            at = range.start;
        }
        let (kind, text) = match event {
            Event::Start(Tag::Emphasis) => {
                emphasis += 1;
                // The pieces of one emphasis are one term.
                push(&mut passages, Kind::Emphasis, "", line);
                continue;
            }
            Event::End(TagEnd::Emphasis) => {
                emphasis -= 1;
                continue;
            }
            Event::Start(Tag::Strong) => {
                strong += 1;
                push(&mut passages, Kind::Strong, "", line);
                continue;
            }
            Event::End(TagEnd::Strong) => {
                strong -= 1;
                continue;
            }
            Event::Start(Tag::CodeBlock(_)) => {
                code = true;
                continue;
            }
            Event::End(TagEnd::CodeBlock) => {
                code = false;
                continue;
            }
            Event::Start(Tag::Paragraph | Tag::Item | Tag::Heading { .. } | Tag::TableCell) => {
                passages.push(Vec::new());
                continue;
            }
            Event::Code(text) => (Kind::Code, text.into_string()),
            Event::Text(_) if code => continue,
            Event::Text(text) if emphasis > 0 => (Kind::Emphasis, text.into_string()),
            Event::Text(text) if strong > 0 => (Kind::Strong, text.into_string()),
            Event::Text(text) => (Kind::Plain, text.into_string()),
            Event::SoftBreak | Event::HardBreak => (Kind::Plain, " ".to_owned()),
            _ => continue,
        };
        push(&mut passages, kind, &text, line);
    }
    passages
}

/// Adds to the last piece where that is of the same kind; code stays apart, and
/// plain text of another line.
fn push(passages: &mut [Passage], kind: Kind, text: &str, line: usize) {
    let Some(passage) = passages.last_mut() else {
        return;
    };
    let continues = |last: &Piece| match kind {
        Kind::Code => false,
        Kind::Plain => last.line == line,
        Kind::Emphasis | Kind::Strong => !text.is_empty(),
    };
    match passage.last_mut() {
        Some(last) if last.kind == kind && continues(last) => last.text.push_str(text),
        _ => passage.push(Piece {
            kind,
            text: text.to_owned(),
            line,
        }),
    }
}
