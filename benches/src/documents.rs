//! Decoding an object document, against reading its events.

use kith_core::Strict;
use kith_core::wire::mime::{Entity, OBJECT};
use kith_core::wire::signed::Signed;
use kith_schemas::types::Object;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::people::Result;
use crate::table::{Table, least};

const CALLS: usize = 4000;

pub(crate) fn measure(table: &mut Table) -> Result<()> {
    let vector = kith_vectors::vector("valid/request-v4-v4").ok_or("no such vector")?;
    let mail = Entity::parse(&vector.mail.octets()).ok_or("no mail")?;
    for part in mail.of_type(OBJECT) {
        let Ok(signed) = Signed::parse(&Strict, &part.content) else {
            continue;
        };
        let octets = signed.octets;
        Object::decode(&octets)?;
        let decode = least(CALLS, || Object::decode(&octets).is_ok());
        let events = least(CALLS, || count(&octets));
        let what = format!("decode an object of {} octets", octets.len());
        table.row(&what, decode, "quick-xml, events only", events);
    }
    Ok(())
}

/// How many events a document has.
fn count(octets: &[u8]) -> usize {
    let mut reader = Reader::from_reader(octets);
    let mut count = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Eof) | Err(_) => return count,
            Ok(_) => count += 1,
        }
    }
}
