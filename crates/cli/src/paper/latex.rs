//! LaTeX for the packages booktabs and siunitx: paragraphs, and tables whose numbers stand on their decimal points.

use super::cell::{Cell, Number};
use super::document::{Document, Table};

/// Words longer than this may be broken, as hashes are.
const LONG_WORD: usize = 32;

pub(super) fn render(document: &Document) -> String {
    let mut out = "% Needs \\usepackage{booktabs} and \\usepackage{siunitx}.\n".to_owned();
    for paragraph in &document.paragraphs {
        let sentences: Vec<String> = paragraph.sentences.iter().map(|one| sentence(one)).collect();
        out += &format!("\n\\paragraph{{{}.}}\n{}\n", escaped(paragraph.heading), sentences.join("\n"));
    }
    document.tables.iter().for_each(|one| out += &table(one));
    out
}

/// How one column of the document is set.
enum Set {
    Words,
    /// Digits before and after the point, and whether an interval follows.
    Numbers {
        before: usize,
        after: usize,
        intervals: bool,
    },
}

fn table(table: &Table) -> String {
    let keys = table.keys();
    let sets: Vec<Set> = (0..table.columns.len()).map(|place| set(table, place)).collect();
    let shapes: Vec<String> = sets.iter().map(shape).collect();
    let mut head: Vec<String> = keys.iter().map(|(name, _)| format!("{{{}}}", capital(name))).collect();
    for (column, set) in table.columns.iter().zip(&sets) {
        let unit = if column.unit.is_empty() { String::new() } else { format!(" ({})", column.unit) };
        let name = escaped(&format!("{}{unit}", column.head));
        head.push(match set {
            Set::Numbers { intervals: true, .. } => format!("\\multicolumn{{2}}{{c}}{{{name}}}"),
            Set::Words | Set::Numbers { .. } => format!("{{{name}}}"),
        });
    }
    let mut out = format!(
        "\n\\begin{{table}}[htbp]\n\\centering\n\\caption{{{}}}\n\\label{{tab:puma-{}}}\n\\begin{{tabular}}{{@{{}}{}{}@{{}}}}\n\
         \\toprule\n{} \\\\\n\\midrule\n",
        escaped(&table.caption),
        table.label,
        "l".repeat(keys.len()),
        shapes.concat(),
        head.join(" & "),
    );
    for (index, row) in table.rows.iter().enumerate() {
        let keys = keys.iter().map(|(_, values)| escaped(values[index]));
        let cells = row.cells.iter().zip(&sets).map(|(cell, set)| set_cell(cell, set));
        out += &format!("{} \\\\\n", keys.chain(cells).collect::<Vec<_>>().join(" & "));
    }
    out += "\\bottomrule\n\\end{tabular}\n";
    for note in &table.notes {
        out += &format!("\\par\\footnotesize {}\n", sentence(note));
    }
    out + "\\end{table}\n"
}

fn set(table: &Table, place: usize) -> Set {
    let mut numbers = Vec::new();
    for row in &table.rows {
        match &row.cells[place] {
            Cell::Text(_) => return Set::Words,
            Cell::Number(number) => numbers.push(number),
            Cell::Missing => {}
        }
    }
    let parts = |number: &&Number| {
        let (before, after) = number.value.split_once('.').unwrap_or((&number.value, ""));
        (before.len(), after.len())
    };
    let most = |part: fn((usize, usize)) -> usize| numbers.iter().map(|one| part(parts(one))).max().unwrap_or(0);
    let intervals = numbers.iter().any(|number| number.interval.is_some());
    Set::Numbers { before: most(|(before, _)| before).max(1), after: most(|(_, after)| after), intervals }
}

fn shape(set: &Set) -> String {
    match set {
        Set::Words => "l".to_owned(),
        Set::Numbers { before, after, intervals } => {
            format!("S[table-format={before}.{after}]{}", if *intervals { "@{\\,}l" } else { "" })
        }
    }
}

fn set_cell(cell: &Cell, set: &Set) -> String {
    let intervals = matches!(set, Set::Numbers { intervals: true, .. });
    let behind = |interval: &str| if intervals { format!(" & {interval}") } else { String::new() };
    match cell {
        Cell::Text(text) => escaped(text),
        Cell::Missing => format!("{{--}}{}", behind("")),
        Cell::Number(Number { value, interval: None, .. }) => format!("{value}{}", behind("")),
        Cell::Number(Number { value, interval: Some((low, high)), .. }) => {
            format!("{value}{}", behind(&format!("{{[{}, {}]}}", minus(low), minus(high))))
        }
    }
}

/// Outside of the columns of siunitx, a minus must be asked for.
fn minus(number: &str) -> String {
    number.strip_prefix('-').map_or_else(|| number.to_owned(), |digits| format!("$-${digits}"))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `text` so that LaTeX prints it as it is.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.chars() {
        push_escaped(&mut out, before, c);
        before = c;
    }
    out
}

/// As [`escaped`], long words breakable: no line holds a hash.
fn sentence(text: &str) -> String {
    let word = |word: &str| match word.chars().count() > LONG_WORD {
        true => {
            let letters: Vec<char> = word.chars().collect();
            let pieces: Vec<String> =
                letters.chunks(8).map(|piece| escaped(&piece.iter().collect::<String>())).collect();
            pieces.join("\\allowbreak{}")
        }
        false => escaped(word),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn push_escaped(out: &mut String, before: char, c: char) {
    match c {
        '\\' => out.push_str("\\textbackslash{}"),
        '~' => out.push_str("\\textasciitilde{}"),
        '^' => out.push_str("\\textasciicircum{}"),
        '<' => out.push_str("\\textless{}"),
        '>' => out.push_str("\\textgreater{}"),
        '|' => out.push_str("\\textbar{}"),
        '"' => out.push_str("\\textquotedbl{}"),
        '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
        // Two of these in a row are one character to TeX.
        '-' | '\'' | '`' | ',' if before == c => out.extend(['{', '}', c]),
        // Behind the end of a row, a bracket would be an option.
        '[' | ']' => out.extend(['{', c, '}']),
        '−' => out.push_str("$-$"),
        '±' => out.push_str("$\\pm$"),
        '₂' => out.push_str("$_2$"),
        '–' => out.push_str("--"),
        c if c.is_control() => out.push(' '),
        c => out.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::{escaped, sentence};

    #[test]
    fn every_character_that_means_something_to_tex_is_printed() {
        for (text, expected) in [
            (r"a_b & 5 % of $x #1 {y}", r"a\_b \& 5 \% of \$x \#1 \{y\}"),
            (
                r"~ ^ \ < > |",
                r"\textasciitilde{} \textasciicircum{} \textbackslash{} \textless{} \textgreater{} \textbar{}",
            ),
            ("a--b ``c'' ± 5", "a-{}-b `{}`c'{}' $\\pm$ 5"),
            ("[1] − 2", "{[}1{]} $-$ 2"),
            ("\"q\"\n", "\\textquotedbl{}q\\textquotedbl{} "),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn a_hash_may_be_broken_and_loses_no_digit() {
        let hash = "0123456789abcdef".repeat(4);
        let set = sentence(&hash);
        assert!(set.contains("01234567\\allowbreak{}89abcdef"));
        assert_eq!(set.replace("\\allowbreak{}", ""), hash);
    }
}
