//! poimill: places out of OpenStreetMap and charging feeds, conflated, as GeoParquet and in PostGIS.

pub mod adapters;
pub mod domain;
pub mod pipeline;
