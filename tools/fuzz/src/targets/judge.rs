//! The readers of the suite: the judge's and the forge's.

use kith_forge::read::{Knowledge, read_open};
use kith_runner::judge::read::{document, mime, openpgp};
use kith_runner::judge::{Keyring, Mail};

use super::seeds::SEEDS;
use crate::{Mutator, Target};

/// Mails, and what stands in them.
pub(super) struct Reader {
    keyring: Keyring,
}

impl Reader {
    pub(super) fn new() -> Self {
        let mut keyring = Keyring::default();
        for certificate in SEEDS.certificates.iter().take(20) {
            // Among the certificates of the vectors are bad ones.
            let _ = keyring.add_signer(certificate);
        }
        Self { keyring }
    }
}

impl Target for Reader {
    fn name(&self) -> &'static str {
        "judge"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let lists = [
            &SEEDS.mails,
            &SEEDS.mails,
            &SEEDS.objects,
            &SEEDS.documents,
            &SEEDS.certificates,
        ];
        let list = *mutator.choose(&lists);
        let octets = mutator.choose(list).clone();
        let other = mutator.choose(list);
        let octets = mutator.mutate(octets, other);
        if let Ok(mail) = Mail::read(&octets, self.keyring.sequoia()) {
            mail.describe();
        }
        let _ = read_open(&octets, &Knowledge::new());
        if let Ok(entity) = mime::Entity::read(&octets, "mail") {
            entity.tree();
        }
        let _ = openpgp::message(&octets, self.keyring.sequoia());
        let _ = openpgp::certificate(&octets);
        let _ = document::object(&octets);
        let _ = document::delivery(&octets);
        mime::addresses(&String::from_utf8_lossy(&octets));
        Ok(())
    }
}
