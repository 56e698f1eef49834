//! A place written in each shape that sources come in, and read again, is the same place.
//!
//! ```text
//! Station ─ a writer per shape ─▶ file ─ Source ─▶ Feature ─ transform ─▶ Record.attributes = what the shape can say of the Station
//! ```

mod ocpi;
mod open_charge_map;
mod read;
mod station;
mod table;
