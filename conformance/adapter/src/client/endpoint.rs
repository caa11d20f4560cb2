//! Where an adapter is: `exec:`, `tcp:`, `docker:` or `builtin:`.

use std::{ffi::OsString, fmt, str::FromStr};

/// Where an adapter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `exec:CMD ARGS…`: a child process.
    Exec(Command),
    /// `tcp:HOST:PORT`: one that is already running.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// `docker:IMAGE`: a container on the test network.
    Docker(String),
    /// `builtin:NAME`: one that comes with the program, which knows the command
    /// to start it: see [`Endpoint::resolve`].
    Builtin(String),
}

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The program.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl Endpoint {
    /// Replaces `builtin:NAME` with the command that `find` knows for it, and
    /// leaves everything else as it is.
    #[must_use]
    pub fn resolve(self, find: impl FnOnce(&str) -> Option<Command>) -> Self {
        match self {
            Self::Builtin(name) => find(&name).map_or(Self::Builtin(name), Self::Exec),
            other => other,
        }
    }
}

/// A text that names no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It doesn't begin with a known word and a colon.
    #[error(
        "{0:?} names no adapter: write exec:CMD ARGS…, tcp:HOST:PORT, docker:IMAGE or builtin:NAME"
    )]
    Scheme(String),
    /// The rest is empty.
    #[error("{0:?}: something must follow the colon")]
    Empty(String),
    /// A quote is not closed.
    #[error("{0:?}: a quotation mark or backslash at the end has no counterpart")]
    Quotes(String),
    /// There is no host or no port.
    #[error("{0:?}: write tcp:HOST:PORT, with a port from 1 to 65535")]
    Port(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let whole = || text.to_owned();
        let (scheme, rest) = text
            .split_once(':')
            .ok_or_else(|| EndpointError::Scheme(whole()))?;
        if !["exec", "tcp", "docker", "builtin"].contains(&scheme) {
            return Err(EndpointError::Scheme(whole()));
        }
        let rest = rest.trim();
        if rest.is_empty() {
            return Err(EndpointError::Empty(whole()));
        }
        match scheme {
            "exec" => {
                let words = shlex::split(rest).ok_or_else(|| EndpointError::Quotes(whole()))?;
                let mut words = words.into_iter().map(OsString::from);
                let program = words.next().ok_or_else(|| EndpointError::Empty(whole()))?;
                Ok(Self::Exec(Command {
                    program,
                    arguments: words.collect(),
                }))
            }
            "tcp" => {
                let (host, port) = rest
                    .rsplit_once(':')
                    .ok_or_else(|| EndpointError::Port(whole()))?;
                let host = host
                    .trim_start_matches('[')
                    .trim_end_matches(']')
                    .to_owned();
                match port.parse() {
                    Ok(port) if port > 0 && !host.is_empty() => Ok(Self::Tcp { host, port }),
                    _ => Err(EndpointError::Port(whole())),
                }
            }
            "docker" => Ok(Self::Docker(rest.to_owned())),
            _ => Ok(Self::Builtin(rest.to_owned())),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exec(command) => write!(f, "exec:{command}"),
            Self::Tcp { host, port } if host.contains(':') => write!(f, "tcp:[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "tcp:{host}:{port}"),
            Self::Docker(image) => write!(f, "docker:{image}"),
            Self::Builtin(name) => write!(f, "builtin:{name}"),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in std::iter::once(&self.program)
            .chain(&self.arguments)
            .enumerate()
        {
            let word = word.to_string_lossy();
            let space = if index == 0 { "" } else { " " };
            match shlex::try_quote(&word) {
                Ok(quoted) => write!(f, "{space}{quoted}")?,
                Err(_) => write!(f, "{space}{word:?}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in [
            "exec:python3 adapter.py",
            "exec:'/opt/my agent/adapter' --flag 'a b'",
            "tcp:localhost:4242",
            "tcp:[::1]:4242",
            "docker:example/agent:1.0",
            "builtin:reference",
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn splits_a_command_like_a_shell() {
        let endpoint: Endpoint = r#"exec:sh -c "echo  'x'" """#.parse().unwrap();
        let arguments = ["-c", "echo  'x'", ""].map(OsString::from).to_vec();
        assert_eq!(
            endpoint,
            Endpoint::Exec(Command {
                program: "sh".into(),
                arguments
            })
        );
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |text: &str| text.parse::<Endpoint>().unwrap_err();
        assert!(matches!(
            error("python3 adapter.py"),
            EndpointError::Scheme(_)
        ));
        assert!(matches!(error("ssh:host"), EndpointError::Scheme(_)));
        assert!(matches!(error("exec: "), EndpointError::Empty(_)));
        assert!(matches!(error("exec:a 'b"), EndpointError::Quotes(_)));
        for text in [
            "tcp:localhost",
            "tcp::80",
            "tcp:localhost:0",
            "tcp:localhost:65536",
        ] {
            assert!(matches!(error(text), EndpointError::Port(_)), "{text}");
        }
    }
}
