//! What changed between two versions of the specification.

use std::collections::BTreeSet;
use std::fmt;

use kith_spec_source::{Outcome, Requirement, Spec};
use serde::Serialize;

/// What changed, each list in the order of the newer text, removals in that of
/// the older.
#[derive(Debug, Default, Serialize, PartialEq, Eq)]
pub struct Diff {
    /// Requirements that only the newer version has.
    pub added: Vec<Side>,
    /// Requirements that both have, and that say something else.
    pub changed: Vec<Change>,
    /// Requirements that only the older version has.
    pub removed: Vec<Side>,
}

/// A requirement that says something else.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// The names of what differs.
    pub differs: Vec<&'static str>,
    /// The older version.
    pub before: Side,
    /// The newer version.
    pub after: Side,
}

/// What a requirement says in one version.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Side {
    /// Its id.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Its level.
    pub level: &'static str,
    /// Its class.
    pub class: &'static str,
    /// Its outcome.
    pub outcome: Option<&'static str>,
    /// Its violation.
    pub violation: Option<String>,
    /// Its chapter.
    pub chapter: String,
}

impl Side {
    fn of(requirement: &Requirement) -> Self {
        Self {
            id: requirement.id.clone(),
            text: requirement.text.clone(),
            level: requirement.level.as_str(),
            class: requirement.class.as_str(),
            outcome: requirement.outcome.map(Outcome::as_str),
            violation: requirement.violation.clone(),
            chapter: requirement.chapter.clone(),
        }
    }

    fn differs(&self, other: &Self) -> Vec<&'static str> {
        let parts = [
            ("text", self.text != other.text),
            ("level", self.level != other.level),
            ("class", self.class != other.class),
            ("outcome", self.outcome != other.outcome),
            ("violation", self.violation != other.violation),
            ("chapter", self.chapter != other.chapter),
        ];
        let differing = parts.into_iter().filter(|(_, differs)| *differs);
        differing.map(|(name, _)| name).collect()
    }

    /// Everything but the text, on one line.
    fn facts(&self) -> String {
        let mut facts = format!(
            "{}, class {}, chapter {}",
            self.level, self.class, self.chapter
        );
        if let Some(outcome) = self.outcome {
            facts.push_str(&format!(", → {outcome}"));
        }
        if let Some(violation) = &self.violation {
            facts.push_str(&format!(" {violation}"));
        }
        facts
    }
}

/// Compares two versions.
pub fn diff(old: &Spec, new: &Spec) -> Diff {
    let mut diff = Diff::default();
    for requirement in &new.requirements {
        let after = Side::of(requirement);
        let Some(before) = old.requirement(&requirement.id).map(Side::of) else {
            diff.added.push(after);
            continue;
        };
        let differs = before.differs(&after);
        if !differs.is_empty() {
            let id = after.id.clone();
            diff.changed.push(Change {
                id,
                differs,
                before,
                after,
            });
        }
    }
    let kept: BTreeSet<&str> = new
        .requirements
        .iter()
        .map(|found| found.id.as_str())
        .collect();
    let gone = old
        .requirements
        .iter()
        .filter(|found| !kept.contains(found.id.as_str()));
    diff.removed.extend(gone.map(Side::of));
    diff
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (title, sides) in [("added", &self.added), ("removed", &self.removed)] {
            for side in sides {
                writeln!(
                    f,
                    "{title} {} ({})\n    {}",
                    side.id,
                    side.facts(),
                    side.text
                )?;
            }
        }
        for change in &self.changed {
            let (before, after) = (&change.before, &change.after);
            writeln!(f, "changed {} ({})", change.id, change.differs.join(", "))?;
            if before.facts() != after.facts() {
                writeln!(f, "  - {}\n  + {}", before.facts(), after.facts())?;
            }
            if before.text != after.text {
                writeln!(f, "  - {}\n  + {}", before.text, after.text)?;
            }
        }
        let (added, changed) = (self.added.len(), self.changed.len());
        writeln!(
            f,
            "{added} added, {changed} changed, {} removed",
            self.removed.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use kith_spec_source::{Source, parse};

    use super::*;

    fn spec(body: &str) -> Spec {
        let source = Source {
            path: "spec/1.0/02-mail.md".into(),
            text: format!("+++\ntitle = \"Mail\"\n+++\n# Mail\n\n{body}"),
        };
        parse(&[source]).unwrap()
    }

    #[test]
    fn what_is_added_changed_and_removed_is_told() {
        let old = spec(
            "**`mail.a`** It MUST be.\n→ refuse `x`\n\n**`mail.b`** It MUST be.\n\n**`mail.c`** It MAY be.\n",
        );
        let new = spec(
            "**`mail.c`** It MAY be.\n\n**`mail.a`** It SHOULD be.\n→ hold `x`\n\n**`mail.d`** It MUST be.\n",
        );
        let diff = diff(&old, &new);
        assert_eq!(diff.added[0].id, "mail.d");
        assert_eq!(diff.removed[0].id, "mail.b");
        assert_eq!(diff.changed.len(), 1);
        assert_eq!(diff.changed[0].differs, ["text", "level", "outcome"]);
        let shown = diff.to_string();
        assert!(
            shown.contains("  - It MUST be.\n  + It SHOULD be.\n"),
            "{shown}"
        );
        assert!(
            shown.ends_with("1 added, 1 changed, 1 removed\n"),
            "{shown}"
        );
        let json = serde_json::to_value(&diff).unwrap();
        assert_eq!(json["changed"][0]["after"]["outcome"], "hold");
    }

    #[test]
    fn the_same_text_differs_in_nothing() {
        let spec = spec("**`mail.a`** It MUST be.\n");
        assert_eq!(diff(&spec, &spec), Diff::default());
    }
}
