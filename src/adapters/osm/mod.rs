//! OpenStreetMap PBF files as a source.
