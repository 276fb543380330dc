//! LAW-13: more of everything than an engine holds.

use failsoft::Matrix;
use failsoft::document::{Format, Options, load};
use failsoft::trace::{Output, Player};
use serde_json::{Value, json};

use crate::world::{items, text};

const MATRIX: &str = r#"
spec = 1
name = "small"
[dependency.quota]
role = "guard"
deadline = "50ms"
on_failure = [{ local_meter = { meter = "requests", share = 100 } }]
health = { consecutive_failure_threshold = 1 }
[meter.requests]
store = "quota"
limit = 10
capacity = 100
[operation.ask]
needs = ["quota"]
"#;

fn matrix() -> Matrix {
    load("small", MATRIX.as_bytes(), Format::Toml, &Options::default()).expect("no mistakes").matrix
}

fn play(player: &mut Player, line: &Value) -> Vec<Value> {
    let mut out: Vec<Output> = Vec::new();
    player.line(&line.to_string(), &mut out).unwrap_or_else(|mistake| panic!("{mistake}: {line}"));
    out.iter().map(|output| serde_json::from_str(&player.json(output)).expect("JSON")).collect()
}

/// How large a state is, by what it holds when it is written out whole.
fn size(player: &Player) -> usize {
    format!("{player:?}").len()
}

fn ask(tenant: usize) -> Value {
    json!({ "decide": { "operation": "ask", "tenant": format!("tenant-{tenant}") } })
}

#[test]
fn law_13_bounded_tenants() {
    let matrix = matrix();
    let mut player = Player::new(&matrix);
    let mut told = 0;
    let mut full = 0;
    for tenant in 0..20_000 {
        let printed = play(&mut player, &ask(tenant));
        assert_eq!(printed[0]["decision"]["verdict"], "allow");
        told += printed.iter().filter(|line| line["event"]["kind"] == "table.full").count();
        assert_eq!(told, usize::from(tenant >= 100), "after {tenant}");
        if tenant == 100 {
            full = size(&player);
        }
    }
    assert!(size(&player) < full + 1_000, "{full} has grown to {}", size(&player));
    // The store is lost: who was counted has a share, the others the conservative answer, however often they ask.
    play(&mut player, &json!({ "outcome": { "dependency": "quota", "result": "unreachable" } }));
    for (asked, tenant) in (0..100).chain(19_000..20_000).chain(0..100).enumerate() {
        let printed = play(&mut player, &ask(tenant));
        let expected = if tenant < 100 { "allow" } else { "deny" };
        assert_eq!(printed[0]["decision"]["verdict"], expected, "tenant {tenant}");
        // The first of them goes on in spite of the failure, and that is said; nothing else is.
        let events: Vec<&Value> = printed[1..].iter().map(|line| &line["event"]["kind"]).collect();
        let expected: &[&str] = if asked == 0 { &["window.opened"] } else { &[] };
        assert_eq!(events, expected, "tenant {tenant}");
    }
    // Who was denied stands in no account.
    let account = &play(&mut player, &json!({ "windows": {} }))[0]["windows"][0];
    assert_eq!(items(account, "tenants").count(), 100);
    assert_eq!((&account["total"]["requests"], &account["others"]["requests"]), (&json!(200), &json!(0)));
}

/// As many rows as the matrix says; who comes later goes on as all others do, and is counted among them.
#[test]
fn law_13_bounded_rows_of_an_account() {
    let document =
        MATRIX.replace(r#"{ local_meter = { meter = "requests", share = 100 } }"#, "{ allow = {} }");
    let document = document.replace("spec = 1", "spec = 1\ntenants = 100");
    let matrix = load("rows", document.as_bytes(), Format::Toml, &Options::default());
    let matrix = matrix.expect("no mistakes").matrix;
    let mut player = Player::new(&matrix);
    play(&mut player, &json!({ "outcome": { "dependency": "quota", "result": "unreachable" } }));
    let mut full = 0;
    for tenant in 0..20_000 {
        let printed = play(&mut player, &ask(tenant));
        assert_eq!(printed[0]["decision"]["verdict"], "allow", "tenant {tenant}");
        let events: Vec<&Value> = printed[1..].iter().map(|line| &line["event"]["kind"]).collect();
        let expected: &[&str] = match tenant {
            0 => &["window.opened"],
            100 => &["table.full"],
            _ => &[],
        };
        assert_eq!(events, expected, "tenant {tenant}");
        if tenant == 100 {
            full = size(&player);
        }
    }
    assert!(size(&player) < full + 1_000, "{full} has grown to {}", size(&player));
    let account = &play(&mut player, &json!({ "windows": {} }))[0]["windows"][0];
    let mut rows: Vec<String> = (0..100).map(|tenant| format!("tenant-{tenant}")).collect();
    rows.sort_unstable();
    assert_eq!(items(account, "tenants").map(|row| text(row, "tenant")).collect::<Vec<_>>(), rows);
    assert!(items(account, "tenants").all(|row| row["requests"] == 1));
    let requests = [&account["total"]["requests"], &account["others"]["requests"]];
    assert_eq!(requests, [&json!(20_000), &json!(19_900)]);
}

#[test]
fn law_13_bounded_permits() {
    let matrix = matrix();
    let mut player = Player::new(&matrix);
    let permit =
        |number: usize| json!({ "permit": { "dependency": "quota", "permit": format!("p-{number}") } });
    let mut full = 0;
    for number in 0..70_000 {
        assert_eq!(play(&mut player, &permit(number))[0]["permit"], true);
        if number == 16_384 {
            full = size(&player);
        }
    }
    assert!(size(&player) < full + full / 20, "{full} has grown to {}", size(&player));
    // The oldest is forgotten, and what comes under it is late; one that is held counts.
    let failed = |number: usize| {
        let permit = format!("p-{number}");
        json!({ "outcome": { "dependency": "quota", "result": "timeout", "permit": permit } })
    };
    assert!(play(&mut player, &failed(0)).is_empty());
    assert!(play(&mut player, &failed(70_000 - 16_384 - 1)).is_empty());
    let printed = play(&mut player, &failed(70_000 - 16_384));
    assert_eq!(printed[0]["event"]["to"], "down");
}

#[test]
fn law_13_bounded_requests() {
    let matrix = matrix();
    let mut player = Player::new(&matrix);
    let named = |number: usize, fault: bool| {
        let mut decide = json!({ "operation": "ask", "request": format!("r-{number}"), "tenant": "t" });
        if fault {
            decide["faults"] = json!({ "quota": "refused" });
        }
        json!({ "decide": decide })
    };
    let mut full = 0;
    for number in 0..20_000 {
        assert_eq!(play(&mut player, &named(number, true))[0]["decision"]["verdict"], "deny");
        if number == 16_384 {
            full = size(&player);
        }
    }
    assert!(size(&player) < full + full / 20, "{full} has grown to {}", size(&player));
    // One that is held knows that it was refused; the one that was forgotten is a new request.
    let verdict =
        |player: &mut Player, number| play(player, &named(number, false))[0]["decision"]["verdict"].clone();
    assert_eq!(verdict(&mut player, 20_000 - 16_384), "deny");
    assert_eq!(verdict(&mut player, 20_000 - 16_384 - 1), "allow");
}

#[test]
fn law_13_bounded_sources_of_advice() {
    let matrix = matrix();
    let mut player = Player::new(&matrix);
    let advice = |source: usize, health: &str| json!({ "advice": { "source": format!("s-{source:05}"), "dependency": "quota", "health": health } });
    let mut full = 0;
    for source in 0..20_000 {
        play(&mut player, &advice(source, "down"));
        if source == 16 {
            full = size(&player);
        }
    }
    assert!(size(&player) < full + 500, "{full} has grown to {}", size(&player));
    // The last sixteen are heard: when they take it back, nothing is left of the others.
    for source in 20_000 - 16..20_000 {
        play(&mut player, &advice(source, "healthy"));
    }
    let health = play(&mut player, &json!({ "health": { "dependency": "quota" } }));
    assert_eq!(health[0]["health"], "unknown");
}

#[test]
fn law_13_bounded_a_tenants_name_costs_the_same_however_long() {
    let matrix = matrix();
    let cost = |tenant: &str| {
        let mut player = Player::new(&matrix);
        play(&mut player, &json!({ "decide": { "operation": "ask", "tenant": tenant, "session": tenant } }));
        size(&player)
    };
    assert!(cost(&"t".repeat(4_000)) < cost("t") + 200);
}
