//! `up` and `down` for a container: `docker compose` with the files of [`super::compose`].

use super::compose::{self, GpuAccess, PORT, PROJECT};
use super::error::ServiceError;
use super::folder::ServiceFolder;
use super::health::{Answer, Waited, probe, wait};
use super::native::{conflict, require_startable, taken};
use super::program::{SearchPath, find_program};
use super::record::{Mode, ServiceRecord, Stage};
use super::stop::StopOutcome;
use super::{Step, Up};
use crate::endpoint::Endpoint;
use puma_core::{Cancel, Timestamp};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long docker may take to answer a question.
const INQUIRY: Duration = Duration::from_secs(30);
/// How long `compose down` may take; containers get ten seconds to end.
const DOWN: Duration = Duration::from_secs(120);
/// Longest quotation of docker's own words, in characters.
const MAX_QUOTE_CHARS: usize = 600;

/// Everything `up` in a container must be told.
#[derive(Clone, Debug)]
pub struct DockerOptions {
    /// Loopback, with the port that the container is to have on this machine.
    pub endpoint: Endpoint,
    pub search: SearchPath,
    /// How long a started container may take until it answers, the download of its image not counted.
    pub healthy_within: Duration,
    /// Whether docker's own progress goes to standard error.
    pub show_output: bool,
    pub now: Timestamp,
}

impl ServiceFolder {
    /// Makes sure that PUMA's Ollama container answers at the endpoint. Cost: a few calls of docker; the first time the
    /// download of an image of several GB.
    ///
    /// # Errors
    /// Docker or its compose plugin is missing or does not run; something else answers at the endpoint; a server of
    /// PUMA's runs outside docker; compose fails, the container does not answer in time, or `cancel` was set (the
    /// container is removed again); a file cannot be written.
    pub fn up_docker(
        &self,
        options: &DockerOptions,
        step: &mut dyn FnMut(Step),
        cancel: &Cancel,
    ) -> Result<Up, ServiceError> {
        let lock = self.lock(step, cancel)?;
        let own = self.settled(&lock, step)?.filter(|record| record.started_by_puma);
        let endpoint = options.endpoint.to_string();
        if let Some(own) = own.as_ref().filter(|own| own.mode != Mode::Docker || own.endpoint != endpoint) {
            return Err(conflict(own));
        }
        require_startable(&options.endpoint, &format!("no container can serve at {endpoint}"))?;
        match (probe(&options.endpoint), own) {
            (Answer::Ollama(version), Some(own)) => {
                let record = ServiceRecord { stage: Stage::Running, ..own.clone() };
                self.update(&own, &record)?;
                return Ok(Up { record, version, already_running: true });
            }
            (Answer::Ollama(version), None) => {
                return Err(ServiceError::failed(format!(
                    "Ollama {version} already answers at {endpoint}, outside PUMA's container"
                ))
                .hint("use it with `puma up`, or choose another port: `puma up --docker --endpoint 127.0.0.1:11500`"));
            }
            (Answer::Other(error), None) => return Err(taken(&options.endpoint, &error.message)),
            (Answer::Other(_), Some(_)) | (Answer::Nothing(_), _) => {}
        }
        let docker = Docker::find(&options.search, cancel)?;
        let files = compose::write_files(&self.compose_folder(), docker.gpu_access())?;
        let mut record = ServiceRecord::starting(Mode::Docker, endpoint, docker.program.clone(), options.now);
        record.compose_files = files;
        self.write(&record)?;
        step(Step::Starting { program: format!("{} compose", docker.program.display()) });
        let outcome = docker.bring_up(&record, options, step, cancel);
        if outcome.is_err() {
            // Nothing half-started stays; the first error is the one to tell, and the record stays if this fails too.
            if docker.compose(&record, &["down"], Show::Nothing, Some(DOWN), &Cancel::default()).is_ok() {
                let _ = self.clear();
            }
        }
        let version = outcome?;
        let record = ServiceRecord { stage: Stage::Running, ..record };
        self.write(&record)?;
        Ok(Up { record, version, already_running: false })
    }
}

/// Removes the recorded container; the volume with the models stays.
pub(super) fn compose_down(
    record: &ServiceRecord,
    search: &SearchPath,
    cancel: &Cancel,
) -> Result<StopOutcome, ServiceError> {
    let program = record.program.clone().filter(|program| program.is_file());
    let Some(program) = program.or_else(|| find_program("docker", search)) else {
        return Err(ServiceError::failed(
            "PUMA started its Ollama container with docker, but no program `docker` was found",
        )
        .hint("put docker on the PATH and type `puma down` again"));
    };
    let docker = Docker { program, info: Value::Null };
    docker.compose(record, &["down"], Show::Nothing, Some(DOWN), cancel)?;
    Ok(StopOutcome::Stopped)
}

/// A docker that answers.
struct Docker {
    program: PathBuf,
    /// What `docker info` tells.
    info: Value,
}

/// What becomes of docker's standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Show {
    Nothing,
    /// Goes to standard error as it comes, so that a long download can be watched.
    Progress,
}

impl Docker {
    fn find(search: &SearchPath, cancel: &Cancel) -> Result<Self, ServiceError> {
        let program = find_program("docker", search).ok_or_else(|| {
            ServiceError::failed("no program `docker` was found")
                .hint("install Docker with its compose plugin, or use Ollama without it: `puma up --native`")
        })?;
        let mut docker = Self { program, info: Value::Null };
        let told = docker.run(&["info", "--format", "{{json .}}"], Show::Nothing, Some(INQUIRY), cancel);
        let unreachable = |why: &str| {
            ServiceError::failed(format!("docker does not run: {why}"))
                .hint("start Docker (its service, or the app), or use Ollama without it: `puma up --native`")
        };
        let text = told.map_err(|error| match error.kind {
            super::ServiceErrorKind::Cancelled => error,
            _ => unreachable(&error.message),
        })?;
        docker.info = serde_json::from_str(text.trim()).map_err(|_| unreachable(&quoted(&text)))?;
        // Some versions print what they know and end well although their daemon is not there.
        let problems = docker.info.get("ServerErrors").and_then(Value::as_array);
        if let Some(problem) = problems.and_then(|problems| problems.first()).and_then(Value::as_str) {
            return Err(unreachable(problem));
        }
        docker.run(&["compose", "version"], Show::Nothing, Some(INQUIRY), cancel).map_err(|error| {
            match error.kind {
                super::ServiceErrorKind::Cancelled => error,
                _ => ServiceError::failed(format!("docker has no compose plugin: {}", error.message))
                    .hint("install it (docker-compose-plugin, docker-compose-v2), or use `puma up --native`"),
            }
        })?;
        Ok(docker)
    }

    fn gpu_access(&self) -> GpuAccess {
        let texts = |folder: &str| {
            let entries = std::fs::read_dir(Path::new(folder)).into_iter().flatten().flatten();
            entries.filter_map(|entry| std::fs::read_to_string(entry.path()).ok()).collect()
        };
        compose::gpu_access(&self.info, texts)
    }

    fn bring_up(
        &self,
        record: &ServiceRecord,
        options: &DockerOptions,
        step: &mut dyn FnMut(Step),
        cancel: &Cancel,
    ) -> Result<String, ServiceError> {
        let show = if options.show_output { Show::Progress } else { Show::Nothing };
        self.compose(record, &["up", "--detach"], show, None, cancel)?;
        step(Step::WaitingForHealth { endpoint: record.endpoint.clone() });
        match wait(&options.endpoint, options.healthy_within, cancel, &mut || true) {
            Waited::Healthy(version) => Ok(version),
            Waited::Cancelled => {
                Err(ServiceError::cancelled("starting the container was interrupted; it was removed again"))
            }
            Waited::Died | Waited::TimedOut(_) => {
                let seconds = options.healthy_within.as_secs_f64();
                let logs = ["logs", "--tail", "12", "--no-color"];
                let logs = self.compose(record, &logs, Show::Nothing, Some(INQUIRY), &Cancel::default());
                let logs = logs.map_or_else(|error| error.message, |text| quoted(&text));
                let message = format!(
                    "the Ollama container did not answer within {seconds} s and was removed; its log ends: {logs}"
                );
                Err(ServiceError::failed(message).hint("`--wait SECONDS` gives it longer"))
            }
        }
    }

    fn compose(
        &self,
        record: &ServiceRecord,
        words: &[&str],
        show: Show,
        limit: Option<Duration>,
        cancel: &Cancel,
    ) -> Result<String, ServiceError> {
        let files: Vec<String> = record.compose_files.iter().map(|file| file.display().to_string()).collect();
        let mut arguments = vec!["compose", "--project-name", PROJECT];
        arguments.extend(files.iter().flat_map(|file| ["--file", file]));
        arguments.extend(words);
        let port = Endpoint::parse(&record.endpoint, 0)?.port().to_string();
        self.run_with(&arguments, Some(&port), show, limit, cancel)
    }

    fn run(
        &self,
        arguments: &[&str],
        show: Show,
        limit: Option<Duration>,
        cancel: &Cancel,
    ) -> Result<String, ServiceError> {
        self.run_with(arguments, None, show, limit, cancel)
    }

    /// Runs docker and returns its standard output; kills it when `limit` is over or `cancel` is set.
    fn run_with(
        &self,
        arguments: &[&str],
        port: Option<&str>,
        show: Show,
        limit: Option<Duration>,
        cancel: &Cancel,
    ) -> Result<String, ServiceError> {
        let name = || format!("`docker {}`", arguments.join(" "));
        let mut command = Command::new(&self.program);
        command.args(arguments).envs(port.map(|port| (PORT, port))).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(if show == Show::Progress { Stdio::inherit() } else { Stdio::piped() });
        let mut child = command
            .spawn()
            .map_err(|error| ServiceError::failed(format!("{} cannot be started: {error}", self.program.display())))?;
        let (out, err) = (collect(child.stdout.take()), collect(child.stderr.take()));
        let start = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if cancel.is_cancelled() || limit.is_some_and(|limit| start.elapsed() >= limit) => {
                    let _ = child.kill();
                    let _ = child.wait();
                    return Err(if cancel.is_cancelled() {
                        ServiceError::cancelled(format!("{} was interrupted", name()))
                    } else {
                        ServiceError::failed(format!("{} did not end within {:?}", name(), limit.unwrap_or_default()))
                    });
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(error) => return Err(ServiceError::failed(format!("{} cannot be watched: {error}", name()))),
            }
        };
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        if status.success() {
            return Ok(out);
        }
        let said = match show {
            Show::Progress => "its words stand above".to_owned(),
            Show::Nothing => quoted(if err.trim().is_empty() { &out } else { &err }),
        };
        Err(ServiceError::failed(format!("{} failed ({status}): {said}", name())))
    }
}

/// Reads a stream to its end on a thread of its own, so that a full pipe cannot stop the program.
fn collect(stream: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before a failure is still worth quoting.
            let _ = stream.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The end of what a program said, on one line.
fn quoted(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line: Vec<char> = words.join(" ").chars().collect();
    line[line.len().saturating_sub(MAX_QUOTE_CHARS)..].iter().collect()
}
