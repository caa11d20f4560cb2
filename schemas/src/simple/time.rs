//! Instants of whole seconds in UTC as `YYYY-MM-DDThh:mm:ssZ`, the proleptic
//! Gregorian calendar of XML Schema's dateTime.

use std::fmt;

use crate::error::ValueError;
use crate::simple::collapse;

const DAY: i64 = 86_400;
/// 1000-01-01T00:00:00Z
const FIRST: i64 = days_to(1000, 1, 1) * DAY;
/// 9999-12-31T23:59:59Z
const LAST: i64 = days_to(10_000, 1, 1) * DAY - 1;

/// Whether an instant lies in the years 1000 to 9999.
pub(crate) fn is_in_range(unix_seconds: i64) -> bool {
    (FIRST..=LAST).contains(&unix_seconds)
}

/// The days from 1970-01-01 to a day; leap years counted from a March.
const fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days_before_month = (153 * month + 2) / 5;
    year * 365 + leap_days + days_before_month + day - 1 - 719_468
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        12 => 31,
        _ => days_to(year, month + 1, 1) - days_to(year, month, 1),
    }
}

/// Reads an instant.
pub(crate) fn parse_time(text: &str, pattern: &'static str) -> Result<i64, ValueError> {
    let text = collapse(text);
    let shape = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        19 => byte == b'Z',
        _ => byte.is_ascii_digit(),
    };
    if text.len() != 20 || !text.bytes().enumerate().all(shape) {
        return Err(ValueError::Pattern { pattern });
    }
    let number = |from: usize, to: usize| {
        text.bytes()
            .take(to)
            .skip(from)
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let (hour, minute, second) = (number(11, 13), number(14, 16), number(17, 19));
    if year < 1000 || hour > 23 || minute > 59 || second > 59 {
        return Err(ValueError::Pattern { pattern });
    }
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return Err(ValueError::Calendar);
    }
    Ok(days_to(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

/// Writes an instant of the years 1000 to 9999.
pub(crate) fn format_time(unix_seconds: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let days = unix_seconds.div_euclid(DAY);
    let second = unix_seconds.rem_euclid(DAY);
    // The year that the average length of a year gives is right or one too many.
    let guess = 1970 + (days * 400).div_euclid(146_097) + 1;
    let year = (guess - 2..=guess)
        .rfind(|year| days_to(*year, 1, 1) <= days)
        .unwrap_or(guess);
    let month = (1..=12)
        .rfind(|month| days_to(year, *month, 1) <= days)
        .unwrap_or(1);
    let day = days - days_to(year, month, 1) + 1;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(
        f,
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_four_hundred_years_reads_back() {
        struct Shown(i64);
        impl fmt::Display for Shown {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                format_time(self.0, f)
            }
        }
        let mut previous = String::new();
        for day in 0..146_097 {
            let instant = FIRST + day * DAY + day % DAY;
            let text = Shown(instant).to_string();
            assert!(text > previous, "{text} after {previous}");
            assert_eq!(parse_time(&text, ""), Ok(instant));
            previous = text;
        }
        assert_eq!(Shown(0).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(Shown(951_782_400).to_string(), "2000-02-29T00:00:00Z");
        assert_eq!(Shown(LAST).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Shown(FIRST).to_string(), "1000-01-01T00:00:00Z");
    }
}
