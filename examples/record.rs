//! Records a session of the real cockpit as a moving SVG: `make record`.
//!
//! The program runs on a copy of the sample site in a pseudo-terminal of its own, keys are sent to it as a person would press them, and what it
//! writes goes through a terminal emulator. Every picture that stood for a moment becomes a frame; rows that occur
//! again are drawn once and used again.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const COLUMNS: u16 = 110;
const ROWS: u16 = 32;
/// Size of a cell in the picture.
const CELL: (f32, f32) = (8.4, 18.0);
/// Room around the screen.
const MARGIN: f32 = 14.0;
/// A picture that stood shorter is no frame of its own.
const SHORTEST: Duration = Duration::from_millis(60);
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Frames at most.
const MOST: usize = 240;

/// What a person does.
enum Step {
    /// Waits until the screen holds these words.
    Until(&'static str),
    /// Types as fast as people do.
    Type(&'static str),
    /// Presses a key.
    Key(&'static str),
    /// Looks at it.
    Look(u64),
}

const SESSION: &[Step] = &[
    Step::Until("online"),
    Step::Until("nothing live"),
    Step::Look(1_500),
    Step::Key("\t"),
    Step::Type("Change the homepage headline to Welcome to 3000 Studios"),
    Step::Look(500),
    Step::Key("\r"),
    Step::Until("Welcome to 3000 Studios</h1>"),
    Step::Look(2_000),
    Step::Key("f"),
    Step::Until("Enter: summary"),
    Step::Look(2_000),
    Step::Key("\r"),
    Step::Until("Commit to main"),
    Step::Look(3_000),
    Step::Key("\r"),
    Step::Until("LIVE on"),
    Step::Look(2_500),
    Step::Key("4"),
    Step::Key("z"),
    Step::Look(4_000),
    Step::Key("3"),
    Step::Look(3_000),
];

type Screen = vt100::Screen;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let usage = "usage: record PROGRAM OUTPUT.svg";
    let program = PathBuf::from(arguments.next().ok_or(usage)?);
    let output = PathBuf::from(arguments.next().ok_or(usage)?);
    let program = program.canonicalize()?;
    let home = tempfile::tempdir()?;
    let site = lay_out(home.path())?;
    // Once before: what a first start shows of the machine belongs to nobody's picture.
    record(
        &program,
        home.path(),
        &site,
        &[Step::Until("online"), Step::Look(500)],
    )?;
    let frames = record(&program, home.path(), &site, SESSION)?;
    let svg = draw(&frames);
    std::fs::write(&output, &svg)?;
    println!(
        "{}: {} frames, {} kB",
        output.display(),
        frames.len(),
        svg.len() / 1000
    );
    Ok(())
}

/// A repository with the sample site in it.
fn lay_out(home: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let site = home.join("garden");
    std::fs::create_dir(&site)?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/sample-site");
    for entry in std::fs::read_dir(sample)? {
        let entry = entry?;
        std::fs::copy(entry.path(), site.join(entry.file_name()))?;
    }
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message=The garden"],
    ] {
        let mut git = std::process::Command::new("git");
        let done = git
            .args(arguments)
            .current_dir(&site)
            .envs(PERSON)
            .status()?;
        if !done.success() {
            return Err(format!("git {} failed", arguments.join(" ")).into());
        }
    }
    Ok(site)
}

/// Who commits in the picture.
const PERSON: [(&str, &str); 4] = [
    ("GIT_AUTHOR_NAME", "Ada"),
    ("GIT_COMMITTER_NAME", "Ada"),
    ("GIT_AUTHOR_EMAIL", "ada@example.org"),
    ("GIT_COMMITTER_EMAIL", "ada@example.org"),
];

/// Runs a session; every picture with how long it stood.
fn record(
    program: &Path,
    home: &Path,
    site: &Path,
    session: &[Step],
) -> Result<Vec<(Screen, Duration)>, Box<dyn std::error::Error>> {
    let pair = native_pty_system().openpty(PtySize {
        rows: ROWS,
        cols: COLUMNS,
        pixel_width: 0,
        pixel_height: 0,
    })?;
    let mut command = CommandBuilder::new(program);
    command.cwd(site);
    for (name, value) in [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")]
        .into_iter()
        .chain(PERSON)
    {
        command.env(name, value);
    }
    // A machine of its own: nothing of the person's is shown, and nothing is left behind.
    for name in [
        "HOME",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_DATA_HOME",
    ] {
        command.env(name, home);
    }
    for name in ["NO_COLOR", "TMUX", "STY", "TERM_PROGRAM"] {
        command.env_remove(name);
    }
    let mut child = pair.slave.spawn_command(command)?;
    drop(pair.slave);
    let mut writer = pair.master.take_writer()?;
    let mut reader = pair.master.try_clone_reader()?;
    let parser = Arc::new(Mutex::new(vt100::Parser::new(
        ROWS.try_into()?,
        COLUMNS.try_into()?,
        0,
    )));
    let fed = Arc::clone(&parser);
    std::thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            fed.lock().expect("the parser").process(&buffer[..count]);
        }
    });
    // What every terminal answers to the question for its attributes.
    writer.write_all(b"\x1b[?62c")?;
    let mut camera = Camera {
        parser,
        frames: Vec::new(),
        since: Instant::now(),
    };
    for step in session {
        match step {
            Step::Until(words) => camera.until(words)?,
            Step::Look(ms) => camera.roll(Duration::from_millis(*ms)),
            Step::Key(bytes) => {
                writer.write_all(bytes.as_bytes())?;
                camera.roll(Duration::from_millis(150));
            }
            Step::Type(words) => {
                for c in words.chars() {
                    writer.write_all(c.to_string().as_bytes())?;
                    camera.roll(Duration::from_millis(45));
                }
            }
        }
    }
    writer.write_all(b"\x1b[21~")?;
    camera.end();
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait()?.is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    Ok(camera.frames)
}

struct Camera {
    parser: Arc<Mutex<vt100::Parser>>,
    frames: Vec<(Screen, Duration)>,
    since: Instant,
}

impl Camera {
    /// Takes pictures for so long.
    fn roll(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.look();
            std::thread::sleep(Duration::from_millis(15));
        }
    }

    fn until(&mut self, words: &str) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.look();
            if self.screen().contents().contains(words) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(15));
        }
        Err(format!(
            "{words:?} did not come:\n{}",
            self.screen().contents()
        ))
    }

    fn screen(&self) -> Screen {
        self.parser.lock().expect("the parser").screen().clone()
    }

    fn look(&mut self) {
        let screen = self.screen();
        // Before the cockpit there is a shell's empty screen.
        if !screen.alternate_screen() {
            return;
        }
        let now = Instant::now();
        let Some((last, _)) = self.frames.last() else {
            self.since = now;
            self.frames.push((screen, Duration::ZERO));
            return;
        };
        if same(last, &screen) || now - self.since < SHORTEST || self.frames.len() == MOST {
            return;
        }
        self.close(now);
        self.frames.push((screen, Duration::ZERO));
    }

    fn close(&mut self, now: Instant) {
        if let Some((_, stood)) = self.frames.last_mut() {
            *stood = now - self.since;
        }
        self.since = now;
    }

    fn end(&mut self) {
        self.close(Instant::now());
    }
}

fn same(one: &Screen, other: &Screen) -> bool {
    (0..ROWS).all(|row| row_of(one, row) == row_of(other, row))
}

/// A run of cells of one look.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Run {
    column: u16,
    text: String,
    style: Look,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Look {
    ink: [u8; 3],
    paper: Option<[u8; 3]>,
    bold: bool,
    underlined: bool,
}

const INK: [u8; 3] = [0xd8, 0xde, 0xe9];
const PAPER: [u8; 3] = [0x16, 0x1b, 0x22];
const SIXTEEN: [[u8; 3]; 16] = [
    [0x3b, 0x42, 0x52],
    [0xff, 0x7b, 0x72],
    [0x7e, 0xe7, 0x87],
    [0xe3, 0xb3, 0x41],
    [0x79, 0xc0, 0xff],
    [0xd2, 0xa8, 0xff],
    [0x56, 0xd4, 0xdd],
    [0xd8, 0xde, 0xe9],
    [0x6e, 0x76, 0x81],
    [0xff, 0xa1, 0x98],
    [0x9b, 0xf2, 0xa3],
    [0xf2, 0xcc, 0x60],
    [0xa5, 0xd6, 0xff],
    [0xe2, 0xc5, 0xff],
    [0x8b, 0xe9, 0xf0],
    [0xff, 0xff, 0xff],
];

fn colour(color: vt100::Color) -> Option<[u8; 3]> {
    match color {
        vt100::Color::Default => None,
        vt100::Color::Idx(index @ 0..16) => Some(SIXTEEN[usize::from(index)]),
        vt100::Color::Idx(index @ 16..232) => {
            let part = |by: u8| {
                let step = (index - 16) / by % 6;
                if step == 0 { 0 } else { 55 + step * 40 }
            };
            Some([part(36), part(6), part(1)])
        }
        vt100::Color::Idx(grey) => Some([8 + (grey - 232) * 10; 3]),
        vt100::Color::Rgb(r, g, b) => Some([r, g, b]),
    }
}

fn row_of(screen: &Screen, row: u16) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..COLUMNS {
        let Some(cell) = screen.cell(row, column) else {
            continue;
        };
        if cell.is_wide_continuation() {
            continue;
        }
        let (mut ink, mut paper) = (
            colour(cell.fgcolor()).unwrap_or(INK),
            colour(cell.bgcolor()),
        );
        if cell.inverse() {
            (ink, paper) = (paper.unwrap_or(PAPER), Some(ink));
        }
        if cell.dim() {
            let back = paper.unwrap_or(PAPER);
            ink = std::array::from_fn(|at| {
                ((u16::from(ink[at]) * 3 + u16::from(back[at]) * 2) / 5) as u8
            });
        }
        let text = if cell.contents().is_empty() {
            " "
        } else {
            cell.contents()
        };
        let blank = text == " " && paper.is_none() && !cell.underline();
        let style = Look {
            ink,
            paper,
            bold: cell.bold(),
            underlined: cell.underline(),
        };
        match runs.last_mut() {
            Some(last) if last.style == style || (blank && last.style.paper.is_none()) => {
                last.text.push_str(text);
            }
            _ if blank => {}
            _ => runs.push(Run {
                column,
                text: text.to_owned(),
                style,
            }),
        }
    }
    for run in &mut runs {
        if run.style.paper.is_none() {
            run.text.truncate(run.text.trim_end().len());
        }
    }
    // The cursor, where it is shown.
    let (at, column) = screen.cursor_position();
    if at == row && !screen.hide_cursor() {
        let style = Look {
            ink: PAPER,
            paper: Some(INK),
            bold: false,
            underlined: false,
        };
        runs.push(Run {
            column,
            text: " ".to_owned(),
            style,
        });
    }
    runs
}

fn hex(color: [u8; 3]) -> String {
    format!("#{:02x}{:02x}{:02x}", color[0], color[1], color[2])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn row_svg(runs: &[Run]) -> String {
    let mut out = String::new();
    for run in runs {
        let x = f32::from(run.column) * CELL.0;
        let wide = run.text.chars().count() as f32 * CELL.0;
        if let Some(paper) = run.style.paper {
            let _ = write!(
                out,
                "<rect x='{x:.1}' y='0' width='{wide:.1}' height='{}' fill='{}'/>",
                CELL.1,
                hex(paper)
            );
        }
        if run.text.trim().is_empty() {
            continue;
        }
        let weight = if run.style.bold {
            " font-weight='bold'"
        } else {
            ""
        };
        let line = if run.style.underlined {
            " text-decoration='underline'"
        } else {
            ""
        };
        let _ = write!(
            out,
            "<text x='{x:.1}' y='13.5' textLength='{wide:.1}' fill='{}'{weight}{line}>{}</text>",
            hex(run.style.ink),
            escaped(&run.text)
        );
    }
    out
}

/// The frames as one moving picture that begins again at its end.
fn draw(frames: &[(Screen, Duration)]) -> String {
    let total: f64 = frames.iter().map(|(_, stood)| stood.as_secs_f64()).sum();
    let (width, height) = (
        f32::from(COLUMNS) * CELL.0 + 2.0 * MARGIN,
        f32::from(ROWS) * CELL.1 + 2.0 * MARGIN,
    );
    let mut rows: HashMap<String, usize> = HashMap::new();
    let mut defs = String::new();
    let mut body = String::new();
    let mut style = String::new();
    let mut begin = 0.0;
    for (at, (screen, stood)) in frames.iter().enumerate() {
        let end = begin + stood.as_secs_f64();
        let (from, to) = (begin / total * 100.0, end / total * 100.0);
        // Shown from its begin to its end; the last one stays while no motion is wanted.
        let _ = write!(
            style,
            "@keyframes k{at}{{0%,{from:.3}%{{visibility:hidden}}{from:.3}%,{to:.3}%{{visibility:visible}}{to:.3}%,100%{{visibility:hidden}}}}#f{at}{{animation:k{at} {total:.2}s steps(1,end) infinite}}"
        );
        let _ = write!(body, "<g id='f{at}' class='f'>");
        for row in 0..ROWS {
            let svg = row_svg(&row_of(screen, row));
            if svg.is_empty() {
                continue;
            }
            let next = rows.len();
            let id = *rows.entry(svg).or_insert_with_key(|svg| {
                let _ = write!(defs, "<g id='r{next}'>{svg}</g>");
                next
            });
            let y = f32::from(row) * CELL.1;
            let _ = write!(body, "<use href='#r{id}' y='{y}'/>");
        }
        body.push_str("</g>");
        begin = end;
    }
    let last = frames.len().saturating_sub(1);
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' \
         font-family='ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace' font-size='14' \
         xml:space='preserve' role='img' aria-label='A session of the Sayso cockpit'>\
         <style>.f{{visibility:hidden}}text{{white-space:pre}}{style}\
         @media(prefers-reduced-motion:reduce){{.f{{animation:none!important}}#f{last}{{visibility:visible}}}}</style>\
         <defs>{defs}</defs><rect width='100%' height='100%' rx='10' fill='{paper}'/>\
         <g transform='translate({MARGIN} {MARGIN})'>{body}</g></svg>\n",
        paper = hex(PAPER),
    )
}
