//! Every mistake is told with its code, line and column, beside all others, and none makes a second one.

use failsoft::document::{Diagnostics, Format, Options, load};

/// A document without mistakes, of six lines, to which others are added.
const SOUND: &str = r#"spec = 1
name = "test"
[dependency.g]
role = "guard"
deadline = "250ms"
[operation.o]
"#;

fn mistakes(text: &str, format: Format, options: &Options) -> Diagnostics {
    load("test", text.as_bytes(), format, options).expect_err("a document with mistakes")
}

fn places(told: &Diagnostics) -> Vec<(&'static str, usize, usize)> {
    told.items().iter().map(|item| (item.code, item.line, item.column)).collect()
}

/// Asserts that `text` in TOML has exactly these mistakes.
#[track_caller]
fn told(text: &str, expected: &[(&str, usize, usize)]) -> Diagnostics {
    let told = mistakes(text, Format::Toml, &Options::default());
    assert_eq!(places(&told), expected, "\n{told}");
    told
}

/// The same, after [`SOUND`] and its operation's needs: the first line of `text` is line 8.
#[track_caller]
fn told_after(text: &str, expected: &[(&str, usize, usize)]) -> Diagnostics {
    told(&format!("{SOUND}needs = [\"g\"]\n{text}"), expected)
}

/// Asserts that `text` in JSON has exactly these mistakes.
#[track_caller]
fn told_json(text: &str, expected: &[(&str, usize, usize)]) -> Diagnostics {
    let told = mistakes(text, Format::Json, &Options::default());
    assert_eq!(places(&told), expected, "\n{told}");
    told
}

#[test]
fn values_that_no_document_holds() {
    told_after("[meter.m]\nstore = \"g\"\nlimit = 1.5\n", &[("float", 10, 9)]);
    told_after("[meter.m]\nstore = \"g\"\nlimit = inf\n", &[("float", 10, 9)]);
    told_after("[meter.m]\nstore = \"g\"\nlimit = -5\n", &[("negative-number", 10, 9)]);
    told_after("[meter.m]\nstore = \"g\"\nlimit = 9_007_199_254_740_992\n", &[("number-too-big", 10, 9)]);
    told_after("[meter.m]\nstore = \"g\"\nwindow = 1979-05-27\n", &[("date", 10, 10)]);
    told_after(&format!("[meter.m]\nstore = \"{}\"\n", "g".repeat(4_097)), &[("too-long", 9, 9)]);
    told_json(r#"{"spec":1,"name":"x","revision":null}"#, &[("null", 1, 33)]);
    told_json(r#"{"spec":1,"name":"x","revision":1.0}"#, &[("float", 1, 33)]);
    told_json(r#"{"spec":1,"name":"x","revision":1e3}"#, &[("float", 1, 33)]);
    told_json(r#"{"spec":1,"name":"x","revision":-0}"#, &[("negative-number", 1, 33)]);
    told_json(r#"{"spec":1,"name":"x","revision":9007199254740992}"#, &[("number-too-big", 1, 33)]);
}

#[test]
fn keys_and_types() {
    let a = told_after("colour = \"red\"\n", &[("unknown-key", 8, 1)]);
    assert_eq!(a.items()[0].what, "an operation has no key `colour`");
    // A slip in a required key is one mistake, not two.
    let a = told("spec = 1\nname = \"x\"\n[dependency.d]\nrol = \"observe\"\n", &[("unknown-key", 4, 1)]);
    assert_eq!(a.items()[0].help.as_deref(), Some("did you mean `role`?"));
    told("spec = 1\n", &[("missing-key", 1, 1)]);
    let a = told("spec = 1\nname = \"x\"\n[dependency.d]\n", &[("missing-key", 3, 13)]);
    assert_eq!(a.items()[0].path, "dependency.d.role");
    assert_eq!(a.items()[0].what, "a dependency needs `role`");
    told("spec = 2\nname = \"x\"\n", &[("unsupported-spec", 1, 8)]);
    told("spec = \"1\"\nname = \"x\"\n", &[("wrong-type", 1, 8)]);
    let a = told_after("deadline = 250\n", &[("wrong-type", 8, 12)]);
    assert_eq!(a.items()[0].what, "`deadline` takes a duration, and this is a whole number");
    told_after("deadline = \"1.5s\"\n", &[("bad-duration", 8, 12)]);
    told_after("max_unchecked = true\n", &[("wrong-type", 8, 17)]);
    told_after("effect = \"writes\"\n", &[("unknown-value", 8, 10)]);
    told_after("[meter]\nm = 5\n", &[("wrong-type", 9, 5)]);
    told_after("[meter.m]\nstore = \"g\"\ncapacity = 0\n", &[("out-of-range", 10, 12)]);
    told_after("[meter.m]\nstore = \"g\"\nkey = [\"session\"]\n", &[("unknown-value", 10, 1)]);
    told_after("[dependency.d]\nrole = \"serve\"\ndeadline = \"11m\"\n", &[("out-of-range", 10, 12)]);
    told_after("[dependency.d]\nrole = \"serve\"\ndeadline = \"0ms\"\n", &[("out-of-range", 10, 12)]);
    told_after("[dependency.\"a b\"]\nrole = \"observe\"\n", &[("bad-name", 8, 13)]);
    told_after("[meter.m]\nstore = \"\"\n", &[("bad-name", 9, 9)]);
    told_json(r#"{"spec":1,"name":"x","operation":[]}"#, &[("wrong-type", 1, 22)]);
    told_json("[]", &[("wrong-type", 1, 1)]);
}

#[test]
fn tenants() {
    told("spec = 1\nname = \"x\"\ntenants = 65_537\n", &[("out-of-range", 3, 11)]);
}

#[test]
fn caps() {
    let rung = |kind: &str, cap: &str| {
        format!(
            "[meter.m]\nstore = \"g\"\n[dependency.d]\nrole = \"observe\"\non_failure = [{{ {kind} = {{ cap = {{ {cap} }} }} }}]\n"
        )
    };
    for cap in [
        "",
        "total = true",
        "requests = 5, time = \"5s\"",
        "amount = 5",
        "time = \"5s\", total = true",
        "time = \"5s\", meter = \"m\"",
    ] {
        told_after(&rung("allow", cap), &[("bad-cap", 12, 27)]);
    }
    told_after(&rung("deny", "requests = 5"), &[("bad-cap", 12, 26)]);
    told_after(&rung("defer", "amount = 5, meter = \"m\""), &[("bad-cap", 12, 27)]);
    told_after(&rung("allow", "amount = 5, meter = \"n\""), &[("unknown-meter", 12, 55)]);
    told_after(&rung("allow", "requests = 0"), &[("out-of-range", 12, 46)]);
    told_after(&rung("allow", "time = \"0ms\""), &[("out-of-range", 12, 42)]);
    let refusal = "[dependency.s]\nrole = \"serve\"\ndeadline = \"1s\"\non_refusal = { deny = { cap = { time = \"5s\" } } }\n";
    told_after(refusal, &[("bad-cap", 11, 25)]);
    let refuse = "refuse = [{ when = { present = \"a\" }, deny = { cap = { time = \"5s\" } } }]\n";
    told_after(refuse, &[("unknown-key", 8, 48)]);
}

#[test]
fn health_settings() {
    let health = |settings: &str| format!("[dependency.d]\nrole = \"observe\"\nhealth = {{ {settings} }}\n");
    told_after(&health("sliding_window_buckets = 7"), &[("uneven-buckets", 10, 37)]);
    told_after(&health("sliding_window_buckets = 0"), &[("out-of-range", 10, 37)]);
    told_after(&health("failure_rate_threshold = 101"), &[("out-of-range", 10, 37)]);
    for almost in ["failure_rate_threshold = \"of\"", "open_attempts_decay    = \"Off\""] {
        let told = told_after(&health(almost), &[("wrong-type", 10, 37)]);
        assert_eq!(told.items()[0].help.as_deref(), Some("did you mean `\"off\"`?"), "{told}");
    }
    let told = told_after(&health("sliding_window_type = 5"), &[("wrong-type", 10, 34)]);
    let help = "write one of `\"time_based\"`, `\"count_based\"`, `\"none\"`";
    assert_eq!(told.items()[0].help.as_deref(), Some(help), "{told}");
    told_after(&health("signal_ttl = 5"), &[("wrong-type", 10, 25)]);
    told_after(&health("signal_ttl = \"5 s\""), &[("bad-duration", 10, 25)]);
    told_after(&health("probe_can_close = \"yes\""), &[("wrong-type", 10, 30)]);
    told_after(&health("ignore_error_classes = [\"rejected\"]"), &[("bad-classes", 10, 36)]);
    let both = "record_error_classes = [\"timeout\"], ignore_error_classes = [\"timeout\"]";
    told_after(&health(both), &[("bad-classes", 10, 72)]);
    let exit = "degraded_failure_rate_threshold = 20, degraded_exit_failure_rate_threshold = 21";
    told_after(&health(exit), &[("out-of-order", 10, 89)]);
    let wait = "wait_duration_in_open_state = \"5s\", max_wait_duration_in_open_state = \"1s\"";
    told_after(&health(wait), &[("out-of-order", 10, 82)]);
    let trials = "half_open_policy = \"m_of_n\", half_open_success_threshold = 4";
    told_after(&health(trials), &[("out-of-order", 10, 71)]);
    // Under the other policy it is not looked at, and would wait there for the day that the policy changes.
    told_after(&health("half_open_success_threshold = 4"), &[("out-of-order", 10, 42)]);
    let ttl = |ttl: &str| {
        format!("[dependency.d]\nrole = \"guard\"\ndeadline = \"1s\"\nhealth.permit_ttl = \"{ttl}\"\n")
    };
    told_after(&ttl("1s"), &[("out-of-order", 11, 21)]);
    let glass = "[dependency.d]\nrole = \"observe\"\nbreak_glass = { max_duration = \"1h\" }\n";
    told_after(glass, &[("break-glass-not-a-guard", 10, 1)]);
    let glass = "[dependency.d]\nrole = \"guard\"\ndeadline = \"1s\"\nbreak_glass = {}\n";
    told_after(glass, &[("missing-key", 11, 1)]);
}

#[test]
fn rungs() {
    let ladder = |rungs: &str| format!("[dependency.d]\nrole = \"observe\"\non_failure = [{rungs}]\n");
    told_after(&ladder("\"deny\""), &[("rung-shape", 10, 15)]);
    told_after(&ladder("{}"), &[("rung-shape", 10, 15)]);
    told_after(&ladder("5"), &[("wrong-type", 10, 15)]);
    let a = told_after(&ladder("{ allow = true, emit = \"x\" }"), &[("rung-shape", 10, 15)]);
    let help = "put what belongs to the rung into its table: `{ allow = { ... } }`";
    assert_eq!(a.items()[0].help.as_deref(), Some(help));
    let a = told_after(&ladder("{ alow = true }"), &[("unknown-rung", 10, 17)]);
    assert_eq!(a.items()[0].help.as_deref(), Some("did you mean `allow`?"));
    told_after(&ladder("{ allow = false }"), &[("wrong-type", 10, 25)]);
    told_after(&ladder("{ fallback = true }"), &[("missing-key", 10, 28)]);
    told_after(&ladder("{ fallback = { emit = \"x\" } }"), &[("missing-key", 10, 17)]);
    told_after(&ladder("{ last_known = 5 }"), &[("wrong-type", 10, 30)]);
    told_after(&ladder("{ deny = { status = 99 } }"), &[("out-of-range", 10, 35)]);
    told_after(&ladder("{ deny = { code = \"A B\" } }"), &[("bad-name", 10, 33)]);
    told_after(&ladder("{ allow = { when = { fault = [] } } }"), &[("empty-list", 10, 36)]);
    told_after(&ladder("{ allow = { when = { fault = [\"timeuot\"] } } }"), &[("unknown-value", 10, 45)]);
    told_after(&ladder("{ retry = { max_attempts = 2, multiplier = 99 } }"), &[("out-of-range", 10, 58)]);
    told_after(&ladder("{ retry = { max_attempts = 2, jitter = 101 } }"), &[("out-of-range", 10, 54)]);
    let local = "[dependency.h]\nrole = \"guard\"\ndeadline = \"1s\"\non_failure = [{ local_meter = { meter = \"m\", share = 0 } }]\n\
                 [meter.m]\nstore = \"h\"\nmax_instances = 1\n";
    told_after(local, &[("out-of-range", 11, 54)]);
    let emit = "a".repeat(129);
    told_after(&ladder(&format!("{{ allow = {{ emit = \"{emit}\" }} }}")), &[("bad-name", 10, 34)]);
}

#[test]
fn refuse_rules_and_invariants() {
    told_after("[[operation.o.refuse]]\ndeny = true\n", &[("missing-key", 8, 1)]);
    told_after("[[operation.o.refuse]]\nwhen = {}\n", &[("empty-condition", 9, 1)]);
    told_after("[[operation.o.refuse]]\nwhen = { same = [\"a\"] }\n", &[("empty-list", 9, 10)]);
    told_after("[[operation.o.refuse]]\nwhen = { same = [\"a\", \"b\", \"c\"] }\n", &[("too-many", 9, 10)]);
    told_after(
        "[[operation.o.refuse]]\nwhen = { present = \"a\" }\ndeny = { when = {} }\n",
        &[("unknown-key", 10, 10)],
    );
    told_after("[[invariant]]\noperation = \"o\"\n", &[("empty-promise", 8, 1)]);
    let silence = "[[silence]]\ncode = \"runs-out\"\nat = \"dependency.p.on_failure\"\nreason = \" \"\n";
    told_after(silence, &[("empty-reason", 11, 10)]);
    told_after("[[invariant]]\noperation = \"o\"\nverdict = \"dney\"\n", &[("unknown-value", 10, 11)]);
    told_after("[[invariant]]\noperation = \"p\"\nverdict = \"deny\"\n", &[("unknown-operation", 9, 13)]);
    told_after(
        "[[invariant]]\noperation = \"o\"\nwhen = { g = \"broken\", h = \"failed\" }\nnever = \"allow\"\n",
        &[("unknown-value", 10, 14), ("unknown-dependency", 10, 24)],
    );
}

#[test]
fn names_that_do_not_fit_together() {
    let guard = "[dependency.h]\nrole = \"guard\"\ndeadline = \"1s\"\n";
    told_after(&format!("{guard}on_failure = [{{ fallback = \"i\" }}]\n"), &[("unknown-dependency", 11, 28)]);
    told_after(
        &format!("{guard}on_failure = [{{ fallback = {{ to = \"h\" }} }}]\n"),
        &[("own-target", 11, 35)],
    );
    told_after(&format!("{guard}on_failure = [{{ local_meter = \"m\" }}]\n"), &[("unknown-meter", 11, 31)]);
    told_after(
        &format!(
            "{guard}on_failure = [{{ deny = {{ when = {{ class = [\"vip\"], operation = [\"p\"] }} }} }}]\n"
        ),
        &[("unknown-class", 11, 44), ("unknown-operation", 11, 65)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ deny = {{ when = {{ parameter = {{ p = 1 }} }} }} }}]\n"),
        &[("unknown-parameter", 11, 49)],
    );
    told_after(
        &format!(
            "{guard}on_failure = [{{ deny = {{ when = {{ parameter = {{ p = 1 }} }} }} }}]\n[parameter.p]\ndefault = true\n"
        ),
        &[("wrong-parameter-type", 11, 53)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ deny = {{ also = [\"retry\"] }} }}]\n"),
        &[("reserved-name", 11, 34)],
    );
    // A word of the engine's own and a dot; without the dot, and with more letters, it is anybody's.
    told_after(
        &format!("{guard}on_failure = [{{ deny = {{ emit = \"window.opened\" }} }}]\n"),
        &[("reserved-name", 11, 33)],
    );
    told_after(
        &format!("{guard}on_refusal = {{ deny = {{ emit = \"engine.gone\" }} }}\n"),
        &[("reserved-name", 11, 32)],
    );
    // One mistake: the two others are anybody's.
    told_after(
        &format!(
            "{guard}on_failure = [{{ deny = {{ emit = \"windows.opened\" }} }}, {{ deny = {{ emit = \"window\" }} }}, {{ deny = {{ emit = \"never.\" }} }}]\n"
        ),
        &[("reserved-name", 11, 105)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ deny = {{ reason = \"why\" }} }}]\n"),
        &[("reason-without-event", 11, 35)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ allow = {{ when = {{ fault = [\"rejected\"] }} }} }}]\n"),
        &[("caller-opens-gate", 11, 36)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ allow = {{ when = {{ effect = [\"irreversible\"] }} }} }}]\n"),
        &[("irreversible-substitute", 11, 36)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ least_bad = [\"g\"] }}]\n"),
        &[("rung-not-allowed", 11, 17)],
    );
    told_after(&format!("{guard}on_refusal = {{ allow = true }}\n"), &[("rung-not-allowed", 11, 24)]);
    told_after(
        &format!("{guard}on_refusal = {{ deny = {{ when = {{ fault = [\"timeout\"] }} }} }}\n"),
        &[("fault-in-refusal", 11, 34)],
    );
    told_after(
        &format!(
            "{guard}on_failure = [{{ local_meter = \"m\" }}]\n[meter.m]\nstore = \"g\"\nmax_instances = 1\n"
        ),
        &[("meter-of-another-store", 11, 31)],
    );
    told_after(
        &format!("{guard}on_failure = [{{ local_meter = \"m\" }}]\n[meter.m]\nstore = \"h\"\n"),
        &[("missing-max-instances", 11, 31)],
    );
    told_after("[dependency.h]\nrole = \"guard\"\n", &[("missing-deadline", 8, 13)]);
    told_after(
        "[dependency.h]\nrole = \"observe\"\n[meter.m]\nstore = \"h\"\n",
        &[("store-not-a-guard", 11, 9)],
    );
    told(&format!("{SOUND}needs = [\"g\", \"g\"]\n"), &[("repeated-name", 7, 15)]);
    told("spec = 1\nname = \"x\"\nclasses = [\"a\", \"b\", \"a\"]\n", &[("repeated-name", 3, 22)]);
}

#[test]
fn all_in_one_pass_and_no_cascade() {
    let text = r#"spec = 1
name = "many"
colour = 5
classes = [1]
[dependency.g]
role = "gaurd"
deadline = "1s"
on_failure = [
  { fallbck = "h" },
  { deny = { status = 9999, when = { class = ["a"], operation = ["p"] } } },
]
on_refusal = { deny = 5 }
[dependency.h]
role = "serve"
[operation.o]
needs = ["g", "hh", 7]
[meter.m]
store = "g"
limit = -1
"#;
    told(
        text,
        &[
            ("unknown-key", 3, 1),
            ("wrong-type", 4, 12),
            ("unknown-value", 6, 8),
            ("unknown-rung", 9, 5),
            ("out-of-range", 10, 23),
            ("unknown-operation", 10, 66),
            ("wrong-type", 12, 23),
            ("missing-deadline", 13, 13),
            ("unknown-dependency", 16, 15),
            ("wrong-type", 16, 21),
            ("negative-number", 19, 9),
        ],
    );
}

#[test]
fn a_misspelt_key_makes_no_mistake_elsewhere() {
    let guard = "deadline = \"1s\"\non_failure = [{ local_meter = \"m\" }]\non_refusal = { deny = true }\n";
    let rest = "store = \"h\"\nmax_instances = 1\n";
    told_after(
        &format!("[dependency.h]\nrol = \"guard\"\n{guard}[meter.m]\n{rest}"),
        &[("unknown-key", 9, 1)],
    );
    let dependency = format!("[dependency.h]\nrole = \"guard\"\n{guard}[meter.m]\n");
    told_after(&format!("{dependency}store = \"h\"\nmax_instance = 1\n"), &[("unknown-key", 15, 1)]);
    told_after(&format!("{dependency}stor = \"h\"\nmax_instances = 1\n"), &[("unknown-key", 14, 1)]);
    let classes = "spec = 1\nname = \"x\"\nclases = [\"a\"]\n[dependency.d]\nrole = \"observe\"\n";
    told(
        &format!("{classes}on_failure = [{{ allow = {{ when = {{ class = [\"a\"] }} }} }}]\n"),
        &[("unknown-key", 3, 1)],
    );
}
