//! Downloads by the command: killed at any moment, through a proxy, beside a source that fails.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::server::{Reply, Server, file, reply};
use crate::support::demo::{Demo, Told, fixture};

/// A pipeline with one extract from this address.
fn pipeline(url: &str) -> String {
    format!(
        "name = \"demo\"\n[fetch]\nattempts = 3\npause_ms = 1\n[[source]]\nname = \"osm\"\nkind = \"osm_pbf\"\n\
         path = \"town.osm.pbf\"\nurl = \"{url}/town.osm.pbf\"\n"
    )
}

/// A folder with this pipeline and the extract of the first night.
fn night(text: &str) -> Demo {
    let demo = Demo::new();
    demo.write("demo.toml", text.as_bytes());
    fs::copy(fixture("night-1/town.osm.pbf"), demo.path("town.osm.pbf")).unwrap();
    demo
}

/// Paths of the files below a folder, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut queue = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(path) = queue.pop() {
        if path.is_dir() {
            queue.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(path.strip_prefix(folder).unwrap().display().to_string());
        }
    }
    files.sort();
    files
}

#[test]
fn an_extract_is_replaced_and_the_night_before_can_be_repeated() {
    let second = fs::read(fixture("night-2/town.osm.pbf")).unwrap();
    let served = second.clone();
    let server = Server::new(move |asked| match asked.path.as_str() {
        "/town.osm.pbf" => file(asked, &served),
        _ => reply("404 Not Found", &[], b""),
    });
    let demo = night(&pipeline(&server.url));
    let told = demo.poimill("fetch demo.toml");
    let archived = "archive/osm/20260501T202100Z/town.osm.pbf";
    let line = format!("is new, and what it was is kept in {archived}\n");
    assert!(told.code == 0 && told.out.starts_with("osm: fetched ") && told.out.ends_with(&line), "{told:?}");
    assert!(fs::read(demo.path("town.osm.pbf")).unwrap() == second);
    let first = fs::read(fixture("night-1/town.osm.pbf")).unwrap();
    assert!(fs::read(demo.path(archived)).unwrap() == first);
    assert_eq!(files(&demo.path(".")), [archived, "demo.toml", "town.osm.pbf", "town.osm.pbf.fetch.json"]);

    let told = demo.poimill("fetch demo.toml");
    let not = "osm: not changed since Sun, 06 Nov 1994 08:49:37 GMT: town.osm.pbf stays as it is\n";
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (0, not, ""));
    let places = |input: &str| {
        let told = demo.poimill(&format!("run demo.toml --dry-run --json --input osm={input}"));
        serde_json::from_str::<serde_json::Value>(&told.out).unwrap()["vintage"].clone()
    };
    assert_eq!(places(archived), "2026-05-01T20:21:00Z");
    assert_ne!(places("town.osm.pbf"), "2026-05-01T20:21:00Z");
}

#[test]
fn a_download_killed_at_any_moment_is_finished_by_the_next_call() {
    let body: Vec<u8> = (0..3_000_000_u32).map(|number| (number % 251) as u8 | 1).collect();
    let served = body.clone();
    let server = Server::new(move |asked| match asked.path.as_str() {
        "/town.osm.pbf" => Reply(file(asked, &served).0, Duration::from_millis(1)),
        _ => reply("404 Not Found", &[], b""),
    });
    let first = fs::read(fixture("night-1/town.osm.pbf")).unwrap();
    let whole = night(&pipeline(&server.url));
    let started = Instant::now();
    assert_eq!(whole.poimill("fetch demo.toml").code, 0);
    let took = started.elapsed();

    let mut resumed = 0;
    for (step, name) in (1..=10).map(|step| (step, if step % 2 == 0 { "KILL" } else { "TERM" })) {
        let demo = night(&pipeline(&server.url));
        let mut child = demo.command("fetch demo.toml").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(took * step / 10);
        std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{name} {}", child.id()))
            .stderr(Stdio::null())
            .status()
            .unwrap();
        child.wait().unwrap();
        let now = fs::read(demo.path("town.osm.pbf")).unwrap();
        assert!(now == first || now == body, "the old input or the new one");
        let left = fs::metadata(demo.path("town.osm.pbf.part")).map_or(0, |part| part.len());
        server.sent_bytes();
        let told = demo.poimill("fetch demo.toml");
        assert_eq!(told.code, 0, "{told:?}");
        assert!(fs::read(demo.path("town.osm.pbf")).unwrap() == body);
        // Nothing that was there came again.
        let sent = server.sent_bytes();
        let limit = if now == body { 10_000 } else { body.len() as u64 - left + 10_000 };
        assert!(sent <= limit, "{sent} bytes were sent, and {left} were there");
        resumed += u32::from(left > 0 && left < body.len() as u64);
        let files = files(&demo.path("."));
        let expected =
            ["archive/osm/20260501T202100Z/town.osm.pbf", "demo.toml", "town.osm.pbf", "town.osm.pbf.fetch.json"];
        assert_eq!(files, expected, "after {name} at step {step}");
    }
    assert!(resumed > 3, "{resumed} of 10 were broken off in the middle");
}

#[test]
fn a_source_that_fails_stops_no_other() {
    let server = Server::new(|asked| match asked.path.as_str() {
        "/list.csv" => reply("200 OK", &[], b"id;lon;lat\n1;9.5;47.1\n"),
        "/town.osm.pbf" => reply("200 OK", &[], b"<html>Maintenance</html>"),
        _ => reply("404 Not Found", &[], b""),
    });
    let csv = format!(
        "[[source]]\nname = \"ocm\"\nkind = \"open_charge_map\"\npath = \"list.csv\"\nurl = \"{}/list.csv\"\n\
         [[source]]\nname = \"api\"\nkind = \"open_charge_map\"\npath = \"api.json\"\napi_key = {{ env = \"POIMILL_NO_SUCH\" }}\n",
        server.url
    );
    let demo = night(&format!("{}{csv}", pipeline(&server.url)));
    let told = demo.poimill("fetch demo.toml");
    assert_eq!((told.code, told.out.as_str()), (3, "ocm: fetched 22 bytes: list.csv is new\n"), "{told:?}");
    let url = &server.url;
    let lines = [
        "error: input `osm` cannot be used",
        &format!(
            "  because: {url}/town.osm.pbf answers with a page for people in place of data; open it in a browser to see \
             what it says"
        ),
        "note: api: POIMILL_NO_SUCH is not set, so `api_key` counts as left out",
        "error: input `api` cannot be used",
        "  because: Open Charge Map wants to know who asks: get a key at https://openchargemap.org/site/profile/applications, \
         put it into an environment variable, and name that in the source: api_key = { env = \"OCM_API_KEY\" }",
        "2 of 3 sources could not be brought up to date: what was there is still there, and `poimill fetch demo.toml` goes \
         on where this one stopped",
    ];
    assert_eq!(told.err.lines().collect::<Vec<_>>(), lines);
    assert!(fs::read(demo.path("town.osm.pbf")).unwrap() == fs::read(fixture("night-1/town.osm.pbf")).unwrap());

    let told = demo.poimill("fetch demo.toml --only ocm");
    assert_eq!((told.code, told.err.as_str()), (0, ""));
    let told = demo.poimill("fetch demo.toml --only oc");
    let says = "error: --only oc: the pipeline has no source `oc`; it has: osm, ocm, api\n";
    assert_eq!((told.code, told.err.as_str()), (2, says));
}

#[test]
fn a_proxy_is_gone_through() {
    let proxy = Server::new(|asked| file(asked, b"what the other side of the tunnel says"));
    let demo = night(&pipeline("http://nowhere.invalid"));
    let output = demo
        .command("fetch demo.toml")
        .env("HTTP_PROXY", &proxy.url)
        .env_remove("ALL_PROXY")
        .env_remove("HTTPS_PROXY")
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .output()
        .expect("poimill starts");
    let told = Told::from(output);
    // The proxy answers for the checksum too, with what is none.
    assert_eq!(told.code, 0, "{told:?}");
    assert_eq!(fs::read(demo.path("town.osm.pbf")).unwrap(), b"what the other side of the tunnel says");
    assert!(proxy.requests()[0].starts_with("CONNECT nowhere.invalid:80 "));
}

#[test]
fn an_extract_with_diffs_is_downloaded_only_if_it_is_missing_or_all_is_wanted() {
    let first = fs::read(fixture("night-1/town.osm.pbf")).unwrap();
    let server = Server::new(move |asked| match asked.path.as_str() {
        "/town.osm.pbf" => file(asked, &first),
        "/updates/state.txt" => reply("200 OK", &[], b"sequenceNumber=1\ntimestamp=2026-05-01T20\\:21\\:00Z\n"),
        _ => reply("404 Not Found", &[], b""),
    });
    let demo = night(&format!("{}changes = \"{}/updates\"\n", pipeline(&server.url), server.url));
    let asked = |args: &str| {
        let told = demo.poimill(args);
        assert!(told.code == 0 && told.out.contains("the server has nothing newer than town.osm.pbf"), "{told:?}");
        server.requests().iter().filter(|head| head.starts_with("GET /town.osm.pbf HTTP")).count()
    };
    assert_eq!(asked("fetch demo.toml"), 0);
    assert_eq!(asked("fetch demo.toml --full"), 1);
    fs::remove_file(demo.path("town.osm.pbf")).unwrap();
    assert_eq!(asked("fetch demo.toml"), 1);
}
