//! ALSA, Core Audio and WASAPI through cpal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Data, Device, ErrorKind, FromSample, Host, I24, SampleFormat, SizedSample, Stream,
    StreamConfig, U24,
};

use super::{MicInfo, Session, choose};
use crate::model::Problem;
use crate::voice::RATE;
use crate::voice::core::Input;
use crate::voice::diagnose::{self, Surroundings};
use crate::voice::resample;

/// How long the audio system may take to make a stream.
const BUILD: Duration = Duration::from_secs(6);

/// Between two looks whether a sound is still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// Records until the session is stopped. These systems follow a change of the default by themselves.
pub fn run(session: &Session<impl Fn(Input) + Clone + Send + 'static>) -> Result<(), Problem> {
    let host = host()?;
    let device = device(&host, session.wanted.as_deref())?;
    let (stream, rate) = build(&device, session)?;
    // Told before the stream runs: on some systems samples come before this call returns.
    (session.tell)(Input::Opened {
        generation: session.generation,
        rate,
        device: name(&device),
    });
    stream.play().map_err(|error| problem(&error))?;
    let _ = session.stopped.recv();
    Ok(())
}

/// All microphones.
pub fn list() -> Result<Vec<MicInfo>, Problem> {
    let host = host()?;
    let default = host
        .default_input_device()
        .and_then(|device| device.id().ok());
    let devices = host.input_devices().map_err(|error| problem(&error))?;
    Ok(devices
        .filter_map(|device| {
            let id = device.id().ok()?;
            let default = Some(&id) == default.as_ref();
            let id = id.to_string();
            if plugin(&id) {
                return None;
            }
            Some(MicInfo {
                name: name(&device),
                default,
                monitor: id.ends_with(".monitor"),
                id,
            })
        })
        .collect())
}

/// Plays `samples` (16 kHz mono) to the end, or until `stop` is true.
pub fn play(samples: &[f32], stop: &AtomicBool) -> Result<(), Problem> {
    let host = host()?;
    let silent = |why: &str| {
        Problem::new(
            503,
            "speaker-absent",
            format!("there is no loudspeaker: {why}"),
        )
        .hint("plug one in, or read instead")
    };
    let device = host
        .default_output_device()
        .ok_or_else(|| silent("the system has no default output"))?;
    let default = device
        .default_output_config()
        .map_err(|error| silent(&error.to_string()))?;
    let (rate, channels) = (default.sample_rate(), usize::from(default.channels()));
    // Straight lines between samples are good enough for an ear that knows what was said.
    let step = f64::from(RATE) / f64::from(rate);
    let frames = (samples.len() as f64 / step) as usize;
    let sound: Vec<f32> = (0..frames)
        .map(|frame| {
            let place = frame as f64 * step;
            let (at, part) = (place as usize, place.fract() as f32);
            let next = samples.get(at + 1).copied().unwrap_or_default();
            samples[at] * (1.0 - part) + next * part
        })
        .collect();
    let (done, ended) = mpsc::channel();
    let failed = done.clone();
    let mut place = 0;
    let stream = device
        .build_output_stream(
            default.config(),
            move |out: &mut [f32], _| {
                for frame in out.chunks_mut(channels.max(1)) {
                    frame.fill(sound.get(place).copied().unwrap_or_default());
                    place += 1;
                }
                if place >= sound.len() {
                    let _ = done.send(None);
                }
            },
            move |error| {
                let _ = failed.send(Some(error.to_string()));
            },
            Some(BUILD),
        )
        .map_err(|error| silent(&error.to_string()))?;
    stream.play().map_err(|error| silent(&error.to_string()))?;
    while !stop.load(Ordering::Relaxed) {
        match ended.recv_timeout(LOOK) {
            Ok(None) => {
                // The last buffer was handed over, not heard yet.
                std::thread::sleep(LOOK);
                return Ok(());
            }
            Ok(Some(why)) => return Err(silent(&why)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
    Ok(())
}

fn host() -> Result<Host, Problem> {
    let mut why = "no audio system was found".to_owned();
    for id in cpal::available_hosts() {
        match cpal::host_from_id(id) {
            Ok(host) => return Ok(host),
            Err(error) => why = error.to_string(),
        }
    }
    Err(diagnose::absent(&why, Surroundings::here()))
}

fn device(host: &Host, wanted: Option<&str>) -> Result<Device, Problem> {
    let Some(wanted) = wanted else {
        return host.default_input_device().ok_or_else(|| {
            diagnose::absent("the system has no default input", Surroundings::here())
        });
    };
    let mut devices: Vec<Device> = host
        .input_devices()
        .map_err(|error| problem(&error))?
        .collect();
    let id = |device: &Device| {
        device
            .id()
            .map_or_else(|_| String::new(), |id| id.to_string())
    };
    let names: Vec<_> = devices
        .iter()
        .map(|device| (id(device), name(device)))
        .collect();
    Ok(devices.swap_remove(choose(wanted, &names)?))
}

fn build(
    device: &Device,
    session: &Session<impl Fn(Input) + Clone + Send + 'static>,
) -> Result<(Stream, u32), Problem> {
    let default = device
        .default_input_config()
        .map_err(|error| problem(&error))?;
    let (rate, format) = (default.sample_rate(), default.sample_format());
    // ALSA's loop wakes for every buffer: with 20 ms it takes half a core, with 100 ms a tenth.
    let frames = if cfg!(target_os = "linux") {
        rate / 10
    } else {
        rate / 50
    };
    let fixed = StreamConfig {
        channels: default.channels(),
        sample_rate: rate,
        buffer_size: BufferSize::Fixed(frames),
    };
    match stream(device, fixed, format, session) {
        Ok(stream) => Ok((stream, rate)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput
            ) =>
        {
            let stream = stream(device, default.config(), format, session)
                .map_err(|error| problem(&error))?;
            Ok((stream, rate))
        }
        Err(error) => Err(problem(&error)),
    }
}

fn stream(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    session: &Session<impl Fn(Input) + Clone + Send + 'static>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    let generation = session.generation;
    let (heard, lost) = (session.tell.clone(), session.tell.clone());
    device.build_input_stream_raw(
        config,
        format,
        move |data, _| {
            let samples = resample::to_mono(&floats(data), channels);
            heard(Input::Samples {
                generation,
                samples,
            });
        },
        move |error| match error.kind() {
            ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied => {
                tracing::debug!(%error, "microphone");
            }
            _ => lost(Input::Lost {
                generation,
                problem: problem(&error),
            }),
        },
        Some(BUILD),
    )
}

fn converted<T: Copy>(samples: &[T]) -> Vec<f32>
where
    f32: FromSample<T>,
{
    samples
        .iter()
        .map(|&sample| f32::from_sample_(sample))
        .collect()
}

/// The samples as floats from −1 to 1, whatever they are.
fn floats(data: &Data) -> Vec<f32> {
    fn all<T: SizedSample>(data: &Data) -> Vec<f32>
    where
        f32: FromSample<T>,
    {
        converted(data.as_slice::<T>().unwrap_or_default())
    }
    match data.sample_format() {
        SampleFormat::F32 => all::<f32>(data),
        SampleFormat::F64 => all::<f64>(data),
        SampleFormat::I8 => all::<i8>(data),
        SampleFormat::I16 => all::<i16>(data),
        SampleFormat::I24 => all::<I24>(data),
        SampleFormat::I32 => all::<i32>(data),
        SampleFormat::I64 => all::<i64>(data),
        SampleFormat::U8 => all::<u8>(data),
        SampleFormat::U16 => all::<u16>(data),
        SampleFormat::U24 => all::<U24>(data),
        SampleFormat::U32 => all::<u32>(data),
        SampleFormat::U64 => all::<u64>(data),
        // One-bit formats of no microphone.
        _ => Vec::new(),
    }
}

/// True for what ALSA lists beside its cards: converters, mixers, the null device, and doors to sound servers of which
/// none is open (otherwise they would have been spoken to directly).
fn plugin(id: &str) -> bool {
    const PLUGINS: [&str; 10] = [
        "null",
        "jack",
        "oss",
        "pulse",
        "lavrate",
        "samplerate",
        "speexrate",
        "speex",
        "upmix",
        "vdownmix",
    ];
    id.strip_prefix("alsa:").is_some_and(|name| {
        let name = name.split(':').next().unwrap_or(name);
        PLUGINS.contains(&name)
    })
}

fn name(device: &Device) -> String {
    device.description().map_or_else(
        |_| "the microphone".to_owned(),
        |description| description.name().to_owned(),
    )
}

fn problem(error: &cpal::Error) -> Problem {
    diagnose::explain(error.kind(), &error.to_string(), Surroundings::here())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_microphone_is_not_listed() {
        for id in ["alsa:null", "alsa:upmix", "alsa:speex", "alsa:pulse"] {
            assert!(plugin(id), "{id}");
        }
        for id in [
            "alsa:hw:CARD=0",
            "alsa:default",
            "alsa:sysdefault:CARD=USB",
            "coreaudio:null",
        ] {
            assert!(!plugin(id), "{id}");
        }
    }

    #[test]
    fn every_sample_format_means_the_same_sound() {
        let wanted = [0.0, 0.5, -0.5, -1.0];
        let near = |got: Vec<f32>| {
            let off = got.iter().zip(&wanted).map(|(a, b)| (a - b).abs());
            assert!(off.fold(0.0, f32::max) < 0.01, "{got:?}");
        };
        near(converted(&[0i8, 64, -64, -128]));
        near(converted(&[0i16, 16_384, -16_384, -32_768]));
        near(converted(&[0i32, 1 << 30, -(1 << 30), i32::MIN]));
        near(converted(&[0i64, 1 << 62, -(1 << 62), i64::MIN]));
        near(converted(&[128u8, 192, 64, 0]));
        near(converted(&[32_768u16, 49_152, 16_384, 0]));
        near(converted(&[0.0f32, 0.5, -0.5, -1.0]));
        near(converted(&[0.0f64, 0.5, -0.5, -1.0]));
    }
}
