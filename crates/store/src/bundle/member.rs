//! The members of a bundle, in their order, and how large each may be.

/// One member of the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Manifest,
    Run,
    Instances,
    Predictions,
    Sessions,
    Hashes,
}

impl Member {
    /// Every member, in the order in which the archive holds them.
    pub(super) const ALL: [Self; 6] =
        [Self::Manifest, Self::Run, Self::Instances, Self::Predictions, Self::Sessions, Self::Hashes];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Manifest => "manifest.json",
            Self::Run => "run.json",
            Self::Instances => "instances.jsonl",
            Self::Predictions => "predictions.jsonl",
            Self::Sessions => "sessions.jsonl",
            Self::Hashes => "hashes.json",
        }
    }

    /// The most bytes the member may have.
    pub(super) fn limit_bytes(self) -> u64 {
        match self {
            Self::Manifest | Self::Hashes => MIB,
            Self::Run => 16 * MIB,
            Self::Instances | Self::Predictions | Self::Sessions => ARCHIVE_LIMIT_BYTES,
        }
    }
}

const MIB: u64 = 1 << 20;

/// The most bytes an archive may unpack to. A run of 100,000 answers with five alternatives a token takes a fifth.
pub(super) const ARCHIVE_LIMIT_BYTES: u64 = 2048 * MIB;

/// The most bytes one line may have: one answer with every token's alternatives.
pub(super) const LINE_LIMIT_BYTES: u64 = 64 * MIB;

/// Base-2 logarithm of the largest window a decoder must keep, in bytes: 8 MiB, as every zstd program accepts.
pub(super) const WINDOW_LOG: u32 = 23;
