//! Chapter “Groups”, as far as a sent mail and those before it show it.

use std::collections::BTreeSet;

use kith_spec::req;

use crate::judge::read::document::ObjectFacts;
use crate::judge::{Check, Mail, Seen, Verdict};

/// Lists, and deliveries to all members.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::GROUP_OWNER,
        look: owner,
    },
    Check {
        rule: &req::GROUP_ONCE,
        look: once,
    },
    Check {
        rule: &req::GROUP_SCOPE,
        look: scope,
    },
    Check {
        rule: &req::GROUP_DELIVERY,
        look: delivery,
    },
    Check {
        rule: &req::GROUP_OUTER,
        look: outer,
    },
    Check {
        rule: &req::GROUP_RECIPIENTS,
        look: recipients,
    },
    Check {
        rule: &req::GROUP_CONTENT,
        look: content,
    },
    Check {
        rule: &req::GROUP_CHANNEL,
        look: channel,
    },
    Check {
        rule: &req::GROUP_ACKS,
        look: acks,
    },
    Check {
        rule: &req::GROUP_MESSAGE,
        look: message,
    },
];

fn objects<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a ObjectFacts> {
    seen.mail.into_iter().flat_map(Mail::readable)
}

fn of_kind<'a>(seen: &Seen<'a>, kind: &'a str) -> impl Iterator<Item = &'a ObjectFacts> {
    objects(seen).filter(move |object| object.kind == kind)
}

fn owner(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "group").map(|group| {
        let members = group.payload.all("member");
        let owners: Vec<_> = members
            .filter(|member| member.attribute("role") == Some("owner"))
            .filter_map(|member| member.attribute("id"))
            .collect();
        Verdict::of(owners == [group.author.as_str()], || {
            format!("expected the author as the only owner, seen {owners:?}")
        })
    }))
}

fn once(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "group").map(|group| {
        let members = group.payload.all("member");
        let all = members.chain(group.payload.all("invited"));
        let all: Vec<_> = all.filter_map(|listed| listed.attribute("id")).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        Verdict::of(distinct.len() == all.len(), || {
            format!("expected everybody once on the list, seen {all:?}")
        })
    }))
}

fn scope(seen: &Seen<'_>) -> Verdict {
    Verdict::all(objects(seen).map(|object| {
        let scoped = object.audience == "group" && object.kind != "group";
        if !scoped && object.scope.is_none() {
            return Verdict::DoesNotApply;
        }
        Verdict::of(scoped && object.scope.is_some(), || {
            let (kind, audience) = (&object.kind, &object.audience);
            format!("expected a scope exactly for a group, seen a `{kind}` for `{audience}`")
        })
    }))
}

/// Whether an object goes to each member alone: a list, or its retract.
fn goes_alone(object: &ObjectFacts) -> bool {
    let target = object.payload.child("target");
    let of_group = target.and_then(|target| target.attribute("kind")) == Some("group");
    object.kind == "group" || object.kind == "retract" && of_group
}

fn delivery(seen: &Seen<'_>) -> Verdict {
    if seen.delivery().is_none() {
        return Verdict::DoesNotApply;
    }
    let group = seen.group().is_some();
    let for_group = objects(seen).filter(|object| object.audience == "group");
    Verdict::all(for_group.map(|object| {
        let kind = &object.kind;
        Verdict::of(goes_alone(object) != group, || match group {
            true => format!("expected a `{kind}` in deliveries of one recipient each"),
            false => format!("expected a `{kind}` for a group in a delivery that names a revision"),
        })
    }))
}

fn outer(seen: &Seen<'_>) -> Verdict {
    let (Some(_), Some(payload)) = (seen.group(), seen.payload()) else {
        return Verdict::DoesNotApply;
    };
    let fields = [seen.outer.only("To"), payload.root.only("To")];
    let right = |field: &Option<&str>| field.is_some_and(|to| to == "undisclosed-recipients:;");
    Verdict::of(fields.iter().all(right), || {
        format!("expected `To: undisclosed-recipients:;` outside and inside, seen {fields:?}")
    })
}

fn recipients(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(group)) = (seen.delivery(), seen.group()) else {
        return Verdict::DoesNotApply;
    };
    let Some(members) = seen.memory.and_then(|memory| memory.groups.get(group)) else {
        return Verdict::DoesNotApply;
    };
    let mut expected: BTreeSet<&str> = members.iter().map(String::as_str).collect();
    let member = expected.remove(delivery.from.id.as_str());
    let to: BTreeSet<_> = delivery.to.iter().map(|party| party.id.as_str()).collect();
    let right = member && to == expected && to.len() == delivery.to.len();
    Verdict::of(right, || {
        format!("expected the members without the sender, {expected:?}, seen {to:?}")
    })
}

fn content(seen: &Seen<'_>) -> Verdict {
    if seen.group().is_none() {
        return Verdict::DoesNotApply;
    }
    let scopes: BTreeSet<_> = objects(seen)
        .filter(|object| !matches!(object.kind.as_str(), "identity" | "contact"))
        .map(|object| object.scope.as_ref())
        .collect();
    let one = scopes.len() == 1 && scopes.iter().all(Option::is_some);
    Verdict::of(one, || {
        format!("expected only objects for one group, seen the scopes {scopes:?}")
    })
}

fn channel(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(group), Some(memory)) = (seen.delivery(), seen.group(), seen.memory)
    else {
        return Verdict::DoesNotApply;
    };
    let Some(channel) = &delivery.channel else {
        return Verdict::Broken("expected a delivery to a group to have a channel".to_owned());
    };
    let known = memory.group_channels.get(&channel.id);
    let elsewhere = known.is_none() && memory.channels.contains_key(&channel.id);
    let same = known.is_none_or(|known| known == group);
    Verdict::of(same && !elsewhere, || {
        format!("expected a channel of its own for the revision {group}, seen that of {known:?}")
    })
}

fn acks(seen: &Seen<'_>) -> Verdict {
    let (Some(delivery), Some(_)) = (seen.delivery(), seen.group()) else {
        return Verdict::DoesNotApply;
    };
    let count = delivery.acks.len();
    Verdict::of(count == 0, || {
        format!("expected no acknowledgement in a delivery to a group, seen {count}")
    })
}

fn message(seen: &Seen<'_>) -> Verdict {
    Verdict::all(of_kind(seen, "message").map(|message| {
        let named = message.payload.child("to").is_some();
        Verdict::of(named != message.scope.is_some(), || {
            "expected a message for one person or for a group, and not both".to_owned()
        })
    }))
}
