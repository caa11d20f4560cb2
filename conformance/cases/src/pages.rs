//! Chapter “Pages”.

mod commenting;
mod crowd;

use kith_adapter::act::object::{Edit, Retract};
use kith_adapter::act::pages::{Follow, FollowId, PagePost};
use kith_adapter::act::publishing::Post;
use kith_adapter::view::pages::{Followers, PageState, Pages};
use kith_adapter::view::publishing::Timeline;
use kith_forge::draft::Item;
use kith_forge::kinds::RequestOptions;
use kith_forge::mime::{Part, TransferEncoding};
use kith_forge::{Hash, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::{Agent, AuthResult, Scene, Sent, request_ref};
use kith_spec::{Class, Rule, req};

use crate::faults::page;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let requests = ["friends/request/sent"];
    let accepted = ["follow/accepted"];
    vec![
        Case::new(
            "page/received",
            "the person follows a page and sees what it publishes",
            Rung::Rest,
            &[&req::MAIL_OPEN_UNKNOWN, &req::PAGE_NO_ANSWER],
            received,
        )
        .needs(&requests),
        Case::new(
            "page/with-delivery-document",
            "a page's mail that brings a delivery document in the clear is refused",
            Rung::Rest,
            &[&req::MAIL_DELIVERY_SEALED],
            with_document,
        )
        .class(Class::Pages)
        .needs(&["page/received"]),
        Case::new(
            "follow/by-id",
            "a page that is followed by its id alone is asked nothing",
            Rung::Rest,
            &[&req::FOLLOW_BY_ID],
            by_id,
        ),
        Case::new(
            "follow/accepted",
            "a page accepts a follower by itself, once, and sends nothing else before the confirm",
            Rung::Rest,
            &[
                &req::FOLLOW_ACCEPTED,
                &req::FOLLOW_ANSWER_ONCE,
                &req::FOLLOW_CONFIRMED,
            ],
            accepted_once,
        ),
        Case::new(
            "page/published",
            "all followers get one mail that names none of them",
            Rung::Rest,
            &[
                &req::FOLLOW_WELCOME,
                &req::PAGE_SIGNED_ONCE,
                &req::PAGE_HIDDEN_RECIPIENTS,
                &req::PAGE_BATCHES,
                &req::PAGE_MAIL_WHOLE,
                &req::PAGE_EDIT,
            ],
            published,
        )
        .needs(&accepted),
        Case::new(
            "page/list",
            "the page's list gets its posts in a mail of its own",
            Rung::Rest,
            &[&req::PAGE_LIST],
            list,
        )
        .needs(&["page/published"]),
        Case::new(
            "page/list/carried",
            "what the page publishes comes through a list server to those who are on the list",
            Rung::Rest,
            &[
                &req::PAGE_LIST,
                &req::PAGE_MAIL_WHOLE,
                &req::SEC_OBJECT_SIGNATURE,
            ],
            carried,
        )
        .needs(&["page/list"]),
        Case::new(
            "page/list/followed",
            "the person follows a page by its id and sees what comes through a list server",
            Rung::Rest,
            &[&req::FOLLOW_BY_ID, &req::MAIL_OPEN_PARTS],
            by_list,
        ),
        Case::new(
            "follow/not-friends",
            "a follower gets nothing that is for friends",
            Rung::Rest,
            &[&req::FOLLOW_NOT_FRIENDS],
            not_friends,
        )
        .needs(&accepted),
        Case::new(
            "follow/address",
            "a follower's later contact does not move the page's mail",
            Rung::Rest,
            &[&req::FOLLOW_ADDRESS],
            address_kept,
        )
        .needs(&accepted),
    ]
    .into_iter()
    .chain(crowd::cases())
    .chain(commenting::cases())
    .collect()
}

fn following() -> RequestOptions {
    RequestOptions {
        follow: true,
        ..RequestOptions::default()
    }
}

/// Lets a puppet follow the agent's page, and returns the hash of the accept.
async fn follow(scene: &Scene, agent: &Agent, puppet: &mut Puppet) -> Result<Hash, Stop> {
    let draft = puppet.request(agent.address(), scene.now(), following());
    scene.send(puppet, draft).await?;
    accept_of(scene, puppet)
}

/// The hash of the accept that the agent sent a follower.
fn accept_of(scene: &Scene, puppet: &Puppet) -> Result<Hash, Stop> {
    let sent = scene.expect_mail(&req::FOLLOW_ACCEPTED, puppet, "accept")?;
    let hash = sent
        .object("accept")
        .map(|object| object.hash.parse().map_err(Stop::harness));
    hash.ok_or(Stop::Failed)?
}

/// Lets a puppet follow and confirm.
async fn confirmed(scene: &Scene, agent: &Agent, puppet: &mut Puppet) -> Result<(), Stop> {
    let accept = follow(scene, agent, puppet).await?;
    let confirm = puppet.confirm(&agent.peer()?, accept, scene.now());
    scene.send(puppet, confirm.map_err(Stop::harness)?).await?;
    Ok(())
}

/// The mails with an object of a kind that went to an address.
fn mails(scene: &Scene, address: &str, kind: &str) -> Result<Vec<std::sync::Arc<Sent>>, Stop> {
    let mut found = scene.all_sent()?;
    found.retain(|sent| {
        let mut to = sent.submission.recipients.iter();
        to.any(|to| to == address) && sent.object(kind).is_some()
    });
    Ok(found)
}

/// Lets the agent follow a puppet's page, up to its confirm.
async fn followed(scene: &Scene, agent: &Agent, puppet: &mut Puppet) -> Result<(), Stop> {
    let address = puppet.address.clone();
    agent.act(Follow { address }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::FRIENDS_REQUEST_OPEN, puppet, "request")?;
    let accept = puppet.accept(&request_ref(&sent)?, &agent.peer()?, scene.now());
    scene.send(puppet, accept.map_err(Stop::harness)?).await?;
    scene.expect_mail(&req::FRIENDS_CONFIRM_SENT, puppet, "confirm")?;
    Ok(())
}

async fn with_document(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    followed(&scene, &agent, &mut bob).await?;
    let party = |id: &str, address: &str| format!(r#" id="{id}" address="{address}"/>"#);
    let from = party(&bob.id.to_string(), &bob.address);
    let to = party(agent.identity().as_str(), agent.address());
    let document = format!(r#"<delivery xmlns="urn:kith:1.0"><from{from}<to{to}</delivery>"#);
    for alone in [false, true] {
        let text = scene.token();
        let mut draft = bob.public_post(agent.address(), &text, scene.now());
        if !alone {
            let xml = document.clone().into_bytes();
            let part = Part::content("application/kith+xml", xml, TransferEncoding::Base64);
            draft.parts.set(move |mut parts| {
                parts.insert(1, part.clone());
                parts
            });
        }
        let mail = scene.write(&mut bob, draft)?;
        scene.deliver_unjudged(&mail, AuthResult::Pass)?;
        agent.sync().await?;
        let timeline = agent.view(Timeline {}).await?;
        let shown = timeline.iter().any(|entry| entry.text == text);
        scene.expect(&req::MAIL_DELIVERY_SEALED, shown == alone, || {
            format!("expected the post to be shown: {alone}, seen {shown}")
        });
    }
    Ok(())
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    followed(&scene, &agent, &mut bob).await?;
    let before = scene.all_sent()?.len();
    let text = scene.token();
    let draft = bob.public_post(agent.address(), &text, scene.now());
    scene.send(&mut bob, draft).await?;
    let timeline = agent.view(Timeline {}).await?;
    let shown = timeline.iter().any(|entry| entry.text == text);
    scene.expect(&req::MAIL_OPEN_UNKNOWN, shown, || {
        format!("expected the page's post `{text}`, seen {timeline:?}")
    });
    let pages = agent.view(Pages {}).await?;
    let named = pages.iter().any(|page| {
        page.state == PageState::Following && page.name.as_deref() == Some("Friends of Bob")
    });
    scene.expect(&req::MAIL_OPEN_UNKNOWN, named, || {
        format!("expected the page among the followed ones, seen {pages:?}")
    });
    agent.jump(2).await?;
    let all = scene.all_sent()?;
    let seen: Vec<_> = all
        .iter()
        .skip(before)
        .map(|sent| sent.describe())
        .collect();
    scene.expect(&req::PAGE_NO_ANSWER, seen.is_empty(), || {
        format!("expected nothing to be sent because of a public mail, seen {seen:?}")
    });
    Ok(())
}

async fn by_id(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let to = agent.address().to_owned();
    followed_by_id(&scene, &agent, &to, &req::FOLLOW_BY_ID).await
}

async fn by_list(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let list = scene.list()?;
    followed_by_id(&scene, &agent, &list, &req::MAIL_OPEN_PARTS).await
}

/// The person follows Bob's page by its id and reads what he publishes to this address.
async fn followed_by_id(scene: &Scene, agent: &Agent, to: &str, read: Rule) -> Result<(), Stop> {
    let mut bob = scene.puppet("Bob")?;
    let identity = bob.id.to_string().parse().map_err(Stop::harness)?;
    agent.act(FollowId { identity }).await?;
    agent.sync().await?;
    let text = scene.token();
    let draft = bob.public_post(to, &text, scene.now());
    scene.send(&mut bob, draft).await?;
    let timeline = agent.view(Timeline {}).await?;
    let times = timeline.iter().filter(|entry| entry.text == text).count();
    scene.expect(read, times == 1, || {
        format!("expected the page's post `{text}` once, seen {timeline:?}")
    });
    let sent = scene.all_sent()?;
    scene.expect(&req::FOLLOW_BY_ID, sent.is_empty(), || {
        let sent: Vec<_> = sent.iter().map(|sent| sent.describe()).collect();
        format!("expected nothing to be sent, seen {sent:?}")
    });
    Ok(())
}

async fn accepted_once(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    agent.act(page()).await?;
    let accept = follow(&scene, &agent, &mut bob).await?;
    let text = scene.token();
    agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let early = scene.mail_to(&bob)?;
    scene.expect(&req::FOLLOW_CONFIRMED, early.is_empty(), || {
        format!(
            "expected nothing before the confirm, seen {} mails",
            early.len()
        )
    });
    for days in [1, 3, 4, 8] {
        agent.jump(days).await?;
    }
    let again = scene.mail_to(&bob)?;
    scene.expect(&req::FOLLOW_ANSWER_ONCE, again.is_empty(), || {
        format!("expected no second answer, seen {} mails", again.len())
    });
    let confirm = bob.confirm(&agent.peer()?, accept, scene.now());
    scene
        .send(&mut bob, confirm.map_err(Stop::harness)?)
        .await?;
    let followers = agent.view(Followers {}).await?;
    let taken = followers.iter().any(|one| one.confirmed);
    scene.expect(&req::FOLLOW_ACCEPTED, taken, || {
        format!("expected the follower after its confirm, seen {followers:?}")
    });
    Ok(())
}

async fn published(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let mut carol = scene.puppet("Carol")?;
    agent.act(page()).await?;
    for puppet in [&mut bob, &mut carol] {
        confirmed(&scene, &agent, puppet).await?;
        let welcome = mails(&scene, &puppet.address, "page")?;
        scene.expect(&req::FOLLOW_WELCOME, welcome.len() == 1, || {
            format!("expected one welcome with the page, seen {}", welcome.len())
        });
    }
    let text = scene.token();
    let post = agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let first = mails(&scene, &bob.address, "post")?;
    let second = mails(&scene, &carol.address, "post")?;
    for rule in [
        &req::PAGE_SIGNED_ONCE,
        &req::PAGE_HIDDEN_RECIPIENTS,
        &req::PAGE_BATCHES,
        &req::PAGE_MAIL_WHOLE,
    ] {
        let one = first.len() == 1 && second.len() == 1;
        scene.require(rule, one, || {
            let (first, second) = (first.len(), second.len());
            format!("expected one mail for each follower, seen {first} and {second}")
        })?;
    }
    let hashes = [&first[0], &second[0]].map(|sent| sent.object("post").map(|o| &o.hash));
    scene.expect(&req::PAGE_SIGNED_ONCE, hashes[0] == hashes[1], || {
        format!("expected the same object octets for both, seen {hashes:?}")
    });
    let (id, text) = (post.id.clone(), scene.token());
    agent.act(Edit { id, text }).await?;
    agent.sync().await?;
    agent
        .act(Retract {
            id: post.id,
            kind: "post".to_owned(),
        })
        .await?;
    agent.sync().await?;
    for puppet in [&bob, &carol] {
        let edits = mails(&scene, &puppet.address, "post")?.len();
        let retracts = mails(&scene, &puppet.address, "retract")?.len();
        scene.expect(&req::PAGE_EDIT, (edits, retracts) == (2, 1), || {
            let address = &puppet.address;
            format!("expected an edit and a retract to {address}, seen {edits} and {retracts}")
        });
    }
    Ok(())
}

async fn list(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let fans = scene.puppet("Fans")?;
    let mut page = page();
    page.list = Some(fans.address.clone());
    agent.act(page).await?;
    let text = scene.token();
    agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let sent = mails(&scene, &fans.address, "post")?;
    let own = sent.len() == 1 && sent[0].submission.recipients.len() == 1;
    scene.expect(&req::PAGE_LIST, own, || {
        format!("expected one mail to the list, seen {}", sent.len())
    });
    Ok(())
}

async fn carried(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let readers = [scene.puppet("Bob")?, scene.puppet("Carol")?];
    let list = scene.list()?;
    let mut page = page();
    page.list = Some(list.clone());
    agent.act(page).await?;
    let text = scene.token();
    agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let sent = mails(&scene, &list, "post")?;
    let rule = &req::PAGE_LIST;
    let one = match sent.as_slice() {
        [one] => Some(one),
        _ => None,
    };
    let one = scene.require_some(rule, one, || {
        format!("expected one mail to the list, seen {}", sent.len())
    })?;
    let left = one.object("post").map(|post| &post.hash);
    for reader in &readers {
        let rules = [&req::PAGE_MAIL_WHOLE, &req::SEC_OBJECT_SIGNATURE];
        let came = scene.received(one, reader, &rules).await?;
        let came = came.object("post").map(|post| &post.hash);
        scene.expect(rule, left.is_some() && came == left, || {
            let to = &reader.address;
            format!("expected the post {left:?} to come to {to} as it left, seen {came:?}")
        });
    }
    Ok(())
}

async fn not_friends(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    agent.act(page()).await?;
    confirmed(&scene, &agent, &mut bob).await?;
    scene.mail_to(&bob)?;
    let text = scene.token();
    let post = Post {
        text,
        ..Post::default()
    };
    agent.act(post).await?;
    agent.sync().await?;
    let seen = mails(&scene, &bob.address, "post")?;
    scene.expect(&req::FOLLOW_NOT_FRIENDS, seen.is_empty(), || {
        "expected a post for friends not to reach a follower, seen it".to_owned()
    });
    Ok(())
}

async fn address_kept(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let victim = scene.puppet("Victim")?;
    agent.act(page()).await?;
    confirmed(&scene, &agent, &mut bob).await?;
    let own = bob.address.clone();
    bob.address.clone_from(&victim.address);
    bob.renew_contact(scene.now());
    bob.address.clone_from(&own);
    let peer = agent.peer()?;
    let draft = bob.delivery_on_channel(&peer, scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.objects.push(Item::Signed(bob.contact.clone()));
    scene.send(&mut bob, draft).await?;
    let text = scene.token();
    agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let (right, wrong) = (
        mails(&scene, &own, "post")?.len(),
        mails(&scene, &victim.address, "post")?.len(),
    );
    scene.expect(&req::FOLLOW_ADDRESS, (right, wrong) == (1, 0), || {
        format!("expected the post at {own} only, seen {right} there and {wrong} elsewhere")
    });
    Ok(())
}
