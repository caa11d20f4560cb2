//! Transfer encodings, folding and encoded words.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Characters of a line, without its end.
const COLUMNS: usize = 76;

/// Base64 in lines of 76 characters that end in CRLF.
pub fn base64_lines(octets: &[u8]) -> String {
    let text = STANDARD.encode(octets);
    let mut out = String::with_capacity(text.len() + text.len() / 38 + 2);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(COLUMNS));
        out.push_str(line);
        out.push_str("\r\n");
        rest = after;
    }
    out
}

/// Quoted-printable (RFC 2045, section 6.7). A text in UTF-8 keeps its lines,
/// which end in CRLF; of anything else every octet counts.
pub fn quoted_printable(octets: &[u8]) -> String {
    let bare = octets
        .iter()
        .filter(|octet| **octet == b'\r' || **octet == b'\n')
        .count();
    let ends = octets.windows(2).filter(|pair| pair == b"\r\n").count();
    let text = std::str::from_utf8(octets).is_ok() && bare == 2 * ends;
    let mut out = String::new();
    let mut rest = octets;
    loop {
        let end = rest.windows(2).position(|pair| text && pair == b"\r\n");
        let line = &rest[..end.unwrap_or(rest.len())];
        let mut column = 0;
        for (place, &octet) in line.iter().enumerate() {
            let ends = place + 1 == line.len();
            let plain = (33..=126).contains(&octet) && octet != b'=' || octet == b' ' && !ends;
            let width = if plain { 1 } else { 3 };
            if column + width > COLUMNS - 1 {
                out.push_str("=\r\n");
                column = 0;
            }
            if plain {
                out.push(char::from(octet));
            } else {
                out.push_str(&format!("={octet:02X}"));
            }
            column += width;
        }
        let Some(end) = end else {
            return out;
        };
        out.push_str("\r\n");
        rest = &rest[end + 2..];
    }
}

/// An unstructured field body: as it stands where it is ASCII, else as encoded
/// words (RFC 2047).
pub fn unstructured(text: &str) -> String {
    if text.bytes().all(|b| (32..127).contains(&b)) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if word.len() + c.len_utf8() > 39 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encode = |word: &String| format!("=?utf-8?B?{}?=", STANDARD.encode(word));
    words.iter().map(encode).collect::<Vec<_>>().join(" ")
}

/// A header field, folded at spaces.
pub fn fold(name: &str, value: &str) -> String {
    let mut out = format!("{name}:");
    let mut column = out.len();
    for word in value.split(' ') {
        if column + 1 + word.len() > COLUMNS && column > name.len() + 1 {
            out.push_str("\r\n ");
            column = 1;
        } else {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += word.len();
    }
    out.push_str("\r\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_read_back_and_keep_the_width() {
        let text =
            "Grüße = süß, und noch ein langer Satz, der über das Ende der Zeile geht. \r\nEnde";
        let encoded = quoted_printable(text.as_bytes());
        assert!(encoded.lines().all(|line| line.len() <= COLUMNS));
        let mail = format!("Content-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}");
        let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
        assert_eq!(parsed.get_body_raw().unwrap(), text.as_bytes());

        let octets: Vec<u8> = (0..=255).chain(*b"\r\n").collect();
        let encoded = quoted_printable(&octets);
        let mail = format!("Content-Transfer-Encoding: quoted-printable\r\n\r\n{encoded}");
        let parsed = mailparse::parse_mail(mail.as_bytes()).unwrap();
        assert_eq!(parsed.get_body_raw().unwrap(), octets);

        let folded = fold(
            "Subject",
            &unstructured(&text.repeat(3).replace("\r\n", " ")),
        );
        assert!(folded.lines().all(|line| line.len() <= COLUMNS));
        let (header, _) = mailparse::parse_header(folded.as_bytes()).unwrap();
        assert_eq!(header.get_value(), text.repeat(3).replace("\r\n", " "));
    }
}
