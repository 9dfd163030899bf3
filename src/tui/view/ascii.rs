//! The picture for terminals and locales without Unicode: every sign becomes one of ASCII in the same column.

use ratatui::buffer::Buffer;

use crate::tui::motion;

/// Replaces every cell of `buf` that is not ASCII.
pub fn apply(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let plain = replacement(cell.symbol());
            cell.set_symbol(plain);
        }
    }
}

/// What stands for a sign.
fn replacement(symbol: &str) -> &'static str {
    if let Some(mark) = motion::ascii(symbol) {
        return mark;
    }
    match symbol {
        "─" | "–" | "—" => "-",
        "━" => "=",
        "│" | "▌" => "|",
        "┃" => ":",
        "−" => "-",
        "╭" | "╮" | "╰" | "╯" => "+",
        "▸" | "▶" | "›" | "→" => ">",
        "▾" | "↓" => "v",
        "↑" => "^",
        "←" => "<",
        "✓" => "+",
        "✗" | "×" => "x",
        "·" => ".",
        "●" | "◆" | "•" => "*",
        "○" | "◇" => "o",
        "…" => "~",
        "“" | "”" | "„" | "«" | "»" => "\"",
        "‘" | "’" => "'",
        "≤" => "<",
        "≥" => ">",
        "\u{a0}" => " ",
        // The eight heights of a meter or a sparkline.
        "▁" => "_",
        "▂" => ".",
        "▃" => "-",
        "▄" => "~",
        "▅" => "=",
        "▆" => "+",
        "▇" => "*",
        "█" => "#",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn every_sign_keeps_its_column() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        buf.set_string(0, 0, "▸ ✓ 日本 ─━ “ä” ⠋█", Style::new());
        apply(&mut buf);
        let shown: String = buf.content.iter().map(|cell| cell.symbol()).collect();
        assert_eq!(shown, "> + ? ?  -= \"?\" |#  ");
    }
}
