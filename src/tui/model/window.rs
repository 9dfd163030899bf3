//! Moving the window over a diff, and the cursor in it. Each move looks at the rows in sight, and no others.

use super::review::Review;

/// Lines kept between the cursor and the edge of the window: the name of the file may stand over the first one.
const MARGIN: usize = 2;
/// More lines than are walked one by one.
const FAR: usize = 10_000;

impl Review {
    /// The place `lines` lines above a place.
    fn above(&mut self, (mut row, mut skip): (usize, usize), mut lines: usize) -> (usize, usize) {
        while lines > 0 {
            if skip >= lines {
                return (row, skip - lines);
            }
            lines -= skip;
            if row == 0 {
                return (0, 0);
            }
            row -= 1;
            skip = self.lines_of(row);
        }
        (row, skip)
    }

    /// The place `lines` lines below a place.
    fn below(&mut self, (mut row, mut skip): (usize, usize), mut lines: usize) -> (usize, usize) {
        while row < self.rows.len() {
            let all = self.lines_of(row);
            let rest = all.saturating_sub(skip);
            if lines < rest {
                return (row, skip + lines);
            }
            lines -= rest;
            row += 1;
            skip = 0;
        }
        (row, 0)
    }

    /// Keeps the top where the window is full, as far as there is text.
    pub(super) fn settle(&mut self) {
        let last = self.above((self.rows.len(), 0), self.height);
        let lines = if self.top < self.rows.len() {
            self.lines_of(self.top)
        } else {
            0
        };
        self.skip = self.skip.min(lines.saturating_sub(1));
        if (self.top, self.skip) > last {
            (self.top, self.skip) = last;
        }
    }

    /// Scrolls by `by` lines in a window of `height`.
    pub fn scroll(&mut self, by: i64, height: usize) {
        self.height = height.max(1);
        let lines = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
        let at = (self.top, self.skip);
        (self.top, self.skip) = match by {
            // Further than there are rows: the end, without walking there.
            0 => at,
            _ if lines > FAR && by < 0 => (0, 0),
            _ if lines > FAR => (self.rows.len(), 0),
            _ if by < 0 => self.above(at, lines),
            _ => self.below(at, lines),
        };
        self.settle();
        self.fill();
    }

    /// Selects another hunk and brings it into a window of `height`; a hunk that is all in sight moves nothing.
    pub fn select(&mut self, place: usize, height: usize) {
        let Some(start) = self.rows.heading(place) else {
            return;
        };
        self.selected = place;
        self.cursor = start;
        self.height = height.max(1);
        self.fill();
        let end = self.rows.heading(place + 1).unwrap_or(self.rows.len());
        let seen = |row: usize| self.pieces.iter().any(|piece| piece.row == row);
        let first = self.pieces.first().map(|piece| piece.row);
        let whole = seen(start) && seen(end.saturating_sub(1));
        if !whole || (first == Some(start) && start > 0) {
            // The row above the heading is left for the name of the file.
            (self.top, self.skip) = (start.saturating_sub(1), 0);
        }
        self.settle();
        self.fill();
    }

    /// Puts the cursor on `row`, and the window where it is seen.
    pub fn go_to(&mut self, row: usize, height: usize) {
        self.height = height.max(1);
        self.cursor = row.min(self.rows.len().saturating_sub(1));
        if let Some((file, hunk)) = self.rows.row(self.cursor).hunk() {
            self.selected = self.place(file, hunk);
        } else if let Some(file) = self.rows.row(self.cursor).file()
            && self
                .rows
                .hunk(self.rows.place(file, 0))
                .is_some_and(|(f, _)| f == file)
        {
            self.selected = self.place(file, 0);
        }
        self.reveal();
    }

    /// Moves the window as little as shows the cursor.
    fn reveal(&mut self) {
        let margin = MARGIN.min(self.height.saturating_sub(1) / 2);
        let highest = self.above((self.cursor, 0), margin);
        if (self.top, self.skip) > highest {
            (self.top, self.skip) = highest;
        }
        // A row that is longer than the window is seen from its beginning.
        let own = self.lines_of(self.cursor).min(self.height);
        let after = self.below((self.cursor, 0), own + margin);
        let lowest = self.above(after, self.height).min(highest);
        if (self.top, self.skip) < lowest {
            (self.top, self.skip) = lowest;
        }
        self.settle();
        self.fill();
    }
}
