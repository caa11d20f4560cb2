//! Where a mail of the catalogue plays.

use super::Base;
use crate::ForgeError;
use crate::draft::{AnyDraft, Draft, Item, Mail, ObjectDraft, OpenDraft};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::Instant;
use crate::invite::Invite;
use crate::kinds::group::Change;
use crate::kinds::{EventRef, Group, RequestOptions, RequestRef, RevisionRef, ack};
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::seed::Rng;

/// What happened between author and recipient before, as far as mail names it.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The author's request to the recipient.
    pub request: Option<RequestRef>,
    /// The recipient's request to the author.
    pub asked: Option<RequestRef>,
    /// The recipient's accept of the author's request.
    pub accept: Option<Hash>,
    /// The invite of the author that the recipient used.
    pub invite: Option<Invite>,
    /// What the recipient posted.
    pub post: Option<RevisionRef>,
    /// A group: of the third person, with author and recipient as members; or of the recipient.
    pub group: Option<Group>,
    /// Another group of the recipient, where the author is a plain member.
    pub plain_group: Option<Group>,
    /// An event of the recipient, to which the author is invited.
    pub event: Option<EventRef>,
}

/// What the recipient does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Declines the request whose object has this id.
    Decline(Id128),
    /// Blocks an identity.
    Block(IdentityId),
}

/// Something that happens before the mail arrives.
#[derive(Debug, Clone)]
pub enum Earlier {
    /// A mail arrives.
    Mail {
        /// The mail.
        mail: Mail,
        /// When.
        at: Instant,
    },
    /// The recipient does something.
    Action {
        /// What.
        action: Action,
        /// When.
        at: Instant,
    },
}

/// Who writes, who reads, and what happened between them.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Who writes.
    pub author: Puppet,
    /// Somebody else.
    pub third: Puppet,
    /// Who reads: the agent under test.
    pub recipient: Peer,
    /// When the mail arrives.
    pub now: Instant,
    /// The generator for what is drawn when mail is rendered.
    pub rng: Rng,
    /// A text that stands in what the mail says, where it says something.
    pub text: String,
    /// What happened before.
    pub history: History,
    earlier: Vec<Earlier>,
    failed: Option<Kept>,
}

/// An error kept until the forging is done; scenes can be cloned.
type Kept = std::sync::Arc<ForgeError>;

impl Scene {
    /// A scene without history.
    pub fn new(author: Puppet, third: Puppet, recipient: Peer, now: Instant, rng: Rng) -> Self {
        Self {
            author,
            third,
            recipient,
            now,
            rng,
            text: "Shall we meet on Friday?".to_owned(),
            history: History::default(),
            earlier: Vec::new(),
            failed: None,
        }
    }

    /// The valid mail of a base, with fresh ids: the twin of every fault.
    pub fn valid(&mut self, base: Base) -> Result<AnyDraft, ForgeError> {
        let (author, to, now) = (&mut self.author, &self.recipient, self.now);
        let history = &self.history;
        let missing = |what| ForgeError::NoHistory(base.name(), what);
        let asked = || {
            history
                .asked
                .as_ref()
                .ok_or(missing("request of the recipient"))
        };
        Ok(match base {
            Base::Request => {
                let options = RequestOptions {
                    note: Some(self.text.clone()),
                    ..RequestOptions::default()
                };
                author.request(&to.address, now, options).into()
            }
            Base::Accept => author.accept(asked()?, to, now)?.into(),
            Base::InvitedAccept => {
                let invite = history.invite.as_ref().ok_or(missing("invite"))?;
                author
                    .accept_invited(asked()?, Some(invite), to, now)?
                    .into()
            }
            Base::Decline => author.decline(asked()?, to, now)?.into(),
            Base::Confirm => {
                let accept = history.accept.ok_or(missing("accept"))?;
                author.confirm(to, accept, now)?.into()
            }
            Base::End => {
                let request = history.request.as_ref().or(history.asked.as_ref());
                let request = request.ok_or(missing("request"))?;
                author.end(to, &[request.hash], now)?.into()
            }
            Base::Message => author.message(to, &self.text, now)?.into(),
            Base::Post => author.post(to, &self.text, now)?.into(),
            Base::Retract => {
                let post = author.post_object(&self.text, now);
                author.retract(to, &post, now)?.into()
            }
            Base::Group => {
                let mut group = author.group(&self.text);
                group.invited.push(to.clone());
                author.group_revision(&mut group, to, &[], now)?.into()
            }
            Base::GroupPost => {
                let group = history.group.as_ref().ok_or(missing("group"))?;
                let post = author.group_post_object(group, &self.text, now);
                let mut draft = author.deliver_to_group(group, vec![post], now)?;
                draft.mail.to.clone_from(&to.address);
                draft.into()
            }
            Base::Join => {
                let group = history.group.as_ref().ok_or(missing("group"))?;
                author.join(to, group, now)?.into()
            }
            Base::Leave => {
                let group = history.group.as_ref().ok_or(missing("group"))?;
                author.leave(to, group, now)?.into()
            }
            Base::Proposal => {
                let group = history.group.as_ref().ok_or(missing("group"))?;
                let change = Change::Rename(self.text.clone());
                author.proposal(to, group, &change, now)?.into()
            }
            Base::Event => author.event(to, &self.text, now)?.into(),
            Base::Rsvp => {
                let event = history.event.as_ref().ok_or(missing("event"))?;
                author.rsvp(to, event, "yes", &self.text, now)?.into()
            }
            Base::Follow => {
                let options = RequestOptions {
                    follow: true,
                    note: Some(self.text.clone()),
                    ..RequestOptions::default()
                };
                author.request(&to.address, now, options).into()
            }
            Base::Page => {
                let page = author.page_object(&self.text, now);
                author
                    .public_mail(&to.address, page, Vec::new(), now)
                    .into()
            }
            Base::PublicPost => author.public_post(&to.address, &self.text, now).into(),
            Base::App => author.app(to, &self.text, now)?.into(),
            Base::AppUpdate => {
                let app = author.app_object(to, "Chess", now);
                let key = (app.author, app.id);
                let update = author.app_update_object(to, key, 1, &self.text, now);
                author.carry(to, vec![app, update], now)?.into()
            }
            Base::Acknowledgement => author.acknowledge(to, Vec::new(), now)?.into(),
            Base::Comment => {
                let post = history.post.as_ref().ok_or(missing("post"))?;
                let comment = author.comment_object(post, None, &self.text, now);
                author.carry(to, vec![comment], now)?.into()
            }
            Base::Reaction => {
                let post = history.post.as_ref().ok_or(missing("post"))?;
                let reaction = author.reaction_object(post, None, &["❤"], now);
                author.carry(to, vec![reaction], now)?.into()
            }
            Base::RelayedComment => self.relayed()?.into(),
            Base::Hide => self.hide()?.into(),
            Base::Share => {
                let post = self.third.public_post_object("Open day on Sunday", now);
                let post = post.sign(&mut self.rng);
                author
                    .share(to, (&self.third, &post), &self.text, now)?
                    .into()
            }
            Base::Rotation => author.rotation(to, &[], now)?.into(),
            Base::Receipt => {
                // The recipient wrote none of these, so the receipt has no effect.
                let hash = Hash::of("a message");
                author.receipt(to, &[hash], &[hash], now)?.into()
            }
            Base::Relay => self.relayed_publicly().into(),
            Base::SelfCopy => {
                let message = author.message_object(&self.third.peer(), &self.text, None, now);
                let message = message.sign(&mut self.rng);
                author.self_copy(message, self.third.id, now)?.into()
            }
            Base::Introduce => {
                let mut third = self.third.clone();
                third.introducible = true;
                third.renew_contact(now);
                author.introduce(to, &third, now)?.into()
            }
        })
    }

    /// The author posts, the third person comments, and the author relays that.
    fn relayed(&mut self) -> Result<Draft, ForgeError> {
        let (to, now) = (self.recipient.clone(), self.now);
        let post = self.author.post_object("Who comes along?", now);
        let post = post.sign(&mut self.rng);
        let mut posted = self.author.carry(&to, Vec::new(), now)?;
        posted.objects.push(post.clone().into());
        self.before(posted);
        let root = RevisionRef::of(&post, "post");
        let comment = self.third.comment_object(&root, None, &self.text, now);
        self.author.relay(&to, &self.third, comment, now)
    }

    /// The author's page posts, the third person comments, and the page shows that to everybody.
    fn relayed_publicly(&mut self) -> OpenDraft {
        let (address, now) = (self.recipient.address.clone(), self.now);
        let post = self.author.public_post_object("Who comes along?", now);
        let post = post.sign(&mut self.rng);
        let root = RevisionRef::of(&post, "post");
        let mut comment = self.third.comment_object(&root, None, &self.text, now);
        comment.audience = "public".to_owned();
        let comment = comment.sign(&mut self.rng);
        let relay = self.author.relay_object(&[comment.hash], now);
        let page = self.author.page_object("What we do, and when.", now);
        let mut draft = self.author.public_mail(&address, page, Vec::new(), now);
        draft.objects.extend([post.into(), relay.into()]);
        let chain = self.third.chain.iter().cloned();
        draft.objects.extend(chain.map(Item::Signed));
        draft.objects.push(comment.into());
        draft
    }

    /// The author hides what it relayed.
    fn hide(&mut self) -> Result<Draft, ForgeError> {
        let (to, now) = (self.recipient.clone(), self.now);
        let post = self.author.post_object("Who comes along?", now);
        let root = RevisionRef::of(&post.sign(&mut self.rng), "post");
        let comment = self.third.comment_object(&root, None, &self.text, now);
        let target = RevisionRef::of(&comment.sign(&mut self.rng), "comment");
        let hide = self.author.hide_object(&root, &target, now);
        self.author.carry(&to, vec![hide], now)
    }

    /// Lets a mail arrive before.
    pub fn before(&mut self, draft: impl Into<AnyDraft>) -> Option<Mail> {
        match draft.into().render(&mut self.rng) {
            Ok(mail) => {
                self.mail_before(mail.clone());
                Some(mail)
            }
            Err(error) => {
                self.failed = Some(error.into());
                None
            }
        }
    }

    /// Lets a written mail arrive before.
    pub fn mail_before(&mut self, mail: Mail) {
        let at = self.now;
        self.earlier.push(Earlier::Mail { mail, at });
    }

    /// Lets the recipient do something before.
    pub fn act_before(&mut self, action: Action) {
        let at = self.now;
        self.earlier.push(Earlier::Action { action, at });
    }

    /// The value, or nothing with the error kept for the end.
    pub fn keep<T>(&mut self, result: Result<T, ForgeError>) -> Option<T> {
        result
            .map_err(|error| self.failed = Some(error.into()))
            .ok()
    }

    pub(crate) fn take_earlier(&mut self) -> Result<Vec<Earlier>, ForgeError> {
        match self.failed.take() {
            Some(error) => Err(ForgeError::Earlier(error)),
            None => Ok(std::mem::take(&mut self.earlier)),
        }
    }

    /// Signs the author's chain entry and contact again after a change to each,
    /// for faults in what a request brings. Only for a chain of one entry.
    pub(super) fn reissue(
        &mut self,
        identity: fn(&mut Self, &mut ObjectDraft),
        contact: fn(&mut Self, &mut ObjectDraft),
    ) {
        let now = self.now;
        self.author.chain.clear();
        let mut draft = self.author.identity_object(now, &[]);
        identity(self, &mut draft);
        let entry = draft.sign(&mut self.rng);
        self.author.chain.push(entry);
        let mut draft = self.author.contact_object(now);
        contact(self, &mut draft);
        self.author.contact = draft.sign(&mut self.rng);
    }

    /// An ack of the recipient's channel, as if it had sent on it.
    pub(super) fn unknown_ack(&mut self) -> crate::draft::Ack {
        ack(Id128::random(&mut self.rng), 3)
    }
}
