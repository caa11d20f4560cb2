//! `request`: the wish to become friends.

use crate::ForgeError;
use crate::draft::{Draft, Item, MailDraft, ObjectDraft, OpenDraft};
use crate::hash::{Hash, Id128, IdentityId};
use crate::instant::{DAY, Instant};
use crate::invite::Invite;
use crate::peer::Peer;
use crate::puppet::Puppet;
use crate::xml::Element;

/// What a request may say besides the necessary.
#[derive(Debug, Clone, Default)]
pub struct RequestOptions {
    /// A few words.
    pub note: Option<String>,
    /// `follow` instead of `friend`.
    pub follow: bool,
    /// The invite it answers.
    pub invite: Option<Invite>,
    /// When it ends; 14 days after it was made where there is none.
    pub expires: Option<Instant>,
}

/// What an answer names of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRef {
    /// The object hash.
    pub hash: Hash,
    /// The object's id.
    pub id: Id128,
    /// The nonce.
    pub nonce: Id128,
    /// Who asks.
    pub author: IdentityId,
}

impl Puppet {
    /// The object of a request for an address.
    pub fn request_object(
        &mut self,
        address: &str,
        now: Instant,
        options: &RequestOptions,
    ) -> ObjectDraft {
        let purpose = if options.follow { "follow" } else { "friend" };
        let nonce = Id128::random(&mut self.rng);
        let expires = options.expires.unwrap_or(now + 14 * DAY);
        let note = options.note.iter();
        let payload = Element::new("request")
            .attribute("purpose", purpose)
            .attribute("nonce", nonce)
            .attribute("expires", expires)
            .child(Element::new("to").attribute("address", address))
            .child(self.credentials())
            .children(note.map(|note| Element::new("note").text(note)));
        let wish = if options.follow {
            "to follow your page"
        } else {
            "you to become friends"
        };
        let fallback = format!("{} ({}) asks {wish}.", self.name, self.address);
        let mut object = self.object(payload, "direct", &fallback, now);
        if let Some(invite) = &options.invite {
            let proof = invite.request_proof(object.id, self.id);
            let proof = Element::new("invite").attribute("proof", proof);
            object.payload = object.payload.child(proof);
        }
        object
    }

    /// A request as open mail, with everything it names.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "options are made for one request"
    )]
    pub fn request(&mut self, address: &str, now: Instant, options: RequestOptions) -> OpenDraft {
        let request = self.request_object(address, now, &options);
        let subject = format!("{} asks you to become friends", self.name);
        let mail = MailDraft::new(&self.address, address, now, &subject);
        let mut draft = OpenDraft::new(mail);
        draft.objects = self.credential_objects();
        draft.objects.push(request.into());
        draft.certificates.push(self.certificate.clone());
        draft
    }

    /// A request to somebody whose certificate is known, sealed.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "options are made for one request"
    )]
    pub fn request_sealed(
        &mut self,
        to: &Peer,
        now: Instant,
        options: RequestOptions,
    ) -> Result<Draft, ForgeError> {
        let request = self.request_object(&to.address, now, &options);
        let mut draft = self.delivery(to, now)?;
        draft.objects = self.credential_objects();
        draft.objects.push(Item::Draft(request));
        draft.certificates.push(self.certificate.clone());
        Ok(draft)
    }
}
