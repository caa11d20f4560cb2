//! Faults of the chapter "Receiving": XML and kinds.

use kith_spec::{limit, req};

use super::{Base, Fault, Scene};
use crate::draft::{Draft, ObjectDraft};
use crate::xml::{Element, NEVER_ASSIGNED, Node};

pub(super) fn faults() -> Vec<Fault> {
    [
        size(),
        well_formed(),
        doctype(),
        bounds(),
        object_schema(),
        delivery_schema(),
        kinds(),
    ]
    .concat()
}

/// Changes the XML as text.
fn text(xml: &[u8], change: impl Fn(String) -> String) -> Vec<u8> {
    change(String::from_utf8_lossy(xml).into_owned()).into_bytes()
}

/// An element `ext` with one foreign element.
fn ext(foreign: Element) -> Element {
    let foreign = foreign.attribute("xmlns:x", NEVER_ASSIGNED);
    Element::new("ext").child(foreign)
}

fn size() -> Vec<Fault> {
    let rule = &req::XML_SIZE;
    vec![
        Fault::new(
            "receiving/object-too-large",
            "an object of more than 64 KiB",
            rule,
            Base::Message,
        )
        .flags(&["compact"])
        .object(|_, object| object.ext = Some(large())),
        Fault::new(
            "receiving/delivery-document-too-large",
            "a delivery document of more than 64 KiB",
            rule,
            Base::Message,
        )
        .flags(&["compact"])
        .sealed(|_, draft| draft.delivery.ext = Some(large())),
    ]
}

/// An extension that makes any document too large.
fn large() -> Element {
    let filler = "x".repeat(limit::XML_OCTETS as usize);
    ext(Element::new("x:filler").text(filler))
}

type ObjectChange = fn(&mut Scene, &mut ObjectDraft);
type DeliveryChange = fn(&mut Scene, &mut Draft);

fn well_formed() -> Vec<Fault> {
    let rule = &req::XML_WELL_FORMED;
    let object =
        |id, title, change: ObjectChange| Fault::new(id, title, rule, Base::Message).object(change);
    vec![
        object(
            "receiving/xml-cut-off",
            "an object whose XML is cut off",
            |_, object| object.xml.set(|xml| xml[..xml.len() / 2].to_vec()),
        ),
        object(
            "receiving/xml-two-roots",
            "an object with a second root element",
            |_, object| {
                object.xml.set(|mut xml| {
                    xml.extend(b"<object/>\n");
                    xml
                });
            },
        ),
        object(
            "receiving/xml-nul",
            "an object with a NUL in its text",
            |_, object| {
                object
                    .xml
                    .set(|xml| text(&xml, |t| t.replace("</text>", "\0</text>")));
            },
        ),
        object(
            "receiving/xml-control-character",
            "an object with a reference to a character that XML forbids",
            |_, object| {
                object
                    .xml
                    .set(|xml| text(&xml, |t| t.replace("</text>", "&#27;</text>")));
            },
        ),
        object(
            "receiving/xml-latin-1",
            "an object in ISO 8859-1",
            |_, object| {
                object.xml.set(|xml| {
                    let xml = text(&xml, |t| t.replace("UTF-8", "ISO-8859-1"));
                    let end = b"</text>";
                    let place = xml.windows(end.len()).position(|window| window == end);
                    let (head, tail) = xml.split_at(place.unwrap_or(0));
                    [head, &[0xE4], tail].concat()
                });
            },
        ),
        object(
            "receiving/xml-utf-16",
            "an object in UTF-16",
            |_, object| {
                object.xml.set(|xml| {
                    let text = text(&xml, |t| t.replace("UTF-8", "UTF-16"));
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
                    units.flat_map(u16::to_be_bytes).collect()
                });
            },
        ),
        object(
            "receiving/xml-invalid-utf-8",
            "an object with an octet that is not UTF-8",
            |_, object| {
                object.xml.set(|mut xml| {
                    let place = xml.len() / 2;
                    let quote = xml[place..].iter().position(|octet| *octet == b'>');
                    xml.insert(place + quote.unwrap_or(0) + 1, 0xFF);
                    xml
                });
            },
        ),
        object(
            "receiving/xml-unknown-entity",
            "an object with an entity that is not predefined",
            |_, object| {
                object
                    .xml
                    .set(|xml| text(&xml, |t| t.replace("</text>", "&nbsp;</text>")));
            },
        ),
        Fault::new(
            "receiving/delivery-document-cut-off",
            "a delivery document whose XML is cut off",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| draft.delivery.xml.set(|xml| xml[..xml.len() / 2].to_vec())),
    ]
}

const XXE: &str = "<!DOCTYPE object [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<object";
const BOMB: &str = "<!DOCTYPE object [<!ENTITY a \"aaaaaaaaaaaaaaaa\">\
    <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">\
    <!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">\
    <!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\">\
    <!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\">]>\n<object";

fn doctype() -> Vec<Fault> {
    let rule = &req::XML_NO_DOCTYPE;
    let object = |id, title, change: ObjectChange| {
        Fault::new(id, title, rule, Base::Message)
            .flags(&["xml-entities"])
            .object(change)
    };
    vec![
        object(
            "receiving/doctype",
            "an object with a DOCTYPE",
            |_, object| {
                object.xml.set(|xml| {
                    text(&xml, |t| {
                        t.replacen("<object", "<!DOCTYPE object>\n<object", 1)
                    })
                });
            },
        ),
        object(
            "receiving/external-entity",
            "an object with an external entity",
            |_, object| {
                object.xml.set(|xml| {
                    text(&xml, |t| {
                        t.replacen("<object", XXE, 1)
                            .replace("</text>", "&e;</text>")
                    })
                });
            },
        ),
        object(
            "receiving/entity-bomb",
            "an object with entities that grow to a megabyte",
            |_, object| {
                object.xml.set(|xml| {
                    text(&xml, |t| {
                        t.replacen("<object", BOMB, 1)
                            .replace("</text>", "&e;</text>")
                    })
                });
            },
        ),
        Fault::new(
            "receiving/delivery-document-doctype",
            "a delivery document with a DOCTYPE",
            rule,
            Base::Message,
        )
        .flags(&["xml-entities"])
        .sealed(|_, draft| {
            draft.delivery.xml.set(|xml| {
                text(&xml, |t| {
                    t.replacen("<delivery", "<!DOCTYPE delivery>\n<delivery", 1)
                })
            });
        }),
    ]
}

/// Foreign elements nested until the deepest is at `depth` below an `ext`.
pub(super) fn deep(levels: u64) -> Element {
    let mut element = Element::new("x:deep");
    for _ in 1..levels {
        element = Element::new("x:deep").child(element);
    }
    ext(element)
}

fn bounds() -> Vec<Fault> {
    let rule = &req::XML_DEPTH;
    vec![
        Fault::new(
            "receiving/xml-too-deep",
            "an object nested one level too deep",
            rule,
            Base::Message,
        )
        // Root and ext are two of the levels.
        .object(|_, object| object.ext = Some(deep(limit::XML_DEPTH - 1))),
        Fault::new(
            "receiving/xml-too-many-elements",
            "an object with one element too many",
            rule,
            Base::Message,
        )
        .flags(&["compact"])
        .object(|_, object| {
            let count = limit::XML_ELEMENTS as usize;
            let many = (0..count).map(|_| Element::new("a"));
            let foreign = Element::new("x:many")
                .attribute("xmlns:x", NEVER_ASSIGNED)
                .attribute("xmlns", NEVER_ASSIGNED)
                .children(many);
            // Written without indentation, to stay below the limit of octets.
            let raw = foreign.document().replace("\n", "").replace("  ", "");
            let raw = raw.split_once("?>").map_or("", |(_, rest)| rest).to_owned();
            let mut ext = Element::new("ext");
            ext.content.push(Node::Raw(raw));
            object.ext = Some(ext);
        }),
        Fault::new(
            "receiving/delivery-document-too-deep",
            "a delivery document nested one level too deep",
            rule,
            Base::Message,
        )
        .sealed(|_, draft| draft.delivery.ext = Some(deep(limit::XML_DEPTH - 1))),
    ]
}

fn object_schema() -> Vec<Fault> {
    let fault = |id, title, change: ObjectChange| {
        Fault::new(id, title, &req::XML_SCHEMA, Base::Message).object(change)
    };
    vec![
        fault(
            "receiving/unknown-attribute",
            "an object with an attribute more",
            |_, o| {
                o.root.set(|root| root.attribute("colour", "red"));
            },
        ),
        fault(
            "receiving/attribute-missing",
            "an object without its revision",
            |_, o| {
                o.root.set(|mut root| {
                    root.attributes.retain(|(name, _)| name != "rev");
                    root
                });
            },
        ),
        fault(
            "receiving/revision-zero",
            "an object with the revision 0",
            |_, o| o.rev = 0,
        ),
        fault(
            "receiving/revision-too-large",
            "an object with the revision 2^31",
            |_, o| {
                o.rev = 1 << 31;
            },
        ),
        fault(
            "receiving/id-upper-case",
            "an object with an id in capital letters",
            |_, o| {
                o.root.set(|root| {
                    let id = root.attributes.iter().find(|(name, _)| name == "id");
                    let id = id.map(|(_, id)| format!("ABCDEF{}", &id[6..]));
                    root.attribute("id", id.unwrap_or_default())
                });
            },
        ),
        fault(
            "receiving/time-with-offset",
            "an object with a local time",
            |_, o| {
                let created = o.created.xml().replace('Z', "+00:00");
                o.root.set(move |root| root.attribute("created", &created));
            },
        ),
        fault(
            "receiving/audience-unknown",
            "an object for an unknown audience",
            |_, o| {
                "enemies".clone_into(&mut o.audience);
            },
        ),
        fault(
            "receiving/fallback-missing",
            "an object without fallback",
            |_, o| {
                o.root.set(|mut root| {
                    root.remove("fallback");
                    root
                });
            },
        ),
        fault(
            "receiving/fallback-too-long",
            "an object with a fallback too long",
            |_, o| {
                o.fallback = "x".repeat(2001);
            },
        ),
        fault(
            "receiving/text-empty",
            "a message with an empty text",
            |_, o| {
                if let Some(text) = o.payload.find("text") {
                    text.content.clear();
                }
            },
        ),
        fault(
            "receiving/elements-swapped",
            "a message with its elements swapped",
            |_, o| {
                o.payload.content.reverse();
            },
        ),
        fault(
            "receiving/two-payloads",
            "an object with two payloads",
            |_, o| {
                let second = o.payload.clone();
                o.root.set(move |root| root.child(second.clone()));
            },
        ),
        fault(
            "receiving/unknown-element",
            "a message with an unknown element of Kith's own namespace",
            |_, o| o.payload = o.payload.clone().child(Element::new("mood").text("fine")),
        ),
        fault(
            "receiving/foreign-element-outside-ext",
            "a message with a foreign element that does not stand in its extension point",
            |_, o| {
                let foreign = Element::new("x:mood").attribute("xmlns:x", NEVER_ASSIGNED);
                o.payload = o.payload.clone().child(foreign);
            },
        ),
        fault(
            "receiving/wrong-namespace",
            "an object in no namespace",
            |_, o| {
                o.root.set(|mut root| {
                    root.attributes.retain(|(name, _)| name != "xmlns");
                    root
                });
            },
        ),
        fault(
            "receiving/wrong-root",
            "an object whose root is its payload",
            |_, o| {
                let payload = o.payload.clone();
                o.root
                    .set(move |_| payload.clone().attribute("xmlns", crate::xml::NAMESPACE));
            },
        ),
    ]
}

fn delivery_schema() -> Vec<Fault> {
    let fault = |id, title, change: DeliveryChange| {
        Fault::new(id, title, &req::XML_SCHEMA, Base::Message).sealed(change)
    };
    vec![
        fault(
            "receiving/delivery-without-sender",
            "a delivery without sender",
            |_, draft| {
                draft.delivery.root.set(|mut root| {
                    root.remove("from");
                    root
                });
            },
        ),
        fault(
            "receiving/delivery-number-zero",
            "a delivery with the number 0",
            |_, draft| {
                if let Some(channel) = &mut draft.delivery.channel {
                    channel.seq = 0;
                }
            },
        ),
        fault(
            "receiving/delivery-address-invalid",
            "a delivery with an address that is none",
            |_, draft| "nobody".clone_into(&mut draft.delivery.from.address),
        ),
        fault(
            "receiving/delivery-ack-too-long",
            "a delivery with an ack that lists too much as missing",
            |scene, draft| {
                let mut ack = scene.unknown_ack();
                ack.missing = (1..=33).collect();
                draft.delivery.acks.push(ack);
            },
        ),
        fault(
            "receiving/delivery-unknown-element",
            "a delivery with an unknown element of Kith's own namespace",
            |_, draft| {
                draft
                    .delivery
                    .root
                    .set(|root| root.child(Element::new("urgent")));
            },
        ),
    ]
}

fn kinds() -> Vec<Fault> {
    let (audience, revision) = (&req::KIND_AUDIENCE, &req::KIND_REVISION);
    vec![
        Fault::new(
            "receiving/requires-unknown",
            "a message that requires a feature which nobody knows",
            &req::KIND_REQUIRES,
            Base::Message,
        )
        .object(|_, object| object.requires.push(format!("{NEVER_ASSIGNED}:telepathy"))),
        Fault::new(
            "receiving/request-audience",
            "a request for all friends",
            audience,
            Base::Request,
        )
        .object(|_, object| "friends".clone_into(&mut object.audience)),
        Fault::new(
            "receiving/end-audience",
            "an end for everybody",
            audience,
            Base::End,
        )
        .object(|_, object| "public".clone_into(&mut object.audience)),
        Fault::new(
            "receiving/identity-audience",
            "a chain entry for one person",
            audience,
            Base::Request,
        )
        .prepare(|scene| {
            scene.reissue(
                |_, identity| "direct".clone_into(&mut identity.audience),
                |_, _| {},
            );
        }),
        Fault::new(
            "receiving/request-revised",
            "a request with the revision 2",
            revision,
            Base::Request,
        )
        .object(|_, object| object.rev = 2),
        Fault::new(
            "receiving/end-revised",
            "an end with the revision 2",
            revision,
            Base::End,
        )
        .object(|_, object| object.rev = 2),
        Fault::new(
            "receiving/identity-revised",
            "a chain entry with the revision 2",
            revision,
            Base::Request,
        )
        .also(&req::IDENTITY_NOT_MERGED)
        .prepare(|scene| scene.reissue(|_, identity| identity.rev = 2, |_, _| {})),
    ]
}
