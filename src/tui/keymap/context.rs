//! What the keyboard talks to.

/// What the keyboard talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Everywhere, beneath every other context.
    Global,
    /// The cockpit itself, outside text input.
    Cockpit,
    /// In the full view of a proposal.
    Review,
    /// While candidates are listed; what has no meaning there means what it means in the cockpit.
    Choices,
    /// In the summary before a commit.
    Summary,
    /// In the list of the proposals that wait.
    Queue,
    /// While a recording runs.
    Talk,
    /// While a question is on the screen.
    Ask,
    /// In the text input.
    Input,
    /// In the text of a hunk.
    Edit,
    /// In the list of keys and in the palette.
    Help,
    /// In the timeline, above the cockpit's own keys.
    Timeline,
    /// In the deploy pane, above the cockpit's own keys.
    Deploy,
    /// While the timeline's filter is written.
    Filter,
    /// On a page of details.
    Details,
    /// In the list of what works on this machine.
    Checkup,
    /// In the list of microphones.
    Mics,
    /// In the list of who else is here.
    People,
    /// In the list of what waits to be sent.
    Outbox,
}

impl Context {
    /// The contexts that have their own keys, in the order of the help.
    pub const ALL: [Context; 19] = [
        Context::Cockpit,
        Context::Review,
        Context::Choices,
        Context::Summary,
        Context::Queue,
        Context::Timeline,
        Context::Deploy,
        Context::Details,
        Context::Filter,
        Context::Checkup,
        Context::Talk,
        Context::Ask,
        Context::Input,
        Context::Edit,
        Context::Mics,
        Context::People,
        Context::Outbox,
        Context::Help,
        Context::Global,
    ];

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Context::Global => "everywhere",
            Context::Cockpit => "cockpit",
            Context::Review => "review",
            Context::Choices => "candidates",
            Context::Summary => "summary",
            Context::Queue => "queue",
            Context::Talk => "while recording",
            Context::Ask => "questions",
            Context::Input => "text input",
            Context::Timeline => "timeline",
            Context::Deploy => "deployments",
            Context::Filter => "filter",
            Context::Details => "details",
            Context::Checkup => "this machine",
            Context::Edit => "editing a hunk",
            Context::Help => "lists",
            Context::Mics => "microphones",
            Context::People => "who is here",
            Context::Outbox => "waiting to be sent",
        }
    }

    /// Its name in the configuration: `[keys.NAME]`.
    pub fn name(self) -> &'static str {
        match self {
            Context::Global => "global",
            Context::Cockpit => "cockpit",
            Context::Review => "review",
            Context::Choices => "choices",
            Context::Summary => "summary",
            Context::Queue => "queue",
            Context::Talk => "talk",
            Context::Ask => "ask",
            Context::Input => "input",
            Context::Edit => "edit",
            Context::Help => "lists",
            Context::Mics => "microphones",
            Context::Timeline => "timeline",
            Context::Deploy => "deploy",
            Context::Filter => "filter",
            Context::Details => "details",
            Context::Checkup => "checkup",
            Context::People => "people",
            Context::Outbox => "outbox",
        }
    }

    /// The context whose keys hold where this one has none of its own.
    pub fn below(self) -> Option<Context> {
        match self {
            Context::Global => None,
            Context::Choices | Context::Timeline | Context::Deploy => Some(Context::Cockpit),
            _ => Some(Context::Global),
        }
    }
}
