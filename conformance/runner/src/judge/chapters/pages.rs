//! Chapter “Pages”, as far as a sent mail shows it.

use kith_spec::{limit, req};

use super::friends::credentials;
use crate::judge::read::{Mail, contains, sha256};
use crate::judge::{Check, Form, Seen, Verdict};

/// Public mail.
pub(in crate::judge) static CHECKS: &[Check] = &[
    Check {
        rule: &req::PAGE_ID,
        look: page_id,
    },
    Check {
        rule: &req::PAGE_AUDIENCE,
        look: page_audience,
    },
    Check {
        rule: &req::PAGE_MAIL_WHOLE,
        look: mail_whole,
    },
    Check {
        rule: &req::PAGE_OPEN,
        look: page_open,
    },
    Check {
        rule: &req::PAGE_HIDDEN_RECIPIENTS,
        look: hidden_recipients,
    },
    Check {
        rule: &req::PAGE_BATCHES,
        look: batches,
    },
];

/// What the field `To` says where nobody is named.
const UNDISCLOSED: &str = "undisclosed-recipients:;";

fn page_id(seen: &Seen<'_>) -> Verdict {
    let derived = &sha256(b"page\0")[..32];
    seen.each("page", |_, page| {
        Verdict::of(page.id == derived, || {
            format!("expected the id {derived}, seen {}", page.id)
        })
    })
}

fn page_audience(seen: &Seen<'_>) -> Verdict {
    seen.each("page", |_, page| {
        let audience = &page.audience;
        Verdict::of(audience == "public", || {
            format!("expected a page with the audience `public`, seen `{audience}`")
        })
    })
}

/// Whether the mail holds something public.
fn is_public(seen: &Seen<'_>) -> bool {
    let mut objects = seen.mail.into_iter().flat_map(Mail::readable);
    objects.any(|object| object.audience == "public")
}

fn mail_whole(seen: &Seen<'_>) -> Verdict {
    let open = |mail: &&Mail| matches!(mail.form, Form::Open) && is_public(seen);
    let Some(mail) = seen.mail.filter(open) else {
        return Verdict::DoesNotApply;
    };
    match mail.object("page") {
        Some(_) => seen.each("page", credentials),
        None => Verdict::Broken("expected a public mail to hold the page".to_owned()),
    }
}

fn page_open(seen: &Seen<'_>) -> Verdict {
    let Some(mail) = seen.mail.filter(|mail| mail.object("page").is_some()) else {
        return Verdict::DoesNotApply;
    };
    Verdict::of(matches!(mail.form, Form::Open), || {
        "expected a page in open mail only".to_owned()
    })
}

fn hidden_recipients(seen: &Seen<'_>) -> Verdict {
    let Some(submission) = seen.submission.filter(|_| is_public(seen)) else {
        return Verdict::DoesNotApply;
    };
    let recipients = &submission.recipients;
    let to = seen.outer.only("To").unwrap_or_default();
    if recipients.len() == 1 && to.contains(recipients[0].as_str()) {
        return named_by_the_page(seen, &recipients[0]);
    }
    let octets = submission.octets.to_ascii_lowercase();
    let named = recipients
        .iter()
        .find(|to| contains(&octets, to.to_ascii_lowercase().as_bytes()));
    let hidden = named.is_none() && to == UNDISCLOSED;
    Verdict::of(hidden, || {
        format!("expected a mail to `{UNDISCLOSED}` that names no follower, seen `{to}`")
    })
}

/// Only the page's list may be named.
fn named_by_the_page(seen: &Seen<'_>, to: &str) -> Verdict {
    seen.each("page", |_, page| {
        let list = page.payload.child("list");
        let list = list.and_then(|list| list.attribute("address"));
        let right = list.is_some_and(|list| list.eq_ignore_ascii_case(to));
        Verdict::of(right, || {
            format!("expected only the page's list to be named, {list:?}, seen {to}")
        })
    })
}

fn batches(seen: &Seen<'_>) -> Verdict {
    let Some(submission) = seen.submission.filter(|_| is_public(seen)) else {
        return Verdict::DoesNotApply;
    };
    let count = submission.recipients.len();
    Verdict::of(count as u64 <= limit::PUBLIC_RECIPIENTS, || {
        let most = limit::PUBLIC_RECIPIENTS;
        format!("expected at most {most} recipients of one mail, seen {count}")
    })
}
