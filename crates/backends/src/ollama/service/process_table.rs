//! The system's processes, read from `/proc` on Linux and from `ps` elsewhere.

use std::path::{Path, PathBuf};

/// One process that is not a zombie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: u32,
    pub(super) group: u32,
    /// When it started; equal texts mean the same start. See [`super::ProcessIdentity::started`].
    pub(super) started: String,
    pub(super) executable: Option<PathBuf>,
}

/// The process `pid`; `None` when there is none, or only a zombie that waits to be collected.
pub(super) fn process(pid: u32) -> Option<Process> {
    if cfg!(target_os = "linux") { from_proc(pid) } else { from_ps(&["-p", &pid.to_string()]).pop() }
}

/// Every process that is visible.
pub(super) fn processes() -> Vec<Process> {
    if cfg!(target_os = "linux") { proc_ids().into_iter().filter_map(from_proc).collect() } else { from_ps(&["-A"]) }
}

/// Ids of processes whose environment holds `assignment` (`NAME=value`), as far as this user may see.
pub(super) fn with_environment(assignment: &str) -> Vec<u32> {
    if cfg!(target_os = "linux") {
        let holds = |pid: &u32| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == assignment.as_bytes())
        };
        return proc_ids().into_iter().filter(holds).collect();
    }
    // `-E` puts the environment behind the command, for the user's own processes.
    let text = ps(&["-A", "-E", "-ww", "-o", "pid=", "-o", "command="]);
    ids_with_word(&text, assignment)
}

fn ids_with_word(listing: &str, assignment: &str) -> Vec<u32> {
    let lines = listing.lines().filter(|line| line.split_whitespace().any(|word| word == assignment));
    lines.filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect()
}

fn proc_ids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut ids: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    ids.sort_unstable();
    ids
}

fn from_proc(pid: u32) -> Option<Process> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let executable = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let process = parse_stat(pid, &stat, boot.trim())?;
    Some(Process { executable: executable.map(without_deleted), ..process })
}

/// Reads a line of `/proc/PID/stat` (proc_pid_stat(5)): field 3 is the state, 5 the group, 22 the start in clock ticks
/// since boot. The name in field 2 may hold anything, so counting begins behind its last bracket.
fn parse_stat(pid: u32, stat: &str, boot: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).copied();
    if matches!(field(3)?, "Z" | "X") {
        return None;
    }
    let ticks: u64 = field(22)?.parse().ok()?;
    Some(Process { pid, group: field(5)?.parse().ok()?, started: format!("{boot} {ticks}"), executable: None })
}

/// Linux marks the program of a process whose file was replaced, as an upgrade does.
fn without_deleted(path: PathBuf) -> PathBuf {
    path.to_str().and_then(|text| text.strip_suffix(" (deleted)")).map(PathBuf::from).unwrap_or(path)
}

fn from_ps(which: &[&str]) -> Vec<Process> {
    let columns = ["-o", "pid=", "-o", "pgid=", "-o", "stat=", "-o", "lstart=", "-o", "comm="];
    ps(&[which, &["-ww"], &columns].concat()).lines().filter_map(parse_ps).collect()
}

/// Reads `PID PGID STAT Fri Nov 20 10:17:20 2026 COMMAND`; on macOS the command is the path of the program.
fn parse_ps(line: &str) -> Option<Process> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [pid, group, state, start @ .., _] = words.get(..9)? else { return None };
    if state.starts_with('Z') {
        return None;
    }
    // Paths may hold blanks, so the command is the rest of the line behind the year.
    let year = start.last()?;
    let command = line.split_once(&format!(" {year} "))?.1.trim();
    Some(Process {
        pid: pid.parse().ok()?,
        group: group.parse().ok()?,
        started: start.join(" "),
        executable: Some(Path::new(command).to_owned()),
    })
}

/// What `ps` prints, in the C locale; empty when it fails.
fn ps(arguments: &[&str]) -> String {
    // Where both kinds of system keep it, whatever the path of this process says.
    let program = ["/bin/ps", "/usr/bin/ps"].into_iter().find(|path| Path::new(path).exists()).unwrap_or("ps");
    let mut command = std::process::Command::new(program);
    command.args(arguments).env("LC_ALL", "C").env("TZ", "UTC");
    let output = command.stdin(std::process::Stdio::null()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_behind_any_name() {
        let stat = "42 (a) b (c) S 1 40 40 0 -1 4194304 1 0 0 0 3 1 0 0 20 0 9 0 8675309 100 200 184467 1 1";
        let process = parse_stat(42, stat, "boot").expect("a process");
        assert_eq!((process.group, process.started.as_str()), (40, "boot 8675309"));
        assert_eq!(parse_stat(42, &stat.replace(" S ", " Z "), "boot"), None);
        assert_eq!(parse_stat(42, "42 (cut", "boot"), None);
    }

    #[test]
    fn a_replaced_program_keeps_its_name() {
        assert_eq!(without_deleted("/usr/bin/ollama (deleted)".into()), Path::new("/usr/bin/ollama"));
        assert_eq!(without_deleted("/usr/bin/ollama".into()), Path::new("/usr/bin/ollama"));
    }

    #[test]
    fn a_line_of_ps_is_read_with_blanks_in_its_path() {
        let line =
            "  501   500 S+   Fri Nov 20 10:17:20 2026     /Applications/My Ollama.app/Contents/Resources/ollama";
        let process = parse_ps(line).expect("a process");
        assert_eq!((process.pid, process.group, process.started.as_str()), (501, 500, "Fri Nov 20 10:17:20 2026"));
        let path = Path::new("/Applications/My Ollama.app/Contents/Resources/ollama");
        assert_eq!(process.executable.as_deref(), Some(path));
        assert_eq!(parse_ps("501 500 Z Fri Nov 20 10:17:20 2026 (ollama)"), None);
        assert_eq!(parse_ps("ps: illegal option"), None);
    }

    #[test]
    fn a_marker_is_a_whole_word_of_the_environment() {
        let listing = "  7 ollama serve HOME=/h PUMA_SERVICE=abc PATH=/bin\n  8 ollama PUMA_SERVICE=abcd\n";
        assert_eq!(ids_with_word(listing, "PUMA_SERVICE=abc"), [7]);
    }

    #[test]
    fn both_ways_of_asking_tell_the_same_about_this_very_process() {
        let pid = std::process::id();
        let listed = processes().into_iter().find(|process| process.pid == pid).expect("this process is listed");
        assert_eq!(process(pid), Some(listed.clone()));
        if let Some(told) = from_ps(&["-p", &pid.to_string()]).pop() {
            assert_eq!((told.pid, told.group), (pid, listed.group));
        }
    }

    #[test]
    fn a_child_is_found_by_its_environment_and_gone_once_it_ends() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .env("PUMA_TEST_MARK", "table-7f3a")
            .spawn()
            .expect("sleep exists");
        // Between fork and exec the child still has the environment of its parent.
        let found = std::iter::repeat_with(|| with_environment("PUMA_TEST_MARK=table-7f3a"))
            .take(100)
            .inspect(|_| std::thread::sleep(std::time::Duration::from_millis(10)))
            .find(|found| !found.is_empty());
        child.kill().expect("killed");
        assert_eq!(found, Some(vec![child.id()]));
        // Not yet waited for: a zombie, which counts as gone.
        let is_gone = || process(child.id()).is_none();
        assert!((0..100).any(|_| is_gone() || {
            std::thread::sleep(std::time::Duration::from_millis(10));
            false
        }));
        child.wait().expect("waited for");
    }
}
