//! Carrying out what is asked: one file per kind of deed.

pub mod add;
pub mod attribute;
pub mod fix;
pub mod hide;
pub mod image;
pub mod insert;
pub mod link;
pub mod page;
pub mod pieces;
pub mod remove;
pub mod reorder;
pub mod set;
mod several;
pub mod style;
pub mod twins;
pub mod why;

use super::ask::Ask;
use super::find::Finder;
use super::plan::Plan;
use crate::model::Refusal;

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
        Ask::Add {
            what,
            text,
            link,
            place,
        } => add::plan(finder, what, text.as_ref(), link.as_deref(), place),
        Ask::Attribute {
            target,
            name,
            value,
            how,
        } => attribute::plan(finder, target, name, value, *how),
        Ask::Remove(target) => remove::plan(finder, target),
        Ask::Hide(target) => hide::plan(finder, target),
        Ask::Move(target, place) => reorder::plan(finder, target, place),
        Ask::Swap(a, b) => reorder::swap(finder, a, b),
        Ask::Fix(target) => fix::plan(finder, target),
    }
}
