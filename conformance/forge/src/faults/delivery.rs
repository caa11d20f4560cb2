//! Faults of the chapter "Delivery": sender, authors, channels, automatic mail.

use kith_spec::{limit, req};

use super::{Base, Fault};
use crate::draft::Channel;
use crate::hash::Id128;
use crate::mime::{Part, TransferEncoding};

pub(super) fn faults() -> Vec<Fault> {
    [sender(), channels(), automatic()].concat()
}

fn sender() -> Vec<Fault> {
    let (sender, author) = (&req::DELIVERY_SENDER, &req::DELIVERY_AUTHOR);
    vec![
        Fault::new(
            "delivery/sender-is-another",
            "a delivery in the name of another friend",
            sender,
            Base::Message,
        )
        .third_is_friend()
        .flags(&["spoofing"])
        .sealed(|scene, draft| draft.delivery.from = scene.third.party()),
        Fault::new(
            "delivery/sender-is-unknown",
            "a delivery in the name of somebody unknown",
            sender,
            Base::Message,
        )
        .flags(&["spoofing"])
        .sealed(|scene, draft| draft.delivery.from.id = scene.third.id),
        Fault::new(
            "delivery/object-of-another-friend",
            "an object of another friend, passed on",
            author,
            Base::Message,
        )
        .third_is_friend()
        .in_object()
        .flags(&["surreptitious-forwarding"])
        .sealed(|scene, draft| {
            let (to, text) = (scene.recipient.clone(), scene.text.clone());
            let message = scene.third.message_object(&to, &text, None, scene.now);
            draft.objects = vec![message.into()];
        }),
        Fault::new(
            "delivery/end-of-another-friend",
            "an end of another friend, passed on",
            author,
            Base::Message,
        )
        .third_is_friend()
        .in_object()
        .flags(&["surreptitious-forwarding"])
        .sealed(|scene, draft| {
            let (to, now) = (scene.recipient.clone(), scene.now);
            let named = scene.history.request.as_ref().map(|request| request.hash);
            let end = scene.third.end(&to, named.as_slice(), now);
            if let Some(mut end) = scene.keep(end) {
                draft.objects = std::mem::take(&mut end.objects);
            }
        }),
        Fault::new(
            "delivery/object-of-a-stranger",
            "a post of somebody unknown, passed on",
            author,
            Base::Post,
        )
        .in_object()
        .flags(&["surreptitious-forwarding"])
        .sealed(|scene, draft| {
            let text = scene.text.clone();
            draft.objects = vec![scene.third.post_object(&text, scene.now).into()];
        }),
        Fault::new(
            "delivery/certificate-unnamed",
            "a delivery that lists a certificate which none of its objects names",
            &req::DELIVERY_CERTIFICATE_ONCE,
            Base::Message,
        )
        .flags(&["key-substitution"])
        .sealed(|scene, draft| draft.certificates.push(scene.third.certificate.clone())),
    ]
}

fn channels() -> Vec<Fault> {
    let none = &req::CHANNEL_NONE;
    vec![
        Fault::new(
            "delivery/message-without-channel",
            "a message in a delivery without channel",
            none,
            Base::Message,
        )
        .sealed(|_, draft| draft.delivery.channel = None),
        Fault::new(
            "delivery/accept-with-channel",
            "an accept in a delivery with a channel",
            none,
            Base::Accept,
        )
        .sealed(|scene, draft| {
            let id = Id128::random(&mut scene.rng);
            let (seq, base) = (1, 1);
            draft.delivery.channel = Some(Channel { id, seq, base });
        }),
        Fault::new(
            "delivery/acknowledgement-with-channel",
            "a bare acknowledgement with a channel",
            none,
            Base::Acknowledgement,
        )
        .sealed(|scene, draft| {
            draft.delivery.channel = Some(scene.author.next_seq(scene.recipient.id));
        }),
        Fault::new(
            "delivery/channel-of-another",
            "a delivery on the channel of another friend",
            &req::CHANNEL_OWNER,
            Base::Message,
        )
        .third_is_friend()
        .sealed(|scene, draft| {
            let foreign = scene.third.channel(scene.recipient.id);
            if let Some(foreign) = foreign {
                let seq = foreign.seq + 1;
                draft.delivery.channel = Some(Channel { seq, ..foreign });
            }
        }),
        Fault::new(
            "delivery/base-above-number",
            "a delivery whose base is above its own number",
            &req::CHANNEL_BASE,
            Base::Message,
        )
        .sealed(|_, draft| {
            if let Some(channel) = &mut draft.delivery.channel {
                channel.base = channel.seq + 1;
            }
        }),
        Fault::new(
            "delivery/number-far-ahead",
            "a delivery whose number is further ahead than the window",
            &req::CHANNEL_WINDOW,
            Base::Message,
        )
        .flags(&["flood"])
        .sealed(|_, draft| {
            if let Some(channel) = &mut draft.delivery.channel {
                channel.seq += limit::CHANNEL_WINDOW as i64 + 1;
            }
        }),
        Fault::new(
            "delivery/number-largest",
            "a delivery with the largest number that the schema allows",
            &req::CHANNEL_WINDOW,
            Base::Message,
        )
        .flags(&["flood"])
        .sealed(|_, draft| {
            if let Some(channel) = &mut draft.delivery.channel {
                channel.seq = (1 << 53) - 1;
            }
        }),
    ]
}

/// A mail as the content of a part.
fn quoted(kind: &str, mail: &Part) -> Part {
    Part {
        fields: vec![("Content-Type".to_owned(), kind.to_owned())],
        body: crate::mime::Body::Raw(mail.octets()),
    }
}

/// A report that quotes the mail (RFC 6522).
fn report(mail: &Part, kind: &str, what: &str, fields: &str) -> Part {
    let machine = Part::content(what, fields, TransferEncoding::SevenBit);
    let parts = vec![
        Part::text("This is an automatic report about your mail.\n"),
        machine,
        quoted("message/rfc822", mail),
    ];
    let kind = format!("multipart/report; report-type={kind}");
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Part::multipart(&kind, "report", parts).fields_first(vec![
        field("Return-Path", "<>"),
        field("From", "MAILER-DAEMON@a.test"),
        field("To", mail.get("To").unwrap_or_default()),
        field("Date", mail.get("Date").unwrap_or_default()),
        field("Message-ID", "<report@a.test>"),
        field("Subject", "Report about your mail"),
        field("Auto-Submitted", "auto-replied"),
        field("MIME-Version", "1.0"),
    ])
}

const DSN: &str = "Reporting-MTA: dns; a.test\r\n\r\n\
    Final-Recipient: rfc822; alice@a.test\r\nAction: failed\r\nStatus: 5.1.1\r\n";
const MDN: &str = "Final-Recipient: rfc822; alice@a.test\r\n\
    Original-Message-ID: <request@b.test>\r\n\
    Disposition: automatic-action/MDN-sent-automatically; displayed\r\n";

fn automatic() -> Vec<Fault> {
    let rule = &req::LOOP_NO_REACTION;
    vec![
        Fault::new(
            "delivery/bounce-that-quotes-a-request",
            "a delivery status notification that quotes a request to the recipient",
            rule,
            Base::Request,
        )
        .flags(&["loop"])
        .open(|_, draft| {
            let what = "message/delivery-status";
            draft
                .mail
                .root
                .set(move |root| report(&root, "delivery-status", what, DSN));
        }),
        Fault::new(
            "delivery/disposition-that-quotes-a-request",
            "a disposition notification that quotes a request to the recipient",
            rule,
            Base::Request,
        )
        .flags(&["loop"])
        .open(|_, draft| {
            let what = "message/disposition-notification";
            draft
                .mail
                .root
                .set(move |root| report(&root, "disposition-notification", what, MDN));
        }),
        Fault::new(
            "delivery/auto-reply-that-quotes-a-request",
            "an out-of-office reply with the parts of a request",
            rule,
            Base::Request,
        )
        .flags(&["loop"])
        .open(|_, draft| {
            draft.mail.auto_submitted = Some("auto-replied (vacation)".to_owned());
        }),
    ]
}
