//! The web page, the notice for visitors and the event streams, as clients that nobody here wrote see them: Chromium, the
//! `EventSource` of npm, httpx-sse of PyPI, and schemathesis on the OpenAPI document.

#[path = "team_page/channels.rs"]
mod channels;
#[path = "team_page/chromium.rs"]
mod chromium;
#[path = "team_page/contract.rs"]
mod contract;
#[path = "team_page/life.rs"]
mod life;
#[path = "team_page/matrix.rs"]
mod matrix;
#[path = "team_page/notice.rs"]
mod notice;
#[path = "team_page/process.rs"]
mod process;
#[path = "team_page/relay.rs"]
mod relay;
#[allow(dead_code, reason = "of the rig this program needs a part")]
#[path = "gates/rig.rs"]
mod rig;
mod stage;
#[path = "team_page/streams.rs"]
mod streams;
mod support;
