//! Which cases are run, in which order, and what is known of them beforehand.

mod known;
mod shard;

use std::collections::BTreeSet;
use std::path::PathBuf;

use globset::{GlobBuilder, GlobMatcher};

use crate::case::Case;

pub use known::{Expected, Known, baseline};
pub use shard::{Asked, Shard, ShardError};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A pattern is no glob.
    #[error("`{pattern}` is not a pattern: {source}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// A pattern matches no case: most likely it is misspelt or the case was renamed.
    #[error("the pattern `{0}` matches no case; `list` shows their ids")]
    NoMatch(String),
    /// A file of patterns can't be read.
    #[error("cannot read the patterns in {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A line of a list of known cases gives no reason.
    #[error("{}:{line}: `{pattern}` stands without a reason; write `PATTERN  # reason`", path.display())]
    NoReason {
        /// The list.
        path: PathBuf,
        /// The line's number.
        line: usize,
        /// What it lists.
        pattern: String,
    },
    /// There are fewer cases than shards.
    #[error(
        "nothing is left for shard {shard}: only {cases} cases are selected; take fewer shards"
    )]
    EmptyShard {
        /// Which.
        shard: Shard,
        /// How many cases there are for all shards.
        cases: usize,
    },
    /// Nothing is left to run.
    #[error("no case is left to run; look at --run and --skip")]
    Empty,
    /// Two cases have one id, or a case needs one that isn't there: a fault of the suite.
    #[error("the suite is inconsistent: {0}")]
    Suite(String),
}

/// What to run and what not: globs over case ids, in which `*` doesn't cross a
/// `/` and `**` does; or `@FILE`, a file with one glob a line and `#` comments.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// What to run; everything if empty.
    pub run: Vec<String>,
    /// What of that not to run.
    pub skip: Vec<String>,
    /// Which part of the rest.
    pub shard: Option<Shard>,
}

impl Selection {
    /// The selected cases, in the order in which they are run: by rung, then as the
    /// suite lists them.
    ///
    /// # Errors
    /// If a pattern is wrong or matches nothing, or nothing is left.
    pub fn plan(&self, suite: &[Case]) -> Result<Vec<Case>, PlanError> {
        check(suite)?;
        let run = matchers(&self.run)?;
        let skip = matchers(&self.skip)?;
        for matcher in run.iter().chain(&skip) {
            if !suite.iter().any(|case| matcher.is_match(&case.id)) {
                return Err(PlanError::NoMatch(matcher.glob().glob().to_owned()));
            }
        }
        let any = |matchers: &[GlobMatcher], id: &str| matchers.iter().any(|m| m.is_match(id));
        let wanted =
            |case: &&Case| (run.is_empty() || any(&run, &case.id)) && !any(&skip, &case.id);
        let mut cases: Vec<Case> = suite.iter().filter(wanted).cloned().collect();
        cases.sort_by_key(|case| case.rung);
        if cases.is_empty() {
            return Err(PlanError::Empty);
        }
        let Some(shard) = self.shard else {
            return Ok(cases);
        };
        let count = cases.len();
        let part = shard.part(cases);
        if part.is_empty() {
            return Err(PlanError::EmptyShard {
                shard,
                cases: count,
            });
        }
        Ok(part)
    }
}

/// Whether a suite's ids are unique and its needs lead somewhere without a circle.
fn check(suite: &[Case]) -> Result<(), PlanError> {
    let mut ids = BTreeSet::new();
    for case in suite {
        if !ids.insert(case.id.as_str()) {
            return Err(PlanError::Suite(format!(
                "two cases have the id {}",
                case.id
            )));
        }
        if case.requirements.is_empty() {
            let id = &case.id;
            return Err(PlanError::Suite(format!("{id} bears no requirement")));
        }
    }
    for case in suite {
        for need in &case.needs {
            if !ids.contains(need.as_str()) {
                let id = &case.id;
                return Err(PlanError::Suite(format!(
                    "{id} needs {need}, which isn't there"
                )));
            }
        }
    }
    let mut settled = BTreeSet::new();
    while settled.len() < suite.len() {
        let before = settled.len();
        for case in suite {
            if case
                .needs
                .iter()
                .all(|need| settled.contains(need.as_str()))
            {
                settled.insert(case.id.as_str());
            }
        }
        if settled.len() == before {
            let left = suite
                .iter()
                .find(|case| !settled.contains(case.id.as_str()));
            let id = left.map_or("", |case| &case.id);
            return Err(PlanError::Suite(format!("{id} needs itself in the end")));
        }
    }
    Ok(())
}

fn matchers(patterns: &[String]) -> Result<Vec<GlobMatcher>, PlanError> {
    let mut matchers = Vec::new();
    for pattern in patterns {
        let Some(path) = pattern.strip_prefix('@') else {
            matchers.push(matcher(pattern)?);
            continue;
        };
        let text = std::fs::read_to_string(path).map_err(|source| PlanError::File {
            path: path.into(),
            source,
        })?;
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or("").trim());
        for line in lines.filter(|line| !line.is_empty()) {
            matchers.push(matcher(line)?);
        }
    }
    Ok(matchers)
}

fn matcher(pattern: &str) -> Result<GlobMatcher, PlanError> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let bad = |source| PlanError::Pattern {
        pattern: pattern.to_owned(),
        source,
    };
    Ok(glob.map_err(bad)?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Rung;
    use kith_spec::req;

    fn case(id: &str, rung: Rung) -> Case {
        Case::new(id, "", rung, &[&req::MAIL_LINES], |_| async { Ok(()) })
    }

    fn ids(selection: &Selection, suite: &[Case]) -> Vec<String> {
        let plan = selection.plan(suite).unwrap();
        plan.into_iter().map(|case| case.id).collect()
    }

    fn select(run: &[&str], skip: &[&str]) -> Selection {
        let owned = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect();
        Selection {
            run: owned(run),
            skip: owned(skip),
            shard: None,
        }
    }

    fn suite() -> Vec<Case> {
        vec![
            case("message/sent", Rung::Message),
            case("friends/request/asked", Rung::Request),
            case("wire/request", Rung::Wire),
        ]
    }

    #[test]
    fn rungs_come_from_the_bottom() {
        let all = ids(&Selection::default(), &suite());
        assert_eq!(
            all,
            ["wire/request", "friends/request/asked", "message/sent"]
        );
    }

    #[test]
    fn patterns_select_and_skip() {
        let suite = suite();
        assert_eq!(
            ids(&select(&["friends/**"], &[]), &suite),
            ["friends/request/asked"]
        );
        assert_eq!(
            ids(&select(&["*/*"], &["wire/*"]), &suite),
            ["message/sent"]
        );
    }

    #[test]
    fn a_pattern_without_a_case_is_an_error() {
        let error = select(&["freinds/**"], &[]).plan(&suite()).unwrap_err();
        assert!(matches!(error, PlanError::NoMatch(pattern) if pattern == "freinds/**"));
        assert!(matches!(
            select(&["*/*"], &["**"]).plan(&suite()),
            Err(PlanError::Empty)
        ));
    }

    #[test]
    fn patterns_are_read_from_files() {
        let file = std::env::temp_dir().join(format!("kith-patterns-{}", std::process::id()));
        std::fs::write(&file, "# these\nwire/*\n\nmessage/sent # and that\n").unwrap();
        let pattern = format!("@{}", file.display());
        assert_eq!(
            ids(&select(&[&pattern], &[]), &suite()),
            ["wire/request", "message/sent"]
        );
        std::fs::remove_file(file).unwrap();
    }

    #[test]
    fn an_inconsistent_suite_is_told() {
        let twice = [case("a", Rung::Wire), case("a", Rung::Wire)];
        assert!(matches!(
            Selection::default().plan(&twice),
            Err(PlanError::Suite(_))
        ));
        let circle = [
            case("a", Rung::Wire).needs(&["b"]),
            case("b", Rung::Wire).needs(&["a"]),
        ];
        assert!(matches!(
            Selection::default().plan(&circle),
            Err(PlanError::Suite(_))
        ));
    }
}
