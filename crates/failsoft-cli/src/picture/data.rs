//! What the page's script reads: all that is kept, as JSON in which nothing is markup.

use serde_json::{Value, json};

use super::Picture;
use super::lane::Lane;
use super::span::{Body, HEALTHS, Kind, POSTURES, Span, VERDICTS};
use super::strip::HEIGHTS;

/// The data block. In it `<` is written as an escape, so that no text can end the block or begin another.
pub(super) fn json(picture: &Picture, (from, to): (i64, i64)) -> String {
    let answers: Vec<Value> = picture
        .answers
        .all
        .items()
        .map(|answer| {
            let flags = u8::from(answer.preview) + 2 * u8::from(!answer.enforced);
            json!([answer.head, answer.reasons, answer.obligations, answer.emits, flags])
        })
        .collect();
    let states = json!({
        "health": HEALTHS.map(|health| health.as_str()),
        "posture": POSTURES.map(|posture| posture.as_str()),
        "verdict": VERDICTS.map(|verdict| verdict.as_str()),
        "told": super::TOLD,
    });
    let heights: Vec<[u8; 5]> = HEIGHTS.to_vec();
    let lanes: Vec<Value> = picture.lanes().map(lane).collect();
    let words: Vec<&str> = picture.words.items().map(|word| &**word).collect();
    let data = json!({
        "from": from, "to": to, "states": states, "heights": heights, "words": words, "answers": answers,
        "lanes": lanes,
    });
    data.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// A lane's kind as a number: the place of its heights.
pub(super) fn number(kind: Kind) -> u8 {
    match kind {
        Kind::Health => 0,
        Kind::Operation => 1,
        Kind::Window => 2,
        Kind::Told => 3,
    }
}

fn lane(lane: &Lane) -> Value {
    let spans: Vec<Value> = lane.spans().iter().map(span).collect();
    json!({ "kind": number(lane.kind), "name": lane.name, "spans": spans })
}

/// `[from, to, state, count, body, parts, tally]`; the last two where spans were merged.
fn span(span: &Span) -> Value {
    let or_none = |number: Option<u32>| number.map_or(-1, i64::from);
    let body = match &span.body {
        Body::Health { said, given: 0, held: 0 } | Body::Told { said } => json!(or_none(*said)),
        Body::Health { said, given, held } => json!([or_none(*said), given, held]),
        Body::Answer { answer, who, retry: None } => json!([or_none(*answer), or_none(*who)]),
        Body::Answer { answer, who, retry } => json!([or_none(*answer), or_none(*who), retry]),
        Body::Window(window) => window.json(),
    };
    if span.parts == 1 {
        return json!([span.from, span.to, span.state, span.count, body]);
    }
    json!([span.from, span.to, span.state, span.count, body, span.parts, span.tally])
}
