//! Which repository of which GitHub: read from a name, a web address or a git remote; and routes with every part
//! percent-encoded, which the client library leaves to us.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::model::Problem;

/// Everything but letters, digits and the signs that mean nothing in a path.
const PART: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// One part of a route: a name without slashes.
pub fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// A branch or path in a route: its slashes stay, all else is encoded.
pub fn parts(text: &str) -> String {
    text.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// A repository on a GitHub.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The web host: `github.com`, or a company's own.
    pub host: String,
    /// The person or organisation.
    pub owner: String,
    /// The repository's name.
    pub name: String,
}

impl Address {
    /// Reads `OWNER/NAME`, `HOST/OWNER/NAME`, a web address or a git remote; `None` when it is none of them.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(url) = Url::parse(text)
            && let Some(host) = url.host_str()
        {
            if !["https", "http", "ssh", "git"].contains(&url.scheme()) {
                return None;
            }
            return Self::of(&host_of(host), url.path());
        }
        // git@github.com:owner/name.git
        if let Some((host, path)) = text.split_once(':')
            && !host.contains('/')
            && !path.starts_with("//")
        {
            let host = host.rsplit('@').next()?;
            return Self::of(&host_of(host), path);
        }
        match text.split('/').collect::<Vec<_>>()[..] {
            [owner, name] => Self::of("github.com", &format!("{owner}/{name}")),
            [host, owner, name] if host.contains('.') => {
                Self::of(&host_of(host), &format!("{owner}/{name}"))
            }
            _ => None,
        }
    }

    fn of(host: &str, path: &str) -> Option<Self> {
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let (owner, name) = path.split_once('/')?;
        let name = name.strip_suffix(".git").unwrap_or(name);
        let fits = |text: &str| {
            !text.is_empty()
                && text != "."
                && text != ".."
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        (fits(owner) && fits(name) && !host.is_empty()).then(|| Self {
            host: host.to_owned(),
            owner: owner.to_owned(),
            name: name.to_owned(),
        })
    }

    /// `owner/name`.
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// True on github.com itself.
    pub fn is_public_host(&self) -> bool {
        self.host == "github.com"
    }

    /// The bases of the two interfaces: REST and GraphQL. `api` is the configured one, empty for the host's usual.
    ///
    /// # Errors
    /// `config` when `api` is no web address.
    pub fn bases(&self, api: &str) -> Result<(Url, Url), Problem> {
        let rest = if !api.is_empty() {
            api.trim_end_matches('/').to_owned()
        } else if self.is_public_host() {
            "https://api.github.com".to_owned()
        } else {
            format!("https://{}/api/v3", self.host)
        };
        // GitHub Enterprise has its GraphQL beside the REST interface's folder, not in it.
        let graphql = rest.strip_suffix("/v3").unwrap_or(&rest).to_owned();
        let read = |text: &str| {
            Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
                .ok_or_else(|| {
                    Problem::new(
                        422,
                        "config",
                        format!("[github] api: {text:?} is no web address"),
                    )
                    .hint("for example https://github.example.com/api/v3; empty for github.com")
                })
        };
        Ok((read(&rest)?, read(&graphql)?))
    }

    /// The host whose token is for the interface at `rest`: that of the GitHub which has it there, as its address tells
    /// (`https://HOST/api/v3`, `https://api.HOST`); for any other address, which a person set, the repository's own.
    pub fn token_host(&self, rest: &Url) -> String {
        let host = rest.host_str().unwrap_or_default();
        if rest.path().trim_end_matches('/') == "/api/v3" {
            host_of(host)
        } else {
            host.strip_prefix("api.").unwrap_or(&self.host).to_owned()
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_public_host() {
            write!(f, "{}/{}", self.owner, self.name)
        } else {
            write!(f, "{}/{}/{}", self.host, self.owner, self.name)
        }
    }
}

/// GitHub answers ssh on a second host too, for networks that block the first.
fn host_of(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    match host.as_str() {
        "ssh.github.com" | "www.github.com" => "github.com".to_owned(),
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_of_every_kind_are_read() {
        for text in [
            "ada/site",
            "https://github.com/ada/site",
            "https://github.com/ada/site.git",
            "https://ada:secret@github.com/ada/site/",
            "git@github.com:ada/site.git",
            "ssh://git@github.com/ada/site.git",
            "ssh://git@ssh.github.com:443/ada/site.git",
            "github.com/ada/site",
        ] {
            let address = Address::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(address.to_string(), "ada/site", "{text}");
        }
        let own = Address::parse("git@git.example.org:web/start.page.git").unwrap();
        assert_eq!(own.to_string(), "git.example.org/web/start.page");
        for text in [
            "",
            "site",
            "/srv/git/site.git",
            "../site",
            "a/b/c",
            "file:///x/y",
        ] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_company_has_its_own_interfaces() {
        let bases = |text: &str, api: &str| {
            let (rest, graphql) = Address::parse(text).unwrap().bases(api).unwrap();
            (rest.to_string(), graphql.to_string())
        };
        assert_eq!(
            bases("ada/site", ""),
            (
                "https://api.github.com/".into(),
                "https://api.github.com/".into()
            )
        );
        assert_eq!(
            bases("git.example.org/ada/site", ""),
            (
                "https://git.example.org/api/v3".into(),
                "https://git.example.org/api".into()
            )
        );
        assert_eq!(
            bases("ada/site", "http://127.0.0.1:4000/").0,
            "http://127.0.0.1:4000/"
        );
        assert!(
            Address::parse("ada/site")
                .unwrap()
                .bases("nonsense")
                .is_err()
        );
    }

    #[test]
    fn a_token_goes_to_its_own_host() {
        let host = |text: &str, api: &str| {
            let address = Address::parse(text).unwrap();
            address.token_host(&address.bases(api).unwrap().0)
        };
        assert_eq!(host("ada/site", ""), "github.com");
        assert_eq!(host("git.example.org/ada/site", ""), "git.example.org");
        // What a person set says which GitHub it is.
        let company = "https://git.example.org/api/v3/";
        assert_eq!(host("ada/site", company), "git.example.org");
        let public = "https://api.github.com";
        assert_eq!(host("git.example.org/ada/site", public), "github.com");
        assert_eq!(host("ada/site", "https://api.a.ghe.com"), "a.ghe.com");
        assert_eq!(host("ada/site", "http://127.0.0.1:4000"), "github.com");
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_route() {
        assert_eq!(parts("feature/a#b ü?"), "feature/a%23b%20%C3%BC%3F");
        assert_eq!(part("a/b"), "a%2Fb");
    }
}
