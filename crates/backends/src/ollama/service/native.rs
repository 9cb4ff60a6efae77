//! `up` for a server of this system: find it, or start it and wait.

use super::error::ServiceError;
use super::folder::{ServiceFolder, ServiceLock, tail};
use super::health::{Answer, Waited, probe, wait};
use super::process::{Fate, MARKER, fate, identify, signal_group};
use super::program::{SearchPath, find_program, how_to_install};
use super::record::{Mode, ServiceRecord, Stage, StartedProcess};
use super::stop::PATIENCE;
use super::{Step, Up};
use crate::endpoint::Endpoint;
use puma_core::canon::sha256_hex;
use puma_core::{Cancel, Timestamp};
use rustix::process::Signal;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Everything `up` must be told.
#[derive(Clone, Debug)]
pub struct NativeOptions {
    /// Where the server is or shall be.
    pub endpoint: Endpoint,
    /// `OLLAMA_HOST` of a server that has to be started: the address to listen on.
    pub listen: String,
    pub search: SearchPath,
    /// As [`std::env::consts::OS`]; decides which advice is given.
    pub os: String,
    /// How long a started server may take until it answers.
    pub healthy_within: Duration,
    pub now: Timestamp,
}

impl ServiceFolder {
    /// Makes sure that Ollama answers at the endpoint: takes the server that is there, whoever started it, or starts
    /// `ollama serve` in a process group of its own and waits until it answers. Cost: one request, or the start.
    ///
    /// # Errors
    /// Something else answers there; another server of PUMA's runs; `ollama` is not installed; the server ends or does
    /// not answer in time (its log's end is in the message, and it is stopped); a file cannot be written (nothing is
    /// left running); `cancel` was set (the same).
    pub fn up_native(
        &self,
        options: &NativeOptions,
        step: &mut dyn FnMut(Step),
        cancel: &Cancel,
    ) -> Result<Up, ServiceError> {
        let lock = self.lock(step, cancel)?;
        let known = self.settled(&lock, step)?;
        let own = known.as_ref().filter(|record| record.started_by_puma);
        if let Some(own) = own.filter(|own| own.mode != Mode::Native || !same_server(&own.endpoint, &options.endpoint))
        {
            return Err(conflict(own));
        }
        match (probe(&options.endpoint), own) {
            (Answer::Ollama(version), Some(own)) => {
                let record = confirmed(own);
                self.update(own, &record)?;
                Ok(Up { record, version, already_running: true })
            }
            (Answer::Ollama(version), None) => self.take_foreign(options, known.as_ref(), version),
            (Answer::Other(error), _) => Err(taken(&options.endpoint, &error.message)),
            (Answer::Nothing(_), Some(own)) => self.wait_for_own(own, options, step, cancel),
            (Answer::Nothing(error), None) => {
                require_startable(&options.endpoint, &error.message)?;
                self.start(options, &lock, step, cancel)
            }
        }
    }

    fn take_foreign(
        &self,
        options: &NativeOptions,
        known: Option<&ServiceRecord>,
        version: String,
    ) -> Result<Up, ServiceError> {
        let mut record = ServiceRecord::found(options.endpoint.to_string(), options.now);
        record.model = known.filter(|known| known.endpoint == record.endpoint).and_then(|known| known.model.clone());
        self.write(&record)?;
        Ok(Up { record, version, already_running: true })
    }

    /// A server that an earlier `up` started is there but does not answer yet.
    fn wait_for_own(
        &self,
        own: &ServiceRecord,
        options: &NativeOptions,
        step: &mut dyn FnMut(Step),
        cancel: &Cancel,
    ) -> Result<Up, ServiceError> {
        let process = own.process.as_ref().expect("a settled record of a started server names its process");
        step(Step::WaitingForHealth { endpoint: own.endpoint.clone() });
        let log = tail(&self.log_path());
        let pid = process.pid;
        match wait(&options.endpoint, options.healthy_within, cancel, &mut || fate(process) == Fate::Alive) {
            Waited::Healthy(version) => {
                let record = confirmed(own);
                self.update(own, &record)?;
                Ok(Up { record, version, already_running: true })
            }
            Waited::Died => {
                Err(ServiceError::failed(format!("PUMA's Ollama server (process {pid}) has just ended; {log}"))
                    .hint("type the same command again to start a new one"))
            }
            Waited::TimedOut(_) => {
                let seconds = options.healthy_within.as_secs_f64();
                let message =
                    format!("PUMA's Ollama server (process {pid}) runs but has not answered for {seconds} s; {log}");
                Err(ServiceError::failed(message).hint("`puma down` stops it; `--wait SECONDS` gives it longer"))
            }
            Waited::Cancelled => Err(ServiceError::cancelled(format!(
                "waiting for Ollama was interrupted; process {pid} goes on, and `puma down` stops it"
            ))),
        }
    }

    fn start(
        &self,
        options: &NativeOptions,
        _lock: &ServiceLock,
        step: &mut dyn FnMut(Step),
        cancel: &Cancel,
    ) -> Result<Up, ServiceError> {
        let endpoint = options.endpoint.to_string();
        let program = find_program("ollama", &options.search).ok_or_else(|| {
            ServiceError::failed(format!("no Ollama server answers at {endpoint}, and no program `ollama` was found"))
                .hint(how_to_install(&options.os))
        })?;
        let mut record = ServiceRecord::starting(Mode::Native, endpoint.clone(), program.clone(), options.now);
        let marker = new_marker(options.now);
        record.marker = Some(marker.clone());
        record.log = Some(self.log_path());
        let log = self.new_log()?;
        // Before the start: whoever finds this record without a process looks for the marker.
        self.write(&record)?;
        step(Step::Starting { program: program.display().to_string() });
        let mut command = Command::new(&program);
        command.arg("serve").env("OLLAMA_HOST", &options.listen).env(MARKER, &marker);
        // A group of its own: Ctrl-C in the terminal does not reach it. Not this folder: it may be unmounted one day.
        command.process_group(0).current_dir("/").stdin(Stdio::null());
        let spawned = log.try_clone().and_then(|copy| command.stdout(copy).stderr(log).spawn());
        let child = spawned.map_err(|error| {
            let failed = ServiceError::failed(format!("{} cannot be started: {error}", program.display()));
            self.clear().err().unwrap_or(failed)
        })?;
        let mut child = OwnChild::new(child);
        let outcome = self.bring_up(&mut child, record, options, step, cancel);
        match outcome {
            Ok(Some(up)) => {
                child.release();
                Ok(up)
            }
            Ok(None) => {
                child.stop();
                self.after_early_end(&child, options)
            }
            Err(error) => {
                child.stop();
                // The first error is the one to tell.
                let _ = self.clear();
                Err(error)
            }
        }
    }

    /// Writes down the process and waits for it. `None`: it ended.
    fn bring_up(
        &self,
        child: &mut OwnChild,
        mut record: ServiceRecord,
        options: &NativeOptions,
        step: &mut dyn FnMut(Step),
        cancel: &Cancel,
    ) -> Result<Option<Up>, ServiceError> {
        let Some(process) = child.process() else { return Ok(None) };
        // Which program it is, is only certain once it answers: a wrapper may replace itself.
        record.process = Some(StartedProcess { executable: None, ..process });
        self.write(&record)?;
        step(Step::WaitingForHealth { endpoint: record.endpoint.clone() });
        match wait(&options.endpoint, options.healthy_within, cancel, &mut || child.runs()) {
            Waited::Died => Ok(None),
            // Another server may have taken the port in the meantime and be the one that answers.
            Waited::Healthy(version) => match child.process() {
                None => Ok(None),
                Some(process) => {
                    let record = ServiceRecord { process: Some(process), stage: Stage::Running, ..record };
                    self.write(&record)?;
                    Ok(Some(Up { record, version, already_running: false }))
                }
            },
            Waited::TimedOut(answer) => {
                let seconds = options.healthy_within.as_secs_f64();
                let what = match answer {
                    Answer::Other(error) => format!("gave no right answer within {seconds} s ({})", error.message),
                    Answer::Nothing(_) | Answer::Ollama(_) => format!("did not answer within {seconds} s"),
                };
                let message =
                    format!("the Ollama server that PUMA started {what} and was stopped; {}", tail(&self.log_path()));
                Err(ServiceError::failed(message).hint("`--wait SECONDS` gives it longer"))
            }
            Waited::Cancelled => {
                Err(ServiceError::cancelled("starting Ollama was interrupted; the server was stopped again"))
            }
        }
    }

    /// The started server ended by itself: because another one was faster, or because it failed.
    fn after_early_end(&self, child: &OwnChild, options: &NativeOptions) -> Result<Up, ServiceError> {
        self.clear()?;
        if let Answer::Ollama(version) = probe(&options.endpoint) {
            return self.take_foreign(options, None, version);
        }
        let status = child.ended.map_or_else(String::new, |status| format!(" ({status})"));
        let log = tail(&self.log_path());
        Err(ServiceError::failed(format!("the Ollama server ended before it answered{status}; {log}"))
            .hint("its own words above tell why; `--endpoint 127.0.0.1:PORT` chooses another port"))
    }
}

/// The record of a server that answers now.
fn confirmed(own: &ServiceRecord) -> ServiceRecord {
    let mut record = ServiceRecord { stage: Stage::Running, ..own.clone() };
    if let Some(process) = &mut record.process {
        process.executable = identify(process.pid).and_then(|now| now.executable);
    }
    record
}

/// Whether two addresses mean the same server, as `localhost` and `127.0.0.1` do.
fn same_server(recorded: &str, endpoint: &Endpoint) -> bool {
    Endpoint::parse(recorded, endpoint.port()).is_ok_and(|recorded| {
        recorded == *endpoint
            || (recorded.is_loopback() && endpoint.is_loopback() && recorded.port() == endpoint.port())
    })
}

pub(super) fn conflict(own: &ServiceRecord) -> ServiceError {
    let what = match own.mode {
        Mode::Native => "an Ollama server that PUMA started",
        Mode::Docker => "an Ollama container that PUMA started",
    };
    ServiceError::failed(format!("{what} serves at {}", own.endpoint)).hint("use it, or stop it first: `puma down`")
}

pub(super) fn taken(endpoint: &Endpoint, said: &str) -> ServiceError {
    let port = if endpoint.port() == 11500 { 11501 } else { 11500 };
    ServiceError::failed(format!("the address {endpoint} is taken by something that is not Ollama: {said}"))
        .hint(format!("stop that program, or choose another port: `puma up --endpoint 127.0.0.1:{port}`"))
}

/// PUMA starts plain servers on this machine and nothing else.
pub(super) fn require_startable(endpoint: &Endpoint, why: &str) -> Result<(), ServiceError> {
    let advice = if !endpoint.is_loopback() {
        "PUMA starts servers on this machine only: start Ollama there, or name another address with `--endpoint` \
         (`puma down` forgets the one that an earlier `puma up` wrote down)"
    } else if !endpoint.is_plain() {
        "Ollama itself speaks plain http without a path: name it as 127.0.0.1:PORT"
    } else {
        return Ok(());
    };
    Err(ServiceError::failed(why).hint(advice))
}

/// A word that no other start has.
fn new_marker(now: Timestamp) -> String {
    let seed = format!("{} {} {:?}", now.0, std::process::id(), std::thread::current().id());
    sha256_hex(seed.as_bytes())[..16].to_owned()
}

/// A started process that is stopped again unless it is released.
struct OwnChild {
    child: Child,
    ended: Option<ExitStatus>,
    released: bool,
}

impl OwnChild {
    fn new(child: Child) -> Self {
        Self { child, ended: None, released: false }
    }

    fn runs(&mut self) -> bool {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().ok().flatten();
        }
        self.ended.is_none()
    }

    /// What tells it from others; `None` once it has ended.
    fn process(&mut self) -> Option<StartedProcess> {
        let pid = self.child.id();
        let identity = self.runs().then(|| identify(pid)).flatten()?;
        Some(StartedProcess { pid, started: identity.started, executable: identity.executable })
    }

    fn release(mut self) {
        self.released = true;
    }

    /// Asks the whole group to end, and insists after [`PATIENCE`].
    fn stop(&mut self) {
        let pid = self.child.id();
        let start = Instant::now();
        signal_group(pid, Signal::TERM);
        while self.runs() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(20));
        }
        // What is left of the group, helpers included.
        signal_group(pid, Signal::KILL);
        if self.ended.is_none() {
            self.ended = self.child.wait().ok();
        }
        self.released = true;
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        if !self.released {
            self.stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_loopback_mean_the_same_server_and_ports_do_not() {
        let endpoint = Endpoint::parse("localhost:11434", 1).expect("valid");
        assert!(same_server("http://127.0.0.1:11434", &endpoint));
        assert!(!same_server("http://127.0.0.1:11435", &endpoint));
        assert!(!same_server("http://example.org:11434", &endpoint));
    }

    #[test]
    fn only_plain_servers_on_this_machine_are_started() {
        let asked = |text: &str| require_startable(&Endpoint::parse(text, 11434).expect("valid"), "nothing answers");
        assert_eq!(asked("0.0.0.0"), Ok(()));
        for (text, word) in [("gpu-box", "this machine only"), ("https://localhost", "plain"), ("localhost/x", "plain")]
        {
            let error = asked(text).expect_err(text);
            assert!(error.hint.as_deref().is_some_and(|hint| hint.contains(word)), "{error:?}");
        }
    }
}
