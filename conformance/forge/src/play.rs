//! Catalogue and kinds as plays whose every part is written down: the recipient
//! is a puppet too, so its keys and what it sent are known. Vectors are made
//! from these.

use crate::ForgeError;
use crate::draft::{AnyDraft, Mail, SignedObject};
use crate::faults::{Base, Earlier, Fault, Forged, History, Relation, Scene, Verdict};
use crate::hash::ObjectHash;
use crate::instant::{DAY, Instant};
use crate::invite::Invite;
use crate::kinds::{EventRef, Group, RequestOptions, RequestRef, RevisionRef};
use crate::openpgp::KeyKind;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::read::{Knowledge, ReadError, read_open};
use crate::seed::Seed;

/// Something that happened before.
#[derive(Debug, Clone)]
pub enum Step {
    /// A mail arrived, or the recipient did something.
    Earlier(Earlier),
    /// The recipient sent objects.
    Sent {
        /// To whom.
        to: Peer,
        /// The objects, signed, in order.
        objects: Vec<SignedObject>,
        /// The invite that the request answers.
        invite: Option<Invite>,
        /// When.
        at: Instant,
    },
}

/// What many plays begin with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The id: `friends-v4-v6` has an author with keys of version 4 and a
    /// recipient with keys of version 6.
    pub id: String,
    /// The person who receives the mail.
    pub recipient: Puppet,
    /// What happened.
    pub steps: Vec<Step>,
    /// Whether the recipient's server vouches for whoever writes afterwards: a page answers
    /// nobody else.
    authenticated: bool,
    scene: Scene,
}

/// A mail, what happened before it, and what must become of it.
#[derive(Debug, Clone)]
pub struct Play {
    /// What happened in the opening.
    pub opening: Opening,
    /// What happened after the opening.
    pub earlier: Vec<Earlier>,
    /// When the mail arrives.
    pub now: Instant,
    /// The mail.
    pub mail: Mail,
    /// What must become of it.
    pub expected: Verdict,
    /// What must become of its objects.
    pub objects: Vec<(ObjectHash, Verdict)>,
    /// Who sent it, as it was when the mail was sent.
    pub author: Puppet,
    /// Whether the recipient's server vouches for the sender's domain.
    pub authenticated: bool,
}

/// Why a play could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The forge.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// A mail of the opening could not be read.
    #[error("the opening cannot be read: {0}")]
    Read(#[from] ReadError),
}

impl Opening {
    /// The opening for a relation.
    pub fn new(
        relation: Relation,
        author: KeyKind,
        recipient: KeyKind,
        third_is_friend: bool,
    ) -> Result<Self, PlayError> {
        let third_is_friend = third_is_friend || relation == Relation::Members;
        let name = match (relation, third_is_friend) {
            (Relation::Strangers, _) => "strangers",
            (Relation::Asked, _) => "asked",
            (Relation::AskedInvited, _) => "asked-invited",
            (Relation::Accepted, _) => "accepted",
            (Relation::HasPage, _) => "has-page",
            (Relation::Following, _) => "following",
            (Relation::OwnDevice, _) => "own-device",
            (Relation::Friends, false) => "friends",
            (Relation::Friends, true) => "two-friends",
            (Relation::Posted, false) => "posted",
            (Relation::Posted, true) => "posted-to-two",
            (Relation::Members, _) => "members",
            (Relation::Host, _) => "host",
            (Relation::Owner, _) => "owner",
            (Relation::Organiser, _) => "organiser",
        };
        let id = format!("{name}-{author}-{recipient}");
        let seed = Seed::new("kith vectors").child(&id);
        let now = Instant::EXAMPLE;
        let born = now - 30 * DAY;
        let person = |name, address, kind| Puppet::new(&seed, name, address, kind, born);
        let alice = person("Alice", "alice@a.test", author);
        let carol = person("Carol", "carol@c.test", author);
        let bob = person("Bob", "bob@b.test", recipient);
        let rng = seed.child("opening").rng();
        let scene = Scene::new(alice, carol, bob.peer(), now, rng);
        let mut opening = Self {
            id,
            recipient: bob,
            steps: Vec::new(),
            authenticated: relation == Relation::HasPage,
            scene,
        };
        opening.play(relation)?;
        if third_is_friend {
            let history = std::mem::take(&mut opening.scene.history);
            opening.swap();
            opening.befriend(true)?;
            opening.swap();
            opening.scene.history = history;
        }
        opening.gather(relation)?;
        Ok(opening)
    }

    fn swap(&mut self) {
        std::mem::swap(&mut self.scene.author, &mut self.scene.third);
    }

    fn play(&mut self, relation: Relation) -> Result<(), PlayError> {
        match relation {
            Relation::Strangers => Ok(()),
            Relation::Asked => self.ask(None),
            Relation::AskedInvited => {
                let invite = self.scene.author.invite(self.scene.now - DAY);
                self.ask(Some(invite))
            }
            Relation::Accepted => self.befriend(false),
            Relation::Friends
            | Relation::Members
            | Relation::Host
            | Relation::Owner
            | Relation::Organiser => self.befriend(true),
            Relation::Posted => {
                self.befriend(true)?;
                self.post()
            }
            Relation::HasPage => {
                self.publish_page();
                Ok(())
            }
            Relation::Following => self.follow(),
            Relation::OwnDevice => {
                self.befriend(true)?;
                let own = self.recipient.clone();
                self.scene.third = std::mem::replace(&mut self.scene.author, own);
                Ok(())
            }
        }
    }

    /// The recipient posts.
    fn post(&mut self) -> Result<(), PlayError> {
        let at = self.scene.now - 60;
        let to = self.scene.author.peer();
        let mut draft = self.recipient.post(&to, "The first snow!", at)?;
        let objects = draft.sign(&mut self.scene.rng);
        let post = objects.last().map(|post| RevisionRef::of(post, "post"));
        self.scene.history.post = post;
        self.steps.push(Step::Sent {
            to,
            objects,
            invite: None,
            at,
        });
        Ok(())
    }

    /// What happens between friends: groups and events.
    fn gather(&mut self, relation: Relation) -> Result<(), PlayError> {
        let author = self.scene.author.peer();
        match relation {
            Relation::Members => self.join_third(),
            Relation::Host => {
                let mut group = self.recipient.group("Choir");
                group.invited.push(author);
                self.keep_group(&mut group);
                self.scene.history.group = Some(group);
                Ok(())
            }
            Relation::Owner => {
                for role in ["admin", "member"] {
                    let mut group = self.recipient.group("Choir");
                    group.admit(&author, role);
                    self.keep_group(&mut group);
                    let history = &mut self.scene.history;
                    match role {
                        "admin" => history.group = Some(group),
                        _ => history.plain_group = Some(group),
                    }
                }
                Ok(())
            }
            Relation::Organiser => {
                let at = self.scene.now - 1800;
                let event = self.recipient.event_object("Summer party", at);
                let signed = event.sign(&mut self.scene.rng);
                self.scene.history.event = Some(EventRef {
                    organiser: self.recipient.id,
                    id: event.id,
                    hash: signed.hash,
                });
                self.sent(author, signed, at);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn sent(&mut self, to: Peer, object: SignedObject, at: Instant) {
        self.steps.push(Step::Sent {
            to,
            objects: vec![object],
            invite: None,
            at,
        });
    }

    /// The recipient makes a revision of an own group and sends it to the author.
    fn keep_group(&mut self, group: &mut Group) {
        let at = self.scene.now - 1800;
        let object = self.recipient.group_object(group, at);
        let signed = object.sign(&mut self.scene.rng);
        self.sent(self.scene.author.peer(), signed, at);
    }

    /// The third person invites the recipient into a group with the author, and it joins.
    fn join_third(&mut self) -> Result<(), PlayError> {
        let scene = &mut self.scene;
        let at = scene.now - 1800;
        let to = scene.recipient.clone();
        let mut group = scene.third.group("Choir");
        group.admit(&scene.author.peer(), "member");
        group.invited.push(to.clone());
        let invitation = scene.third.group_revision(&mut group, &to, &[], at)?;
        let mail = invitation.render(&mut scene.rng)?;
        self.steps.push(Step::Earlier(Earlier::Mail { mail, at }));
        let owner = scene.third.peer();
        let at = at + 60;
        let mut join = self.recipient.join(&owner, &group, at)?;
        let signed = join.sign(&mut scene.rng);
        for object in signed {
            self.sent(owner.clone(), object, at);
        }
        let scene = &mut self.scene;
        let at = at + 60;
        group.admit(&to, "member");
        let author = scene.author.clone();
        let revision = scene
            .third
            .group_revision(&mut group, &to, &[&author], at)?;
        let mail = revision.render(&mut scene.rng)?;
        self.steps.push(Step::Earlier(Earlier::Mail { mail, at }));
        scene.history.group = Some(group);
        Ok(())
    }

    /// The recipient makes a page.
    fn publish_page(&mut self) {
        let at = self.scene.now - 3600;
        let page = self.recipient.page_object("All about Bob.", at);
        let objects = vec![page.sign(&mut self.scene.rng)];
        self.steps.push(Step::Sent {
            to: self.recipient.peer(),
            objects,
            invite: None,
            at,
        });
    }

    /// The recipient asks to follow the author's page, and the author accepts.
    fn follow(&mut self) -> Result<(), PlayError> {
        let options = RequestOptions {
            follow: true,
            ..RequestOptions::default()
        };
        self.ask_with(options)?;
        let scene = &mut self.scene;
        let at = scene.now - 3000;
        let Some(asked) = scene.history.asked.clone() else {
            return Err(ReadError::Missing("request").into());
        };
        let draft = scene.author.accept(&asked, &scene.recipient, at)?;
        let mail = draft.render(&mut scene.rng)?;
        self.steps.push(Step::Earlier(Earlier::Mail { mail, at }));
        Ok(())
    }

    /// The recipient asks the author.
    fn ask(&mut self, invite: Option<Invite>) -> Result<(), PlayError> {
        self.ask_with(RequestOptions {
            invite,
            ..RequestOptions::default()
        })
    }

    fn ask_with(&mut self, options: RequestOptions) -> Result<(), PlayError> {
        let at = self.scene.now - 3600;
        let invite = options.invite.clone();
        let to = self.scene.author.peer();
        let mut draft = self.recipient.request(&to.address, at, options);
        let objects = draft.sign(&mut self.scene.rng);
        let mail = draft.render(&mut self.scene.rng)?;
        let asked = read_open(&mail.octets, &Knowledge::new())?.request();
        self.scene.history = History {
            asked,
            invite: invite.clone(),
            ..History::default()
        };
        self.steps.push(Step::Sent {
            to,
            objects,
            invite,
            at,
        });
        Ok(())
    }

    /// The author asks, the recipient accepts, and the author confirms.
    fn befriend(&mut self, confirmed: bool) -> Result<(), PlayError> {
        let scene = &mut self.scene;
        let at = scene.now - 3600;
        let options = RequestOptions::default();
        let draft = scene.author.request(&scene.recipient.address, at, options);
        let mail = draft.render(&mut scene.rng)?;
        let request = read_open(&mail.octets, &Knowledge::new())?.request();
        self.steps.push(Step::Earlier(Earlier::Mail { mail, at }));
        scene.history.request.clone_from(&request);
        let Some(request) = request else {
            return Err(ReadError::Missing("request").into());
        };
        self.accept(&request, at + 60)?;
        let Some(accept) = self.scene.history.accept.filter(|_| confirmed) else {
            return Ok(());
        };
        let scene = &mut self.scene;
        let at = at + 120;
        let confirm = scene.author.confirm(&scene.recipient, accept, at)?;
        let mail = confirm.render(&mut scene.rng)?;
        self.steps.push(Step::Earlier(Earlier::Mail { mail, at }));
        Ok(())
    }

    fn accept(&mut self, request: &RequestRef, at: Instant) -> Result<(), PlayError> {
        let to = self.scene.author.peer();
        let mut draft = self.recipient.accept(request, &to, at)?;
        let objects = draft.sign(&mut self.scene.rng);
        self.scene.history.accept = objects.last().map(|object| object.hash);
        self.steps.push(Step::Sent {
            to,
            objects,
            invite: None,
            at,
        });
        Ok(())
    }

    /// The scene for one play, with randomness of its own.
    fn scene(&self, id: &str) -> Scene {
        let seed = Seed::new("kith vectors").child(&self.id).child(id);
        let mut scene = self.scene.clone();
        scene.rng = seed.child("scene").rng();
        scene.author.rng = seed.child("author").rng();
        scene.third.rng = seed.child("third").rng();
        scene
    }

    /// A play of an entry of the catalogue.
    pub fn fault(&self, fault: &Fault) -> Result<Play, PlayError> {
        let mut scene = self.scene(fault.id);
        let forged = fault.forge(&mut scene)?;
        Ok(self.with(scene, forged))
    }

    /// A play of a valid mail.
    pub fn valid(&self, base: Base) -> Result<Play, PlayError> {
        let mut scene = self.scene(base.name());
        let mail = scene.valid(base)?.render(&mut scene.rng)?;
        let mut forged = Forged::valid(mail);
        forged.earlier = scene.take_earlier()?;
        Ok(self.with(scene, forged))
    }

    /// A valid mail with something changed before it becomes octets; everything around the change
    /// is made to fit.
    pub fn changed(
        &self,
        base: Base,
        change: impl FnOnce(&mut AnyDraft),
    ) -> Result<Mail, PlayError> {
        let mut scene = self.scene(base.name());
        let mut draft = scene.valid(base)?;
        change(&mut draft);
        Ok(draft.render(&mut scene.rng)?)
    }

    fn with(&self, scene: Scene, forged: Forged) -> Play {
        Play {
            opening: self.clone(),
            earlier: forged.earlier,
            now: scene.now,
            mail: forged.mail,
            expected: forged.expected,
            objects: forged.objects,
            author: scene.author,
            authenticated: self.authenticated,
        }
    }
}

impl Fault {
    /// The opening of its play, by the arguments of [`Opening::new`].
    pub fn opening(&self) -> (Relation, KeyKind, KeyKind, bool) {
        let kind = self.key.unwrap_or(KeyKind::V4);
        let recipient = self.recipient.unwrap_or(kind);
        (self.base.relation(), kind, recipient, self.third_is_friend)
    }
}
