//! Measuring, and the table of the results.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Rows of results.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// Adds a result beside its floor.
    pub(crate) fn row(&mut self, what: &str, time: Duration, floor: &str, bottom: Duration) {
        let ratio = time.as_secs_f64() / bottom.as_secs_f64();
        self.rows.push([
            what.to_owned(),
            shown(time),
            format!("{floor}: {}", shown(bottom)),
            format!("{ratio:.2}"),
        ]);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| What | Time | Compared with | Ratio |")?;
        writeln!(f, "|---|---|---|---|")?;
        for [what, time, floor, ratio] in &self.rows {
            writeln!(f, "| {what} | {time} | {floor} | {ratio} |")?;
        }
        Ok(())
    }
}

fn shown(time: Duration) -> String {
    let micros = time.as_secs_f64() * 1e6;
    match micros {
        ..10.0 => format!("{micros:.2} µs"),
        ..1000.0 => format!("{micros:.0} µs"),
        ..100_000.0 => format!("{:.2} ms", micros / 1e3),
        _ => format!("{:.0} ms", micros / 1e3),
    }
}

/// The least time of some calls: what else runs on the machine only adds to it.
pub(crate) fn least<T>(calls: usize, mut call: impl FnMut() -> T) -> Duration {
    let times = (0..calls).map(|_| once(&mut call).0);
    times.min().unwrap_or_default()
}

/// The time of one call, and what it gave.
pub(crate) fn once<T>(call: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = black_box(call());
    (start.elapsed(), result)
}
