//! What each requirement has, what it lacks, and which exceptions excuse that.

use std::collections::BTreeMap;

use kith_spec_source::{Exception, Lack, Pending, Requirement, Spec, const_name};
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
pub(crate) struct Row<'a> {
    pub(crate) rule: &'a Requirement,
    pub(crate) code: Vec<String>,
    pub(crate) cases: Vec<String>,
    pub(crate) vectors: Vec<String>,
    pub(crate) exception: Option<&'a Exception>,
    /// The pending entries that cover it.
    pub(crate) pending: Vec<&'a Pending>,
}

impl Row<'_> {
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

    fn excused(&self) -> &[Lack] {
        self.exception.map_or(&[], |exception| &exception.lacks)
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
pub(crate) struct Coverage<'a> {
    /// In the order of the text.
    pub(crate) rows: Vec<Row<'a>>,
    /// Every pending entry.
    pub(crate) pending: &'a [Pending],
    /// Where something names a requirement that does not exist: place and name.
    pub(crate) unknown: Vec<(String, String)>,
}

/// A requirement and what it lacks, or what its exception excuses needlessly.
#[derive(Debug, Serialize)]
pub(crate) struct Finding<'a> {
    pub(crate) id: &'a str,
    pub(crate) lacks: Vec<Lack>,
}

/// A requirement that lacks something for the time being.
#[derive(Debug, Serialize)]
pub(crate) struct Waiting<'a> {
    pub(crate) requirement: &'a str,
    pub(crate) lacks: Vec<Lack>,
    pub(crate) reason: &'a str,
}

/// A pending entry, or a part of it, that nothing needs any more.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// The entry's line in `exceptions.toml`.
    pub(crate) line: usize,
    pub(crate) what: String,
}

/// The numbers, for `--json`.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    requirements: usize,
    with_code: usize,
    with_case: usize,
    with_vector: usize,
    exceptions: usize,
    untraced: Vec<Finding<'a>>,
    needless_exceptions: Vec<Finding<'a>>,
    pending: Vec<Waiting<'a>>,
}

impl<'a> Coverage<'a> {
    pub(crate) fn new(spec: &'a Spec, found: &Found) -> Self {
        let rules = &spec.requirements;
        let mut unknown = Vec::new();
        let mut code = by_rule(rules, &found.code, &mut unknown);
        let mut cases = by_rule(rules, &found.cases, &mut unknown);
        let mut vectors = by_rule(rules, &found.vectors, &mut unknown);
        let rows = rules.iter().map(|rule| Row {
            rule,
            code: code.remove(rule.id.as_str()).unwrap_or_default(),
            cases: cases.remove(rule.id.as_str()).unwrap_or_default(),
            vectors: vectors.remove(rule.id.as_str()).unwrap_or_default(),
            exception: spec
                .exceptions
                .iter()
                .find(|exception| exception.requirement == rule.id),
            pending: spec
                .pending
                .iter()
                .filter(|entry| entry.covers(rule))
                .collect(),
        });
        Self {
            rows: rows.collect(),
            pending: &spec.pending,
            unknown,
        }
    }

    /// Whether every requirement is traced or pending, and every exception and
    /// pending entry needed.
    pub(crate) fn is_complete(&self) -> bool {
        let complete = |row: &Row<'_>| row.lacks().is_empty() && row.needless().is_empty();
        self.unknown.is_empty() && self.settled().is_empty() && self.rows.iter().all(complete)
    }

    /// What stands in pending entries though nothing needs it any more.
    pub(crate) fn settled(&self) -> Vec<Settled> {
        let mut settled = Vec::new();
        for entry in self.pending {
            let needs = |row: &Row<'_>, lacks: &[Lack]| {
                let waits = row.waits_for();
                entry.covers(row.rule) && lacks.iter().any(|lack| waits.contains(lack))
            };
            let chapter = &entry.chapter;
            let mut report = |what: String| {
                let line = entry.place.line;
                settled.push(Settled { line, what });
            };
            for lack in &entry.lacks {
                if !self.rows.iter().any(|row| needs(row, &[*lack])) {
                    report(format!(
                        "nothing pending in {chapter} lacks {lack} any more"
                    ));
                }
            }
            for id in &entry.requirements {
                let row = self.rows.iter().find(|row| row.rule.id == *id);
                if row.is_none_or(|row| !needs(row, &entry.lacks)) {
                    report(format!("{id} is not pending any more"));
                }
            }
        }
        settled
    }

    fn waiting(&self) -> Vec<Waiting<'a>> {
        let waiting = |row: &Row<'a>| {
            let lacks = row.waits_for();
            let covers = |entry: &&&'a Pending| lacks.iter().any(|lack| entry.lacks.contains(lack));
            let reason = row.pending.iter().find(covers)?.reason.as_str();
            let requirement = row.rule.id.as_str();
            Some(Waiting {
                requirement,
                lacks,
                reason,
            })
        };
        self.rows.iter().filter_map(waiting).collect()
    }

    pub(crate) fn summary(&self) -> Summary<'a> {
        let count = |has: fn(&Row<'_>) -> bool| self.rows.iter().filter(|row| has(row)).count();
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

    fn findings(&self, what: impl Fn(&Row<'a>) -> Vec<Lack>) -> Vec<Finding<'a>> {
        let finding = |row: &Row<'a>| Finding {
            id: &row.rule.id,
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
fn by_rule<'a>(
    rules: &'a [Requirement],
    evidence: &[Evidence],
    unknown: &mut Vec<(String, String)>,
) -> BTreeMap<&'a str, Vec<String>> {
    let names: BTreeMap<String, &'a str> = rules
        .iter()
        .flat_map(|rule| {
            [
                (rule.id.clone(), rule.id.as_str()),
                (const_name(&rule.id), rule.id.as_str()),
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
    use kith_spec_source::{Source, parse};

    use super::*;

    /// A chapter of two requirements, and this text of `exceptions.toml`.
    pub(in crate::trace) fn spec(exceptions: &str) -> Spec {
        let chapter = "+++\ntitle = \"Mail\"\n+++\n\n# Mail\n\n## Form\n\n\
                       **`mail.a`** It MUST be.\n→ refuse `not-a`\n\n**`mail.b-c`** It MUST be.\n";
        let source = |path: &str, text: &str| Source {
            path: path.into(),
            text: text.into(),
        };
        let sources = [
            source("spec/1.0/02-mail.md", chapter),
            source("spec/1.0/exceptions.toml", exceptions),
        ];
        parse(&sources).unwrap()
    }

    fn at(at: &str, name: &str) -> Evidence {
        Evidence {
            at: at.into(),
            requirements: vec![name.into()],
        }
    }

    /// Everything there is for both requirements, but the vector.
    fn found() -> Found {
        Found {
            code: vec![at("a.rs:1", "MAIL_A"), at("a.rs:2", "MAIL_B_C")],
            cases: vec![at("case/a", "mail.a"), at("case/b", "mail.b-c")],
            vectors: vec![],
        }
    }

    fn summary(coverage: &Coverage<'_>) -> serde_json::Value {
        serde_json::to_value(coverage.summary()).unwrap()
    }

    #[test]
    fn a_requirement_with_an_outcome_needs_code_case_and_vector() {
        let spec = spec("");
        let found = Found {
            code: vec![at("a.rs:1", "MAIL_A")],
            cases: vec![at("case/a", "mail.a")],
            vectors: vec![],
        };
        let coverage = Coverage::new(&spec, &found);
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

    const PENDING: &str =
        "[[pending]]\nchapter = \"mail\"\nlacks = [\"case\", \"vector\"]\nreason = \"soon\"\n";

    #[test]
    fn what_is_pending_is_listed_and_no_fault() {
        let spec = spec(PENDING);
        let found = found();
        let coverage = Coverage::new(&spec, &found);
        assert_eq!(coverage.rows[0].waits_for(), [Lack::Vector]);
        let pending = serde_json::json!([
            {"requirement": "mail.a", "lacks": ["vector"], "reason": "soon"},
        ]);
        assert_eq!(summary(&coverage)["pending"], pending);
        let settled = Settled {
            line: 2,
            what: "nothing pending in mail lacks case any more".into(),
        };
        assert_eq!(coverage.settled(), [settled]);
        assert!(!coverage.is_complete());
        let without_cases = Found {
            cases: vec![],
            ..found
        };
        assert!(Coverage::new(&spec, &without_cases).is_complete());
        assert!(!Coverage::new(&spec, &Found::default()).is_complete());
    }

    #[test]
    fn a_pending_requirement_that_lacks_nothing_is_reported() {
        let ids = "requirements = [\"mail.a\", \"mail.b-c\"]\n";
        let spec = spec(&format!("{PENDING}{ids}"));
        let coverage = Coverage::new(&spec, &found());
        let settled: Vec<String> = coverage.settled().into_iter().map(|s| s.what).collect();
        let expected = [
            "nothing pending in mail lacks case any more",
            "mail.b-c is not pending any more",
        ];
        assert_eq!(settled, expected);
    }

    #[test]
    fn an_exception_excuses_and_must_be_needed() {
        let spec = spec(
            "[[exception]]\nrequirement = \"mail.a\"\nlacks = [\"vector\"]\nreason = \"why\"\n",
        );
        assert!(Coverage::new(&spec, &found()).is_complete());
        let found = Found {
            vectors: vec![at("vector-1", "mail.a")],
            ..found()
        };
        let coverage = Coverage::new(&spec, &found);
        assert!(!coverage.is_complete());
        let needless = serde_json::json!([{"id": "mail.a", "lacks": ["vector"]}]);
        assert_eq!(summary(&coverage)["needless_exceptions"], needless);
    }

    #[test]
    fn names_of_no_requirement_are_reported() {
        let found = Found {
            vectors: vec![at("vector-1", "mail.gone")],
            ..Found::default()
        };
        let spec = Spec::default();
        let coverage = Coverage::new(&spec, &found);
        assert_eq!(coverage.unknown, [("vector-1".into(), "mail.gone".into())]);
        assert!(!coverage.is_complete());
    }
}
