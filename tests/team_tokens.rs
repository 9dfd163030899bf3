//! A team on one server: who is let in, how far, how often, and what is written down of it.

#[path = "team_tokens/limits.rs"]
mod limits;
#[path = "team_tokens/people.rs"]
mod people;
#[cfg(unix)]
#[path = "team_tokens/program.rs"]
mod program;
mod stage;
#[path = "team_tokens/streams.rs"]
mod streams;
mod support;
#[path = "team_tokens/table.rs"]
mod table;
#[path = "team_tokens/team.rs"]
mod team;
