//! A message on its way, against bare OpenPGP over the same octets.

use std::io::{Read as _, Write as _};
use std::time::SystemTime;

use kith_core::{Action, Incoming};
use openpgp::cert::{CertBuilder, CipherSuite};
use openpgp::crypto::SessionKey;
use openpgp::packet::{PKESK, SKESK};
use openpgp::parse::Parse as _;
use openpgp::parse::stream::{
    DecryptionHelper, DecryptorBuilder, MessageStructure, VerificationHelper,
};
use openpgp::policy::StandardPolicy;
use openpgp::serialize::stream::{Armorer, Encryptor, LiteralWriter, Message, Signer};
use openpgp::types::SymmetricAlgorithm;
use openpgp::{Cert, KeyHandle};
use sequoia_openpgp as openpgp;

use crate::people::{Person, Result, START, befriend};
use crate::table::{Table, least};

const CALLS: usize = 60;
/// The payload of a short message after padding.
const PAYLOAD: usize = 4096;

pub(crate) fn measure(table: &mut Table) -> Result<()> {
    let (mut alice, mut bob) = (Person::new(1)?, Person::new(2)?);
    befriend(&mut alice, &mut bob)?;
    let message = Action::Message {
        to: bob.id(),
        text: "Shall we meet on Friday?".to_owned(),
        parent: None,
        media: Vec::new(),
    };
    let write = least(CALLS, || {
        alice
            .agent
            .act(&alice.store, message.clone(), START)
            .map(|(done, _)| done)
    });
    alice.act(START, message)?;
    let mails = alice.outbox(START)?;
    let (_, octets) = mails.first().ok_or("no mail")?;
    let read = least(CALLS, || {
        bob.agent
            .receive(&bob.store, Incoming { octets, now: START })
            .map(|receipt| receipt.mail)
    });

    let bare = Bare::new()?;
    let sealed = bare.seal()?;
    let seal = least(CALLS, || bare.seal());
    let open = least(CALLS, || bare.open(&sealed));
    table.row(
        "a message: act, to the mail in the outbox",
        write,
        "sign and encrypt 4 KiB",
        seal,
    );
    table.row(
        "a message: receive, to the writes",
        read,
        "decrypt and verify 4 KiB",
        open,
    );
    Ok(())
}

/// One signature and one encryption by the OpenPGP library alone.
struct Bare {
    sender: Cert,
    recipient: Cert,
    policy: StandardPolicy<'static>,
}

impl Bare {
    fn new() -> Result<Self> {
        let make = |name: &str| {
            CertBuilder::general_purpose(Some(name))
                .set_cipher_suite(CipherSuite::Cv25519)
                .set_creation_time(SystemTime::now())
                .generate()
        };
        Ok(Self {
            sender: make("Alice <alice@a.test>")?.0,
            recipient: make("Bob <bob@b.test>")?.0,
            policy: StandardPolicy::new(),
        })
    }

    fn seal(&self) -> openpgp::Result<Vec<u8>> {
        let mut sealed = Vec::new();
        let keys = self.recipient.keys().with_policy(&self.policy, None);
        let recipients = keys
            .supported()
            .alive()
            .revoked(false)
            .for_transport_encryption();
        let signing = self.sender.keys().secret().with_policy(&self.policy, None);
        let signing = signing.for_signing().next();
        let signing = signing.ok_or_else(|| openpgp::anyhow::anyhow!("no signing key"))?;
        let pair = signing.key().clone().into_keypair()?;
        let message = Armorer::new(Message::new(&mut sealed)).build()?;
        let message = Encryptor::for_recipients(message, recipients)
            .symmetric_algo(SymmetricAlgorithm::AES256)
            .build()?;
        let mut literal = LiteralWriter::new(Signer::new(message, pair)?.build()?).build()?;
        literal.write_all(&[b'x'; PAYLOAD])?;
        literal.finalize()?;
        Ok(sealed)
    }

    fn open(&self, sealed: &[u8]) -> openpgp::Result<Vec<u8>> {
        let mut content = Vec::new();
        DecryptorBuilder::from_bytes(sealed)?
            .with_policy(&self.policy, None, Helper(self))?
            .read_to_end(&mut content)?;
        Ok(content)
    }
}

struct Helper<'a>(&'a Bare);

impl VerificationHelper for Helper<'_> {
    fn get_certs(&mut self, _: &[KeyHandle]) -> openpgp::Result<Vec<Cert>> {
        Ok(vec![self.0.sender.clone()])
    }

    fn check(&mut self, _: MessageStructure<'_>) -> openpgp::Result<()> {
        Ok(())
    }
}

impl DecryptionHelper for Helper<'_> {
    fn decrypt(
        &mut self,
        pkesks: &[PKESK],
        _: &[SKESK],
        algorithm: Option<SymmetricAlgorithm>,
        decrypt: &mut dyn FnMut(Option<SymmetricAlgorithm>, &SessionKey) -> bool,
    ) -> openpgp::Result<Option<Cert>> {
        for key in self.0.recipient.keys().secret() {
            let mut pair = key.key().clone().into_keypair()?;
            for pkesk in pkesks {
                if let Some((algorithm, session)) = pkesk.decrypt(&mut pair, algorithm)
                    && decrypt(algorithm, &session)
                {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }
}
