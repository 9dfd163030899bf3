//! The thread that works out colours. It begins with the first job and ends with the cockpit.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::mpsc::UnboundedSender;

use super::highlight::Source;
use super::message::{Message, Outcome};
use super::model::painting::{PaintJob, Painted};

/// Trees kept: both sides of a few files.
const KEPT: usize = 6;

/// Hands jobs to the thread.
pub struct Painter {
    results: UnboundedSender<Message>,
    jobs: Option<Sender<PaintJob>>,
}

impl Painter {
    /// A painter whose answers go to `results`. No thread runs yet.
    pub fn new(results: UnboundedSender<Message>) -> Self {
        Self {
            results,
            jobs: None,
        }
    }

    /// Hands in a job. Should no thread be had, the text stays plain.
    pub fn begin(&mut self, job: PaintJob) {
        if self.jobs.is_none() {
            let (jobs, waiting) = channel();
            let results = self.results.clone();
            let started = std::thread::Builder::new()
                .name("sayso-colours".to_owned())
                .spawn(move || work(&waiting, &results));
            if let Err(error) = started {
                tracing::warn!("the diff stays without colours: {error}");
                return;
            }
            self.jobs = Some(jobs);
        }
        if let Some(jobs) = &self.jobs {
            // The thread ends only with the cockpit.
            let _ = jobs.send(job);
        }
    }
}

/// Colours can wait for whoever presses a key: on a machine with few cores the system is told so.
fn give_way() {
    // Only Linux means the calling thread by this; elsewhere it is the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!("the colours do not give way: {error}");
    }
}

fn work(waiting: &Receiver<PaintJob>, results: &UnboundedSender<Message>) {
    give_way();
    let mut sources = Sources::default();
    let mut queue: VecDeque<PaintJob> = VecDeque::new();
    loop {
        if queue.is_empty() {
            match waiting.recv() {
                Ok(job) => queue.push_back(job),
                Err(_) => return,
            }
        }
        queue.extend(waiting.try_iter());
        // What was asked for last is what is looked at now.
        let Some(job) = queue.pop_back() else {
            continue;
        };
        let painted = sources.paint(&job);
        if results
            .send(Message::Done(Box::new(Outcome::Painted(painted))))
            .is_err()
        {
            return;
        }
    }
}

/// Texts with their trees, the newest last.
#[derive(Default)]
pub struct Sources {
    known: VecDeque<(Arc<str>, Option<Source>)>,
}

impl Sources {
    /// Does a job.
    pub fn paint(&mut self, job: &PaintJob) -> Painted {
        let same = |(text, _): &(Arc<str>, Option<Source>)| Arc::ptr_eq(text, &job.text);
        let known = match self.known.iter().position(same) {
            Some(at) => self.known.remove(at),
            None => None,
        };
        let entry = known.unwrap_or_else(|| {
            let source = Source::new(&job.path, &job.text);
            (Arc::clone(&job.text), source)
        });
        let lines = match &entry.1 {
            Some(source) => source.lines(&job.text, job.lines.clone()),
            None => Vec::new(),
        };
        if self.known.len() >= KEPT {
            self.known.pop_front();
        }
        self.known.push_back(entry);
        Painted {
            proposal: job.proposal.clone(),
            epoch: job.epoch,
            file: job.file,
            new: job.new,
            first: job.lines.start,
            lines,
        }
    }
}
