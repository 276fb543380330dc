//! An account is bounded (WIN-4, LAW-13), whatever tenants do.

use failsoft::draft::CapDraft;
use failsoft::{Fault, Time};
use fastrand::Rng;

use crate::desk::{Desk, guard, matrix, open_rung};
use crate::play::pick;

#[test]
fn a_hundred_thousand_tenants_have_no_more_rows_than_there_may_be() {
    for (tenants, seed) in [(0, 1), (1, 2), (1_024, 3)] {
        let matrix = matrix(1_000_000, vec![guard("g", vec![open_rung()])], |draft| draft.tenants = tenants);
        let mut desk = Desk::new(&matrix);
        let mut rng = Rng::with_seed(seed);
        let mut first = Vec::new();
        let commit = |desk: &mut Desk<'_>, tenant: &str, at: i64| {
            let mut request = desk.request(tenant);
            request.set_unfinished();
            desk.failed(&mut request, "g", Fault::Timeout, at);
            desk.commit(&mut request, at);
        };
        for number in 0..100_000_u64 {
            let tenant = format!("tenant {:x} {number}", rng.u32(..));
            commit(&mut desk, &tenant, i64::try_from(number).expect("small"));
            if number < tenants {
                first.push(tenant);
            }
        }
        // Those that have a row keep it, and nobody else gets one.
        first.iter().for_each(|tenant| commit(&mut desk, tenant, 100_000));
        let account = desk.window("g", 100_000).expect("it is open");
        first.sort_unstable();
        let rows: Vec<&str> = account.tenants.iter().map(|(tenant, _)| tenant.as_ref()).collect();
        assert_eq!(rows, first);
        assert!(account.tenants.iter().all(|(_, row)| row.requests == 2), "each asked twice");
        assert_eq!(account.others.requests, 100_000 - tenants);
        assert_eq!(account.total.requests, 100_000 + tenants);
        // What is kept is what is told: no name beside the rows is in a snapshot.
        let saved = desk.state.save(&matrix, Time::from_millis(100_000));
        let text = failsoft::snapshot::to_json(&saved).to_string();
        assert_eq!(text.matches("tenant ").count(), first.len());
        assert!(text.len() < 400 + 120 * first.len(), "{} bytes", text.len());
    }
}

/// In bytes, not in letters; and a name that is too long is one of the others however much room there is.
#[test]
fn a_name_that_is_too_long_goes_to_others() {
    let matrix = matrix(1_000_000, vec![guard("g", vec![open_rung()])], |_| {});
    let mut desk = Desk::new(&matrix);
    let mut commit = |tenant: &str| {
        let mut request = desk.request(tenant);
        desk.failed(&mut request, "g", Fault::Timeout, 1);
        desk.commit(&mut request, 1);
        let account = desk.window("g", 1).expect("it is open");
        (account.tenants.len(), account.others.requests)
    };
    assert_eq!(commit(&"x".repeat(4_096)), (1, 0));
    assert_eq!(commit(&"x".repeat(4_097)), (1, 1));
    assert_eq!(commit(&"\u{e9}".repeat(2_048)), (2, 1));
    assert_eq!(commit(&"\u{e9}".repeat(2_049)), (2, 2));
    assert_eq!(commit(&"x".repeat(1 << 20)), (2, 3));
    assert_eq!(commit(""), (3, 3), "who tells no name is a tenant too");
    let saved = failsoft::snapshot::to_json(&desk.state.save(&matrix, Time::from_millis(1))).to_string();
    assert!(saved.len() < 10_000, "{} bytes", saved.len());
    assert!(!saved.contains(&"x".repeat(4_097)), "no longer name is held");
}

/// Who is counted in a row stays there, also where its request is finished after others took all the room.
#[test]
fn a_request_stays_in_its_row() {
    for seed in 0..300 {
        let mut rng = Rng::with_seed(seed);
        let rows = rng.usize(0..4);
        let matrix = matrix(1_000_000, vec![guard("g", vec![open_rung()])], |draft| {
            draft.tenants = u64::try_from(rows).expect("few");
            draft.meters = vec![failsoft::draft::MeterDraft::new("m", "g")];
        });
        let meter = matrix.meter("m").expect("it is there");
        let mut desk = Desk::new(&matrix);
        // By tenant, in the order of coming; the last place is that of the others.
        let (mut known, mut sums): (Vec<String>, Vec<u64>) = (Vec::new(), vec![0; rows + 1]);
        let mut out = Vec::new();
        for at in 0..60 {
            if out.is_empty() || rng.bool() {
                let tenant = pick(&mut rng, &["a", "b", "c", "d", "e"]);
                if !known.iter().any(|name| name == tenant) && known.len() < rows {
                    known.push(tenant.to_owned());
                }
                let place = known.iter().position(|name| name == tenant).unwrap_or(rows);
                let amount = rng.u64(0..9);
                let mut request = desk.request(tenant);
                request.set_amount(meter, amount);
                desk.failed(&mut request, "g", Fault::Timeout, at);
                desk.commit(&mut request, at);
                sums[place] += amount;
                // Whatever it is called later.
                request.set_tenant("somebody else");
                out.push((request, place, amount));
            } else {
                let (mut request, place, amount) = out.swap_remove(rng.usize(0..out.len()));
                let actual = rng.u64(0..9);
                desk.finish(&mut request, &[(meter, actual)], at);
                sums[place] = sums[place] + actual - amount;
            }
            let account = desk.window("g", at).expect("it is open");
            let sum = |row: &failsoft::AccountRow| row.amounts.iter().map(|(_, sum)| sum).sum::<u64>();
            for (place, name) in known.iter().enumerate() {
                let row = account.tenants.iter().find(|(tenant, _)| tenant.as_ref() == name);
                assert_eq!(row.map(|(_, row)| sum(row)), Some(sums[place]), "seed {seed} at {at}: {name}");
            }
            assert_eq!(sum(&account.others), sums[rows], "seed {seed} at {at}");
        }
    }
}

/// A request that lives long and meets many windows remembers the present one alone (LAW-13).
#[test]
fn a_request_remembers_no_window_that_has_closed() {
    let mut rung = open_rung();
    rung.cap = Some(CapDraft { requests: Some(5), amount: None, time: None, meter: None, total: false });
    let matrix = matrix(1, vec![guard("g", vec![rung])], |_| {});
    let mut desk = Desk::new(&matrix);
    let mut request = desk.request("t");
    let mut size = None;
    for at in (0..40_000).step_by(10) {
        desk.failed(&mut request, "g", Fault::Timeout, at);
        desk.commit(&mut request, at);
        // Each number takes as many letters.
        let text = format!("{request:?}").chars().filter(|letter| !letter.is_ascii_digit()).count();
        assert_eq!(*size.get_or_insert(text), text, "at {at}");
        let account = desk.window("g", at).expect("it is open");
        assert_eq!(account.total.requests, 1, "a new one each time, which counts it");
    }
}
