//! What shows a failure: mails with their layers, dialogue, transcript; cut to a size that
//! people read. Everything uncut goes to the folder of `--record`.

use std::io;
use std::path::Path;

use crate::report::{CaseResult, Evidence};
use crate::scene::Scene;

/// How large the evidence of one case may be, in octets.
pub const LIMIT: usize = 16 * 1024;
/// How much of that each mail may take.
const MAIL: usize = 3 * 1024;
/// How many mails are shown, the last ones.
const MAILS: usize = 2;
/// How much the dialogue may take: its end.
const DIALOGUE: usize = 5 * 1024;
/// How much the transcript may take: its end.
const TRANSCRIPT: usize = 4 * 1024;
/// How much standard error may take: its end.
const STDERR: usize = 1024;

/// The evidence of a case that didn't pass.
pub(crate) async fn collect(scene: &Scene) -> Evidence {
    let mut cut = false;
    let sent = scene.judged();
    let shown = sent.iter().rev().take(MAILS).rev();
    let mails = shown.map(|sent| {
        let text = match &sent.mail {
            Ok(mail) => mail.describe(),
            Err(error) => format!(
                "{error}\n{}",
                String::from_utf8_lossy(&sent.submission.octets)
            ),
        };
        start(&text, MAIL, &mut cut)
    });
    let mails = mails.collect();
    cut |= sent.len() > MAILS;
    let (transcript, stderr) = scene.slot().last_words().await;
    Evidence {
        mails,
        dialogue: end(&scene.server().wire_log().render(), DIALOGUE, &mut cut),
        transcript: end(own_part(scene, &transcript), TRANSCRIPT, &mut cut),
        stderr: end(&stderr, STDERR, &mut cut),
        cut,
    }
}

/// The lines of a transcript since the case's agent was opened: the child served others
/// before.
fn own_part<'a>(scene: &Scene, transcript: &'a str) -> &'a str {
    let Some(address) = scene.agent_address() else {
        return transcript;
    };
    let at = transcript
        .find(&address)
        .and_then(|at| transcript[..at].rfind('\n'));
    &transcript[at.map_or(0, |at| at + 1)..]
}

/// The beginning of a text, on a character boundary.
fn start(text: &str, limit: usize, cut: &mut bool) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    *cut = true;
    let at = (0..=limit)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    format!("{}…", &text[..at])
}

/// The end of a text, on a character boundary.
fn end(text: &str, limit: usize, cut: &mut bool) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    *cut = true;
    let from = text.len() - limit;
    let at = (from..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    format!("…{}", &text[at..])
}

/// Writes all that happened in a case to its own folder below this one.
pub(crate) async fn record(folder: &Path, scene: &Scene, result: &CaseResult) -> io::Result<()> {
    let folder = folder.join(result.id.replace('/', "--"));
    std::fs::create_dir_all(&folder)?;
    for (number, mail) in (1..).zip(scene.all_delivered()) {
        std::fs::write(
            folder.join(format!("delivered-{number:02}.eml")),
            &mail.octets,
        )?;
    }
    for (number, sent) in (1..).zip(scene.judged()) {
        std::fs::write(
            folder.join(format!("sent-{number:02}.eml")),
            &sent.submission.octets,
        )?;
        let layers = sent.mail.as_ref().map(crate::judge::Mail::describe);
        let text = layers.unwrap_or_else(ToString::to_string);
        std::fs::write(folder.join(format!("sent-{number:02}.txt")), text)?;
    }
    std::fs::write(
        folder.join("dialogue.txt"),
        scene.server().wire_log().render(),
    )?;
    let (transcript, stderr) = scene.slot().last_words().await;
    std::fs::write(folder.join("transcript.txt"), own_part(scene, &transcript))?;
    std::fs::write(folder.join("stderr.txt"), stderr)?;
    let text = serde_json::to_string_pretty(result).map_err(io::Error::other)?;
    std::fs::write(folder.join("result.json"), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        let mut cut = false;
        assert_eq!(start("aé", 2, &mut cut), "a…");
        assert!(cut);
        assert_eq!(end("éa", 2, &mut cut), "…a");
        let mut cut = false;
        assert_eq!(end("abc", 3, &mut cut), "abc");
        assert!(!cut);
    }

    #[test]
    fn the_parts_fit_into_the_whole() {
        const { assert!(MAILS * MAIL + DIALOGUE + TRANSCRIPT + STDERR <= LIMIT) };
    }
}
