//! What surrounds every page: head, bar, contents, links to the neighbours.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::chapter::depth;
use crate::links::{Form, Links};
use crate::schema;
use crate::text::Text;

/// The styles of every page.
pub(crate) const STYLE: &str = include_str!("../assets/style.css");
/// The script of every page.
pub(crate) const SCRIPT: &str = include_str!("../assets/site.js");
/// Sets the colours before anything is shown.
const THEME: &str = "try{let t=localStorage.getItem('kith-theme');if(t)document.documentElement.dataset.theme=t}catch(e){}";

/// One page.
pub(crate) struct Page<'a> {
    /// Its name: the file's without ending.
    pub(crate) name: &'a str,
    /// Its title.
    pub(crate) title: String,
    /// The title as a heading, with a number where it has one.
    pub(crate) number: Option<u32>,
    /// What stands below.
    pub(crate) body: Markup,
}

/// Name and title of the pages that are no chapters, in the order of the contents.
pub(crate) const EXTRA: [(&str, &str); 3] = [
    ("schemas", "Schemas"),
    ("requirements", "Requirements"),
    ("vectors", "Vectors"),
];

/// Every page's name and title, in the order of reading.
pub(crate) fn order(links: &Links<'_>) -> Vec<(String, String)> {
    let chapters = links.input.spec.chapters.iter();
    let chapters = chapters.map(|chapter| {
        (
            chapter.name.clone(),
            format!("{} {}", chapter.number, chapter.title),
        )
    });
    let extra = EXTRA
        .iter()
        .map(|(name, title)| ((*name).to_owned(), (*title).to_owned()));
    chapters.chain(extra).collect()
}

/// A whole page of its own.
pub(crate) fn whole(links: &Links<'_>, page: &Page<'_>) -> String {
    let order = order(links);
    let at = order.iter().position(|(name, _)| name == page.name);
    let before = at.and_then(|at| order.get(at.checked_sub(1)?));
    let after = at.and_then(|at| order.get(at + 1));
    let main = html! {
        (article(page))
        nav.neighbours aria-label="Neighbours" {
            @if let Some((name, title)) = before { a rel="prev" href=(links.page(name)) { span { "Before" } (title) } }
            @if let Some((name, title)) = after { a.next rel="next" href=(links.page(name)) { span { "Next" } (title) } }
        }
    };
    shell(links, &page.title, page.name, &main, None)
}

/// Title and body.
pub(crate) fn article(page: &Page<'_>) -> Markup {
    html! {
        article {
            h1 #(page.name) { @if let Some(number) = page.number { span.number { (number) } " " } (page.title) }
            (page.body)
        }
    }
}

/// The document around `main`. With `script`, everything stands in one file.
pub(crate) fn shell(
    links: &Links<'_>,
    title: &str,
    current: &str,
    main: &Markup,
    script: Option<&str>,
) -> String {
    let title = if title == TITLE {
        TITLE.to_owned()
    } else {
        format!("{title} · {TITLE}")
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href="data:,";
                script { (PreEscaped(THEME)) }
                @if script.is_some() { style { (PreEscaped(STYLE)) } }
                @else { link rel="stylesheet" href="style.css"; }
            }
            body data-page=(current) {
                a.skip href="#main" { "Skip to the text" }
                (bar(links))
                div.frame {
                    nav #contents aria-label="Contents" { (navigation(links, current)) }
                    div.backdrop data-close hidden {}
                    main #main tabindex="-1" { (main) }
                }
                @match script {
                    Some(script) => script { (PreEscaped(script)) },
                    None => {
                        script src="search.js" {}
                        script src="site.js" {}
                    }
                }
            }
        }
    }
    .into_string()
}

/// The document's title.
pub(crate) const TITLE: &str = "Kith 1.0";

fn bar(links: &Links<'_>) -> Markup {
    let home = match links.form {
        Form::Pages => "index.html",
        Form::Single => "#top",
    };
    html! {
        header.bar #top {
            button.menu type="button" data-menu aria-controls="contents" aria-expanded="false" aria-label="Contents" { "☰" }
            a.home href=(home) { (TITLE) }
            div.search role="search" {
                input #search type="search" placeholder="Search" aria-label="Search" autocomplete="off" spellcheck="false"
                    role="combobox" aria-expanded="false" aria-controls="results";
                ul #results role="listbox" aria-label="Found" hidden {}
            }
            button.theme type="button" data-theme-toggle aria-label="Light or dark" title="Light or dark" { "◐" }
        }
    }
}

/// The contents; of the current chapter the sections too.
fn navigation(links: &Links<'_>, current: &str) -> Markup {
    let all = links.form == Form::Single;
    html! {
        ol {
            @for chapter in &links.input.spec.chapters {
                @let here = chapter.name == current;
                li {
                    a href=(links.page(&chapter.name)) aria-current=[here.then_some("page")] {
                        span.number { (chapter.number) } " " (chapter.title)
                    }
                    @if here || all {
                        @let text = Text::new(links, &chapter.file);
                        ol {
                            @for section in chapter.sections.iter().filter(|section| depth(section) == 2) {
                                li { a href=(links.heading(&chapter.name, &section.anchor)) { (text.title(&section.title)) } }
                            }
                        }
                    }
                }
            }
        }
        ul {
            @for (name, title) in EXTRA {
                @let here = name == current;
                li {
                    a href=(links.page(name)) aria-current=[here.then_some("page")] { (title) }
                    @if here && name == "schemas" {
                        ol { @for (id, title) in schema::sections(links.input) { li { a href={"#" (id)} { (title) } } } }
                    }
                }
            }
            @if links.form == Form::Pages { li { a href="kith-1.0.html" { "All in one file" } } }
        }
    }
}
