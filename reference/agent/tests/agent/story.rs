//! Stories of people in shells, which tests live through and the folder `reference/docs` tells.

use std::collections::BTreeMap;
use std::path::Path;

use regex::Regex;

use crate::support::Shell;

/// What happened, to be told.
pub(crate) enum Told {
    /// A heading.
    Heading(String),
    /// Some words.
    Text(String),
    /// A command and what came of it.
    Step(String),
}

/// People in shells, and what they did.
#[derive(Default)]
pub(crate) struct Story {
    shells: BTreeMap<&'static str, Shell>,
    told: Vec<Told>,
}

impl Story {
    pub(crate) fn enter(&mut self, who: &'static str, shell: Shell) {
        self.shells.insert(who, shell);
    }

    pub(crate) fn shell(&self, who: &str) -> &Shell {
        &self.shells[who]
    }

    pub(crate) fn heading(&mut self, text: &str) {
        eprintln!(
            "{text} {:?}",
            std::time::SystemTime::UNIX_EPOCH
                .elapsed()
                .unwrap()
                .as_secs()
                % 1000
        );
        self.told.push(Told::Heading(text.to_owned()));
    }

    pub(crate) fn tell(&mut self, text: &str) {
        self.told.push(Told::Text(text.to_owned()));
    }

    /// Tells what somebody did without the program.
    pub(crate) fn did(&mut self, told: String) {
        self.told.push(Told::Step(told));
    }

    /// Runs the program, which must succeed, and tells it.
    pub(crate) fn step(&mut self, who: &str, arguments: &[&str]) -> String {
        let printed = self.shells[who].run(arguments);
        let words: Vec<String> = arguments.iter().map(|word| quoted(word)).collect();
        self.did(format!("{who}$ kith {}\n{printed}", words.join(" ")));
        printed
    }

    /// All of it as plain text.
    pub(crate) fn as_text(&self) -> String {
        let part = |told: &Told| match told {
            Told::Heading(text) | Told::Text(text) => format!("# {text}\n"),
            Told::Step(step) => format!("{step}\n"),
        };
        masked(self.told.iter().map(part).collect::<String>().trim_end()) + "\n"
    }

    /// All of it as Markdown.
    pub(crate) fn as_markdown(&self) -> String {
        let mut text = String::new();
        let mut steps = false;
        for told in &self.told {
            let step = matches!(told, Told::Step(_));
            if step != steps {
                text.push_str(if step { "```console\n" } else { "```\n\n" });
            } else if step {
                text.push('\n');
            }
            steps = step;
            match told {
                Told::Heading(heading) => text.push_str(&format!("## {heading}\n\n")),
                Told::Text(words) => text.push_str(&format!("{words}\n\n")),
                Told::Step(step) => text.push_str(&format!("{}\n", step.trim_end())),
            }
        }
        if steps {
            text.push_str("```\n");
        }
        masked(text.trim_end()) + "\n"
    }
}

/// Compares with what `reference/docs` tells, or writes it anew.
pub(crate) fn keep(file: &str, told: &str, test: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../docs")
        .join(file);
    if std::env::var_os("KITH_UPDATE").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, told).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        kept == told,
        "{} is stale; `KITH_UPDATE=1 cargo test -p kith-agent {test}` writes it anew:\n{told}",
        file.display()
    );
}

fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_alphanumeric() || "@.:/-_".contains(character);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{word}'")
    }
}

/// Replaces what differs from run to run.
fn masked(told: &str) -> String {
    let masks = [
        (r"localhost:\d+/starttls", "mail.example"),
        (r"localhost:\d+", "mail.example"),
        (
            r"\?id=[0-9a-f]{64}&token=[\w-]+&expires=[\w:-]+",
            "?id=…&token=…&expires=…",
        ),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d UTC", "2026-11-21 09:00 UTC"),
        (r"\b[0-9a-f]{8}\b", "1f0c9ab2"),
        (
            r"\w{3} \w{3} +\d+ [\d:]{8} \d{4}",
            "Sat Nov 21 09:00:00 2026",
        ),
        (
            r"\w{3}, \d+ \w{3} \d{4} [\d:]{8}",
            "Sat, 21 Nov 2026 09:00:00",
        ),
        (r"(?:[0-9A-F]{4} +){9}[0-9A-F]{4}", "1F0C 9AB2 …"),
        (r"\b[0-9a-f]{64}\b", "1f0c9ab2…"),
        (r"(?:[2-9A-HJ-NP-Z]{4}-){6}[2-9A-HJ-NP-Z]{4}", "7KQM-2XFD-…"),
        (r"-NP - \d/\d", "-NP - 2/3"),
        (r"Size: [\d.]+K", "Size: 0.8K"),
    ];
    masks
        .into_iter()
        .fold(told.to_owned(), |told, (volatile, mask)| {
            Regex::new(volatile)
                .unwrap()
                .replace_all(&told, mask)
                .into_owned()
        })
}
