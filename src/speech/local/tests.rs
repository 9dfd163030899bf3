//! What the recogniser of this machine does without a model.

use super::*;

#[test]
fn silence_needs_no_model() {
    let nowhere = tempfile::tempdir().unwrap();
    let local = Local::new(nowhere.path());
    let heard = local.hear(&vec![0.0; 16_000]).unwrap();
    assert_eq!(
        (heard.text.as_str(), heard.seconds, heard.doubtful),
        ("", 1.0, false)
    );
}

#[tokio::test]
async fn without_a_model_the_next_step_is_named() {
    let nowhere = tempfile::tempdir().unwrap();
    let local = Local::new(nowhere.path());
    assert!(!local.status().ready);
    assert!(local.status().message.contains("sayso speech install"));
    let problem = local.with_model(|_| Ok(())).unwrap_err();
    assert!(problem.is("speech-not-installed"), "{problem}");
}
