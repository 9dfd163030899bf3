//! The state in, a frame out. Pure: the same state at the same moment gives the same frame.

pub mod ascii;
pub mod layout;
pub mod links;
pub mod paint;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::model::{Model, Moment, Overlay, Pane};
use super::panes;

/// Draws the state into `buf` and says where the cursor is to stand, if anywhere. Draws nothing outside `buf`.
pub fn draw(model: &Model, now: Moment, buf: &mut Buffer) -> Option<Position> {
    let plan = layout::plan(model);
    if plan.area.intersection(buf.area) != plan.area || plan.area.is_empty() {
        return None;
    }
    panes::header::draw(model, now, plan.header, buf);
    let mut cursor = if model.full_view() {
        panes::diff::draw(model, now, &plan, buf);
        let body = panes::diff::plan(model, &plan).body;
        let editing = model.editing.as_ref();
        editing.and_then(|edit| panes::edit::cursor(edit, body))
    } else {
        panes(model, now, &plan, buf)
    };
    panes::progress::draw(model, now, plan.progress, buf);
    panes::footer::draw(model, plan.footer, buf);
    if let Some((over, own)) = overlay(model, now, plan.area, buf)
        && (own.is_some() || cursor.is_some_and(|at| over.contains(at)))
    {
        cursor = own;
    }
    if model.settings.ascii {
        ascii::apply(buf);
    }
    cursor
}

/// Draws the panes; where the cursor stands.
fn panes(model: &Model, now: Moment, plan: &layout::Plan, buf: &mut Buffer) -> Option<Position> {
    panes::header::tabs(model, plan.tabs, buf);
    if plan.titled {
        for pane in Pane::ALL {
            paint::title(model, pane, &panes::note(model, pane), plan.pane(pane), buf);
        }
    }
    let cursor = panes::say::draw(model, now, plan.say_body(), buf);
    panes::say::whisper(model, now, plan.whisper, buf);
    if panes::checkup::in_place(model) {
        panes::checkup::draw(model, plan.proposal_pane(), buf);
    } else {
        panes::proposal::draw(model, now, plan, buf);
    }
    panes::deploy::draw(model, plan.deploy_body(), buf);
    panes::timeline::draw(model, plan.timeline_body(), buf).or(cursor)
}

/// The web addresses on the screen, for terminals that open them.
pub fn links(model: &Model, buf: &Buffer) -> Vec<links::Link> {
    let live = model.site.live.iter().map(|live| live.url.as_str());
    let deployed = model.deploys.list().iter();
    let deployed = deployed.filter_map(|deployment| deployment.url.as_deref());
    let previews = model.previews.addresses();
    links::find(buf, live.chain(deployed).chain(previews))
}

/// Draws what lies over the panes; the rectangle it covers, and its own cursor.
fn overlay(
    model: &Model,
    now: Moment,
    area: Rect,
    buf: &mut Buffer,
) -> Option<(Rect, Option<Position>)> {
    let rect = match &model.overlay {
        Some(Overlay::Menu(menu)) => return Some(panes::help::draw(model, menu, area, buf)),
        Some(Overlay::Confirm(confirm)) => panes::ask::confirm(model, confirm, now, area, buf),
        Some(Overlay::Summary(of)) => panes::summary::draw(model, of, area, buf),
        Some(Overlay::Queue(at)) => panes::queue::draw(model, *at, area, buf),
        Some(Overlay::Checkup) => panes::checkup::overlay(model, area, buf),
        Some(Overlay::Details) => panes::details::draw(model, area, buf),
        Some(Overlay::Mics(mics)) => panes::mics::draw(model, mics, area, buf),
        Some(Overlay::People(at)) => panes::people::draw(model, *at, area, buf),
        Some(Overlay::Outbox(at)) => panes::outbox::draw(model, *at, area, buf),
        None => {
            let open = model.questions.front()?;
            panes::ask::question(model, open, area, buf)
        }
    };
    Some((rect, None))
}
