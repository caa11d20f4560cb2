//! `reaction`: everything that a person feels about one thing, in a few symbols (specification,
//! section "Reaction" of chapter "Comments").

use std::collections::BTreeSet;

use kith_schemas::types::{Audience, Payload, Reaction, Symbol};
use kith_spec::req;

use super::comment::{AUDIENCES, Under};
use super::{Arrival, Draft, Kind, Traits};
use crate::agent::objects::{Body, merge_key};
use crate::agent::thread::{Key, Place};
use crate::agent::{ActError, Failure, Step};
use crate::wire;

/// The id of the reaction of anybody to an object (`reaction.id`).
#[must_use]
pub fn id(target: &Key) -> [u8; 16] {
    let octets = [
        &b"reaction\0"[..],
        &target.author,
        &target.id,
        target.kind.as_bytes(),
    ];
    let mut id = [0; 16];
    id.copy_from_slice(&wire::sha256(&octets.concat())[..16]);
    id
}

/// Says what the person feels about a root, or a comment under it; no symbols take it back.
pub(crate) fn write(
    step: &mut Step<'_>,
    under: &Under<'_>,
    symbols: &[String],
) -> Result<[u8; 16], ActError> {
    let symbol = |text: &String| Symbol::new(text.as_str());
    let checked: Vec<Symbol> = symbols
        .iter()
        .map(symbol)
        .collect::<Result<_, _>>()
        .map_err(|error| ActError::Text(error.to_string()))?;
    let distinct: BTreeSet<&str> = checked.iter().map(Symbol::as_str).collect();
    if distinct.len() != checked.len() || checked.len() > 8 {
        return Err(ActError::Text(
            "a reaction has at most eight symbols, each once".to_owned(),
        ));
    }
    let (root, parent, name) = step.references(under)?;
    let target = Key::from(parent.as_ref().unwrap_or(&root));
    let reaction = Reaction {
        root,
        parent,
        name,
        symbol: checked,
    };
    let id = id(&target);
    let earlier = step.entry(&merge_key(step.own.id, "reaction", id))?;
    let said = match symbols {
        [] => "took back a reaction.".to_owned(),
        symbols => format!("reacted: {}", symbols.join(" ")),
    };
    let body = Body::Reaction {
        root: Key::from(&reaction.root),
        target,
        name: reaction.name.as_ref().map(ToString::to_string),
        symbols: symbols.to_vec(),
        private: under.private,
    };
    let draft = Draft {
        id,
        rev: earlier.as_ref().map_or(1, |entry| entry.rev + 1),
        audience: step.reply_audience(under)?,
        fallback: format!("{} {said}", step.own.shown()),
        payload: Payload::Reaction(reaction),
    };
    step.say_under(under, "reaction", draft, body, earlier.as_ref())?;
    Ok(id)
}

impl Kind for Reaction {
    fn traits(&self) -> Traits {
        Traits::content("reaction", AUDIENCES, &req::KIND_AUDIENCE).in_group()
    }

    fn root(&self) -> Option<Key> {
        Some(Key::from(&self.root))
    }

    fn take(&self, step: &mut Step<'_>, arrival: &Arrival<'_>) -> Result<(), Failure> {
        crate::implements!(req::REACTION_REPLACE);
        let place = Place {
            root: &self.root,
            parent: self.parent.as_ref(),
            name: self.name.as_ref(),
        };
        let target = Key::from(self.parent.as_ref().unwrap_or(&self.root));
        let derived = arrival.object.id.0 == id(&target);
        step.gate.check(&req::REACTION_ID, derived)?;
        let distinct: BTreeSet<&str> = self.symbol.iter().map(Symbol::as_str).collect();
        let once = distinct.len() == self.symbol.len();
        step.gate.check(&req::REACTION_SYMBOL_ONCE, once)?;
        step.check_place(arrival, place)?;
        let body = Body::Reaction {
            root: Key::from(&self.root),
            target,
            name: self.name.as_ref().map(ToString::to_string),
            symbols: self.symbol.iter().map(ToString::to_string).collect(),
            private: arrival.object.audience == Audience::Direct,
        };
        step.take_reply(arrival, place, body)?;
        Ok(())
    }
}
