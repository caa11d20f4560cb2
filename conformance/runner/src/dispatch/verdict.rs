//! From what happened in a scene to the status of its case.

use kith_adapter::protocol::{About, Extent};
use kith_spec::Level;

use crate::case::{Case, Stop};
use crate::evidence;
use crate::report::{CaseResult, Status};
use crate::scene::Scene;

/// How far the implementation declares a case's class.
fn extent(case: &Case, about: &About) -> Option<Extent> {
    let named = |class: &kith_adapter::protocol::Class| {
        serde_json::to_value(class).is_ok_and(|name| name == case.class.as_str())
    };
    let found = about.classes.iter().find(|(class, _)| named(class));
    found.map(|(_, extent)| *extent)
}

/// Whether the implementation doesn't declare the class of a case.
pub(super) fn skipped(case: &Case, about: &About) -> bool {
    extent(case, about).is_none()
}

/// Fills in how a case ended.
pub(super) async fn judge(
    case: &Case,
    scene: &Scene,
    ended: &Result<(), Stop>,
    about: &About,
    result: &mut CaseResult,
) {
    let scene_notes = scene.notes();
    let harness = {
        let ledger = scene.ledger();
        result.asserted = ledger.asserted();
        result.failures = ledger.failures().to_vec();
        result.notes = scene_notes;
        ledger.harness_errors().join("; ")
    };
    let (status, reason) = status(case, ended, about, result, harness);
    result.status = status;
    result.reason = reason;
    if !matches!(status, Status::Pass | Status::Skip | Status::NotTested) {
        result.evidence = Some(evidence::collect(scene, ended).await);
    }
}

fn status(
    case: &Case,
    ended: &Result<(), Stop>,
    about: &About,
    result: &CaseResult,
    harness: String,
) -> (Status, Option<String>) {
    if !harness.is_empty() {
        return (Status::HarnessError, Some(harness));
    }
    let must = result
        .failures
        .iter()
        .any(super::super::report::FailureReport::is_must);
    match ended {
        Err(stop @ (Stop::Agent(_) | Stop::Adapter(_))) => (Status::Fail, Some(stop.to_string())),
        Err(Stop::Harness(reason)) => (Status::HarnessError, Some(reason.clone())),
        _ if must => (Status::Fail, None),
        Err(Stop::Unsupported(what)) => match extent(case, about) {
            Some(Extent::Full) => {
                let class = case.class;
                let reason =
                    format!("unsupported: {what}, but the class {class} is declared as full");
                let must = case
                    .requirements
                    .iter()
                    .any(|rule| rule.level == Level::Must);
                (if must { Status::Fail } else { Status::Warn }, Some(reason))
            }
            _ => (Status::Unsupported, Some(format!("unsupported: {what}"))),
        },
        Err(Stop::NotTested(reason)) => (Status::NotTested, Some(reason.clone())),
        Err(Stop::Failed) | Ok(()) if !result.failures.is_empty() => (Status::Warn, None),
        Err(Stop::Failed) => {
            let reason = "the case stopped without saying why";
            (Status::HarnessError, Some(reason.to_owned()))
        }
        Ok(()) => passed(case, result),
    }
}

/// A case that says that it tests a requirement must have looked.
fn passed(case: &Case, result: &CaseResult) -> (Status, Option<String>) {
    let unasserted = |id: &&&str| !result.asserted.contains_key(**id);
    let ids: Vec<&str> = case.requirements.iter().map(|rule| rule.id).collect();
    let missing: Vec<&str> = ids.iter().filter(unasserted).copied().collect();
    if missing.is_empty() {
        return (Status::Pass, None);
    }
    let reason = format!(
        "the case passed without an assertion for {}",
        missing.join(", ")
    );
    (Status::HarnessError, Some(reason))
}
