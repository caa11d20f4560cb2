//! Comparing addresses (specification, `mail.address-compare`).

use kith_spec::req;

/// The form under which two addresses are the same: the local part with ASCII letters in lower
/// case, the domain in A-label form. Addresses are sent as written, never in this form.
#[must_use]
pub fn canonical(address: &str) -> String {
    crate::implements!(req::MAIL_ADDRESS_COMPARE);
    let Some((local, domain)) = address.rsplit_once('@') else {
        return address.to_ascii_lowercase();
    };
    let domain = idna::domain_to_ascii(domain).unwrap_or_else(|_| domain.to_ascii_lowercase());
    format!("{}@{domain}", local.to_ascii_lowercase())
}

/// Whether two addresses are the same.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    canonical(one) == canonical(other)
}

/// The domain in A-label form.
#[must_use]
pub fn domain(address: &str) -> String {
    let canonical = canonical(address);
    canonical
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_owned())
        .unwrap_or_default()
}

/// Whether an address can be used: one `@` with something on both sides, a domain that has an
/// A-label form, and no character that the schema forbids.
#[must_use]
pub fn is_valid(address: &str) -> bool {
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    domain.is_some_and(|domain| idna::domain_to_ascii(domain).is_ok())
        && kith_schemas::types::Address::new(address).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_compare_by_a_label_and_ascii_case() {
        assert!(same("Alice@Example.ORG", "alice@example.org"));
        assert!(same("a@bücher.test", "a@xn--bcher-kva.test"));
        assert!(!same("alice+x@a.test", "alice@a.test"));
        assert!(!same("ALİCE@a.test", "alice@a.test"));
        assert!(is_valid("ž@a.test") && !is_valid("a b@a.test") && !is_valid("a"));
    }
}
