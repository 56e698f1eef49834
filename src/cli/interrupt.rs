//! Interrupts: Ctrl-C and termination end the run with a message and the exit code that shells expect.
//!
//! Nothing has to be undone: `latest` only ever points to a whole snapshot, a database load is one transaction, and the
//! next run removes what lies half-written.

use std::io::Write;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Exit code of a process ended by a signal is this plus the signal's number, as in shells.
const SIGNAL_BASE: i32 = 128;

/// Watches for signals from now on.
pub(super) fn watch() {
    // Without a handler the default action still ends the process; only the message is lost.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let mut err = std::io::stderr();
            writeln!(err, "interrupted: what was published before stays as it is; run again to finish").ok();
            std::process::exit(SIGNAL_BASE + signal);
        }
    });
}
