//! Words in, [`Intent`] out. Pure: no I/O, no clock.
//!
//! A control phrase is recognised by its exact words first ([`table`]), then by nearness ([`near`]); of spoken words
//! also by how well the known phrases fit the sound ([`sound`]). Everything else is an edit, in words cleaned of
//! fillers and self-corrections ([`clean`]). When in doubt it is an edit: the worst an edit does is to be refused,
//! while a control may deploy.

pub mod clean;
pub mod meant;
pub mod misheard;
mod names;
pub mod near;
pub mod numbers;
pub mod phrases;
pub mod places;
mod rivals;
pub mod sound;
pub mod spoken;
pub mod table;

use crate::model::Intent;

pub use table::Table;

/// What `text` (typed or transcribed) means by its words, with nothing but the built-in phrases.
pub fn understand(text: &str) -> Intent {
    Table::builtin().understand(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Control;

    fn control(text: &str) -> Option<(Control, bool, Option<String>)> {
        match understand(text) {
            Intent::Control {
                control,
                exact,
                environment,
                ..
            } => Some((control, exact, environment)),
            Intent::Edit { .. } => None,
        }
    }

    #[test]
    fn the_control_phrases_in_their_natural_variants() {
        use Control::*;
        let table: &[(&str, Control)] = &[
            ("Commit that.", Commit),
            ("Commit this.", Commit),
            ("Commit it.", Commit),
            ("Commit the changes.", Commit),
            ("Commit my changes.", Commit),
            ("Save and commit.", Commit),
            ("Please commit that.", Commit),
            ("Go ahead and commit.", Commit),
            ("Deploy that.", Deploy),
            ("Deploy it.", Deploy),
            ("Deploy the site.", Deploy),
            ("Deploy to production.", Deploy),
            ("Make it live.", Deploy),
            ("Make that live.", Deploy),
            ("Go live.", Deploy),
            ("Publish the site.", Deploy),
            ("Push it live.", Deploy),
            ("update the website", Deploy),
            ("Preview changes.", Preview),
            ("Preview the changes.", Preview),
            ("Show me a preview.", Preview),
            ("Open the preview.", Preview),
            ("Preview that.", Preview),
            ("Undo that.", Undo),
            ("Undo the last change.", Undo),
            ("Revert that.", Undo),
            ("Roll it back.", Rollback),
            ("roll back", Rollback),
            ("Yes.", Approve),
            ("Yes, do it.", Approve),
            ("Confirm.", Approve),
            ("ship it", Approve),
            ("Approve", Approve),
            ("No.", Reject),
            ("reject that", Reject),
            ("Never mind.", Reject),
            ("Cancel that.", Stop),
            ("Stop.", Stop),
            ("Show status.", Status),
            ("What changed?", Status),
            ("redeploy", Redeploy),
            ("OK, um, deploy that now please", Deploy),
        ];
        for (text, expected) in table {
            let environment = text.contains("production").then(|| "production".to_owned());
            assert_eq!(
                control(text),
                Some((*expected, true, environment)),
                "{text}"
            );
        }
    }

    #[test]
    fn environments_are_taken_from_the_words() {
        for (text, expected) in [
            ("deploy to staging", (Control::Deploy, "staging")),
            (
                "Deploy that to the staging environment, please.",
                (Control::Deploy, "staging"),
            ),
            ("redeploy production", (Control::Redeploy, "production")),
            ("roll back production", (Control::Rollback, "production")),
            ("push it to prod", (Control::Deploy, "production")),
        ] {
            let (control, exact, environment) =
                control(text).unwrap_or_else(|| panic!("{text} is a control"));
            assert_eq!(
                (control, environment.as_deref()),
                (expected.0, Some(expected.1)),
                "{text}"
            );
            assert!(exact, "{text}");
        }
    }

    #[test]
    fn misheard_and_mistyped_phrases_are_near() {
        use Control::*;
        for (text, expected) in [
            ("comit that", Commit),
            ("Deployed that.", Deploy),
            ("deploy the sight", Deploy),
            ("depoly that", Deploy),
            ("preveiw changes", Preview),
            ("And do that.", Undo),
            ("What change?", Status),
            ("Confirmed.", Approve),
        ] {
            let (control, exact, _) =
                control(text).unwrap_or_else(|| panic!("{text} is a control"));
            assert_eq!((control, exact), (expected, false), "{text}");
        }
    }

    #[test]
    fn free_edits_and_hostile_short_ones_are_never_controls() {
        for text in [
            "Change the homepage headline to Welcome to 3000 Studios.",
            "Fix the footer link.",
            "Update the copyright year to 2026.",
            "Change the deploy button label to publish.",
            "Make it blue.",
            "Make it bold.",
            "Make that larger.",
            "Make it live up to its name.",
            "Fix that.",
            "Fix it.",
            "Add a link.",
            "Remove that.",
            "Delete it.",
            "Change that.",
            "Change it back to white.",
            "Center it.",
            "Open the menu by default.",
            "Show the menu.",
            "Hide the banner.",
            "Publish date in italics.",
            "Comment that out.",
            "Combine them.",
            "Preview image on top.",
            "Reverse that.",
            "Undo button in the toolbar.",
            "Cancel button in red.",
            "Go left.",
            "Shape it.",
            "Push it right.",
            "Make that wide.",
            "Show me a preview card.",
            "Stop the video.",
            "Roll it out on hover.",
            "Confirm password field.",
            "Make the site load faster.",
            "Deploy button to the right",
            "Rename 'Sign up' to 'Join'",
            "",
            "   ",
            "…",
        ] {
            assert_eq!(control(text), None, "{text}");
        }
    }
}
