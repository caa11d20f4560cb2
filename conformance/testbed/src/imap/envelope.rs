//! ENVELOPE (RFC 3501 section 7.4.2).

use super::address::{Address, addresses};
use super::structure::{nstring, string};
use crate::mime;

/// Writes the envelope of a header.
pub(super) fn write(out: &mut Vec<u8>, header: &[u8]) {
    let field = |name| mime::field(header, name).map(|value| value.trim_ascii().to_vec());
    let from = list(field("from"));
    let or_from = |list: Vec<Address>| if list.is_empty() { from.clone() } else { list };
    out.push(b'(');
    nstring(out, field("date").as_deref());
    out.push(b' ');
    nstring(out, field("subject").as_deref());
    for people in [
        from.clone(),
        or_from(list(field("sender"))),
        or_from(list(field("reply-to"))),
        list(field("to")),
        list(field("cc")),
        list(field("bcc")),
    ] {
        out.push(b' ');
        write_list(out, &people);
    }
    out.push(b' ');
    nstring(out, field("in-reply-to").as_deref());
    out.push(b' ');
    nstring(out, field("message-id").as_deref());
    out.push(b')');
}

fn list(value: Option<Vec<u8>>) -> Vec<Address> {
    addresses(&String::from_utf8_lossy(&value.unwrap_or_default()))
}

fn write_list(out: &mut Vec<u8>, list: &[Address]) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        let nil = |out: &mut Vec<u8>| out.extend_from_slice(b"NIL");
        match address {
            Address::Mailbox {
                name,
                route,
                local,
                domain,
            } => {
                nstring(out, name.as_ref().map(String::as_bytes));
                out.push(b' ');
                nstring(out, route.as_ref().map(String::as_bytes));
                out.push(b' ');
                string(out, local.as_bytes());
                out.push(b' ');
                string(out, domain.as_bytes());
            }
            Address::GroupStart(name) => {
                out.extend_from_slice(b"NIL NIL ");
                string(out, name.as_bytes());
                out.push(b' ');
                nil(out);
            }
            Address::GroupEnd => out.extend_from_slice(b"NIL NIL NIL NIL"),
        }
        out.push(b')');
    }
    out.push(b')');
}
