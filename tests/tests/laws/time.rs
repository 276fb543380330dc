//! LAW-14.

use failsoft::SlidingWindowType;
use failsoft_model::generate::Case;
use serde_json::{Value, json};

use crate::world::{World, holds_where, text};

/// The end of time.
const LONGEST: i64 = (1 << 53) - 1;

/// Every line at a random time, and at the end one that tells what is left to tell.
fn lying_clock(case: &mut failsoft_model::generate::Case, rng: &mut fastrand::Rng) {
    for line in &mut case.lines {
        let at = match rng.u8(0..20) {
            0 => 9_007_199_254_740_991 - rng.i64(0..2),
            1 => -9_007_199_254_740_991,
            _ => rng.i64(-2_000..2_000),
        };
        line["at_ms"] = json!(at);
    }
    case.lines.push(json!({ "instances": { "count": 1 } }));
}

#[test]
fn law_14_time_may_lie_and_each_step_back_is_told_once() {
    holds_where(3_000, 30_000, lying_clock, |world| {
        let (mut stepped, mut told) = (Vec::new(), Vec::new());
        let mut last: Option<i64> = None;
        let mut looked = 0;
        for step in world.play() {
            let at = step.line.get("at_ms").and_then(Value::as_i64);
            if let Some((at, kept)) = at.zip(last).filter(|(at, kept)| at < kept) {
                stepped.push((at, kept));
            }
            last = Some(step.at);
            for printed in &step.printed {
                looked += 1;
                if printed["at_ms"] != step.at {
                    return Err(format!("{} is not at {}: {}", printed, step.at, step.line));
                }
            }
            let backs = step.events().filter(|event| text(event, "kind") == "clock.stepped_back");
            told.extend(backs.filter_map(|event| event["told_ms"].as_i64().zip(event["kept_ms"].as_i64())));
        }
        if stepped != told {
            return Err(format!("the clock stepped back {stepped:?}, and {told:?} is told"));
        }
        Ok(looked)
    });
}

/// Nothing rests on wall time: a trace at another time of day prints the same at another time of day.
#[test]
fn law_14_nothing_rests_on_wall_time() {
    fn shifted(world: &World, by: i64) -> Vec<Value> {
        // An engine's time begins at its first line where that is before 0: here it always is.
        let mut lines = vec![json!({ "at_ms": -1_000, "finish": { "request": "nobody's" } })];
        lines.extend(world.lines.iter().cloned());
        for line in &mut lines {
            if let Some(at) = line.get("at_ms").and_then(Value::as_i64) {
                line["at_ms"] = json!(at - by);
            }
        }
        let steps = world.play_lines(&lines);
        let mut printed: Vec<Value> = steps.into_iter().flat_map(|step| step.printed).collect();
        printed.iter_mut().for_each(|line| unshift(line, by));
        printed
    }
    fn unshift(value: &mut Value, by: i64) {
        match value {
            Value::Object(table) => {
                for (key, value) in table {
                    match (key.as_str(), value.as_i64()) {
                        ("at_ms" | "since_ms" | "told_ms" | "kept_ms", Some(at)) => *value = json!(at + by),
                        _ => unshift(value, by),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|value| unshift(value, by)),
            _ => {}
        }
    }
    /// The shortest time in which every window has whole buckets: these begin at multiples of their length on the
    /// engine's clock ([HLT-55]).
    fn whole_buckets(world: &World) -> i64 {
        let windows = world.loaded.draft.dependencies.iter().map(|dependency| &dependency.health);
        let timed = windows.filter(|health| health.sliding_window_type == SlidingWindowType::TimeBased);
        let lengths = timed.map(|health| {
            let length = health.sliding_window_duration.get() / u64::from(health.sliding_window_buckets);
            i64::try_from(length).expect("a short bucket")
        });
        lengths.fold(1, |whole, length| {
            (1..).map(|times| times * whole).find(|all| all % length == 0).expect("one")
        })
    }
    fn shorter(value: &Value) -> Value {
        let text = value.to_string().replace(&LONGEST.to_string(), &(LONGEST / 4).to_string());
        serde_json::from_str(&text).expect("still JSON")
    }
    /// Nothing reaches the end of time: what is beyond 2^53 - 1 is cut to it, and how much that is says where time began.
    fn far_from_the_end(case: &mut Case, _: &mut fastrand::Rng) {
        let near = |line: &&Value| line["at_ms"].as_i64().is_none_or(|at| at < LONGEST / 4 * 3);
        case.lines.truncate(case.lines.iter().take_while(near).count());
        case.document = shorter(&case.document);
        case.lines = case.lines.iter().map(shorter).collect();
    }
    holds_where(2_000, 20_000, far_from_the_end, |world| {
        let whole = whole_buckets(world);
        let [one, other] = [1_000_000, 86_400_000_123].map(|by| shifted(world, by - by % whole));
        let differing = one.iter().zip(&other).find(|(one, other)| one != other);
        if let Some((one, other)) = differing {
            return Err(format!("the hour matters:\n{one}\n{other}"));
        }
        Ok(one.len())
    });
}
