//! What shows a failure: mails with their layers, dialogue, transcript; cut to a size that
//! people read. Everything uncut goes to the folder of `--record`.

use std::fmt::{Display, Write as _};
use std::io;
use std::path::{Path, PathBuf};

use crate::case::Stop;
use crate::report::{CaseResult, Evidence, MailEvidence};
use crate::scene::Scene;

/// In the folder of a record, the report of its run.
pub(crate) const REPORT: &str = "report.json";
/// In the folder of a case, what the judge saw.
pub(crate) const JUDGED: &str = "judged.json";
/// How large the evidence of one case may be, in octets.
pub const LIMIT: usize = 16 * 1024;
/// How much of that each mail may take.
const MAIL: usize = 3 * 1024;
/// How many of the mails that the agent sent are shown, the last ones.
const SENT: usize = 2;
/// How much the steps may take: their end.
const STEPS: usize = 1024;
/// How much the dialogue may take: its end.
const DIALOGUE: usize = 3 * 1024;
/// How much the transcript may take: its end.
const TRANSCRIPT: usize = 2 * 1024;
/// How much standard error may take: its end.
const STDERR: usize = 1024;
/// Base64 of more characters is only counted.
const BASE64: usize = 40;

/// The evidence of a case that didn't pass, uncut.
pub(crate) async fn collect(scene: &Scene, ended: &Result<(), Stop>) -> Evidence {
    let sent = scene.judged();
    let mut mails: Vec<MailEvidence> = scene.shown().into_iter().collect();
    mails.extend(sent.iter().rev().take(SENT).rev().map(|sent| MailEvidence {
        heading: format!("Sent by the agent: {}", sent.describe()),
        layers: match &sent.mail {
            Ok(mail) => mail.describe(),
            Err(error) => unreadable(error, &sent.submission.octets),
        },
    }));
    for mail in &mut mails {
        mail.layers = shorten(&mail.layers);
    }
    let mut steps = scene.steps();
    if let Err(stop) = ended {
        steps.push(format!("the case ends: {stop}"));
    }
    let (transcript, stderr) = scene.slot().last_words().await;
    Evidence {
        steps,
        mails,
        dialogue: scene.wire_log().render(),
        transcript: shorten(own_part(scene, &transcript)),
        stderr,
        cut: sent.len() > SENT,
    }
}

/// What is shown of a mail that can't be opened.
pub(crate) fn unreadable(error: impl Display, octets: &[u8]) -> String {
    format!("{error}\n{}", kith_testbed::readable(octets).join("\n"))
}

/// Cuts evidence to the size that people read.
pub(crate) fn cut(evidence: &mut Evidence) {
    let Evidence {
        steps,
        mails,
        dialogue,
        transcript,
        stderr,
        cut,
    } = evidence;
    let told = end(&steps.join("\n"), STEPS, cut);
    *steps = told.lines().map(ToOwned::to_owned).collect();
    for mail in mails {
        mail.layers = start(&mail.layers, MAIL, cut);
    }
    for (text, limit) in [
        (dialogue, DIALOGUE),
        (transcript, TRANSCRIPT),
        (stderr, STDERR),
    ] {
        *text = end(text, limit, cut);
    }
}

/// The text with long runs of base64 counted instead of shown.
pub(crate) fn shorten(text: &str) -> String {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '\\');
    let mut out = String::with_capacity(text.len().min(8 * TRANSCRIPT));
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c| !inside(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(run);
        let has = |wanted: fn(char) -> bool| word.contains(wanted);
        // Hexadecimal has one case.
        if run > BASE64 && has(|c| c.is_ascii_lowercase()) && has(|c| c.is_ascii_uppercase()) {
            let _ = write!(out, "…{run} characters of base64…");
        } else {
            out.push_str(word);
        }
        let next = after.find(inside).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
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

/// The folder of a case below that of a record.
pub(crate) fn of_case(record: &Path, case: &str) -> PathBuf {
    record.join(case.replace('/', "--"))
}

/// Writes all that happened in a case to its own folder below this one.
pub(crate) async fn record(folder: &Path, scene: &Scene, result: &CaseResult) -> io::Result<()> {
    let folder = of_case(folder, &result.id);
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
    std::fs::write(folder.join("dialogue.txt"), scene.wire_log().render())?;
    let (transcript, stderr) = scene.slot().last_words().await;
    std::fs::write(folder.join("transcript.txt"), own_part(scene, &transcript))?;
    std::fs::write(folder.join("stderr.txt"), stderr)?;
    if let Some(record) = scene.record() {
        let text = serde_json::to_string(&record).map_err(io::Error::other)?;
        std::fs::write(folder.join(JUDGED), text)?;
    }
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
    fn base64_is_counted() {
        let mail = "QUJj".repeat(30);
        let text = format!("{{\"mail\":\"{mail}\",\"now\":\"é\"}}");
        let short = "{\"mail\":\"…120 characters of base64…\",\"now\":\"é\"}";
        assert_eq!(shorten(&text), short);
        assert_eq!(shorten("a b"), "a b");
    }

    #[test]
    fn the_parts_fit_into_the_whole() {
        const { assert!((SENT + 1) * MAIL + STEPS + DIALOGUE + TRANSCRIPT + STDERR <= LIMIT) };
    }
}
