//! JSON arrays, JSON Lines, GitHub's issue lists and objects that wrap one list of issues.

use super::error::{DatasetError, DatasetErrorKind, shortened};
use super::raw::{Lines, RawRow, RawTable};
use super::table::SkipReason;
use super::vocabulary::{PRIORITIES, priority_of_label};
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Map, Value};

/// Keys under which APIs put their list of issues.
const LISTS: [&str; 6] = ["issues", "items", "data", "rows", "results", "stories"];

/// One JSON object of the file and the line it starts on.
struct Record {
    line: u64,
    fields: Map<String, Value>,
}

/// Reads JSON text. `keep_labels` leaves GitHub's labels alone because the user named another priority column.
pub(super) fn read(text: &str, file: &str, keep_labels: bool) -> Result<RawTable, DatasetError> {
    let records = Source { text, file, lines: Lines::of(text) }.records()?;
    let github = !keep_labels && records.iter().all(|record| is_github(&record.fields)) && !records.is_empty();
    if github {
        return Ok(RawTable {
            header: ["number", "title", "body", "priority label", "repository"].map(str::to_owned).to_vec(),
            rows: records.iter().zip(1..).map(github_row).collect(),
        });
    }
    let mut header: Vec<String> = Vec::new();
    let flattened: Vec<(u64, Vec<(String, String)>)> = records
        .into_iter()
        .map(|record| {
            let mut cells = Vec::new();
            flatten("", &Value::Object(record.fields), &mut cells);
            (record.line, cells)
        })
        .collect();
    for (name, _) in flattened.iter().flat_map(|(_, cells)| cells) {
        if !header.contains(name) {
            header.push(name.clone());
        }
    }
    let rows = flattened.into_iter().zip(1..).map(|((line, cells), number)| {
        let mut row = vec![String::new(); header.len()];
        for (name, text) in cells {
            if let Some(at) = header.iter().position(|known| *known == name) {
                row[at] = text;
            }
        }
        RawRow { number, line, cells: row, skip: None }
    });
    let rows = rows.collect();
    Ok(RawTable { header, rows })
}

/// The text being read, with what is needed to say where.
struct Source<'a> {
    text: &'a str,
    file: &'a str,
    lines: Lines,
}

impl Source<'_> {
    /// Every issue object of the file: elements of the one array, of the list inside the one object, or the values
    /// that follow each other (JSON Lines).
    fn records(&self) -> Result<Vec<Record>, DatasetError> {
        let start = self.skip_blank(0);
        if self.text[start..].starts_with('[') {
            return self.elements(start + 1);
        }
        let mut records = Vec::new();
        let mut at = start;
        while at < self.text.len() {
            let (record, end) = self.object_at(at)?;
            at = self.skip_blank(end);
            records.push(record);
        }
        match records.as_mut_slice() {
            [only] => match LISTS.into_iter().find(|key| only.fields.get(*key).is_some_and(Value::is_array)) {
                Some(key) => self.unwrapped(only.line, only.fields.remove(key)),
                None => Ok(records),
            },
            _ => Ok(records),
        }
    }

    /// The issues of a list inside an object. Places inside it are not worth a second scan: the object's line stands
    /// for all.
    fn unwrapped(&self, line: u64, list: Option<Value>) -> Result<Vec<Record>, DatasetError> {
        let Some(Value::Array(list)) = list else { return Ok(Vec::new()) };
        list.into_iter()
            .map(|value| match value {
                Value::Object(fields) => Ok(Record { line, fields }),
                other => Err(no_object(self.file, line, &other.to_string())),
            })
            .collect()
    }

    fn elements(&self, start: usize) -> Result<Vec<Record>, DatasetError> {
        let mut records = Vec::new();
        let mut at = self.skip_blank(start);
        while !self.text[at..].starts_with(']') {
            let (record, end) = self.object_at(at)?;
            records.push(record);
            at = self.skip_blank(end);
            match self.text[at..].chars().next() {
                Some(',') => at = self.skip_blank(at + 1),
                Some(']') => {}
                _ => {
                    let hint = "the file may have been cut off; export it again";
                    let message = "the list of issues is not closed, or a comma is missing";
                    let error = DatasetError::new(self.file, DatasetErrorKind::Syntax, message, hint);
                    return Err(error.at_line(self.lines.line_of(at)));
                }
            }
        }
        Ok(records)
    }

    /// The object that starts at byte `at`, and where it ends.
    fn object_at(&self, at: usize) -> Result<(Record, usize), DatasetError> {
        let line = self.lines.line_of(at);
        let rest = &self.text[at..];
        if rest.is_empty() {
            let (message, hint) =
                ("the list of issues is not closed", "the file may have been cut off; export it again");
            return Err(DatasetError::new(self.file, DatasetErrorKind::Syntax, message, hint).at_line(line));
        }
        if !rest.starts_with('{') {
            return Err(no_object(self.file, line, rest.lines().next().unwrap_or_default()));
        }
        let broken = |error: &serde_json::Error| {
            let inside = line + (error.line().max(1) as u64 - 1);
            let reason = error.to_string();
            let reason = reason.split(" at line ").next().unwrap_or_default();
            DatasetError::new(
                self.file,
                DatasetErrorKind::Syntax,
                format!("this is not valid JSON: {reason}"),
                "the file may have been cut off or edited by hand; export it again",
            )
            .at_line(inside)
        };
        let mut stream = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        if let Some(Err(error)) = stream.next() {
            return Err(broken(&error));
        }
        let end = stream.byte_offset();
        let fields = serde_json::from_str(&rest[..end]).map_err(|error| broken(&error))?;
        Ok((Record { line, fields }, at + end))
    }

    fn skip_blank(&self, at: usize) -> usize {
        at + (self.text[at..].len() - self.text[at..].trim_start().len())
    }
}

fn no_object(file: &str, line: u64, found: &str) -> DatasetError {
    DatasetError::new(
        file,
        DatasetErrorKind::Syntax,
        format!("an issue must be a JSON object, and here stands {}", shortened(found)),
        "write each issue as {\"title\": …, \"description\": …, \"priority\": …}",
    )
    .at_line(line)
}

/// Nested objects become dotted names (`fields.priority.name`); lists become lines.
fn flatten(prefix: &str, value: &Value, cells: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&name, inner, cells);
            }
        }
        other => cells.push((prefix.to_owned(), text_of(other))),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join("\n"),
        Value::Object(fields) => fields.get("name").map_or_else(String::new, text_of),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// `gh issue list --json …` and GitHub's REST API: `number` and `title`, and `body` or `labels`; not a file that
/// brings a priority of its own.
fn is_github(fields: &Map<String, Value>) -> bool {
    fields.contains_key("number")
        && fields.contains_key("title")
        && fields.get("labels").is_some_and(Value::is_array)
        && !fields.contains_key("priority")
}

fn github_row((record, number): (&Record, u64)) -> RawRow {
    let text = |key: &str| record.fields.get(key).map_or_else(String::new, text_of);
    let labels: Vec<String> = record
        .fields
        .get("labels")
        .and_then(Value::as_array)
        .map_or_else(Vec::new, |labels| labels.iter().map(text_of).collect());
    // Of several priority labels the most severe counts: that is how people work through a list.
    let priority =
        PRIORITIES.into_iter().find(|priority| labels.iter().any(|label| priority_of_label(label) == Some(priority)));
    let repository = repository(&text("html_url")).or_else(|| repository(&text("url"))).unwrap_or_default();
    RawRow {
        number,
        line: record.line,
        cells: vec![
            format!("{repository}#{}", text("number")),
            text("title"),
            text("body"),
            priority.unwrap_or_default().to_owned(),
            repository,
        ],
        skip: record
            .fields
            .get("pull_request")
            .is_some_and(|value| !value.is_null())
            .then_some(SkipReason::PullRequest),
    }
}

/// `owner/name` from `https://host/owner/name/issues/12` or `https://api.host/repos/owner/name/issues/12`.
fn repository(url: &str) -> Option<String> {
    let path = url.split_once("://")?.1;
    let parts: Vec<&str> = path.split('/').collect();
    let at = parts.iter().position(|part| *part == "issues" || *part == "pull")?;
    (at >= 3).then(|| format!("{}/{}", parts[at - 2], parts[at - 1]))
}
