//! What the program's exit code says.

/// Everything that is required passed.
pub const PASSED: u8 = 0;
/// Something that is required failed.
pub const FAILED: u8 = 1;
/// The run could not be done: bad arguments, no case, no adapter, a fault of the harness.
pub const COULD_NOT_RUN: u8 = 2;
