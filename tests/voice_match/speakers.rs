//! Synthetic voices that speak the phrases of the table, with noise where it is asked for.

use std::path::Path;
use std::process::Command;

use sayso::model::Control;
use sayso::voice::wav;

/// The phrases of `kind` with the control that each is.
pub fn phrases(kind: &str) -> Vec<(String, Option<Control>)> {
    include_str!("phrases.tsv")
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            (fields.next()? == kind).then_some(())?;
            let text = fields.next()?.to_owned();
            let act = fields.next().filter(|act| !act.is_empty());
            let control = act.map(|act| {
                Control::named(act).unwrap_or_else(|| panic!("phrases.tsv: no act {act:?}"))
            });
            Some((text, control))
        })
        .collect()
}

/// `text` spoken by `voice` ("flite NAME" or "espeak NAME"), 16 kHz mono with a start and an end, and white noise
/// `snr` decibels below the speech. `None` after saying which program is missing.
pub fn speak(text: &str, voice: &str, snr: Option<u32>) -> Option<Vec<f32>> {
    let folder = tempfile::tempdir().unwrap();
    let (raw, clip) = (
        folder.path().join("raw.wav"),
        folder.path().join("clip.wav"),
    );
    let text = format!("{text}.");
    let (engine, name) = voice.split_once(' ').expect("engine and name");
    let (program, args) = match engine {
        "flite" => ("flite", vec!["-voice", name, "-t", &text, "-o"]),
        _ => ("espeak-ng", vec!["-v", name, &text, "-w"]),
    };
    run(program, &args, &[&raw])?;
    let plain = |from: &Path, to: &Path, effects: &[&str]| -> Option<()> {
        // Repeatable: the dither of every run is the same.
        let status = Command::new("sox")
            .arg("-R")
            .arg(from)
            .args(["-r", "16000", "-c", "1", "-b", "16"])
            .arg(to)
            .args(effects)
            .status();
        checked("sox", status)
    };
    plain(&raw, &clip, &["norm", "-6", "pad", "0.25", "0.3"])?;
    let Some(snr) = snr else {
        return Some(wav::read(&clip).unwrap());
    };
    // The noise is measured against the speech, as sox measures both.
    let speech = rms(&wav::read(&clip).unwrap());
    let seconds = wav::read(&clip).unwrap().len() as f64 / 16_000.0;
    let (noise, mixed) = (
        folder.path().join("noise.wav"),
        folder.path().join("mixed.wav"),
    );
    let status = Command::new("sox")
        .args(["-R", "-n", "-r", "16000", "-c", "1", "-b", "16"])
        .arg(&noise)
        .args([
            "synth",
            &format!("{seconds:.3}"),
            "whitenoise",
            "vol",
            "0.5",
        ])
        .status();
    checked("sox", status)?;
    let level = rms(&wav::read(&noise).unwrap());
    let gain = f64::from(speech / level) / 10f64.powf(f64::from(snr) / 20.0);
    let status = Command::new("sox")
        .args(["-R", "-m", "-v", "0.7"])
        .arg(&clip)
        .args(["-v", &format!("{:.5}", gain * 0.7)])
        .arg(&noise)
        .arg(&mixed)
        .status();
    checked("sox", status)?;
    Some(wav::read(&mixed).unwrap())
}

/// The level of the sound where there is some.
fn rms(samples: &[f32]) -> f32 {
    let loud: Vec<f32> = samples
        .iter()
        .map(|sample| sample * sample)
        .filter(|power| *power > 1e-6)
        .collect();
    (loud.iter().sum::<f32>() / loud.len().max(1) as f32).sqrt()
}

fn run(program: &str, args: &[&str], files: &[&Path]) -> Option<()> {
    let status = Command::new(program).args(args).args(files).status();
    checked(program, status)
}

fn checked(program: &str, status: std::io::Result<std::process::ExitStatus>) -> Option<()> {
    match status {
        Ok(status) => {
            assert!(status.success(), "{program} failed");
            Some(())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("SKIPPED: {program} is not installed");
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}
