//! Sound to the loudspeaker through the same server.

use std::io::{BufRead, ErrorKind as IoKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use pulseaudio::protocol::stream::{BufferAttr, StreamFlags};
use pulseaudio::protocol::{
    self, ChannelMap, ChannelPosition, ChannelVolume, Command, CreatePlaybackStreamReply,
    DEFAULT_SINK, DESCRIPTOR_SIZE, Descriptor, DescriptorFlags, PlaybackStreamParams, SampleFormat,
    SampleSpec,
};

use super::{ANSWER, IDLE, Server, gone, message, problem};
use crate::model::Problem;
use crate::voice::{RATE, seconds};

/// Bytes of a sample (16 bit).
const SAMPLE: usize = 2;

/// What the server holds for us at most: its own limit. Clips are shorter, so that a whole one fits.
const QUEUE: usize = protocol::MAX_MEMBLOCKQ_LENGTH;

/// Bytes sent in one message.
const PIECE: usize = 1 << 14;

/// How far ahead of the loudspeaker the server works (100 ms), so that a short sound is heard at once.
const AHEAD: u32 = RATE / 10 * SAMPLE as u32;

/// Plays `samples` (16 kHz mono) to the end, or until `stop` is true.
///
/// # Errors
/// When there is no loudspeaker, or the server goes away.
pub fn play(mut server: Server, samples: &[f32], stop: &AtomicBool) -> Result<(), Problem> {
    let params = PlaybackStreamParams {
        sample_spec: SampleSpec {
            format: SampleFormat::S16Le,
            channels: 1,
            sample_rate: RATE,
        },
        channel_map: ChannelMap::new([ChannelPosition::Mono]),
        sink_name: Some(DEFAULT_SINK.to_owned()),
        buffer_attr: BufferAttr {
            max_length: QUEUE as u32,
            target_length: AHEAD,
            pre_buffering: 0,
            minimum_request_length: u32::MAX,
            ..BufferAttr::default()
        },
        cvolume: Some(ChannelVolume::norm(1)),
        flags: StreamFlags {
            adjust_latency: true,
            ..StreamFlags::default()
        },
        ..PlaybackStreamParams::default()
    };
    let stream: CreatePlaybackStreamReply = server
        .ask(&Command::CreatePlaybackStream(params))
        .map_err(|error| problem(&error))?;
    let bytes: Vec<u8> = samples
        .iter()
        .take(QUEUE / SAMPLE)
        .flat_map(|sample| ((sample.clamp(-1.0, 1.0) * 32_767.0) as i16).to_le_bytes())
        .collect();
    let lost = |error: std::io::Error| gone(&error.to_string());
    for piece in bytes.chunks(PIECE) {
        let descriptor = Descriptor {
            length: piece.len() as u32,
            channel: stream.channel,
            offset: 0,
            flags: DescriptorFlags::empty(),
        };
        let mut head = [0; DESCRIPTOR_SIZE];
        protocol::encode_descriptor(&mut head, &descriptor);
        server.socket.get_mut().write_all(&head).map_err(lost)?;
        server.socket.get_mut().write_all(piece).map_err(lost)?;
    }
    let drained = server
        .send(&Command::DrainPlaybackStream(stream.channel))
        .map_err(|error| problem(&error))?;
    server
        .socket
        .get_ref()
        .set_read_timeout(Some(IDLE))
        .map_err(lost)?;
    let longest = std::time::Duration::from_secs_f64(seconds(samples.len())) + ANSWER;
    let (began, mut pending) = (Instant::now(), Vec::new());
    // Dropping the connection ends the sound.
    while !stop.load(Ordering::Relaxed) && began.elapsed() < longest {
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
            Err(error) => return Err(lost(error)),
        };
        server.socket.consume(count);
        let mut taken = 0;
        while let Some((_, body)) = message(&pending[taken..]) {
            let read = Command::read_tag_prefixed(&mut std::io::Cursor::new(body), server.version);
            match read {
                Ok((sequence, Command::Reply)) if sequence == drained => return Ok(()),
                Ok((_, Command::PlaybackStreamKilled(_))) => {
                    return Err(gone("it took the loudspeaker away"));
                }
                _ => {}
            }
            taken += DESCRIPTOR_SIZE + body.len();
        }
        pending.drain(..taken);
    }
    Ok(())
}
