//! What the terminal library reads, as messages. Nothing else in the cockpit knows the library's events.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind,
};

use super::keys::{Code, Key, Stroke};
use super::message::{Message, Mouse};

/// The message of an event, if it means anything here.
pub fn message(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) => {
            let stroke = match key.kind {
                KeyEventKind::Press => Stroke::Press,
                KeyEventKind::Repeat => Stroke::Repeat,
                KeyEventKind::Release => Stroke::Release,
            };
            Some(Message::Key(key_of(key)?, stroke))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(width, height) => Some(Message::Resize(width, height)),
        Event::FocusGained => Some(Message::Focus(true)),
        Event::FocusLost => Some(Message::Focus(false)),
        Event::Mouse(mouse) => {
            let (x, y) = (mouse.column, mouse.row);
            match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Some(Message::Mouse(Mouse::Click(x, y))),
                MouseEventKind::Drag(MouseButton::Left) => Some(Message::Mouse(Mouse::Drag(x, y))),
                MouseEventKind::ScrollUp => Some(Message::Mouse(Mouse::Up(x, y))),
                MouseEventKind::ScrollDown => Some(Message::Mouse(Mouse::Down(x, y))),
                _ => None,
            }
        }
    }
}

fn key_of(event: KeyEvent) -> Option<Key> {
    let held = event.modifiers;
    if held.intersects(KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META) {
        return None;
    }
    let mut shift = held.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::F(number) => Code::F(number),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => {
            shift = true;
            Code::Tab
        }
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Insert => Code::Insert,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        _ => return None,
    };
    let key = Key {
        code,
        ctrl: held.contains(KeyModifiers::CONTROL),
        alt: held.contains(KeyModifiers::ALT),
        shift,
    };
    Some(key.normal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_form_however_it_is_reported() {
        let cases = [
            (KeyCode::Char('D'), KeyModifiers::SHIFT, "D"),
            (KeyCode::Char('d'), KeyModifiers::SHIFT, "D"),
            (KeyCode::Char('D'), KeyModifiers::NONE, "D"),
            (KeyCode::Char('?'), KeyModifiers::SHIFT, "?"),
            (KeyCode::Char('C'), KeyModifiers::CONTROL, "Ctrl+C"),
            (KeyCode::BackTab, KeyModifiers::SHIFT, "Shift+Tab"),
            (KeyCode::F(5), KeyModifiers::NONE, "F5"),
        ];
        for (code, held, shown) in cases {
            let key = key_of(KeyEvent::new(code, held)).unwrap();
            assert_eq!(key.to_string(), shown);
            assert_eq!(shown.parse::<Key>(), Ok(key));
        }
        assert!(key_of(KeyEvent::new(KeyCode::Char('q'), KeyModifiers::SUPER)).is_none());
    }
}
