//! Simple types: values that always obey their facets.
//!
//! The macros here are what a simple type of a schema becomes; the generated
//! code calls them with the facets. Each type has `new`, which checks, and
//! `Display`, which gives the one form that the encoder writes.

use std::sync::LazyLock;

use regex::Regex;

use crate::decode::Value;
use crate::error::ValueError;
use crate::markup::is_xml_char;

mod time;
pub(crate) use time::{format_time, is_in_range, parse_time};

/// The facets of a string type.
pub(crate) struct Facets {
    pub(crate) min_length: usize,
    pub(crate) max_length: usize,
    pub(crate) pattern: Option<&'static LazyLock<Regex>>,
    pub(crate) pattern_text: &'static str,
}

impl Facets {
    /// Checks a text: its characters, its length in characters, its pattern.
    pub(crate) fn check(&self, text: &str) -> Result<(), ValueError> {
        let mut found = 0;
        for c in text.chars() {
            if !is_xml_char(c) {
                return Err(ValueError::Character { found: c });
            }
            found += 1;
        }
        if found < self.min_length {
            return Err(ValueError::TooShort {
                found,
                min: self.min_length,
            });
        }
        if found > self.max_length {
            return Err(ValueError::TooLong {
                found,
                max: self.max_length,
            });
        }
        match self.pattern {
            Some(pattern) if !pattern.is_match(text) => Err(ValueError::Pattern {
                pattern: self.pattern_text,
            }),
            _ => Ok(()),
        }
    }
}

/// White space collapse: what XML Schema does before it reads a number or a time.
pub(crate) fn collapse(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r'])
}

/// Reads a whole number between `min` and `max`, written in its only form.
pub(crate) fn parse_integer(
    text: &str,
    min: i64,
    max: i64,
    pattern: &'static str,
) -> Result<i64, ValueError> {
    let text = collapse(text);
    let digits = text.strip_prefix('-').unwrap_or(text);
    let digits_only = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !digits_only || (digits.starts_with('0') && text != "0") {
        return Err(ValueError::Pattern { pattern });
    }
    match text.parse() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        _ => Err(ValueError::Range { min, max }),
    }
}

/// Reads lower-case hexadecimal digits, exactly `N` octets of them.
pub(crate) fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut octets = [0; N];
    for (octet, pair) in octets.iter_mut().zip(text.chunks_exact(2)) {
        *octet = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(octets)
}

impl Value for bool {
    fn parse(text: &str) -> Result<Self, ValueError> {
        match collapse(text) {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(ValueError::Form {
                expected: "a boolean",
            }),
        }
    }
}

/// What every simple type has in common: parsing, and being an element.
macro_rules! value {
    ($name:ident, $parse:expr) => {
        impl crate::decode::Value for $name {
            fn parse(text: &str) -> Result<Self, crate::error::ValueError> {
                let parse: fn(&str) -> Result<Self, crate::error::ValueError> = $parse;
                parse(text)
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::error::ValueError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                crate::decode::Value::parse(text)
            }
        }

        crate::simple::element!($name);
    };
}

/// An element of a simple type.
macro_rules! element {
    ($name:ident) => {
        impl crate::decode::Element for $name {
            fn read(node: roxmltree::Node<'_, '_>) -> Result<Self, crate::error::DecodeError> {
                crate::decode::simple(node)
            }
        }

        impl crate::encode::Encode for $name {
            fn write(
                &self,
                name: &'static str,
                out: &mut crate::encode::Encoder,
            ) -> Result<(), crate::error::EncodeError> {
                let start = out.start(name);
                out.open(name, start);
                out.text(self);
                out.close(name);
                Ok(())
            }
        }
    };
}

/// A restriction of xs:string by length and pattern.
macro_rules! string {
    (
        $(#[$attribute:meta])*
        $name:ident, min_length: $min:literal, max_length: $max:literal
        $(, pattern: $pattern:literal)?
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// A value of this text, if it obeys the facets.
            ///
            /// # Errors
            /// When a character cannot stand in XML, or the length or the pattern does not fit.
            pub fn new(text: impl Into<String>) -> Result<Self, crate::error::ValueError> {
                let facets = crate::simple::Facets {
                    min_length: $min,
                    max_length: $max,
                    pattern: crate::simple::pattern!($($pattern)?),
                    pattern_text: concat!($($pattern)?),
                };
                let text = text.into();
                facets.check(&text)?;
                Ok(Self(text))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// The text, owned.
            #[must_use]
            pub fn into_string(self) -> String {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        crate::simple::value!($name, |text| Self::new(text));
    };
}

/// A compiled pattern, or none.
macro_rules! pattern {
    () => {
        None
    };
    ($pattern:literal) => {{
        static PATTERN: std::sync::LazyLock<regex::Regex> = std::sync::LazyLock::new(|| {
            regex::Regex::new($pattern).expect("a regular expression because a test compiles all")
        });
        Some(&PATTERN)
    }};
}

/// A fixed number of octets, written as lower-case hexadecimal digits.
macro_rules! octets {
    ($(#[$attribute:meta])* $name:ident, $length:literal, $pattern:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl $name {
            /// The octets.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl From<[u8; $length]> for $name {
            fn from(octets: [u8; $length]) -> Self {
                Self(octets)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        crate::simple::value!($name, |text| {
            crate::simple::parse_hex(text)
                .map(Self)
                .ok_or(crate::error::ValueError::Pattern { pattern: $pattern })
        });
    };
}

/// Any number of octets, written in canonical base64.
macro_rules! base64 {
    (
        $(#[$attribute:meta])*
        $name:ident, min_length: $min:literal, max_length: $max:literal, pattern: $pattern:literal
    ) => {
        $(#[$attribute])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Vec<u8>);

        impl $name {
            const FACETS: crate::simple::Facets = crate::simple::Facets {
                min_length: $min,
                max_length: $max,
                pattern: None,
                pattern_text: $pattern,
            };

            /// A value of these octets, if their base64 is of a length that the schema allows.
            ///
            /// # Errors
            /// When there are too few or too many octets.
            pub fn new(octets: impl Into<Vec<u8>>) -> Result<Self, crate::error::ValueError> {
                let value = Self(octets.into());
                Self::FACETS.check(&value.to_string())?;
                Ok(value)
            }

            /// The octets.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }

            /// The octets, owned.
            #[must_use]
            pub fn into_bytes(self) -> Vec<u8> {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                use base64::Engine as _;
                f.write_str(&base64::engine::general_purpose::STANDARD.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        crate::simple::value!($name, |text| {
            use base64::Engine as _;
            Self::FACETS.check(text)?;
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .map(Self)
                .map_err(|_| crate::error::ValueError::Pattern { pattern: $pattern })
        });
    };
}

/// A whole number between two bounds.
macro_rules! number {
    (
        $(#[$attribute:meta])*
        $name:ident, $integer:ty, $min:literal, $max:literal, $pattern:literal
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($integer);

        impl $name {
            /// The lowest value.
            pub const MIN: Self = Self($min);
            /// The highest value.
            pub const MAX: Self = Self($max);

            /// This number, if it lies between [`Self::MIN`] and [`Self::MAX`].
            ///
            /// # Errors
            /// When it does not.
            pub fn new(number: $integer) -> Result<Self, crate::error::ValueError> {
                let number = Self(number);
                if !(Self::MIN..=Self::MAX).contains(&number) {
                    return Err(crate::error::ValueError::Range { min: $min, max: $max });
                }
                Ok(number)
            }

            /// The number.
            #[must_use]
            pub fn get(self) -> $integer {
                self.0
            }
        }

        impl TryFrom<$integer> for $name {
            type Error = crate::error::ValueError;

            fn try_from(number: $integer) -> Result<Self, Self::Error> {
                Self::new(number)
            }
        }

        impl From<$name> for $integer {
            fn from(number: $name) -> Self {
                number.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        crate::simple::value!($name, |text| {
            let number = crate::simple::parse_integer(text, $min, $max, $pattern)?;
            let range = crate::error::ValueError::Range { min: $min, max: $max };
            <$integer>::try_from(number).map(Self).map_err(|_| range)
        });
    };
}

/// An instant of whole seconds in UTC.
macro_rules! date_time {
    ($(#[$attribute:meta])* $name:ident, $pattern:literal) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// The instant of this many seconds since 1970-01-01T00:00:00Z, without leap seconds.
            ///
            /// # Errors
            /// When the year is not between 1000 and 9999.
            pub fn new(unix_seconds: i64) -> Result<Self, crate::error::ValueError> {
                if !crate::simple::is_in_range(unix_seconds) {
                    return Err(crate::error::ValueError::Pattern { pattern: $pattern });
                }
                Ok(Self(unix_seconds))
            }

            /// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
            #[must_use]
            pub fn unix_seconds(self) -> i64 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                crate::simple::format_time(self.0, f)
            }
        }

        crate::simple::value!($name, |text| crate::simple::parse_time(text, $pattern).map(Self));
    };
}

/// One of a few texts.
macro_rules! enumeration {
    (
        $(#[$attribute:meta])*
        $name:ident { $($(#[$comment:meta])* $variant:ident = $text:literal),+ $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$comment])* $variant,)+
        }

        impl $name {
            /// Every value, in the schema's order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The text of the schema.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        crate::simple::value!($name, |text| match text {
            $($text => Ok(Self::$variant),)+
            _ => Err(crate::error::ValueError::Enumeration { allowed: &[$($text),+] }),
        });
    };
}

pub(crate) use {base64, date_time, element, enumeration, number, octets, pattern, string, value};

element!(bool);
