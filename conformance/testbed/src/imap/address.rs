//! Address lists (RFC 5322 section 3.4, with obsolete routes and names in comments), read as
//! leniently as ENVELOPE must.

/// A member of an address list, as ENVELOPE has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Mailbox {
        name: Option<String>,
        route: Option<String>,
        local: String,
        domain: String,
    },
    GroupStart(String),
    GroupEnd,
}

/// What has been read of one address.
#[derive(Default)]
struct Pending {
    /// The text outside angle brackets with quotes resolved: a display name.
    phrase: String,
    /// The same text as it stands: perhaps an address.
    raw: String,
    comment: String,
    angle: Option<String>,
}

impl Pending {
    fn finish(&mut self) -> Option<Address> {
        let pending = std::mem::take(self);
        let comment = Some(pending.comment.trim()).filter(|comment| !comment.is_empty());
        let (spec, name) = match &pending.angle {
            Some(spec) => {
                let phrase = Some(pending.phrase.trim()).filter(|phrase| !phrase.is_empty());
                (spec.as_str(), phrase.or(comment))
            }
            None => (pending.raw.trim(), comment),
        };
        if spec.is_empty() && pending.angle.is_none() {
            return None;
        }
        let (route, spec) = match spec.split_once(':') {
            Some((route, spec)) if route.trim_start().starts_with('@') => (Some(route), spec),
            _ => (None, spec),
        };
        let pieces = crate::mime::split_outside_quotes(spec, '@');
        let domain = match pieces.as_slice() {
            [_, .., domain] => *domain,
            _ => "",
        };
        let local = spec.strip_suffix(domain).unwrap_or(spec);
        let local = local.strip_suffix('@').unwrap_or(local);
        Some(Address::Mailbox {
            name: name.map(str::to_owned),
            route: route.map(|route| route.trim().to_owned()),
            local: crate::mime::unquote(local.trim()),
            domain: domain.trim().to_owned(),
        })
    }
}

/// Reads a list.
pub(super) fn addresses(value: &str) -> Vec<Address> {
    let mut list = Vec::new();
    let mut pending = Pending::default();
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                let quoted = quoted(&mut characters);
                pending.raw.push('"');
                pending
                    .raw
                    .push_str(&quoted.replace('\\', "\\\\").replace('"', "\\\""));
                pending.raw.push('"');
                pending.phrase.push_str(&quoted);
            }
            '(' => pending.comment = comment(&mut characters),
            '<' => pending.angle = Some(angle(&mut characters)),
            ',' => list.extend(pending.finish()),
            ':' if pending.angle.is_none() && !pending.raw.contains('@') => {
                list.push(Address::GroupStart(pending.phrase.trim().to_owned()));
                pending = Pending::default();
            }
            ';' => {
                list.extend(pending.finish());
                list.push(Address::GroupEnd);
            }
            character => {
                pending.phrase.push(character);
                pending.raw.push(character);
            }
        }
    }
    list.extend(pending.finish());
    list
}

fn quoted(characters: &mut std::str::Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            character => text.push(character),
        }
    }
    text
}

fn comment(characters: &mut std::str::Chars<'_>) -> String {
    let (mut text, mut depth) = (String::new(), 1);
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                text.extend(characters.next());
                continue;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => (),
        }
        if depth == 0 {
            break;
        }
        text.push(character);
    }
    text
}

fn angle(characters: &mut std::str::Chars<'_>) -> String {
    let (mut text, mut is_quoted) = (String::new(), false);
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                text.push('\\');
                text.extend(characters.next());
                continue;
            }
            '"' => is_quoted = !is_quoted,
            '>' if !is_quoted => break,
            _ => (),
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(name: Option<&str>, route: Option<&str>, local: &str, domain: &str) -> Address {
        Address::Mailbox {
            name: name.map(str::to_owned),
            route: route.map(str::to_owned),
            local: local.to_owned(),
            domain: domain.to_owned(),
        }
    }

    #[test]
    fn all_forms() {
        let cases = [
            ("a@b.test", vec![mailbox(None, None, "a", "b.test")]),
            (
                "\"Doe, J. (x)\" <j@b.test>, k@b.test (Kim (K))",
                vec![
                    mailbox(Some("Doe, J. (x)"), None, "j", "b.test"),
                    mailbox(Some("Kim (K)"), None, "k", "b.test"),
                ],
            ),
            (
                "Friends: a@b.test, B <b@b.test>;, c@b.test",
                vec![
                    Address::GroupStart("Friends".to_owned()),
                    mailbox(None, None, "a", "b.test"),
                    mailbox(Some("B"), None, "b", "b.test"),
                    Address::GroupEnd,
                    mailbox(None, None, "c", "b.test"),
                ],
            ),
            (
                "undisclosed-recipients:;",
                vec![
                    Address::GroupStart("undisclosed-recipients".to_owned()),
                    Address::GroupEnd,
                ],
            ),
            (
                "<@x.test,@y.test:\"a b\"@b.test>",
                vec![mailbox(None, Some("@x.test,@y.test"), "a b", "b.test")],
            ),
            ("\"a b\"@b.test", vec![mailbox(None, None, "a b", "b.test")]),
            ("nobody", vec![mailbox(None, None, "nobody", "")]),
            (" , ,", vec![]),
            (
                "\"unclosed <a@b.test",
                vec![mailbox(None, None, "unclosed <a@b.test", "")],
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(addresses(text), expected, "{text}");
        }
    }
}
