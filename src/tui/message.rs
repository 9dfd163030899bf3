//! What can happen to the cockpit, and what it can ask for. Both are data.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use super::checkup::Item;
use super::keys::{Key, Stroke};
use super::model::painting::{PaintJob, Painted};
use super::model::{Subject, Tone};
use super::pictures::Drawing;
use super::theme::Ground;
use super::voice_port::{MicEvent, Sound};
use crate::client::outbox::Queued;
use crate::client::room::RoomItem;
use crate::client::stream::StreamItem;
use crate::model::api::{
    Accepted, Approval, Approved, BatchApproval, Decide, DeploymentList, EditText, ProposalView,
    RecipeInfo, SiteWords, Status, Synced, WatchStatus,
};
use crate::model::{
    Cursor, Deployment, DeploymentId, Event, Instruction, InstructionId, LiveRelease, Preview,
    Problem, ProposalId, ReleaseId,
};

/// What the mouse did, at a column and a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button went down.
    Click(u16, u16),
    /// It was moved with the left button down.
    Drag(u16, u16),
    /// The wheel turned up.
    Up(u16, u16),
    /// The wheel turned down.
    Down(u16, u16),
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// A key.
    Key(Key, Stroke),
    /// Text was pasted.
    Paste(String),
    /// The mouse.
    Mouse(Mouse),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// The terminal's window got or lost the focus.
    Focus(bool),
    /// The terminal answered whether it reports the release of keys.
    Keyboard(bool),
    /// The terminal told what its background is like.
    Ground(Ground),
    /// From the event stream.
    Stream(StreamItem),
    /// The event stream is over and will not come back.
    StreamEnded,
    /// From a room.
    Room(String, RoomItem),
    /// What was kept of a room by an earlier run; nothing when there is nothing, or not any more.
    RoomKept(String, Option<Vec<u8>>),
    /// The rooms of which an earlier run kept something.
    RoomsKept(Vec<String>),
    /// Somebody else has come to the server that runs in this process.
    Company,
    /// What an earlier run kept because the server was away.
    OutboxKept(Vec<Queued>),
    /// From the microphone.
    Mic(MicEvent),
    /// An effect is done.
    Done(Box<Outcome>),
    /// A frame was drawn: what it shows has been seen.
    Drawn,
    /// A moment that was waited for has come.
    Wake,
    /// The terminal is ours again: draw everything.
    Resumed,
}

/// How an effect ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The state was loaded.
    Status(Result<Status, Problem>),
    /// A proposal was loaded; `true` when it is one that changed.
    Proposal(bool, Result<ProposalView, Problem>),
    /// Earlier events were loaded.
    History(Vec<Event>),
    /// What was kept was sent, under this key.
    Sent(String, Result<Option<Accepted>, Problem>),
    /// Words were handed in.
    Submitted(String, Result<Accepted, Problem>),
    /// A recording was handed in.
    ClipSent(Result<Accepted, Problem>),
    /// A proposal was approved.
    Approved(ProposalId, Result<Approved, Problem>),
    /// A proposal was rejected.
    Rejected(ProposalId, Result<ProposalView, Problem>),
    /// A rejected proposal was opened again.
    Reopened(ProposalId, Result<ProposalView, Problem>),
    /// A decision on a hunk was stored.
    Decided(ProposalId, Result<ProposalView, Problem>),
    /// Lines were coloured.
    Painted(Painted),
    /// Several proposals were approved together.
    Batched(Result<Synced, Problem>),
    /// A proposed text was edited; `None` when nothing was changed.
    Edited(ProposalId, Result<Option<ProposalView>, Problem>),
    /// A version was taken back.
    Restored(Result<Box<ProposalView>, Problem>),
    /// Another try was asked for.
    Revised(String, Result<Accepted, Problem>),
    /// A question was answered.
    Answered(InstructionId, Result<Instruction, Problem>),
    /// A deployment was asked for.
    Synced(Result<Synced, Problem>),
    /// A yes to a deployment that waited for it was taken.
    Let(Result<Box<Deployment>, Problem>),
    /// A rollback was asked for.
    RolledBack(Result<LiveRelease, Problem>),
    /// A deployment was told to stop.
    Stopped(Result<Deployment, Problem>),
    /// An instruction was asked to stop.
    StoppedInstruction(Result<Box<Instruction>, Problem>),
    /// What may be said on this site was loaded.
    Words(Result<SiteWords, Problem>),
    /// The recipes were loaded.
    Recipes(Result<Vec<RecipeInfo>, Problem>),
    /// The deployments so far were loaded.
    Deployments(Result<DeploymentList, Problem>),
    /// What a page of details shows was loaded.
    Details(Result<Subject, Problem>),
    /// Somebody looked at this machine.
    Checkup(Vec<Item>),
    /// The thing of this name was mended, or not.
    Fixed(String, Result<String, Problem>),
    /// A preview was asked for.
    Previewed(ProposalId, Result<Preview, Problem>),
    /// A picture of a version of a proposal was made ready; `None` when there is none.
    Picture(ProposalId, u32, Option<Drawing>),
    /// Watching was switched on or off.
    Watched(Result<WatchStatus, Problem>),
    /// An effect has something to say.
    Told(Tone, String),
}

/// What the update function asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Begin to record.
    Press,
    /// Begin a recording that ends by itself.
    Start,
    /// Read a recording for the text that is being written.
    Dictate(PathBuf),
    /// Play a recording.
    Replay(PathBuf),
    /// Play a short sound.
    Sound(Sound),
    /// Begin or end to tell the microphones with their levels.
    WatchDevices(bool),
    /// Record from this microphone; `None`: the system's default.
    ChooseDevice(Option<String>),
    /// End the recording.
    Release,
    /// Throw the recording away.
    CancelRecording,
    /// Hand in words.
    Submit(String),
    /// Hand in a recording.
    SendClip(PathBuf),
    /// Approve.
    Approve(ProposalId, Approval),
    /// Reject.
    Reject(ProposalId),
    /// Open a proposal again that was rejected.
    Reopen(ProposalId),
    /// Store a decision on hunks, or on lines of one.
    Decide(ProposalId, Decide),
    /// Store a proposed text that was edited here.
    EditText(ProposalId, EditText),
    /// Approve several proposals as one commit.
    ApproveBatch(BatchApproval),
    /// Colour lines.
    Paint(PaintJob),
    /// Edit a proposed text in the person's editor.
    Edit(EditRequest),
    /// Ask for another try.
    Revise(ProposalId, String),
    /// Take the version of a proposal before the one that stands, or with `true` the one after it.
    Restore(ProposalId, bool),
    /// Answer a question.
    Answer(InstructionId, bool),
    /// Answer the question about a plan with yes, to these lines of it.
    AnswerPlan(InstructionId, Vec<usize>),
    /// Deploy the branch's head; with `true` even when it is live.
    Deploy(bool),
    /// Go back to the previous release of an environment.
    Rollback(String),
    /// Go back to a release of an environment.
    RollbackTo(String, ReleaseId),
    /// Deploy this commit to this environment, even if it is live.
    RedeployTo(String, String),
    /// Make a release of an environment live that was built before.
    Promote(String, ReleaseId),
    /// Say yes to a deployment that waits for it; what its environment must still serve.
    Let(DeploymentId, Option<ReleaseId>),
    /// Stop a deployment.
    Stop(DeploymentId),
    /// Stop an instruction before it has become a proposal.
    StopInstruction(InstructionId),
    /// Load what may be said on this site.
    LoadWords,
    /// Load the recipes, as they are for this site.
    LoadRecipes,
    /// Load the deployments so far.
    LoadDeployments,
    /// Load the event at this place, for a page of details.
    LoadEvent(Cursor),
    /// Load a deployment, for a page of details.
    LoadDeployment(DeploymentId),
    /// Compare two deployments, for a page of details.
    Compare(DeploymentId, DeploymentId),
    /// Load the state after waiting this long.
    LoadStatus(Duration),
    /// Load a proposal; `true` when it is one that changed.
    LoadProposal(ProposalId, bool),
    /// Follow the events after this place.
    Follow(Cursor),
    /// Load the events before this place, down to the given position.
    LoadHistory(Cursor, u64),
    /// Look at this machine.
    Checkup,
    /// Mend the thing of this name.
    Fix(String),
    /// Build and serve a proposal; with `true` also what it changes about the build itself is run.
    Preview(ProposalId, bool),
    /// Load the picture of a preview.
    LoadPicture(ProposalId, u32),
    /// Switch watching the files on or off.
    Watch(bool),
    /// Open a page in the browser.
    Open(String),
    /// Put text on the clipboard.
    Copy(String),
    /// Tell a person who looks elsewhere.
    Notify(String),
    /// Join a room.
    JoinRoom(String),
    /// Leave a room.
    LeaveRoom(String),
    /// Begin a conversation with a room.
    GreetRoom(String, Vec<Bytes>),
    /// Send frames to a room.
    ToRoom(String, Vec<Bytes>),
    /// Keep what the server may lack of a room on disk; nothing: it has all of it.
    KeepRoom(String, Option<Vec<u8>>),
    /// Keep what is asked for until the server is back.
    Keep(Queued),
    /// Send what is asked for; it is on the disk before.
    Send(Queued),
    /// What had this key is done with, or not wanted any more.
    Forget(String),
    /// Draw everything anew.
    Repaint,
    /// Go back to the shell until it calls.
    Suspend,
    /// End.
    Quit,
}

/// A text to be edited by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRequest {
    /// The proposal.
    pub proposal: ProposalId,
    /// Its version.
    pub version: u32,
    /// Path of the file.
    pub path: String,
    /// The proposed text.
    pub text: String,
    /// The line to begin at, from 1.
    pub line: usize,
}
