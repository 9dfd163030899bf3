//! Proposals built and served before they are approved: each at an address of its own, on this machine only.
//!
//! ```text
//! <folder>/<proposal>/<n>/site     the base commit's files with the proposal's over them, and what was built there
//! ```
//!
//! A new version is built beside the one that is served and takes its place when it is done; open pages then load
//! themselves anew (the script that does this is in the answers only, never in a file). The folder holds nothing that
//! is worth keeping: it is emptied at every start.

mod browser;
mod examine;
mod lay_out;
mod make;
mod picture;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::build::BuildOptions;
use super::disk;
use super::host::{Front, Serving, Site, Spa};
use crate::model::{
    Preview, PreviewState, Problem, ProposalId, ProposalKind, ProposedFile, Source,
};

pub use browser::{Browser, Complaint};
pub use examine::Look;

/// How previews are made.
#[derive(Clone, Debug)]
pub struct PreviewOptions {
    /// The folder for what is laid out and built; emptied at the start.
    pub folder: PathBuf,
    /// Where installed dependencies are kept, shared with the embedded host.
    pub cache: PathBuf,
    /// Previews at a time; one more ends the oldest.
    pub keep: usize,
    /// How long one that is not asked for again is served.
    pub lifetime: Duration,
    /// How sites are built.
    pub build: BuildOptions,
    /// Addresses of no file.
    pub spa: Spa,
    /// The browser that takes pictures; `None`: none are taken, for the reason given.
    pub browser: Result<Browser, String>,
}

/// A proposal that is to be shown.
#[derive(Clone)]
pub struct Order {
    /// Which one.
    pub proposal: ProposalId,
    /// Its version.
    pub version: u32,
    /// Where the change came from.
    pub kind: ProposalKind,
    /// The commit it is based on.
    pub source: Arc<dyn Source>,
    /// Its files, with what is accepted of them.
    pub files: Vec<ProposedFile>,
    /// True when the person allows what the proposal itself changes about the build to be run.
    pub allow: bool,
}

/// One preview.
struct Shown {
    preview: Preview,
    front: Arc<Front>,
    /// Digests of changes to the build that were allowed.
    allowed: Vec<String>,
    /// Counts the builds.
    turn: u64,
    /// Ends the build that runs.
    building: CancellationToken,
    /// Ends the serving.
    stop: CancellationToken,
    /// The folder of what is served, with its pages.
    served: Option<(PathBuf, PathBuf)>,
    picture: Option<Arc<[u8]>>,
    /// When it was asked for last.
    asked: Instant,
}

/// All previews of a project.
pub struct Previews {
    options: PreviewOptions,
    shown: Mutex<BTreeMap<ProposalId, Shown>>,
    /// One build at a time: people wait for the newest, and the machine is theirs.
    building: tokio::sync::Mutex<()>,
    told: mpsc::UnboundedSender<Preview>,
    changed: tokio::sync::watch::Sender<u64>,
}

impl Previews {
    /// Ready to show; what an earlier process left is removed. What becomes of previews is told to `told`.
    ///
    /// # Errors
    /// When the folder cannot be emptied.
    pub fn open(
        options: PreviewOptions,
        told: mpsc::UnboundedSender<Preview>,
    ) -> Result<Arc<Self>, Problem> {
        let failed = |error: std::io::Error| {
            Problem::new(
                500,
                "state",
                format!("{}: {error}", options.folder.display()),
            )
            .hint("check that the state folder can be written")
        };
        disk::remove_tree(&options.folder).map_err(failed)?;
        std::fs::create_dir_all(&options.folder).map_err(failed)?;
        let previews = Arc::new(Self {
            options,
            shown: Mutex::default(),
            building: tokio::sync::Mutex::new(()),
            told,
            changed: tokio::sync::watch::Sender::new(0),
        });
        tokio::spawn(age(Arc::downgrade(&previews)));
        Ok(previews)
    }

    fn shown(&self) -> MutexGuard<'_, BTreeMap<ProposalId, Shown>> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of them, by proposal.
    pub fn list(&self) -> Vec<Preview> {
        let shown = self.shown();
        shown.values().map(|shown| shown.preview.clone()).collect()
    }

    /// The preview of a proposal.
    pub fn get(&self, id: &ProposalId) -> Option<Preview> {
        self.shown().get(id).map(|shown| shown.preview.clone())
    }

    /// The picture of what is served, as PNG.
    pub fn picture(&self, id: &ProposalId) -> Option<Arc<[u8]>> {
        self.shown().get(id)?.picture.clone()
    }

    /// The folder with the built pages of a proposal's newest version that was built.
    pub fn output(&self, id: &ProposalId) -> Option<PathBuf> {
        let shown = self.shown();
        Some(shown.get(id)?.served.as_ref()?.1.clone())
    }

    /// The browser for pictures, or why there is none.
    pub fn browser(&self) -> Result<&Browser, &str> {
        self.options.browser.as_ref().map_err(String::as_str)
    }

    /// Shows a version of a proposal. Returns at once: its address is known, its build goes on.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn show(self: &Arc<Self>, order: Order) -> Result<Preview, Problem> {
        let steering = make::steering(&order);
        let mut shown = self.shown();
        if !shown.contains_key(&order.proposal) {
            let new = self.new_one(&order)?;
            shown.insert(order.proposal.clone(), new);
        }
        let Some(one) = shown.get_mut(&order.proposal) else {
            return Err(Problem::internal("the preview is gone"));
        };
        if let Some((_, digest)) = steering.filter(|_| order.allow)
            && !one.allowed.contains(&digest)
        {
            one.allowed.push(digest);
        }
        one.asked = Instant::now();
        let preview = self.begin(one, order);
        let surplus = self.surplus(&shown);
        drop(shown);
        for id in surplus {
            self.end(&id, "there are newer ones");
        }
        self.tell(&preview);
        Ok(preview)
    }

    /// Builds the next version of a proposal that is shown; nothing for one that is not.
    pub fn refresh(self: &Arc<Self>, order: Order) {
        let mut shown = self.shown();
        let Some(one) = shown.get_mut(&order.proposal) else {
            return;
        };
        if one.preview.version == order.version {
            return;
        }
        let preview = self.begin(one, order);
        drop(shown);
        self.tell(&preview);
    }

    /// A proposal took another's place: its preview goes on at the same address.
    pub fn pass_on(&self, from: &ProposalId, to: &ProposalId) -> bool {
        let mut shown = self.shown();
        if shown.contains_key(to) {
            return false;
        }
        let Some(mut one) = shown.remove(from) else {
            return false;
        };
        one.preview.proposal = to.clone();
        one.preview.version = 0;
        // What was allowed to one proposal is not to another.
        one.allowed.clear();
        shown.insert(to.clone(), one);
        true
    }

    /// Ends a preview and removes what was built for it; false when there was none.
    pub fn end(&self, id: &ProposalId, why: &str) -> bool {
        let Some(mut one) = self.shown().remove(id) else {
            return false;
        };
        one.building.cancel();
        one.stop.cancel();
        one.preview.state = PreviewState::Ended;
        one.preview.message = format!("the preview has ended: {why}");
        self.tell(&one.preview);
        let folder = self.options.folder.join(folder_name(id));
        let served = one.served.map(|(folder, _)| folder);
        std::thread::spawn(move || {
            for folder in std::iter::once(folder).chain(served) {
                if let Err(error) = disk::remove_tree(&folder) {
                    tracing::warn!(%error, "a preview's folder cannot be removed");
                }
            }
        });
        true
    }

    /// Waits until a preview is neither being built nor photographed, or gone.
    pub async fn settled(&self, id: &ProposalId) -> Option<Preview> {
        let mut changed = self.changed.subscribe();
        loop {
            let now = self.get(id);
            if now
                .as_ref()
                .is_none_or(|now| now.state != PreviewState::Building)
            {
                return now;
            }
            changed.changed().await.ok()?;
        }
    }

    fn new_one(&self, order: &Order) -> Result<Shown, Problem> {
        let stop = CancellationToken::new();
        let serving = Serving {
            notice: true,
            spa: self.options.spa,
        };
        let (front, _) = Front::open("the preview", &[], None, serving, stop.clone())
            .map_err(|error| Problem::internal(format!("no port for the preview: {error}")))?;
        Ok(Shown {
            preview: Preview {
                proposal: order.proposal.clone(),
                version: order.version,
                url: front.url(),
                state: PreviewState::Building,
                message: String::new(),
                hint: None,
                log_tail: Vec::new(),
                picture: false,
                no_picture: self.options.browser.as_ref().err().cloned(),
            },
            front,
            allowed: Vec::new(),
            turn: 0,
            building: CancellationToken::new(),
            stop,
            served: None,
            picture: None,
            asked: Instant::now(),
        })
    }

    /// Begins to build; the build that runs is given up.
    fn begin(self: &Arc<Self>, one: &mut Shown, order: Order) -> Preview {
        one.building.cancel();
        one.building = CancellationToken::new();
        one.turn += 1;
        one.preview.version = order.version;
        one.preview.state = PreviewState::Building;
        one.preview.message = "building the preview".to_owned();
        one.preview.hint = None;
        one.preview.log_tail.clear();
        let (turn, cancel) = (one.turn, one.building.clone());
        let previews = Arc::clone(self);
        tokio::spawn(async move { previews.build(order, turn, cancel).await });
        one.preview.clone()
    }

    async fn build(self: Arc<Self>, order: Order, turn: u64, cancel: CancellationToken) {
        let alone = tokio::select! {
            () = cancel.cancelled() => return,
            alone = self.building.lock() => alone,
        };
        let id = order.proposal.clone();
        let serial = getrandom::u64().unwrap_or(turn);
        let name = format!("{}/{turn}-{serial:x}", folder_name(&id));
        let folder = self.options.folder.join(name);
        let began = Instant::now();
        let allowed: Vec<String> = self
            .shown()
            .get(&id)
            .map(|shown| shown.allowed.clone())
            .unwrap_or_default();
        let allowed = |digest: &str| allowed.iter().any(|known| known == digest);
        let made = make::make(&self.options, &order, &folder, &allowed, &cancel).await;
        drop(alone);
        let plain = made.as_ref().ok().map(|made| made.plain.clone());
        let (told, old) = self.take(&id, turn, folder, made, began);
        if let Some(preview) = &told {
            self.tell(preview);
        }
        if let Some(old) = old {
            let removed = tokio::task::spawn_blocking(move || disk::remove_tree(&old)).await;
            if let Ok(Err(error)) = removed {
                tracing::warn!(%error, "an old preview's folder cannot be removed");
            }
        }
        if let Some(preview) = told.filter(|preview| preview.state == PreviewState::Ready)
            && let Some(plain) = plain
        {
            self.photograph(preview, plain, turn).await;
        }
    }

    /// Puts what was made in its place; gives what is to be told, and the folder that is no longer needed.
    fn take(
        &self,
        id: &ProposalId,
        turn: u64,
        folder: PathBuf,
        made: Result<make::Made, make::NotMade>,
        began: Instant,
    ) -> (Option<Preview>, Option<PathBuf>) {
        let mut old = Some(folder.clone());
        let mut shown = self.shown();
        let now = shown.get_mut(id).filter(|shown| shown.turn == turn);
        let told = match (now, made) {
            (Some(now), Ok(made)) => {
                now.front.show(made.site, None);
                old = now
                    .served
                    .replace((folder, made.output))
                    .map(|(folder, _)| folder);
                now.preview.state = PreviewState::Ready;
                let millis = began.elapsed().as_millis();
                now.preview.message =
                    std::iter::once(format!("the preview is ready in {millis} ms"))
                        .chain(made.left_out)
                        .collect::<Vec<_>>()
                        .join("; ");
                now.picture = None;
                now.preview.picture = false;
                Some(now.preview.clone())
            }
            (Some(now), Err(error)) if !error.canceled => {
                now.preview.state = if error.held {
                    PreviewState::Held
                } else {
                    PreviewState::Failed
                };
                now.preview.message = error.message;
                now.preview.hint = Some(error.hint).filter(|hint| !hint.is_empty());
                now.preview.log_tail = error.log_tail;
                Some(now.preview.clone())
            }
            _ => None,
        };
        (told, old)
    }

    /// Takes a picture of what is served, where there is a browser.
    async fn photograph(&self, preview: Preview, plain: Arc<Site>, turn: u64) {
        let Ok(browser) = &self.options.browser else {
            return;
        };
        // Served once more without the script that waits for news: a browser that takes a picture waits for all that a
        // page has asked for.
        let stop = CancellationToken::new();
        let _served = stop.clone().drop_guard();
        let taken = match Front::open("the preview", &[], None, Serving::default(), stop) {
            Ok((front, _)) => {
                front.show(plain, None);
                picture::take(browser, &front.url()).await
            }
            Err(error) => Err(format!("no port to take the picture from: {error}")),
        };
        let mut shown = self.shown();
        let Some(now) = shown
            .get_mut(&preview.proposal)
            .filter(|shown| shown.turn == turn)
        else {
            return;
        };
        match taken {
            Ok(bytes) => {
                now.picture = Some(bytes.into());
                now.preview.picture = true;
                now.preview.no_picture = None;
            }
            Err(why) => now.preview.no_picture = Some(why),
        }
        let preview = now.preview.clone();
        drop(shown);
        self.tell(&preview);
    }

    /// Those that are too many, the oldest first.
    fn surplus(&self, shown: &BTreeMap<ProposalId, Shown>) -> Vec<ProposalId> {
        let mut by_age: Vec<(Instant, ProposalId)> = shown
            .iter()
            .map(|(id, shown)| (shown.asked, id.clone()))
            .collect();
        by_age.sort();
        let many = by_age.len().saturating_sub(self.options.keep.max(1));
        by_age.into_iter().take(many).map(|(_, id)| id).collect()
    }

    fn tell(&self, preview: &Preview) {
        self.changed.send_modify(|count| *count += 1);
        // Nobody listens any more: there is nobody to tell.
        let _ = self.told.send(preview.clone());
    }
}

impl Drop for Previews {
    fn drop(&mut self) {
        for one in self
            .shown
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
        {
            one.building.cancel();
            one.stop.cancel();
        }
        let _ = disk::remove_tree(&self.options.folder);
    }
}

/// Ends previews that nobody asked for in a long time.
async fn age(previews: std::sync::Weak<Previews>) {
    const LOOK: Duration = Duration::from_secs(5);
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(previews) = previews.upgrade() else {
            return;
        };
        let lifetime = previews.options.lifetime;
        let old: Vec<ProposalId> = previews
            .shown()
            .iter()
            .filter(|(_, shown)| shown.asked.elapsed() > lifetime)
            .map(|(id, _)| id.clone())
            .collect();
        for id in old {
            previews.end(&id, "its time is over");
        }
    }
}

/// A proposal's folder; an id from elsewhere cannot lead out.
fn folder_name(id: &ProposalId) -> String {
    id.as_str()
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .collect()
}
