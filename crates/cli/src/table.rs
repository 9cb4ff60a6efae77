//! Plain text tables.

/// What a terminal shows in a line unless somebody widened it.
const LINE: usize = 80;
/// The least that is left to a column that is wrapped.
const NARROWEST: usize = 32;

/// How a column is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Lays out `rows` under `header`, columns two spaces apart, wide enough for their longest cell.
pub(crate) fn render(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|(name, _)| width(name)).collect();
    for row in rows {
        for (cell, slot) in row.iter().zip(&mut widths) {
            *slot = (*slot).max(width(cell));
        }
    }
    let mut out = String::new();
    let names: Vec<String> = header.iter().map(|(name, _)| (*name).to_owned()).collect();
    push_row(&mut out, &names, header, &widths);
    let rule: Vec<String> = widths.iter().map(|w| "─".repeat((*w).min(LINE))).collect();
    push_row(&mut out, &rule, header, &widths);
    for row in rows {
        push_row(&mut out, row, header, &widths);
    }
    out
}

/// Like [`render`], the last column broken between words so that lines stay within [`LINE`] where they can.
pub(crate) fn render_wrapped(header: &[(&str, Align)], rows: &[Vec<String>]) -> String {
    let last = header.len().saturating_sub(1);
    let before: usize = (0..last)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max().unwrap_or(0);
            cells.max(width(header[column].0)) + 2
        })
        .sum();
    let room = LINE.saturating_sub(before).max(NARROWEST);
    let mut broken = Vec::new();
    for row in rows {
        let lines = row.get(last).map_or_else(Vec::new, |cell| wrap(cell, room));
        for (index, line) in lines.into_iter().enumerate() {
            let mut cells = if index == 0 { row[..last].to_vec() } else { vec![String::new(); last] };
            cells.push(line);
            broken.push(cells);
        }
    }
    render(header, &broken)
}

/// `text` in lines of at most `room` characters; a longer word keeps a line for itself. At least one line.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if !line.is_empty() && width(line) + 1 + width(word) > room {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

fn push_row(out: &mut String, cells: &[String], header: &[(&str, Align)], widths: &[usize]) {
    let mut line = String::new();
    for ((cell, (_, align)), wide) in cells.iter().zip(header).zip(widths) {
        let pad = " ".repeat(wide.saturating_sub(width(cell)));
        let (left, right) = if *align == Align::Right { (pad.as_str(), "") } else { ("", pad.as_str()) };
        line.push_str(left);
        line.push_str(cell);
        line.push_str(right);
        line.push_str("  ");
    }
    out.push_str(line.trim_end());
    out.push('\n');
}

fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_longest_cell() {
        let text = render(
            &[("model", Align::Left), ("f1", Align::Right)],
            &[vec!["smollm2:135m".into(), "0.31".into()], vec!["x".into(), "1".into()]],
        );
        assert_eq!(text, "model           f1\n────────────  ────\nsmollm2:135m  0.31\nx                1\n");
    }

    #[test]
    fn a_wrapped_column_keeps_its_words_and_stays_within_the_line() {
        let words: Vec<String> = (0..60).map(|number| format!("word{number}")).collect();
        let path = "/a/path/without/any/space".repeat(5);
        let rows = [vec!["long".to_owned(), words.join(" ")], vec!["path".to_owned(), path.clone()]];
        let text = render_wrapped(&[("what", Align::Left), ("value", Align::Left)], &rows);
        let (long, rest) = text.split_once("path").expect("both rows are there");
        assert!(rest.contains(&path), "a word is never broken");
        assert!(long.lines().skip(2).all(|line| width(line) <= LINE), "{text}");
        let read: Vec<&str> = long.lines().skip(2).flat_map(str::split_whitespace).skip(1).collect();
        assert_eq!(read, words);
    }
}
