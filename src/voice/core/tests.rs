use super::*;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A recorder on a simulated clock, with a microphone of 1,000 samples a second whose samples say when they were taken.
struct Bench {
    core: Core,
    zero: Instant,
    now: Instant,
    generation: u64,
    open: bool,
    outputs: Vec<Output>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut VoiceOptions)) -> Self {
        let mut options = VoiceOptions::new("recordings");
        change(&mut options);
        let zero = Instant::now();
        let core = Core::new(options, zero);
        Self {
            core,
            zero,
            now: zero,
            generation: 0,
            open: false,
            outputs: Vec::new(),
        }
    }

    fn put(&mut self, input: Input) {
        for output in self.core.handle(input, self.now) {
            match &output {
                Output::Open { generation } => self.generation = *generation,
                Output::Close => self.open = false,
                _ => {}
            }
            self.outputs.push(output);
        }
    }

    fn opened(&mut self) {
        let generation = self.generation;
        self.open = true;
        self.put(Input::Opened {
            generation,
            rate: 1_000,
            device: "Mic".to_owned(),
        });
    }

    fn lost(&mut self) {
        let generation = self.generation;
        self.open = false;
        self.put(Input::Lost {
            generation,
            problem: Problem::internal("unplugged"),
        });
    }

    /// Lets time pass in steps of 20 ms. An open microphone delivers, and deadlines are kept.
    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += ms(20);
            if self.open {
                let at = (self.now - self.zero).as_millis() as f32;
                let samples = (0..20).map(|step| at - 20.0 + step as f32 + 1.0).collect();
                let generation = self.generation;
                self.put(Input::Samples {
                    generation,
                    samples,
                });
            }
            if self
                .core
                .deadline()
                .is_some_and(|deadline| deadline <= self.now)
            {
                self.put(Input::Tick);
                assert!(
                    self.core.deadline().is_none_or(|next| next > self.now),
                    "the deadline does not move"
                );
            }
        }
    }

    /// What happened since the last look, without levels.
    fn seen(&mut self) -> Vec<Output> {
        let all = std::mem::take(&mut self.outputs);
        all.into_iter()
            .filter(|output| !matches!(output, Output::Event(VoiceEvent::Level(_))))
            .collect()
    }

    fn clip(&mut self) -> Clip {
        let seen = self.seen();
        let clips: Vec<_> = seen
            .iter()
            .filter_map(|output| match output {
                Output::Finish(clip) => Some(clip.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(clips.len(), 1, "{seen:?}");
        clips.into_iter().next().unwrap()
    }

    fn at(&self) -> f32 {
        (self.now - self.zero).as_millis() as f32
    }
}

/// First and last moment in a piece, in milliseconds since the start.
fn span(piece: &[f32]) -> (f32, f32) {
    (*piece.first().unwrap(), *piece.last().unwrap())
}

#[test]
fn a_cold_clip_begins_with_the_first_sample() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    assert_eq!(
        bench.seen(),
        [
            Output::Open { generation: 1 },
            Output::Event(VoiceEvent::Opening)
        ]
    );
    bench.pass(ms(100));
    bench.opened();
    assert_eq!(
        bench.seen(),
        [],
        "nothing is recorded before samples arrive"
    );
    bench.pass(ms(20));
    let first = bench.now;
    let opened = VoiceEvent::Opened {
        device: "Mic".to_owned(),
        took: ms(120),
    };
    assert_eq!(
        bench.seen(),
        [
            Output::Event(opened),
            Output::Event(VoiceEvent::Recording { since: first })
        ]
    );
    bench.pass(ms(980));
    bench.put(Input::Release);
    let released = bench.at();
    bench.pass(ms(300));
    let clip = bench.clip();
    assert_eq!(span(&clip.pieces[0].1), (101.0, released + 250.0));
    assert_eq!(clip.hold, ms(1_100));
}

#[test]
fn a_warm_clip_has_what_was_said_before_the_press_and_after_the_release() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.put(Input::Release);
    bench.pass(ms(3_000));
    bench.seen();
    let pressed = bench.at();
    bench.put(Input::Press);
    assert_eq!(
        bench.seen(),
        [Output::Event(VoiceEvent::Recording { since: bench.now })]
    );
    bench.pass(ms(600));
    bench.put(Input::Release);
    let released = bench.at();
    bench.pass(ms(240));
    assert_eq!(bench.seen(), [], "the tail is waited for");
    bench.pass(ms(20));
    let clip = bench.clip();
    assert_eq!(
        span(&clip.pieces[0].1),
        (pressed - 300.0 + 1.0, released + 250.0)
    );
}

#[test]
fn the_next_clip_does_not_repeat_the_end_of_the_last() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.put(Input::Release);
    bench.pass(ms(100));
    // Pressed again within the tail: the first clip ends here, the second begins here.
    let again = bench.at();
    bench.put(Input::Press);
    let first = bench.clip();
    assert_eq!(span(&first.pieces[0].1).1, again);
    bench.pass(ms(500));
    bench.put(Input::Release);
    bench.pass(ms(300));
    assert_eq!(span(&bench.clip().pieces[0].1).0, again + 1.0);
}

#[test]
fn a_repeating_key_changes_nothing() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(200));
    bench.seen();
    bench.put(Input::Press);
    bench.put(Input::Press);
    assert_eq!(bench.seen(), []);
}

#[test]
fn the_limit_ends_a_clip_that_nobody_ends() {
    let mut bench = Bench::new(|options| options.limit = ms(2_000));
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(5_000));
    let seen = bench.seen();
    assert!(seen.contains(&Output::Event(VoiceEvent::Limit)));
    let Some(Output::Finish(clip)) = seen.last() else {
        panic!("{seen:?}")
    };
    assert_eq!(clip.pieces[0].1.len(), 2_300);
    bench.put(Input::Release);
    bench.pass(ms(500));
    assert_eq!(bench.seen(), [], "the late release means nothing");
}

#[test]
fn let_go_before_the_microphone_was_open() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.pass(ms(1_500));
    bench.put(Input::Release);
    let seen = bench.seen();
    assert!(
        matches!(seen.last(), Some(Output::Event(VoiceEvent::Failed(problem))) if problem.is("microphone-slow")),
        "{seen:?}"
    );
    // It opens nevertheless, and the next hold finds it warm.
    bench.opened();
    bench.pass(ms(1_000));
    bench.seen();
    bench.put(Input::Press);
    assert_eq!(
        bench.seen(),
        [Output::Event(VoiceEvent::Recording { since: bench.now })]
    );

    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.pass(ms(100));
    bench.put(Input::Release);
    assert_eq!(
        bench.seen().last(),
        Some(&Output::Event(VoiceEvent::TooShort))
    );
}

#[test]
fn the_microphone_closes_after_its_warm_time_and_not_in_a_clip() {
    let mut bench = Bench::new(|options| options.warm = ms(3_000));
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(10_000));
    assert!(!bench.seen().contains(&Output::Close));
    bench.put(Input::Release);
    bench.pass(ms(3_000));
    assert!(!bench.seen().contains(&Output::Close));
    bench.pass(ms(400));
    assert_eq!(
        bench.seen(),
        [Output::Close, Output::Event(VoiceEvent::Closed)]
    );
    assert_eq!(
        bench.core.deadline(),
        None,
        "nothing wakes a closed recorder"
    );
}

#[test]
fn a_cold_start_by_choice_closes_at_once() {
    let mut bench = Bench::new(|options| options.warm = Duration::ZERO);
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(1_000));
    bench.put(Input::Release);
    bench.pass(ms(300));
    let seen = bench.seen();
    assert!(
        matches!(
            seen[seen.len() - 3..],
            [
                Output::Finish(_),
                Output::Close,
                Output::Event(VoiceEvent::Closed)
            ]
        ),
        "{seen:?}"
    );
}

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

#[test]
fn another_default_is_followed_between_clips_only() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(500));
    bench.seen();
    bench.put(Input::DefaultChanged { generation: 1 });
    bench.pass(ms(100));
    assert_eq!(bench.seen(), []);
    bench.put(Input::Release);
    bench.pass(ms(300));
    let seen = bench.seen();
    assert!(
        matches!(
            seen[..],
            [
                Output::Finish(_),
                Output::Close,
                Output::Event(VoiceEvent::Closed),
                Output::Open { generation: 3 }
            ]
        ),
        "{seen:?}"
    );
}

#[test]
fn canceling_drops_the_clip_and_keeps_the_microphone() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(500));
    bench.seen();
    bench.put(Input::Cancel);
    assert_eq!(bench.seen(), [Output::Event(VoiceEvent::Canceled)]);
    bench.put(Input::Release);
    bench.pass(ms(500));
    assert_eq!(bench.seen(), []);
    bench.put(Input::Close);
    assert_eq!(
        bench.seen(),
        [Output::Close, Output::Event(VoiceEvent::Closed)]
    );
}

#[test]
fn zeros_are_reported_once() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.open = false;
    for _ in 0..100 {
        bench.now += ms(20);
        bench.put(Input::Samples {
            generation: 1,
            samples: vec![0.0; 20],
        });
    }
    let muted = bench
        .seen()
        .into_iter()
        .filter(|output| *output == Output::Event(VoiceEvent::Muted))
        .count();
    assert_eq!(muted, 1);
}

#[test]
fn levels_come_about_fifteen_times_a_second_and_count_the_clip() {
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Press);
    bench.opened();
    bench.pass(ms(2_000));
    let levels: Vec<_> = std::mem::take(&mut bench.outputs)
        .into_iter()
        .filter_map(|output| match output {
            Output::Event(VoiceEvent::Level(level)) => Some(level),
            _ => None,
        })
        .collect();
    assert!((20..=32).contains(&levels.len()), "{}", levels.len());
    assert!(levels.windows(2).all(|two| two[0].elapsed < two[1].elapsed));
    assert_eq!(bench.core.so_far().unwrap().pieces[0].1.len(), 2_000);
}
