//! From what a person types to what it names.

use kith_agent::Driver;
use kith_core::agent::address;
use kith_core::agent::relation::State;
use kith_core::agent::view::{Direction, Friend, RelationState, Request};

use super::failure::Failure;
use super::now;
use super::output::{person, short};

/// The least number of digits of an id that names something.
const DIGITS: usize = 4;

/// Octets of an id in hex, as the core gives them.
pub(super) fn octets<const N: usize>(id: &str) -> Option<[u8; N]> {
    let mut octets = [0; N];
    hex::decode_to_slice(id, &mut octets).ok()?;
    Some(octets)
}

fn begins(id: &str, wanted: &str) -> bool {
    wanted.len() >= DIGITS && id.starts_with(&wanted.to_ascii_lowercase())
}

fn one<T>(
    mut found: Vec<T>,
    shown: impl Fn(&T) -> String,
    wanted: &str,
    what: &'static str,
    list: &'static str,
) -> Result<T, Failure> {
    let wanted = wanted.to_owned();
    match found.len() {
        0 => Err(Failure::Nobody { what, wanted, list }),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::Several {
            wanted,
            found: found.iter().map(shown).collect(),
        }),
    }
}

/// A friend, by address, claimed name, or the beginning of the identity.
pub(super) fn friend(driver: &Driver, wanted: &str) -> Result<Friend, Failure> {
    let mut found = driver.view(now()).friends()?;
    found.retain(|friend| {
        begins(&friend.identity, wanted)
            || address::same(&friend.address, wanted)
            || friend.name.as_deref() == Some(wanted)
    });
    let shown = |friend: &Friend| {
        format!(
            "{} {}",
            person(friend.name.as_deref(), &friend.address),
            short(&friend.identity)
        )
    };
    one(found, shown, wanted, "friend", "friends")
}

/// Requests of a direction, in the order and with the numbers of `kith requests`.
pub(super) fn numbered(driver: &Driver) -> Result<Vec<(usize, Request)>, Failure> {
    let requests = driver.view(now()).requests()?;
    Ok(requests
        .into_iter()
        .enumerate()
        .map(|(index, request)| (index + 1, request))
        .collect())
}

/// A request, by number, id or address.
pub(super) fn request(
    driver: &Driver,
    wanted: &str,
    direction: Direction,
) -> Result<[u8; 16], Failure> {
    let mut found = numbered(driver)?;
    found.retain(|(number, request)| {
        request.direction == direction
            && (number.to_string() == wanted
                || begins(&request.request, wanted)
                || address::same(&request.address, wanted))
    });
    let shown = |(number, request): &(usize, Request)| {
        format!(
            "{number}: {}",
            person(request.name.as_deref(), &request.address)
        )
    };
    let what = match direction {
        Direction::Incoming => "request of somebody else",
        _ => "request of yours",
    };
    let (_, request) = one(found, shown, wanted, what, "requests")?;
    octets(&request.request).ok_or(Failure::Nobody {
        what,
        wanted: wanted.to_owned(),
        list: "requests",
    })
}

/// Anybody with whom there is a relation, blocked or not.
pub(super) fn anybody(driver: &Driver, wanted: &str, blocked: bool) -> Result<[u8; 32], Failure> {
    let view = driver.view(now());
    let friends = view.friends()?;
    let requests = view.requests()?;
    let called = |identity: &str| {
        let friends = friends
            .iter()
            .map(|friend| (Some(&friend.identity), &friend.name));
        let requests = requests
            .iter()
            .map(|request| (request.identity.as_ref(), &request.name));
        friends.chain(requests).any(|(of, name)| {
            of.is_some_and(|of| of == identity) && name.as_deref() == Some(wanted)
        })
    };
    let mut found = view.relations()?;
    found.retain(|relation| {
        let Some(identity) = &relation.identity else {
            return false;
        };
        let address = relation
            .address
            .as_deref()
            .is_some_and(|known| address::same(known, wanted));
        (relation.state == State::Blocked) == blocked
            && (begins(identity, wanted) || address || called(identity))
    });
    let shown = |relation: &RelationState| {
        let identity = relation.identity.as_deref().unwrap_or_default();
        format!(
            "{} {}",
            relation.address.as_deref().unwrap_or_default(),
            short(identity)
        )
    };
    let what = if blocked { "blocked person" } else { "person" };
    let found = one(found, shown, wanted, what, "status")?;
    let identity = found.identity.as_deref().and_then(octets);
    identity.ok_or(Failure::Nobody {
        what,
        wanted: wanted.to_owned(),
        list: "status",
    })
}

/// A message or post: its author and id.
pub(super) struct Said {
    pub(super) author: [u8; 32],
    pub(super) id: [u8; 16],
}

/// A message or post, by its id or the beginning of it; `own` only if it is the person's own.
pub(super) fn said(driver: &Driver, wanted: &str, own: bool) -> Result<Said, Failure> {
    let view = driver.view(now());
    let me = hex::encode(driver.agent().own().id);
    let messages = view.messages(None)?;
    let posts = view.timeline(usize::MAX)?;
    let messages = messages
        .into_iter()
        .map(|message| (message.author, message.id));
    let posts = posts.into_iter().map(|post| (post.author, post.id));
    let mut found: Vec<_> = messages.chain(posts).collect();
    found.retain(|(author, id)| begins(id, wanted) && (!own || *author == me));
    let what = if own {
        "message or post of yours"
    } else {
        "message or post"
    };
    let list = "messages` and `kith timeline";
    let (author, id) = one(found, |(_, id)| short(id).to_owned(), wanted, what, list)?;
    match (octets(&author), octets(&id)) {
        (Some(author), Some(id)) => Ok(Said { author, id }),
        _ => Err(Failure::Nobody {
            what,
            wanted: wanted.to_owned(),
            list,
        }),
    }
}
