//! Google's Gemini API, `streamGenerateContent` (ai.google.dev, "Generating content").

use serde_json::{Value, json};

use super::{Delta, Exchange, Failure, Options, Protocol, Reader, Reply, Role, declined};

/// The service.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

const NAME: &str = "gemini";

impl Protocol for Gemini {
    fn name(&self) -> &'static str {
        NAME
    }

    fn url(&self, options: &Options) -> String {
        format!(
            "{}/v1beta/models/{}:streamGenerateContent?alt=sse",
            options.url, options.model
        )
    }

    fn headers(&self, options: &Options) -> Vec<(&'static str, String)> {
        vec![("x-goog-api-key", options.key.clone())]
    }

    fn body(&self, options: &Options, exchange: &Exchange) -> Value {
        let contents: Vec<Value> = exchange
            .turns
            .iter()
            .map(|turn| {
                let role = match turn.role {
                    Role::User => "user",
                    Role::Assistant => "model",
                };
                json!({ "role": role, "parts": [{ "text": turn.text }] })
            })
            .collect();
        let mut body = json!({
            "systemInstruction": { "parts": [{ "text": exchange.system }] },
            "contents": contents,
            "generationConfig": { "maxOutputTokens": options.max_tokens },
        });
        let budget = match options.effort.as_str() {
            "low" => Some(1_024),
            "medium" => Some(8_192),
            "high" => Some(24_576),
            _ => None,
        };
        if let Some(tokens) = budget {
            body["generationConfig"]["thinkingConfig"] = json!({ "thinkingBudget": tokens });
        }
        if let Some(tool) = &exchange.tool {
            let mut schema = tool.schema.clone();
            plain(&mut schema);
            body["tools"] = json!([{ "functionDeclarations": [{
                "name": tool.name,
                "description": tool.purpose,
                "parameters": schema,
            }] }]);
            body["toolConfig"] = json!({ "functionCallingConfig": {
                "mode": "ANY",
                "allowedFunctionNames": [tool.name],
            } });
        }
        body
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(Answer::default())
    }
}

/// Takes away what this API's schemas do not know.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            map.remove("additionalProperties");
            map.values_mut().for_each(plain);
        }
        Value::Array(list) => list.iter_mut().for_each(plain),
        _ => {}
    }
}

#[derive(Default)]
struct Answer {
    reply: Reply,
    finished: Option<String>,
    blocked: Option<String>,
}

impl Reader for Answer {
    fn event(&mut self, _: &str, data: &str) -> Result<Vec<Delta>, Failure> {
        let event = super::json(NAME, data)?;
        if event["error"].is_object() {
            let (kind, message) = Gemini.error(&event);
            let status = event["error"]["code"]
                .as_u64()
                .and_then(|code| u16::try_from(code).ok());
            return Err(Failure::said(NAME, status.unwrap_or(500), &kind, &message));
        }
        if let Some(why) = event["promptFeedback"]["blockReason"].as_str() {
            self.blocked = Some(why.to_owned());
        }
        let usage = &event["usageMetadata"];
        if usage.is_object() {
            let number = |key: &str| usage[key].as_u64().unwrap_or_default();
            self.reply.usage.input = number("promptTokenCount");
            self.reply.usage.cached = number("cachedContentTokenCount");
            self.reply.usage.output = number("candidatesTokenCount") + number("thoughtsTokenCount");
        }
        let candidate = &event["candidates"][0];
        let mut out = Vec::new();
        for part in candidate["content"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if part["thought"].as_bool() == Some(true) {
                out.push(Delta::Thinking);
            } else if let Some(text) = part["text"].as_str() {
                self.reply.text.push_str(text);
                out.push(Delta::Text(text.to_owned()));
            } else if part["functionCall"]["args"].is_object() && self.reply.tool.is_empty() {
                // This API sends a call in one piece.
                let whole = part["functionCall"]["args"].to_string();
                self.reply.tool.clone_from(&whole);
                out.push(Delta::Tool(whole));
            }
        }
        if let Some(why) = candidate["finishReason"].as_str() {
            self.finished = Some(why.to_owned());
        }
        Ok(out)
    }

    fn done(&self) -> bool {
        false
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        if let Some(why) = &self.blocked {
            return Err(declined(NAME, why));
        }
        match self.finished.as_deref() {
            None => Err(Failure::cut(NAME)),
            Some("MAX_TOKENS") => {
                self.reply.cut = true;
                Ok(std::mem::take(&mut self.reply))
            }
            Some("STOP") => Ok(std::mem::take(&mut self.reply)),
            Some(
                why @ ("SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII"
                | "LANGUAGE"),
            ) => Err(declined(NAME, why)),
            Some("MALFORMED_FUNCTION_CALL") if self.reply.tool.is_empty() => {
                // Goes back as an answer without edits.
                Ok(std::mem::take(&mut self.reply))
            }
            Some(_) => Ok(std::mem::take(&mut self.reply)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{exchange, options, played};
    use super::*;

    const STREAM: &str = concat!(
        "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"propose_edit\",\"args\":{\"note\":\"x\"}}}]}}]}\r\n\r\n",
        "data: {\"candidates\":[{\"content\":{\"parts\":[]},\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":9,\"candidatesTokenCount\":2,\"thoughtsTokenCount\":5}}\r\n\r\n",
    );

    #[test]
    fn an_answer_is_put_together_with_its_tokens() {
        let (deltas, reply) = played(&Gemini, STREAM).unwrap();
        assert_eq!(reply.tool, "{\"note\":\"x\"}");
        assert_eq!(deltas.len(), 1);
        assert_eq!((reply.usage.input, reply.usage.output), (9, 7));
    }

    #[test]
    fn what_breaks_off_or_is_blocked_is_told_apart() {
        let first = STREAM
            .find("data: {\"candidates\":[{\"content\":{\"parts\":[]}")
            .unwrap();
        assert!(
            played(&Gemini, &STREAM[..first])
                .unwrap_err()
                .problem
                .is("model-cut")
        );
        let blocked = "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n";
        assert!(
            played(&Gemini, blocked)
                .unwrap_err()
                .problem
                .is("model-declined")
        );
    }

    #[test]
    fn a_schema_holds_only_what_this_api_knows() {
        let body = Gemini.body(&options(), &exchange());
        assert!(!body.to_string().contains("additionalProperties"));
        assert_eq!(body["toolConfig"]["functionCallingConfig"]["mode"], "ANY");
    }
}
