//! What can go wrong between poimill and a database. No message holds a password.

use crate::pipeline::RunError;

/// Name of the sink, in errors and logs.
pub(super) const NAME: &str = "postgis";

/// Why a database could not be contacted or loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostGisError {
    /// The URL is not one.
    #[error("the database URL cannot be read; write it as postgresql://user@host:port/database")]
    Url(#[source] postgres::Error),
    /// TLS is asked for.
    #[error("{target} is to be reached with TLS, which is not supported yet; use sslmode=disable or a local socket")]
    Tls {
        /// Host and database.
        target: String,
    },
    /// Nobody answers.
    #[error("{target} cannot be reached; check host, port and network, and that the server is running")]
    Unreachable {
        /// Host and database.
        target: String,
        /// What the driver says.
        source: postgres::Error,
    },
    /// The server does not let this user in.
    #[error("{target} refuses user `{user}`; check user name and password, and the server's pg_hba.conf")]
    Refused {
        /// Host and database.
        target: String,
        /// Who was refused.
        user: String,
        /// What the server says.
        source: postgres::Error,
    },
    /// The server has no such database.
    #[error("{target} does not exist; create it and, in it, the extension postgis")]
    NoDatabase {
        /// Host and database.
        target: String,
        /// What the server says.
        source: postgres::Error,
    },
    /// The server is older than what is tested.
    #[error("{target} runs PostgreSQL {version}; poimill needs 14 or newer")]
    TooOld {
        /// Host and database.
        target: String,
        /// The server's version.
        version: String,
    },
    /// The database has no geometries.
    #[error("{target} has no PostGIS; have an administrator run `create extension postgis` in it")]
    NoPostGis {
        /// Host and database.
        target: String,
    },
    /// The tables could not be created or upgraded.
    #[error("schema `poimill` of {target} could not be brought up to date")]
    Migration {
        /// Host and database.
        target: String,
        /// What the migration says.
        source: Box<refinery::Error>,
    },
    /// The server refused a statement, or went away.
    #[error("{doing} failed; the database still shows the previous snapshot")]
    Statement {
        /// What was being done.
        doing: &'static str,
        /// What the server says.
        source: postgres::Error,
    },
    /// Rows could not be sent.
    #[error("sending rows to `{table}` failed; the database still shows the previous snapshot")]
    Copy {
        /// The table.
        table: String,
        /// What the encoder, or the server, says.
        source: super::encoder::EncodeError,
    },
    /// Readers did not let go of the tables.
    #[error(
        "the new places could not be swapped in within {waited_s} s because other sessions hold `poimill.place`; \
         end long transactions (see pg_stat_activity) or load with mode `changes`"
    )]
    Busy {
        /// How long it was tried.
        waited_s: u64,
        /// What the server says.
        source: postgres::Error,
    },
    /// The loaded rows are not those of the snapshot.
    #[error(
        "the database has {found} places of `{pipeline}` after the load, the snapshot has {expected}; nothing was kept"
    )]
    Miscounted {
        /// The pipeline.
        pipeline: String,
        /// Rows in the database.
        found: u64,
        /// Rows in the manifest.
        expected: u64,
    },
}

impl From<PostGisError> for RunError {
    fn from(error: PostGisError) -> Self {
        Self::sink(NAME, error)
    }
}

/// Says what was being done when the server refused.
pub(super) trait Doing<T> {
    /// Adds `doing` to the driver's error.
    fn doing(self, doing: &'static str) -> Result<T, PostGisError>;
}

impl<T> Doing<T> for Result<T, postgres::Error> {
    fn doing(self, doing: &'static str) -> Result<T, PostGisError> {
        self.map_err(|source| PostGisError::Statement { doing, source })
    }
}
