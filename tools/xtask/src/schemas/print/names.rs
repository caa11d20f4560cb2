//! Names, literals and comments in Rust.

/// The least integer that holds all values; unsigned where none is negative.
pub(super) fn integer(min: i64, max: i64) -> &'static str {
    if min < 0 {
        return if i32::try_from(min).is_ok() && i32::try_from(max).is_ok() {
            "i32"
        } else {
            "i64"
        };
    }
    if u16::try_from(max).is_ok() {
        "u16"
    } else if u32::try_from(max).is_ok() {
        "u32"
    } else {
        "u64"
    }
}

pub(super) fn bound(max: Option<usize>) -> String {
    max.map_or_else(|| "usize::MAX".to_owned(), |max| max.to_string())
}

pub(super) fn raw_string(text: &str) -> String {
    if text.contains('"') {
        format!("r#\"{text}\"#")
    } else {
        format!("r\"{text}\"")
    }
}

pub(super) fn first_sentence(docs: &str) -> &str {
    docs.split_inclusive(". ")
        .next()
        .unwrap_or_default()
        .trim_end()
}

/// A comment, wrapped at 96 columns.
pub(super) fn comment(mark: &str, docs: &str) -> String {
    let mut lines = vec![mark.to_owned()];
    for word in docs.split_whitespace() {
        let last = lines.last_mut().map(|line| {
            let fits = line.chars().count() + word.chars().count() < 96 || line == mark;
            if fits {
                line.push(' ');
                line.push_str(word);
            }
            fits
        });
        if last != Some(true) {
            lines.push(format!("{mark} {word}"));
        }
    }
    lines.join("\n")
}

fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    for c in name.chars() {
        if !c.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        if c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `TypeCase`; a name that begins with a digit gets an `N` in front.
pub(in crate::schemas) fn type_case(name: &str) -> String {
    let mut out = String::new();
    for word in words(name) {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.extend(chars);
    }
    if out.starts_with(|c: char| c.is_numeric()) {
        out.insert(0, 'N');
    }
    out
}

/// `field_case`, with `r#` where Rust needs it.
pub(super) fn field_case(name: &str) -> String {
    let name = words(name).join("_");
    match name.as_str() {
        "abstract" | "as" | "async" | "await" | "become" | "box" | "break" | "const"
        | "continue" | "do" | "dyn" | "else" | "enum" | "extern" | "false" | "final" | "fn"
        | "for" | "gen" | "if" | "impl" | "in" | "let" | "loop" | "macro" | "match" | "mod"
        | "move" | "mut" | "override" | "priv" | "pub" | "ref" | "return" | "static" | "struct"
        | "trait" | "true" | "try" | "type" | "typeof" | "unsafe" | "unsized" | "use"
        | "virtual" | "where" | "while" | "yield" => format!("r#{name}"),
        _ => name,
    }
}
