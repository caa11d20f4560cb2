//! The decoders of objects and delivery documents, beside the general validator.

use kith_schemas::types::{Delivery, Object};
use kith_schemas::validator::{SchemaName, Validator};

use super::seeds::SEEDS;
use crate::{Mutator, Target};

const DELIVERY: &str = concat!(
    "<delivery xmlns=\"urn:kith:1.0\"><from id=\"",
    "1f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab2",
    "\" address=\"alice@a.test\"/><to id=\"",
    "2f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab2",
    "\" address=\"bob@b.test\"/><channel id=\"1f0c9ab21f0c9ab21f0c9ab21f0c9ab2\" seq=\"3\" base=\"1\"/>",
    "<ack channel=\"2f0c9ab21f0c9ab21f0c9ab21f0c9ab2\" upto=\"2\" highest=\"7\"><missing>3</missing></ack>",
    "<path nonce=\"1f0c9ab21f0c9ab21f0c9ab21f0c9ab2\"/>",
    "<object hash=\"1f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab21f0c9ab2\"/></delivery>"
);

/// Object and delivery documents.
pub(super) struct Documents {
    seeds: Vec<Vec<u8>>,
    object: Option<Validator>,
    delivery: Option<Validator>,
}

impl Documents {
    pub(super) fn new() -> Self {
        let mut seeds = SEEDS.documents.clone();
        seeds.extend(std::iter::repeat_n(DELIVERY.as_bytes().to_vec(), 8));
        Self {
            seeds,
            object: Validator::new(SchemaName::Object).ok(),
            delivery: Validator::new(SchemaName::Delivery).ok(),
        }
    }
}

impl Target for Documents {
    fn name(&self) -> &'static str {
        "schemas"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let octets = mutator.choose(&self.seeds).clone();
        let other = mutator.choose(&self.seeds);
        let octets = mutator.mutate(octets, other);
        if let Ok(object) = Object::decode(&octets) {
            let again = object
                .encode()
                .map_err(|error| format!("read but not written: {error}"))?;
            Object::decode(&again).map_err(|error| format!("not read as written: {error}"))?;
        }
        if let Ok(delivery) = Delivery::decode(&octets) {
            let again = delivery
                .encode()
                .map_err(|error| format!("read but not written: {error}"))?;
            Delivery::decode(&again).map_err(|error| format!("not read as written: {error}"))?;
        }
        for validator in [&mut self.object, &mut self.delivery].into_iter().flatten() {
            let _ = validator.validate(&octets);
        }
        Ok(())
    }
}
