//! Corruptor: makes datasets of which is known exactly who is who, for tests and for runs at scale.
//!
//! - **Truth**: each record knows the place that it was made from; records of one place are to be merged, no others.
//! - **Order**: the same knobs give the same files, on every machine.
//! - Everything is invented: no name, operator or address is anybody's.

mod dice;
mod places;
mod words;

pub(crate) use places::write_places;

/// How badly the sources tell of the places. Probabilities are in `[0, 1]`.
#[derive(Debug, Clone)]
pub(crate) struct Knobs {
    /// Other knobs being equal, another seed gives other places.
    pub(crate) seed: u64,
    /// Share of the records of one source that another source has too.
    pub(crate) shared: f64,
    /// Standard deviation of a position in each direction, in metres.
    pub(crate) jitter_m: f64,
    /// A position off by ten times as much.
    pub(crate) outlier: f64,
    /// A name with a letter wrong.
    pub(crate) misspelt: f64,
    /// A name without the word for its kind.
    pub(crate) shortened: f64,
    /// Another name altogether.
    pub(crate) renamed: f64,
    /// No name.
    pub(crate) unnamed: f64,
    /// An optional attribute that is left out.
    pub(crate) silent: f64,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            seed: 1,
            shared: 0.5,
            jitter_m: 30.0,
            outlier: 0.01,
            misspelt: 0.1,
            shortened: 0.15,
            renamed: 0.03,
            unnamed: 0.02,
            silent: 0.4,
        }
    }
}
