//! Completions and man pages, printed by the program itself. They are the same for every platform, so one that this machine
//! can start prints them for all.

use super::archive::Entry;
use crate::{command, workspace};
use std::process::{Command, Stdio};

/// Shells and the names under which they look for a completion.
const SHELLS: [(&str, &str); 3] = [("bash", "puma.bash"), ("zsh", "_puma"), ("fish", "puma.fish")];

/// The pages as files of an archive. `start` are the words that start a program just built; without them one is built
/// for this machine.
///
/// # Errors
/// The program cannot be built, or does not print a page.
pub(crate) fn entries(start: Option<&[String]>) -> Result<Vec<Entry>, String> {
    let start = match start {
        Some(words) => words.to_vec(),
        None => {
            command::run("cargo", &["build", "--package", "puma"])?;
            vec![workspace::target_directory()?.join("debug/puma").to_string_lossy().into_owned()]
        }
    };
    let printed = |words: &[&str]| printed(&start, words);
    let mut entries = Vec::new();
    for (shell, name) in SHELLS {
        entries.push(Entry::plain(format!("completions/{name}"), printed(&["completions", shell])?));
    }
    let main = printed(&["man"])?;
    let commands = commands(&main);
    if commands.is_empty() {
        return Err("`puma man` names no command".to_owned());
    }
    for name in commands {
        entries.push(Entry::plain(format!("man/man1/puma-{name}.1"), printed(&["man", &name])?));
    }
    entries.push(Entry::plain("man/man1/puma.1", main));
    Ok(entries)
}

fn printed(start: &[String], words: &[&str]) -> Result<String, String> {
    let mut puma = Command::new(&start[0]);
    puma.args(&start[1..]).args(words).stdin(Stdio::null()).stderr(Stdio::inherit());
    // A page describes the program, not the machine that prints it.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PUMA_")) {
        puma.env_remove(name);
    }
    let output = puma.output().map_err(|error| format!("{} cannot be started: {error}", start[0]))?;
    let text = String::from_utf8(output.stdout).map_err(|_| format!("`puma {}` printed no UTF-8", words.join(" ")))?;
    if output.status.success() && !text.is_empty() {
        Ok(text)
    } else {
        Err(format!("`puma {}` printed no page ({})", words.join(" "), output.status))
    }
}

/// The commands a man page refers to, as in `puma\-list\-runs(1)`. `help` has no page that says more than `--help`.
fn commands(page: &str) -> Vec<String> {
    let named = page.lines().filter_map(|line| line.strip_prefix("puma\\-")?.strip_suffix("(1)"));
    named.map(|name| name.replace("\\-", "-")).filter(|name| name != "help").collect()
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn the_commands_of_a_man_page_are_found() {
        let page = ".SH NAME\npuma\\-x \\- no reference\n.TP\npuma\\-list\\-runs(1)\nAll runs\n.TP\npuma\\-help(1)\n";
        assert_eq!(commands(page), ["list-runs"]);
    }
}
