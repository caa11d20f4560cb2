//! One chapter: front matter, numbered sections, requirements and limits.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::markdown::{self, Block, Kind};
use super::requirement::{self, Tagged};
use super::{
    Chapter, Limit, Place, Problem, Requirement, Section, Source, Spec, directive, is_kebab,
    toml_source,
};
use crate::vocabulary::Class;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FrontMatter {
    title: String,
    #[serde(default = "core")]
    class: Class,
}

const fn core() -> Class {
    Class::Core
}

/// Reads the chapter with the file name `stem`.md.
pub(super) fn read(stem: &str, source: &Source, spec: &mut Spec, problems: &mut Vec<Problem>) {
    let top = Place::new(&source.path, 1);
    let Some((number, name)) = file_name(stem) else {
        problems.push(top.problem("a chapter's file is named NN-some-name.md, such as 03-mail.md"));
        return;
    };
    let lines: Vec<&str> = source.text.lines().collect();
    let (front, body) = match front_matter(&lines, source) {
        Ok(parts) => parts,
        Err(problem) => return problems.push(problem),
    };
    let mut reader = Reader {
        chapter: Chapter {
            number,
            name: name.to_owned(),
            title: front.title,
            class: front.class,
            file: source.path.clone(),
            sections: Vec::new(),
        },
        titled: false,
        counters: Vec::new(),
        anchors: BTreeMap::new(),
        section: None,
        spec,
        problems,
    };
    for block in markdown::blocks(&lines[body..], body + 1) {
        reader.block(&block);
    }
    reader.finish(&top);
}

fn file_name(stem: &str) -> Option<(u32, &str)> {
    let (number, name) = stem.split_once('-')?;
    if number.len() != 2 || !is_kebab(name) {
        return None;
    }
    Some((number.parse().ok()?, name))
}

/// The front matter and the index of the first line after it.
fn front_matter(lines: &[&str], source: &Source) -> Result<(FrontMatter, usize), Problem> {
    let top = Place::new(&source.path, 1);
    let fence = |line: &&str| line.trim_end() == "+++";
    let end = lines.iter().skip(1).position(fence).map(|index| index + 1);
    let (true, Some(end)) = (lines.first().is_some_and(fence), end) else {
        return Err(top.problem("begin the chapter with TOML between two lines of +++"));
    };
    let text = lines[1..end].join("\n");
    let front = toml_source::read(&text, &source.path, 1)?;
    Ok((front, end + 1))
}

struct Reader<'a> {
    chapter: Chapter,
    titled: bool,
    /// How many headings of each level below the title, in the current branch.
    counters: Vec<u32>,
    anchors: BTreeMap<String, u32>,
    section: Option<Section>,
    spec: &'a mut Spec,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn place(&self, line: usize) -> Place {
        Place::new(&self.chapter.file, line)
    }

    fn block(&mut self, block: &Block) {
        match &block.kind {
            Kind::Heading { level, text } => self.heading(*level, text, block.line),
            Kind::Paragraph(lines) => self.paragraph(lines, block.line),
            Kind::Table(rows) => self.table(rows, block.line),
        }
    }

    fn heading(&mut self, level: usize, text: &str, line: usize) {
        let place = self.place(line);
        requirement::untagged(&[text.to_owned()], &place, self.problems);
        let anchor = self.anchor(text);
        let Some(depth) = level.checked_sub(2) else {
            self.title(text, anchor, line);
            return;
        };
        if depth > self.counters.len() {
            self.problems
                .push(place.problem("a heading two levels below the one before it"));
        }
        self.counters.resize(depth + 1, 0);
        self.counters[depth] += 1;
        let ordinals: Vec<String> = self.counters.iter().map(u32::to_string).collect();
        let number = format!("{}.{}", self.chapter.number, ordinals.join("."));
        let section = Section {
            number,
            title: text.to_owned(),
            anchor,
            line,
        };
        self.chapter.sections.push(section.clone());
        self.section = Some(section);
    }

    fn title(&mut self, text: &str, anchor: String, line: usize) {
        let place = self.place(line);
        if self.titled || !self.chapter.sections.is_empty() {
            let message = "a second title; a chapter has one `# Title`, at its beginning";
            self.problems.push(place.problem(message));
            return;
        }
        if text != self.chapter.title {
            let message = format!(
                "the title is not the front matter's, `{}`",
                self.chapter.title
            );
            self.problems.push(place.problem(message));
        }
        self.titled = true;
        let number = self.chapter.number.to_string();
        self.section = Some(Section {
            number,
            title: text.to_owned(),
            anchor,
            line,
        });
    }

    fn anchor(&mut self, heading: &str) -> String {
        let anchor = markdown::anchor(heading);
        let seen = self.anchors.entry(anchor.clone()).or_default();
        *seen += 1;
        match *seen {
            1 => anchor,
            again => format!("{anchor}-{}", again - 1),
        }
    }

    fn paragraph(&mut self, lines: &[String], line: usize) {
        let place = self.place(line);
        if directive::read(lines, &place, self.spec, self.problems) {
            return;
        }
        let Some(tagged) = requirement::read(lines, &place, self.problems) else {
            return;
        };
        let Some(section) = self.section.clone() else {
            let message = "a requirement before the chapter's `# Title`";
            self.problems.push(place.problem(message));
            return;
        };
        let Tagged {
            id,
            level,
            text,
            class,
            outcome,
            violation,
        } = tagged;
        self.spec.requirements.push(Requirement {
            id,
            level,
            class: class.unwrap_or(self.chapter.class),
            text,
            chapter: self.chapter.name.clone(),
            section,
            outcome,
            violation,
            place,
        });
    }

    fn table(&mut self, rows: &[Vec<String>], line: usize) {
        let is_limits = rows.first().is_some_and(|header| {
            header
                .iter()
                .map(String::as_str)
                .eq(["Limit", "Value", "Unit", "Meaning"])
        });
        for (index, row) in rows.iter().enumerate() {
            // The row of dashes is the second line.
            let place = self.place(line + index + usize::from(index > 0));
            requirement::untagged(&[row.join(" ")], &place, self.problems);
            if !is_limits || index == 0 {
                continue;
            }
            match limit(row, place.clone()) {
                Ok(limit) => self.spec.limits.push(limit),
                Err(message) => self.problems.push(place.problem(message)),
            }
        }
    }

    fn finish(self, top: &Place) {
        if !self.titled {
            let message = format!("no title; write `# {}`", self.chapter.title);
            self.problems.push(top.problem(message));
        }
        self.spec.chapters.push(self.chapter);
    }
}

fn limit(row: &[String], place: Place) -> Result<Limit, String> {
    let [id, value, unit, meaning] = row else {
        return Err(format!(
            "{} cells; a limit has four: Limit, Value, Unit, Meaning",
            row.len()
        ));
    };
    let Some(id) = id
        .strip_prefix('`')
        .and_then(|id| id.strip_suffix('`'))
        .filter(|id| is_kebab(id))
    else {
        return Err(format!(
            "{id} is no limit's id; write it as kebab-case code: `xml-octets`"
        ));
    };
    let value = number(value).ok_or_else(|| {
        format!("{value} is no value; write an integer below 2⁶⁴ or a product such as 64 × 1024")
    })?;
    Ok(Limit {
        id: id.to_owned(),
        value,
        unit: unit.clone(),
        meaning: meaning.clone(),
        place,
    })
}

/// An integer, perhaps with spaces between thousands, or a product of such.
fn number(text: &str) -> Option<u64> {
    text.split('×').try_fold(1u64, |product, factor| {
        let digits: String = factor.chars().filter(|c| !c.is_whitespace()).collect();
        let plain = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit());
        product.checked_mul(plain.then(|| digits.parse().ok()).flatten()?)
    })
}
