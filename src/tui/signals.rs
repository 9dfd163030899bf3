//! Signals: ends, stops and continuations asked for from outside.

/// A signal, by what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// End now (SIGTERM, SIGHUP, SIGINT).
    End,
    /// Stop (SIGTSTP).
    Stop,
    /// Continue after a stop that was not our own (SIGCONT).
    Continued,
}

#[cfg(unix)]
pub use unix::{Signals, can_stop};

#[cfg(unix)]
mod unix {
    use std::io;

    use rustix::process::{Signal as Number, getpid, getsid, kill_current_process_group};
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::Signal;

    /// The signals that concern the cockpit.
    pub struct Signals {
        terminate: Stream,
        hang_up: Stream,
        interrupt: Stream,
        stop: Stream,
        go_on: Stream,
    }

    impl Signals {
        /// Listens from now on.
        ///
        /// # Errors
        /// When the system refuses a handler.
        pub fn new() -> io::Result<Self> {
            Ok(Self {
                terminate: signal(SignalKind::terminate())?,
                hang_up: signal(SignalKind::hangup())?,
                interrupt: signal(SignalKind::interrupt())?,
                stop: signal(SignalKind::from_raw(Number::TSTP.as_raw()))?,
                go_on: continued()?,
            })
        }

        /// Waits for the next one.
        pub async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.terminate.recv() => Signal::End,
                _ = self.hang_up.recv() => Signal::End,
                _ = self.interrupt.recv() => Signal::End,
                _ = self.stop.recv() => Signal::Stop,
                _ = self.go_on.recv() => Signal::Continued,
            }
        }

        /// Stops the whole job; returns when the shell continues it.
        ///
        /// # Errors
        /// When the system refuses.
        pub async fn stop(&mut self) -> io::Result<()> {
            // Only a continuation from here on counts.
            self.go_on = continued()?;
            // Not SIGTSTP: that one is handled here. The whole group, so that a program that started us (make, say)
            // stops too and the shell sees its job stopped.
            kill_current_process_group(Number::STOP)?;
            // The other threads are stopped first: this one may run on for a moment, and must not touch the terminal.
            self.go_on.recv().await;
            Ok(())
        }
    }

    fn continued() -> io::Result<Stream> {
        signal(SignalKind::from_raw(Number::CONT.as_raw()))
    }

    /// True when there is a shell that could continue a stopped job. A session's first process has none.
    pub fn can_stop() -> bool {
        getsid(None).is_ok_and(|leader| leader != getpid())
    }
}

#[cfg(not(unix))]
pub use other::{Signals, can_stop};

#[cfg(not(unix))]
mod other {
    use std::io;

    use super::Signal;

    /// The signals that concern the cockpit.
    pub struct Signals;

    impl Signals {
        /// Listens from now on.
        ///
        /// # Errors
        /// Never.
        pub fn new() -> io::Result<Self> {
            Ok(Self)
        }

        /// Waits for the next one.
        pub async fn next(&mut self) -> Signal {
            match tokio::signal::ctrl_c().await {
                Ok(()) => Signal::End,
                Err(_) => std::future::pending().await,
            }
        }

        /// There is nothing to stop.
        ///
        /// # Errors
        /// Never.
        pub async fn stop(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Jobs are not stopped here.
    pub fn can_stop() -> bool {
        false
    }
}
