//! What a failed build usually means, by the last lines that it printed. Pure.

/// A sign in a log, in lower case, and what it means.
pub(crate) type Sign = (&'static str, &'static str);

/// Signs that mean the same wherever a site is built.
const EVERYWHERE: [Sign; 12] = [
    (
        "out of memory",
        "the build needs more memory than the machine has: make it smaller, or take a larger machine",
    ),
    (
        "heap limit",
        "the build needs more memory than the machine has: make it smaller, or take a larger machine",
    ),
    (
        "missing script: \"build\"",
        "package.json has no script `build`: add one, or name another build command",
    ),
    (
        "missing script: build",
        "package.json has no script `build`: add one, or name another build command",
    ),
    (
        "module not found",
        "a file or package that is imported is not there: check its name, upper and lower case too, and package.json",
    ),
    (
        "cannot find module",
        "a file or package that is imported is not there: check its name, upper and lower case too, and package.json",
    ),
    (
        "frozen-lockfile",
        "the lock file does not fit package.json: install once on your machine and commit the lock file",
    ),
    (
        "can only install packages when your package.json and package-lock.json",
        "the lock file does not fit package.json: install once on your machine and commit the lock file",
    ),
    (
        "eresolve",
        "two packages want different versions of a third: correct package.json",
    ),
    (
        "command not found",
        "a program that the build calls is not installed: add it to package.json",
    ),
    ("type error", "the types do not fit: the line is in the log"),
    (
        "environment variable",
        "a variable that the build needs is not set where it runs",
    ),
];

/// What the first sign that is found in `log` means; `own` come before those that mean the same everywhere.
pub(crate) fn cause(
    own: &[Sign],
    log: impl Iterator<Item = impl AsRef<str>>,
) -> Option<&'static str> {
    let mut said = String::new();
    for line in log {
        said.push_str(&line.as_ref().to_ascii_lowercase());
        said.push('\n');
    }
    own.iter()
        .chain(&EVERYWHERE)
        .find(|(sign, _)| said.contains(sign))
        .map(|(_, means)| *means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_signs_come_first_and_what_is_not_known_is_not_guessed() {
        let log = ["> next build", "Module not found: Can't resolve './Hero'"];
        let found = cause(&[], log.into_iter()).unwrap();
        assert!(found.contains("upper and lower case"), "{found}");
        let own = [("next build", "mine")];
        assert_eq!(cause(&own, log.into_iter()), Some("mine"));
        assert_eq!(cause(&own, ["it broke"].into_iter()), None);
    }
}
