//! LAW-3 of windows: nothing is let past unchecked that an open window does not count.

use std::collections::{BTreeMap, BTreeSet};

use failsoft::{Event, Posture, WindowAccount};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::naive::{Naive, Trouble};
use crate::play::{Case, Step, text};

/// Who was counted, as far as accounts show that they have grown.
#[derive(Default)]
struct Book {
    /// In the window that is open, by its dependency.
    counted: BTreeMap<String, BTreeSet<String>>,
    /// In whatever window it was at that time.
    ever: BTreeSet<(String, String)>,
    /// Guards that a request was let past unchecked, by its name.
    passed: BTreeMap<String, BTreeSet<String>>,
}

/// The accounts that a `windows` line told.
fn told(case: &Case, step: &Step) -> BTreeMap<String, WindowAccount> {
    let open = step.out.iter().find_map(|output| match &output.said {
        failsoft::trace::Said::Windows { open } => Some(open),
        _ => None,
    });
    let named = |(id, account): &(_, WindowAccount)| {
        (case.loaded.matrix.dependency_name(*id).to_owned(), account.clone())
    };
    open.into_iter().flatten().map(named).collect()
}

impl Book {
    /// Windows that open or close begin with nobody.
    fn hear(&mut self, case: &Case, step: &Step) {
        for output in &step.out {
            if let failsoft::trace::Said::Event { event, .. } = &output.said {
                let id = match event {
                    Event::WindowOpened(used) => used.dependency,
                    Event::WindowClosed { dependency, .. } => *dependency,
                    _ => continue,
                };
                self.counted.remove(case.loaded.matrix.dependency_name(id));
            }
        }
        if step.line.pointer("/restart/snapshot").is_some() {
            self.counted.clear();
        }
        if let Some(finish) = step.part("finish") {
            let name = text(finish, "request");
            self.passed.remove(name);
            for names in self.counted.values_mut() {
                names.remove(name);
            }
            self.ever.retain(|(_, request)| request != name);
        }
    }

    /// Whether a dependency's account holds the request, seen from how it grew.
    fn holds(
        &mut self,
        of: &str,
        request: &str,
        before: Option<&WindowAccount>,
        after: Option<&WindowAccount>,
    ) -> bool {
        let names = self.counted.entry(of.to_owned()).or_default();
        let new = names.insert(request.to_owned());
        self.ever.insert((of.to_owned(), request.to_owned()));
        let requests = |account: &WindowAccount| account.total.requests;
        after.map(requests) == Some(before.map_or(0, requests) + u64::from(new))
    }
}

#[test]
fn nothing_is_fail_open_without_an_open_window_that_counts_it() {
    let (mut looked, mut remembered) = (0, 0);
    for seed in 300_000..304_000 {
        let case = Case::changed(seed, |document, rng| {
            // Where a window may close as soon as it was used no question sees it.
            if document.get("window_idle").is_some_and(|idle| idle == "0ms") {
                document["window_idle"] = json!("1ms");
            }
            // More that is let past.
            let dependencies = document["dependency"].as_object_mut().expect("an object");
            for dependency in dependencies.values_mut().filter(|_| rng.bool()) {
                dependency["on_failure"] = json!([{ "allow": true }]);
            }
        });
        let mut rng = Rng::with_seed(seed);
        let mut lines = Vec::new();
        for mut line in case.lines.clone() {
            if let Some(at) = line.get("at_ms").cloned().filter(|_| line.get("decide").is_some()) {
                // The question before is at the moment of the commit.
                lines.push(json!({ "at_ms": at, "windows": {} }));
                line.as_object_mut().expect("an object").shift_remove("at_ms");
            } else if line.get("decide").is_some() {
                lines.push(json!({ "windows": {} }));
            }
            let asks = line.get("decide").is_some() || rng.u8(0..9) == 0;
            lines.push(line);
            if asks {
                lines.push(json!({ "windows": {} }));
            }
        }
        let steps = case.play_lines(&lines);
        let (mut naive, mut book) = (Naive::new(&case), Book::default());
        for (number, step) in steps.iter().enumerate() {
            let told_all = || format!("{}\n{}", step.line, case.told(&lines));
            let seen = match naive.line(step) {
                Ok(seen) => seen,
                Err(Trouble::Unclear) => break,
                Err(Trouble::Wrong(why)) => panic!("{why}\n{}", case.told(&lines)),
            };
            book.hear(&case, step);
            let (Some(seen), Some(decision)) = (seen, step.decision()) else { continue };
            let name = step.line.pointer("/decide/request").and_then(Value::as_str);
            let name = name.map_or(format!("nameless {number}"), str::to_owned);
            let (before, after) = (told(&case, &steps[number - 1]), told(&case, &steps[number + 1]));
            if decision.posture == Posture::FailOpen {
                assert!(decision.verdict.goes_on(), "{}", told_all());
                let earlier = book.passed.get(&name).cloned().unwrap_or_default();
                let now = seen.failed.iter().filter(|failed| failed.posture == Posture::FailOpen);
                assert!(now.count() + earlier.len() > 0, "nobody knows why: {}", told_all());
                for guard in &earlier {
                    let counted = book.ever.contains(&(guard.clone(), name.clone()));
                    assert!(counted, "{guard} was passed, and none counts it: {}", told_all());
                }
                remembered += earlier.len();
            }
            for failed in &seen.failed {
                if !(seen.shadow || (decision.verdict.goes_on() && failed.goes_on)) {
                    continue;
                }
                let need = &failed.need;
                let counts = book.holds(need, &name, before.get(need), after.get(need));
                assert!(counts, "{need} is passed, and no window counts it: {}", told_all());
                looked += usize::from(failed.posture == Posture::FailOpen);
                let guard = case.dependency(need).role == failsoft::Role::Guard;
                if guard && failed.posture == Posture::FailOpen {
                    book.passed.entry(name.clone()).or_default().insert(need.clone());
                }
            }
        }
    }
    assert!(looked > 6_500 && remembered > 500, "{looked} now, {remembered} from an earlier commit");
}
