//! The file in which a domain describes its mail servers, as Thunderbird reads it: the first IMAP and
//! the first SMTP server that have TLS and fit the way to log in.

use kith_core::agent::address;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{endpoint, host_name};
use crate::account::{Auth, Endpoint, TlsMode};

/// Elements that lie in one another.
const DEPTH: usize = 16;
/// Octets of a login name.
const USER: usize = 254;

/// What a file tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The IMAP server, and the login name if it isn't the address.
    pub(super) mailbox: Option<(Endpoint, Option<String>)>,
    /// The submission server, likewise.
    pub(super) submission: Option<(Endpoint, Option<String>)>,
    /// There are servers, but none where one can log in so.
    pub(super) other_login: bool,
}

/// Why a file can't be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AutoconfigError {
    #[error("it is no XML: {0}")]
    Xml(String),
    #[error("it has a document type, which is not read")]
    Doctype,
    #[error("it has more than {DEPTH} elements in one another")]
    Deep,
    #[error("it uses the entity {0}, which it can't declare")]
    Entity(String),
    #[error("it describes no mail server")]
    Empty,
}

/// One server, as far as it was read.
#[derive(Default)]
struct Server {
    is_mailbox: bool,
    host: String,
    port: String,
    socket: String,
    user: String,
    logins: Vec<String>,
}

/// Reads a file for an address and a way to log in.
pub(super) fn read(octets: &[u8], of: &str, auth: Auth) -> Result<Told, AutoconfigError> {
    let mut reader = Reader::from_str(std::str::from_utf8(octets).map_err(xml)?);
    reader.config_mut().expand_empty_elements = true;
    let mut told = Told::default();
    let (mut path, mut text, mut server) = (Vec::new(), String::new(), None);
    let mut servers = 0;
    loop {
        match reader.read_event().map_err(xml)? {
            Event::Start(start) => {
                if path.len() == DEPTH {
                    return Err(AutoconfigError::Deep);
                }
                if path == ["clientConfig", "emailProvider"] {
                    server = begin(&start)?;
                }
                path.push(start.name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::CData(part) => text.push_str(&part),
            Event::GeneralRef(entity) => {
                let number = entity.resolve_char_ref().map_err(xml)?;
                let character = number.or_else(|| predefined(&entity));
                text.push(character.ok_or_else(|| AutoconfigError::Entity(entity.to_string()))?);
            }
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                match path.len() {
                    3 => {
                        if let Some(server) = &mut server {
                            server.part(&name, text.trim());
                        }
                    }
                    2 => {
                        if let Some(server) = server.take() {
                            servers += 1;
                            told.take(&server, of, auth);
                        }
                    }
                    _ => {}
                }
                text.clear();
            }
            Event::DocType(_) => return Err(AutoconfigError::Doctype),
            Event::Eof => break,
            _ => {}
        }
    }
    if servers == 0 {
        return Err(AutoconfigError::Empty);
    }
    Ok(told)
}

fn xml(error: impl std::fmt::Display) -> AutoconfigError {
    AutoconfigError::Xml(error.to_string())
}

fn predefined(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

/// A server of a protocol that is spoken here.
fn begin(start: &BytesStart<'_>) -> Result<Option<Server>, AutoconfigError> {
    let protocol = start.try_get_attribute("type").map_err(xml)?;
    let protocol = protocol.map(|protocol| protocol.value.into_owned());
    let is_mailbox = match (start.name().as_ref(), protocol.as_deref()) {
        ("incomingServer", Some("imap")) => true,
        ("outgoingServer", Some("smtp")) => false,
        _ => return Ok(None),
    };
    Ok(Some(Server {
        is_mailbox,
        ..Server::default()
    }))
}

impl Server {
    fn part(&mut self, name: &str, text: &str) {
        let place = match name {
            "hostname" => &mut self.host,
            "port" => &mut self.port,
            "socketType" => &mut self.socket,
            "username" => &mut self.user,
            "authentication" => return self.logins.push(text.to_owned()),
            _ => return,
        };
        text.clone_into(place);
    }

    /// Whether one can log in so, in its TLS.
    fn takes(&self, auth: Auth) -> bool {
        let fits = |login: &String| match auth {
            Auth::Password => login == "password-cleartext" || login == "plain",
            Auth::Oauth2 => login == "OAuth2",
        };
        self.logins.is_empty() || self.logins.iter().any(fits)
    }

    fn endpoint(&self, of: &str) -> Option<Endpoint> {
        let mode = match self.socket.as_str() {
            "SSL" => TlsMode::Tls,
            "STARTTLS" => TlsMode::Starttls,
            _ => return None,
        };
        let host = host_name(&filled(&self.host, of))?;
        let port = self.port.parse().ok().filter(|&port| port != 0)?;
        Some(endpoint(host, port, mode))
    }

    fn user(&self, of: &str) -> Option<String> {
        let user = filled(&self.user, of);
        let fits = !user.is_empty() && user.len() <= USER && !user.contains(char::is_control);
        (fits && user != of).then_some(user)
    }
}

/// A text with what stands for parts of the address.
fn filled(text: &str, of: &str) -> String {
    let local = of.rsplit_once('@').map_or(of, |(local, _)| local);
    text.replace("%EMAILADDRESS%", of)
        .replace("%EMAILLOCALPART%", local)
        .replace("%EMAILDOMAIN%", &address::domain(of))
}

impl Told {
    fn take(&mut self, server: &Server, of: &str, auth: Auth) {
        let Some(endpoint) = server.endpoint(of) else {
            return;
        };
        let place = match server.is_mailbox {
            true => &mut self.mailbox,
            false => &mut self.submission,
        };
        if !server.takes(auth) {
            self.other_login |= place.is_none();
        } else if place.is_none() {
            *place = Some((endpoint, server.user(of)));
        }
        if self.mailbox.is_some() && self.submission.is_some() {
            self.other_login = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: &str = "alice@example.org";

    fn incoming(socket: &str, login: &str, user: &str) -> String {
        format!(
            "<incomingServer type='imap'><hostname>mail.%EMAILDOMAIN%</hostname><port>993</port>\
             <socketType>{socket}</socketType><username>{user}</username>\
             <authentication>{login}</authentication></incomingServer>"
        )
    }

    fn file(servers: &str) -> String {
        format!(
            "<?xml version='1.0'?><clientConfig version='1.1'><emailProvider id='example.org'>\
             <domain>example.org</domain>{servers}</emailProvider></clientConfig>"
        )
    }

    fn mailbox(servers: &str) -> Option<(Endpoint, Option<String>)> {
        read(file(servers).as_bytes(), ALICE, Auth::Password)
            .unwrap()
            .mailbox
    }

    #[test]
    fn the_first_server_with_tls_and_password_is_taken() {
        let plain = incoming("plain", "password-cleartext", "%EMAILADDRESS%");
        let modern = incoming("SSL", "OAuth2", "%EMAILADDRESS%");
        let usual = incoming("SSL", "password-cleartext", "%EMAILADDRESS%");
        let pop = usual.replace("'imap'", "'pop3'");
        let wanted = endpoint("mail.example.org".to_owned(), 993, TlsMode::Tls);
        assert_eq!(
            mailbox(&format!("{pop}{plain}{modern}{usual}")),
            Some((wanted, None))
        );
        assert_eq!(mailbox(&plain), None);
        let told = |auth| read(file(&modern).as_bytes(), ALICE, auth).unwrap();
        let with_password = told(Auth::Password);
        assert!(with_password.mailbox.is_none() && with_password.other_login);
        let with_token = told(Auth::Oauth2);
        assert!(with_token.mailbox.is_some() && !with_token.other_login);
    }

    #[test]
    fn login_names_follow_the_file() {
        let user = |user: &str| mailbox(&incoming("STARTTLS", "plain", user)).unwrap().1;
        assert_eq!(user("%EMAILLOCALPART%"), Some("alice".to_owned()));
        assert_eq!(user("x&amp;%EMAILLOCALPART%"), Some("x&alice".to_owned()));
        assert_eq!(user("a&#10;b"), None);
        assert_eq!(user(""), None);
    }

    #[test]
    fn what_is_no_such_file_is_refused() {
        let read = |text: &str| read(text.as_bytes(), ALICE, Auth::Password).unwrap_err();
        let bomb = "<!DOCTYPE a [<!ENTITY b 'c'>]><clientConfig/>";
        assert_eq!(read(bomb), AutoconfigError::Doctype);
        assert_eq!(read(&"<a>".repeat(20)), AutoconfigError::Deep);
        assert_eq!(read(&file("&b;")), AutoconfigError::Entity("b".to_owned()));
        assert_eq!(read(&file("")), AutoconfigError::Empty);
        assert_eq!(read(""), AutoconfigError::Empty);
        for text in ["<a></b>", "<html><p>Not found</html>", "&", "<"] {
            let error = read(text);
            assert!(
                matches!(error, AutoconfigError::Xml(_) | AutoconfigError::Empty),
                "{text}: {error}"
            );
        }
        let wrong = incoming("SSL", "plain", "").replace("993", "0");
        assert_eq!(mailbox(&wrong), None);
        let wrong = incoming("SSL", "plain", "").replace("mail.", "mail/");
        assert_eq!(mailbox(&wrong), None);
    }
}
