//! The services that are set up: which there are, what they need, in which order they are asked.

use std::sync::Arc;

use super::Generator;
use super::agent::{self, Agent, Speaks};
use super::chat::engine::{Engine, Parts, Price};
use super::chat::{Options, Protocol, anthropic, compatible, gemini, openai};
use super::edits::Limits;
use super::offline::Offline;
use crate::config;
use crate::model::Problem;

/// Keys by the names of their environment variables.
#[derive(Clone, Default)]
pub struct Keys(Vec<(String, String)>);

// Keys never get into a log.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Keys {
    /// These keys; empty ones do not count.
    pub fn new(keys: impl IntoIterator<Item = (String, String)>) -> Self {
        let keys = keys
            .into_iter()
            .map(|(name, key)| (name, key.trim().to_owned()));
        Self(keys.filter(|(_, key)| !key.is_empty()).collect())
    }

    fn of(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, key)| key.as_str())
    }
}

/// A service: its protocol, its settings, and whether it is ready to be asked.
struct Service<'a> {
    protocol: Box<dyn Protocol>,
    settings: &'a config::Service,
}

fn services(settings: &config::Generate) -> [Service<'_>; 4] {
    [
        Service {
            protocol: Box::new(anthropic::Anthropic),
            settings: &settings.anthropic,
        },
        Service {
            protocol: Box::new(openai::OpenAi),
            settings: &settings.openai,
        },
        Service {
            protocol: Box::new(gemini::Gemini),
            settings: &settings.gemini,
        },
        Service {
            protocol: Box::new(compatible::Compatible),
            settings: &settings.compatible,
        },
    ]
}

/// The engines of all services that have what they need.
pub(super) fn engines(
    settings: &config::Generate,
    keys: &Keys,
    offline: &Arc<Offline>,
) -> Result<Vec<Arc<dyn Generator>>, Problem> {
    let mut out: Vec<Arc<dyn Generator>> = Vec::new();
    for service in services(settings) {
        let own = service.settings;
        let name = service.protocol.name();
        let key = keys.of(&own.key);
        // A server of one's own is set up by its model, the others by their keys.
        if own.model.is_empty() || (!own.key.is_empty() && key.is_none()) {
            continue;
        }
        let url = own.url.trim_end_matches('/').to_owned();
        let plain = url.strip_prefix("http://");
        if plain.is_none() && !url.starts_with("https://") {
            return Err(mistake(
                name,
                &format!("url = {:?} is no address: it begins with https://", own.url),
            ));
        }
        if let (Some(rest), Some(_)) = (plain, key) {
            let host = rest.split(['/', ':']).next().unwrap_or_default();
            if !matches!(host, "127.0.0.1" | "localhost" | "[") {
                return Err(mistake(
                    name,
                    "url begins with http://: a key is sent over https:// only",
                ));
            }
        }
        if !matches!(own.effort.as_str(), "" | "low" | "medium" | "high") {
            return Err(mistake(
                name,
                &format!("effort = {:?}: low, medium or high", own.effort),
            ));
        }
        out.push(Arc::new(Engine::new(Parts {
            protocol: service.protocol,
            options: Options {
                url,
                key: key.unwrap_or_default().to_owned(),
                model: own.model.clone(),
                max_tokens: own.max_tokens,
                effort: own.effort.clone(),
            },
            price: Price {
                input: own.price_input,
                cached: own.price_cached,
                output: own.price_output,
            },
            limits: limits(settings),
            few: settings.plan_files,
            budget: settings.context_tokens,
            tools: own.tools,
            offline: Arc::clone(offline),
        })));
    }
    let agent = &settings.agent;
    if !agent.command.is_empty() {
        out.push(Arc::new(Agent::new(agent_setup(settings)?)));
    }
    Ok(out)
}

fn agent_setup(settings: &config::Generate) -> Result<agent::Setup, Problem> {
    let own = &settings.agent;
    let speaks = match own.protocol.as_str() {
        "command" => Speaks::Command,
        "acp" => Speaks::Acp,
        other => {
            return Err(mistake(
                "agent",
                &format!("protocol = {other:?}: acp or command"),
            ));
        }
    };
    if let Some(unknown) = own
        .allow
        .iter()
        .find(|kind| !agent::KINDS.contains(&kind.as_str()))
    {
        return Err(mistake(
            "agent",
            &format!("allow = [{unknown:?}]: of {}", agent::KINDS.join(", ")),
        ));
    }
    Ok(agent::Setup {
        speaks,
        command: own.command.clone(),
        env: own.env.clone(),
        allow: own.allow.clone(),
        limit: own.time_limit.duration(),
        limits: limits(settings),
        few: settings.plan_files,
    })
}

fn limits(settings: &config::Generate) -> Limits {
    Limits {
        files: settings.max_files,
        lines: settings.max_lines,
    }
}

/// What to set up so that larger changes work; for a refusal when no service is ready.
pub fn missing(settings: &config::Generate) -> String {
    let keys: Vec<&str> = services(settings)
        .iter()
        .map(|service| service.settings.key.as_str())
        .filter(|key| !key.is_empty())
        .collect();
    format!(
        "say it as a plain change (\"change the headline to …\"), or set up a language model for everything else: {}, \
         a server of your own under \
         [generate.compatible], or an agent under [generate.agent]",
        keys.join(", ")
    )
}

fn mistake(name: &str, what: &str) -> Problem {
    Problem::new(400, "config", format!("[generate.{name}] {what}"))
        .hint("mend it in your configuration; `sayso init --print-defaults` shows every setting")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(
        settings: &config::Generate,
        keys: &[(&str, &str)],
    ) -> Result<Vec<&'static str>, Problem> {
        let keys = Keys::new(
            keys.iter()
                .map(|(name, key)| ((*name).to_owned(), (*key).to_owned())),
        );
        let all = super::super::generators(settings, &keys)?;
        Ok(all.iter().map(|one| one.name()).collect())
    }

    #[test]
    fn a_service_with_a_key_is_asked_after_the_offline_engine() {
        let settings = config::Config::default().generate;
        assert_eq!(names(&settings, &[]).unwrap(), ["offline"]);
        assert_eq!(
            names(&settings, &[("ANTHROPIC_API_KEY", " ")]).unwrap(),
            ["offline"]
        );
        let both = [("OPENAI_API_KEY", "a"), ("ANTHROPIC_API_KEY", "b")];
        assert_eq!(
            names(&settings, &both).unwrap(),
            ["offline", "anthropic", "openai"]
        );
        assert!(missing(&settings).contains("GOOGLE_GEMINI_API_KEY"));
    }

    #[test]
    fn a_server_of_ones_own_needs_a_model_and_no_key() {
        let mut settings = config::Config::default().generate;
        settings.compatible.model = "qwen".into();
        assert_eq!(names(&settings, &[]).unwrap(), ["offline", "compatible"]);
    }

    #[test]
    fn a_key_is_not_sent_in_the_open() {
        let mut settings = config::Config::default().generate;
        settings.anthropic.url = "http://example.com".into();
        assert!(names(&settings, &[("ANTHROPIC_API_KEY", "b")]).is_err());
        settings.anthropic.url = "http://127.0.0.1:8000".into();
        assert!(names(&settings, &[("ANTHROPIC_API_KEY", "b")]).is_ok());
        settings.anthropic.url = "example.com".into();
        assert!(names(&settings, &[("ANTHROPIC_API_KEY", "b")]).is_err());
    }

    #[test]
    fn keys_are_not_printed() {
        let keys = Keys::new([("A".to_owned(), "canary".to_owned())]);
        assert_eq!(format!("{keys:?}"), "[\"A\"]");
    }
}
