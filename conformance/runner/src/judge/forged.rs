//! The harness judged by its own measure: what the forge makes is checked like what an
//! agent sends. A valid mail must be clean; a faulty one may show its fault and no other.

use kith_forge::Mail as Forged;
use kith_spec::Rule;

use super::read::Mail;
use super::{Keyring, Seen, Verdict, second};

/// A forged mail with what it breaks; `None` if it can't be opened because the agent
/// makes its own keys.
fn broken(forged: &Forged, keyring: &Keyring, now: i64) -> Option<(Mail, Vec<(Rule, String)>)> {
    let mail = Mail::read(&forged.octets, &keyring.keys).ok()?;
    let seen = Seen {
        octets: &forged.octets,
        outer: &mail.root,
        mail: Some(&mail),
        submission: None,
        agent: None,
        now,
        keyring,
        memory: None,
    };
    let verdicts = super::run(&seen).into_iter();
    let broken = verdicts.filter_map(|(rule, verdict)| match verdict {
        Verdict::Broken(message) => Some((rule, message)),
        _ => None,
    });
    let broken = broken.collect();
    Some((mail, broken))
}

/// Whether a mail that should be valid is, by both readers. Returns what was read.
///
/// # Errors
/// What is wrong with it.
pub fn valid(forged: &Forged, keyring: &Keyring, now: i64) -> Result<Option<Mail>, String> {
    let Some((mail, broken)) = broken(forged, keyring, now) else {
        return Ok(None);
    };
    if let Some((rule, message)) = broken.first() {
        return Err(format!("a forged mail that should be valid breaks {rule}: {message}"));
    }
    second::compare_forged(&mail, forged, keyring)?;
    Ok(Some(mail))
}

/// Whether a faulty mail shows its fault and no other, as far as the judge can see it.
///
/// # Errors
/// What else it breaks, or that it doesn't show its fault although a check bears it.
pub fn faulty(forged: &Forged, fault: Rule, keyring: &Keyring, now: i64) -> Result<(), String> {
    let Some((_, broken)) = broken(forged, keyring, now) else {
        return Ok(());
    };
    let other = broken.iter().find(|(rule, _)| *rule != fault);
    match other {
        Some((rule, message)) if !broken.iter().any(|(rule, _)| *rule == fault) => Err(format!(
            "a forged mail that should break {fault} breaks {rule} instead: {message}"
        )),
        _ => Ok(()),
    }
}
