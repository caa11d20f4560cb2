//! What can go wrong with containers.

/// Why real servers are not to be had, or do not do what they are told.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    /// Nobody answers where a container engine should be.
    #[error(
        "no container engine answers: {0}. Install and start one (Debian: `apt-get install \
         docker.io`, then `dockerd`; or Podman with its socket), or set DOCKER_HOST to where \
         one listens"
    )]
    NoEngine(String),
    /// The image that all others are built on is not to be had.
    #[error("the base image {image} is not to be had: {reason}")]
    Base {
        /// Its name.
        image: String,
        /// What was tried, and why it failed.
        reason: String,
    },
    /// An image can't be built.
    #[error("the image {image} cannot be built: {reason}")]
    Image {
        /// Its name.
        image: String,
        /// Why not.
        reason: String,
    },
    /// The engine refused something.
    #[error("the container engine, asked to {what}: {reason}")]
    Engine {
        /// What it was asked for.
        what: String,
        /// What it said.
        reason: String,
    },
    /// A command in a container failed.
    #[error("`{command}` in the container of {container} failed: {output}")]
    Command {
        /// The command.
        command: String,
        /// Whose container.
        container: String,
        /// What it wrote, standard error last.
        output: String,
    },
    /// A server doesn't greet.
    #[error("{host} did not greet on port {port} within {seconds} s; it last wrote:\n{log}")]
    NotReady {
        /// Its host name.
        host: String,
        /// The port in the container.
        port: u16,
        /// How long it had.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// There is no server for this domain.
    #[error("no server of this confederation is for the domain `{0}`")]
    Domain(String),
    /// A certificate can't be made.
    #[error(transparent)]
    Testbed(#[from] kith_testbed::TestbedError),
    /// A file or port of this machine is not to be had.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// The cause.
        source: std::io::Error,
    },
}

impl ContainerError {
    /// The engine said no.
    pub(crate) fn engine(what: &str, reason: &dyn std::fmt::Display) -> Self {
        Self::Engine {
            what: what.to_owned(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io {
            what: what.into(),
            source,
        }
    }
}
