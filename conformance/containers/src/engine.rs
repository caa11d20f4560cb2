//! The container engine: Docker, or what speaks its protocol. Containers are started through
//! testcontainers; here is what it doesn't do: second networks, and commands with their output.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use futures::future::try_join_all;
use rand::Rng as _;
use rand::distr::Alphanumeric;
use testcontainers::bollard::Docker;
use testcontainers::bollard::container::LogOutput;
use testcontainers::bollard::errors::Error;
use testcontainers::bollard::exec::StartExecResults;
use testcontainers::bollard::models::{
    ExecConfig, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
};
use testcontainers::bollard::query_parameters::{
    ListContainersOptionsBuilder, ListNetworksOptionsBuilder, RemoveContainerOptionsBuilder,
};
use testcontainers::core::client::docker_client_instance;

use crate::ContainerError;

/// A container engine that answers.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) docker: Docker,
    version: String,
    /// What the names of its networks begin with, and what its containers are labelled with.
    owner: String,
}

/// How long the engine has for a removal.
const REMOVAL: Duration = Duration::from_secs(120);
/// How soon it is asked again: what somebody else is removing isn't gone yet, nor can a network
/// go before its containers have.
const AGAIN: Duration = Duration::from_millis(200);

/// The label that tells whose a container or a network is.
const LABEL: &str = "kith.owner";

/// A word that nobody guesses, for names and passwords.
pub(crate) fn random_word(length: usize) -> String {
    let letters = rand::rng().sample_iter(Alphanumeric);
    letters
        .take(length)
        .map(|letter| char::from(letter).to_ascii_lowercase())
        .collect()
}

impl Engine {
    /// Finds the engine where testcontainers does: `DOCKER_HOST`, or the usual sockets.
    ///
    /// # Errors
    /// If none answers; the message says how to get one.
    pub async fn find() -> Result<Self, ContainerError> {
        let none = |error: &dyn std::error::Error| ContainerError::NoEngine(causes(error));
        let docker = docker_client_instance().await;
        let docker = docker.map_err(|error| none(&error))?;
        let version = docker.version().await.map_err(|error| none(&error))?;
        Ok(Self {
            docker,
            version: version.version.unwrap_or_default(),
            owner: format!("kith-{}", random_word(10)),
        })
    }

    /// What the names of new networks have to begin with.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// The label of new containers and networks.
    pub(crate) fn label(&self) -> (&'static str, &str) {
        (LABEL, &self.owner)
    }

    /// Makes a network.
    pub(crate) async fn network(&self, name: &str) -> Result<(), ContainerError> {
        let (label, owner) = self.label();
        let request = NetworkCreateRequest {
            name: name.to_owned(),
            labels: Some(HashMap::from([(label.to_owned(), owner.to_owned())])),
            ..NetworkCreateRequest::default()
        };
        let made = self.docker.create_network(request).await;
        made.map(drop)
            .map_err(|error| ContainerError::engine("make a network", &error))
    }

    /// Removes all containers and networks that were made through this, whatever became of
    /// what made them.
    ///
    /// # Errors
    /// If one can't be removed.
    pub async fn sweep(&self) -> Result<(), ContainerError> {
        let wrong = |error: Error| ContainerError::engine("remove what is left", &error);
        let (label, owner) = self.label();
        let mine = HashMap::from([("label".to_owned(), vec![format!("{label}={owner}")])]);
        let options = ListContainersOptionsBuilder::new().all(true).filters(&mine);
        let left = self.docker.list_containers(Some(options.build())).await;
        let left = left.map_err(wrong)?;
        let ids = left.iter().filter_map(|one| one.id.as_deref());
        let removals = ids.map(|id| {
            removed("remove a container", move || {
                let force = RemoveContainerOptionsBuilder::new().force(true).v(true);
                self.docker.remove_container(id, Some(force.build()))
            })
        });
        try_join_all(removals).await?;
        let options = ListNetworksOptionsBuilder::new().filters(&mine).build();
        let left = self.docker.list_networks(Some(options)).await;
        for id in left.map_err(wrong)?.into_iter().filter_map(|one| one.id) {
            removed("remove a network", || self.docker.remove_network(&id)).await?;
        }
        Ok(())
    }

    /// Its version, as it says.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Joins a container to another network.
    pub(crate) async fn join(&self, network: &str, id: &str) -> Result<(), ContainerError> {
        let request = NetworkConnectRequest {
            container: id.to_owned(),
            endpoint_config: None,
        };
        let joined = self.docker.connect_network(network, request).await;
        joined.map_err(|error| ContainerError::engine("join a network", &error))
    }

    /// Takes a container out of a network.
    pub(crate) async fn leave(&self, network: &str, id: &str) -> Result<(), ContainerError> {
        let request = NetworkDisconnectRequest {
            container: id.to_owned(),
            force: Some(true),
        };
        let left = self.docker.disconnect_network(network, request).await;
        left.map_err(|error| ContainerError::engine("leave a network", &error))
    }

    /// A container's address in a network.
    pub(crate) async fn address(&self, network: &str, id: &str) -> Result<String, ContainerError> {
        let what = "tell an address";
        let seen = self.docker.inspect_container(id, None).await;
        let seen = seen.map_err(|error| ContainerError::engine(what, &error))?;
        let networks = seen.network_settings.and_then(|all| all.networks);
        let here = networks.and_then(|mut all| all.remove(network));
        let address = here.and_then(|here| here.ip_address);
        let address = address.filter(|address| !address.is_empty());
        address.ok_or_else(|| ContainerError::engine(what, &"the container has none there"))
    }

    /// How many mails wait in the queue of the server in a container.
    pub(crate) async fn queued(&self, id: &str, whose: &str) -> Result<usize, ContainerError> {
        let text = self.exec(id, whose, &["queued"]).await?;
        let count = text.trim().parse();
        count.map_err(|_| ContainerError::Command {
            command: "queued".to_owned(),
            container: whose.to_owned(),
            output: text,
        })
    }

    /// Runs a command in a container and returns what it wrote.
    pub(crate) async fn exec(
        &self,
        id: &str,
        whose: &str,
        command: &[&str],
    ) -> Result<String, ContainerError> {
        let wrong = |error: Error| ContainerError::engine("run a command", &error);
        let config = ExecConfig {
            cmd: Some(command.iter().map(|word| (*word).to_owned()).collect()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..ExecConfig::default()
        };
        let made = self.docker.create_exec(id, config).await.map_err(wrong)?;
        let started = self.docker.start_exec(&made.id, None).await;
        let (mut out, mut error) = (Vec::new(), Vec::new());
        if let StartExecResults::Attached { mut output, .. } = started.map_err(wrong)? {
            while let Some(written) = output.next().await {
                match written.map_err(wrong)? {
                    LogOutput::StdErr { message } => error.extend_from_slice(&message),
                    other => out.extend_from_slice(&other.into_bytes()),
                }
            }
        }
        loop {
            let ended = self.docker.inspect_exec(&made.id).await.map_err(wrong)?;
            match ended.exit_code {
                // Its output ends a little earlier than itself.
                None => tokio::time::sleep(Duration::from_millis(10)).await,
                Some(0) => return Ok(String::from_utf8_lossy(&out).into_owned()),
                Some(_) => {
                    out.extend_from_slice(&error);
                    return Err(ContainerError::Command {
                        command: command.join(" "),
                        container: whose.to_owned(),
                        output: String::from_utf8_lossy(&out).into_owned(),
                    });
                }
            }
        }
    }
}

/// Asks for a removal until the thing is gone, whoever removed it.
async fn removed<F>(what: &str, ask: impl Fn() -> F) -> Result<(), ContainerError>
where
    F: Future<Output = Result<(), Error>>,
{
    let until = Instant::now() + REMOVAL;
    loop {
        let error = match ask().await {
            Ok(())
            | Err(Error::DockerResponseServerError {
                status_code: 404, ..
            }) => return Ok(()),
            Err(error) => error,
        };
        if Instant::now() > until {
            return Err(ContainerError::engine(what, &error));
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// An error with the causes below it, which the libraries leave out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        below = cause.source();
    }
    text
}
