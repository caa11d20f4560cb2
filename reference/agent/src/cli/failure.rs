//! Why a command ends without success, and with which exit status.

use std::io;
use std::path::PathBuf;

use kith_agent::driver::leaving::LeaveError;
use kith_agent::sieve::SieveError;
use kith_agent::{ConnectError, DriverError, MailboxError, Problem, StoreError, SubmissionError};

/// Doctor found a problem.
const UNWELL: u8 = 1;
/// Nothing was changed or sent.
const IMPOSSIBLE: u8 = 3;
/// A mail server could not be reached.
const AWAY: u8 = 4;
/// A mail server does not accept the login or the address, or is not to be trusted.
const REJECTED: u8 = 5;
/// Configuration, password file or store can't be used.
const UNUSABLE: u8 = 6;

/// Why a command ends without success.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("kith is not set up here ({} is missing); run `kith init ADDRESS`", .0.display())]
    NoConfig(PathBuf),
    #[error("kith is set up here already ({}); choose another folder with --home", .0.display())]
    SetUp(PathBuf),
    #[error("{}: {}; correct the file", .0.display(), .1.trim_end())]
    Config(PathBuf, String),
    #[error("{} can't be read ({}); check that it is there and yours", .0.display(), .1)]
    Unreadable(PathBuf, io::Error),
    #[error("{} can't be written ({}); check that its folder is there and yours, and that it doesn't exist yet", .0.display(), .1)]
    Unwritable(PathBuf, io::Error),
    #[error("the password file {} is empty; write the password of your mail account into it", .0.display())]
    NoPassword(PathBuf),
    #[error(
        "`{0}` gave no password ({1}); try it in a terminal, and correct the configuration if need be"
    )]
    PasswordCommand(String, String),
    #[error("{0} is missing; give it on the command line, or run kith in a terminal to be asked")]
    Missing(&'static str),
    #[error(
        "--auth oauth2 needs --password-command with a program that prints an access token, which is valid for about an hour; `kith init --help` names some"
    )]
    NoToken,
    #[error(
        "only DNS names {server} as a server of {domain}, outside of which it is, and DNS can be forged; if it is your provider's, confirm with --trust-dns, or give the servers with --imap and --smtp"
    )]
    Unvouched { server: String, domain: String },
    #[error("your home folder is not known; choose one with --home")]
    NoHome,
    #[error("{0} failed: {1}")]
    System(&'static str, io::Error),
    #[error("there is no {what} that fits \"{wanted}\"; `kith {list}` lists them")]
    Nobody {
        what: &'static str,
        wanted: String,
        list: &'static str,
    },
    #[error("\"{wanted}\" fits several ({}); write more of it", .found.join(", "))]
    Several { wanted: String, found: Vec<String> },
    #[error("{} can't be sent: {}", .0.display(), .1)]
    Medium(PathBuf, String),
    #[error("the text is empty; nothing was sent")]
    NoText,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the export is of {0}, not of {1}; give the right file or address")]
    OtherAddress(String, String),
    #[error("the two passphrases differ; nothing was written")]
    Differ,
    #[error("nothing was done; confirm with --yes")]
    Unconfirmed,
    #[error("{} can't be imported: {}; nothing was sent", .0.display(), .1)]
    Calendar(PathBuf, kith_agent::calendar::CalendarError),
    #[error(transparent)]
    Sieve(#[from] SieveError),
    #[error(
        "the script \"{0}\" on your filter server is not kith's, so nothing was changed; add to the active script what `kith mailbox sieve` prints"
    )]
    OtherScript(String),
    #[error("this command can't be tried with --dry-run; nothing was done")]
    NotTried,
    #[error(transparent)]
    Leave(#[from] LeaveError),
    /// The problems were shown already.
    #[error("not everything could be done; what waits is tried at the next sync")]
    Unfinished(u8),
    /// What doctor found was shown already.
    #[error("doctor found something to mend")]
    Unwell,
}

impl From<kith_core::AgentError> for Failure {
    fn from(error: kith_core::AgentError) -> Self {
        Self::Driver(error.into())
    }
}

impl Failure {
    /// The exit status.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Unwell => UNWELL,
            Self::Nobody { .. } | Self::Several { .. } | Self::NoText | Self::SetUp(_) => {
                IMPOSSIBLE
            }
            Self::Driver(DriverError::Act(error)) => match error {
                kith_core::ActError::Agent(_) => UNUSABLE,
                _ => IMPOSSIBLE,
            },
            Self::Driver(DriverError::Exists(_) | DriverError::Import(_))
            | Self::Missing(_)
            | Self::NoToken
            | Self::Unvouched { .. }
            | Self::OtherAddress(..)
            | Self::Differ
            | Self::NotTried
            | Self::OtherScript(_)
            | Self::Sieve(SieveError::Refused { .. } | SieveError::Lacks { .. })
            | Self::Calendar(..)
            | Self::Unconfirmed => IMPOSSIBLE,
            Self::Leave(LeaveError::Mailbox(error)) => mailbox(error),
            Self::Submission(error) => submission(error),
            Self::Mailbox(error) => mailbox(error),
            Self::Connect(error) | Self::Sieve(SieveError::Connect(error)) => connect(error),
            Self::Sieve(SieveError::Login { .. } | SieveError::NoMechanism { .. }) => REJECTED,
            Self::Sieve(SieveError::Lost { .. }) => AWAY,
            Self::Unfinished(code) => *code,
            _ => UNUSABLE,
        }
    }

    /// The failure for the gravest problem of a sync, if there is one that needs the person or time.
    pub(super) fn of(problems: &[Problem]) -> Option<Self> {
        let code = |problem: &Problem| match problem {
            Problem::Submission(error) => submission(error),
            Problem::Mailbox(error) => mailbox(error),
            Problem::Mail { .. } | Problem::PutOff { .. } => AWAY,
            // The sync did everything; the person is told.
            Problem::Clock { .. } => 0,
        };
        let gravest = problems.iter().map(code).max().filter(|&code| code > 0);
        gravest.map(Self::Unfinished)
    }
}

fn submission(error: &SubmissionError) -> u8 {
    match error {
        SubmissionError::Connect(error) => connect(error),
        SubmissionError::Login { .. }
        | SubmissionError::NoMechanism { .. }
        | SubmissionError::Sender { .. } => REJECTED,
        SubmissionError::Lost { .. } | SubmissionError::Later { .. } => AWAY,
    }
}

fn mailbox(error: &MailboxError) -> u8 {
    match error {
        MailboxError::Connect(error) => connect(error),
        MailboxError::Login { .. } | MailboxError::NoMechanism { .. } => REJECTED,
        _ => AWAY,
    }
}

fn connect(error: &ConnectError) -> u8 {
    match error {
        ConnectError::Certificate { .. } | ConnectError::NoTls { .. } => REJECTED,
        ConnectError::Roots(_) | ConnectError::Name { .. } => UNUSABLE,
        _ => AWAY,
    }
}
