//! XML for reading: indented and coloured while the document is built.

use maud::{Markup, PreEscaped, html};

/// Longer start tags get a line for each attribute.
const LINE: usize = 88;

#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    /// A declaration, comment, processing instruction or CDATA section.
    Other(&'a str),
    Start(&'a str),
    Empty(&'a str),
    End(&'a str),
    Text(&'a str),
}

/// Splits XML, or something that looks like it, at its tags.
fn tokens(xml: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = xml;
    while !rest.is_empty() {
        let Some(at) = rest.find('<') else {
            tokens.push(Token::Text(rest));
            break;
        };
        if at > 0 {
            tokens.push(Token::Text(&rest[..at]));
            rest = &rest[at..];
        }
        let close = match rest {
            _ if rest.starts_with("<!--") => rest.find("-->").map(|end| end + 3),
            _ if rest.starts_with("<![CDATA[") => rest.find("]]>").map(|end| end + 3),
            _ => tag_end(rest),
        };
        let Some(end) = close else {
            tokens.push(Token::Text(rest));
            break;
        };
        let piece = &rest[..end];
        rest = &rest[end..];
        tokens.push(match piece {
            _ if piece.starts_with("<!") || piece.starts_with("<?") => Token::Other(piece),
            _ if piece.starts_with("</") => Token::End(piece),
            _ if piece.ends_with("/>") => Token::Empty(piece),
            _ => Token::Start(piece),
        });
    }
    tokens
}

/// Where a tag ends; a `>` in a quoted value does not end it.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '>') => return Some(at + 1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// Colours XML as it stands.
pub(crate) fn highlight(xml: &str) -> Markup {
    html! { @for token in tokens(xml) { (coloured(&token, None)) } }
}

/// Indents and colours a well-formed document.
pub(crate) fn pretty(xml: &str) -> Markup {
    let mut out = String::new();
    let mut depth = 0usize;
    let mut last: Option<Token<'_>> = None;
    for token in tokens(xml) {
        if matches!(token, Token::Text(text) if text.trim().is_empty()) {
            continue;
        }
        if matches!(token, Token::End(_)) {
            depth = depth.saturating_sub(1);
        }
        // Text stays where it is, and so does an end tag without an element before it.
        let stays = matches!(
            (&last, &token),
            (None | Some(Token::Text(_)), _)
                | (_, Token::Text(_))
                | (Some(Token::Start(_)), Token::End(_))
        );
        if !stays {
            out.push('\n');
            out.push_str(&"  ".repeat(depth));
        }
        out.push_str(&coloured(&token, Some(depth)).into_string());
        if matches!(token, Token::Start(_)) {
            depth += 1;
        }
        last = Some(token);
    }
    PreEscaped(out)
}

/// One token; with a depth, long start tags are broken into lines.
fn coloured(token: &Token<'_>, depth: Option<usize>) -> Markup {
    match *token {
        Token::Text(text) => html! { (text) },
        Token::Other(text) => html! { span.x-c { (text) } },
        Token::Start(tag) | Token::Empty(tag) | Token::End(tag) => {
            let (open, rest) = tag.split_at(if tag.starts_with("</") { 2 } else { 1 });
            let name_end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/');
            let (name, rest) = rest.split_at(name_end.unwrap_or(rest.len()));
            let broken = depth.filter(|depth| tag.len() + 2 * depth > LINE);
            html! {
                span.x-p { (open) } span.x-t { (name) }
                @match broken {
                    Some(depth) => (attribute_lines(rest, depth)),
                    None => (attributes(rest)),
                }
            }
        }
    }
}

/// The attributes and the end of a tag, as they stand.
fn attributes(rest: &str) -> Markup {
    html! {
        @for piece in pieces(rest) {
            @match piece.split_once('=') {
                Some((name, value)) => { span.x-a { (name) } "=" span.x-v { (value) } },
                None => span.x-p { (piece) },
            }
        }
    }
}

fn attribute_lines(rest: &str, depth: usize) -> Markup {
    let pieces = pieces(rest);
    let (end, attributes): (Vec<&str>, Vec<&str>) =
        pieces.into_iter().partition(|piece| !piece.contains('='));
    html! {
        @for piece in attributes {
            "\n" ("  ".repeat(depth + 2))
            @if let Some((name, value)) = piece.trim().split_once('=') {
                span.x-a { (name) } "=" span.x-v { (value) }
            }
        }
        span.x-p { (end.concat().trim()) }
    }
}

/// Attributes with the white space before them, and what follows the last.
fn pieces(rest: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = rest;
    while let Some(equals) = rest.find('=') {
        let after = &rest[equals + 1..];
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''));
        let Some(end) = quote.and_then(|quote| after[1..].find(quote)) else {
            break;
        };
        let (piece, left) = rest.split_at(equals + 1 + end + 2);
        pieces.push(piece);
        rest = left;
    }
    pieces.push(rest);
    pieces
}

/// A block of XML: long lines wrap.
pub(crate) fn figure(code: &Markup) -> Markup {
    html! { pre.code.xml tabindex="0" { code { (code) } } }
}

/// A block of text whose columns matter: long lines are scrolled.
pub(crate) fn verbatim(text: &str) -> Markup {
    html! { pre.code tabindex="0" { code { (text) } } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(markup: &Markup) -> String {
        let mut out = String::new();
        let mut rest = markup.0.as_str();
        while let Some(at) = rest.find('<') {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            rest = &rest[rest.find('>').unwrap() + 1..];
        }
        out.push_str(rest);
        out.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }

    #[test]
    fn colours_change_no_character() {
        let xml =
            "<?xml version=\"1.0\"?>\n<a b='x>y' c=\"…\">t &amp; u<!-- <z> --><d/></a >\n<broken";
        assert_eq!(plain(&highlight(xml)), xml);
        assert!(highlight(xml).0.contains("<span class=\"x-a\"> b</span>"));
    }

    #[test]
    fn documents_are_indented() {
        let xml = "<a><b>text</b><c><d/></c>\n\n   <e></e></a>";
        let expected = "<a>\n  <b>text</b>\n  <c>\n    <d/>\n  </c>\n  <e></e>\n</a>";
        assert_eq!(plain(&pretty(xml)), expected);
        assert_eq!(plain(&pretty(expected)), expected);
    }

    #[test]
    fn long_tags_get_a_line_for_each_attribute() {
        let long = "0".repeat(80);
        let pretty = plain(&pretty(&format!("<a><b c=\"{long}\" d=\"1\"/></a>")));
        assert_eq!(
            pretty,
            format!("<a>\n  <b\n      c=\"{long}\"\n      d=\"1\"/>\n</a>")
        );
    }
}
