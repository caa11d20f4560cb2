//! Large media under a password (specification, section "Large media" of chapter "Posts to
//! friends").

use std::io::{Read, Write};

use sequoia_openpgp::crypto::{Password, SessionKey};
use sequoia_openpgp::packet::{Packet, SKESK};
use sequoia_openpgp::parse::{PacketParserBuilder, PacketParserResult, Parse};
use sequoia_openpgp::serialize::stream::{Encryptor, LiteralWriter, Message};
use sequoia_openpgp::types::{DataFormat, SymmetricAlgorithm};

use super::{WireError, container};

/// Why a locked medium can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    /// It is not one encrypted message of the form that a link asks for.
    #[error("it is no OpenPGP message with one password, integrity protection and plain content")]
    Form,
    /// The password doesn't open it, or it was changed.
    #[error("the password in the post doesn't open it, or it was changed")]
    Broken,
}

/// Encrypts a medium with a password, as a binary OpenPGP message.
///
/// # Errors
///
/// When the OpenPGP library fails.
pub fn lock(content: &[u8], password: &str) -> Result<Vec<u8>, WireError> {
    let mut locked = Vec::new();
    let mut write = || -> sequoia_openpgp::Result<()> {
        let message = Encryptor::with_passwords(Message::new(&mut locked), [password])
            .symmetric_algo(SymmetricAlgorithm::AES256)
            .build()?;
        let mut literal = LiteralWriter::new(message)
            .format(DataFormat::Binary)
            .build()?;
        literal.write_all(content)?;
        literal.finalize()
    };
    write().map_err(WireError::openpgp)?;
    Ok(locked)
}

/// Decrypts a medium. Its hash must have been checked before.
///
/// # Errors
///
/// [`Locked`]; nothing of the content is released then.
#[expect(
    deprecated,
    reason = "the only place where the check of version 1 shows"
)]
pub fn unlock(message: &[u8], password: &str) -> Result<Vec<u8>, Locked> {
    let password = Password::from(password);
    let mut keys = Vec::new();
    let mut content = None;
    let (mut opened, mut checked) = (false, false);
    // An armored message doesn't start with a packet.
    if message.first().is_none_or(|octet| octet & 0x80 == 0) {
        return Err(Locked::Form);
    }
    let mut result = PacketParserBuilder::from_bytes(message)
        .and_then(|builder| builder.max_recursion_depth(4).build())
        .map_err(|_| Locked::Form)?;
    while let PacketParserResult::Some(mut parser) = result {
        match &parser.packet {
            Packet::SEIP(seip) => {
                let version = seip.version();
                let (algorithm, key) = session_key(&keys, version, &password)?;
                container::decrypt(&mut parser, algorithm, &key).map_err(|_| Locked::Broken)?;
                opened = true;
                // In version 2 each chunk is checked before it is released.
                checked = version == 2;
            }
            Packet::Literal(_) if opened && content.is_none() => {
                // Without compression nothing comes out that didn't go in.
                let most = message.len() as u64;
                let mut octets = Vec::new();
                let read = (&mut parser).take(most + 1).read_to_end(&mut octets);
                if read.map_err(|_| Locked::Broken)? as u64 > most {
                    return Err(Locked::Form);
                }
                content = Some(octets);
            }
            Packet::SKESK(_) | Packet::MDC(_) | Packet::Marker(_) | Packet::Padding(_) => {}
            _ => return Err(Locked::Form),
        }
        let (packet, next) = parser.recurse().map_err(|_| Locked::Broken)?;
        match packet {
            Packet::SKESK(skesk) => keys.push(skesk),
            Packet::MDC(mdc) => checked = mdc.valid(),
            _ => {}
        }
        result = next;
    }
    content.filter(|_| checked).ok_or(Locked::Broken)
}

fn session_key(
    keys: &[SKESK],
    version: u8,
    password: &Password,
) -> Result<(Option<SymmetricAlgorithm>, SessionKey), Locked> {
    let [key] = keys else {
        return Err(Locked::Form);
    };
    let (algorithm, session_key) = key.decrypt(password).map_err(|_| Locked::Broken)?;
    let algorithm = if version == 1 { algorithm } else { None };
    Ok((algorithm, session_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_opens_what_was_locked() {
        let locked = lock(b"a long film", "correct-horse-battery").unwrap();
        assert_eq!(
            unlock(&locked, "correct-horse-battery").unwrap(),
            b"a long film"
        );
        assert_eq!(unlock(&locked, "wrong-horse-battery!"), Err(Locked::Broken));
        let mut changed = locked.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(
            unlock(&changed, "correct-horse-battery"),
            Err(Locked::Broken)
        );
        assert_eq!(unlock(b"no message", "x"), Err(Locked::Form));
        assert_eq!(unlock(&[], "x"), Err(Locked::Form));
    }
}
