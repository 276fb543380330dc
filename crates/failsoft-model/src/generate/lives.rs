//! Periods and the lives of readings (MET-2, MET-41), which end apart or at once; several owed periods (MET-40); and
//! amounts that find no room at first (MET-12).

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::scenes::Line;
use super::{Flavour, Plan, PlannedMeter, PlannedOperation, chance, maybe, pick};

/// In so many traces of a hundred such a scene stands.
pub(super) fn often(plan: &Plan) -> u32 {
    match plan.flavour {
        Flavour::Plain => 10,
        Flavour::Crowded => 40,
        Flavour::Metered => 75,
        Flavour::Focused => 85,
        Flavour::Windowed => 12,
    }
}

/// A scene of one meter; each of its lines may be missing. Nothing without meters.
pub(super) fn scene(rng: &mut Rng, plan: &Plan) -> Vec<Line> {
    let mut meters: Vec<&PlannedMeter> = plan.meters.iter().collect();
    if chance(rng, 80) {
        meters.sort_by_key(|meter| meter.window.is_none());
    }
    let kind = rng.u32(0..7);
    if kind > 3 {
        meters.sort_by_key(|meter| (meter.capacity.unwrap_or(1_000), meter.window.is_none()));
    }
    let Some(meter) = meters.first() else { return Vec::new() };
    let needs = |operation: &&PlannedOperation| operation.needs.contains(&meter.store);
    let operation = plan.operations.iter().find(needs);
    let scene = Scene { meter, operation, window: meter.window.unwrap_or(100) };
    let mut lines = match kind {
        0 | 1 => scene.apart(rng),
        2 | 3 => scene.owed(rng),
        _ => scene.no_room(rng),
    };
    lines.retain(|_| chance(rng, 95));
    lines
}

/// What a scene is about.
struct Scene<'a> {
    meter: &'a PlannedMeter,
    /// One that needs the store.
    operation: Option<&'a PlannedOperation>,
    window: i64,
}

impl Scene<'_> {
    /// Readings before and after the first amount, of any age up to the window and beyond; what they still do is asked
    /// around each end.
    fn apart(&self, rng: &mut Rng) -> Vec<Line> {
        let mut lines = Vec::new();
        for _ in 0..rng.usize(4..=10) {
            let step = self.step(rng);
            match rng.u32(0..10) {
                0..=2 => lines.push((step, "reading", self.reading(rng))),
                3 | 4 => lines.push((step, "usage", self.usage(rng, "t1"))),
                5 | 6 => lines.extend(self.decide(rng, step, "t1", false)),
                7 => lines.push((step, "finish", self.finish(rng))),
                _ => lines.extend(self.decide(rng, step, "t1", true)),
            }
            if chance(rng, 45) {
                lines.extend(self.decide(rng, 0, "t1", true));
            }
            if chance(rng, 5) {
                lines.push((0, "restart", self.restart(rng)));
            }
        }
        lines
    }

    /// The store is lost for several windows, and comes back.
    fn owed(&self, rng: &mut Rng) -> Vec<Line> {
        let mut lines = vec![(0, "override", self.operator("forced_open"))];
        for _ in 0..rng.usize(3..=8) {
            let step = self.step(rng);
            let tenant = pick(rng, &["t1", "t1", "t2", "t3"]);
            match rng.u32(0..10) {
                0..=3 => lines.push((step, "usage", self.usage(rng, tenant))),
                4..=6 => lines.extend(self.decide(rng, step, tenant, false)),
                7 => lines.push((step, "reading", self.reading(rng))),
                8 => lines.push((step, "finish", self.finish(rng))),
                _ => lines.push((step, "restart", self.restart(rng))),
            }
        }
        lines.push((self.step(rng), "override", self.operator(pick(rng, &["closed", "reset"]))));
        lines.push((self.step(rng), "usage", self.usage(rng, "t1")));
        lines
    }

    /// Others fill the table, and a request commits until it finds room: they end, or are read to have used nothing.
    fn no_room(&self, rng: &mut Rng) -> Vec<Line> {
        let mut lines = Vec::new();
        let many = self.meter.capacity.unwrap_or(2).min(20);
        for other in 0..many {
            lines.push((0, "usage", self.usage(rng, &format!("o{other}"))));
        }
        for _ in 0..rng.usize(2..=6) {
            let step = self.step(rng);
            // Another tenant told later changes nothing of what was taken.
            let tenant = pick(rng, &["t1", "t1", "t1", "t2"]);
            if let Some(mut line) = self.decide(rng, step, tenant, false) {
                line.2["request"] = json!("life");
                lines.push(line);
            }
            match rng.u32(0..10) {
                0..=2 => {
                    let mut nothing = self.reading(rng);
                    nothing["tenant"] = json!(format!("o{}", rng.u32(0..many.max(1))));
                    nothing["used"] = json!(0);
                    nothing["age_ms"] = json!(0);
                    lines.push((1, "reading", nothing));
                }
                3 => lines.push((step, "usage", self.usage(rng, "o0"))),
                4 => lines.push((0, "override", self.operator(pick(rng, &["open", "closed"])))),
                5 | 6 => lines.extend(self.decide(rng, 0, "t1", true)),
                _ => {}
            }
        }
        lines.push((self.step(rng), "finish", self.finish(rng)));
        lines.extend(self.decide(rng, 0, "t1", true));
        lines
    }

    /// A step of time that meets the ends of windows.
    fn step(&self, rng: &mut Rng) -> i64 {
        let half = self.window / 2;
        pick(rng, &[0, 0, 1, 1, 10, half, half, half - 1, self.window - 1, self.window, self.window + 1])
    }

    /// A reading: its age up to the window and beyond.
    fn reading(&self, rng: &mut Rng) -> Value {
        let (half, window) = (self.window / 2, self.window);
        let mut map = Map::new();
        map.insert("meter".to_owned(), json!(self.meter.name));
        map.insert("tenant".to_owned(), json!("t1"));
        let limit = self.meter.limit.unwrap_or(4);
        map.insert("used".to_owned(), json!(pick(rng, &[0, 0, 1, 2, limit, limit, limit + 1])));
        let age = pick(rng, &[0, 1, half, half, half + 1, window - 1, window - 1, window, window + 1]);
        maybe(rng, &mut map, 65, "age_ms", json!(age));
        let resets = pick(rng, &[half, window - 1, window, window, window + half, 2 * window]);
        maybe(rng, &mut map, 30, "resets_in_ms", json!(resets));
        let mode = pick(rng, &["block", "alert", "degrade"]);
        maybe(rng, &mut map, 15, "mode", json!(mode));
        Value::Object(map)
    }

    /// What was used outside a request.
    fn usage(&self, rng: &mut Rng, tenant: &str) -> Value {
        json!({ "meter": self.meter.name, "tenant": tenant, "amount": rng.u32(1..=3) })
    }

    /// The request `life` of this tenant commits, or somebody asks; mostly the store fails for it.
    fn decide(&self, rng: &mut Rng, step: i64, tenant: &str, preview: bool) -> Option<Line> {
        let operation = self.operation?;
        let mut faults = Map::new();
        for need in &operation.needs {
            if *need == self.meter.store {
                let told = pick(rng, &["timeout", "timeout", "timeout", "unavailable", "ok", "refused"]);
                maybe(rng, &mut faults, 80, need, json!(told));
            } else {
                maybe(rng, &mut faults, 75, need, json!("ok"));
            }
        }
        let amount = rng.u32(0..=if preview { 8 } else { 3 });
        let mut ask = json!({ "operation": operation.name, "tenant": tenant, "faults": faults,
                              "amounts": { self.meter.name.as_str(): amount } });
        if preview {
            ask["preview"] = json!(true);
        } else if chance(rng, 80) {
            ask["request"] = json!(if tenant == "t1" { "life" } else { "other" });
        }
        if chance(rng, 10) {
            ask["stage"] = json!(pick(rng, &["stream", "dispatch"]));
        }
        Some((step, "decide", ask))
    }

    /// The request ends, mostly with a figure.
    fn finish(&self, rng: &mut Rng) -> Value {
        let mut finish = json!({ "request": "life" });
        if chance(rng, 85) {
            finish["amounts"] = json!({ self.meter.name.as_str(): rng.u32(0..=5) });
        }
        finish
    }

    /// A restart: the time away known or not.
    fn restart(&self, rng: &mut Rng) -> Value {
        if chance(rng, 30) {
            return json!({});
        }
        json!({ "away_ms": pick(rng, &[0, 1, self.window / 2, self.window, 3 * self.window]) })
    }

    /// An operator's act on the store.
    fn operator(&self, to: &str) -> Value {
        json!({ "dependency": self.meter.store, "to": to })
    }
}
