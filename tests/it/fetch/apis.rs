//! APIs by the command: Open Charge Map killed in the middle, and an OCPI server, each from its keys in the pipeline file.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::server::{Asked, Reply, Server, reply};
use crate::support::demo::{Demo, Told};

/// Pages of 20 of 200 stations.
fn stations(asked: &Asked) -> Reply {
    if asked.path.starts_with("/v3/referencedata") {
        return reply("200 OK", &[], br#"{"DataProviders": []}"#);
    }
    assert_eq!((asked.header("x-api-key"), asked.query("countrycode")), (Some("key"), Some("LI")));
    let after: u64 = asked.query("greaterthanid").unwrap().parse().unwrap();
    let ids = after + 1..=(after + 20).min(200);
    let records: Vec<Value> =
        ids.map(|id| json!({ "ID": id, "AddressInfo": { "Latitude": 47.1, "Longitude": 9.5 } })).collect();
    Reply(reply("200 OK", &[], json!(records).to_string().as_bytes()).0, Duration::from_millis(10))
}

#[test]
fn a_crawl_killed_in_the_middle_goes_on_behind_the_last_page() {
    let server = Server::new(stations);
    let demo = Demo::new();
    let text = format!(
        "name = \"demo\"\n[fetch]\npause_ms = 1\n[[source]]\nname = \"ocm\"\nkind = \"open_charge_map\"\npath = \"data/ocm.json\"\n\
         reference = \"data/reference.json\"\nurl = \"{}/v3\"\ncountry = \"li\"\napi_key = {{ env = \"POIMILL_TEST_KEY\" }}\n\
         page_size = 20\nrequests_per_s = 50\n",
        server.url
    );
    demo.write("demo.toml", text.as_bytes());
    let fetch = || {
        let mut command = demo.command("fetch demo.toml");
        command.env("POIMILL_TEST_KEY", "key");
        command
    };
    let mut child = fetch().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while fs::metadata(demo.path("data/ocm.json.part")).map_or(0, |part| part.len()) < 2_000 {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!demo.path("data/ocm.json").exists());
    let before = server.requests().len();
    let told = Told::from(fetch().output().unwrap());
    assert_eq!((told.code, told.err.as_str()), (0, ""), "{told:?}");
    assert!(
        told.out.starts_with("ocm: fetched all 200 stations (") && told.out.contains(" of them by an earlier call"),
        "{told:?}"
    );
    assert!(told.out.ends_with("; the reference data are new\n"), "{told:?}");
    let requests = server.requests();
    // Ten pages, two empty ones and the reference data; the page that was under way may come twice.
    assert!((13..=14).contains(&(before + requests.len())), "{before} {}", requests.len());
    assert!(!requests[0].contains("greaterthanid=0&") && requests.iter().all(|head| !head.contains("countrycode=li")));
    let records: Vec<Value> = serde_json::from_slice(&fs::read(demo.path("data/ocm.json")).unwrap()).unwrap();
    let ids: Vec<u64> = records.iter().map(|record| record["ID"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=200).collect::<Vec<_>>());
    assert_eq!(fs::read(demo.path("data/reference.json")).unwrap(), br#"{"DataProviders": []}"#);
}

#[test]
fn an_ocpi_server_is_fetched_from_with_its_token() {
    let server = Server::new(|asked| {
        assert_eq!(asked.header("authorization"), Some("Token dG9rZW4="));
        let page = |id: &str, headers: &[(&str, &str)]| {
            reply("200 OK", headers, format!("{{\"status_code\": 1000, \"data\": [{{\"id\": \"{id}\"}}]}}").as_bytes())
        };
        match asked.query("offset") {
            None => page("a", &[("Link", "</locations?offset=1>; rel=\"next\"")]),
            Some(_) => page("b", &[]),
        }
    });
    let demo = Demo::new();
    let text = format!(
        "name = \"demo\"\n[[source]]\nname = \"cpo\"\nkind = \"ocpi\"\npath = \"cpo.json\"\nurl = \"{}/locations\"\n\
         token = \"token\"\ntoken_encoding = \"base64\"\nrequests_per_s = 1000\narchive = 0\n",
        server.url
    );
    demo.write("demo.toml", text.as_bytes());
    demo.write("cpo.json", b"[]");
    let told = demo.poimill("fetch demo.toml");
    assert_eq!(
        (told.code, told.out.as_str()),
        (0, "cpo: fetched 2 locations (29 bytes): cpo.json is new\n"),
        "{told:?}"
    );
    assert_eq!(fs::read(demo.path("cpo.json")).unwrap(), b"[\n{\"id\": \"a\"},\n{\"id\": \"b\"}\n]\n");
    assert!(!demo.path("archive").exists());
}
