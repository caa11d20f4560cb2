//! What a person sees of the mails that the catalogue starts from.

use kith_adapter::view::apps::{Apps, Update};
use kith_adapter::view::event::Events;
use kith_adapter::view::group::{GroupTimeline, Groups, Role};
use kith_adapter::view::identity::{Contacts, Introductions};
use kith_adapter::view::pages::{Followers, Page, Pages};
use kith_adapter::view::private::Messages;
use kith_adapter::view::publishing::{Timeline, Unknown};
use kith_adapter::view::relation::{Direction, Requests, State};
use kith_adapter::view::thread::{Shares, Threads};
use kith_forge::Puppet;
use kith_forge::faults::Base;
use kith_runner::case::Stop;
use kith_runner::scene::{Agent, Scene};

/// Whether the effect of a mail of this base with this text is there.
pub(super) async fn has_effect(
    scene: &Scene,
    agent: &Agent,
    author: &Puppet,
    base: Base,
    text: &str,
) -> Result<bool, Stop> {
    Ok(match base {
        Base::Request => {
            let requests = agent.view(Requests {}).await?;
            requests.iter().any(|request| {
                request.direction == Direction::Incoming && request.note.contains(text)
            })
        }
        Base::Accept | Base::InvitedAccept | Base::Confirm => {
            scene.relation(agent, author).await? == State::Friends
        }
        Base::Decline | Base::End => scene.relation(agent, author).await? == State::Stranger,
        Base::Message => {
            let messages = agent.view(Messages {}).await?;
            messages.iter().any(|message| message.text.contains(text))
        }
        Base::Post => {
            let timeline = agent.view(Timeline {}).await?;
            timeline.iter().any(|entry| entry.text.contains(text))
        }
        Base::Comment | Base::RelayedComment | Base::Relay => {
            let threads = agent.view(Threads {}).await?;
            let mut comments = threads.iter().flat_map(|thread| &thread.comments);
            comments.any(|comment| comment.text.contains(text))
        }
        Base::Reaction => {
            let threads = agent.view(Threads {}).await?;
            let mut reactions = threads.iter().flat_map(|thread| &thread.reactions);
            reactions.any(|reaction| reaction.author.as_str() == author.id.to_string())
        }
        Base::Share => {
            let shares = agent.view(Shares {}).await?;
            shares.iter().any(|share| share.text.contains(text))
        }
        Base::Retract | Base::Acknowledgement | Base::Hide | Base::Receipt | Base::SelfCopy => {
            false
        }
        Base::Rotation => {
            let id = author.id.to_string();
            let contacts = agent.view(Contacts {}).await?;
            contacts.iter().any(|contact| {
                let newest = i64::from(contact.epoch) == author.epoch;
                contact.identity.as_str() == id && newest && !contact.frozen
            })
        }
        Base::Introduce => {
            let by = author.id.to_string();
            let introductions = agent.view(Introductions {}).await?;
            introductions.iter().any(|one| one.by.as_str() == by)
        }
        Base::Group | Base::Proposal => {
            let groups = agent.view(Groups {}).await?;
            groups.iter().any(|group| group.name.contains(text))
        }
        Base::GroupPost => {
            let entries = agent.view(GroupTimeline::default()).await?;
            entries.iter().any(|entry| entry.text.contains(text))
        }
        Base::Join => has_role(agent, author, Role::Member).await?,
        Base::Leave => !has_role(agent, author, Role::Admin).await?,
        Base::Event => {
            let events = agent.view(Events {}).await?;
            events
                .iter()
                .any(|event| event.content.summary.contains(text))
        }
        Base::Rsvp => {
            let events = agent.view(Events {}).await?;
            let mut answers = events.iter().flat_map(|event| &event.answers);
            answers.any(|answered| answered.note.as_deref().is_some_and(|n| n.contains(text)))
        }
        Base::Follow => {
            let followers = agent.view(Followers {}).await?;
            let id = author.id.to_string();
            followers.iter().any(|one| one.identity.as_str() == id)
        }
        Base::Page => {
            let pages = agent.view(Pages {}).await?;
            let says = |page: &Page| {
                page.description
                    .as_deref()
                    .is_some_and(|d| d.contains(text))
            };
            pages.iter().any(says)
        }
        Base::PublicPost => {
            let timeline = agent.view(Timeline {}).await?;
            timeline.iter().any(|entry| entry.text.contains(text))
        }
        Base::App => {
            let apps = agent.view(Apps {}).await?;
            apps.iter().any(|app| app.name.contains(text))
        }
        Base::AppUpdate => {
            let apps = agent.view(Apps {}).await?;
            let says = |update: &Update| update.info.as_deref().is_some_and(|i| i.contains(text));
            apps.iter().flat_map(|app| &app.updates).any(says)
        }
    })
}

/// Whether a group lists somebody with a role.
async fn has_role(agent: &Agent, who: &Puppet, role: Role) -> Result<bool, Stop> {
    let id = who.id.to_string();
    let groups = agent.view(Groups {}).await?;
    let mut members = groups.iter().flat_map(|group| &group.members);
    Ok(members.any(|member| member.identity.as_str() == id && member.role == role))
}

/// How many things of an author the person sees: messages, posts, things of unknown kinds.
pub(super) async fn shown_by(agent: &Agent, author: &Puppet) -> Result<usize, Stop> {
    let id = author.id.to_string();
    let messages = agent.view(Messages {}).await?;
    let messages = messages
        .iter()
        .filter(|message| message.author.as_str() == id);
    let timeline = agent.view(Timeline {}).await?;
    let timeline = timeline.iter().filter(|entry| entry.author.as_str() == id);
    let unknown = agent.view(Unknown {}).await?;
    let unknown = unknown.iter().filter(|object| object.author.as_str() == id);
    Ok(messages.count() + timeline.count() + unknown.count())
}
