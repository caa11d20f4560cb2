//! The valid vectors, checked with programs of others.
//!
//! GnuPG decrypts and verifies those with keys of version 4, Python's email
//! package reads all of them, inside and outside, and xmllint validates their
//! documents.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use kith_forge::KeyKind;
use kith_forge::faults::{Base, Expectation, catalogue};
use kith_forge::hash::Hash;
use kith_forge::play::{Opening, Play};
use kith_forge::read::{Knowledge, MimeNode, Reading};

use crate::Error;
use crate::programs::{self, GnuPg};

/// A mail that is to be accepted, read by the forge.
struct Valid {
    id: String,
    play: Play,
    reading: Reading,
}

/// Runs what is installed. Without a program, the rest runs; where the
/// environment says `CI=true`, that is a failure.
pub(crate) fn run(folder: &Path) -> Result<ExitCode, Error> {
    let valid = valid()?;
    let mut failures = 0;
    for (program, check) in checks() {
        if !programs::exists(program) {
            let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
            failures += usize::from(strict);
            eprintln!("{program} is not installed: its checks were left out");
            continue;
        }
        let (checked, wrong) = check(folder, &valid)?;
        failures += wrong.len();
        println!("{program}: {checked} checked, {} wrong", wrong.len());
        for line in wrong {
            eprintln!("{program}: {line}");
        }
    }
    Ok(ExitCode::from(u8::from(failures > 0)))
}

/// How many were checked, and what is wrong.
type Checked = Result<(usize, Vec<String>), Error>;
type Check = fn(&Path, &[Valid]) -> Checked;

fn checks() -> [(&'static str, Check); 3] {
    [("gpg", gnupg), ("python3", python), ("xmllint", xmllint)]
}

fn valid() -> Result<Vec<Valid>, Error> {
    let mut all = Vec::new();
    let mut add = |id: String, play: Play| {
        let mut knowledge = Knowledge::new();
        knowledge.certificate(&play.author.certificate);
        match play.opening.recipient.read(&play.mail.octets, &knowledge) {
            Ok(reading) => all.push(Valid { id, play, reading }),
            Err(error) => eprintln!("{id}: {error}"),
        }
    };
    for fault in catalogue() {
        if fault.expectation != Expectation::Break {
            let (relation, author, recipient, third) = fault.opening();
            let opening = Opening::new(relation, author, recipient, third)?;
            add(fault.id.to_owned(), opening.fault(&fault)?);
        }
    }
    for base in Base::ALL {
        for kind in KeyKind::CLASSICAL {
            let opening = Opening::new(base.relation(), kind, kind, false)?;
            add(
                format!("valid/{}-{kind}", base.name()),
                opening.valid(base)?,
            );
        }
    }
    Ok(all)
}

fn gnupg(_: &Path, valid: &[Valid]) -> Checked {
    let (mut checked, mut wrong) = (0, Vec::new());
    let gnupg = GnuPg::new()?;
    let mut imported = BTreeSet::new();
    for mail in valid {
        let (author, recipient) = (&mail.play.author, &mail.play.opening.recipient);
        let v4 = author.kind == KeyKind::V4 && recipient.kind == KeyKind::V4;
        let Some(envelope) = mail.reading.envelope.as_ref().filter(|_| v4) else {
            continue;
        };
        checked += 1;
        let keys = [
            author.certificate.binary.clone(),
            recipient.secret_key_export(),
        ];
        for key in keys {
            if imported.insert(Hash::of(&key)) && !gnupg.import(&key)? {
                wrong.push(format!("{}: its keys cannot be imported", mail.id));
            }
        }
        let armored = mail.reading.outside.parts.get(1);
        let armored = armored.map(|part| part.content.as_slice());
        match gnupg.decrypt(armored.unwrap_or_default())? {
            Ok((payload, signer)) => {
                if payload != envelope.payload {
                    wrong.push(format!("{}: another payload", mail.id));
                }
                if signer != author.fingerprint().to_string() {
                    wrong.push(format!("{}: signed by {signer}", mail.id));
                }
            }
            Err(status) => wrong.push(format!("{}: {status}", mail.id)),
        }
    }
    Ok((checked, wrong))
}

fn python(_: &Path, valid: &[Valid]) -> Checked {
    let (mut checked, mut wrong) = (0, Vec::new());
    for mail in valid {
        let mut trees = vec![(mail.play.mail.octets.clone(), &mail.reading.outside)];
        if let (Some(envelope), Some(inside)) = (&mail.reading.envelope, &mail.reading.inside) {
            trees.push((envelope.payload.clone(), inside));
        }
        for (octets, node) in trees {
            checked += 1;
            let expected = tree(node, 0);
            let seen = programs::python_tree(&octets)?;
            if seen != expected {
                wrong.push(format!("{}: expected\n{expected}seen\n{seen}", mail.id));
            }
        }
    }
    Ok((checked, wrong))
}

/// The tree in the form of [`programs::python_tree`].
fn tree(node: &MimeNode, depth: usize) -> String {
    let mut out = format!("{:1$}{kind}", "", 2 * depth, kind = node.kind);
    if node.parts.is_empty() {
        let _ = write!(out, " {}", Hash::of(&node.content));
    }
    out.push('\n');
    for part in &node.parts {
        out.push_str(&tree(part, depth + 1));
    }
    out
}

fn xmllint(folder: &Path, valid: &[Valid]) -> Checked {
    let (mut objects, mut deliveries, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for mail in valid {
        for object in &mail.reading.objects {
            if seen.insert(object.hash) {
                objects.push((mail.id.clone(), object.xml.clone()));
            }
        }
        if let Some(delivery) = &mail.reading.delivery {
            deliveries.push((mail.id.clone(), delivery.xml.clone()));
        }
        if let Some(copy) = &mail.reading.self_document {
            copies.push((mail.id.clone(), copy.clone()));
        }
    }
    let schemas = folder.join("../schemas/1.0");
    let mut wrong = Vec::new();
    for (schema, documents) in [
        ("object.xsd", &objects),
        ("delivery.xsd", &deliveries),
        ("devices.xsd", &copies),
    ] {
        let said = programs::xmllint(&schemas.join(schema), documents)?;
        wrong.extend(said.lines().map(str::to_owned));
    }
    Ok((objects.len() + deliveries.len() + copies.len(), wrong))
}
