//! Faults and unusual mail of the section "Media" of chapter "Posts to friends".

use kith_spec::req;

use super::{Base, Fault, Scene};
use crate::draft::{Draft, ObjectDraft};
use crate::hash::Hash;
use crate::media::Medium;
use crate::xml::Element;

/// One more octet than a medium may have.
const TOO_LARGE: u64 = kith_spec::limit::MEDIA_OCTETS + 1;

pub(super) fn faults() -> Vec<Fault> {
    [refused(), accepted(), parts()].concat()
}

/// What a camera made, as far as anybody looks.
fn picture(scene: &Scene) -> Medium {
    Medium::new("image/jpeg", format!("\u{0}a picture of {}", scene.text))
}

fn thumbnail(scene: &Scene) -> Medium {
    Medium::new("image/jpeg", format!("\u{0}a thumbnail of {}", scene.text))
}

fn add(object: &mut ObjectDraft, medium: Element) {
    object.payload = object.payload.clone().child(medium);
}

/// Adds a medium to the post of a draft.
fn attach(draft: &mut Draft, medium: Element) {
    let object = draft.objects.last_mut();
    if let Some(object) = object.and_then(|item| item.draft()) {
        add(object, medium);
    }
}

fn post(
    id: &'static str,
    title: &'static str,
    rule: kith_spec::Rule,
    change: fn(&mut Scene, &mut ObjectDraft),
) -> Fault {
    Fault::new(id, title, rule, Base::Post).object(change)
}

fn refused() -> Vec<Fault> {
    let thumbnails = &req::MEDIA_THUMBNAIL;
    vec![
        post(
            "posts/empty",
            "a post with neither text nor medium",
            &req::POST_CONTENT,
            |_, object| object.payload.remove("text"),
        ),
        post(
            "posts/media-too-large",
            "a post that refers to a medium larger than mail may carry",
            &req::MEDIA_TOO_LARGE,
            |scene, object| {
                let medium = picture(scene).element("media").attribute("size", TOO_LARGE);
                add(object, medium);
            },
        ),
        post(
            "posts/thumbnail-svg",
            "a post with a thumbnail that is no picture of pixels",
            thumbnails,
            |scene, object| {
                let preview = Medium::new("image/svg+xml", "<svg/>").element("thumbnail");
                add(object, picture(scene).element("media").child(preview));
            },
        ),
        post(
            "posts/thumbnail-too-large",
            "a post with a thumbnail that is larger than one may be",
            thumbnails,
            |scene, object| {
                let size = kith_spec::limit::THUMBNAIL_OCTETS + 1;
                let preview = thumbnail(scene)
                    .element("thumbnail")
                    .attribute("size", size);
                add(object, picture(scene).element("media").child(preview));
            },
        ),
    ]
}

fn sealed(
    id: &'static str,
    title: &'static str,
    rule: kith_spec::Rule,
    change: fn(&mut Scene, &mut Draft),
) -> Fault {
    Fault::new(id, title, rule, Base::Post)
        .accepted()
        .sealed(change)
}

fn accepted() -> Vec<Fault> {
    vec![
        sealed(
            "accepted/post-album",
            "a post with two pictures, a thumbnail and a file",
            &req::MEDIA_PART,
            |scene, draft| {
                let (first, preview) = (picture(scene), thumbnail(scene));
                let second = Medium::new("image/png", format!("\u{0}another, {}", scene.text));
                let file = Medium::new("application/pdf", format!("\u{0}a file, {}", scene.text));
                let described = first
                    .element("media")
                    .attribute("width", 1600)
                    .attribute("height", 1200)
                    .child(Element::new("alt").text("A house under snow"))
                    .child(Element::new("caption").text("This morning"))
                    .child(preview.element("thumbnail"));
                attach(draft, described);
                attach(draft, second.element("media"));
                attach(draft, file.element("media").attribute("name", "map.pdf"));
                draft.media.extend([first, preview, second, file]);
            },
        ),
        sealed(
            "accepted/post-link",
            "a post with a link to a large encrypted film",
            &req::LINK_ON_REQUEST,
            |scene, draft| {
                let source = Element::new("source")
                    .attribute("href", "https://files.a.test/film")
                    .attribute("password", "0123456789abcdef0123456789abcdef");
                let medium = Element::new("media")
                    .attribute("hash", Hash::of(scene.text.as_bytes()))
                    .attribute("size", 734_003_200)
                    .attribute("type", "video/mp4")
                    .attribute("name", "trip.mp4")
                    .child(Element::new("alt").text("The film of our trip"))
                    .child(source);
                attach(draft, medium);
            },
        )
        .also(&req::LINK_PASSWORD),
        sealed(
            "accepted/post-mention",
            "a post that speaks of its reader",
            &req::POST_MENTION,
            |scene, draft| {
                let mention = Element::new("mention")
                    .attribute("id", scene.recipient.id)
                    .attribute("name", "you");
                attach(draft, mention);
            },
        ),
        sealed(
            "accepted/post-of-pictures",
            "a post without text",
            &req::MEDIA_INLINE,
            |scene, draft| {
                let medium = picture(scene);
                let text = scene.text.clone();
                let object = draft.objects.last_mut().and_then(|item| item.draft());
                if let Some(object) = object {
                    object.payload.remove("text");
                    let alt = Element::new("alt").text(text);
                    add(object, medium.element("media").child(alt));
                }
                draft.media.push(medium);
            },
        ),
    ]
}

fn parts() -> Vec<Fault> {
    vec![
        sealed(
            "accepted/media-unlisted",
            "a part to which no object refers",
            &req::MEDIA_UNLISTED,
            |scene, draft| draft.media.push(picture(scene)),
        ),
        sealed(
            "accepted/media-missing",
            "a post whose picture is not in the mail",
            &req::MEDIA_MISSING,
            |scene, draft| attach(draft, picture(scene).element("media")),
        )
        .also(&req::MEDIA_LATE)
        .also(&req::MEDIA_KEPT),
        sealed(
            "accepted/media-other-size",
            "a post whose picture has another size than the post says",
            &req::MEDIA_MATCH,
            |scene, draft| {
                let medium = picture(scene);
                attach(draft, medium.element("media").attribute("size", 5));
                draft.media.push(medium);
            },
        ),
        sealed(
            "accepted/media-other-type",
            "a post whose picture comes as something else",
            &req::MEDIA_MATCH,
            |scene, draft| {
                let mut medium = picture(scene);
                attach(draft, medium.element("media"));
                medium.media_type = "image/svg+xml".to_owned();
                draft.media.push(medium);
            },
        ),
    ]
}
