//! The report as JUnit XML: a suite for each rung, a test case for each case.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::PathBuf;
use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::human::evidence_text;
use super::{CaseResult, Report, Status};
use crate::case::Rung;
use crate::event::{Event, Reporter};

/// Writes the report as JUnit XML at the end of the run.
#[derive(Debug)]
pub struct Junit {
    path: PathBuf,
}

impl Junit {
    /// Into this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }
}

impl Reporter for Junit {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        let Event::Done(report) = event else {
            return Ok(());
        };
        let writer = BufWriter::new(File::create(&self.path)?);
        junit(report).serialize(writer).map_err(io::Error::other)
    }
}

fn junit(report: &Report) -> quick_junit::Report {
    let mut root = quick_junit::Report::new("kith-conform");
    root.set_time(Duration::from_millis(report.milliseconds));
    for rung in Rung::ALL {
        let mut suite = TestSuite::new(rung.as_str());
        let cases = report.cases.iter().filter(|case| case.rung == rung);
        suite.add_test_cases(cases.map(test_case));
        if !suite.test_cases.is_empty() {
            root.add_test_suite(suite);
        }
    }
    root
}

fn test_case(case: &CaseResult) -> TestCase {
    let mut status = match case.status {
        Status::Pass | Status::Warn | Status::Flaky => TestCaseStatus::success(),
        Status::Fail | Status::Fixed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::HarnessError => TestCaseStatus::non_success(NonSuccessKind::Error),
        _ => TestCaseStatus::skipped(),
    };
    let failures = case.failures.iter().map(|failure| failure.message.clone());
    let messages: Vec<_> = case.reason.iter().cloned().chain(failures).collect();
    if !matches!(case.status, Status::Pass | Status::Warn | Status::Flaky) {
        status.set_message(messages.join("; "));
        status.set_type(case.status.as_str());
        status.set_description(evidence_text(case));
    }
    let mut test = TestCase::new(case.id.as_str(), status);
    test.set_classname(format!("{}.{}", case.rung.as_str(), case.class));
    test.set_time(Duration::from_micros(case.microseconds));
    test.set_assertions(usize::try_from(case.asserted.values().sum::<u32>()).unwrap_or(usize::MAX));
    for id in &case.requirements {
        test.add_property(("requirement", id.as_str()));
    }
    test
}
