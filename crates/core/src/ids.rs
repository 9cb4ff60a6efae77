//! Names of things. Each is text with its own type, so that a run id never lands where a job id belongs.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps `text` as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// `<spec id>__<spec hash>__<UTC YYYYMMDDTHHMMSS>`, as upstream PUMA writes it; a suffix `-2`, `-3`, … is added
    /// when two runs start within one second.
    RunId
);
text_id!(
    /// First 16 hex digits of the SHA-256 of the canonical run spec.
    SpecHash
);
text_id!(
    /// Stable name of one instance: from the data (`MESOS-313`) or from a hash of its content.
    InstanceId
);
text_id!(
    /// SHA-256 (64 hex digits) of everything that makes a job what it is; see `eval::plan`.
    JobId
);
