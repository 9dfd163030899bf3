//! A language model as a [`Generator`]: shows it the site, takes its answer, gives back what does not fit, at most twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::prompt;
use super::send::{Told, send};
use super::{Delta, Failure, Options, Protocol, Reply, Usage};
use crate::generate::context::{self, Context, Wanted};
use crate::generate::edits::{self, Answer, Applied, Fault, Limits, partial};
use crate::generate::offline::Offline;
use crate::generate::{Generated, Generator, NotMade, Request, Step, plan};
use crate::model::{PlanLine, Problem, Refusal, RefusalReason};

/// How often an answer that does not fit is given back.
const REPAIRS: usize = 2;

/// How often a draft is shown while it is written. The first one is shown at once.
const DRAFTS: Duration = Duration::from_millis(120);

/// What a million tokens cost, in the account's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// Read.
    pub input: f64,
    /// Read from a cache.
    pub cached: f64,
    /// Written.
    pub output: f64,
}

impl Price {
    /// What `usage` cost; `None` when no price is known.
    pub fn of(&self, usage: Usage) -> Option<f64> {
        if self.input <= 0.0 && self.output <= 0.0 {
            return None;
        }
        let fresh = usage.input.saturating_sub(usage.cached) as f64;
        let cached = usage.cached as f64;
        Some((fresh * self.input + cached * self.cached + usage.output as f64 * self.output) / 1e6)
    }
}

/// A model behind a service.
pub struct Engine {
    protocol: Box<dyn Protocol>,
    options: Options,
    price: Price,
    limits: Limits,
    /// A change of more files than so many is shown as a plan first; 0: never.
    few: usize,
    /// Tokens of the site that are sent.
    budget: usize,
    /// Whether the model is asked to call a tool.
    tools: bool,
    /// Knows the site already.
    offline: Arc<Offline>,
}

/// What an engine is made of.
pub struct Parts {
    /// The service.
    pub protocol: Box<dyn Protocol>,
    /// How it is asked.
    pub options: Options,
    /// What it costs.
    pub price: Price,
    /// How much it may change at once.
    pub limits: Limits,
    /// A change of more files than so many is shown as a plan first; 0: never.
    pub few: usize,
    /// Tokens of the site that are sent.
    pub budget: usize,
    /// Whether the model is asked to call a tool.
    pub tools: bool,
    /// The engine that knows the site.
    pub offline: Arc<Offline>,
}

impl Engine {
    /// An engine.
    pub fn new(parts: Parts) -> Self {
        Self {
            protocol: parts.protocol,
            options: parts.options,
            price: parts.price,
            limits: parts.limits,
            few: parts.few,
            budget: parts.budget,
            tools: parts.tools,
            offline: parts.offline,
        }
    }

    fn context(&self, request: &Request) -> Context {
        let site = self.offline.site(&request.tree);
        let wanted = Wanted {
            words: &request.words,
            pointed: request.file_path.as_deref(),
            background: &request.background,
            budget: self.budget,
        };
        context::gather(&site, &wanted)
    }

    async fn ask(&self, request: &Request, exchange: &super::Exchange) -> Result<Reply, Failure> {
        let mut draft = Draft::default();
        send(
            self.protocol.as_ref(),
            &self.options,
            exchange,
            |told| match told {
                Told::Waiting(wait, why) => {
                    // The next try begins anew.
                    draft = Draft::default();
                    let seconds = wait.as_secs_f32();
                    request.tell(Step::Note(format!("{why}; trying again in {seconds:.1} s")));
                }
                Told::Delta(Delta::Tool(part)) => {
                    if let Some(answer) = draft.take(&part)
                        && let Some(step) = shown(request, &answer)
                    {
                        request.tell(step);
                    }
                }
                Told::Delta(Delta::Text(_) | Delta::Thinking) => {}
            },
        )
        .await
    }

    /// Shows a model's plan to the person; one of few files needs no answer.
    async fn planned(
        &self,
        request: &Request,
        lines: Vec<PlanLine>,
    ) -> Result<plan::Agreed, Refusal> {
        if self.few == 0 || lines.len() <= self.few {
            return Ok(plan::Agreed {
                kept: lines,
                left_out: Vec::new(),
            });
        }
        plan::agree(request, self.protocol.name(), lines).await
    }

    /// Reads and makes an answer.
    fn make(&self, request: &Request, reply: &Reply) -> Result<(Answer, Applied), Vec<Fault>> {
        if reply.cut {
            let why = format!(
                "the answer was longer than {} tokens: make it shorter",
                self.options.max_tokens
            );
            return Err(vec![Fault::new("", why)]);
        }
        let answer = edits::read(reply.content()).map_err(|fault| vec![fault])?;
        let applied = edits::apply(request.tree.as_ref(), &answer, self.limits)?;
        Ok((answer, applied))
    }

    fn generated(
        &self,
        answer: &Answer,
        applied: Applied,
        context: &Context,
        spent: &Spent,
    ) -> Generated {
        let Spent { usage, repairs, .. } = *spent;
        let mut notes = Vec::new();
        let mut line = format!("{} ({})", self.protocol.name(), self.options.model);
        line.push_str(&format!(": {} tokens read", usage.input));
        if usage.cached > 0 {
            line.push_str(&format!(" ({} from its cache)", usage.cached));
        }
        line.push_str(&format!(", {} written", usage.output));
        if let Some(cost) = self.price.of(usage) {
            line.push_str(&format!(", cost {cost:.4}"));
        }
        notes.push(line);
        if repairs > 0 {
            let times = if repairs == 1 { "once" } else { "twice" };
            notes.push(format!(
                "its first answer did not fit and was given back {times}"
            ));
        }
        if !context.files.is_empty() {
            notes.push(format!("it was shown {}", context.files.join(", ")));
        }
        if applied.already > 0 {
            notes.push(format!(
                "{} of its edits were there already",
                applied.already
            ));
        }
        notes.extend(spent.agreed.as_ref().and_then(plan::Agreed::note));
        let title = answer.note.lines().next().unwrap_or_default().trim();
        let title: String = title.trim_end_matches('.').chars().take(100).collect();
        Generated {
            title,
            notes,
            warnings: applied.warnings,
            files: applied.files,
        }
    }
}

#[async_trait]
impl Generator for Engine {
    fn name(&self) -> &'static str {
        self.protocol.name()
    }

    fn offline(&self) -> bool {
        false
    }

    async fn generate(&self, request: Request) -> Result<Generated, NotMade> {
        let context = self.context(&request);
        let mut exchange = prompt::open(&request.words, &context.text, self.tools, self.few);
        let mut spent = Spent::default();
        request.tell(Step::Note(format!(
            "asking {} ({}), with {} files of the site",
            self.protocol.name(),
            self.options.model,
            context.files.len()
        )));
        loop {
            let reply = match self.ask(&request, &exchange).await {
                Ok(reply) => reply,
                Err(failure) => return Err(NotMade::Failed(failure.problem)),
            };
            spent.usage += reply.usage;
            let faults = match self.make(&request, &reply) {
                Ok((answer, _)) if !answer.cannot.trim().is_empty() && answer.edits.is_empty() => {
                    let why: String = answer.cannot.trim().chars().take(400).collect();
                    return Err(Refusal::new(RefusalReason::Unclear, why)
                        .hint("say more exactly what to change, or point at the file")
                        .into());
                }
                Ok((answer, applied))
                    if applied.files.is_empty()
                        && spent.agreed.is_none()
                        && !plan::lines(&answer).is_empty() =>
                {
                    let agreed = self.planned(&request, plan::lines(&answer)).await?;
                    prompt::go_on(&mut exchange, reply.content(), &agreed.kept);
                    spent.agreed = Some(agreed);
                    continue;
                }
                Ok((_, applied)) if applied.files.is_empty() && applied.already > 0 => {
                    return Err(Refusal::new(
                        RefusalReason::Unclear,
                        "nothing would change: the site already says so",
                    )
                    .into());
                }
                Ok((_, applied)) if applied.files.is_empty() => {
                    vec![Fault::new("", "the answer holds no edits")]
                }
                Ok((mut answer, mut applied)) => 'made: {
                    if let Some(beyond) = spent.beyond(&applied) {
                        break 'made beyond;
                    }
                    if spent.agreed.is_none() {
                        let said = plan::lines(&answer);
                        let cut = plan::cut(
                            &request,
                            self.protocol.name(),
                            self.few,
                            &mut applied.files,
                            &said,
                        );
                        spent.agreed = Some(cut.await?);
                    }
                    if answer.note.trim().is_empty() {
                        answer.note.clone_from(&request.original);
                    }
                    return Ok(self.generated(&answer, applied, &context, &spent));
                }
                Err(faults) => faults,
            };
            if spent.repairs == REPAIRS || faults.iter().any(|fault| fault.grave) {
                return Err(NotMade::Failed(unfit(self.protocol.name(), &faults)));
            }
            spent.repairs += 1;
            request.tell(Step::Note(format!(
                "its answer did not fit and goes back: {}",
                faults[0]
            )));
            prompt::again(&mut exchange, reply.content(), &faults);
        }
    }
}

/// What a conversation has taken and brought so far.
#[derive(Default)]
struct Spent {
    usage: Usage,
    /// How often an answer was given back.
    repairs: usize,
    /// The plan, once the person has seen it.
    agreed: Option<plan::Agreed>,
}

impl Spent {
    /// What goes beyond the plan that was agreed on.
    fn beyond(&self, applied: &Applied) -> Option<Vec<Fault>> {
        let agreed = self.agreed.as_ref()?;
        let beyond = applied
            .files
            .iter()
            .filter(|file| !agreed.allows(&file.path));
        let faults: Vec<Fault> = beyond
            .map(|file| Fault::new(&file.path, "is not in the plan that the person agreed to"))
            .collect();
        (!faults.is_empty()).then_some(faults)
    }
}

/// An answer that was given up.
fn unfit(name: &str, faults: &[Fault]) -> Problem {
    let mut said: Vec<String> = faults.iter().take(3).map(ToString::to_string).collect();
    if faults.len() > 3 {
        said.push(format!("and {} more", faults.len() - 3));
    }
    Problem::new(
        422,
        "model-unfit",
        format!(
            "the change that {name} proposed does not fit the site: {}",
            said.join("; ")
        ),
    )
    .hint("nothing was changed; say it in other words, point at the file, or take another model")
}

/// The answer as far as it has come.
#[derive(Default)]
struct Draft {
    text: String,
    shown: Option<Instant>,
}

impl Draft {
    /// The answer so far, when it is worth showing again.
    fn take(&mut self, part: &str) -> Option<Answer> {
        self.text.push_str(part);
        if self.shown.is_some_and(|at| at.elapsed() < DRAFTS) {
            return None;
        }
        let answer = partial::so_far(&self.text)?;
        // Before the first new text there is nothing to see.
        let any = answer.edits.iter().any(|edit| !edit.new.is_empty())
            || answer.new_files.iter().any(|file| !file.content.is_empty());
        any.then(|| {
            self.shown = Some(Instant::now());
            answer
        })
    }
}

/// What a draft looks like: the files as they would be. Edits that do not fit yet are left out.
fn shown(request: &Request, answer: &Answer) -> Option<Step> {
    let mut whole = answer.clone();
    // The last edit is still being written: its old text is whole as soon as there is new text.
    whole.edits.retain(|edit| !edit.new.is_empty());
    let (mut files, mut seen) = (Vec::new(), 0);
    for edit in &whole.edits {
        let Ok(path) = edits::path::checked(&edit.file) else {
            continue;
        };
        let Ok(Some(bytes)) = request.tree.read(&path) else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        seen += 1;
        if text.matches(&edit.old).count() == 1 {
            files.push((path, edit.old.clone(), edit.new.clone()));
        }
    }
    for file in &whole.new_files {
        if !file.content.is_empty() {
            seen += 1;
            files.push((file.file.clone(), String::new(), file.content.clone()));
        }
    }
    (!files.is_empty()).then(|| Step::Draft {
        note: answer.note.clone(),
        edits: files,
        of: seen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_counts_what_came_from_the_cache_apart() {
        let price = Price {
            input: 3.0,
            cached: 0.3,
            output: 15.0,
        };
        let usage = Usage {
            input: 1_000_000,
            cached: 500_000,
            output: 100_000,
        };
        let cost = price.of(usage).unwrap();
        assert!((cost - (1.5 + 0.15 + 1.5)).abs() < 1e-9, "{cost}");
        assert_eq!(Price::default().of(usage), None);
    }

    #[test]
    fn a_draft_is_shown_as_soon_as_there_is_new_text() {
        let mut draft = Draft::default();
        assert_eq!(
            draft.take(r#"{"note":"x","edits":[{"file":"a.html","old":"1","#),
            None
        );
        let answer = draft.take(r#""new":"2"#).unwrap();
        assert_eq!(answer.edits[0].new, "2");
        assert_eq!(draft.take("3"), None, "not twice in a moment");
    }
}
