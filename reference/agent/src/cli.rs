//! Commands, one file for each group, and how they end.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Parser as _;

mod app;
mod args;
mod card;
mod circle;
mod config;
mod devices;
mod doctor;
mod event;
mod failure;
mod group;
mod identity;
mod init;
mod keys;
mod mailbox;
mod manual;
mod media;
mod output;
mod page;
mod people;
mod profile;
mod provider;
mod resolve;
mod secret;
mod servers;
mod sync;
mod talk;
mod thread;

use args::{Args, Command};
use failure::Failure;
use output::Output;
use profile::Profile;

/// What everything needs.
struct Context {
    profile: Profile,
    output: Output,
    offline: bool,
}

/// The time, unix seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    })
}

/// Runs the program.
pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    log(args.verbose);
    let output = Output::new(args.json);
    let outcome = Profile::new(args.home.as_deref(), args.dry_run).and_then(|profile| {
        let context = Context {
            profile,
            output,
            offline: args.offline || args.dry_run,
        };
        if args.dry_run && !args.command.sends() {
            return Err(Failure::NotTried);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.map_err(|error| Failure::System("the runtime", error))?;
        runtime.block_on(run(&context, args.command))
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output.failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

async fn run(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(init) => init::init(context, init).await,
        Command::Invite(invite) => people::invite(context, &invite).await,
        Command::Befriend(befriend) => people::befriend(context, befriend).await,
        Command::Requests => people::requests(context),
        Command::Accept(who) => people::accept(context, &who.request).await,
        Command::Decline(decline) => people::decline(context, &decline).await,
        Command::Withdraw(who) => people::withdraw(context, &who.request).await,
        Command::End(who) => people::end(context, &who.person).await,
        Command::Block(who) => people::block(context, &who.person).await,
        Command::Unblock(who) => people::unblock(context, &who.person).await,
        Command::Friends => people::friends(context),
        Command::Identity(command) => identity::identity(context, command).await,
        Command::Verify(verify) => identity::verify(context, &verify).await,
        Command::Petname(petname) => identity::petname(context, petname).await,
        Command::Introduce(people) => identity::introduce(context, &people).await,
        Command::Message(message) => talk::message(context, message).await,
        Command::Messages(messages) => talk::messages(context, messages.friend.as_deref()),
        Command::Post(post) => talk::post(context, &post).await,
        Command::Hand(hand) => talk::hand(context, &hand).await,
        Command::Circle(command) => circle::circle(context, &command).await,
        Command::Group(command) => group::group(context, &command).await,
        Command::Event(command) => event::event(context, &command).await,
        Command::Page(command) => page::page(context, &command).await,
        Command::Follow(follow) => page::follow(context, &follow).await,
        Command::Unfollow(unfollow) => page::unfollow(context, &unfollow).await,
        Command::App(command) => app::app(context, &command).await,
        Command::Profile(command) => card::card(context, &command).await,
        Command::Media(command) => media::media(context, &command).await,
        Command::Comment(comment) => thread::comment(context, &comment).await,
        Command::React(react) => thread::react(context, &react).await,
        Command::Share(share) => thread::share(context, &share).await,
        Command::Hide(hide) => thread::hide(context, &hide).await,
        Command::Relaying(relaying) => thread::relaying(context, &relaying).await,
        Command::Thread(of) => thread::thread(context, &of),
        Command::Edit(edit) => talk::edit(context, &edit).await,
        Command::Retract(retract) => talk::retract(context, &retract).await,
        Command::Resend(resend) => talk::resend(context, &resend).await,
        Command::Timeline(timeline) => talk::timeline(context, timeline.last),
        Command::Sync(sync) => sync::sync(context, &sync).await,
        Command::Status => sync::status(context),
        Command::Export(export) => devices::export(context, &export),
        Command::Import(import) => devices::import(context, *import).await,
        Command::Device(device) => devices::device(context, &device.command),
        Command::Mailbox(mailbox) => mailbox::mailbox(context, &mailbox.command).await,
        Command::Doctor => doctor::doctor(context).await,
        Command::Completion { shell } => {
            manual::completion(shell);
            Ok(())
        }
        Command::Man { folder } => manual::pages(context, &folder),
        Command::Keys(keys) => keys::keys(context, &keys.file),
    }
}

impl Command {
    /// Whether it may send mail, or show what was said; such a command can be tried with
    /// `--dry-run`.
    fn sends(&self) -> bool {
        use identity::IdentityCommand::Recover;
        !matches!(
            self,
            Self::Init(_)
                | Self::Invite(_)
                | Self::Identity(Recover(_))
                | Self::Sync(_)
                | Self::Export(_)
                | Self::Import(_)
                | Self::Device(_)
                | Self::Mailbox(_)
                | Self::Media(_)
                | Self::Doctor
                | Self::Completion { .. }
                | Self::Man { .. }
                | Self::Keys(_)
        )
    }
}

/// Logs to standard error. Passwords and keys are in no log line.
fn log(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => "kith_agent=debug",
        _ => "debug",
    };
    tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .init();
}
