//! Token logprobs as Ollama and every OpenAI-compatible server write them:
//! `{token, logprob, id?, bytes?, top_logprobs: [{token, logprob, id?, bytes?}]}`.

use puma_core::{TokenLogprob, TopLogprob};
use serde_json::Value;

/// Reads one entry; `None` when it has no token or no finite logprob.
pub fn read_token(entry: &Value) -> Option<TokenLogprob> {
    let TopLogprob { id, token, logprob } = read_alternative(entry)?;
    let mut top = Vec::new();
    for alternative in entry.get("top_logprobs").and_then(Value::as_array).into_iter().flatten() {
        top.push(read_alternative(alternative)?);
    }
    // Not every server sorts them (mlx_lm.server gives an unsorted partition). Stable: ties keep the server's order.
    top.sort_by(|a, b| b.logprob.total_cmp(&a.logprob));
    Some(TokenLogprob { id, token, logprob, top })
}

fn read_alternative(entry: &Value) -> Option<TopLogprob> {
    let text = entry.get("token")?.as_str()?;
    let logprob = entry.get("logprob")?.as_f64()? as f32;
    let id = entry.get("id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    Some(TopLogprob { id, token: token_text(text, entry.get("bytes")), logprob })
}

/// The bytes where they are valid text, for they are what the model emitted; else what the server wrote. A token that
/// is a part of a character has no text of its own.
fn token_text(text: &str, bytes: Option<&Value>) -> String {
    let bytes: Option<Vec<u8>> = bytes
        .and_then(Value::as_array)
        .and_then(|bytes| bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect());
    bytes
        .filter(|bytes| !bytes.is_empty())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_entry_of_llama_server_is_read_in_full() {
        // Recorded from llama-server 0c1e570 with SmolLM2-135M-Instruct Q4_1.
        let entry = json!({"id": 5248, "token": "'m", "bytes": [39, 109], "logprob": -0.745_102_226_734_161_4,
            "top_logprobs": [
                {"id": 5248, "token": "'m", "bytes": [39, 109], "logprob": -0.745_102_226_734_161_4},
                {"id": 744, "token": " am", "bytes": [32, 97, 109], "logprob": -2.364_353_418_350_219_7}]});
        let token = read_token(&entry).expect("well formed");
        assert_eq!((token.id, token.token.as_str(), token.logprob), (Some(5248), "'m", -0.745_102_2));
        assert_eq!(token.top.iter().map(|top| top.token.as_str()).collect::<Vec<_>>(), ["'m", " am"]);
    }

    #[test]
    fn alternatives_come_out_most_probable_first() {
        let entry = json!({"token": "a", "logprob": -1.0, "top_logprobs": [
            {"token": "c", "logprob": -3.0}, {"token": "a", "logprob": -1.0}, {"token": "b", "logprob": -2.0}]});
        let token = read_token(&entry).expect("well formed");
        assert_eq!(token.top.iter().map(|top| top.token.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn an_entry_without_its_parts_is_refused() {
        for entry in [json!({}), json!({"token": "a"}), json!({"logprob": -1}), json!({"token": "a", "logprob": null})]
        {
            assert_eq!(read_token(&entry), None, "{entry}");
        }
    }
}
