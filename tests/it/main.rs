//! Black-box and scenario tests, in one binary so that dependencies are linked once.

// `cfg(test)` tells the lints that what these modules share is a test's too.
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod charging;
#[cfg(test)]
mod cli;
#[cfg(test)]
#[path = "../corruptor/mod.rs"]
mod corruptor;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod eval;
#[cfg(test)]
mod explain;
#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
#[cfg(test)]
mod faults;
#[cfg(test)]
mod fetch;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod invented;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod layer_changes;
mod layers;
#[cfg(test)]
mod line;
#[cfg(test)]
mod nights;
#[cfg(test)]
mod ocpi;
#[cfg(test)]
mod osm_findings;
#[cfg(test)]
mod osm_parity;
mod osm_sources;
#[cfg(test)]
mod postgis;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod real;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod schemas;
#[cfg(test)]
mod self_evaluation;
#[cfg(test)]
mod skipping;
#[cfg(test)]
mod source_page;
#[cfg(test)]
mod store;
#[cfg(test)]
mod store_commands;
#[cfg(test)]
mod support;
#[cfg(test)]
mod table;
