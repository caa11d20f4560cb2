//! What the printer needs to know of a schema: the profile and no more.

/// One schema document, which becomes one Rust file.
#[derive(Debug)]
pub(super) struct Module {
    /// The document's name without `.xsd`.
    pub(super) name: String,
    pub(super) docs: String,
    /// Global elements: name and type.
    pub(super) roots: Vec<(String, String)>,
    pub(super) items: Vec<Item>,
}

/// A type, in the order of the document.
#[derive(Debug)]
pub(super) enum Item {
    Simple(Simple),
    Struct(Struct),
    Choice(Choice),
}

impl Item {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Simple(item) => &item.name,
            Self::Struct(item) => &item.name,
            Self::Choice(item) => &item.name,
        }
    }
}

/// A simple type.
#[derive(Debug)]
pub(super) struct Simple {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) shape: Shape,
}

/// The Rust that a simple type becomes.
#[derive(Debug)]
pub(super) enum Shape {
    /// A text of bounded length, in characters.
    Text {
        min: usize,
        max: usize,
        pattern: Option<String>,
    },
    /// A fixed number of octets in hexadecimal digits.
    Octets {
        length: usize,
        pattern: String,
    },
    /// Octets in base64; the bounds are those of the characters.
    Base64 {
        min: usize,
        max: usize,
        pattern: String,
    },
    Number {
        min: i64,
        max: i64,
        pattern: String,
    },
    Time {
        pattern: String,
    },
    /// Texts with their documentation.
    Enumeration(Vec<(String, String)>),
}

/// A complex type.
#[derive(Debug)]
pub(super) struct Struct {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) attributes: Vec<Attribute>,
    pub(super) content: Content,
}

impl Struct {
    /// Whether the type holds only what others may add, of which nothing is kept.
    pub(super) fn is_open(&self) -> bool {
        let Content::Particles(particles) = &self.content else {
            return false;
        };
        let foreign = |particle: &Particle| matches!(particle.kind, ParticleKind::Foreign);
        self.attributes.is_empty() && !particles.is_empty() && particles.iter().all(foreign)
    }
}

#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) type_name: String,
    pub(super) required: bool,
}

#[derive(Debug)]
pub(super) enum Content {
    /// Nothing but attributes.
    Empty,
    /// Elements in order.
    Particles(Vec<Particle>),
    /// A value of a simple type.
    Value(String),
}

#[derive(Debug)]
pub(super) struct Particle {
    pub(super) docs: String,
    pub(super) min: usize,
    /// `None` for unbounded.
    pub(super) max: Option<usize>,
    pub(super) kind: ParticleKind,
}

#[derive(Debug)]
pub(super) enum ParticleKind {
    Element {
        name: String,
        type_name: String,
    },
    /// One of several; the name is that of the field.
    Choice {
        name: String,
        type_name: String,
    },
    /// Elements of other namespaces.
    Foreign,
}

/// A choice of elements.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) name: String,
    /// Elements: name, type and documentation.
    pub(super) alternatives: Vec<(String, String, String)>,
    /// Whether one foreign element can stand instead.
    pub(super) foreign: bool,
}
