//! The image below all others: Debian. It is taken as it is there, else from a registry, and
//! where there is no registry it is made from Debian's packages.

use std::process::Stdio;

use futures::StreamExt as _;
use testcontainers::bollard::body_full;
use testcontainers::bollard::query_parameters::CreateImageOptionsBuilder;
use tokio::process::Command;

use crate::images::Progress;
use crate::{ContainerError, Engine};

/// What the images' files name after FROM.
pub(crate) const BASE: &str = "debian:bookworm-slim";
const NAME: &str = "debian";
const TAG: &str = "bookworm-slim";
const RELEASE: &str = "bookworm";

/// Sees to it that the base image is there. Returns its id, which changes with its content.
pub(crate) async fn prepare(
    engine: &Engine,
    progress: &mut Progress<'_>,
) -> Result<String, ContainerError> {
    if let Ok(there) = engine.docker.inspect_image(BASE).await {
        return Ok(there.id.unwrap_or_default());
    }
    let failed = |reason: String| ContainerError::Base {
        image: BASE.to_owned(),
        reason,
    };
    progress(&format!("{BASE}: asking the registry"));
    if let Err(refused) = pull(engine).await {
        progress(&format!(
            "{BASE}: no registry ({refused}); debootstrap makes it"
        ));
        bootstrap(engine)
            .await
            .map_err(|reason| failed(format!("the registry: {refused}; debootstrap: {reason}")))?;
    }
    let there = engine.docker.inspect_image(BASE).await;
    let there = there.map_err(|error| failed(error.to_string()))?;
    Ok(there.id.unwrap_or_default())
}

async fn pull(engine: &Engine) -> Result<(), String> {
    let options = CreateImageOptionsBuilder::new().from_image(NAME).tag(TAG);
    let mut pulling = engine
        .docker
        .create_image(Some(options.build()), None, None);
    while let Some(step) = pulling.next().await {
        step.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Installs a minimal Debian into a folder and imports it. As in the registry's image, packages are
/// installed without waiting for the disk after each file.
async fn bootstrap(engine: &Engine) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let root = folder.path().join("root");
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(["--variant=minbase", RELEASE]).arg(&root);
    debootstrap.env("DPKG_FORCE", "unsafe-io");
    output(debootstrap).await?;
    let quick = root.join("etc/dpkg/dpkg.cfg.d/unsafe-io");
    let written = tokio::fs::write(quick, "force-unsafe-io\n").await;
    written.map_err(|error| error.to_string())?;
    let archive = folder.path().join("root.tar");
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(&root)
        .args(["--exclude=./var/cache/apt/archives/*.deb", "-cf"]);
    tar.arg(&archive).arg(".");
    output(tar).await?;
    let archive = tokio::fs::read(&archive).await;
    let archive = archive.map_err(|error| error.to_string())?;
    let options = CreateImageOptionsBuilder::new()
        .from_src("-")
        .repo(NAME)
        .tag(TAG);
    let body = body_full(archive.into());
    let mut importing = engine
        .docker
        .create_image(Some(options.build()), Some(body), None);
    while let Some(step) = importing.next().await {
        step.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Runs a program to its end; what it wrote is told only if it failed.
async fn output(mut command: Command) -> Result<(), String> {
    let name = command
        .as_std()
        .get_program()
        .to_string_lossy()
        .into_owned();
    let ended = command.stdin(Stdio::null()).output().await;
    let ended = ended.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {name}; install it (as root)"),
        _ => error.to_string(),
    })?;
    if ended.status.success() {
        return Ok(());
    }
    let mut text = String::from_utf8_lossy(&ended.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&ended.stderr));
    let lines: Vec<&str> = text.lines().rev().take(3).collect();
    Err(format!("{} ({})", ended.status, lines.join(" | ")))
}
