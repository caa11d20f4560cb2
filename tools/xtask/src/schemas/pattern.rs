//! From the regular expressions of XML Schema to those of the crate regex.
//!
//! Only what means the same everywhere is taken: literal characters, classes
//! with ranges, `.`, groups, alternatives and quantifiers. The result
//! matches whole texts, as patterns do.

/// The regular expression of a pattern, or what is wrong with the pattern.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::from(r"\A(?:");
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut class_start = 0;
    let mut groups = 0_usize;
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().ok_or("it ends in a backslash")?;
                escape(escaped, &mut out)?;
            }
            '[' if in_class => return Err("a class inside of a class".to_owned()),
            '[' => {
                in_class = true;
                out.push('[');
                if chars.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                class_start = out.len();
                if chars.peek() == Some(&']') {
                    return Err("an empty class".to_owned());
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '-' if in_class => {
                // A hyphen is a range between two characters, else itself.
                if out.len() == class_start || chars.peek() == Some(&']') {
                    out.push('\\');
                }
                out.push('-');
            }
            '.' if !in_class => out.push_str(r"[^\n\r]"),
            '(' if !in_class => {
                if chars.peek() == Some(&'?') {
                    return Err("a group of a special kind".to_owned());
                }
                groups += 1;
                out.push_str("(?:");
            }
            ')' if !in_class => {
                groups = groups.checked_sub(1).ok_or("a group without beginning")?;
                out.push(')');
            }
            '{' if !in_class && groups > 0 => {
                // libxml2 counts wrongly when the group repeats.
                return Err("a count inside of a group; write it out".to_owned());
            }
            // xsd-schema 0.3 reads `a|b` as `^a|b$`.
            '|' if !in_class && groups == 0 => {
                return Err("alternatives outside of a group".to_owned());
            }
            '|' | '*' | '+' | '?' | '{' | '}' if !in_class => out.push(c),
            c => literal(c, &mut out),
        }
    }
    if in_class {
        return Err("a class without end".to_owned());
    }
    out.push_str(r")\z");
    Ok(out)
}

fn escape(c: char, out: &mut String) -> Result<(), String> {
    match c {
        'n' | 'r' | 't' => out.extend(['\\', c]),
        '\\' | '|' | '.' | '-' | '^' | '?' | '*' | '+' | '{' | '}' | '(' | ')' | '[' | ']' => {
            literal(c, out);
        }
        c => return Err(format!("\\{c}, on which validators disagree")),
    }
    Ok(())
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation()
        && !matches!(
            c,
            '"' | '\'' | ',' | ':' | ';' | '<' | '>' | '@' | '/' | '_' | '=' | '%' | '!'
        )
    {
        out.push('\\');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_common_is_translated() {
        let pairs = [
            ("[0-9a-f]{64}", r"\A(?:[0-9a-f]{64})\z"),
            (r"[^@ \t(\\]+", r"\A(?:[^@ \t\(\\]+)\z"),
            ("a.c$", r"\A(?:a[^\n\r]c\$)\z"),
            ("(ab|c)?[+_-]", r"\A(?:(?:ab|c)?[\+_\-])\z"),
            ("[-x]", r"\A(?:[\-x])\z"),
        ];
        for (pattern, expected) in pairs {
            assert_eq!(translate(pattern).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_validators_disagree_on_is_refused() {
        for pattern in [
            r"\s",
            r"\d+",
            r"\p{L}",
            r"\i\c*",
            "[a-z-[aeiou]]",
            "(?i)a",
            "[a",
            "a\\",
            "a|b",
            "a)",
            "(a{2})*",
        ] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
