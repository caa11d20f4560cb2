//! Rust source as the checks see it: without comments, literals and tests.
//!
//! Not a parser: a scanner that knows enough of the lexical grammar to blank
//! what is not code, octet for octet, so that lines keep their numbers.

use std::ops::Range;

/// Whether the file holds nothing but tests, judging by its path.
pub(crate) fn is_test_file(path: &str) -> bool {
    let path = format!("/{path}");
    path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

/// The source with comments, the insides of literals and `#[cfg(test)]` items
/// blanked.
pub(crate) fn code(text: &str) -> String {
    without_tests(without_comments_and_literals(text))
}

/// The source with comments and the insides of literals blanked.
pub(crate) fn without_comments_and_literals(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans(text) {
        out.push_str(&text[from..span.start]);
        from = span.end;
        out.extend(text[span].bytes().map(blanked));
    }
    out.push_str(&text[from..]);
    out
}

fn blanked(octet: u8) -> char {
    if octet == b'\n' { '\n' } else { ' ' }
}

/// The places of comments, and of what stands between quotes, in order.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let in_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if let Some(length) = comment(rest) {
            spans.push(at..at + length);
            at += length;
        } else if let Some((open, inside, close)) = literal(rest, in_word) {
            let start = at + open;
            spans.push(start..start + inside);
            at = start + inside + close;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    spans
}

/// The length of the comment that `rest` begins with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.strip_prefix("/*")?;
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(rest.len())
}

/// The lengths of opening, inside and closing of the literal that `rest` begins with.
fn literal(rest: &str, in_word: bool) -> Option<(usize, usize, usize)> {
    if rest.starts_with('"') {
        return Some(quoted(rest, 1, '"'));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    if in_word {
        return None;
    }
    let prefix = ["br", "cr", "r"]
        .into_iter()
        .find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest[prefix.len()..]
        .bytes()
        .take_while(|octet| *octet == b'#')
        .count();
    let open = prefix.len() + hashes + 1;
    rest[prefix.len() + hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let inside = rest[open..].find(&end).unwrap_or(rest.len() - open);
    Some((open, inside, end.len().min(rest.len() - open - inside)))
}

fn quoted(rest: &str, open: usize, quote: char) -> (usize, usize, usize) {
    let mut escaped = false;
    for (index, c) in rest[open..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return (open, index, 1),
            _ => {}
        }
    }
    (open, rest.len() - open, 0)
}

/// A character literal; a lifetime is none.
fn character(rest: &str) -> Option<(usize, usize, usize)> {
    let mut chars = rest[1..].chars();
    let first = chars.next()?;
    if first == '\\' {
        return Some(quoted(rest, 1, '\''));
    }
    (chars.next() == Some('\'')).then(|| (1, first.len_utf8(), 1))
}

/// Blanks every item that `#[cfg(test)]` or `#[test]` stands before. Comments
/// and literals have to be blank already.
fn without_tests(code: String) -> String {
    const MARKS: [&str; 3] = ["#[cfg(test)]", "#[test]", "#[cfg(all(test"];
    let mut out = code.into_bytes();
    let text = String::from_utf8_lossy(&out).into_owned();
    let mut from = 0;
    while let Some(start) = MARKS
        .iter()
        .filter_map(|mark| Some(from + text[from..].find(mark)?))
        .min()
    {
        let end = start + item(&text[start..]);
        for octet in &mut out[start..end] {
            if *octet != b'\n' {
                *octet = b' ';
            }
        }
        from = end;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The length of the item at the beginning, its attributes included.
fn item(text: &str) -> usize {
    let mut depth = 0i32;
    for (at, octet) in text.bytes().enumerate() {
        match octet {
            b'{' | b'(' | b'[' => depth += 1,
            b'}' | b')' | b']' => {
                depth -= 1;
                if depth <= 0 && octet == b'}' {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_in_place() {
        let text = "a // x\nb /* y /* z */ */ c \"st\\\"r\" r#\"ra\"w\"# 'q' '\\'' &'a b\"x\" d";
        let code = code(text);
        assert_eq!(code.len(), text.len());
        assert_eq!(code.lines().count(), 2);
        let words: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
        assert_eq!(words, "abcrabd");
        assert!(code.contains("&'a b\" \" d"), "{code}");
    }

    #[test]
    fn tests_are_blanked_to_the_end_of_their_item() {
        let text = "fn a() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests;\nfn b() {}\n\
                    #[cfg(test)]\nmod tests { fn c() { '}'; } }\nfn d() {}\n";
        let code = code(text);
        let names: Vec<&str> = code
            .split_whitespace()
            .filter(|word| word.ends_with("()"))
            .collect();
        assert_eq!(names, ["a()", "b()", "d()"]);
    }

    #[test]
    fn unfinished_source_ends_the_scan() {
        for text in [
            "\"",
            "/*",
            "r#\"",
            "'\\",
            "'",
            "#[cfg(test)] mod",
            "b\"ü",
            "/* ü",
        ] {
            assert_eq!(code(text).len(), text.len(), "{text}");
        }
    }

    #[test]
    fn test_files_are_known_by_their_path() {
        assert!(is_test_file("reference/core/tests/a.rs"));
        assert!(is_test_file("spec/src/parse/tests.rs"));
        assert!(!is_test_file("conformance/testbed/src/lib.rs"));
    }
}
