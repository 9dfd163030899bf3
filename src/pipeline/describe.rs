//! What things are called when people read them.

use crate::model::{Control, Intent};

/// What an instruction was taken for, in words.
pub fn intent(intent: &Intent) -> String {
    match intent {
        Intent::Edit { request } => request.clone(),
        Intent::Control {
            control,
            environment,
            place,
            ..
        } => {
            let words = match control {
                Control::Commit => "commit",
                Control::Deploy => "deploy",
                Control::Preview => "show the changes",
                Control::Approve => "yes",
                Control::Reject => "no",
                Control::Undo => "undo",
                Control::Rollback => "go back to the previous release",
                Control::Redeploy => "deploy again",
                Control::Promote => "promote",
                Control::Status => "show the status",
                Control::Stop => "stop",
                Control::Open => "open",
                Control::Help => "help",
                Control::Second => "the second one",
            };
            match environment.as_ref().or(place.as_ref()) {
                Some(name) => format!("{words} ({name})"),
                None => words.to_owned(),
            }
        }
    }
}
