//! Recipes: named scaffolds with questions, for what sites often need and plain edits cannot give.
//!
//! A recipe is a folder with a `recipe.toml` and its template files. The built-in ones are compiled in
//! (`assets/recipes`), a site's own stand in `.sayso/recipes/NAME/` of its repository, a person's own in the folder
//! `recipes` beside the configuration; of two with one name the site's wins, then the person's. What a recipe gives is an
//! ordinary proposal: new files and small edits, never a file that is there already.

mod apply;
mod fill;
mod read;
mod shelf;
mod site;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::offline::Offline;
use super::{Generated, Generator, NotMade, Request};
use crate::model::api::RecipeInfo;
use crate::model::{FileEntry, FileTree, Problem, Refusal};

pub use read::{Edit, File, Question, Recipe, Variant};
pub use words::command;

/// The name of the engine that follows recipes.
pub const RECIPE: &str = "recipe";

/// Follows recipes.
pub struct Recipes {
    own: Option<PathBuf>,
    finishers: Vec<Arc<dyn Generator>>,
    offline: Offline,
}

impl Recipes {
    /// Recipes with the person's own in the folder `own`. Of `finishers` the first that leaves this machine fits a
    /// scaffold into the site, where the recipe asks for that.
    pub fn new(own: Option<PathBuf>, components: &str, finishers: &[Arc<dyn Generator>]) -> Self {
        let finishers = finishers.iter().filter(|one| !one.offline());
        Self {
            own,
            finishers: finishers.cloned().collect(),
            offline: Offline::new(components),
        }
    }

    /// What the words ask for: a recipe and its answers; `None` when they ask for something else.
    fn asked(&self, request: &Request) -> Option<Result<(Recipe, words::Asked), Refusal>> {
        let asked = words::read(&request.original).or_else(|| words::read(&request.words))?;
        let shelf = shelf::all(request.tree.as_ref(), self.own.as_deref());
        let found = shelf.iter().find(|recipe| match &recipe {
            Ok(recipe) if asked.explicit => recipe.name == asked.name,
            Ok(recipe) => recipe.is_called(&asked.name),
            Err((name, _)) => asked.explicit && *name == asked.name,
        });
        match found {
            Some(Ok(recipe)) => Some(Ok((recipe.clone(), asked))),
            Some(Err((name, why))) => Some(Err(apply::refused(format!(
                "the recipe {name} cannot be read: {why}"
            )))),
            None if asked.explicit => {
                let names: Vec<&str> = shelf
                    .iter()
                    .filter_map(|one| Some(one.as_ref().ok()?.name.as_str()))
                    .collect();
                Some(Err(apply::refused(format!(
                    "there is no recipe {}",
                    asked.name
                ))
                .hint(format!("there are: {}", names.join(", ")))))
            }
            None => None,
        }
    }

    fn scaffold(&self, request: &Request) -> Result<(Recipe, words::Asked, Generated), Refusal> {
        let (recipe, asked) = self
            .asked(request)
            .unwrap_or_else(|| Err(apply::refused("the words name no recipe")))?;
        let kept = self.offline.site(&request.tree);
        let site = site::look(&kept);
        let made = apply::apply(&recipe, &asked.values, &site, &kept, request.tree.as_ref())?;
        Ok((recipe, asked, made))
    }

    /// Lets a model fit the scaffold into the site; the scaffold stands where that fails.
    async fn finish(&self, request: &Request, with: &str, made: Generated) -> Generated {
        let Some(finisher) = self.finishers.first() else {
            return made;
        };
        let mut over: BTreeMap<String, Option<Arc<[u8]>>> = BTreeMap::new();
        for file in &made.files {
            let text = file.after.as_ref().map(|text| Arc::from(text.as_bytes()));
            over.insert(file.path.clone(), text);
        }
        let next = Request {
            words: with.to_owned(),
            original: with.to_owned(),
            earlier: None,
            tree: Arc::new(Overlay::new(Arc::clone(&request.tree), over)),
            ..request.clone()
        };
        let mut whole = made;
        match finisher.generate(next).await {
            Ok(finished) => {
                for file in finished.files {
                    match whole.files.iter_mut().find(|one| one.path == file.path) {
                        Some(known) => known.after = file.after,
                        None => whole.files.push(file),
                    }
                }
                whole.notes.push(format!(
                    "{} fitted it into the site: {}",
                    finisher.name(),
                    finished.title
                ));
                whole.notes.extend(finished.notes);
                whole.warnings.extend(finished.warnings);
            }
            Err(NotMade::Refused(refusal)) => whole.warnings.push(format!(
                "{} left the scaffold as it is: {}",
                finisher.name(),
                refusal.message
            )),
            Err(NotMade::Failed(problem)) => whole.warnings.push(format!(
                "{} could not fit the scaffold into the site: {}",
                finisher.name(),
                problem.detail
            )),
        }
        whole
    }
}

#[async_trait]
impl Generator for Recipes {
    fn name(&self) -> &'static str {
        RECIPE
    }

    fn offline(&self) -> bool {
        self.finishers.is_empty()
    }

    fn takes(&self, request: &Request) -> bool {
        match self.asked(request) {
            None => false,
            Some(Err(_)) => true,
            Some(Ok((_, asked))) if asked.explicit => true,
            // Where a recipe has nothing for this site, plain words mean what they mean without it.
            Some(Ok((recipe, _))) => {
                let kept = self.offline.site(&request.tree);
                apply::variant(&recipe, &site::look(&kept), &kept).is_ok()
            }
        }
    }

    fn recipes(&self, tree: &Arc<dyn FileTree>) -> Vec<RecipeInfo> {
        let kept = self.offline.site(tree);
        let site = site::look(&kept);
        shelf::all(tree.as_ref(), self.own.as_deref())
            .into_iter()
            .map(|one| match one {
                Ok(recipe) => apply::info(&recipe, &site, &kept),
                Err((name, why)) => RecipeInfo {
                    name,
                    not_here: Some(format!("it cannot be read: {why}")),
                    ..RecipeInfo::default()
                },
            })
            .collect()
    }

    async fn generate(&self, request: Request) -> Result<Generated, NotMade> {
        // Reading a whole site is no work for the runtime's own threads.
        let (recipe, asked, made) =
            tokio::task::block_in_place(|| self.scaffold(&request)).map_err(NotMade::Refused)?;
        match &recipe.finish {
            Some(with) if !asked.alone && !self.finishers.is_empty() => {
                let with = fill::fill(with, &asked.values);
                Ok(self.finish(&request, &with, made).await)
            }
            _ => Ok(made),
        }
    }
}

/// A tree with some files over it.
struct Overlay {
    base: Arc<dyn FileTree>,
    over: BTreeMap<String, Option<Arc<[u8]>>>,
    files: Vec<FileEntry>,
    id: String,
}

impl Overlay {
    fn new(base: Arc<dyn FileTree>, over: BTreeMap<String, Option<Arc<[u8]>>>) -> Self {
        let mut files: Vec<FileEntry> = base
            .files()
            .iter()
            .filter(|entry| !over.contains_key(&entry.path))
            .cloned()
            .collect();
        for (path, bytes) in &over {
            if let Some(bytes) = bytes {
                files.push(FileEntry {
                    path: path.clone(),
                    mode: 0o100_644,
                    oid: crate::model::tree::blob_hash(bytes),
                    size: Some(bytes.len() as u64),
                });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let listing: String = files
            .iter()
            .map(|entry| format!("{} {}\n", entry.oid, entry.path))
            .collect();
        Self {
            id: crate::model::tree::blob_hash(listing.as_bytes()),
            base,
            over,
            files,
        }
    }
}

impl FileTree for Overlay {
    fn id(&self) -> &str {
        &self.id
    }

    fn files(&self) -> &[FileEntry] {
        &self.files
    }

    fn read(&self, path: &str) -> std::io::Result<Option<Arc<[u8]>>> {
        match self.over.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.base.read(path),
        }
    }
}

/// The recipe of this name as `generators` know it.
///
/// # Errors
/// `not-found`.
pub fn find(
    generators: &[Arc<dyn Generator>],
    tree: &Arc<dyn FileTree>,
    name: &str,
) -> Result<RecipeInfo, Problem> {
    let all: Vec<RecipeInfo> = generators
        .iter()
        .flat_map(|one| one.recipes(tree))
        .collect();
    let names: Vec<&str> = all.iter().map(|one| one.name.as_str()).collect();
    let names = names.join(", ");
    all.into_iter().find(|one| one.name == name).ok_or_else(|| {
        Problem::not_found(format!("there is no recipe {name:?}"))
            .hint(format!("there are: {names}"))
    })
}
