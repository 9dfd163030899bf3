//! Places in a text: UTF-16 units, as documents count them, and lines and columns, as people do.

/// Length in UTF-16 units.
pub fn utf16_len(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The line, from 1, and the column in characters, from 0, of the place `at` (UTF-16 units) in `text`. A place after the end is the end.
pub fn line_column(text: &str, at: usize) -> (usize, usize) {
    let (mut line, mut column, mut units) = (1, 0, 0);
    for char in text.chars() {
        if units >= at {
            break;
        }
        units += char.len_utf16();
        if char == '\n' {
            line += 1;
            column = 0;
        } else {
            column += 1;
        }
    }
    (line, column)
}

/// The place (UTF-16 units) of `line`, from 1, and `column` in characters, from 0. What lies after the end of the line is its end,
/// before its line feed; what lies after the last line is the end of the text.
pub fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let mut units = 0;
    for (at, row) in text.split_inclusive('\n').enumerate() {
        if at + 1 == line.max(1) {
            let row = row.strip_suffix('\n').unwrap_or(row);
            let within: usize = row.chars().take(column).map(char::len_utf16).sum();
            return units + within;
        }
        units += utf16_len(row);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_round_trip() {
        let text = "one\n🦀 two\n\nend";
        for (at, place) in [
            (0, (1, 0)),
            (3, (1, 3)),
            (4, (2, 0)),
            (6, (2, 1)),
            (10, (2, 5)),
            (11, (3, 0)),
            (12, (4, 0)),
            (15, (4, 3)),
        ] {
            assert_eq!(line_column(text, at), place, "{at}");
            assert_eq!(offset_of(text, place.0, place.1), at, "{place:?}");
        }
        assert_eq!(line_column(text, 99), (4, 3));
        assert_eq!(offset_of(text, 1, 99), 3);
        assert_eq!(offset_of(text, 99, 0), utf16_len(text));
        // The last line of a text that ends with a line feed is the empty one after it.
        assert_eq!(line_column("a\n", 2), (2, 0));
        assert_eq!(offset_of("a\n", 2, 0), 2);
    }
}
