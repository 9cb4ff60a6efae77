//! The compose files, and which of them a Docker host needs.

use super::error::ServiceError;
use crate::sources::write_atomically;
use serde_json::Value;
use std::path::{Path, PathBuf};

const BASE: (&str, &str) = ("compose.yaml", include_str!("../../../../../compose.yaml"));
const GPU: (&str, &str) = ("compose.gpu.yaml", include_str!("../../../../../compose.gpu.yaml"));
const CDI: (&str, &str) = ("compose.cdi.yaml", include_str!("../../../../../compose.cdi.yaml"));

/// Compose's name for all that belongs together, as in `compose.yaml`.
pub(super) const PROJECT: &str = "puma";
/// Variable of `compose.yaml` that holds the port on this machine.
pub(super) const PORT: &str = "PUMA_OLLAMA_PORT";

/// How containers of this Docker reach NVIDIA GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuAccess {
    None,
    /// The NVIDIA container runtime.
    Runtime,
    /// CDI devices.
    Cdi,
}

/// Reads `docker info` (its JSON form). `cdi_files` lists the files of a CDI folder, for a Docker that does not list
/// the devices itself (before 28.2).
pub(super) fn gpu_access(info: &Value, cdi_files: impl Fn(&str) -> Vec<String>) -> GpuAccess {
    let texts = |key: &str| info.get(key).and_then(Value::as_array).into_iter().flatten();
    let is_nvidia =
        |device: &Value| device.get("ID").and_then(Value::as_str).is_some_and(|id| id.starts_with("nvidia.com/gpu="));
    let names_nvidia = |folder: &str| cdi_files(folder).iter().any(|text| text.contains("nvidia.com/gpu"));
    if info.pointer("/Runtimes/nvidia").is_some() {
        GpuAccess::Runtime
    } else if texts("DiscoveredDevices").any(is_nvidia)
        || texts("CDISpecDirs").filter_map(Value::as_str).any(names_nvidia)
    {
        GpuAccess::Cdi
    } else {
        GpuAccess::None
    }
}

/// Writes the files this access needs below `folder` and returns them in the order compose wants.
pub(super) fn write_files(folder: &Path, access: GpuAccess) -> Result<Vec<PathBuf>, ServiceError> {
    let files: &[(&str, &str)] = match access {
        GpuAccess::None => &[BASE],
        GpuAccess::Runtime => &[BASE, GPU],
        GpuAccess::Cdi => &[BASE, CDI],
    };
    let write = |(name, text): &(&str, &str)| {
        let path = folder.join(name);
        write_atomically(&path, text.as_bytes()).map_err(|error| ServiceError::io("write", &path, &error))?;
        Ok(path)
    };
    files.iter().map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn yaml((name, text): (&str, &str)) -> Value {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[test]
    fn the_base_works_without_a_gpu_and_serves_this_machine_only() {
        let base = yaml(BASE);
        assert_eq!(base["name"], PROJECT);
        let services = base["services"].as_object().expect("services");
        assert_eq!(services.keys().collect::<Vec<_>>(), ["ollama"]);
        let ollama = &services["ollama"];
        assert!(ollama.get("deploy").is_none() && ollama.get("devices").is_none() && ollama.get("runtime").is_none());
        let (name, tag) = ollama["image"].as_str().and_then(|image| image.split_once(':')).expect("a tag");
        assert_eq!(name, "ollama/ollama");
        assert!(tag.starts_with(|c: char| c.is_ascii_digit()), "{tag} is no fixed version");
        let ports: Vec<&str> = ollama["ports"].as_array().expect("ports").iter().filter_map(Value::as_str).collect();
        assert_eq!(ports, [format!("127.0.0.1:${{{PORT}:-11434}}:11434")]);
        assert_eq!(ollama["healthcheck"]["test"][0], "CMD");
        // Every named volume that is mounted is declared.
        for volume in ollama["volumes"].as_array().expect("volumes") {
            let source = volume.as_str().and_then(|volume| volume.split_once(':')).expect("source and target").0;
            assert!(base["volumes"].as_object().expect("volumes").contains_key(source), "{source}");
        }
    }

    #[test]
    fn an_overlay_adds_a_gpu_to_the_same_service_and_nothing_else() {
        let gpu = yaml(GPU);
        let reservation = json!([{"driver": "nvidia", "count": "all", "capabilities": ["gpu"]}]);
        assert_eq!(
            gpu,
            json!({"services": {"ollama": {"deploy": {"resources": {"reservations": {"devices": reservation}}}}}})
        );
        assert_eq!(yaml(CDI), json!({"services": {"ollama": {"devices": ["nvidia.com/gpu=all"]}}}));
    }

    #[test]
    fn the_overlay_is_chosen_by_what_docker_tells() {
        let no_files = |_: &str| Vec::new();
        let runtimes = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<Value>();
        let plain = json!({"Runtimes": runtimes(&["runc", "io.containerd.runc.v2"]), "CDISpecDirs": ["/etc/cdi"]});
        assert_eq!(gpu_access(&plain, no_files), GpuAccess::None);
        assert_eq!(gpu_access(&json!({"Runtimes": runtimes(&["runc", "nvidia"])}), no_files), GpuAccess::Runtime);
        let devices = json!({"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]});
        assert_eq!(gpu_access(&devices, no_files), GpuAccess::Cdi);
        let other = json!({"DiscoveredDevices": [{"Source": "cdi", "ID": "docker.com/gpu=webgpu"}]});
        assert_eq!(gpu_access(&other, no_files), GpuAccess::None);
        let spec = |folder: &str| if folder == "/etc/cdi" { vec!["kind: nvidia.com/gpu\n".to_owned()] } else { vec![] };
        assert_eq!(gpu_access(&plain, spec), GpuAccess::Cdi);
        assert_eq!(gpu_access(&Value::Null, spec), GpuAccess::None);
    }

    #[test]
    fn the_files_are_written_in_composes_order() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = |access| {
            let files = write_files(&folder.path().join("compose"), access).expect("written");
            assert!(files.iter().all(|file| file.is_file()));
            files
                .iter()
                .map(|file| file.file_name().expect("a name").to_string_lossy().into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(names(GpuAccess::None), ["compose.yaml"]);
        assert_eq!(names(GpuAccess::Runtime), ["compose.yaml", "compose.gpu.yaml"]);
        assert_eq!(names(GpuAccess::Cdi), ["compose.yaml", "compose.cdi.yaml"]);
    }
}
