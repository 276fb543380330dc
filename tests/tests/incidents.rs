//! The incidents of `spec/incidents`, played: what was worked out by hand from the traces and the specification.

use std::collections::BTreeMap;

use failsoft_tests::implementation::{Engine, Implementation};
use failsoft_tests::vector::preset;
use failsoft_tests::{read, spec};
use serde_json::{Value, json};

/// What a replay printed, and which request each decision was of.
struct Played {
    decisions: Vec<(String, Value)>,
    events: Vec<(i64, Value)>,
}

fn play(preset_name: &str, incident: &str) -> Played {
    let text = read(&spec().join(format!("incidents/{incident}.jsonl"))).expect("it is there");
    let trace: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let matrix = preset(preset_name).expect("a preset");
    let printed = Engine.replay(&matrix, &BTreeMap::new(), &trace).expect("it replays");
    let printed: Vec<Value> = printed.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let asked = trace.iter().filter_map(|line| line.get("decide"));
    let answers = printed.iter().filter_map(|line| line.get("decision"));
    let decisions = asked.zip(answers);
    let name = |decide: &Value| decide["request"].as_str().expect("each is named").to_owned();
    let event = |line: &Value| Some((line["at_ms"].as_i64()?, line.get("event")?.clone()));
    Played {
        decisions: decisions.map(|(decide, answer)| (name(decide), answer.clone())).collect(),
        events: printed.iter().filter_map(event).collect(),
    }
}

impl Played {
    /// What a request came to: an earlier ask was made before its calls.
    fn last(&self) -> BTreeMap<&str, &Value> {
        self.decisions.iter().map(|(request, decision)| (request.as_str(), decision)).collect()
    }

    fn count(&self, is: impl Fn(&Value) -> bool) -> usize {
        self.last().values().filter(|decision| is(decision)).count()
    }

    /// When a dependency's windows opened and closed, and how many requests each counted.
    fn windows(&self, dependency: &str) -> Vec<(i64, i64, u64)> {
        let of = |kind: &'static str| {
            self.events
                .iter()
                .filter(move |(_, event)| event["kind"] == kind && event["dependency"] == dependency)
        };
        let closed = of("window.closed")
            .map(|(at, event)| (*at, event["total"]["requests"].as_u64().expect("a count")));
        of("window.opened").zip(closed).map(|((opened, _), (at, requests))| (*opened, at, requests)).collect()
    }

    fn events(&self, kind: &str) -> Vec<&(i64, Value)> {
        self.events.iter().filter(|(_, event)| event["kind"] == kind).collect()
    }
}

fn is(verdict: &'static str, posture: &'static str) -> impl Fn(&Value) -> bool {
    move |decision| decision["verdict"] == verdict && decision["posture"] == posture
}

#[test]
fn google_cloud_2025_the_gate_stays_shut_and_what_is_behind_it_is_replaced() {
    let played = play("ai-gateway", "google-cloud-2025-06-12");
    assert!(played.decisions.iter().all(|(_, decision)| decision["posture"] != "fail_open"));
    let shut = |decision: &Value| decision["code"] == "POLICY_UNAVAILABLE" && decision["status"] == 403;
    assert_eq!(played.count(|decision| is("deny", "fail_closed")(decision) && shut(decision)), 21);
    assert_eq!(played.count(is("allow", "fail_soft")), 31);
    assert_eq!(played.windows("access-policy"), []);
    assert_eq!(played.windows("provider-primary"), [(2_760_193, 11_400_912, 25)]);
    assert_eq!(played.windows("kms"), [(2_761_324, 11_400_921, 25)]);
    assert_eq!(played.windows("audit-service"), [(2_761_355, 11_430_926, 31)]);
    let closed = played.events("window.closed");
    let primary = closed.iter().find(|(_, event)| event["dependency"] == "provider-primary");
    let rows = primary.expect("it closed").1["tenants"].as_array().expect("rows").clone();
    let rows: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| (row["tenant"].as_str().expect("a name"), row["requests"].as_u64().expect("a count")))
        .collect();
    assert_eq!(rows, [("clinic-north", 9), ("clinic-south", 8), ("lab-east", 8)]);
    let obligations = played.last();
    let numbers =
        obligations.values().flat_map(|decision| decision["obligations"].as_array().expect("a list"));
    let mut numbers: Vec<u64> = numbers
        .filter(|item| item["kind"] == "outbox" && item["dependency"] == "audit-service")
        .map(|item| item["sequence"].as_u64().expect("it was committed"))
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=31).collect::<Vec<u64>>());
}

#[test]
fn langsmith_2025_calls_go_on_unchecked_but_for_a_budget_that_is_known_to_be_spent() {
    let played = play("sdk-direct", "langsmith-2025-05-01");
    assert_eq!(played.count(is("allow", "normal")), 19);
    assert_eq!(played.count(is("allow", "fail_open")), 27);
    assert_eq!(played.count(|decision| is("deny", "normal")(decision) && decision["status"] == 402), 13);
    assert_eq!(played.count(|decision| is("deny", "fail_closed")(decision) && decision["status"] == 402), 10);
    for (_, decision) in played.decisions.iter().filter(|(_, decision)| decision["posture"] == "fail_open") {
        assert_eq!(decision["cacheable"], false);
        assert_eq!(decision["obligations"].as_array().expect("a list").len(), 6);
    }
    // 27 requests of 31,000 went unchecked: that is what the control plane is told, and what the windows say.
    let settled: u64 = played
        .events("meter.settlement")
        .iter()
        .map(|(_, event)| event["amount"].as_u64().expect("an amount"))
        .sum();
    let closed = played.events("window.closed");
    let of_control_plane = closed.iter().filter(|(_, event)| event["dependency"] == "control-plane");
    let counted: u64 = of_control_plane
        .map(|(_, event)| {
            event["total"]["amounts"]
                .as_object()
                .expect("amounts")
                .values()
                .filter_map(Value::as_u64)
                .sum::<u64>()
        })
        .sum();
    assert_eq!((settled, counted), (27 * 31_000, 27 * 31_000));
}

#[test]
fn cloudflare_2025_calls_go_round_the_proxy_each_time_it_is_gone() {
    let played = play("sdk-proxy", "cloudflare-2025-11-18");
    assert_eq!(played.count(|decision| decision["posture"] == "normal"), 36);
    assert_eq!(played.count(|decision| decision["posture"] == "fail_open"), 30);
    assert_eq!(played.count(|decision| decision["posture"] == "fail_soft"), 7);
    assert_eq!(played.count(|decision| decision["verdict"] == "deny"), 0);
    let to = |decision: &Value| {
        let items = decision["obligations"].as_array().expect("a list").clone();
        items.iter().any(|item| item["kind"] == "fallback" && item["to"] == "provider-direct")
    };
    assert_eq!(played.count(|decision| decision["posture"] != "normal" && to(decision)), 37);
    let checks = played.windows("control-plane");
    assert_eq!(checks.len(), 10);
    assert!(checks.iter().all(|(_, _, requests)| *requests == 3));
    assert_eq!((checks[0], checks[9]), ((540_091, 840_000, 3), (5_940_091, 6_330_000, 3)));
    let calls = played.windows("provider");
    assert_eq!(calls.len(), 10);
    assert_eq!((calls[0], calls[9]), ((540_182, 844_970, 3), (5_940_182, 11_700_970, 10)));
}

#[test]
fn cloudflare_2025_a_proxy_that_refuses_us_is_no_outage_to_go_round() {
    let played = play("sdk-proxy", "cloudflare-2025-11-18-old-proxy");
    assert_eq!(played.count(|decision| decision["verdict"] == "allow"), 7);
    let refused = |decision: &Value| {
        decision["status"] == 503
            && decision["code"] == "PROXY_REFUSES_US"
            && decision["reasons"][0]["fault"] == "auth"
    };
    assert_eq!(played.count(|decision| is("deny", "fail_closed")(decision) && refused(decision)), 10);
    assert_eq!(played.events("window.opened").len(), 0);
}

#[test]
fn twilio_2013_a_balance_that_was_spent_stays_spent_and_the_bill_of_the_others_is_known() {
    let played = play("budget-gate", "twilio-2013-07-18");
    assert_eq!(played.count(|decision| decision["posture"] == "fail_open"), 45);
    let held = |decision: &Value| decision["reasons"][0]["kind"] == "over_limit" && decision["status"] == 402;
    assert_eq!(played.count(|decision| is("deny", "fail_closed")(decision) && held(decision)), 9);
    let last = played.last();
    for request in ["r22", "r25"] {
        assert_eq!(
            (&last[request]["status"], &last[request]["code"]),
            (&json!(503), &json!("BUDGET_UNKNOWN"))
        );
    }
    let closed = played.events("window.closed");
    let [(at, closed)] = closed[..] else { panic!("one window: {closed:?}") };
    assert_eq!((*at, &closed["duration_ms"]), (5_400_000, &json!(4_795_799)));
    assert_eq!(played.windows("budget-store"), [(545_201, 5_400_000, 45)]);
    let row = |tenant: &str, requests: u64, spend: u64| json!({ "tenant": tenant, "requests": requests, "amounts": { "spend": spend } });
    assert_eq!(
        closed["tenants"],
        json!([row("acme", 26, 12_200_000), row("initech", 9, 3_150_000), row("umbrella", 10, 3_500_000)])
    );
    let ways: Vec<(&Value, &Value)> = closed["decisions"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|way| (&way["rung"], &way["requests"]))
        .collect();
    assert_eq!(ways, [(&json!(0), &json!(2)), (&json!(2), &json!(43))]);
}

#[test]
fn openai_2024_no_irreversible_act_rests_on_advice_or_on_a_stand_in() {
    let played = play("agent-runtime", "openai-2024-12-11");
    let of = |operation: &'static str| move |decision: &&Value| decision["operation"] == operation;
    let last = played.last();
    let acts: Vec<&&Value> = last.values().filter(|decision| of("act-irreversibly")(decision)).collect();
    let normal = acts.iter().filter(|decision| is("allow", "normal")(decision)).count();
    let asked = acts.iter().filter(|decision| decision["code"] == "FRESH_CONFIRMATION_REQUIRED").count();
    assert_eq!((acts.len(), normal, asked), (13, 3, 10));
    let jobs: Vec<&&Value> = last.values().filter(|decision| of("start-long-job")(decision)).collect();
    let deferred = jobs.iter().filter(|decision| decision["code"] == "PROVIDER_DEGRADED").count();
    assert_eq!((jobs.len(), deferred), (11, 7));
    assert_eq!(played.events("job.deferred").len(), 7);
    assert_eq!(played.windows("provider-primary"), [(1_777_754, 9_362_451, 13)]);
}
