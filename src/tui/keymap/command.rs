//! What a key can do.

use self::Command as C;

/// What a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    missing_docs,
    reason = "each command's line of documentation stands in the table below"
)]
pub enum Command {
    Talk,
    FinishTalk,
    CancelTalk,
    EditHeard,
    Replay,
    Microphones,
    ChooseMicrophone,
    CloseMicrophones,
    FocusInput,
    LeaveInput,
    Complete,
    Submit,
    Approve,
    CommitOnly,
    Message,
    Reject,
    ToggleHunk,
    NextHunk,
    PreviousHunk,
    NextProposal,
    PreviousProposal,
    PreviousVersion,
    NextVersion,
    Edit,
    Revise,
    Undo,
    Preview,
    Deploy,
    Redeploy,
    Rollback,
    StopDeployment,
    ApproveRelease,
    OpenPage,
    CopyAddress,
    PaneSay,
    PaneProposal,
    PaneTimeline,
    ScrollUp,
    ScrollDown,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Back,
    Help,
    CloseHelp,
    Yes,
    TogglePlan,
    No,
    Quit,
    Interrupt,
    Suspend,
    Redraw,
    OpenReview,
    CloseReview,
    NextFile,
    PreviousFile,
    Accept,
    LeaveOut,
    AcceptFile,
    LeaveOutFile,
    SelectLines,
    UndoDecision,
    RedoDecision,
    EditHere,
    SaveEdit,
    UndoTyping,
    RedoTyping,
    CancelEdit,
    SideBySide,
    Summary,
    Queue,
    Pick,
    ApproveBatch,
    CommitBatch,
    ShowPicked,
    Palette,
    Run,
    Choose(u8),
    Line(LineCommand),
    PaneDeploy,
    Zoom,
    Larger,
    Smaller,
    EvenSizes,
    SelectUp,
    SelectDown,
    Details,
    CloseDetails,
    CopyDetails,
    Fold,
    Unfold,
    FoldAll,
    Filter,
    TakeFilter,
    DropFilter,
    FilterKind,
    FilterEnvironment,
    CopyRow,
    RollbackHere,
    RedeployHere,
    PromoteHere,
    OpenHere,
    CopyHere,
    Mark,
    Compare,
    Checkup,
    FixHere,
    LookAgain,
    CloseCheckup,
    Watch,
    StopWatching,
    People,
    Follow,
    Outbox,
    DropWaiting,
    Highlight,
    Unmark,
    Note,
    ChangeNote,
    Resolve,
    NextNote,
    PreviousNote,
}

impl Command {
    /// Whether it is about the selected deployment.
    pub fn is_on_deployment(self) -> bool {
        use Command as C;
        matches!(
            self,
            C::RollbackHere
                | C::RedeployHere
                | C::PromoteHere
                | C::OpenHere
                | C::CopyHere
                | C::Mark
                | C::Compare
        )
    }

    /// Its name in the configuration, the help and the palette: `next-hunk`.
    pub fn name(self) -> String {
        let written = match self {
            C::Line(command) => format!("{command:?}"),
            C::Choose(number) => return format!("choose-{number}"),
            other => format!("{other:?}"),
        };
        let mut name = String::with_capacity(written.len() + 4);
        for c in written.chars() {
            if c.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(c.to_ascii_lowercase());
        }
        name
    }
}

/// What a key can do to the line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(
    missing_docs,
    reason = "each command's line of documentation stands in the table below"
)]
pub enum LineCommand {
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Backspace,
    Delete,
    KillWord,
    KillToStart,
    KillToEnd,
    Older,
    Newer,
}
