//! What people and programs read. Everything that others wrote is escaped.

use std::io::IsTerminal as _;

use anstream::{eprintln, println};
use anstyle::{AnsiColor, Effects, Style};
use comfy_table::{ContentArrangement, Table, presets};
use kith_agent::Report;
use kith_core::Event;
use serde::Serialize;
use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

use super::failure::Failure;

const STRONG: Style = Style::new().effects(Effects::BOLD);
const FAINT: Style = Style::new().effects(Effects::DIMMED);
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);

/// Columns that a table has at least.
const NARROW: u16 = 60;

/// Columns before what somebody said.
const INDENT: u16 = 4;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// Prints a value for programs.
    pub(super) fn value(self, value: &impl Serialize) {
        let text = serde_json::to_string(value);
        println!("{}", text.expect("views and numbers have a JSON form"));
    }

    /// Prints a line for people.
    pub(super) fn line(self, line: &str) {
        if !self.json {
            println!("{line}");
        }
    }

    /// Prints a heading for people.
    pub(super) fn heading(self, line: &str) {
        self.line(&format!("{STRONG}{line}{STRONG:#}"));
    }

    /// Prints what was checked, and what to do.
    pub(super) fn check(self, fine: bool, line: &str) {
        let (style, mark) = if fine { (GOOD, "ok") } else { (BAD, "!!") };
        self.line(&format!("{style}{mark}{style:#}  {line}"));
    }

    /// Prints rows for people, or a line if there are none.
    pub(super) fn table(self, head: &[&str], rows: &[Vec<String>], none: &str) {
        if self.json {
            return;
        }
        if rows.is_empty() {
            println!("{none}");
            return;
        }
        let mut table = fitting();
        table.set_header(head.iter().map(|head| head.to_uppercase()));
        for row in rows {
            table.add_row(row);
        }
        for line in table.lines() {
            println!("{}", line.trim_end());
        }
    }

    /// Prints one thing that somebody said.
    pub(super) fn entry(self, who: &str, rest: &str, text: &str) {
        self.line(&format!(
            "{STRONG}{}{STRONG:#}  {FAINT}{rest}{FAINT:#}",
            safe(who)
        ));
        for line in text.lines() {
            for line in indented(&safe(line)) {
                self.line(&line);
            }
        }
    }

    /// Prints a warning.
    pub(super) fn warning(self, text: &str) {
        if !self.json {
            eprintln!("{BAD}warning:{BAD:#} {}", safe(text));
        }
    }

    pub(super) fn failure(self, failure: &Failure) {
        if !self.json {
            eprintln!("{BAD}kith:{BAD:#} {}", safe(&failure.to_string()));
        } else if !matches!(failure, Failure::Unfinished(_) | Failure::Unwell) {
            self.value(&json!({ "error": failure.to_string(), "exit": failure.code() }));
        }
    }

    /// Prints what a sync brought.
    pub(super) fn report(self, report: &Report, quiet: bool) {
        for problem in &report.problems {
            self.warning(&problem.to_string());
        }
        for event in &report.events {
            self.line(&shown_event(event));
        }
        if !quiet {
            let (fetched, sent) = (plural(report.fetched, "mail"), plural(report.sent, "mail"));
            self.line(&format!("{FAINT}{fetched} read, {sent} sent{FAINT:#}"));
        }
    }

    /// A spinner on standard error, if that is a terminal.
    pub(super) fn spinner(self, what: &'static str) -> Spinner {
        if self.json || !std::io::stderr().is_terminal() {
            return Spinner(None);
        }
        let bar = indicatif::ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(100));
        Spinner(Some(bar))
    }
}

/// Turns until it is dropped.
pub(super) struct Spinner(Option<indicatif::ProgressBar>);

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// A report for programs.
pub(super) fn report_value(report: &Report) -> serde_json::Value {
    let problems = report.problems.iter().map(ToString::to_string);
    json!({
        "fetched": report.fetched,
        "sent": report.sent,
        "problems": problems.collect::<Vec<_>>(),
        "events": report.events,
        "next_due": report.next_due,
    })
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn shown_event(event: &Event) -> String {
    match event {
        Event::Request { name, address } => {
            format!(
                "{} wants to become friends: kith requests",
                person(name.as_deref(), address)
            )
        }
        Event::Friend { name } => format!("You and {} are friends now", safe(name)),
        Event::Ended { name } => format!("{} ended it", safe(name)),
        Event::Message { from } => format!("A message from {}: kith messages", safe(from)),
        Event::Post { from } => format!("A post from {}: kith timeline", safe(from)),
        Event::Page { name } => format!("{} has news about its page: kith page list", safe(name)),
        Event::Following { name } => format!("You follow {} now", safe(name)),
        Event::Follower { name } => format!("{} follows your page now", safe(name)),
        Event::App { from, name } => {
            format!(
                "{} shares {} with you: kith app list",
                safe(from),
                safe(name)
            )
        }
        Event::AppUpdate { from, info } => {
            let info = info.as_deref().unwrap_or("an app has news: kith app list");
            format!("{}: {}", safe(from), safe(info))
        }
        Event::GroupInvite { name } => {
            format!(
                "You are invited into the group {}: kith group list",
                safe(name)
            )
        }
        Event::Group { name } => format!("The group {} changed: kith group list", safe(name)),
        Event::GroupJoined { name, group } => format!("{} joined {}", safe(name), safe(group)),
        Event::GroupLeft { name, group } => format!("{} left {}", safe(name), safe(group)),
        Event::Event { from, summary } => {
            format!(
                "{} invites you to {}: kith event list",
                safe(from),
                safe(summary)
            )
        }
        Event::Answer { from } => {
            format!("{} answered your invitation: kith event list", safe(from))
        }
        Event::Frozen { name, why } => {
            format!("{} is not to be trusted for now: {}", safe(name), safe(why))
        }
        Event::Withheld { name, why } => {
            format!("Not sent to {}: {}", safe(name), safe(why))
        }
        Event::Introduced { name, by } => {
            format!("{} introduces {}: kith requests", safe(by), safe(name))
        }
        Event::Comment { from } => format!("A comment from {}: kith thread", safe(from)),
        Event::PutOff { waiting } => {
            format!("{waiting} mails wait for tomorrow: today's limit of submissions is reached")
        }
        Event::Undelivered { to, reason, again } => {
            let hint = match again {
                true => {
                    "; `kith messages` and `kith timeline` show what, `kith resend ID` sends it again"
                }
                false => "",
            };
            let (to, meaning) = (safe(to), meaning(reason));
            format!("Not delivered to {to}: {}{meaning}{hint}", safe(reason))
        }
    }
}

/// What a refusal means, by its enhanced status code (RFC 3463).
fn meaning(reason: &str) -> &'static str {
    let known = reason.split(' ').find_map(|word| match word {
        "5.1.1" | "5.1.2" | "5.1.6" | "5.1.10" => {
            Some(" (the address is wrong or gone: ask your friend in another way)")
        }
        "5.2.2" => Some(" (the mailbox there is full)"),
        "5.2.3" | "5.3.4" => Some(" (the mail is too large)"),
        _ => None,
    });
    known.unwrap_or_default()
}

/// A claimed name with the address, which is what proves something.
pub(super) fn person(name: Option<&str>, address: &str) -> String {
    match name {
        Some(name) => format!("{} <{}>", safe(name), safe(address)),
        None => safe(address),
    }
}

/// A text without what could steer a terminal or turn the direction of reading.
pub(super) fn safe(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}'
                | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::new();
    for character in text.chars() {
        if steers(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// A time for people, UTC.
pub(super) fn when(at: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(at).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    time.format(format).unwrap_or_else(|_| at.to_string())
}

/// The beginning of an id, enough to name it.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// A QR code for terminals: dark on light, two rows of modules in a line.
pub(super) fn qr_code(text: &str) -> Option<String> {
    let code = qrcode::QrCode::new(text).ok()?;
    let drawn = code.render::<qrcode::render::unicode::Dense1x2>().build();
    let style = AnsiColor::Black.on(AnsiColor::White);
    Some(
        drawn
            .lines()
            .map(|line| format!("{style}{line}{style:#}\n"))
            .collect(),
    )
}

/// A table without lines that fits the terminal.
fn fitting() -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    // Some terminals don't know their width.
    if table.width().is_some_and(|width| width < NARROW) {
        table.set_width(NARROW);
    }
    table
}

/// A line with space before it, on a terminal broken between words.
fn indented(line: &str) -> Vec<String> {
    let mut table = fitting();
    if table.width().is_none() {
        return vec![format!("{:1$}{line}", "", usize::from(INDENT))];
    }
    table.add_row([line]);
    if let Some(column) = table.column_mut(0) {
        column.set_padding((INDENT, 0));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_steers_nothing() {
        assert_eq!(safe("Zoë 🎉"), "Zoë 🎉");
        assert_eq!(safe("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
        assert_eq!(safe("evil\u{202e}moc"), "evil\\u{202e}moc");
        assert_eq!(safe("a\nb"), "a\\u{a}b");
    }

    #[test]
    fn an_invite_fits_a_qr_code() {
        let code = qr_code(&format!("kith:alice@example.org?id={}", "a".repeat(120))).unwrap();
        assert!(code.lines().count() > 20);
    }
}
