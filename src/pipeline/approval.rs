//! Who may say yes to a deployment, and whether that is enough. Pure: a gate and a yes in, a verdict out.
//!
//! Two people are two different tokens with two different names. A name alone proves nothing: who runs the server can set any
//! (`git config user.name`), and all of them act with the server's own token, which is one. A second token for the same name
//! is the same person at another machine.

use jiff::Timestamp;

use crate::model::{ApprovalRule, Gate, Given, Identity, Problem, ReleaseId};

/// What a yes comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// So many more people must say yes.
    Missing(usize),
    /// It may go.
    Go,
}

/// Takes the yes of `by` to what `gate` guards. `seen` is what the person saw the difference to, where they said so; `live`
/// is what the environment serves now.
///
/// # Errors
/// `moved` when the environment serves something else by now, or the person saw something else; `same-person`; `forbidden`
/// for what is no person.
pub(super) fn yes(
    gate: &mut Gate,
    by: &Identity,
    at: Timestamp,
    seen: Option<&ReleaseId>,
    live: Option<&ReleaseId>,
    environment: &str,
) -> Result<Verdict, Problem> {
    if gate.over.as_ref() != live {
        return Err(moved(environment, gate.over.as_ref(), live));
    }
    if let Some(seen) = seen
        && gate.over.as_ref() != Some(seen)
    {
        return Err(moved(environment, Some(seen), gate.over.as_ref()));
    }
    let actor = by.actor.as_str();
    if actor.trim().is_empty() || actor == "sayso" {
        return Err(
            Problem::new(403, "forbidden", "an approval needs the name of a person")
                .hint("set your name: git config user.name \"…\""),
        );
    }
    if let Some(given) = gate
        .given
        .iter()
        .find(|given| given.token == by.token || same_person(&given.actor, actor))
    {
        let hint = match gate.rule {
            ApprovalRule::TwoPeople => {
                "someone else must, with a token and a name of their own: \
                 sayso token create --role deployer --name NAME; \
                 then `sayso approve` with SAYSO_SERVER and SAYSO_TOKEN set"
            }
            _ => "nothing more is needed of you",
        };
        let again = match same_person(&given.actor, actor) {
            true => String::new(),
            false => format!(" with the token that {actor} uses, too"),
        };
        return Err(Problem::new(
            409,
            "same-person",
            format!(
                "{} has approved this already, at {}{again}",
                given.actor, given.at
            ),
        )
        .hint(hint));
    }
    gate.given.push(Given {
        actor: actor.to_owned(),
        token: by.token.clone(),
        at,
    });
    Ok(match gate.missing() {
        0 => Verdict::Go,
        missing => Verdict::Missing(missing),
    })
}

/// A name that differs in case or blanks only is the same person's.
fn same_person(one: &str, other: &str) -> bool {
    let plain = |name: &str| {
        let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
        words.join(" ")
    };
    plain(one) == plain(other)
}

/// The environment serves something else than what a difference was shown to.
pub(super) fn moved(
    environment: &str,
    seen: Option<&ReleaseId>,
    now: Option<&ReleaseId>,
) -> Problem {
    let named =
        |release: Option<&ReleaseId>| release.map_or("nothing", ReleaseId::as_str).to_owned();
    Problem::new(
        409,
        "moved",
        format!(
            "{environment} serves {} by now, and this was about what changes since {}",
            named(now),
            named(seen)
        ),
    )
    .hint("look at what it changes now, then ask for it again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(rule: ApprovalRule, over: Option<&str>) -> Gate {
        Gate {
            rule,
            given: Vec::new(),
            over: over.map(ReleaseId::from),
            since: None,
            files: Vec::new(),
            changed: 0,
            commits: Vec::new(),
            frozen_until: None,
        }
    }

    /// A yes with a token of that name's own.
    fn say(
        gate: &mut Gate,
        actor: &str,
        seen: Option<&str>,
        live: Option<&str>,
    ) -> Result<Verdict, Problem> {
        let token = Some(format!("tok_{}", actor.trim().to_lowercase()));
        say_with(gate, actor, token, seen, live)
    }

    fn say_with(
        gate: &mut Gate,
        actor: &str,
        token: Option<String>,
        seen: Option<&str>,
        live: Option<&str>,
    ) -> Result<Verdict, Problem> {
        let (seen, live) = (seen.map(ReleaseId::from), live.map(ReleaseId::from));
        let mut by = Identity::owner(actor);
        by.token = token;
        yes(
            gate,
            &by,
            Timestamp::UNIX_EPOCH,
            seen.as_ref(),
            live.as_ref(),
            "production",
        )
    }

    #[test]
    fn one_yes_is_enough_where_one_is_asked_for() {
        let mut asked = gate(ApprovalRule::Ask, None);
        assert_eq!(say(&mut asked, "Ada", None, None), Ok(Verdict::Go));
        assert_eq!(asked.given[0].actor, "Ada");
    }

    #[test]
    fn two_people_are_two_different_people() {
        let mut two = gate(ApprovalRule::TwoPeople, Some("rel_1"));
        let live = Some("rel_1");
        assert_eq!(
            say(&mut two, "Ada Lovelace", live, live),
            Ok(Verdict::Missing(1))
        );
        for again in ["Ada Lovelace", "ada lovelace", " Ada  Lovelace "] {
            let problem = say(&mut two, again, live, live).unwrap_err();
            assert!(problem.is("same-person"), "{problem}");
            assert!(problem.hint.unwrap().contains("someone else"));
        }
        assert_eq!(two.given.len(), 1);
        assert_eq!(say(&mut two, "Grace", None, live), Ok(Verdict::Go));
    }

    #[test]
    fn two_people_are_two_tokens() {
        for token in [None, Some("tok_1".to_owned())] {
            let mut two = gate(ApprovalRule::TwoPeople, None);
            let mut say = |name, token| say_with(&mut two, name, token, None, None);
            assert_eq!(say("Ada", token.clone()), Ok(Verdict::Missing(1)));
            // Another name over the same token is nobody else.
            let problem = say("Grace", token.clone()).unwrap_err();
            assert!(problem.is("same-person"), "{problem}");
            assert!(problem.detail.contains("the token that Grace uses"));
            assert!(problem.hint.unwrap().contains("token create"));
            // Another token over the same name neither.
            let problem = say("ada", Some("tok_2".into())).unwrap_err();
            assert!(problem.is("same-person"), "{problem}");
            assert_eq!(say("Grace", Some("tok_3".into())), Ok(Verdict::Go));
        }
    }

    #[test]
    fn what_moved_meanwhile_is_not_let_through() {
        let mut two = gate(ApprovalRule::TwoPeople, Some("rel_1"));
        for (seen, live) in [
            (None, Some("rel_2")),
            (None, None),
            (Some("rel_2"), Some("rel_1")),
            (Some("rel_1"), Some("rel_2")),
        ] {
            let problem = say(&mut two, "Ada", seen, live).unwrap_err();
            assert!(problem.is("moved"), "{problem}");
        }
        let mut first = gate(ApprovalRule::Ask, None);
        assert!(
            say(&mut first, "Ada", Some("rel_1"), None)
                .unwrap_err()
                .is("moved")
        );
        assert!(two.given.is_empty() && first.given.is_empty());
    }

    #[test]
    fn the_program_itself_is_nobody() {
        for nobody in ["sayso", "", " "] {
            let mut asked = gate(ApprovalRule::Ask, None);
            assert_eq!(say(&mut asked, nobody, None, None).unwrap_err().status, 403);
        }
    }
}
