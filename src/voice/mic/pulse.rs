//! PulseAudio, and PipeWire through the same protocol, spoken directly over their socket.
//!
//! Not through cpal's host for it: that asks the server for a queue of exactly one delivery (20 ms), so whenever this
//! machine is busy for longer, a piece of a word is thrown away. Here the deliveries are as short, but the queue is
//! four seconds long. It also needs one thread instead of three and a third of the time.

pub mod play;

use std::ffi::CString;
use std::io::{BufRead, BufReader, Cursor, ErrorKind as IoKind};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};

use cpal::ErrorKind;
use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    self, AuthParams, AuthReply, ChannelMap, ChannelPosition, Command, CommandReply,
    CreateRecordStreamReply, DEFAULT_SOURCE, DESCRIPTOR_SIZE, GetSourceInfo, Prop, Props,
    ProtocolError, PulseError, RecordStreamParams, SampleFormat, SampleSpec, SetClientNameReply,
    SourceInfo,
};

use super::{MicInfo, Session, choose};
use crate::model::Problem;
use crate::voice::RATE;
use crate::voice::core::Input;
use crate::voice::diagnose::{self, Surroundings};

/// How long the server may take to answer.
const ANSWER: Duration = Duration::from_secs(2);

/// Between two looks whether the microphone is still wanted, when nothing arrives.
const IDLE: Duration = Duration::from_millis(100);

/// Between two looks whether another default microphone was chosen.
const LOOK: Duration = Duration::from_secs(2);

/// Bytes of a sample.
const SAMPLE: u32 = 4;

/// What a delivery holds: 20 ms. The server's own default is two seconds.
const DELIVERY: u32 = RATE / 50 * SAMPLE;

/// What the server keeps for us while we do not get to read: four seconds.
const QUEUE: u32 = RATE * 4 * SAMPLE;

/// Bytes of the secret that a client shows. A server that asks for none (PipeWire, or one for everybody on this
/// machine) still ends a connection that shows less; libpulse sends zeros when there is no file.
const COOKIE: usize = 256;

/// A connection to the sound server.
pub struct Server {
    socket: BufReader<UnixStream>,
    version: u16,
    sequence: u32,
}

impl Server {
    /// Connects to the server that the environment names; `None` when there is none.
    ///
    /// # Errors
    /// When there is one that does not answer or does not let us in: what is behind it must not be looked for then,
    /// as it holds all there is.
    pub fn connect() -> Result<Option<Self>, Problem> {
        let Some(path) = pulseaudio::socket_path_from_env() else {
            return Ok(None);
        };
        let Ok(socket) = UnixStream::connect(path) else {
            return Ok(None);
        };
        match Self::greet(socket) {
            Ok(server) => Ok(Some(server)),
            Err(ProtocolError::Io(error))
                if matches!(error.kind(), IoKind::WouldBlock | IoKind::TimedOut) =>
            {
                Err(diagnose::hung(ANSWER))
            }
            Err(error) => Err(problem(&error)),
        }
    }

    fn greet(socket: UnixStream) -> Result<Self, ProtocolError> {
        socket.set_read_timeout(Some(ANSWER))?;
        socket.set_write_timeout(Some(ANSWER))?;
        let cookie = pulseaudio::cookie_path_from_env()
            .and_then(|path| std::fs::read(path).ok())
            .filter(|cookie| cookie.len() == COOKIE)
            .unwrap_or_else(|| vec![0; COOKIE]);
        let mut server = Self {
            socket: BufReader::new(socket),
            version: protocol::MAX_VERSION,
            sequence: 0,
        };
        let version = protocol::MAX_VERSION;
        let auth = AuthParams {
            version,
            supports_shm: false,
            supports_memfd: false,
            cookie,
        };
        let reply: AuthReply = server.ask(&Command::Auth(auth))?;
        server.version = version.min(reply.version);
        let mut about = Props::new();
        about.set(Prop::ApplicationName, c"Sayso");
        if let Ok(id) = CString::new(std::process::id().to_string()) {
            about.set(Prop::ApplicationProcessId, id);
        }
        let _: SetClientNameReply = server.ask(&Command::SetClientName(about))?;
        Ok(server)
    }

    fn send(&mut self, command: &Command) -> Result<u32, ProtocolError> {
        self.sequence += 1;
        protocol::write_command_message(
            self.socket.get_mut(),
            self.sequence,
            command,
            self.version,
        )?;
        Ok(self.sequence)
    }

    /// Asks and waits for the answer; only while no stream delivers.
    fn ask<R: CommandReply>(&mut self, command: &Command) -> Result<R, ProtocolError> {
        let asked = self.send(command)?;
        loop {
            let (sequence, reply) = protocol::read_reply_message(&mut self.socket, self.version)?;
            if sequence == asked {
                return Ok(reply);
            }
        }
    }

    fn sources(&mut self) -> Result<Vec<SourceInfo>, ProtocolError> {
        self.ask(&Command::GetSourceInfoList)
    }

    fn source(&mut self, wanted: Option<&str>) -> Result<SourceInfo, Problem> {
        let Some(wanted) = wanted else {
            return self.ask(&default_source()).map_err(|error| match error {
                ProtocolError::ServerError(PulseError::NoEntity) => {
                    diagnose::absent("the sound server has no input", Surroundings::here())
                }
                error => problem(&error),
            });
        };
        let mut sources = self.sources().map_err(|error| problem(&error))?;
        let names: Vec<_> = sources
            .iter()
            .map(|source| (id(source), name(source)))
            .collect();
        Ok(sources.swap_remove(choose(wanted, &names)?))
    }
}

/// Records until the session is stopped.
pub fn run(mut server: Server, session: &Session<impl Fn(Input)>) -> Result<(), Problem> {
    let generation = session.generation;
    let source = server.source(session.wanted.as_deref())?;
    let params = RecordStreamParams {
        // The server converts from whatever the card has.
        sample_spec: SampleSpec {
            format: SampleFormat::Float32Le,
            channels: 1,
            sample_rate: RATE,
        },
        channel_map: ChannelMap::new([ChannelPosition::Mono]),
        source_index: Some(source.index),
        buffer_attr: BufferAttr {
            max_length: QUEUE,
            fragment_size: DELIVERY,
            ..BufferAttr::default()
        },
        flags: StreamFlags {
            adjust_latency: true,
            ..StreamFlags::default()
        },
        ..RecordStreamParams::default()
    };
    let stream: CreateRecordStreamReply = server
        .ask(&Command::CreateRecordStream(params))
        .map_err(|error| problem(&error))?;
    (session.tell)(Input::Opened {
        generation,
        rate: RATE,
        device: name(&source),
    });
    let socket = server.socket.get_ref();
    socket
        .set_read_timeout(Some(IDLE))
        .map_err(|error| problem(&error.into()))?;

    let follow = session.wanted.is_none();
    let (mut looked, mut asked) = (Instant::now(), None);
    let mut pending: Vec<u8> = Vec::new();
    loop {
        if session.stopped.try_recv() == Err(TryRecvError::Disconnected) {
            return Ok(());
        }
        if follow && looked.elapsed() >= LOOK {
            looked = Instant::now();
            asked = Some(
                server
                    .send(&default_source())
                    .map_err(|error| problem(&error))?,
            );
        }
        let count = match server.socket.fill_buf() {
            Ok([]) => return Err(gone("it closed the connection")),
            Ok(bytes) => {
                pending.extend_from_slice(bytes);
                bytes.len()
            }
            Err(error)
                if matches!(
                    error.kind(),
                    IoKind::WouldBlock | IoKind::TimedOut | IoKind::Interrupted
                ) =>
            {
                0
            }
            Err(error) => return Err(gone(&error.to_string())),
        };
        server.socket.consume(count);
        let mut taken = 0;
        while let Some((channel, body)) = message(&pending[taken..]) {
            if channel == stream.channel {
                let samples = body
                    .chunks_exact(4)
                    .map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]));
                (session.tell)(Input::Samples {
                    generation,
                    samples: samples.collect(),
                });
            } else if channel == u32::MAX {
                match answer(
                    &pending[taken..taken + DESCRIPTOR_SIZE + body.len()],
                    asked,
                    server.version,
                ) {
                    Answer::Killed => return Err(gone("it took the microphone away")),
                    Answer::Default(index) if index != source.index => {
                        (session.tell)(Input::DefaultChanged { generation });
                    }
                    Answer::Default(_) | Answer::Other => {}
                }
            }
            taken += DESCRIPTOR_SIZE + body.len();
        }
        pending.drain(..taken);
    }
}

/// The channel and body of the message at the beginning of `bytes`, once all of it is there.
fn message(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let descriptor = protocol::read_descriptor(&mut bytes.get(..DESCRIPTOR_SIZE)?).ok()?;
    let body = bytes.get(DESCRIPTOR_SIZE..DESCRIPTOR_SIZE + descriptor.length as usize)?;
    Some((descriptor.channel, body))
}

enum Answer {
    /// The server ended the stream.
    Killed,
    /// The index of the default source.
    Default(u32),
    Other,
}

fn answer(whole: &[u8], asked: Option<u32>, version: u16) -> Answer {
    let body = whole.get(DESCRIPTOR_SIZE..).unwrap_or_default();
    match Command::read_tag_prefixed(&mut Cursor::new(body), version) {
        Ok((_, Command::RecordStreamKilled(_))) => Answer::Killed,
        Ok((sequence, Command::Reply)) if Some(sequence) == asked => {
            match protocol::read_reply_message::<SourceInfo>(&mut Cursor::new(whole), version) {
                Ok((_, source)) => Answer::Default(source.index),
                Err(_) => Answer::Other,
            }
        }
        _ => Answer::Other,
    }
}

/// All microphones.
pub fn list(mut server: Server) -> Result<Vec<MicInfo>, Problem> {
    let default = server
        .ask::<SourceInfo>(&default_source())
        .ok()
        .map(|source| source.index);
    let sources = server.sources().map_err(|error| problem(&error))?;
    Ok(sources
        .iter()
        .map(|source| MicInfo {
            id: id(source),
            name: name(source),
            default: Some(source.index) == default,
            monitor: source.monitor_of_sink_index.is_some(),
        })
        .collect())
}

fn default_source() -> Command {
    Command::GetSourceInfo(GetSourceInfo {
        name: Some(DEFAULT_SOURCE.to_owned()),
        ..GetSourceInfo::default()
    })
}

fn id(source: &SourceInfo) -> String {
    format!("pulseaudio:{}", source.name.to_string_lossy())
}

fn name(source: &SourceInfo) -> String {
    source
        .description
        .as_ref()
        .unwrap_or(&source.name)
        .to_string_lossy()
        .into_owned()
}

fn gone(why: &str) -> Problem {
    diagnose::explain(
        ErrorKind::HostUnavailable,
        &format!("the sound server is gone: {why}"),
        Surroundings::here(),
    )
}

fn problem(error: &ProtocolError) -> Problem {
    let kind = match error {
        ProtocolError::ServerError(PulseError::AccessDenied | PulseError::AuthKey) => {
            ErrorKind::PermissionDenied
        }
        ProtocolError::ServerError(PulseError::NoEntity) => ErrorKind::DeviceNotAvailable,
        ProtocolError::ServerError(PulseError::Busy | PulseError::Timeout)
        | ProtocolError::Timeout => ErrorKind::DeviceBusy,
        ProtocolError::Io(_) => ErrorKind::HostUnavailable,
        _ => ErrorKind::BackendError,
    };
    diagnose::explain(kind, &error.to_string(), Surroundings::here())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_when_all_of_it_is_there() {
        let mut bytes = Vec::new();
        for word in [3u32, 7, 0, 0, 0] {
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.extend_from_slice(b"ab");
        assert_eq!(message(&bytes), None);
        bytes.push(b'c');
        bytes.push(b'd');
        assert_eq!(message(&bytes), Some((7, &b"abc"[..])));
        assert_eq!(message(&bytes[..10]), None);
    }
}
