//! `?channel=`: which events a reader wants.

use crate::model::{Event, EventKind, Problem};

use super::extract::is_name;

/// Channels in one filter.
const MAX_CHANNELS: usize = 32;

/// Every project of this server, as a channel: for readers that want all events and something beside them.
const EVERY_PROJECT: &str = "*";

/// One thing to hear about.
#[derive(Debug, PartialEq, Eq)]
enum Channel {
    /// A project; `*` for whichever this is.
    Project(String),
    Proposal(String),
    /// A deployment, from its first event to its last.
    Deployment(String),
    /// The part of a deployment in which its release is made, and how the deployment ends.
    Build(String),
    /// The preview of a proposal.
    Preview(String),
    Instruction(String),
}

impl Channel {
    fn parse(text: &str) -> Option<Self> {
        let (kind, id) = text.split_once(':')?;
        if kind == "project" && id == EVERY_PROJECT {
            return Some(Self::Project(id.to_owned()));
        }
        let id = Some(id).filter(|id| is_name(id))?.to_owned();
        match kind {
            "project" => Some(Self::Project(id)),
            "proposal" => Some(Self::Proposal(id)),
            "deployment" => Some(Self::Deployment(id)),
            "build" => Some(Self::Build(id)),
            "preview" => Some(Self::Preview(id)),
            "instruction" => Some(Self::Instruction(id)),
            _ => None,
        }
    }

    fn takes(&self, event: &Event) -> bool {
        let of = |id: &str| event.deployment.as_ref().is_some_and(|d| d.as_str() == id);
        match self {
            Self::Project(name) => name == EVERY_PROJECT || event.project == *name,
            Self::Proposal(id) => event.proposal.as_ref().is_some_and(|p| p.as_str() == id),
            Self::Deployment(id) => of(id),
            Self::Build(id) => of(id) && is_of_the_build(event),
            Self::Preview(id) => event.data["preview"]["proposal"].as_str() == Some(id),
            Self::Instruction(id) => event.instruction.as_ref().is_some_and(|i| i.as_str() == id),
        }
    }
}

/// True for what is told while a deployment's release is made, and for its end, whatever stage that is in: who waits for
/// a build must not wait for ever.
fn is_of_the_build(event: &Event) -> bool {
    match event.kind {
        EventKind::DeployProgress => matches!(
            event.data["stage"].as_str(),
            Some("queue" | "check" | "fetch" | "build")
        ),
        EventKind::DeployStart
        | EventKind::Check
        | EventKind::DeployComplete
        | EventKind::DeployError
        | EventKind::Canceled => true,
        _ => false,
    }
}

/// Passes an event that belongs to any of its channels; without channels it passes all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    channels: Vec<Channel>,
    /// Also who is here, which is in no log.
    presence: bool,
}

impl Filter {
    /// Adds the channels of a comma-separated list of `kind:id`, and `presence`.
    ///
    /// # Errors
    /// 400 for an unknown kind, a malformed id or too many channels.
    pub(super) fn add(&mut self, list: &str) -> Result<(), Problem> {
        for text in list
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            if text == "presence" {
                self.presence = true;
                continue;
            }
            let channel = Channel::parse(text).ok_or_else(|| {
                Problem::bad_request(format!("{text:?} is not a channel")).hint(
                    "channels are project:…, proposal:…, build:…, deployment:…, preview:…, instruction:… and presence, \
                     with commas between them",
                )
            })?;
            self.channels.push(channel);
        }
        if self.channels.len() > MAX_CHANNELS {
            return Err(
                Problem::bad_request(format!("more than {MAX_CHANNELS} channels"))
                    .hint("leave `channel` out to get every event"),
            );
        }
        Ok(())
    }

    /// True when it passes everything that is in the log, and nothing else.
    pub(super) fn is_open(&self) -> bool {
        self.channels.is_empty() && !self.presence
    }

    /// True when who is here is wanted.
    pub(super) fn presence(&self) -> bool {
        self.presence
    }

    /// True when `event` is wanted.
    pub(super) fn passes(&self, event: &Event) -> bool {
        self.is_open() || self.channels.iter().any(|channel| channel.takes(event))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    fn event() -> Event {
        Event {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            kind: EventKind::DeployStart,
            project: "site".into(),
            instruction: None,
            proposal: Some("pro_1".into()),
            deployment: Some("dep_1".into()),
            environment: None,
            actor: "ada".into(),
            data: Value::Null,
        }
    }

    fn passes(list: &str, event: &Event) -> bool {
        let mut filter = Filter::default();
        filter.add(list).unwrap();
        filter.passes(event)
    }

    #[test]
    fn any_channel_that_fits_is_enough() {
        for (list, wanted) in [
            ("", true),
            ("project:site", true),
            ("project:*", true),
            ("project:other", false),
            ("proposal:pro_1", true),
            ("instruction:ins_1", false),
            ("instruction:ins_1, deployment:dep_1", true),
            ("deployment:dep_2,proposal:pro_2", false),
            ("build:dep_1", true),
            ("build:dep_2", false),
            // Who is here is no event of the log.
            ("presence", false),
            ("presence,project:*", true),
        ] {
            assert_eq!(passes(list, &event()), wanted, "{list:?}");
        }
    }

    #[test]
    fn a_build_is_a_deployment_up_to_its_release_and_the_end() {
        let told = |kind, stage: &str| Event {
            kind,
            data: json!({ "stage": stage, "percent": 1 }),
            ..event()
        };
        for (kind, stage, wanted) in [
            (EventKind::DeployProgress, "queue", true),
            (EventKind::DeployProgress, "check", true),
            (EventKind::DeployProgress, "fetch", true),
            (EventKind::DeployProgress, "build", true),
            (EventKind::DeployProgress, "upload", false),
            (EventKind::DeployProgress, "activate", false),
            (EventKind::DeployProgress, "verify", false),
            (EventKind::Check, "", true),
            (EventKind::Health, "", false),
            (EventKind::Approved, "", false),
            (EventKind::DeployError, "build", true),
            (EventKind::DeployError, "verify", true),
            (EventKind::DeployComplete, "", true),
            (EventKind::Canceled, "fetch", true),
        ] {
            let event = told(kind, stage);
            assert_eq!(passes("build:dep_1", &event), wanted, "{kind} {stage}");
            assert!(passes("deployment:dep_1", &event), "{kind} {stage}");
            assert!(!passes("build:dep_2", &event), "{kind} {stage}");
        }
    }

    #[test]
    fn a_preview_is_told_by_what_becomes_of_it() {
        let mut told = event();
        told.kind = EventKind::Notice;
        assert!(!passes("preview:pro_1", &told));
        told.data = json!({ "message": "x", "preview": { "proposal": "pro_1", "state": "ready" } });
        assert!(passes("preview:pro_1", &told));
        assert!(!passes("preview:pro_2", &told));
    }

    #[test]
    fn malformed_channels_are_refused() {
        let many = "project:a,".repeat(MAX_CHANNELS + 1);
        for bad in [
            "site",
            "project:",
            "presence:x",
            "proposal:*",
            "project:a\nb",
            "deployment:<x>",
            "builds:dep_1",
            &many,
        ] {
            assert_eq!(
                Filter::default().add(bad).unwrap_err().status,
                400,
                "{bad:?}"
            );
        }
    }
}
