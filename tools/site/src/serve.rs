//! A small server for authors: shows the document from memory and has open
//! pages reload when it changes.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use maud::{DOCTYPE, html};
use tiny_http::{Header, Request, Response};

use crate::site::Files;

/// How long a look at the sources may be old.
const PERIOD: Duration = Duration::from_millis(500);
/// Asks for the number of the version that is shown.
const VERSION: &str = "/.version";
/// Reloads a page when there is another version.
const RELOAD: &str = "<script>(async()=>{const v=async()=>{try{return await(await fetch('/.version')).text()}\
                      catch{return null}};let a=await v();setInterval(async()=>{const b=await v();\
                      if(b&&a&&b!==a)location.reload();a=b||a},700)})()</script>";

/// A server that listens.
pub struct Server {
    http: tiny_http::Server,
    address: SocketAddr,
}

impl Server {
    /// Listens on a port of this machine; 0 lets the system choose.
    pub fn listen(port: u16) -> io::Result<Self> {
        let http = tiny_http::Server::http(("127.0.0.1", port)).map_err(io::Error::other)?;
        let address = http.server_addr().to_ip();
        let address = address.ok_or_else(|| io::Error::other("the server has no IP address"))?;
        Ok(Self { http, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Serves until the process ends. `renew` is asked now and then, and gives the
/// document, or what is wrong with it, where the sources have changed.
pub fn serve(
    server: &Server,
    mut renew: impl FnMut() -> Option<Result<Files, String>>,
) -> io::Result<()> {
    let mut current = Ok(Files::new());
    let mut version = 0u64;
    let mut looked: Option<Instant> = None;
    loop {
        if looked.is_none_or(|looked| looked.elapsed() >= PERIOD) {
            if let Some(renewed) = renew() {
                current = renewed;
                version += 1;
            }
            looked = Some(Instant::now());
        }
        if let Some(request) = server.http.recv_timeout(PERIOD)? {
            // A reader who went away is no failure of the server.
            let _ = answer(request, &current, version);
        }
    }
}

fn answer(request: Request, current: &Result<Files, String>, version: u64) -> io::Result<()> {
    let path = request
        .url()
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_owned();
    if path == VERSION {
        return request.respond(response("text/plain", version.to_string(), 200));
    }
    let name = match path.trim_start_matches('/') {
        "" => "index.html",
        name => name,
    };
    match current {
        Err(problems) => request.respond(response("text/html", faulty(problems), 500)),
        Ok(files) => match files.get(name) {
            Some(text) if name.ends_with(".html") => {
                request.respond(response("text/html", format!("{text}{RELOAD}"), 200))
            }
            Some(text) => request.respond(response(media_type(name), text.clone(), 200)),
            None => request.respond(response(
                "text/plain",
                "There is no such page.\n".into(),
                404,
            )),
        },
    }
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        _ => "text/plain",
    }
}

fn faulty(problems: &str) -> String {
    let page = html! {
        (DOCTYPE)
        title { "The document has mistakes" }
        h1 { "The document has mistakes" }
        pre style="white-space: pre-wrap" { (problems) }
    };
    format!("{}{RELOAD}", page.into_string())
}

fn response(kind: &str, text: String, status: u16) -> Response<io::Cursor<Vec<u8>>> {
    let response = Response::from_string(text).with_status_code(status);
    let fields = [
        ("Content-Type", format!("{kind}; charset=utf-8")),
        ("Cache-Control", "no-store".into()),
    ];
    fields.iter().fold(
        response,
        |response, (name, value)| match Header::from_bytes(name.as_bytes(), value.as_bytes()) {
            Ok(header) => response.with_header(header),
            Err(()) => response,
        },
    )
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    fn get(address: SocketAddr, path: &str) -> String {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn pages_are_served_and_follow_changes() {
        let server = Server::listen(0).unwrap();
        let address = server.address();
        let (sender, receiver) = channel();
        let files: Files = [("index.html", "<p>one"), ("site.js", "1")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into();
        sender.send(Ok(files)).unwrap();
        thread::spawn(move || serve(&server, || receiver.try_recv().ok()));
        let page = get(address, "/?x");
        assert!(page.starts_with("HTTP/1.0 200"), "{page}");
        assert!(page.contains("<p>one<script>"), "{page}");
        assert!(get(address, "/site.js").ends_with("\r\n\r\n1"));
        assert!(get(address, "/gone.html").starts_with("HTTP/1.0 404"));
        assert!(get(address, VERSION).ends_with("\r\n\r\n1"));
        sender.send(Err("a.md:1: <wrong>".to_owned())).unwrap();
        let mut tries = 0;
        while !get(address, VERSION).ends_with("\r\n\r\n2") && tries < 100 {
            thread::sleep(PERIOD / 5);
            tries += 1;
        }
        let page = get(address, "/");
        assert!(page.starts_with("HTTP/1.0 500"), "{page}");
        assert!(page.contains("a.md:1: &lt;wrong&gt;"), "{page}");
    }
}
