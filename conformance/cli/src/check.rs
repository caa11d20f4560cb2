//! `adapter check`: does an adapter speak the adapter protocol?

use kith_runner::exit;

use crate::Trouble;
use crate::suite::endpoint;

pub(crate) async fn check(adapter: &str) -> Result<u8, Trouble> {
    let findings = kith_adapter::check::check(&endpoint(adapter)?).await;
    for finding in &findings {
        anstream::println!("{finding}");
    }
    let passed = findings.iter().filter(|finding| finding.passed).count();
    anstream::println!("{passed} of {} probes passed", findings.len());
    Ok(if passed == findings.len() {
        exit::PASSED
    } else {
        exit::FAILED
    })
}
