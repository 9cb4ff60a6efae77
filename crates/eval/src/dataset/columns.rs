//! Which column of a file holds which field.

use super::error::{DatasetError, DatasetErrorKind};
use super::table::Gold;
use crate::spec::nearest::nearest;
use std::collections::BTreeMap;

/// Canonical field and the column names it goes by, best first. Case, blanks, `_` and `-` do not count.
///
/// Sources: upstream PUMA's loaders, Deep-SE, Jira's CSV export (English, German, Spanish, French) and REST API
/// (`fields.…`), Azure DevOps, GitLab and Redmine exports.
#[rustfmt::skip]
pub(super) const FIELDS: [(&str, &[&str]); 10] = [
    ("issue_key", &[
        "issue key", "key", "story id", "item id", "issue id", "work item id", "id", "issue", "iid", "number", "#",
        "vorgangsschlüssel", "schlüssel", "clave de incidencia", "clave", "clé de ticket", "clé",
    ]),
    ("title", &[
        "title", "summary", "fields.summary", "issue title", "subject", "name", "story",
        "zusammenfassung", "titel", "betreff", "resumen", "título", "asunto", "résumé", "titre",
    ]),
    ("description", &[
        "description", "fields.description", "description text", "body", "details", "text", "beschreibung", "descripción",
    ]),
    ("priority", &[
        "priority", "priority.name", "fields.priority.name", "priority name", "priority label", "severity",
        "priorität", "prioridad", "priorité",
    ]),
    ("story_points", &[
        "story points", "story point", "custom field (story points)", "custom field (story point estimate)",
        "story point estimate", "fields.customfield_10016", "points", "estimate", "weight",
        "benutzerdefinierte felder (story points)", "campo personalizado (story points)", "champs personnalisés (story points)",
    ]),
    ("project", &[
        "project key", "project", "fields.project.key", "project.key", "repository", "project name", "area path",
        "projektschlüssel", "projekt", "clave del proyecto", "proyecto", "clé de projet", "projet",
    ]),
    ("issue_type", &["issue type", "fields.issuetype.name", "type", "work item type", "tracker", "vorgangstyp", "tipo de incidencia"]),
    ("created", &["created", "created at", "fields.created", "created date", "erstellt", "creada", "création"]),
    ("resolved", &["resolved", "closed at", "fields.resolutiondate", "closed date", "erledigt", "resuelta", "résolution"]),
    ("split", &["split mark", "split"]),
];

/// Where each field is found: canonical name → (column name, every position that has this name).
pub(super) type Mapping = BTreeMap<&'static str, (String, Vec<usize>)>;

fn plain(name: &str) -> String {
    name.trim().to_lowercase().chars().filter(|c| !matches!(c, ' ' | '_' | '-')).collect()
}

/// Whether `column` means something: to PUMA, or to the user who named it.
pub(super) fn recognised(column: &str, named_by_user: &[&str]) -> bool {
    let column = plain(column);
    named_by_user.iter().any(|name| plain(name) == column)
        || FIELDS.iter().any(|(field, names)| plain(field) == column || names.iter().any(|name| plain(name) == column))
}

/// Finds the columns of `header`. `wanted` is the user's own mapping, canonical field → column.
///
/// Errors: a field that does not exist, a named column that is not there, no title, no right answers.
pub(super) fn map(
    header: &[String],
    wanted: &BTreeMap<String, String>,
    gold: Option<Gold>,
    file: &str,
) -> Result<Mapping, DatasetError> {
    let mut mapping = Mapping::new();
    for (field, column) in wanted {
        let Some((canonical, _)) = FIELDS.iter().find(|(known, _)| plain(known) == plain(field)) else {
            return Err(unknown_field(file, field));
        };
        let positions = positions(header, column);
        if positions.is_empty() {
            return Err(no_such_column(file, canonical, column, header));
        }
        mapping.insert(canonical, (header[positions[0]].clone(), positions));
    }
    for (field, names) in FIELDS {
        if mapping.contains_key(field) {
            continue;
        }
        let found = std::iter::once(&field).chain(names).map(|name| positions(header, name)).find(|at| !at.is_empty());
        if let Some(positions) = found {
            mapping.insert(field, (header[positions[0]].clone(), positions));
        }
    }
    let needed: &[&str] = match gold {
        Some(Gold::Priority) => &["title", "priority"],
        Some(Gold::StoryPoints) => &["title", "story_points"],
        None => &["title"],
    };
    if let Some(field) = needed.iter().find(|field| !mapping.contains_key(**field)) {
        return Err(no_column(file, field, header));
    }
    if !mapping.contains_key("priority") && !mapping.contains_key("story_points") {
        return Err(no_column(file, "priority", header));
    }
    Ok(mapping)
}

fn positions(header: &[String], column: &str) -> Vec<usize> {
    let wanted = plain(column);
    (0..header.len()).filter(|&at| plain(&header[at]) == wanted).collect()
}

fn listed(header: &[String]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in header.iter().map(String::as_str).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.len() {
        0 => "the header is empty".to_owned(),
        1..=20 => format!("the file has: {}", names.join(", ")),
        more => format!("the file has: {}, … ({more} columns)", names[..20].join(", ")),
    }
}

fn no_column(file: &str, field: &str, header: &[String]) -> DatasetError {
    let names = FIELDS.iter().find(|(known, _)| *known == field).map_or(&[][..], |(_, names)| names);
    let close = std::iter::once(&field)
        .chain(names)
        .find_map(|name| nearest(name, header.iter().map(String::as_str)))
        .or_else(|| header.iter().map(String::as_str).find(|name| plain(name).contains(&plain(field))));
    let example = close.unwrap_or("COLUMN");
    let suggestion = close.map_or_else(String::new, |close| format!("did you mean `{close}`? "));
    let message = match field {
        "priority" => "no column holds priorities".to_owned(),
        "story_points" => "no column holds story points".to_owned(),
        _ => format!("no column holds the {field}"),
    };
    let hint = format!("{suggestion}name it with `--columns {field}={}`; {}", quoted(example), listed(header));
    DatasetError::new(file, DatasetErrorKind::MissingColumn, message, hint).at_line(1)
}

fn no_such_column(file: &str, field: &str, column: &str, header: &[String]) -> DatasetError {
    let suggestion = nearest(column, header.iter().map(String::as_str))
        .map_or_else(String::new, |close| format!("did you mean `{field}={}`? ", quoted(close)));
    let message = format!("there is no column `{column}` for `{field}`");
    DatasetError::new(file, DatasetErrorKind::MissingColumn, message, format!("{suggestion}{}", listed(header)))
        .at_line(1)
}

fn unknown_field(file: &str, field: &str) -> DatasetError {
    let names = FIELDS.map(|(name, _)| name);
    let suggestion = nearest(field, names).map_or_else(String::new, |close| format!("did you mean `{close}`? "));
    DatasetError::new(
        file,
        DatasetErrorKind::UnknownField,
        format!("`--columns` names a field `{field}` that does not exist"),
        format!("{suggestion}fields: {}", names.join(", ")),
    )
}

/// For a shell: names with blanks need quotes.
fn quoted(column: &str) -> String {
    if column.contains(|c: char| c.is_whitespace() || "()#&;|".contains(c)) {
        format!("'{column}'")
    } else {
        column.to_owned()
    }
}
