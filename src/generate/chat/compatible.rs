//! The Chat Completions API, as OpenAI described it and as Ollama, llama.cpp, LM Studio, vLLM, OpenRouter, Groq and many
//! others speak it.

use serde_json::{Value, json};

use super::{Delta, Exchange, Failure, Options, Protocol, Reader, Reply, Role, declined};

/// Any server with that API.
#[derive(Clone, Copy, Debug)]
pub struct Compatible;

const NAME: &str = "compatible";

impl Protocol for Compatible {
    fn name(&self) -> &'static str {
        NAME
    }

    fn url(&self, options: &Options) -> String {
        format!("{}/chat/completions", options.url)
    }

    fn headers(&self, options: &Options) -> Vec<(&'static str, String)> {
        if options.key.is_empty() {
            return Vec::new();
        }
        vec![("authorization", format!("Bearer {}", options.key))]
    }

    fn body(&self, options: &Options, exchange: &Exchange) -> Value {
        let mut messages = vec![json!({ "role": "system", "content": exchange.system })];
        messages.extend(exchange.turns.iter().map(|turn| {
            let role = match turn.role {
                Role::User => "user",
                Role::Assistant => "assistant",
            };
            json!({ "role": role, "content": turn.text })
        }));
        let mut body = json!({
            "model": options.model,
            "messages": messages,
            "max_tokens": options.max_tokens,
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        if !options.effort.is_empty() {
            body["reasoning_effort"] = json!(options.effort);
        }
        if let Some(tool) = &exchange.tool {
            body["tools"] = json!([{
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.purpose,
                    "parameters": tool.schema,
                },
            }]);
            body["tool_choice"] = json!({ "type": "function", "function": { "name": tool.name } });
        }
        body
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Answer::default())
    }
}

#[derive(Default)]
struct Answer {
    reply: Reply,
    finished: bool,
    refused: bool,
    /// The place of the call whose arguments are read: only the first counts.
    call: Option<u64>,
}

impl Reader for Answer {
    fn event(&mut self, _: &str, data: &str) -> Result<Vec<Delta>, Failure> {
        if data.trim() == "[DONE]" {
            return Ok(Vec::new());
        }
        let event = super::json(NAME, data)?;
        if event["error"].is_object() || event["error"].is_string() {
            let (kind, message) = Compatible.error(&event);
            let status = event["error"]["code"]
                .as_u64()
                .and_then(|code| u16::try_from(code).ok());
            return Err(Failure::said(NAME, status.unwrap_or(500), &kind, &message));
        }
        let usage = &event["usage"];
        if usage.is_object() {
            let number = |value: &Value| value.as_u64().unwrap_or_default();
            self.reply.usage.input = number(&usage["prompt_tokens"]);
            self.reply.usage.cached = number(&usage["prompt_tokens_details"]["cached_tokens"]);
            self.reply.usage.output = number(&usage["completion_tokens"]);
        }
        let choice = &event["choices"][0];
        let delta = &choice["delta"];
        let mut out = Vec::new();
        if delta["reasoning"].is_string() || delta["reasoning_content"].is_string() {
            out.push(Delta::Thinking);
        }
        if let Some(part) = delta["content"].as_str().filter(|part| !part.is_empty()) {
            self.reply.text.push_str(part);
            out.push(Delta::Text(part.to_owned()));
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = call["index"].as_u64().unwrap_or_default();
            if *self.call.get_or_insert(index) != index {
                continue;
            }
            let part = match &call["function"]["arguments"] {
                Value::String(part) => part.clone(),
                // Some servers send the arguments as they are meant.
                whole @ Value::Object(_) => whole.to_string(),
                _ => continue,
            };
            self.reply.tool.push_str(&part);
            out.push(Delta::Tool(part));
        }
        match choice["finish_reason"].as_str() {
            Some("length") => {
                self.reply.cut = true;
                self.finished = true;
            }
            Some("content_filter") => {
                self.refused = true;
                self.finished = true;
            }
            Some(_) => self.finished = true,
            None => {}
        }
        Ok(out)
    }

    fn done(&self) -> bool {
        // The tokens may come after the reason, so the stream is read to its end.
        false
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        if !self.finished {
            return Err(Failure::cut(NAME));
        }
        if self.refused {
            return Err(declined(NAME, "its content rules"));
        }
        Ok(std::mem::take(&mut self.reply))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exchange, options, played};
    use super::*;

    const STREAM: &str = concat!(
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"c\",\"function\":{\"name\":\"propose_edit\",\"arguments\":\"{\\\"note\\\":\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"\\\"x\\\"}\"}}]}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"tool_calls\"}]}\n\n",
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":12,\"completion_tokens\":3}}\n\n",
        "data: [DONE]\n\n",
    );

    #[test]
    fn an_answer_is_put_together_with_its_tokens() {
        let (deltas, reply) = played(&Compatible, STREAM).unwrap();
        assert_eq!(reply.tool, "{\"note\":\"x\"}");
        assert_eq!(deltas.len(), 2);
        assert_eq!((reply.usage.input, reply.usage.output), (12, 3));
    }

    #[test]
    fn a_stream_without_a_reason_for_its_end_is_no_answer() {
        let end = STREAM
            .find("data: {\"choices\":[{\"delta\":{},\"finish")
            .unwrap();
        assert!(
            played(&Compatible, &STREAM[..end])
                .unwrap_err()
                .problem
                .is("model-cut")
        );
    }

    #[test]
    fn an_error_in_the_stream_is_one() {
        let failure = played(
            &Compatible,
            "data: {\"error\":{\"message\":\"out of memory\",\"type\":\"server_error\"}}\n\n",
        );
        assert!(
            failure
                .unwrap_err()
                .problem
                .detail
                .contains("out of memory")
        );
    }

    #[test]
    fn a_server_without_a_key_is_sent_none() {
        let options = Options {
            key: String::new(),
            ..options()
        };
        assert!(Compatible.headers(&options).is_empty());
        assert_eq!(
            Compatible.body(&options, &exchange())["messages"][0]["role"],
            "system"
        );
    }
}
