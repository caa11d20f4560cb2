//! What each requirement has, what it lacks, and which exceptions excuse that.

use std::collections::BTreeMap;

use kith_spec::{Exception, Lack, Pending, Rule, const_name};
use serde::Serialize;

use super::evidence::Evidence;

/// All that stands for the requirements.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) code: Vec<Evidence>,
    pub(crate) cases: Vec<Evidence>,
    pub(crate) vectors: Vec<Evidence>,
}

/// One requirement and what stands for it.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) rule: Rule,
    pub(crate) code: Vec<String>,
    pub(crate) cases: Vec<String>,
    pub(crate) vectors: Vec<String>,
    pub(crate) exception: Option<&'static Exception>,
    /// The pending entries that cover it.
    pub(crate) pending: Vec<&'static Pending>,
}

impl Row {
    /// What it lacks and needs; an exception does not change that.
    fn missing(&self) -> Vec<Lack> {
        let mut missing = Vec::new();
        if self.code.is_empty() {
            missing.push(Lack::Code);
        }
        if self.cases.is_empty() {
            missing.push(Lack::Case);
        }
        if self.needs_vector() && self.vectors.is_empty() {
            missing.push(Lack::Vector);
        }
        missing
    }

    /// One mail can show a requirement that has an outcome.
    pub(crate) fn needs_vector(&self) -> bool {
        self.rule.outcome.is_some()
    }

    fn excused(&self) -> &'static [Lack] {
        self.exception.map_or(&[], |exception| exception.lacks)
    }

    /// What it lacks without an exception, pending or not.
    fn unexcused(&self) -> Vec<Lack> {
        let excused = self.excused();
        self.missing()
            .into_iter()
            .filter(|lack| !excused.contains(lack))
            .collect()
    }

    fn is_pending(&self, lack: Lack) -> bool {
        self.pending.iter().any(|entry| entry.lacks.contains(&lack))
    }

    /// What it lacks without an exception or a pending entry.
    pub(crate) fn lacks(&self) -> Vec<Lack> {
        let mut lacks = self.unexcused();
        lacks.retain(|lack| !self.is_pending(*lack));
        lacks
    }

    /// What it lacks for the time being.
    pub(crate) fn waits_for(&self) -> Vec<Lack> {
        let mut lacks = self.unexcused();
        lacks.retain(|lack| self.is_pending(*lack));
        lacks
    }

    /// What its exception excuses though nothing is missing there.
    pub(crate) fn needless(&self) -> Vec<Lack> {
        let missing = self.missing();
        self.excused()
            .iter()
            .copied()
            .filter(|lack| !missing.contains(lack))
            .collect()
    }
}

/// Every requirement with what stands for it.
#[derive(Debug)]
pub(crate) struct Coverage {
    /// In the order of the text.
    pub(crate) rows: Vec<Row>,
    /// Every pending entry.
    pub(crate) pending: &'static [Pending],
    /// Where something names a requirement that does not exist: place and name.
    pub(crate) unknown: Vec<(String, String)>,
}

/// A requirement and what it lacks, or what its exception excuses needlessly.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) id: &'static str,
    pub(crate) lacks: Vec<Lack>,
}

/// A requirement that lacks something for the time being.
#[derive(Debug, Serialize)]
pub(crate) struct Waiting {
    pub(crate) requirement: &'static str,
    pub(crate) lacks: Vec<Lack>,
    pub(crate) reason: &'static str,
}

/// A pending entry, or a part of it, that nothing needs any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The entry's line in `exceptions.toml`.
    pub(crate) line: u32,
    pub(crate) what: String,
}

/// The numbers, for `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    requirements: usize,
    with_code: usize,
    with_case: usize,
    with_vector: usize,
    exceptions: usize,
    untraced: Vec<Finding>,
    needless_exceptions: Vec<Finding>,
    pending: Vec<Waiting>,
}

impl Coverage {
    pub(crate) fn new(
        rules: &[Rule],
        exceptions: &'static [Exception],
        pending: &'static [Pending],
        found: &Found,
    ) -> Self {
        let mut unknown = Vec::new();
        let mut code = by_rule(rules, &found.code, &mut unknown);
        let mut cases = by_rule(rules, &found.cases, &mut unknown);
        let mut vectors = by_rule(rules, &found.vectors, &mut unknown);
        let rows = rules.iter().map(|rule| Row {
            rule,
            code: code.remove(rule.id).unwrap_or_default(),
            cases: cases.remove(rule.id).unwrap_or_default(),
            vectors: vectors.remove(rule.id).unwrap_or_default(),
            exception: exceptions
                .iter()
                .find(|exception| exception.requirement == *rule),
            pending: pending.iter().filter(|entry| entry.covers(rule)).collect(),
        });
        Self {
            rows: rows.collect(),
            pending,
            unknown,
        }
    }

    /// Whether every requirement is traced or pending, and every exception and
    /// pending entry needed.
    pub(crate) fn is_complete(&self) -> bool {
        let complete = |row: &Row| row.lacks().is_empty() && row.needless().is_empty();
        self.unknown.is_empty() && self.settled().is_empty() && self.rows.iter().all(complete)
    }

    /// What stands in pending entries though nothing needs it any more.
    pub(crate) fn settled(&self) -> Vec<Settled> {
        let mut settled = Vec::new();
        for entry in self.pending {
            let needs = |row: &Row, lacks: &[Lack]| {
                let waits = row.waits_for();
                entry.covers(row.rule) && lacks.iter().any(|lack| waits.contains(lack))
            };
            let chapter = entry.chapter;
            let mut report = |what: String| {
                let line = entry.line;
                settled.push(Settled { line, what });
            };
            for lack in entry.lacks {
                if !self.rows.iter().any(|row| needs(row, &[*lack])) {
                    report(format!(
                        "nothing pending in {chapter} lacks {lack} any more"
                    ));
                }
            }
            for rule in entry.requirements {
                let row = self.rows.iter().find(|row| row.rule == *rule);
                if row.is_none_or(|row| !needs(row, entry.lacks)) {
                    report(format!("{rule} is not pending any more"));
                }
            }
        }
        settled
    }

    fn waiting(&self) -> Vec<Waiting> {
        let waiting = |row: &Row| {
            let lacks = row.waits_for();
            let covers = |entry: &&&Pending| lacks.iter().any(|lack| entry.lacks.contains(lack));
            let reason = row.pending.iter().find(covers)?.reason;
            let requirement = row.rule.id;
            Some(Waiting {
                requirement,
                lacks,
                reason,
            })
        };
        self.rows.iter().filter_map(waiting).collect()
    }

    pub(crate) fn summary(&self) -> Summary {
        let count = |has: fn(&Row) -> bool| self.rows.iter().filter(|row| has(row)).count();
        Summary {
            requirements: self.rows.len(),
            with_code: count(|row| !row.code.is_empty()),
            with_case: count(|row| !row.cases.is_empty()),
            with_vector: count(|row| !row.vectors.is_empty()),
            exceptions: count(|row| row.exception.is_some()),
            untraced: self.findings(Row::lacks),
            needless_exceptions: self.findings(Row::needless),
            pending: self.waiting(),
        }
    }

    fn findings(&self, what: fn(&Row) -> Vec<Lack>) -> Vec<Finding> {
        let finding = |row: &Row| Finding {
            id: row.rule.id,
            lacks: what(row),
        };
        self.rows
            .iter()
            .map(finding)
            .filter(|finding| !finding.lacks.is_empty())
            .collect()
    }
}

/// The places for each requirement's id. A name may be the id or its static's.
fn by_rule(
    rules: &[Rule],
    evidence: &[Evidence],
    unknown: &mut Vec<(String, String)>,
) -> BTreeMap<&'static str, Vec<String>> {
    let names: BTreeMap<String, &'static str> = rules
        .iter()
        .flat_map(|rule| {
            [
                (rule.id.to_owned(), rule.id),
                (const_name(rule.id), rule.id),
            ]
        })
        .collect();
    let mut places: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for Evidence { at, requirements } in evidence {
        for name in requirements {
            match names.get(name) {
                Some(id) => places.entry(id).or_default().push(at.clone()),
                None => unknown.push((at.clone(), name.clone())),
            }
        }
    }
    places
}

#[cfg(test)]
pub(super) mod tests {
    use kith_spec::{Class, Level, Outcome, Requirement};

    use super::*;

    pub(in crate::trace) const fn rule(id: &'static str, outcome: Option<Outcome>) -> Requirement {
        Requirement {
            id,
            level: Level::Must,
            class: Class::Core,
            text: "It MUST be.",
            chapter: "mail",
            section: "2.1",
            section_title: "Form",
            anchor: "form",
            outcome,
            violation: None,
            file: "spec/1.0/02-mail.md",
            line: 12,
        }
    }

    pub(in crate::trace) static A: Requirement = rule("mail.a", Some(Outcome::Refuse));
    static B: Requirement = rule("mail.b-c", None);

    fn at(at: &str, name: &str) -> Vec<Evidence> {
        vec![Evidence {
            at: at.into(),
            requirements: vec![name.into()],
        }]
    }

    fn summary(coverage: &Coverage) -> serde_json::Value {
        serde_json::to_value(coverage.summary()).unwrap()
    }

    #[test]
    fn a_requirement_with_an_outcome_needs_code_case_and_vector() {
        let found = Found {
            code: at("a.rs:1", "MAIL_A"),
            cases: at("case/a", "mail.a"),
            vectors: vec![],
        };
        let coverage = Coverage::new(&[&A, &B], &[], &[], &found);
        assert!(!coverage.is_complete());
        assert_eq!(coverage.rows[0].code, ["a.rs:1"]);
        let expected = serde_json::json!({
            "requirements": 2, "with_code": 1, "with_case": 1, "with_vector": 0, "exceptions": 0,
            "untraced": [
                {"id": "mail.a", "lacks": ["vector"]},
                {"id": "mail.b-c", "lacks": ["code", "case"]},
            ],
            "needless_exceptions": [], "pending": [],
        });
        assert_eq!(summary(&coverage), expected);
    }

    static PENDING: [Pending; 1] = [Pending {
        chapter: "mail",
        requirements: &[],
        lacks: &[Lack::Case, Lack::Vector],
        reason: "soon",
        line: 7,
    }];

    #[test]
    fn what_is_pending_is_listed_and_no_fault() {
        let found = Found {
            code: at("a.rs:1", "MAIL_A"),
            cases: at("case/a", "mail.a"),
            vectors: vec![],
        };
        let coverage = Coverage::new(&[&A], &[], &PENDING, &found);
        assert_eq!(coverage.rows[0].waits_for(), [Lack::Vector]);
        let pending = serde_json::json!([
            {"requirement": "mail.a", "lacks": ["vector"], "reason": "soon"},
        ]);
        assert_eq!(summary(&coverage)["pending"], pending);
        let settled = Settled {
            line: 7,
            what: "nothing pending in mail lacks case any more".into(),
        };
        assert_eq!(coverage.settled(), [settled]);
        assert!(!coverage.is_complete());
        let found = Found {
            code: at("a.rs:1", "MAIL_A"),
            ..Found::default()
        };
        assert!(Coverage::new(&[&A], &[], &PENDING, &found).is_complete());
        assert!(!Coverage::new(&[&A], &[], &PENDING, &Found::default()).is_complete());
    }

    #[test]
    fn a_pending_requirement_that_lacks_nothing_is_reported() {
        static ONLY_B: [Pending; 1] = [Pending {
            chapter: "mail",
            requirements: &[&A, &B],
            lacks: &[Lack::Code],
            reason: "soon",
            line: 9,
        }];
        let found = Found {
            code: at("a.rs:1", "MAIL_B_C"),
            ..Found::default()
        };
        let coverage = Coverage::new(&[&A, &B], &[], &ONLY_B, &found);
        let settled = Settled {
            line: 9,
            what: "mail.b-c is not pending any more".into(),
        };
        assert_eq!(coverage.settled(), [settled]);
    }

    #[test]
    fn an_exception_excuses_and_must_be_needed() {
        static EXCEPTIONS: [Exception; 1] = [Exception {
            requirement: &B,
            lacks: &[Lack::Code, Lack::Case],
            reason: "why",
            line: 1,
        }];
        let coverage = Coverage::new(&[&B], &EXCEPTIONS, &[], &Found::default());
        assert!(coverage.is_complete());
        let found = Found {
            code: at("a.rs:1", "MAIL_B_C"),
            ..Found::default()
        };
        let coverage = Coverage::new(&[&B], &EXCEPTIONS, &[], &found);
        assert!(!coverage.is_complete());
        let needless = serde_json::json!([{"id": "mail.b-c", "lacks": ["code"]}]);
        assert_eq!(summary(&coverage)["needless_exceptions"], needless);
    }

    #[test]
    fn names_of_no_requirement_are_reported() {
        let found = Found {
            vectors: at("vector-1", "mail.gone"),
            ..Found::default()
        };
        let coverage = Coverage::new(&[], &[], &[], &found);
        assert_eq!(coverage.unknown, [("vector-1".into(), "mail.gone".into())]);
        assert!(!coverage.is_complete());
    }
}
