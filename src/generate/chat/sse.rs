//! Server-sent events out of bytes as they come, after the WHATWG standard (section 9.2.6, "Interpreting an event
//! stream"): lines end in LF, CR or CRLF; `data` lines add up; a blank line ends an event; comments are skipped.

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its name; `message` where none was given.
    pub name: String,
    /// Its data lines, joined by LF.
    pub data: String,
}

/// Takes bytes in any pieces.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    name: String,
    data: String,
    any: bool,
    after_cr: bool,
    begun: bool,
    held: usize,
}

/// An event longer than this is no answer of a model, in bytes.
const LONGEST: usize = 16 << 20;

impl Parser {
    /// The events that are finished with these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    self.end_line(&mut events);
                }
                _ => {
                    self.after_cr = false;
                    if self.line.len() < LONGEST {
                        self.line.push(byte);
                    }
                }
            }
        }
        events
    }

    /// True when more came than any answer has.
    pub fn overflows(&self) -> bool {
        self.line.len() >= LONGEST || self.held >= LONGEST
    }

    fn end_line(&mut self, events: &mut Vec<Event>) {
        let bytes = std::mem::take(&mut self.line);
        let mut line = String::from_utf8_lossy(&bytes).into_owned();
        if !self.begun {
            self.begun = true;
            if let Some(rest) = line.strip_prefix('\u{feff}') {
                line = rest.to_owned();
            }
        }
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            let data = std::mem::take(&mut self.data);
            self.held = 0;
            if std::mem::take(&mut self.any) {
                let name = if name.is_empty() {
                    "message".to_owned()
                } else {
                    name
                };
                events.push(Event { name, data });
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if self.any {
                    self.data.push('\n');
                }
                self.any = true;
                if self.held < LONGEST {
                    self.held += value.len();
                    self.data.push_str(value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}: hello\r\nevent: a\r\ndata: 1\r\ndata:2\r\n\r\ndata: {\"x\": \"\u{fc}\"}\n\nevent: empty\n\ndata\r\rdata: cut";

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        let whole = Parser::default().push(STREAM.as_bytes());
        let said: Vec<(&str, &str)> = whole
            .iter()
            .map(|e| (e.name.as_str(), e.data.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("a", "1\n2"),
                ("message", "{\"x\": \"\u{fc}\"}"),
                ("message", "")
            ]
        );
        for size in 1..9 {
            let mut parser = Parser::default();
            let pieces: Vec<Event> = STREAM
                .as_bytes()
                .chunks(size)
                .flat_map(|bytes| parser.push(bytes))
                .collect();
            assert_eq!(pieces, whole, "{size}");
        }
    }
}
