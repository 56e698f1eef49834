//! Progress: bars on a terminal, log lines (`-v`) otherwise, and the measurements of `run.json`.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::domain::Timestamp;
use crate::pipeline::ports::{Observer, Unit};

/// Watches a run for a person.
pub(super) struct Progress {
    started_at: Timestamp,
    started: Instant,
    on_terminal: bool,
    now: Mutex<Now>,
}

/// The stage at work, and those before it.
struct Now {
    bar: ProgressBar,
    stage: Option<(String, Instant)>,
    done: Vec<(String, u64)>,
}

impl Progress {
    /// Starts the clock. Without a terminal, or when told to be quiet, no bar is drawn.
    pub(super) fn new(quiet: bool) -> Self {
        let on_terminal = !quiet && io::stderr().is_terminal();
        let now = Now { bar: ProgressBar::hidden(), stage: None, done: Vec::new() };
        Self { started_at: Timestamp::now(), started: Instant::now(), on_terminal, now: Mutex::new(now) }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        let mut now = self.now();
        now.end_stage();
        now.bar.finish_and_clear();
    }

    /// Seconds since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    fn now(&self) -> std::sync::MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Now {
    fn end_stage(&mut self) {
        if let Some((name, since)) = self.stage.take() {
            let duration_ms = since.elapsed().as_millis() as u64;
            tracing::info!(stage = name, duration_ms, "stage done");
            self.done.push((name, duration_ms));
        }
    }
}

impl Observer for Progress {
    fn stage(&self, name: &str, unit: Unit, total: Option<u64>) {
        let mut now = self.now();
        now.end_stage();
        now.bar.finish_and_clear();
        now.stage = Some((name.to_owned(), Instant::now()));
        tracing::debug!(stage = name, "stage begins");
        if !self.on_terminal {
            return;
        }
        let counts = match unit {
            Unit::Bytes => "{binary_bytes} of {binary_total_bytes} ({eta})",
            Unit::Rows => "{human_pos} of {human_len}",
        };
        now.bar = match total {
            Some(total) => {
                let style = ProgressStyle::with_template(&format!("{{msg:32}} {{wide_bar}} {counts}"));
                ProgressBar::new(total).with_style(style.expect("the template is valid"))
            }
            None => ProgressBar::new_spinner(),
        };
        now.bar.set_message(name.to_owned());
    }

    fn advance(&self, amount: u64) {
        self.now().bar.inc(amount);
    }

    fn note(&self, message: &str) {
        let now = self.now();
        now.bar.suspend(|| {
            // Nobody is left to tell when stderr is closed.
            writeln!(io::stderr(), "note: {message}").ok();
        });
    }

    fn measurements(&self) -> Value {
        let now = self.now();
        let mut stages: Vec<Value> =
            now.done.iter().map(|(name, ms)| json!({ "stage": name, "duration_ms": ms })).collect();
        if let Some((name, since)) = &now.stage {
            stages.push(json!({ "stage": name, "duration_ms": since.elapsed().as_millis() as u64 }));
        }
        json!({
            "started_at": self.started_at,
            "duration_ms": self.started.elapsed().as_millis() as u64,
            "stages": stages,
            "threads": rayon::current_num_threads(),
            "peak_memory_bytes": peak_memory_bytes(),
            "command": std::env::args().map(|argument| redacted(&argument)).collect::<Vec<_>>(),
        })
    }
}

/// A command-line argument without a password in it.
fn redacted(argument: &str) -> String {
    let looks_like_database = argument.contains("://") || argument.contains("password=");
    if looks_like_database { "(database)".to_owned() } else { argument.to_owned() }
}

/// The most memory that the process held, as the kernel counts it. `None` where there is no `/proc`.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}
