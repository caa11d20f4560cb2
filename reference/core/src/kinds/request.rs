//! `request`: the only thing a stranger may send (specification, section "Request" of chapter
//! "Friends").

use kith_schemas::types::{
    Address, Audience, Hash, InviteProof, Note, Object, Payload, Purpose, Request, RequestTo, Time,
};
use kith_spec::{limit, req};

use super::write::unfit;
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::invite::{self, Invitation};
use crate::agent::objects::Sender;
use crate::agent::outgoing::Load;
use crate::agent::peer::{self, Part};
use crate::agent::relation::{Asked, AskedInvite, Pending, State};
use crate::agent::tick::Due;
use crate::agent::{ActError, AgentError, DAY, Event, Failure, Id, Step, address};
use crate::gate::Violation;
use crate::store::{Read, Table};
use crate::wire::signed::Signed;

/// Asks somebody at an address.
pub(crate) fn ask(
    step: &mut Step<'_>,
    to: &str,
    note: Option<&str>,
    invitation: Option<&Invitation>,
    purpose: Purpose,
) -> Result<[u8; 16], ActError> {
    let (id, nonce) = (step.random::<16>(), step.random::<16>());
    let proof = invitation.map(|invitation| InviteProof {
        proof: Hash::from(invite::request_proof(
            &invitation.token,
            &id,
            &step.own.id,
            &invitation.identity,
        )),
    });
    let note = note.map(Note::new).transpose();
    let note = note.map_err(|error| ActError::Note(error.to_string()))?;
    if note.as_ref().is_some_and(|note| !is_plain(note.as_str())) {
        return Err(ActError::Note(
            "it holds markup or a web address".to_owned(),
        ));
    }
    let term = limit::REQUEST_DAYS as i64 * DAY;
    let expires = Time::new(step.now + term)
        .map_err(unfit)
        .map_err(AgentError::Wire)?;
    let address = Address::new(to).map_err(|_| ActError::Address(to.to_owned()))?;
    let request = Request {
        purpose,
        nonce: nonce.into(),
        expires,
        to: RequestTo { address },
        credentials: step.own.credentials(),
        note: note.clone(),
        invite: proof,
    };
    let name = step.own.shown();
    let words = note
        .as_ref()
        .map(|note| format!(" {note}"))
        .unwrap_or_default();
    let hash = step.sign(Draft {
        id,
        rev: 1,
        audience: Audience::Direct,
        fallback: match purpose {
            Purpose::Friend => format!("{name} wants to be your friend on Kith.{words}"),
            Purpose::Follow => format!("{name} wants to follow your page on Kith.{words}"),
        },
        payload: Payload::Request(request),
    })?;
    let asked = Asked {
        failed: None,
        request: hash,
        id,
        nonce,
        address: to.to_owned(),
        sent: step.now,
        follow: purpose == Purpose::Follow,
        note: note.map(|note| note.to_string()),
        invite: invitation.map(|i| AskedInvite {
            token: i.token,
            identity: i.identity,
        }),
    };
    step.store
        .set(Table::Asked, hash, &asked)
        .map_err(AgentError::from)?;
    step.plan_asked(&asked)?;
    step.note_asked(&asked);
    crate::implements!(req::FRIENDS_REQUEST_OPEN, req::FRIENDS_INVITE_PROOF);
    send(step, to, hash)?;
    Ok(id)
}

fn send(step: &mut Step<'_>, to: &str, request: Id) -> Result<(), AgentError> {
    match step.introduced_at(to)? {
        Some(introduced) if step.gate.enforces(&req::INTRODUCE_SEALED) => {
            let load = Load {
                objects: vec![request],
                credentials: true,
                ..Load::default()
            };
            step.deliver(&introduced.peer, load)?;
            Ok(())
        }
        _ => step.deliver_open(to, request),
    }
}

/// Sends an own request again, because the person wants it. Who has it already takes the second one
/// for nothing (`friends.request-replay`).
pub(crate) fn send_again(step: &mut Step<'_>, mut asked: Asked) -> Result<(), ActError> {
    let refuse = |reason| ActError::State {
        name: asked.address.clone(),
        reason,
    };
    let message = step.store.get(Table::Octets, &asked.request);
    let message = message.map_err(AgentError::from)?.unwrap_or_default();
    let object = Signed::parse(step.gate, &message)
        .and_then(|signed| super::decode(step.gate, &signed.octets));
    let Ok(Payload::Request(request)) = object.map(|object| object.payload) else {
        return Err(refuse(
            "this request is not kept here; withdraw it and ask anew",
        ));
    };
    if request.expires.unix_seconds() < step.now {
        return Err(refuse("this request has expired; withdraw it and ask anew"));
    }
    if request.credentials != step.own.credentials() {
        let reason = "your contact or key has changed since; withdraw the request and ask anew";
        return Err(refuse(reason));
    }
    send(step, &asked.address, asked.request)?;
    asked.failed = None;
    let written = step.store.set(Table::Asked, asked.request, &asked);
    Ok(written.map_err(AgentError::from)?)
}

impl Kind for Request {
    fn traits(&self) -> Traits {
        Traits::handshake("request", false)
    }

    /// Takes a request with the credentials that it names.
    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        let missing = &req::FRIENDS_REQUEST_CREDENTIALS;
        let author = arrival.object.author.0;
        let (gate, now) = (step.gate, step.now);
        let introduced =
            peer::introduce(gate, arrival.parts, author, &self.credentials, missing, now)?;
        let sender = Sender {
            peer: introduced.peer.clone(),
            introduced: Some(introduced),
            authenticated: arrival.sender.authenticated,
            open: false,
            group: None,
        };
        take(step, arrival.part, arrival.object, self, &sender)
    }
}

/// Takes a request whose credentials and signature were verified.
pub(crate) fn take(
    step: &mut Step<'_>,
    part: &Part,
    object: &Object,
    request: &Request,
    sender: &Sender,
) -> Result<(), Failure> {
    check(step, object, request)?;
    let mine = address::same(request.to.address.as_str(), &step.own.address);
    step.gate.check(&req::FRIENDS_REQUEST_ADDRESS, mine)?;
    let peer = &sender.peer;
    let relation = step.relation(peer.id)?;
    if relation.blocked && step.gate.enforces(&req::FRIENDS_BLOCK_SILENT) {
        return Err(Violation(&req::FRIENDS_BLOCK_SILENT).into());
    }
    let seen = [&peer.id[..], &object.id.0].concat();
    let again = step.store.record::<i64>(Table::Seen, &seen)?.is_some();
    step.gate.check(&req::FRIENDS_REQUEST_REPLAY, !again)?;
    if request.purpose == Purpose::Follow {
        step.take_follow(part, object, request, sender)?;
        return step.remember(&seen, request.expires.unix_seconds());
    }
    let alone = step.pending(peer.id)?.is_none();
    step.gate.check(&req::FRIENDS_REQUEST_PENDING, alone)?;

    let (invited, warning) = step.judge_invite(object, request, peer.id)?;
    let state = step.state(peer)?;
    let crossed = crosses(step, state, sender)?;
    let introduced = step.introduction(peer.id)?;
    let introduced = introduced.filter(|_| step.gate.enforces(&req::INTRODUCE_SHOWN));
    if !invited && !sender.authenticated && introduced.is_none() {
        let queue = step.all_pending()?;
        let strangers = queue
            .iter()
            .filter(|pending| !pending.authenticated && pending.introduced.is_none())
            .count();
        let room = (strangers as u64) < limit::REQUEST_QUEUE;
        step.gate.check(&req::FRIENDS_REQUEST_QUEUE, room)?;
    }
    let expires = request.expires.unix_seconds();
    step.remember(&seen, expires)?;
    let pending = Pending {
        from: peer.id,
        request: part.signed.hash,
        id: object.id.0,
        nonce: request.nonce.0,
        to: request.to.address.to_string(),
        note: request.note.as_ref().map(ToString::to_string),
        created: object.created.unix_seconds(),
        expires,
        authenticated: sender.authenticated,
        introduced: introduced.map(|introduced| hex::encode(introduced.by)),
        warning,
    };
    let peer = match &sender.introduced {
        Some(introduced) => step.keep_introduced(introduced)?,
        None => peer.clone(),
    };
    // A new request takes the place of a handshake that was never confirmed.
    let mut relation = step.relation(peer.id)?;
    relation.accepted = None;
    step.set_relation(peer.id, &relation)?;
    let id = peer.id;
    step.due(
        expires + 1,
        &Due::Expire {
            peer: id,
            request: pending.request,
        },
    )?;
    step.store.set(Table::Pending, id, &pending)?;
    if invited || crossed || !step.gate.enforces(&req::FRIENDS_NO_AUTOMATIC) {
        let token = if invited {
            step.spend_invite(request, object, id)?
        } else {
            None
        };
        return Ok(super::accept::answer(
            step,
            &peer,
            &pending,
            token.as_ref(),
        )?);
    }
    // An export carries it while it waits (`export.complete`).
    let (hash, message) = (part.signed.hash, part.signed.message.clone());
    step.store.put(Table::Octets, hash, message);
    step.events.push(Event::Request {
        name: peer.name.clone(),
        address: peer.address().to_owned(),
    });
    Ok(())
}

fn check(step: &Step<'_>, object: &Object, request: &Request) -> Result<(), Violation> {
    let gate = step.gate;
    super::check_form(gate, object, false)?;
    let (created, expires) = (
        object.created.unix_seconds(),
        request.expires.unix_seconds(),
    );
    let latest = step.now + limit::CLOCK_SKEW_SECONDS as i64;
    gate.check(&req::FRIENDS_REQUEST_CREATED, created <= latest)?;
    let term = expires - created;
    gate.check(
        &req::FRIENDS_REQUEST_TERM,
        term <= limit::REQUEST_DAYS as i64 * DAY,
    )?;
    gate.check(&req::FRIENDS_REQUEST_EXPIRED, expires >= step.now)?;
    let plain = request
        .note
        .as_ref()
        .is_none_or(|note| is_plain(note.as_str()));
    gate.check(&req::FRIENDS_REQUEST_NOTE, plain)
}

/// Whether a request crosses an own one and may be accepted without asking.
fn crosses(step: &Step<'_>, state: State, sender: &Sender) -> Result<bool, AgentError> {
    let asked = matches!(state, State::Requested | State::Crossed);
    if !asked {
        return Ok(false);
    }
    if !step.gate.enforces(&req::FRIENDS_ACCEPT_CROSSED) {
        return Ok(true);
    }
    let mut rivals = Vec::new();
    for wanted in &sender.peer.addresses {
        rivals.extend(step.peers_at(wanted)?);
    }
    Ok(sender.authenticated && rivals.iter().all(|id| *id == sender.peer.id))
}

/// Plain text without markup, web addresses and control characters (`friends.request-note`).
fn is_plain(note: &str) -> bool {
    let lower = note.to_ascii_lowercase();
    !note.contains(['<', '>'])
        && !lower.contains("://")
        && !lower.contains("www.")
        && !note
            .chars()
            .any(|character| character.is_control() && character != '\n')
}

impl Step<'_> {
    /// Remembers the id of a request until it expires.
    fn remember(&mut self, seen: &[u8], expires: i64) -> Result<(), Failure> {
        let key = seen.to_vec();
        self.store.set(Table::Seen, key.clone(), &expires)?;
        Ok(self.due(expires + 1, &Due::Unsee { key })?)
    }

    pub(crate) fn all_pending(&self) -> Result<Vec<Pending>, AgentError> {
        let rows = self.store.records::<Pending>(Table::Pending, b"")?;
        Ok(rows.into_iter().map(|(_, pending)| pending).collect())
    }
}
