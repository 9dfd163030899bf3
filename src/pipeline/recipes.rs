//! Recipes: listed for this site, and followed as instructions.

use std::sync::Arc;

use super::Conductor;
use crate::generate::recipes;
use crate::intent::misheard;
use crate::model::api::{RecipeInfo, RunRecipe, SiteWords, Submission};
use crate::model::{Identity, InstructionId, Problem};

impl Conductor {
    /// What may be said on this site.
    ///
    /// # Errors
    /// The repository's own.
    pub async fn words(&self) -> Result<SiteWords, Problem> {
        let known = self.phrases().await;
        let head = self.repo.standing().await?.head;
        let tree = self.repo.tree(&head).await?;
        let read = tokio::task::spawn_blocking(move || misheard::labels(tree.as_ref()));
        let mut names = known.names.clone();
        for label in read.await.map_err(Problem::internal)? {
            if !names.contains(&label) {
                names.push(label);
            }
        }
        let phrases = known.says.to_vec();
        Ok(SiteWords { phrases, names })
    }

    /// All recipes, with what they do on this site.
    ///
    /// # Errors
    /// The repository's own.
    pub async fn recipes(&self) -> Result<Vec<RecipeInfo>, Problem> {
        let head = self.repo.standing().await?.head;
        let tree = self.repo.tree(&head).await?;
        let generators = self.generators.clone();
        let listed = tokio::task::spawn_blocking(move || {
            let all = generators.iter().flat_map(|one| one.recipes(&tree));
            all.collect()
        });
        listed.await.map_err(Problem::internal)
    }

    /// One recipe.
    ///
    /// # Errors
    /// `not-found`; the repository's own.
    pub async fn recipe(&self, name: &str) -> Result<RecipeInfo, Problem> {
        let head = self.repo.standing().await?.head;
        let tree = self.repo.tree(&head).await?;
        let (generators, name) = (self.generators.clone(), name.to_owned());
        let found = tokio::task::spawn_blocking(move || recipes::find(&generators, &tree, &name));
        found.await.map_err(Problem::internal)?
    }

    /// Follows a recipe: an instruction like any other, whose proposal is the scaffold.
    ///
    /// # Errors
    /// `not-found`; what keeps an instruction from being taken.
    pub async fn run_recipe(
        self: &Arc<Self>,
        name: &str,
        run: RunRecipe,
        key: Option<&str>,
        by: &Identity,
    ) -> Result<InstructionId, Problem> {
        let recipe = self.recipe(name).await?;
        let submission = Submission {
            prompt: Some(recipes::command(&recipe.name, &run.set, run.alone)),
            action: run.action,
            engine: Some(recipes::RECIPE.to_owned()),
            ..Submission::default()
        };
        self.submit(submission, None, key, by).await
    }
}
