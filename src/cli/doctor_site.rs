//! What `sayso doctor` says about the site: what kind it is, what builds it, where it goes.

use std::path::Path;

use super::doctor::Check;
use super::wiring;
use crate::config::Config;
use crate::deploy::build;
use crate::model::Problem;

/// The site in `root`.
pub(super) fn look(config: &Config, root: &Path) -> Vec<Check> {
    let (kind, commands) = build::recognised(root, &wiring::build_options(config));
    vec![
        Check::new("project", kind),
        Check::of("build", builds(&commands)),
        environments(config),
    ]
}

/// Whether what the build begins with is on this machine.
fn builds(commands: &[String]) -> Result<String, Problem> {
    if commands.is_empty() {
        return Ok("none: the files are served as they are".to_owned());
    }
    for command in commands {
        // The shell's own words and paths of the repository are found when it runs.
        let first = command.split_whitespace().next().unwrap_or_default();
        if program(first) && !on_path(first) {
            return Err(Problem::not_found(format!(
                "`{command}` needs {first}, which was not found"
            ))
            .hint(format!(
                "install {first}, or name another command as `command` under [build] in sayso.toml"
            )));
        }
    }
    Ok(commands.join(" && "))
}

/// True for the names of programs that builds begin with.
fn program(name: &str) -> bool {
    const PROGRAMS: [&str; 11] = [
        "npm", "npx", "pnpm", "yarn", "bun", "hugo", "bundle", "jekyll", "zola", "mdbook", "mkdocs",
    ];
    PROGRAMS.contains(&name)
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| {
        let program = folder.join(name);
        program.is_file()
            || program.with_extension("cmd").is_file()
            || program.with_extension("exe").is_file()
    })
}

fn environments(config: &Config) -> Check {
    let text = match config.environments() {
        Ok(all) => all
            .iter()
            .map(|environment| format!("{} on the target {}", environment.name, environment.target))
            .collect::<Vec<_>>()
            .join(", "),
        Err(problem) => problem.to_string(),
    };
    Check::new("environments", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_its_program_says_what_to_install() {
        assert!(builds(&[]).unwrap().starts_with("none"));
        assert_eq!(
            builds(&["true && sh build.sh".into()]).unwrap(),
            "true && sh build.sh"
        );
        let missing = ["zola", "mkdocs", "mdbook"]
            .into_iter()
            .find(|name| !on_path(name));
        if let Some(missing) = missing {
            let problem = builds(&[format!("{missing} build")]).unwrap_err();
            assert!(problem.detail.contains(missing), "{problem}");
            assert!(problem.hint.is_some_and(|hint| hint.contains("[build]")));
        }
    }
}
