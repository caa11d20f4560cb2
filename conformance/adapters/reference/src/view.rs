//! What the person sees, in the words of the adapter protocol.

use kith_adapter::act::pages::Link;
use kith_adapter::protocol::{Failure, ObjectRef, Octets};
use kith_adapter::view::apps::{App, Update};
use kith_adapter::view::delivery::{Delivery, DeliveryState, Device, Gap};
use kith_adapter::view::identity::{Contact, Introduction};
use kith_adapter::view::media::{MediaContent, Medium};
use kith_adapter::view::pages::{Follower, Page, PageState};
use kith_adapter::view::private::{Message, ReceiptState};
use kith_adapter::view::publishing::{Entry, Fallback, Mention};
use kith_adapter::view::relation::{Direction, Friend, Relation, Request, State};
use kith_adapter::view::thread::{Comment, Reaction, Share, Thread};
use kith_adapter::view::{Query, ViewResult};
use kith_core::agent::follow::FollowingState;
use kith_core::agent::relation;
use kith_core::agent::view;

use crate::convert::{id16, id32, identity, internal, object, timestamp};
use crate::session::Session;

mod groups;
mod profile;

/// More than a case ever makes.
const ALL: usize = 100_000;

/// Answers a view.
///
/// # Errors
///
/// When the store fails.
pub(crate) fn show(session: &Session, query: &Query) -> Result<ViewResult, Failure> {
    let view = session.driver.view(session.now);
    Ok(match query {
        Query::Friends(_) => list(view.friends().map_err(internal)?, friend)?,
        Query::Requests(_) => list(view.requests().map_err(internal)?, request)?,
        Query::Relations(_) => {
            let mut relations = view.relations().map_err(internal)?;
            relations.retain(|relation| relation.identity.is_some());
            list(relations, state)?
        }
        Query::Contacts(_) => list(view.contacts().map_err(internal)?, contact)?,
        Query::Introductions(_) => list(view.introductions().map_err(internal)?, introduction)?,
        Query::Messages(_) => {
            let messages = view.messages(None).map_err(internal)?;
            let hashes = messages
                .iter()
                .map(|message| (message.hash.clone(), reference(message)));
            let hashes: Vec<_> = hashes.collect();
            let parent = |hash: &String| hashes.iter().find(|(h, _)| h == hash).map(|(_, r)| r);
            let shown = messages
                .iter()
                .map(|one| message(one, one.parent.as_ref().and_then(parent)));
            shown.collect::<Result<Vec<Message>, Failure>>()?.into()
        }
        Query::Timeline(_) => {
            let mut posts = view.timeline(ALL).map_err(internal)?;
            posts.retain(|post| post.kind == "post");
            list(posts, entry)?
        }
        Query::Media(media) => {
            let (author, id) = (id32(&media.of.author)?, id16(&media.of.id)?);
            let octets = view.octets(author, id, media.position as usize, false);
            let content = octets.map_err(internal)?.map(|octets| MediaContent {
                octets: Octets(octets),
            });
            content.into_iter().collect::<Vec<_>>().into()
        }
        Query::Profile(profile) => {
            let wanted = match &profile.identity {
                Some(identity) => vec![identity.clone()],
                None => {
                    let friends = view.friends().map_err(internal)?;
                    let all = friends.iter().map(|friend| identity(&friend.identity));
                    all.collect::<Result<_, _>>()?
                }
            };
            let mut fields = Vec::new();
            for identity in wanted {
                let of = view.profile(id32(&identity)?).map_err(internal)?;
                let of = of
                    .into_iter()
                    .map(|one| profile::field(identity.clone(), one));
                fields.extend(of.collect::<Result<Vec<_>, _>>()?);
            }
            fields.into()
        }
        Query::Groups(_) => list(view.groups().map_err(internal)?, groups::group)?,
        Query::GroupTimeline(of) => {
            let mut entries = Vec::new();
            for group in view.groups().map_err(internal)? {
                let group = groups::reference(&group.owner, &group.id)?;
                if of.group.as_ref().is_some_and(|wanted| *wanted != group) {
                    continue;
                }
                let id = crate::act::groups::group(&group)?;
                for entry in view.group_timeline(id, ALL).map_err(internal)? {
                    entries.push(groups::entry(&group, entry)?);
                }
            }
            entries.into()
        }
        Query::Events(_) => list(view.events().map_err(internal)?, groups::event)?,
        Query::Unknown(_) => {
            let mut posts = view.timeline(ALL).map_err(internal)?;
            posts.retain(|post| post.kind != "post" && post.kind != "share");
            list(posts, fallback)?
        }
        Query::Threads(_) => list(view.threads().map_err(internal)?, thread)?,
        Query::Shares(_) => {
            let posts = view.timeline(ALL).map_err(internal)?;
            let shares = posts.into_iter().filter_map(share);
            shares.collect::<Result<Vec<Share>, Failure>>()?.into()
        }
        Query::Pages(_) => list(view.pages().map_err(internal)?, page)?,
        Query::Followers(_) => list(view.followers().map_err(internal)?, follower)?,
        Query::Apps(_) => list(view.apps().map_err(internal)?, app)?,
        Query::Gaps(_) => list(view.gaps().map_err(internal)?, gap)?,
        Query::Deliveries(_) => list(view.deliveries().map_err(internal)?, delivery)?,
        Query::Devices(_) => list(view.devices().map_err(internal)?, device)?,
    })
}

fn list<T, U>(items: Vec<T>, show: impl Fn(T) -> Result<U, Failure>) -> Result<ViewResult, Failure>
where
    Vec<U>: Into<ViewResult>,
{
    Ok(items
        .into_iter()
        .map(show)
        .collect::<Result<Vec<U>, Failure>>()?
        .into())
}

fn contact(contact: view::Contact) -> Result<Contact, Failure> {
    Ok(Contact {
        identity: identity(&contact.identity)?,
        addresses: contact.addresses,
        proved: contact.proved,
        epoch: u32::try_from(contact.epoch).unwrap_or(u32::MAX),
        verified: contact.verified,
        frozen: contact.frozen,
        warning: contact.warning,
        code: contact.code,
    })
}

fn introduction(introduced: view::Introduced) -> Result<Introduction, Failure> {
    Ok(Introduction {
        identity: identity(&introduced.identity)?,
        address: introduced.address,
        by: identity(&introduced.by)?,
    })
}

fn friend(friend: view::Friend) -> Result<Friend, Failure> {
    Ok(Friend {
        identity: identity(&friend.identity)?,
        address: friend.address,
        name: friend.name.unwrap_or_default(),
        since: timestamp(friend.since),
    })
}

fn request(request: view::Request) -> Result<Request, Failure> {
    let rivals = request.rivals.iter().map(|rival| object(rival));
    Ok(Request {
        request: object(&request.request)?,
        direction: match request.direction {
            view::Direction::Incoming => Direction::Incoming,
            view::Direction::Outgoing => Direction::Outgoing,
            view::Direction::Accepted => Direction::Accepted,
        },
        identity: request.identity.as_deref().map(identity).transpose()?,
        address: request.address,
        name: request.name.unwrap_or_default(),
        note: request.note.unwrap_or_default(),
        rivals: rivals.collect::<Result<_, _>>()?,
        introduced: request.introduced.as_deref().map(identity).transpose()?,
        invited: request.invited,
        warning: request.warning,
    })
}

fn state(relation: view::RelationState) -> Result<Relation, Failure> {
    Ok(Relation {
        identity: identity(&relation.identity.unwrap_or_default())?,
        address: relation.address.unwrap_or_default(),
        state: match relation.state {
            relation::State::Stranger => State::Stranger,
            relation::State::Requested => State::Requested,
            relation::State::Pending => State::Pending,
            relation::State::Met => State::Met,
            relation::State::Accepted => State::Accepted,
            relation::State::Crossed => State::Crossed,
            relation::State::Friends => State::Friends,
            relation::State::Renewing => State::Renewing,
            relation::State::Blocked => State::Blocked,
        },
    })
}

fn reference(message: &view::Message) -> Option<ObjectRef> {
    let author = identity(&message.author).ok()?;
    Some(ObjectRef {
        author,
        id: object(&message.id).ok()?,
    })
}

fn message(
    message: &view::Message,
    parent: Option<&Option<ObjectRef>>,
) -> Result<Message, Failure> {
    Ok(Message {
        id: object(&message.id)?,
        author: identity(&message.author)?,
        to: identity(&message.to)?,
        text: message.text.clone(),
        parent: parent.cloned().flatten(),
        created: timestamp(message.created),
        received: Some(timestamp(message.received)),
        rev: message.rev,
        media: media(&message.media)?,
        delivery: message.delivery.map(delivery_state),
        protected: message.protected,
        receipt: message.receipt.map(|told| match told {
            "seen" => ReceiptState::Seen,
            _ => ReceiptState::Delivered,
        }),
    })
}

fn delivery_state(state: view::DeliveryState) -> DeliveryState {
    match state {
        view::DeliveryState::Queued => DeliveryState::Queued,
        view::DeliveryState::Sent => DeliveryState::Sent,
        view::DeliveryState::Acknowledged => DeliveryState::Acknowledged,
        view::DeliveryState::Bounced => DeliveryState::Bounced,
    }
}

fn entry(post: view::Post) -> Result<Entry, Failure> {
    Ok(Entry {
        author: identity(&post.author)?,
        id: object(&post.id)?,
        kind: post.kind,
        text: post.text,
        created: timestamp(post.created),
        rev: post.rev,
        protected: post.protected,
        mentions: post
            .mentions
            .into_iter()
            .map(|mention| {
                Ok(Mention {
                    identity: identity(&mention.identity)?,
                    name: mention.name,
                })
            })
            .collect::<Result<_, Failure>>()?,
        media: media(&post.media)?,
    })
}

fn media(media: &[view::Medium]) -> Result<Vec<Medium>, Failure> {
    media.iter().map(medium).collect()
}

fn medium(medium: &view::Medium) -> Result<Medium, Failure> {
    Ok(Medium {
        hash: medium.hash.parse().map_err(internal)?,
        media_type: medium.media_type.clone(),
        alt: medium.alt.clone(),
        href: medium.href.clone(),
        available: medium.available,
        inline: medium.inline,
    })
}

fn thread(thread: view::Thread) -> Result<Thread, Failure> {
    Ok(Thread {
        root: named(&thread.author, &thread.id)?,
        comments: thread
            .comments
            .into_iter()
            .map(comment)
            .collect::<Result<_, _>>()?,
        reactions: thread
            .reactions
            .into_iter()
            .map(reaction)
            .collect::<Result<_, _>>()?,
    })
}

fn comment(comment: view::Comment) -> Result<Comment, Failure> {
    let parent = comment.parent.as_ref();
    let through = comment.speaker.through.as_deref();
    Ok(Comment {
        author: identity(&comment.speaker.author)?,
        id: object(&comment.id)?,
        parent: parent.map(|(author, id)| named(author, id)).transpose()?,
        claim: comment.speaker.claim,
        through: through.map(identity).transpose()?,
        text: comment.text,
        created: timestamp(comment.created),
        rev: comment.rev,
        protected: comment.protected,
    })
}

fn reaction(reaction: view::Reaction) -> Result<Reaction, Failure> {
    let target = &reaction.target;
    Ok(Reaction {
        author: identity(&reaction.speaker.author)?,
        target: named(&hex::encode(target.author), &hex::encode(target.id))?,
        symbols: reaction.symbols,
        protected: reaction.protected,
    })
}

fn share(post: view::Post) -> Option<Result<Share, Failure>> {
    let shared = post.shared?;
    let share = || {
        Ok(Share {
            author: identity(&post.author)?,
            id: object(&post.id)?,
            text: post.text,
            post: named(&shared.author, &shared.id)?,
            shown: shared.text,
        })
    };
    Some(share())
}

fn named(author: &str, id: &str) -> Result<ObjectRef, Failure> {
    Ok(ObjectRef {
        author: identity(author)?,
        id: object(id)?,
    })
}

fn fallback(post: view::Post) -> Result<Fallback, Failure> {
    Ok(Fallback {
        author: identity(&post.author)?,
        id: object(&post.id)?,
        fallback: post.text,
    })
}

fn page(page: view::Page) -> Result<Page, Failure> {
    let face = page.face;
    let links = face.as_ref().map_or(&[][..], |face| &face.links).iter();
    Ok(Page {
        identity: page.identity.as_deref().map(identity).transpose()?,
        address: page.address,
        state: match page.state {
            None => PageState::Own,
            Some(FollowingState::Asked) => PageState::Asked,
            Some(FollowingState::Following) => PageState::Following,
            Some(FollowingState::Listed) => PageState::Listed,
        },
        links: links
            .map(|(href, label)| Link {
                href: href.clone(),
                label: label.clone(),
            })
            .collect(),
        name: face.as_ref().map(|face| face.name.clone()),
        description: face.as_ref().and_then(|face| face.description.clone()),
        category: face.and_then(|face| face.category),
    })
}

fn follower(follower: view::Follower) -> Result<Follower, Failure> {
    Ok(Follower {
        identity: identity(&follower.identity)?,
        address: follower.address,
        name: follower.name.unwrap_or_default(),
        confirmed: follower.since.is_some(),
    })
}

fn app(app: view::App) -> Result<App, Failure> {
    let updates = app.updates.iter().map(|update| {
        Ok(Update {
            author: identity(&update.author)?,
            serial: update.serial,
            info: update.info.clone(),
            data: update.data.as_deref().map(octets).transpose()?,
        })
    });
    Ok(App {
        author: identity(&app.author)?,
        id: object(&app.id)?,
        with: identity(&app.with)?,
        updates: updates.collect::<Result<_, Failure>>()?,
        app_type: app.app_type,
        name: app.name,
        fallback: app.fallback,
        summary: app.summary,
        gaps: !app.missing.is_empty(),
    })
}

fn octets(base64: &str) -> Result<Octets, Failure> {
    base64.parse().map_err(internal)
}

fn gap(gap: view::Gap) -> Result<Gap, Failure> {
    Ok(Gap {
        identity: identity(&gap.identity)?,
        channel: object(&gap.channel)?,
        missing: gap.missing,
    })
}

fn delivery(delivery: view::Copy) -> Result<Delivery, Failure> {
    Ok(Delivery {
        id: object(&delivery.id)?,
        kind: delivery.kind,
        to: identity(&delivery.to)?,
        address: delivery.address,
        state: delivery_state(delivery.state),
    })
}

fn device(device: view::OwnDevice) -> Result<Device, Failure> {
    Ok(Device {
        name: device.name.unwrap_or_default(),
        current: device.current,
        last: device.last.map(timestamp),
    })
}
