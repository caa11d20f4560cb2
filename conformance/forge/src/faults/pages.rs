//! Faults of the chapter "Pages", and public mail that is unusual and valid.

use kith_spec::req;

use super::{Base, Fault};
use crate::draft::Item;
use crate::hash::Id128;
use crate::instant::DAY;
use crate::kinds::RequestOptions;
use crate::mime::{Part, TransferEncoding};

pub(super) fn faults() -> Vec<Fault> {
    [page(), openness(), lists(), follow(), relays()].concat()
}

fn relays() -> Vec<Fault> {
    vec![
        Fault::new(
            "pages/comment-unlisted",
            "a comment in a public mail that no relay of the page names",
            &req::PAGE_RELAY_LISTED,
            Base::Relay,
        )
        .in_object()
        .open(|scene, draft| {
            let author = scene.author.id;
            let kind = |item: &mut Item| item.draft().map(|o| (o.author, o.payload.name.clone()));
            let relay = Some((author, "relay".to_owned()));
            draft.objects.retain_mut(|item| kind(item) != relay);
        }),
    ]
}

fn page() -> Vec<Fault> {
    let characters = &req::PAGE_CHARACTERS;
    let credentials = &req::PAGE_MAIL_WHOLE;
    vec![
        Fault::new(
            "pages/page-with-random-id",
            "a page whose id is not the one that every page has",
            &req::PAGE_ID,
            Base::Page,
        )
        .object(|scene, object| object.id = Id128::random(&mut scene.rng)),
        Fault::new(
            "pages/page-for-friends",
            "a page for friends",
            &req::PAGE_AUDIENCE,
            Base::PublicPost,
        )
        .any(|scene, draft| {
            // The page comes last, and another one stands where it should.
            let now = scene.now;
            let mut page = scene.author.page_object("Another one.", now);
            "friends".clone_into(&mut page.audience);
            draft.objects().pop();
            draft.objects().push(page.into());
        })
        .in_object(),
        Fault::new(
            "pages/page-name-turned-around",
            "a page whose name turns the direction of text around",
            characters,
            Base::Page,
        )
        .flags(&["spoofing"])
        .object(|_, object| {
            if let Some(name) = object.payload.find("name") {
                name.set_text("club\u{202E}kcolb");
            }
        }),
        Fault::new(
            "pages/page-link-label-control",
            "a page with a control character in the label of a link",
            characters,
            Base::Page,
        )
        .flags(&["spoofing"])
        .object(|_, object| {
            if let Some(link) = object.payload.find("link") {
                link.set("label", "our\u{85}house");
            }
        }),
        Fault::new(
            "pages/page-retracted",
            "a retract of the own page",
            &req::PAGE_FINAL,
            Base::PublicPost,
        )
        .any(|scene, draft| {
            let key = (scene.author.id, Id128::derived("page", &[]));
            let now = scene.now;
            let retract = scene.author.retract_object(key, "page", "public", now);
            draft.objects().pop();
            draft.objects().push(retract.into());
        })
        .in_object(),
        Fault::new(
            "pages/mail-without-page",
            "a public mail without the page object",
            credentials,
            Base::PublicPost,
        )
        .any(|scene, draft| {
            let _ = scene;
            let objects = draft.objects();
            let post = objects.pop();
            objects.pop();
            objects.extend(post);
        }),
        Fault::new(
            "pages/mail-without-contact",
            "a public mail without the contact that the page names",
            credentials,
            Base::PublicPost,
        )
        .any(|scene, draft| {
            let contact = scene.author.contact.hash;
            draft
                .objects()
                .retain(|item| !matches!(item, Item::Signed(object) if object.hash == contact));
        }),
        Fault::new(
            "pages/mail-without-certificate",
            "a public mail without the certificate that the page names",
            credentials,
            Base::PublicPost,
        )
        .open(|_, draft| draft.certificates.clear()),
    ]
}

fn openness() -> Vec<Fault> {
    vec![
        Fault::new(
            "pages/page-in-sealed-mail",
            "a page in a sealed mail of a friend",
            &req::PAGE_OPEN,
            Base::Post,
        )
        .any(|scene, draft| {
            let now = scene.now;
            let page = scene.author.page_object("Another one.", now);
            draft.objects().pop();
            draft.objects().push(page.into());
        })
        .in_object(),
        Fault::new(
            "pages/private-post-in-public-mail",
            "a post for friends in a public mail",
            &req::MAIL_OPEN_PRIVATE,
            Base::PublicPost,
        )
        .object(|_, object| "friends".clone_into(&mut object.audience)),
        Fault::new(
            "pages/post-of-an-unfollowed",
            "a public post of somebody whom the recipient does not follow, in the mail of a page",
            &req::MAIL_OPEN_UNKNOWN,
            Base::PublicPost,
        )
        .flags(&["stranger"])
        .any(|scene, draft| {
            let (text, now) = (scene.text.clone(), scene.now);
            let post = scene.third.public_post_object(&text, now);
            draft.objects().pop();
            draft.objects().push(post.into());
        })
        .in_object(),
        Fault::new(
            "pages/post-in-the-name-of-the-page",
            "a post in the name of the page, signed by somebody else",
            &req::SEC_OBJECT_SIGNATURE,
            Base::PublicPost,
        )
        .flags(&["key-substitution"])
        .any(|scene, draft| {
            let (text, now) = (scene.text.clone(), scene.now);
            let mut post = scene.third.public_post_object(&text, now);
            post.author = scene.author.id;
            draft.objects().pop();
            draft.objects().push(post.into());
        })
        .in_object(),
        Fault::new(
            "pages/private-post-of-a-page",
            "a page's post for friends, sealed, to somebody who only follows it",
            &req::FOLLOW_NOT_FRIENDS,
            Base::PublicPost,
        )
        .any(|scene, draft| {
            let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
            let post = scene.author.post(&to, &text, now);
            if let Some(post) = scene.keep(post) {
                *draft = post.into();
            }
        }),
        Fault::new(
            "pages/post-after-end",
            "a public post after the page removed its follower",
            &req::MAIL_OPEN_UNKNOWN,
            Base::PublicPost,
        )
        .also(&req::FOLLOW_END)
        .prepare(|scene| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let asked = scene.history.asked.as_ref().map(|asked| asked.hash);
            let request = asked.into_iter().collect::<Vec<_>>();
            let end = scene.author.end(&to, &request, now);
            if let Some(end) = scene.keep(end) {
                scene.before(end);
            }
        }),
    ]
}

fn lists() -> Vec<Fault> {
    let rule = &req::MAIL_OPEN_PARTS;
    let whole = |id, title| Fault::new(id, title, rule, Base::PublicPost).accepted();
    vec![
        whole(
            "pages/list-footer",
            "a public mail to which a mailing list added a footer and its header fields",
        )
        .flags(&["list"])
        .open(|_, draft| {
            draft.mail.header_to = Some("fans@lists.test".to_owned());
            let fields = [
                ("List-Id", "Fans <fans.lists.test>"),
                ("List-Unsubscribe", "<mailto:fans-leave@lists.test>"),
                ("Precedence", "list"),
            ];
            let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
            draft.mail.extra.extend(fields);
            draft.parts.set(|mut parts| {
                parts.push(Part::text("-- \nfans@lists.test"));
                parts
            });
        }),
        whole(
            "pages/list-wrapped",
            "a public mail that a mailing list has wrapped into another multipart",
        )
        .flags(&["list"])
        .open(|_, draft| {
            draft.parts.set(|parts| {
                let inner = Part::multipart("multipart/mixed", "wrapped-by-a-list", parts);
                let footer = Part::content(
                    "text/html",
                    b"<p>fans@lists.test</p>".as_slice(),
                    TransferEncoding::SevenBit,
                );
                vec![inner, footer]
            });
        }),
        whole(
            "pages/mail-from-another-address",
            "a public mail whose header names another sender: only objects count",
        )
        .flags(&["header-smuggling"])
        .open(|_, draft| "noreply@lists.test".clone_into(&mut draft.mail.from)),
    ]
}

fn follow() -> Vec<Fault> {
    vec![
        Fault::new(
            "pages/follow-without-a-page",
            "a request to follow somebody who has no page",
            &req::FOLLOW_NO_PAGE,
            Base::Request,
        )
        .object(|_, object| object.payload.set("purpose", "follow")),
        Fault::new(
            "pages/follow-again",
            "a second request to follow for an address, by another identity",
            &req::FOLLOW_ONCE,
            Base::Follow,
        )
        .flags(&["flood"])
        .prepare(|scene| {
            let earlier = scene.now - 29 * DAY;
            let mut rival = scene.third.clone();
            rival.address.clone_from(&scene.author.address);
            rival.renew_contact(earlier);
            let options = RequestOptions {
                follow: true,
                ..RequestOptions::default()
            };
            let request = rival.request(&scene.recipient.address, scene.now, options);
            scene.before(request);
        }),
        Fault::new(
            "pages/follow-for-another-domain",
            "a request to follow whose answer would go to a domain that did not send it",
            &req::FOLLOW_AUTHENTICATED,
            Base::Follow,
        )
        .flags(&["flood"])
        .prepare(|scene| {
            scene.reissue(
                |_, _| {},
                |_, contact| {
                    if let Some(address) = contact.payload.find("address") {
                        address.set_text("victim@c.test");
                    }
                },
            );
        }),
    ]
}
