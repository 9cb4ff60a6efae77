//! A data file as cells, before anything is understood: what the format readers yield.

use super::error::{DatasetError, DatasetErrorKind};
use super::table::SkipReason;

/// Rows under a header, whatever the file's format was.
#[derive(Debug, PartialEq)]
pub(super) struct RawTable {
    /// Column names as in the file; a name may occur more than once (Jira repeats `Sprint`, `Comment`, …).
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<RawRow>,
}

/// One row; as many cells as the header has names.
#[derive(Debug, PartialEq)]
pub(super) struct RawRow {
    /// Data row, 1-based, the header not counted.
    pub(super) number: u64,
    /// First line of the row in the file, 1-based.
    pub(super) line: u64,
    pub(super) cells: Vec<String>,
    /// Known already by the format reader, for rows that are no issues.
    pub(super) skip: Option<SkipReason>,
}

/// Where each line of a text starts.
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        Self { starts: std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect() }
    }

    /// The 1-based line of byte `at`.
    pub(super) fn line_of(&self, at: usize) -> u64 {
        self.starts.partition_point(|&start| start <= at) as u64
    }
}

/// The file's text without its byte order mark.
///
/// Errors: the line and byte where it stops being UTF-8, with a guess at what it is instead.
pub(super) fn decode<'a>(bytes: &'a [u8], file: &str) -> Result<&'a str, DatasetError> {
    let encoding = |message: String, hint: &str| DatasetError::new(file, DatasetErrorKind::Encoding, message, hint);
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(encoding(
            "the file is UTF-16, and UTF-8 is needed".to_owned(),
            "save it again as UTF-8; in a spreadsheet choose \"CSV UTF-8\"",
        )
        .at_line(1));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(encoding(
            "the file is a ZIP archive or a spreadsheet (.xlsx, .ods), not a table of text".to_owned(),
            "unpack it, or save the sheet as CSV",
        ));
    }
    let body = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match std::str::from_utf8(body) {
        Ok(text) => Ok(text),
        Err(error) => {
            let good = &body[..error.valid_up_to()];
            let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count() as u64;
            let start = good.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            let before = shortened_end(std::str::from_utf8(&good[start..]).unwrap_or_default());
            let byte = body[error.valid_up_to()];
            Err(encoding(
                format!("byte 0x{byte:02x} after {before:?} is no UTF-8; the file is probably Windows-1252 or Latin-1"),
                "save it again as UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8`",
            )
            .at_line(line))
        }
    }
}

fn shortened_end(text: &str) -> String {
    let count = text.chars().count();
    text.chars().skip(count.saturating_sub(20)).collect()
}
