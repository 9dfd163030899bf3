//! Installing the recogniser for real: 85 MB through this machine's pip. Run with `--ignored`.

use sayso::cli::speech::{SpeechArgs, SpeechCommand, run};
use sayso::cli::{Exit, Place};
use sayso::config::Paths;
use sayso::speech::install::{self, Step};
use sayso::speech::local::Local;
use sayso::speech::local::files::Kind;

#[tokio::test]
#[ignore = "downloads 85 MB"]
async fn everything_is_fetched_checked_and_understood() {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths {
        config: folder.path().join("config"),
        state: folder.path().join("state"),
        cache: folder.path().to_owned(),
    };
    let models = paths.models();
    let mut steps = Vec::new();
    let placed = install::install(
        &models,
        Kind::named("tiny-en").unwrap(),
        None,
        &mut |step| steps.push(step),
    )
    .await
    .unwrap();
    assert_eq!(placed.len(), 4);
    for step in &steps {
        match step {
            Step::Bytes { .. } => {}
            other => println!("{other:?}"),
        }
    }
    assert!(
        steps.iter().any(|step| matches!(step, Step::Bytes { .. })),
        "no progress was shown"
    );
    assert!(!models.join(".download").exists());
    Local::new(&models).with_model(|_| Ok(())).unwrap();

    // A damaged file is noticed and replaced; the rest is left alone.
    std::fs::write(
        models.join("moonshine-tiny-en/tokenizer.bin"),
        vec![0; 249_974],
    )
    .unwrap();
    let args = SpeechArgs {
        command: SpeechCommand::Install {
            name: None,
            from: None,
            yes: false,
            json: true,
        },
    };
    let place = Place::default();
    assert_eq!(run(args, &place, &paths).await.unwrap(), Exit::Done);
    let args = SpeechArgs {
        command: SpeechCommand::Status { json: false },
    };
    let place = Place::default();
    assert_eq!(run(args, &place, &paths).await.unwrap(), Exit::Done);
}
