//! Why a run ends early: one variant per exit code.

use std::error::Error;

use super::Report;

/// A cause from an adapter, kept as it is for the error chain.
type Cause = Box<dyn Error + Send + Sync>;

/// A failure that ends the run. One bad record is never one: it becomes a `Reject`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// Exit 1: it failed, e.g. a full disk or a broken assumption.
    #[error(transparent)]
    Failed(Cause),
    /// Exit 1: all is done, but the pairs under review are not where a person decides on them.
    #[error(
        "snapshot {snapshot} is published and nothing of it is lost, but its pairs under review are not in the decisions \
         file; put that right and run again: the run then lists them"
    )]
    NotAsked {
        /// The snapshot's id.
        snapshot: String,
        /// What is wrong with the file.
        source: Cause,
        /// The report of the run.
        report: Box<Report>,
    },
    /// Exit 2: wrong usage or settings.
    #[error(transparent)]
    Settings(Cause),
    /// Exit 3: an input is missing or damaged.
    #[error("input `{name}` cannot be used")]
    Input {
        /// The source's name in the pipeline file, or `snapshot`.
        name: String,
        /// What is wrong with it.
        source: Cause,
    },
    /// Exit 4: the gate refused to publish. The snapshot is kept, marked held.
    #[error(
        "snapshot {snapshot} is held back: {}; it is kept for a look and `latest` is unchanged; \
         if the night is right, publish it with `poimill release {}`, or widen [gate] and run again",
        reasons.join("; "),
        report.as_ref().map_or(snapshot.as_str(), |report| report.location.as_str())
    )]
    Held {
        /// The snapshot's id.
        snapshot: String,
        /// What the gate saw.
        reasons: Vec<String>,
        /// The report of the run, where it was one that made the snapshot.
        report: Option<Box<Report>>,
    },
    /// Exit 5: a sink failed.
    #[error("sink `{name}` failed")]
    Sink {
        /// The sink's name.
        name: String,
        /// What went wrong.
        source: Cause,
    },
    /// Exit 6: another run holds the pipeline's lock.
    #[error("another run of pipeline `{pipeline}` is at work ({holder}); wait for it to end")]
    Locked {
        /// The pipeline's name.
        pipeline: String,
        /// What is known of the other run.
        holder: String,
    },
}

impl RunError {
    /// Wraps a cause that ends the run with exit 1.
    pub fn failed(cause: impl Into<Cause>) -> Self {
        Self::Failed(cause.into())
    }

    /// Wraps a cause found in settings.
    pub fn settings(cause: impl Into<Cause>) -> Self {
        Self::Settings(cause.into())
    }

    /// Wraps a cause found in an input.
    pub fn input(name: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Input { name: name.into(), source: cause.into() }
    }

    /// Wraps a cause met by a sink.
    pub fn sink(name: impl Into<String>, cause: impl Into<Cause>) -> Self {
        Self::Sink { name: name.into(), source: cause.into() }
    }

    /// The message with its causes in one line, each said once.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.ends_with(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        text
    }

    /// The exit code of the process.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::NotAsked { .. } => 1,
            Self::Settings(_) => 2,
            Self::Input { .. } => 3,
            Self::Held { .. } => 4,
            Self::Sink { .. } => 5,
            Self::Locked { .. } => 6,
        }
    }
}
