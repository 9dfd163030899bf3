//! Connecting rooms: what the configuration means for the embedded host and the microphone.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::embed::Session;
use super::print;
use crate::config::credential::{self, Service};
use crate::config::{Config, Environment, Health, Paths, ProjectPaths};
use crate::deploy::build::BuildOptions;
use crate::deploy::health::{HealthOptions, Marker};
use crate::deploy::host::Spa;
use crate::deploy::preview::Browser;
use crate::deploy::{LocalNotice, LocalOptions, PreviewOptions};
use crate::generate::Keys;
use crate::intent::phrases::PHRASES;
use crate::model::Problem;
use crate::speech::choice::{Choice, Wanted};
use crate::speech::openai::{OpenAiOptions, Vocabulary};
use crate::vcs::Repository;
use crate::voice::{Recorder, VoiceEvent, VoiceOptions};

/// Between two looks at a release that just went live.
const WATCH_EVERY: Duration = Duration::from_secs(2);

/// What the configuration means for a build.
pub fn build_options(config: &Config) -> BuildOptions {
    let text = |value: &str| (!value.is_empty()).then(|| value.to_owned());
    BuildOptions {
        // An empty command means no build to the host; to people "none" does, and empty means "find it".
        command: match config.build.command.as_str() {
            "none" => Some(String::new()),
            command => text(command),
        },
        output: text(&config.build.output),
        timeout: config.build.time_limit.duration(),
        ..BuildOptions::default()
    }
}

/// What "well" means in an environment; a check of one's own runs in `folder`.
///
/// # Errors
/// `config` when a header is named that cannot be one.
pub fn health_options(
    health: &Health,
    environment: &str,
    folder: &Path,
) -> Result<HealthOptions, Problem> {
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    let watch = health.watch.duration();
    Ok(HealthOptions {
        environment: environment.to_owned(),
        path: health.path.clone(),
        status: Some(health.status).filter(|status| *status != 0),
        expect_text: Some(health.expect.clone()).filter(|text| !text.is_empty()),
        header: Marker::read(&health.header)?,
        latency: Some(health.latency.duration()).filter(|latency| !latency.is_zero()),
        command: text(&health.command),
        command_timeout: health.command_timeout.duration(),
        folder: folder.to_owned(),
        passes: health.passes,
        timeout: health.timeout.duration(),
        watch,
        probes: u32::try_from(watch.as_millis() / WATCH_EVERY.as_millis())
            .unwrap_or(1)
            .max(1),
        interval: health.interval.duration(),
        failures: health.failures,
        cooldown: health.cooldown.duration(),
        ..HealthOptions::default()
    })
}

/// What the configuration means for the embedded host with these environments.
///
/// # Errors
/// `config` when an address or a header cannot be one.
pub fn local_options(
    config: &Config,
    project: &ProjectPaths,
    root: &Path,
    environments: &[Environment],
    notices: mpsc::UnboundedSender<LocalNotice>,
) -> Result<LocalOptions, Problem> {
    let local = &config.deploy.local;
    let healths = environments.iter().map(|environment| {
        let options = health_options(&environment.health, &environment.name, root)?;
        Ok((environment.name.clone(), options))
    });
    Ok(LocalOptions {
        environments: environments
            .iter()
            .map(|environment| (environment.name.clone(), environment.port))
            .collect(),
        listen: address(&local.listen, "[deploy.local] listen")?,
        hosts: local.hosts.clone(),
        keep: local.keep,
        build: build_options(config),
        healths: healths.collect::<Result<_, Problem>>()?,
        notice: local.notice,
        notices: Some(notices),
        ..LocalOptions::new(project.host())
    })
}

/// The address of a network interface.
///
/// # Errors
/// `config` when it is none.
pub fn address(text: &str, setting: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| {
        Problem::new(
            422,
            "config",
            format!("{setting}: {text:?} is no address of a network interface"),
        )
        .hint("write 127.0.0.1 (this machine alone), 0.0.0.0 or :: (every machine that reaches this one)")
    })
}

/// What the configuration means for how often one may ask.
pub fn rates(limits: &crate::config::Limits) -> crate::server::RateLimits {
    crate::server::RateLimits {
        token: limits.token,
        address: limits.address,
        failed: limits.failed,
        messages: limits.messages,
    }
}

/// What the configuration means for previews.
pub fn preview_options(config: &Config, project: &ProjectPaths) -> PreviewOptions {
    PreviewOptions {
        folder: project.previews(),
        cache: project.host().join("cache"),
        keep: config.preview.keep,
        lifetime: config.preview.lifetime.duration(),
        build: build_options(config),
        spa: Spa::Auto,
        browser: Browser::find(&config.preview.browser),
    }
}

/// Serves until Ctrl+C (or SIGTERM), saying where.
pub async fn serve_until_interrupted(session: &Session, json: bool) {
    if !json {
        match session.client.status().await {
            Ok(status) if status.live.is_empty() => print::line("nothing is live yet"),
            Ok(status) => {
                for live in status.live {
                    print::line(&format!("{:<5} {}", live.environment, live.url));
                }
            }
            Err(problem) => eprintln!("sayso: {problem}"),
        }
        eprintln!("serving; Ctrl+C ends it");
    }
    interrupted().await;
}

/// Waits for Ctrl+C, or for SIGTERM where there is one.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Without a handler the process ends by the signal itself, which is what was asked for.
    let _ = tokio::signal::ctrl_c().await;
}

/// Where a key for a speech server comes from.
const KEY: &str = "OPENAI_API_KEY";

/// How many phrases of each control a speech server is told.
const SAMPLES: usize = 2;

/// Pages that a speech server is told the names of.
const PAGES: usize = 40;

/// The keys of the services that make changes: from the environment, else from the keyring where `sayso login` put them.
pub async fn keys(config: &Config, paths: &Paths) -> Keys {
    let generate = &config.generate;
    let services = [
        (Some(Service::Anthropic), &generate.anthropic),
        (Some(Service::OpenAi), &generate.openai),
        (Some(Service::Gemini), &generate.gemini),
        (None, &generate.compatible),
    ];
    let noted = credential::noted(&paths.state);
    let mut keys = Vec::new();
    for (service, own) in services {
        let name = own.key.clone();
        if name.is_empty() {
            continue;
        }
        let here = std::env::var(&name)
            .ok()
            .filter(|key| !key.trim().is_empty());
        let stored = service.filter(|service| here.is_none() && noted.contains(service));
        let key = match stored {
            None => here,
            Some(service) => {
                let found =
                    tokio::task::spawn_blocking(move || credential::in_keyring(service, "")).await;
                match found {
                    Ok(Ok(secret)) => secret.map(|secret| secret.expose().to_owned()),
                    Ok(Err(problem)) => {
                        tracing::warn!(%problem, "the key of {} is not used", service.name());
                        None
                    }
                    Err(_) => None,
                }
            }
        };
        keys.extend(key.map(|key| (name, key)));
    }
    Keys::new(keys)
}

/// The recogniser that the configuration means on this machine.
pub fn recogniser(
    config: &Config,
    paths: &Paths,
    vocabulary: &Vocabulary,
) -> Result<Choice, Problem> {
    let speech = &config.speech;
    Choice::make(Wanted {
        engine: speech.engine.clone(),
        models: paths.models(),
        model: speech.model.clone(),
        server: OpenAiOptions {
            base: speech.url.clone(),
            key: std::env::var(KEY).ok().filter(|key| !key.is_empty()),
            model: speech.cloud_model.clone(),
            language: speech.language.clone(),
            stream: speech.stream,
            vocabulary: vocabulary.clone(),
        },
    })
}

/// What is likely to be said to any site: the commands, as people say them, and the environment.
pub fn vocabulary(config: &Config) -> Vocabulary {
    let sentence = |phrase: &&str| {
        let mut letters = phrase.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        let rest: String = letters.collect();
        format!("{}{rest}.", first.unwrap_or_default())
    };
    // The first phrase of a control is its bare verb; the later ones are how it is said.
    let commands = PHRASES
        .iter()
        .flat_map(|(_, phrases)| phrases.iter().skip(1).take(SAMPLES).map(sentence));
    let mut words: Vec<String> = commands.collect();
    words.push(format!("{}.", config.deploy.environment));
    Vocabulary::new(words)
}

/// Adds the names of the site's pages to what is likely to be said, in the background.
pub fn learn_pages(vocabulary: Vocabulary, repo: Arc<dyn Repository>) {
    tokio::spawn(async move {
        let pages = async {
            let head = repo.standing().await?.head;
            let tree = repo.tree(&head).await?;
            let names = tree.files().iter().filter_map(|file| page(&file.path));
            Ok::<Vec<String>, Problem>(names.take(PAGES).collect())
        };
        match pages.await {
            Ok(pages) => vocabulary.add(pages),
            Err(problem) => tracing::debug!(%problem, "the pages' names are not known"),
        }
    });
}

/// What people call the page in the file at `path`; `None` when it is none.
fn page(path: &str) -> Option<String> {
    let (stem, extension) = path.rsplit_once('.')?;
    if !["html", "htm", "md", "mdx", "astro", "vue", "svelte"].contains(&extension) {
        return None;
    }
    let name = stem.rsplit('/').find(|part| *part != "index")?;
    let words = name.replace(['-', '_'], " ");
    words
        .chars()
        .all(|c| c.is_alphanumeric() || c == ' ')
        .then_some(words)
}

/// What the configuration means for the microphone. Clips are kept apart from the recordings of instructions,
/// which the server keeps under their own names.
pub fn voice_options(session: &Session) -> VoiceOptions {
    let voice = &session.config.voice;
    let folder = match &session.project {
        Some(project) => project.recordings(),
        None => session.paths.state.join("recordings"),
    };
    VoiceOptions {
        device: Some(voice.device.clone())
            .filter(|device| !device.is_empty())
            .or_else(|| super::microphone::chosen(&session.paths)),
        keep: voice.keep,
        keep_days: voice.keep_days,
        sounds: voice.sounds,
        before: voice.pre_roll.duration(),
        after: voice.tail.duration(),
        limit: voice.limit.duration(),
        silence: voice.silence.duration(),
        warm: voice.warm.duration(),
        ..VoiceOptions::new(folder.join("clips"))
    }
}

/// Records one instruction from the microphone: Enter (or the end of standard input) ends it.
pub async fn record_once(session: &Session) -> Result<Vec<u8>, Problem> {
    let failed =
        |error: std::io::Error| Problem::internal(format!("the recorder cannot start: {error}"));
    // What the audio libraries print is for their developers; what goes wrong is told in our own words.
    let quiet = crate::voice::stderr::Quiet::begin(None).ok();
    let tell = |line: &str| match &quiet {
        Some(quiet) => quiet.print(line),
        None => eprintln!("{line}"),
    };
    let (recorder, mut events) = Recorder::spawn(voice_options(session)).map_err(failed)?;
    // Where it ends by itself, too, hands stay free.
    let by_itself = session.config.voice.auto_end;
    if by_itself {
        recorder.start();
    } else {
        recorder.press();
    }
    let mut line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        // Whatever ends the wait ends the recording.
        let _ = std::io::stdin().read_line(&mut line);
    });
    let mut released = false;
    loop {
        let event = tokio::select! {
            _ = &mut line, if !released => {
                released = true;
                recorder.release();
                continue;
            }
            event = events.recv() => event,
        };
        match event {
            Some(VoiceEvent::Opening) => tell("opening the microphone …"),
            Some(VoiceEvent::Recording { .. }) if by_itself => {
                tell("recording; it ends when you stop speaking, or with Enter");
            }
            Some(VoiceEvent::Recording { .. }) => tell("recording; Enter ends it"),
            Some(VoiceEvent::Muted) => tell("the microphone is silent: is it muted?"),
            Some(VoiceEvent::Clip { path, .. }) => {
                return std::fs::read(&path)
                    .map_err(|error| Problem::internal(format!("{}: {error}", path.display())));
            }
            Some(VoiceEvent::NoSpeech { .. } | VoiceEvent::TooShort) => {
                return Err(Problem::new(422, "refused", "no speech was heard")
                    .hint("speak closer to the microphone, or type the instruction"));
            }
            Some(VoiceEvent::Failed(problem)) => return Err(problem),
            Some(_) => {}
            None => return Err(Problem::internal("the recorder stopped")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_called_by_their_names() {
        assert_eq!(page("about-us.html").as_deref(), Some("about us"));
        assert_eq!(page("blog/index.md").as_deref(), Some("blog"));
        assert_eq!(page("index.html"), None);
        assert_eq!(page("style.css"), None);
    }

    #[test]
    fn a_server_is_told_how_commands_are_said() {
        let words = format!("{:?}", vocabulary(&Config::default()));
        for wanted in ["Commit that.", "Deploy that.", "production."] {
            assert!(words.contains(wanted), "{wanted} is missing in {words}");
        }
    }
}
