//! Two readers must agree: sequoia (this crate's [`super::read`]) and rPGP (the forge's
//! reader). Where they don't, the harness can't judge, and says so. What the forge wrote is
//! read by sequoia alone: rPGP wrote it.

use kith_forge::Puppet;
use kith_forge::read::{Reading, read_open};

use super::read::Mail;
use super::read::document::ObjectFacts;
use super::{Form, Keyring, Sighting};

/// Reads a mail that the agent sent with the forge's reader and compares.
///
/// # Errors
/// Where the two readers disagree.
pub fn compare(sighting: &Sighting<'_>) -> Result<(), String> {
    if !sighting.readable {
        return Ok(());
    }
    let submission = sighting.submission;
    let to = submission
        .recipients
        .first()
        .map(String::as_str)
        .unwrap_or_default();
    let second = second(&submission.octets, to, sighting.keyring);
    match (sighting.mail, second) {
        (Ok(first), Ok(second)) => same(first, &second),
        (Ok(_), Err(error)) => Err(format!(
            "sequoia reads the mail to {to}, rPGP doesn't: {error}"
        )),
        (Err(error), Ok(_)) => Err(format!(
            "rPGP reads the mail to {to}, sequoia doesn't: {error}"
        )),
        (Err(_), Err(_)) => Ok(()),
    }
}

fn second(octets: &[u8], to: &str, keyring: &Keyring) -> Result<Reading, String> {
    let Some(person) = keyring.person(to) else {
        return read_open(octets, &keyring.knowledge).map_err(|error| error.to_string());
    };
    // Two people may claim one address: then the mail is for the one who can open it.
    let read = |person: &Puppet| person.read(octets, &keyring.knowledge);
    read(person).or_else(|error| {
        let mut others = keyring.people.values();
        let opened = others.find_map(|person| read(person).ok());
        opened.ok_or_else(|| error.to_string())
    })
}

/// Compares two readings of one mail, fact by fact.
fn same(first: &Mail, second: &Reading) -> Result<(), String> {
    let differ = |what: &str, sequoia: String, rpgp: String| match sequoia == rpgp {
        true => Ok(()),
        false => Err(format!(
            "the readers disagree on {what}: sequoia {sequoia}, rPGP {rpgp}"
        )),
    };
    let hashes = |mail: &Mail| mail.readable().map(|o| o.hash.clone()).collect::<Vec<_>>();
    let theirs: Vec<_> = second.objects.iter().map(|o| o.hash.to_string()).collect();
    differ("the objects", hashes(first).join(" "), theirs.join(" "))?;
    for (ours, theirs) in first.objects.iter().zip(&second.objects) {
        let Ok(ObjectFacts {
            author,
            id,
            rev,
            kind,
            ..
        }) = &ours.object
        else {
            continue;
        };
        let (a, i, r, k) = (theirs.author, theirs.id, theirs.rev, &theirs.kind);
        differ(
            "an object",
            format!("{kind} {author} {id} {rev}"),
            format!("{k} {a} {i} {r}"),
        )?;
        let verified = ours
            .message
            .signatures
            .first()
            .is_some_and(|s| s.signer.is_some());
        let theirs = theirs
            .signature
            .as_ref()
            .is_some_and(|s| s.verified.is_some());
        differ(
            "an object signature",
            verified.to_string(),
            theirs.to_string(),
        )?;
    }
    let (Form::Sealed { envelope, payload }, Some(other)) = (&first.form, &second.envelope) else {
        let sealed = matches!(first.form, Form::Sealed { .. });
        return differ(
            "the form",
            sealed.to_string(),
            second.envelope.is_some().to_string(),
        );
    };
    let ours = (
        envelope.session_keys.len(),
        envelope.passwords,
        envelope.compression,
    );
    let theirs = (
        other.session_keys.len(),
        other.password_packets,
        other.compression,
    );
    differ("the envelope", format!("{ours:?}"), format!("{theirs:?}"))?;
    let lengths = (
        payload.octets.len().to_string(),
        other.payload_length.to_string(),
    );
    differ("the payload", lengths.0, lengths.1)?;
    let ours: Vec<bool> = envelope
        .signatures
        .iter()
        .map(|s| s.signer.is_some())
        .collect();
    let theirs: Vec<bool> = other
        .signatures
        .iter()
        .map(|s| s.verified.is_some())
        .collect();
    differ(
        "the delivery signature",
        format!("{ours:?}"),
        format!("{theirs:?}"),
    )?;
    let ours = first
        .delivery()
        .map(|d| (d.from.id.clone(), d.to.len(), d.acks.len()));
    let theirs = second.delivery.as_ref();
    let theirs = theirs.map(|d| (d.from.id.to_string(), d.to.len(), d.acks.len()));
    differ(
        "the delivery document",
        format!("{ours:?}"),
        format!("{theirs:?}"),
    )
}
