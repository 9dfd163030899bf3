//! The timeline, the deployments, and how the screen is divided.

use super::Turn;
use crate::model::{Cursor, Problem};
use crate::tui::keymap::{Command, LineCommand};
use crate::tui::keys::Key;
use crate::tui::message::Effect;
use crate::tui::model::timeline::{Entry, Filter};
use crate::tui::model::{
    Confirm, Deciding, Details, Line, Model, Overlay, Pane, Sizes, Subject, Tone,
};
use crate::tui::panes;
use crate::tui::view::layout::{self, Plan};

impl Turn<'_> {
    pub(super) fn board(&mut self, command: Command) {
        use Command as C;
        // Chosen from a list, a pane's own command brings it to the front.
        match command {
            C::Fold | C::Unfold | C::FoldAll | C::Filter | C::CopyRow => {
                self.show_pane(Pane::Timeline);
            }
            C::FilterKind | C::FilterEnvironment => self.show_pane(Pane::Timeline),
            here if here.is_on_deployment() => self.show_pane(Pane::Deploy),
            _ => {}
        }
        match command {
            C::PaneDeploy => self.show_pane(Pane::Deploy),
            C::Zoom => self.m.board.zoom = !self.m.board.zoom,
            C::Larger => self.m.board.sizes.step(self.m.pane, true),
            C::Smaller => self.m.board.sizes.step(self.m.pane, false),
            C::EvenSizes => self.m.board.sizes = Sizes::default(),
            C::SelectUp => self.select(-1),
            C::SelectDown => self.select(1),
            C::Details => self.details(),
            C::CloseDetails => self.close_details(),
            C::CopyDetails => {
                let page = panes::details::copied(self.m);
                self.copy(page, "copied the page");
            }
            C::Fold => drop(self.m.timeline.fold(false)),
            C::Unfold => drop(self.m.timeline.fold(true)),
            C::FoldAll => self.m.timeline.fold_all(),
            C::Filter => {
                let mut line = Line::default();
                line.set(self.m.timeline.filter().written());
                self.m.board.filter = Some(line);
            }
            C::TakeFilter => self.m.board.filter = None,
            C::DropFilter => {
                self.m.board.filter = None;
                self.m.timeline.set_filter(Filter::default());
            }
            C::FilterKind => {
                let next = self.m.timeline.filter().next_kind();
                self.m.timeline.set_filter(next);
            }
            C::FilterEnvironment => {
                let known = self.m.timeline.environments();
                let next = self.m.timeline.filter().next_environment(known);
                self.m.timeline.set_filter(next);
            }
            C::CopyRow => match self.m.timeline.selected() {
                Some(Entry::Row(row, _)) => {
                    let line = format!("{} {}", row.clock, row.text);
                    self.copy(line, "copied the line");
                }
                Some(Entry::Head(group, _)) => {
                    let rows = group.rows.iter();
                    let lines = rows.map(|row| format!("{} {}\n", row.clock, row.text));
                    let lines: String = lines.collect();
                    self.copy(lines, "copied all of it");
                }
                None => self.say(Tone::Plain, "select a line first (Up, Down)"),
            },
            C::RollbackHere => self.rollback_here(),
            C::RedeployHere => match self.m.deploys.selected() {
                Some(one) => {
                    let (environment, commit) = (one.environment.clone(), one.commit.clone());
                    self.ask(Confirm::RedeployTo(environment, commit));
                }
                None => self.ask(Confirm::Redeploy),
            },
            C::PromoteHere => self.promote_here(),
            C::OpenHere => self.with_address_here(Effect::Open, ""),
            C::CopyHere => self.with_address_here(Effect::Copy, "copied "),
            C::Mark => self.mark(),
            C::Compare => self.compare(),
            C::Checkup => self.open_checkup(),
            C::FixHere => self.fix_here(),
            C::LookAgain => self.look_again(),
            C::CloseCheckup => self.close_checkup(),
            // Every other command is done where it belongs.
            _ => {}
        }
    }

    fn select(&mut self, rows: i64) {
        if self.m.overlay == Some(Overlay::Checkup) {
            return self.select_check(rows);
        }
        let plan = layout::plan(self.m);
        match self.m.pane {
            Pane::Timeline => {
                let height = usize::from(plan.timeline_body().height);
                self.m.timeline.select(rows, height);
            }
            _ => self.m.deploys.select(rows),
        }
    }

    /// A click into a list selects; a click on what is selected opens it.
    pub(super) fn click_list(&mut self, pane: Pane, plan: &Plan, y: u16) {
        if pane == Pane::Timeline {
            let body = plan.timeline_body();
            if y < body.y {
                return;
            }
            let height = usize::from(body.height);
            if self.m.timeline.select_at(usize::from(y - body.y), height) {
                self.details();
            }
            return;
        }
        let area = panes::deploy::history_area(self.m, plan.deploy_body());
        if y < area.y || y >= area.bottom() {
            return;
        }
        let top = panes::history::top(self.m, usize::from(area.height));
        let at = top + usize::from(y - area.y);
        if at == self.m.deploys.at() {
            self.details();
        } else {
            self.m
                .deploys
                .select(at as i64 - self.m.deploys.at() as i64);
        }
    }

    fn details(&mut self) {
        let effect = match self.m.pane {
            Pane::Timeline => match self.m.timeline.selected() {
                Some(Entry::Head(_, open)) => {
                    self.m.timeline.fold(!open);
                    return;
                }
                Some(Entry::Row(row, _)) => Effect::LoadEvent(Cursor {
                    epoch: self.m.epoch.clone(),
                    seq: row.seq,
                }),
                None => return self.select(0),
            },
            _ => match self.m.deploys.selected() {
                Some(deployment) => Effect::LoadDeployment(deployment.id.clone()),
                None => return,
            },
        };
        self.open_details(effect);
    }

    fn open_details(&mut self, effect: Effect) {
        self.m.board.details = Some(Details {
            subject: Subject::Loading,
            top: 0,
        });
        self.m.overlay = Some(Overlay::Details);
        self.out.push(effect);
    }

    fn close_details(&mut self) {
        self.m.overlay = None;
        self.m.board.details = None;
    }

    /// What a page of details shows was loaded.
    pub(super) fn detailed(&mut self, loaded: Result<Subject, Problem>) {
        match (loaded, &mut self.m.board.details) {
            (Ok(subject), Some(open)) => {
                open.subject = subject;
                open.top = 0;
            }
            // It was closed again meanwhile.
            (Ok(_), None) => {}
            (Err(problem), _) => {
                if self.m.overlay == Some(Overlay::Details) {
                    self.close_details();
                }
                self.failed("nothing to show", &problem);
            }
        }
    }

    pub(super) fn scroll_details(&mut self, by: i64) {
        let height = usize::from(panes::details::height(layout::plan(self.m).area));
        let most = panes::details::len(self.m).saturating_sub(height);
        if let Some(open) = &mut self.m.board.details {
            let top = (open.top.min(most) as i64).saturating_add(by);
            open.top = usize::try_from(top).unwrap_or(0).min(most);
        }
    }

    pub(super) fn typed_filter(&mut self, key: Key) {
        if let (Some(c), Some(line)) = (key.typed(), &mut self.m.board.filter) {
            line.insert(c.encode_utf8(&mut [0; 4]));
            self.filter_changed();
        }
    }

    pub(super) fn edit_filter(&mut self, command: LineCommand) {
        if let Some(line) = &mut self.m.board.filter {
            line.apply(command);
            self.filter_changed();
        }
    }

    /// Filters as the words are written.
    pub(super) fn filter_changed(&mut self) {
        if let Some(line) = &self.m.board.filter {
            self.m.timeline.set_filter(Filter::read(line.text()));
        }
    }

    /// Leaves, one step at a time, what only passes in a list; true when there was something.
    pub(super) fn leave_lists(&mut self) -> bool {
        if self.m.pane == Pane::Timeline && !self.m.timeline.follows() {
            self.m.timeline.follow();
        } else if self.m.pane == Pane::Timeline && self.m.timeline.filter().is_set() {
            self.m.timeline.set_filter(Filter::default());
        } else if self.m.pane == Pane::Deploy && self.m.deploys.marked.is_some() {
            self.m.deploys.marked = None;
        } else if self.m.board.zoom {
            self.m.board.zoom = false;
        } else {
            return false;
        }
        true
    }

    fn rollback_here(&mut self) {
        let Some(selected) = self.m.deploys.selected() else {
            return self.say(Tone::Plain, "nothing has been deployed yet");
        };
        if let Some(why) = self.m.deploys.not_back_to(selected) {
            return self.say(Tone::Plain, format!("not back to this one: {why}"));
        }
        let Some(release) = selected.release.clone() else {
            return;
        };
        let (environment, commit) = (selected.environment.clone(), selected.commit.clone());
        self.ask(Confirm::RollbackTo(environment, release, commit));
    }

    fn promote_here(&mut self) {
        let Some(selected) = self.m.deploys.selected() else {
            return self.say(Tone::Plain, "nothing has been deployed yet");
        };
        let next = self
            .m
            .site
            .next_of(&selected.environment)
            .map(str::to_owned);
        let why = match &next {
            Some(_) => self.m.deploys.not_moved_on(selected),
            None => self.m.deploys.not_promoted(selected),
        };
        if let Some(why) = why {
            return self.say(Tone::Plain, format!("this one cannot be promoted: {why}"));
        }
        let Some(release) = selected.release.clone() else {
            return self.say(
                Tone::Plain,
                "this one cannot be promoted: it made no release",
            );
        };
        let environment = next.unwrap_or_else(|| selected.environment.clone());
        let commit = selected.commit.clone();
        self.ask(Confirm::PromoteTo(environment, release, commit));
    }

    fn with_address_here(&mut self, effect: fn(String) -> Effect, said: &str) {
        let selected = self.m.deploys.selected();
        let url = selected.and_then(|selected| selected.url.clone());
        match url.filter(|url| url.starts_with("http://") || url.starts_with("https://")) {
            Some(url) => {
                if !said.is_empty() {
                    self.say(Tone::Good, format!("{said}{url}"));
                }
                self.out.push(effect(url));
            }
            None => self.say(Tone::Plain, "this deployment has no address"),
        }
    }

    fn mark(&mut self) {
        let Some(selected) = self.m.deploys.selected() else {
            return;
        };
        let id = Some(selected.id.clone());
        let marked = &mut self.m.deploys.marked;
        *marked = if *marked == id { None } else { id };
    }

    /// Compares the older with the newer of: the selected deployment, and the marked one or the one that is live.
    fn compare(&mut self) {
        let Some(selected) = self.m.deploys.selected().cloned() else {
            return self.say(Tone::Plain, "nothing has been deployed yet");
        };
        let marked = self.m.deploys.marked.as_ref();
        let other = match marked.and_then(|id| self.m.deploys.find(id)) {
            Some(marked) => Some(marked),
            None => self.m.deploys.list().iter().find(|deployment| {
                deployment.environment == selected.environment
                    && deployment.id != selected.id
                    && self
                        .m
                        .deploys
                        .release(deployment)
                        .is_some_and(|release| release.current)
            }),
        };
        let Some(other) = other.filter(|other| other.id != selected.id).cloned() else {
            return self.say(
                Tone::Plain,
                "mark another deployment (m), then compare this one with it",
            );
        };
        let (older, newer) = if other.started_at <= selected.started_at {
            (other.id, selected.id)
        } else {
            (selected.id, other.id)
        };
        self.open_details(Effect::Compare(older, newer));
    }

    /// Takes up what was open when the cockpit was left: the place in the proposal, and decisions that the server
    /// does not know.
    pub(super) fn come_back(&mut self) {
        let returning = std::mem::take(&mut self.m.board.returning);
        if let Some((epoch, place)) = returning.timeline
            && epoch == self.m.epoch
        {
            self.m.timeline.come_back(place);
        }
        for decided in returning.decisions {
            let Some(review) = self.m.reviews.find(&decided.proposal) else {
                continue;
            };
            let decide = decided.decide;
            let news = review.hunks().any(|(_, _, hunk)| {
                decide.hunks.contains(&hunk.id)
                    && (decide.lines.is_some() || hunk.decision != decide.decision)
            });
            if !news {
                continue;
            }
            review.decide(&decide.hunks, decide.lines.as_deref(), decide.decision);
            self.m.reviews.deciding.push_back(Deciding {
                proposal: decided.proposal,
                decide,
            });
            if self.m.reviews.deciding.len() == 1 {
                self.send_decision();
            }
        }
        let Some(place) = returning.place else { return };
        if let Some(review) = self.m.reviews.find(&place.proposal) {
            review.selected = place.selected.min(review.count().saturating_sub(1));
            let last = review.rows().len().saturating_sub(1);
            review.top = place.top.min(last);
            review.skip = place.skip;
            review.cursor = place.cursor.min(last);
            self.m.reviews.show(&place.proposal);
        }
    }

    fn copy(&mut self, text: String, said: &str) {
        if text.is_empty() {
            return;
        }
        self.say(Tone::Good, said);
        self.out.push(Effect::Copy(text));
    }
}

/// Asks for what the panes in sight lack: older events, the list of deployments.
pub(super) fn wanted(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.board.filter.is_some() {
        // What happens meanwhile takes no pane away from the keys that are being pressed.
        model.pane = Pane::Timeline;
    }
    if matches!(model.pane, Pane::Timeline | Pane::Deploy) {
        model.board.strip = model.pane;
    }
    if !model.loaded {
        return;
    }
    let plan = layout::plan(model);
    let height = usize::from(plan.timeline_body().height);
    if height > 0
        && !model.history_due
        && let Some((from, until)) = model.timeline.wanted(height)
    {
        let epoch = model.epoch.clone();
        effects.push(Effect::LoadHistory(Cursor { epoch, seq: until }, from));
    }
    let deploys = &mut model.deploys;
    if plan.deploy_body().height > 0 && !deploys.fresh && !deploys.loading {
        deploys.fresh = true;
        deploys.loading = true;
        effects.push(Effect::LoadDeployments);
    }
}
