//! From actions of the adapter protocol to those of the agent.

use kith_adapter::act::Action as Wanted;
use kith_adapter::protocol::Failure;
use kith_core::Action;
use kith_core::agent::invite::Invitation;

use crate::convert::{id16, id32};

/// The agent's action.
///
/// # Errors
///
/// When a value can't be one.
pub(crate) fn action(wanted: &Wanted) -> Result<Action, Failure> {
    Ok(match wanted {
        Wanted::Invite(_) => Action::Invite,
        Wanted::Befriend(befriend) => Action::Befriend {
            address: befriend.address.clone(),
            note: befriend.note.clone(),
            invite: befriend.invite.as_deref().map(invitation).transpose()?,
        },
        Wanted::Accept(accept) => Action::Accept {
            request: id16(&accept.request)?,
        },
        Wanted::Decline(decline) => Action::Decline {
            request: id16(&decline.request)?,
            notify: decline.notify,
        },
        Wanted::End(end) => Action::End {
            identity: id32(&end.identity)?,
        },
        Wanted::Withdraw(withdraw) => Action::Withdraw {
            request: id16(&withdraw.request)?,
        },
        Wanted::Adopt(_) => return Err(Failure::Unsupported("adopt".to_owned())),
        Wanted::Block(block) => Action::Block {
            identity: id32(&block.identity)?,
        },
        Wanted::Unblock(unblock) => Action::Unblock {
            identity: id32(&unblock.identity)?,
        },
        Wanted::Message(message) => Action::Message {
            to: id32(&message.to)?,
            text: message.text.clone(),
            parent: match &message.parent {
                Some(parent) => Some((id32(&parent.author)?, id16(&parent.id)?)),
                None => None,
            },
        },
        Wanted::Post(post) => Action::Post {
            text: post.text.clone(),
        },
        Wanted::Edit(edit) => Action::Edit {
            id: id16(&edit.id)?,
            text: edit.text.clone(),
        },
        Wanted::Retract(retract) => Action::Retract {
            id: id16(&retract.id)?,
        },
    })
}

pub(crate) fn invitation(uri: &str) -> Result<Invitation, Failure> {
    Invitation::parse(uri).map_err(|error| Failure::Refused(error.to_string()))
}
