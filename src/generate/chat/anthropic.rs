//! Anthropic's Messages API, version 2023-06-01, streaming (docs.anthropic.com, "Streaming Messages").

use serde_json::{Value, json};

use super::{Delta, Exchange, Failure, Options, Protocol, Reader, Reply, Role, declined};

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct Anthropic;

const NAME: &str = "anthropic";

/// Tokens for thinking at each effort. The API wants at least 1,024, and fewer than the answer may have.
fn budget(options: &Options) -> Option<u32> {
    let wanted = match options.effort.as_str() {
        "low" => 2_048,
        "medium" => 8_192,
        "high" => 16_384,
        _ => return None,
    };
    let most = options.max_tokens.checked_sub(2_048)?;
    (most >= 1_024).then_some(wanted.min(most))
}

impl Protocol for Anthropic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn url(&self, options: &Options) -> String {
        format!("{}/v1/messages", options.url)
    }

    fn headers(&self, options: &Options) -> Vec<(&'static str, String)> {
        vec![
            ("x-api-key", options.key.clone()),
            ("anthropic-version", "2023-06-01".to_owned()),
        ]
    }

    fn body(&self, options: &Options, exchange: &Exchange) -> Value {
        let mut messages: Vec<Value> = exchange
            .turns
            .iter()
            .map(|turn| {
                let role = match turn.role {
                    Role::User => "user",
                    Role::Assistant => "assistant",
                };
                json!({ "role": role, "content": [{ "type": "text", "text": turn.text }] })
            })
            .collect();
        // The site is in the first turn: it is read from the cache when the conversation goes on.
        if let Some(first) = messages.first_mut() {
            first["content"][0]["cache_control"] = json!({ "type": "ephemeral" });
        }
        let mut body = json!({
            "model": options.model,
            "max_tokens": options.max_tokens,
            "system": [{
                "type": "text",
                "text": exchange.system,
                "cache_control": { "type": "ephemeral" },
            }],
            "messages": messages,
            "stream": true,
        });
        let thinking = budget(options);
        if let Some(tokens) = thinking {
            body["thinking"] = json!({ "type": "enabled", "budget_tokens": tokens });
        }
        if let Some(tool) = &exchange.tool {
            body["tools"] = json!([{
                "name": tool.name,
                "description": tool.purpose,
                "input_schema": tool.schema,
            }]);
            // A model that thinks may not be forced to call a tool.
            body["tool_choice"] = match thinking {
                None => json!({ "type": "tool", "name": tool.name }),
                Some(_) => json!({ "type": "auto" }),
            };
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
    done: bool,
    refused: bool,
}

impl Reader for Answer {
    fn event(&mut self, name: &str, data: &str) -> Result<Vec<Delta>, Failure> {
        let event = super::json(NAME, data)?;
        let kind = event["type"].as_str().unwrap_or(name);
        match kind {
            "message_start" => self.count(&event["message"]["usage"]),
            "content_block_delta" => {
                let delta = &event["delta"];
                let text = |key: &str| delta[key].as_str().unwrap_or_default().to_owned();
                return Ok(vec![match delta["type"].as_str() {
                    Some("input_json_delta") => {
                        let part = text("partial_json");
                        self.reply.tool.push_str(&part);
                        Delta::Tool(part)
                    }
                    Some("text_delta") => {
                        let part = text("text");
                        self.reply.text.push_str(&part);
                        Delta::Text(part)
                    }
                    _ => Delta::Thinking,
                }]);
            }
            "message_delta" => {
                self.count(&event["usage"]);
                match event["delta"]["stop_reason"].as_str() {
                    Some("max_tokens" | "model_context_window_exceeded") => self.reply.cut = true,
                    Some("refusal") => self.refused = true,
                    _ => {}
                }
            }
            "message_stop" => self.done = true,
            "error" => {
                let text = |key: &str| event["error"][key].as_str().unwrap_or_default();
                let status = match text("type") {
                    "overloaded_error" => 529,
                    "rate_limit_error" => 429,
                    "invalid_request_error" => 400,
                    "authentication_error" => 401,
                    "permission_error" => 403,
                    "request_too_large" => 413,
                    _ => 500,
                };
                return Err(Failure::said(NAME, status, text("type"), text("message")));
            }
            // `ping`, block starts and stops, and whatever comes later.
            _ => {}
        }
        Ok(Vec::new())
    }

    fn done(&self) -> bool {
        self.done
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        if !self.done {
            return Err(Failure::cut(NAME));
        }
        if self.refused {
            return Err(declined(NAME, "its safety rules"));
        }
        Ok(std::mem::take(&mut self.reply))
    }
}

impl Answer {
    /// Counts add up over a message: the last one of each kind is the sum.
    fn count(&mut self, usage: &Value) {
        let number = |key: &str| usage[key].as_u64();
        if let Some(fresh) = number("input_tokens") {
            let cached = number("cache_read_input_tokens").unwrap_or_default();
            let stored = number("cache_creation_input_tokens").unwrap_or_default();
            self.reply.usage.input = fresh + cached + stored;
            self.reply.usage.cached = cached;
        }
        if let Some(output) = number("output_tokens") {
            self.reply.usage.output = output;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exchange, options, played};
    use super::*;

    const STREAM: &str = concat!(
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":10,\"cache_read_input_tokens\":90,\"output_tokens\":1}}}\n\n",
        "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"propose_edit\",\"input\":{}}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"note\\\":\"}}\n\n",
        "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"\\\"x\\\"}\"}}\n\n",
        "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
        "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":25}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    );

    #[test]
    fn an_answer_is_put_together_with_its_tokens() {
        let (deltas, reply) = played(&Anthropic, STREAM).unwrap();
        assert_eq!(reply.tool, "{\"note\":\"x\"}");
        assert_eq!(deltas.len(), 2);
        assert_eq!(
            (reply.usage.input, reply.usage.cached, reply.usage.output),
            (100, 90, 25)
        );
    }

    #[test]
    fn a_stream_that_stops_early_is_no_answer() {
        let end = STREAM.rfind("event: message_stop").unwrap();
        let failure = played(&Anthropic, &STREAM[..end]).unwrap_err();
        assert!(failure.problem.is("model-cut"), "{failure:?}");
    }

    #[test]
    fn an_error_in_the_stream_is_one() {
        let stream = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
        let failure = played(&Anthropic, stream).unwrap_err();
        assert_eq!(
            (failure.problem.status, failure.again.is_some()),
            (529, true)
        );
    }

    #[test]
    fn a_request_caches_the_site_and_forces_the_tool_unless_the_model_thinks() {
        let body = Anthropic.body(&options(), &exchange());
        assert_eq!(
            body["messages"][0]["content"][0]["cache_control"]["type"],
            "ephemeral"
        );
        assert_eq!(body["tool_choice"]["name"], "propose_edit");
        let thinking = Options {
            effort: "high".into(),
            max_tokens: 8_000,
            ..options()
        };
        let body = Anthropic.body(&thinking, &exchange());
        assert_eq!(body["thinking"]["budget_tokens"], 5_952);
        assert_eq!(body["tool_choice"]["type"], "auto");
    }
}
