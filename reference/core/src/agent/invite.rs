//! Invites (specification, section "Invites" of chapter "Friends").

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use kith_schemas::types::{Object, Request};
use kith_spec::{limit, req};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{AgentError, DAY, Id, Step};
use crate::store::Table;

/// An invite as the inviter keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Invite {
    /// When it expires.
    pub expires: i64,
    /// Who used it.
    pub used_by: Option<String>,
}

/// An invite as the invited person reads it from its URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The inviter's address.
    pub address: String,
    /// The inviter's identity.
    pub identity: Id,
    /// The token.
    pub token: [u8; 16],
    /// When it expires.
    pub expires: i64,
}

/// Why a text is no invite.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// It has another form.
    #[error(
        "this is no invite: {0}; an invite looks like kith:alice@a.test?id=…&token=…&expires=…"
    )]
    Form(&'static str),
    /// It is too old.
    #[error("the invite has expired; ask for a new one")]
    Expired,
}

impl Invitation {
    /// Reads a `kith:` URI.
    ///
    /// # Errors
    ///
    /// [`InviteError::Form`].
    pub fn parse(uri: &str) -> Result<Self, InviteError> {
        let form = InviteError::Form;
        let rest = uri
            .trim()
            .strip_prefix("kith:")
            .ok_or(form("it doesn't begin with kith:"))?;
        let (address, query) = rest
            .split_once('?')
            .ok_or(form("nothing follows the address"))?;
        let field = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(key, _)| *key == name);
            found.and_then(|(_, value)| decode(value))
        };
        let identity = field("id").and_then(|id| hex::FromHex::from_hex(id).ok());
        let token = field("token").and_then(|token| URL_SAFE_NO_PAD.decode(token).ok());
        let token = token.and_then(|token| <[u8; 16]>::try_from(token).ok());
        let expires = field("expires");
        let expires = expires.and_then(|time| OffsetDateTime::parse(&time, &Rfc3339).ok());
        let address = decode(address).filter(|address| super::address::is_valid(address));
        let address = address.ok_or(form("its address is not one"))?;
        Ok(Self {
            address,
            identity: identity.ok_or(form("its id is missing or wrong"))?,
            token: token.ok_or(form("its token is missing or wrong"))?,
            expires: expires
                .ok_or(form("its time is missing or wrong"))?
                .unix_timestamp(),
        })
    }

    /// Writes the `kith:` URI.
    #[must_use]
    pub fn uri(&self) -> String {
        let expires = OffsetDateTime::from_unix_timestamp(self.expires);
        let expires = expires
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
            .format(&Rfc3339);
        format!(
            "kith:{}?id={}&token={}&expires={}",
            encode(&self.address),
            hex::encode(self.identity),
            URL_SAFE_NO_PAD.encode(self.token),
            expires.unwrap_or_default()
        )
    }
}

/// Percent-encodes what has a meaning of its own in a URI, or no place there (RFC 3986).
fn encode(address: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(address.len());
    for octet in address.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~!$&'*+=@".contains(&octet) {
            encoded.push(char::from(octet));
        } else {
            // Writing into a String doesn't fail.
            let written = write!(encoded, "%{octet:02X}");
            debug_assert!(written.is_ok());
        }
    }
    encoded
}

/// Undoes percent-encoding; nothing where it is wrong.
fn decode(text: &str) -> Option<String> {
    let mut pieces = text.split('%');
    let mut octets = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        octets.extend(<[u8; 1] as hex::FromHex>::from_hex(code).ok()?);
        octets.extend(rest.as_bytes());
    }
    String::from_utf8(octets).ok()
}

fn hmac(token: &[u8; 16], parts: &[&[u8]]) -> Id {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token) else {
        return [0; 32];
    };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The proof in a request (`friends.invite-proof`).
#[must_use]
pub fn request_proof(token: &[u8; 16], id: &[u8; 16], requester: &Id, inviter: &Id) -> Id {
    hmac(token, &[b"kith-invite", id, requester, inviter])
}

/// The proof in an accept (`friends.invite-answer`).
#[must_use]
pub fn accept_proof(token: &[u8; 16], request: &Id, accepter: &Id) -> Id {
    hmac(token, &[b"kith-accept", request, accepter])
}

impl Step<'_> {
    /// Makes an invite.
    pub(crate) fn invite(&mut self) -> Result<Invitation, AgentError> {
        let token = self.random();
        let expires = self.now + limit::INVITE_DAYS as i64 * DAY;
        self.store.set(
            Table::Invite,
            token,
            &Invite {
                expires,
                used_by: None,
            },
        )?;
        self.note_invite(token);
        let (address, identity) = (self.own.address.clone(), self.own.id);
        Ok(Invitation {
            address,
            identity,
            token,
            expires,
        })
    }

    /// Whether a request is covered by an invite, and what the person should be warned of.
    pub(crate) fn judge_invite(
        &self,
        object: &Object,
        request: &Request,
        requester: Id,
    ) -> Result<(bool, Option<String>), AgentError> {
        crate::implements!(req::FRIENDS_INVITE_TABLE);
        let Some(given) = &request.invite else {
            return Ok((false, None));
        };
        let Some((_, invite)) = self.proved(object, given.proof.0, requester)? else {
            let blind = !self.gate.enforces(&req::FRIENDS_INVITE_WRONG);
            return Ok((
                blind,
                Some("it claims an invite that you never made".to_owned()),
            ));
        };
        let other = invite
            .used_by
            .is_some_and(|id| id != hex::encode(requester));
        if other && self.gate.enforces(&req::FRIENDS_INVITE_USED) {
            return Ok((
                false,
                Some("somebody else has used this invite already".to_owned()),
            ));
        }
        if invite.expires < self.now && self.gate.enforces(&req::FRIENDS_INVITE_TOKEN) {
            return Ok((false, Some("its invite has expired".to_owned())));
        }
        Ok((self.gate.enforces(&req::FRIENDS_INVITE_ACCEPTED), None))
    }

    /// Marks the invite of a request as used, and returns its token.
    pub(crate) fn spend_invite(
        &mut self,
        request: &Request,
        object: &Object,
        requester: Id,
    ) -> Result<Option<[u8; 16]>, AgentError> {
        let Some(given) = &request.invite else {
            return Ok(None);
        };
        let Some((token, mut invite)) = self.proved(object, given.proof.0, requester)? else {
            return Ok(None);
        };
        invite.used_by = Some(hex::encode(requester));
        self.store.set(Table::Invite, token, &invite)?;
        self.note_invite(token);
        Ok(Some(token))
    }

    fn proved(
        &self,
        object: &Object,
        proof: Id,
        requester: Id,
    ) -> Result<Option<([u8; 16], Invite)>, AgentError> {
        for (key, invite) in self.store.records::<Invite>(Table::Invite, b"")? {
            let Ok(token) = <[u8; 16]>::try_from(key) else {
                continue;
            };
            if request_proof(&token, &object.id.0, &requester, &self.own.id) == proof {
                return Ok(Some((token, invite)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_survives_its_uri() {
        for address in [
            "alice@a.test",
            "a+b=c@a.test",
            "why?#%/`@a.test",
            "žofie@á.test",
        ] {
            let invitation = Invitation {
                address: address.to_owned(),
                identity: [7; 32],
                token: [255; 16],
                expires: 1_800_000_000,
            };
            let uri = invitation.uri();
            assert!(uri.is_ascii() && uri.matches('?').count() == 1, "{uri}");
            assert_eq!(
                Invitation::parse(&uri.replace('@', "%40")),
                Ok(invitation.clone())
            );
            assert_eq!(Invitation::parse(&uri), Ok(invitation));
        }
        for wrong in [
            "",
            "kith:",
            "kith:a@b.test",
            "mailto:a@b.test?id=1",
            "kith:a?id=&token=&expires=",
            "kith:a%4@b.test?id=&token=&expires=",
        ] {
            assert!(Invitation::parse(wrong).is_err(), "{wrong}");
        }
    }
}
