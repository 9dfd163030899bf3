//! The local host from outside: real deployments into a real folder, real HTTP on the loopback address.

#[path = "deploy_local/build.rs"]
mod build;
#[path = "deploy_local/crash.rs"]
mod crash;
#[path = "deploy_local/environments.rs"]
mod environments;
#[path = "deploy_local/flow.rs"]
mod flow;
#[path = "deploy_local/health.rs"]
mod health;
#[path = "deploy_local/serving.rs"]
mod serving;
#[path = "deploy_local/support.rs"]
mod support;
#[path = "deploy_local/switching.rs"]
mod switching;
