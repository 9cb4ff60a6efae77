//! One layer's weights, looked up as the architecture's recipe says.

use super::tensors::{Matrix, Tensors};
use crate::config::{Config, ExpertConfig, Presence, Recipe};
use crate::error::EngineError;

/// A matrix and, in some models, what is added to its product.
#[derive(Debug)]
pub struct Linear {
    pub weight: Matrix,
    pub bias: Option<Vec<f32>>,
}

/// One transformer layer; fields are named as its tensors in GGUF.
#[derive(Debug)]
pub struct Layer {
    pub attn_norm: Vec<f32>,
    pub attn_q: Linear,
    pub attn_k: Linear,
    pub attn_v: Linear,
    /// Norms of every head, `[key_length]`.
    pub attn_q_norm: Option<Vec<f32>>,
    pub attn_k_norm: Option<Vec<f32>>,
    pub attn_output: Linear,
    pub post_attention_norm: Option<Vec<f32>>,
    pub ffn_norm: Vec<f32>,
    pub feed_forward: FeedForward,
    pub post_ffw_norm: Option<Vec<f32>>,
}

/// What follows attention in a layer.
#[derive(Debug)]
pub enum FeedForward {
    Dense(Gated),
    Experts(Experts),
}

/// `down(act(gate(x)) * up(x))`.
#[derive(Debug)]
pub struct Gated {
    pub gate: Linear,
    pub up: Linear,
    pub down: Linear,
}

/// Feed-forward blocks of which each token takes a few.
#[derive(Debug)]
pub struct Experts {
    /// `ffn_gate_inp`: one output for each expert.
    pub router: Matrix,
    pub each: Vec<Gated>,
    /// The block that every token takes too.
    pub shared: Option<Gated>,
}

/// Finds the parts of one layer.
struct Parts<'a> {
    tensors: &'a Tensors<'a>,
    config: &'a Config,
    recipe: &'a Recipe,
    index: usize,
}

impl Layer {
    /// Layer `index` of a model of `config`.
    pub(super) fn load(tensors: &Tensors<'_>, config: &Config, index: usize) -> Result<Self, EngineError> {
        let recipe = config.recipe();
        let parts = Parts { tensors, config, recipe, index };
        let width = config.embedding_length;
        let [attn_q, attn_k, attn_v] = parts.queries_keys_values()?;
        let head_norm = |part| recipe.head_norm.then(|| parts.vector(part, config.key_length)).transpose();
        let post_norm = |part| recipe.post_norm.then(|| parts.vector(part, width)).transpose();
        Ok(Self {
            attn_norm: parts.vector("attn_norm", width)?,
            attn_q,
            attn_k,
            attn_v,
            attn_q_norm: head_norm("attn_q_norm")?,
            attn_k_norm: head_norm("attn_k_norm")?,
            attn_output: parts.linear("attn_output", config.query_width(), width)?,
            post_attention_norm: post_norm("post_attention_norm")?,
            ffn_norm: parts.vector("ffn_norm", width)?,
            feed_forward: match &config.experts {
                None => FeedForward::Dense(parts.dense()?),
                Some(experts) => FeedForward::Experts(parts.experts(experts)?),
            },
            post_ffw_norm: post_norm("post_ffw_norm")?,
        })
    }

    /// Every matrix of the layer.
    pub fn matrices(&self) -> impl Iterator<Item = &Matrix> {
        let attention = [&self.attn_q, &self.attn_k, &self.attn_v, &self.attn_output];
        let (router, blocks): (Option<&Matrix>, Vec<&Gated>) = match &self.feed_forward {
            FeedForward::Dense(block) => (None, vec![block]),
            FeedForward::Experts(experts) => {
                (Some(&experts.router), experts.each.iter().chain(&experts.shared).collect())
            }
        };
        let blocks = blocks.into_iter().flat_map(|block| [&block.gate, &block.up, &block.down]);
        attention.into_iter().chain(blocks).map(|linear| &linear.weight).chain(router)
    }
}

impl Parts<'_> {
    fn name(&self, part: &str) -> String {
        format!("blk.{}.{part}", self.index)
    }

    fn vector(&self, part: &str, len: usize) -> Result<Vec<f32>, EngineError> {
        self.tensors.vector(&self.name(&format!("{part}.weight")), len)
    }

    fn bias(&self, part: &str, rows: usize) -> Result<Option<Vec<f32>>, EngineError> {
        self.tensors.optional_vector(&self.name(&format!("{part}.bias")), rows)
    }

    fn linear(&self, part: &str, len: usize, rows: usize) -> Result<Linear, EngineError> {
        let weight = self.tensors.matrix(&self.name(&format!("{part}.weight")), len, Some(rows))?;
        Ok(Linear { weight, bias: self.bias(part, rows)? })
    }

    /// The tensor `part` taken apart by rows, `rows` of each.
    fn fused<const N: usize>(&self, part: &str, len: usize, rows: [usize; N]) -> Result<[Linear; N], EngineError> {
        let whole = self.linear(part, len, rows.iter().sum())?;
        let mut first = 0;
        Ok(rows.map(|rows| {
            let weight = whole.weight.part(first, rows);
            let bias = whole.bias.as_ref().map(|bias| bias[first..first + rows].to_vec());
            first += rows;
            Linear { weight, bias }
        }))
    }

    fn queries_keys_values(&self) -> Result<[Linear; 3], EngineError> {
        let (width, kv) = (self.config.embedding_length, self.config.kv_width());
        let rows = [self.config.query_width(), kv, kv];
        if self.tensors.has(&self.name("attn_qkv.weight")) {
            return self.fused("attn_qkv", width, rows);
        }
        let [q, k, v] = rows;
        let three = [("attn_q", q), ("attn_k", k), ("attn_v", v)].map(|(part, rows)| {
            let linear = self.linear(part, width, rows)?;
            match (&linear.bias, self.recipe.qkv_bias) {
                (None, Presence::Required) => Err(self.tensors.missing(&self.name(&format!("{part}.bias")))),
                (Some(_), Presence::Never) => Err(self.tensors.unknown(&self.name(&format!("{part}.bias")))),
                _ => Ok(linear),
            }
        });
        let [q, k, v] = three;
        Ok([q?, k?, v?])
    }

    fn dense(&self) -> Result<Gated, EngineError> {
        let (width, ffn) = (self.config.embedding_length, self.config.feed_forward_length);
        let (gate, up) = if self.recipe.gate_up_fused {
            let [gate, up] = self.fused("ffn_up", width, [ffn, ffn])?;
            (gate, up)
        } else {
            (self.linear("ffn_gate", width, ffn)?, self.linear("ffn_up", width, ffn)?)
        };
        Ok(Gated { gate, up, down: self.linear("ffn_down", ffn, width)? })
    }

    fn experts(&self, experts: &ExpertConfig) -> Result<Experts, EngineError> {
        let (width, ffn) = (self.config.embedding_length, experts.feed_forward_length);
        let each = |part: &str, len, rows| -> Result<_, EngineError> {
            let matrices = self.tensors.matrices(&self.name(&format!("{part}.weight")), len, rows, experts.count)?;
            Ok(matrices.into_iter().map(|weight| Linear { weight, bias: None }))
        };
        let (gates, ups) = (each("ffn_gate_exps", width, ffn)?, each("ffn_up_exps", width, ffn)?);
        let downs = each("ffn_down_exps", ffn, width)?;
        let shared = experts.shared_feed_forward_length;
        let shared = (shared > 0).then(|| -> Result<_, EngineError> {
            Ok(Gated {
                gate: self.linear("ffn_gate_shexp", width, shared)?,
                up: self.linear("ffn_up_shexp", width, shared)?,
                down: self.linear("ffn_down_shexp", shared, width)?,
            })
        });
        Ok(Experts {
            router: self.tensors.matrix(&self.name("ffn_gate_inp.weight"), width, Some(experts.count))?,
            each: gates.zip(ups).zip(downs).map(|((gate, up), down)| Gated { gate, up, down }).collect(),
            shared: shared.transpose()?,
        })
    }
}
