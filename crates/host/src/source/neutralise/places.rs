//! Files and commands whose answers need more than the general nets.

use super::placeholder::Placeholders;
use super::words::neutral_path;

/// What is left of the answer to `place` (a path, or a program with its arguments); `None` where nothing special holds.
pub(super) fn special(place: &str, text: &str, places: &mut Placeholders) -> Option<String> {
    match place {
        "/proc/self/mountinfo" => Some(mapped_lines(text, |line| mount(line, places))),
        "/proc/self/cgroup" => Some(mapped_lines(text, |line| group(line, places))),
        "/etc/os-release" | "/usr/lib/os-release" => {
            Some(kept_lines(&text.replace('\r', ""), &["NAME=", "ID=", "ID_LIKE=", "VERSION"]))
        }
        "/run/.containerenv" => Some(kept_lines(text, &["engine=", "rootless="])),
        // A kernel's log names every device by its serial number; only gVisor's is asked for, for one line.
        "dmesg" => Some(kept_lines(text, &["Starting gVisor"])),
        _ if place.starts_with("/sys/firmware/acpi/tables/") => Some(acpi_maker(text)),
        _ if is_identifier_file(place) => Some(places.named("serial", text.trim_matches(['\0', '\n', ' ']))),
        _ => None,
    }
}

/// Variables of which only matters whether they are set.
pub(super) fn only_set(variable: &str) -> bool {
    matches!(variable, "KUBERNETES_SERVICE_HOST" | "WSL_DISTRO_NAME")
}

/// A path under the control groups, whose folders are named after containers, pods and users.
pub(super) fn group_path(path: &str, places: &mut Placeholders) -> Option<String> {
    const ROOT: &str = "/sys/fs/cgroup";
    const CONTROLLERS: [&str; 9] = ["cgroup", "cpu", "cpuacct", "cpuset", "hugetlb", "io", "memory", "misc", "pids"];
    let below = path.strip_prefix(ROOT)?;
    let (folder, file) = below.rsplit_once('/')?;
    let file = match file.split_once('.') {
        Some((controller, _)) if CONTROLLERS.contains(&controller) => file.to_owned(),
        _ => neutral_path(file, places),
    };
    Some(format!("{ROOT}{}/{file}", neutral_path(folder, places)))
}

/// Files that hold nothing but a number or a name of the machine or a part of it.
fn is_identifier_file(path: &str) -> bool {
    const NAMES: [&str; 10] = [
        "serial",
        "serial_number",
        "serial-number",
        "uuid",
        "product_uuid",
        "machine-id",
        "boot_id",
        "unique_id",
        "hostname",
        "wwid",
    ];
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    folder.starts_with('/') && (NAMES.contains(&name) || name.ends_with("_serial") || name.ends_with("_asset_tag"))
}

fn mapped_lines(text: &str, line: impl FnMut(&str) -> Option<String>) -> String {
    text.lines().filter_map(line).flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn kept_lines(text: &str, pieces: &[&str]) -> String {
    let kept = text.lines().filter(|line| pieces.iter().any(|piece| line.contains(piece)));
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// `hierarchy:controllers:path`.
fn group(line: &str, places: &mut Placeholders) -> Option<String> {
    let mut parts = line.splitn(3, ':');
    let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let hierarchy: u32 = hierarchy.parse().ok()?;
    Some(format!("{hierarchy}:{}:{}", neutral_path(controllers, places), neutral_path(path, places)))
}

/// One line of the table of mounts: numbers, what is mounted where, the kind, the source and its options.
fn mount(line: &str, places: &mut Placeholders) -> Option<String> {
    let (numbers, rest) = line.split_once(" - ")?;
    let fields: Vec<&str> = numbers.split(' ').collect();
    let [id, parent, device, root, point, options, ..] = fields.as_slice() else { return None };
    let numeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    if ![id, parent, device].iter().all(|text| numeric(text)) {
        return None;
    }
    let mut parts = rest.splitn(3, ' ');
    let (kind, source, more) = (parts.next()?, parts.next()?, parts.next()?);
    let mut neutral = |text: &str| neutral_path(text, places);
    Some(format!(
        "{id} {parent} {device} {} {} {} - {} {} {}",
        neutral(root),
        neutral(point),
        neutral(options),
        neutral(kind),
        neutral(source),
        neutral(more)
    ))
}

/// The six letters of the maker at their place in the header, the only thing that is asked for. Spaces elsewhere.
fn acpi_maker(table: &str) -> String {
    const MAKERS: [&str; 8] = ["FIRECK", "BOCHS", "VBOX", "VMWARE", "MSFTVM", "APPLE", "AMAZON", "Google"];
    MAKERS.into_iter().find(|maker| table.contains(maker)).unwrap_or("other").to_owned()
}
