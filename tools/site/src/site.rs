//! The document as files: a page for each chapter, pages that list things, and
//! all of it in one file.

use std::collections::BTreeMap;

use kith_spec_source::{Insert, Problem};
use maud::html;

use crate::input::Input;
use crate::links::{Form, Links};
use crate::page::{self, Page};
use crate::schema::Schemas;
use crate::{chapter, index, schema, search};

/// Names of files and their content.
pub type Files = BTreeMap<String, String>;

/// Renders the document; fails where an example is not to be had.
pub fn build(input: &Input) -> Result<Files, Vec<Problem>> {
    let problems = missing(input);
    if !problems.is_empty() {
        return Err(problems);
    }
    let schemas = Schemas::read(input);
    let mut files = Files::new();
    let links = Links::new(Form::Pages, input, &schemas);
    for page in pages(&links) {
        files.insert(format!("{}.html", page.name), page::whole(&links, &page));
    }
    files.insert("index.html".into(), start(&links));
    files.insert("search.js".into(), search::script(&links));
    files.insert("site.js".into(), page::SCRIPT.into());
    files.insert("style.css".into(), page::STYLE.into());
    let links = Links::new(Form::Single, input, &schemas);
    files.insert("kith-1.0.html".into(), single(&links));
    Ok(files)
}

/// Examples whose mail could not be opened, or holds no such object.
fn missing(input: &Input) -> Vec<Problem> {
    let mut problems = Vec::new();
    for directive in &input.spec.directives {
        let Insert::Example { vector, kind } = &directive.insert else {
            continue;
        };
        let Some(opened) = input.opened.get(vector) else {
            if input.waits_for_vectors(&directive.place.file) {
                continue;
            }
            let message = format!("no valid vector `{vector}`, so the example cannot be shown");
            problems.push(directive.place.problem(message));
            continue;
        };
        if let Some(kind) = kind
            && !opened.objects.iter().any(|object| object.kind == *kind)
        {
            let message = format!("the vector `{vector}` holds no object of the kind `{kind}`");
            problems.push(directive.place.problem(message));
        }
    }
    problems
}

fn pages<'a>(links: &Links<'a>) -> Vec<Page<'a>> {
    let mut pages = Vec::new();
    for chapter in &links.input.spec.chapters {
        pages.push(Page {
            name: &chapter.name,
            title: chapter.title.clone(),
            number: Some(chapter.number),
            body: chapter::body(links, chapter),
        });
    }
    for (name, title) in page::EXTRA {
        let body = match name {
            "schemas" => schema::page(links),
            "requirements" => index::requirements(links),
            _ => index::vectors(links),
        };
        pages.push(Page {
            name,
            title: title.to_owned(),
            number: None,
            body,
        });
    }
    pages
}

/// The first page: what this is, and the contents.
fn start(links: &Links<'_>) -> String {
    let main = html! {
        article.start {
            h1 { (page::TITLE) }
            p.lead { "Social networking over ordinary Internet mail. This is its specification." }
            (index::contents(links))
            ul.extra {
                @for (name, title) in page::EXTRA { li { a href=(links.page(name)) { (title) } } }
                li { a href="kith-1.0.html" { "All in one file" } }
            }
        }
    };
    page::shell(links, page::TITLE, "index", &main, None)
}

/// All of the document in one file.
fn single(links: &Links<'_>) -> String {
    let main = html! {
        article.start {
            h1 { (page::TITLE) }
            p.lead { "Social networking over ordinary Internet mail. This is its specification." }
            (index::contents(links))
        }
        @for page in pages(links) { (page::article(&page)) }
    };
    let script = format!("{}{}", search::script(links), page::SCRIPT);
    page::shell(links, page::TITLE, "all", &main, Some(&script))
}

#[cfg(test)]
mod tests;
