//! What stands in the mails of the valid vectors, for the document's examples.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kith_forge::read::{Knowledge, Reading, read_with};
use kith_vectors::{Outcome, Vector, all};
use serde::Serialize;

use crate::Error;

/// What stands in a mail, decrypted.
#[derive(Serialize)]
struct Opened {
    delivery: Option<String>,
    objects: Vec<Document>,
}

#[derive(Serialize)]
struct Document {
    kind: String,
    xml: String,
}

/// Prints the documents of every mail that can be read, by the vector's id.
pub(crate) fn run() -> Result<ExitCode, Error> {
    let valid = all()
        .iter()
        .filter(|vector| vector.expected.mail.outcome == Outcome::Accept);
    let opened: BTreeMap<&str, Opened> = valid
        .filter_map(|vector| Some((vector.id.as_str(), open(vector)?)))
        .collect();
    let json = serde_json::to_string(&opened).expect("maps of strings are always JSON");
    let written = writeln!(std::io::stdout(), "{json}");
    written.map_err(Error::file(Path::new("the output")))?;
    Ok(ExitCode::SUCCESS)
}

/// `None` for mail that only its expected outcome makes valid, such as ordinary mail.
fn open(vector: &Vector) -> Option<Opened> {
    let secret = STANDARD.decode(&vector.opening().recipient.secret).ok()?;
    let reading = read_with(&vector.mail.octets(), &secret, &Knowledge::new()).ok()?;
    let Reading {
        delivery,
        self_document,
        objects,
        ..
    } = reading;
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let objects = objects.iter().map(|object| Document {
        kind: object.kind.clone(),
        xml: text(&object.xml),
    });
    Some(Opened {
        delivery: delivery
            .map(|delivery| delivery.xml)
            .or(self_document)
            .map(|xml| text(&xml)),
        objects: objects.collect(),
    })
}
