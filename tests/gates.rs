//! What stands between a commit and an environment: checks, approvals, freeze windows, turns, promotions.

#[path = "gates/approvals.rs"]
mod approvals;
#[path = "gates/checks.rs"]
mod checks;
#[cfg(all(unix, feature = "failpoints"))]
#[path = "gates/program.rs"]
mod program;
#[path = "gates/promotions.rs"]
mod promotions;
#[path = "gates/rig.rs"]
mod rig;
mod stage;
#[path = "gates/turns.rs"]
mod turns;
