//! poimill: places out of OpenStreetMap and charging feeds, conflated, as GeoParquet and in PostGIS.
//!
//! ```text
//! sources ─▶ extract ─▶ transform ─▶ conflate ─▶ identify ─▶ tabulate ─▶ diff ─▶ publish ─▶ load ─▶ sinks
//!            Feature    Record       Place        ids         tables      changes
//! ```
//!
//! A source hands on [`domain::Feature`]s, objects as it states them. Each becomes a [`domain::Record`], checked and in
//! our words, or a [`domain::Reject`]. Records that describe the same real thing become one [`domain::Place`]. Places
//! become the rows of a snapshot, which never changes again; what is different from the last one is written beside it,
//! and a database is brought from one to the other.
//!
//! # Layers
//!
//! A file names only layers above its own; `tests/it/architecture.rs` checks it.
//!
//! | layer | what it is |
//! |---|---|
//! | [`domain`] | nouns: pure values such as positions, tags, records, places |
//! | [`pipeline`] | verbs: the line above, and the ports that it asks the outside world through |
//! | [`adapters`] | the outside world, a folder per technology, each answering ports |
//! | [`config`] | a pipeline file and flags as checked settings |
//! | [`wiring`] | the one place that names every adapter |
//! | [`cli`] | one file per subcommand; parses and prints, decides nothing |
//!
//! # What always holds
//!
//! - **The same bytes**: a snapshot depends on its inputs, the settings, the version and the base, never on threads,
//!   paths, clock, locale or time zone.
//! - **Nothing lost**: every object that is read is part of a place, rejected with a code, or left out by a named rule.
//! - **Bad record, bad input**: a bad record is a reject and never ends a run; an input that cannot be trusted as a
//!   whole ends it, with an exit code of its own ([`pipeline::RunError`]).
//! - **Always whole**: `latest` points to a whole snapshot, and a database shows the old or the new one, at any moment.
//! - **Ids stay**: a place keeps its id while it keeps any of its records ([`pipeline::conflate::identity`]).
//!
//! # Where to start reading
//!
//! 1. [`pipeline::Pipeline::run`]: the whole program in one function.
//! 2. [`pipeline::ports`]: what it asks of the outside world.
//! 3. [`pipeline::tabulate::tables`]: every column of every table.
//! 4. [`pipeline::transform`] and [`pipeline::conflate`]: the steps and the judgement.
//! 5. `data/fixtures/README.md`: the town on which all of it is tried, case by case.

pub mod adapters;
pub mod cli;
pub mod config;
pub mod domain;
pub mod pipeline;
pub mod wiring;
