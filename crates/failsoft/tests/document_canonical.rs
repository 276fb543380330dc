//! The canonical form and the identity: what is the same matrix has the same bytes, however it is written.

use failsoft::document::{Format, Loaded, Options, load};

fn toml(text: &str) -> Loaded {
    load("test.toml", text.as_bytes(), Format::Toml, &Options::default())
        .unwrap_or_else(|told| panic!("{told}"))
}

fn json(text: &str) -> Loaded {
    load("test.json", text.as_bytes(), Format::Json, &Options::default())
        .unwrap_or_else(|told| panic!("{told}"))
}

/// The worked example of the specification (1.11), with its bytes and its identity.
const DEMO: &str = r#"
spec = 1
name = "demo"

[dependency.policy]
role = "guard"
deadline = "250ms"
on_failure = [
  { last_known = { max_age = "$ttl", when = { fault = ["unreachable", "timeout", "timeout"] } } },
  { deny = { status = 403, code = "POLICY_UNAVAILABLE" } },
]

[dependency.audit]
role = "observe"
on_failure = [{ outbox = 1000 }, { allow = { alert = "page" } }]

[operation.assist]
needs = ["policy", "audit"]

[parameter.ttl]
default = "24h"
"#;

/// H stands for the two health objects, as in the specification.
const DEMO_CANONICAL: &str = concat!(
    r#"{"classes":["default"],"dependency":{"audit":{"health":H,"on_failure":[{"outbox":{"also":[],"capacity":1000}},"#,
    r#"{"allow":{"alert":"page","also":[]}}],"role":"observe","stage":"persist"},"policy":{"deadline_ms":250,"health":H,"#,
    r#""on_failure":[{"last_known":{"also":[],"max_age_ms":86400000,"of":"request","when":{"fault":["timeout","unreachable"]}}},"#,
    r#"{"deny":{"also":[],"code":"POLICY_UNAVAILABLE","status":403}}],"on_refusal":{"deny":{"also":[],"code":"REFUSED","#,
    r#""status":403}},"role":"guard","stage":"admit"}},"invariant":[],"meter":{},"name":"demo","operation":{"assist":{"#,
    r#""effect":"write","enforcement":"enforce","needs":["policy","audit"],"refuse":[]}},"parameter":{"ttl":{"default":"24h","#,
    r#""value":"24h"}},"revision":1,"signal_ttl_ms":60000,"spec":1,"tenants":1024,"window_idle_ms":5000}"#,
);

/// Every health setting at its default.
const HEALTH: &str = concat!(
    r#"{"automatic_transition_from_open_to_half_open_enabled":false,"consecutive_failure_threshold":5,"#,
    r#""degraded_exit_failure_rate_threshold":10,"degraded_exit_slow_call_rate_threshold":25,"#,
    r#""degraded_failure_rate_threshold":25,"degraded_slow_call_rate_threshold":50,"#,
    r#""failure_count_threshold":"off","failure_rate_threshold":50,"half_open_counts_slow":true,"#,
    r#""half_open_failure_rate_threshold":50,"half_open_policy":"rate","half_open_success_threshold":3,"#,
    r#""ignore_error_classes":["exhausted"],"ignored_streak_threshold":20,"initial_state":"closed","#,
    r#""max_retry_after_ms":600000,"max_wait_duration_in_half_open_state_ms":30000,"#,
    r#""max_wait_duration_in_open_state_ms":300000,"min_dwell_ms":5000,"minimum_number_of_calls":10,"#,
    r#""open_attempts_decay_ms":"off","permit_ttl_ms":30000,"#,
    r#""permitted_number_of_calls_in_half_open_state":3,"probe_can_close":false,"probe_fall":3,"#,
    r#""probe_interval_ms":"off","probe_rise":2,"record_error_classes":[],"refusal_rate_threshold":"off","#,
    r#""retry_after_policy":"extend","signal_ttl_ms":"off","sliding_window_buckets":10,"#,
    r#""sliding_window_duration_ms":30000,"sliding_window_size":100,"sliding_window_type":"time_based","#,
    r#""slow_call_duration_threshold_ms":"off","slow_call_rate_threshold":100,"strict_transitions":false,"#,
    r#""transition_to_state_after_wait_duration":"open","unlisted_error":"failure","#,
    r#""wait_duration_in_open_state_ms":5000,"wait_interval_multiplier":200,"wait_jitter_ratio":0}"#,
);

fn demo_canonical() -> String {
    DEMO_CANONICAL.replace(":H,", &format!(":{HEALTH},"))
}

#[test]
fn the_worked_example_of_the_specification() {
    let demo = toml(DEMO);
    assert_eq!(demo.canonical, demo_canonical());
    assert_eq!(demo.canonical.len(), 3_546);
    assert_eq!(
        demo.identity,
        "demo@1:sha256-57864c4c5cd70b8472efb93a9f411dd938927d5c393745823434425efccc5035"
    );
}

#[test]
fn what_is_written_out_and_what_is_left_out_are_one_matrix() {
    let long = r#"{
        "parameter": {"ttl": {"default": "24h"}},
        "invariant": [], "meter": {}, "classes": ["default"], "signal_ttl": "1m", "revision": 1,
        "operation": {"assist": {"refuse": [], "enforcement": "enforce", "effect": "write", "needs": ["policy", "audit"]}},
        "dependency": {
            "policy": {"stage": "admit", "role": "guard", "deadline": "250ms", "health": {"permit_ttl": "30000ms", "probe_rise": 2},
                "on_refusal": {"deny": true},
                "on_failure": [
                    {"last_known": {"when": {"fault": ["timeout", "unreachable"]}, "of": "request", "also": [], "max_age": "1d"}},
                    {"deny": {"code": "POLICY_UNAVAILABLE", "status": 403}}]},
            "audit": {"role": "observe", "on_failure": [{"outbox": {"capacity": 1000}}, {"allow": {"also": [], "alert": "page"}}]}},
        "name": "demo", "spec": 1}"#;
    assert_eq!(json(long).canonical, demo_canonical());
    assert_eq!(json(long).identity, toml(DEMO).identity);
}

#[test]
fn every_kind_of_rung_with_its_defaults() {
    let loaded = toml(
        r#"
        spec = 1
        name = "kinds"
        revision = 7
        [dependency.a]
        role = "serve"
        deadline = "1s"
        on_failure = [
            { retry = 3 },
            { fallback = "b" },
            { last_known = { max_age = "1h", of = "dependency" } },
            { least_bad = ["b"] },
            { substitute = "my-own" },
            { metadata_only = {} }, { drop_telemetry = true }, { skip_tool = true }, { read_only = true },
            { defer = true }, { withhold = true }, { deny = true },
        ]
        on_refusal = { substitute = "my-own" }
        [dependency.b]
        role = "guard"
        deadline = "10m"
        on_failure = [{ local_meter = "m" }, { local_meter = { meter = "m", share = 25 } }]
        [meter.m]
        store = "b"
        max_instances = 4
        window = "1m"
        "#,
    );
    let expected = [
        r#"{"retry":{"also":[],"base_ms":1000,"jitter":0,"max_attempts":3,"multiplier":200}}"#,
        r#"{"fallback":{"also":[],"to":"b"}}"#,
        r#"{"last_known":{"also":[],"max_age_ms":3600000,"of":"dependency"}}"#,
        r#"{"least_bad":{"also":[],"of":["b"]}}"#,
        r#"{"substitute":{"also":[],"name":"my-own"}}"#,
        r#"{"metadata_only":{"also":[]}}"#,
        r#"{"drop_telemetry":{"also":[]}}"#,
        r#"{"skip_tool":{"also":[]}}"#,
        r#"{"read_only":{"also":[]}}"#,
        r#"{"defer":{"also":[],"status":202}}"#,
        r#"{"withhold":{"also":[],"status":200}}"#,
        r#"{"deny":{"also":[],"code":"DEPENDENCY_UNAVAILABLE","status":503}}"#,
    ]
    .join(",");
    assert!(loaded.canonical.contains(&format!(r#""on_failure":[{expected}]"#)), "{}", loaded.canonical);
    assert!(loaded.canonical.contains(r#""on_refusal":{"substitute":{"also":[],"name":"my-own"}}"#));
    let meter = r#"[{"local_meter":{"also":[],"meter":"m","share":"per_instance"}},{"local_meter":{"also":[],"meter":"m","share":25}}]"#;
    assert!(loaded.canonical.contains(meter), "{}", loaded.canonical);
    let meter = r#""meter":{"m":{"capacity":10000,"key":["tenant"],"max_instances":4,"mode":"block","store":"b","window_ms":60000}}"#;
    assert!(loaded.canonical.contains(meter), "{}", loaded.canonical);
    assert!(loaded.identity.starts_with("kinds@7:sha256-"));
}

#[test]
fn refuse_rules_invariants_and_conditions() {
    let loaded = toml(
        r#"
        spec = 1
        name = "rules"
        [operation.act]
        needs = ["d"]
        effect = "irreversible"
        deadline = "2s"
        max_unchecked = 0
        [[operation.act.refuse]]
        when = { present = "", equals = { b = "1", a = "é\n" } }
        [[operation.act.refuse]]
        when = { same = ["b", "a"] }
        deny = { status = 409, emit = "x.y", reason = "a b" }
        [dependency.d]
        role = "observe"
        on_failure = [{ allow = { when = {} } }, { allow = { when = { parameter = { p = 5 }, class = ["default"] } } }]
        [parameter.p]
        default = 5
        [[invariant]]
        operation = "act"
        never = "allow"
        [[invariant]]
        operation = "act"
        when = { d = "timeout" }
        verdict = "deny"
        posture = "normal"
        obligation = "outbox"
        "#,
    );
    for part in [
        r#""deadline_ms":2000,"effect":"irreversible","enforcement":"enforce","max_unchecked":0,"#,
        r#"{"deny":{"also":[],"code":"REFUSED","status":403},"when":{"equals":{"a":"é\n","b":"1"},"present":""}}"#,
        r#"{"deny":{"also":[],"code":"REFUSED","emit":"x.y","reason":"a b","status":409},"when":{"same":["b","a"]}}"#,
        r#"[{"allow":{"also":[],"when":{}}},{"allow":{"also":[],"when":{"class":["default"],"parameter":{"p":5}}}}]"#,
        r#""parameter":{"p":{"default":5,"value":5}}"#,
        r#"{"never":"allow","operation":"act","when":{}}"#,
        r#"{"obligation":"outbox","operation":"act","posture":"normal","verdict":"deny","when":{"d":"timeout"}}"#,
    ] {
        assert!(loaded.canonical.contains(part), "{part} is not in {}", loaded.canonical);
    }
    // An observer has no default refusal.
    assert!(!loaded.canonical.contains("on_refusal"));
}

#[test]
fn the_presets_are_the_same_matrices_in_json() {
    for preset in failsoft::presets::all() {
        let in_toml = toml(preset.text);
        let value: toml::Value = toml::from_str(preset.text).expect("TOML");
        let in_json = json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert_eq!(in_toml.canonical, in_json.canonical, "{}", preset.name);
        assert_eq!(in_toml.identity, in_json.identity, "{}", preset.name);
        assert!(in_toml.identity.starts_with(&format!("{}@1:sha256-", preset.name)));
    }
}

#[test]
fn binding_a_parameter_changes_the_identity() {
    let text = "spec = 1\nname = \"p\"\nsignal_ttl = \"$t\"\nrevision = \"$n\"\n\
                [parameter.t]\ndefault = \"5s\"\n[parameter.n]\ndefault = 3\n[parameter.dollar]\ndefault = \"$t\"\n";
    let plain = toml(text);
    assert!(plain.canonical.contains(r#""dollar":{"default":"$t","value":"$t"}"#), "{}", plain.canonical);
    let mut options = Options::default();
    options.parameters.insert("t".into(), "1d".into());
    options.parameters.insert("n".into(), "9007199254740991".into());
    let bound = load("p.toml", text.as_bytes(), Format::Toml, &options).expect("no mistakes");
    assert!(bound.canonical.contains(r#""parameter":{"dollar":{"default":"$t","value":"$t"},"n":{"default":3,"value":9007199254740991},"t":{"default":"5s","value":"1d"}},"revision":9007199254740991,"signal_ttl_ms":86400000"#));
    assert!(bound.identity.starts_with("p@9007199254740991:sha256-"));
    assert_ne!(plain.identity, bound.identity);
}

#[test]
fn dependencies_keep_the_order_in_which_they_are_written() {
    let text = "spec = 1\nname = \"order\"\n\
                [dependency.zulu]\nrole = \"observe\"\n[operation.o]\nneeds = []\n[dependency.alpha]\nrole = \"observe\"\n\
                [dependency.mike]\nrole = \"observe\"\n";
    let names =
        |loaded: &Loaded| loaded.draft.dependencies.iter().map(|d| d.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&toml(text)), ["zulu", "alpha", "mike"]);
    let observer = r#"{"role":"observe"}"#;
    let text = format!(
        r#"{{"spec":1,"name":"o","dependency":{{"zulu":{observer},"alpha":{observer},"mike":{observer}}}}}"#
    );
    assert_eq!(names(&json(&text)), ["zulu", "alpha", "mike"]);
}
