//! The table of known phrases: the built-in ones, people's own, and the names of the site that is open.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::names::{BETWEEN, OPEN_PAGE, OPEN_SECTION, TO_ENVIRONMENT, environment};
use super::near;
use super::phrases::{AROUND, LEADING, PHRASES, SURROUNDED, TRAILING, words};
use super::places::{Kind, Place};
use crate::config::Phrase as Own;
use crate::model::{Control, Intent};

/// What a phrase does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Does {
    /// The control.
    pub control: Control,
    /// The environment in the phrase.
    pub environment: Option<String>,
    /// The address on the site in the phrase.
    pub place: Option<String>,
}

impl From<Control> for Does {
    fn from(control: Control) -> Self {
        Self {
            control,
            environment: None,
            place: None,
        }
    }
}

/// A known phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// Its words, in lower case without punctuation.
    pub say: String,
    /// How they sound (see [`near::sound`]).
    pub sound: String,
    /// What it does.
    pub does: Does,
    /// True when it is another phrase with politeness around it, which only matters to the sound.
    pub surrounded: bool,
}

/// A phrase that was recognised in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The known phrase.
    pub phrase: String,
    /// What it does.
    pub does: Does,
    /// True when the words were the phrase itself.
    pub exact: bool,
}

/// The known phrases.
#[derive(Clone, Debug)]
pub struct Table {
    phrases: Vec<Phrase>,
    by_words: HashMap<String, usize>,
}

impl Table {
    /// The built-in phrases, people's `own` (which win), and what can be said with the names of `environments` and
    /// `places`.
    pub fn new(own: &[Own], environments: &[String], places: &[Place]) -> Self {
        let mut table = Self {
            phrases: Vec::new(),
            by_words: HashMap::new(),
        };
        for phrase in own {
            for say in &phrase.say {
                let does = Does {
                    control: phrase.act,
                    environment: phrase.environment.clone(),
                    place: phrase.place.clone(),
                };
                table.add(&words(say).join(" "), does);
            }
        }
        for (control, phrases) in PHRASES {
            for phrase in *phrases {
                table.add(phrase, (*control).into());
            }
        }
        for name in environments {
            let spoken = spoken(name);
            for (control, fronts) in TO_ENVIRONMENT {
                for front in *fronts {
                    let does = Does {
                        environment: Some(name.clone()),
                        ..(*control).into()
                    };
                    table.add(&format!("{front} {spoken}"), does);
                }
            }
        }
        for (from, to) in pairs(environments) {
            for phrase in BETWEEN {
                let say = phrase
                    .replace("{from}", &spoken(from))
                    .replace("{to}", &spoken(to));
                let does = Does {
                    environment: Some(to.clone()),
                    ..Control::Promote.into()
                };
                table.add(&say, does);
            }
        }
        for place in places {
            table.add_place(place);
        }
        table.surround();
        table
    }

    /// Adds the often said phrases with what people say around them. By their words they are known without that.
    fn surround(&mut self) {
        for phrase in SURROUNDED {
            let Some(&at) = self.by_words.get(*phrase) else {
                continue;
            };
            let does = self.phrases[at].does.clone();
            for around in AROUND {
                let say = around.replace("{}", phrase);
                if !self.by_words.contains_key(&say) {
                    self.phrases.push(Phrase {
                        sound: near::sound(&say),
                        say,
                        does: does.clone(),
                        surrounded: true,
                    });
                }
            }
        }
    }

    /// The built-in phrases alone.
    pub fn builtin() -> &'static Table {
        static BUILTIN: OnceLock<Table> = OnceLock::new();
        BUILTIN.get_or_init(|| Table::new(&[], &[], &[]))
    }

    /// All phrases; those that were added first win over later ones with the same words.
    pub fn phrases(&self) -> &[Phrase] {
        &self.phrases
    }

    fn add(&mut self, say: &str, does: Does) {
        if !say.is_empty() && !self.by_words.contains_key(say) {
            self.by_words.insert(say.to_owned(), self.phrases.len());
            self.phrases.push(Phrase {
                say: say.to_owned(),
                sound: near::sound(say),
                does,
                surrounded: false,
            });
        }
    }

    fn add_place(&mut self, place: &Place) {
        let does = |control| Does {
            place: Some(place.address.clone()),
            ..Does::from(control)
        };
        let name = &place.name;
        match place.kind {
            Kind::Page => {
                for (control, front) in OPEN_PAGE {
                    self.add(&format!("{front} {name} page"), does(*control));
                }
                self.add(&format!("open {name} page"), does(Control::Open));
                if name == "home" {
                    self.add("open the homepage", does(Control::Open));
                    self.add("show me the homepage", does(Control::Open));
                }
            }
            Kind::Section => {
                for front in OPEN_SECTION {
                    self.add(&format!("{front} {name} section"), does(Control::Open));
                }
            }
        }
    }

    /// What `text` (typed or transcribed) means by its words.
    pub fn understand(&self, text: &str) -> Intent {
        let heard = self.normalise(text);
        match self.exact(&heard).or_else(|| near::nearest(self, &heard)) {
            Some(hit) => hit.into(),
            None => Intent::Edit {
                request: super::clean::clean(text),
            },
        }
    }

    /// The words of `text` without case, punctuation, politeness and fillers, joined by single spaces.
    pub fn normalise(&self, text: &str) -> String {
        let mut text = words(text)
            .into_iter()
            .filter(|word| !matches!(word.as_str(), "um" | "uh" | "uhm" | "erm"))
            .collect::<Vec<_>>()
            .join(" ");
        // What is left must still be something: "ok" and "please" alone are words, not politeness.
        loop {
            if self.by_words.contains_key(&text) || near::misheard(&text).is_some() {
                return text;
            }
            let front = LEADING
                .iter()
                .find_map(|lead| text.strip_prefix(lead)?.strip_prefix(' '));
            let rest = front.or_else(|| {
                TRAILING
                    .iter()
                    .find_map(|tail| text.strip_suffix(tail)?.strip_suffix(' '))
            });
            match rest {
                Some(rest) => text = rest.to_owned(),
                None => return text,
            }
        }
    }

    /// The phrase that is exactly `heard` (as [`Table::normalise`] leaves it), with or without an environment.
    pub fn exact(&self, heard: &str) -> Option<Hit> {
        if let Some(&at) = self.by_words.get(heard) {
            return Some(Hit {
                phrase: self.phrases[at].say.clone(),
                does: self.phrases[at].does.clone(),
                exact: true,
            });
        }
        let (front, environment) = environment(heard)?;
        let known = &self.phrases[*self.by_words.get(front)?];
        let control = known.does.control;
        let somewhere = matches!(
            control,
            Control::Deploy
                | Control::Redeploy
                | Control::Promote
                | Control::Rollback
                | Control::Status
                | Control::Stop
        );
        (somewhere && known.does.environment.is_none()).then(|| Hit {
            phrase: known.say.clone(),
            does: Does {
                environment: Some(environment),
                ..control.into()
            },
            exact: true,
        })
    }
}

/// Environments among which something moves on; with more of them nobody says all of their names.
const MOVING: usize = 6;

/// Every two of a few environments, in both orders.
fn pairs(environments: &[String]) -> impl Iterator<Item = (&String, &String)> {
    let few = &environments[..environments.len().min(MOVING)];
    few.iter()
        .flat_map(move |from| few.iter().map(move |to| (from, to)))
        .filter(|(from, to)| from != to)
}

/// A name as it is said.
pub fn spoken(name: &str) -> String {
    words(&name.replace(['-', '_'], " ")).join(" ")
}

/// The environment that `phrase` moves something on from: the first of two names in it.
pub fn moved_from<'a>(
    phrase: &str,
    environments: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let mut known: Vec<&str> = environments.collect();
    // The longer name first: one may begin with another.
    known.sort_by_key(|name| std::cmp::Reverse(name.len()));
    known.into_iter().find(|name| {
        BETWEEN.iter().any(|between| {
            let front = between.replace("{from}", &spoken(name)).replace("{to}", "");
            phrase.starts_with(&front) && phrase.len() > front.len()
        })
    })
}

impl From<Hit> for Intent {
    fn from(hit: Hit) -> Self {
        Intent::Control {
            control: hit.does.control,
            phrase: hit.phrase,
            exact: hit.exact,
            environment: hit.does.environment,
            place: hit.does.place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(table: &Table, text: &str) -> Option<(Does, bool)> {
        match table.understand(text) {
            Intent::Control {
                control,
                exact,
                environment,
                place,
                ..
            } => Some((
                Does {
                    control,
                    environment,
                    place,
                },
                exact,
            )),
            Intent::Edit { .. } => None,
        }
    }

    #[test]
    fn peoples_own_phrases_win_over_the_built_in_ones() {
        let own = [Own {
            say: vec!["Ship the beast!".into(), "looks good".into()],
            act: Control::Deploy,
            environment: Some("staging".into()),
            place: None,
        }];
        let table = Table::new(&own, &[], &[]);
        let wanted = Does {
            environment: Some("staging".into()),
            ..Control::Deploy.into()
        };
        for text in ["ship the beast", "Ship the beast, please.", "Looks good."] {
            assert_eq!(
                control(&table, text),
                Some((wanted.clone(), true)),
                "{text}"
            );
        }
        // Without the own phrase it is what it was.
        assert_eq!(control(Table::builtin(), "ship the beast"), None);
        assert_eq!(
            control(Table::builtin(), "Looks good."),
            Some((Control::Approve.into(), true))
        );
    }

    #[test]
    fn names_of_the_site_join_the_table() {
        let place = |name: &str, address: &str, kind| Place {
            name: name.into(),
            address: address.into(),
            kind,
        };
        let places = [
            place("home", "/", Kind::Page),
            place("about us", "/about-us.html", Kind::Page),
            place("opening hours", "/#opening-hours", Kind::Section),
        ];
        let table = Table::new(&[], &["green-room".into()], &places);
        let open = |address: &str| Does {
            place: Some(address.into()),
            ..Control::Open.into()
        };
        for (text, wanted) in [
            ("Open the about us page.", open("/about-us.html")),
            ("Please show me the about us page", open("/about-us.html")),
            ("Open the homepage.", open("/")),
            ("Go to the opening hours section.", open("/#opening-hours")),
            (
                "Preview the about us page.",
                Does {
                    place: Some("/about-us.html".into()),
                    ..Control::Preview.into()
                },
            ),
            (
                "Deploy it to green room",
                Does {
                    environment: Some("green-room".into()),
                    ..Control::Deploy.into()
                },
            ),
        ] {
            assert_eq!(control(&table, text), Some((wanted, true)), "{text}");
        }
        let table = Table::new(&[], &["staging".into(), "production".into()], &[]);
        for (text, from) in [
            ("Promote staging to production.", Some("staging")),
            ("promote it to production", None),
            ("Please promote the release to production", None),
        ] {
            let Intent::Control {
                control,
                environment,
                phrase,
                exact: true,
                ..
            } = table.understand(text)
            else {
                panic!("{text} is no command");
            };
            assert_eq!(
                (control, environment.as_deref()),
                (Control::Promote, Some("production")),
                "{text}"
            );
            assert_eq!(
                moved_from(&phrase, ["production", "staging"].into_iter()),
                from,
                "{text}"
            );
        }
        for text in [
            "Promote the summer sale on the homepage",
            "Open the team page.",
            "Change the about us page.",
            "Push it to left.",
        ] {
            assert_eq!(control(&table, text), None, "{text}");
        }
    }
}
