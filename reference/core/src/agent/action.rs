//! What the person can do, what comes of it, and why it may be refused.

use super::follow::PageName;
use super::group::{GroupChange, GroupId};
use super::invite::{Invitation, InviteError};
use super::media::Attachment;
use super::own::Consent;
use super::{AgentError, Id};
use crate::kinds::app_update::Said;
use crate::kinds::event::{Guests, Happening};
use crate::kinds::field::NewField;
use crate::kinds::page::Face;
use crate::kinds::post::NewPost;
use crate::kinds::rsvp::Answer;
use crate::wire::keys::KeyKind;
/// Something that the person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes an invite to give to somebody.
    Invite,
    /// Asks somebody to become friends.
    Befriend {
        /// The address.
        address: String,
        /// A few words.
        note: Option<String>,
        /// An invite from that person.
        invite: Option<Invitation>,
    },
    /// Accepts a pending request, by its object id.
    Accept {
        /// The object id.
        request: [u8; 16],
    },
    /// Declines a pending request.
    Decline {
        /// The object id.
        request: [u8; 16],
        /// Whether to tell the other.
        notify: bool,
    },
    /// Ends a friendship or withdraws what is left of a handshake.
    End {
        /// The other identity.
        identity: Id,
    },
    /// Withdraws an own request, by its object id.
    Withdraw {
        /// The object id.
        request: [u8; 16],
    },
    /// Hides everything of an identity.
    Block {
        /// The identity.
        identity: Id,
    },
    /// Lifts a block.
    Unblock {
        /// The identity.
        identity: Id,
    },
    /// Writes to a friend.
    Message {
        /// The friend.
        to: Id,
        /// The text.
        text: String,
        /// The message that it answers: author and object id.
        parent: Option<(Id, [u8; 16])>,
        /// What goes along.
        media: Vec<Attachment>,
    },
    /// Takes the committed key from the recovery kit.
    Rotate {
        /// The recovery kit, or the transferable secret key in it.
        kit: Vec<u8>,
        /// Whether somebody else may have the earlier keys.
        compromised: bool,
        /// Which keys the new kit holds, for the rotation after this one, if not those of this kit.
        next: Option<KeyKind>,
    },
    /// Moves to another address.
    Move {
        /// The address.
        address: String,
    },
    /// Agrees to something, or not any more.
    Consent(Consent),
    /// Gives somebody a name that only the person sees; none takes it back.
    Petname {
        /// The identity.
        identity: Id,
        /// The name.
        name: Option<String>,
    },
    /// Compares the safety code that the other read out.
    Verify {
        /// The identity.
        identity: Id,
        /// The code.
        code: String,
    },
    /// Introduces two friends to each other.
    Introduce {
        /// One friend.
        one: Id,
        /// The other.
        other: Id,
    },
    /// Read a message.
    Read {
        /// Its author.
        author: Id,
        /// Its object id.
        id: [u8; 16],
    },
    /// Tells friends.
    Post(NewPost),
    /// Hands an own post to further friends.
    Widen {
        /// The object id.
        id: [u8; 16],
        /// The friends.
        to: Vec<Id>,
    },
    /// Takes an own post back from some of those who have it.
    Narrow {
        /// The object id.
        id: [u8; 16],
        /// The friends.
        from: Vec<Id>,
    },
    /// Puts friends into a circle and takes others out.
    Circle {
        /// The circle's name.
        name: String,
        /// Who comes in.
        add: Vec<Id>,
        /// Who goes.
        remove: Vec<Id>,
    },
    /// Sets or empties a field of the own profile.
    Field(NewField),
    /// Hands over what was fetched from where a medium says.
    Fetched {
        /// The author of the post or message.
        author: Id,
        /// Its object id.
        id: [u8; 16],
        /// Which of its media, from 0.
        position: usize,
        /// What was fetched.
        octets: Vec<u8>,
    },
    /// Makes the own page, or changes it.
    Page(Face),
    /// Publishes a post to all followers of the own page.
    Publish {
        /// The text.
        text: String,
    },
    /// Asks to follow the page at an address.
    Follow {
        /// The address.
        address: String,
    },
    /// Follows a page by its identity id alone: what it publishes comes by a list.
    FollowId {
        /// The page.
        identity: Id,
    },
    /// Stops following, or withdraws the request to follow.
    Unfollow {
        /// The page.
        page: PageName,
    },
    /// Removes a follower of the own page.
    RemoveFollower {
        /// The follower.
        identity: Id,
    },
    /// Begins an instance of an app with a friend.
    App {
        /// The friend.
        with: Id,
        /// The URI of the app's type.
        app_type: String,
        /// The name of the instance.
        name: String,
    },
    /// Adds an update to an app.
    AppUpdate {
        /// The instance: author and object id.
        app: (Id, [u8; 16]),
        /// What the program says.
        said: Said,
    },
    /// Makes a group.
    GroupCreate {
        /// Its name.
        name: String,
        /// What it is for.
        about: Option<String>,
    },
    /// Changes a group as its owner, or proposes the change as an admin.
    GroupChange {
        /// The group.
        group: GroupId,
        /// What to change.
        change: GroupChange,
    },
    /// Accepts the invitation into a group.
    GroupJoin {
        /// The group.
        group: GroupId,
    },
    /// Leaves a group or declines the invitation.
    GroupLeave {
        /// The group.
        group: GroupId,
    },
    /// Ends an own group.
    GroupEnd {
        /// The group.
        group: GroupId,
    },
    /// Tells the members of a group.
    GroupPost {
        /// The group.
        group: GroupId,
        /// The text.
        text: String,
    },
    /// Writes a message to a group.
    GroupMessage {
        /// The group.
        group: GroupId,
        /// The text.
        text: String,
        /// The message that it answers: author and object id.
        parent: Option<(Id, [u8; 16])>,
    },
    /// Invites to an event.
    EventCreate {
        /// What takes place.
        event: Happening,
        /// Who is invited.
        guests: Guests,
    },
    /// Changes or cancels an own event.
    EventChange {
        /// Its object id.
        id: [u8; 16],
        /// What takes place now.
        event: Happening,
    },
    /// Answers an event.
    Rsvp {
        /// The organiser.
        organiser: Id,
        /// The event's object id.
        event: [u8; 16],
        /// Whether the person comes; none takes the answer back.
        answer: Option<Answer>,
        /// How many others come along.
        guests: u32,
        /// A few words.
        note: Option<String>,
    },
    /// Says something about a post or share, or about a comment under it.
    Comment {
        /// The post or share: author and object id.
        root: (Id, [u8; 16]),
        /// The comment that it answers.
        parent: Option<(Id, [u8; 16])>,
        /// The text.
        text: String,
        /// Whether it is for the root's author alone.
        private: bool,
    },
    /// Replaces what the person feels about a post or share, or about a comment under it.
    React {
        /// The post or share: author and object id.
        root: (Id, [u8; 16]),
        /// The comment that it is about.
        parent: Option<(Id, [u8; 16])>,
        /// The symbols; none takes it all back.
        symbols: Vec<String>,
        /// Whether it is for the root's author alone.
        private: bool,
    },
    /// Hands on a public post.
    Share {
        /// The post: author and object id.
        post: (Id, [u8; 16]),
        /// The person's own words.
        text: Option<String>,
    },
    /// Hides what stands under an own post or share.
    Hide {
        /// The comment or reaction: author and object id.
        target: (Id, [u8; 16]),
    },
    /// Allows or stops relaying under an own post or share.
    Relaying {
        /// The object id.
        id: [u8; 16],
        /// Whether to relay.
        allow: bool,
    },
    /// Changes an own message, post, comment or share.
    Edit {
        /// The object id.
        id: [u8; 16],
        /// The new text.
        text: String,
    },
    /// Takes back an own message, post, comment, share or hide.
    Retract {
        /// The object id.
        id: [u8; 16],
    },
    /// Sends the copies of something own again that came back or were refused, or an own request.
    Resend {
        /// The object id.
        id: [u8; 16],
    },
}

/// What an action made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// Nothing to name.
    Done,
    /// An object, by its id.
    Object([u8; 16]),
    /// An invite.
    Invite(Invitation),
    /// A new recovery kit.
    Kit(String),
}

/// Why an action is refused. Nothing was sent or changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No address.
    #[error("{0} is no mail address; write it like alice@example.org")]
    Address(String),
    /// The own address.
    #[error("{0} is your own address")]
    Self_(String),
    /// The state of the relation doesn't allow it.
    #[error("{name}: {reason}")]
    State {
        /// Whom it concerns.
        name: String,
        /// Why not, and what to do.
        reason: &'static str,
    },
    /// An unknown identity, request or object.
    #[error("there is no {what} {id}; `kith {list}` lists them")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its id.
        id: String,
        /// The command that lists them.
        list: &'static str,
    },
    /// A note that can't be sent to a stranger.
    #[error("the note can't be sent: {0}; use at most 500 characters of plain text without links")]
    Note(String),
    /// A medium that can't be sent or taken.
    #[error("the medium can't be used: {0}")]
    Media(String),
    /// A text that can't be sent.
    #[error("the text can't be sent: {0}")]
    Text(String),
    /// A recovery kit of something else.
    #[error("this recovery kit is not the one of the next key; use the newest kit")]
    Kit,
    /// Next keys that friends would refuse (`pq.rotation`).
    #[error("after post-quantum keys no others can follow, friends would refuse them; choose pq")]
    Weaker,
    /// An invite that can't be used.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// A failure on this side.
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl From<crate::wire::WireError> for ActError {
    fn from(error: crate::wire::WireError) -> Self {
        Self::Agent(error.into())
    }
}

impl From<crate::store::StoreError> for ActError {
    fn from(error: crate::store::StoreError) -> Self {
        Self::Agent(error.into())
    }
}
