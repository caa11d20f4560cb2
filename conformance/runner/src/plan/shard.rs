//! A part of a plan for one of several machines.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::case::Case;

/// Variables in which CI systems and Kubernetes tell a job its number: name of the number,
/// what the first is, and the variable with how many there are.
const VARIABLES: [(&str, u32, &str); 6] = [
    ("CI_NODE_INDEX", 1, "CI_NODE_TOTAL"),
    ("CIRCLE_NODE_INDEX", 0, "CIRCLE_NODE_TOTAL"),
    ("BUILDKITE_PARALLEL_JOB", 0, "BUILDKITE_PARALLEL_JOB_COUNT"),
    ("SEMAPHORE_JOB_INDEX", 1, "SEMAPHORE_JOB_COUNT"),
    ("JOB_COMPLETION_INDEX", 0, "JOB_COMPLETIONS"),
    ("KITH_SHARD_INDEX", 1, "KITH_SHARD_TOTAL"),
];

/// The `index`-th of `of` parts, counted from 1. Every case is in just one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
}

/// What is wrong with a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It is not of the form I/N.
    #[error("`{0}` is no shard; write I/N with 1 ≤ I ≤ N, `auto`, or `auto/N`")]
    Form(String),
    /// The environment doesn't tell.
    #[error("no environment variable tells which shard this is; known are {0}")]
    Nothing(String),
    /// The environment tells the number but not how many there are.
    #[error("{0} tells which shard this is, but {1} is not set; write `auto/N`")]
    NoTotal(&'static str, &'static str),
    /// A variable holds no fitting number.
    #[error("{0} is `{1}`, which is no number of a shard")]
    Variable(&'static str, String),
}

/// A shard as the user asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// This one.
    Given(Shard),
    /// The one that the environment tells, of so many if that is given.
    Auto(Option<u32>),
}

impl FromStr for Asked {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let bad = || ShardError::Form(text.to_owned());
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        match text.split_once('/') {
            None if text == "auto" => Ok(Self::Auto(None)),
            Some(("auto", of)) => Ok(Self::Auto(Some(number(of).ok_or_else(bad)?))),
            Some((index, of)) => {
                let (index, of) = number(index).zip(number(of)).ok_or_else(bad)?;
                let shard = Shard { index, of };
                (index <= of).then_some(Self::Given(shard)).ok_or_else(bad)
            }
            None => Err(bad()),
        }
    }
}

impl Asked {
    /// The shard; `variable` reads the environment.
    ///
    /// # Errors
    /// If the environment doesn't tell.
    pub fn resolve(self, variable: impl Fn(&str) -> Option<String>) -> Result<Shard, ShardError> {
        let given = match self {
            Self::Given(shard) => return Ok(shard),
            Self::Auto(of) => of,
        };
        let set = VARIABLES
            .into_iter()
            .find_map(|(name, first, total)| Some((name, first, total, variable(name)?)));
        let Some((name, first, total, text)) = set else {
            let names: Vec<_> = VARIABLES.iter().map(|(name, ..)| *name).collect();
            return Err(ShardError::Nothing(names.join(", ")));
        };
        let bad = |name, text: &str| ShardError::Variable(name, text.to_owned());
        let of = match (given, variable(total)) {
            (Some(of), _) => of,
            (None, Some(text)) => text.parse().map_err(|_| bad(total, &text))?,
            (None, None) => return Err(ShardError::NoTotal(name, total)),
        };
        let number: u32 = text.parse().map_err(|_| bad(name, &text))?;
        let index = number
            .checked_sub(first)
            .and_then(|number| number.checked_add(1));
        match index {
            Some(index) if index <= of => Ok(Shard { index, of }),
            _ => Err(bad(name, &text)),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl Shard {
    /// Its part of the cases, in their order. All shards are of the same size, up to one case,
    /// and cases that stand beside each other are spread.
    pub(super) fn part(self, cases: Vec<Case>) -> Vec<Case> {
        let mut dealt: Vec<_> = cases
            .into_iter()
            .enumerate()
            .map(|(at, case)| (Sha256::digest(&case.id), at, case))
            .collect();
        dealt.sort_by_key(|(hash, ..)| *hash);
        let (first, step) = (self.index as usize - 1, self.of as usize);
        let mut own: Vec<_> = dealt.into_iter().skip(first).step_by(step).collect();
        own.sort_by_key(|(_, at, _)| *at);
        own.into_iter().map(|(_, _, case)| case).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Rung;
    use kith_spec::req;

    fn shard(text: &str) -> Shard {
        text.parse::<Asked>().unwrap().resolve(|_| None).unwrap()
    }

    #[test]
    fn every_case_is_in_one_shard() {
        let cases: Vec<Case> = (0..50)
            .map(|number| {
                let id = format!("case/{number}");
                Case::new(&id, "", Rung::Wire, &[&req::MAIL_LINES], |_| async {
                    Ok(())
                })
            })
            .collect();
        let ids = |part: Vec<Case>| part.into_iter().map(|case| case.id).collect::<Vec<_>>();
        let mut all = Vec::new();
        for index in 1..=4 {
            let part = ids(shard(&format!("{index}/4")).part(cases.clone()));
            assert!((12..=13).contains(&part.len()));
            all.extend(part);
        }
        all.sort();
        let mut expected = ids(cases);
        expected.sort();
        assert_eq!(all, expected);
    }

    #[test]
    fn what_is_no_shard_is_told() {
        for text in ["", "1", "0/2", "3/2", "1/0", "a/b", "auto/0", "1/2/3"] {
            assert!(text.parse::<Asked>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_environment_tells() {
        let environment = |set: &'static [(&str, &str)]| {
            move |name: &str| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        let auto = Asked::Auto(None);
        let gitlab = environment(&[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")]);
        assert_eq!(auto.resolve(gitlab).unwrap(), shard("2/3"));
        let circle = environment(&[("CIRCLE_NODE_INDEX", "2"), ("CIRCLE_NODE_TOTAL", "3")]);
        assert_eq!(auto.resolve(circle).unwrap(), shard("3/3"));
        let kubernetes = environment(&[("JOB_COMPLETION_INDEX", "0")]);
        assert_eq!(
            Asked::Auto(Some(5)).resolve(kubernetes).unwrap(),
            shard("1/5")
        );
        let lonely = environment(&[("JOB_COMPLETION_INDEX", "0")]);
        assert!(matches!(auto.resolve(lonely), Err(ShardError::NoTotal(..))));
        let beyond = environment(&[("CI_NODE_INDEX", "4"), ("CI_NODE_TOTAL", "3")]);
        assert!(matches!(
            auto.resolve(beyond),
            Err(ShardError::Variable(..))
        ));
        assert!(matches!(
            auto.resolve(|_| None),
            Err(ShardError::Nothing(_))
        ));
    }
}
