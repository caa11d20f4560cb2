//! Where things stand in the rendered document, and what links in the sources mean.

use std::collections::BTreeMap;

use kith_spec_source::Insert;

use crate::input::Input;
use crate::schema::Schemas;

/// In which form the document is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A page for each chapter.
    Pages,
    /// All in one file.
    Single,
}

/// Knows where everything stands.
pub(crate) struct Links<'a> {
    pub(crate) form: Form,
    pub(crate) input: &'a Input,
    schemas: &'a Schemas,
    /// The chapter that holds the table of violations.
    violations: Option<&'a str>,
    /// The chapter of each requirement, by its id.
    chapters: BTreeMap<&'a str, &'a str>,
}

/// What a link in the sources leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A place in the document or on the web, as `href`.
    Href(String),
    /// A file of the repository that is not part of the document.
    Outside,
}

impl<'a> Links<'a> {
    pub(crate) fn new(form: Form, input: &'a Input, schemas: &'a Schemas) -> Self {
        let spec = &input.spec;
        let place = spec.directives.iter().find_map(|directive| {
            (directive.insert == Insert::Violations).then_some(&directive.place.file)
        });
        let holds = |name: &&kith_spec_source::Chapter| Some(&name.file) == place;
        let requirements = spec.requirements.iter();
        Self {
            form,
            input,
            schemas,
            violations: spec
                .chapters
                .iter()
                .find(holds)
                .map(|found| found.name.as_str()),
            chapters: requirements
                .map(|found| (found.id.as_str(), found.chapter.as_str()))
                .collect(),
        }
    }

    /// A link to `id` on a page.
    fn on(&self, page: &str, id: &str) -> String {
        match self.form {
            Form::Pages => format!("{page}.html#{id}"),
            Form::Single => format!("#{id}"),
        }
    }

    /// A link to a page.
    pub(crate) fn page(&self, page: &str) -> String {
        match self.form {
            Form::Pages => format!("{page}.html"),
            Form::Single => format!("#{page}"),
        }
    }

    /// The id of a heading.
    pub(crate) fn heading_id(&self, chapter: &str, anchor: &str) -> String {
        match self.form {
            Form::Pages => anchor.to_owned(),
            Form::Single => format!("{chapter}--{anchor}"),
        }
    }

    /// A link to a heading.
    pub(crate) fn heading(&self, chapter: &str, anchor: &str) -> String {
        self.on(chapter, &self.heading_id(chapter, anchor))
    }

    /// A link to a requirement.
    pub(crate) fn requirement(&self, id: &str) -> Option<String> {
        let chapter = self.chapters.get(id)?;
        Some(self.on(chapter, id))
    }

    /// A link to a limit's row.
    pub(crate) fn limit(&self, id: &str) -> Option<String> {
        let limit = self.input.spec.limit(id)?;
        let mut chapters = self.input.spec.chapters.iter();
        let chapter = chapters.find(|chapter| chapter.file == limit.place.file)?;
        Some(self.on(&chapter.name, &format!("limit-{id}")))
    }

    /// A link to a violation's row.
    pub(crate) fn violation(&self, name: &str) -> Option<String> {
        let mut requirements = self.input.spec.requirements.iter();
        requirements.find(|found| found.violation.as_deref() == Some(name))?;
        Some(self.on(self.violations?, &format!("violation-{name}")))
    }

    /// A link to a vector's row.
    pub(crate) fn vector(&self, id: &str) -> Option<String> {
        self.input.vectors.get(id)?;
        Some(self.on("vectors", &vector_id(id)))
    }

    /// A link to a type of the schemas.
    pub(crate) fn schema_type(&self, name: &str) -> Option<String> {
        let known = self.schemas.has_type(name);
        known.then(|| self.on("schemas", &format!("type-{name}")))
    }

    /// What a type of the schemas is for.
    pub(crate) fn about_type(&self, name: &str) -> Option<&str> {
        self.types()
            .find(|(known, _)| *known == name)
            .map(|(_, about)| about)
    }

    /// The named types of the schemas, and what they are for.
    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &str)> {
        self.schemas.types()
    }

    /// A link to what a code span names, if that is something of this document.
    pub(crate) fn code(&self, code: &str) -> Option<String> {
        self.requirement(code)
            .or_else(|| self.limit(code))
            .or_else(|| self.violation(code))
            .or_else(|| self.vector(code))
    }

    /// What a link in the chapter `file` means, or why it leads nowhere.
    pub(crate) fn resolve(&self, file: &str, link: &str) -> Result<Target, String> {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        if path
            .split('/')
            .next()
            .is_some_and(|first| first.contains(':'))
        {
            return Ok(Target::Href(link.to_owned()));
        }
        let path =
            join(file, path).ok_or_else(|| format!("the link `{link}` leaves the repository"))?;
        if let Some(chapter) = self
            .input
            .spec
            .chapters
            .iter()
            .find(|found| found.file == path)
        {
            return self.in_chapter(chapter, anchor, link).map(Target::Href);
        }
        if let Some(schema) = path
            .strip_prefix("schemas/1.0/")
            .and_then(|name| name.strip_suffix(".xsd"))
            && self.input.file(&path).is_some()
        {
            return Ok(Target::Href(self.on("schemas", &format!("file-{schema}"))));
        }
        if let Some(id) = path
            .strip_prefix("vectors/data/")
            .and_then(|name| name.strip_suffix(".json"))
            && let Some(link) = self.vector(id)
        {
            return Ok(Target::Href(link));
        }
        let folder = format!("{path}/");
        let mut known = self.input.files.range(path.clone()..);
        if known
            .next()
            .is_some_and(|(found, _)| *found == path || found.starts_with(&folder))
        {
            return Ok(Target::Outside);
        }
        Err(format!("the link `{link}` leads nowhere"))
    }

    fn in_chapter(
        &self,
        chapter: &kith_spec_source::Chapter,
        anchor: &str,
        link: &str,
    ) -> Result<String, String> {
        let name = &chapter.name;
        if anchor.is_empty() {
            return Ok(self.page(name));
        }
        if chapter
            .sections
            .iter()
            .any(|section| section.anchor == anchor)
        {
            return Ok(self.heading(name, anchor));
        }
        if self.chapters.get(anchor) == Some(&name.as_str()) {
            return Ok(self.on(name, anchor));
        }
        if anchor == kith_spec_source::anchor(&chapter.title) {
            return Ok(self.page(name));
        }
        Err(format!(
            "the link `{link}` leads to no heading or requirement"
        ))
    }
}

/// The id of a vector's row: ids of vectors hold slashes.
pub(crate) fn vector_id(id: &str) -> String {
    format!("vector-{}", id.replace('/', "-"))
}

/// The path from the root that `target` in the file `path` means.
pub(crate) fn join(path: &str, target: &str) -> Option<String> {
    if target.is_empty() {
        return Some(path.to_owned());
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
