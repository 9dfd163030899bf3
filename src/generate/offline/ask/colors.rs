//! Colours by name, and the notations they are written in.

/// CSS colour names that people say, with their hex.
pub const NAMES: &[(&str, &str)] = &[
    ("black", "#000000"),
    ("white", "#ffffff"),
    ("red", "#ff0000"),
    ("green", "#008000"),
    ("blue", "#0000ff"),
    ("yellow", "#ffff00"),
    ("orange", "#ffa500"),
    ("purple", "#800080"),
    ("pink", "#ffc0cb"),
    ("brown", "#a52a2a"),
    ("gray", "#808080"),
    ("grey", "#808080"),
    ("navy", "#000080"),
    ("teal", "#008080"),
    ("maroon", "#800000"),
    ("olive", "#808000"),
    ("lime", "#00ff00"),
    ("aqua", "#00ffff"),
    ("cyan", "#00ffff"),
    ("magenta", "#ff00ff"),
    ("fuchsia", "#ff00ff"),
    ("silver", "#c0c0c0"),
    ("gold", "#ffd700"),
    ("indigo", "#4b0082"),
    ("violet", "#ee82ee"),
    ("crimson", "#dc143c"),
    ("coral", "#ff7f50"),
    ("salmon", "#fa8072"),
    ("tomato", "#ff6347"),
    ("turquoise", "#40e0d0"),
    ("khaki", "#f0e68c"),
    ("beige", "#f5f5dc"),
    ("ivory", "#fffff0"),
    ("lavender", "#e6e6fa"),
    ("plum", "#dda0dd"),
    ("orchid", "#da70d6"),
    ("chocolate", "#d2691e"),
    ("tan", "#d2b48c"),
    ("sienna", "#a0522d"),
    ("firebrick", "#b22222"),
    ("darkblue", "#00008b"),
    ("darkgreen", "#006400"),
    ("darkred", "#8b0000"),
    ("darkgray", "#a9a9a9"),
    ("darkgrey", "#a9a9a9"),
    ("lightgray", "#d3d3d3"),
    ("lightgrey", "#d3d3d3"),
    ("lightblue", "#add8e6"),
    ("lightgreen", "#90ee90"),
    ("skyblue", "#87ceeb"),
    ("steelblue", "#4682b4"),
    ("royalblue", "#4169e1"),
    ("midnightblue", "#191970"),
    ("dodgerblue", "#1e90ff"),
    ("cornflowerblue", "#6495ed"),
    ("slateblue", "#6a5acd"),
    ("forestgreen", "#228b22"),
    ("seagreen", "#2e8b57"),
    ("limegreen", "#32cd32"),
    ("hotpink", "#ff69b4"),
    ("deeppink", "#ff1493"),
    ("orangered", "#ff4500"),
    ("darkorange", "#ff8c00"),
    ("rebeccapurple", "#663399"),
    ("slategray", "#708090"),
    ("slategrey", "#708090"),
    ("dimgray", "#696969"),
    ("whitesmoke", "#f5f5f5"),
    ("transparent", "transparent"),
];

/// A colour in words or notation, as CSS; `None` when it is none.
pub fn parse(words: &str) -> Option<String> {
    let clean = words.trim().trim_end_matches('.').to_lowercase();
    if let Some(hex) = crate::generate::offline::spoken_hex(&clean) {
        return Some(hex);
    }
    if is_notation(&clean) {
        return Some(clean);
    }
    let squashed: String = clean.split_whitespace().collect();
    NAMES
        .iter()
        .find(|(name, _)| *name == squashed)
        .map(|(name, _)| (*name).to_owned())
}

/// `#fff`, `rgb(…)`, `hsl(…)`, `oklch(…)`, `var(…)`.
pub fn is_notation(text: &str) -> bool {
    let text = text.trim();
    if let Some(hex) = text.strip_prefix('#') {
        return matches!(hex.len(), 3 | 4 | 6 | 8) && hex.chars().all(|c| c.is_ascii_hexdigit());
    }
    [
        "rgb(",
        "rgba(",
        "hsl(",
        "hsla(",
        "oklch(",
        "oklab(",
        "lab(",
        "lch(",
        "hwb(",
        "color(",
        "color-mix(",
    ]
    .iter()
    .any(|start| text.to_lowercase().starts_with(start) && text.ends_with(')'))
}

/// Whether a value of a style sheet is one colour.
pub fn is_color(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    is_notation(&lower) || NAMES.iter().any(|(name, _)| *name == lower) || lower == "currentcolor"
}

/// The hex of a colour name; hex stays as it is.
pub fn hex(color: &str) -> Option<String> {
    if color.starts_with('#') {
        return Some(color.to_owned());
    }
    NAMES
        .iter()
        .find(|(name, _)| *name == color)
        .map(|(_, hex)| (*hex).to_owned())
        .filter(|hex| hex.starts_with('#'))
}

/// Tailwind's palette, without shades.
pub const TAILWIND: &[&str] = &[
    "slate", "gray", "zinc", "neutral", "stone", "red", "orange", "amber", "yellow", "lime",
    "green", "emerald", "teal", "cyan", "sky", "blue", "indigo", "violet", "purple", "fuchsia",
    "pink", "rose", "black", "white",
];
