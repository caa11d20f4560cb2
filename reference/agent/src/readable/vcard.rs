//! Friends as vCards (RFC 6350, version 4.0).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kith_core::agent::AgentError;
use kith_core::agent::view::{Contact, Field, FieldValue, View};
use kith_core::kinds::field::Place;

use super::{medium, octets};

/// The longest line in octets (RFC 6350, section 3.2).
const LINE: usize = 75;

/// A card for each friend.
pub(super) fn write(view: &View<'_>) -> Result<String, AgentError> {
    let mut text = String::new();
    for contact in view.contacts()? {
        let Some(id) = octets(&contact.identity) else {
            continue;
        };
        let fields = view.profile(id)?;
        let mut lines = card(&contact, &fields);
        for field in &fields {
            lines.extend(photo(view, &contact.identity, field)?);
        }
        lines.push("END:VCARD".to_owned());
        for line in lines {
            fold(&line, &mut text);
        }
    }
    Ok(text)
}

fn card(contact: &Contact, fields: &[Field]) -> Vec<String> {
    let first = contact.addresses.first().cloned().unwrap_or_default();
    let claimed = contact.name.clone().unwrap_or(first);
    let shown = contact.petname.clone().unwrap_or(claimed);
    let mut lines = vec![
        "BEGIN:VCARD".to_owned(),
        "VERSION:4.0".to_owned(),
        format!("UID;VALUE=text:{}", contact.identity),
        format!("FN:{}", escape(&shown)),
    ];
    let addresses = contact.addresses.iter().enumerate();
    lines.extend(addresses.map(|(number, address)| {
        let preference = number.min(99) + 1;
        format!("EMAIL;PREF={preference}:{}", escape(address))
    }));
    for field in fields {
        let values = field.values.iter();
        lines.extend(values.filter_map(|value| property(&field.name, value)));
    }
    lines
}

/// One value of a field as a line. A photo's octets are not in its value.
fn property(name: &str, value: &FieldValue) -> Option<String> {
    let parts = |names: &[&str]| {
        let part = |wanted: &&str| {
            let named = value.parts.iter().filter(|(part, _)| part == wanted);
            let texts: Vec<_> = named.map(|(_, text)| escape(text)).collect();
            texts.join(",")
        };
        names.iter().map(part).collect::<Vec<_>>().join(";")
    };
    let place = match value.place {
        None => "",
        Some(Place::Home) => ";TYPE=home",
        Some(Place::Work) => ";TYPE=work",
    };
    let text = match name {
        "n" => parts(&["surname", "given", "additional", "prefix", "suffix"]),
        // Post office box and extended address come first, and stay empty.
        "adr" => format!(
            ";;{}",
            parts(&["street", "locality", "region", "code", "country"])
        ),
        "photo" => return None,
        // RFC 6350 writes a day of a month without year as --MMDD.
        "bday" => match value.text.strip_prefix("--") {
            Some(day) => format!("--{}", day.replace('-', "")),
            None => value.text.replace('-', ""),
        },
        "tel" | "key" => {
            let name = name.to_ascii_uppercase();
            return Some(format!("{name};VALUE=uri{place}:{}", uri(&value.text)));
        }
        "impp" | "url" => uri(&value.text),
        _ => escape(&value.text),
    };
    Some(format!("{}{place}:{text}", name.to_ascii_uppercase()))
}

fn photo(view: &View<'_>, identity: &str, field: &Field) -> Result<Option<String>, AgentError> {
    let Some(photo) = field.photo.as_ref().filter(|photo| photo.inline) else {
        return Ok(None);
    };
    let octets = medium(view, (identity, &field.id), 0)?;
    Ok(octets.map(|octets| {
        let data = STANDARD.encode(octets);
        format!("PHOTO:data:{};base64,{data}", photo.media_type)
    }))
}

/// A value of text (RFC 6350, section 3.4).
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' | ',' | ';' => escaped.extend(['\\', character]),
            '\n' => escaped.push_str("\\n"),
            character if character.is_control() => {}
            character => escaped.push(character),
        }
    }
    escaped
}

/// A URI stands as it is; a line end would begin another property.
fn uri(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// A line with its end, folded.
fn fold(line: &str, text: &mut String) {
    let mut length = 0;
    for character in line.chars() {
        if length + character.len_utf8() > LINE {
            text.push_str("\r\n ");
            length = 1;
        }
        text.push(character);
        length += character.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, parts: &[(&str, &str)]) -> FieldValue {
        FieldValue {
            text: text.to_owned(),
            place: Some(Place::Home),
            parts: parts
                .iter()
                .map(|(part, text)| ((*part).to_owned(), (*text).to_owned()))
                .collect(),
            offered: false,
        }
    }

    #[test]
    fn values_stand_where_vcard_wants_them() {
        let address = [
            ("street", "Main; 1"),
            ("code", "1010"),
            ("locality", "Vienna"),
        ];
        let line = property("adr", &value("", &address));
        assert_eq!(
            line.as_deref(),
            Some("ADR;TYPE=home:;;Main\\; 1;Vienna;;1010;")
        );
        let name = [("given", "Alice"), ("given", "Ann"), ("surname", "Example")];
        let line = property("n", &value("", &name));
        assert_eq!(line.as_deref(), Some("N;TYPE=home:Example;Alice,Ann;;;"));
        let line = property("tel", &value("tel:+43-1-5550100", &[]));
        assert_eq!(
            line.as_deref(),
            Some("TEL;VALUE=uri;TYPE=home:tel:+43-1-5550100")
        );
        let mut day = value("--02-28", &[]);
        day.place = None;
        assert_eq!(property("bday", &day).as_deref(), Some("BDAY:--0228"));
        day.text = "two\nlines\r\nBEGIN:VCARD".to_owned();
        let line = property("note", &day);
        assert_eq!(line.as_deref(), Some("NOTE:two\\nlines\\nBEGIN:VCARD"));
    }

    #[test]
    fn long_lines_are_folded_between_characters() {
        let mut text = String::new();
        fold(&"é".repeat(60), &mut text);
        assert!(text.split("\r\n").all(|line| line.len() <= LINE), "{text}");
        assert_eq!(text.replace("\r\n ", "").trim_end(), "é".repeat(60));
    }
}
