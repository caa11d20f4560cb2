//! Markdown to HTML, with links to what code spans name.

use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use crate::links::{Links, Target, join};
use crate::xml;

/// The BCP 14 keywords that are marked in requirements.
const KEYWORDS: [&str; 11] = [
    "MUST NOT",
    "SHALL NOT",
    "SHOULD NOT",
    "NOT RECOMMENDED",
    "MUST",
    "REQUIRED",
    "SHALL",
    "SHOULD",
    "RECOMMENDED",
    "MAY",
    "OPTIONAL",
];

/// How the chapters' Markdown is read.
pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES
}

/// Renders the events of one chapter's Markdown.
pub(crate) struct Text<'a> {
    links: &'a Links<'a>,
    /// The chapter's source, to which relative links belong.
    file: &'a str,
    keywords: bool,
}

impl<'a> Text<'a> {
    pub(crate) fn new(links: &'a Links<'a>, file: &'a str) -> Self {
        Self {
            links,
            file,
            keywords: false,
        }
    }

    /// One line of Markdown, such as a requirement's sentence or a heading,
    /// without a paragraph around it.
    pub(crate) fn inline(&self, markdown: &str) -> Markup {
        let events = Parser::new_ext(markdown, options());
        let inner = events.filter(|event| {
            !matches!(
                event,
                Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph)
            )
        });
        self.events(inner)
    }

    /// A heading where it is a link already: nothing in it is one.
    pub(crate) fn title(&self, markdown: &str) -> Markup {
        self.inline(&markdown.replace('`', ""))
    }

    /// A requirement's sentence: [`Text::inline`] with marked keywords.
    pub(crate) fn sentence(&self, markdown: &str) -> Markup {
        let marking = Self {
            links: self.links,
            file: self.file,
            keywords: true,
        };
        marking.inline(markdown)
    }

    /// Any events.
    pub(crate) fn events<'e>(&self, events: impl Iterator<Item = Event<'e>>) -> Markup {
        let mut rewriter = Rewriter {
            text: self,
            in_link: 0,
            dropped: Vec::new(),
            image: None,
            code: None,
        };
        let mut out = String::new();
        let rewritten = events.flat_map(|event| rewriter.event(event));
        pulldown_cmark::html::push_html(&mut out, rewritten);
        PreEscaped(out)
    }
}

struct Rewriter<'a> {
    text: &'a Text<'a>,
    /// How many links are open.
    in_link: usize,
    /// For each open link, whether its tags are left out.
    dropped: Vec<bool>,
    /// The path of the picture whose description is being read.
    image: Option<(String, String)>,
    /// The language and text of the code block being read.
    code: Option<(String, String)>,
}

impl Rewriter<'_> {
    fn event<'e>(&mut self, event: Event<'e>) -> Vec<Event<'e>> {
        if let Some(code) = &mut self.code {
            return match event {
                Event::Text(text) => {
                    code.1.push_str(&text);
                    Vec::new()
                }
                Event::End(TagEnd::CodeBlock) => self.code_block(),
                _ => Vec::new(),
            };
        }
        if let Some((_, description)) = &mut self.image {
            return match event {
                Event::Text(text) | Event::Code(text) => {
                    description.push_str(&text);
                    Vec::new()
                }
                Event::End(TagEnd::Image) => self.picture(),
                _ => Vec::new(),
            };
        }
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info
                        .split_whitespace()
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((language, String::new()));
                Vec::new()
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                self.image = Some((dest_url.into_string(), String::new()));
                Vec::new()
            }
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => {
                self.in_link += 1;
                let target = self.text.links.resolve(self.text.file, &dest_url);
                let href = match target {
                    Ok(Target::Href(href)) => Some(href),
                    Ok(Target::Outside) | Err(_) => None,
                };
                self.dropped.push(href.is_none());
                href.map(|href| {
                    let dest_url = CowStr::from(href);
                    Event::Start(Tag::Link {
                        link_type,
                        dest_url,
                        title,
                        id,
                    })
                })
                .into_iter()
                .collect()
            }
            Event::End(TagEnd::Link) => {
                self.in_link -= 1;
                let dropped = self.dropped.pop().unwrap_or_default();
                if dropped { Vec::new() } else { vec![event] }
            }
            Event::Start(Tag::Table(_)) => vec![raw(r#"<div class="wide" tabindex="0">"#), event],
            Event::End(TagEnd::Table) => vec![event, raw("</div>")],
            Event::Code(code) => vec![self.code_span(&code)],
            // The sources hold no HTML; what looks like it is text.
            Event::Html(text) | Event::InlineHtml(text) if text.starts_with("<!--") => Vec::new(),
            Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
            Event::Text(text) if self.text.keywords => vec![raw(keywords(&text).into_string())],
            other => vec![other],
        }
    }

    fn code_span<'e>(&self, code: &str) -> Event<'e> {
        let link = self.text.links.code(code).filter(|_| self.in_link == 0);
        let markup = match link {
            Some(href) => html! { a.ref href=(href) { code { (breakable(code)) } } },
            None => html! { code { (breakable(code)) } },
        };
        raw(markup.into_string())
    }

    fn code_block<'e>(&mut self) -> Vec<Event<'e>> {
        let (language, text) = self.code.take().unwrap_or_default();
        let markup = match language.as_str() {
            "xml" => xml::figure(&xml::highlight(&text)),
            _ => xml::verbatim(&text),
        };
        vec![raw(markup.into_string())]
    }

    fn picture<'e>(&mut self) -> Vec<Event<'e>> {
        let Some((path, description)) = self.image.take() else {
            return Vec::new();
        };
        let svg = join(self.text.file, &path).and_then(|path| self.text.links.input.file(&path));
        let markup = match svg {
            Some(svg) => html! {
                span.picture role="img" aria-label=(description) { (PreEscaped(themed(svg))) }
            },
            None => html! { em { (description) } },
        };
        vec![raw(markup.into_string())]
    }
}

/// Lets a picture's rules for a dark background follow the page's choice, and
/// its width the page's.
fn themed(svg: &str) -> String {
    const DARK: &str = "@media (prefers-color-scheme:dark){";
    let Some(start) = svg.find(DARK) else {
        return svg.to_owned();
    };
    let rules = &svg[start + DARK.len()..];
    let Some(end) = rules.find("}}") else {
        return svg.to_owned();
    };
    let (rules, rest) = (&rules[..=end], &rules[end + 2..]);
    format!(
        "{}{DARK}:root:not([data-theme=light]){{{rules}}}}}:root[data-theme=dark]{{{rules}}}{rest}",
        &svg[..start]
    )
}

fn raw<'e>(html: impl Into<String>) -> Event<'e> {
    Event::InlineHtml(CowStr::from(html.into()))
}

/// Marks BCP 14 keywords.
fn keywords(text: &str) -> Markup {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((at, keyword)) = next_keyword(rest) {
        out.push(html! { (rest[..at]) strong.kw { (keyword) } });
        rest = &rest[at + keyword.len()..];
    }
    html! { @for part in out { (part) } (rest) }
}

fn next_keyword(text: &str) -> Option<(usize, &'static str)> {
    let joined = |c: char| c.is_alphanumeric() || c == '_';
    let found = KEYWORDS.iter().filter_map(|keyword| {
        text.match_indices(keyword)
            .find(|(at, _)| {
                !text[..*at].ends_with(joined) && !text[at + keyword.len()..].starts_with(joined)
            })
            .map(|(at, _)| (at, *keyword))
    });
    // Of those at the same place, the longest: it stands first in the list.
    found.min_by_key(|(at, keyword)| (*at, std::cmp::Reverse(keyword.len())))
}

/// Code that may break after dots, slashes and hyphens on a narrow screen.
pub(crate) fn breakable(code: &str) -> Markup {
    let long = code.len() > 24;
    html! {
        @for piece in code.split_inclusive(['.', '/', ':', ';', '_']) {
            (piece) @if long { wbr; }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_marked_whole() {
        let html = keywords("It MUST NOT be, MUSTARD <x> MAY.").into_string();
        assert_eq!(
            html,
            "It <strong class=\"kw\">MUST NOT</strong> be, MUSTARD &lt;x&gt; \
             <strong class=\"kw\">MAY</strong>."
        );
    }

    #[test]
    fn pictures_follow_the_choice_of_colours() {
        let svg = "<svg><style>.a{fill:#000}@media (prefers-color-scheme:dark){.a{fill:#fff}.b{x:1}}</style></svg>";
        let themed = themed(svg);
        assert!(
            themed.contains(":root[data-theme=dark]{.a{fill:#fff}.b{x:1}}</style>"),
            "{themed}"
        );
        assert!(themed.contains("dark){:root:not([data-theme=light]){.a{fill:#fff}.b{x:1}}}"));
    }
}
