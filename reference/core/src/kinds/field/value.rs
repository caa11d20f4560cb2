//! The values of a field: between the schema's types and what people type and read.

use kith_schemas::ValueError;
use kith_schemas::types::{
    Address, AddressValue, Addresses, Birthday, Caption, ContactUri, FieldNote, FieldPlace,
    LanguageTag, Languages, Line, LineValue, Lines, Media, NameParts, PartialDate, Photo, Places,
    PostalAddress, Property, UriValue, Uris,
};
use serde::Serialize;

use crate::agent::ActError;
use crate::kinds::contact::is_clean;

/// The names of the properties.
pub const NAMES: [&str; 15] = [
    "fn", "n", "nickname", "photo", "bday", "adr", "tel", "email", "impp", "url", "lang", "org",
    "title", "note", "key",
];

/// Where a value belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Home.
    Home,
    /// Work.
    Work,
}

/// One value of a field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Value {
    /// The value in one piece; of a name or a postal address, its parts with commas between.
    pub text: String,
    /// Where it belongs.
    pub place: Option<Place>,
    /// The parts of a name or a postal address: what each is, and its text.
    pub parts: Vec<(String, String)>,
}

fn unfit(error: impl std::fmt::Display) -> ActError {
    ActError::Text(error.to_string())
}

/// What is wrong with a value, for the person who gave it.
fn malformed(name: &str, error: ValueError) -> ActError {
    let example = match name {
        "bday" => "1990-04-15, or --04-15 without the year",
        "email" => "alice@example.org",
        "impp" => "xmpp:alice@example.org",
        "key" => "https://example.org/alice.asc",
        "lang" => "de or pt-BR",
        "tel" => "tel:+43-1-5550100",
        _ => "https://example.org/alice",
    };
    match error {
        ValueError::Pattern { .. } => unfit(format_args!("{name} is written like {example}")),
        other => unfit(other),
    }
}

/// A property without values.
pub(crate) fn empty(name: &str) -> Result<Property, ActError> {
    property(name, &[], None)
}

/// The property of a name, with values as people give them.
///
/// # Errors
///
/// When there is no such property, or a value is none of it.
pub(crate) fn property(
    name: &str,
    values: &[Value],
    photo: Option<Media>,
) -> Result<Property, ActError> {
    let single = || match values {
        [] => Ok(None),
        [value] => Ok(Some(value.text.as_str())),
        _ => Err(unfit(format_args!("{name} has one value at most"))),
    };
    let wrong = |error| malformed(name, error);
    Ok(match name {
        "fn" => Property::Fn(lines(values)?),
        "nickname" => Property::Nickname(lines(values)?),
        "org" => Property::Org(lines(values)?),
        "title" => Property::Title(lines(values)?),
        "tel" => Property::Tel(uris(name, values)?),
        "impp" => Property::Impp(uris(name, values)?),
        "url" => Property::Url(uris(name, values)?),
        "key" => Property::Key(uris(name, values)?),
        "n" => Property::N(name_parts(values)?),
        "photo" if values.is_empty() => Property::Photo(Photo { media: photo }),
        "bday" => Property::Bday(Birthday {
            value: single()?.map(PartialDate::new).transpose().map_err(wrong)?,
        }),
        "note" => Property::Note(FieldNote {
            value: single()?.map(Caption::new).transpose().map_err(unfit)?,
        }),
        "adr" => Property::Adr(Places {
            value: values.iter().map(postal).collect::<Result<_, _>>()?,
        }),
        "email" => Property::Email(Addresses {
            value: each(values, |value| {
                Ok(AddressValue {
                    place: place(value),
                    value: Address::new(value.text.as_str()).map_err(wrong)?,
                })
            })?,
        }),
        "lang" => Property::Lang(Languages {
            value: each(values, |value| {
                LanguageTag::new(value.text.as_str()).map_err(wrong)
            })?,
        }),
        _ => {
            return Err(unfit(format_args!(
                "{name} takes no such value; the fields are {}",
                NAMES.join(", ")
            )));
        }
    })
}

fn each<T>(
    values: &[Value],
    make: impl Fn(&Value) -> Result<T, ActError>,
) -> Result<Vec<T>, ActError> {
    values.iter().map(make).collect()
}

fn place(value: &Value) -> Option<FieldPlace> {
    value.place.map(|place| match place {
        Place::Home => FieldPlace::Home,
        Place::Work => FieldPlace::Work,
    })
}

fn lines(values: &[Value]) -> Result<Lines, ActError> {
    let value = each(values, |value| {
        Ok(LineValue {
            place: place(value),
            value: Line::new(value.text.as_str()).map_err(unfit)?,
        })
    })?;
    Ok(Lines { value })
}

fn uris(name: &str, values: &[Value]) -> Result<Uris, ActError> {
    let value = each(values, |value| {
        Ok(UriValue {
            place: place(value),
            value: ContactUri::new(value.text.as_str()).map_err(|error| malformed(name, error))?,
        })
    })?;
    Ok(Uris { value })
}

/// The lines of the parts that are called so.
fn parts(value: &Value, name: &str) -> Result<Vec<Line>, ActError> {
    let named = value.parts.iter().filter(|(part, _)| part == name);
    named
        .map(|(_, text)| Line::new(text.as_str()).map_err(unfit))
        .collect()
}

fn known(value: &Value, names: &[&str]) -> Result<(), ActError> {
    match value
        .parts
        .iter()
        .find(|(part, _)| !names.contains(&part.as_str()))
    {
        Some((part, _)) => Err(unfit(format_args!(
            "there is no part {part}; the parts are {}",
            names.join(", ")
        ))),
        None if value.parts.is_empty() => Err(unfit(format_args!(
            "it is given in parts: {}",
            names.join(", ")
        ))),
        None => Ok(()),
    }
}

fn name_parts(values: &[Value]) -> Result<NameParts, ActError> {
    let none = Value::default();
    let value = match values {
        [] => &none,
        [value] => {
            known(
                value,
                &["surname", "given", "additional", "prefix", "suffix"],
            )?;
            value
        }
        _ => return Err(unfit("n has one value at most")),
    };
    Ok(NameParts {
        surname: parts(value, "surname")?,
        given: parts(value, "given")?,
        additional: parts(value, "additional")?,
        prefix: parts(value, "prefix")?,
        suffix: parts(value, "suffix")?,
    })
}

fn postal(value: &Value) -> Result<PostalAddress, ActError> {
    known(value, &["street", "locality", "region", "code", "country"])?;
    let one = |name: &str| Ok::<_, ActError>(parts(value, name)?.into_iter().next());
    Ok(PostalAddress {
        place: place(value),
        street: parts(value, "street")?,
        locality: one("locality")?,
        region: one("region")?,
        code: one("code")?,
        country: one("country")?,
    })
}

/// The values of a property as people read them; of a photo its media type.
pub(crate) fn values(property: &Property) -> Vec<Value> {
    match property {
        Property::Fn(lines)
        | Property::Nickname(lines)
        | Property::Org(lines)
        | Property::Title(lines) => {
            let lines = lines.value.iter();
            lines.map(|one| whole(&one.value, one.place)).collect()
        }
        Property::Tel(uris) | Property::Impp(uris) | Property::Url(uris) | Property::Key(uris) => {
            let uris = uris.value.iter();
            uris.map(|one| whole(&one.value, one.place)).collect()
        }
        Property::N(name) => {
            let groups = [
                ("prefix", &name.prefix),
                ("given", &name.given),
                ("additional", &name.additional),
                ("surname", &name.surname),
                ("suffix", &name.suffix),
            ];
            let value = in_parts(
                &groups.map(|(part, lines)| (part, lines.as_slice())),
                None,
                " ",
            );
            value.into_iter().collect()
        }
        Property::Photo(photo) => {
            let photo = photo.media.iter();
            photo.map(|photo| whole(&photo.r#type, None)).collect()
        }
        Property::Bday(day) => day.value.iter().map(|day| whole(day, None)).collect(),
        Property::Adr(places) => places.value.iter().filter_map(shown_postal).collect(),
        Property::Email(addresses) => {
            let addresses = addresses.value.iter();
            addresses.map(|one| whole(&one.value, one.place)).collect()
        }
        Property::Lang(tags) => tags.value.iter().map(|tag| whole(tag, None)).collect(),
        Property::Note(note) => note.value.iter().map(|note| whole(note, None)).collect(),
    }
}

fn shown_postal(address: &PostalAddress) -> Option<Value> {
    let groups = [
        ("street", address.street.as_slice()),
        ("code", address.code.as_slice()),
        ("locality", address.locality.as_slice()),
        ("region", address.region.as_slice()),
        ("country", address.country.as_slice()),
    ];
    in_parts(&groups, address.place, ", ")
}

fn whole(text: &impl ToString, place: Option<FieldPlace>) -> Value {
    Value {
        text: text.to_string(),
        place: place.map(|place| match place {
            FieldPlace::Home => Place::Home,
            FieldPlace::Work => Place::Work,
        }),
        parts: Vec::new(),
    }
}

fn in_parts(groups: &[(&str, &[Line])], place: Option<FieldPlace>, comma: &str) -> Option<Value> {
    let mut parts = Vec::new();
    for (part, lines) in groups {
        parts.extend(
            lines
                .iter()
                .map(|line| ((*part).to_owned(), line.to_string())),
        );
    }
    let texts: Vec<&str> = parts.iter().map(|(_, text)| text.as_str()).collect();
    let mut value = whole(&texts.join(comma), place);
    value.parts = parts;
    (!value.parts.is_empty()).then_some(value)
}

/// Whether no value of one line has characters that deceive (`field.characters`).
pub(crate) fn clean(property: &Property) -> bool {
    // A note has lines, and none of its own to be mistaken for.
    if let Property::Note(_) = property {
        return true;
    }
    values(property).iter().all(|value| is_clean(&value.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        Value {
            text: text.to_owned(),
            ..Value::default()
        }
    }

    #[test]
    fn what_was_typed_is_what_is_read() {
        let typed = [
            ("fn", "Alice Example"),
            ("nickname", "Al"),
            ("bday", "--02-28"),
            ("tel", "tel:+49-30-1234"),
            ("impp", "xmpp:alice@a.test"),
            ("email", "alice@work.test"),
            ("url", "https://alice.test/"),
            ("lang", "de-AT"),
            ("note", "two\nlines"),
            ("key", "openpgp4fpr:ABCD"),
        ];
        for (name, text) in typed {
            let made = property(name, &[value(text)], None).unwrap();
            assert_eq!(values(&made), [value(text)], "{name}");
            assert!(clean(&made), "{name}");
        }
        for name in NAMES {
            assert!(values(&empty(name).unwrap()).is_empty(), "{name}");
        }
    }

    #[test]
    fn a_malformed_value_is_answered_with_an_example() {
        let typed = [
            ("tel", "+43 1 555", "tel:+43-1-5550100"),
            ("impp", "alice", "xmpp:alice@example.org"),
            ("email", "alice", "alice@example.org"),
            ("bday", "28.2.1990", "1990-04-15"),
            ("lang", "German!", "pt-BR"),
            ("key", "ABCD", "https://example.org/alice.asc"),
            ("url", "example", "https://example.org/alice"),
        ];
        for (name, text, example) in typed {
            let error = property(name, &[value(text)], None).unwrap_err();
            let told = error.to_string();
            assert!(told.contains(&format!("{name} is written like")), "{told}");
            assert!(told.contains(example), "{told}");
            property(name, &[value(example)], None).unwrap();
        }
    }

    #[test]
    fn parts_make_a_name_and_a_postal_address() {
        let parts = |parts: &[(&str, &str)]| Value {
            parts: parts
                .iter()
                .map(|(part, text)| ((*part).to_owned(), (*text).to_owned()))
                .collect(),
            ..Value::default()
        };
        let name = [parts(&[("surname", "Example"), ("given", "Alice")])];
        let name = property("n", &name, None).unwrap();
        assert_eq!(values(&name)[0].text, "Alice Example");
        let home = [parts(&[
            ("street", "Main Street 1"),
            ("locality", "Vienna"),
        ])];
        let home = property("adr", &home, None).unwrap();
        assert_eq!(values(&home)[0].text, "Main Street 1, Vienna");
        assert!(property("adr", &[parts(&[("planet", "Mars")])], None).is_err());
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (name, text) in [
            ("bday", "yesterday"),
            ("tel", "1234"),
            ("email", "nobody"),
            ("fax", "tel:1"),
            ("n", "Alice"),
            ("photo", "picture"),
        ] {
            assert!(property(name, &[value(text)], None).is_err(), "{name}");
        }
        assert!(!clean(
            &property("fn", &[value("a\u{202E}b")], None).unwrap()
        ));
    }
}
