//! The document of a small specification.

use kith_spec_source::{Source, parse};

use super::*;
use crate::input::{Document, Evidence, Opened, Vector};

const MAIL: &str = "+++\ntitle = \"Mail\"\n+++\n# Mail\n\nSee [the door](#door), `mail.a`, `xml-octets`, `not-a`, `mail.none`.\n\n\
    **`mail.a`** A <mail> MUST NOT be `xml-octets` long.\n→ refuse `not-a`\n\n\
    ![A shape.](pictures/a.svg)\n\n## Door\n\n{{ state door }}\n\n{{ example valid/post }}\n\n{{ example valid/post post }}\n\n\
    - **`mail.b`** It MAY be.\n- **`mail.c`** It SHOULD be.\n\n```xml\n<a b=\"c\"/>\n```\n";
const LIMITS: &str = "+++\ntitle = \"Limits\"\n+++\n# Limits\n\n| Limit | Value | Unit | Meaning |\n|---|---|---|---|\n\
    | `xml-octets` | 65536 | octets | One `document`. |\n\n{{ violations }}\n\n{{ attacks }}\n\n{{ schemas }}\n";
const DOOR: &str = "title = \"Door\"\nabout = \"A `door`.\"\n\
    state = [{ id = \"closed\", meaning = \"Shut.\" }, { id = \"open\", meaning = \"Not.\" }]\n\
    input = [{ id = \"push\", meaning = \"Somebody pushes.\" }]\n\
    [[transition]]\nfrom = [\"closed\"]\ninput = \"push\"\nto = \"open\"\noutcome = \"done\"\nsends = [\"noise\"]\n\
    requirement = \"mail.b\"\n[[transition]]\nfrom = [\"open\"]\ninput = \"push\"\nto = \"=\"\noutcome = \"error\"\nnote = \"It is.\"\n";
const SCHEMA: &str = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\
    <xs:annotation><xs:documentation>All of it.</xs:documentation></xs:annotation>\
    <xs:element name=\"object\" type=\"Object\"/>\
    <xs:complexType name=\"Object\"><xs:sequence>\
    <xs:element name=\"text\" type=\"Line\" minOccurs=\"0\" maxOccurs=\"unbounded\"/>\
    <xs:choice id=\"payload\"><xs:element name=\"post\" type=\"Line\"/><xs:any namespace=\"##other\"/></xs:choice>\
    </xs:sequence><xs:attribute name=\"rev\" type=\"Line\"/></xs:complexType>\
    <xs:simpleType name=\"Line\"><xs:annotation><xs:documentation>One line.</xs:documentation></xs:annotation>\
    <xs:restriction base=\"xs:string\"><xs:maxLength value=\"100\"/><xs:pattern value=\"[a-z]+\"/>\
    <xs:enumeration value=\"x\"/></xs:restriction></xs:simpleType></xs:schema>";

fn input() -> Input {
    let files = [
        ("schemas/1.0/object.xsd", SCHEMA),
        ("spec/1.0/02-mail.md", MAIL),
        ("spec/1.0/19-limits.md", LIMITS),
        ("spec/1.0/pictures/a.svg", "<svg><circle/></svg>"),
        ("spec/1.0/state/door.toml", DOOR),
    ];
    let sources = files.iter().filter(|(path, _)| path.starts_with("spec/"));
    let sources: Vec<Source> = sources
        .map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    let mut input = Input {
        spec: parse(&sources).unwrap(),
        files: files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        ..Input::default()
    };
    let vector = |title: &str, outcome: &str| Vector {
        title: title.to_owned(),
        outcome: outcome.to_owned(),
        violation: None,
        requirements: vec!["mail.a".to_owned()],
        mail: Some("From: <a@a.test>".to_owned()),
    };
    input
        .vectors
        .insert("valid/post".into(), vector("a post", "accept"));
    input
        .vectors
        .insert("mail/long".into(), vector("too long", "refuse"));
    let object = |kind: &str| Document {
        kind: kind.to_owned(),
        xml: format!("<object><{kind}>x</{kind}></object>"),
    };
    let opened = Opened {
        delivery: Some("<delivery/>".to_owned()),
        objects: vec![object("contact"), object("post")],
    };
    input.opened.insert("valid/post".into(), opened);
    let evidence = Evidence {
        code: vec!["a.rs:1".to_owned()],
        cases: vec!["case.rs:2".to_owned(), "mail/long".to_owned()],
        vectors: vec!["mail/long".to_owned()],
        pending: vec!["case".to_owned()],
        exception: Some("No mail shows it.".to_owned()),
    };
    input.evidence.insert("mail.a".into(), evidence);
    input
}

fn files() -> Files {
    build(&input()).unwrap()
}

#[track_caller]
fn holds(text: &str, pieces: &[&str]) {
    for piece in pieces {
        assert!(text.contains(piece), "{piece} is not in\n{text}");
    }
}

#[test]
fn requirements_have_anchor_facts_and_evidence() {
    let files = files();
    holds(
        &files["mail.html"],
        &[
            "<section class=\"req\" id=\"mail.a\" data-level=\"must\">",
            "A &lt;mail&gt; <strong class=\"kw\">MUST NOT</strong> be <a class=\"ref\" href=\"limits.html#limit-xml-octets\">",
            "→ refuse <a class=\"ref\" href=\"limits.html#violation-not-a\">",
            "1 case, 1 vector, 1 place in code, pending",
            "<code>case.rs:<wbr>2</code>".replace("<wbr>", "").as_str(),
            "href=\"vectors.html#vector-mail-long\"",
            "No mail shows it.",
            "id=\"mail.b\" data-level=\"may\"",
            "id=\"mail.c\" data-level=\"should\"",
        ],
    );
}

#[test]
fn text_links_to_what_it_names() {
    let files = files();
    holds(
        &files["mail.html"],
        &[
            "<a href=\"mail.html#door\">the door</a>",
            "<a class=\"ref\" href=\"mail.html#mail.a\"><code>mail.a</code></a>",
            "<code>mail.none</code>",
            "aria-label=\"A shape.\"><svg><circle/></svg>",
            "<h2 id=\"door\"><span class=\"number\">2.1</span> Door",
            "<span class=\"x-t\">a</span>",
        ],
    );
    assert!(!files["mail.html"].contains("<h1 id=\"mail\">Mail"));
}

#[test]
fn examples_show_the_opened_mail() {
    let text = &files()["mail.html"];
    assert_eq!(text.matches("class=\"example\"").count(), 2);
    // The second shows only one kind.
    assert_eq!(text.matches("Delivery document").count(), 1);
    assert_eq!(text.matches("<code>contact</code>").count(), 1);
    holds(text, &["Example: a post", "From: &lt;a@a.test&gt;"]);
}

#[test]
fn examples_that_cannot_be_shown_are_problems() {
    let mut input = input();
    input.opened.clear();
    let problems = build(&input).unwrap_err();
    assert_eq!(problems[0].line, 17, "{problems:?}");
    assert!(problems[0].message.contains("no valid vector `valid/post`"));
    input.opened.insert("valid/post".into(), Opened::default());
    let problems = build(&input).unwrap_err();
    assert!(
        problems[0]
            .message
            .contains("holds no object of the kind `post`")
    );
}

#[test]
fn state_tables_show_every_cell() {
    holds(
        &files()["mail.html"],
        &[
            "State table <em>Door</em>",
            "<th scope=\"col\">closed</th><th scope=\"col\">open</th>",
            "<td data-outcome=\"done\" title=\"done, open\">✓ <span class=\"to\">open</span></td>",
            "→ <b>open</b>, sends noise <a class=\"ref\" href=\"mail.html#mail.b\">",
            "<span class=\"note\">It is.</span>",
        ],
    );
}

#[test]
fn lists_are_generated() {
    let files = files();
    holds(
        &files["limits.html"],
        &[
            "<tr id=\"limit-xml-octets\">",
            "65\u{202f}536 octets<span class=\"human\">64 KiB</span>",
            "<tr id=\"violation-not-a\">",
            "too long",
            "href=\"schemas.html#file-object\"",
        ],
    );
    holds(
        &files["requirements.html"],
        &[
            "3 requirements",
            "<li data-class=\"core\" data-level=\"may\">",
        ],
    );
    holds(
        &files["vectors.html"],
        &["<tr id=\"vector-valid-post\">", "a post"],
    );
    holds(
        &files["index.html"],
        &["href=\"mail.html\"", "core, 3 requirements"],
    );
}

#[test]
fn schemas_are_documented() {
    holds(
        &files()["schemas.html"],
        &[
            "All of it.",
            "id=\"type-Object\"",
            "<span class=\"cardinality\">0–∞</span>",
            "<em>one of</em>",
            "<em>any element of another namespace</em>",
            "<code>rev</code></td><td><a class=\"ref\" href=\"schemas.html#type-Line\">",
            "<span class=\"inherited\">One line.</span> Optional.",
            "<dt>longest</dt><dd><code>100</code></dd>",
            "<dt>one of</dt><dd><code>x</code></dd>",
        ],
    );
}

#[test]
fn the_single_file_needs_no_other() {
    let files = files();
    let single = &files["kith-1.0.html"];
    for reference in ["src=\"", "href=\"style.css", ".html\"", ".html#", "url("] {
        assert!(!single.contains(reference), "{reference}");
    }
    holds(
        single,
        &[
            "href=\"#mail--door\"",
            "id=\"mail--door\"",
            "href=\"#mail.a\"",
            "href=\"#type-Line\"",
            "window.kithIndex=[",
        ],
    );
}

#[test]
fn nothing_is_asked_of_other_servers() {
    for (name, text) in files() {
        for start in [
            "src=\"http",
            "<link rel=\"stylesheet\" href=\"http",
            "url(http",
            "@import",
        ] {
            assert!(!text.contains(start), "{name}: {start}");
        }
    }
}

#[test]
fn the_search_knows_requirements_limits_violations_and_types() {
    let script = &files()["search.js"];
    let json = script
        .trim_start_matches("window.kithIndex=")
        .trim_end_matches(";\n");
    let entries: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
    let find = |title: &str| entries.iter().find(|entry| entry["t"] == title).unwrap();
    assert_eq!(find("mail.a")["u"], "mail.html#mail.a");
    assert_eq!(find("mail.a")["x"], "A <mail> MUST NOT be xml-octets long.");
    assert_eq!(find("xml-octets")["k"], "limit");
    assert_eq!(find("not-a")["u"], "limits.html#violation-not-a");
    assert_eq!(find("Line")["u"], "schemas.html#type-Line");
    assert_eq!(find("2.1 Door")["u"], "mail.html#door");
}
