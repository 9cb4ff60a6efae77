//! A real OCI registry server on a folder of its own, and pushing a model to it in Ollama's layout.

use puma_backends::sources::ModelDigest;
use puma_testkit::expected::is_expected;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running registry. It ends with this value.
pub struct Registry {
    pub port: u16,
    folder: tempfile::TempDir,
    server: Child,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The registry's program, if this machine has one.
fn binary() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("PUMA_REGISTRY_BINARY") {
        return Some(PathBuf::from(path));
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let candidates = ["docker-registry", "registry"].into_iter();
    candidates.flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

impl Registry {
    /// Starts one, or says that it did not: then the test cannot run. Where `PUMA_EXPECT_SERVERS` names `docker-registry` that is a failure.
    pub fn start() -> Option<Self> {
        let Some(binary) = binary() else {
            assert!(
                !is_expected("docker-registry"),
                "PUMA_EXPECT_SERVERS expects docker-registry, but neither it nor registry is in PATH"
            );
            eprintln!("DID NOT RUN: no docker-registry in PATH (Debian package docker-registry)");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = serve(&binary, folder.path(), port);
        Some(Self { port, folder, server })
    }

    /// Kills the server and starts it again on the same port and folder.
    pub fn restart(&mut self) {
        self.stop();
        self.server = serve(&binary().unwrap(), self.folder.path(), self.port);
    }

    /// Kills the server, as a power cut would.
    pub fn stop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Pushes `bytes` as a blob of `repository`; gives its digest.
    pub fn push_blob(&self, repository: &str, bytes: &[u8]) -> ModelDigest {
        let base = format!("http://127.0.0.1:{}", self.port);
        let digest = ModelDigest::of_bytes(bytes);
        let begun = ureq::post(format!("{base}/v2/{repository}/blobs/uploads/")).send_empty().unwrap();
        let location = begun.headers()["location"].to_str().unwrap().to_owned();
        let upload = if location.starts_with('/') { format!("{base}{location}") } else { location };
        let joint = if upload.contains('?') { '&' } else { '?' };
        let done = ureq::put(format!("{upload}{joint}digest={digest}"))
            .header("content-type", "application/octet-stream")
            .send(bytes)
            .unwrap();
        assert_eq!(done.status(), 201);
        digest
    }

    /// Pushes a model as `ollama push` does; gives the manifest's digest.
    pub fn push_model(&self, repository: &str, tag: &str, weights: &[u8]) -> ModelDigest {
        let layer = |media_type: &str, bytes: &[u8]| {
            let digest = self.push_blob(repository, bytes);
            serde_json::json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
        };
        let config = br#"{"model_format":"gguf","model_family":"llama","model_type":"134.52M","file_type":"Q4_1"}"#;
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": layer("application/vnd.docker.container.image.v1+json", config),
            "layers": [
                layer("application/vnd.ollama.image.model", weights),
                layer("application/vnd.ollama.image.template", b"{{ .System }} {{ .Prompt }}"),
                layer("application/vnd.ollama.image.params", br#"{"stop":["<|im_end|>"]}"#),
            ],
        })
        .to_string();
        let url = format!("http://127.0.0.1:{}/v2/{repository}/manifests/{tag}", self.port);
        let answer = ureq::put(url)
            .header("content-type", "application/vnd.docker.distribution.manifest.v2+json")
            .send(manifest.as_bytes())
            .unwrap();
        assert_eq!(answer.status(), 201);
        ModelDigest::of_bytes(manifest.as_bytes())
    }

    /// The file in which the registry keeps a blob.
    pub fn blob_file(&self, digest: &ModelDigest) -> PathBuf {
        let hex = digest.hex();
        let blobs = self.folder.path().join("data/docker/registry/v2/blobs/sha256");
        blobs.join(&hex[..2]).join(hex).join("data")
    }
}

fn serve(binary: &Path, folder: &Path, port: u16) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/servers/docker-registry.sh");
    let server = Command::new("sh")
        .arg(script)
        .arg(folder)
        .arg(port.to_string())
        .env("PUMA_REGISTRY_BINARY", binary)
        .env("OTEL_TRACES_EXPORTER", "none")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < Duration::from_secs(20), "the registry did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}
