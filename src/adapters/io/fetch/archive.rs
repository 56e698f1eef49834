//! Replacement: a fetched file takes the place of an input, and what was there goes to the archive.
//!
//! ```text
//! <folder>/archive/<source>/<vintage>/<file name>      vintage: 20260710T202000Z, else undated-<8 digits of the SHA-256>
//! ```
//!
//! The earlier input gets its second name before it loses its first, and the new one takes that in one step: whenever the
//! process ends, there is a whole input in its place.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::input_of;
use super::FetchError;
use super::record::{FetchRecord, beside, rename_durably};

/// Versions that are kept where a pipeline file does not say how many.
pub const KEEP: usize = 2;

/// Where earlier inputs of a source go.
pub struct Archive<'a> {
    /// The source's name.
    pub source: &'a str,
    /// So many versions are kept; none where it is 0.
    pub keep: usize,
    /// The date that an input states of itself.
    pub vintage_of: &'a dyn Fn(&Path) -> Option<Timestamp>,
}

/// The input that a name stands for: where a link leads, so that the link stays.
#[must_use]
pub fn behind_links(path: &Path) -> PathBuf {
    if path.is_symlink() { fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()) } else { path.to_owned() }
}

impl Archive<'_> {
    /// Puts `new` in the place of `input` with its record, and what was there into the archive; tells where.
    ///
    /// # Errors
    ///
    /// When something cannot be written; there is a whole input in its place all the same.
    pub fn replace(&self, new: &Path, input: &Path, record: &FetchRecord) -> Result<Option<PathBuf>, FetchError> {
        let archived = if self.keep > 0 && input.is_file() && !record.is_of(input)? { self.keep(input)? } else { None };
        // Before the file itself: a record that tells of another file is void, and what is fetched is still to be put there.
        record.write(input)?;
        rename_durably(new, input).map_err(|source| FetchError::write(input, source))?;
        if let Some(archived) = &archived {
            self.thin_out(input, archived);
        }
        Ok(archived)
    }

    /// Gives the input a second name in the archive, unless it has one.
    fn keep(&self, input: &Path) -> Result<Option<PathBuf>, FetchError> {
        let unreadable = |source| FetchError::read(input, source);
        let own = fs::metadata(input).map_err(unreadable)?;
        let name = input.file_name().unwrap_or_default();
        for version in self.versions(input) {
            let path = version.join(name);
            if fs::metadata(&path).is_ok_and(|kept| (kept.dev(), kept.ino()) == (own.dev(), own.ino())) {
                return Ok(Some(path));
            }
        }
        let found = input_of(input).map_err(unreadable)?;
        let of_record = || FetchRecord::read(input).filter(|record| record.sha256 == found.sha256)?.vintage();
        let dated = (self.vintage_of)(input).or_else(of_record);
        let digits = &found.sha256[..8];
        let version =
            dated.map_or(format!("undated-{digits}"), |vintage| vintage.strftime("%Y%m%dT%H%M%SZ").to_string());
        let mut folder = self.folder(input).join(&version);
        if let Ok(there) = input_of(&folder.join(name)) {
            if there.sha256 == found.sha256 {
                return Ok(Some(folder.join(name)));
            }
            // Another file of the same date.
            folder = self.folder(input).join(format!("{version}-{digits}"));
        }
        let path = folder.join(name);
        fs::create_dir_all(&folder)
            .and_then(|()| second_name(input, &path))
            .map_err(|source| FetchError::write(&path, source))?;
        Ok(Some(path))
    }

    fn folder(&self, input: &Path) -> PathBuf {
        input.with_file_name("archive").join(self.source)
    }

    /// The folders of versions, oldest first; those without a date are older than all others.
    fn versions(&self, input: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.folder(input)) else { return Vec::new() };
        let is_version = |name: &str| {
            name.starts_with("undated-")
                || name.get(..16).is_some_and(|date| date.ends_with('Z') && date.as_bytes()[8] == b'T')
        };
        let mut versions: Vec<(bool, String, PathBuf)> = entries
            .filter_map(Result::ok)
            .filter_map(|entry| Some((entry.file_name().to_str()?.to_owned(), entry.path())))
            .filter(|(name, path)| is_version(name) && path.is_dir())
            .map(|(name, path)| (!name.starts_with("undated-"), name, path))
            .collect();
        versions.sort();
        versions.into_iter().map(|(_, _, path)| path).collect()
    }

    /// Removes the oldest versions beyond the number that is kept; never the one that was just added.
    fn thin_out(&self, input: &Path, added: &Path) {
        let versions = self.versions(input);
        let surplus = versions.len().saturating_sub(self.keep);
        for version in versions.iter().filter(|version| !added.starts_with(version)).take(surplus) {
            // A version that cannot be removed does no harm.
            if let Err(error) = fs::remove_dir_all(version) {
                tracing::warn!(folder = %version.display(), %error, "cannot remove an archived input");
            }
        }
    }
}

/// A hard link, or a copy where the file system has none.
fn second_name(input: &Path, path: &Path) -> io::Result<()> {
    if fs::hard_link(input, path).is_ok() {
        return Ok(());
    }
    let copy = beside(path, ".new");
    fs::copy(input, &copy)?;
    fs::File::open(&copy)?.sync_all()?;
    rename_durably(&copy, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the archive of `in.bin` holds after these inputs took its place one after the other, oldest first.
    fn archived(keep: usize, inputs: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let (input, new) = (folder.path().join("in.bin"), folder.path().join("new"));
        let vintage_of = |path: &Path| fs::read_to_string(path).ok()?.split_once('@')?.1.parse().ok();
        let archive = Archive { source: "osm", keep, vintage_of: &vintage_of };
        for (text, last_modified) in inputs {
            fs::write(&new, text).unwrap();
            let mut record = FetchRecord::of("http://h/x", &new).unwrap();
            (record.last_modified, record.fetched_at) = (last_modified.map(str::to_owned), None);
            archive.replace(&new, &input, &record).unwrap();
            assert_eq!((fs::read_to_string(&input).unwrap().as_str(), new.exists()), (*text, false));
            assert_eq!(FetchRecord::read(&input), Some(record));
        }
        let versions = archive.versions(&input);
        let kept = |version: &PathBuf| {
            let name = version.strip_prefix(folder.path().join("archive/osm")).unwrap().display().to_string();
            (name, fs::read_to_string(version.join("in.bin")).unwrap())
        };
        versions.iter().map(kept).collect()
    }

    #[test]
    fn earlier_inputs_are_kept_by_their_own_date_else_the_servers() {
        let inputs = [
            ("a", None),
            ("b@2026-01-02T03:04:05Z", Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            ("c", Some("Sun, 06 Nov 1994 08:49:37 GMT")),
            ("c", None),
            ("d", None),
        ];
        let expected = [
            ("undated-ca978112", "a"),
            ("undated-2e7d2c03", "c"),
            ("19941106T084937Z", "c"),
            ("20260102T030405Z", "b@2026-01-02T03:04:05Z"),
        ];
        let mut found = archived(9, &inputs);
        found.sort_by_key(|(name, _)| expected.iter().position(|(known, _)| known == name));
        // The same bytes fetched again are no earlier version.
        let expected = [expected[0], expected[1], expected[3]];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn the_oldest_go_first_and_none_is_kept_where_none_is_wanted() {
        let inputs =
            ["2026-01-03", "2026-01-01", "2026-01-04", "2026-01-02"].map(|day| format!("{day}@{day}T00:00:00Z"));
        let inputs: Vec<(&str, Option<&str>)> = inputs.iter().map(|text| (text.as_str(), None)).collect();
        let days = |keep| archived(keep, &inputs).iter().map(|(_, text)| text[..10].to_owned()).collect::<Vec<_>>();
        assert_eq!(days(9), ["2026-01-01", "2026-01-03", "2026-01-04"]);
        assert_eq!(days(2), ["2026-01-03", "2026-01-04"]);
        assert_eq!(days(1), ["2026-01-04"]);
        assert_eq!(days(0), [""; 0]);
    }

    #[test]
    fn different_inputs_of_one_date_are_both_kept() {
        let inputs = [("a@2026-01-01T00:00:00Z", None), ("b@2026-01-01T00:00:00Z", None), ("c", None)];
        let found = archived(9, &inputs);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names.len(), 2);
        assert!(names[0] == "20260101T000000Z" && names[1].starts_with("20260101T000000Z-"), "{names:?}");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "a").unwrap();
        std::os::unix::fs::symlink("target", &link).unwrap();
        assert_eq!(behind_links(&link), fs::canonicalize(&target).unwrap());
        assert_eq!(behind_links(Path::new("nothing/there")), Path::new("nothing/there"));
    }
}
