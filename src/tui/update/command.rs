//! What each command does.

use super::Turn;
use crate::client::outbox::Asked;
use crate::model::{Action, Decision};
use crate::tui::keymap::{Command, LineCommand, spoken};
use crate::tui::keys::Key;
use crate::tui::message::Effect;
use crate::tui::model::{
    Confirm, Focus, Heard, MenuKind, Moment, Overlay, Pane, Tone, Work, complete, entries,
};
use crate::tui::panes::{diff, help};
use crate::tui::view::layout;

/// How long the first Ctrl+C waits for the second.
const INTERRUPT: Moment = Moment::from_secs(3);

impl Turn<'_> {
    pub(super) fn command(&mut self, command: Command, key: Key) {
        use Command as C;
        match command {
            C::Talk => self.talk_pressed(key),
            C::FinishTalk => self.finish_recording(),
            C::CancelTalk => self.cancel_recording(),
            C::EditHeard => self.edit_heard(),
            C::Replay => self.replay(),
            C::Microphones => self.open_microphones(),
            C::ChooseMicrophone => self.choose_microphone(),
            C::CloseMicrophones => self.close_microphones(),
            C::ScrollUp if self.in_microphones() => self.step_microphone(false),
            C::ScrollDown if self.in_microphones() => self.step_microphone(true),
            C::FocusInput => self.focus_input(),
            C::LeaveInput => self.leave_input(),
            C::Complete => match complete::suggestion(self.m) {
                Some(rest) => drop(self.m.line.insert(&rest)),
                None => self.leave_input(),
            },
            C::Submit => self.submit_line(),
            C::Line(command) if self.m.board.filter.is_some() => self.edit_filter(command),
            C::Line(command) => match &mut self.m.overlay {
                Some(Overlay::Menu(menu)) => {
                    menu.filter.apply(command);
                    menu.refilter();
                }
                _ => self.edit_line(command),
            },
            C::Approve => self.approve(None),
            C::CommitOnly => self.commit_only(),
            C::Reject => self.reject(),
            C::ToggleHunk => self.toggle_hunk(),
            C::NextHunk => self.step_hunk(true),
            C::PreviousHunk => self.step_hunk(false),
            C::NextProposal => self.step_proposal(true),
            C::PreviousProposal => self.step_proposal(false),
            C::Edit => self.edit(),
            C::Revise => self.revise(),
            C::PreviousVersion => self.restore(false),
            C::NextVersion => self.restore(true),
            C::Undo => self.submit("undo that"),
            C::Preview => self.preview(),
            C::Deploy => self.ask(Confirm::Deploy),
            C::Redeploy => self.ask(Confirm::Redeploy),
            C::Rollback => self.ask(Confirm::Rollback),
            C::StopDeployment => match self.m.deploying().map(|deploy| deploy.id.clone()) {
                Some(id) => self.ask(Confirm::Stop(id)),
                None if !self.m.site.waiting.is_empty() => self.ask_to_let(false),
                None => self.say(Tone::Plain, "no deployment is running"),
            },
            C::Watch => self.watch(true),
            C::StopWatching => self.watch(false),
            C::ApproveRelease => self.ask_to_let(true),
            C::OpenPage => self.with_address(Effect::Open),
            C::CopyAddress => self.with_address(Effect::Copy),
            C::PaneSay => self.show_pane(Pane::Say),
            C::PaneProposal => self.show_pane(Pane::Proposal),
            C::PaneTimeline => self.show_pane(Pane::Timeline),
            C::ScrollUp if self.plan_open() => self.select_plan(false),
            C::ScrollDown if self.plan_open() => self.select_plan(true),
            C::TogglePlan => self.toggle_plan(None),
            C::ScrollUp => self.move_by(Step::Rows(-1)),
            C::ScrollDown => self.move_by(Step::Rows(1)),
            C::PageUp => self.move_by(Step::Pages(-1)),
            C::PageDown => self.move_by(Step::Pages(1)),
            C::Top => self.move_by(Step::Rows(-FAR)),
            C::Bottom => self.move_by(Step::Rows(FAR)),
            C::Back => self.back(),
            C::Help => self.open_menu(MenuKind::Keys),
            C::Palette => self.open_menu(MenuKind::Everything),
            C::CloseHelp => self.close_menu(),
            C::Run => self.run_entry(),
            C::OpenReview => self.open_review(),
            C::CloseReview => self.close_review(),
            C::NextFile => self.step_file(true),
            C::PreviousFile => self.step_file(false),
            C::Accept => self.decide_selected(Decision::Accepted),
            C::LeaveOut => self.decide_selected(Decision::Rejected),
            C::AcceptFile => self.decide_file(None, Decision::Accepted),
            C::LeaveOutFile => self.decide_file(None, Decision::Rejected),
            C::SelectLines => self.select_lines(),
            C::UndoDecision => self.undo_decision(true),
            C::RedoDecision => self.undo_decision(false),
            C::UndoTyping => self.undo_typing(true),
            C::RedoTyping => self.undo_typing(false),
            C::EditHere => self.edit_here(),
            C::SaveEdit => self.save_edit(),
            C::CancelEdit => self.cancel_edit(),
            C::SideBySide => self.m.sides = !self.m.sides,
            C::People => self.people(),
            C::Follow => self.follow(),
            C::Outbox => self.open_outbox(),
            C::DropWaiting => self.drop_waiting(),
            C::Highlight => self.highlight(),
            C::Unmark => self.unmark(),
            C::Note => self.note(),
            C::ChangeNote => self.change_note(),
            C::Resolve => self.resolve(),
            C::NextNote => self.step_note(true),
            C::PreviousNote => self.step_note(false),
            C::Summary => self.open_summary(),
            C::Message => self.write_message(),
            C::Queue => self.open_queue(),
            C::Pick => self.pick(),
            C::ApproveBatch => self.ask_batch(Action::Deploy),
            C::CommitBatch => self.ask_batch(Action::Commit),
            C::ShowPicked => self.show_picked(),
            C::Choose(number) if self.plan_open() => self.toggle_plan(Some(number)),
            C::Choose(number) => self.choose(number),
            C::Yes => self.answer(true),
            C::No => self.answer(false),
            C::Quit => self.quit(),
            C::Interrupt => self.interrupt(),
            C::Suspend => self.out.push(Effect::Suspend),
            C::Redraw => self.out.push(Effect::Repaint),
            other => self.board(other),
        }
    }

    /// At the end of the text there is nothing to the right but what is suggested: all of it, or its next word.
    fn edit_line(&mut self, command: LineCommand) {
        let all = matches!(command, LineCommand::Right | LineCommand::End);
        if (all || command == LineCommand::WordRight)
            && let Some(rest) = complete::suggestion(self.m)
        {
            let word = rest
                .char_indices()
                .skip_while(|(_, letter)| !letter.is_alphanumeric())
                .find(|(_, letter)| !letter.is_alphanumeric());
            let end = word.map_or(rest.len(), |(at, _)| at);
            let _ = self.m.line.insert(if all { &rest } else { &rest[..end] });
            return;
        }
        self.m.line.apply(command);
    }

    fn leave_input(&mut self) {
        if self.message_written(false) || self.note_written(false) {
            return;
        }
        self.m.focus = Focus::Cockpit;
        self.m.pane = Pane::Proposal;
        self.m.revising = None;
    }

    /// Brings a pane to the front; the full view of a proposal gives way.
    pub(super) fn show_pane(&mut self, pane: Pane) {
        self.m.pane = pane;
        // Answers of the health checks come without events.
        if pane == Pane::Deploy && self.m.deploys.health(&self.m.site.environment).is_some() {
            self.m.deploys.fresh = false;
        }
        self.m.reading = false;
    }

    fn submit_line(&mut self) {
        if self.message_written(true) || self.note_written(true) {
            return;
        }
        if self.m.line.text().trim().is_empty() {
            self.say(Tone::Plain, "write what should change, then Enter");
            return;
        }
        let text = self.m.line.take();
        if self.m.revising.is_none()
            && let Some((command, true)) = spoken::command(&text)
        {
            self.leave_input();
            self.understood(&text, command);
            return;
        }
        let revising = self.m.revising.take();
        self.leave_input();
        self.m.heard = Some(Heard {
            instruction: None,
            text: text.clone(),
            reading: None,
            spoken: false,
        });
        // The same key may have been pressed for something else: what is seen from here on counts anew.
        self.m.seen = Default::default();
        match revising {
            Some(proposal) => {
                self.m.card = None;
                if self.keeps() {
                    let words = text;
                    self.enqueue(Asked::Revision { proposal, words }, "trying again");
                } else {
                    self.begin_work("trying again");
                    self.out.push(Effect::Revise(proposal, text));
                }
            }
            None => self.submit(&text),
        }
    }

    pub(super) fn submit(&mut self, text: &str) {
        self.m.card = None;
        if self.keeps() {
            let words = text.to_owned();
            self.enqueue(Asked::Instruction { words }, "sending");
        } else {
            self.begin_work("sending");
            self.out.push(Effect::Submit(text.to_owned()));
        }
    }

    pub(super) fn begin_work(&mut self, what: &str) {
        self.m.notice = None;
        self.m.work = Some(Work {
            what: what.to_owned(),
            since: self.now,
            instruction: None,
            mine: true,
        });
    }

    /// Opens a question of the cockpit's own.
    pub(super) fn ask(&mut self, confirm: Confirm) {
        if !self.m.loaded {
            self.say(Tone::Warn, "not connected to the server yet");
            return;
        }
        if self.m.busy.sync {
            self.say(Tone::Plain, "still asking the server for the last one");
            return;
        }
        if confirm == Confirm::Rollback && self.m.site.live().is_none() {
            self.say(
                Tone::Plain,
                "nothing is live yet, so there is nothing to go back from",
            );
            return;
        }
        self.m.overlay = Some(Overlay::Confirm(confirm));
    }

    /// Switches watching on or off; its events say what came of it.
    fn watch(&mut self, on: bool) {
        match self.m.site.watch.as_ref().map(|watch| watch.on) {
            None => self.say(Tone::Plain, "there are no files here to watch"),
            Some(now) if now == on && on => {
                self.say(Tone::Plain, "your files are watched already; W stops it")
            }
            Some(now) if now == on => {
                self.say(Tone::Plain, "your files are not watched; w begins it")
            }
            Some(_) => self.out.push(Effect::Watch(on)),
        }
    }

    fn answer(&mut self, yes: bool) {
        match self.m.overlay.clone() {
            Some(Overlay::Confirm(confirm)) => {
                // Yes only to what was on the screen; a paste or a key typed ahead is no answer.
                if yes && self.m.seen.confirm.as_ref() != Some(&confirm) {
                    return;
                }
                self.m.overlay = None;
                match confirm {
                    confirm if yes => self.confirmed(confirm),
                    Confirm::Again(key, proposal, _) => self.again(&key, &proposal, false),
                    _ => {}
                }
            }
            Some(_) => {}
            None => self.answer_question(yes),
        }
    }

    fn answer_question(&mut self, yes: bool) {
        let Some(open) = self.m.questions.front() else {
            return;
        };
        let id = open.instruction.clone();
        if self.m.seen.question.as_ref() != Some(&id)
            || self.m.seen.asked.as_ref() != Some(&open.question)
            || self.m.busy.question.as_ref() == Some(&id)
        {
            return;
        }
        let Some(answer) = self.answer_with_plan(yes) else {
            return;
        };
        if yes {
            self.begin_work("on it");
        }
        self.m.busy.question = Some(id.clone());
        self.out.push(answer);
    }

    fn confirmed(&mut self, confirm: Confirm) {
        match confirm {
            Confirm::Deploy | Confirm::Redeploy => {
                self.m.busy.sync = true;
                self.begin_work("asking for the deployment");
                self.out.push(Effect::Deploy(confirm == Confirm::Redeploy));
            }
            Confirm::Preview(id, _) => self.out.push(Effect::Preview(id, true)),
            Confirm::Rollback => {
                self.m.busy.sync = true;
                self.begin_work("going back");
                self.out
                    .push(Effect::Rollback(self.m.site.environment.clone()));
            }
            Confirm::RollbackTo(environment, release, _) => {
                self.m.busy.sync = true;
                self.begin_work("going back");
                self.out.push(Effect::RollbackTo(environment, release));
            }
            Confirm::RedeployTo(environment, commit) => {
                self.m.busy.sync = true;
                self.begin_work("asking for the deployment");
                self.out.push(Effect::RedeployTo(environment, commit));
            }
            Confirm::PromoteTo(environment, release, _) => {
                self.m.busy.sync = true;
                self.begin_work("asking for the promotion");
                self.out.push(Effect::Promote(environment, release));
            }
            Confirm::Let(waits) => self.let_through(*waits),
            Confirm::Decline(waits) => self.out.push(Effect::Stop(waits.id)),
            Confirm::Stop(id) => self.out.push(Effect::Stop(id)),
            Confirm::Quit => self.out.push(Effect::Quit),
            Confirm::Batch(items, action) => self.send_batch(items, action),
            Confirm::Again(key, proposal, _) => self.again(&key, &proposal, true),
            Confirm::DropNote(note, _) => self.drop_note(&note),
        }
    }

    fn quit(&mut self) {
        if self.m.deploying().is_some() {
            self.m.overlay = Some(Overlay::Confirm(Confirm::Quit));
        } else {
            self.out.push(Effect::Quit);
        }
    }

    fn interrupt(&mut self) {
        if self.m.interrupted.is_some_and(|until| self.now < until) {
            self.out.push(Effect::Quit);
            return;
        }
        if self.m.talk.active() {
            self.cancel_recording();
        }
        self.m.interrupted = Some(self.now + INTERRUPT);
        self.say(Tone::Warn, "press Ctrl+C again to quit");
    }

    /// Leaves one thing that is only passing.
    fn back(&mut self) {
        if matches!(
            self.m.overlay,
            Some(Overlay::Summary(_) | Overlay::Queue(_) | Overlay::People(_) | Overlay::Outbox(_))
        ) {
            self.m.overlay = None;
            return;
        }
        if self.stop_draft() || self.m.notice.take().is_some() {
            return;
        }
        // What stands in front goes before what may not even be in sight.
        if matches!(self.m.pane, Pane::Timeline | Pane::Deploy) && self.leave_lists() {
            return;
        }
        if self.m.card.take().is_some() {
            return;
        }
        if self.leave_lists() {
            return;
        }
        self.m.timeline.follow();
        self.m.pane = Pane::Proposal;
    }

    fn with_address(&mut self, effect: fn(String) -> Effect) {
        match self.m.site.live().map(|live| live.url.clone()) {
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
                if effect(String::new()) == Effect::Copy(String::new()) {
                    self.say(Tone::Good, format!("copied {url}"));
                }
                self.out.push(effect(url));
            }
            Some(_) => self.say(Tone::Warn, "the live address is no web address"),
            None => self.say(Tone::Plain, "nothing is live yet"),
        }
    }

    fn commit_only(&mut self) {
        if self.m.reviews.is_empty() {
            self.submit("commit that");
        } else {
            self.approve(Some(Action::Commit));
        }
    }

    fn move_by(&mut self, step: Step) {
        let plan = layout::plan(self.m);
        let rows = |page: u16| match step {
            Step::Rows(rows) => rows,
            // A row of the page before stays in sight.
            Step::Pages(pages) => pages * i64::from(page.saturating_sub(1).max(1)),
        };
        match &self.m.overlay {
            Some(Overlay::Menu(menu)) => {
                let count = entries::found(self.m, menu).len();
                let height = help::height(plan.area);
                if let Some(Overlay::Menu(menu)) = &mut self.m.overlay {
                    menu.step(rows(height), count, usize::from(height));
                }
                return;
            }
            Some(
                Overlay::Summary(_) | Overlay::Queue(_) | Overlay::People(_) | Overlay::Outbox(_),
            ) => return self.move_overlay(rows(10)),
            Some(Overlay::Details) => {
                return self.scroll_details(rows(crate::tui::panes::details::height(plan.area)));
            }
            Some(Overlay::Confirm(_) | Overlay::Mics(_) | Overlay::Checkup) => return,
            None => {}
        }
        if self.m.full_view() {
            let height = diff::plan(self.m, &plan).body.height;
            return self.move_cursor(rows(height), matches!(step, Step::Pages(_)), height);
        }
        let pane = self.m.pane;
        let height = match pane {
            Pane::Timeline => plan.timeline_body().height,
            Pane::Deploy => plan.deploy_body().height / 2,
            Pane::Say | Pane::Proposal => plan.proposal_body().height,
        };
        self.scroll(pane, rows(height), &plan);
    }
}

/// How far to scroll.
#[derive(Clone, Copy)]
enum Step {
    Rows(i64),
    Pages(i64),
}

/// More rows than anything has.
const FAR: i64 = 1 << 40;
