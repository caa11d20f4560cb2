//! Mail that is wrong: changed before it is signed and sealed.

use kith_schemas::types::Ack;
use kith_spec::req;

use super::Sabotage::{Document, Rewrite};
use super::{Fault, fault};

pub(super) static FAULTS: &[Fault] = &[
    fault(
        "fallback-lost",
        "sends mail whose text says nothing of the objects in it",
        &req::MAIL_FALLBACK,
        Rewrite(|outgoing| outgoing.fallback = "See the attachment.".to_owned()),
    ),
    fault(
        "recipient-wrong",
        "names itself as the recipient in the delivery document",
        &req::SEC_RECIPIENTS_AGREE,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery {
                let own = delivery.from.id;
                delivery.to.iter_mut().for_each(|party| party.id = own);
            }
        }),
    ),
    fault(
        "object-left-out",
        "leaves out an object that its delivery document lists",
        &req::MAIL_LISTED_PRESENT,
        Rewrite(|outgoing| drop(outgoing.delivery.as_ref().and(outgoing.objects.pop()))),
    ),
    fault(
        "message-id-repeated",
        "gives all its mails one Message-ID",
        &req::MAIL_MESSAGE_ID,
        Rewrite(|outgoing| "always@a.test".clone_into(&mut outgoing.fields.message_id)),
    ),
    fault(
        "request-without-certificate",
        "asks without its certificate",
        &req::FRIENDS_REQUEST_CREDENTIALS,
        Rewrite(|outgoing| {
            if outgoing.delivery.is_none() {
                outgoing.certificates.clear();
            }
        }),
    ),
    fault(
        "sender-wrong",
        "names its recipient as the sender in the delivery document",
        &req::DELIVERY_SENDER,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery
                && let Some(other) = delivery.to.first()
            {
                delivery.from.id = other.id;
            }
        }),
    ),
    fault(
        "numbers-from-two",
        "begins its channels with the number 2",
        &req::CHANNEL_FRESH,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery
                && let Some(channel) = &mut delivery.channel
                && let Ok(next) = channel.seq.get().saturating_add(1).try_into()
            {
                channel.seq = next;
            }
        }),
    ),
    fault(
        "media-left-out",
        "leaves out the media of what it sends",
        &req::MEDIA_PART,
        Rewrite(|outgoing| outgoing.media.clear()),
    ),
    fault(
        "acks-left-out",
        "acknowledges nothing",
        &req::ACK_MEANING,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery {
                delivery.ack.clear();
            }
        }),
    ),
    fault(
        "group-unnamed",
        "doesn't say for which list of a group a delivery is",
        &req::GROUP_DELIVERY,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery {
                delivery.group = None;
            }
        }),
    ),
    fault(
        "group-acks",
        "acknowledges in a delivery to a group",
        &req::GROUP_ACKS,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery
                && delivery.group.is_some()
                && let Ok(none) = 0.try_into()
            {
                delivery.ack.push(Ack {
                    channel: [7; 16].into(),
                    upto: none,
                    highest: none,
                    missing: Vec::new(),
                });
            }
        }),
    ),
    fault(
        "revision-skipped",
        "numbers its second revision 3",
        &req::MERGE_REVISION,
        Document(|xml| Some(xml.replace(" rev=\"2\"", " rev=\"3\""))),
    ),
    fault(
        "serials-from-two",
        "numbers its updates of an app from 2",
        &req::APP_SERIAL,
        Document(|xml| Some(xml.replace(" serial=\"1\"", " serial=\"2\""))),
    ),
    fault(
        "request-for-friends",
        "gives a request the audience of its friends",
        &req::FRIENDS_REQUEST_OPEN,
        Document(|xml| {
            let request = xml.contains("<request ");
            request.then(|| xml.replacen("\"direct\"", "\"friends\"", 1))
        }),
    ),
    fault(
        "proof-wrong",
        "proves another invite than the one it has",
        &req::FRIENDS_INVITE_PROOF,
        Document(|xml| {
            let (before, after) = xml.split_once(" proof=\"")?;
            let proof = after.get(..64)?;
            let other: String = proof.chars().rev().collect();
            Some(format!("{before} proof=\"{other}{}", &after[64..]))
        }),
    ),
    fault(
        "document-invalid",
        "writes an attribute that the schema doesn't know",
        &req::XML_SCHEMA,
        Document(|xml| Some(xml.replacen("<from ", "<from note=\"me\" ", 1))),
    ),
    fault(
        "document-too-large",
        "fills its documents up beyond their limit",
        &req::XML_SIZE,
        Document(|xml| Some(format!("{xml}<!--{}-->", " ".repeat(70_000)))),
    ),
    fault(
        "one-channel-for-all",
        "uses one channel on all devices and to everybody",
        &req::CHANNEL_RESTORED,
        Rewrite(|outgoing| {
            if let Some(delivery) = &mut outgoing.delivery
                && let Some(channel) = &mut delivery.channel
            {
                channel.id = [7; 16].into();
            }
        }),
    ),
    fault(
        "written-anew",
        "writes objects anew, with other quotes, when it sends them of itself",
        &req::SEC_OCTETS,
        Rewrite(|outgoing| {
            let (old, new) = (b" rev=\"1\"", b" rev='1'");
            for object in outgoing
                .objects
                .iter_mut()
                .filter(|_| outgoing.fields.automatic)
            {
                if let Some(at) = object.windows(old.len()).position(|window| window == old) {
                    object[at..at + new.len()].copy_from_slice(new);
                }
            }
        }),
    ),
];
