//! `sayso instant-sync` and `sayso batch-sync`: commit and deploy in one flow, by the names that the interface has for it.

use super::commit;

/// Arguments of `sayso instant-sync`.
#[derive(clap::Args, Debug)]
pub struct Instant {
    /// Only these paths of the working tree.
    paths: Vec<String>,
    #[command(flatten)]
    sync: Batch,
}

/// Arguments of `sayso batch-sync`.
#[derive(clap::Args, Debug)]
pub struct Batch {
    /// The commit message.
    #[arg(long, short)]
    message: Option<String>,
    /// The environment.
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// Commit and deploy without asking.
    #[arg(long, short)]
    yes: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    json: bool,
}

impl From<Instant> for commit::Args {
    /// `sayso commit --deploy`.
    fn from(args: Instant) -> Self {
        Self {
            paths: args.paths,
            all_proposals: false,
            ..args.sync.into()
        }
    }
}

impl From<Batch> for commit::Args {
    /// `sayso commit --all-proposals --deploy`.
    fn from(args: Batch) -> Self {
        Self {
            paths: Vec::new(),
            message: args.message,
            all_proposals: true,
            deploy: true,
            env: args.env,
            yes: args.yes,
            json: args.json,
        }
    }
}

impl Instant {
    /// Whether standard output is for programs.
    pub fn json(&self) -> bool {
        self.sync.json
    }
}

impl Batch {
    /// Whether standard output is for programs.
    pub fn json(&self) -> bool {
        self.json
    }
}
