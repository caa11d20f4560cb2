//! The store: one SQLite table of rows, behind [`kith_core::store::Read`].
//!
//! A step's writes are applied in one transaction, so that a crash leaves all of them or none
//! (specification, `send.durable`). One process at a time has the file.

use std::fmt;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kith_core::store::{Read, Row, StoreError as CoreError, Table, Write};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};

/// "KITH" in the header of the file says whose it is.
const APPLICATION_ID: i32 = 0x4B49_5448;
/// Each entry leads from the version of its index to the next one.
const MIGRATIONS: &[&str] = &["CREATE TABLE rows (
        tab INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (tab, key)
    ) WITHOUT ROWID"];
/// How long to wait for another process to finish.
const WAIT: Duration = Duration::from_secs(10);

/// What goes wrong with the store. Nothing was half done.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it.
    #[error("{place} is in use by another kith; wait until it has finished, or end it")]
    InUse {
        /// The store.
        place: Place,
    },
    /// The disk is full.
    #[error(
        "{place} can't be written, because its disk is full; make room and try again; nothing was lost"
    )]
    Full {
        /// The store.
        place: Place,
    },
    /// A later version of this program wrote it.
    #[error(
        "{place} was written by a newer kith (its form is {found}, this one knows {known}); use the newer one"
    )]
    Newer {
        /// The store.
        place: Place,
        /// Its version.
        found: usize,
        /// The latest known one.
        known: usize,
    },
    /// The file is something else.
    #[error(
        "{place} is no store of kith; choose another folder with --home, or move that file away"
    )]
    Foreign {
        /// The file.
        place: Place,
    },
    /// The file is damaged.
    #[error("{place} is damaged ({reason}); restore it from a backup")]
    Damaged {
        /// The store.
        place: Place,
        /// What SQLite found.
        reason: String,
    },
    /// The file can't be made, opened or written.
    #[error(
        "{place} can't be used ({reason}); check that folder and file are yours and can be written"
    )]
    Inaccessible {
        /// The store.
        place: Place,
        /// What the system said.
        reason: String,
    },
}

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In memory, until it is dropped.
    Memory,
    /// In a file.
    File(PathBuf),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("the store in memory"),
            Self::File(path) => write!(f, "the store {}", path.display()),
        }
    }
}

impl Place {
    fn error(&self, error: &rusqlite::Error) -> StoreError {
        let place = self.clone();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full { place },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::InUse { place }
            }
            Some(ErrorCode::NotADatabase) => StoreError::Foreign { place },
            Some(ErrorCode::DatabaseCorrupt) => StoreError::Damaged { place, reason },
            _ => StoreError::Inaccessible { place, reason },
        }
    }
}

/// A store, in a file or in memory. A kept handle can be opened again by another
/// [`crate::Driver`].
#[derive(Debug)]
pub struct Store {
    place: Place,
    connection: Connection,
    stop: Option<Stop>,
}

/// Where a crash is played: see [`Store::stop_after`].
#[derive(Debug, Clone, Copy)]
struct Stop {
    commits: u32,
    last_is_kept: bool,
}

/// What becomes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passes {
    Kept,
    /// Kept, but whoever wrote it doesn't hear of it.
    KeptInSilence,
    Not,
}

impl Stop {
    /// One more transaction wants to pass.
    fn count(&mut self) -> Passes {
        let last = self.commits == 1;
        self.commits = self.commits.saturating_sub(1);
        match (self.commits, last && self.last_is_kept) {
            (0, true) => Passes::KeptInSilence,
            (0, false) => Passes::Not,
            _ => Passes::Kept,
        }
    }
}

impl Store {
    /// A store in memory.
    ///
    /// # Errors
    ///
    /// When SQLite has no memory.
    pub fn memory() -> Result<Self, StoreError> {
        let place = Place::Memory;
        let connection = Connection::open_in_memory().map_err(|error| place.error(&error))?;
        Self::prepare(place, connection, WAIT)
    }

    /// Opens a store in a file, which is made, readable by its owner alone, where it is missing.
    ///
    /// # Errors
    ///
    /// When another process has it, it is newer than this program or something else, or the
    /// system refuses.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_within(path, WAIT)
    }

    /// The same, but waits as long as given for another process to finish.
    ///
    /// # Errors
    ///
    /// As for [`Store::open`].
    pub fn open_within(path: &Path, wait: Duration) -> Result<Self, StoreError> {
        let place = Place::File(path.to_owned());
        private(path).map_err(|error| StoreError::Inaccessible {
            place: place.clone(),
            reason: error.to_string(),
        })?;
        let connection = Connection::open(path).map_err(|error| place.error(&error))?;
        Self::prepare(place, connection, wait)
    }

    fn prepare(place: Place, connection: Connection, wait: Duration) -> Result<Self, StoreError> {
        let error = |error: rusqlite::Error| place.error(&error);
        connection.busy_timeout(wait).map_err(error)?;
        connection.set_prepared_statement_cache_capacity(16);
        // One plan for each statement: else SQLite makes a new one for each new bound of a range.
        let one_plan = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
        connection.set_db_config(one_plan, true).map_err(error)?;
        // An exclusive lock lasts as long as the connection and ends with the process.
        let begin = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;";
        connection.execute_batch(begin).map_err(error)?;
        let mut store = Self {
            place,
            connection,
            stop: None,
        };
        store.migrate()?;
        Ok(store)
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let pragma = |name| {
            self.connection
                .pragma_query_value(None, name, |row| row.get(0))
        };
        let error = |error: rusqlite::Error| self.place.error(&error);
        let found: usize = pragma("user_version").map_err(error)?;
        let application: usize = pragma("application_id").map_err(error)?;
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables: usize = self
            .connection
            .query_row(tables, [], |row| row.get(0))
            .map_err(error)?;
        if application != APPLICATION_ID as usize && (tables > 0 || application != 0) {
            return Err(StoreError::Foreign {
                place: self.place.clone(),
            });
        }
        let known = MIGRATIONS.len();
        if found > known {
            return Err(StoreError::Newer {
                place: self.place.clone(),
                found,
                known,
            });
        }
        let run = |connection: &mut Connection| {
            let transaction = connection.transaction()?;
            for migration in &MIGRATIONS[found..] {
                transaction.execute_batch(migration)?;
            }
            transaction.pragma_update(None, "user_version", known)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.commit()
        };
        if found < known {
            run(&mut self.connection).map_err(|error| self.place.error(&error))?;
        }
        Ok(())
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Applies all writes, or none.
    ///
    /// # Errors
    ///
    /// When the disk is full or can't be written; then nothing changed.
    pub fn apply(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let run = |connection: &mut Connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let put = "INSERT INTO rows (tab, key, value) VALUES (?1, ?2, ?3)
                    ON CONFLICT (tab, key) DO UPDATE SET value = ?3";
                let mut put = transaction.prepare_cached(put)?;
                let delete = "DELETE FROM rows WHERE tab = ?1 AND key = ?2";
                let mut delete = transaction.prepare_cached(delete)?;
                for write in writes {
                    let table = write.table as u8;
                    match &write.value {
                        Some(value) => put.execute(params![table, write.key, value])?,
                        None => delete.execute(params![table, write.key])?,
                    };
                }
            }
            transaction.commit()
        };
        if writes.is_empty() {
            return Ok(());
        }
        let passes = self.stop.as_mut().map_or(Passes::Kept, Stop::count);
        if passes != Passes::Not {
            run(&mut self.connection).map_err(|error| self.place.error(&error))?;
        }
        match passes {
            Passes::Kept => Ok(()),
            Passes::Not | Passes::KeptInSilence => Err(self.stopped()),
        }
    }

    /// Plays a crash: of so many transactions the last one fails, before it is kept or right after,
    /// and so does every later one. None lets everything pass again.
    pub fn stop_after(&mut self, crash: Option<(NonZeroU32, bool)>) {
        self.stop = crash.map(|(commits, last_is_kept)| Stop {
            commits: commits.get(),
            last_is_kept,
        });
    }

    fn stopped(&self) -> StoreError {
        StoreError::Inaccessible {
            place: self.place.clone(),
            reason: "a crash is played".to_owned(),
        }
    }

    /// A copy in memory, in which things can be tried without effect.
    ///
    /// # Errors
    ///
    /// When SQLite fails.
    pub fn rehearsal(&self) -> Result<Self, StoreError> {
        let mut copy = Self::memory()?;
        let mut run = || {
            let transaction = copy.connection.transaction()?;
            {
                let all = "SELECT tab, key, value FROM rows";
                let mut all = self.connection.prepare(all)?;
                let put = "INSERT INTO rows (tab, key, value) VALUES (?1, ?2, ?3)";
                let mut put = transaction.prepare(put)?;
                let mut rows = all.query([])?;
                while let Some(row) = rows.next()? {
                    let cells: (u8, Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                    put.execute(cells)?;
                }
            }
            transaction.commit()
        };
        run().map_err(|error| self.place.error(&error))?;
        Ok(copy)
    }

    /// Limits the store's size, in pages of 4 KiB; beyond it the disk counts as full.
    ///
    /// # Errors
    ///
    /// When SQLite fails.
    pub fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        let limit = format!("PRAGMA max_page_count = {pages}");
        let run = self.connection.query_row(&limit, [], |_| Ok(()));
        run.map_err(|error| self.place.error(&error))
    }

    /// Checks the file's structure.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`].
    pub fn check(&self) -> Result<(), StoreError> {
        let check = "PRAGMA quick_check(1)";
        let found: Result<String, _> = self.connection.query_row(check, [], |row| row.get(0));
        let reason = found.map_err(|error| self.place.error(&error))?;
        if reason == "ok" {
            Ok(())
        } else {
            Err(StoreError::Damaged {
                place: self.place.clone(),
                reason,
            })
        }
    }

    fn read_error(&self, error: &rusqlite::Error) -> CoreError {
        CoreError::Storage(self.place.error(error).to_string())
    }
}

impl Read for Store {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, CoreError> {
        let get = "SELECT value FROM rows WHERE tab = ?1 AND key = ?2";
        let run = || {
            let mut get = self.connection.prepare_cached(get)?;
            get.query_row(params![table as u8, key], |row| row.get(0))
                .optional()
        };
        run().map_err(|error| self.read_error(&error))
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, CoreError> {
        let range = "SELECT key, value FROM rows WHERE tab = ?1 AND key >= ?2 AND key < ?3
            ORDER BY key LIMIT ?4";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let run = || {
            let mut range = self.connection.prepare_cached(range)?;
            let rows = range.query_map(params![table as u8, from, to, limit], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            rows.collect::<Result<Vec<Row>, rusqlite::Error>>()
        };
        run().map_err(|error| self.read_error(&error))
    }
}

/// Makes a file that only its owner can read.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}
