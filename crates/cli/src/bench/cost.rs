//! What a token costs, counted from the shapes in the model's file.

use puma_engine::gguf::Gguf;
use serde::Serialize;

/// Work of one token. Attention is left out: it grows with the position, and is small beside the matrices of short prompts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Cost {
    /// Two operations for every weight in the layers' matrices; of experts, of those that are chosen.
    pub layer_operations: u64,
    /// Two for every weight of the output matrix, which only tokens whose logits are wanted go through.
    pub output_operations: u64,
    /// Bytes of the file that a generated token reads: layers and output matrix, of experts those that are chosen.
    pub generated_token_bytes: u64,
}

impl Cost {
    pub(crate) fn of(gguf: &Gguf) -> Self {
        let experts = Experts::of(gguf);
        let mut cost = Self { layer_operations: 0, output_operations: 0, generated_token_bytes: 0 };
        for tensor in gguf.tensors() {
            let of_layer = tensor.name.starts_with("blk.");
            if of_layer || tensor.name.starts_with("output_norm") {
                cost.generated_token_bytes += experts.share(&tensor.name, tensor.size_bytes());
            }
            if of_layer && tensor.shape.len() > 1 {
                cost.layer_operations += 2 * experts.share(&tensor.name, tensor.elements());
            }
        }
        // Without an output matrix of its own a model projects with its embeddings.
        if let Some(output) = gguf.tensor("output.weight").or_else(|| gguf.tensor("token_embd.weight")) {
            cost.output_operations = 2 * output.elements();
            cost.generated_token_bytes += output.size_bytes();
        }
        cost
    }
}

/// How many of a layer's experts a token goes through.
struct Experts {
    chosen: u64,
    all: u64,
}

impl Experts {
    fn of(gguf: &Gguf) -> Self {
        let metadata = gguf.metadata();
        let architecture = metadata.string("general.architecture").ok().flatten().unwrap_or_default();
        let count = |key: &str| metadata.u32(&format!("{architecture}.{key}")).ok().flatten().map(u64::from);
        match (count("expert_used_count"), count("expert_count")) {
            (Some(chosen), Some(all)) if all > 0 => Self { chosen: chosen.min(all), all },
            _ => Self { chosen: 1, all: 1 },
        }
    }

    /// The part of a tensor's `amount` that one token needs.
    fn share(&self, tensor: &str, amount: u64) -> u64 {
        if tensor.contains("_exps.") { amount / self.all * self.chosen } else { amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use puma_testkit::gguf::{Architecture, TinyModel};

    #[test]
    fn a_token_costs_two_operations_a_weight_and_reads_each_weight_once() {
        let kind = puma_kernels::TensorType::Q4_0;
        let gguf = Gguf::from_bytes(TinyModel::new(Architecture::Llama, kind).write()).unwrap();
        let cost = Cost::of(&gguf);
        let matrices = |layer: bool| {
            let of = move |name: &str| layer == name.starts_with("blk.");
            gguf.tensors().iter().filter(move |tensor| of(&tensor.name) && tensor.shape.len() == 2)
        };
        let weights: u64 = matrices(true).map(|tensor| tensor.shape[0] * tensor.shape[1]).sum();
        assert_eq!(cost.layer_operations, 2 * weights);
        let output = gguf.tensor("output.weight").or(gguf.tensor("token_embd.weight")).unwrap();
        assert_eq!(cost.output_operations, 2 * output.shape[0] * output.shape[1]);
        let all: u64 = gguf.tensors().iter().map(|tensor| tensor.size_bytes()).sum();
        let embeddings = gguf.tensor("token_embd.weight").unwrap().size_bytes();
        let unread = if gguf.tensor("output.weight").is_some() { embeddings } else { 0 };
        let divisors = gguf.tensor("rope_freqs.weight").map_or(0, |tensor| tensor.size_bytes());
        assert_eq!(cost.generated_token_bytes, all - unread - divisors);
    }

    #[test]
    fn of_experts_only_the_chosen_ones_count() {
        let experts = Experts { chosen: 2, all: 8 };
        assert_eq!(experts.share("blk.0.ffn_up_exps.weight", 800), 200);
        assert_eq!(experts.share("blk.0.attn_q.weight", 800), 800);
    }
}
