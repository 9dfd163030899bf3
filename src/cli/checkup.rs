//! The list of `sayso doctor` for the cockpit, with what the cockpit can mend by itself.

use async_trait::async_trait;

use super::{Place, doctor};
use crate::config::Paths;
use crate::model::Problem;
use crate::speech;
use crate::speech::install::catalog;
use crate::speech::local::Local;
use crate::speech::local::files::Kind;
use crate::tui::checkup::{Doctor, Item};

/// The name of the item that [`Machine::fix`] can mend.
const SPEECH: &str = "speech";

/// This machine, seen from a project.
pub struct Machine {
    /// The project.
    pub place: Place,
    /// The model that the configuration names.
    pub model: String,
}

#[async_trait]
impl Doctor for Machine {
    async fn look(&self) -> Vec<Item> {
        // The microphone is tried by the person, who sees the level: it is not opened behind their back.
        match doctor::look(&self.place, false).await {
            Ok(checks) => checks
                .into_iter()
                // The cockpit runs in it, and shows itself what it tells.
                .filter(|check| check.name != "terminal")
                .map(|check| Item {
                    fix: self.offer(&check),
                    name: check.name.to_owned(),
                    ok: check.ok,
                    found: check.found,
                    next: check.next,
                })
                .collect(),
            Err(problem) => vec![Item {
                name: "this machine".to_owned(),
                ok: false,
                found: problem.detail,
                next: problem.hint,
                fix: None,
            }],
        }
    }

    async fn fix(&self, name: &str) -> Result<String, Problem> {
        let kind = self
            .kind()
            .filter(|_| name == SPEECH)
            .ok_or_else(|| Problem::bad_request(format!("{name} cannot be mended from here")))?;
        install(&Paths::platform()?.models(), kind).await?;
        Ok(format!("the speech model {} is installed", kind.name))
    }
}

impl Machine {
    /// The model that can be installed without a person's word on its licence.
    fn kind(&self) -> Option<&'static Kind> {
        let kind = Kind::named(&self.model).ok()?;
        catalog::licence(kind).free.then_some(kind)
    }

    fn offer(&self, check: &doctor::Check) -> Option<String> {
        let missing = check.name == SPEECH && !check.ok;
        let kind = self.kind().filter(|_| missing)?;
        Some(format!("install {}, checked by its digest", kind.name))
    }
}

/// Installs the model, and tries it at once: a library that this system cannot load is known now.
async fn install(models: &std::path::Path, kind: &'static Kind) -> Result<(), Problem> {
    let mut quiet = |_: speech::install::Step| {};
    speech::install::install(models, kind, None, &mut quiet).await?;
    let local = Local::of_kind(models, kind);
    tokio::task::spawn_blocking(move || local.with_model(|_| Ok(())))
        .await
        .map_err(Problem::internal)?
}
