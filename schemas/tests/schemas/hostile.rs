//! Documents made to hurt: they are refused, and quickly.

use std::ops::Range;
use std::time::{Duration, Instant};

use kith_schemas::limits::{XML_ATTRIBUTES, XML_DEPTH, XML_NODES, XML_OCTETS, XML_PREFIXES};
use kith_schemas::types::Object;
use kith_schemas::validator::{SchemaName, Validator};
use kith_schemas::{DecodeReason, sources};

fn object(ext: &str) -> String {
    format!(
        "<object xmlns=\"urn:kith:1.0\" audience=\"any\" created=\"2026-11-21T12:00:00Z\" rev=\"1\" \
         author=\"{}\" id=\"{}\"><fallback>x</fallback><post><text>x</text></post>\
         <ext>{ext}</ext></object>",
        "0".repeat(64),
        "0".repeat(32)
    )
}

/// Declarations of namespace prefixes.
fn namespaces(numbers: Range<usize>) -> String {
    numbers.map(|n| format!(" xmlns:a{n}='u{n}'")).collect()
}

/// What the decoder says; the validator must take and refuse the same.
fn reason(octets: &[u8]) -> Option<DecodeReason> {
    let decoded = Object::decode(octets);
    let validated = Validator::new(SchemaName::Object).unwrap().validate(octets);
    assert_eq!(
        decoded.is_ok(),
        validated.is_ok(),
        "{decoded:?} {validated:?}"
    );
    decoded.err().map(|error| error.reason)
}

#[test]
fn limits_hold_where_they_say() {
    let nested = |depth: usize| {
        object(&format!(
            "{}{}",
            "<x xmlns=\"urn:x\">".repeat(depth),
            "</x>".repeat(depth)
        ))
    };
    assert_eq!(reason(nested(XML_DEPTH - 2).as_bytes()), None);
    assert_eq!(
        reason(nested(XML_DEPTH - 1).as_bytes()),
        Some(DecodeReason::TooDeep)
    );
    let empty = object(&format!(
        "{}<x/>{}",
        "<x xmlns=\"urn:x\">".repeat(XML_DEPTH - 2),
        "</x>".repeat(XML_DEPTH - 2)
    ));
    assert_eq!(reason(empty.as_bytes()), Some(DecodeReason::TooDeep));

    let attributes = |count: usize| {
        let attributes: String = (1..count).map(|n| format!(" a{n}='>'")).collect();
        object(&format!("<x xmlns=\"urn:x\"{attributes}/>"))
    };
    assert_eq!(reason(attributes(XML_ATTRIBUTES).as_bytes()), None);
    let too_many = Some(DecodeReason::TooManyAttributes);
    assert_eq!(reason(attributes(XML_ATTRIBUTES + 1).as_bytes()), too_many);

    let prefixes = |count: usize| {
        let (first, last) = (namespaces(0..count - 1), namespaces(count..count + 1));
        object(&format!(
            "<x xmlns=\"urn:x\"{first}><x{last}/><x{last}>text</x></x>"
        ))
    };
    assert_eq!(reason(prefixes(XML_PREFIXES).as_bytes()), None);
    let too_many = Some(DecodeReason::TooManyPrefixes);
    assert_eq!(reason(prefixes(XML_PREFIXES + 1).as_bytes()), too_many);

    // The object itself has five elements.
    let nodes = |count: usize| object(&"<?x?>".repeat(count - 5));
    assert_eq!(reason(nodes(XML_NODES).as_bytes()), None);
    assert_eq!(
        reason(nodes(XML_NODES + 1).as_bytes()),
        Some(DecodeReason::TooManyNodes)
    );

    let frame = object("<!---->").len();
    let large = |octets: usize| object(&format!("<!--{}-->", " ".repeat(octets - frame)));
    assert_eq!(reason(large(XML_OCTETS).as_bytes()), None);
    let octets = XML_OCTETS + 1;
    assert_eq!(
        reason(large(octets).as_bytes()),
        Some(DecodeReason::TooLarge { octets })
    );
}

#[test]
fn other_markup_is_refused() {
    let cases: &[(&str, DecodeReason)] = &[
        ("<!DOCTYPE object>", DecodeReason::Doctype),
        (
            "<?xml version=\"1.0\"?><!DOCTYPE object [<!ENTITY a \"b\">]>",
            DecodeReason::Doctype,
        ),
        ("<?xml version=\"1.1\"?>", DecodeReason::Declaration),
        (
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
            DecodeReason::Declaration,
        ),
        (
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>",
            DecodeReason::Declaration,
        ),
        (
            "<?xml\tversion=\"1.0\" encoding=\"latin1\"?>",
            DecodeReason::Declaration,
        ),
        ("<?xml encoding=\"UTF-8\"?>", DecodeReason::Declaration),
        (
            "<?xml version=\"1.0\"encoding=\"UTF-8\"?>",
            DecodeReason::Declaration,
        ),
        (
            "<?xml version=\"1.0\" standalone=\"maybe\"?>",
            DecodeReason::Declaration,
        ),
    ];
    for (prolog, expected) in cases {
        let document = format!("{prolog}{}", object(""));
        assert_eq!(
            reason(document.as_bytes()).as_ref(),
            Some(expected),
            "{prolog}"
        );
    }
    for good in [
        "\u{feff}",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<?xml\nversion=\"1.0\" ?>\r\n",
    ] {
        assert_eq!(
            reason(format!("{good}{}", object("")).as_bytes()),
            None,
            "{good}"
        );
    }
    for bad in [" <?xml version=\"1.0\"?>", "\u{feff}\u{feff}", "x", "&#32;"] {
        assert!(
            reason(format!("{bad}{}", object("")).as_bytes()).is_some(),
            "{bad}"
        );
    }
    assert_eq!(reason(b"<object>\xff</object>"), Some(DecodeReason::Utf8));
    let utf16: Vec<u8> = object("")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(reason(&utf16).is_some());
    assert!(reason(b"").is_some());
}

#[test]
fn line_ends_are_read_as_xml_says() {
    let document = object("").replace(
        "<text>x",
        "<text>a\r\nb\rc&#13;d\r&#10;e\r&#65;<![CDATA[\r]]>",
    );
    let object = Object::decode(document.as_bytes()).unwrap();
    let kith_schemas::types::Payload::Post(post) = &object.payload else {
        panic!()
    };
    assert_eq!(
        post.text.as_ref().map(kith_schemas::types::Text::as_str),
        Some("a\nb\nc\rd\n\ne\nA\n")
    );
    assert_eq!(Object::decode(&object.encode().unwrap()), Ok(object));
}

#[test]
fn the_worst_of_64_kib_is_decoded_quickly() {
    let nested = |depth: usize, each: usize, inside: &str| {
        let own = |level: usize| namespaces(level * each..(level + 1) * each);
        let tag = |level: usize| format!("<x xmlns='u{level}'{}>", own(level));
        let open: String = (0..depth).map(tag).collect();
        format!("{open}{inside}{}", "</x>".repeat(depth))
    };
    let wide = "<a xmlns='u' b='c'/>".repeat(3000);
    let worst = [
        "<x>".repeat(21_000),
        "<".repeat(65_000),
        "&".repeat(65_000),
        "&#".repeat(32_000),
        "&#x0".repeat(16_000),
        "<!--".repeat(16_000),
        "<?".repeat(32_000),
        "<![CDATA[".repeat(7_000),
        "]]>".repeat(21_000),
        "<a ".repeat(20_000),
        format!("<x{}/>", " a='b'".repeat(10_000)),
        nested(60, 15, ""),
        nested(40, 1, &wide[..20 * 2900]),
        nested(1, 30, &wide[..20 * 2900]),
        nested(30, 1, &wide[..20 * 2900]),
        wide.clone(),
        "<post xmlns='urn:kith:1.0'/>".repeat(2_000),
        "x".repeat(65_000),
        "\r".repeat(65_000),
        "\u{1f600}".repeat(16_000),
    ];
    for ext in worst {
        let mut document = object(&ext).into_bytes();
        document.truncate(XML_OCTETS);
        // The best of a few, because other tests run at the same time.
        let once = |_| {
            let start = Instant::now();
            let _ = Object::decode(&document);
            start.elapsed()
        };
        let time = (0..5).map(once).min().unwrap();
        let begin = &ext[..ext.len().min(40)];
        assert!(time < Duration::from_millis(100), "{time:?} for {begin}…");
    }
}

#[test]
fn every_schema_is_embedded() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("1.0");
    let mut found = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "xsd") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let source = sources().iter().find(|(source, _)| *source == name);
            assert_eq!(
                source.unwrap().1,
                std::fs::read_to_string(&path).unwrap(),
                "{name}"
            );
            found += 1;
        }
    }
    assert_eq!(found, sources().len());
}
