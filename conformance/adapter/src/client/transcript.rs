//! The last lines that went over a connection, for showing with a fault.

use std::{collections::VecDeque, fmt};

/// How many lines are kept.
const LINES: usize = 40;
/// How many characters of a line are kept.
const CHARACTERS: usize = 2000;

/// Who sent a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The harness.
    Harness,
    /// The adapter.
    Adapter,
}

/// The last lines that went over a connection. They are cut for reading only when somebody reads
/// them, which is seldom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    lines: VecDeque<Line>,
}

/// The beginning of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    sender: Sender,
    head: Vec<u8>,
    length: usize,
}

impl Transcript {
    /// The lines, oldest first, long ones cut.
    pub fn lines(&self) -> impl Iterator<Item = (Sender, String)> {
        self.lines
            .iter()
            .map(|line| (line.sender, readable(&line.head, line.length)))
    }

    pub(crate) fn add(&mut self, sender: Sender, line: &[u8]) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Line {
            sender,
            head: head(line).to_vec(),
            length: line.len(),
        });
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (sender, line) in self.lines() {
            let arrow = match sender {
                Sender::Harness => "-->",
                Sender::Adapter => "<--",
            };
            writeln!(f, "{arrow} {line}")?;
        }
        Ok(())
    }
}

/// A line for a person to read: cut, and without control characters.
pub(crate) fn shorten(line: &[u8]) -> String {
    readable(head(line), line.len())
}

/// As many octets of a line as can be shown.
fn head(line: &[u8]) -> &[u8] {
    &line[..line.len().min(4 * CHARACTERS)]
}

/// The beginning of a line of so many octets.
fn readable(head: &[u8], length: usize) -> String {
    let text = String::from_utf8_lossy(head);
    let mut short: String = text
        .chars()
        .take(CHARACTERS)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    if head.len() < length || text.chars().nth(CHARACTERS).is_some() {
        short.push_str(&format!("… ({length} octets)"));
    }
    short
}
