//! Where the panes stand. Pure arithmetic over the size of the terminal; every rectangle lies inside it.

use ratatui::layout::Rect;

use crate::tui::model::{Model, Pane};

/// From this width on two columns stand side by side.
pub const WIDE: u16 = 120;
/// Below this width one pane is shown at a time.
pub const NARROW: u16 = 80;
/// Columns before the text of a diff row: selection, sign and line numbers.
const GUTTER: u16 = 15;
/// The same without line numbers.
const SMALL_GUTTER: u16 = 4;
/// Columns that a diff keeps beside a picture.
const DIFF: u16 = 36;
/// A pane narrower than this shows no line numbers.
const NUMBERS: u16 = 60;

/// The rectangles of the screen; one that is not shown has no area.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The whole screen.
    pub area: Rect,
    /// The line at the top.
    pub header: Rect,
    /// The titles of the panes, on a narrow screen.
    pub tabs: Rect,
    /// The line that says what goes on while the say pane is not shown.
    pub whisper: Rect,
    /// Voice and text.
    pub say: Rect,
    /// The proposal.
    pub proposal: Rect,
    /// What happened.
    pub timeline: Rect,
    /// Deployments.
    pub deploy: Rect,
    /// The deployment's bar.
    pub progress: Rect,
    /// The keys.
    pub footer: Rect,
    /// True when panes have a title line of their own.
    pub titled: bool,
    /// True when the proposal is previewed: a line says where.
    pub previewed: bool,
    /// Columns and rows of the picture of the previewed page; none without one.
    pub pictured: (u16, u16),
}

impl Plan {
    /// A pane without its title line.
    fn body(&self, pane: Rect) -> Rect {
        let title = u16::from(self.titled).min(pane.height);
        Rect {
            y: pane.y + title,
            height: pane.height - title,
            ..pane
        }
    }

    /// The say pane below its title.
    pub fn say_body(&self) -> Rect {
        self.body(self.say)
    }

    /// The proposal's pane below its title.
    pub fn proposal_pane(&self) -> Rect {
        self.body(self.proposal)
    }

    /// The rows of the proposal's diff: below the title and the line with its name, above the line with the actions.
    pub fn proposal_body(&self) -> Rect {
        let body = self.body(self.proposal);
        let top = 1.min(body.height) + self.proposal_preview().height;
        Rect {
            y: body.y + top,
            height: body.height.saturating_sub(1 + top),
            width: body.width.saturating_sub(self.picture_columns(body)),
            ..body
        }
    }

    /// Where the picture of the previewed page stands: beside the diff, where there is room for both.
    pub fn proposal_picture(&self) -> Rect {
        let body = self.body(self.proposal);
        let columns = self.picture_columns(body);
        if columns == 0 {
            return Rect::ZERO;
        }
        Rect {
            x: body.right() - self.pictured.0,
            y: body.y + 2,
            width: self.pictured.0,
            height: self.pictured.1,
        }
    }

    /// What the picture takes of a pane's width, with an empty column before it.
    fn picture_columns(&self, body: Rect) -> u16 {
        let (columns, rows) = self.pictured;
        let fits = columns > 0 && body.width >= columns + DIFF && body.height >= rows + 3;
        if fits { columns + 1 } else { 0 }
    }

    /// The line with the preview's address, where there is room for more than that.
    pub fn proposal_preview(&self) -> Rect {
        let body = self.body(self.proposal);
        Rect {
            y: body.y + 1.min(body.height),
            height: u16::from(self.previewed && body.height >= 4),
            ..body
        }
    }

    /// The line that names the proposal.
    pub fn proposal_name(&self) -> Rect {
        let body = self.body(self.proposal);
        Rect {
            height: 1.min(body.height),
            ..body
        }
    }

    /// The line with what can be done with the proposal.
    pub fn proposal_actions(&self) -> Rect {
        let body = self.body(self.proposal);
        let height = u16::from(body.height >= 2);
        Rect {
            y: body.bottom() - height,
            height,
            ..body
        }
    }

    /// The timeline below its title.
    pub fn timeline_body(&self) -> Rect {
        self.body(self.timeline)
    }

    /// The deploy pane below its title.
    pub fn deploy_body(&self) -> Rect {
        self.body(self.deploy)
    }

    /// The pane at a column and a row.
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        let at = (x, y).into();
        Pane::ALL
            .into_iter()
            .find(|pane| self.pane(*pane).contains(at))
    }

    /// The rectangle of a pane.
    pub fn pane(&self, pane: Pane) -> Rect {
        match pane {
            Pane::Say => self.say,
            Pane::Proposal => self.proposal,
            Pane::Timeline => self.timeline,
            Pane::Deploy => self.deploy,
        }
    }
}

/// The columns that a diff row has for its text in a pane of `width`.
pub fn diff_columns(width: u16) -> usize {
    usize::from(width.saturating_sub(gutter(width)))
}

/// The columns before the text of a diff row.
pub fn gutter(width: u16) -> u16 {
    if shows_numbers(width) {
        GUTTER
    } else {
        SMALL_GUTTER.min(width)
    }
}

/// True when a pane of `width` shows line numbers.
pub fn shows_numbers(width: u16) -> bool {
    width >= NUMBERS
}

/// Where everything stands.
pub fn plan(model: &Model) -> Plan {
    let area = Rect::new(0, 0, model.width, model.height);
    let mut plan = Plan {
        area,
        previewed: model
            .review()
            .is_some_and(|review| model.previews.get(review.id()).is_some()),
        pictured: model
            .review()
            .and_then(|review| model.previews.picture(review.id()))
            .map_or((0, 0), |picture| picture.size),
        ..Plan::default()
    };
    let mut rest = area;
    // What matters most takes its row first: on a tiny screen that is the pane itself, then the keys.
    if rest.height >= 3 {
        plan.footer = cut_bottom(&mut rest, 1);
    }
    if rest.height >= 4 {
        plan.header = cut_top(&mut rest, 1);
    }
    if rest.height >= 4 && model.deploy.is_some() {
        plan.progress = cut_bottom(&mut rest, 1);
    }
    if area.width < NARROW || model.board.zoom {
        single(model, &mut plan, rest);
    } else if area.width < WIDE {
        normal(model, &mut plan, rest);
    } else {
        wide(model, &mut plan, rest);
    }
    plan
}

/// One pane at a time: on a narrow screen, and when the pane in front is to have all of it.
fn single(model: &Model, plan: &mut Plan, mut rest: Rect) {
    if rest.height >= 4 {
        plan.tabs = cut_top(&mut rest, 1);
    }
    if rest.height >= 5 && model.pane != Pane::Say {
        plan.whisper = cut_top(&mut rest, 1);
    }
    match model.pane {
        Pane::Say => plan.say = rest,
        Pane::Proposal => plan.proposal = rest,
        Pane::Timeline => plan.timeline = rest,
        Pane::Deploy => plan.deploy = rest,
    }
}

fn normal(model: &Model, plan: &mut Plan, mut rest: Rect) {
    plan.titled = true;
    if rest.height < 10 {
        // Room for two panes only: the input, and the one in front.
        let say = 2.min(rest.height / 2);
        plan.say = cut_top(&mut rest, say);
        match model.pane {
            Pane::Timeline => plan.timeline = rest,
            Pane::Deploy => plan.deploy = rest,
            Pane::Say | Pane::Proposal => plan.proposal = rest,
        }
        return;
    }
    let sizes = model.board.sizes;
    let say = sized(4, sizes.say, 2, rest.height.saturating_sub(8));
    plan.say = cut_top(&mut rest, say);
    // Timeline and deployments share the strip; the one that was in front last has it.
    let strip = (rest.height / 4).clamp(4, 10);
    let most = rest.height.saturating_sub(5);
    match strip_of(model) {
        Pane::Deploy => {
            let height = sized(strip.max(9), sizes.deploy, 3, most);
            plan.deploy = cut_bottom(&mut rest, height);
        }
        _ => {
            let height = sized(strip, sizes.timeline, 3, most);
            plan.timeline = cut_bottom(&mut rest, height);
        }
    }
    plan.proposal = rest;
}

fn wide(model: &Model, plan: &mut Plan, mut rest: Rect) {
    plan.titled = true;
    let sizes = model.board.sizes;
    let usual = (rest.width * 2 / 5).min(70);
    let right = sized(usual, sizes.column.saturating_mul(4), 30, rest.width - 40);
    let mut column = Rect {
        x: rest.right() - right,
        width: right,
        ..rest
    };
    // One column between the two stays empty.
    rest.width -= right + 1;
    plan.proposal = rest;
    let say = (rest.height / 3).clamp(4, 9);
    let say = sized(say, sizes.say, 2, column.height.saturating_sub(4).max(2));
    plan.say = cut_top(&mut column, say);
    if column.height < 12 {
        match strip_of(model) {
            Pane::Deploy => plan.deploy = column,
            _ => plan.timeline = column,
        }
        return;
    }
    let deploy = (column.height * 2 / 5).clamp(5, 24);
    let by = sizes.deploy.saturating_sub(sizes.timeline);
    let deploy = sized(deploy, by, 3, column.height - 3);
    plan.deploy = cut_bottom(&mut column, deploy);
    plan.timeline = column;
}

/// Which of timeline and deployments stands where there is room for one.
fn strip_of(model: &Model) -> Pane {
    match model.pane {
        Pane::Timeline | Pane::Deploy => model.pane,
        Pane::Say | Pane::Proposal => model.board.strip,
    }
}

/// A size `by` steps from the usual one, inside its bounds.
fn sized(usual: u16, by: i8, least: u16, most: u16) -> u16 {
    usual
        .saturating_add_signed(i16::from(by))
        .clamp(least.min(usual), most.max(usual))
}

fn cut_top(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    let cut = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    cut
}

fn cut_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect {
        y: rest.bottom(),
        height,
        ..*rest
    }
}
