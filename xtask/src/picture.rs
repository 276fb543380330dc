//! The page of `failsoft replay --html`, looked at in a browser.

use std::path::Path;
use std::process::Command;

use crate::process::{cargo, root, run as run_process};

/// Where Debian's packages put the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// The browser, where there is one.
pub(crate) fn browser() -> Option<String> {
    let named = std::env::var("CHROMIUM").unwrap_or_else(|_| CHROMIUM.to_owned());
    Path::new(&named).exists().then_some(named)
}

/// Fetches what it needs but for the browser, and looks.
pub(crate) fn run() -> Result<(), String> {
    let browser = browser().ok_or("there is no browser")?;
    let folder = root().join("tests/picture");
    run_process(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))?;
    run_process(&mut cargo(&["build", "--quiet", "--package", "failsoft-cli"]))?;
    let mut look = Command::new("node");
    look.arg("look.mjs").arg(root().join("target/debug/failsoft")).env("CHROMIUM", browser);
    run_process(look.current_dir(&folder))
}
