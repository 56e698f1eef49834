//! A database of its own for each test, on the server that `POIMILL_TEST_DATABASE_URL` names.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use postgres::{Client, NoTls};

/// A database that is dropped with the test.
pub(crate) struct Database {
    name: String,
    /// Its URL.
    pub(crate) url: String,
    server: String,
}

impl Database {
    /// A new database with PostGIS.
    ///
    /// `None` where there is no server: the test then returns, after saying that it was skipped. With
    /// `POIMILL_TEST_REQUIRE_ALL=1` it fails instead.
    pub(crate) fn create(test: &str) -> Option<Self> {
        // The test script's server has PostGIS in template1, which is quicker than creating it each time.
        let database = Self::from_template(test, "template1")?;
        database
            .client()
            .batch_execute("set client_min_messages = error; create extension if not exists postgis")
            .unwrap();
        Some(database)
    }

    /// A new database without PostGIS.
    pub(crate) fn without_postgis(test: &str) -> Option<Self> {
        Self::from_template(test, "template0")
    }

    fn from_template(test: &str, template: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let Some(server) = env::var("POIMILL_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty()) else {
            assert_ne!(
                env::var("POIMILL_TEST_REQUIRE_ALL").as_deref(),
                Ok("1"),
                "POIMILL_TEST_DATABASE_URL is not set"
            );
            super::tell(&format!("{test} needs a PostGIS server (POIMILL_TEST_DATABASE_URL)"));
            return None;
        };
        let name = format!("poimill_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let create = format!("create database {name} template {template}");
        Client::connect(&server, NoTls).unwrap().batch_execute(&create).unwrap();
        Some(Self { url: with_setting(&server, &format!("dbname={name}")), name, server })
    }

    /// A new session.
    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.url, NoTls).unwrap()
    }

    /// The rows of a query with one text column.
    pub(crate) fn texts(&self, query: &str) -> Vec<String> {
        let rows = self.client().query(query, &[]).unwrap();
        rows.iter().map(|row| row.get::<_, Option<String>>(0).unwrap_or_else(|| "-".to_owned())).collect()
    }

    /// The one number that a query gives.
    pub(crate) fn number(&self, query: &str) -> i64 {
        self.client().query_one(query, &[]).unwrap().get(0)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // A failing test must show its own failure, not this one's.
        if let Ok(mut client) = Client::connect(&self.server, NoTls) {
            let _ = client.batch_execute(&format!("drop database if exists {} with (force)", self.name));
        }
    }
}

/// A URL with one more setting; of a setting made twice, the last counts.
pub(crate) fn with_setting(url: &str, setting: &str) -> String {
    let separator = match (url.starts_with("postgres"), url.contains('?')) {
        (true, true) => "&",
        (true, false) => "?",
        (false, _) => " ",
    };
    format!("{url}{separator}{setting}")
}
