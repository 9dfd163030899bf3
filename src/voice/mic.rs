//! The microphone itself, through the platform's audio system. The only file that talks to it.
//!
//! Each opening has a thread of its own, because starting a stream may block for seconds and, when a sound server
//! hangs, for ever. What comes from an opening carries its generation, so an abandoned one disturbs nobody.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Data, Device, ErrorKind, FromSample, Host, I24, SampleFormat, SizedSample, Stream,
    StreamConfig, U24,
};

use super::core::Input;
use super::diagnose::{self, Surroundings};
use super::{RATE, resample};
use crate::model::Problem;

/// How long the audio system may take to make a stream.
const BUILD: Duration = Duration::from_secs(6);

/// Between two looks whether another default microphone was chosen.
const LOOK: Duration = Duration::from_secs(2);

/// The name of the PulseAudio host, which PipeWire serves as well.
const PULSE: &str = "PulseAudio";

/// An opened (or opening) microphone; dropping it closes it.
pub struct Mic {
    _stop: Sender<()>,
}

/// A microphone of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MicInfo {
    /// What to name it by in the configuration.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// True for the system's default.
    pub default: bool,
    /// True when it is no microphone but what a loudspeaker plays.
    pub monitor: bool,
}

/// Begins to open a microphone in the background; `tell` gets everything that comes of it.
pub fn open(
    generation: u64,
    wanted: Option<String>,
    tell: impl Fn(Input) + Clone + Send + 'static,
) -> Mic {
    let (stop, stopped) = mpsc::channel();
    let failed = tell.clone();
    let spawned = thread::Builder::new()
        .name("microphone".to_owned())
        .spawn(move || match start(generation, wanted.as_deref(), &tell) {
            Ok(open) => wait(generation, wanted.is_none(), &open, &stopped, &tell),
            Err(problem) => tell(Input::Lost {
                generation,
                problem,
            }),
        });
    if let Err(error) = spawned {
        let problem =
            Problem::internal(format!("cannot start a thread for the microphone: {error}"));
        failed(Input::Lost {
            generation,
            problem,
        });
    }
    Mic { _stop: stop }
}

/// All microphones of this machine, the default first. Blocks for up to a tenth of a second.
///
/// # Errors
/// When the audio system cannot be reached.
pub fn list() -> Result<Vec<MicInfo>, Problem> {
    let host = host()?;
    let default = host
        .default_input_device()
        .and_then(|device| device.id().ok());
    let devices = host.input_devices().map_err(|error| problem(&error))?;
    let mut found: Vec<MicInfo> = devices
        .filter_map(|device| {
            let id = device.id().ok()?;
            let text = id.to_string();
            Some(MicInfo {
                name: name(&device),
                default: Some(&id) == default.as_ref(),
                monitor: text.ends_with(".monitor"),
                id: text,
            })
        })
        .collect();
    found.sort_by_key(|info| (!info.default, info.monitor, info.name.clone()));
    Ok(found)
}

struct Open {
    host: Host,
    device: Device,
    _stream: Stream,
}

fn start(
    generation: u64,
    wanted: Option<&str>,
    tell: &(impl Fn(Input) + Clone + Send + 'static),
) -> Result<Open, Problem> {
    let host = host()?;
    let device = choose(&host, wanted)?;
    let pulse = host.id().name() == PULSE;
    let (stream, rate) = build(&device, pulse, generation, tell)?;
    // Told before the stream runs: on some systems samples come before this call returns.
    tell(Input::Opened {
        generation,
        rate,
        device: name(&device),
    });
    stream.play().map_err(|error| problem(&error))?;
    Ok(Open {
        host,
        device,
        _stream: stream,
    })
}

/// Holds the stream until it is no longer wanted.
fn wait(generation: u64, follow: bool, open: &Open, stopped: &Receiver<()>, tell: &impl Fn(Input)) {
    // The others follow the default by themselves.
    let look = follow && open.host.id().name() == PULSE;
    let mine = open.device.id().ok();
    loop {
        match stopped.recv_timeout(LOOK) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return,
        }
        if look
            && let Some(now) = open
                .host
                .default_input_device()
                .and_then(|device| device.id().ok())
            && mine.as_ref() != Some(&now)
        {
            tell(Input::DefaultChanged { generation });
        }
    }
}

/// PulseAudio's own protocol where it is served, as it takes a fraction of the time that ALSA's detour does.
fn host() -> Result<Host, Problem> {
    let pulse = cpal::available_hosts()
        .into_iter()
        .find(|id| id.name() == PULSE);
    if let Some(host) = pulse.and_then(|id| cpal::host_from_id(id).ok()) {
        return Ok(host);
    }
    let others = cpal::available_hosts()
        .into_iter()
        .filter(|id| id.name() != PULSE);
    let mut why = "no audio system was found".to_owned();
    for id in others {
        match cpal::host_from_id(id) {
            Ok(host) => return Ok(host),
            Err(error) => why = error.to_string(),
        }
    }
    Err(diagnose::absent(&why, Surroundings::here()))
}

fn choose(host: &Host, wanted: Option<&str>) -> Result<Device, Problem> {
    let Some(wanted) = wanted else {
        return host.default_input_device().ok_or_else(|| {
            diagnose::absent("the system has no default input", Surroundings::here())
        });
    };
    let devices: Vec<Device> = host
        .input_devices()
        .map_err(|error| problem(&error))?
        .collect();
    let by_id = |device: &&Device| device.id().is_ok_and(|id| id.to_string() == wanted);
    let lower = wanted.to_lowercase();
    let exact = |device: &&Device| name(device).to_lowercase() == lower;
    let part = |device: &&Device| name(device).to_lowercase().contains(&lower);
    let found = devices
        .iter()
        .find(by_id)
        .or_else(|| devices.iter().find(exact))
        .or_else(|| devices.iter().find(part));
    found.cloned().ok_or_else(|| {
        let names: Vec<String> = devices.iter().map(name).collect();
        Problem::new(
            503,
            "microphone-absent",
            format!("there is no microphone «{wanted}»"),
        )
        .hint(format!("there are: {}", names.join(", ")))
    })
}

fn build(
    device: &Device,
    pulse: bool,
    generation: u64,
    tell: &(impl Fn(Input) + Clone + Send + 'static),
) -> Result<(Stream, u32), Problem> {
    if pulse {
        // The server converts. 20 ms, because its own default is two seconds.
        let config = StreamConfig {
            channels: 1,
            sample_rate: RATE,
            buffer_size: BufferSize::Fixed(RATE / 50),
        };
        return stream(device, config, SampleFormat::F32, generation, tell)
            .map(|stream| (stream, RATE))
            .map_err(|error| problem(&error));
    }
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
    match stream(device, fixed, format, generation, tell) {
        Ok(stream) => Ok((stream, rate)),
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::UnsupportedConfig | ErrorKind::InvalidInput
            ) =>
        {
            stream(device, default.config(), format, generation, tell)
                .map(|stream| (stream, rate))
                .map_err(|error| problem(&error))
        }
        Err(error) => Err(problem(&error)),
    }
}

fn stream(
    device: &Device,
    config: StreamConfig,
    format: SampleFormat,
    generation: u64,
    tell: &(impl Fn(Input) + Clone + Send + 'static),
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    let (heard, lost) = (tell.clone(), tell.clone());
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

/// The samples as floats from −1 to 1, whatever they are.
fn floats(data: &Data) -> Vec<f32> {
    fn all<T: SizedSample>(data: &Data) -> Vec<f32>
    where
        f32: FromSample<T>,
    {
        let samples = data.as_slice::<T>().unwrap_or_default();
        samples
            .iter()
            .map(|&sample| f32::from_sample_(sample))
            .collect()
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

fn name(device: &Device) -> String {
    device.description().map_or_else(
        |_| "the microphone".to_owned(),
        |description| description.name().to_owned(),
    )
}

fn problem(error: &cpal::Error) -> Problem {
    diagnose::explain(error.kind(), &error.to_string(), Surroundings::here())
}
