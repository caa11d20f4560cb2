//! The structure of a message: where header, body and each part begin and end.
//!
//! RFC 5322 section 2.2 and RFC 2045/2046, as lenient as mail servers are, on any octets, without
//! copying. Depth and number of parts are bounded; what lies deeper is left unparsed, as a leaf.

use std::ops::Range;

const MAX_DEPTH: usize = 32;
const MAX_PARTS: usize = 2_000;

/// One header field.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    /// After the colon, without the final line end.
    pub(crate) value: &'a [u8],
    /// All of it, with the final line end.
    pub(crate) whole: &'a [u8],
}

/// What a Content-Type or Content-Disposition says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameterized {
    /// `text/plain`, or `attachment`, in small letters.
    pub(crate) value: String,
    /// Names in small letters.
    pub(crate) params: Vec<(String, String)>,
}

impl Parameterized {
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Type and subtype of a Content-Type.
    pub(crate) fn media(&self) -> (&str, &str) {
        self.value.split_once('/').unwrap_or((&self.value, ""))
    }
}

/// A part, or the message itself. Ranges are of octets in the message.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The header with the empty line that ends it.
    pub(crate) header: Range<usize>,
    pub(crate) body: Range<usize>,
    pub(crate) content_type: Parameterized,
    /// The parts of a multipart; the one embedded message of a message/rfc822.
    pub(crate) children: Vec<Part>,
}

impl Part {
    pub(crate) fn is_multipart(&self) -> bool {
        !self.children.is_empty() && self.content_type.value.starts_with("multipart/")
    }

    /// The message that a message/rfc822 part holds.
    pub(crate) fn embedded(&self) -> Option<&Part> {
        (!self.is_multipart())
            .then(|| self.children.first())
            .flatten()
    }
}

/// Finds the structure of a message.
pub(crate) fn parse(message: &[u8]) -> Part {
    let mut budget = MAX_PARTS;
    part(message, 0..message.len(), "text/plain", 0, &mut budget)
}

fn part(
    message: &[u8],
    range: Range<usize>,
    default: &str,
    depth: usize,
    budget: &mut usize,
) -> Part {
    *budget = budget.saturating_sub(1);
    let octets = message.get(range.clone()).unwrap_or_default();
    let (header, _) = split_header(octets);
    let header = range.start..range.start + header.len();
    let body = header.end..range.end;
    let content_type = content_type(message.get(header.clone()).unwrap_or_default(), default);
    let mut children = Vec::new();
    if depth < MAX_DEPTH && *budget > 0 {
        if let Some(boundary) = multipart_boundary(&content_type) {
            let default = match content_type.value.as_str() {
                "multipart/digest" => "message/rfc822",
                _ => "text/plain",
            };
            for child in split_multipart(message, body.clone(), boundary, *budget) {
                children.push(part(message, child, default, depth + 1, budget));
            }
        } else if matches!(
            content_type.value.as_str(),
            "message/rfc822" | "message/global"
        ) {
            children.push(part(message, body.clone(), "text/plain", depth + 1, budget));
        }
    }
    Part {
        header,
        body,
        content_type,
        children,
    }
}

fn multipart_boundary(content_type: &Parameterized) -> Option<&str> {
    content_type
        .value
        .starts_with("multipart/")
        .then(|| content_type.param("boundary"))
        .flatten()
        .filter(|boundary| !boundary.is_empty())
}

fn content_type(header: &[u8], default: &str) -> Parameterized {
    let found = field(header, "content-type").map(|value| parameterized(&value));
    found
        .filter(|found| {
            let (kind, subtype) = found.media();
            !kind.is_empty() && !subtype.is_empty()
        })
        .unwrap_or_else(|| Parameterized {
            value: default.to_owned(),
            params: Vec::new(),
        })
}

/// The ranges between the boundary's delimiter lines (RFC 2046 section 5.1.1).
fn split_multipart(
    message: &[u8],
    body: Range<usize>,
    boundary: &str,
    most: usize,
) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = body.start;
    while at < body.end && parts.len() < most {
        let line = next_line(message, at, body.end);
        let text = message.get(at..line).unwrap_or_default();
        if let Some(rest) = text
            .strip_prefix(b"--")
            .and_then(|text| text.strip_prefix(boundary.as_bytes()))
        {
            let last = rest.starts_with(b"--");
            let padding = if last {
                rest.get(2..).unwrap_or_default()
            } else {
                rest
            };
            if padding.iter().all(u8::is_ascii_whitespace) {
                if let Some(start) = open.take() {
                    parts.push(start..before_line_end(message, start, at));
                }
                if last {
                    return parts;
                }
                open = Some(line);
            }
        }
        at = line;
    }
    if let Some(start) = open {
        parts.push(start..body.end);
    }
    parts
}

fn next_line(message: &[u8], from: usize, end: usize) -> usize {
    let rest = message.get(from..end).unwrap_or_default();
    let lf = rest.iter().position(|octet| *octet == b'\n');
    lf.map_or(end, |lf| from + lf + 1)
}

/// The line end before a delimiter belongs to the delimiter.
fn before_line_end(message: &[u8], start: usize, end: usize) -> usize {
    let octets = message.get(start..end).unwrap_or_default();
    let octets = octets.strip_suffix(b"\n").unwrap_or(octets);
    let octets = octets.strip_suffix(b"\r").unwrap_or(octets);
    start + octets.len()
}

/// Splits at the empty line, which stays with the header.
pub(crate) fn split_header(octets: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < octets.len() {
        let line = next_line(octets, at, octets.len());
        let text = octets.get(at..line).unwrap_or_default();
        if matches!(text, b"\n" | b"\r\n") {
            return octets.split_at(line);
        }
        at = line;
    }
    (octets, &[])
}

/// The fields of a header, each with its folded lines. A line without a colon is a field without
/// a name; the empty line is none.
pub(crate) fn fields(header: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut at = 0;
    while at < header.len() {
        let mut end = next_line(header, at, header.len());
        if matches!(header.get(at..end), Some(b"\n" | b"\r\n")) {
            break;
        }
        while matches!(header.get(end), Some(b' ' | b'\t')) {
            end = next_line(header, end, header.len());
        }
        let whole = header.get(at..end).unwrap_or_default();
        let colon = whole.iter().position(|octet| *octet == b':');
        let (name, value) = match colon {
            Some(colon) => whole.split_at(colon),
            None => (&whole[..0], whole),
        };
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_suffix(b"\n").unwrap_or(value);
        fields.push(Field {
            name: name.trim_ascii_end(),
            value: value.strip_suffix(b"\r").unwrap_or(value),
            whole,
        });
        at = end;
    }
    fields
}

/// The first field of a name, unfolded.
pub(crate) fn field(header: &[u8], name: &str) -> Option<Vec<u8>> {
    fields(header)
        .into_iter()
        .find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
        .map(|field| unfold(field.value))
}

/// Without line ends (RFC 5322 section 2.2.3).
pub(crate) fn unfold(value: &[u8]) -> Vec<u8> {
    value
        .iter()
        .copied()
        .filter(|octet| !matches!(octet, b'\r' | b'\n'))
        .collect()
}

/// Without comments in parentheses, which may nest (RFC 5322 section 3.2.2).
pub(crate) fn without_comments(value: &str) -> String {
    let (mut out, mut depth, mut quoted) = (String::new(), 0_usize, false);
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let next = characters.next();
                if depth == 0 {
                    out.push('\\');
                    out.extend(next);
                }
            }
            '"' if depth == 0 => {
                quoted = !quoted;
                out.push('"');
            }
            '(' if !quoted => depth += 1,
            ')' if !quoted && depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(character),
            _ => (),
        }
    }
    out
}

/// A value with parameters (RFC 2045 section 5.1).
pub(crate) fn parameterized(value: &[u8]) -> Parameterized {
    let value = without_comments(&String::from_utf8_lossy(value));
    let mut pieces = split_outside_quotes(&value, ';').into_iter();
    let head: String = pieces
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|character| !character.is_whitespace())
        .collect();
    let params = pieces
        .filter_map(|piece| {
            let (name, value) = piece.split_once('=')?;
            Some((name.trim().to_ascii_lowercase(), unquote(value.trim())))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect();
    Parameterized {
        value: head.to_ascii_lowercase(),
        params,
    }
}

/// Splits at a character, but not inside quoted strings.
pub(crate) fn split_outside_quotes(text: &str, at: char) -> Vec<&str> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            _ if character == at && !quoted => {
                pieces.push(text.get(start..index).unwrap_or_default());
                start = index + character.len_utf8();
            }
            _ => (),
        }
    }
    pieces.push(text.get(start..).unwrap_or_default());
    pieces
}

/// The content of a quoted string, or the text as it is.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    let (mut out, mut escaped) = (String::new(), false);
    for character in inner.chars() {
        match character {
            _ if escaped => {
                out.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => break,
            _ => out.push(character),
        }
    }
    out
}

/// The domain of the From field's first address, if it is one that can stand in a header field.
pub(crate) fn from_domain(message: &[u8]) -> Option<String> {
    let (header, _) = split_header(message);
    let from = without_comments(&String::from_utf8_lossy(&field(header, "from")?));
    let (_, domain) = from.rsplit_once('@')?;
    let domain: String = domain
        .trim_start()
        .chars()
        .take_while(|character| character.is_alphanumeric() || matches!(character, '.' | '-'))
        .collect();
    (!domain.is_empty()).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &[u8] = b"Content-Type: multipart/mixed; boundary=\"o\"\r\n\r\npreamble\r\n\
--o\r\n\r\nplain\r\n--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\
Content-Type: multipart/alternative; boundary=i\r\n\r\n--i\r\n\r\none\r\n--i \r\n\
Content-Type: text/html\r\n\r\ntwo\r\n--i--\r\n\r\n--o--\r\nepilogue\r\n";

    fn text<'a>(message: &'a [u8], range: &Range<usize>) -> &'a str {
        std::str::from_utf8(&message[range.clone()]).unwrap()
    }

    #[test]
    fn nested_structure() {
        let root = parse(NESTED);
        assert!(root.is_multipart());
        assert_eq!(root.children.len(), 2);
        assert_eq!(text(NESTED, &root.children[0].body), "plain");
        let inner = root.children[1].embedded().unwrap();
        assert_eq!(inner.children.len(), 2);
        assert_eq!(text(NESTED, &inner.children[0].body), "one");
        assert_eq!(text(NESTED, &inner.children[1].body), "two");
        assert_eq!(inner.children[1].content_type.value, "text/html");
    }

    #[test]
    fn depth_is_bounded() {
        let mut message = Vec::new();
        for _ in 0..5_000 {
            message.extend_from_slice(b"Content-Type: message/rfc822\r\n\r\n");
        }
        let (mut part, mut depth) = (&parse(&message), 0);
        while let Some(inner) = part.embedded() {
            (part, depth) = (inner, depth + 1);
        }
        assert_eq!(depth, MAX_DEPTH);
    }

    #[test]
    fn parameters_with_comments_and_quotes() {
        let found = parameterized(b" Text/Plain (a;b); charset=\"u\\\"8;\" ; Format = flowed");
        assert_eq!(found.value, "text/plain");
        assert_eq!(found.param("charset"), Some("u\"8;"));
        assert_eq!(found.param("format"), Some("flowed"));
    }

    #[test]
    fn folded_fields() {
        let found = fields(b"A: 1\r\n 2\r\nB : 3\n\nC: 4");
        assert_eq!(found.len(), 2);
        assert_eq!(unfold(found[0].value), b" 1 2");
        assert_eq!(found[1].name, b"B");
    }
}
