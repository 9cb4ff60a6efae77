//! Where programs are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Where to look for programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPath {
    /// Folders in order.
    pub folders: Vec<PathBuf>,
    /// Files to take if no folder has the program.
    pub files: Vec<PathBuf>,
}

impl SearchPath {
    /// The folders of `PATH`, then the places where Ollama's installers and Homebrew put it. `os` as in
    /// [`std::env::consts::OS`]. Relative folders are left out: what they mean depends on where one stands.
    pub fn for_ollama(path: Option<&OsStr>, home: Option<&Path>, os: &str) -> Self {
        let mut search = Self::of_path(path);
        let app = "Applications/Ollama.app/Contents/Resources/ollama";
        match os {
            "macos" => {
                search.folders.extend(["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from));
                search.files.push(Path::new("/").join(app));
                search.files.extend(home.map(|home| home.join(app)));
            }
            _ => {
                search.folders.extend(["/usr/local/bin", "/usr/bin", "/snap/bin"].map(PathBuf::from));
                search.files.extend(home.map(|home| home.join(".local/bin/ollama")));
            }
        }
        search
    }

    /// The folders of `PATH`.
    pub fn of_path(path: Option<&OsStr>) -> Self {
        let folders = path.map(std::env::split_paths).into_iter().flatten();
        Self { folders: folders.filter(|folder| folder.is_absolute()).collect(), files: Vec::new() }
    }
}

/// The first executable file called `name`.
pub fn find_program(name: &str, search: &SearchPath) -> Option<PathBuf> {
    let in_folders = search.folders.iter().map(|folder| folder.join(name));
    in_folders.chain(search.files.iter().cloned()).find(|path| is_executable(path))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// How to get Ollama on this kind of system.
pub(super) fn how_to_install(os: &str) -> &'static str {
    match os {
        "macos" => {
            "install it with `brew install ollama`, or the app from ollama.com/download, and type the same command \
             again; `puma quickstart` needs no server"
        }
        "linux" => {
            "install it as ollama.com/download/linux tells, or use a container with `puma up --docker`; `puma \
             quickstart` needs no server"
        }
        _ => "install it from ollama.com/download; `puma quickstart` needs no server",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn executable(path: &Path) {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, "#!/bin/sh\n").expect("written");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("allowed");
    }

    #[test]
    fn the_path_wins_over_known_places_and_only_programs_count() {
        let folder = tempfile::tempdir().expect("a folder");
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::create_dir_all(first.join("ollama")).expect("a folder of that name is no program");
        executable(&second.join("ollama"));
        std::fs::write(folder.path().join("ollama"), "").expect("a file without permission");
        let path = std::env::join_paths([Path::new("relative"), &first, folder.path(), &second]).expect("joined");
        let search = SearchPath::of_path(Some(&path));
        assert_eq!(find_program("ollama", &search), Some(second.join("ollama")));
        assert_eq!(find_program("docker", &search), None);
    }

    #[test]
    fn a_mac_is_also_searched_where_the_app_and_homebrew_put_it() {
        let home = tempfile::tempdir().expect("a folder");
        let app = home.path().join("Applications/Ollama.app/Contents/Resources/ollama");
        executable(&app);
        let mut search = SearchPath::for_ollama(None, Some(home.path()), "macos");
        assert_eq!(search.folders, ["/opt/homebrew/bin", "/usr/local/bin"].map(PathBuf::from));
        assert_eq!(search.files[0], Path::new("/Applications/Ollama.app/Contents/Resources/ollama"));
        // This machine may have one of its own in a folder.
        search.folders.clear();
        search.files.remove(0);
        assert_eq!(find_program("ollama", &search), Some(app));
    }
}
