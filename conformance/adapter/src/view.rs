//! `view`: what a user sees. One type per view, one file per family.
//!
//! A view shows the state as the last `sync`, `act` or `receive` left it. A new
//! view is a type for the question and one for its items in its family's file
//! (or a new file) and one line in the table below.

pub mod apps;
pub mod delivery;
pub mod event;
pub mod group;
pub mod identity;
pub mod media;
pub mod pages;
pub mod private;
pub mod profile;
pub mod publishing;
pub mod relation;
pub mod thread;

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::protocol::{Method, Session};

/// The user looks at something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct View {
    /// The device.
    pub session: Session,
    /// What the user looks at.
    #[serde(flatten)]
    pub query: Query,
}

impl Method for View {
    const NAME: &'static str = "view";
}

/// One view, with its name and the type of its items.
pub trait Look: Into<Query> {
    /// The value of `what` on the wire.
    const NAME: &'static str;
    /// One thing the view shows.
    type Item: DeserializeOwned;
}

/// What a view shows, in the order in which the user sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Items<T> {
    /// The things.
    pub items: Vec<T>,
}

impl<T> From<Vec<T>> for Items<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items }
    }
}

macro_rules! views {
    ($($(#[$doc:meta])* $variant:ident($query:ty) = $name:literal -> $item:ty;)*) => {
        /// Everything a user can look at, by the field `what`.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(tag = "what")]
        pub enum Query {
            $($(#[$doc])* #[serde(rename = $name)] $variant($query),)*
        }

        /// What a view shows.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum ViewResult {
            $($(#[$doc])* $variant(Items<$item>),)*
        }

        impl Query {
            /// The names of all views.
            pub const NAMES: &[&str] = &[$($name),*];

            /// The value of `what` on the wire.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                }
            }

            /// Reads the result of this view.
            ///
            /// # Errors
            /// If a field is missing or has the wrong type.
            pub fn read_result(&self, result: Value) -> serde_json::Result<ViewResult> {
                match self {
                    $(Self::$variant(_) => serde_json::from_value(result).map(ViewResult::$variant),)*
                }
            }
        }

        $(
            impl From<$query> for Query {
                fn from(query: $query) -> Self {
                    Self::$variant(query)
                }
            }

            impl From<Vec<$item>> for ViewResult {
                fn from(items: Vec<$item>) -> Self {
                    Self::$variant(Items { items })
                }
            }

            impl Look for $query {
                const NAME: &'static str = $name;
                type Item = $item;
            }
        )*

        /// The schemas of the results, by view.
        pub(crate) fn result_schemas() -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($name, SchemaGenerator::default().into_root_schema_for::<Items<$item>>())),*]
        }
    };
}

views! {
    /// The friends.
    Friends(relation::Friends) = "friends" -> relation::Friend;
    /// The open requests, both ways.
    Requests(relation::Requests) = "requests" -> relation::Request;
    /// Everybody the device knows, with the state of the relation.
    Relations(relation::Relations) = "relations" -> relation::Relation;
    /// The friends' keys and addresses.
    Contacts(identity::Contacts) = "contacts" -> identity::Contact;
    /// People whom friends introduced.
    Introductions(identity::Introductions) = "introductions" -> identity::Introduction;
    /// The private messages.
    Messages(private::Messages) = "messages" -> private::Message;
    /// What friends, and the user, published.
    Timeline(publishing::Timeline) = "timeline" -> publishing::Entry;
    /// The octets of a medium of a post or message.
    Media(media::Media) = "media" -> media::MediaContent;
    /// What a friend, or the user, tells about itself.
    Profile(profile::Profile) = "profile" -> profile::Field;
    /// The groups.
    Groups(group::Groups) = "groups" -> group::Group;
    /// What was written to a group.
    GroupTimeline(group::GroupTimeline) = "group-timeline" -> group::GroupEntry;
    /// The events.
    Events(event::Events) = "events" -> event::Event;
    /// The user's page and the followed ones.
    Pages(pages::Pages) = "pages" -> pages::Page;
    /// Who follows the user's page.
    Followers(pages::Followers) = "followers" -> pages::Follower;
    /// The shared apps.
    Apps(apps::Apps) = "apps" -> apps::App;
    /// Objects of kinds that the implementation doesn't know.
    Unknown(publishing::Unknown) = "unknown" -> publishing::Fallback;
    /// What stands under posts and shares.
    Threads(thread::Threads) = "threads" -> thread::Thread;
    /// Public posts that friends, and the user, hand on.
    Shares(thread::Shares) = "shares" -> thread::Share;
    /// Deliveries that are missing.
    Gaps(delivery::Gaps) = "gaps" -> delivery::Gap;
    /// What became of what the user sent.
    Deliveries(delivery::Deliveries) = "deliveries" -> delivery::Delivery;
    /// The user's own devices.
    Devices(delivery::Devices) = "devices" -> delivery::Device;
}
