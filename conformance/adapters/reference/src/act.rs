//! From actions of the adapter protocol to those of the agent.

use kith_adapter::act::Action as Wanted;
use kith_adapter::act::media::{Attachment as Given, Content as GivenContent};
use kith_adapter::act::pages::{PageCreate, Unfollow};
use kith_adapter::act::publishing::Readers as WantedReaders;
use kith_adapter::protocol::{Failure, Identity, ObjectRef};
use kith_agent::media::prepare;
use kith_core::Action;
use kith_core::agent::Id;
use kith_core::agent::circle::Readers;
use kith_core::agent::follow::PageName;
use kith_core::agent::group::GroupChange;
use kith_core::agent::invite::Invitation;
use kith_core::agent::media::{Attachment, Content};
use kith_core::agent::own::Consent;
use kith_core::kinds::app_update::Said;
use kith_core::kinds::page::Face;
use kith_core::kinds::post::NewPost;

use crate::convert::{id16, id32, internal};

mod field;
pub(crate) mod groups;
use self::groups::{answer, change, change_event, create, group, role};

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
        // These are not the core's: the session does them.
        Wanted::Adopt(_)
        | Wanted::Export(_)
        | Wanted::Import(_)
        | Wanted::CalendarExport(_)
        | Wanted::CalendarImport(_)
        | Wanted::ExportReadable(_)
        | Wanted::RestoreMailbox(_) => {
            return Err(Failure::Unsupported(wanted.name().to_owned()));
        }
        Wanted::Block(block) => Action::Block {
            identity: id32(&block.identity)?,
        },
        Wanted::Unblock(unblock) => Action::Unblock {
            identity: id32(&unblock.identity)?,
        },
        Wanted::Rotate(rotate) => Action::Rotate {
            kit: rotate.secret.0.clone(),
            compromised: rotate.compromised,
            next: None,
        },
        Wanted::Move(to) => Action::Move {
            address: to.address.clone(),
        },
        Wanted::Consent(consent) => Action::Consent(Consent {
            delivered: consent.delivered,
            seen: consent.seen,
            introduce: consent.introduce,
        }),
        Wanted::Petname(petname) => Action::Petname {
            identity: id32(&petname.identity)?,
            name: petname.name.clone(),
        },
        Wanted::Verify(verify) => Action::Verify {
            identity: id32(&verify.identity)?,
            code: verify.code.clone(),
        },
        Wanted::Introduce(introduce) => Action::Introduce {
            one: id32(&introduce.one)?,
            other: id32(&introduce.other)?,
        },
        Wanted::Read(read) => Action::Read {
            author: id32(&read.message.author)?,
            id: id16(&read.message.id)?,
        },
        Wanted::Message(message) => Action::Message {
            to: id32(&message.to)?,
            text: message.text.clone(),
            parent: match &message.parent {
                Some(parent) => Some((id32(&parent.author)?, id16(&parent.id)?)),
                None => None,
            },
            media: attachments(&message.media)?,
        },
        Wanted::Post(post) => Action::Post(NewPost {
            text: post.text.clone(),
            mentions: post
                .mentions
                .iter()
                .map(|mention| Ok((id32(&mention.identity)?, mention.name.clone())))
                .collect::<Result<_, Failure>>()?,
            media: attachments(&post.media)?,
            to: readers(&post.to)?,
        }),
        Wanted::Widen(widen) => Action::Widen {
            id: id16(&widen.id)?,
            to: ids(&widen.to)?,
        },
        Wanted::Narrow(narrow) => Action::Narrow {
            id: id16(&narrow.id)?,
            from: ids(&narrow.from)?,
        },
        Wanted::Circle(circle) => Action::Circle {
            name: circle.name.clone(),
            add: ids(&circle.add)?,
            remove: ids(&circle.remove)?,
        },
        Wanted::ProfileSet(field) => Action::Field(field::new_field(field)?),
        Wanted::Fetched(fetched) => Action::Fetched {
            author: id32(&fetched.of.author)?,
            id: id16(&fetched.of.id)?,
            position: fetched.position as usize,
            octets: fetched.octets.0.clone(),
        },
        Wanted::Comment(comment) => Action::Comment {
            root: named(&comment.root)?,
            parent: comment.parent.as_ref().map(named).transpose()?,
            text: comment.text.clone(),
            private: comment.private,
        },
        Wanted::React(react) => Action::React {
            root: named(&react.root)?,
            parent: react.parent.as_ref().map(named).transpose()?,
            symbols: react.symbols.clone(),
            private: react.private,
        },
        Wanted::Share(share) => Action::Share {
            post: named(&share.post)?,
            text: share.text.clone(),
        },
        Wanted::Hide(hide) => Action::Hide {
            target: named(&hide.target)?,
        },
        Wanted::Relaying(relaying) => Action::Relaying {
            id: id16(&relaying.id)?,
            allow: relaying.allow,
        },
        Wanted::GroupCreate(create) => Action::GroupCreate {
            name: create.name.clone(),
            about: create.about.clone(),
        },
        Wanted::GroupInvite(invite) => {
            change(&invite.group, GroupChange::Invite(id32(&invite.identity)?))?
        }
        Wanted::GroupRemove(remove) => {
            change(&remove.group, GroupChange::Remove(id32(&remove.identity)?))?
        }
        Wanted::GroupAdmin(admin) => change(&admin.group, role(&admin.identity, admin.admin)?)?,
        Wanted::GroupRename(rename) => {
            change(&rename.group, GroupChange::Rename(rename.name.clone()))?
        }
        Wanted::GroupJoin(join) => Action::GroupJoin {
            group: group(&join.group)?,
        },
        Wanted::GroupLeave(leave) => Action::GroupLeave {
            group: group(&leave.group)?,
        },
        Wanted::GroupEnd(end) => Action::GroupEnd {
            group: group(&end.group)?,
        },
        Wanted::GroupPost(post) => Action::GroupPost {
            group: group(&post.group)?,
            text: post.text.clone(),
        },
        Wanted::GroupMessage(message) => Action::GroupMessage {
            group: group(&message.group)?,
            text: message.text.clone(),
            parent: match &message.parent {
                Some(parent) => Some((id32(&parent.author)?, id16(&parent.id)?)),
                None => None,
            },
        },
        Wanted::EventCreate(event) => create(event)?,
        Wanted::EventChange(event) => change_event(event)?,
        Wanted::Rsvp(rsvp) => answer(rsvp)?,
        Wanted::PageCreate(page) => Action::Page(face(page)),
        Wanted::PagePost(post) => Action::Publish {
            text: post.text.clone(),
        },
        Wanted::Follow(follow) => Action::Follow {
            address: follow.address.clone(),
        },
        Wanted::FollowId(follow) => Action::FollowId {
            identity: id32(&follow.identity)?,
        },
        Wanted::Unfollow(unfollow) => Action::Unfollow {
            page: page_name(unfollow)?,
        },
        Wanted::RemoveFollower(remove) => Action::RemoveFollower {
            identity: id32(&remove.identity)?,
        },
        Wanted::AppCreate(app) => Action::App {
            with: id32(&app.with)?,
            app_type: app.app_type.clone(),
            name: app.name.clone(),
        },
        Wanted::AppUpdate(update) => Action::AppUpdate {
            app: (id32(&update.app.author)?, id16(&update.app.id)?),
            said: Said {
                info: update.info.clone(),
                summary: update.summary.clone(),
                data: update.data.as_ref().map(|data| data.0.clone()),
            },
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

fn ids(identities: &[Identity]) -> Result<Vec<Id>, Failure> {
    identities.iter().map(id32).collect()
}

fn readers(wanted: &WantedReaders) -> Result<Readers, Failure> {
    Ok(match wanted {
        WantedReaders::Friends => Readers::Friends,
        WantedReaders::Circle(name) => Readers::Circle(name.clone()),
        WantedReaders::Chosen(identities) => Readers::Chosen(ids(identities)?),
        WantedReaders::Nobody => Readers::Nobody,
    })
}

fn attachments(wanted: &[Given]) -> Result<Vec<Attachment>, Failure> {
    wanted.iter().map(attachment).collect()
}

fn attachment(wanted: &Given) -> Result<Attachment, Failure> {
    let mut attachment = match &wanted.content {
        GivenContent::Octets(octets) => {
            let keep_metadata = false;
            prepare(octets.0.clone(), &wanted.media_type, keep_metadata)
                .map_err(|error| Failure::Refused(error.to_string()))?
        }
        GivenContent::Link(link) => Attachment {
            media_type: wanted.media_type.clone(),
            content: Content::Linked {
                href: link.href.clone(),
                password: link.password.clone(),
                hash: hex::FromHex::from_hex(link.hash.as_str()).map_err(internal)?,
                size: link.size,
            },
            ..Attachment::default()
        },
    };
    attachment.name.clone_from(&wanted.name);
    attachment.alt.clone_from(&wanted.alt);
    attachment.caption.clone_from(&wanted.caption);
    Ok(attachment)
}

fn face(page: &PageCreate) -> Face {
    let links = page.links.iter();
    Face {
        name: page.name.clone(),
        description: page.description.clone(),
        category: page.category.clone(),
        links: links
            .map(|link| (link.href.clone(), link.label.clone()))
            .collect(),
        comments: page.comments,
        list: page.list.clone(),
    }
}

fn page_name(unfollow: &Unfollow) -> Result<PageName, Failure> {
    match (&unfollow.identity, &unfollow.address) {
        (Some(identity), _) => Ok(PageName::Identity(id32(identity)?)),
        (None, Some(address)) => Ok(PageName::Address(address.clone())),
        (None, None) => Err(Failure::Refused("no page is named".to_owned())),
    }
}

fn named(object: &ObjectRef) -> Result<([u8; 32], [u8; 16]), Failure> {
    Ok((id32(&object.author)?, id16(&object.id)?))
}

pub(crate) fn invitation(uri: &str) -> Result<Invitation, Failure> {
    Invitation::parse(uri).map_err(|error| Failure::Refused(error.to_string()))
}
