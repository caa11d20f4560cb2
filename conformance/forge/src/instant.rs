//! Time as the suite keeps it: whole seconds, and the two forms mail writes it in.

use std::fmt;
use std::ops::{Add, Sub};

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

/// Seconds of one day.
pub const DAY: i64 = 86_400;

/// A moment: seconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(pub i64);

impl Instant {
    /// 2026-11-21T09:00:00Z, when the vectors play.
    pub const EXAMPLE: Self = Self(1_795_251_600);

    /// Reads `2026-11-21T09:00:00Z`.
    pub fn from_xml(text: &str) -> Option<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(Self(time.unix_timestamp()))
    }

    /// `2026-11-21T09:00:00Z`.
    pub fn xml(self) -> String {
        self.format(&Rfc3339)
    }

    /// `Sat, 21 Nov 2026 09:00:00 +0000` (RFC 5322, section 3.3).
    pub fn mail(self) -> String {
        self.format(&Rfc2822)
    }

    /// As OpenPGP writes it; what does not fit becomes the nearest that does.
    pub(crate) fn openpgp(self) -> u32 {
        u32::try_from(self.0.max(0)).unwrap_or(u32::MAX)
    }

    fn format(self, format: &(impl time::formatting::Formattable + ?Sized)) -> String {
        let time =
            OffsetDateTime::from_unix_timestamp(self.0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        time.format(format).unwrap_or_default()
    }
}

impl Add<i64> for Instant {
    type Output = Self;
    /// So many seconds later.
    fn add(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl Sub<i64> for Instant {
    type Output = Self;
    /// So many seconds earlier.
    fn sub(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.xml())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        assert_eq!(Instant::EXAMPLE.xml(), "2026-11-21T09:00:00Z");
        assert_eq!(Instant::EXAMPLE.mail(), "Sat, 21 Nov 2026 09:00:00 +0000");
        assert_eq!(
            Instant::from_xml("2026-11-21T09:00:00Z"),
            Some(Instant::EXAMPLE)
        );
    }
}
