//! The document of a room, as Yjs has it: texts, highlights, comments and presence, and the frames in which they travel.
//!
//! Pure: bytes in, bytes out. The server's socket and the client's are thin edges around it, so both sides of a room run the same
//! code, and any other Yjs client can stand on either side.

mod check;
mod company;
#[cfg(test)]
mod convergence;
mod document;
mod frame;
mod marks;
mod place;
mod position;
mod presence;
mod rewrite;
#[cfg(test)]
mod tests;
mod undo;
mod wire;

pub use company::Company;
pub use document::{Decoded, DocError, RoomDoc, merged, only_deletes};
pub use frame::{Frame, MAX_FRAME, MAX_PRESENCE, State, decode_states, encode_states};
pub use place::{line_column, offset_of, utf16_len};
pub use presence::{Heard, OUT_OF_DATE, Presences, RENEW};
pub use rewrite::{Splice, splices};
pub use wire::WireError;

/// The largest document: its whole state as an update, in bytes.
pub const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// Updates that wait for one they build on are kept up to this many bytes.
pub const MAX_PENDING: usize = 256 * 1024;
