//! A PostGIS database as a sink.
