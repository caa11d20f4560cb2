//! Getting a small file by HTTPS. TLS is that of the mail servers, with the same checks.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use url::Url;

use super::endpoint;
use crate::account::TlsMode;
use crate::connect::{ConnectError, Dialer, Protocol};

/// How long a file may take, redirections included.
const TIME: Duration = Duration::from_secs(10);
/// Octets of a file.
const OCTETS: usize = 64 * 1024;
/// Redirections on the way to it.
const REDIRECTIONS: usize = 3;

/// Why a file can't be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum WebError {
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("the body can't be read or is too large ({0})")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("the server answers {0}")]
    Status(u16),
    #[error("{0} is no address of HTTPS")]
    Url(String),
    #[error("there are too many redirections")]
    Redirections,
    #[error("it takes too long")]
    Time,
}

pub(super) async fn get(
    dialer: &Dialer,
    at: Option<SocketAddr>,
    url: &str,
) -> Result<Vec<u8>, WebError> {
    let wrong = || WebError::Url(url.to_owned());
    let mut url = Url::parse(url).map_err(|_| wrong())?;
    let found = async {
        for _ in 0..=REDIRECTIONS {
            let answer = ask(dialer, at, &url).await?;
            match answer.status().as_u16() {
                200 => {
                    let body = Limited::new(answer.into_body(), OCTETS).collect().await;
                    return Ok(body.map_err(WebError::Body)?.to_bytes().to_vec());
                }
                301..=303 | 307 | 308 => {
                    let next = answer.headers().get(LOCATION);
                    let next = next.and_then(|next| next.to_str().ok()).unwrap_or_default();
                    let wrong = |_| WebError::Url(next.to_owned());
                    url = url.join(next).map_err(wrong)?;
                }
                other => return Err(WebError::Status(other)),
            }
        }
        Err(WebError::Redirections)
    };
    timeout(TIME, found).await.unwrap_or(Err(WebError::Time))
}

async fn ask(
    dialer: &Dialer,
    at: Option<SocketAddr>,
    url: &Url,
) -> Result<Response<hyper::body::Incoming>, WebError> {
    let wrong = || WebError::Url(url.to_string());
    let host = url.domain().filter(|_| url.scheme() == "https");
    let host = host.ok_or_else(wrong)?;
    let mut server = endpoint(host.to_owned(), url.port().unwrap_or(443), TlsMode::Tls);
    if let Some(at) = at {
        server.connect = Some(at.ip().to_string());
        server.port = at.port();
    }
    let stream = dialer.dial(&server, Protocol::Https).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the answer.
    tokio::spawn(connection);
    let name = url
        .port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = Request::get(path)
        .header(HOST, name)
        .header(USER_AGENT, "kith")
        .header(ACCEPT, "text/xml, application/xml")
        .body(Empty::<Bytes>::new());
    Ok(sender.send_request(request.map_err(|_| wrong())?).await?)
}
