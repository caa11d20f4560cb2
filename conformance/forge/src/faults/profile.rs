//! Faults of the chapter "Profile" and of the section "Withdrawal" of chapter "Posts to friends".

use kith_spec::{Rule, req};

use super::{Base, Fault, Scene};
use crate::draft::ObjectDraft;
use crate::hash::Id128;
use crate::media::Medium;
use crate::xml::Element;

pub(super) fn faults() -> Vec<Fault> {
    [withdrawals(), fields(), photos(), valid()].concat()
}

fn withdraw(scene: &mut Scene, object: &mut ObjectDraft) {
    let (to, text, now) = (scene.recipient.clone(), scene.text.clone(), scene.now);
    let post = scene.author.post_object(&text, now);
    *object = scene.author.withdraw_object(&to, &post, "post", now);
}

fn withdrawal(
    id: &'static str,
    title: &'static str,
    rule: Rule,
    change: fn(&mut Scene, &mut ObjectDraft),
) -> Fault {
    Fault::new(id, title, rule, Base::Retract).object(change)
}

fn withdrawals() -> Vec<Fault> {
    let kinds = &req::WITHDRAW_KINDS;
    vec![
        withdrawal(
            "posts/withdraw-for-another",
            "a withdraw that names another recipient, passed on to this one",
            &req::WITHDRAW_ADDRESSED,
            |scene, object| {
                withdraw(scene, object);
                let third = scene.third.id;
                if let Some(to) = object.payload.find("to") {
                    to.set("id", third);
                }
            },
        )
        .flags(&["surreptitious-forwarding"]),
        withdrawal(
            "posts/withdraw-for-friends",
            "a withdraw for all friends",
            &req::WITHDRAW_AUDIENCE,
            |scene, object| {
                withdraw(scene, object);
                "friends".clone_into(&mut object.audience);
            },
        ),
        withdrawal(
            "posts/withdraw-of-another-author",
            "a withdraw of somebody else's post",
            &req::WITHDRAW_AUTHOR,
            |scene, object| {
                withdraw(scene, object);
                let third = scene.third.id;
                if let Some(target) = object.payload.find("target") {
                    target.set("author", third);
                }
            },
        ),
        withdrawal(
            "posts/withdraw-of-request",
            "a withdraw of a request",
            kinds,
            |scene, object| {
                withdraw(scene, object);
                if let Some(target) = object.payload.find("target") {
                    target.set("kind", "request");
                }
            },
        ),
        withdrawal(
            "posts/withdraw-of-field",
            "a withdraw of a field, which is emptied instead",
            kinds,
            |scene, object| {
                withdraw(scene, object);
                if let Some(target) = object.payload.find("target") {
                    target.set("kind", "field");
                }
            },
        ),
        withdrawal(
            "posts/retract-of-field",
            "a retract of a field, which is emptied instead",
            &req::RETRACT_DERIVED,
            |_, object| {
                if let Some(target) = object.payload.find("target") {
                    target.set("kind", "field");
                }
            },
        ),
    ]
}

fn field(
    id: &'static str,
    title: &'static str,
    rule: Rule,
    change: fn(&mut Scene, &mut ObjectDraft),
) -> Fault {
    Fault::new(id, title, rule, Base::Post).object(change)
}

fn nickname(scene: &mut Scene, object: &mut ObjectDraft) {
    let (text, now) = (scene.text.clone(), scene.now);
    *object = scene.author.field_object("nickname", &[&text], now);
}

fn fields() -> Vec<Fault> {
    vec![
        field(
            "profile/random-id",
            "a field whose id is random",
            &req::FIELD_ID,
            |scene, object| {
                nickname(scene, object);
                object.id = Id128::random(&mut scene.rng);
            },
        ),
        field(
            "profile/id-of-another-field",
            "a field with the id of another",
            &req::FIELD_ID,
            |scene, object| {
                nickname(scene, object);
                object.id = crate::kinds::field_id("note");
            },
        ),
        field(
            "profile/audience-direct",
            "a field for one person",
            &req::FIELD_AUDIENCE,
            |scene, object| {
                nickname(scene, object);
                "direct".clone_into(&mut object.audience);
            },
        ),
        field(
            "profile/audience-public",
            "a field for everybody",
            &req::FIELD_AUDIENCE,
            |scene, object| {
                nickname(scene, object);
                "public".clone_into(&mut object.audience);
            },
        ),
        field(
            "profile/turned-text",
            "a field with a character that turns the direction of text",
            &req::FIELD_CHARACTERS,
            |scene, object| {
                let (text, now) = (format!("\u{202E}{}", scene.text), scene.now);
                *object = scene.author.field_object("fn", &[&text], now);
            },
        )
        .flags(&["spoofing"]),
    ]
}

fn photo(scene: &mut Scene, medium: Element) -> ObjectDraft {
    let now = scene.now;
    let property = Element::new("photo").child(medium);
    scene.author.field_of("photo", property, now)
}

fn photos() -> Vec<Fault> {
    vec![
        field(
            "profile/photo-svg",
            "a photo that is a drawing with scripts",
            &req::FIELD_PHOTO,
            |scene, object| {
                let medium = Medium::new("image/svg+xml", "<svg/>").element("media");
                *object = photo(scene, medium);
            },
        ),
        field(
            "profile/photo-linked",
            "a photo that has to be fetched",
            &req::FIELD_PHOTO,
            |scene, object| {
                let source = Element::new("source").attribute("href", "https://files.a.test/me");
                let medium = Medium::new("image/jpeg", "me").element("media");
                *object = photo(scene, medium.child(source));
            },
        ),
    ]
}

/// Whose effect other cases show.
fn valid() -> Vec<Fault> {
    let accepted = |id, title, rule, change: fn(&mut Scene, &mut ObjectDraft)| {
        Fault::new(id, title, rule, Base::Retract)
            .object(change)
            .accepted()
    };
    vec![
        accepted(
            "accepted/withdraw",
            "a withdraw that comes before its target",
            &req::WITHDRAW_UPTO,
            withdraw,
        )
        .also(&req::WITHDRAW_FIRST),
        accepted(
            "accepted/field",
            "a field of a profile",
            &req::FIELD_SCHEMES,
            |scene, object| {
                let now = scene.now;
                let account = Element::new("value")
                    .attribute("place", "home")
                    .text("xmpp:alice@chat.test");
                let script = Element::new("value").text("javascript:alert(1)");
                let property = Element::new("impp").child(account).child(script);
                *object = scene.author.field_of("impp", property, now);
            },
        )
        .also(&req::FIELD_NO_CONTACT),
        accepted(
            "accepted/field-named-like-another",
            "a full name that is another person's",
            &req::FIELD_NAME_CLAIM,
            |scene, object| {
                let (name, now) = (scene.third.name.clone(), scene.now);
                *object = scene.author.field_object("fn", &[&name], now);
            },
        ),
        accepted(
            "accepted/field-with-address",
            "a mail address in a field",
            &req::FIELD_NOT_CONTACT,
            |scene, object| {
                let (address, now) = (scene.third.address.clone(), scene.now);
                *object = scene.author.field_object("email", &[&address], now);
            },
        ),
        accepted(
            "accepted/field-with-key",
            "a key in a field",
            &req::FIELD_NO_KEYS,
            |scene, object| {
                let now = scene.now;
                let uri = "openpgp4fpr:0123456789abcdef0123456789abcdef01234567";
                *object = scene.author.field_object("key", &[uri], now);
            },
        ),
        accepted(
            "accepted/field-empty",
            "a field without values",
            &req::FIELD_EMPTIED,
            |scene, object| {
                let now = scene.now;
                *object = scene.author.field_object("note", &[], now);
                object.rev = 2;
            },
        ),
    ]
}
