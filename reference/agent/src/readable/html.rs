//! Posts with their comments as one page (HTML), whose pictures and files stand beside it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kith_core::agent::AgentError;
use kith_core::agent::group::GroupId;
use kith_core::agent::thread::Key;
use kith_core::agent::view::{Comment, Medium, Post, Thread, View};

use super::{File, MEDIA, ending, medium, octets, shown_time};

const STYLE: &str = "\
body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 sans-serif}\
article{border-top:1px solid #888;padding:1rem 0}\
.text{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}\
.thread{margin-left:1.5rem}time{color:#666;font-size:.9em}\
img,video{max-width:100%;height:auto}figure{margin:.5rem 0}";

/// The page, and the media that it names.
pub(super) fn write(view: &View<'_>, now: i64) -> Result<(String, Vec<File>), AgentError> {
    let own = view.identity()?;
    let owner = own.name.unwrap_or(own.address);
    let mut page = Page::default();
    page.head(&format!("Posts that {owner} wrote and read"), now);
    for post in view.timeline(usize::MAX)? {
        page.post(view, &post)?;
    }
    for group in view.groups()? {
        let (Some(owner), Some(id)) = (octets(&group.owner), octets(&group.id)) else {
            continue;
        };
        page.element("h2", &format!("Group {}", group.name));
        for said in view.group_timeline(GroupId { owner, id }, usize::MAX)? {
            page.text += "<article>\n";
            page.byline(&said.name, said.created, said.rev);
            page.element("div class=\"text\"", &said.text);
            page.thread(thread(view, &said.author, &said.id, &said.kind)?);
            page.text += "</article>\n";
        }
    }
    page.text += "</body>\n</html>\n";
    let media = page.media.into_iter();
    let media = media.map(|(name, octets)| File { name, octets });
    Ok((page.text, media.collect()))
}

fn thread(
    view: &View<'_>,
    author: &str,
    id: &str,
    kind: &str,
) -> Result<Option<Thread>, AgentError> {
    let (Some(author), Some(id)) = (octets(author), octets(id)) else {
        return Ok(None);
    };
    view.thread(&Key {
        author,
        id,
        kind: kind.to_owned(),
    })
}

#[derive(Default)]
struct Page {
    text: String,
    media: BTreeMap<String, Vec<u8>>,
}

impl Page {
    fn head(&mut self, title: &str, now: i64) {
        let title = escape(title);
        let written = shown_time(now);
        self.text = format!(
            "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
             <style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n\
             <p>As of <time datetime=\"{written}\">{written}</time>. This file is not encrypted.</p>\n"
        );
    }

    /// An element that holds nothing but text.
    fn element(&mut self, tag: &str, text: &str) {
        let end = tag.split(' ').next().unwrap_or_default();
        self.text += &format!("<{tag}>{}</{end}>\n", escape(text));
    }

    fn byline(&mut self, name: &str, at: i64, rev: u32) {
        let (name, at) = (escape(name), shown_time(at));
        let edited = if rev > 1 { " (edited)" } else { "" };
        self.text += &format!(
            "<div><strong>{name}</strong> <time datetime=\"{at}\">{at}</time>{edited}</div>\n"
        );
    }

    fn post(&mut self, view: &View<'_>, post: &Post) -> Result<(), AgentError> {
        self.text += "<article>\n";
        self.byline(&post.name, post.created, post.rev);
        if !post.text.is_empty() {
            self.element("div class=\"text\"", &post.text);
        }
        if let Some(shared) = &post.shared {
            self.text += "<blockquote>\n";
            self.element("strong", &shared.name);
            let text = shared
                .text
                .as_deref()
                .unwrap_or("(the shared post is not here)");
            self.element("div class=\"text\"", text);
            self.text += "</blockquote>\n";
        }
        for (position, one) in post.media.iter().enumerate() {
            let octets = medium(view, (&post.author, &post.id), position)?;
            self.figure(one, octets);
        }
        self.thread(thread(view, &post.author, &post.id, &post.kind)?);
        self.text += "</article>\n";
        Ok(())
    }

    /// A picture, sound or film in its place, any other file as a link.
    fn figure(&mut self, medium: &Medium, octets: Option<Vec<u8>>) {
        let alt = medium.alt.as_ref().or(medium.name.as_ref());
        let alt = escape(alt.map_or("a file", String::as_str));
        self.text += "<figure>\n";
        match octets {
            Some(octets) => {
                let known = ending(&medium.media_type);
                let end = known.unwrap_or("bin");
                let name = format!("{MEDIA}/{}.{end}", medium.hash);
                let family = medium.media_type.split('/').next();
                let shown = match family.filter(|_| medium.inline && known.is_some()) {
                    Some("image") => format!("<img src=\"{name}\" alt=\"{alt}\">\n"),
                    Some("audio") => format!("<audio controls src=\"{name}\"></audio>\n"),
                    Some("video") => format!("<video controls src=\"{name}\"></video>\n"),
                    _ => format!("<a href=\"{name}\">{alt}</a>\n"),
                };
                self.text += &shown;
                self.media.insert(name, octets);
            }
            None => match &medium.href {
                Some(href) => self.element("div", &format!("[{}: {href}]", medium.media_type)),
                None => self.element("div", &format!("[{}: not here]", medium.media_type)),
            },
        }
        if let Some(caption) = &medium.caption {
            self.element("figcaption", caption);
        }
        self.text += "</figure>\n";
    }

    fn thread(&mut self, thread: Option<Thread>) {
        let Some(thread) = thread else { return };
        self.reactions(&thread, &thread.id);
        if thread.comments.is_empty() {
            return;
        }
        self.text += "<div class=\"thread\">\n";
        for comment in &thread.comments {
            self.comment(comment, &thread.comments);
            self.reactions(&thread, &comment.id);
        }
        self.text += "</div>\n";
    }

    fn comment(&mut self, comment: &Comment, all: &[Comment]) {
        let mut name = comment.speaker.name.clone();
        let answered = comment.parent.as_ref().and_then(|(author, id)| {
            let mut all = all.iter();
            all.find(|one| one.speaker.author == *author && one.id == *id)
        });
        if let Some(answered) = answered {
            let _ = write!(name, " to {}", answered.speaker.name);
        }
        self.byline(&name, comment.created, comment.rev);
        self.element("div class=\"text\"", &comment.text);
    }

    /// What was felt about the root or a comment.
    fn reactions(&mut self, thread: &Thread, id: &str) {
        let felt = thread.reactions.iter();
        for reaction in felt.filter(|reaction| hex::encode(reaction.target.id) == id) {
            let (name, symbols) = (&reaction.speaker.name, reaction.symbols.join(" "));
            self.element("div", &format!("{symbols} {name}"));
        }
    }
}

/// Text between tags or in an attribute. What turns the direction of text around ends with its
/// element; other control characters say nothing.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(media_type: &str, inline: bool) -> Medium {
        Medium {
            hash: "ab".repeat(32),
            size: 3,
            media_type: media_type.to_owned(),
            name: Some("a\"b.html".to_owned()),
            dimensions: None,
            alt: None,
            caption: Some("<script>".to_owned()),
            href: None,
            encrypted: false,
            available: true,
            thumbnail: false,
            inline,
        }
    }

    #[test]
    fn nothing_that_somebody_wrote_is_markup() {
        let mut page = Page::default();
        page.head("</title><script>", 0);
        page.byline("<b>", 0, 2);
        page.element("div class=\"text\"", "a < b & \"c\"\u{7}");
        page.figure(&picture("image/png", true), Some(b"png".to_vec()));
        assert!(!page.text.contains("<script>") && !page.text.contains("<b>"));
        assert!(
            page.text
                .contains("<div class=\"text\">a &lt; b &amp; &quot;c&quot;</div>")
        );
        assert!(page.text.contains("alt=\"a&quot;b.html\""), "{}", page.text);
        assert_eq!(page.media.len(), 1);
    }

    #[test]
    fn what_browsers_would_run_is_only_linked() {
        let mut page = Page::default();
        page.figure(&picture("text/html", false), Some(b"<script>".to_vec()));
        let name = format!("media/{}.bin", "ab".repeat(32));
        assert!(
            page.text.contains(&format!("<a href=\"{name}\">")),
            "{}",
            page.text
        );
        assert!(page.media.contains_key(&name));
    }
}
