//! Tests of the parser on small samples: what it reads, and what it refuses.

use super::*;

const MAIL: &str = "spec/1.0/02-mail.md";
const FRONT: &str = "+++\ntitle = \"Mail\"\nclass = \"social\"\n+++\n\n# Mail\n\n";

/// The specification of one chapter with this body after the title (line 8).
fn chapter(body: &str) -> Result<Spec, Vec<Problem>> {
    parse(&[source(MAIL, &format!("{FRONT}{body}"))])
}

fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.to_owned(),
        text: text.to_owned(),
    }
}

/// Asserts that the first problem stands in this line and says this.
#[track_caller]
fn refused(result: Result<Spec, Vec<Problem>>, line: usize, words: &str) {
    let problems = result.map(|_| ()).unwrap_err();
    let shown = problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(problems[0].line, line, "{shown}");
    assert!(problems[0].message.contains(words), "{shown}");
}

#[test]
fn a_requirement_is_read_in_full() {
    let body = "## One\n\n### Two `x`\n\nText.\n\n- **`mail.one-envelope`** A mail MUST have\n  \
                one envelope, or SHOULD have; see `MAY`. More text.\n  \
                → refuse `second-envelope`, class pq\n";
    let spec = chapter(body).unwrap();
    let rule = &spec.requirements[0];
    assert_eq!(rule.id, "mail.one-envelope");
    assert_eq!((rule.level, rule.class), (Level::Must, Class::Pq));
    let text = "A mail MUST have one envelope, or SHOULD have; see `MAY`. More text.";
    assert_eq!(rule.text, text);
    assert_eq!(
        (rule.chapter.as_str(), rule.section.number.as_str()),
        ("mail", "2.1.1")
    );
    assert_eq!(
        (rule.section.title.as_str(), rule.section.anchor.as_str()),
        ("Two `x`", "two-x")
    );
    assert_eq!(rule.outcome, Some(Outcome::Refuse));
    assert_eq!(rule.violation.as_deref(), Some("second-envelope"));
    assert_eq!(rule.place, Place::new(MAIL, 14));
}

#[test]
fn the_class_and_the_section_come_from_the_chapter() {
    let spec = chapter("**`mail.a`** It MAY be.\n→ accept\n").unwrap();
    let rule = &spec.requirements[0];
    assert_eq!((rule.level, rule.class), (Level::May, Class::Social));
    assert_eq!(
        (rule.section.number.as_str(), rule.section.title.as_str()),
        ("2", "Mail")
    );
    assert_eq!(
        (rule.outcome, &rule.violation),
        (Some(Outcome::Accept), &None)
    );
}

#[test]
fn each_keyword_has_its_level() {
    for (keyword, level) in [
        ("MUST NOT", Level::Must),
        ("is REQUIRED to", Level::Must),
        ("SHALL", Level::Must),
        ("SHOULD NOT", Level::Should),
        ("is NOT RECOMMENDED to", Level::Should),
        ("is OPTIONAL to", Level::May),
    ] {
        let spec = chapter(&format!("**`mail.a`** It {keyword} be, e.g. \"Sealed\".\n")).unwrap();
        assert_eq!(spec.requirements[0].level, level, "{keyword}");
    }
}

#[test]
fn sections_are_numbered_and_anchors_are_unique() {
    let spec = chapter("## A\n\n### Same\n\n### Same\n\n## B\n\n### C\n").unwrap();
    let sections = &spec.chapters[0].sections;
    let numbers: Vec<&str> = sections
        .iter()
        .map(|section| section.number.as_str())
        .collect();
    assert_eq!(numbers, ["2.1", "2.1.1", "2.1.2", "2.2", "2.2.1"]);
    assert_eq!(sections[2].anchor, "same-1");
}

#[test]
fn keywords_outside_requirements_are_refused() {
    refused(
        chapter("One\ntwo MUST three.\n"),
        9,
        "MUST outside a requirement",
    );
    refused(chapter("## It SHOULD\n"), 8, "SHOULD outside");
    refused(
        chapter("| A |\n|---|\n| b |\n| it MAY |\n"),
        11,
        "MAY outside",
    );
    refused(chapter("ü `MUST` ü\n- MUST\n"), 9, "MUST outside");
    chapter("`MUST`, the MUSTARD must.\n\n```\nMUST\n```\n").unwrap();
    chapter("The words MUST and MAY are those of BCP 14.\n").unwrap();
}

#[test]
fn a_tag_needs_one_sentence_with_a_keyword() {
    refused(chapter("**`mail.a`** It may be.\n"), 8, "no BCP 14 keyword");
    refused(
        chapter("**`mail.a`** It MUST be. It MAY be.\n"),
        8,
        "two sentences",
    );
    refused(
        chapter("**`mail.a`** It MUST (be.) And SHOULD be.\n"),
        8,
        "two sentences",
    );
    refused(chapter("**`Mail`** It MUST be.\n"), 8, "no requirement id");
    refused(chapter("**`mail.a` It MUST be.\n"), 8, "does not end");
    refused(
        chapter("Text.\n**`mail.a`** It MUST be.\n"),
        9,
        "middle of a paragraph",
    );
}

#[test]
fn the_line_with_the_arrow_is_checked() {
    let with = |arrow: &str| chapter(&format!("**`mail.a`** It MUST be.\n{arrow}\n"));
    refused(with("→ reject `x`"), 8, "unknown outcome `reject`");
    refused(with("→ refuse"), 8, "without a name");
    refused(with("→ refuse `X y`"), 8, "no kebab-case name");
    refused(with("→ refuse `x`, hold `y`"), 8, "two outcomes");
    refused(with("→ class ham"), 8, "unknown class `ham`");
    refused(with("→ class pq, class core"), 8, "two classes");
    refused(with("→ refuse `x`\nmore"), 8, "comes last");
    refused(with("\n→ refuse `x`"), 10, "belongs to no requirement");
}

#[test]
fn ids_are_given_once_and_never_again() {
    let twice = "**`mail.a`** It MUST be.\n\n**`mail.a`** It MUST be.\n";
    refused(chapter(twice), 10, "given already in spec/1.0/02-mail.md:8");
    let alike = "**`mail.a-b`** It MUST be.\n\n**`mail.a.b`** It MUST be.\n";
    refused(chapter(alike), 10, "same constant");
    let mail = source(MAIL, &format!("{FRONT}**`mail.a`** It MUST be.\n"));
    let retired = source("spec/1.0/retired.txt", "# gone\nmail.b\nmail.a # why\n");
    refused(
        parse(&[mail, retired]),
        8,
        "retired (spec/1.0/retired.txt:3)",
    );
    let retired = source("spec/1.0/retired.txt", "mail.a\nmail.a\n");
    refused(parse(&[retired]), 2, "line 1 already");
}

#[test]
fn a_violation_has_one_outcome() {
    let body = "**`mail.a`** It MUST be.\n→ refuse `x`\n\n**`mail.b`** It MUST be.\n→ hold `x`\n";
    refused(
        chapter(body),
        11,
        "`x` has the outcome refuse in spec/1.0/02-mail.md:8",
    );
    chapter(&body.replace("hold", "refuse")).unwrap();
}

#[test]
fn chapters_have_front_matter_and_one_title() {
    let read = |text: &str| parse(&[source(MAIL, text)]);
    refused(read("# Mail\n"), 1, "between two lines of +++");
    refused(read("+++\ntitle = 1\n+++\n# Mail\n"), 2, "string");
    refused(
        read("+++\ntitle = \"Mail\"\nclass = \"ham\"\n+++\n# Mail\n"),
        3,
        "unknown variant",
    );
    refused(read("+++\ntitle = \"Mail\"\n+++\n"), 1, "no title");
    refused(
        read("+++\ntitle = \"Mail\"\n+++\n# Post\n"),
        4,
        "not the front matter's",
    );
    refused(chapter("# Mail\n"), 8, "second title");
    refused(chapter("#### Deep\n"), 8, "two levels below");
    refused(
        parse(&[source("spec/1.0/2-mail.md", "")]),
        1,
        "NN-some-name.md",
    );
    let again = source("spec/1.0/02-post.md", FRONT);
    refused(
        parse(&[source(MAIL, FRONT), again]),
        1,
        "has the number 2 too",
    );
}

const LIMITS: &str = "| Limit | Value | Unit | Meaning |\n|---|---|---|---|\n";

#[test]
fn limits_are_integers_and_products() {
    let rows = "| `a` | 65 536 | octets | All. |\n| `b` | 64 × 1024 | octets | Some. |\n";
    let spec = chapter(&format!("{LIMITS}{rows}")).unwrap();
    let values: Vec<(&str, u64)> = spec
        .limits
        .iter()
        .map(|l| (l.id.as_str(), l.value))
        .collect();
    assert_eq!(values, [("a", 65536), ("b", 65536)]);
    assert_eq!(spec.limits[1].place, Place::new(MAIL, 11));
}

#[test]
fn faulty_limits_are_refused() {
    let with = |row: &str| chapter(&format!("{LIMITS}{row}\n"));
    refused(with("| `a` | many | octets | All. |"), 10, "no value");
    refused(
        with("| `a` | 18446744073709551615 × 2 | octets | All. |"),
        10,
        "no value",
    );
    refused(with("| a | 1 | octets | All. |"), 10, "no limit's id");
    refused(with("| `a` | 1 | octets |"), 10, "3 cells");
    refused(
        with("| `a` | 1 | x | y |\n| `a` | 2 | x | y |"),
        11,
        "given already",
    );
}

/// The TOML of a transition.
macro_rules! transition {
    ($from:literal, $input:literal, $to:literal) => {
        concat!(
            "[[transition]]\nfrom = ",
            $from,
            "\ninput = \"",
            $input,
            "\"\nto = \"",
            $to,
            "\"\noutcome = \"done\"\n"
        )
    };
}
const DOOR: &str = "spec/1.0/state/door.toml";
const STATES: &str = r#"title = "Door"
about = "A door."
state = [{ id = "closed", meaning = "" }, { id = "open", meaning = "" }]
input = [{ id = "push", meaning = "" }, { id = "time.7-days", meaning = "" }]
"#;
const WAIT: &str = transition!("\"*\"", "time.7-days", "=");

fn door(transitions: &[&str]) -> Result<Spec, Vec<Problem>> {
    parse(&[source(DOOR, &format!("{STATES}{}", transitions.concat()))])
}

#[test]
fn every_cell_comes_from_one_transition() {
    let spec = door(&[
        transition!("[\"closed\"]", "push", "open"),
        transition!("\"*\"", "push", "closed"),
        WAIT,
    ])
    .unwrap();
    let cells: Vec<(&str, &str, &str)> = spec.tables[0]
        .cells
        .iter()
        .map(|cell| (cell.state.as_str(), cell.input.as_str(), cell.to.as_str()))
        .collect();
    assert_eq!(
        cells,
        [
            ("closed", "push", "open"),
            ("closed", "time.7-days", "closed"),
            ("open", "push", "closed"),
            ("open", "time.7-days", "open"),
        ]
    );
}

#[test]
fn tables_with_gaps_or_doubles_are_refused() {
    let open = transition!("[\"closed\"]", "push", "open");
    let close = transition!("[\"open\"]", "push", "closed");
    refused(door(&[open, WAIT]), 1, "(open × push) is not defined");
    refused(
        door(&[open, close, open, WAIT]),
        17,
        "(closed × push) is defined already in line 7",
    );
    refused(
        door(&[open, close, WAIT, WAIT]),
        22,
        "defined already in line 17",
    );
    let dead = transition!("\"*\"", "push", "open");
    refused(door(&[open, close, WAIT, dead]), 22, "applies to no cell");
    let stay = transition!("\"*\"", "push", "=");
    refused(door(&[stay, WAIT]), 3, "`open` cannot be reached");
}

#[test]
fn tables_name_only_what_there_is() {
    let all = transition!("\"*\"", "push", "open");
    refused(
        door(&[all, WAIT, transition!("[\"ajar\"]", "push", "=")]),
        17,
        "unknown state `ajar`",
    );
    refused(
        door(&[transition!("\"*\"", "push", "ajar"), WAIT]),
        7,
        "unknown state `ajar`",
    );
    refused(
        door(&[all, WAIT, transition!("\"*\"", "kick", "=")]),
        17,
        "unknown input `kick`",
    );
    let rule = format!("{all}requirement = \"door.none\"\n");
    refused(
        door(&[&rule, WAIT]),
        7,
        "no chapter has a requirement `door.none`",
    );
    refused(
        door(&[all, WAIT, "[[transition]]\nfrom = 1\n"]),
        16,
        "\"*\" or a list of states",
    );
    refused(door(&[all, WAIT, "outcomes = 1\n"]), 15, "unknown field");
}

fn exceptions(text: &str) -> Result<Spec, Vec<Problem>> {
    let mail = source(MAIL, &format!("{FRONT}**`mail.a`** It MUST be.\n"));
    parse(&[mail, source("spec/1.0/exceptions.toml", text)])
}

#[test]
fn exceptions_name_a_requirement_a_lack_and_a_reason() {
    let entry = |id: &str, lacks: &str, reason: &str| {
        format!("[[exception]]\nrequirement = \"{id}\"\nlacks = {lacks}\nreason = \"{reason}\"\n")
    };
    let good = entry("mail.a", "[\"case\", \"vector\"]", "why");
    let spec = exceptions(&good).unwrap();
    assert_eq!(spec.exceptions[0].lacks, [Lack::Case, Lack::Vector]);
    assert_eq!(spec.exceptions[0].place.line, 2);
    refused(
        exceptions(&entry("mail.b", "[\"case\"]", "why")),
        2,
        "no chapter has",
    );
    refused(
        exceptions(&entry("mail.a", "[\"case\"]", " ")),
        2,
        "gives no reason",
    );
    refused(
        exceptions(&entry("mail.a", "[]", "why")),
        2,
        "lacks nothing",
    );
    refused(
        exceptions(&entry("mail.a", "[\"ham\"]", "why")),
        3,
        "unknown variant",
    );
    refused(
        exceptions(&format!("{good}{good}")),
        6,
        "has an exception in line 2",
    );
}

#[test]
fn what_is_pending_names_a_chapter_lacks_and_a_reason() {
    let entry = |chapter: &str, more: &str| {
        format!("[[pending]]\nchapter = \"{chapter}\"\n{more}\nreason = \"soon\"\n")
    };
    let good = entry("mail", "lacks = [\"code\"]\nrequirements = [\"mail.a\"]");
    let spec = exceptions(&good).unwrap();
    assert_eq!(spec.pending[0].requirements, ["mail.a"]);
    assert_eq!(spec.pending[0].lacks, [Lack::Code]);
    let with = |chapter: &str, more: &str| exceptions(&entry(chapter, more));
    refused(
        with("post", "lacks = [\"code\"]"),
        2,
        "no chapter is named `post`",
    );
    refused(with("mail", "lacks = []"), 2, "lacks nothing");
    refused(
        with("mail", "lacks = [\"code\"]\nrequirements = [\"mail.b\"]"),
        2,
        "has no requirement `mail.b`",
    );
}

#[test]
fn directives_stand_on_lines_of_their_own() {
    let body = "Text.\n\n{{ example valid/post-v4-v4 }}\n\n{{example message-first message}}\n\n\
                {{ limits }}\n";
    let spec = chapter(body).unwrap();
    let example = |vector: &str, kind: Option<&str>| Insert::Example {
        vector: vector.to_owned(),
        kind: kind.map(str::to_owned),
    };
    let inserts: Vec<&Insert> = spec.directives.iter().map(|found| &found.insert).collect();
    let expected = [
        &example("valid/post-v4-v4", None),
        &example("message-first", Some("message")),
        &Insert::Limits,
    ];
    assert_eq!(inserts, expected);
    assert_eq!(spec.directives[1].place, Place::new(MAIL, 12));
}

#[test]
fn faulty_directives_are_refused() {
    refused(
        chapter("{{ picture a }}\n"),
        8,
        "unknown directive `picture a`",
    );
    refused(chapter("{{ example }}\n"), 8, "unknown directive `example`");
    refused(
        chapter("{{ example a/ }}\n"),
        8,
        "unknown directive `example a/`",
    );
    refused(chapter("{{ limits\n"), 8, "does not end");
    refused(chapter("Text.\n{{ limits }}\n"), 9, "inside a paragraph");
    refused(chapter("{{ limits }}\nText.\n"), 8, "inside a paragraph");
    refused(chapter("{{ state door }}\n"), 8, "no state table `door`");
}

#[test]
fn no_source_at_all_is_an_empty_specification() {
    let spec = parse(&[source("spec/1.0/README.md", "It MUST be.\n")]).unwrap();
    assert!(spec.requirements.is_empty());
}
