//! The file that a page goes to: whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::matrix::shown;
use crate::trouble::{Trouble, plain};

/// Where a page is to go. Known to be writable before a long trace is played.
#[derive(Debug)]
pub(crate) struct Target {
    path: PathBuf,
    /// A new file beside it that takes its name in the end; none where it is a device or a pipe.
    beside: Option<PathBuf>,
    file: File,
}

impl Target {
    /// Opens it; `inputs` are the files that are read, none of which it may be.
    pub(crate) fn open(path: &Path, inputs: &[&str]) -> Result<Self, Trouble> {
        let told = shown(&path.to_string_lossy());
        let trouble = |error: io::Error| {
            let trouble = Trouble::at(told.clone(), format!("the page can't be written: {}", plain(&error)));
            match error.kind() {
                io::ErrorKind::NotFound => trouble.help("give a file in a folder that is there"),
                io::ErrorKind::IsADirectory => trouble.help("give a file inside it"),
                _ => trouble,
            }
        };
        if path.as_os_str() == "-" {
            let what = "a page is a file of its own, as standard output has the replay";
            return Err(Trouble::at("--html -", what).help("give a file, such as `--html replay.html`"));
        }
        if let Ok(real) = fs::canonicalize(path)
            && inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == real))
        {
            let what = "the page would be written over what is read";
            return Err(Trouble::at(told, what).help("give the page a name of its own"));
        }
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => return Err(trouble(io::ErrorKind::IsADirectory.into())),
            Ok(about) if !about.is_file() => {
                let file = OpenOptions::new().write(true).open(path).map_err(trouble)?;
                return Ok(Self { path: path.into(), beside: None, file });
            }
            _ => {}
        }
        // A link stays one, and what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        let mut beside = path.clone().into_os_string();
        beside.push(format!(".{}.part", std::process::id()));
        let beside = PathBuf::from(beside);
        let file = OpenOptions::new().write(true).create_new(true).open(&beside).map_err(trouble)?;
        Ok(Self { path, beside: Some(beside), file })
    }

    /// Writes the page.
    pub(crate) fn write(mut self, page: &str) -> Result<(), Trouble> {
        let written = self.file.write_all(page.as_bytes()).and_then(|()| self.file.flush());
        let written = written.and_then(|()| match &self.beside {
            Some(beside) => fs::rename(beside, &self.path),
            None => Ok(()),
        });
        match written {
            Ok(()) => {
                self.beside = None;
                Ok(())
            }
            Err(error) => {
                let what = format!("the page can't be written: {}", plain(&error));
                Err(Trouble::at(shown(&self.path.to_string_lossy()), what))
            }
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            // Nobody misses what was not finished.
            let _ = fs::remove_file(beside);
        }
    }
}
