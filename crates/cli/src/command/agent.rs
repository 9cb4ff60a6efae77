//! `puma agent`: lets containers on this machine read its energy counters.

use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use crate::paths;
use clap::Args;
use puma_host::energy::agent::{self, Agent};
use puma_host::energy::{ChainOptions, chain};
use puma_host::machine::Machine;
use serde_json::json;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

/// Arguments of `puma agent`. It serves until Ctrl-C, reads only, and answers only who knows the token.
#[derive(Debug, Args)]
pub(crate) struct AgentArgs {
    /// Where to listen. Docker Desktop's containers reach 127.0.0.1 of the host as host.docker.internal; on Linux, name
    /// the address of the container's bridge.
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from(([127, 0, 0, 1], agent::PORT)))]
    bind: SocketAddr,
    /// Print what it would serve once, and end.
    #[arg(long)]
    once: bool,
    /// Print the address and the token as JSON.
    #[arg(long, conflicts_with = "once")]
    json: bool,
}

pub(crate) fn run(args: AgentArgs, context: &Context) -> Result<(), Failure> {
    let AgentArgs { bind, once, json } = args;
    let machine = Machine::probe(context.host.as_ref());
    let meters = chain(&context.host, &machine, &ChainOptions::default());
    for missing in &meters.missing {
        context.ui.note(&format!("{}: {}", missing.source, missing.reason));
    }
    let mut agent = Agent::new(meters, Arc::new(context.clock));
    if once {
        return context.ui.json(&agent.snapshot());
    }
    let listener = TcpListener::bind(bind).map_err(|error| {
        Failure::operation(format!("nothing can listen on {bind}: {error}"))
            .hint("another agent may be running; name another port with `--bind 127.0.0.1:PORT`")
    })?;
    let address = listener.local_addr()?;
    // A token that the user set is the user's to hand out.
    let given = environment::get("PUMA_POWER_AGENT_TOKEN");
    let kept = given.is_none().then(kept_token).transpose()?;
    let inside = reachable(address);
    if json {
        context.ui.json(&json!({ "listens_on": address.to_string(), "url": inside, "token": kept }))?;
    } else {
        let token = kept.as_ref().map_or(String::new(), |token| format!("\nexport PUMA_POWER_AGENT_TOKEN={token}"));
        context.ui.data(&format!("export PUMA_POWER_AGENT={inside}{token}"))?;
    }
    let token = given.or(kept).unwrap_or_default();
    if !address.ip().is_loopback() {
        context.ui.warn(&format!("{address} can be reached from other machines; only the token keeps them out"));
    }
    context.ui.note(&format!("listening on {address}; set these two variables in the container; Ctrl-C ends"));
    let answer = move || serde_json::to_string(&agent.snapshot()).unwrap_or_default();
    puma_web::agent::serve(listener, agent::PATH, &token, answer, &context.cancel)
        .map_err(|error| Failure::operation(format!("the agent ended: {error}")))
}

/// What a container is told: the name by which Docker Desktop's containers reach the host, or the address itself.
fn reachable(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("http://host.docker.internal:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

/// The token of this user, made at the first start.
fn kept_token() -> Result<String, Failure> {
    let file = paths::data_dir().join("agent-token");
    match std::fs::read_to_string(&file) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        _ => {}
    }
    let mut bytes = [0u8; 24];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::operation(format!("the system gives no random numbers: {error}")))?;
    let token = puma_core::canon::hex(&bytes);
    keep(&file, &token).map_err(|error| {
        Failure::operation(format!("the token cannot be kept in {}: {error}", file.display()))
            .hint("set PUMA_DATA_DIR to a folder you may write to, or the token itself by PUMA_POWER_AGENT_TOKEN")
    })?;
    Ok(token)
}

/// Writes a file that only its owner can read.
fn keep(file: &Path, token: &str) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(token.as_bytes())
}
