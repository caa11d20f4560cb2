//! Where configuration, password and store are.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::{AppStrategy as _, AppStrategyArgs};
use kith_agent::{Account, Driver, Password, Store};
use kith_core::Strict;

use super::config::Config;
use super::failure::Failure;
use super::secret::Secret;
use super::servers;

/// The environment variable that names a password file for this run.
const PASSWORD_FILE: &str = "KITH_PASSWORD_FILE";

/// The folders of one person's kith.
#[derive(Debug)]
pub(super) struct Profile {
    settings: PathBuf,
    data: PathBuf,
    rehearses: bool,
}

impl Profile {
    /// With `rehearses`, what a driver does is done in a copy of the store, in memory.
    pub(super) fn new(home: Option<&Path>, rehearses: bool) -> Result<Self, Failure> {
        if let Some(home) = home {
            return Ok(Self {
                settings: home.to_owned(),
                data: home.to_owned(),
                rehearses,
            });
        }
        let kith = AppStrategyArgs {
            top_level_domain: "org".to_owned(),
            author: "kith".to_owned(),
            app_name: "kith".to_owned(),
        };
        let usual = etcetera::choose_app_strategy(kith).map_err(|_| Failure::NoHome)?;
        Ok(Self {
            settings: usual.config_dir(),
            data: usual.data_dir(),
            rehearses,
        })
    }

    /// Whether nothing is to be changed or sent.
    pub(super) fn rehearses(&self) -> bool {
        self.rehearses
    }

    pub(super) fn config(&self) -> PathBuf {
        self.settings.join("config.toml")
    }

    pub(super) fn store(&self) -> PathBuf {
        self.data.join("kith.db")
    }

    /// The password file that `init` writes.
    pub(super) fn own_password(&self) -> PathBuf {
        self.settings.join("password")
    }

    /// The configuration of the address that the person moves to, until all of it is done.
    fn next_config(&self) -> PathBuf {
        self.settings.join("config.next")
    }

    fn next_password(&self) -> PathBuf {
        self.settings.join("password.next")
    }

    /// Keeps configuration and password for after a move. Where that is interrupted, the next
    /// driver goes on with it, if the store has the new address, and else forgets it.
    pub(super) fn prepare(
        &self,
        config: &Config,
        password: Option<&Password>,
    ) -> Result<(), Failure> {
        if let Some(password) = password {
            replace_private(&self.next_password(), password.line().as_bytes())?;
        }
        replace_private(&self.next_config(), config.text().as_bytes())
    }

    /// Puts what was prepared in place of what was there.
    fn adopt(&self) -> Result<(), Failure> {
        for (from, to) in [
            (self.next_password(), self.own_password()),
            (self.next_config(), self.config()),
        ] {
            if from.exists() {
                std::fs::rename(&from, &to).map_err(|error| Failure::Unwritable(to, error))?;
            }
        }
        Ok(())
    }

    fn forget_prepared(&self) -> Result<(), Failure> {
        for file in [self.next_config(), self.next_password()] {
            if file.exists() {
                let removed = std::fs::remove_file(&file);
                removed.map_err(|error| Failure::Unwritable(file, error))?;
            }
        }
        Ok(())
    }

    /// Makes the folders, for their owner alone.
    pub(super) fn make(&self) -> Result<(), Failure> {
        for folder in [&self.settings, &self.data] {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true);
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder
                .create(folder)
                .map_err(|error| Failure::Unwritable(folder.clone(), error))?;
        }
        Ok(())
    }

    /// Where the password is.
    pub(super) fn secret(&self, config: &Config) -> Secret {
        match (std::env::var_os(PASSWORD_FILE), &config.password_file) {
            (Some(path), _) => Secret::File(PathBuf::from(path)),
            (None, Some(path)) => Secret::File(self.settings.join(path)),
            (None, None) => Secret::Command(config.password_command.clone()),
        }
    }

    /// The account, with its password if one is needed.
    pub(super) fn account(&self, config: &Config, login: bool) -> Result<Account, Failure> {
        let password = if login {
            self.secret(config).read()?
        } else {
            Password::new("")
        };
        let ca = config.ca.as_ref().filter(|_| login);
        let ca = ca.map(|path| self.settings.join(path));
        let roots = servers::roots(ca.as_deref())?;
        Ok(config.account(password, roots))
    }

    /// Opens the store of a kith that is set up.
    pub(super) fn open_store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.store())?)
    }

    /// Opens the driver, and ends a move that began.
    pub(super) fn driver(&self, login: bool) -> Result<Driver, Failure> {
        let config = Config::read(&self.config())?;
        let account = self.account(&config, login)?;
        let mut store = self.open_store()?;
        if self.rehearses {
            store = store.rehearsal()?;
        }
        let mut driver = Driver::open(Arc::new(Strict), store, account)?;
        if self.rehearses || !self.next_config().exists() {
            return Ok(driver);
        }
        let next = Config::read(&self.next_config())?;
        if next.address != driver.agent().own().address {
            self.forget_prepared()?;
            return Ok(driver);
        }
        if (&next.mailbox, next.user()) != (&config.mailbox, config.user()) {
            driver.change_mailbox()?;
        }
        drop(driver);
        self.adopt()?;
        self.driver(login)
    }
}

/// Reads a password: the file's first line.
pub(super) fn read_password(path: &Path) -> Result<Password, Failure> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| Failure::Unreadable(path.to_owned(), error))?;
    match text.lines().next().filter(|line| !line.is_empty()) {
        Some(line) => Ok(Password::new(line)),
        None => Err(Failure::NoPassword(path.to_owned())),
    }
}

/// Makes a folder that didn't exist, for its owner alone.
pub(super) fn make_private(folder: &Path) -> Result<(), Failure> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has modes"))]
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(folder);
    made.map_err(|error| Failure::Unwritable(folder.to_owned(), error))
}

/// Writes a file that didn't exist and that only its owner can read.
pub(super) fn write_private(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(octets)?;
        file.sync_all()
    });
    written.map_err(|error| Failure::Unwritable(path.to_owned(), error))
}

/// Whether others can read a file.
pub(super) fn is_exposed(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Writes a file that only its owner can read, in place of an earlier one.
pub(super) fn replace_private(path: &Path, octets: &[u8]) -> Result<(), Failure> {
    let new = path.with_extension("new");
    // One that a crash left is in the way.
    let _ = std::fs::remove_file(&new);
    write_private(&new, octets)?;
    std::fs::rename(&new, path).map_err(|error| Failure::Unwritable(path.to_owned(), error))
}
