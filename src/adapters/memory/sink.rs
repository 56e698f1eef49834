//! A sink that keeps the rows of places.

use std::collections::BTreeMap;

use crate::pipeline::RunError;
use crate::pipeline::ports::{Loaded, Observer, Sink, Snapshot};
use crate::pipeline::tabulate::tables::{PLACE_CHANGES, PLACES};
use crate::pipeline::tabulate::{Row, read_rows};

/// Rows of places by id, brought from snapshot to snapshot by changes alone.
#[derive(Debug, Default)]
pub struct MemorySink {
    /// The snapshot it stands at.
    pub snapshot: Option<String>,
    /// Rows of places by id.
    pub rows: BTreeMap<String, Row>,
}

impl Sink for MemorySink {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn contact(&mut self) -> Result<(), RunError> {
        Ok(())
    }

    fn load(&mut self, snapshot: &dyn Snapshot, _: &dyn Observer) -> Result<Loaded, RunError> {
        let manifest = snapshot.manifest();
        if self.snapshot.as_ref() == Some(&manifest.snapshot) {
            return Ok(Loaded::Unchanged);
        }
        let id = |row: &Row, at: usize| row[at].as_text().unwrap_or_default().to_owned();
        let by_changes = self.snapshot.is_some() && self.snapshot == manifest.base;
        self.snapshot = Some(manifest.snapshot.clone());
        if !by_changes {
            let rows = read_rows(snapshot, &PLACES, &[])?;
            self.rows = rows.into_iter().map(|row| (id(&row, 0), row)).collect();
            return Ok(Loaded::Replaced { rows: self.rows.len() as u64 });
        }
        // The columns of a place stand after those of the change, the id among the latter.
        let place_from = PLACE_CHANGES.columns.len() - (PLACES.columns.len() - 1);
        let changes = read_rows(snapshot, &PLACE_CHANGES, &[])?;
        for change in &changes {
            let key = id(change, 2);
            if matches!(change[0].as_text(), Some("removed" | "merged")) {
                self.rows.remove(&key);
            } else {
                let row = std::iter::once(change[2].clone()).chain(change[place_from..].iter().cloned());
                self.rows.insert(key, row.collect());
            }
        }
        Ok(Loaded::Changed { rows: changes.len() as u64 })
    }
}
