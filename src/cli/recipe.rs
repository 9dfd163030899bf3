//! `sayso recipe`: named scaffolds with questions, for what sites often need.

use std::collections::BTreeMap;

use super::embed::Session;
use super::{Exit, Place, print, say};
use crate::generate::recipes;
use crate::model::Problem;
use crate::model::api::{RecipeInfo, RecipeQuestion};

/// Arguments of `sayso recipe`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// True when the answer is for a program.
    pub fn json(&self) -> bool {
        match &self.command {
            Command::List { json } | Command::Show { json, .. } => *json,
            Command::Run(run) => run.json,
        }
    }
}

#[derive(clap::Subcommand, Debug)]
enum Command {
    /// The recipes, and which of them are for this site.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// One recipe: what it gives, what it asks.
    Show {
        /// Its name.
        name: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Follow a recipe. What comes of it is a proposal.
    Run(Run),
}

#[derive(clap::Args, Debug)]
struct Run {
    /// Its name.
    name: String,
    /// The answer to a question (`sayso recipe show NAME` lists them); may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The scaffold only, also where a model is set up that could fit it into the site.
    #[arg(long)]
    alone: bool,
    /// How far to go once approved.
    #[arg(long, value_enum, default_value = "preview")]
    action: say::ActionArg,
    /// Approve without asking, and take every answer that the recipe has by itself.
    #[arg(long, short)]
    yes: bool,
    /// One JSON event a line, and nothing else, on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub async fn run(place: &Place, args: Args) -> Result<Exit, Problem> {
    let session = Session::open(place).await?;
    let result = match args.command {
        Command::List { json } => list(&session, json).await,
        Command::Show { name, json } => show(&session, &name, json).await,
        Command::Run(run) => {
            return match prepared(&session, &run).await {
                Ok(args) => say::within(session, place, args, None).await,
                Err(problem) => {
                    session.close().await;
                    Err(problem)
                }
            };
        }
    };
    session.close().await;
    result
}

async fn list(session: &Session, json: bool) -> Result<Exit, Problem> {
    let recipes = session.client.recipes().await?;
    if json {
        print::line(&serde_json::to_string(&recipes).map_err(Problem::internal)?);
        return Ok(Exit::Done);
    }
    let wide = recipes
        .iter()
        .map(|recipe| recipe.name.len())
        .max()
        .unwrap_or(0);
    for recipe in &recipes {
        print::line(&format!(
            "{:<wide$}  {} ({})",
            recipe.name,
            recipe.about.lines().next().unwrap_or_default(),
            recipe.origin
        ));
        if let Some(why) = &recipe.not_here {
            print::line(&format!("{:<wide$}  not here: {why}", ""));
        }
    }
    Ok(Exit::Done)
}

async fn show(session: &Session, name: &str, json: bool) -> Result<Exit, Problem> {
    let recipe = session.client.recipe(name).await?;
    if json {
        print::line(&serde_json::to_string(&recipe).map_err(Problem::internal)?);
        return Ok(Exit::Done);
    }
    for line in describe(&recipe) {
        print::line(&line);
    }
    Ok(Exit::Done)
}

fn describe(recipe: &RecipeInfo) -> Vec<String> {
    let mut out = vec![format!(
        "{}: {} ({})",
        recipe.name, recipe.title, recipe.origin
    )];
    out.extend(recipe.about.lines().map(|line| format!("  {line}")));
    match &recipe.not_here {
        Some(why) => out.push(format!("not here: {why}")),
        None => {
            out.push(format!("makes, on this {} site:", recipe.site));
            out.extend(recipe.files.iter().map(|file| format!("  {file}")));
        }
    }
    if !recipe.questions.is_empty() {
        out.push("asks:".to_owned());
    }
    for question in &recipe.questions {
        let choices = if question.choices.is_empty() {
            String::new()
        } else {
            format!(" ({})", question.choices.join(", "))
        };
        let default = match &question.default {
            Some(default) => format!(" [{default}]"),
            None => " (must be given)".to_owned(),
        };
        out.push(format!(
            "  {}: {}{choices}{default}",
            question.name, question.ask
        ));
    }
    if recipe.finish {
        out.push("where a model is set up, it fits the scaffold into the site".to_owned());
    }
    out.push(format!("follow it: sayso recipe run {}", recipe.name));
    out
}

/// The instruction that follows the recipe, with the answers.
async fn prepared(session: &Session, run: &Run) -> Result<say::Args, Problem> {
    let mut set = BTreeMap::new();
    for pair in &run.set {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Problem::new(
                400,
                "usage",
                format!("--set {pair}: an answer is NAME=VALUE"),
            )
            .hint(format!(
                "sayso recipe show {} lists the questions",
                run.name
            ))
        })?;
        set.insert(name.trim().to_owned(), value.to_owned());
    }
    let recipe = session.client.recipe(&run.name).await?;
    if !run.yes && !run.json && recipe.not_here.is_none() {
        for question in &recipe.questions {
            if !set.contains_key(&question.name)
                && let Some(value) = ask(question)
            {
                set.insert(question.name.clone(), value);
            }
        }
    }
    // From here on it is an instruction like any other.
    Ok(say::Args::with(
        recipes::command(&run.name, &set, run.alone),
        recipes::RECIPE,
        run.action,
        run.yes,
        run.json,
    ))
}

/// Asks on the terminal; `None` where there is none, or for the answer that the recipe has by itself.
fn ask(question: &RecipeQuestion) -> Option<String> {
    let mut text = question.ask.clone();
    if !question.choices.is_empty() {
        text.push_str(&format!(" ({})", question.choices.join(", ")));
    }
    if let Some(default) = &question.default {
        text.push_str(&format!(" [{default}]"));
    }
    print::ask_text(&text).filter(|answer| !answer.is_empty())
}
