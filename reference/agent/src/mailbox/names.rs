//! What folders are called at a server (`file.names`).

use kith_core::implements;
use kith_spec::req;
use tokio::io::AsyncWriteExt as _;

use super::{Folder, Mailbox, MailboxError};
use async_imap::imap_proto::{MailboxDatum, Response};

/// The personal namespace and the hierarchy delimiter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    prefix: String,
    delimiter: String,
}

impl Names {
    pub(super) fn of(&self, folder: Folder) -> String {
        match folder {
            Folder::Inbox => "INBOX".to_owned(),
            Folder::Kith => format!("{}Kith", self.prefix),
            // Without hierarchy the folder stands beside the other.
            Folder::Refused if self.delimiter.is_empty() => format!("{}Kith-Refused", self.prefix),
            Folder::Refused => format!("{}Kith{}Refused", self.prefix, self.delimiter),
        }
    }
}

/// A quoted string (RFC 9051, section 4.3).
pub(super) fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .filter(|character| !character.is_control())
        .flat_map(|character| {
            let escape = matches!(character, '"' | '\\').then_some('\\');
            escape.into_iter().chain([character])
        })
        .collect();
    format!("\"{escaped}\"")
}

impl Mailbox {
    pub(super) async fn ask_names(&mut self) -> Result<Names, MailboxError> {
        implements!(req::FILE_NAMES);
        if !self.gate.enforces(&req::FILE_NAMES) {
            return Ok(Names {
                delimiter: "/".to_owned(),
                ..Names::default()
            });
        }
        if self.abilities.namespace
            && let Some(names) = self.namespace().await?
        {
            return Ok(names);
        }
        let mut names = Names::default();
        self.command("LIST \"\" \"\"", |answer| {
            if let Response::MailboxData(MailboxDatum::List(list)) = answer {
                names.delimiter = list.delimiter.as_deref().unwrap_or_default().to_owned();
            }
        })
        .await?;
        Ok(names)
    }

    /// NAMESPACE (RFC 2342), which the library can't read: said directly, while nothing else is
    /// under way.
    async fn namespace(&mut self) -> Result<Option<Names>, MailboxError> {
        let server = self.server.clone();
        let lost = |error: std::io::Error| MailboxError::Lost {
            server: server.clone(),
            reason: error.to_string(),
        };
        let stream = self.session.get_mut();
        stream
            .write_all(b"names NAMESPACE\r\n")
            .await
            .map_err(lost)?;
        stream.flush().await.map_err(lost)?;
        let mut names = None;
        loop {
            let line = crate::connect::line(stream).await.map_err(lost)?;
            if line.starts_with("names ") {
                return Ok(names);
            }
            if line
                .get(..12)
                .is_some_and(|start| start.eq_ignore_ascii_case("* NAMESPACE "))
            {
                names = personal(&line[12..]);
            }
        }
    }
}

/// The first personal namespace: `(("prefix" "delimiter") …) …`.
fn personal(text: &str) -> Option<Names> {
    let rest = text.trim_start().strip_prefix("((")?;
    let (prefix, rest) = string(rest)?;
    let rest = rest.strip_prefix(' ')?;
    let (delimiter, _) = if rest.starts_with("NIL") {
        (String::new(), rest)
    } else {
        string(rest)?
    };
    Some(Names { prefix, delimiter })
}

fn string(text: &str) -> Option<(String, &str)> {
    let text = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            character => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_personal_namespace_counts() {
        let names = personal(r##"(("INBOX." ".")) NIL (("#shared/" "/"))"##).unwrap();
        assert_eq!(names.of(Folder::Refused), "INBOX.Kith.Refused");
        assert_eq!(names.of(Folder::Inbox), "INBOX");
        let names = personal(r#"(("" "\\")) NIL NIL"#).unwrap();
        assert_eq!(quoted(&names.of(Folder::Refused)), r#""Kith\\Refused""#);
        assert_eq!(
            personal(r#"(("" NIL)) NIL NIL"#)
                .unwrap()
                .of(Folder::Refused),
            "Kith-Refused"
        );
        for wrong in ["", "NIL NIL NIL", "((", r#"((""#, r#"(("a" "#, r#"(("a\"#] {
            assert_eq!(personal(wrong), None, "{wrong}");
        }
    }
}
