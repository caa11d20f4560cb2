//! Chapters hold no HTML: an element's name written without code marks would
//! be taken for a tag.

use kith_spec_source::{Chapter, Place, Problem};
use pulldown_cmark::{Event, Parser};

use crate::input::Input;
use crate::text::options;

pub(super) fn check(input: &Input, chapter: &Chapter, problems: &mut Vec<Problem>) {
    let (body, first_line) = input.body(&chapter.file);
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        let (Event::Html(text) | Event::InlineHtml(text)) = event else {
            continue;
        };
        if text.starts_with("<!--") {
            continue;
        }
        let line = first_line + body[..range.start].matches('\n').count();
        let message = format!("`{}` is HTML; write it as code", text.trim());
        problems.push(Place::new(&chapter.file, line).problem(message));
    }
}
