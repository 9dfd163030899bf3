//! What `sayso doctor` tells about language models and agents: which are set up, and where their keys come from. Nobody is
//! asked anything: a question to a service costs money.

use super::doctor::Check;
use crate::config::credential::{self, Service};
use crate::config::{Config, Paths};
use crate::model::Problem;

/// Looks at everything that is set up for larger changes; nothing where nothing is.
pub(super) fn look(config: &Config, paths: &Paths) -> Vec<Check> {
    let generate = &config.generate;
    let noted = credential::noted(&paths.state);
    let services = [
        (Some(Service::Anthropic), "anthropic", &generate.anthropic),
        (Some(Service::OpenAi), "openai", &generate.openai),
        (Some(Service::Gemini), "gemini", &generate.gemini),
        (None, "compatible", &generate.compatible),
    ];
    let mut checks = Vec::new();
    for (service, name, own) in services {
        let here = std::env::var(&own.key).is_ok_and(|key| !key.trim().is_empty());
        let stored = service.is_some_and(|service| noted.contains(&service));
        let key = match (own.key.is_empty(), here, stored) {
            (true, ..) => "without a key".to_owned(),
            (_, true, _) => format!("key from the environment ({})", own.key),
            (_, _, true) => "key from the system's keyring".to_owned(),
            _ => continue,
        };
        if !own.model.is_empty() {
            let found = format!("{name}: {}, {key}", own.model);
            checks.push(Check::new("model", found));
        }
    }
    if let Some(program) = generate.agent.command.first() {
        let found = match on_path(program) {
            true => Ok(format!("{program}, by {}", generate.agent.protocol)),
            false => Err(Problem::new(
                501,
                "agent-missing",
                format!("{program} is not found"),
            )
            .hint("install it, or mend [generate.agent] command; docs/agents.md has the settings of some")),
        };
        checks.push(Check::of("agent", found));
    }
    checks
}

/// Whether a program can be started: by its path, or by its name in `PATH`.
fn on_path(program: &str) -> bool {
    if program.contains(['/', '\\']) {
        return std::path::Path::new(program).is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let ends = ["", ".exe", ".cmd"];
    std::env::split_paths(&path).any(|folder| {
        ends.iter()
            .any(|end| folder.join(format!("{program}{end}")).is_file())
    })
}
