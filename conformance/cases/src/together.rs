//! Scenarios between agents: both sides are implementations, and the harness only carries the
//! mail and looks at what the people see in the end.
//!
//! They are run between different implementations (`interop`), on servers that aren't the
//! harness's own (`--server`), and under faults (`--faults`, and one fault each in every run),
//! where the end state must be that of a run without.

mod outages;
mod weather;

use futures::future::BoxFuture;
use kith_adapter::act::group::{GroupCreate, GroupInvite, GroupJoin, GroupPost};
use kith_adapter::act::pages::{Follow, FollowId, PageCreate, PagePost};
use kith_adapter::act::private::Message;
use kith_adapter::act::profile::{FieldValue, ProfileSet};
use kith_adapter::act::publishing::Post;
use kith_adapter::act::relation::{Accept, Befriend, End};
use kith_adapter::act::thread::Comment;
use kith_adapter::protocol::ObjectRef;
use kith_adapter::view::group::{GroupState, GroupTimeline, Groups};
use kith_adapter::view::pages::{PageState, Pages};
use kith_adapter::view::private::Messages;
use kith_adapter::view::profile::Profile;
use kith_adapter::view::publishing::Timeline;
use kith_adapter::view::relation::{Direction, Friends, Requests};
use kith_adapter::view::thread::Threads;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Meeting, Scene};
use kith_spec::{Rule, req};

pub use weather::{WEATHER, sample, under_faults};

/// The people, by their numbers.
const ALICE: usize = 0;
const BOB: usize = 1;
const NAMES: [&str; 2] = ["Alice", "Bob"];

type Part = for<'a> fn(&'a mut Meeting) -> BoxFuture<'a, Result<(), Stop>>;

/// What people do with each other, once they are friends.
struct Scenario {
    id: &'static str,
    title: &'static str,
    rules: &'static [Rule],
    part: Part,
}

const SCENARIOS: [Scenario; 9] = [
    Scenario {
        id: "friends",
        title: "two people become friends",
        rules: &[&req::FRIENDS_TABLE],
        part: |_| Box::pin(async { Ok(()) }),
    },
    Scenario {
        id: "messages",
        title: "two friends write to each other",
        rules: &[&req::FRIENDS_TABLE, &req::MESSAGE_ADDRESSED],
        part: |meeting| Box::pin(messages(meeting)),
    },
    Scenario {
        id: "post-and-comment",
        title: "one posts, the other comments",
        rules: &[
            &req::FRIENDS_TABLE,
            &req::POST_COPIES,
            &req::COMMENT_TO_AUTHOR,
        ],
        part: |meeting| Box::pin(post(meeting)),
    },
    Scenario {
        id: "profile",
        title: "one changes the profile twice, and the other sees the last",
        rules: &[&req::FRIENDS_TABLE, &req::MERGE_ORDER],
        part: |meeting| Box::pin(profile(meeting)),
    },
    Scenario {
        id: "group",
        title: "one makes a group, the other joins, both write",
        rules: &[&req::FRIENDS_TABLE, &req::GROUP_TABLE, &req::GROUP_CONTENT],
        part: |meeting| Box::pin(group(meeting)),
    },
    Scenario {
        id: "group-comment",
        title: "one posts to a group, the other comments there",
        rules: &[&req::FRIENDS_TABLE, &req::GROUP_TABLE, &req::COMMENT_GROUP],
        part: |meeting| Box::pin(group_comment(meeting)),
    },
    Scenario {
        id: "page",
        title: "one has a page, the other follows it and reads a post",
        rules: &[&req::FRIENDS_TABLE, &req::FOLLOW_TABLE],
        part: |meeting| Box::pin(page(meeting)),
    },
    Scenario {
        id: "page-by-list",
        title: "one publishes by a mailing list, the other follows by id and reads a post",
        rules: &[&req::FRIENDS_TABLE, &req::FOLLOW_BY_ID, &req::PAGE_LIST],
        part: |meeting| Box::pin(page_by_list(meeting)),
    },
    Scenario {
        id: "end",
        title: "a friendship ends on both sides",
        rules: &[&req::FRIENDS_TABLE, &req::FRIENDS_END_FINAL],
        part: |meeting| Box::pin(end(meeting)),
    },
];

/// The scenarios as cases, which are also played on servers outside this process.
pub fn suite() -> Vec<Case> {
    let cases = SCENARIOS.iter().map(|scenario| {
        let play = move |scene: Scene| async move {
            let mut meeting = scene.meeting(&NAMES).await?;
            befriend(&mut meeting).await?;
            (scenario.part)(&mut meeting).await
        };
        let id = format!("together/{}", scenario.id);
        Case::new(&id, scenario.title, Rung::Rest, scenario.rules, play).on_servers()
    });
    cases.chain(outages::cases()).collect()
}

/// Alice asks, Bob accepts.
async fn befriend(meeting: &mut Meeting) -> Result<(), Stop> {
    let request = Befriend {
        address: meeting.address(BOB)?,
        note: None,
        invite: None,
    };
    meeting.act(ALICE, request).await?;
    meeting.settle().await?;
    let requests = meeting.view(BOB, Requests {}).await?;
    let asked = requests
        .iter()
        .find(|request| request.direction == Direction::Incoming)
        .map(|request| request.request.clone());
    let rule = &req::FRIENDS_TABLE;
    let request = meeting.scene().require_some(rule, asked, || {
        format!("expected Bob to see Alice's request, seen {requests:?}")
    })?;
    meeting.act(BOB, Accept { request }).await?;
    meeting.settle().await?;
    for (who, other) in [(ALICE, BOB), (BOB, ALICE)] {
        let friend = meeting.identity(other)?;
        let friends = meeting.view(who, Friends {}).await?;
        let found = friends.iter().any(|one| one.identity == friend);
        meeting.scene().require(rule, found, || {
            let (one, two) = (NAMES[who], NAMES[other]);
            format!("expected {one} to see {two} among the friends, seen {friends:?}")
        })?;
    }
    Ok(())
}

async fn write(meeting: &Meeting, from: usize, to: usize) -> Result<String, Stop> {
    let text = meeting.token();
    let message = Message {
        to: meeting.identity(to)?,
        text: text.clone(),
        parent: None,
        media: Vec::new(),
    };
    meeting.act(from, message).await?;
    Ok(text)
}

async fn messages(meeting: &mut Meeting) -> Result<(), Stop> {
    let first = write(meeting, ALICE, BOB).await?;
    let second = write(meeting, ALICE, BOB).await?;
    meeting.settle().await?;
    let third = write(meeting, BOB, ALICE).await?;
    let fourth = write(meeting, ALICE, BOB).await?;
    meeting.settle().await?;
    for who in [ALICE, BOB] {
        let messages = meeting.view(who, Messages {}).await?;
        for text in [&first, &second, &third, &fourth] {
            let times = messages.iter().filter(|one| one.text == **text).count();
            meeting.scene().expect(&req::MESSAGE_ADDRESSED, times == 1, || {
                let name = NAMES[who];
                format!("expected {name} to see the message `{text}` once, seen it {times} times in {messages:?}")
            });
        }
    }
    Ok(())
}

async fn post(meeting: &mut Meeting) -> Result<(), Stop> {
    let text = meeting.token();
    let wanted = text.clone();
    let post = Post {
        text,
        ..Post::default()
    };
    meeting.act(ALICE, post).await?;
    meeting.settle().await?;
    let timeline = meeting.view(BOB, Timeline {}).await?;
    let found = timeline.iter().find(|entry| entry.text == wanted);
    let root = found.map(|entry| ObjectRef {
        author: entry.author.clone(),
        id: entry.id.clone(),
    });
    let root = meeting.scene().require_some(&req::POST_COPIES, root, || {
        format!("expected Bob to see the post `{wanted}`, seen {timeline:?}")
    })?;
    let text = meeting.token();
    let comment = Comment {
        root,
        parent: None,
        text: text.clone(),
        private: false,
    };
    meeting.act(BOB, comment).await?;
    meeting.settle().await?;
    let threads = meeting.view(ALICE, Threads {}).await?;
    let mut comments = threads.iter().flat_map(|thread| &thread.comments);
    let times = comments
        .by_ref()
        .filter(|comment| comment.text == text)
        .count();
    meeting.scene().expect(&req::COMMENT_TO_AUTHOR, times == 1, || {
        format!("expected Alice to see Bob's comment `{text}` once, seen it {times} times in {threads:?}")
    });
    Ok(())
}

async fn profile(meeting: &mut Meeting) -> Result<(), Stop> {
    let mut last = String::new();
    for _ in 0..2 {
        last = meeting.token();
        let value = FieldValue {
            text: last.clone(),
            ..FieldValue::default()
        };
        let set = ProfileSet {
            field: "note".to_owned(),
            values: vec![value],
            ..ProfileSet::default()
        };
        meeting.act(ALICE, set).await?;
    }
    meeting.settle().await?;
    let identity = Some(meeting.identity(ALICE)?);
    let fields = meeting.view(BOB, Profile { identity }).await?;
    let shown = fields.iter().flat_map(|field| &field.values);
    let shown: Vec<&str> = shown.map(|value| value.text.as_str()).collect();
    let right = shown.contains(&last.as_str());
    meeting.scene().expect(&req::MERGE_ORDER, right, || {
        format!("expected Bob to see `{last}` in Alice's profile, seen {shown:?}")
    });
    Ok(())
}

/// Alice makes a group, and Bob joins it.
async fn gather(meeting: &mut Meeting) -> Result<ObjectRef, Stop> {
    let name = meeting.token();
    let create = GroupCreate { name, about: None };
    let made = meeting.act(ALICE, create).await?;
    let group = ObjectRef {
        author: meeting.identity(ALICE)?,
        id: made.id,
    };
    let identity = meeting.identity(BOB)?;
    let invite = GroupInvite {
        group: group.clone(),
        identity,
    };
    meeting.act(ALICE, invite).await?;
    meeting.settle().await?;
    let join = GroupJoin {
        group: group.clone(),
    };
    meeting.act(BOB, join).await?;
    meeting.settle().await?;
    let groups = meeting.view(BOB, Groups {}).await?;
    let member = groups.iter().any(|one| one.state == GroupState::Member);
    meeting.scene().require(&req::GROUP_TABLE, member, || {
        format!("expected Bob to be a member of the group, seen {groups:?}")
    })?;
    Ok(group)
}

async fn group(meeting: &mut Meeting) -> Result<(), Stop> {
    let group = gather(meeting).await?;
    let mut texts = Vec::new();
    for who in [ALICE, BOB] {
        let text = meeting.token();
        texts.push(text.clone());
        let group = group.clone();
        meeting.act(who, GroupPost { group, text }).await?;
        meeting.settle().await?;
    }
    for who in [ALICE, BOB] {
        let timeline = meeting.view(who, GroupTimeline { group: None }).await?;
        for text in &texts {
            let times = timeline.iter().filter(|entry| entry.text == *text).count();
            meeting.scene().expect(&req::GROUP_CONTENT, times == 1, || {
                let name = NAMES[who];
                format!("expected {name} to see `{text}` once in the group, seen it {times} times in {timeline:?}")
            });
        }
    }
    Ok(())
}

async fn group_comment(meeting: &mut Meeting) -> Result<(), Stop> {
    let rule = &req::COMMENT_GROUP;
    let group = gather(meeting).await?;
    let text = meeting.token();
    let made = meeting.act(ALICE, GroupPost { group, text }).await?;
    meeting.settle().await?;
    let text = meeting.token();
    let comment = Comment {
        root: ObjectRef {
            author: meeting.identity(ALICE)?,
            id: made.id,
        },
        parent: None,
        text: text.clone(),
        private: false,
    };
    meeting.act(BOB, comment).await?;
    meeting.settle().await?;
    for who in [ALICE, BOB] {
        let threads = meeting.view(who, Threads {}).await?;
        let comments = threads.iter().flat_map(|thread| &thread.comments);
        let times = comments.filter(|comment| comment.text == text).count();
        meeting.scene().expect(rule, times == 1, || {
            let name = NAMES[who];
            format!("expected {name} to see the comment `{text}` once, seen it {times} times in {threads:?}")
        });
    }
    Ok(())
}

async fn page(meeting: &mut Meeting) -> Result<(), Stop> {
    let rule = &req::FOLLOW_TABLE;
    let name = meeting.token();
    let page = PageCreate {
        name: name.clone(),
        ..PageCreate::default()
    };
    meeting.act(ALICE, page).await?;
    let address = meeting.address(ALICE)?;
    meeting.act(BOB, Follow { address }).await?;
    meeting.settle().await?;
    let pages = meeting.view(BOB, Pages {}).await?;
    let follows = pages
        .iter()
        .any(|page| page.state == PageState::Following && page.name.as_ref() == Some(&name));
    meeting.scene().require(rule, follows, || {
        format!("expected Bob to follow the page `{name}`, seen {pages:?}")
    })?;
    published(meeting, &[rule]).await
}

/// Alice's page publishes a post, and Bob sees it once.
async fn published(meeting: &mut Meeting, rules: &[Rule]) -> Result<(), Stop> {
    let text = meeting.token();
    let post = PagePost { text: text.clone() };
    meeting.act(ALICE, post).await?;
    meeting.settle().await?;
    let timeline = meeting.view(BOB, Timeline {}).await?;
    let times = timeline.iter().filter(|entry| entry.text == text).count();
    for rule in rules {
        meeting.scene().expect(rule, times == 1, || {
            format!("expected Bob to see the page's post `{text}` once, seen it {times} times in {timeline:?}")
        });
    }
    Ok(())
}

async fn page_by_list(meeting: &mut Meeting) -> Result<(), Stop> {
    let list = Some(meeting.scene().list()?);
    let name = meeting.token();
    let page = PageCreate {
        name,
        list,
        ..PageCreate::default()
    };
    meeting.act(ALICE, page).await?;
    let identity = meeting.identity(ALICE)?;
    meeting.act(BOB, FollowId { identity }).await?;
    published(meeting, &[&req::PAGE_LIST, &req::FOLLOW_BY_ID]).await
}

async fn end(meeting: &mut Meeting) -> Result<(), Stop> {
    let identity = meeting.identity(BOB)?;
    meeting.act(ALICE, End { identity }).await?;
    meeting.settle().await?;
    for who in [ALICE, BOB] {
        let friends = meeting.view(who, Friends {}).await?;
        meeting
            .scene()
            .expect(&req::FRIENDS_END_FINAL, friends.is_empty(), || {
                let name = NAMES[who];
                format!("expected {name} to have no friend any more, seen {friends:?}")
            });
    }
    Ok(())
}
