//! Known answers: one document, one change, what the decoder says of it. The
//! validator must take and refuse the same.

use kith_schemas::types::{
    Address, Audience, Base64, Delivery, Epoch, Feature, Hash, Kind, Line, Object, Payload,
    Revision, Sequence, Text, Time,
};
use kith_schemas::validator::{SchemaName, Validator};
use kith_schemas::{DecodeError, EncodeReason, ValueError};

const OBJECT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<object xmlns="urn:kith:1.0" audience="direct" created="2026-11-21T12:00:00Z" rev="1"
 author="00000000000000000000000000000000000000000000000000000000000000aa"
 id="000000000000000000000000000000bb"><requires>core</requires><fallback>Hello</fallback>
<identity epoch="1"><prev hash="00000000000000000000000000000000000000000000000000000000000000cc"/>
<key>AAEC</key><next>00000000000000000000000000000000000000000000000000000000000000dd</next>
<compromised>0</compromised></identity><ext><x xmlns="urn:x">any</x></ext></object>"#;

const DELIVERY: &str = r#"<delivery xmlns="urn:kith:1.0"><from address="a@a.example"
 id="00000000000000000000000000000000000000000000000000000000000000aa"/><to address="b@b.example"
 id="00000000000000000000000000000000000000000000000000000000000000bb"/>
<channel id="000000000000000000000000000000cc" seq="2" base="1"/><ack upto="0" highest="3"
 channel="000000000000000000000000000000dd"><missing>1</missing></ack></delivery>"#;

/// One change of [`OBJECT`], and what must stand in the error; nothing for valid.
const OBJECT_CASES: &[(&str, &str, &str)] = &[
    ("", "", ""),
    // Numbers: white space collapses, one form for each value.
    ("rev=\"1\"", "rev=\" 2147483647\n\"", ""),
    (
        "rev=\"1\"",
        "rev=\"2147483648\"",
        "/object/@rev: the value is not between 1 and 2147483647",
    ),
    (
        "rev=\"1\"",
        "rev=\"99999999999999999999999\"",
        "is not between",
    ),
    ("rev=\"1\"", "rev=\"0\"", "is not between"),
    ("rev=\"1\"", "rev=\"-1\"", "is not between"),
    ("rev=\"1\"", "rev=\"+1\"", "does not match"),
    ("rev=\"1\"", "rev=\"01\"", "does not match"),
    ("rev=\"1\"", "rev=\"1.0\"", "does not match"),
    ("rev=\"1\"", "rev=\"\"", "does not match"),
    ("rev=\"1\"", "rev=\"1 2\"", "does not match"),
    ("rev=\"1\"", "rev=\"\u{661}\"", "does not match"),
    ("epoch=\"1\"", "epoch=\"65535\"", ""),
    ("epoch=\"1\"", "epoch=\"65536\"", "/object/identity/@epoch"),
    ("<compromised>0<", "<compromised>\n 65535<!-- c --> <", ""),
    (
        "<compromised>0<",
        "<compromised><",
        "/object/identity/compromised",
    ),
    // Instants.
    ("2026-11-21T12:00:00Z", "2024-02-29T23:59:59Z", ""),
    ("2026-11-21T12:00:00Z", "&#10;2024-02-29T23:59:59Z ", ""),
    (
        "2026-11-21T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "a day that the calendar does not have",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-11-31T12:00:00Z",
        "a day that the calendar does not have",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "a day that the calendar does not have",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-11-21T24:00:00Z",
        "does not match",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:60Z",
        "does not match",
    ),
    (
        "2026-11-21T12:00:00Z",
        "0000-11-21T12:00:00Z",
        "does not match",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00",
        "does not match",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00.5Z",
        "does not match",
    ),
    (
        "2026-11-21T12:00:00Z",
        "2026-11-21T12:00:00+00:00",
        "does not match",
    ),
    // Hexadecimal digits: strings, in which white space counts.
    ("0bb", "0BB", "/object/@id"),
    ("0bb", "bb", "/object/@id"),
    ("0bb", "00bb", "/object/@id"),
    ("0bb", "0bb ", "/object/@id"),
    ("0bb", "0bg", "/object/@id"),
    ("<next>0", "<next> 0", "/object/identity/next"),
    ("<next>0", "<next><![CDATA[0]]><!-- c -->", ""),
    // Base64 in its canonical form.
    ("AAEC", "AAE=", ""),
    ("AAEC", "AA==", ""),
    ("AAEC", "AAF=", "/object/identity/key"),
    ("AAEC", "AB==", "does not match"),
    ("AAEC", "AAECA", "does not match"),
    ("AAEC", "AA EC", "does not match"),
    ("AAEC", "AA-_", "does not match"),
    ("AAEC", "", "the least is 4"),
    ("AAEC", "AA=", "the least is 4"),
    // Enumerations.
    ("audience=\"direct\"", "audience=\"any\"", ""),
    (
        "audience=\"direct\"",
        "audience=\"Direct\"",
        "is none of: direct, friends",
    ),
    ("audience=\"direct\"", "audience=\" direct\"", "is none of"),
    // Patterns and lengths.
    ("core", "urn:x:a/b_c#d+e-f", ""),
    ("core", "#core", "/object/requires"),
    ("core", "", "/object/requires"),
    (
        ">Hello<",
        "><",
        "/object/fallback: the value has 0 characters; the least is 1",
    ),
    (">Hello<", ">\t<", ""),
    // Occurrence and order.
    ("<requires>core</requires>", "", ""),
    (
        "<fallback>Hello</fallback>",
        "",
        "identity cannot stand here; expected fallback",
    ),
    (
        "<fallback>",
        "<fallback>a</fallback><fallback>",
        "fallback cannot stand here",
    ),
    (
        "<ext>",
        "<ext/><ext>",
        "ext cannot stand here; expected no more elements",
    ),
    (
        "</identity>",
        "</identity><post><text>x</text></post>",
        "expected no more elements",
    ),
    ("</key>", "</key><key>AAEC</key>", "expected next"),
    ("<key>AAEC</key>", "", "expected key"),
    // Attributes.
    ("rev=\"1\"", "", "/object: the attribute rev is missing"),
    (
        "rev=\"1\"",
        "rev=\"1\" x=\"\"",
        "/object/@x: there is no such attribute",
    ),
    (
        "rev=\"1\"",
        "rev=\"1\" xml:lang=\"en\"",
        "no such attribute",
    ),
    (
        "rev=\"1\"",
        "rev=\"1\" xmlns:k=\"urn:kith:1.0\" k:rev=\"1\"",
        "no such attribute",
    ),
    (
        "rev=\"1\"",
        "xmlns:k=\"urn:kith:1.0\" k:rev=\"1\"",
        "the attribute rev is missing",
    ),
    ("<key>", "<key id=\"1\">", "/object/identity/key/@id"),
    (
        "rev=\"1\"",
        "rev=\"1\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:type=\"Object\"",
        "xsi:*",
    ),
    (
        "<x xmlns=\"urn:x\"",
        "<x xmlns=\"urn:x\" xmlns:i=\"http://www.w3.org/2001/XMLSchema-instance\" i:nil=\"0\"",
        "xsi:*",
    ),
    // Text between elements, and in elements without content.
    ("</identity>", "</identity> <!-- c --><?p i?>\n", ""),
    (
        "</identity>",
        "</identity>x",
        "/object: text cannot stand here",
    ),
    ("</identity>", "</identity>\u{a0}", "text cannot stand here"),
    ("0cc\"/>", "0cc\"></prev>", ""),
    ("0cc\"/>", "0cc\"><!-- c --></prev>", ""),
    (
        "0cc\"/>",
        "0cc\"> </prev>",
        "/object/identity/prev: text cannot stand here",
    ),
    (
        "0cc\"/>",
        "0cc\"><x/></prev>",
        "x cannot stand here; expected no elements",
    ),
    (
        "AAEC",
        "AAEC<x/>",
        "x cannot stand here; expected text only",
    ),
    // Namespaces.
    (
        "urn:kith:1.0",
        "urn:kith:1.1",
        "{urn:kith:1.1}object cannot stand here",
    ),
    ("<key>", "<key xmlns=\"urn:kith:1.0\">", ""),
    ("<key>", "<key xmlns=\"\">", "{}key cannot stand here"),
    (
        "<x xmlns=\"urn:x\">",
        "<x xmlns=\"\">",
        "{}x cannot stand here",
    ),
    (
        "<x xmlns=\"urn:x\">",
        "<x xmlns=\"urn:kith:1.0\">",
        "x cannot stand here",
    ),
    ("any</x>", "<post xmlns=\"urn:kith:1.0\"/></x>", ""),
    (
        "any</x>",
        "<object xmlns=\"urn:kith:1.0\"/></x>",
        "/object/ext/x/object",
    ),
];

const DELIVERY_CASES: &[(&str, &str, &str)] = &[
    ("", "", ""),
    ("seq=\"2\"", "seq=\"9007199254740991\"", ""),
    (
        "seq=\"2\"",
        "seq=\"9007199254740992\"",
        "/delivery/channel/@seq",
    ),
    ("seq=\"2\"", "seq=\"0\"", "is not between"),
    ("<missing>1<", "<missing>0<", "/delivery/ack/missing"),
    ("a@a.example", "\u{e9}+x@\u{fc}.example", ""),
    ("a@a.example", "a@b@c", "/delivery/from/@address"),
    ("a@a.example", "a b@c", "does not match"),
    ("a@a.example", "a@b&#10;", "does not match"),
    ("a@a.example", "&quot;a&quot;@b", "does not match"),
    ("a@a.example", "a", "does not match"),
    (
        "<ack ",
        "<echo nonce=\"000000000000000000000000000000ee\"/><ack ",
        "ack cannot stand here",
    ),
];

fn check(
    base: &str,
    schema: SchemaName,
    decode: fn(&[u8]) -> Result<(), DecodeError>,
    cases: &[(&str, &str, &str)],
) {
    let mut validator = Validator::new(schema).unwrap();
    for (old, new, expected) in cases {
        assert!(base.contains(old), "{old} is not in the document");
        let document = if old.is_empty() {
            base.to_owned()
        } else {
            base.replacen(old, new, 1)
        };
        let decoded = decode(document.as_bytes());
        let validated = validator.validate(document.as_bytes());
        let said = decoded
            .as_ref()
            .err()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert_eq!(
            decoded.is_ok(),
            expected.is_empty(),
            "{old} → {new}: {said}"
        );
        assert!(said.contains(expected), "{old} → {new}: {said}");
        assert_eq!(
            validated.is_ok(),
            decoded.is_ok(),
            "{old} → {new}: {validated:?} {said}"
        );
    }
}

#[test]
fn objects() {
    check(
        OBJECT,
        SchemaName::Object,
        |octets| Object::decode(octets).map(drop),
        OBJECT_CASES,
    );
}

#[test]
fn deliveries() {
    let decode = |octets: &[u8]| Delivery::decode(octets).map(drop);
    check(DELIVERY, SchemaName::Delivery, decode, DELIVERY_CASES);
}

#[test]
fn counts_and_lengths_end_where_the_schema_says() {
    let decode = |document: String| Object::decode(document.as_bytes()).map(drop);
    let epochs = |n: usize| {
        let one = "<compromised>0</compromised>";
        decode(OBJECT.replacen(one, &one.repeat(n), 1))
    };
    assert_eq!(epochs(16), Ok(()));
    assert!(
        epochs(17)
            .unwrap_err()
            .to_string()
            .contains("expected no more elements")
    );
    let fallback = |n: usize| decode(OBJECT.replacen("Hello", &"\u{1f600}".repeat(n), 1));
    assert_eq!(fallback(2000), Ok(()));
    assert!(
        fallback(2001)
            .unwrap_err()
            .to_string()
            .contains("the most is 2000")
    );
    let key = |n: usize| decode(OBJECT.replacen("AAEC", &"AAEC".repeat(n), 1));
    assert_eq!(key(3072), Ok(()));
    assert!(
        key(3073)
            .unwrap_err()
            .to_string()
            .contains("the most is 12288")
    );
}

#[test]
fn an_error_tells_where() {
    let error = Object::decode(OBJECT.replacen("AAEC", "!", 1).as_bytes()).unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.line, error.column),
        ("/object/identity/key", 6, 1)
    );
    let error = Object::decode(OBJECT.replacen("epoch=\"1", "epoch=\"x", 1).as_bytes());
    let error = error.unwrap_err();
    assert_eq!(
        (error.path.as_str(), error.line, error.column),
        ("/object/identity/@epoch", 5, 11)
    );
    let error = Object::decode(b"<object").unwrap_err();
    assert_eq!((error.path.as_str(), error.line), ("/", 1));
}

#[test]
fn values_are_what_the_document_says() {
    let object = Object::decode(OBJECT.as_bytes()).unwrap();
    assert_eq!(object.author.as_bytes()[31], 0xaa);
    assert_eq!(object.created.unix_seconds(), 1_795_262_400);
    assert_eq!(object.audience, Audience::Direct);
    assert_eq!(object.kind(), "identity");
    let Payload::Identity(identity) = &object.payload else {
        panic!("{:?}", object.payload)
    };
    assert_eq!(identity.key.as_bytes(), [0, 1, 2]);
    assert_eq!(identity.compromised, [Epoch::MIN]);
    let foreign = OBJECT.replacen("<identity epoch", "<y xmlns=\"urn:y\"/><!--", 1);
    let foreign = foreign.replacen("</identity>", "-->", 1);
    let foreign = Object::decode(foreign.as_bytes()).unwrap();
    assert_eq!(foreign.kind(), "{urn:y}y");
    assert_eq!(foreign.encode().unwrap_err().reason, EncodeReason::Foreign);
}

#[test]
fn the_encoder_writes_one_form() {
    let object = Object::decode(OBJECT.as_bytes()).unwrap();
    let text = String::from_utf8(object.encode().unwrap()).unwrap();
    let expected = concat!(
        r#"<?xml version="1.0" encoding="UTF-8"?><object xmlns="urn:kith:1.0" "#,
        r#"author="00000000000000000000000000000000000000000000000000000000000000aa" "#,
        r#"id="000000000000000000000000000000bb" rev="1" created="2026-11-21T12:00:00Z" "#,
        r#"audience="direct"><requires>core</requires><fallback>Hello</fallback>"#,
        r#"<identity epoch="1"><prev "#,
        r#"hash="00000000000000000000000000000000000000000000000000000000000000cc"/>"#,
        r#"<key>AAEC</key>"#,
        r#"<next>00000000000000000000000000000000000000000000000000000000000000dd</next>"#,
        r#"<compromised>0</compromised></identity></object>"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn an_encoder_cannot_write_what_is_not_valid() {
    assert_eq!(
        Text::new(""),
        Err(ValueError::TooShort { found: 0, min: 1 })
    );
    assert_eq!(
        Text::new("a\u{b}b"),
        Err(ValueError::Character { found: '\u{b}' })
    );
    assert_eq!(
        Text::new("a\u{ffff}b"),
        Err(ValueError::Character { found: '\u{ffff}' })
    );
    assert!(Text::new("a\r\n\t<&>\"]]>\u{1f600}").is_ok());
    assert!(Line::new("a\nb").is_err());
    assert!(Address::new("a@b").is_ok());
    assert!(Address::new("a@b\n").is_err());
    assert!(Feature::new("a b").is_err());
    assert!(Kind::new("{urn:x}y").is_ok());
    assert!(Revision::new(0).is_err());
    assert!(Revision::new(1 << 31).is_err());
    assert!(Sequence::new(1 << 53).is_err());
    assert!(Base64::new(Vec::new()).is_err());
    assert!(Base64::new(vec![0; 9216]).is_ok());
    assert!(Base64::new(vec![0; 9217]).is_err());
    assert!(Time::new(i64::MAX).is_err());
    assert!("0".parse::<Hash>().is_err());
    let mut delivery = Delivery::decode(DELIVERY.as_bytes()).unwrap();
    delivery.to = vec![delivery.to[0].clone(); 257];
    let error = delivery.encode().unwrap_err().to_string();
    assert_eq!(
        error,
        "at /delivery: 257 elements to; between 1 and 256 are allowed"
    );
    let mut object = Object::decode(OBJECT.as_bytes()).unwrap();
    object.requires = vec![Feature::new("a").unwrap(); 17];
    assert!(object.encode().is_err());
    object.requires.clear();
    let Payload::Identity(identity) = &mut object.payload else {
        panic!()
    };
    identity.compromised.clear();
    assert!(object.encode().is_ok());
}
