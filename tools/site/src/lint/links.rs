//! Links lead somewhere, and pictures exist.

use kith_spec_source::{Chapter, Place, Problem};
use pulldown_cmark::{Event, Parser, Tag};

use crate::links::{Links, join};
use crate::text::options;

pub(super) fn check(links: &Links<'_>, chapter: &Chapter, problems: &mut Vec<Problem>) {
    let (body, first_line) = links.input.body(&chapter.file);
    for (event, range) in Parser::new_ext(body, options()).into_offset_iter() {
        let line = first_line + body[..range.start].matches('\n').count();
        let place = Place::new(&chapter.file, line);
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => {
                if let Err(message) = links.resolve(&chapter.file, &dest_url) {
                    problems.push(place.problem(format!("{message}; correct or remove it")));
                }
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let path = join(&chapter.file, &dest_url);
                let there = path.is_some_and(|path| {
                    path.ends_with(".svg") && links.input.file(&path).is_some()
                });
                if !there {
                    let message = format!(
                        "there is no picture `{dest_url}`; pictures are SVG files of this tree"
                    );
                    problems.push(place.problem(message));
                }
            }
            _ => {}
        }
    }
}
