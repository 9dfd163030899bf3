//! The recorder on a simulated clock.

use super::*;

mod trouble;
mod woken;

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

/// A second of somebody saying it, at the bench's rate.
fn voice() -> Vec<f32> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/voice/live.wav");
    crate::voice::wav::read(file.as_ref()).unwrap()
}

#[test]
fn hands_free_a_clip_ends_when_nobody_speaks_any_more() {
    let mut bench = Bench::new(|options| options.silence = ms(1_000));
    bench.put(Input::Start);
    let generation = bench.generation;
    bench.put(Input::Opened {
        generation,
        rate: 16_000,
        device: "Mic".to_owned(),
    });
    let said = voice();
    let room = vec![1e-5; 16_000 * 3];
    let mut ended = None;
    for (at, chunk) in said
        .iter()
        .chain(&room)
        .copied()
        .collect::<Vec<f32>>()
        .chunks(320)
        .enumerate()
    {
        bench.now += ms(20);
        bench.put(Input::Samples {
            generation,
            samples: chunk.to_vec(),
        });
        if bench
            .outputs
            .iter()
            .any(|output| matches!(output, Output::Finish(_)))
        {
            ended = Some(at * 320);
            break;
        }
    }
    let ended = ended.expect("it ends by itself");
    assert!(
        ended > said.len() && ended < said.len() + 16_000 * 2,
        "{ended}"
    );
    let clip = bench.clip();
    let kept = clip.pieces[0].1.len();
    assert!(
        kept < ended && kept + 16_000 > said.len(),
        "{kept} of {}",
        said.len()
    );

    // Nobody says anything at all.
    let mut bench = Bench::new(|_| {});
    bench.put(Input::Start);
    bench.put(Input::Opened {
        generation: 1,
        rate: 16_000,
        device: "Mic".to_owned(),
    });
    for _ in 0..500 {
        bench.now += ms(20);
        bench.put(Input::Samples {
            generation: 1,
            samples: vec![1e-5; 320],
        });
    }
    bench.clip();
}
