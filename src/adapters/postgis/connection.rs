//! Connection: from a URL to a session on a server that has what is needed.

use std::time::Duration;

use postgres::config::{Host, SslMode};
use postgres::error::SqlState;
use postgres::{Client, Config, NoTls};

use super::PostGisError;
use super::error::Doing;

/// How long to wait for a server that does not answer, unless the URL says otherwise.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Oldest server that is supported: 14, as `server_version_num` counts.
const OLDEST_VERSION: i32 = 140_000;

/// Opens a session and checks that the server is recent and has PostGIS.
pub(super) fn connect(url: &str) -> Result<(Client, String), PostGisError> {
    let mut config: Config = url.parse().map_err(PostGisError::Url)?;
    let target = redacted(&config);
    if config.get_ssl_mode() == SslMode::Require {
        return Err(PostGisError::Tls { target });
    }
    config.application_name("poimill");
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    let mut client = config.connect(NoTls).map_err(|source| refusal(&config, source))?;
    let server =
        client.query_one(include_str!("../../../sql/queries/server.sql"), &[]).doing("asking for the version")?;
    if server.get::<_, i32>("version_number") < OLDEST_VERSION {
        return Err(PostGisError::TooOld { target, version: server.get("version") });
    }
    if !server.get::<_, bool>("has_postgis") {
        return Err(PostGisError::NoPostGis { target });
    }
    Ok((client, target))
}

/// What a failed connection means.
fn refusal(config: &Config, source: postgres::Error) -> PostGisError {
    let target = redacted(config);
    let refused = match source.code() {
        Some(&SqlState::INVALID_CATALOG_NAME) => return PostGisError::NoDatabase { target, source },
        Some(code) => [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code),
        // The driver has no code for a server that asks for a password where the URL has none.
        None => source.to_string().contains("invalid configuration"),
    };
    if refused {
        return PostGisError::Refused { target, user: config.get_user().unwrap_or_default().to_owned(), source };
    }
    PostGisError::Unreachable { target, source }
}

/// Database and host of a URL, for people; never the password.
fn redacted(config: &Config) -> String {
    let port = |at: usize| config.get_ports().get(at).or(config.get_ports().first()).copied().unwrap_or(5432);
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| match host {
        Host::Tcp(name) => format!("{name}:{}", port(at)),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let addresses = config.get_hostaddrs().iter().enumerate().map(|(at, address)| format!("{address}:{}", port(at)));
    let hosts: Vec<String> = if config.get_hosts().is_empty() { addresses.collect() } else { hosts.collect() };
    let database = config.get_dbname().or(config.get_user()).unwrap_or("?");
    format!("database `{database}` on {}", if hosts.is_empty() { "no host".to_owned() } else { hosts.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_a_url_names_host_and_database_and_no_password() {
        let cases = [
            ("postgresql://ann:s3cret@db.example:5433/places", "database `places` on db.example:5433"),
            ("host=/run/pg user=ann password=s3cret", "database `ann` on /run/pg"),
            ("host=a,b port=1,2 dbname=x", "database `x` on a:1, b:2"),
            ("user=ann", "database `ann` on no host"),
        ];
        for (url, shown) in cases {
            assert_eq!(redacted(&url.parse().unwrap()), shown);
        }
    }

    #[test]
    fn a_url_that_is_none_is_not_repeated() {
        let Err(error) = connect("postgresql://ann:s3cret@host:port/x") else { panic!("it is no URL") };
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
        let text = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
        assert!(text.starts_with("the database URL cannot be read") && !text.contains("s3cret"), "{text}");
    }
}
