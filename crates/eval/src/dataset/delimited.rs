//! CSV and its relatives: commas, semicolons, tabs or bars between cells, quotes doubled inside quotes, any line end.

use super::columns::recognised;
use super::error::{DatasetError, DatasetErrorKind};
use super::raw::{Lines, RawRow, RawTable};
use csv::{ReaderBuilder, StringRecord};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Reads delimited text. The delimiter is the one under which the header holds the most columns that PUMA knows, or
/// that the user named; then the one that gives the most columns. Rows with too few or too many cells go to `problems`.
pub(super) fn read(
    text: &str,
    file: &str,
    named_by_user: &[&str],
    problems: &mut Vec<DatasetError>,
) -> Result<RawTable, DatasetError> {
    let (said, start) = said_by_spreadsheet(text);
    let table = &text[start..];
    let delimiter = said.unwrap_or_else(|| likeliest(table, named_by_user));
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(table.as_bytes());
    let mut header: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let mut number = 0;
    let mut record = StringRecord::new();
    let lines = Lines::of(text);
    while reader.read_record(&mut record).map_err(|error| broken(file, &error))? {
        let line = lines.line_of(start + start_of(&record, table));
        let Some(names) = &header else {
            header = Some(record.iter().map(|name| name.trim().to_owned()).collect());
            continue;
        };
        number += 1;
        if record.len() != names.len() {
            problems.push(ragged(file, names.len(), record.len()).at_row(number, line));
            continue;
        }
        rows.push(RawRow { number, line, cells: record.iter().map(str::to_owned).collect(), skip: None });
    }
    Ok(RawTable { header: header.unwrap_or_default(), rows })
}

/// Excel writes `sep=;` above the header. The delimiter it names, and where the header starts.
fn said_by_spreadsheet(text: &str) -> (Option<u8>, usize) {
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("sep=").map(str::as_bytes) {
        Some(&[delimiter]) if delimiter.is_ascii() => {
            (Some(delimiter), text.find('\n').map_or(text.len(), |end| end + 1))
        }
        _ => (None, 0),
    }
}

fn likeliest(text: &str, named_by_user: &[&str]) -> u8 {
    DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(|&delimiter| {
            let header = header_of(text, delimiter);
            let known = header.iter().filter(|name| recognised(name, named_by_user)).count();
            (known, header.len())
        })
        .unwrap_or(b',')
}

/// The byte at which `record` starts; the reader's own position still stands before the previous row's line end.
fn start_of(record: &StringRecord, text: &str) -> usize {
    let at = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

fn header_of(text: &str, delimiter: u8) -> Vec<String> {
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    match reader.read_record(&mut record) {
        Ok(true) => record.iter().map(str::to_owned).collect(),
        Ok(false) | Err(_) => Vec::new(),
    }
}

fn ragged(file: &str, expected: usize, found: usize) -> DatasetError {
    let hint = if found < expected {
        "look for a quote that is never closed, or a line break outside quotes, in this row or just before it"
    } else {
        "put quotes around cells that hold the delimiter, in this row or just before it"
    };
    let message = format!("cells in this row: {found}; columns in the header: {expected}");
    DatasetError::new(file, DatasetErrorKind::Syntax, message, hint)
}

fn broken(file: &str, error: &csv::Error) -> DatasetError {
    let problem = DatasetError::new(
        file,
        DatasetErrorKind::Syntax,
        format!("the row cannot be read: {error}"),
        "export the file again as CSV UTF-8",
    );
    match error.position() {
        Some(position) => problem.at_line(position.line()),
        None => problem,
    }
}
