//! Workflow runs, jobs and steps as GitHub shows them, read leniently, and how far a run is. Pure.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::Value;

/// Where a run, a job or a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// `queued`, `waiting`, `pending`, `requested`.
    Waits,
    /// `in_progress`, and every word that is not known here.
    Runs,
    /// `completed` with this conclusion.
    Over(String),
}

impl Standing {
    fn read(value: &Value) -> Self {
        match value["status"].as_str().unwrap_or_default() {
            "queued" | "waiting" | "pending" | "requested" => Self::Waits,
            "completed" => Self::Over(value["conclusion"].as_str().unwrap_or_default().to_owned()),
            _ => Self::Runs,
        }
    }

    /// True for a good end. Every other conclusion, known or not, is none.
    pub fn is_good(&self) -> bool {
        *self == Self::Over("success".to_owned())
    }

    /// True for an end after which nothing is wrong with the whole.
    fn is_harmless(&self) -> bool {
        matches!(self, Self::Over(how) if ["success", "skipped", "neutral"].contains(&how.as_str()))
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub id: u64,
    pub attempt: u64,
    pub standing: Standing,
    pub event: String,
    pub commit: String,
    pub title: String,
    pub actor: String,
    pub page: String,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
}

/// A step of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub name: String,
    pub standing: Standing,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
}

/// A job of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    pub id: u64,
    pub name: String,
    pub standing: Standing,
    pub steps: Vec<Step>,
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn time(value: &Value, key: &str) -> Option<Timestamp> {
    value[key].as_str()?.parse().ok()
}

impl Run {
    /// Reads a run; `None` when it has no id.
    pub fn read(value: &Value) -> Option<Self> {
        Some(Self {
            id: value["id"].as_u64()?,
            attempt: value["run_attempt"].as_u64().unwrap_or(1),
            standing: Standing::read(value),
            event: text(value, "event"),
            commit: text(value, "head_sha"),
            title: text(value, "display_title"),
            actor: value["actor"]["login"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            page: text(value, "html_url"),
            created: time(value, "created_at"),
            updated: time(value, "updated_at"),
        })
    }

    /// The runs of a list, newest first.
    pub fn list(body: &Value) -> Vec<Self> {
        let runs = body["workflow_runs"].as_array();
        runs.into_iter().flatten().filter_map(Self::read).collect()
    }
}

/// The jobs of an answer.
pub(super) fn jobs(body: &Value) -> Vec<Job> {
    let jobs = body["jobs"].as_array().into_iter().flatten();
    jobs.map(|job| Job {
        id: job["id"].as_u64().unwrap_or(0),
        name: text(job, "name"),
        standing: Standing::read(job),
        steps: job["steps"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|step| Step {
                name: text(step, "name"),
                standing: Standing::read(step),
                started: time(step, "started_at"),
                ended: time(step, "completed_at"),
            })
            .collect(),
    })
    .collect()
}

/// The address that a deployment's statuses (newest first) name, and the run that tells it, where that is said.
pub(super) fn told(statuses: &Value) -> Option<(String, Option<u64>)> {
    let statuses = statuses.as_array()?.iter();
    let mut good = statuses.filter(|status| status["state"] == "success");
    good.find_map(|status| {
        let url = status["environment_url"].as_str()?;
        let web = url.starts_with("https://") || url.starts_with("http://");
        let page = ["log_url", "target_url"]
            .into_iter()
            .find_map(|key| status[key].as_str()?.split_once("/actions/runs/"));
        let run = page.and_then(|(_, rest)| rest.split('/').next()?.parse().ok());
        web.then(|| (url.to_owned(), run))
    })
}

/// How long each step took, in seconds, by job and step.
pub(super) type Durations = HashMap<(String, String), f64>;

/// The durations of a run that is over.
pub(super) fn durations(jobs: &[Job]) -> Durations {
    let mut all = Durations::new();
    for job in jobs {
        for step in &job.steps {
            if let Some(took) = took(step) {
                all.insert((job.name.clone(), step.name.clone()), took);
            }
        }
    }
    all
}

fn took(step: &Step) -> Option<f64> {
    let took = step.ended?.as_millisecond() - step.started?.as_millisecond();
    Some(took.max(0) as f64 / 1000.0)
}

/// Of 1000, how much of a run is done: the steps weighted by what they took in an earlier run, so that ten quick steps do
/// not count as much as one build. Without an earlier run all weigh the same.
pub(super) fn done(jobs: &[Job], earlier: &Durations, now: Timestamp) -> u16 {
    let (mut all, mut done) = (0.0, 0.0);
    let mut begun = Vec::new();
    for job in jobs {
        for step in &job.steps {
            let key = (job.name.clone(), step.name.clone());
            let weight = match earlier.get(&key) {
                Some(took) => took.max(0.5),
                None => 1.0,
            };
            all += weight;
            match &step.standing {
                Standing::Over(_) => done += weight,
                Standing::Runs => {
                    let spent = step.started.map_or(0.0, |started| {
                        (now.as_millisecond() - started.as_millisecond()).max(0) as f64 / 1000.0
                    });
                    // A step that takes longer than it used to is not done before it says so.
                    done += spent.min(weight * 0.9);
                }
                Standing::Waits => {}
            }
            begun.push(key);
        }
    }
    // Jobs that come later are not listed with their steps before they begin.
    for (key, took) in earlier {
        if !begun.contains(key)
            && !jobs
                .iter()
                .any(|job| job.name == key.0 && !job.steps.is_empty())
        {
            all += took.max(0.5);
        }
    }
    if all > 0.0 {
        (done / all * 1000.0) as u16
    } else {
        0
    }
}

/// The job and the step that run now, for people: `build › npm ci`.
pub(super) fn now(jobs: &[Job]) -> Option<String> {
    let running: Vec<&Job> = jobs
        .iter()
        .filter(|job| job.standing == Standing::Runs)
        .collect();
    let job = running.first()?;
    let step = job
        .steps
        .iter()
        .find(|step| step.standing == Standing::Runs);
    let others = match running.len() {
        0 | 1 => String::new(),
        more => format!(" (and {} more jobs)", more - 1),
    };
    Some(match step {
        Some(step) => format!("{} › {}{others}", job.name, step.name),
        None => format!("{}{others}", job.name),
    })
}

/// The job and the step that failed.
pub(super) fn failed(jobs: &[Job]) -> Option<(&Job, Option<&Step>)> {
    let over =
        |standing: &Standing| matches!(standing, Standing::Over(_)) && !standing.is_harmless();
    let job = jobs.iter().find(|job| over(&job.standing))?;
    Some((job, job.steps.iter().find(|step| over(&step.standing))))
}

/// Steps that ended since `told`, as lines; those are added to it.
pub(super) fn news(jobs: &[Job], told: &mut Vec<(u64, String)>) -> Vec<String> {
    let mut lines = Vec::new();
    for job in jobs {
        for step in &job.steps {
            let Standing::Over(how) = &step.standing else {
                continue;
            };
            let key = (job.id, step.name.clone());
            if told.contains(&key) || how == "skipped" {
                continue;
            }
            told.push(key);
            let mark = if step.standing.is_harmless() {
                "✓"
            } else {
                "✗"
            };
            let time = took(step).map_or(String::new(), |took| format!(" ({took:.0} s)"));
            lines.push(format!("{mark} {} › {}{time}", job.name, step.name));
        }
    }
    lines
}

/// The last lines of a job's log, without the time before each.
pub(super) fn tail(log: &str, count: usize) -> Vec<String> {
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(count);
    lines[from..]
        .iter()
        .map(|line| {
            let line = line.trim_start_matches('\u{feff}');
            match line.split_once(' ') {
                Some((time, rest)) if time.parse::<Timestamp>().is_ok() => rest,
                _ => line,
            }
        })
        .map(|line| crate::deploy::build::run::clean(line.as_bytes()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(name: &str, steps: &[(&str, &str, i64, i64)]) -> Value {
        let at =
            |second: i64| (second > 0).then(|| Timestamp::from_second(second).unwrap().to_string());
        let steps: Vec<Value> = steps
            .iter()
            .map(|(name, status, from, to)| {
                json!({"name": name, "status": status, "conclusion": (*status == "completed").then_some("success"),
                    "started_at": at(*from), "completed_at": at(*to)})
            })
            .collect();
        json!({"id": 1, "name": name, "status": "in_progress", "steps": steps})
    }

    #[test]
    fn steps_weigh_what_they_took_before() {
        let before = json!({"jobs": [job("build", &[("a", "completed", 100, 110), ("b", "completed", 110, 200)])]});
        let earlier = durations(&jobs(&before));
        assert_eq!(earlier[&("build".into(), "b".into())], 90.0);
        let now =
            json!({"jobs": [job("build", &[("a", "completed", 300, 310), ("b", "queued", 0, 0)])]});
        let at = Timestamp::from_second(310).unwrap();
        assert_eq!(done(&jobs(&now), &earlier, at), 100);
        assert_eq!(done(&jobs(&now), &Durations::new(), at), 500);
        let now = json!({"jobs": [job("build", &[("a", "completed", 300, 310), ("b", "in_progress", 310, 0)])]});
        let late = Timestamp::from_second(9000).unwrap();
        assert_eq!(done(&jobs(&now), &earlier, late), 910);
        // A second job that has not begun counts as well.
        let two = json!({"jobs": [
            job("build", &[("a", "completed", 100, 110)]), job("ship", &[("x", "completed", 110, 120)])]});
        let now = json!({"jobs": [job("build", &[("a", "completed", 300, 310)])]});
        assert_eq!(done(&jobs(&now), &durations(&jobs(&two)), at), 500);
    }

    #[test]
    fn only_success_is_success() {
        for how in [
            "failure",
            "neutral",
            "startup_failure",
            "stale",
            "whatever",
            "",
        ] {
            let run =
                Run::read(&json!({"id": 7, "status": "completed", "conclusion": how})).unwrap();
            assert!(!run.standing.is_good(), "{how}");
        }
        let run =
            Run::read(&json!({"id": 7, "status": "completed", "conclusion": "success"})).unwrap();
        assert!(run.standing.is_good());
        let strange =
            Run::read(&json!({"id": 7, "status": "hibernating", "head_commit": null})).unwrap();
        assert_eq!(strange.standing, Standing::Runs);
        assert_eq!(Run::read(&json!({"status": "completed"})), None);
    }

    #[test]
    fn what_failed_and_what_is_new_is_told_once() {
        let mut value = job(
            "build",
            &[("a", "completed", 1, 3), ("b", "completed", 3, 4)],
        );
        value["status"] = json!("completed");
        value["conclusion"] = json!("failure");
        value["steps"][1]["conclusion"] = json!("failure");
        let jobs = jobs(&json!({"jobs": [value]}));
        let (job, step) = failed(&jobs).unwrap();
        assert_eq!(
            (job.name.as_str(), step.unwrap().name.as_str()),
            ("build", "b")
        );
        let mut told = Vec::new();
        assert_eq!(
            news(&jobs, &mut told),
            ["✓ build › a (2 s)", "✗ build › b (1 s)"]
        );
        assert!(news(&jobs, &mut told).is_empty());
    }

    #[test]
    fn an_address_is_told_by_a_good_status_with_its_run() {
        let status = |state: &str, url: &str, log: &str| json!({"state": state, "environment_url": url, "log_url": log});
        let log = "https://github.com/ada/shop/actions/runs/77/job/5";
        let statuses = json!([
            status("in_progress", "https://a.example.org", log),
            status("success", "", log),
            status("success", "https://b.example.org", log),
        ]);
        assert_eq!(
            told(&statuses),
            Some(("https://b.example.org".to_owned(), Some(77)))
        );
        let unsaid = json!([status("success", "http://c.example.org", "")]);
        assert_eq!(
            told(&unsaid),
            Some(("http://c.example.org".to_owned(), None))
        );
        let none = json!([status("failure", "https://d.example.org", log)]);
        assert_eq!(told(&none), None);
    }

    #[test]
    fn a_logs_tail_has_no_times() {
        let log = "2026-01-01T00:00:00.0000000Z one\n2026-01-01T00:00:01.0000000Z \n2026-01-01T00:00:01.5Z two words\nplain line\n";
        assert_eq!(tail(log, 2), ["two words", "plain line"]);
    }
}
