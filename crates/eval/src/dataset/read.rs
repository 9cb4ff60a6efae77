//! From the bytes of a data file to a [`Dataset`].

use super::columns::{self, Mapping};
use super::error::{DatasetError, DatasetErrorKind, shortened};
use super::raw::{RawRow, RawTable, decode};
use super::table::{Dataset, Gold, Row, Skip, SkipReason};
use super::values::{Points, quoting_layers, split, story_points, unquoted};
use super::vocabulary::{PRIORITIES, is_unset, priority_of};
use super::{delimited, json};
use puma_core::InstanceId;
use puma_core::canon::{python_json, sha256_hex, short_hash};
use puma_core::event::DatasetIdentity;
use std::collections::BTreeMap;

/// How to read a data file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadOptions {
    /// The file as the user named it, for messages and records.
    pub name: String,
    /// How to find it again: `embedded`, or the path the user gave.
    pub source: String,
    /// The user's own mapping, canonical field → column; other columns are found by their usual names.
    pub columns: BTreeMap<String, String>,
    /// What the file is; found out from the text by default.
    pub format: Format,
    /// The answers a scenario needs. `None` takes every row that has a priority or story points.
    pub gold: Option<Gold>,
    /// Leaves the quotes that TAWOS exporters left inside the text, as upstream does.
    pub keep_artefact_quotes: bool,
}

/// What a data file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON if the text starts with `[` or `{`, else delimited text.
    #[default]
    Auto,
    /// Comma, semicolon, tab or bar, found out from the header.
    Delimited,
    /// An array, JSON Lines, or an object around a list.
    Json,
}

impl ReadOptions {
    /// Defaults for the file `name`, which is also where it came from.
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), source: name.to_owned(), ..Self::default() }
    }

    /// For the answers that `scenario` needs.
    pub fn for_scenario(mut self, scenario: &str) -> Self {
        self.gold = Gold::of_scenario(scenario);
        self
    }
}

/// Reads a data file: upstream's CSVs, Deep-SE, Jira's CSV export, GitHub issues as JSON, JSON arrays and Lines, or
/// any table whose columns the user names.
///
/// Rows without an answer are left out and counted in [`Dataset::skipped`]; a value that cannot be understood is an
/// error. Keys must be unique; rows without a key are named by a hash of their content, and equal ones get `-2`,
/// `-3`, … in file order.
///
/// Errors: see [`DatasetErrorKind`]; of several rows that cannot be read the first is told.
pub fn read(bytes: &[u8], options: ReadOptions) -> Result<Dataset, DatasetError> {
    let Examined { dataset, problems } = examine(bytes, options)?;
    // The most fundamental trouble first: a torn row explains the cells behind it.
    for kind in [DatasetErrorKind::Syntax, DatasetErrorKind::DuplicateKey, DatasetErrorKind::BadValue] {
        let mut of_kind = problems.iter().filter(|problem| problem.kind == kind);
        if let Some(first) = of_kind.next() {
            let others = if kind == DatasetErrorKind::BadValue { of_kind.count() as u64 } else { 0 };
            return Err(first.clone().and_others(others));
        }
    }
    Ok(dataset)
}

/// A dataset as far as it can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Examined {
    /// Without the rows in `problems`; may hold no rows if there are problems.
    pub dataset: Dataset,
    /// Every row that cannot be read, in file order within each kind of trouble.
    pub problems: Vec<DatasetError>,
}

/// Like [`read`], but goes on after a row that cannot be read.
///
/// # Errors
/// The file as a whole cannot be read: encoding, no header, a column that is missing, no rows at all.
pub fn examine(bytes: &[u8], options: ReadOptions) -> Result<Examined, DatasetError> {
    let mut problems = Vec::new();
    let file = options.name.as_str();
    let text = decode(bytes, file)?;
    if text.trim().is_empty() {
        return Err(DatasetError::new(file, DatasetErrorKind::NoRows, "the file is empty", "export it again"));
    }
    let is_json = match options.format {
        Format::Auto => text.trim_start().starts_with(['[', '{']),
        Format::Delimited => false,
        Format::Json => true,
    };
    let raw = if is_json {
        json::read(text, file, options.columns.contains_key("priority"))?
    } else {
        let named: Vec<&str> = options.columns.values().map(String::as_str).collect();
        delimited::read(text, file, &named, &mut problems)?
    };
    if raw.header.is_empty() {
        let hint = "export it again, with the issues in it";
        return Err(DatasetError::new(file, DatasetErrorKind::NoRows, "the file holds no issues", hint));
    }
    let mapping = columns::map(&raw.header, &options.columns, options.gold, file)?;
    let mut reader = Reader::new(&raw, &mapping, &options, problems);
    raw.rows.iter().for_each(|row| reader.take(row));
    reader.check()?;
    let Reader { rows, skipped, problems, .. } = reader;
    let columns = mapping.iter().map(|(field, (column, _))| ((*field).to_owned(), column.clone())).collect();
    let identity = DatasetIdentity {
        name: options.name,
        sha256: sha256_hex(bytes),
        rows: rows.len(),
        source: options.source,
        columns,
        named_columns: options.columns,
        ..DatasetIdentity::default()
    };
    Ok(Examined { dataset: Dataset { identity, rows, skipped }, problems })
}

/// The stable name of a row without a key: `h` and 16 hex digits over its title and description.
pub fn content_id(title: &str, description: &str) -> String {
    let content = serde_json::json!({ "title": title, "description": description });
    format!("h{}", short_hash(&python_json(&content)))
}

struct Reader<'a> {
    mapping: &'a Mapping,
    options: &'a ReadOptions,
    /// Layers of quotes left in titles and in descriptions.
    layers: [usize; 2],
    rows: Vec<Row>,
    skipped: Vec<Skip>,
    /// Line of each id given so far.
    lines: BTreeMap<String, u64>,
    /// Rows that cannot be read.
    problems: Vec<DatasetError>,
}

impl<'a> Reader<'a> {
    fn new(raw: &RawTable, mapping: &'a Mapping, options: &'a ReadOptions, problems: Vec<DatasetError>) -> Self {
        let layers_of = |field| quoting_layers(raw.rows.iter().map(|row| cell(mapping, row, field)));
        let title = layers_of("title");
        // A file whose titles are clean was exported properly; its quoted descriptions are meant.
        let layers = if title == 0 { [0, 0] } else { [title, layers_of("description")] };
        Self { mapping, options, layers, rows: Vec::new(), skipped: Vec::new(), lines: BTreeMap::new(), problems }
    }

    fn take(&mut self, raw: &RawRow) {
        let as_exported = ["title", "description"].map(|field| cell(self.mapping, raw, field));
        let [title, description] =
            [0, 1].map(|at| unquoted(as_exported[at], self.layers[at]).unwrap_or_else(|| as_exported[at].to_owned()));
        let mut fields = BTreeMap::new();
        let before = self.problems.len();
        let missing = self.answers(raw.number, raw, &mut fields);
        if self.problems.len() > before {
            return;
        }
        let skip = raw.skip.or(title.trim().is_empty().then_some(SkipReason::NoTitle)).or(missing);
        if let Some(reason) = skip {
            self.skipped.push(Skip { line: raw.line, reason });
            return;
        }
        let key = cell(self.mapping, raw, "issue_key").trim();
        let id = if key.is_empty() { self.unused(content_id(&title, &description)) } else { key.to_owned() };
        if let Some(&first) = self.lines.get(&id) {
            let problem = DatasetError::new(
                &self.options.name,
                DatasetErrorKind::DuplicateKey,
                format!("the key `{key}` is already used on line {first}"),
                "keys tell answers apart: remove one row, or name another column with `--columns issue_key=…`",
            );
            let column = &self.mapping["issue_key"].0;
            self.problems.push(problem.at_row(raw.number, raw.line).in_column(column, key));
            return;
        }
        self.lines.insert(id.clone(), raw.line);
        for field in ["issue_key", "project", "issue_type", "created", "resolved"] {
            let text = cell(self.mapping, raw, field);
            if !text.is_empty() {
                fields.insert(field.to_owned(), text.to_owned());
            }
        }
        let [title, description] =
            if self.options.keep_artefact_quotes { as_exported.map(str::to_owned) } else { [title, description] };
        fields.extend([("title".to_owned(), title), ("description".to_owned(), description)]);
        self.rows.push(Row {
            id: InstanceId::new(id),
            key: (!key.is_empty()).then(|| key.to_owned()),
            fields,
            split: split(cell(self.mapping, raw, "split")),
            line: raw.line,
        });
    }

    /// Puts the row's right answers into `fields`; says why there is none.
    fn answers(&mut self, number: u64, raw: &RawRow, fields: &mut BTreeMap<String, String>) -> Option<SkipReason> {
        let gold = self.options.gold;
        let has = |field| self.mapping.contains_key(field);
        let (read_priority, read_points) =
            (has("priority") && gold != Some(Gold::StoryPoints), has("story_points") && gold != Some(Gold::Priority));
        let no_priority = if read_priority { self.priority(number, raw, fields) } else { None };
        let no_points = if read_points { self.points(number, raw, fields) } else { None };
        if fields.contains_key("priority") || fields.contains_key("story_points") {
            return None;
        }
        no_priority.or(no_points)
    }

    fn priority(&mut self, number: u64, raw: &RawRow, fields: &mut BTreeMap<String, String>) -> Option<SkipReason> {
        let value = cell(self.mapping, raw, "priority");
        if is_unset(value) {
            return Some(SkipReason::NoPriority);
        }
        match priority_of(value) {
            Some(label) => {
                if label != value {
                    fields.insert("priority_original".to_owned(), value.to_owned());
                }
                fields.insert("priority".to_owned(), label.to_owned());
                None
            }
            None => {
                let hint = format!(
                    "use {}, or a usual word such as Highest, High, Medium, Low, Blocker, P0 to P3",
                    PRIORITIES.join(", ")
                );
                self.bad_value(number, raw, "priority", "a priority", hint);
                Some(SkipReason::NoPriority)
            }
        }
    }

    fn points(&mut self, number: u64, raw: &RawRow, fields: &mut BTreeMap<String, String>) -> Option<SkipReason> {
        match story_points(cell(self.mapping, raw, "story_points")) {
            Points::Given(points) => {
                fields.insert("story_points".to_owned(), points);
                None
            }
            Points::NotPositive => Some(SkipReason::StoryPointsNotPositive),
            Points::Unset => Some(SkipReason::NoStoryPoints),
            Points::NotANumber => {
                let hint = "write a number such as 5 or 2.5, or leave the cell empty to leave the row out";
                self.bad_value(number, raw, "story_points", "a number of story points", hint.to_owned());
                Some(SkipReason::NoStoryPoints)
            }
        }
    }

    fn bad_value(&mut self, number: u64, raw: &RawRow, field: &str, expected: &str, hint: String) {
        let value = cell(self.mapping, raw, field);
        let message = format!("{:?} is not {expected}", shortened(value));
        let error = DatasetError::new(&self.options.name, DatasetErrorKind::BadValue, message, hint)
            .at_row(number, raw.line)
            .in_column(&self.mapping[field].0, value);
        self.problems.push(error);
    }

    /// `id`, or `id-2`, `id-3`, … if earlier rows have the same content.
    fn unused(&self, id: String) -> String {
        if !self.lines.contains_key(&id) {
            return id;
        }
        (2u64..).map(|count| format!("{id}-{count}")).find(|name| !self.lines.contains_key(name)).unwrap_or(id)
    }

    /// # Errors
    /// Nothing can be judged, and no row that cannot be read says why.
    fn check(&self) -> Result<(), DatasetError> {
        if self.rows.is_empty() && self.problems.is_empty() {
            let reasons = Dataset { skipped: self.skipped.clone(), ..Dataset::default() }
                .skip_counts()
                .into_iter()
                .map(|(reason, count)| format!("{count} {}", reason.as_str()))
                .collect::<Vec<_>>();
            let (message, hint) = if reasons.is_empty() {
                ("the file has a header but no rows".to_owned(), "export it again, with the issues in it")
            } else {
                let message = format!("no row can be judged: {}", reasons.join(", "));
                (message, "fill in the missing values, or name the right columns with `--columns FIELD=COLUMN`")
            };
            return Err(DatasetError::new(&self.options.name, DatasetErrorKind::NoRows, message, hint));
        }
        Ok(())
    }
}

/// The row's text for `field`: the first non-empty of its columns, empty if there is none.
fn cell<'r>(mapping: &Mapping, row: &'r RawRow, field: &str) -> &'r str {
    mapping
        .get(field)
        .and_then(|(_, positions)| positions.iter().map(|&at| row.cells[at].as_str()).find(|text| !text.is_empty()))
        .unwrap_or_default()
}
