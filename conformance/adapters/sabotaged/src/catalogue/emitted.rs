//! Mail that is wrong: changed before it is signed and sealed.

use kith_spec::req;

use super::{Fault, rewrite};

pub(super) static FAULTS: &[Fault] = &[
    rewrite(
        "fallback-lost",
        "sends mail whose text says nothing of the objects in it",
        &req::MAIL_FALLBACK,
        |outgoing| outgoing.fallback = "See the attachment.".to_owned(),
    ),
    rewrite(
        "recipient-wrong",
        "names itself as the recipient in the delivery document",
        &req::SEC_RECIPIENTS_AGREE,
        |outgoing| {
            if let Some(delivery) = &mut outgoing.delivery {
                let own = delivery.from.id;
                delivery.to.iter_mut().for_each(|party| party.id = own);
            }
        },
    ),
    rewrite(
        "object-left-out",
        "leaves out an object that its delivery document lists",
        &req::MAIL_LISTED_PRESENT,
        |outgoing| drop(outgoing.delivery.as_ref().and(outgoing.objects.pop())),
    ),
    rewrite(
        "message-id-repeated",
        "gives all its mails one Message-ID",
        &req::MAIL_MESSAGE_ID,
        |outgoing| "always@a.test".clone_into(&mut outgoing.fields.message_id),
    ),
    rewrite(
        "request-without-certificate",
        "asks without its certificate",
        &req::FRIENDS_REQUEST_CREDENTIALS,
        |outgoing| {
            if outgoing.delivery.is_none() {
                outgoing.certificates.clear();
            }
        },
    ),
    rewrite(
        "sender-wrong",
        "names its recipient as the sender in the delivery document",
        &req::DELIVERY_SENDER,
        |outgoing| {
            if let Some(delivery) = &mut outgoing.delivery
                && let Some(other) = delivery.to.first()
            {
                delivery.from.id = other.id;
            }
        },
    ),
    rewrite(
        "numbers-from-two",
        "begins its channels with the number 2",
        &req::CHANNEL_FRESH,
        |outgoing| {
            if let Some(delivery) = &mut outgoing.delivery
                && let Some(channel) = &mut delivery.channel
                && let Ok(next) = channel.seq.get().saturating_add(1).try_into()
            {
                channel.seq = next;
            }
        },
    ),
];
