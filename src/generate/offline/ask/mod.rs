//! What is asked for: a request in words as one or more readings, best first.

pub mod colors;
pub mod lexicon;
pub mod parse;
pub mod phrase;

pub use parse::parse;
pub use phrase::{Phrase, Place};

/// A request, read one way.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Change the text or value of something.
    Set {
        /// What.
        target: Phrase,
        /// The value it has now, when it was said ("from red").
        from: Option<Said>,
        /// The new value; `None` when it was not said.
        value: Option<Said>,
    },
    /// Change where a link leads.
    Link {
        /// Which link.
        target: Phrase,
        /// Where to.
        value: Option<Said>,
    },
    /// Change how something looks.
    Style {
        /// What.
        target: Phrase,
        /// The property in words ("background colour"); empty when the value tells.
        property: String,
        /// The value, or how to change it ("bigger").
        value: Said,
    },
    /// Add something.
    Add {
        /// What is added, in words without its text ("menu item", "contact form").
        what: Phrase,
        /// Its text.
        text: Option<Said>,
        /// Where its link leads.
        link: Option<String>,
        /// Where it goes.
        place: Spot,
    },
    /// Change an attribute that no other request is about.
    Attribute {
        /// Of which element.
        target: Phrase,
        /// Its name in HTML.
        name: String,
        /// Its value, or the class that comes or goes.
        value: String,
        /// How.
        how: How,
    },
    /// Remove something.
    Remove(Phrase),
    /// Hide something.
    Hide(Phrase),
    /// Move something.
    Move(Phrase, Spot),
    /// Swap two things.
    Swap(Phrase, Phrase),
    /// Repair something.
    Fix(Phrase),
}

impl Ask {
    /// What it speaks of.
    pub fn phrases(&mut self) -> Vec<&mut Phrase> {
        match self {
            Self::Set { target, .. } | Self::Link { target, .. } | Self::Style { target, .. } => {
                vec![target]
            }
            Self::Add { place, .. } => place.of.iter_mut().collect(),
            Self::Remove(target) | Self::Hide(target) => vec![target],
            Self::Attribute { target, .. } => vec![target],
            Self::Fix(_) => Vec::new(),
            Self::Move(target, place) => std::iter::once(target).chain(&mut place.of).collect(),
            Self::Swap(a, b) => vec![a, b],
        }
    }
}

/// A value as it was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The words.
    pub text: String,
    /// True when they stood in quotes: they are taken to the letter.
    pub quoted: bool,
}

/// Where something goes, relative to something else.
#[derive(Clone, Debug, PartialEq)]
pub struct Spot {
    /// On which side.
    pub side: Side,
    /// Of what; `None` when only the places of the phrase say where.
    pub of: Option<Phrase>,
}

/// What happens to an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It gets this value.
    Set,
    /// This is added to its values.
    Add,
    /// This is taken from its values.
    Take,
}

/// A side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Before,
    /// After it.
    After,
    /// At its start.
    Start,
    /// At its end.
    End,
    /// One place up.
    Up,
    /// One place down.
    Down,
    /// Wherever such a thing belongs.
    Anywhere,
}
