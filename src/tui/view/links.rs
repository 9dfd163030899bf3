//! Web addresses on the screen, found where they stand, so that a terminal can open them (OSC 8).

use ratatui::buffer::Buffer;

/// An address on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its row.
    pub y: u16,
    /// Its first column.
    pub from: u16,
    /// The column behind it.
    pub to: u16,
    /// The whole address, also where the screen shows only its begin.
    pub url: String,
}

/// Longest address that is made a link: terminals take about two thousand bytes.
const LONGEST: usize = 2_000;

/// The addresses in `buf`. One that ends in `…` is a link when it is the begin of one of `known`.
pub fn find<'a>(buf: &Buffer, known: impl Iterator<Item = &'a str> + Clone) -> Vec<Link> {
    let mut links = Vec::new();
    let width = usize::from(buf.area.width);
    if width == 0 {
        return links;
    }
    for (y, row) in (buf.area.y..).zip(buf.content.chunks(width)) {
        let mut at = 0;
        while at + 10 <= width {
            if row[at].symbol() != "h" || !begins(&row[at..]) {
                at += 1;
                continue;
            }
            let mut url = String::new();
            let mut end = at;
            let mut cut = false;
            for cell in &row[at..] {
                match cell.symbol() {
                    "…" => {
                        cut = true;
                        break;
                    }
                    symbol if symbol.chars().all(of_an_address) => url.push_str(symbol),
                    _ => break,
                }
                end += 1;
            }
            while url.ends_with(['.', ',', ';', ':', ')']) {
                url.pop();
                end -= 1;
            }
            let whole = if cut {
                known.clone().find(|known| known.starts_with(&url))
            } else {
                Some(url.as_str())
            };
            let whole = whole.filter(|url| url.len() <= LONGEST && url.chars().all(of_an_address));
            if let Some(whole) = whole {
                links.push(Link {
                    y,
                    from: buf.area.x + u16::try_from(at).unwrap_or(u16::MAX),
                    to: buf.area.x + u16::try_from(end).unwrap_or(u16::MAX),
                    url: whole.to_owned(),
                });
            }
            at = end.max(at + 1);
        }
    }
    links
}

fn begins(row: &[ratatui::buffer::Cell]) -> bool {
    let starts = |with: &str| {
        let cells = row.iter().map(|cell| cell.symbol());
        row.len() > with.len() && cells.zip(with.chars()).all(|(cell, c)| cell.starts_with(c))
    };
    starts("http://") || starts("https://")
}

/// True for what an address is written with (RFC 3986): printable ASCII without blanks, quotes and brackets.
fn of_an_address(c: char) -> bool {
    c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    fn links(text: &str, known: &[&str]) -> Vec<(u16, u16, String)> {
        let mut buf = Buffer::empty(Rect::new(0, 0, 60, 1));
        buf.set_string(0, 0, text, Style::new());
        let found = find(&buf, known.iter().copied());
        found
            .into_iter()
            .map(|link| (link.from, link.to, link.url))
            .collect()
    }

    #[test]
    fn addresses_are_found_where_they_stand() {
        assert_eq!(
            links("LIVE: http://127.0.0.1:4000/ (see https://a.b/c?d=1).", &[]),
            [
                (6, 28, "http://127.0.0.1:4000/".to_owned()),
                (34, 51, "https://a.b/c?d=1".to_owned()),
            ]
        );
        assert_eq!(links("http: //no https:/", &[]), []);
    }

    #[test]
    fn one_that_is_cut_is_a_link_only_when_it_is_known() {
        let known = ["https://site.example/a/long/way"];
        assert_eq!(links("https://site.exam…", &[]), []);
        assert_eq!(
            links("https://site.exam…", &known),
            [(0, 17, known[0].to_owned())]
        );
    }
}
