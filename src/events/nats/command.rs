//! What the task that keeps a log is asked to do.

use tokio::sync::oneshot;

use crate::events::{Put, RoomRow};
use crate::model::{Event, NewEvent, Problem};

/// What the task is asked to do.
pub(crate) enum Command {
    Append(Append),
    /// Take the turn.
    Lead(oneshot::Sender<Result<(), Problem>>),
}

/// What is to be stored together.
pub(crate) struct Append {
    pub(super) events: Vec<NewEvent>,
    pub(super) puts: Vec<Put>,
    pub(super) rooms: Vec<(String, Vec<RoomRow>)>,
    pub(super) reply: oneshot::Sender<Result<Vec<Event>, Problem>>,
}

impl Append {
    /// Roughly.
    pub(super) fn bytes(&self) -> usize {
        let events: usize = self
            .events
            .iter()
            .map(|one| one.data.to_string().len())
            .sum();
        let puts = self.puts.iter().filter_map(|put| put.body.as_ref());
        let rows = self.rooms.iter().flat_map(|(_, rows)| rows);
        events
            + puts.map(String::len).sum::<usize>()
            + rows.map(|row| row.body.len()).sum::<usize>()
    }
}
