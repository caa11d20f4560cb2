//! A connection to an adapter: lines to it, lines from it, and its process.

use std::{
    collections::VecDeque,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    process::{Child, ChildStderr},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{
    Command, ConnectError, Endpoint, FaultKind, Transcript,
    transcript::{Sender, shorten},
};
use crate::{
    line::{Line, Lines},
    protocol::{Method, Open},
};

/// How much of standard error is kept.
const STDERR: usize = 64 * 1024;
/// From here on, output that nobody asked for is a flood.
const FLOOD: usize = 256 * 1024;
/// How long to watch whether unasked output is a flood.
const FLOOD_WATCH: Duration = Duration::from_millis(300);
/// How long a process may take to end once its output has ended.
const END: Duration = Duration::from_secs(2);
/// How long to wait for a TCP connection.
const TCP: Duration = Duration::from_secs(10);

/// A request as a line.
pub(crate) struct Request {
    line: Vec<u8>,
    /// The line without the password in it: with a real account that would end up in reports.
    shown: Option<Vec<u8>>,
}

impl Request {
    pub(crate) fn new(id: u64, method: &str, params: &impl Serialize) -> serde_json::Result<Self> {
        #[derive(Serialize)]
        struct Call<'a, P> {
            jsonrpc: &'a str,
            id: u64,
            method: &'a str,
            params: &'a P,
        }
        let call = Call {
            jsonrpc: "2.0",
            id,
            method,
            params,
        };
        let shown = (method == Open::NAME)
            .then(|| {
                let mut call = serde_json::to_value(&call)?;
                if let Some(password) = call.pointer_mut("/params/password") {
                    *password = Value::from("…");
                }
                serde_json::to_vec(&call)
            })
            .transpose()?;
        let mut line = serde_json::to_vec(&call)?;
        line.push(b'\n');
        Ok(Self { line, shown })
    }

    /// A request that holds no password.
    pub(crate) fn plain(request: &Value) -> Self {
        let line = format!("{request}\n").into_bytes();
        Self { line, shown: None }
    }

    /// The line as it may be shown.
    fn shown(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        self.shown.as_deref().unwrap_or(line)
    }
}

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

pub(crate) struct Connection {
    lines: Lines<Reader>,
    /// None once the adapter was told that nothing more comes.
    writer: Option<Writer>,
    child: Option<Child>,
    stderr: Option<Stderr>,
    pub(crate) transcript: Transcript,
}

impl Connection {
    pub(crate) async fn open(endpoint: &Endpoint) -> Result<Self, ConnectError> {
        match endpoint {
            Endpoint::Exec(command) => Self::start(command),
            Endpoint::Tcp { host, port } => Self::attach(host, *port).await,
            Endpoint::Docker(image) => Err(ConnectError::Docker(image.clone())),
            Endpoint::Builtin(name) => Err(ConnectError::Builtin(name.clone())),
        }
    }

    fn start(command: &Command) -> Result<Self, ConnectError> {
        let mut child = tokio::process::Command::new(&command.program)
            .args(&command.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| ConnectError::Start {
                command: command.to_string(),
                error,
            })?;
        let taken = "because it was made a pipe above and is taken once";
        let stdin = child.stdin.take().expect(taken);
        let stdout = child.stdout.take().expect(taken);
        let stderr = child.stderr.take().expect(taken);
        Ok(Self {
            lines: Lines::new(Box::new(stdout)),
            writer: Some(Box::new(stdin)),
            child: Some(child),
            stderr: Some(Stderr::follow(stderr)),
            transcript: Transcript::default(),
        })
    }

    async fn attach(host: &str, port: u16) -> Result<Self, ConnectError> {
        let failed = |error| ConnectError::Tcp {
            address: format!("{host}:{port}"),
            error,
        };
        let stream = timeout(TCP, TcpStream::connect((host, port)))
            .await
            .map_err(|_| failed(std::io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let (reader, writer) = stream.into_split();
        Ok(Self {
            lines: Lines::new(Box::new(reader)),
            writer: Some(Box::new(writer)),
            child: None,
            stderr: None,
            transcript: Transcript::default(),
        })
    }

    /// Sends a request, a line, and reads the next line, both at once, so that an
    /// adapter that writes without reading blocks nobody.
    pub(crate) async fn exchange(
        &mut self,
        request: &Request,
        limit: Duration,
    ) -> Result<Vec<u8>, FaultKind> {
        self.transcript.add(Sender::Harness, request.shown());
        let mut writer = self.writer.take().ok_or(FaultKind::OutOfStep)?;
        let write = async {
            // A failure shows as the end of the adapter's output, with more to
            // tell.
            let _ = writer.write_all(&request.line).await;
            let _ = writer.flush().await;
        };
        let read = Self::read(&mut self.lines);
        let both = timeout(limit, async { tokio::join!(write, read).1 }).await;
        self.writer = Some(writer);
        self.line(both.unwrap_or(Err(FaultKind::Hung(limit)))).await
    }

    /// Sends octets that need not be a request.
    pub(crate) async fn send(&mut self, octets: &[u8], limit: Duration) -> Result<(), FaultKind> {
        self.transcript.add(Sender::Harness, octets);
        let writer = self.writer.as_mut().ok_or(FaultKind::OutOfStep)?;
        let write = async {
            writer.write_all(octets).await?;
            writer.flush().await
        };
        match timeout(limit, write).await {
            Ok(written) => written.map_err(FaultKind::Broken),
            Err(_) => Err(FaultKind::Hung(limit)),
        }
    }

    /// Reads the next line that isn't blank.
    pub(crate) async fn receive(&mut self, limit: Duration) -> Result<Vec<u8>, FaultKind> {
        let line = timeout(limit, Self::read(&mut self.lines)).await;
        self.line(line.unwrap_or(Err(FaultKind::Hung(limit)))).await
    }

    async fn read(lines: &mut Lines<Reader>) -> Result<Vec<u8>, FaultKind> {
        let mut blank = 0;
        loop {
            match lines.next().await.map_err(FaultKind::Broken)? {
                Line::Full(line) if line.iter().all(u8::is_ascii_whitespace) => {
                    blank += line.len() + 1;
                    if blank > FLOOD {
                        return Err(FaultKind::Flood {
                            octets: blank,
                            line: String::new(),
                        });
                    }
                }
                Line::Full(line) => return Ok(line),
                Line::End(_) => return Err(FaultKind::Closed),
                Line::TooLong => return Err(FaultKind::LongLine),
            }
        }
    }

    /// Notes a line, or finds out why there is none.
    async fn line(&mut self, line: Result<Vec<u8>, FaultKind>) -> Result<Vec<u8>, FaultKind> {
        match line {
            Ok(line) => {
                self.transcript.add(Sender::Adapter, &line);
                Ok(line)
            }
            Err(FaultKind::Closed | FaultKind::Broken(_)) if self.child.is_some() => {
                Err(match self.wait(END).await {
                    Some(status) => FaultKind::Exited(status),
                    None => FaultKind::Closed,
                })
            }
            Err(kind) => Err(kind),
        }
    }

    /// Whether the adapter goes on writing after a line that is no answer.
    pub(crate) async fn flood(&mut self, first: &[u8]) -> Option<FaultKind> {
        let mut octets = first.len();
        let watch = async {
            while octets < FLOOD {
                match self.lines.next().await {
                    Ok(Line::Full(line)) => octets += line.len() + 1,
                    _ => return,
                }
            }
        };
        // Running out of time is the good end here.
        let _ = timeout(FLOOD_WATCH, watch).await;
        (octets >= FLOOD).then(|| FaultKind::Flood {
            octets,
            line: shorten(first),
        })
    }

    /// Waits for the process to end.
    async fn wait(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
        timeout(limit, self.child.as_mut()?.wait()).await.ok()?.ok()
    }

    /// Tells the adapter that nothing more comes.
    pub(crate) async fn finish_input(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            // Who has gone already needn't be told.
            let _ = writer.shutdown().await;
        }
    }

    /// Waits for the end of an adapter that was told to end.
    pub(crate) async fn end(&mut self, limit: Duration) -> Result<(), FaultKind> {
        if self.child.is_some() {
            return match self.wait(limit).await {
                Some(status) if status.success() => Ok(()),
                Some(status) => Err(FaultKind::BadExit(status)),
                None => Err(FaultKind::Lingers(limit)),
            };
        }
        match timeout(limit, Self::read(&mut self.lines)).await {
            Ok(Ok(line)) => Err(FaultKind::Flood {
                octets: line.len(),
                line: shorten(&line),
            }),
            Ok(Err(_)) => Ok(()),
            Err(_) => Err(FaultKind::Lingers(limit)),
        }
    }

    pub(crate) async fn kill(&mut self) {
        self.writer = None;
        if let Some(child) = &mut self.child {
            // It fails only if the process has ended.
            let _ = child.kill().await;
        }
    }

    /// The end of what was written to standard error.
    pub(crate) async fn stderr(&mut self) -> String {
        let ended = match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(Some(_))),
            None => false,
        };
        match &mut self.stderr {
            Some(stderr) => stderr.text(ended).await,
            None => String::new(),
        }
    }
}

/// The end of a process's standard error.
struct Stderr {
    tail: Arc<Mutex<VecDeque<u8>>>,
    task: JoinHandle<()>,
}

impl Stderr {
    fn follow(mut stream: ChildStderr) -> Self {
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&tail);
        let task = tokio::spawn(async move {
            let mut chunk = vec![0; 8 * 1024];
            while let Ok(octets @ 1..) = stream.read(&mut chunk).await {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend(&chunk[..octets]);
                let excess = kept.len().saturating_sub(STDERR);
                kept.drain(..excess);
            }
        });
        Self { tail, task }
    }

    /// The text; all of it if the process has ended, and no child of its own
    /// holds the stream open.
    async fn text(&mut self, ended: bool) -> String {
        if ended && !self.task.is_finished() {
            for _ in 0..20 {
                sleep(Duration::from_millis(10)).await;
                if self.task.is_finished() {
                    break;
                }
            }
        }
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let octets: Vec<u8> = tail.iter().copied().collect();
        String::from_utf8_lossy(&octets).into_owned()
    }
}

impl Drop for Stderr {
    fn drop(&mut self) {
        self.task.abort();
    }
}
