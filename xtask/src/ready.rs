//! `cargo xtask ready`: what is too long for every change, and must hold before a release.

use crate::process::{cargo, root, run as run_process};
use crate::{bench, test};

pub(crate) fn run() -> Result<(), String> {
    test::run(None)?;
    licences()?;
    bench::run(false, None)
}

/// Licences, advisories and sources of every dependency. The tool is built here once, into `target/`.
fn licences() -> Result<(), String> {
    let tools = root().join("target/tools");
    let tool = tools.join("bin/cargo-deny");
    if !tool.exists() {
        let mut install = cargo(&["install", "--quiet", "--locked", "cargo-deny@0.20.2", "--root"]);
        run_process(install.arg(&tools))?;
    }
    // Advisories come from a repository of their own, so where that is out of reach the rest is checked.
    let mut deny = std::process::Command::new(&tool);
    run_process(deny.current_dir(root()).args(["--locked", "check", "bans", "licenses", "sources"]))
}
