//! Windows in words.

use failsoft::{AccountRow, Matrix, Way, WindowAccount};

use crate::words::{counted, length, name, thousands};

/// So many tenants are told each; whoever wants all of them asks for JSON.
const TENANTS: usize = 5;

/// `rung 0 local_meter`, `break_glass`.
pub(super) fn way(way: Way) -> String {
    match way.rung() {
        Some(rung) => format!("rung {rung} {}", way.kind()),
        None => way.kind().to_owned(),
    }
}

/// What went through: a line for all, then one each for those that had most. Never empty.
pub(super) fn account(matrix: &Matrix, account: &WindowAccount) -> Vec<String> {
    let ways = account.decisions.iter().map(|(way, requests)| {
        let requests = usize::try_from(*requests).unwrap_or(usize::MAX);
        format!("{} by {}", thousands(requests), self::way(*way))
    });
    let ways: Vec<String> = ways.collect();
    let ways = if ways.is_empty() { String::new() } else { format!(": {}", ways.join(", ")) };
    let mut lines = vec![format!("{}, {}{ways}", length(account.duration), row(matrix, &account.total))];
    let mut tenants: Vec<_> = account.tenants.iter().collect();
    tenants.sort_by_key(|(tenant, row)| (std::cmp::Reverse(row.requests), tenant.clone()));
    let more = tenants.len().saturating_sub(TENANTS);
    tenants.truncate(TENANTS);
    lines.extend(tenants.iter().map(|(tenant, row)| match tenant.as_ref() {
        "" => format!("no tenant: {}", self::row(matrix, row)),
        tenant => format!("{}: {}", name(tenant), self::row(matrix, row)),
    }));
    if more > 0 {
        lines.push(format!("and {} more", counted(more, "tenant", "tenants")));
    }
    if account.others.requests > 0 {
        lines.push(format!("others: {}", row(matrix, &account.others)));
    }
    lines
}

/// `3 requests (spend 3,000)`.
fn row(matrix: &Matrix, row: &AccountRow) -> String {
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let amount =
        |(meter, amount): &(_, u64)| format!("{} {}", matrix.meter_name(*meter), thousands(number(*amount)));
    let amounts: Vec<String> = row.amounts.iter().map(amount).collect();
    let amounts = if amounts.is_empty() { String::new() } else { format!(" ({})", amounts.join(", ")) };
    format!("{}{amounts}", counted(number(row.requests), "request", "requests"))
}
