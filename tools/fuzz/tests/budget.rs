//! A bounded number of tries of every target. `cargo xtask fuzz --seconds N` plays for longer.

use std::time::{Duration, Instant};

use kith_fuzz::{all, play};

/// Tries of each target,
const TRIES: u64 = 200;
/// as many as fit into this time, for some are slow.
const TIME: Duration = Duration::from_secs(8);

#[test]
fn no_input_makes_a_reader_panic() {
    let mut findings = Vec::new();
    for mut target in all().unwrap() {
        let start = Instant::now();
        for number in (0..TRIES).take_while(|number| *number == 0 || start.elapsed() < TIME) {
            if let Err(finding) = play(target.as_mut(), number) {
                findings.push(finding.to_string());
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
