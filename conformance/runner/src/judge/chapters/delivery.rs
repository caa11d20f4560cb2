//! Chapter “Delivery”, as far as a sent mail and those before it show it.

use std::collections::BTreeSet;

use kith_spec::req;

use crate::judge::read::document::{Channel, DeliveryFacts, ObjectFacts};
use crate::judge::{Check, Mail, Memory, Seen, Verdict};

/// Delivery documents, channels, acks.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::DELIVERY_SENDER,
        look: sender,
    },
    Check {
        rule: &req::DELIVERY_AUTHOR,
        look: author,
    },
    Check {
        rule: &req::DELIVERY_CERTIFICATE_ONCE,
        look: certificate_once,
    },
    Check {
        rule: &req::CHANNEL_NONE,
        look: channel_none,
    },
    Check {
        rule: &req::CHANNEL_BASE,
        look: channel_base,
    },
    Check {
        rule: &req::CHANNEL_FRESH,
        look: channel_fresh,
    },
    Check {
        rule: &req::ACK_RESEND,
        look: resend,
    },
    Check {
        rule: &req::ACK_PIGGYBACK,
        look: piggyback,
    },
    Check {
        rule: &req::ACK_MISSING,
        look: missing,
    },
    Check {
        rule: &req::MAIL_AUTO_SUBMITTED,
        look: auto_submitted,
    },
    Check {
        rule: &req::SEND_ONE_TRANSACTION,
        look: one_transaction,
    },
];

impl<'a> Seen<'a> {
    pub(in crate::judge) fn delivery(&self) -> Option<&'a DeliveryFacts> {
        self.mail.and_then(Mail::delivery)
    }

    /// The revision of the group to whose members the mail goes.
    pub(in crate::judge) fn group(&self) -> Option<&'a str> {
        self.delivery()?.group.as_deref()
    }

    /// Whether this is the same mail to a group as before, handed over for another member.
    pub(in crate::judge) fn is_group_copy(&self) -> bool {
        let id = self.outer.only("Message-ID");
        let known = |memory: &Memory| id.is_some_and(|id| memory.group_mails.contains(id));
        self.group().is_some() && self.memory.is_some_and(known)
    }

    /// The objects that were sent with this number of this channel before.
    fn before(&self, channel: &Channel) -> Option<&'a Vec<String>> {
        let own = self.memory?.channels.get(&channel.id)?;
        own.objects.get(&channel.seq)
    }
}

fn sender(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(agent)) = (seen.delivery(), seen.agent) else {
        return Verdict::DoesNotApply;
    };
    let from = &delivery.from.id;
    Verdict::of(from == agent.identity.as_str(), || {
        format!(
            "expected the delivery to be from {}, seen {from}",
            agent.identity
        )
    })
}

fn author(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(mail)) = (seen.delivery(), seen.mail) else {
        return Verdict::DoesNotApply;
    };
    let (introduced, carried) = (introduced(mail), carried(mail));
    let own = mail.readable().filter(|object| {
        let identity = matches!(object.kind.as_str(), "identity" | "contact");
        !(identity && introduced.contains(&object.author.as_str()))
    });
    Verdict::all(own.map(|object| {
        let (kind, author, from) = (&object.kind, &object.author, &delivery.from.id);
        let allowed = author == from
            || super::comments::may_hand_over(object, from, mail)
            || carried.contains(object.hash.as_str());
        Verdict::of(allowed, || {
            format!("expected only objects of the sender, seen a `{kind}` of {author}")
        })
    }))
}

/// The members whom a group in the same mail lists: its owner may introduce them.
fn introduced(mail: &Mail) -> Vec<&str> {
    let groups = mail.readable().filter(|object| object.kind == "group");
    groups
        .flat_map(|group| group.payload.all("member"))
        .filter_map(|member| member.attribute("id"))
        .collect()
}

/// The hashes of chain entries and contacts that introductions in a mail name.
fn carried(mail: &Mail) -> BTreeSet<&str> {
    let introductions = mail.readable().filter(|object| object.kind == "introduce");
    let credentials = introductions.filter_map(|object| object.payload.child("credentials"));
    let parts = credentials.flat_map(|credentials| &credentials.children);
    parts.filter_map(|part| part.attribute("hash")).collect()
}

fn certificate_once(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(mail)) = (seen.delivery(), seen.mail) else {
        return Verdict::DoesNotApply;
    };
    let credentials = mail
        .readable()
        .filter_map(|object| object.payload.child("credentials"));
    let named: BTreeSet<_> = credentials
        .filter_map(|credentials| credentials.child("certificate")?.attribute("hash"))
        .collect();
    let listed: BTreeSet<_> = delivery.certificates.iter().map(String::as_str).collect();
    let introduced = introduced(mail);
    let chains = mail.readable().filter(|object| {
        object.kind == "identity"
            && object.author != delivery.from.id
            && introduced.contains(&object.author.as_str())
    });
    let people: BTreeSet<_> = chains.map(|object| object.author.as_str()).collect();
    let says_who = |object: &ObjectFacts| {
        matches!(object.kind.as_str(), "identity" | "contact") && object.author == delivery.from.id
    };
    // Beside what says who the sender is, the sender's own certificate may stand.
    let own = usize::from(mail.readable().any(says_who));
    let unnamed = listed.difference(&named).count();
    Verdict::of(unnamed <= own + people.len(), || {
        format!("expected no certificate but those that objects name, seen {listed:?}")
    })
}

fn channel_none(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(mail)) = (seen.delivery(), seen.mail) else {
        return Verdict::DoesNotApply;
    };
    let kinds = mail.kinds();
    let without = |kind: &&str| matches!(*kind, "request" | "accept" | "decline");
    let none = kinds.is_empty() || kinds.iter().any(without);
    let there = delivery.channel.is_some();
    // The credentials alone are an object too: a new contact rides in a channel.
    let bare = delivery.objects.is_empty();
    let expected = if kinds.is_empty() { !bare } else { !none };
    Verdict::of(there == expected, || match expected {
        true => format!("expected a delivery of {kinds:?} to have a channel, seen none"),
        false => format!("expected a delivery of {kinds:?} to have no channel, seen one"),
    })
}

fn channel_base(seen: &Seen<'_>) -> Verdict {
    let Some(channel) = seen
        .delivery()
        .and_then(|delivery| delivery.channel.as_ref())
    else {
        return Verdict::DoesNotApply;
    };
    let Channel { seq, base, .. } = channel;
    Verdict::of((1..=*seq).contains(base), || {
        format!("expected a base from 1 to {seq}, seen {base}")
    })
}

fn channel_fresh(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(memory)) = (seen.delivery(), seen.memory) else {
        return Verdict::DoesNotApply;
    };
    let Some(channel) = &delivery.channel else {
        return Verdict::DoesNotApply;
    };
    if seen.before(channel).is_some() {
        return Verdict::DoesNotApply;
    }
    let to = delivery
        .to
        .first()
        .map(|party| party.id.as_str())
        .unwrap_or_default();
    let Some(own) = memory.channels.get(&channel.id) else {
        return Verdict::of(channel.seq == 1, || {
            format!(
                "expected a new channel to begin with 1, seen {}",
                channel.seq
            )
        });
    };
    let expected = own.last() + 1;
    Verdict::of(own.to == to && channel.seq == expected, || {
        let (owner, seq) = (&own.to, channel.seq);
        format!("expected number {expected} of this channel to {owner}, seen {seq} to {to}")
    })
}

fn resend(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.delivery() else {
        return Verdict::DoesNotApply;
    };
    let before = delivery
        .channel
        .as_ref()
        .and_then(|channel| seen.before(channel));
    let Some(before) = before else {
        return Verdict::DoesNotApply;
    };
    let now = &delivery.objects;
    // Rotations ride along, also in what is sent again.
    let kept = before.iter().all(|hash| now.contains(hash));
    Verdict::of(kept, || {
        format!("expected the same objects with the same number, {before:?}, seen {now:?}")
    })
}

/// The channels of the recipient on which something arrived that the agent has not
/// acknowledged, as of its last sync.
fn unacknowledged<'m>(memory: &'m Memory, to: &'m str) -> impl Iterator<Item = &'m String> {
    let theirs = memory
        .peers
        .iter()
        .filter(move |(_, channel)| channel.from == to);
    let new = theirs.filter(|(_, channel)| !channel.arrived.is_subset(&channel.acknowledged));
    new.map(|(id, _)| id)
}

fn piggyback(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(memory), Some(mail)) = (seen.delivery(), seen.memory, seen.mail)
    else {
        return Verdict::DoesNotApply;
    };
    // Only a channel shows that the two are friends; an end may forget everything.
    if delivery.channel.is_none() || delivery.group.is_some() || mail.object("end").is_some() {
        return Verdict::DoesNotApply;
    }
    let to = delivery
        .to
        .first()
        .map(|party| party.id.as_str())
        .unwrap_or_default();
    let acked: BTreeSet<_> = delivery.acks.iter().map(|ack| &ack.channel).collect();
    Verdict::all(unacknowledged(memory, to).map(|channel| {
        Verdict::of(acked.contains(channel), || {
            format!("expected an ack of channel {channel}, on which something new arrived")
        })
    }))
}

fn missing(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.delivery() else {
        return Verdict::DoesNotApply;
    };
    Verdict::all(delivery.acks.iter().map(|ack| {
        let sorted = ack.missing.is_sorted_by(|a, b| a < b);
        let within = ack
            .missing
            .iter()
            .all(|seq| (ack.upto + 1..ack.highest).contains(seq));
        let right = sorted && within && ack.missing.len() <= 32 && ack.upto <= ack.highest;
        Verdict::of(right, || {
            format!("expected at most 32 missing numbers, lowest first, seen {ack:?}")
        })
    }))
}

fn auto_submitted(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.delivery() else {
        return Verdict::DoesNotApply;
    };
    let before = delivery
        .channel
        .as_ref()
        .and_then(|channel| seen.before(channel));
    if before.is_none() && !delivery.objects.is_empty() || seen.is_group_copy() {
        return Verdict::DoesNotApply;
    }
    let value = seen.outer.only("Auto-Submitted");
    Verdict::of(value == Some("auto-generated"), || {
        format!("expected `Auto-Submitted: auto-generated`, seen {value:?}")
    })
}

fn one_transaction(seen: &Seen<'_>) -> Verdict {
    let Some(submission) = seen.submission.filter(|_| seen.is_sealed()) else {
        return Verdict::DoesNotApply;
    };
    let to = &submission.recipients;
    Verdict::of(to.len() == 1, || {
        format!("expected one recipient in one transaction, seen {to:?}")
    })
}
