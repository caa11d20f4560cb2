//! The command line.

use std::path::PathBuf;

use clap::{ArgAction, Args as Arguments, Parser, Subcommand, ValueEnum};

use super::config::Server;
use super::init::Init;

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
  5  a mail server refuses login or address, or is not to be trusted; nothing is lost
  6  configuration, password file or store can't be used";

const COMPLETION: &str = "\
Examples:
  kith completion bash > ~/.local/share/bash-completion/completions/kith
  kith completion zsh > ~/.zfunc/_kith
  kith completion fish > ~/.config/fish/completions/kith.fish";

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
    /// Only show which mails a command would send; nothing is changed or sent
    #[arg(long, global = true)]
    pub(super) dry_run: bool,
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
    /// Show your identity, change its key, move to another address, agree to things
    #[command(subcommand)]
    Identity(super::identity::IdentityCommand),
    /// Compare the safety code of you and a friend
    Verify(super::identity::Verify),
    /// Give a friend a name that only you see
    Petname(super::identity::Petname),
    /// Introduce two friends, who both agreed to it, to each other
    Introduce(super::identity::Introduce),
    /// Write to a friend
    Message(Message),
    /// Show private messages
    Messages(Messages),
    /// Write to all friends, a circle, or some friends
    Post(Post),
    /// Hand a post of yours to further friends
    Hand(Hand),
    /// Say something about a post, or about a comment under it
    Comment(super::thread::Comment),
    /// Say in a symbol or two what you feel about a post or comment
    React(super::thread::React),
    /// Hand on a public post to all friends
    Share(super::thread::Share),
    /// Hide a comment under a post of yours from all readers
    Hide(super::thread::Hide),
    /// Let comments under a post of yours go on to its readers, or stop that
    Relaying(super::thread::Relaying),
    /// Show what stands under posts
    Thread(super::thread::ThreadOf),
    /// Change a message or post of yours, for everybody who got it
    Edit(Edit),
    /// Take back a message or post of yours, from everybody who got it or from some
    Retract(Retract),
    /// Send copies of a message or post of yours again that came back, or a request of yours
    Resend(Resend),
    /// Show and change your circles: lists of friends that only you know
    #[command(subcommand)]
    Circle(CircleCommand),
    /// Groups: lists of people who write to each other
    #[command(subcommand)]
    Group(super::group::GroupCommand),
    /// Events, and who comes
    #[command(subcommand)]
    Event(super::event::EventCommand),
    /// Your page, which anybody can follow
    #[command(subcommand)]
    Page(super::page::PageCommand),
    /// Follow a page
    Follow(super::page::Follow),
    /// Stop following a page, or withdraw the request to follow
    Unfollow(super::page::Unfollow),
    /// Apps that you and a friend share
    #[command(subcommand)]
    App(super::app::AppCommand),
    /// Show profiles, and change yours
    #[command(subcommand)]
    Profile(CardCommand),
    /// Save pictures and files
    #[command(subcommand)]
    Media(MediaCommand),
    /// Show posts, the newest last
    Timeline(Timeline),
    /// Fetch new mail, and send what waits
    Sync(Sync),
    /// Show who you are and what waits
    Status,
    /// Write everything that you have into one encrypted file
    Export(super::devices::Export),
    /// Set up kith on another device, from a file that `kith export` or `kith device add` wrote
    Import(Box<super::devices::Import>),
    /// Your devices
    Device(super::devices::Device),
    /// The folders of kith in your mailbox
    Mailbox(Mailbox),
    /// Check configuration, store, servers and clock, and say what to do
    Doctor,
    /// Print what lets a shell complete kith's commands
    #[command(after_help = COMPLETION)]
    Completion {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write kith's manual pages
    Man {
        /// The folder for them, which exists
        folder: PathBuf,
    },
    /// Write your keys into a file, so that an ordinary mail program can show what kith sends
    Keys(KeyFile),
}

#[derive(Debug, Arguments)]
pub(super) struct KeyFile {
    /// The file to write; it must not exist yet
    pub(super) file: PathBuf,
}

#[derive(Debug, Arguments)]
pub(super) struct Mailbox {
    #[command(subcommand)]
    pub(super) command: MailboxCommand,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
With --install, the script goes to your server by ManageSieve, in TLS. A script of yours that is active
there is never changed: add the lines to it yourself. `kith mailbox restore` takes kith's away.

Examples:
  kith mailbox sieve
  kith mailbox sieve --install
  kith mailbox sieve --install --server sieve.example.org")]
pub(super) struct Sieve {
    /// Install it and make it active, unless another script is
    #[arg(long)]
    pub(super) install: bool,
    /// Take it away
    #[arg(long, conflicts_with = "install")]
    pub(super) remove: bool,
    /// The filter server [default: what your domain names beside the IMAP server, else that server]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) server: Option<Server>,
}

/// What can be done with the mailbox.
#[derive(Debug, Subcommand)]
pub(super) enum MailboxCommand {
    /// Show the folders of kith and whether mail is filed into them
    Status,
    /// Print the Sieve script that lets your server file Kith mail, or install it
    Sieve(Sieve),
    /// Undo what kith did: all mail goes back to INBOX, and nothing is filed any more
    Restore {
        /// Do it without asking
        #[arg(long)]
        yes: bool,
    },
    /// File mail again after `restore`
    Resume,
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
    #[command(flatten)]
    pub(super) media: Media,
}

/// Files that go along.
#[derive(Debug, Default, Arguments)]
pub(super) struct Media {
    /// A picture or other file that goes along; again for more
    #[arg(long, value_name = "FILE")]
    pub(super) media: Vec<PathBuf>,
    /// What stands for the file where it isn't seen or heard; as often as --media
    #[arg(long, value_name = "TEXT", requires = "media")]
    pub(super) alt: Vec<String>,
    /// What stands below the file; as often as --media
    #[arg(long, value_name = "TEXT", requires = "media")]
    pub(super) caption: Vec<String>,
    /// Keep what pictures say about place and device
    #[arg(long, requires = "media")]
    pub(super) keep_metadata: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Messages {
    /// Only those with this friend
    #[arg(value_name = "FRIEND")]
    pub(super) friend: Option<String>,
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Examples:
  kith post 'The first snow!' --media snow.jpg --alt 'Our garden, all white'
  kith post 'Only for you' --to family
  kith post 'The film of our trip' --link https://files.example.org/x --link-file trip.mp4 --encrypt x

With --encrypt, put the file that is written on the server, at the address of --link; its password
stands in the post, which only your friends can read.")]
pub(super) struct Post {
    /// The text, or `-` to read it from standard input
    #[arg(required_unless_present_any = ["media", "link"])]
    pub(super) text: Option<String>,
    /// For whom: a circle or friends, instead of all friends
    #[arg(long, value_name = "CIRCLE|FRIEND")]
    pub(super) to: Vec<String>,
    /// A friend of whom the text speaks
    #[arg(long, value_name = "FRIEND")]
    pub(super) mention: Vec<String>,
    #[command(flatten)]
    pub(super) media: Media,
    /// Where a file too large for mail is, or will be
    #[arg(long, value_name = "URL", requires = "link_file")]
    pub(super) link: Option<String>,
    /// That file
    #[arg(long, value_name = "FILE", requires = "link")]
    pub(super) link_file: Option<PathBuf>,
    /// Encrypt it, and write what shall be put on the server to this file
    #[arg(long, value_name = "FILE", requires = "link")]
    pub(super) encrypt: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub(super) struct Hand {
    /// The id of a post of yours, or its beginning
    pub(super) id: String,
    /// The friends
    #[arg(required = true, value_name = "FRIEND")]
    pub(super) to: Vec<String>,
}

/// What to do with circles.
#[derive(Debug, Subcommand)]
pub(super) enum CircleCommand {
    /// Show your circles
    List,
    /// Put friends into a circle; the first one makes it
    Add(CircleChange),
    /// Take friends out of a circle; without friends it is gone
    Remove(CircleChange),
}

#[derive(Debug, Arguments)]
pub(super) struct CircleChange {
    /// The circle
    pub(super) name: String,
    /// The friends
    #[arg(required = true, value_name = "FRIEND")]
    pub(super) friends: Vec<String>,
}

/// What to do with profiles.
#[derive(Debug, Subcommand)]
pub(super) enum CardCommand {
    /// Show your profile or that of a friend
    Show {
        /// The friend
        friend: Option<String>,
    },
    /// Set a field of your profile
    Set(CardSet),
    /// Take a field back from everybody who has it
    Unset(CardUnset),
}

/// Where a value of a profile belongs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Whereabouts {
    /// Home
    Home,
    /// Work
    Work,
}

impl From<Whereabouts> for kith_core::kinds::field::Place {
    fn from(place: Whereabouts) -> Self {
        match place {
            Whereabouts::Home => Self::Home,
            Whereabouts::Work => Self::Work,
        }
    }
}

#[derive(Debug, Arguments)]
#[command(after_help = "\
Fields: fn (full name), n (name in parts), nickname, photo (a file), bday (1990-02-28 or --02-28), adr
(in parts), tel (tel:+43…), email, impp (xmpp:…, matrix:…, sip:…), url, lang, org, title, note, key.

Examples:
  kith profile set fn 'Alice Example'
  kith profile set tel tel:+43-1-5550100 --to family
  kith profile set adr 'street=Main Street 1' locality=Vienna country=Austria --place home
  kith profile set photo me.jpg")]
pub(super) struct CardSet {
    /// The field
    pub(super) field: String,
    /// Its values
    #[arg(required = true, allow_hyphen_values = true, value_name = "VALUE")]
    pub(super) values: Vec<String>,
    /// Where they belong
    #[arg(long, value_enum)]
    pub(super) place: Option<Whereabouts>,
    /// For whom: a circle or friends, instead of all friends
    #[arg(long, value_name = "CIRCLE|FRIEND", conflicts_with = "nobody")]
    pub(super) to: Vec<String>,
    /// For nobody: it is kept here only
    #[arg(long)]
    pub(super) nobody: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct CardUnset {
    /// The field
    pub(super) field: String,
}

/// What to do with pictures and files.
#[derive(Debug, Subcommand)]
pub(super) enum MediaCommand {
    /// Save a picture or file of a post or message
    Save(Save),
    /// Check a file that you fetched from where a post links to
    Fetched(Fetched),
}

#[derive(Debug, Arguments)]
pub(super) struct Save {
    /// The id of the post or message, or its beginning
    pub(super) id: String,
    /// Where to
    pub(super) to: PathBuf,
    /// Which of its media
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) number: usize,
    /// Its thumbnail instead
    #[arg(long)]
    pub(super) thumbnail: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Fetched {
    /// The id of the post or message, or its beginning
    pub(super) id: String,
    /// What you fetched
    pub(super) file: PathBuf,
    /// Which of its media
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) number: usize,
}

#[derive(Debug, Arguments)]
pub(super) struct Edit {
    /// The id of a message or post of yours, or its beginning
    pub(super) id: String,
    /// The new text, or `-` to read it from standard input
    pub(super) text: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Resend {
    /// The id of a message or post of yours, or its beginning; or a request of yours, as `kith requests` shows it
    pub(super) id: String,
}

#[derive(Debug, Arguments)]
pub(super) struct Retract {
    /// The id of a message or post of yours, or its beginning
    pub(super) id: String,
    /// Only from this friend, who keeps no copy; again for more
    #[arg(long, value_name = "FRIEND")]
    pub(super) from: Vec<String>,
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
