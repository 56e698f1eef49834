//! Memory: sizes as people write them, for `--memory`.

/// Memory that layers may take where nothing is said: a country's roads and more, and less than the smallest machine that
/// runs one has.
pub(super) const DEFAULT_MEMORY_BYTES: u64 = 1 << 30;

/// Least memory that layers can be sorted in: smaller runs would be too many to merge.
const MIN_MEMORY_BYTES: u64 = 64 << 20;

/// Units in bytes; upper and lower case are one.
const UNITS: [(&str, u64); 6] =
    [("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("kb", 1_000), ("mb", 1_000_000), ("gb", 1_000_000_000)];

/// Why a size cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message names its fields")]
pub enum MemoryError {
    #[error("write a whole number with a unit, e.g. 512MiB, 1GiB or 2GB")]
    NoSize,
    #[error("it must be at least {} MiB", MIN_MEMORY_BYTES >> 20)]
    TooLittle,
}

/// Reads a size such as `512MiB` as bytes.
///
/// # Errors
///
/// When it is no whole number with a unit, or less than 64 MiB.
pub fn memory_size(text: &str) -> Result<u64, MemoryError> {
    let text = text.trim().to_ascii_lowercase();
    let bytes = UNITS.iter().find_map(|(unit, bytes)| {
        let number = text.strip_suffix(unit)?.trim_end();
        // `parse` alone would take a sign.
        let digits = number.bytes().all(|digit| digit.is_ascii_digit());
        number.parse::<u64>().ok().filter(|_| digits)?.checked_mul(*bytes)
    });
    match bytes.ok_or(MemoryError::NoSize)? {
        bytes if bytes < MIN_MEMORY_BYTES => Err(MemoryError::TooLittle),
        bytes => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_a_whole_number_with_a_unit() {
        let cases = [
            ("512MiB", Ok(512 << 20)),
            ("1GiB", Ok(1 << 30)),
            ("2GB", Ok(2_000_000_000)),
            ("65536 kib", Ok(64 << 20)),
            ("64mib", Ok(64 << 20)),
            ("63MiB", Err(MemoryError::TooLittle)),
            ("0GB", Err(MemoryError::TooLittle)),
            ("67MB", Err(MemoryError::TooLittle)),
            ("1073741824", Err(MemoryError::NoSize)),
            ("1.5GiB", Err(MemoryError::NoSize)),
            ("+1GiB", Err(MemoryError::NoSize)),
            ("-1GiB", Err(MemoryError::NoSize)),
            ("GiB", Err(MemoryError::NoSize)),
            ("much", Err(MemoryError::NoSize)),
            ("", Err(MemoryError::NoSize)),
            ("99999999999999999999GiB", Err(MemoryError::NoSize)),
            ("9999999999999999999GiB", Err(MemoryError::NoSize)),
        ];
        for (text, bytes) in cases {
            assert_eq!(memory_size(text), bytes, "{text}");
        }
    }
}
