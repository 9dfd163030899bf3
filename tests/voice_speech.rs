//! The recogniser itself, on real sound. Needs the installed model: `SAYSO_MODELS`, or the folder that
//! `sayso speech install` uses.

use std::path::PathBuf;

use sayso::speech::Transcriber;
use sayso::speech::local::Local;
use sayso::voice::{self, wav};

/// The folder of the installed models.
fn models() -> PathBuf {
    std::env::var_os("SAYSO_MODELS").map_or_else(
        || {
            let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
            home.join(".cache/sayso/models")
        },
        PathBuf::from,
    )
}

#[test]
fn probe() {
    let local = Local::new(models());
    for file in std::env::var("PROBE").unwrap_or_default().split(' ').filter(|s| !s.is_empty()) {
        let samples = wav::read(file.as_ref()).unwrap();
        println!("{file}: {:?} ({:.2}s)", local.hear(&samples), voice::seconds(samples.len()));
        let logp = local
            .with_model(|m| {
                let e = m.encode(&samples)?;
                let g = m.greedy(&e)?;
                println!("{:?}", g.tokens);
                let mut v = vec![m.score(&e, &g.tokens)?];
                for p in ["Commit that.", "Deploy that.", "Yes."] {
                    let t = m.tokens().encode(p);
                    println!("{p} {t:?}");
                    v.push(m.score(&e, &t)?);
                }
                Ok(v)
            })
            .unwrap();
        println!("{logp:?}");
    }
    let _ = local.status();
}
