//! The offline edit engine: plain requests, exact bytes, no model and no network.
//!
//! Words become readings ([`ask`]), files become one kind of tree ([`parse`], [`doc`]), pages are followed to their
//! literals ([`view`]), the one place that is meant is found or the request refused ([`find`]), and the change is made
//! by splicing bytes ([`deeds`], [`plan`]). Nothing is ever printed from a tree.

pub mod ask;
pub mod choice;
pub mod components;
pub mod deeds;
pub mod doc;
pub mod find;
pub mod parse;
pub mod plan;
pub mod site;
pub mod text;
pub mod view;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::{Generated, Generator, NotMade, Request};
use crate::model::{Candidate, FileTree, Refusal, RefusalReason};
use choice::Choice;
use find::Finder;
use site::Site;

/// The engine. Keeps what it learned of the last tree it saw.
pub struct Offline {
    last: Mutex<Option<(String, Arc<Site>)>>,
    components: String,
}

impl Default for Offline {
    fn default() -> Self {
        Self::new(components::FOLDER)
    }
}

impl Offline {
    /// An engine that looks for a site's own component templates in the folder `components` of its repository.
    pub fn new(components: &str) -> Self {
        Self {
            last: Mutex::default(),
            components: components.to_owned(),
        }
    }

    /// The site at a tree, from memory when it is the last one.
    pub fn site(&self, tree: &Arc<dyn FileTree>) -> Arc<Site> {
        let mut last = self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((id, site)) = last.as_ref()
            && id == tree.id()
        {
            return site.clone();
        }
        // What is alike in the tree before is not read again.
        let before = last.as_ref().map(|(_, site)| site.as_ref());
        let site = Arc::new(Site::new(tree.clone(), &self.components, before));
        *last = Some((tree.id().to_owned(), site.clone()));
        site
    }

    /// Makes the change that a request asks for; an answer to an earlier refusal chooses among its places.
    ///
    /// # Errors
    /// A refusal; see [`RefusalReason`].
    pub fn answer(&self, request: &Request) -> Result<Generated, Refusal> {
        let pointed = request.file_path.as_deref();
        let answer = request.earlier.as_ref().and_then(|earlier| {
            let choice = choice::read(&request.words, earlier.candidates.len())?;
            (!earlier.candidates.is_empty()).then_some((earlier, choice))
        });
        let Some((earlier, choice)) = answer else {
            return self.edit(&request.tree, &request.words, pointed);
        };
        let site = self.site(&request.tree);
        let list = &earlier.candidates;
        let only = |one: &Candidate| {
            choose(
                &site,
                &earlier.words,
                pointed,
                std::slice::from_ref(one),
                &[],
            )
        };
        let unlisted = |what: String| {
            Refusal::new(RefusalReason::Ambiguous, what)
                .hint(format!("say a number from 1 to {}", list.len()))
                .candidates(list.clone())
        };
        match choice {
            Choice::Nth(number) => match choice::nth(list, number) {
                Some(one) => plan::apply(&site, only(one)?),
                None => Err(unlisted(format!("there is no number {number} in the list"))),
            },
            Choice::Line(line) => {
                let fitting: Vec<&Candidate> = list.iter().filter(|one| one.line == line).collect();
                match fitting.as_slice() {
                    [one] => plan::apply(&site, only(one)?),
                    _ => Err(unlisted(format!("line {line} does not tell them apart"))),
                }
            }
            Choice::All => {
                let mut all = plan::Plan::default();
                for one in list {
                    let plan = only(one)?;
                    all.title = plan.title;
                    all.notes.extend(plan.notes);
                    all.warnings.extend(plan.warnings);
                    all.edits.extend(plan.edits);
                    all.files.extend(plan.files);
                }
                all.notes.dedup();
                all.warnings.dedup();
                plan::apply(&site, all)
            }
            Choice::Where(said) => {
                let places = ask::Phrase::new(&format!("it {said}")).places;
                if !places.is_empty()
                    && let Ok(plan) = choose(&site, &earlier.words, pointed, list, &places)
                    && plan.within(&site, list)
                {
                    return plan::apply(&site, plan);
                }
                let named = choice::by_words(list, &said);
                match named.as_slice() {
                    [one] => plan::apply(&site, only(one)?),
                    [] => Err(unlisted(format!(
                        "\u{201c}{said}\u{201d} does not tell them apart"
                    ))),
                    _ => {
                        Err(unlisted(format!("{} of them are {said}", named.len()))
                            .candidates(named))
                    }
                }
            }
        }
    }

    /// Makes the change that `words` ask for.
    ///
    /// # Errors
    /// A refusal; see [`RefusalReason`].
    pub fn edit(
        &self,
        tree: &Arc<dyn FileTree>,
        words: &str,
        file_path: Option<&str>,
    ) -> Result<Generated, Refusal> {
        let site = self.site(tree);
        let plan = choose(&site, words, file_path, &[], &[])?;
        plan::apply(&site, plan)
    }
}

/// The plan for `words`, of the places in `among` (all when empty), in `places` besides those that are said.
fn choose(
    site: &Site,
    words: &str,
    pointed: Option<&str>,
    among: &[Candidate],
    places: &[ask::Place],
) -> Result<plan::Plan, Refusal> {
    if let Some(path) = pointed
        && !site.has(path)
    {
        return Err(Refusal::new(
            RefusalReason::OutOfScope,
            format!("{path} is not a file of this site"),
        ));
    }
    if let Some(refusal) = out_of_scope(words) {
        return Err(refusal);
    }
    if site.all.is_empty() {
        return Err(Refusal::new(
            RefusalReason::NotFound,
            "nothing is committed here yet, so there is no page to change",
        )
        .hint(
            "commit the site first (git add, git commit): a change is made to what is committed",
        ));
    }
    let finder = Finder {
        site,
        pointed,
        among,
    };
    let mut asks = ask::parse(words);
    if asks.is_empty() {
        return Err(Refusal::new(
            RefusalReason::Unclear,
            format!("\u{201c}{words}\u{201d} is not a change that is understood"),
        )
        .hint("say what to change and to what: change the headline to 'Hello'"));
    }
    let mut refusal: Option<Refusal> = None;
    let mut part: Option<plan::Plan> = None;
    // "the button border radius": what is said to be a property is no text.
    let styled = asks
        .first()
        .is_some_and(|ask| matches!(ask, ask::Ask::Style { property, .. } if !property.is_empty()));
    let coloured = asks.first().is_some_and(|ask| {
        matches!(ask, ask::Ask::Style { property, value, .. }
            if !property.is_empty() && ask::colors::parse(&value.text).is_some())
    });
    for (reading, ask) in asks.iter_mut().enumerate() {
        // Nor is its value one: "the h1 font size" never becomes the headline's text.
        if styled
            && reading > 0
            && matches!(ask, ask::Ask::Set { target, .. } if target.role().is_some() && target.quoted.is_empty())
        {
            continue;
        }
        ask::parse::with_places(ask, places);
        for phrase in ask.phrases() {
            finder.settle(phrase);
        }
        let text = matches!(ask, ask::Ask::Set { .. });
        match deeds::plan(&finder, ask) {
            // "the primary colour" is no value that happens to be called "color" and holds none.
            Ok(plan) if coloured && text && reading > 0 && !recolours(site, &plan) => {
                refusal = refusal
                    .or_else(|| Some(find::not_found("no colour of that name is set on the site")));
            }
            // Part of a text fits many readings; a whole text, a role or a key fits one.
            Ok(plan) if plan.part => {
                let longest = part.as_ref().map_or(0, plan::Plan::replaced);
                if plan.replaced() > longest {
                    part = Some(plan);
                }
            }
            Ok(plan) => return Ok(plan),
            Err(found) => {
                // A reading that found nothing makes room for the next; one that found too much does not.
                let weak = matches!(
                    found.reason,
                    RefusalReason::NotFound | RefusalReason::Unclear
                );
                let better = refusal.as_ref().is_none_or(|known| {
                    known.reason == RefusalReason::Unclear
                        || (known.candidates.is_empty() && !found.candidates.is_empty())
                });
                if !weak && styled && reading > 0 {
                    continue;
                }
                if !weak {
                    return Err(found);
                }
                if better {
                    refusal = Some(found);
                }
            }
        }
    }
    if let Some(plan) = part {
        return Ok(plan);
    }
    let refusal =
        refusal.unwrap_or_else(|| Refusal::new(RefusalReason::Unclear, "this is not understood"));
    Err(generated_instead(site, refusal))
}

#[async_trait]
impl Generator for Offline {
    fn name(&self) -> &'static str {
        super::OFFLINE
    }

    async fn generate(&self, request: Request) -> Result<Generated, NotMade> {
        self.answer(&request).map_err(NotMade::from)
    }
}

/// Whether all that a plan replaces are colours.
fn recolours(site: &Site, plan: &plan::Plan) -> bool {
    plan.edits.iter().all(|edit| {
        site.doc(&edit.path).is_some_and(|doc| {
            let old = doc.raw(edit.span.clone());
            let old =
                old.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`'));
            ask::colors::parse(old).is_some()
                || ["#", "rgb", "hsl", "var(", "$"]
                    .iter()
                    .any(|lead| old.starts_with(lead))
        })
    })
}

/// A spelled-out hex colour, or one in notation.
pub(crate) fn spoken_hex(text: &str) -> Option<String> {
    crate::intent::numbers::hex(text)
}

/// A refusal for what lies outside the site, or is secret.
fn out_of_scope(words: &str) -> Option<Refusal> {
    let lower = words.to_lowercase();
    let outside = lower.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| matches!(c, '\'' | '"' | ',' | '.' | '`'));
        word.starts_with("../")
            || word.contains("/../")
            || ["/etc/", "/usr/", "/home/", "/var/", "/root/", "~/"]
                .iter()
                .any(|root| word.starts_with(root))
    });
    let secret = lower.split_whitespace().any(|word| {
        let word = word.trim_matches(|c: char| !(c.is_alphanumeric() || c == '.'));
        word == ".env" || word.starts_with(".env.") || word == "env.local"
    }) || [
        "api key",
        "secret key",
        "private key",
        "access token",
        "api token",
    ]
    .iter()
    .any(|phrase| {
        // In quotes it is a text on a page.
        lower.find(phrase).is_some_and(|at| {
            !crate::intent::clean::quoted_spans(&lower)
                .iter()
                .any(|(a, b)| (*a..*b).contains(&at))
        })
    });
    (outside || secret).then(|| {
        let why = if outside {
            "it lies outside the site"
        } else {
            "secrets are not part of a site's text"
        };
        Refusal::new(
            RefusalReason::OutOfScope,
            format!("this cannot be changed here: {why}"),
        )
    })
}

/// When a site has no pages of its own but built ones, the refusal names what they are built from.
fn generated_instead(site: &Site, refusal: Refusal) -> Refusal {
    let weak = matches!(
        refusal.reason,
        RefusalReason::NotFound | RefusalReason::Unclear
    );
    if !weak || !site.pages().is_empty() {
        return refusal;
    }
    let line = |path: &String| Candidate {
        file: path.clone(),
        line: 1,
        text: site
            .text(path)
            .and_then(|text| text.lines().next().map(str::to_owned))
            .unwrap_or_default(),
    };
    let built: Vec<&String> = site
        .files
        .iter()
        .filter(|path| path.ends_with(".html") && site::detect::generated(site, path).is_some())
        .collect();
    if built.is_empty() {
        return refusal;
    }
    let sources = ["pug", "jade", "haml", "hbs", "twig", "ejs", "njk", "slim"];
    let mut candidates: Vec<_> = site
        .files
        .iter()
        .filter(|path| sources.iter().any(|end| path.ends_with(&format!(".{end}"))))
        .map(line)
        .collect();
    candidates.sort_by_key(|found| !found.file.contains("index"));
    candidates.extend(built.into_iter().map(line));
    candidates.truncate(12);
    Refusal::new(
        RefusalReason::Generated,
        "the pages here are build output; change their source and build again",
    )
    .hint("build output is never edited: the next build would undo it")
    .candidates(candidates)
}
