//! Carrying out what is asked: one file per kind of deed.

pub mod link;
pub mod remove;
pub mod set;
pub mod style;

use super::ask::Ask;
use super::find::Finder;
use super::plan::Plan;
use crate::model::{Refusal, RefusalReason};

/// The plan for one reading of a request.
///
/// # Errors
/// A refusal.
pub fn plan(finder: &Finder<'_>, ask: &Ask) -> Result<Plan, Refusal> {
    match ask {
        Ask::Set {
            target,
            from,
            value,
        } => set::plan(finder, target, from.as_ref(), value.as_ref()),
        Ask::Link { target, value } => link::plan(finder, target, value.as_ref()),
        Ask::Style {
            target,
            property,
            value,
        } => style::plan(finder, target, property, value),
        Ask::Remove(target) => remove::plan(finder, target),
        _ => Err(Refusal::new(
            RefusalReason::Unclear,
            "this kind of change is not understood yet",
        )),
    }
}
