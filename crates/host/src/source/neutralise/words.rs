//! Words that name nobody: what kernels, file systems, container runtimes and virtual machines call their things.

use super::placeholder::{Placeholders, is_placeholder};

/// One word a piece; everything else in a path of mounts or groups is taken for a name.
const WORDS: &str = "\
    9p aname amd android apfs apple arm autofs bdev binder binfmt binfmt_misc bind blkio block boot bpf bpffs btrfs buildkit \
    burstable besteffort c cgroup cgroup2 cgroupfs cidata class configfs console containerd container containers \
    containerenv core cpu cpuacct cpuset cpuinfo cri crio d daemon data debian db8 debugfs desktop dev devices devpts devtmpfs \
    diff diskstats dm dns docker dockerenv domain drivers drvfs ecs efi efivarfs efivars encryptfs erofs etc exfat ext2 ext3 \
    ext4 f2fs fakeowner fd fedora firmware freezer gid fs fuse fuseblk fusectl grpcfuse guaranteed guest home host host_mark \
    host_mnt host_virtiofs hostfs hostname hosts hugepages hugetlb hugetlbfs init initrd intel io ip iso9660 k3s kernel \
    kcore keys kubelet kubepods kubernetes l lib lib64 lima linux loadavg local localhost lower lowerdir lxc lxcfs lxd mac \
    machine machines mark max meminfo memory merged min misc mnt mode monitor mount0 mount1 mount2 mqueue name net net_cls \
    net_prio nfs nfs4 noatime nodev nodiratime noexec none nosuid ns nsfs ntfs ntfs3 null nvidia opt osxfs overlay overlay2 overlayfs path payload perf_event pid pids \
    pod pods podman private proc profile pstore ptmx pts rancher ramfs random relatime ro rw rdma resolv rootfs root rosetta rpc_pipefs \
    run sandboxes scope secret secrets securityfs self selinux selinuxfs service serviceaccount session share shared shm \
    shmem slice size slirp snap snapshots snapshotter source squashfs srv sshfs state stat storage sunrpc swap swaps sys sysfs \
    system systemd target tasks termination tmp tmpfs tracefs tty ubuntu udev unified upper upperdir uid uptime urandom user \
    users userdata usr v1 v2 v9fs var vda vdb version vfat virtiofs virtiofs0 virtiofs1 vm vmhgfs vmlinuz volume volumes \
    work workdir wsl xfs zero zfs zygote fuse-overlayfs overlay-containers cpu_dma_latency";

/// Whether `text` is such a word, in any case.
pub(super) fn is_word(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    WORDS.split_ascii_whitespace().any(|word| word == lower)
}

/// Disks and their partitions, as Linux numbers them.
fn is_disk(word: &str) -> bool {
    let stem = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'p');
    let letters = stem.trim_end_matches(|c: char| c.is_ascii_digit() || c == 'n');
    let lettered = ["sd", "vd", "xvd", "hd"].iter().any(|kind| {
        stem.strip_prefix(kind)
            .is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_lowercase()))
    });
    let numbered = ["nvme", "mmcblk", "loop", "sr", "md", "dm", "zram"].contains(&letters);
    word.len() <= 16 && (lettered || (numbered && word.bytes().any(|byte| byte.is_ascii_digit())))
}

fn names_nobody(word: &str) -> bool {
    let short_number = word.len() <= 6 && word.bytes().all(|byte| byte.is_ascii_digit());
    short_number
        || is_word(word)
        || is_disk(word)
        || ["name", "id", "serial"].iter().any(|kind| is_placeholder(kind, word))
}

/// A path, or a list of paths and options, in which every word that could be a name is replaced.
pub(super) fn neutral_path(path: &str, places: &mut Placeholders) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(first) = rest.chars().next() {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let end = rest.find(|c| is_part(c) != is_part(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        if !is_part(first) || names_nobody(part) {
            out.push_str(part);
        } else {
            out.push_str(&places.named("name", part));
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_system_stay_and_others_become_names() {
        let mut places = Placeholders::default();
        for (path, expected) in [
            ("/kubepods/burstable/pod12ab_cd/0123abc", "/kubepods/burstable/name1/name2"),
            ("/docker/containers/0123abc/hostname", "/docker/containers/name2/hostname"),
            ("/run/host_mark/Users", "/run/host_mark/Users"),
            ("/dev/nvme0n1p2", "/dev/nvme0n1p2"),
            ("/user.slice/user-1000.slice", "/user.slice/user-1000.slice"),
            ("C:\\134", "C:\\134"),
            ("/mnt/janes-disk", "/mnt/name3-name4"),
        ] {
            assert_eq!(neutral_path(path, &mut places), expected);
            let again = neutral_path(expected, &mut places);
            assert_eq!(again, expected, "neutralising twice");
        }
    }
}
