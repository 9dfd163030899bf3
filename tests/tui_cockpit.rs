//! The cockpit without a terminal: messages in, effects and frames out.

#[path = "tui_cockpit/support.rs"]
mod support;

#[path = "tui_cockpit/anything.rs"]
mod anything;
#[path = "tui_cockpit/asking.rs"]
mod asking;
#[path = "tui_cockpit/board.rs"]
mod board;
#[path = "tui_cockpit/coming_back.rs"]
mod coming_back;
#[path = "tui_cockpit/deciding.rs"]
mod deciding;
#[path = "tui_cockpit/deployments.rs"]
mod deployments;
#[path = "tui_cockpit/following.rs"]
mod following;
#[path = "tui_cockpit/frames.rs"]
mod frames;
#[path = "tui_cockpit/house.rs"]
mod house;
#[path = "tui_cockpit/lines.rs"]
mod lines;
#[path = "tui_cockpit/lists.rs"]
mod lists;
#[path = "tui_cockpit/machine.rs"]
mod machine;
#[path = "tui_cockpit/marks.rs"]
mod marks;
#[path = "tui_cockpit/previewing.rs"]
mod previewing;
#[path = "tui_cockpit/reading.rs"]
mod reading;
#[path = "tui_cockpit/review.rs"]
mod review;
#[path = "tui_cockpit/speaking.rs"]
mod speaking;
#[path = "tui_cockpit/summary.rs"]
mod summary;
#[path = "tui_cockpit/talking.rs"]
mod talking;
#[path = "tui_cockpit/team.rs"]
mod team;
#[path = "tui_cockpit/telling.rs"]
mod telling;
#[path = "tui_cockpit/timeline.rs"]
mod timeline;
#[path = "tui_cockpit/together.rs"]
mod together;
#[path = "tui_cockpit/typing.rs"]
mod typing;
#[path = "tui_cockpit/waiting.rs"]
mod waiting;
