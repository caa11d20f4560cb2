//! Just enough Markdown to find headings, paragraphs, list items and tables.
//!
//! Code blocks and HTML comments are left out; everything else is kept, so
//! that no sentence of the specification escapes the checks.

/// A piece of a chapter.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The line of its beginning, from 1.
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `level` is the number of `#`.
    Heading { level: usize, text: String },
    /// A paragraph or a list item: its lines, without list or quote marks.
    Paragraph(Vec<String>),
    /// A table's rows of cells, without the row of dashes.
    Table(Vec<Vec<String>>),
}

/// Splits `lines` into blocks; `first_line` is the number of the first of them.
pub(super) fn blocks(lines: &[&str], first_line: usize) -> Vec<Block> {
    let mut reader = Reader::default();
    for (index, line) in lines.iter().enumerate() {
        reader.line(line, first_line + index);
    }
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    /// The fence that ends the code block being read.
    fence: Option<String>,
    in_comment: bool,
    /// Whether indented lines belong to a list, rather than being code.
    in_list: bool,
    /// Whether the next line continues the last block.
    open: bool,
}

impl Reader {
    fn line(&mut self, raw: &str, number: usize) {
        let text = raw.trim();
        if let Some(fence) = &self.fence {
            if text.starts_with(fence.as_str()) && text.trim_matches(['`', '~']).is_empty() {
                self.fence = None;
            }
            return;
        }
        if self.in_comment || text.starts_with("<!--") {
            self.in_comment = !text.contains("-->");
            self.open = false;
            return;
        }
        let indent = raw.len() - raw.trim_start().len();
        if text.is_empty() {
            self.open = false;
            return;
        }
        if let Some(fence) = fence(text) {
            self.fence = Some(fence);
            self.open = false;
            return;
        }
        if !self.open && indent >= 4 && !self.in_list {
            return; // an indented code block
        }
        if !self.open && indent == 0 {
            self.in_list = false;
        }
        self.text(text, number);
    }

    fn text(&mut self, text: &str, number: usize) {
        let text = text.trim_start_matches("> ").trim_start_matches('>');
        if let Some((level, heading)) = heading(text) {
            self.open = false;
            let text = heading.to_owned();
            self.blocks.push(Block {
                line: number,
                kind: Kind::Heading { level, text },
            });
        } else if text.starts_with('|') {
            self.row(text, number);
        } else if let Some(item) = list_item(text) {
            self.in_list = true;
            self.open = true;
            self.blocks.push(paragraph(item, number));
        } else if self.open
            && let Some(Block {
                kind: Kind::Paragraph(lines),
                ..
            }) = self.blocks.last_mut()
        {
            lines.push(text.to_owned());
        } else {
            self.open = true;
            self.blocks.push(paragraph(text, number));
        }
    }

    fn row(&mut self, text: &str, number: usize) {
        let cells = cells(text);
        let dashes = |cell: &String| cell.contains('-') && cell.trim_matches(['-', ':']).is_empty();
        if self.open
            && let Some(Block {
                kind: Kind::Table(rows),
                ..
            }) = self.blocks.last_mut()
        {
            if !(rows.len() == 1 && cells.iter().all(dashes)) {
                rows.push(cells);
            }
        } else {
            self.open = true;
            self.blocks.push(Block {
                line: number,
                kind: Kind::Table(vec![cells]),
            });
        }
    }
}

fn paragraph(text: &str, line: usize) -> Block {
    Block {
        line,
        kind: Kind::Paragraph(vec![text.to_owned()]),
    }
}

fn fence(text: &str) -> Option<String> {
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = text.chars().take_while(|c| *c == mark).count();
    let rest_is_code_span = mark == '`' && text[length..].contains('`');
    (length >= 3 && !rest_is_code_span).then(|| String::from(mark).repeat(length))
}

fn heading(text: &str) -> Option<(usize, &str)> {
    let rest = text.trim_start_matches('#');
    let level = text.len() - rest.len();
    ((1..=6).contains(&level) && rest.starts_with(' ')).then(|| (level, rest.trim()))
}

fn list_item(text: &str) -> Option<&str> {
    for mark in ["- ", "* ", "+ "] {
        if let Some(item) = text.strip_prefix(mark) {
            return Some(item.trim_start());
        }
    }
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.len() == text.len() {
        return None;
    }
    rest.strip_prefix(". ")
        .or_else(|| rest.strip_prefix(") "))
        .map(str::trim_start)
}

fn cells(row: &str) -> Vec<String> {
    const ESCAPED: &str = "\u{1}";
    let row = row.replace("\\|", ESCAPED);
    let inner = row.trim().trim_start_matches('|');
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    inner
        .split('|')
        .map(|cell| cell.trim().replace(ESCAPED, "|"))
        .collect()
}

/// The text with every inline code span blanked out, octet by octet, so that
/// positions stay the same.
pub fn without_code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('`') {
        let marks = rest[start..].chars().take_while(|c| *c == '`').count();
        let fence = &rest[start..start + marks];
        out.push_str(&rest[..start]);
        let body = &rest[start + marks..];
        let Some(end) = closing(body, fence) else {
            out.push_str(fence);
            rest = body;
            continue;
        };
        out.push_str(&"\u{1}".repeat(marks + end + marks));
        rest = &body[end + marks..];
    }
    out.push_str(rest);
    out
}

/// Where the code span opened by `fence` closes in `body`.
fn closing(body: &str, fence: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = body[from..].find(fence) {
        let at = from + found;
        let run = body[at..].chars().take_while(|c| *c == '`').count();
        if run == fence.len() {
            return Some(at);
        }
        from = at + run;
    }
    None
}

/// The anchor that Markdown renderers give a heading: lower case, hyphens for
/// spaces, no punctuation.
pub fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Block> {
        blocks(&text.lines().collect::<Vec<_>>(), 1)
    }

    #[test]
    fn code_and_comments_are_left_out() {
        let text = "one\n\n    code MUST\n\n```text\nMUST\n```\n<!-- MUST\nMUST -->\ntwo\n";
        assert_eq!(read(text), [paragraph("one", 1), paragraph("two", 10)]);
    }

    #[test]
    fn list_items_are_paragraphs_with_their_continuations() {
        let blocks = read("- one\n  more\n- two\n\n    third\n\nfour\n1. five\n");
        let one = Kind::Paragraph(vec!["one".into(), "more".into()]);
        assert_eq!(blocks[0], Block { line: 1, kind: one });
        assert_eq!(blocks[1..3], [paragraph("two", 3), paragraph("third", 5)]);
        assert_eq!(blocks[3..], [paragraph("four", 7), paragraph("five", 8)]);
    }

    #[test]
    fn tables_are_rows_of_cells() {
        let blocks = read("| A | B |\n|---|:-:|\n| 1 | x \\| y |\n");
        let rows = vec![
            vec!["A".into(), "B".into()],
            vec!["1".into(), "x | y".into()],
        ];
        assert_eq!(
            blocks,
            [Block {
                line: 1,
                kind: Kind::Table(rows)
            }]
        );
    }

    #[test]
    fn code_spans_are_blanked_octet_by_octet() {
        assert_eq!(
            without_code("a `MUST` b"),
            "a \u{1}\u{1}\u{1}\u{1}\u{1}\u{1} b"
        );
        let text = "``a ` ü`` and ` alone";
        assert_eq!(without_code(text).len(), text.len());
        assert!(without_code(text).ends_with(" and ` alone"));
    }

    #[test]
    fn anchors_follow_the_renderers() {
        assert_eq!(anchor("One `kith` mail, sealed"), "one-kith-mail-sealed");
    }
}
