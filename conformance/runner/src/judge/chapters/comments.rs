//! Chapter “Comments”, as far as a sent mail shows it.

use std::collections::BTreeSet;

use kith_spec::req;

use crate::judge::read::document::{Element, ObjectFacts};
use crate::judge::read::sha256;
use crate::judge::{Check, Mail, Seen, Verdict};

/// Comments, reactions, shares, hides, and what is relayed.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::COMMENT_ROOT,
        look: root,
    },
    Check {
        rule: &req::COMMENT_PARENT,
        look: parent,
    },
    Check {
        rule: &req::COMMENT_TO_AUTHOR,
        look: to_author,
    },
    Check {
        rule: &req::REACTION_ID,
        look: reaction_id,
    },
    Check {
        rule: &req::REACTION_SYMBOL_ONCE,
        look: symbol_once,
    },
    Check {
        rule: &req::RELAY_CONSENT,
        look: consent,
    },
    Check {
        rule: &req::RELAY_CHAIN,
        look: chain,
    },
    Check {
        rule: &req::HIDE_AUTHOR,
        look: hide_author,
    },
    Check {
        rule: &req::HIDE_TARGET,
        look: hide_target,
    },
    Check {
        rule: &req::RETRACT_ROOT,
        look: retract_root,
    },
    Check {
        rule: &req::SHARE_PUBLIC,
        look: share_public,
    },
];

fn is_reply(object: &ObjectFacts) -> bool {
    matches!(object.kind.as_str(), "comment" | "reaction")
}

/// Whether an object may be handed over by somebody who is not its author: the author of
/// its root, or who shares it.
pub(super) fn may_hand_over(object: &ObjectFacts, from: &str, mail: &Mail) -> bool {
    let relayed = is_reply(object) || object.kind == "retract";
    let root = attribute(object, "root", "author");
    let shared = || {
        mail.readable().any(|share| {
            let named = attribute(share, "target", "hash");
            share.kind == "share" && share.author == from && named == Some(&object.hash)
        })
    };
    object.kind == "identity"
        || relayed && root == Some(from)
        || object.kind == "post" && object.audience == "public" && shared()
}

fn attribute<'a>(object: &'a ObjectFacts, element: &str, name: &str) -> Option<&'a str> {
    object.payload.child(element)?.attribute(name)
}

fn objects<'a>(seen: &Seen<'a>) -> impl Iterator<Item = &'a ObjectFacts> + use<'a> {
    seen.mail.into_iter().flat_map(Mail::readable)
}

fn of_kind(
    seen: &Seen<'_>,
    fits: impl Fn(&ObjectFacts) -> bool,
    look: impl Fn(&ObjectFacts) -> Verdict,
) -> Verdict {
    Verdict::all(objects(seen).filter(|object| fits(object)).map(look))
}

fn root(seen: &Seen<'_>) -> Verdict {
    of_kind(seen, is_reply, |object| {
        let kind = attribute(object, "root", "kind");
        Verdict::of(matches!(kind, Some("post" | "share")), || {
            format!("expected a post or share as root, seen {kind:?}")
        })
    })
}

fn parent(seen: &Seen<'_>) -> Verdict {
    of_kind(seen, is_reply, |object| {
        let kind = attribute(object, "parent", "kind");
        Verdict::of(matches!(kind, None | Some("comment")), || {
            format!("expected a comment as parent, seen {kind:?}")
        })
    })
}

fn to_author(seen: &Seen<'_>) -> Verdict {
    let Some(delivery) = seen.mail.and_then(Mail::delivery) else {
        return Verdict::DoesNotApply;
    };
    let from = delivery.from.id.as_str();
    of_kind(seen, is_reply, |object| {
        if object.author != from || object.audience == "group" {
            return Verdict::DoesNotApply;
        }
        let author = attribute(object, "root", "author").unwrap_or_default();
        let here = author == from || delivery.to.iter().any(|to| to.id == author);
        Verdict::of(here, || {
            format!("expected a comment to go to the root's author {author}, seen another")
        })
    })
}

fn reaction_id(seen: &Seen<'_>) -> Verdict {
    of_kind(
        seen,
        |object| object.kind == "reaction",
        |object| {
            let payload = &object.payload;
            let target = payload.child("parent").or(payload.child("root"));
            let expected = target.and_then(derived_id);
            Verdict::of(expected.as_ref() == Some(&object.id), || {
                format!("expected the id {expected:?}, seen {}", object.id)
            })
        },
    )
}

fn derived_id(target: &Element) -> Option<String> {
    let octets = |name| hex::decode(target.attribute(name)?).ok();
    let kind = target.attribute("kind")?.as_bytes();
    let target = [&octets("author")?[..], &octets("id")?, kind].concat();
    Some(sha256(&[b"reaction\0", &target[..]].concat())[..32].to_owned())
}

fn symbol_once(seen: &Seen<'_>) -> Verdict {
    of_kind(
        seen,
        |object| object.kind == "reaction",
        |object| {
            let symbols: Vec<_> = object.payload.all("symbol").map(|s| &s.text).collect();
            let distinct: BTreeSet<_> = symbols.iter().collect();
            Verdict::of(distinct.len() == symbols.len(), || {
                format!("expected every symbol once, seen {symbols:?}")
            })
        },
    )
}

/// The comments and reactions in a delivery that are not by its sender.
fn relayed<'a>(seen: &Seen<'a>) -> Vec<&'a ObjectFacts> {
    let from = seen.mail.and_then(Mail::delivery).map(|d| &d.from.id);
    let foreign =
        |object: &&ObjectFacts| from.is_some_and(|from| object.author != *from) && is_reply(object);
    objects(seen).filter(foreign).collect()
}

fn consent(seen: &Seen<'_>) -> Verdict {
    Verdict::all(relayed(seen).into_iter().map(|object| {
        Verdict::of(object.audience != "direct", || {
            format!(
                "expected nothing relayed that is for one person, seen a `{}`",
                object.kind
            )
        })
    }))
}

fn chain(seen: &Seen<'_>) -> Verdict {
    Verdict::all(relayed(seen).into_iter().map(|object| {
        let author = &object.author;
        let there = objects(seen).any(|o| o.kind == "identity" && o.author == *author);
        Verdict::of(there, || {
            format!("expected the chain of {author} with what is relayed, seen none")
        })
    }))
}

fn hide_author(seen: &Seen<'_>) -> Verdict {
    of_kind(
        seen,
        |object| object.kind == "hide",
        |object| {
            let root = attribute(object, "root", "author");
            Verdict::of(root == Some(&object.author), || {
                format!("expected a hide under an own post, seen one of {root:?}")
            })
        },
    )
}

fn hide_target(seen: &Seen<'_>) -> Verdict {
    of_kind(
        seen,
        |object| object.kind == "hide",
        |object| {
            let kind = attribute(object, "target", "kind");
            Verdict::of(matches!(kind, Some("comment" | "reaction")), || {
                format!("expected a hide of a comment or reaction, seen {kind:?}")
            })
        },
    )
}

fn retract_root(seen: &Seen<'_>) -> Verdict {
    of_kind(
        seen,
        |object| object.kind == "retract",
        |object| {
            let comment = attribute(object, "target", "kind") == Some("comment");
            let root = object.payload.child("root").is_some();
            Verdict::of(comment == root, || {
                "expected the root in the retract of a comment, and in no other".to_owned()
            })
        },
    )
}

fn share_public(seen: &Seen<'_>) -> Verdict {
    of_kind(
        seen,
        |object| object.kind == "share",
        |share| {
            let kind = attribute(share, "target", "kind");
            let hash = attribute(share, "target", "hash");
            let shared = objects(seen).find(|object| hash == Some(&object.hash));
            let audience = shared.map_or("public", |shared| shared.audience.as_str());
            Verdict::of(kind == Some("post") && audience == "public", || {
                format!("expected a share of a public post, seen a {kind:?} for {audience}")
            })
        },
    )
}
