//! `puma up --docker` with a fake `docker` that notes how it is called and serves in place of the container.

use crate::fake_ollama::{free_address, program, serve_line};
use crate::support::{Ended, Home};
use puma_testkit::fault_server::{Behaviour, FaultServer};
use serde_json::{Value, json};
use std::process::Command;

struct Place {
    home: Home,
    address: String,
}

impl Place {
    /// A docker whose `info` tells `info`, and whose compose does `on_up`.
    fn new(info: &Value, on_up: &str) -> Self {
        let home = Home::new();
        let folder = home.dir.path().display().to_string();
        home.write("info.json", info.to_string());
        let script = format!(
            "echo \"$PUMA_OLLAMA_PORT $*\" >> '{folder}/calls'\n\
             case \"$*\" in\n\
             info*) cat '{folder}/info.json' ;;\n\
             'compose version') echo v2.30.0 ;;\n\
             *'up --detach') {on_up} ;;\n\
             *logs*) echo 'ollama-1 | cannot load the driver' ;;\n\
             *down) [ -e '{folder}/container' ] && kill \"$(cat '{folder}/container')\"; rm -f '{folder}/container' ;;\n\
             esac"
        );
        program(home.dir.path(), "docker", &script);
        program(home.dir.path(), "container", &serve_line());
        Self { home, address: free_address() }
    }

    /// What the fake compose does to make the container serve.
    fn serving(info: &Value) -> Self {
        let start = "cd \"${0%/bin/docker}\"; OLLAMA_HOST=127.0.0.1:$PUMA_OLLAMA_PORT bin/container \
                     >/dev/null 2>&1 & echo $! > \"${0%/bin/docker}/container\"";
        Self::new(info, start)
    }

    fn puma(&self, args: &[&str]) -> Ended {
        let mut command = self.home.command(args);
        command.env("PATH", format!("{}:/usr/bin:/bin", self.home.path("bin").display()));
        Ended::from(command.output().expect("the program starts"))
    }

    fn up(&self, more: &[&str]) -> Ended {
        let args = ["up", "--docker", "--endpoint", &self.address, "--skip-models"];
        self.puma(&[&args[..], more].concat())
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.home.path("calls")).unwrap_or_default();
        text.lines().map(|line| line.replace(&format!("{}/", self.home.path("data/compose").display()), "")).collect()
    }

    fn has_record(&self) -> bool {
        self.home.path("data/service.json").exists()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Ok(pid) = std::fs::read_to_string(self.home.path("container")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}

fn plain() -> Value {
    json!({"Runtimes": {"runc": {}}, "ServerErrors": null})
}

#[test]
fn a_container_is_started_with_the_shipped_file_used_by_default_and_removed() {
    let place = Place::serving(&plain());
    let up = place.up(&["--json"]).json();
    assert_eq!((&up["mode"], &up["started_by_puma"], &up["pid"]), (&"docker".into(), &true.into(), &Value::Null));
    let port = place.address.rsplit_once(':').expect("a port").1;
    let compose = format!("{port} compose --project-name puma --file compose.yaml");
    assert_eq!(place.calls()[2..], [format!("{compose} up --detach")]);
    assert!(place.home.path("data/compose/compose.yaml").is_file());

    let env = place.puma(&["env", "--json"]).json();
    assert_eq!(env["ollama_endpoint"], format!("http://{}", place.address));
    // Without a word the container goes on; another mode must first end it.
    let again = place.puma(&["up", "--skip-models", "--json"]).json();
    assert_eq!((&again["mode"], &again["already_running"]), (&"docker".into(), &true.into()));
    place.puma(&["up", "--native", "--skip-models"]).fails(1, &["container that PUMA started", "puma down"]);

    let down = place.puma(&["down", "--json"]).json();
    assert_eq!(
        (&down["outcome"], &down["mode"], &down["still_answers"]),
        (&"stopped".into(), &"docker".into(), &Value::Null)
    );
    assert_eq!(place.calls().last(), Some(&format!("{compose} down")));
    assert!(!place.has_record());
    let calls = place.calls().len();
    assert_eq!(place.puma(&["down", "--json"]).json()["outcome"], "nothing_recorded");
    assert_eq!(place.calls().len(), calls, "docker is not asked again");
}

#[test]
fn a_gpu_is_reserved_only_where_docker_reaches_one() {
    let devices = json!([{"Source": "cdi", "ID": "nvidia.com/gpu=all"}]);
    for (info, overlay) in [
        (json!({"Runtimes": {"runc": {}, "nvidia": {"path": "nvidia-container-runtime"}}}), "compose.gpu.yaml"),
        (json!({"Runtimes": {"runc": {}}, "DiscoveredDevices": devices}), "compose.cdi.yaml"),
    ] {
        let place = Place::serving(&info);
        place.up(&["--json"]).json();
        let files = format!("--file compose.yaml --file {overlay}");
        assert!(place.calls()[2].contains(&files), "{:?}", place.calls());
        place.puma(&["down", "--json"]).json();
        assert!(place.calls().last().is_some_and(|call| call.contains(&files) && call.ends_with("down")));
    }
}

#[test]
fn a_docker_that_is_missing_or_does_not_run_is_told_with_the_way_out() {
    let place = Place::serving(&json!({"ServerErrors": ["Cannot connect to the Docker daemon"]}));
    place.up(&[]).fails(1, &["docker does not run", "Cannot connect", "puma up --native"]);
    assert!(!place.has_record() && place.calls().len() == 1);

    program(place.home.dir.path(), "docker", "echo 'permission denied while trying to connect' >&2; exit 1");
    place.up(&[]).fails(1, &["docker does not run", "permission denied"]);
    let no_plugin =
        "case $1 in info) echo '{}' ;; *) echo \"docker: 'compose' is not a docker command.\" >&2; exit 1 ;; esac";
    program(place.home.dir.path(), "docker", no_plugin);
    place.up(&[]).fails(1, &["no compose plugin", "is not a docker command", "docker-compose-plugin"]);
    std::fs::remove_file(place.home.path("bin/docker")).expect("removed");
    if !std::path::Path::new("/usr/bin/docker").exists() {
        place.up(&[]).fails(1, &["no program `docker`", "puma up --native"]);
    }
}

#[test]
fn a_container_that_fails_is_removed_and_quoted() {
    let place = Place::new(&plain(), "echo 'pull access denied' >&2; exit 17");
    place.up(&[]).fails(1, &["up --detach` failed", "17", "pull access denied"]);
    assert!(place.calls().last().is_some_and(|call| call.ends_with("down")) && !place.has_record());

    let place = Place::new(&plain(), ":");
    place.up(&["--wait", "1"]).fails(1, &["did not answer within 1 s", "cannot load the driver", "--wait"]);
    assert!(place.calls().last().is_some_and(|call| call.ends_with("down")) && !place.has_record());
}

#[test]
fn a_server_outside_the_container_is_not_mistaken_for_it() {
    let place = Place::serving(&plain());
    let foreign = FaultServer::start(Behaviour::default());
    let args = ["up", "--docker", "--endpoint", &foreign.url(), "--skip-models"];
    place.puma(&args).fails(1, &["already answers", "--endpoint 127.0.0.1:11500"]);
    place
        .puma(&["up", "--docker", "--endpoint", "http://192.0.2.1:9", "--skip-models"])
        .fails(1, &["this machine only"]);
    assert!(place.calls().is_empty() && !place.has_record());
}

#[test]
fn down_without_the_docker_that_was_there_keeps_the_record() {
    let place = Place::serving(&plain());
    place.up(&["--json"]).json();
    let docker = place.home.path("bin/docker");
    let kept = std::fs::read(&docker).expect("the script");
    program(place.home.dir.path(), "docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    place.puma(&["down"]).fails(1, &["Cannot connect"]);
    assert!(place.has_record());
    std::fs::write(&docker, kept).expect("written");
    assert_eq!(place.puma(&["down", "--json"]).json()["outcome"], "stopped");
}

#[test]
fn a_mac_is_told_that_its_gpu_is_out_of_a_containers_reach() {
    let place = Place::serving(&plain());
    let mac = puma_testkit::machines::path("mac-m3-max-36gb").display().to_string();
    let up = place.up(&["--json", "--host", &mac]);
    assert!(up.stderr.contains("warning:") && up.stderr.contains("puma up --native"), "{}", up.stderr);
    let up = up.json();
    assert_eq!(up["profile"]["id"], "apple-silicon-m3-max");
    assert!(up["warnings"][0].as_str().is_some_and(|warning| warning.contains("GPU")));
    let linux = Place::serving(&plain()).up(&["--json"]);
    assert!(!linux.stderr.contains("warning:"), "{}", linux.stderr);
}
