//! `page` and what it publishes: public mail.

use crate::draft::{Item, MailDraft, ObjectDraft, OpenDraft};
use crate::hash::{Hash, Id128};
use crate::instant::Instant;
use crate::puppet::Puppet;
use crate::xml::Element;

/// The field `To` of a mail that names nobody.
const UNDISCLOSED: &str = "undisclosed-recipients:;";

impl Puppet {
    /// The page of this person, with the next revision.
    pub fn page_object(&mut self, about: &str, now: Instant) -> ObjectDraft {
        let name = format!("Friends of {}", self.name);
        let link = Element::new("link")
            .attribute("href", "https://club.test/")
            .attribute("label", "our house");
        let payload = Element::new("page")
            .attribute("comments", "followers")
            .child(Element::new("name").text(&name))
            .child(Element::new("description").text(about))
            .child(Element::new("category").text("club"))
            .child(link)
            .child(self.credentials());
        self.page_rev += 1;
        let rev = self.page_rev;
        let fallback = format!("{name}: {about}");
        let page = self.object(payload, "public", &fallback, now);
        ObjectDraft {
            id: Id128::derived("page", &[]),
            rev,
            ..page
        }
    }

    /// A public mail with a new post.
    pub fn public_post(&mut self, to: &str, text: &str, now: Instant) -> OpenDraft {
        let page = self.page_object("What we do, and when.", now);
        let post = self.public_post_object(text, now);
        self.public_mail(to, page, vec![post], now)
    }

    /// The names of what the page shows of others.
    pub fn relay_object(&mut self, objects: &[Hash], now: Instant) -> ObjectDraft {
        let objects = objects.iter();
        let payload = Element::new("relay")
            .children(objects.map(|hash| Element::new("object").attribute("hash", hash)));
        let fallback = format!("{} shows what others wrote.", self.name);
        self.object(payload, "public", &fallback, now)
    }

    /// A public mail as it reaches the reader at an address: the page and these objects.
    pub fn public_mail(
        &mut self,
        to: &str,
        page: ObjectDraft,
        objects: Vec<ObjectDraft>,
        now: Instant,
    ) -> OpenDraft {
        let said = objects.last().unwrap_or(&page);
        let subject: String = said.fallback.chars().take(60).collect();
        let mut mail = MailDraft::new(&self.address, to, now, &subject);
        mail.header_to = Some(UNDISCLOSED.to_owned());
        let mut draft = OpenDraft::new(mail);
        draft.objects = self.credential_objects();
        draft.objects.push(page.into());
        draft.objects.extend(objects.into_iter().map(Item::Draft));
        draft.certificates.push(self.certificate.clone());
        draft
    }
}
