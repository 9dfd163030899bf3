//! The document of a room, as Yjs has it: texts, highlights, comments and presence, and the frames in which they travel.
//!
//! Pure: bytes in, bytes out. The server's socket and the client's are thin edges around it, so both sides of a room run the same
//! code, and any other Yjs client can stand on either side.
