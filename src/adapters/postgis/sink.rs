//! The sink: which way a snapshot takes into the database.

use std::time::SystemTime;

use postgres::Client;

use super::connection::connect;
use super::error::{Doing, NAME};
use super::migrate::migrate;
use super::names::leaf_names;
use super::{PostGisError, changes, replace};
use crate::pipeline::RunError;
use crate::pipeline::ports::{Loaded, Observer, Sink, Snapshot};

/// How a database is brought to a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// New tables are filled beside the old ones and swapped in.
    Replace,
    /// Only what is different is written.
    Changes,
}

/// A PostGIS database.
pub struct PostGis {
    url: String,
    mode: LoadMode,
}

impl PostGis {
    /// The database at `url`, as libpq writes it: `postgresql://user@host/database` or `host=… user=… dbname=…`.
    #[must_use]
    pub fn new(url: String, mode: LoadMode) -> Self {
        Self { url, mode }
    }
}

/// One load, as its stages see it.
pub(super) struct Load<'a> {
    pub(super) snapshot: &'a dyn Snapshot,
    pub(super) observer: &'a dyn Observer,
    /// Where the database stands; `None` where it has never seen the pipeline.
    pub(super) base: Option<String>,
}

impl Load<'_> {
    pub(super) fn pipeline(&self) -> &str {
        &self.snapshot.manifest().pipeline
    }

    pub(super) fn id(&self) -> &str {
        &self.snapshot.manifest().snapshot
    }

    pub(super) fn vintage(&self) -> Option<SystemTime> {
        self.snapshot.manifest().vintage.map(SystemTime::from)
    }

    /// Rows of a table, as the manifest says.
    pub(super) fn rows(&self, table: &str) -> u64 {
        self.snapshot.manifest().tables.get(table).map_or(0, |file| file.rows)
    }

    /// Whether the snapshot's own change set leads from where the database stands.
    pub(super) fn has_change_set(&self) -> bool {
        self.base.is_some() && self.base == self.snapshot.manifest().base && self.snapshot.has("changes/places")
    }
}

impl Sink for PostGis {
    fn name(&self) -> &str {
        NAME
    }

    fn contact(&mut self) -> Result<(), RunError> {
        connect(&self.url)?;
        Ok(())
    }

    fn load(&mut self, snapshot: &dyn Snapshot, observer: &dyn Observer) -> Result<Loaded, RunError> {
        let (mut client, target) = connect(&self.url)?;
        migrate(&mut client, &target, observer)?;
        let pipeline = &snapshot.manifest().pipeline;
        lock_pipeline(&mut client, pipeline, observer)?;
        let base = current_snapshot(&mut client, pipeline)?;
        let load = Load { snapshot, observer, base };
        match (self.mode, &load.base) {
            (_, Some(base)) if base == load.id() => Ok(Loaded::Unchanged),
            (LoadMode::Changes, Some(_)) => changes::load(&mut client, &load),
            (LoadMode::Replace, _) | (LoadMode::Changes, None) => replace::load(&mut client, &load),
        }
    }
}

/// The snapshot that a pipeline stands at.
fn current_snapshot(client: &mut Client, pipeline: &str) -> Result<Option<String>, PostGisError> {
    let query = include_str!("../../../sql/queries/current_snapshot.sql");
    let (places, records) = (leaf_names("place", pipeline), leaf_names("place_source", pipeline));
    let row =
        client.query_opt(query, &[&pipeline, &places.as_slice(), &records.as_slice()]).doing("reading the ledger")?;
    Ok(row.map(|row| row.get(0)))
}

/// One load of a pipeline at a time; the lock lasts as long as the session, because `replace` takes two transactions.
fn lock_pipeline(client: &mut Client, pipeline: &str, observer: &dyn Observer) -> Result<(), PostGisError> {
    const DOING: &str = "waiting for another load of the pipeline";
    const KEY: &str = "hashtextextended('poimill pipeline ' || $1, 0)";
    if !client.query_one(&format!("select pg_try_advisory_lock({KEY})"), &[&pipeline]).doing(DOING)?.get::<_, bool>(0) {
        observer.note(&format!("another load of `{pipeline}` is at work in the database; waiting for it to end"));
        client.execute(&format!("select pg_advisory_lock({KEY})"), &[&pipeline]).doing(DOING)?;
    }
    Ok(())
}
