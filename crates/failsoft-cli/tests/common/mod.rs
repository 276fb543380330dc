//! Runs the binary. Nothing here sleeps, and nothing asks the network.
#![allow(dead_code, reason = "each test uses a part")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run came to.
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `failsoft` with these arguments and nothing on standard input.
pub(crate) fn failsoft(arguments: &[&str]) -> Run {
    with_input(arguments, b"")
}

/// The same with something on standard input.
pub(crate) fn with_input(arguments: &[&str], input: &[u8]) -> Run {
    let mut child = Command::new(env!("CARGO_BIN_EXE_failsoft"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input); // It may not want to read it all.
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("written");
    Run {
        status: output.status.code().expect("it was not killed"),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

impl Run {
    /// Asserts success, and that nothing was said on standard error.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!((self.status, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// Asserts bad usage or unreadable input, and that nothing was said on standard output.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!((self.status, self.out.as_str()), (2, ""), "{}", self.err);
        self.err
    }

    /// The one JSON value printed.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.done()).expect("JSON")
    }
}

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("failsoft-cli-{}-{test}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A path inside it, as an argument.
    pub(crate) fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().expect("UTF-8").to_owned()
    }

    /// A file inside it, as an argument.
    pub(crate) fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file");
        path.to_str().expect("UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// One guard that fails open, and one that fails closed.
pub(crate) const SMALL: &str = r#"spec = 1
name = "small"
[parameter.ttl]
default = "60s"
[dependency.quota]
role = "guard"
deadline = "50ms"
on_failure = [{ allow = { emit = "quota.skipped" } }]
health = { consecutive_failure_threshold = 2, wait_duration_in_open_state = "5s", permitted_number_of_calls_in_half_open_state = 1 }
[dependency.policy]
role = "guard"
deadline = "50ms"
on_failure = [{ deny = { status = 403, code = "NO_POLICY" } }]
health = { consecutive_failure_threshold = 2, wait_duration_in_open_state = "5s", permitted_number_of_calls_in_half_open_state = 1 }
[operation.assist]
needs = ["policy", "quota"]
"#;
