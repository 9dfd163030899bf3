//! `?channel=`: which events a reader wants.

use crate::model::{Event, Problem};

use super::extract::is_name;

/// Channels in one filter.
const MAX_CHANNELS: usize = 32;

/// One thing to hear about.
#[derive(Debug, PartialEq, Eq)]
enum Channel {
    Project(String),
    Proposal(String),
    Deployment(String),
    Instruction(String),
}

/// Passes an event that belongs to any of its channels; without channels it passes all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Filter(Vec<Channel>);

impl Filter {
    /// Adds the channels of a comma-separated list of `kind:id`.
    ///
    /// # Errors
    /// 400 for an unknown kind, a malformed id or too many channels.
    pub(super) fn add(&mut self, list: &str) -> Result<(), Problem> {
        for text in list
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
        {
            let channel =
                text.split_once(':')
                    .filter(|(_, id)| is_name(id))
                    .and_then(|(kind, id)| {
                        let id = id.to_owned();
                        match kind {
                            "project" => Some(Channel::Project(id)),
                            "proposal" => Some(Channel::Proposal(id)),
                            "deployment" => Some(Channel::Deployment(id)),
                            "instruction" => Some(Channel::Instruction(id)),
                            _ => None,
                        }
                    });
            let channel = channel.ok_or_else(|| {
                Problem::bad_request(format!("{text:?} is not a channel"))
                    .hint("channels are project:…, proposal:…, deployment:… and instruction:…, with commas between them")
            })?;
            self.0.push(channel);
        }
        if self.0.len() > MAX_CHANNELS {
            return Err(
                Problem::bad_request(format!("more than {MAX_CHANNELS} channels"))
                    .hint("leave `channel` out to get every event"),
            );
        }
        Ok(())
    }

    /// True when it passes everything.
    pub(super) fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// True when `event` is wanted.
    pub(super) fn passes(&self, event: &Event) -> bool {
        self.is_open()
            || self.0.iter().any(|channel| match channel {
                Channel::Project(name) => event.project == *name,
                Channel::Proposal(id) => event.proposal.as_ref().is_some_and(|p| p.as_str() == id),
                Channel::Deployment(id) => {
                    event.deployment.as_ref().is_some_and(|d| d.as_str() == id)
                }
                Channel::Instruction(id) => {
                    event.instruction.as_ref().is_some_and(|i| i.as_str() == id)
                }
            })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;

    use super::*;
    use crate::model::EventKind;

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

    #[test]
    fn any_channel_that_fits_is_enough() {
        for (list, passes) in [
            ("", true),
            ("project:site", true),
            ("project:other", false),
            ("proposal:pro_1", true),
            ("instruction:ins_1", false),
            ("instruction:ins_1, deployment:dep_1", true),
            ("deployment:dep_2,proposal:pro_2", false),
        ] {
            let mut filter = Filter::default();
            filter.add(list).unwrap();
            assert_eq!(filter.passes(&event()), passes, "{list:?}");
        }
    }

    #[test]
    fn malformed_channels_are_refused() {
        let many = "project:a,".repeat(MAX_CHANNELS + 1);
        for bad in [
            "site",
            "project:",
            "presence:x",
            "project:a\nb",
            "deployment:<x>",
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
