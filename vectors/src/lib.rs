//! The Kith test vectors, embedded: single mails, what happened before them,
//! and what must become of them.
//!
//! The format is described in `vectors/README.md` and by the JSON Schemas in
//! `vectors/schema`. The data are written by `cargo xtask vectors`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

mod files;
mod format;

pub use format::{
    Act, Content, Expected, Flag, Given, Index, IndexEntry, Line, ObjectVerdict, Opening, Outcome,
    Party, Recipient, Sent, Step, StepKind, Vector, Verdict,
};

struct Data {
    index: Index,
    openings: BTreeMap<String, Opening>,
    vectors: Vec<Vector>,
}

static DATA: LazyLock<Data> = LazyLock::new(|| {
    let because = "the embedded data are what `cargo xtask vectors` wrote, and tests read them";
    let openings = files::OPENINGS.iter().map(|text| {
        let opening: Opening = serde_json::from_str(text).expect(because);
        (opening.id.clone(), opening)
    });
    let vectors = files::VECTORS.iter();
    Data {
        index: serde_json::from_str(files::INDEX).expect(because),
        openings: openings.collect(),
        vectors: vectors
            .map(|text| serde_json::from_str(text).expect(because))
            .collect(),
    }
});

/// Every vector, by id.
pub fn all() -> &'static [Vector] {
    &DATA.vectors
}

/// The vector with this id, such as `security/delivery-unsigned`.
pub fn vector(id: &str) -> Option<&'static Vector> {
    all().iter().find(|vector| vector.id == id)
}

/// The vectors that show a requirement, given by its id.
pub fn for_requirement(id: &str) -> impl Iterator<Item = &'static Vector> {
    let wanted = id.to_owned();
    all()
        .iter()
        .filter(move |vector| vector.requirements.contains(&wanted))
}

/// The flags, explained.
pub fn flags() -> &'static [Flag] {
    &DATA.index.flags
}

impl Vector {
    /// What this vector begins with.
    pub fn opening(&self) -> &'static Opening {
        let opening = DATA.openings.get(&self.given.opening);
        opening.expect("a test checks that every opening is there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_and_index_agree() {
        let listed: Vec<_> = DATA.index.vectors.iter().map(|entry| &entry.id).collect();
        let there: Vec<_> = all().iter().map(|vector| &vector.id).collect();
        assert_eq!(listed, there);
        assert!(there.is_sorted());
        for vector in all() {
            assert!(DATA.openings.contains_key(&vector.given.opening));
            for flag in &vector.flags {
                assert!(flags().iter().any(|known| known.id == *flag), "{flag}");
            }
            for id in &vector.requirements {
                assert!(for_requirement(id).any(|found| found.id == vector.id));
            }
        }
    }
}
