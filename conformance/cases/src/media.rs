//! Chapter “Posts to friends”: media and links.

use kith_adapter::act::media::{Attachment, Content, Fetched};
use kith_adapter::act::object::Edit;
use kith_adapter::act::publishing::Post;
use kith_adapter::protocol::{ObjectRef, Octets};
use kith_adapter::view::media::Media;
use kith_adapter::view::publishing::Entry;
use kith_forge::draft::ObjectDraft;
use kith_forge::media::Medium;
use kith_forge::xml::Element;
use kith_forge::{Hash, Puppet};
use kith_runner::case::{Case, Rung, Stop};
use kith_runner::judge::read::{Form, sha256};
use kith_runner::scene::{Agent, AuthResult, Friendship, Scene, Sent, Who};
use kith_spec::{Rule, limit, req};

use crate::audience::{entry, two_friends};

type Play = std::pin::Pin<Box<dyn Future<Output = Result<(), Stop>> + Send>>;

/// The cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |id, title, rules: &[Rule], play: fn(Scene) -> Play| {
        Case::new(id, title, Rung::Rest, rules, play).needs(&["post/received"])
    };
    vec![
        case(
            "media/sent",
            "the media of a post go along to every friend, and not again with an edit",
            &[&req::MEDIA_PART],
            |scene| Box::pin(sent(scene)),
        ),
        case(
            "media/split",
            "media that are too large for one mail leave in several, each with the post",
            &[&req::MEDIA_SPLIT],
            |scene| Box::pin(split(scene)),
        ),
        case(
            "media/metadata-removed",
            "a picture leaves without what the camera wrote into it",
            &[&req::MEDIA_METADATA],
            |scene| Box::pin(metadata(scene)),
        ),
        case(
            "media/received",
            "the person sees what a friend attached, and saves the same octets",
            &[&req::MEDIA_PART, &req::MEDIA_INLINE],
            |scene| Box::pin(received(scene)),
        ),
        case(
            "media/missing-and-late",
            "a post is shown without its picture, which is taken when it comes",
            &[&req::MEDIA_MISSING, &req::MEDIA_LATE],
            |scene| Box::pin(late(scene)),
        ),
        case(
            "media/of-another-size-or-type",
            "a part of another size or type than the post says is no medium of it",
            &[&req::MEDIA_MATCH],
            |scene| Box::pin(mismatched(scene)),
        ),
        case(
            "media/unlisted",
            "a part to which nothing refers is not kept",
            &[&req::MEDIA_UNLISTED],
            |scene| Box::pin(unlisted(scene)),
        ),
        case(
            "media/kept",
            "a picture of an earlier post is shown again without coming again",
            &[&req::MEDIA_KEPT],
            |scene| Box::pin(kept(scene)),
        ),
        case(
            "media/active-content",
            "a drawing with scripts and a page are not shown in place",
            &[&req::MEDIA_INLINE],
            |scene| Box::pin(active(scene)),
        ),
        case(
            "link/checked",
            "what was fetched counts only if it is what the post says",
            &[&req::LINK_CHECK],
            |scene| Box::pin(link(scene, None)),
        ),
        case(
            "link/encrypted",
            "what was fetched and is encrypted is opened with the post's password",
            &[&req::LINK_PASSWORD, &req::LINK_CHECK],
            |scene| Box::pin(encrypted(scene)),
        ),
    ]
}

/// A PNG of one pixel.
const PIXEL: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 6, 0,
    0, 0, 31, 21, 196, 137, 0, 0, 0, 13, 73, 68, 65, 84, 120, 218, 99, 252, 207, 192, 80, 15, 0, 4,
    133, 1, 128, 132, 169, 140, 33, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130,
];

/// The pixel with a text that a camera might have left.
fn marked(text: &str) -> Vec<u8> {
    let mut chunk = b"tEXt".to_vec();
    chunk.extend(b"Comment\0");
    chunk.extend(text.as_bytes());
    let checksum = crc32(&chunk);
    let length = u32::try_from(chunk.len() - 4).unwrap_or(u32::MAX);
    [
        &PIXEL[..33],
        &length.to_be_bytes(),
        &chunk,
        &checksum.to_be_bytes(),
        &PIXEL[33..],
    ]
    .concat()
}

/// The checksum of PNG (ISO 3309).
fn crc32(octets: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for octet in octets {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1));
        }
    }
    !crc
}

fn attachment(media_type: &str, octets: Vec<u8>) -> Attachment {
    Attachment {
        media_type: media_type.to_owned(),
        content: Content::Octets(Octets(octets)),
        name: None,
        alt: Some("for those who don't see it".to_owned()),
        caption: None,
    }
}

/// The media parts of a mail: type and octets.
fn parts(sent: &Sent) -> Vec<(String, Vec<u8>)> {
    let Ok(mail) = &sent.mail else {
        return Vec::new();
    };
    let Form::Sealed { payload, .. } = &mail.form else {
        return Vec::new();
    };
    let media = payload.root.walk().into_iter().filter(|part| {
        let kind = part.media_type.as_str();
        !kind.starts_with("text/")
            && !kind.starts_with("multipart/")
            && !kind.starts_with("application/kith")
            && kind != "application/pgp-keys"
    });
    media
        .map(|part| (part.media_type.clone(), part.body.clone()))
        .collect()
}

async fn friend(scene: &Scene) -> Result<(Agent, Puppet, Friendship), Stop> {
    let agent = scene.agent().await?;
    let mut bob = scene.puppet("Bob")?;
    let friendship = scene.befriend(&mut bob, Who::Puppet).await?;
    scene.mail_to(&bob)?;
    Ok((agent, bob, friendship))
}

async fn sent(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, carol) = two_friends(&scene).await?;
    let file = scene.token().into_bytes();
    let post = Post {
        text: scene.token(),
        media: vec![
            attachment("image/png", PIXEL.to_vec()),
            attachment("application/zip", file.clone()),
        ],
        ..Post::default()
    };
    let id = agent.act(post).await?.id;
    agent.sync().await?;
    for puppet in [&bob, &carol] {
        let copy = scene.expect_mail(&req::MEDIA_PART, puppet, "post")?;
        let named: Vec<_> = copy
            .object("post")
            .into_iter()
            .flat_map(|object| object.payload.all("media"))
            .map(|medium| {
                let said = |name| medium.attribute(name).unwrap_or_default().to_owned();
                (said("type"), said("hash"))
            })
            .collect();
        let there: Vec<_> = parts(&copy)
            .into_iter()
            .map(|(kind, octets)| (kind, sha256(&octets)))
            .collect();
        let complete = named.len() == 2 && named.iter().all(|one| there.contains(one));
        scene.expect(&req::MEDIA_PART, complete, || {
            format!("expected a part for each of {named:?}, seen {there:?}")
        });
        let file = sha256(&file);
        scene.expect(
            &req::MEDIA_PART,
            named.iter().any(|(_, hash)| *hash == file),
            || "expected the file as it was given, seen others".to_owned(),
        );
    }
    let text = scene.token();
    agent.act(Edit { id, text }).await?;
    agent.sync().await?;
    let edit = scene.expect_mail(&req::MEDIA_PART, &bob, "post")?;
    let still = edit
        .object("post")
        .map(|object| object.payload.all("media").count());
    scene.expect(&req::MEDIA_PART, still == Some(2), || {
        format!("expected the edit to refer to both media, seen {still:?}")
    });
    Ok(())
}

async fn split(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friend(&scene).await?;
    let most = usize::try_from(limit::DELIVERY_MEDIA_OCTETS).map_err(Stop::harness)?;
    let file = |token: String| token.repeat(most / 2 / token.len() + 1).into_bytes();
    let files = [file(scene.token()), file(scene.token())];
    let post = Post {
        text: scene.token(),
        media: files
            .iter()
            .map(|file| attachment("application/zip", file.clone()))
            .collect(),
        ..Post::default()
    };
    agent.act(post).await?;
    agent.sync().await?;
    let mails = scene.mail_to(&bob)?;
    let mut posts: Vec<_> = mails.iter().map(|mail| mail.object("post")).collect();
    posts.dedup_by_key(|post| post.map(|post| &post.hash));
    scene.expect(&req::MEDIA_SPLIT, matches!(posts[..], [Some(_)]), || {
        let seen: Vec<_> = mails.iter().map(|mail| mail.describe()).collect();
        format!("expected the same post in each mail, seen {seen:?}")
    });
    let carried: Vec<Vec<_>> = mails.iter().map(|mail| parts(mail)).collect();
    let sizes = |mail: &Vec<(_, Vec<u8>)>| mail.iter().map(|(_, part)| part.len()).sum::<usize>();
    let sizes: Vec<_> = carried.iter().map(sizes).collect();
    let within = sizes.iter().all(|size| (1..=most).contains(size));
    scene.expect(&req::MEDIA_SPLIT, within, || {
        format!("expected media of at most {most} octets in each mail, seen {sizes:?}")
    });
    let mut all = carried.iter().flatten().map(|(_, part)| part);
    let arrived = files
        .iter()
        .all(|file| all.clone().any(|part| part == file));
    scene.expect(&req::MEDIA_SPLIT, arrived, || {
        let seen = all.by_ref().count();
        format!("expected both files, seen {seen} that may be others")
    });
    Ok(())
}

async fn metadata(scene: Scene) -> Result<(), Stop> {
    let (agent, bob, _) = friend(&scene).await?;
    let place = scene.token();
    let post = Post {
        text: scene.token(),
        media: vec![attachment("image/png", marked(&place))],
        ..Post::default()
    };
    agent.act(post).await?;
    agent.sync().await?;
    let copy = scene.expect_mail(&req::MEDIA_METADATA, &bob, "post")?;
    let pictures = parts(&copy);
    let told = pictures.iter().any(|(_, octets)| {
        octets
            .windows(place.len())
            .any(|window| window == place.as_bytes())
    });
    scene.expect(&req::MEDIA_METADATA, !pictures.is_empty() && !told, || {
        format!(
            "expected a picture without the text in it, seen {} parts",
            pictures.len()
        )
    });
    Ok(())
}

/// A post with media, and the parts that go along.
async fn post(
    scene: &Scene,
    (bob, friendship): (&mut Puppet, &Friendship),
    media: Vec<Element>,
    carried: Vec<Medium>,
) -> Result<(String, ObjectDraft), Stop> {
    let text = scene.token();
    let mut object = bob.post_object(&text, scene.now());
    object.payload = object.payload.children(media);
    hand(scene, bob, friendship, &object, carried).await?;
    Ok((text, object))
}

async fn hand(
    scene: &Scene,
    bob: &mut Puppet,
    friendship: &Friendship,
    object: &ObjectDraft,
    carried: Vec<Medium>,
) -> Result<(), Stop> {
    let draft = bob.carry(&friendship.peer, vec![object.clone()], scene.now());
    let mut draft = draft.map_err(Stop::harness)?;
    draft.media = carried;
    let mail = scene.write(bob, draft)?;
    scene.deliver_unjudged(&mail, AuthResult::Pass)?;
    scene.agent().await?.sync().await?;
    Ok(())
}

/// The post with this text: it must be shown.
async fn shown(scene: &Scene, agent: &Agent, rule: Rule, text: &str) -> Result<Entry, Stop> {
    let found = entry(agent, text).await?;
    scene.require_some(rule, found, || {
        format!("expected the post `{text}` to be shown, seen nothing of it")
    })
}

async fn octets(agent: &Agent, entry: &Entry) -> Result<Option<Vec<u8>>, Stop> {
    let of = ObjectRef {
        author: entry.author.clone(),
        id: entry.id.clone(),
    };
    let content = agent.view(Media { of, position: 0 }).await?;
    Ok(content.into_iter().next().map(|content| content.octets.0))
}

/// Whether the first medium of a post is here.
fn available(entry: &Entry) -> bool {
    entry.media.first().is_some_and(|medium| medium.available)
}

async fn received(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let picture = Medium::new("image/jpeg", scene.token());
    let (text, _) = post(
        &scene,
        (&mut bob, &friendship),
        vec![picture.element("media")],
        vec![picture.clone()],
    )
    .await?;
    let entry = shown(&scene, &agent, &req::MEDIA_PART, &text).await?;
    scene.expect(&req::MEDIA_PART, available(&entry), || {
        format!("expected the picture to be here, seen {:?}", entry.media)
    });
    let inline = entry.media.first().is_some_and(|medium| medium.inline);
    scene.expect(&req::MEDIA_INLINE, inline, || {
        "expected a JPEG to be shown in place, seen it offered only".to_owned()
    });
    let saved = octets(&agent, &entry).await?;
    scene.expect(&req::MEDIA_PART, saved == Some(picture.octets), || {
        format!(
            "expected the octets that were sent, seen {:?}",
            saved.map(|o| o.len())
        )
    });
    Ok(())
}

async fn late(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let picture = Medium::new("image/jpeg", scene.token());
    let alt = scene.token();
    let element = picture
        .element("media")
        .child(Element::new("alt").text(&alt));
    let (text, object) = post(&scene, (&mut bob, &friendship), vec![element], Vec::new()).await?;
    let entry = shown(&scene, &agent, &req::MEDIA_MISSING, &text).await?;
    let instead = entry.media.first().and_then(|medium| medium.alt.clone());
    let right = !available(&entry) && instead.as_deref() == Some(&*alt);
    scene.expect(&req::MEDIA_MISSING, right, || {
        format!(
            "expected `{alt}` in the picture's place, seen {:?}",
            entry.media
        )
    });
    hand(
        &scene,
        &mut bob,
        &friendship,
        &object,
        vec![picture.clone()],
    )
    .await?;
    let entry = shown(&scene, &agent, &req::MEDIA_LATE, &text).await?;
    let saved = octets(&agent, &entry).await?;
    scene.expect(
        &req::MEDIA_LATE,
        available(&entry) && saved == Some(picture.octets),
        || "expected the picture to be taken when it comes, seen it missing".to_owned(),
    );
    Ok(())
}

async fn mismatched(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let one = Medium::new("image/jpeg", scene.token());
    let shorter = one.element("media").attribute("size", 3);
    let two = Medium::new("image/jpeg", scene.token());
    let mut other = two.clone();
    other.media_type = "image/svg+xml".to_owned();
    for (element, carried) in [(shorter, one), (two.element("media"), other)] {
        let (text, _) = post(
            &scene,
            (&mut bob, &friendship),
            vec![element],
            vec![carried],
        )
        .await?;
        let entry = shown(&scene, &agent, &req::MEDIA_MATCH, &text).await?;
        let saved = octets(&agent, &entry).await?;
        scene.expect(
            &req::MEDIA_MATCH,
            !available(&entry) && saved.is_none(),
            || "expected the part not to be taken, seen it".to_owned(),
        );
    }
    Ok(())
}

async fn unlisted(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let picture = Medium::new("image/jpeg", scene.token());
    post(
        &scene,
        (&mut bob, &friendship),
        Vec::new(),
        vec![picture.clone()],
    )
    .await?;
    let (text, _) = post(
        &scene,
        (&mut bob, &friendship),
        vec![picture.element("media")],
        Vec::new(),
    )
    .await?;
    let entry = shown(&scene, &agent, &req::MEDIA_UNLISTED, &text).await?;
    scene.expect(&req::MEDIA_UNLISTED, !available(&entry), || {
        "expected the unlisted part to be forgotten, seen it in a later post".to_owned()
    });
    Ok(())
}

async fn kept(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let picture = Medium::new("image/jpeg", scene.token());
    let element = || vec![picture.element("media")];
    let with = vec![picture.clone()];
    post(&scene, (&mut bob, &friendship), element(), with).await?;
    let (text, _) = post(&scene, (&mut bob, &friendship), element(), Vec::new()).await?;
    let entry = shown(&scene, &agent, &req::MEDIA_KEPT, &text).await?;
    scene.expect(&req::MEDIA_KEPT, available(&entry), || {
        "expected the picture of the earlier post, seen it missing".to_owned()
    });
    // Somebody else who knows the hash learns nothing of what is here.
    let mut carol = scene.puppet("Carol")?;
    let other = scene.befriend(&mut carol, Who::Puppet).await?;
    let (text, _) = post(&scene, (&mut carol, &other), element(), Vec::new()).await?;
    let entry = shown(&scene, &agent, &req::MEDIA_KEPT, &text).await?;
    scene.expect(&req::MEDIA_KEPT, !available(&entry), || {
        "expected another author's post to lack the picture, seen it there".to_owned()
    });
    Ok(())
}

async fn active(scene: Scene) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    for media_type in ["image/svg+xml", "application/xhtml+xml", "application/pdf"] {
        // What the octets look like plays no part.
        let medium = Medium::new(media_type, [PIXEL, scene.token().as_bytes()].concat());
        let (text, _) = post(
            &scene,
            (&mut bob, &friendship),
            vec![medium.element("media")],
            vec![medium.clone()],
        )
        .await?;
        let entry = shown(&scene, &agent, &req::MEDIA_INLINE, &text).await?;
        let inline = entry.media.iter().any(|medium| medium.inline);
        scene.expect(&req::MEDIA_INLINE, available(&entry) && !inline, || {
            format!(
                "expected {media_type} to be offered for saving only, seen {:?}",
                entry.media
            )
        });
    }
    Ok(())
}

/// A post with a link to these octets, under a password or not, whose content is `content`.
async fn link(scene: Scene, locked: Option<(Vec<u8>, Vec<u8>, String)>) -> Result<(), Stop> {
    let (agent, mut bob, friendship) = friend(&scene).await?;
    let plain = scene.token().into_bytes();
    let (at_source, content, password) = match locked {
        Some((at_source, content, password)) => (at_source, content, Some(password)),
        None => (plain.clone(), plain, None),
    };
    let mut source = Element::new("source").attribute("href", "https://files.b.test/film");
    if let Some(password) = &password {
        source.set("password", password);
    }
    let element = Element::new("media")
        .attribute("hash", Hash::of(&at_source))
        .attribute("size", at_source.len())
        .attribute("type", "video/mp4")
        .child(source);
    let (text, _) = post(&scene, (&mut bob, &friendship), vec![element], Vec::new()).await?;
    let entry = shown(&scene, &agent, &req::LINK_CHECK, &text).await?;
    let fetched = |octets: Vec<u8>| Fetched {
        of: ObjectRef {
            author: entry.author.clone(),
            id: entry.id.clone(),
        },
        position: 0,
        octets: Octets(octets),
    };
    let mut wrong = at_source.clone();
    wrong.push(b'!');
    let taken = agent.try_act(fetched(wrong)).await?.is_ok();
    let here = octets(&agent, &entry).await?;
    scene.expect(&req::LINK_CHECK, !taken && here.is_none(), || {
        "expected other octets to be dropped, seen them taken".to_owned()
    });
    agent.act(fetched(at_source)).await?;
    let here = octets(&agent, &entry).await?;
    let rule = match password {
        Some(_) => &req::LINK_PASSWORD,
        None => &req::LINK_CHECK,
    };
    scene.expect(rule, here == Some(content), || {
        format!(
            "expected the medium, seen {:?} octets",
            here.map(|octets| octets.len())
        )
    });
    Ok(())
}

async fn encrypted(scene: Scene) -> Result<(), Stop> {
    let content = scene.token().into_bytes();
    let password = "0123456789abcdef0123456789abcdef".to_owned();
    let mut rng = scene.rng("locked medium");
    let at_source = kith_forge::openpgp::encrypt_with_password(&mut rng, &password, &content)
        .map_err(Stop::harness)?;
    link(scene, Some((at_source, content, password))).await
}
