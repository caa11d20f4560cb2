//! Section “Comments” of chapter “Pages”: what followers say, and what the page passes on.

use std::sync::Arc;

use kith_adapter::act::object::{Edit, Retract};
use kith_adapter::act::pages::{PageCreate, PagePost};
use kith_adapter::act::thread::{Comment, Hide};
use kith_adapter::view::publishing::Timeline;
use kith_forge::Puppet;
use kith_forge::draft::SignedObject;
use kith_forge::kinds::{RevisionRef, ack};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::Mail;
use kith_runner::scene::{Agent, AuthResult, Scene, Sent};
use kith_spec::{Rule, req};

use super::{confirmed, followed, mails};
use crate::comments::{expect_shown, named, revision, send};
use crate::faults::page;

pub(super) fn cases() -> Vec<Case> {
    let needs = ["page/published"];
    let cases = [
        Case::new(
            "page/comments/relayed",
            "a follower's comment goes on to all followers, with the chain of its author, and so does its retract",
            Rung::Rest,
            &[&req::PAGE_RELAY, &req::PAGE_DELIVERED],
            relayed,
        ),
        Case::new(
            "page/comments/closed",
            "a page that takes no comments takes none",
            Rung::Rest,
            &[&req::PAGE_COMMENTS],
            closed,
        ),
        Case::new(
            "page/comments/without-consent",
            "a comment for the page alone is shown to its person, and not passed on",
            Rung::Rest,
            &[&req::PAGE_RELAY_CONSENT],
            without_consent,
        ),
        Case::new(
            "page/comments/own",
            "what the page itself says, and what it hides, goes to all followers",
            Rung::Rest,
            &[&req::COMMENT_TO_AUTHOR, &req::HIDE_SENT],
            own,
        ),
        Case::new(
            "page/comments/followers-only",
            "a follower's comment is taken, and its post for friends is not",
            Rung::Rest,
            &[&req::FOLLOW_NOT_FRIENDS],
            followers_only,
        ),
        Case::new(
            "page/comments/written",
            "the person's comment under a page's post goes to the page alone, which acknowledges it",
            Rung::Rest,
            &[&req::COMMENT_TO_AUTHOR, &req::ACK_UNACKNOWLEDGED],
            written,
        ),
    ];
    cases.into_iter().map(|case| case.needs(&needs)).collect()
}

/// The agent's page, which takes comments, with two followers and a post.
struct Club {
    agent: Agent,
    bob: Puppet,
    carol: Puppet,
    root: RevisionRef,
}

fn takes_comments(comments: bool) -> PageCreate {
    PageCreate { comments, ..page() }
}

async fn club(scene: &Scene) -> Result<Club, Stop> {
    let agent = scene.agent().await?;
    agent.act(takes_comments(true)).await?;
    let (mut bob, mut carol) = (scene.puppet("Bob")?, scene.puppet("Carol")?);
    confirmed(scene, &agent, &mut bob).await?;
    confirmed(scene, &agent, &mut carol).await?;
    let text = scene.token();
    agent.act(PagePost { text }).await?;
    agent.sync().await?;
    let posted = mails(scene, &carol.address, "post")?;
    let none = || "expected the page's post to reach its followers, seen none".to_owned();
    let posted = scene.require_some(&req::PAGE_EDIT, posted.last(), none)?;
    Ok(Club {
        root: revision(posted, "post")?,
        agent,
        bob,
        carol,
    })
}

impl Club {
    /// A comment of Bob, signed.
    fn comment(&mut self, scene: &Scene, audience: &str, text: &str) -> SignedObject {
        let mut comment = self.bob.comment_object(&self.root, None, text, scene.now());
        audience.clone_into(&mut comment.audience);
        comment.sign(&mut scene.rng(text))
    }

    async fn hear(&mut self, scene: &Scene, object: &SignedObject) -> Result<(), Stop> {
        let page = self.agent.peer()?;
        send(scene, &mut self.bob, &page, object).await
    }

    /// The mails with an object of this hash that went to Carol.
    fn copies(&self, scene: &Scene, object: &SignedObject) -> Result<Vec<Arc<Sent>>, Stop> {
        let hash = object.hash.to_string();
        let mut found = scene.all_sent()?;
        found.retain(|sent| {
            let mut to = sent.submission.recipients.iter();
            let mut objects = sent.mail.iter().flat_map(Mail::readable);
            to.any(|to| *to == self.carol.address) && objects.any(|object| object.hash == hash)
        });
        Ok(found)
    }

    fn expect_copies(
        &self,
        scene: &Scene,
        rule: Rule,
        object: &SignedObject,
        expected: usize,
    ) -> Result<Vec<Arc<Sent>>, Stop> {
        let found = self.copies(scene, object)?;
        scene.expect(rule, found.len() == expected, || {
            let seen = found.len();
            format!("expected {expected} mails with the object to a follower, seen {seen}")
        });
        Ok(found)
    }
}

async fn relayed(scene: Scene) -> Result<(), Stop> {
    let mut club = club(&scene).await?;
    let id = named(&club.root)?.id;
    // The comment answers a revision that its author read, and that is not the newest.
    let text = scene.token();
    club.agent.act(Edit { id, text }).await?;
    club.agent.sync().await?;
    let text = scene.token();
    let said = club.comment(&scene, "public", &text);
    club.hear(&scene, &said).await?;
    let rule = &req::PAGE_DELIVERED;
    expect_shown(&scene, &club.agent, rule, (&text, true), "under the post").await?;
    club.agent.jump(1).await?;
    let rule = &req::PAGE_RELAY;
    let relayed = club.expect_copies(&scene, rule, &said, 1)?;
    expect_whole(&scene, &club, &relayed, &said);
    // The same again has no second effect.
    club.hear(&scene, &said).await?;
    let root = &club.root;
    let retract = club.bob.comment_retract_object(said.key, root, scene.now());
    let mut retract = retract;
    "public".clone_into(&mut retract.audience);
    let retract = retract.sign(&mut scene.rng("retract"));
    club.agent.jump(1).await?;
    club.expect_copies(&scene, rule, &said, 1)?;
    club.hear(&scene, &retract).await?;
    club.agent.jump(1).await?;
    let relayed = club.expect_copies(&scene, rule, &retract, 1)?;
    expect_whole(&scene, &club, &relayed, &retract);
    Ok(())
}

/// Expects open mail that holds what a reader needs to judge the object, and no more.
fn expect_whole(scene: &Scene, club: &Club, relayed: &[Arc<Sent>], said: &SignedObject) {
    let (hash, author) = (said.hash.to_string(), club.bob.id.to_string());
    for mail in relayed.iter().filter_map(|sent| sent.mail.as_ref().ok()) {
        let of_bob = |kind: &str| {
            let mut objects = mail.readable();
            objects.any(|object| object.kind == kind && object.author == author)
        };
        let listed = mail.readable().any(|object| {
            let mut named = object.payload.all("object");
            object.kind == "relay" && named.any(|named| named.attribute("hash") == Some(&hash))
        });
        let open = mail.delivery().is_none();
        let whole = open && listed && of_bob("identity") && !of_bob("contact");
        scene.expect(&req::PAGE_RELAY, whole, || {
            "expected open mail with a relay that names the object, and its author's chain without \
             contact, seen another"
                .to_owned()
        });
    }
}

async fn closed(scene: Scene) -> Result<(), Stop> {
    let mut club = club(&scene).await?;
    let rule = &req::PAGE_COMMENTS;
    let (early, late) = (scene.token(), scene.token());
    club.agent.act(takes_comments(false)).await?;
    club.agent.sync().await?;
    let said = club.comment(&scene, "public", &early);
    club.hear(&scene, &said).await?;
    club.agent.jump(1).await?;
    let when = "where the page takes none";
    expect_shown(&scene, &club.agent, rule, (&early, false), when).await?;
    club.expect_copies(&scene, rule, &said, 0)?;
    club.agent.act(takes_comments(true)).await?;
    club.agent.sync().await?;
    let said = club.comment(&scene, "public", &late);
    club.hear(&scene, &said).await?;
    let when = "where the page takes them";
    expect_shown(&scene, &club.agent, rule, (&late, true), when).await
}

async fn without_consent(scene: Scene) -> Result<(), Stop> {
    let mut club = club(&scene).await?;
    let rule = &req::PAGE_RELAY_CONSENT;
    let (private, public) = (scene.token(), scene.token());
    let secret = club.comment(&scene, "direct", &private);
    club.hear(&scene, &secret).await?;
    expect_shown(&scene, &club.agent, rule, (&private, true), "to the page").await?;
    let said = club.comment(&scene, "public", &public);
    club.hear(&scene, &said).await?;
    club.agent.jump(1).await?;
    club.expect_copies(&scene, rule, &secret, 0)?;
    club.expect_copies(&scene, rule, &said, 1)?;
    Ok(())
}

async fn own(scene: Scene) -> Result<(), Stop> {
    let mut club = club(&scene).await?;
    let answer = Comment {
        root: named(&club.root)?,
        parent: None,
        text: scene.token(),
        private: false,
    };
    club.agent.act(answer).await?;
    club.agent.sync().await?;
    for puppet in [&club.bob, &club.carol] {
        let copies = mails(&scene, &puppet.address, "comment")?.len();
        scene.expect(&req::COMMENT_TO_AUTHOR, copies == 1, || {
            let address = &puppet.address;
            format!("expected the page's comment once at {address}, seen {copies} copies")
        });
    }
    let text = scene.token();
    let said = club.comment(&scene, "public", &text);
    club.hear(&scene, &said).await?;
    let target = named(&RevisionRef::of(&said, "comment"))?;
    club.agent.act(Hide { target }).await?;
    club.agent.sync().await?;
    let copies = mails(&scene, &club.carol.address, "hide")?.len();
    scene.expect(&req::HIDE_SENT, copies == 1, || {
        format!("expected the hide once at a follower, seen {copies} copies")
    });
    let (id, kind) = (named(&club.root)?.id, "post".to_owned());
    club.agent.act(Retract { id, kind }).await?;
    Ok(())
}

async fn followers_only(scene: Scene) -> Result<(), Stop> {
    let mut club = club(&scene).await?;
    let rule = &req::FOLLOW_NOT_FRIENDS;
    let page = club.agent.peer()?;
    let text = scene.token();
    let post = club.bob.post(&page, &text, scene.now());
    let mail = scene.write(&mut club.bob, post.map_err(Stop::harness)?)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    club.agent.sync().await?;
    let timeline = club.agent.view(Timeline {}).await?;
    let shown = timeline.iter().any(|entry| entry.text == text);
    scene.expect(rule, !shown, || {
        "expected a follower's post for friends not to be shown, seen it".to_owned()
    });
    let text = scene.token();
    let said = club.comment(&scene, "public", &text);
    club.hear(&scene, &said).await?;
    expect_shown(&scene, &club.agent, rule, (&text, true), "of a follower").await
}

async fn written(scene: Scene) -> Result<(), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    followed(&scene, &agent, &mut bob).await?;
    let post = bob.public_post_object(&scene.token(), scene.now());
    let post = post.sign(&mut scene.rng("post"));
    let face = bob.page_object("What we do, and when.", scene.now());
    let mut draft = bob.public_mail(agent.address(), face, Vec::new(), scene.now());
    draft.objects.push(post.clone().into());
    scene.send(&mut bob, draft).await?;
    let comment = Comment {
        root: named(&RevisionRef::of(&post, "post"))?,
        parent: None,
        text: scene.token(),
        private: false,
    };
    agent.act(comment).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(&req::COMMENT_TO_AUTHOR, &bob, "comment")?;
    let delivery = sent.mail.as_ref().ok().and_then(|mail| mail.delivery());
    let channel = delivery.and_then(|delivery| delivery.channel.clone());
    let channel = scene.require_some(&req::COMMENT_TO_AUTHOR, channel, || {
        "expected the comment in a sealed and numbered delivery, seen another".to_owned()
    })?;
    let id = channel.id.parse().map_err(Stop::harness)?;
    let upto = i64::try_from(channel.seq).map_err(Stop::harness)?;
    let bare = bob.acknowledge(&agent.peer()?, vec![ack(id, upto)], scene.now());
    scene.send(&mut bob, bare.map_err(Stop::harness)?).await?;
    agent.jump(8).await?;
    let again = mails(&scene, &bob.address, "comment")?.len();
    scene.expect(&req::ACK_UNACKNOWLEDGED, again == 1, || {
        format!("expected nothing sent again that the page acknowledged, seen {again} copies")
    });
    Ok(())
}
