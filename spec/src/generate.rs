//! Prints a parsed specification as the Rust that `lib.rs` includes.

use std::fmt::{self, Write};

use kith_spec_source::{Chapter, Exception, Limit, Pending, Requirement, Spec, Table, const_name};

/// The Rust source for a specification.
pub(crate) fn generate(spec: &Spec) -> String {
    let mut out = String::new();
    print(spec, &mut out).expect("writing to a String never fails");
    out
}

fn print(spec: &Spec, out: &mut String) -> fmt::Result {
    writeln!(
        out,
        "/// A static for each requirement, named after its id."
    )?;
    writeln!(out, "pub mod req {{")?;
    for requirement in &spec.requirements {
        print_requirement(requirement, out)?;
    }
    writeln!(
        out,
        "}}\n\n/// A constant for each limit, named after its id.\npub mod limit {{"
    )?;
    for limit in &spec.limits {
        let doc = format!("{} ({}).", limit.meaning.trim_end_matches('.'), limit.unit);
        writeln!(out, "    #[doc = {doc:?}]")?;
        writeln!(
            out,
            "    pub const {}: u64 = {};",
            const_name(&limit.id),
            limit.value
        )?;
    }
    writeln!(out, "}}\n")?;
    for table in &spec.tables {
        print_table(table, out)?;
    }
    print_list(out, "CHAPTERS: &[Chapter]", &spec.chapters, print_chapter)?;
    print_list(
        out,
        "REQUIREMENTS: &[Rule]",
        &spec.requirements,
        |requirement, out| write!(out, "&req::{}", const_name(&requirement.id)),
    )?;
    print_list(out, "LIMITS: &[Limit]", &spec.limits, print_limit)?;
    print_list(out, "TABLES: &[&StateTable]", &spec.tables, |table, out| {
        write!(out, "&{}", const_name(&table.name))
    })?;
    print_list(
        out,
        "EXCEPTIONS: &[Exception]",
        &spec.exceptions,
        print_exception,
    )?;
    print_list(out, "PENDING: &[Pending]", &spec.pending, print_pending)
}

fn print_list<T>(
    out: &mut String,
    declaration: &str,
    items: &[T],
    print: impl Fn(&T, &mut String) -> fmt::Result,
) -> fmt::Result {
    writeln!(out, "static {declaration} = &[")?;
    for item in items {
        out.push_str("    ");
        print(item, out)?;
        out.push_str(",\n");
    }
    writeln!(out, "];\n")
}

fn print_requirement(requirement: &Requirement, out: &mut String) -> fmt::Result {
    let Requirement {
        id,
        level,
        class,
        text,
        chapter,
        section,
        outcome,
        violation,
        place,
    } = requirement;
    writeln!(out, "    #[doc = {text:?}]")?;
    writeln!(
        out,
        "    pub static {}: crate::Requirement = crate::Requirement {{",
        const_name(id)
    )?;
    writeln!(
        out,
        "        id: {id:?}, text: {text:?}, chapter: {chapter:?},"
    )?;
    writeln!(
        out,
        "        level: crate::Level::{level:?}, class: crate::Class::{class:?},"
    )?;
    writeln!(
        out,
        "        section: {:?}, section_title: {:?},",
        section.number, section.title
    )?;
    write!(out, "        anchor: {:?}, outcome: ", section.anchor)?;
    match outcome {
        Some(outcome) => write!(out, "Some(crate::Outcome::{outcome:?})")?,
        None => out.push_str("None"),
    }
    writeln!(out, ", violation: {violation:?},")?;
    writeln!(
        out,
        "        file: {:?}, line: {},\n    }};",
        place.file, place.line
    )
}

fn print_chapter(chapter: &Chapter, out: &mut String) -> fmt::Result {
    let Chapter {
        number,
        name,
        title,
        class,
        file,
        sections,
    } = chapter;
    write!(
        out,
        "Chapter {{ number: {number}, name: {name:?}, title: {title:?}, "
    )?;
    write!(out, "class: Class::{class:?}, file: {file:?}, sections: &[")?;
    for section in sections {
        let (number, title) = (&section.number, &section.title);
        let (anchor, line) = (&section.anchor, section.line);
        write!(
            out,
            "\n        Section {{ number: {number:?}, title: {title:?}, "
        )?;
        write!(out, "anchor: {anchor:?}, line: {line} }},")?;
    }
    write!(out, "] }}")
}

fn print_limit(limit: &Limit, out: &mut String) -> fmt::Result {
    let Limit {
        id,
        unit,
        meaning,
        place,
        ..
    } = limit;
    write!(
        out,
        "Limit {{ id: {id:?}, value: limit::{}, unit: {unit:?}, ",
        const_name(id)
    )?;
    write!(
        out,
        "meaning: {meaning:?}, file: {:?}, line: {} }}",
        place.file, place.line
    )
}

fn print_exception(exception: &Exception, out: &mut String) -> fmt::Result {
    let Exception {
        requirement,
        lacks,
        reason,
        place,
    } = exception;
    write!(
        out,
        "Exception {{ requirement: &req::{}, lacks: &[",
        const_name(requirement)
    )?;
    for lack in lacks {
        write!(out, "Lack::{lack:?}, ")?;
    }
    write!(out, "], reason: {reason:?}, line: {} }}", place.line)
}

fn print_pending(pending: &Pending, out: &mut String) -> fmt::Result {
    let Pending {
        chapter,
        requirements,
        lacks,
        reason,
        place,
    } = pending;
    write!(out, "Pending {{ chapter: {chapter:?}, requirements: &[")?;
    for id in requirements {
        write!(out, "&req::{}, ", const_name(id))?;
    }
    out.push_str("], lacks: &[");
    for lack in lacks {
        write!(out, "Lack::{lack:?}, ")?;
    }
    write!(out, "], reason: {reason:?}, line: {} }}", place.line)
}

fn print_table(table: &Table, out: &mut String) -> fmt::Result {
    let Table {
        name,
        title,
        about,
        file,
        states,
        inputs,
        cells,
    } = table;
    writeln!(
        out,
        "#[doc = {:?}]",
        format!("The state table “{title}” ({file}).")
    )?;
    writeln!(
        out,
        "pub static {}: StateTable = StateTable {{",
        const_name(name)
    )?;
    writeln!(
        out,
        "    name: {name:?}, title: {title:?}, about: {about:?}, file: {file:?},"
    )?;
    for (field, of, named) in [("states", "State", states), ("inputs", "Input", inputs)] {
        writeln!(out, "    {field}: &[")?;
        for (id, meaning) in named {
            writeln!(out, "        {of} {{ id: {id:?}, meaning: {meaning:?} }},")?;
        }
        writeln!(out, "    ],")?;
    }
    writeln!(out, "    cells: &[")?;
    for cell in cells {
        write!(
            out,
            "        Cell {{ state: {:?}, input: {:?}, ",
            cell.state, cell.input
        )?;
        write!(
            out,
            "to: {:?}, outcome: CellOutcome::{:?}, ",
            cell.to, cell.outcome
        )?;
        write!(out, "sends: &{:?}, requirement: ", cell.sends)?;
        match &cell.requirement {
            Some(id) => write!(out, "Some(&req::{})", const_name(id))?,
            None => out.push_str("None"),
        }
        writeln!(out, ", note: {:?}, line: {} }},", cell.note, cell.line)?;
    }
    writeln!(out, "    ],\n}};\n")
}

#[cfg(test)]
mod tests {
    use kith_spec_source::{Source, parse};

    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
        }
    }

    #[test]
    fn nothing_makes_empty_lists() {
        let code = generate(&Spec::default());
        assert!(code.contains("static REQUIREMENTS: &[Rule] = &[\n];"));
    }

    #[test]
    fn requirements_limits_tables_and_what_is_pending_are_printed() {
        let chapter = "+++\ntitle = \"Mail\"\n+++\n# Mail\n\n**`mail.a`** It MUST be.\n\n\
                       | Limit | Value | Unit | Meaning |\n|---|---|---|---|\n\
                       | `a` | 64 × 1024 | octets | All. |\n";
        let pending = "[[pending]]\nchapter = \"mail\"\nrequirements = [\"mail.a\"]\n\
                       lacks = [\"code\"]\nreason = \"soon\"\n";
        let door = "title = \"Door\"\nabout = \"A door.\"\n\
                    state = [{ id = \"closed\", meaning = \"\" }]\n\
                    input = [{ id = \"push\", meaning = \"\" }]\n[[transition]]\nfrom = \"*\"\n\
                    input = \"push\"\nto = \"=\"\noutcome = \"done\"\n";
        let spec = parse(&[
            source("spec/1.0/02-mail.md", chapter),
            source("spec/1.0/exceptions.toml", pending),
            source("spec/1.0/state/door.toml", door),
        ]);
        let code = generate(&spec.unwrap());
        for expected in [
            "#[doc = \"All (octets).\"]\n    pub const A: u64 = 65536;",
            "pub static DOOR: StateTable",
            "requirements: &[&req::MAIL_A, ], lacks: &[Lack::Code, ]",
        ] {
            assert!(code.contains(expected), "{code}");
        }
    }
}
