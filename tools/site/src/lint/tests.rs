//! For each rule one text that breaks it.

use kith_spec_source::{Source, Table, parse};

use super::*;
use crate::input::{Document, Opened, Vector};

const TERMS: &str =
    "+++\ntitle = \"Terms\"\n+++\n# Terms\n\n- **friend**: somebody; perhaps an *old friend*.\n";
const LIMITS: &str = "+++\ntitle = \"Limits\"\n+++\n# Limits\n\n| Limit | Value | Unit | Meaning |\n|---|---|---|---|\n\
                      | `xml-octets` | 65536 | octets | One document. |\n| `wait-days` | 7 | days | A wait. |\n";
const OBJECT: &str = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n<xs:choice id=\"payload\">\n\
                      <xs:element name=\"post\"/>\n</xs:choice></xs:schema>";
const END: &str = "\n\n## Security\n\nNone.\n\n## Privacy\n\nNone.\n";

/// The tree of a chapter that begins in line 5 with this body.
fn input(body: &str, exceptions: &str) -> Input {
    let mail = format!(
        "+++\ntitle = \"Mail\"\n+++\n# Mail\n{body}\n\n**`mail.a`** It MUST be.\n→ refuse `no-days`{END}"
    );
    let files = [
        ("schemas/1.0/object.xsd", OBJECT),
        ("spec/1.0/01-terms.md", TERMS),
        ("spec/1.0/02-mail.md", &mail),
        ("spec/1.0/19-limits.md", LIMITS),
        ("spec/1.0/exceptions.toml", exceptions),
        ("spec/1.0/pictures/a.svg", "<svg/>"),
    ];
    let sources = files.iter().filter(|(path, _)| path.starts_with("spec/"));
    let sources: Vec<Source> = sources
        .map(|(path, text)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        })
        .collect();
    Input {
        spec: parse(&sources).unwrap(),
        files: files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
            .collect(),
        vectors: [("valid/post", "accept"), ("mail/bad", "refuse")]
            .map(|(id, outcome)| {
                let outcome = outcome.to_owned();
                (
                    id.to_owned(),
                    Vector {
                        outcome,
                        ..Vector::default()
                    },
                )
            })
            .into(),
        ..Input::default()
    }
}

/// Line and message of every problem.
fn problems(body: &str) -> Vec<(usize, String)> {
    let found = lint(&input(body, ""));
    found
        .into_iter()
        .map(|problem| (problem.line, problem.message))
        .collect()
}

#[track_caller]
fn finds(body: &str, line: usize, words: &str) {
    let found = problems(body);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, line, "{found:?}");
    assert!(found[0].1.contains(words), "{found:?}");
}

#[test]
fn a_good_chapter_has_no_problem() {
    let body = "\n*Old friends*, *refuse*, `mail.a`, `no-days`, `mail.example`: a friend waits 7 days (`wait-days`) \
                for 64 KiB (`xml-octets`), [a](#mail.a), [b](01-terms.md), [c](#security), \
                [d](../../schemas/1.0/object.xsd), [e](https://example.org/x). In 9 days.\n\n\
                ![a](pictures/a.svg)\n\n{{ example valid/post }}\n\n```\n`mail.gone` *new* [x](gone.md)\n```\n";
    let body = body.replace("`mail.example`", "`example.mail`");
    assert_eq!(problems(&body), []);
}

#[test]
fn dead_links_are_found() {
    finds(
        "\nText\n[a](gone.md)",
        7,
        "the link `gone.md` leads nowhere",
    );
    finds("\n[a](#gone)", 6, "leads to no heading or requirement");
    finds(
        "\n[a](01-terms.md#gone)",
        6,
        "leads to no heading or requirement",
    );
    finds(
        "\n[a](01-terms.md#mail.a)",
        6,
        "leads to no heading or requirement",
    );
    finds("\n[a](../../schemas/1.0/gone.xsd)", 6, "leads nowhere");
    finds("\n[a](../../vectors/data/gone.json)", 6, "leads nowhere");
    finds("\n[a](../../../x)", 6, "leaves the repository");
    finds("\n![a](pictures/b.svg)", 6, "no picture `pictures/b.svg`");
}

#[test]
fn names_of_nothing_are_found() {
    finds(
        "\nSee `mail.b`.",
        6,
        "no chapter has a requirement `mail.b`",
    );
    finds(
        "\nUp to `mail-octets`.",
        6,
        "no limit is named `mail-octets`",
    );
    finds(
        "\nA *stranger* came.",
        6,
        "*stranger* is emphasised like a term",
    );
}

#[test]
fn sizes_that_disagree_are_found() {
    finds(
        "\nAt most 32 KiB (`xml-octets`).",
        6,
        "32 KiB stands beside a limit of another size: `xml-octets` is 65536",
    );
    finds("\nOne. In `wait-days`,\nwhich is 8 days.", 7, "8 days");
    finds("\n- 65 535 octets: `xml-octets`", 6, "65535 octets");
}

#[test]
fn examples_name_valid_vectors() {
    finds(
        "\n{{ example valid/gone }}",
        6,
        "there is no vector `valid/gone`",
    );
    finds(
        "\n{{ example mail/bad }}",
        6,
        "`mail/bad` is no valid vector, its outcome is refuse",
    );
}

#[test]
fn markup_is_found() {
    finds("\nA <post> came.", 6, "`<post>` is HTML; write it as code");
    assert_eq!(problems("\n<!-- A comment. -->\n\nA `<post>` came."), []);
}

fn opened(kind: &str) -> Opened {
    let kind = kind.to_owned();
    let xml = String::new();
    Opened {
        delivery: None,
        objects: vec![Document { kind, xml }],
    }
}

#[test]
fn every_kind_has_an_example() {
    let with = |body: &str, exceptions: &str, kind: &str| {
        let mut input = input(body, exceptions);
        input.opened.insert("valid/post".into(), opened(kind));
        let found = lint(&input);
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let example = "\n{{ example valid/post }}";
    assert_eq!(with(example, "", "post"), Vec::<String>::new());
    let found = with("", "", "post");
    assert!(
        found[0].starts_with("schemas/1.0/object.xsd:3: no chapter shows an example"),
        "{found:?}"
    );
    let found = with("\n{{ example valid/post post }}", "", "message");
    assert!(
        found[1].contains("holds no object of the kind `post`"),
        "{found:?}"
    );
    let pending = "[[pending]]\nchapter = \"mail\"\nlacks = [\"vector\"]\nreason = \"soon\"\n";
    assert_eq!(
        with("\nA `post`.", pending, "message"),
        Vec::<String>::new()
    );
    let later = "\nA `post`.\n\n{{ example valid/later }}";
    assert_eq!(with(later, pending, "message"), Vec::<String>::new());
}

#[test]
fn chapters_speak_of_security_and_privacy() {
    let mut input = input("", "");
    let mail = input
        .spec
        .chapters
        .iter_mut()
        .find(|chapter| chapter.name == "mail")
        .unwrap();
    mail.sections.retain(|section| section.title != "Privacy");
    let found = lint(&input);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        found[0].to_string(),
        "spec/1.0/02-mail.md:1: the chapter has no section `## Privacy`"
    );
}

#[test]
fn state_tables_are_shown() {
    let mut input = input("", "");
    input.spec.tables.push(Table {
        name: "door".into(),
        title: "Door".into(),
        about: String::new(),
        file: "spec/1.0/state/door.toml".into(),
        states: vec![],
        inputs: vec![],
        cells: vec![],
    });
    let found = lint(&input);
    assert_eq!(found[0].file, "spec/1.0/state/door.toml");
    assert!(found[0].message.contains("{{ state door }}"), "{found:?}");
}

#[test]
fn faulty_schemas_are_found() {
    let mut input = input("", "");
    input.files.insert("schemas/1.0/a.xsd".into(), "<a>".into());
    let found = lint(&input);
    assert_eq!(found[0].file, "schemas/1.0/a.xsd");
}
