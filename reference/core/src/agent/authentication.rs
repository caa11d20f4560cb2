//! Which mail the own server authenticated (RFC 8601; specification, `friends.auth-results`).

use kith_spec::req;

use super::address;
use crate::gate::Gate;
use crate::wire::mime::Entity;

/// Whether the own server says that the mail comes from the domain of `sender`.
#[must_use]
pub fn is_authenticated(
    gate: &dyn Gate,
    mail: &Entity,
    authserv_id: Option<&str>,
    sender: &str,
) -> bool {
    let Some(own) = authserv_id else { return false };
    let from = mail.field("From").next().map(|from| {
        let address = strip_comments(from);
        let domain = address.rsplit('@').next().unwrap_or_default();
        domain.trim_end_matches(['>', ' ', '\t']).to_owned()
    });
    let fields = mail.field("Authentication-Results").map(strip_comments);
    let mut trusted = fields.filter(|field| {
        let id = field.split(';').next().unwrap_or_default();
        let id = id.split_whitespace().next().unwrap_or_default();
        id.eq_ignore_ascii_case(own) || !gate.enforces(&req::FRIENDS_AUTH_RESULTS)
    });
    if gate.enforces(&req::FRIENDS_AUTH_RESULTS) {
        trusted
            .next()
            .is_some_and(|field| passes(&field, from.as_deref(), sender))
    } else {
        trusted.any(|field| passes(&field, from.as_deref(), sender))
    }
}

/// Whether a result says so of the domain it names, or else of the one in the field From.
fn passes(field: &str, from: Option<&str>, sender: &str) -> bool {
    field.split(';').skip(1).any(|result| {
        let mut words = result.split_whitespace();
        let passed = words
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("dmarc=pass"));
        let domain = words.find_map(|word| word.strip_prefix("header.from="));
        let domain = domain.or(from);
        passed
            && domain.is_some_and(|domain| {
                address::same(
                    &format!("x@{domain}"),
                    &format!("x@{}", address::domain(sender)),
                )
            })
    })
}

/// Removes comments in parentheses, nested ones too.
fn strip_comments(field: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for character in field.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Strict;

    fn judge(header: &str) -> bool {
        let mail =
            Entity::parse(format!("{header}From: a@a.test\r\n\r\nx\r\n").as_bytes()).unwrap();
        is_authenticated(&Strict, &mail, Some("mx.b.test"), "alice@a.test")
    }

    #[test]
    fn only_the_topmost_field_of_the_own_server_counts() {
        let field = |id: &str, result: &str| {
            format!(
                "Authentication-Results: {id};\r\n dmarc={result} (p=none) header.from=a.test\r\n"
            )
        };
        assert!(judge(&field("mx.b.test", "pass")));
        assert!(!judge(&field("mx.b.test", "fail")));
        assert!(!judge(&field("mx.evil.test", "pass")));
        assert!(!judge(
            &(field("mx.b.test", "fail") + &field("mx.b.test", "pass"))
        ));
        assert!(judge(
            &(field("other.test", "fail") + &field("mx.b.test", "pass"))
        ));
        assert!(!judge(
            "Authentication-Results: mx.b.test; dmarc=pass header.from=evil.test\r\n"
        ));
        assert!(!judge(""));
    }
}
