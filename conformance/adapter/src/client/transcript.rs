//! The last lines that went over a connection, for showing with a fault.

use std::{collections::VecDeque, fmt};

use serde_json::Value;

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

/// The last lines that went over a connection, long ones cut.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transcript {
    lines: VecDeque<(Sender, String)>,
}

impl Transcript {
    /// The lines, oldest first.
    pub fn lines(&self) -> impl Iterator<Item = (Sender, &str)> {
        self.lines
            .iter()
            .map(|(sender, line)| (*sender, line.as_str()))
    }

    pub(crate) fn add(&mut self, sender: Sender, line: &[u8]) {
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((sender, shorten(line)));
    }

    /// Adds a request, without the password it may hold: with a real account it
    /// would end up in reports.
    pub(crate) fn add_request(&mut self, request: &Value) {
        let mut request = request.clone();
        if let Some(password) = request.pointer_mut("/params/password") {
            *password = Value::from("…");
        }
        self.add(Sender::Harness, request.to_string().as_bytes());
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
    let head = &line[..line.len().min(4 * CHARACTERS)];
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
    if head.len() < line.len() || text.chars().nth(CHARACTERS).is_some() {
        short.push_str(&format!("… ({} octets)", line.len()));
    }
    short
}
