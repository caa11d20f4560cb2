//! Reports for the tests of what is made of them.

use std::collections::BTreeMap;

use kith_adapter::protocol::{About, Class, Clock, Extent, KeyKind};
use kith_spec::req;

use super::{Evidence, FailureReport, MailEvidence, REPORT, Report, Status, Summary};
use super::{blank, coverage};
use crate::case::{Case, Rung};

/// A report of cases that ended so.
pub(crate) fn report(cases: &[(&str, Status)]) -> Report {
    let results = cases.iter().map(|(id, status)| {
        let rules = [&req::MAIL_LINES];
        let case = Case::new(id, "a case", Rung::Wire, &rules, |_| async { Ok(()) });
        let mut result = blank(&case, format!("cargo conform run --run '{id}'"));
        result.status = *status;
        result.asserted.insert("mail.lines".to_owned(), 1);
        if *status == Status::Fail {
            let message = "expected <a> & b, seen c".to_owned();
            let failure = FailureReport::new(&req::MAIL_LINES, message);
            result.failures.push(failure);
            result.evidence = Some(evidence());
        }
        result
    });
    let cases: Vec<_> = results.collect();
    Report {
        report: REPORT.to_owned(),
        suite: "0.1.0".to_owned(),
        suite_cases: cases.len(),
        spec: "1.0".to_owned(),
        seed: 1,
        adapter: "exec:./agent".to_owned(),
        implementation: Some(about()),
        milliseconds: 1,
        summary: Summary::of_all(&cases),
        covered: coverage(&cases),
        cases,
        hints: Vec::new(),
        servers: BTreeMap::new(),
    }
}

fn evidence() -> Evidence {
    Evidence {
        steps: vec!["2026-11-21 09:00:01  FAILS mail.lines".to_owned()],
        mails: vec![MailEvidence {
            heading: "Sent by the agent: a mail to bob@b.test".to_owned(),
            layers: "Subject: [...]\nmultipart/encrypted\n</script>".to_owned(),
        }],
        dialogue: "     0.001 smtp1 - C: EHLO <here>\n     0.002 smtp1 - S: 250 ok\n".to_owned(),
        ..Evidence::default()
    }
}

fn about() -> About {
    About {
        name: "Agent".to_owned(),
        version: "7".to_owned(),
        language: "C".to_owned(),
        homepage: None,
        issues: None,
        spec: vec!["1.0".to_owned()],
        classes: BTreeMap::from([
            (Class::Core, Extent::Full),
            (Class::Social, Extent::Partial),
        ]),
        clock: Clock::Set,
        keys: vec![KeyKind::V4],
        can_import: true,
        errors: BTreeMap::new(),
    }
}
