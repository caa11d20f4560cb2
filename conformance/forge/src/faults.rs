//! The catalogue: mail with exactly one fault, and unusual mail that is valid
//! all the same. Cases and vectors both come from it.
//!
//! A [`Fault`] names the requirement it breaks, what kind of mail it starts
//! from, and the change. What must become of the mail follows from the
//! requirement. [`Scene`] is where it plays: who writes, who reads, and what
//! happened between them before.

use kith_spec::{Outcome, Rule};

use crate::ForgeError;
use crate::draft::{AnyDraft, Draft, Mail, ObjectDraft, OpenDraft};
use crate::hash::ObjectHash;
use crate::openpgp::KeyKind;

mod accepted;
mod apps;
mod certificates;
mod comments;
mod delivery;
mod devices;
mod envelope;
mod events;
mod flags;
mod friends;
mod groups;
mod identity;
mod mail;
mod media;
mod objects;
mod pages;
mod post_quantum;
mod profile;
mod receiving;
mod rotation;
mod scene;
mod signatures;
mod social;

pub use flags::{Flag, flags};
pub use scene::{Action, Earlier, History, Scene};

/// The valid mail that a fault starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Base {
    /// A stranger's request, open.
    Request,
    /// The accept of a request of the recipient.
    Accept,
    /// The accept of a request that the recipient made from an invite.
    InvitedAccept,
    /// The decline of a request of the recipient.
    Decline,
    /// The confirm of an accept of the recipient.
    Confirm,
    /// A friend's end of the friendship.
    End,
    /// A friend's message.
    Message,
    /// A friend's post.
    Post,
    /// A friend's retract of a post.
    Retract,
    /// A friend's bare acknowledgement.
    Acknowledgement,
    /// A friend's comment on the recipient's post.
    Comment,
    /// A friend's reaction to the recipient's post.
    Reaction,
    /// A comment of somebody else under a friend's post, relayed by that friend.
    RelayedComment,
    /// A friend's hide of what somebody else wrote under the friend's post.
    Hide,
    /// A friend's share of somebody else's public post.
    Share,
    /// A friend's group, to which the recipient is invited.
    Group,
    /// A member's post to a group of the recipient.
    GroupPost,
    /// A friend joins a group that the recipient owns.
    Join,
    /// A member leaves a group that the recipient owns.
    Leave,
    /// An admin proposes another name for a group that the recipient owns.
    Proposal,
    /// A friend's event.
    Event,
    /// The answer to an event of the recipient.
    Rsvp,
    /// A friend's ordinary rotation.
    Rotation,
    /// A friend's receipt.
    Receipt,
    /// A friend's introduction of the third person.
    Introduce,
    /// A stranger's request to follow the recipient's page, open.
    Follow,
    /// The page object alone, of a page that the recipient follows.
    Page,
    /// A post of a page that the recipient follows.
    PublicPost,
    /// An app that a friend shares.
    App,
    /// An update of an app that a friend shares.
    AppUpdate,
    /// A comment under a post of a page that the recipient follows, relayed by the page.
    Relay,
    /// What another device of the recipient tells.
    SelfCopy,
}

/// What must have happened before between author and recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// Nothing.
    Strangers,
    /// The recipient asked.
    Asked,
    /// The recipient asked from an invite of the author.
    AskedInvited,
    /// The author asked and the recipient accepted.
    Accepted,
    /// The author asked, the recipient accepted, the author confirmed.
    Friends,
    /// Friends, and the recipient posted.
    Posted,
    /// Friends; and both are members of a group that the third person owns, a friend too.
    Members,
    /// Friends; and the recipient invited the author into a group.
    Host,
    /// Friends; and the author is an admin in one group of the recipient, a member in another.
    Owner,
    /// Friends; and the recipient invited the author to an event.
    Organiser,
    /// Nothing, but the recipient has a page.
    HasPage,
    /// The recipient asked to follow the author's page, and the author accepted.
    Following,
    /// The author is the recipient, at another device, and the third person a friend.
    OwnDevice,
}

impl Relation {
    /// Whether author and recipient are friends.
    pub fn are_friends(self) -> bool {
        matches!(
            self,
            Self::Friends
                | Self::Posted
                | Self::Members
                | Self::Host
                | Self::Owner
                | Self::Organiser
        )
    }
}

impl Base {
    /// All of them.
    pub const ALL: [Self; 32] = [
        Self::Request,
        Self::Accept,
        Self::InvitedAccept,
        Self::Decline,
        Self::Confirm,
        Self::End,
        Self::Message,
        Self::Post,
        Self::Retract,
        Self::Acknowledgement,
        Self::Comment,
        Self::Reaction,
        Self::RelayedComment,
        Self::Hide,
        Self::Share,
        Self::Group,
        Self::GroupPost,
        Self::Join,
        Self::Leave,
        Self::Proposal,
        Self::Event,
        Self::Rsvp,
        Self::Rotation,
        Self::Receipt,
        Self::Introduce,
        Self::Follow,
        Self::Page,
        Self::PublicPost,
        Self::App,
        Self::AppUpdate,
        Self::Relay,
        Self::SelfCopy,
    ];

    /// What it needs.
    pub fn relation(self) -> Relation {
        match self {
            Self::Request => Relation::Strangers,
            Self::Accept | Self::Decline => Relation::Asked,
            Self::InvitedAccept => Relation::AskedInvited,
            Self::Confirm => Relation::Accepted,
            Self::Comment | Self::Reaction => Relation::Posted,
            Self::GroupPost => Relation::Members,
            Self::Join => Relation::Host,
            Self::Leave | Self::Proposal => Relation::Owner,
            Self::Rsvp => Relation::Organiser,
            Self::Follow => Relation::HasPage,
            Self::Page | Self::PublicPost | Self::Relay => Relation::Following,
            Self::SelfCopy => Relation::OwnDevice,
            _ => Relation::Friends,
        }
    }

    /// Its name in ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Accept => "accept",
            Self::InvitedAccept => "invited-accept",
            Self::Decline => "decline",
            Self::Confirm => "confirm",
            Self::End => "end",
            Self::Message => "message",
            Self::Post => "post",
            Self::Retract => "retract",
            Self::Acknowledgement => "acknowledgement",
            Self::Comment => "comment",
            Self::Reaction => "reaction",
            Self::RelayedComment => "relayed-comment",
            Self::Hide => "hide",
            Self::Share => "share",
            Self::Group => "group",
            Self::GroupPost => "group-post",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Proposal => "proposal",
            Self::Event => "event",
            Self::Rsvp => "rsvp",
            Self::Rotation => "rotation",
            Self::Receipt => "receipt",
            Self::Introduce => "introduce",
            Self::Follow => "follow",
            Self::Page => "page",
            Self::PublicPost => "public-post",
            Self::App => "app",
            Self::AppUpdate => "app-update",
            Self::Relay => "relay",
            Self::SelfCopy => "self",
        }
    }
}

/// What must become of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// The outcome and the violation of the requirement.
    Break,
    /// It is accepted: the mail is unusual, not wrong.
    Accept,
    /// The last object, which the mail does not hand over, plays no part; the
    /// mail is accepted.
    Unlisted,
}

/// What the violation concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole mail.
    Mail,
    /// The last object; the mail passes.
    Object,
}

/// A change to one layer.
#[derive(Clone, Copy)]
enum Change {
    None,
    Sealed(fn(&mut Scene, &mut Draft)),
    Open(fn(&mut Scene, &mut OpenDraft)),
    Object(fn(&mut Scene, &mut ObjectDraft)),
    Any(fn(&mut Scene, &mut AnyDraft)),
}

/// One entry of the catalogue.
#[derive(Clone)]
pub struct Fault {
    /// The id, never used again for something else: `security/delivery-unsigned`.
    pub id: &'static str,
    /// What is special about the mail, in one line.
    pub title: &'static str,
    /// The requirement that it breaks, or that asks for it to be accepted.
    pub requirement: Rule,
    /// Further requirements that it shows.
    pub also: Vec<Rule>,
    /// The valid mail it starts from.
    pub base: Base,
    /// What must become of it.
    pub expectation: Expectation,
    /// The ids of [`flags`].
    pub flags: &'static [&'static str],
    /// The author's keys, where it matters.
    pub key: Option<KeyKind>,
    /// The recipient's keys, where they must be others than the author's.
    pub recipient: Option<KeyKind>,
    /// Whether the third person must be a friend of the recipient too.
    pub third_is_friend: bool,
    seen_as: Option<Rule>,
    object: bool,
    prepare: Option<fn(&mut Scene)>,
    change: Change,
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fault({} {})", self.id, self.requirement)
    }
}

/// What must become of a mail or an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub outcome: Outcome,
    /// The name of the violation.
    pub violation: Option<&'static str>,
}

impl Verdict {
    const ACCEPT: Self = Self {
        outcome: Outcome::Accept,
        violation: None,
    };
}

/// A mail of the catalogue.
#[derive(Debug, Clone)]
pub struct Forged {
    /// What happens before it arrives, besides the relation of its base.
    pub earlier: Vec<Earlier>,
    /// The mail.
    pub mail: Mail,
    /// What must become of the mail.
    pub expected: Verdict,
    /// What must become of its objects; none where the mail does not pass.
    pub objects: Vec<(ObjectHash, Verdict)>,
}

impl Forged {
    /// A valid mail: everything in it is accepted.
    pub(crate) fn valid(mail: Mail) -> Self {
        let objects = mail.objects.iter();
        Self {
            earlier: Vec::new(),
            expected: Verdict::ACCEPT,
            objects: objects.map(|hash| (*hash, Verdict::ACCEPT)).collect(),
            mail,
        }
    }
}

impl Fault {
    fn new(id: &'static str, title: &'static str, requirement: Rule, base: Base) -> Self {
        Self {
            id,
            title,
            requirement,
            also: Vec::new(),
            base,
            expectation: Expectation::Break,
            flags: &[],
            key: None,
            recipient: None,
            third_is_friend: false,
            seen_as: None,
            object: false,
            prepare: None,
            change: Change::None,
        }
    }

    fn also(mut self, also: Rule) -> Self {
        self.also.push(also);
        self
    }

    fn flags(mut self, flags: &'static [&'static str]) -> Self {
        self.flags = flags;
        self
    }

    fn key(mut self, key: KeyKind) -> Self {
        self.key = Some(key);
        self
    }

    fn recipient(mut self, key: KeyKind) -> Self {
        self.recipient = Some(key);
        self
    }

    fn third_is_friend(mut self) -> Self {
        self.third_is_friend = true;
        self
    }

    fn accepted(mut self) -> Self {
        self.expectation = Expectation::Accept;
        self
    }

    fn unlisted(mut self) -> Self {
        self.expectation = Expectation::Unlisted;
        self
    }

    /// The fault concerns the last object only.
    fn in_object(mut self) -> Self {
        self.object = true;
        self
    }

    /// What is changed is no object any more: the one that is listed is missing.
    fn not_an_object(mut self) -> Self {
        self.object = false;
        self.seen_as = Some(&kith_spec::req::MAIL_LISTED_PRESENT);
        self
    }

    /// A change to the people before the mail is drafted.
    fn prepare(mut self, prepare: fn(&mut Scene)) -> Self {
        self.prepare = Some(prepare);
        self
    }

    fn sealed(mut self, change: fn(&mut Scene, &mut Draft)) -> Self {
        self.change = Change::Sealed(change);
        self
    }

    fn open(mut self, change: fn(&mut Scene, &mut OpenDraft)) -> Self {
        self.change = Change::Open(change);
        self
    }

    fn any(mut self, change: fn(&mut Scene, &mut AnyDraft)) -> Self {
        self.change = Change::Any(change);
        self
    }

    /// A change to the last object.
    fn object(mut self, change: fn(&mut Scene, &mut ObjectDraft)) -> Self {
        self.change = Change::Object(change);
        self.object = true;
        self
    }

    /// What the violation concerns: by `receive.handshake` a fault in a part of
    /// a handshake concerns the whole mail, unless the part is held.
    pub fn scope(&self) -> Scope {
        // A public mail has a page that is accepted besides.
        // A self-copy is the person's own.
        let passes = [Base::PublicPost, Base::Relay, Base::SelfCopy].contains(&self.base);
        let friends = self.base.relation().are_friends() || passes;
        let held = self.requirement.outcome == Some(Outcome::Hold);
        match self.object && (friends || held) {
            true => Scope::Object,
            false => Scope::Mail,
        }
    }

    /// Every requirement it shows.
    pub fn requirements(&self) -> impl Iterator<Item = Rule> + '_ {
        std::iter::once(self.requirement).chain(self.also.iter().copied())
    }

    /// The mail. The scene's history must be that of [`Base::relation`].
    pub fn forge(&self, scene: &mut Scene) -> Result<Forged, ForgeError> {
        if let Some(prepare) = self.prepare {
            prepare(scene);
        }
        let mut draft = scene.valid(self.base)?;
        match (self.change, &mut draft) {
            (Change::None, _) => {}
            (Change::Any(change), draft) => change(scene, draft),
            (Change::Sealed(change), AnyDraft::Sealed(draft)) => change(scene, draft),
            (Change::Open(change), AnyDraft::Open(draft)) => change(scene, draft),
            (Change::Object(change), draft) => {
                let last = draft.objects().last_mut();
                if let Some(object) = last.and_then(|item| item.draft()) {
                    change(scene, object);
                }
            }
            (Change::Sealed(_) | Change::Open(_), _) => return Err(ForgeError::WrongBase(self.id)),
        }
        let mail = draft.render(&mut scene.rng)?;
        let earlier = scene.take_earlier()?;
        let broken = Verdict {
            outcome: self.requirement.outcome.unwrap_or(Outcome::Refuse),
            violation: self.seen_as.unwrap_or(self.requirement).violation,
        };
        let accepted = |hash: &ObjectHash| (*hash, Verdict::ACCEPT);
        let mut objects: Vec<_> = mail.objects.iter().map(accepted).collect();
        let expected = match (self.expectation, self.scope()) {
            (Expectation::Accept, _) => Verdict::ACCEPT,
            (Expectation::Unlisted, _) => {
                objects.pop();
                Verdict::ACCEPT
            }
            (Expectation::Break, Scope::Mail) => {
                objects.clear();
                broken
            }
            (Expectation::Break, Scope::Object) => {
                if let Some(last) = objects.last_mut() {
                    last.1 = broken;
                }
                Verdict::ACCEPT
            }
        };
        Ok(Forged {
            earlier,
            mail,
            expected,
            objects,
        })
    }
}

/// Every fault and every unusual but valid mail, by id.
pub fn catalogue() -> Vec<Fault> {
    let mut all = [
        mail::faults(),
        envelope::faults(),
        signatures::faults(),
        objects::faults(),
        certificates::faults(),
        identity::faults(),
        rotation::faults(),
        friends::faults(),
        social::faults(),
        media::faults(),
        profile::faults(),
        comments::faults(),
        pages::faults(),
        apps::faults(),
        delivery::faults(),
        devices::faults(),
        post_quantum::faults(),
        groups::faults(),
        events::faults(),
        receiving::faults(),
        accepted::faults(),
    ]
    .concat();
    all.sort_by_key(|fault| fault.id);
    all
}
