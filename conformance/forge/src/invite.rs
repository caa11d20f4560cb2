//! Invites: `kith:` URIs and their proofs (chapter Friends, section Invites).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::{DAY, Instant};
use crate::puppet::Puppet;

/// An invite of one person to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// The address to ask at.
    pub address: String,
    /// The identity that invites.
    pub id: IdentityId,
    /// The token, 128 random bits.
    pub token: [u8; 16],
    /// When it ends.
    pub expires: Instant,
}

/// Text that is no invite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{uri}` is no invite: {what}")]
pub struct NoInvite {
    uri: String,
    what: &'static str,
}

impl Invite {
    /// Reads a `kith:` URI.
    pub fn parse(uri: &str) -> Result<Self, NoInvite> {
        let error = |what| NoInvite {
            uri: uri.to_owned(),
            what,
        };
        let rest = uri
            .strip_prefix("kith:")
            .ok_or(error("the scheme is not kith"))?;
        let (address, query) = rest.split_once('?').ok_or(error("it has no parameters"))?;
        let parameter = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs
                .find(|(n, _)| *n == name)
                .map(|(_, value)| decode(value))
        };
        let id = parameter("id").and_then(|id| id.parse().ok());
        let token = parameter("token").and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
        let expires = parameter("expires").and_then(|time| Instant::from_xml(&time));
        Ok(Self {
            address: decode(address),
            id: id.ok_or(error("it names no identity"))?,
            token: token
                .and_then(|token| token.try_into().ok())
                .ok_or(error("its token is not 16 octets in base64url"))?,
            expires: expires.ok_or(error("it has no term"))?,
        })
    }

    /// The `kith:` URI.
    pub fn uri(&self) -> String {
        let token = URL_SAFE_NO_PAD.encode(self.token);
        let (address, id, expires) = (&self.address, self.id, self.expires);
        format!("kith:{address}?id={id}&token={token}&expires={expires}")
    }

    /// The proof in a request.
    pub fn request_proof(&self, request: Id128, requester: IdentityId) -> Hash {
        self.proof(&[b"kith-invite", &request.0, &requester.0, &self.id.0])
    }

    /// The proof in an accept.
    pub fn accept_proof(&self, request: Hash, accepter: IdentityId) -> Hash {
        self.proof(&[b"kith-accept", &request.0, &accepter.0])
    }

    fn proof(&self, parts: &[&[u8]]) -> Hash {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.token)
            .expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        Hash(mac.finalize().into_bytes().into())
    }
}

/// Without percent-encoding.
fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let mut octet = [0];
        match after {
            [high, low, tail @ ..]
                if *first == b'%' && hex::decode_to_slice([*high, *low], &mut octet).is_ok() =>
            {
                out.push(octet[0]);
                rest = tail;
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

impl Puppet {
    /// An invite for seven days.
    pub fn invite(&mut self, now: Instant) -> Invite {
        Invite {
            address: self.address.clone(),
            id: self.id,
            token: Id128::random(&mut self.rng).0,
            expires: now + 7 * DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_read_back() {
        let invite = Invite {
            address: "alice@a.test".to_owned(),
            id: Hash([7; 32]),
            token: [0xFB; 16],
            expires: Instant::EXAMPLE,
        };
        assert_eq!(Invite::parse(&invite.uri()), Ok(invite.clone()));
        let encoded = invite.uri().replace('@', "%40").replace("00:", "00%3A");
        assert_eq!(Invite::parse(&encoded), Ok(invite));
        assert!(Invite::parse("kith:alice@a.test").is_err());
    }
}
