//! What goes wrong with microphones.

use super::*;

#[test]
fn a_microphone_lost_in_a_clip_is_opened_again_and_nothing_is_lost() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.lost();
    let seen = bench.seen();
    assert!(
        seen.iter()
            .any(|output| matches!(output, Output::Event(VoiceEvent::Interrupted(_)))),
        "{seen:?}"
    );
    // The first attempt fails as well.
    bench.pass(ms(260));
    assert_eq!(bench.seen(), [Output::Open { generation: 3 }]);
    bench.lost();
    bench.pass(ms(260));
    bench.opened();
    bench.pass(ms(1_000));
    bench.put(Input::Release);
    bench.pass(ms(300));
    let clip = bench.clip();
    assert_eq!(clip.pieces.len(), 2);
    assert_eq!(span(&clip.pieces[0].1), (1.0, 1_000.0));
    assert_eq!(clip.pieces[1].1.len(), 1_250);
}

#[test]
fn a_microphone_that_does_not_come_back_leaves_what_was_recorded() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.lost();
    bench.put(Input::Release);
    assert_eq!(bench.clip().pieces[0].1.len(), 1_000);

    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.lost();
    for _ in 0..100 {
        bench.pass(ms(100));
        if bench.generation > 2 {
            bench.lost();
        }
    }
    assert_eq!(bench.clip().pieces[0].1.len(), 1_000);
}

#[test]
fn one_that_cannot_be_opened_fails_at_once_and_stale_news_are_ignored() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.lost();
    let seen = bench.seen();
    assert!(
        matches!(seen.last(), Some(Output::Event(VoiceEvent::Failed(_)))),
        "{seen:?}"
    );
    bench.put(Input::Opened {
        generation: 1,
        rate: 1_000,
        device: "Mic".to_owned(),
    });
    bench.put(Input::Samples {
        generation: 1,
        samples: vec![0.0; 20],
    });
    assert_eq!(bench.seen(), []);
}

#[test]
fn hanging_and_stuck_microphones_are_named() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.pass(ms(9_000));
    let seen = bench.seen();
    assert!(
        matches!(seen.last(), Some(Output::Event(VoiceEvent::Failed(problem))) if problem.is("microphone-stuck")),
        "{seen:?}"
    );

    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.open = false;
    bench.pass(ms(6_000));
    let seen = bench.seen();
    assert!(
        matches!(seen.last(), Some(Output::Event(VoiceEvent::Failed(problem))) if problem.is("microphone-stuck")),
        "{seen:?}"
    );
}

#[test]
fn a_warm_one_that_died_in_its_sleep_is_opened_again() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.put(Input::Release);
    bench.pass(ms(2_000));
    bench.open = false;
    bench.pass(ms(20_000));
    bench.seen();
    bench.put(Input::Press);
    assert_eq!(bench.seen(), [Output::Event(VoiceEvent::Opening)]);
    bench.pass(ms(1_100));
    let seen = bench.seen();
    assert!(seen.contains(&Output::Open { generation: 3 }), "{seen:?}");
    bench.opened();
    bench.pass(ms(500));
    bench.put(Input::Release);
    bench.pass(ms(300));
    assert_eq!(bench.clip().pieces[0].1.len(), 750);
}
