//! ALSA, Core Audio and WASAPI through cpal.

use std::time::Duration;

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, Data, Device, ErrorKind, FromSample, Host, I24, SampleFormat, SizedSample, Stream,
    StreamConfig, U24,
};

use super::{MicInfo, Session, choose};
use crate::model::Problem;
use crate::voice::core::Input;
use crate::voice::diagnose::{self, Surroundings};
use crate::voice::resample;

/// How long the audio system may take to make a stream.
const BUILD: Duration = Duration::from_secs(6);

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
            Some(MicInfo {
                name: name(&device),
                default,
                monitor: id.ends_with(".monitor"),
                id,
            })
        })
        .collect())
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
