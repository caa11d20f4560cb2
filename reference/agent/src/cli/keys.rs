//! The keys as other OpenPGP programs read them.

use std::path::Path;

use serde_json::json;

use super::failure::Failure;
use super::profile::write_private;
use super::{Context, now};

/// Writes the own secret keys and the friends' certificates into a file.
pub(super) fn keys(context: &Context, file: &Path) -> Result<(), Failure> {
    let driver = context.profile.driver(false)?;
    let certificates = driver.view(now()).certificates()?;
    let mut octets = driver.agent().own().armored_keys(now())?;
    octets.extend(certificates.iter().flatten());
    write_private(file, &octets)?;
    if context.output.is_json() {
        let friends = certificates.len();
        context
            .output
            .value(&json!({ "file": file, "friends": friends }));
        return Ok(());
    }
    context.output.line(&format!(
        "Your secret keys and your friends' keys are in {}.\n\
         Import them into your mail program, for instance with `gpg --import`, and delete the file.\n\
         Whoever has it can read your mail and write in your name.",
        file.display()
    ));
    Ok(())
}
