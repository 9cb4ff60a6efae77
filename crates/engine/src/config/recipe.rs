//! What the layers of an architecture are made of, as data.

use super::hyperparameters::Config;
use super::keys::Keys;
use super::rope::RopeLayout;
use crate::error::EngineError;

/// Whether the models of an architecture have something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Never,
    Optional,
    Required,
}

/// The function of the gate in the feed-forward block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// `x * sigmoid(x)`.
    Silu,
    /// GELU in its tanh approximation.
    Gelu,
}

/// Everything that all layers of an architecture have in common. Biases of projections, and
/// queries, keys and values that are one tensor, are used wherever a file has them; what is written here says what a file
/// must or must not have.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The value of `general.architecture`, and the prefix of the model's keys.
    pub name: &'static str,
    pub rope_layout: RopeLayout,
    /// Biases of queries, keys and values.
    pub qkv_bias: Presence,
    /// RMS norm of every head of queries and keys, before they are rotated.
    pub head_norm: bool,
    /// RMS norms of what the two blocks of a layer give, before it is added to the residual stream.
    pub post_norm: bool,
    pub gate: Gate,
    /// Whether gate and up are one tensor, `ffn_up`, gate first.
    pub gate_up_fused: bool,
    /// Several feed-forward blocks of which a router chooses for each token.
    pub experts: Presence,
    /// Epsilon of norms in files that name none; `None` refuses them.
    pub default_epsilon: Option<f32>,
    /// Reads the keys that only this architecture has.
    pub(crate) refine: fn(&Keys<'_>, &mut Config) -> Result<(), EngineError>,
}

impl Recipe {
    /// Two RMS norms, rotated queries and keys, SwiGLU: what every architecture here starts from.
    pub const PLAIN: Self = Self {
        name: "",
        rope_layout: RopeLayout::Halves,
        qkv_bias: Presence::Optional,
        head_norm: false,
        post_norm: false,
        gate: Gate::Silu,
        gate_up_fused: false,
        experts: Presence::Never,
        default_epsilon: None,
        refine: |_, _| Ok(()),
    };
}
