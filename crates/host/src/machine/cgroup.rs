//! What a control group allows, in version 2 and version 1 of the interface.
//!
//! A process belongs to a group, that to a group above, and every one may limit: the tightest counts. In a container the
//! files of the groups above may be out of sight, and its own group may appear as the root.

use super::linux::cpu_list;
use crate::source::HostSource;
use procfs_core::process::MountInfo;

/// What version 1 answers for "no limit": the largest multiple of a page below 2^63, whatever the page.
const UNLIMITED_BYTES: u64 = 1 << 60;

/// The tightest limits above a process; `None` where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub memory: Option<MemoryLimit>,
    /// Processors' worth of time.
    pub cpu_cores: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MemoryLimit {
    pub bytes: u64,
    /// What the limited group uses, less the file pages it can give back at once.
    pub used_bytes: Option<u64>,
}

/// Reads every group from that of this process up to the root.
pub(crate) fn limits(host: &dyn HostSource) -> Limits {
    let groups = host.read("/proc/self/cgroup").unwrap_or_default();
    let mounts: Vec<MountInfo> = mounts(&host.read("/proc/self/mountinfo").unwrap_or_default());
    let mut limits = Limits::default();
    for folder in folders(&groups, &mounts, None) {
        limits.tighten_memory(&folder, host, &["memory.max", "memory.high"], "memory.current", "inactive_file");
        let quota = read(host, &folder, "cpu.max").and_then(|text| quota_of_version_2(&text));
        limits.tighten_cpu(quota);
        limits.tighten_cpu(cpuset(host, &folder, &["cpuset.cpus.effective"]));
    }
    for folder in folders(&groups, &mounts, Some("memory")) {
        let files = (["memory.limit_in_bytes"], "memory.usage_in_bytes", "total_inactive_file");
        limits.tighten_memory(&folder, host, &files.0, files.1, files.2);
    }
    for folder in folders(&groups, &mounts, Some("cpu")) {
        let number = |name| read(host, &folder, name)?.trim().parse::<i64>().ok();
        limits.tighten_cpu(number("cpu.cfs_quota_us").zip(number("cpu.cfs_period_us")).and_then(|(a, b)| cores(a, b)));
    }
    for folder in folders(&groups, &mounts, Some("cpuset")) {
        limits.tighten_cpu(cpuset(host, &folder, &["cpuset.effective_cpus", "cpuset.cpus"]));
    }
    limits
}

impl Limits {
    fn tighten_memory(&mut self, folder: &str, host: &dyn HostSource, limits: &[&str], used: &str, inactive: &str) {
        let limit = limits.iter().filter_map(|name| bytes(&read(host, folder, name)?)).min();
        let Some(limit) = limit.filter(|limit| *limit < UNLIMITED_BYTES) else { return };
        if self.memory.as_ref().is_some_and(|known| known.bytes <= limit) {
            return;
        }
        let used = read(host, folder, used).and_then(|text| bytes(&text));
        let reclaimable = read(host, folder, "memory.stat").and_then(|text| counter(&text, inactive)).unwrap_or(0);
        self.memory = Some(MemoryLimit { bytes: limit, used_bytes: used.map(|used| used.saturating_sub(reclaimable)) });
    }

    fn tighten_cpu(&mut self, cores: Option<f64>) {
        self.cpu_cores = match (self.cpu_cores, cores) {
            (Some(known), Some(cores)) => Some(known.min(cores)),
            (known, cores) => known.or(cores),
        };
    }
}

/// The lines that can be read; one that cannot says nothing about the others.
pub(super) fn mounts(mountinfo: &str) -> Vec<MountInfo> {
    mountinfo.lines().filter_map(|line| MountInfo::from_line(line).ok()).collect()
}

fn read(host: &dyn HostSource, folder: &str, name: &str) -> Option<String> {
    host.read(&format!("{folder}/{name}")).ok()
}

/// The folders of a process's groups, its own first, the one at the mount point last. `controller` is `None` for
/// version 2.
fn folders(groups: &str, mounts: &[MountInfo], controller: Option<&str>) -> Vec<String> {
    let of_controller = |mount: &&MountInfo| match controller {
        None => mount.fs_type == "cgroup2",
        Some(name) => mount.fs_type == "cgroup" && mount.super_options.contains_key(name),
    };
    let mount = mounts.iter().find(of_controller);
    let (root, point) = match (mount, controller) {
        (Some(mount), _) => (mount.root.as_str(), mount.mount_point.display().to_string()),
        // A sandbox may hide the mount table and still show the files.
        (None, None) => ("/", "/sys/fs/cgroup".to_owned()),
        (None, Some(_)) => return Vec::new(),
    };
    let group = groups.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        let ours = match controller {
            None => controllers.is_empty(),
            Some(name) => controllers.split(',').any(|one| one == name),
        };
        ours.then_some(path)
    });
    let below = group.and_then(|group| below(root, group)).unwrap_or_default();
    let mut folders: Vec<String> = Vec::new();
    let mut names: Vec<&str> = below.split('/').filter(|name| !name.is_empty()).collect();
    while !names.is_empty() {
        folders.push(format!("{}/{}", point.trim_end_matches('/'), names.join("/")));
        names.pop();
    }
    folders.push(point);
    folders
}

/// The part of a group's path that lies below the mounted root. A group outside the root is seen as the root itself.
fn below<'a>(root: &str, group: &'a str) -> Option<&'a str> {
    let rest = group.strip_prefix(root.trim_end_matches('/'))?;
    let inside = rest.is_empty() || rest.starts_with('/');
    (inside && !rest.split('/').any(|name| name == "..")).then_some(rest)
}

/// Bytes, or `None` for `max` and for nonsense.
fn bytes(text: &str) -> Option<u64> {
    text.trim().parse().ok()
}

/// `200000 100000` is two processors' worth; `max 100000` no limit.
fn quota_of_version_2(text: &str) -> Option<f64> {
    let (quota, period) = text.trim().split_once(' ')?;
    cores(quota.parse().ok()?, period.trim().parse().ok()?)
}

/// -1 means no limit.
fn cores(quota_us: i64, period_us: i64) -> Option<f64> {
    (quota_us > 0 && period_us > 0).then(|| quota_us as f64 / period_us as f64)
}

fn cpuset(host: &dyn HostSource, folder: &str, names: &[&str]) -> Option<f64> {
    let list = names.iter().find_map(|name| cpu_list(&read(host, folder, name)?))?;
    u32::try_from(list.len()).ok().map(f64::from)
}

/// The value of a line `key value`.
fn counter(text: &str, key: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Kept, RecordedHost, Recording};
    use proptest::prelude::*;

    const VERSION_2: &str = "31 22 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    const VERSION_1: &str = "\
        35 31 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
        32 31 0:28 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";

    fn read_limits(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Limits {
        let mut kept: Vec<(&str, &str)> = files.to_vec();
        kept.extend([("/proc/self/cgroup", groups), ("/proc/self/mountinfo", mounts)]);
        limits(&RecordedHost::new(Recording {
            format: Recording::FORMAT,
            files: kept.into_iter().map(|(path, text)| (path.to_owned(), Kept::Text(text.to_owned()))).collect(),
            ..Recording::default()
        }))
    }

    #[test]
    fn the_tightest_group_above_counts_with_its_own_use() {
        let limits = read_limits(
            "0::/a.slice/b.scope\n",
            VERSION_2,
            &[
                ("/sys/fs/cgroup/a.slice/b.scope/memory.max", "max\n"),
                ("/sys/fs/cgroup/a.slice/b.scope/memory.high", "8000\n"),
                ("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "max 100000\n"),
                ("/sys/fs/cgroup/a.slice/memory.max", "5000\n"),
                ("/sys/fs/cgroup/a.slice/memory.current", "4000\n"),
                ("/sys/fs/cgroup/a.slice/memory.stat", "anon 1\ninactive_file 1500\n"),
                ("/sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n"),
                ("/sys/fs/cgroup/cpuset.cpus.effective", "0-3\n"),
            ],
        );
        assert_eq!(limits.memory, Some(MemoryLimit { bytes: 5000, used_bytes: Some(2500) }));
        assert_eq!(limits.cpu_cores, Some(1.5));
    }

    #[test]
    fn version_1_finds_its_files_where_the_container_sees_them() {
        let files = |limit| {
            [
                ("/sys/fs/cgroup/memory/memory.limit_in_bytes", limit),
                ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n"),
                ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
            ]
        };
        let groups = "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n";
        let limits = read_limits(groups, VERSION_1, &files("4294967296\n"));
        assert_eq!(limits.memory, Some(MemoryLimit { bytes: 4 << 30, used_bytes: None }));
        assert_eq!(limits.cpu_cores, Some(0.5));
        assert_eq!(read_limits(groups, VERSION_1, &files("9223372036854771712\n")).memory, None);
    }

    #[test]
    fn a_group_outside_the_visible_tree_is_the_visible_root() {
        for groups in ["0::/../../user.slice\n", "0::/elsewhere\n", ""] {
            let mounts = "31 22 0:27 /pod /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
            let limits = read_limits(groups, mounts, &[("/sys/fs/cgroup/memory.max", "7000\n")]);
            assert_eq!(limits.memory.map(|limit| limit.bytes), Some(7000), "{groups}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_is_taken(texts in proptest::collection::vec("\\PC*|[0-9:/ \\-\n,.a-z]{0,80}", 5)) {
            let names = ["memory.max", "cpu.max", "cpuset.cpus.effective"];
            let paths: Vec<String> = names.iter().map(|name| format!("/sys/fs/cgroup/{name}")).collect();
            let files: Vec<(&str, &str)> =
                paths.iter().zip(&texts[2..]).map(|(path, text)| (path.as_str(), text.as_str())).collect();
            let limits = read_limits(&texts[0], &texts[1], &files);
            prop_assert!(limits.cpu_cores.is_none_or(|cores| cores > 0.0));
        }
    }
}
