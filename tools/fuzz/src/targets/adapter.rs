//! Both ends of the adapter protocol.

use std::error::Error;
use std::time::Duration;

use kith_adapter::act::{Act, ActResult};
use kith_adapter::client::{Client, Endpoint, Limits, Options};
use kith_adapter::protocol::{
    About, Close, Closed, Failure, Open, Opened, Receive, Received, Sync, Synced,
};
use kith_adapter::view::{View, ViewResult};
use kith_adapter::{Adapter, serve};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::{Mutator, Target};

/// The examples of the guide: requests and answers.
const GUIDE: &str = include_str!("../../../../conformance/adapter/GUIDE.md");

fn lines(wanted: &str) -> Vec<Vec<u8>> {
    let lines = GUIDE
        .lines()
        .filter(|line| line.starts_with("{\"jsonrpc\""));
    let lines = lines.filter(|line| line.contains(wanted));
    lines.map(|line| line.as_bytes().to_vec()).collect()
}

/// An adapter that can do nothing, but reads every request.
struct Nothing;

macro_rules! nothing {
    ($($name:ident($given:ty) -> $result:ty;)*) => {
        $(async fn $name(&mut self, _: $given) -> Result<$result, Failure> {
            Err(Failure::Unsupported(stringify!($name).to_owned()))
        })*
    };
}

impl Adapter for Nothing {
    async fn hello(&mut self) -> Result<About, Failure> {
        Err(Failure::Unsupported("hello".to_owned()))
    }

    async fn bye(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    nothing! {
        open(Open) -> Opened;
        sync(Sync) -> Synced;
        act(Act) -> ActResult;
        view(View) -> ViewResult;
        receive(Receive) -> Received;
        close(Close) -> Closed;
    }
}

/// What the harness says to an adapter.
pub(super) struct Requests {
    seeds: Vec<Vec<u8>>,
}

impl Requests {
    pub(super) fn new() -> Self {
        Self {
            seeds: lines("\"method\""),
        }
    }
}

impl Target for Requests {
    fn name(&self) -> &'static str {
        "adapter-requests"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let mut octets = Vec::new();
        for _ in 0..4 {
            let line = mutator.choose(&self.seeds).clone();
            let other = mutator.choose(&self.seeds);
            octets.extend(mutator.mutate(line, other));
            octets.push(b'\n');
        }
        let mut answers = Vec::new();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        // A connection that breaks is no finding; memory doesn't.
        let _ = runtime.block_on(serve(octets.as_slice(), &mut answers, Nothing));
        for line in answers.split(|octet| *octet == b'\n') {
            if !line.is_empty() {
                let answer = serde_json::from_slice::<serde_json::Value>(line);
                answer.map_err(|error| format!("an answer is not JSON: {error}"))?;
            }
        }
        Ok(())
    }
}

/// What an adapter says to the harness.
pub(super) struct Answers {
    runtime: Runtime,
    seeds: Vec<Vec<u8>>,
}

impl Answers {
    pub(super) fn new() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            runtime: Runtime::new()?,
            seeds: lines("\"result\""),
        })
    }
}

impl Target for Answers {
    fn name(&self) -> &'static str {
        "adapter-answers"
    }

    fn play(&mut self, mutator: &mut Mutator) -> Result<(), String> {
        let mut answers = vec![self.seeds[0].clone()];
        for _ in 0..3 {
            let line = mutator.choose(&self.seeds).clone();
            let other = mutator.choose(&self.seeds);
            answers.push(mutator.mutate(line, other));
        }
        if mutator.below(4) == 0 {
            answers.remove(0);
        }
        self.runtime
            .block_on(converse(answers))
            .map_err(|error| error.to_string())
    }
}

/// Says hello and asks three times, of an adapter that gives these answers.
async fn converse(answers: Vec<Vec<u8>>) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let adapter = tokio::spawn(async move {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        let (reader, mut writer) = stream.into_split();
        let mut requests = BufReader::new(reader).lines();
        for (id, mut answer) in (1..).zip(answers) {
            let Ok(Some(_)) = requests.next_line().await else {
                return;
            };
            // The ids of the guide are others.
            if let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(&answer)
                && value.is_object()
            {
                value["id"] = id.into();
                answer = value.to_string().into_bytes();
            }
            answer.push(b'\n');
            if writer.write_all(&answer).await.is_err() {
                return;
            }
        }
    });
    let host = "127.0.0.1".to_owned();
    let endpoint = Endpoint::Tcp { host, port };
    let short = Duration::from_secs(2);
    let options = Options {
        limits: Some(Limits::all(short)),
        ..Options::default()
    };
    if let Ok(mut client) = Client::connect(&endpoint, options).await {
        let now = time::OffsetDateTime::UNIX_EPOCH.into();
        for _ in 0..2 {
            let _ = client.sync(1, now).await;
        }
        let query = kith_adapter::view::Query::Friends(kith_adapter::view::relation::Friends {});
        let _ = client.look(1, query).await;
        client.kill().await;
    }
    adapter.abort();
    Ok(())
}
