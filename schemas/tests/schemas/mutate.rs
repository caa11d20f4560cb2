//! Documents with a fault or two.

use roxmltree::{Document, Node};

use crate::random::Random;

/// What is put somewhere, or in place of a value.
const SNIPPETS: &[&str] = &[
    "",
    " ",
    "\t",
    "\n",
    "\r",
    "\r\n",
    "x",
    "&",
    "<",
    ">",
    "&amp;",
    "&lt;",
    "&#32;",
    "&#13;",
    "&#10;x",
    "\r&#10;",
    "\r&#65;",
    "&#0;",
    "&#xD800;",
    "&#xFFFE;",
    "&#x110000;",
    "&#x41;",
    "&#X41;",
    "&#65",
    "&nbsp;",
    "\u{e9}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "\u{1f600}",
    "\u{fffe}",
    "\u{1}",
    "<!-- c -->",
    "<!-- -- -->",
    "<!--->",
    "<?pi x?>",
    "<?xml x?>",
    "<?XML x?>",
    "<?a:b?>",
    "<?a+b?>",
    "<?xml version=\"1.0\"?>",
    "<![CDATA[ ]]>",
    "<![CDATA[]]>",
    "<![CDATA[x]]>",
    "]]>",
    "<x/>",
    "<x xmlns=\"urn:x\"/>",
    "<x xmlns=\"\"/>",
    "<ext/>",
    "<ext><x xmlns=\"urn:x\"/></ext>",
    "<ext xmlns=\"urn:kith:1.0\"> <x xmlns=\"urn:x\"><object xmlns=\"urn:kith:1.0\"/></x></ext>",
    "<x xmlns=\"urn:x\"><delivery xmlns=\"urn:kith:1.0\"/></x>",
    "<y:x xmlns:y=\"urn:y\" y:a=\"1\" a=\"2\"/>",
    "<y:x/>",
    "<a:b:c/>",
    "<:a/>",
    "</x>",
    " a=\"b\"",
    " xml:lang=\"en\"",
    " xml:space=\"other\"",
    " xmlns=\"\"",
    " xmlns=\"urn:x\"",
    " xmlns:p=\"urn:p\"",
    " xmlns:p=\"\"",
    " xmlns:xml=\"urn:x\"",
    " xmlns:xml=\"http://www.w3.org/XML/1998/namespace\"",
    " xmlns:xmlns=\"urn:x\"",
    " xmlns:p=\"http://www.w3.org/XML/1998/namespace\"",
    " p:a=\"b\"",
    " a=\"1\" a=\"2\"",
    " xmlns:p=\"urn:p\" xmlns:q=\"urn:p\" p:a=\"1\" q:a=\"2\"",
    " a=b",
    " a",
    " a='<'",
    "0",
    "-0",
    "+0",
    "1",
    "-1",
    "+1",
    "01",
    "0x1",
    "1.0",
    "1e3",
    "\u{661}",
    "--1",
    "+",
    "-",
    "1 2",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "-2147483648",
    "4294967296",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "000000000000000000000000000000000000000000000001",
    "2026-02-29T00:00:00Z",
    "2024-02-29T23:59:59Z",
    "1900-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0999-12-31T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2026-01-01T23:59:60Z",
    "2026-01-01T23:60:00Z",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00z",
    "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00.0Z",
    " 2026-01-01T00:00:00Z ",
    "2026-01-01",
    "+2026-01-01T00:00:00Z",
    "-2026-01-01T00:00:00Z",
    "12026-01-01T00:00:00Z",
    "AAAA",
    "AA==",
    "AB==",
    "AAA=",
    "AAB=",
    "AAA",
    "A===",
    "AA=",
    "====",
    "AAAA ",
    "AA\nAA",
    "AA-_",
    "a@b",
    "a@",
    "@b",
    "a@b@c",
    "a b@c",
    "\"a\"@b",
    "a@b.c,",
    "\u{e9}@\u{e9}",
    "a@[1.2.3.4]",
    "a\\@b",
    "direct",
    "Direct",
    " direct",
    "any",
    "friend",
    "follow",
    "true",
    "TRUE",
    "post",
    "{urn:x}post",
    "{}post",
    "core",
    "urn:x#y",
    "#core",
    "object",
    "delivery",
    "id",
    "ext",
];

/// A document with one to three faults.
pub(crate) fn mutant(document: &str, random: &mut Random) -> Vec<u8> {
    let mut octets = document.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        octets = match std::str::from_utf8(&octets) {
            Ok(text) => {
                let text = text.to_owned();
                one(&text, random)
            }
            Err(_) => flip(&octets, random),
        };
        octets.truncate(100_000);
    }
    octets
}

fn one(text: &str, random: &mut Random) -> Vec<u8> {
    let parsed = Document::parse(text);
    match (random.below(10), &parsed) {
        (0, _) | (1..=8, Err(_)) => flip(text.as_bytes(), random),
        (1, _) => splice(text, random).into_bytes(),
        (2 | 3, Ok(document)) => attributes(text, document, random).into_bytes(),
        (4 | 5, Ok(document)) => elements(text, document, random).into_bytes(),
        (6 | 7, Ok(document)) => values(text, document, random).into_bytes(),
        (8, Ok(document)) => tags(text, document, random).into_bytes(),
        _ => names(text, random).into_bytes(),
    }
}

/// Changes, removes, or doubles octets.
fn flip(octets: &[u8], random: &mut Random) -> Vec<u8> {
    let mut octets = octets.to_vec();
    if octets.is_empty() {
        return octets;
    }
    let at = random.below(octets.len());
    match random.below(4) {
        0 => octets[at] ^= 1 << random.below(8),
        1 => octets[at] = b" \t\n\r<>&'\"=/:;-!?[]0a\xff\0"[random.below(22)],
        2 => drop(octets.drain(at..(at + 1 + random.below(4)).min(octets.len()))),
        _ => {
            let end = (at + 1 + random.below(8)).min(octets.len());
            let copy = octets[at..end].to_vec();
            octets.splice(at..at, copy);
        }
    }
    octets
}

/// Puts a snippet at a random place.
fn splice(text: &str, random: &mut Random) -> String {
    let mut at = random.below(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    format!("{}{}{}", &text[..at], random.pick(SNIPPETS), &text[at..])
}

fn any_element<'a>(document: &'a Document<'a>, random: &mut Random) -> Node<'a, 'a> {
    let elements: Vec<_> = document.descendants().filter(Node::is_element).collect();
    elements[random.below(elements.len())]
}

/// Drops, doubles, renames or moves an attribute, or changes its value.
fn attributes(text: &str, document: &Document<'_>, random: &mut Random) -> String {
    let all: Vec<_> = document
        .descendants()
        .flat_map(|node| node.attributes())
        .collect();
    if all.is_empty() {
        return splice(text, random);
    }
    let attribute = &all[random.below(all.len())];
    let range = attribute.range();
    let (before, own, after) = (
        &text[..range.start],
        &text[range.clone()],
        &text[range.end..],
    );
    match random.below(6) {
        0 => format!("{before}{after}"),
        1 => format!("{before}{own} {own}{after}"),
        2 => format!("{before}x{own}{after}"),
        3 => format!("{before}xml:{own}{after}"),
        4 => format!("{before}xmlns:q=\"urn:kith:1.0\" q:{own}{after}"),
        _ => {
            let value = value(attribute.value(), random);
            let value = value.replace('"', "&quot;");
            format!("{before}{}=\"{value}\"{after}", attribute.name())
        }
    }
}

/// Drops, doubles, swaps, wraps or moves an element.
fn elements(text: &str, document: &Document<'_>, random: &mut Random) -> String {
    let element = any_element(document, random);
    let range = element.range();
    let (before, own, after) = (
        &text[..range.start],
        &text[range.clone()],
        &text[range.end..],
    );
    let next = element
        .next_siblings()
        .skip(1)
        .find(Node::is_element)
        .map(|node| node.range());
    match (random.below(7), next) {
        (0, _) => format!("{before}{after}"),
        (1, _) => format!("{before}{own}{own}{after}"),
        (2 | 3, Some(next)) => format!(
            "{before}{}{}{own}{}",
            &text[next.clone()],
            &text[range.end..next.start],
            &text[next.end..]
        ),
        (4, _) => format!("{before}<w xmlns=\"urn:w\">{own}</w>{after}"),
        (5, _) => {
            let count = [2, 8, 9, 16, 17, 32, 33][random.below(7)];
            format!("{before}{}{after}", own.repeat(count))
        }
        _ => format!("{before}{own}{}{after}", random.pick(SNIPPETS)),
    }
}

/// Changes the text of an element.
fn values(text: &str, document: &Document<'_>, random: &mut Random) -> String {
    let texts: Vec<_> = document.descendants().filter(Node::is_text).collect();
    if texts.is_empty() {
        return splice(text, random);
    }
    let node = texts[random.below(texts.len())];
    let range = node.range();
    let value = value(&text[range.clone()], random);
    format!("{}{value}{}", &text[..range.start], &text[range.end..])
}

fn value(old: &str, random: &mut Random) -> String {
    match random.below(8) {
        0 => format!("{old} "),
        1 => format!(" {old}"),
        2 => old.to_uppercase(),
        3 => old.chars().skip(1).collect(),
        4 => {
            let length = [
                99, 100, 101, 200, 201, 254, 255, 300, 301, 500, 501, 2000, 2001, 12288, 12292,
                20000, 20001,
            ][random.below(17)];
            random
                .pick(&["a", "0", "\u{e9}", "\u{1f600}"])
                .repeat(length)
        }
        _ => random.pick(SNIPPETS).to_owned(),
    }
}

/// Puts a snippet into a start tag, or just behind it, or before the end tag.
fn tags(text: &str, document: &Document<'_>, random: &mut Random) -> String {
    let range = any_element(document, random).range();
    let own = &text[range.clone()];
    let close = own.find('>').unwrap_or(0);
    let inside = if own[..close].ends_with('/') {
        close - 1
    } else {
        close
    };
    let end = own.rfind("</").unwrap_or(close);
    let at = range.start + [inside, inside, close + 1, end, own.len()][random.below(5)];
    format!("{}{}{}", &text[..at], random.pick(SNIPPETS), &text[at..])
}

/// Changes a namespace or a name everywhere, or the beginning of the document.
fn names(text: &str, random: &mut Random) -> String {
    match random.below(9) {
        0 => text.replace("urn:kith:1.0", "urn:kith:1.1"),
        1 => text.replacen("urn:kith:1.0", "urn:kith:1.0 ", 1),
        2 => text.replacen("urn:kith:1.0", "urn:kith:1&#46;0", 1),
        3 => text.replace(" xmlns=", " xmlns:k="),
        4 => text
            .replace("<post", "<message")
            .replace("</post", "</message"),
        5 => text.replace("id=", "Id="),
        6 => format!("\u{feff}{text}"),
        7 => format!(" {text}"),
        _ => format!("{text}{}", random.pick(SNIPPETS)),
    }
}
