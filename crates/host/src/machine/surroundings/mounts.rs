//! Signs in the table of mounts: where folders come from.

use super::evidence::Claim::{Container, Guest, Host};
use super::evidence::{Evidence, Votes};
use crate::machine::HostOs::{Linux, Macos, Windows};
use crate::machine::cgroup;
use procfs_core::process::MountInfo;

const PLACE: &str = "/proc/self/mountinfo";

/// Which part of a line is looked at.
#[derive(Clone, Copy)]
enum Part {
    /// The kind of file system is this.
    Kind,
    /// The source begins with this.
    Source,
    /// The mount point begins with this.
    Point,
    /// The folder shown inside the source contains this.
    Folder,
    /// An option of the root's overlay contains this.
    RootLayers,
}

const CLUES: &[(Part, &str, &str, Votes)] = &[
    (
        Part::Kind,
        "fakeowner",
        "Docker Desktop lends folders of its computer so",
        &[(Guest(Some("docker desktop")), 6), (Container(Some("docker")), 4)],
    ),
    (
        Part::Kind,
        "fuse.grpcfuse",
        "older Docker Desktops lend folders so",
        &[(Guest(Some("docker desktop")), 6), (Host(Macos), 3)],
    ),
    (Part::Folder, "/host_mnt/Users/", "the computer keeps its users under /Users", &[(Host(Macos), 8)]),
    (Part::Source, "/run/host_mark/Users", "the computer keeps its users under /Users", &[(Host(Macos), 8)]),
    (Part::Source, "/run/host_mark/home", "the computer keeps its users under /home", &[(Host(Linux), 8)]),
    (Part::Point, "/run/host_virtiofs/Users", "the computer keeps its users under /Users", &[(Host(Macos), 8)]),
    (Part::Point, "/run/desktop/mnt/host", "Docker Desktop on Windows lends folders so", &[(Host(Windows), 6)]),
    (Part::Folder, "/run/desktop/mnt/host", "Docker Desktop on Windows lends folders so", &[(Host(Windows), 6)]),
    (Part::Point, "/Users/", "a folder of a Mac's user is mounted", &[(Host(Macos), 6)]),
    (Part::Point, "/mnt/mac", "OrbStack mounts the Mac's disk so", &[(Guest(Some("orbstack")), 4), (Host(Macos), 6)]),
    (
        Part::Source,
        "rosetta",
        "Apple's Virtualization framework offers its translator",
        &[(Guest(Some("apple virtualization")), 4), (Host(Macos), 6)],
    ),
    (Part::Point, "/mnt/lima-cidata", "a machine that Lima set up (Colima too)", &[(Guest(None), 3)]),
    (Part::Kind, "drvfs", "a Windows disk", &[(Host(Windows), 6)]),
    (Part::Source, "C:\\", "a Windows disk", &[(Host(Windows), 6)]),
    (Part::Kind, "fuse.lxcfs", "LXC replaces files of /proc", &[(Container(Some("lxc")), 5)]),
    (
        Part::Folder,
        "/docker/containers/",
        "a file that Docker made for this container",
        &[(Container(Some("docker")), 6)],
    ),
    (Part::Folder, "/kubelet/pods/", "a file that Kubernetes made for this pod", &[(Container(Some("kubernetes")), 6)]),
    (
        Part::Folder,
        "/overlay-containers/",
        "a file that Podman or CRI-O made for this container",
        &[(Container(Some("podman")), 3), (Container(Some("cri-o")), 3)],
    ),
    (
        Part::Folder,
        "/io.containerd.",
        "a file that containerd made for this container",
        &[(Container(Some("containerd")), 4)],
    ),
    (Part::RootLayers, "/docker/", "layers of a Docker image", &[(Container(Some("docker")), 3)]),
    (
        Part::RootLayers,
        "/containers/storage/",
        "layers of a Podman or CRI-O image",
        &[(Container(Some("podman")), 2), (Container(Some("cri-o")), 2)],
    ),
    (Part::RootLayers, "/io.containerd.", "layers of a containerd image", &[(Container(Some("containerd")), 3)]),
];

impl Part {
    fn matches(self, mount: &MountInfo, piece: &str) -> bool {
        match self {
            Self::Kind => mount.fs_type == piece,
            Self::Source => mount.mount_source.as_ref().is_some_and(|source| source.starts_with(piece)),
            Self::Point => mount.mount_point.as_os_str().to_string_lossy().starts_with(piece),
            Self::Folder => mount.root.contains(piece),
            Self::RootLayers => {
                is_root_overlay(mount) && mount.super_options.values().flatten().any(|value| value.contains(piece))
            }
        }
    }
}

fn is_root_overlay(mount: &MountInfo) -> bool {
    mount.mount_point.as_os_str() == "/" && matches!(mount.fs_type.as_str(), "overlay" | "fuse.fuse-overlayfs")
}

/// Adds what the table of mounts shows.
pub(super) fn look(mountinfo: &str, evidence: &mut Evidence) {
    let mounts = cgroup::mounts(mountinfo);
    for (part, piece, means, votes) in CLUES {
        if mounts.iter().any(|mount| part.matches(mount, piece)) {
            evidence.add(PLACE, piece, means, votes);
        }
    }
    if let Some(root) = mounts.iter().find(|mount| is_root_overlay(mount)) {
        evidence.add(
            PLACE,
            &format!("/ is {}", root.fs_type),
            "the root is made of an image's layers",
            &[(Container(None), 2)],
        );
    }
    if mounts.iter().any(|mount| mount.fs_type == "fuse.fuse-overlayfs") {
        let votes: Votes = &[(Container(Some("podman")), 3)];
        evidence.add(PLACE, "fuse-overlayfs", "layers mounted without root's rights", votes);
    }
}
