//! OpenAI's Responses API, streaming (platform.openai.com, "Streaming API responses").

use serde_json::{Value, json};

use super::{Delta, Exchange, Failure, Options, Protocol, Reader, Reply, Role, declined};

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct OpenAi;

const NAME: &str = "openai";

impl Protocol for OpenAi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn url(&self, options: &Options) -> String {
        format!("{}/responses", options.url)
    }

    fn headers(&self, options: &Options) -> Vec<(&'static str, String)> {
        vec![("authorization", format!("Bearer {}", options.key))]
    }

    fn body(&self, options: &Options, exchange: &Exchange) -> Value {
        let input: Vec<Value> = exchange
            .turns
            .iter()
            .map(|turn| match turn.role {
                Role::User => json!({ "role": "user", "content": [{ "type": "input_text", "text": turn.text }] }),
                Role::Assistant => {
                    json!({ "role": "assistant", "content": [{ "type": "output_text", "text": turn.text }] })
                }
            })
            .collect();
        let mut body = json!({
            "model": options.model,
            "instructions": exchange.system,
            "input": input,
            "max_output_tokens": options.max_tokens,
            "store": false,
            "stream": true,
        });
        if !options.effort.is_empty() {
            body["reasoning"] = json!({ "effort": options.effort });
        }
        if let Some(tool) = &exchange.tool {
            body["tools"] = json!([{
                "type": "function",
                "name": tool.name,
                "description": tool.purpose,
                "parameters": tool.schema,
                "strict": true,
            }]);
            body["tool_choice"] = json!({ "type": "function", "name": tool.name });
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
        if data == "[DONE]" {
            return Ok(Vec::new());
        }
        let event = super::json(NAME, data)?;
        let part = || event["delta"].as_str().unwrap_or_default().to_owned();
        match event["type"].as_str().unwrap_or(name) {
            "response.function_call_arguments.delta" => {
                let part = part();
                self.reply.tool.push_str(&part);
                return Ok(vec![Delta::Tool(part)]);
            }
            "response.function_call_arguments.done" => {
                // The whole of it: what counts, should a piece be missing.
                if let Some(whole) = event["arguments"].as_str() {
                    whole.clone_into(&mut self.reply.tool);
                }
            }
            "response.output_text.delta" => {
                let part = part();
                self.reply.text.push_str(&part);
                return Ok(vec![Delta::Text(part)]);
            }
            kind if kind.starts_with("response.reasoning") => return Ok(vec![Delta::Thinking]),
            "response.refusal.done" => self.refused = true,
            "response.completed" => {
                self.count(&event["response"]);
                self.done = true;
            }
            "response.incomplete" => {
                self.count(&event["response"]);
                let why = event["response"]["incomplete_details"]["reason"]
                    .as_str()
                    .unwrap_or_default();
                self.refused = why == "content_filter";
                self.reply.cut = true;
                self.done = true;
            }
            "response.failed" => {
                let error = &event["response"]["error"];
                return Err(failed(error));
            }
            "error" => {
                let error = if event["error"].is_object() {
                    &event["error"]
                } else {
                    &event
                };
                return Err(failed(error));
            }
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
            return Err(declined(NAME, "its content rules"));
        }
        Ok(std::mem::take(&mut self.reply))
    }
}

fn failed(error: &Value) -> Failure {
    let code = error["code"].as_str().unwrap_or("server_error");
    let status = match code {
        "rate_limit_exceeded" => 429,
        "insufficient_quota" => 402,
        "invalid_prompt" | "context_length_exceeded" => 400,
        _ => 500,
    };
    Failure::said(
        NAME,
        status,
        code,
        error["message"].as_str().unwrap_or_default(),
    )
}

impl Answer {
    fn count(&mut self, response: &Value) {
        let usage = &response["usage"];
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        self.reply.usage.input = number(&usage["input_tokens"]);
        self.reply.usage.cached = number(&usage["input_tokens_details"]["cached_tokens"]);
        self.reply.usage.output = number(&usage["output_tokens"]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exchange, options, played};
    use super::*;

    const STREAM: &str = concat!(
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{}}\n\n",
        "data: {\"type\":\"response.function_call_arguments.delta\",\"delta\":\"{\\\"note\\\":\"}\n\n",
        "data: {\"type\":\"response.function_call_arguments.delta\",\"delta\":\"\\\"x\\\"}\"}\n\n",
        "data: {\"type\":\"response.function_call_arguments.done\",\"arguments\":\"{\\\"note\\\":\\\"x\\\"}\"}\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":100,\"input_tokens_details\":{\"cached_tokens\":64},\"output_tokens\":7}}}\n\n",
    );

    #[test]
    fn an_answer_is_put_together_with_its_tokens() {
        let (deltas, reply) = played(&OpenAi, STREAM).unwrap();
        assert_eq!(reply.tool, "{\"note\":\"x\"}");
        assert_eq!(deltas.len(), 2);
        assert_eq!(
            (reply.usage.input, reply.usage.cached, reply.usage.output),
            (100, 64, 7)
        );
    }

    #[test]
    fn what_breaks_off_fails_or_is_incomplete_is_told_apart() {
        let end = STREAM
            .rfind("data: {\"type\":\"response.completed")
            .unwrap();
        assert!(
            played(&OpenAi, &STREAM[..end])
                .unwrap_err()
                .problem
                .is("model-cut")
        );
        let failed = "data: {\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}\n\n";
        assert!(played(&OpenAi, failed).unwrap_err().again.is_some());
        let long = "data: {\"type\":\"response.incomplete\",\"response\":{\"incomplete_details\":{\"reason\":\"max_output_tokens\"}}}\n\n";
        assert!(played(&OpenAi, long).unwrap().1.cut);
    }

    #[test]
    fn nothing_is_kept_by_the_service() {
        let body = OpenAi.body(&options(), &exchange());
        assert_eq!(body["store"], false);
        assert_eq!(body["tool_choice"]["name"], "propose_edit");
        assert_eq!(body["input"][1]["content"][0]["type"], "output_text");
    }
}
