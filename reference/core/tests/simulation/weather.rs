//! What becomes of a mail on its way: a link between two people loses mail for some days, and any
//! mail may be doubled, delayed and re-encoded.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

use crate::world::{DAY, DAYS, HOUR, START};

/// What happens to one mail.
pub(crate) struct Fate {
    /// When its copies arrive.
    pub(crate) arrivals: Vec<i64>,
    /// How it is re-encoded, if it is.
    pub(crate) change: Option<u32>,
}

/// Chance that depends on the seed and on what it is for, and on nothing that happened before.
pub(crate) fn chance(seed: u64, what: &str, numbers: [u64; 3]) -> ChaCha20Rng {
    let mut hash = Sha256::new();
    hash.update(seed.to_be_bytes());
    hash.update(what);
    for number in numbers {
        hash.update(number.to_be_bytes());
    }
    ChaCha20Rng::from_seed(hash.finalize().into())
}

/// The fate of the mail with a number on the link between two people.
///
/// A link has one spell of bad weather of at most four days, so a delivery that is sent again after
/// a week gets through: what is lost in every attempt is lost by right.
pub(crate) fn fate(seed: u64, (from, to): (usize, usize), number: u64, now: i64) -> Fate {
    let link = [from as u64, to as u64, 0];
    let mut spell = chance(seed, "spell", link);
    let begins = START + spell.random_range(0..DAYS) * DAY;
    let bad = begins..begins + spell.random_range(1..=4) * DAY;
    let fair = now >= START + DAYS * DAY;
    let mut mail = chance(seed, "mail", [link[0], link[1], number]);
    if bad.contains(&now) && !fair && mail.random_bool(0.6) {
        return Fate {
            arrivals: Vec::new(),
            change: None,
        };
    }
    let mut delay = || match mail.random_range(0..10) {
        0 => mail.random_range(0..48) * HOUR,
        1 | 2 => mail.random_range(0..8) * HOUR,
        _ => 0,
    };
    let mut arrivals = vec![now + delay()];
    if delay() > 12 * HOUR {
        arrivals.push(now + delay());
    }
    let change = mail.random_bool(0.3).then(|| mail.random_range(0..4));
    Fate { arrivals, change }
}

/// The mail as another server hands it on.
pub(crate) fn reencode(mail: &[u8], change: Option<u32>, authenticated: Option<&str>) -> Vec<u8> {
    let mut text = String::from_utf8(mail.to_vec()).unwrap();
    match change {
        Some(0) => text = armor(&text, "base64", base64),
        Some(1) => text = armor(&text, "quoted-printable", quoted_printable),
        Some(2) => text = other_boundary(&text),
        Some(_) => text = refolded(&text),
        None => {}
    }
    let passed = authenticated.map(|domain| {
        format!("Authentication-Results: mx.test;\r\n dmarc=pass header.from={domain}\r\n")
    });
    let received =
        "Received: from out.test by mx.test with ESMTPS; Fri, 15 Jan 2027 08:00:00 +0000";
    format!("{}{received}\r\n{text}", passed.unwrap_or_default()).into_bytes()
}

/// Gives the armored part another transfer encoding.
fn armor(text: &str, name: &str, encode: fn(&str) -> String) -> String {
    const SEVEN_BIT: &str = "Content-Transfer-Encoding: 7bit";
    let Some(begins) = text.find("-----BEGIN PGP MESSAGE-----") else {
        return text.to_owned();
    };
    let end = "-----END PGP MESSAGE-----\r\n";
    let ends = begins + text[begins..].find(end).unwrap() + end.len();
    let field = text[..begins].rfind(SEVEN_BIT).unwrap();
    let (header, encoded) = (&text[field + SEVEN_BIT.len()..begins], &text[begins..ends]);
    let (before, after) = (&text[..field], &text[ends..]);
    format!(
        "{before}Content-Transfer-Encoding: {name}{header}{}{after}",
        encode(encoded)
    )
}

fn base64(text: &str) -> String {
    use base64::Engine;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let lines = encoded.as_bytes().chunks(60).map(String::from_utf8_lossy);
    lines.map(|line| format!("{line}\r\n")).collect()
}

fn quoted_printable(text: &str) -> String {
    let mut encoded = String::new();
    for line in text.split_inclusive("\r\n") {
        let line = line.trim_end().replace('=', "=3D");
        let (first, second) = line.split_at(line.len().min(40));
        encoded += first;
        if !second.is_empty() && !second.starts_with("3D") && !second.starts_with('D') {
            encoded += "=\r\n";
        }
        encoded += second;
        encoded += "\r\n";
    }
    encoded
}

fn other_boundary(text: &str) -> String {
    let Some((_, after)) = text.split_once("boundary=\"") else {
        return text.to_owned();
    };
    let (boundary, _) = after.split_once('"').unwrap();
    text.replace(boundary, "=_relay_of_a_server_that_rewrites")
}

/// Folds the header fields elsewhere, and writes their names in lower case.
fn refolded(text: &str) -> String {
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    let unfolded = header.replace("\r\n ", " ").replace("\r\n\t", " ");
    let fields = unfolded.split("\r\n").map(|field| {
        let (name, value) = field.split_once(':').unwrap();
        format!("{}:{}", name.to_lowercase(), value.replace("; ", ";\r\n\t"))
    });
    format!("{}\r\n\r\n{body}", fields.collect::<Vec<_>>().join("\r\n"))
}
