//! Plain types shared by every room and by the wire.
//!
//! No I/O and no async runtime: what lives here can be built, compared and serialised in a unit test
//! without a terminal, a clock or a network. The few traits are those that two rooms of one floor share.

pub mod access;
pub mod ansi;
pub mod api;
pub mod deployment;
pub mod event;
pub mod failpoint;
pub mod gate;
pub mod health;
pub mod host;
pub mod id;
pub mod instruction;
pub mod intent;
pub mod merge;
pub mod news;
pub mod preview;
pub mod problem;
pub mod proposal;
pub mod room;
pub mod secret;
pub mod signature;
pub mod token;
pub mod tree;

pub use access::{Bearer, Identity, Role, proposal_room};
pub use deployment::{Deployment, DeploymentState, LiveRelease, Progress, ReleaseInfo, Stage};
pub use event::{Cursor, Event, EventKind, NewEvent};
pub use gate::{ApprovalRule, EnvironmentStatus, Gate, Given, Lock, Promotion};
pub use health::{HealthAnswer, Vitals};
pub use id::{DeploymentId, InstructionId, ProposalId, ReleaseId, TokenId};
pub use instruction::{Action, Instruction, InstructionState, PlanLine, Question};
pub use intent::{Control, Hearing, Intent, Reading, Risk, Sureness};
pub use preview::{Preview, PreviewState};
pub use problem::{Candidate, Problem, Refusal, RefusalReason};
pub use proposal::{
    Content, Decision, DiffLine, Hunk, LineTag, Proposal, ProposalKind, ProposalState, ProposedFile,
};
pub use tree::{FileEntry, FileTree, MemoryTree, Source};
