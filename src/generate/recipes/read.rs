//! What a recipe says: its `recipe.toml`, and the template files beside it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::generate::edits::path::checked;

/// Something to be asked before a recipe is followed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The name of the answer: `%{name}` in the templates.
    pub name: String,
    /// The question.
    pub ask: String,
    /// The answer where none is given; without one it must be given.
    pub default: Option<String>,
    /// A regular expression that the whole answer matches.
    pub pattern: Option<String>,
    /// The answers that there are.
    #[serde(default)]
    pub choices: Vec<String>,
}

/// A file that is made.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its path, with answers filled in.
    pub path: String,
    /// The template in the recipe's folder.
    pub from: String,
    /// Only when this question is answered with yes.
    #[serde(rename = "if")]
    pub only_if: Option<String>,
}

/// A small change of a file that is there.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Where it may be, the first that is there; `pages` alone: every HTML page of the site; `heads` alone: every layout with a head.
    pub files: Vec<String>,
    /// The text goes before this one, which occurs once.
    pub before: Option<String>,
    /// The text goes after this one, which occurs once.
    pub after: Option<String>,
    /// The text goes into the opening tag that begins with this, before its `>`.
    pub into_tag: Option<String>,
    /// The text goes after the opening tag that begins with this.
    pub after_tag: Option<String>,
    /// At the very beginning of the file.
    #[serde(default)]
    pub at_start: bool,
    /// What is put in.
    pub text: String,
    /// Nothing is put in where this stands already.
    pub unless: Option<String>,
    /// What a person must do where the place is not found; without it the recipe is refused then.
    pub by_hand: Option<String>,
}

/// What a recipe does on one kind of site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// The kinds of sites: `next`, `sveltekit`, `astro`, `express`, `nest`, `html`, `react`, `vue` …
    #[serde(rename = "for")]
    pub kinds: Vec<String>,
    /// Files that must be there.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Files that must not be there.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// The reason why the recipe is not for these sites: it is refused with it.
    pub not_here: Option<String>,
    /// Files that are made.
    #[serde(default)]
    pub file: Vec<File>,
    /// Files that are changed.
    #[serde(default)]
    pub edit: Vec<Edit>,
    /// What a person should know.
    #[serde(default)]
    pub notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    title: String,
    about: String,
    #[serde(default)]
    say: Vec<String>,
    finish: Option<String>,
    #[serde(default)]
    question: Vec<Question>,
    #[serde(default)]
    variant: Vec<Variant>,
}

/// A recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Its name: that of its folder.
    pub name: String,
    /// Where it comes from: `built in`, `this site`, `your own`.
    pub origin: &'static str,
    /// What it does, in one line; becomes the commit message.
    pub title: String,
    /// What it gives.
    pub about: String,
    /// What people call it.
    pub say: Vec<String>,
    /// How a model fits the scaffold into the site.
    pub finish: Option<String>,
    /// What is asked.
    pub questions: Vec<Question>,
    /// What it does on which sites, the first that fits.
    pub variants: Vec<Variant>,
    /// The templates by their names.
    pub templates: BTreeMap<String, String>,
}

impl Recipe {
    /// Reads a recipe from its files.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub fn read(
        name: &str,
        origin: &'static str,
        toml: &str,
        templates: BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let written: Written =
            toml::from_str(toml).map_err(|error| format!("recipe.toml: {}", error.message()))?;
        for variant in &written.variant {
            for file in &variant.file {
                if !templates.contains_key(&file.from) {
                    return Err(format!("the template {} is missing", file.from));
                }
                // Answers are checked once they are filled in.
                checked(&file.path.replace("%{", "x").replace('}', "x"))
                    .map_err(|_| format!("the path {} leads out of the site", file.path))?;
            }
            for edit in &variant.edit {
                let places = [
                    edit.before.is_some(),
                    edit.after.is_some(),
                    edit.into_tag.is_some(),
                    edit.after_tag.is_some(),
                    edit.at_start,
                ];
                if places.iter().filter(|place| **place).count() != 1 {
                    return Err(
                        "an edit names exactly one of before, after, into_tag, after_tag, at_start"
                            .to_owned(),
                    );
                }
            }
        }
        for question in &written.question {
            if let Some(pattern) = &question.pattern {
                regex::Regex::new(pattern)
                    .map_err(|_| format!("the pattern of {} makes no sense", question.name))?;
            }
        }
        Ok(Self {
            name: name.to_owned(),
            origin,
            title: written.title,
            about: written.about,
            say: written.say,
            finish: written.finish,
            questions: written.question,
            variants: written.variant,
            templates,
        })
    }

    /// True when people call it that.
    pub fn is_called(&self, words: &str) -> bool {
        let spaced = self.name.replace('-', " ");
        spaced == words || self.say.iter().any(|say| say == words)
    }
}
