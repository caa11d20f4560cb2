//! Comments in groups: they go to all members and are not relayed.

use kith_adapter::act::group::GroupPost;
use kith_adapter::act::thread::Comment;
use kith_forge::kinds::RevisionRef;
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::scene::Scene;
use kith_spec::req;

use super::{expect_shown, named, revision};
use crate::gather;
use crate::groups::circle;

pub(super) fn cases() -> Vec<Case> {
    let case = Case::new(
        "comment/in-group",
        "a comment on a group's post goes to all members, and nobody relays it",
        Rung::Rest,
        &[&req::COMMENT_GROUP],
        in_group,
    );
    vec![case.needs(&["groups/sent"])]
}

async fn in_group(scene: Scene) -> Result<(), Stop> {
    let rule = &req::COMMENT_GROUP;
    let mut circle = circle(&scene).await?;
    let (agent, now) = (circle.agent.clone(), scene.now());
    let post = circle
        .dora
        .group_post_object(&circle.group, &scene.token(), now);
    let post = post.sign(&mut circle.dora.rng);
    let root = RevisionRef::of(&post, "post");
    let empty = circle.dora.deliver_to_group(&circle.group, Vec::new(), now);
    let mut draft = empty.map_err(Stop::harness)?;
    draft.objects = vec![post.into()];
    agent.address().clone_into(&mut draft.mail.to);
    scene.send(&mut circle.dora, draft).await?;
    let text = scene.token();
    agent
        .act(Comment {
            root: named(&root)?,
            parent: None,
            text: text.clone(),
            private: false,
        })
        .await?;
    agent.sync().await?;
    for member in [&circle.carol, &circle.dora] {
        let mails = scene.mail_to(member)?;
        let comment = mails.iter().find_map(|sent| {
            let mail = sent.mail.as_ref().ok()?;
            let group = mail.delivery()?.group.clone()?;
            Some((sent.object("comment")?.audience.clone(), group))
        });
        let wanted = Some(("group".to_owned(), circle.group.hash.to_string()));
        scene.expect(rule, comment == wanted, || {
            let address = &member.address;
            format!("expected a comment for {wanted:?} to {address}, seen {comment:?}")
        });
    }
    unrelayed(&scene, &mut circle).await
}

/// Dora comments on the agent's post: the agent shows it, and hands it to nobody.
async fn unrelayed(scene: &Scene, circle: &mut crate::groups::Circle) -> Result<(), Stop> {
    let rule = &req::COMMENT_GROUP;
    let agent = circle.agent.clone();
    let group = gather::named(&circle.group)?;
    let text = scene.token();
    agent.act(GroupPost { group, text }).await?;
    agent.sync().await?;
    let sent = scene.expect_mail(rule, &circle.dora, "post")?;
    let root = revision(&sent, "post")?;
    let said = scene.token();
    let dora = &mut circle.dora;
    let comment = dora.group_comment_object(&circle.group, &root, &said, scene.now());
    let draft = dora.deliver_to_group(&circle.group, vec![comment], scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    agent.address().clone_into(&mut draft.mail.to);
    scene.send(dora, draft).await?;
    let when = "once it came from a co-member";
    expect_shown(scene, &agent, rule, (&said, true), when).await?;
    agent.jump(2).await?;
    for sent in scene.all_sent()? {
        let relayed = sent.mail.as_ref().is_ok_and(|mail| mail.holds(&said));
        scene.expect(rule, !relayed, || {
            let what = sent.describe();
            format!("expected the comment to be relayed to nobody, seen it in {what}")
        });
    }
    Ok(())
}
