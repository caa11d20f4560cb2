//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args as Arguments, Parser, Subcommand, ValueEnum};

use super::config::Server;

const EXAMPLES: &str = "\
Examples:
  kith init alice@example.org --imap imap.example.org --smtp smtp.example.org
  kith invite
  kith befriend bob@example.net --note 'We met in Oslo'
  kith message bob@example.net 'Shall we meet on Friday?'
  echo 'The first snow!' | kith post -
  kith sync --watch

Exit status:
  0  done
  1  doctor found a problem
  2  wrong usage
  3  not possible: nothing was changed or sent
  4  a mail server could not be reached or put something off; what waits is tried at the next sync
  5  a mail server does not accept the login, or is not to be trusted; nothing is lost
  6  configuration, password file or store can't be used";

/// Social networking over ordinary mail.
///
/// Your mail account is all you need: kith sends and receives through it, sealed, and leaves your
/// ordinary mail alone.
#[derive(Debug, Parser)]
#[command(name = "kith", version, after_help = EXAMPLES, max_term_width = 100)]
pub(super) struct Args {
    /// The folder with configuration and data, instead of the system's usual ones
    #[arg(long, value_name = "DIR", global = true, env = "KITH_HOME")]
    pub(super) home: Option<PathBuf>,
    /// Print JSON for programs, on standard output
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Only change what is stored here; mail waits for the next sync
    #[arg(long, global = true)]
    pub(super) offline: bool,
    /// Log to standard error; twice for more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(super) verbose: u8,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set up kith for a mail address
    Init(Init),
    /// Make an invite for one person, to give on paper or in a chat
    Invite(Invite),
    /// Ask somebody to become friends
    Befriend(Befriend),
    /// Show the requests that wait
    Requests,
    /// Accept a request
    Accept(Request),
    /// Decline a request; nobody is told unless you want it
    Decline(Decline),
    /// Withdraw a request of yours
    Withdraw(Request),
    /// End a friendship
    End(Person),
    /// Show nothing more of somebody, who isn't told
    Block(Person),
    /// Lift a block
    Unblock(Person),
    /// Show your friends
    Friends,
    /// Write to a friend
    Message(Message),
    /// Show private messages
    Messages(Messages),
    /// Write to all friends
    Post(Post),
    /// Change a message or post of yours, for everybody who got it
    Edit(Edit),
    /// Take back a message or post of yours, from everybody who got it
    Retract(Retract),
    /// Show posts, the newest last
    Timeline(Timeline),
    /// Fetch new mail, and send what waits
    Sync(Sync),
    /// Show who you are and what waits
    Status,
    /// Check configuration, store, servers and clock, and say what to do
    Doctor,
}

/// Which keys to make.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Keys {
    /// Version 4 with Curve25519, which today's mail programs can read
    V4,
    /// Version 6 (RFC 9580)
    V6,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
The password is asked for and kept in a file that only you can read. With --password-file or the
environment variable KITH_PASSWORD_FILE only the path of your own file is kept. It is never taken
from the command line, where others could see it.

Servers are given as HOST, HOST:PORT or HOST:PORT/starttls. Without port, TLS is spoken from the
first octet (IMAP 993, submission 465); at ports 143 and 587 it begins with STARTTLS.

Examples:
  kith init alice@example.org
  kith init alice@example.org --imap mail.example.org:143 --smtp mail.example.org:587 --name Alice")]
pub(super) struct Init {
    /// Your mail address; asked for if missing
    pub(super) address: Option<String>,
    /// The name that others see
    #[arg(long)]
    pub(super) name: Option<String>,
    /// The IMAP server [default: imap.DOMAIN]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) imap: Option<Server>,
    /// The submission server [default: smtp.DOMAIN]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) smtp: Option<Server>,
    /// The login name, if it isn't the address
    #[arg(long)]
    pub(super) user: Option<String>,
    /// A file that holds the password
    #[arg(long, value_name = "FILE", env = "KITH_PASSWORD_FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Trust only the authorities in this PEM file, for instance that of your own server
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The name under which your server writes Authentication-Results, which are then believed
    #[arg(long, value_name = "NAME")]
    pub(super) authserv_id: Option<String>,
    /// Which keys to make
    #[arg(long, value_enum, default_value_t = Keys::V4)]
    pub(super) keys: Keys,
    /// Where to write the recovery kit [default: kith-recovery-ADDRESS.asc in this folder]
    #[arg(long, value_name = "FILE")]
    pub(super) recovery: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(super) struct Invite {
    /// Draw the QR code even if the output is no terminal
    #[arg(long)]
    pub(super) qr: bool,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Examples:
  kith befriend bob@example.net --note 'We met in Oslo'
  kith befriend 'kith:bob@example.net?id=…&token=…&expires=…'")]
pub(super) struct Befriend {
    /// A mail address, or an invite that begins with `kith:`
    pub(super) who: String,
    /// A few words that go with the request: plain text, 500 characters at most
    #[arg(long)]
    pub(super) note: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Request {
    /// The request: its number or id in `kith requests`, or the address
    #[arg(value_name = "N|ID|ADDRESS")]
    pub(super) request: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Decline {
    /// The request: its number or id in `kith requests`, or the address
    #[arg(value_name = "N|ID|ADDRESS")]
    pub(super) request: String,
    /// Tell the other, who otherwise learns nothing
    #[arg(long)]
    pub(super) tell: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Person {
    /// An address, a name, or the beginning of an identity
    #[arg(value_name = "WHO")]
    pub(super) person: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Message {
    /// An address, a name, or the beginning of an identity
    #[arg(value_name = "FRIEND")]
    pub(super) friend: String,
    /// The text, or `-` to read it from standard input
    pub(super) text: String,
    /// The message that this one answers, by its id
    #[arg(long, value_name = "ID")]
    pub(super) reply_to: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Messages {
    /// Only those with this friend
    #[arg(value_name = "FRIEND")]
    pub(super) friend: Option<String>,
}

#[derive(Debug, Arguments)]
pub(super) struct Post {
    /// The text, or `-` to read it from standard input
    pub(super) text: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Edit {
    /// The id of a message or post of yours, or its beginning
    pub(super) id: String,
    /// The new text, or `-` to read it from standard input
    pub(super) text: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Retract {
    /// The id of a message or post of yours, or its beginning
    pub(super) id: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Timeline {
    /// How many posts
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub(super) last: usize,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
With --watch, kith waits for the server to tell of new mail. While it waits, you can use other
commands in another terminal. End it with Ctrl-C.")]
pub(super) struct Sync {
    /// Go on until ended
    #[arg(long)]
    pub(super) watch: bool,
    /// Seconds between looks, where the server can't tell of new mail
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 120,
        requires = "watch"
    )]
    pub(super) poll: u64,
}
