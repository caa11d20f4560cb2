//! `act`: what a user does. One type per action, one file per family.
//!
//! A new action is a type in its family's file (or a new file) and one line in
//! the table below, which makes it a variant of [`Action`] and of the schemas.
//! An action's effects may wait for the next `sync`; its result doesn't.

pub mod apps;
pub mod device;
pub mod event;
pub mod group;
pub mod identity;
pub mod media;
pub mod object;
pub mod pages;
pub mod private;
pub mod profile;
pub mod publishing;
pub mod relation;
pub mod thread;

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::protocol::{Empty, Method, ObjectId, Octets, Session, Timestamp};

/// The user does something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Act {
    /// The device.
    pub session: Session,
    /// The time.
    pub now: Timestamp,
    /// What the user does.
    #[serde(flatten)]
    pub action: Action,
}

impl Method for Act {
    const NAME: &'static str = "act";
}

/// One action, with its name and the type of its result.
pub trait Perform: Into<Action> {
    /// The value of `do` on the wire.
    const NAME: &'static str;
    /// What the action returns.
    type Done: DeserializeOwned;
}

macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident($action:ty) = $name:literal -> $done:ident;)*) => {
        /// Everything a user does, by the field `do`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "do")]
        pub enum Action {
            $($(#[$doc])* #[serde(rename = $name)] $variant($action),)*
        }

        impl Action {
            /// The names of all actions.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The value of `do` on the wire.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Reads the result of this action.
            ///
            /// # Errors
            /// If a field is missing or has the wrong type.
            pub fn read_result(&self, result: Value) -> serde_json::Result<ActResult> {
                match self {
                    $(Self::$variant(_) => serde_json::from_value(result).map(ActResult::$done),)*
                }
            }
        }

        $(
            impl From<$action> for Action {
                fn from(action: $action) -> Self {
                    Self::$variant(action)
                }
            }

            impl Perform for $action {
                const NAME: &'static str = $name;
                type Done = $done;
            }
        )*

        /// The schemas of the results, by action.
        pub(crate) fn result_schemas() -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($name, SchemaGenerator::default().into_root_schema_for::<$done>())),*]
        }
    };
}

actions! {
    /// Make an invitation.
    Invite(relation::Invite) = "invite" -> Invited;
    /// Ask somebody to become a friend.
    Befriend(relation::Befriend) = "befriend" -> Empty;
    /// Accept a request.
    Accept(relation::Accept) = "accept" -> Empty;
    /// Decline a request.
    Decline(relation::Decline) = "decline" -> Empty;
    /// End a friendship.
    End(relation::End) = "end" -> Empty;
    /// Take over what the same person sent from elsewhere.
    Adopt(relation::Adopt) = "adopt" -> Empty;
    /// Write everything into an archive.
    Export(device::Export) = "export" -> Exported;
    /// Write what people and other programs can read.
    ExportReadable(device::ExportReadable) = "export-readable" -> Readable;
    /// Start from an export on a device that has an identity.
    Import(device::Import) = "import" -> Empty;
    /// Undo what Kith did to the mailbox.
    RestoreMailbox(device::RestoreMailbox) = "restore-mailbox" -> Empty;
    /// Withdraw an own request.
    Withdraw(relation::Withdraw) = "withdraw" -> Empty;
    /// Block somebody.
    Block(relation::Block) = "block" -> Empty;
    /// Unblock somebody.
    Unblock(relation::Unblock) = "unblock" -> Empty;
    /// Take the committed next key.
    Rotate(identity::Rotate) = "rotate" -> Rotated;
    /// Move to another address.
    Move(identity::Move) = "move" -> Empty;
    /// Agree to something, or not any more.
    Consent(identity::Consent) = "consent" -> Empty;
    /// Give somebody a name of one's own.
    Petname(identity::Petname) = "petname" -> Empty;
    /// Compare a safety code.
    Verify(identity::Verify) = "verify" -> Empty;
    /// Introduce two friends to each other.
    Introduce(identity::Introduce) = "introduce" -> Empty;
    /// Read a message.
    Read(identity::Read) = "read" -> Empty;
    /// Write a private message.
    Message(private::Message) = "message" -> Created;
    /// Write a post.
    Post(publishing::Post) = "post" -> Created;
    /// Hand an own post to further friends.
    Widen(publishing::Widen) = "widen" -> Empty;
    /// Take an own post back from some of those who have it.
    Narrow(publishing::Narrow) = "narrow" -> Empty;
    /// Put friends into a circle and take others out.
    Circle(publishing::Circle) = "circle" -> Empty;
    /// Set a field of the own profile.
    ProfileSet(profile::ProfileSet) = "profile-set" -> Empty;
    /// Hand over what was fetched from where a medium says.
    Fetched(media::Fetched) = "fetched" -> Empty;
    /// Say something about a post or share, or about a comment under it.
    Comment(thread::Comment) = "comment" -> Created;
    /// Replace what the user feels about a post or share, or about a comment under it.
    React(thread::React) = "react" -> Created;
    /// Hand on a public post.
    Share(thread::Share) = "share" -> Created;
    /// Hide what stands under a post or share of the user.
    Hide(thread::Hide) = "hide" -> Created;
    /// Allow or stop relaying under a post or share of the user.
    Relaying(thread::Relaying) = "relaying" -> Empty;
    /// Make a group.
    GroupCreate(group::GroupCreate) = "group-create" -> Created;
    /// Invite somebody into a group, or propose it.
    GroupInvite(group::GroupInvite) = "group-invite" -> Empty;
    /// Accept the invitation into a group.
    GroupJoin(group::GroupJoin) = "group-join" -> Empty;
    /// Leave a group, or decline the invitation.
    GroupLeave(group::GroupLeave) = "group-leave" -> Empty;
    /// Take somebody off the list of a group, or propose it.
    GroupRemove(group::GroupRemove) = "group-remove" -> Empty;
    /// Make a member an admin, or an admin a member.
    GroupAdmin(group::GroupAdmin) = "group-admin" -> Empty;
    /// Give a group another name, or propose it.
    GroupRename(group::GroupRename) = "group-rename" -> Empty;
    /// End an own group.
    GroupEnd(group::GroupEnd) = "group-end" -> Empty;
    /// Write a post for a group.
    GroupPost(group::GroupPost) = "group-post" -> Created;
    /// Write a message to a group.
    GroupMessage(group::GroupMessage) = "group-message" -> Created;
    /// Invite people to an event.
    EventCreate(event::EventCreate) = "event-create" -> Created;
    /// Change or cancel an own event.
    EventChange(event::EventChange) = "event-change" -> Empty;
    /// Write all events as iCalendar.
    CalendarExport(event::CalendarExport) = "calendar-export" -> Calendar;
    /// Make events from iCalendar.
    CalendarImport(event::CalendarImport) = "calendar-import" -> Empty;
    /// Answer an event.
    Rsvp(event::Rsvp) = "rsvp" -> Empty;
    /// Make the user's page, or change what it says.
    PageCreate(pages::PageCreate) = "page-create" -> Empty;
    /// Publish a post on the user's page.
    PagePost(pages::PagePost) = "page-post" -> Created;
    /// Ask to follow the page at an address.
    Follow(pages::Follow) = "follow" -> Empty;
    /// Follow a page by its identity id alone.
    FollowId(pages::FollowId) = "follow-id" -> Empty;
    /// Stop following a page.
    Unfollow(pages::Unfollow) = "unfollow" -> Empty;
    /// Remove a follower of the user's page.
    RemoveFollower(pages::RemoveFollower) = "remove-follower" -> Empty;
    /// Share an app with a friend.
    AppCreate(apps::AppCreate) = "app-create" -> Created;
    /// Add an update to an app.
    AppUpdate(apps::AppUpdate) = "app-update" -> Empty;
    /// Change the text of something written earlier.
    Edit(object::Edit) = "edit" -> Empty;
    /// Take something back, for everybody.
    Retract(object::Retract) = "retract" -> Empty;
}

/// The result of an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ActResult {
    /// An invitation was made.
    Invited(Invited),
    /// An object was made.
    Created(Created),
    /// An archive was written.
    Exported(Exported),
    /// Files for people were written.
    Readable(Readable),
    /// The next key was taken.
    Rotated(Rotated),
    /// A calendar was written.
    Calendar(Calendar),
    /// It was done.
    Empty(Empty),
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invited {
    /// The `kith:` URI.
    pub uri: String,
}

/// An archive with everything that the user has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exported {
    /// The archive.
    pub archive: Octets,
}

/// The user's events for other programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Calendar {
    /// The text (RFC 5545).
    pub calendar: String,
}

/// What people and other programs can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Readable {
    /// The files.
    pub files: Vec<device::ReadableFile>,
}

/// What a rotation gives the person.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rotated {
    /// The text of the new recovery kit. Absent: the adapter can't show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kit: Option<String>,
}

/// An object that an action made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Created {
    /// The object's id.
    pub id: ObjectId,
}
