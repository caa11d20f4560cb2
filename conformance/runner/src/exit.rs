//! What the program's exit code says.

use crate::report::Report;

/// Everything that is required passed.
pub const PASSED: u8 = 0;
/// Something that is required failed, or passed although it is listed as known to fail.
pub const FAILED: u8 = 1;
/// The run could not be done: bad arguments, no case, no adapter, a fault of the harness.
pub const COULD_NOT_RUN: u8 = 2;

/// The exit code for a run: a failure of the implementation weighs more than one of the
/// harness, which may be its consequence.
pub fn code(report: &Report) -> u8 {
    let summary = &report.summary;
    if summary.fail > 0 || summary.fixed > 0 {
        return FAILED;
    }
    let ran = summary.pass + summary.warn + summary.known_failing + summary.flaky > 0;
    if summary.harness_error > 0 || !ran {
        COULD_NOT_RUN
    } else {
        PASSED
    }
}
