//! The images: from folders in `conformance/testbed/images`. An image's tag is the hash of
//! its files and of the base, so that what is there is what the files say.

use std::path::{Path, PathBuf};
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use testcontainers::core::BuildImageOptions;
use testcontainers::runners::AsyncBuilder as _;
use testcontainers::{GenericBuildableImage, GenericImage};

use crate::{ContainerError, Engine, Stack, base};

/// Where the images' files are.
const FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testbed/images");

/// The name server's image, and the folder of its files.
const NAME_SERVER: (&str, &[&str]) = ("dns", &["dns"]);
/// The list server's image, and the folders of its files.
const LIST_SERVER: (&str, &[&str]) = ("lists", &["postfix", "lists"]);

/// Is told what goes on, a line each.
pub type Progress<'a> = dyn FnMut(&str) + Send + 'a;

/// An image that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    name: String,
    tag: String,
}

impl Image {
    /// Its name with its tag.
    pub fn descriptor(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }

    pub(crate) fn generic(&self) -> GenericImage {
        GenericImage::new(&self.name, &self.tag)
    }
}

/// The images of a confederation.
#[derive(Debug, Clone)]
pub(crate) struct Images {
    pub(crate) dns: Image,
    pub(crate) lists: Image,
    pub(crate) agent: Image,
    pub(crate) puppets: Image,
}

/// Builds the images of these stacks that aren't there, and those that all need.
///
/// # Errors
/// If one can't be built.
pub async fn prepare(
    engine: &Engine,
    stacks: &[Stack],
    progress: &mut Progress<'_>,
) -> Result<Vec<Image>, ContainerError> {
    let base = base::prepare(engine, progress).await?;
    let mut images = Vec::new();
    for (name, folders) in [NAME_SERVER, LIST_SERVER] {
        images.push(build(engine, name, folders, &base, progress).await?);
    }
    let others = stacks
        .iter()
        .filter(|stack| **stack != Stack::PostfixDovecot);
    for stack in std::iter::once(&Stack::PostfixDovecot).chain(others) {
        images.push(build(engine, stack.name(), stack.folders(), &base, progress).await?);
    }
    Ok(images)
}

/// The images for a confederation with this stack.
pub(crate) async fn of(
    engine: &Engine,
    stack: Stack,
    progress: &mut Progress<'_>,
) -> Result<Images, ContainerError> {
    let base = base::prepare(engine, progress).await?;
    let puppets = Stack::PostfixDovecot;
    Ok(Images {
        dns: build(engine, NAME_SERVER.0, NAME_SERVER.1, &base, progress).await?,
        lists: build(engine, LIST_SERVER.0, LIST_SERVER.1, &base, progress).await?,
        agent: build(engine, stack.name(), stack.folders(), &base, progress).await?,
        puppets: build(engine, puppets.name(), puppets.folders(), &base, progress).await?,
    })
}

async fn build(
    engine: &Engine,
    name: &str,
    folders: &[&str],
    base: &str,
    progress: &mut Progress<'_>,
) -> Result<Image, ContainerError> {
    let files = files(Path::new(FILES), folders)?;
    let image = Image {
        name: format!("kith-{name}"),
        tag: tag(base, &files),
    };
    let descriptor = image.descriptor();
    if engine.docker.inspect_image(&descriptor).await.is_ok() {
        progress(&format!("{descriptor}: there"));
        return Ok(image);
    }
    progress(&format!("{descriptor}: building"));
    let began = Instant::now();
    let mut buildable = GenericBuildableImage::new(&image.name, &image.tag);
    for (name, path, _) in files {
        buildable = buildable.with_file(path, name);
    }
    let built = buildable.build_image_with(BuildImageOptions::new()).await;
    if let Err(error) = built {
        return Err(ContainerError::Image {
            image: descriptor,
            reason: error.to_string(),
        });
    }
    let seconds = began.elapsed().as_secs();
    progress(&format!("{descriptor}: built in {seconds} s"));
    Ok(image)
}

/// The files of an image: name, path, content; by name.
fn files(root: &Path, folders: &[&str]) -> Result<Vec<(String, PathBuf, Vec<u8>)>, ContainerError> {
    let wrong =
        |path: &Path, source| ContainerError::io(format!("cannot read {}", path.display()), source);
    let mut files = Vec::new();
    for folder in folders.iter().map(|folder| root.join(folder)) {
        let entries = std::fs::read_dir(&folder).map_err(|error| wrong(&folder, error))?;
        for entry in entries {
            let path = entry.map_err(|error| wrong(&folder, error))?.path();
            let content = std::fs::read(&path).map_err(|error| wrong(&path, error))?;
            let name = path.file_name().unwrap_or_default();
            files.push((name.to_string_lossy().into_owned(), path, content));
        }
    }
    files.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(files)
}

fn tag(base: &str, files: &[(String, PathBuf, Vec<u8>)]) -> String {
    let mut hash = Sha256::new();
    hash.update(base);
    for (name, _, content) in files {
        hash.update(format!("\0{name}\0{}\0", content.len()));
        hash.update(content);
    }
    hex::encode(&hash.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stack_has_its_files() {
        for stack in Stack::ALL {
            let files = files(Path::new(FILES), stack.folders()).unwrap();
            for needed in [
                "Dockerfile",
                "accounts",
                "greylist",
                "queued",
                "quota",
                "start",
            ] {
                let there = files.iter().any(|(name, ..)| name == needed);
                assert!(there, "{} has no {needed}", stack.name());
            }
        }
    }

    #[test]
    fn the_tag_follows_names_contents_and_base() {
        let file = |name: &str, content: &str| (name.to_owned(), PathBuf::new(), content.into());
        let tags = [
            tag("one", &[file("a", "x")]),
            tag("two", &[file("a", "x")]),
            tag("one", &[file("b", "x")]),
            tag("one", &[file("a", "y")]),
            tag("one", &[file("a", "x"), file("b", "")]),
        ];
        let different: std::collections::BTreeSet<_> = tags.iter().collect();
        assert_eq!(different.len(), tags.len());
        assert_eq!(tags[0], tag("one", &[file("a", "x")]));
    }
}
