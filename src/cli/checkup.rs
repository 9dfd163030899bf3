//! The list of `sayso doctor` for the cockpit, with what the cockpit can mend by itself.

use async_trait::async_trait;

use super::{Place, doctor};
use crate::config::Paths;
use crate::model::Problem;
use crate::speech;
use crate::tui::checkup::{Doctor, Item};

/// The name of the item that [`Machine::fix`] can mend.
const MODEL: &str = "speech model";

/// This machine, seen from a project.
pub struct Machine(pub Place);

#[async_trait]
impl Doctor for Machine {
    async fn look(&self) -> Vec<Item> {
        match doctor::look(&self.0).await {
            Ok(checks) => checks
                .into_iter()
                // The cockpit runs in it, and shows itself what it tells.
                .filter(|check| check.name != "terminal")
                .map(|check| Item {
                    fix: (check.name == MODEL && !check.ok).then(|| {
                        "install it (about 120 MB, checked against its digest)".to_owned()
                    }),
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
        if name != MODEL {
            return Err(Problem::bad_request(format!(
                "{name} cannot be mended from here"
            )));
        }
        let models = Paths::platform()?.models();
        install(&models).await?;
        Ok("the speech model is installed".to_owned())
    }
}

/// Installs the model, and tries it at once: a library that this system cannot load is known now.
async fn install(models: &std::path::Path) -> Result<(), Problem> {
    let mut quiet = |_: speech::install::Step| {};
    speech::install::install(models, None, &mut quiet).await?;
    let local = speech::local::Local::new(models);
    tokio::task::spawn_blocking(move || local.with_model(|_| Ok(())))
        .await
        .map_err(Problem::internal)?
}
