//! Black-box and scenario tests, in one binary so that dependencies are linked once.

// `cfg(test)` tells the lints that what these modules share is a test's too.
#[cfg(test)]
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod postgis;
#[cfg(test)]
mod support;
