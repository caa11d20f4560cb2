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

/// Whether a person may mean this id.
pub(super) fn begins(id: &str, wanted: &str) -> bool {
    wanted.len() >= DIGITS && id.starts_with(&wanted.to_ascii_lowercase())
}

/// The only one that was found, or a failure that names those that fit.
pub(super) fn one<T>(
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

/// Octets of an id in hex, as the core gives them.
pub(super) fn id<const N: usize>(
    id: &str,
    what: &'static str,
    list: &'static str,
) -> Result<[u8; N], Failure> {
    octets(id).ok_or_else(|| Failure::Nobody {
        what,
        wanted: id.to_owned(),
        list,
    })
}

/// An identity among some with addresses and names, by any of these.
pub(super) fn identity(
    among: impl Iterator<Item = (String, Option<String>, Option<String>)>,
    wanted: &str,
    what: &'static str,
    list: &'static str,
) -> Result<[u8; 32], Failure> {
    let fits = |(identity, at, name): &(String, Option<String>, Option<String>)| {
        let at = at.as_deref();
        begins(identity, wanted)
            || at.is_some_and(|at| address::same(at, wanted))
            || name.as_deref() == Some(wanted)
    };
    let found = among.filter(fits).collect();
    let shown = |(identity, at, name): &(String, Option<String>, Option<String>)| {
        let at = at.as_deref().unwrap_or_default();
        format!("{} {}", person(name.as_deref(), at), short(identity))
    };
    let (identity, ..) = one(found, shown, wanted, what, list)?;
    id(&identity, what, list)
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
    let threads = view.threads()?.into_iter();
    let comments = threads
        .flat_map(|thread| thread.comments)
        .map(|comment| (comment.speaker.author, comment.id));
    let mut found: Vec<_> = messages.chain(posts).chain(comments).collect();
    // What no list shows, like a hide, goes by its whole id.
    if own && octets::<16>(wanted).is_some() {
        found.push((me.clone(), wanted.to_ascii_lowercase()));
        found.sort();
        found.dedup();
    }
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

/// An object by author and id.
type Named = ([u8; 32], [u8; 16]);

/// A post or share, or a comment under it.
pub(super) struct Spot {
    pub(super) root: Named,
    pub(super) comment: Option<Named>,
}

/// A post, share or comment, by its id or the beginning of it.
pub(super) fn spot(driver: &Driver, wanted: &str) -> Result<Spot, Failure> {
    let view = driver.view(now());
    let mut found: Vec<(String, Option<Spot>)> = Vec::new();
    for post in view.timeline(usize::MAX)? {
        let root = named(&post.author, &post.id);
        let spot = root.map(|root| Spot {
            root,
            comment: None,
        });
        found.push((post.id, spot));
    }
    for thread in view.threads()? {
        for comment in thread.comments {
            let root = named(&thread.author, &thread.id);
            let said = named(&comment.speaker.author, &comment.id);
            let spot = root.map(|root| Spot {
                root,
                comment: said,
            });
            found.push((comment.id, spot));
        }
    }
    found.retain(|(id, _)| begins(id, wanted));
    let (what, list) = ("post or comment", "timeline` and `kith thread");
    let (_, spot) = one(found, |(id, _)| short(id).to_owned(), wanted, what, list)?;
    spot.ok_or(Failure::Nobody {
        what,
        wanted: wanted.to_owned(),
        list,
    })
}

/// A post that may be shared: one in the timeline, or one that a share hands on.
pub(super) fn public_post(driver: &Driver, wanted: &str) -> Result<Named, Failure> {
    let posts = driver.view(now()).timeline(usize::MAX)?.into_iter();
    let mut found: Vec<(String, String)> = posts
        .map(|post| match post.shared {
            Some(shared) => (shared.author, shared.id),
            None => (post.author, post.id),
        })
        .collect();
    found.sort();
    found.dedup();
    found.retain(|(_, id)| begins(id, wanted));
    let (what, list) = ("post", "timeline");
    let (author, id) = one(found, |(_, id)| short(id).to_owned(), wanted, what, list)?;
    named(&author, &id).ok_or(Failure::Nobody {
        what,
        wanted: wanted.to_owned(),
        list,
    })
}

fn named(author: &str, id: &str) -> Option<Named> {
    Some((octets(author)?, octets(id)?))
}
