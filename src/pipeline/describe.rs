//! What things are called when people read them.

use crate::model::{Control, Intent};

/// What an instruction was taken for, in words.
pub fn intent(intent: &Intent) -> String {
    match intent {
        Intent::Edit { request } => request.clone(),
        Intent::Control {
            control,
            environment,
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
                Control::Status => "show the status",
                Control::Stop => "stop",
            };
            match environment {
                Some(environment) => format!("{words} ({environment})"),
                None => words.to_owned(),
            }
        }
    }
}
