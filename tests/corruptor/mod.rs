//! Corruptor: makes datasets of which is known exactly who is who, for tests and for runs at scale.
//!
//! - **Truth**: each record knows the place that it was made from; records of one place are to be merged, no others.
//! - **Order**: the same knobs give the same files, on every machine.
//! - Everything is invented: no name, operator or address is anybody's.

#[cfg(test)]
pub(crate) mod calibration;
mod dice;
mod places;
mod stations;
mod tell;
#[cfg(test)]
mod trial;
mod words;

pub(crate) use places::write_places;
pub(crate) use stations::stations;
#[cfg(test)]
pub(crate) use tell::Told;
pub(crate) use tell::write_stations;
#[cfg(test)]
pub(crate) use trial::{cases, try_places, try_stations};

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
    /// An operator written another way.
    pub(crate) alias: f64,
    /// No operator.
    pub(crate) no_operator: f64,
    /// A station told of post by post, each with its share of the charging points.
    pub(crate) split: f64,
    /// A station entered twice by one source.
    pub(crate) duplicated: f64,
    /// Power in watts where kilowatts are meant.
    pub(crate) watts: f64,
    /// A position 100 to 300 m off: the gate of the premises, the town hall.
    pub(crate) moved: f64,
    /// Longitude and latitude swapped.
    pub(crate) swapped: f64,
    /// Sites that have stations of two operators, within 40 m.
    pub(crate) two_operators: f64,
    /// Stations with another of the same operator down the road, 150 to 400 m away.
    pub(crate) neighbours: f64,
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
            alias: 0.4,
            no_operator: 0.1,
            split: 0.02,
            duplicated: 0.02,
            watts: 0.02,
            moved: 0.01,
            swapped: 0.005,
            two_operators: 0.1,
            neighbours: 0.05,
        }
    }
}
