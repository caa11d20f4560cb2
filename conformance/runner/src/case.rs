//! What a case is: a stable id, the requirements it bears, and the scene it plays.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use kith_adapter::protocol::{Failure, KeyKind};
use kith_spec::{Class, Level, Rule};
use kith_testbed::Config;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scene::Scene;

/// How far up an implementer has to be for a case to make sense. Runs go from
/// the bottom to the top.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// What one mail that the agent sends looks like.
    Wire,
    /// Requests, both ways.
    Request,
    /// The way from a request to a friendship.
    Handshake,
    /// Private messages.
    Message,
    /// Everything else.
    Rest,
}

impl Rung {
    /// All rungs, from the bottom.
    pub const ALL: [Self; 5] = [
        Self::Wire,
        Self::Request,
        Self::Handshake,
        Self::Message,
        Self::Rest,
    ];

    /// The word for it in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wire => "wire",
            Self::Request => "request",
            Self::Handshake => "handshake",
            Self::Message => "message",
            Self::Rest => "rest",
        }
    }
}

/// Why a case ends early.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Stop {
    /// A required assertion failed; the scene has it on record.
    #[error("an assertion failed")]
    Failed,
    /// The implementation did something that it must not, whatever the case is about.
    #[error("{0}")]
    Agent(String),
    /// The adapter died, hung or spoke no JSON-RPC.
    #[error("the adapter: {0}")]
    Adapter(String),
    /// The adapter doesn't have what the case needs.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The case can't be tested here.
    #[error("not tested: {0}")]
    NotTested(String),
    /// The harness did something wrong.
    #[error("fault of the harness: {0}")]
    Harness(String),
}

impl Stop {
    /// A fault of the harness, from any error.
    pub fn harness(error: impl fmt::Display) -> Self {
        Self::Harness(error.to_string())
    }
}

impl From<kith_testbed::TestbedError> for Stop {
    fn from(error: kith_testbed::TestbedError) -> Self {
        Self::harness(error)
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unsupported(name) => Self::Unsupported(name),
            Failure::InvalidParams(text) => {
                Self::Harness(format!("the adapter calls the parameters invalid: {text}"))
            }
            other => Self::Agent(other.to_string()),
        }
    }
}

/// What a case does in its scene.
pub type Play = Arc<dyn Fn(Scene) -> BoxFuture<'static, Result<(), Stop>> + Send + Sync>;

/// One case of the suite.
#[derive(Clone)]
pub struct Case {
    /// Stable and kebab-case: `friends/request/note-too-long`. A variant by the
    /// kind of keys ends in `@v6`.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// What it tests. Each of these must be asserted when it passes.
    pub requirements: Vec<Rule>,
    /// The feature class without which it makes no sense.
    pub class: Class,
    /// The strongest level of its requirements.
    pub level: Level,
    /// The version of the specification from which on it counts.
    pub since: &'static str,
    /// The kind of keys the agent under test makes.
    pub keys: KeyKind,
    /// The embedded mail server: `embedded`, or with a suffix that tells what is special about
    /// it. The results of a run on a server outside this process name that one instead.
    pub server: String,
    /// How the embedded server is set up.
    pub(crate) config: Config,
    /// Whether the agent reaches the embedded server by STARTTLS, and not by TLS from the first
    /// octet.
    pub(crate) starttls: bool,
    /// When in a run it comes.
    pub rung: Rung,
    /// The ids of the cases without which this one says nothing.
    pub needs: Vec<String>,
    /// Whether it is also played on servers outside this process: it asks nothing of the
    /// server that only the embedded one can.
    pub on_servers: bool,
    /// Whether something happens in it to servers outside this process; no other case is
    /// played meanwhile.
    pub outage: bool,
    play: Play,
}

impl Case {
    /// A case for version-4 keys, of the class and level that its requirements give.
    pub fn new<F, Fut>(id: &str, title: &str, rung: Rung, requirements: &[Rule], play: F) -> Self
    where
        F: Fn(Scene) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), Stop>> + Send + 'static,
    {
        let classes = requirements.iter().map(|rule| rule.class);
        let levels = requirements.iter().map(|rule| rule.level);
        Self {
            id: id.to_owned(),
            title: title.to_owned(),
            requirements: requirements.to_vec(),
            class: classes.max().unwrap_or(Class::Core),
            level: levels.min().unwrap_or(Level::Must),
            since: "1.0",
            keys: KeyKind::V4,
            server: "embedded".to_owned(),
            config: Config::default(),
            starttls: false,
            rung,
            needs: Vec::new(),
            on_servers: false,
            outage: false,
            play: Arc::new(move |scene| Box::pin(play(scene))),
        }
    }

    /// Without these cases this one says nothing: if one fails it is blocked.
    #[must_use]
    pub fn needs(mut self, ids: &[&str]) -> Self {
        self.needs.extend(ids.iter().map(|id| (*id).to_owned()));
        self
    }

    /// It is also played on servers outside this process.
    #[must_use]
    pub fn on_servers(mut self) -> Self {
        self.on_servers = true;
        self
    }

    /// It is only played on servers outside this process that things can happen to.
    #[must_use]
    pub fn with_outage(mut self) -> Self {
        self.outage = true;
        self.on_servers()
    }

    /// It belongs to another class than its requirements say.
    #[must_use]
    pub fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// It plays on an embedded server of this kind.
    #[must_use]
    pub fn on(mut self, kind: &str, set_up: impl FnOnce(&mut Config)) -> Self {
        self.server = format!("embedded-{kind}");
        set_up(&mut self.config);
        self
    }

    /// The agent reaches the embedded server by STARTTLS.
    #[must_use]
    pub fn by_starttls(mut self) -> Self {
        self.starttls = true;
        self.on("starttls", |_| ())
    }

    /// The same case for each kind of keys: itself with version 4, and one
    /// whose id ends in `@v6`.
    pub fn for_all_keys(self) -> [Self; 2] {
        let mut v6 = self.clone();
        v6.id.push_str("@v6");
        v6.keys = KeyKind::V6;
        [self, v6]
    }

    /// What the case is run with, by name, on the embedded server.
    pub fn axes(&self) -> Vec<(&'static str, &str)> {
        let keys = match self.keys {
            KeyKind::V4 => "v4",
            KeyKind::V6 => "v6",
            KeyKind::Pq => "pq",
        };
        vec![("key", keys), ("server", &self.server)]
    }

    pub(crate) fn play(&self, scene: Scene) -> BoxFuture<'static, Result<(), Stop>> {
        (self.play)(scene)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("id", &self.id)
            .field("requirements", &self.requirements)
            .field("rung", &self.rung)
            .finish_non_exhaustive()
    }
}
