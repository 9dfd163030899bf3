//! Commits through GitHub's own interface: any number of files as one commit, in a handful of requests.
//!
//! [`Remote`] needs no clone: files are read from GitHub and kept on disk by their ids. [`Cloned`] has one: the person's
//! hooks run and the commit is made there first; GitHub makes the same one, its branch moves, then the clone follows with
//! uncommitted work kept. In both, the server's branch is what counts, and it is never moved by force.

mod address;
mod api;
mod cache;
mod clone;
mod data;
mod early;
mod files;
mod follow;
mod gone;
mod remote;
mod retry;
mod rights;
mod signed;
mod tree;
mod trouble;
mod twin;

pub use address::Address;
pub use api::Account;
pub use cache::Cache;
pub use clone::Cloned;
pub use remote::Remote;
pub use rights::{Rights, rights};
