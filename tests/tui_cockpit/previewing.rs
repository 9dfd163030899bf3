//! The preview of a proposal: where it is, what it looks like, what it asks; and recipes in the palette.

use sayso::config::Config;
use sayso::model::api::{RecipeInfo, RecipeQuestion};
use sayso::model::{EventKind, Preview, PreviewState};
use sayso::tui::message::{Effect, Outcome};
use sayso::tui::pictures::{Drawing, Protocols, Way};
use serde_json::json;

use super::support::*;

const URL: &str = "http://127.0.0.1:4711/";

fn preview(state: PreviewState) -> Preview {
    Preview {
        proposal: "pro_1".into(),
        version: 1,
        url: URL.into(),
        state,
        message: String::new(),
        hint: None,
        log_tail: Vec::new(),
        picture: false,
        no_picture: None,
    }
}

fn tell(desk: &mut Desk, preview: &Preview) -> Vec<Effect> {
    let data = json!({ "message": "about the preview", "preview": preview });
    let effects = desk.event(EventKind::Notice, data);
    desk.draw();
    effects
}

#[test]
fn the_address_is_always_there_and_the_key_opens_it() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    assert!(!desk.text().contains("preview http"));
    assert_eq!(desk.press("P"), [Effect::Preview("pro_1".into(), false)]);
    desk.done(Outcome::Previewed(
        "pro_1".into(),
        Ok(preview(PreviewState::Building)),
    ));
    let text = desk.text();
    assert!(
        text.contains(&format!("preview {URL}")) && text.contains("building"),
        "{text}"
    );
    assert_eq!(desk.press("P"), [], "it is on its way");
    tell(&mut desk, &preview(PreviewState::Ready));
    let text = desk.text();
    assert!(text.contains(&format!("preview {URL}")), "{text}");
    assert!(
        text.contains("no picture: no terminal was asked"),
        "the reason is said: {text}"
    );
    assert_eq!(desk.press("P"), [Effect::Open(URL.into())]);
    tell(&mut desk, &preview(PreviewState::Ended));
    assert!(!desk.text().contains(URL));
}

#[test]
fn what_the_proposal_changes_about_the_build_is_asked_about() {
    let mut desk = Desk::new(100, 30);
    desk.propose(&headline());
    let held = Preview {
        message: "the proposal changes what the build runs: package.json".into(),
        ..preview(PreviewState::Held)
    };
    tell(&mut desk, &held);
    assert_eq!(desk.press("P"), [], "it asks first");
    assert!(desk.text().contains("Run that now?"), "{}", desk.text());
    assert_eq!(desk.press("n"), []);
    assert_eq!(desk.press("P y"), [Effect::Preview("pro_1".into(), true)]);
}

#[test]
fn a_picture_stands_beside_the_diff_where_there_is_room() {
    let mut png = std::io::Cursor::new(Vec::new());
    let white = image::RgbImage::from_pixel(1280, 800, image::Rgb([200, 40, 40]));
    image::DynamicImage::from(white)
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let drawing = Drawing::of(png.get_ref(), Way::By(Protocols::Blocks), None);
    let mut desk = Desk::with(&Config::default(), false, 160, 40);
    desk.model.settings.pictures = Way::By(Protocols::Blocks);
    desk.connect();
    desk.propose(&headline());
    let seen = Preview {
        picture: true,
        ..preview(PreviewState::Ready)
    };
    assert_eq!(
        tell(&mut desk, &seen),
        [Effect::LoadPicture("pro_1".into(), 1)]
    );
    let cells = |desk: &mut Desk| {
        let (buffer, _) = desk.draw();
        let red =
            |colour| matches!(colour, ratatui::style::Color::Rgb(r, g, _) if r > 150 && g < 90);
        buffer
            .content
            .iter()
            .filter(|cell| red(cell.fg) || red(cell.bg))
            .count()
    };
    assert_eq!(cells(&mut desk), 0);
    desk.done(Outcome::Picture("pro_1".into(), 1, drawing));
    assert_eq!(cells(&mut desk), 40 * 13);
    assert!(
        desk.text().contains("Welcome"),
        "the diff is still there: {}",
        desk.text()
    );
    // Where there is no room the diff goes before.
    let mut narrow = desk.model.clone();
    narrow.width = 70;
    desk.model = narrow;
    assert_eq!(cells(&mut desk), 0);
}

#[test]
fn recipes_are_in_the_palette_with_their_questions() {
    let mut desk = Desk::new(100, 30);
    assert_eq!(desk.press(":"), [Effect::LoadRecipes]);
    let recipe = RecipeInfo {
        name: "sitemap".into(),
        title: "Add a sitemap".into(),
        words: "run the recipe sitemap with address=\"\"".into(),
        questions: vec![RecipeQuestion {
            name: "address".into(),
            ask: "What is the site's address?".into(),
            ..RecipeQuestion::default()
        }],
        ..RecipeInfo::default()
    };
    desk.done(Outcome::Recipes(Ok(vec![recipe])));
    desk.write("recipe sitemap");
    desk.press("Enter");
    let text = desk.text();
    assert!(
        text.contains("run the recipe sitemap with address="),
        "{text}"
    );
    assert!(text.contains("What is the site's address?"), "{text}");
}
