//! Judging an open mail: a request (specification, section "Open mail" of chapter "Mail format").

use kith_schemas::types;
use kith_spec::{limit, req};

use super::authentication::is_authenticated;
use super::objects::Sender;
use super::peer::{self, Part, Parts};
use super::receive::{Judged, ObjectVerdict, Verdict};
use super::sealed_mail::refused;
use super::{Failure, Step, address};
use crate::gate::Violation;
use crate::kinds;
use crate::wire::mime::{self, Entity};

impl Step<'_> {
    pub(super) fn judge_open(&mut self, mail: &Entity) -> Judged {
        self.gate
            .check(&req::MAIL_MIME_BOUNDS, !mail.out_of_bounds)?;
        crate::implements!(req::MAIL_OPEN_PARTS);
        let document = mail.of_type(mime::DELIVERY).next();
        let parts = Parts::of(self.gate, mail);
        let requests: Vec<&Part> = parts
            .objects
            .iter()
            .flatten()
            .filter(|p| is_request(p))
            .collect();
        if requests.is_empty() {
            self.gate
                .check(&req::MAIL_DELIVERY_SEALED, document.is_none())?;
            if let Some(judged) = self.judge_public(&parts)? {
                return judged;
            }
            return Err(self.useless(&parts).into());
        }
        let fits = self.size <= limit::REQUEST_MAIL_OCTETS;
        self.gate.check(&req::FRIENDS_REQUEST_MAIL_SIZE, fits)?;
        let mut verdicts = Vec::new();
        let mut first = None;
        for part in requests {
            match self.judge_request(part, &parts, mail) {
                Ok(mut taken) => verdicts.append(&mut taken),
                Err(Failure::Violation(violation)) => {
                    first.get_or_insert(violation);
                    verdicts.push(refused(part.signed.hash, violation));
                }
                Err(error) => return Err(error),
            }
        }
        match first {
            Some(violation) if verdicts.iter().all(|v| v.verdict.violation.is_some()) => {
                Err(violation.into())
            }
            _ => Ok(verdicts),
        }
    }

    /// Why an open mail without a request is refused.
    fn useless(&self, parts: &Parts) -> Violation {
        for part in &parts.objects {
            match part {
                Err((_, violation)) => return *violation,
                Ok(Part {
                    object: Err(violation),
                    ..
                }) => return *violation,
                Ok(Part {
                    object: Ok(object), ..
                }) => {
                    if kinds::of(&object.payload).traits().family == kinds::Family::Handshake {
                        return Violation(&req::FRIENDS_ACCEPT_SEALED);
                    }
                    let private = !matches!(
                        object.audience,
                        types::Audience::Public | types::Audience::Any
                    );
                    if private {
                        return Violation(&req::MAIL_OPEN_PRIVATE);
                    }
                }
            }
        }
        Violation(&req::MAIL_OPEN_UNKNOWN)
    }

    fn judge_request(&mut self, part: &Part, parts: &Parts, mail: &Entity) -> Judged {
        let object = part.object.as_ref().map_err(|violation| *violation)?;
        let types::Payload::Request(request) = &object.payload else {
            return Err(Violation(&req::MAIL_OPEN_UNKNOWN).into());
        };
        let mine = address::same(request.to.address.as_str(), &self.own.address);
        self.gate.check(&req::FRIENDS_REQUEST_ADDRESS, mine)?;
        let today = self.now;
        self.now = self.as_of(&[part.signed.hash])?;
        let missing = &req::FRIENDS_REQUEST_CREDENTIALS;
        let author = object.author.0;
        let introduced = peer::introduce(
            self.gate,
            parts,
            author,
            &request.credentials,
            missing,
            self.now,
        )?;
        part.signed.verify(self.gate, &introduced.peer.keys())?;
        self.check_rival(parts, &introduced.peer)?;
        let peer = introduced.peer.clone();
        let authenticated = is_authenticated(self.gate, mail, self.authserv_id, peer.address());
        let introduced_octets: Vec<_> = introduced.octets.iter().map(|(hash, _)| *hash).collect();
        let sender = Sender {
            peer,
            introduced: Some(introduced),
            authenticated,
            open: false,
            group: None,
        };
        if !self.is_settled(part, object, request, today)? {
            kinds::request::take(self, part, object, request, &sender)?;
        }
        self.journal(part.signed.hash)?;
        let accepted = |hash| ObjectVerdict {
            hash,
            verdict: Verdict::ACCEPT,
        };
        Ok(std::iter::once(part.signed.hash)
            .chain(introduced_octets)
            .map(accepted)
            .collect())
    }
}

pub(super) fn is_request(part: &Part) -> bool {
    let payload = part.object.as_ref().map(|object| &object.payload);
    matches!(payload, Ok(types::Payload::Request(_)))
}
