//! One live line while the cases run, on a terminal only.

use std::collections::BTreeSet;
use std::io;

use indicatif::{ProgressBar, ProgressStyle};

use super::Summary;
use crate::event::{Event, Reporter};

/// The live line.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    summary: Summary,
    running: BTreeSet<String>,
}

impl Progress {
    /// A line on standard error; nothing where that is no terminal.
    pub fn new() -> Self {
        let bar = ProgressBar::new(0);
        let style = ProgressStyle::with_template("{pos}/{len} {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            summary: Summary::default(),
            running: BTreeSet::new(),
        }
    }

    fn show(&self) {
        let counts = self
            .summary
            .counts()
            .into_iter()
            .filter(|(_, count)| *count > 0);
        let mut words: Vec<_> = counts
            .map(|(status, count)| format!("{count} {}", status.as_str()))
            .collect();
        words.extend(self.running.first().cloned());
        self.bar.set_message(words.join("  "));
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Reporter for Progress {
    fn event(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Hello(_) => {}
            Event::Planned { cases } => self.bar.set_length(*cases as u64),
            Event::Started { id } => {
                self.running.insert(id.clone());
                self.show();
            }
            Event::Finished(result) => {
                self.running.remove(&result.id);
                self.summary.add(result.status);
                self.bar.inc(1);
                self.show();
            }
            Event::Done(_) => self.bar.finish_and_clear(),
        }
        Ok(())
    }
}
