//! Reading data files: every format, and one clear message for everything that can be wrong with one.

mod dataset_files;

use puma_eval::dataset::{
    Dataset, DatasetError, DatasetErrorKind, Gold, ReadOptions, SkipReason, Split, content_id, read,
};
use std::collections::BTreeMap;

fn named(columns: &[(&str, &str)]) -> ReadOptions {
    let columns = columns.iter().map(|(field, column)| ((*field).to_owned(), (*column).to_owned())).collect();
    ReadOptions { columns, ..ReadOptions::named("my.csv") }
}

fn ok(text: &str) -> Dataset {
    read(text.as_bytes(), ReadOptions::named("my.csv")).unwrap_or_else(|error| panic!("{error}"))
}

fn error(text: &str) -> DatasetError {
    read(text.as_bytes(), ReadOptions::named("my.csv")).expect_err("the file is wrong")
}

/// (id, title, priority or points) of every row.
fn summary(dataset: &Dataset) -> Vec<(&str, &str, &str)> {
    dataset
        .rows
        .iter()
        .map(|row| {
            let gold = row.fields.get("priority").or(row.fields.get("story_points")).expect("an answer");
            (row.id.as_str(), row.fields["title"].as_str(), gold.as_str())
        })
        .collect()
}

#[test]
fn upstreams_triage_file_is_read_whole() {
    let Some(bytes) = dataset_files::file("jira_balanced_200.csv") else { return };
    let dataset = read(&bytes, ReadOptions::named("jira_balanced_200.csv").for_scenario("triage_jira")).unwrap();
    assert_eq!((dataset.rows.len(), dataset.skipped.len()), (200, 0));
    assert_eq!(dataset.identity.sha256, "bfec679f95f5f5f28ac62df2e2636ec4b80b4da9409942787b525c12598f505e");
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &dataset.rows {
        *counts.entry(row.fields["priority"].as_str()).or_default() += 1;
    }
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [50; 4]);
    assert_eq!(dataset.rows[13].id.as_str(), "CRIT-014");
    assert_eq!((dataset.rows[0].line, dataset.rows[199].line), (2, 201));
}

#[test]
fn upstreams_story_file_loses_its_artefact_quotes_unless_they_are_wanted() {
    let Some(bytes) = dataset_files::file("tawos_clean_head35.csv") else { return };
    let options = ReadOptions::named("tawos_clean_head35.csv").for_scenario("effort_tawos");
    let clean = read(&bytes, options.clone()).unwrap();
    assert_eq!(clean.rows.len(), 35);
    for row in &clean.rows {
        for field in ["title", "description"] {
            assert!(!row.fields[field].starts_with('"'), "line {}: {}", row.line, row.fields[field]);
        }
        assert!(row.id.as_str().starts_with('h') && row.id.as_str().len() == 17, "{}", row.id);
    }
    assert!(clean.rows[3].fields["description"].contains("data-source=\"dataSource\""));
    assert!(clean.rows.iter().any(|row| row.fields["description"].is_empty()), "one story has no description");
    let kept = read(&bytes, ReadOptions { keep_artefact_quotes: true, ..options }).unwrap();
    assert!(kept.rows.iter().all(|row| row.fields["title"].starts_with('"')));
    let ids = |dataset: &Dataset| dataset.rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&clean), ids(&kept), "ids do not depend on the quotes");
}

/// Rows as upstream's TAWOS export writes them: titles quoted once too often, descriptions twice.
fn tawos(rows: &[(&str, &str)]) -> String {
    let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    rows.iter().fold("project,title,description,story_points\r\n".to_owned(), |file, (title, description)| {
        file + &format!("XD,{},{},5\r\n", quote(&quote(title)), quote(&quote(&quote(description))))
    })
}

#[test]
fn quotes_left_by_an_exporter_are_taken_off_as_often_as_they_were_put_on() {
    let rows = [("Say \"hi\"", "a \"b\" c"), ("B", ""), ("C", "\"quoted\""), ("D", "x,y"), ("E", "e")];
    let found = |dataset: &Dataset| -> Vec<(String, String)> {
        let field = |row: &puma_eval::dataset::Row, name: &str| row.fields[name].clone();
        dataset.rows.iter().map(|row| (field(row, "title"), field(row, "description"))).collect()
    };
    let expected: Vec<(String, String)> = rows.iter().map(|(t, d)| ((*t).to_owned(), (*d).to_owned())).collect();
    assert_eq!(found(&ok(&tawos(&rows))), expected);
    let kept = ReadOptions { keep_artefact_quotes: true, ..ReadOptions::named("my.csv") };
    let kept = read(tawos(&rows).as_bytes(), kept).unwrap();
    assert_eq!(found(&kept)[1], ("\"B\"".to_owned(), "\"\"\"\"\"\"".to_owned()));
    let clean = "title,description,story_points\n\"\"\"A\"\"\",b,1\nB,b,1\nC,c,1\nD,d,1\nE,e,1\n";
    assert_eq!(ok(clean).rows[0].fields["title"], "\"A\"", "one quoted title among plain ones is meant");
    let mut citations = "title,description,story_points\n".to_owned();
    (0..6).for_each(|number| citations += &format!("T{number},\"\"\"cited {number}\"\"\",1\n"));
    assert_eq!(ok(&citations).rows[0].fields["description"], "\"cited 0\"", "under plain titles, citations are meant");
}

#[test]
fn a_deep_se_file_gives_keys_points_and_splits() {
    let text = "issuekey,title,description,storypoint,split_mark\nAB-1,A,a,3,train\nAB-2,B,,8,val\nAB-3,C,c,13,test\n";
    let dataset = read(text.as_bytes(), ReadOptions::named("my.csv").for_scenario("estimation_tawos")).unwrap();
    assert_eq!(summary(&dataset), [("AB-1", "A", "3"), ("AB-2", "B", "8"), ("AB-3", "C", "13")]);
    let splits: Vec<Option<Split>> = dataset.rows.iter().map(|row| row.split).collect();
    assert_eq!(splits, [Some(Split::Train), Some(Split::Validation), Some(Split::Test)]);
}

#[test]
fn deep_se_files_keep_their_keys_and_splits() {
    for (name, rows, train, test) in
        [("mesos", 1680, 1008, 336), ("springxd", 3526, 2115, 706), ("talenddataquality", 1381, 828, 277)]
    {
        let Some(bytes) = dataset_files::file(&format!("deepse/{name}.csv")) else { return };
        let dataset = read(&bytes, ReadOptions::named(name).for_scenario("estimation_tawos")).unwrap();
        let count = |split| dataset.rows.iter().filter(|row| row.split == Some(split)).count();
        assert_eq!((dataset.rows.len(), count(Split::Train), count(Split::Test)), (rows, train, test), "{name}");
        assert!(dataset.rows.iter().all(|row| row.key.is_some() && row.fields["story_points"].parse::<u32>().is_ok()));
    }
}

#[test]
fn a_jira_csv_export_with_its_repeated_columns_is_understood() {
    let export = "Summary,Issue key,Issue id,Issue Type,Status,Project key,Priority,Sprint,Sprint,Description,Custom field (Story Points),Comment,Comment\r\n\
                  \"Login, then crash\",AB-7,10007,Bug,Open,AB,Highest,,Sprint 4,\"First line\r\nsecond \"\"quoted\"\" line\",3.0,one,two\r\n\
                  Wrong colour,AB-9,10009,Bug,Open,AB,Low,,,,,,\r\n";
    let dataset = ok(export);
    assert_eq!(summary(&dataset), [("AB-7", "Login, then crash", "Critical"), ("AB-9", "Wrong colour", "Trivial")]);
    let first = &dataset.rows[0];
    assert_eq!(first.fields["description"], "First line\r\nsecond \"quoted\" line");
    assert_eq!(first.fields["priority_original"], "Highest");
    assert_eq!(first.fields["story_points"], "3");
    let exact = ok("title,priority\nA,Major\n");
    assert!(!exact.rows[0].fields.contains_key("priority_original"), "nothing was respelled");
    assert_eq!(first.fields["project"], "AB");
    assert_eq!((first.line, dataset.rows[1].line), (2, 4));
    assert_eq!(dataset.identity.columns["story_points"], "Custom field (Story Points)");
    assert_eq!(dataset.identity.rows, 2);

    let stories = read(export.as_bytes(), ReadOptions::named("my.csv").for_scenario("estimation_tawos")).unwrap();
    assert_eq!(stories.rows.len(), 1);
    assert!(!stories.rows[0].fields.contains_key("priority"), "estimation reads no priorities");
    assert_eq!(stories.skip_counts(), BTreeMap::from([(SkipReason::NoStoryPoints, 1)]));
}

#[test]
fn a_german_jira_export_is_understood() {
    let export = "Zusammenfassung;Vorgangsschlüssel;Priorität;Benutzerdefinierte Felder (Story Points);Beschreibung\n\
                  Anmeldung hängt;AB-1;Höchste;2,5;Seit gestern\n";
    let dataset = ok(export);
    assert_eq!(summary(&dataset), [("AB-1", "Anmeldung hängt", "Critical")]);
    assert_eq!(dataset.rows[0].fields["story_points"], "2.5");
}

#[test]
fn github_issues_take_their_priority_from_labels() {
    let list = r#"[
      {"number": 12, "title": "Panic on start", "body": "It panics.", "pull_request": null, "url": "https://github.com/o/r/issues/12",
       "labels": [{"id": "x", "name": "bug"}, {"name": "priority: high"}]},
      {"number": 13, "title": "Typo", "body": null, "labels": [{"name": "P3"}, {"name": "docs"}]},
      {"number": 14, "title": "Idea", "body": "?", "labels": []},
      {"number": 15, "title": "Fix", "body": "", "labels": ["critical", "low priority"], "html_url": "https://github.com/o/r/issues/15"},
      {"number": 16, "title": "A pull request", "body": "", "labels": ["critical"], "pull_request": {"url": "https://x"}}
    ]"#;
    let dataset = ok(list);
    assert_eq!(
        summary(&dataset),
        [("o/r#12", "Panic on start", "Major"), ("#13", "Typo", "Trivial"), ("o/r#15", "Fix", "Critical")]
    );
    assert_eq!(dataset.skip_counts(), BTreeMap::from([(SkipReason::NoPriority, 1), (SkipReason::PullRequest, 1)]));
    assert_eq!(dataset.rows[1].line, 4);
    assert_eq!(dataset.rows[0].fields["project"], "o/r");
    assert!(!dataset.rows.iter().any(|row| row.fields.values().any(|text| text.contains("priority: high"))));
}

#[test]
fn json_arrays_lines_and_wrapped_lists_give_the_same_rows() {
    let one = r#"{"issue_key": "K-1", "title": "A", "description": "a", "priority": "Major"}"#;
    let two = r#"{"issue_key": "K-2", "title": "B", "description": null, "priority": "Minor", "extra": {"x": [1, 2]}}"#;
    let expected = [("K-1", "A", "Major"), ("K-2", "B", "Minor")];
    for text in [format!("[{one},\n {two}]"), format!("{one}\n{two}\n"), format!("{{\"issues\": [{one}, {two}]}}")] {
        assert_eq!(summary(&ok(&text)), expected, "{text}");
    }
    let jira = r#"{"issues": [{"key": "AB-1", "fields": {"summary": "A", "description": "a", "priority": {"name": "High"}}}]}"#;
    assert_eq!(summary(&ok(jira)), [("AB-1", "A", "Major")]);
}

#[test]
fn delimiters_byte_order_marks_and_line_ends_do_not_matter() {
    for delimiter in [",", ";", "\t", "|"] {
        for end in ["\n", "\r\n"] {
            let text = format!("\u{feff}Key,Titel der Sache,Summary,Priority{end}K-1,x,Über-Titel,High{end}{end}")
                .replace(',', delimiter);
            assert_eq!(summary(&ok(&text)), [("K-1", "Über-Titel", "Major")], "{delimiter:?} {end:?}");
        }
    }
}

#[test]
fn the_delimiter_line_of_a_spreadsheet_is_obeyed() {
    let dataset = ok("sep=;\r\ntitle;priority\r\nA,b;High\r\n");
    assert_eq!(dataset.rows[0].fields["title"], "A,b");
    assert_eq!(dataset.rows[0].line, 3);
}

#[test]
fn the_users_own_columns_win() {
    let text = "id;anliegen;text;dringlichkeit;title\n1;A;aa;sofort;zz\n";
    let columns = [("title", "Anliegen"), ("description", "text"), ("priority", "dringlichkeit")];
    let error = read(text.as_bytes(), named(&columns)).unwrap_err();
    insta::assert_snapshot!(error, @r#"
    my.csv:2: "sofort" is not a priority (row 1, column `dringlichkeit`)
      hint: use Critical, Major, Minor, Trivial, or a usual word such as Highest, High, Medium, Low, Blocker, P0 to P3
    "#);
    let text = text.replace("sofort", "P1");
    let dataset = read(text.as_bytes(), named(&columns)).unwrap();
    assert_eq!(summary(&dataset), [("1", "A", "Major")]);
    assert_eq!(dataset.identity.columns["title"], "anliegen");
}

#[test]
fn rows_without_a_key_are_named_by_their_content() {
    let text = "title,description,story_points\nA,x,1\nB,y,2\nA,x,3\nA,x,5\n";
    let dataset = ok(text);
    let id = content_id("A", "x");
    assert_eq!((id.len(), &id[..1]), (17, "h"));
    let ids: Vec<&str> = dataset.rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, [id.as_str(), content_id("B", "y").as_str(), &format!("{id}-2"), &format!("{id}-3")]);
    let shuffled = ok("title,description,story_points\nB,y,2\nA,x,1\n");
    assert_eq!(shuffled.rows[1].id, dataset.rows[0].id, "the order of rows does not matter");
}

#[test]
fn rows_without_an_answer_are_left_out_and_counted() {
    let text = "key,title,sp,priority\n1,A,5.0,\n2,B,0,None\n3,,3,High\n4,D,?,\n5,E,-2,--\n";
    let dataset =
        read(text.as_bytes(), ReadOptions { gold: Some(Gold::StoryPoints), ..named(&[("story_points", "sp")]) })
            .unwrap();
    assert_eq!(summary(&dataset), [("1", "A", "5")]);
    assert_eq!(
        dataset.skip_counts(),
        BTreeMap::from([
            (SkipReason::NoTitle, 1),
            (SkipReason::NoStoryPoints, 1),
            (SkipReason::StoryPointsNotPositive, 2)
        ])
    );
    assert_eq!(dataset.skipped.iter().map(|skip| skip.line).collect::<Vec<_>>(), [3, 4, 5, 6]);
}

#[test]
fn missing_columns_are_named_with_what_the_file_has() {
    insta::assert_snapshot!(error("Tilte,Inhalt,Stufe\nA,b,High\n"), @r"
    my.csv:1: no column holds the title
      hint: did you mean `Tilte`? name it with `--columns title=Tilte`; the file has: Tilte, Inhalt, Stufe
    ");
    insta::assert_snapshot!(error("title,description,Priorty\nA,b,High\n"), @r"
    my.csv:1: no column holds priorities
      hint: did you mean `Priorty`? name it with `--columns priority=Priorty`; the file has: title, description, Priorty
    ");
    let story_points = read(b"title,priority\nA,High\n", ReadOptions::named("my.csv").for_scenario("estimation_tawos"));
    insta::assert_snapshot!(story_points.unwrap_err(), @r"
    my.csv:1: no column holds story points
      hint: name it with `--columns story_points=COLUMN`; the file has: title, priority
    ");
    insta::assert_snapshot!(error("title,Customer priority (A to D)\nA,High\n"), @r"
    my.csv:1: no column holds priorities
      hint: did you mean `Customer priority (A to D)`? name it with `--columns priority='Customer priority (A to D)'`; the file has: title, Customer priority (A to D)
    ");
    let typo = read(b"Summary,Priority\nA,High\n", named(&[("title", "Sumary")])).unwrap_err();
    insta::assert_snapshot!(typo, @r"
    my.csv:1: there is no column `Sumary` for `title`
      hint: did you mean `title=Summary`? the file has: Summary, Priority
    ");
    let field = read(b"Summary,Priority\nA,High\n", named(&[("titel", "Summary")])).unwrap_err();
    insta::assert_snapshot!(field, @r"
    my.csv: `--columns` names a field `titel` that does not exist
      hint: did you mean `title`? fields: issue_key, title, description, priority, story_points, project, issue_type, created, resolved, split
    ");
}

#[test]
fn bad_cells_are_named_with_row_line_column_and_value() {
    let bad = error("key,title,priority\n1,\"two\nlines\",High\n2,B,kinda high\n3,C,meh\n");
    assert_eq!((bad.kind, bad.row, bad.line), (DatasetErrorKind::BadValue, Some(2), Some(4)));
    assert_eq!((bad.column.as_deref(), bad.value.as_deref()), (Some("priority"), Some("kinda high")));
    insta::assert_snapshot!(bad, @r#"
    my.csv:4: "kinda high" is not a priority; 1 more row has such a value (row 2, column `priority`)
      hint: use Critical, Major, Minor, Trivial, or a usual word such as Highest, High, Medium, Low, Blocker, P0 to P3
    "#);
    insta::assert_snapshot!(error("key,title,storypoint\n1,A,five\n"), @r#"
    my.csv:2: "five" is not a number of story points (row 1, column `storypoint`)
      hint: write a number such as 5 or 2.5, or leave the cell empty to leave the row out
    "#);
    insta::assert_snapshot!(error("key,title,priority\nK-1,A,High\nK-1,B,Low\n"), @r"
    my.csv:3: the key `K-1` is already used on line 2 (row 2, column `key`)
      hint: keys tell answers apart: remove one row, or name another column with `--columns issue_key=…`
    ");
}

#[test]
fn broken_files_are_one_message_with_its_place() {
    insta::assert_snapshot!(error(""), @r"
    my.csv: the file is empty
      hint: export it again
    ");
    insta::assert_snapshot!(error("title,priority\n"), @r"
    my.csv: the file has a header but no rows
      hint: export it again, with the issues in it
    ");
    insta::assert_snapshot!(error("title,priority\nA,\nB,none\n"), @r"
    my.csv: no row can be judged: 2 without a priority
      hint: fill in the missing values, or name the right columns with `--columns FIELD=COLUMN`
    ");
    insta::assert_snapshot!(error("title,priority\nA,High\nB,High,oops\n"), @r"
    my.csv:3: cells in this row: 3; columns in the header: 2 (row 2)
      hint: put quotes around cells that hold the delimiter, in this row or just before it
    ");
    insta::assert_snapshot!(error("title,priority\n\"A,High\nB,High\n"), @r"
    my.csv:2: cells in this row: 1; columns in the header: 2 (row 1)
      hint: look for a quote that is never closed, or a line break outside quotes, in this row or just before it
    ");
    insta::assert_snapshot!(error("[{\"title\": \"A\", \"priority\": \"High\"},\n{\"title\": \"B\",\n \"priority\" \"High\"}]"), @r"
    my.csv:3: this is not valid JSON: expected `:`
      hint: the file may have been cut off or edited by hand; export it again
    ");
    insta::assert_snapshot!(error("[{\"title\": \"A\", \"priority\": \"High\"}"), @r"
    my.csv:1: the list of issues is not closed, or a comma is missing
      hint: the file may have been cut off; export it again
    ");
    insta::assert_snapshot!(error("[1, 2]"), @r#"
    my.csv:1: an issue must be a JSON object, and here stands 1, 2]
      hint: write each issue as {"title": …, "description": …, "priority": …}
    "#);
    let latin1 = b"title,priority\nGr\xf6\xdfe falsch,High\n";
    insta::assert_snapshot!(read(latin1, ReadOptions::named("my.csv")).unwrap_err(), @r#"
    my.csv:2: byte 0xf6 after "Gr" is no UTF-8; the file is probably Windows-1252 or Latin-1
      hint: save it again as UTF-8, for example with `iconv -f WINDOWS-1252 -t UTF-8`
    "#);
    let sheet = b"PK\x03\x04\x14\x00";
    insta::assert_snapshot!(read(sheet, ReadOptions::named("my.xlsx")).unwrap_err(), @r#"
    my.xlsx: the file is a ZIP archive or a spreadsheet (.xlsx, .ods), not a table of text
      hint: unpack it, or save the sheet as CSV
    "#);
    for (text, said) in [("[]", "the file holds no issues"), ("[{\"a\": 1},", "the list of issues is not closed")] {
        let error = read(text.as_bytes(), ReadOptions::named("my.json")).unwrap_err();
        assert_eq!(&*error.message, said);
    }
    let utf16 = b"\xff\xfet\0i\0t\0l\0e\0";
    insta::assert_snapshot!(read(utf16, ReadOptions::named("my.csv")).unwrap_err(), @r#"
    my.csv:1: the file is UTF-16, and UTF-8 is needed
      hint: save it again as UTF-8; in a spreadsheet choose "CSV UTF-8"
    "#);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_give_rows_or_a_message_but_no_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        if let Err(error) = read(&bytes, ReadOptions::named("any")) {
            proptest::prop_assert!(!error.message.is_empty() && !error.hint.is_empty());
        }
    }

    #[test]
    fn any_text_that_looks_like_a_table_gives_rows_or_a_message(text in "[\\[{]?(title|priority|\"|,|:|;|\n|\\{|\\}|\\]|High|x|é){0,40}") {
        let _ = read(text.as_bytes(), ReadOptions::named("any"));
    }

    #[test]
    fn a_table_survives_writing_and_reading(
        cells in proptest::collection::vec(("[A-Za-z\",;\u{e9}]{1,12}", "[a-z\",;\n\r\u{e9} ]{0,20}"), 5..30),
    ) {
        let mut text = String::from("issue_key,title,description,priority\n");
        for (number, (title, description)) in cells.iter().enumerate() {
            let quote = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
            text.push_str(&format!("K-{number},{},{},Major\n", quote(&format!("x{title}")), quote(description)));
        }
        let dataset = read(text.as_bytes(), ReadOptions::named("table")).unwrap();
        let found: Vec<(String, String)> =
            dataset.rows.iter().map(|row| (row.fields["title"][1..].to_owned(), row.fields["description"].clone())).collect();
        proptest::prop_assert_eq!(found, cells);
    }
}
