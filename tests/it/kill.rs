//! A run that is ended at any moment leaves `latest` whole, and the next run ends where an undisturbed one does.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use poimill::pipeline::ports::{Snapshot, Tables};
use poimill::wiring;
use sha2::{Digest, Sha256};

use crate::support::demo::{Demo, Told};
use crate::support::{real_data, skipped};

/// Signals, their numbers as `kill` takes them, and the exit code of a run that they end.
const SIGNALS: [(&str, i32); 3] = [("KILL", -1), ("TERM", 143), ("INT", 130)];

/// How long we wait for something that must happen.
const PATIENCE: Duration = Duration::from_mins(1);

/// Moments of a run, in equal steps from its start to its end and a little beyond.
const MOMENTS: u32 = 12;

pub(crate) fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {}", child.id())).stderr(Stdio::null()).status();
    sent.expect("there is a shell");
}

/// Waits until the run is at work: the lock names it from then on.
pub(crate) fn wait_for_the_lock(demo: &Demo, child: &Child) {
    let (started, holder) = (Instant::now(), format!("process {},", child.id()));
    while !fs::read_to_string(demo.store().join("demo/.lock")).unwrap_or_default().starts_with(&holder) {
        assert!(started.elapsed() < PATIENCE, "the run takes the lock");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Copies a store as it is, links as links.
pub(crate) fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("there is cp");
    assert!(copied.success());
}

/// The snapshot that `latest` points to: its id, after every file and every row of it was read.
pub(crate) fn whole(demo: &Demo) -> String {
    let snapshot = wiring::snapshot(&demo.latest()).expect("`latest` is a snapshot");
    let manifest = snapshot.manifest();
    for (name, table) in &manifest.tables {
        let bytes = fs::read(demo.latest().join(format!("{name}.parquet"))).expect("a table");
        assert_eq!(poimill::domain::hex(&Sha256::digest(&bytes)), table.sha256, "{name}");
        let mut rows = 0;
        let read = snapshot.read(name, &[], &mut |batch| {
            rows += batch.num_rows() as u64;
            Ok(())
        });
        read.expect("a table can be read");
        assert_eq!(rows, table.rows, "{name}");
    }
    manifest.snapshot.clone()
}

/// A store with the first night, and what the second makes of it.
struct Undisturbed {
    first: Demo,
    second: Demo,
    took: Duration,
}

impl Undisturbed {
    fn new(night: &dyn Fn(&Demo, u8) -> Command) -> Self {
        let (first, second) = (Demo::new(), Demo::new());
        let run = |demo: &Demo, number| Told::from(night(demo, number).output().expect("poimill starts"));
        assert_eq!(run(&first, 1).code, 0);
        copy(&first.store(), &second.store());
        let started = Instant::now();
        assert_eq!(run(&second, 2).code, 0);
        Self { took: started.elapsed(), first, second }
    }

    /// Starts the second night, sends the signal when `moment` has come, and checks what is left and what the next run
    /// makes of it. Returns how the run ended.
    fn end_at(&self, night: &dyn Fn(&Demo, u8) -> Command, name: &str, moment: &dyn Fn(&Demo, &Child)) -> Told {
        let demo = Demo::new();
        copy(&self.first.store(), &demo.store());
        let child = night(&demo, 2).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("poimill starts");
        moment(&demo, &child);
        signal(&child, name);
        let told = Told::from(child.wait_with_output().expect("poimill ends"));

        let found = whole(&demo);
        assert!([self.first.latest_id(), self.second.latest_id()].contains(&found), "{found}");
        let next = Told::from(night(&demo, 2).output().expect("poimill starts"));
        assert_eq!(next.code, 0, "{next:?}");
        assert_eq!(whole(&demo), self.second.latest_id());
        assert_eq!(demo.reproducible(), self.second.reproducible(), "after {name}: {told:?}");
        told
    }
}

#[test]
fn a_run_ended_at_any_moment_is_repaired_by_the_next() {
    let night = |demo: &Demo, number: u8| demo.night(number);
    let undisturbed = Undisturbed::new(&night);
    for (name, code) in SIGNALS {
        for step in 0..=MOMENTS {
            let after = undisturbed.took * step / (MOMENTS - 1);
            let told = undisturbed.end_at(&night, name, &|_, _| std::thread::sleep(after));
            // Before the handler stands the signal itself ends the run, and after its end there is none to end.
            assert!([0, -1, code].contains(&told.code), "{name} after {after:?}: {told:?}");
        }
    }
}

#[test]
fn an_interrupted_run_says_so_and_exits_as_shells_expect() {
    let night = |demo: &Demo, number: u8| demo.night(number);
    let undisturbed = Undisturbed::new(&night);
    for (name, code) in &SIGNALS[1..] {
        let told = undisturbed.end_at(&night, name, &wait_for_the_lock);
        assert_eq!((told.code, told.out.as_str()), (*code, ""), "{told:?}");
        assert!(
            told.err.contains("interrupted: what was published before stays as it is; run again to finish"),
            "{told:?}"
        );
    }
}

#[test]
fn a_real_run_ended_at_any_moment_is_repaired_by_the_next() {
    let Some(data) = real_data() else { return skipped("a_real_run_ended_at_any_moment_is_repaired_by_the_next") };
    let osm = ["monaco-20260309.osm.pbf", "monaco-20260710.osm.pbf"];
    let night = |demo: &Demo, number: u8| {
        let mut command = demo.command("run demo.toml --store store");
        let region = Demo::text().replace("[6.475, 54.485, 6.525, 54.515]", "[7.40, 43.72, 7.45, 43.76]");
        demo.write("demo.toml", region.as_bytes());
        command.arg("--input").arg(format!("osm={}", data.join("osm").join(osm[usize::from(number) - 1]).display()));
        command.arg("--input").arg(format!("ocm={}", data.join("ocm/ocm-data-poi-20201120.ndjson.gz").display()));
        command
    };
    let undisturbed = Undisturbed::new(&night);
    for step in 1..=5 {
        let after = undisturbed.took * step / 6;
        undisturbed.end_at(&night, "KILL", &|_, _| std::thread::sleep(after));
    }
}
