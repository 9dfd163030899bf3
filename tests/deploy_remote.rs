//! Deploying to places outside this process: commands, Vercel, GitHub Actions, webhooks. The services are scripted
//! servers that follow the documented behaviour and can be told to fail in every way that a network knows.

#[path = "deploy_remote/actions.rs"]
mod actions;
#[path = "deploy_remote/command.rs"]
mod command;
#[path = "deploy_remote/described.rs"]
mod described;
#[path = "deploy_remote/drops.rs"]
mod drops;
#[path = "deploy_remote/emulate.rs"]
mod emulate;
#[path = "emulate_support/mod.rs"]
mod emulate_support;
#[path = "deploy_remote/github.rs"]
mod github;
#[path = "deploy_remote/history.rs"]
mod history;
#[path = "deploy_remote/hooks.rs"]
mod hooks;
#[path = "deploy_remote/rig.rs"]
mod rig;
#[path = "deploy_remote/service.rs"]
mod service;
#[path = "support/mod.rs"]
mod support;
#[path = "deploy_remote/vercel.rs"]
mod vercel;
#[path = "deploy_remote/vercel_bad.rs"]
mod vercel_bad;
#[path = "deploy_remote/vercel_traffic.rs"]
mod vercel_traffic;
#[path = "deploy_remote/vercel_world.rs"]
mod vercel_world;
