//! The provider of a mail account: its servers, how to log in there, and what is kept of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args as Arguments, ValueEnum};
use kith_agent::connect::Dialer;
use kith_agent::{Account, Auth, Driver, Mailbox, Password, Store, Submission};
use kith_core::Strict;

use super::config::{Config, Server};
use super::failure::Failure;
use super::profile::write_private;
use super::secret::{PasswordCommand, Secret};
use super::{Context, servers};

/// How to log in.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Login {
    /// With a password
    Password,
    /// With an access token (OAUTHBEARER or XOAUTH2), which --password-command prints
    #[value(aliases = ["oauthbearer", "xoauth2"])]
    Oauth2,
}

impl From<Login> for Auth {
    fn from(login: Login) -> Self {
        match login {
            Login::Password => Self::Password,
            Login::Oauth2 => Self::Oauth2,
        }
    }
}

#[derive(Debug, Arguments)]
pub(super) struct Provider {
    /// The IMAP server [default: what the domain names, else imap.DOMAIN]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) imap: Option<Server>,
    /// The submission server [default: what the domain names, else smtp.DOMAIN]
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(super) smtp: Option<Server>,
    /// Use servers outside the domain that only DNS names, without asking
    #[arg(long)]
    pub(super) trust_dns: bool,
    /// Ask this name server for the mail servers, instead of the system's
    #[arg(long, value_name = "IP:PORT")]
    pub(super) name_server: Option<SocketAddr>,
    /// The login name, if it isn't the address
    #[arg(long)]
    user: Option<String>,
    /// How to log in
    #[arg(long, value_enum, default_value_t = Login::Password)]
    auth: Login,
    /// A file that holds the password
    #[arg(long, value_name = "FILE", env = "KITH_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
    /// A program that prints the password, with its arguments; no shell runs it
    #[arg(long, value_name = "COMMAND", conflicts_with = "password_file")]
    password_command: Option<PasswordCommand>,
    /// Trust only the authorities in this PEM file, for instance that of your own server
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The name under which your server writes Authentication-Results, which are then believed
    #[arg(long, value_name = "NAME")]
    authserv_id: Option<String>,
}

/// What a person set up, before it is kept.
pub(super) struct Setting {
    pub(super) config: Config,
    account: Account,
    /// The password, if kith is to keep it.
    password: Option<Password>,
}

impl Provider {
    /// How to log in.
    pub(super) fn auth(&self) -> Auth {
        self.auth.into()
    }

    /// Whether it is told where the password is.
    pub(super) fn has_secret(&self) -> bool {
        self.password_file.is_some() || self.password_command.is_some()
    }

    /// Finds out what an account of this address needs; what isn't told and can't be found is asked.
    pub(super) async fn configure(
        mut self,
        context: &Context,
        address: &str,
        asked: bool,
    ) -> Result<Setting, Failure> {
        if self.auth() == Auth::Oauth2 && !self.has_secret() {
            return Err(Failure::NoToken);
        }
        let servers = servers::choose(context, &mut self, address, asked).await?;
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| Failure::Unreadable(path.to_owned(), error))
        };
        let secret = match (&self.password_file, self.password_command.take()) {
            (_, Some(command)) => Some(Secret::Command(command.0)),
            (Some(path), None) => Some(Secret::File(absolute(path)?)),
            (None, None) => None,
        };
        let password = match &secret {
            Some(secret) => secret.read()?,
            None if asked => {
                let password = rpassword::prompt_password(format!("Password of {address}: "));
                Password::new(password.map_err(|error| Failure::System("asking", error))?)
            }
            None => return Err(Failure::Missing("--password-file or --password-command")),
        };
        let own = secret.is_none().then(|| password.clone());
        let mut config = Config {
            address: address.to_owned(),
            user: self.user.take().or(servers.user),
            auth: self.auth(),
            password_file: None,
            password_command: Vec::new(),
            ca: self.ca.as_deref().map(absolute).transpose()?,
            authserv_id: self.authserv_id.take(),
            daily: None,
            submission: servers.submission,
            mailbox: servers.mailbox,
            sieve: None,
        };
        config.set_secret(secret.unwrap_or_else(|| Secret::File(PathBuf::from("password"))));
        let roots = servers::roots(config.ca.as_deref())?;
        Ok(Setting {
            account: config.account(password, roots),
            password: own,
            config,
        })
    }
}

/// Logs in at both servers and asks whether mail of the address is taken, unless offline.
pub(super) async fn try_out(
    context: &Context,
    account: &Account,
    address: &str,
) -> Result<(), Failure> {
    if context.offline {
        return Ok(());
    }
    let _spinner = context.output.spinner("logging in …");
    let dialer = Dialer::new(&account.roots, account.patience)?;
    Mailbox::open(&dialer, account, Arc::new(Strict))
        .await?
        .close()
        .await;
    let mut submission = Submission::open(&dialer, account).await?;
    submission.try_sender(address).await?;
    submission.close().await;
    Ok(())
}

impl Setting {
    /// Logs in at both servers, unless offline.
    pub(super) async fn try_out(&self, context: &Context) -> Result<(), Failure> {
        try_out(context, &self.account, &self.config.address).await
    }

    /// Makes a driver in an empty store, and writes configuration and password. The configuration
    /// comes last: without it, nothing is set up. After a failure nothing of it is left.
    pub(super) fn settle<T>(
        &self,
        context: &Context,
        make: impl FnOnce(Store, Account) -> Result<(Driver, T), Failure>,
    ) -> Result<(Driver, T), Failure> {
        let profile = &context.profile;
        profile.make()?;
        let store = profile.store();
        let mut made = Vec::new();
        let run = || {
            made.extend((!store.exists()).then(|| store.clone()));
            let done = make(Store::open(&store)?, self.account.clone())?;
            if let Some(password) = &self.password {
                write_private(&profile.own_password(), password.line().as_bytes())?;
                made.push(profile.own_password());
            }
            write_private(&profile.config(), self.config.text().as_bytes())?;
            Ok(done)
        };
        let outcome = run();
        if outcome.is_err() {
            for file in made {
                // What can't be removed does no harm but to be in the way.
                let _ = std::fs::remove_file(file);
            }
        }
        outcome
    }

    /// Keeps configuration and password for after a move.
    pub(super) fn prepare(&self, context: &Context) -> Result<(), Failure> {
        context
            .profile
            .prepare(&self.config, self.password.as_ref())
    }
}
