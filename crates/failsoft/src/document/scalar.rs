//! Single values: their types, ranges and spellings.

use failsoft_core::{INTEGER_MAX, nearest, suggestion};

use super::check::{Checker, example};
use super::checked::Checked;
use super::codes;
use super::collect::{At, shown};
use super::keys::Kind;
use super::node::{Node, Value};

/// A name may be so many bytes long.
const NAME_MOST: usize = 128;

impl Checker<'_> {
    /// A value that holds no others.
    pub(crate) fn scalar(&mut self, node: &Node, kind: &Kind, at: &At<'_>) -> Checked {
        match (kind, &node.value) {
            (Kind::Spec, Value::Integer(1)) => Checked::Integer(1),
            (Kind::Spec, Value::Integer(number)) => {
                let what = format!("this document is of spec {number}, and this version reads spec 1");
                self.report(codes::UNSUPPORTED_SPEC, node, at, what, Some("write `spec = 1`".into()))
            }
            (Kind::Integer { min, max }, Value::Integer(number)) => {
                if (min..=max).contains(&number) {
                    return Checked::Integer(*number);
                }
                let what = format!("{} is {number}, which is out of range", at.subject());
                let help = match *max {
                    INTEGER_MAX => format!("write {min} or more"),
                    max => format!("write {min} to {max}"),
                };
                self.report(codes::OUT_OF_RANGE, node, at, what, Some(help))
            }
            (Kind::Duration { min, max }, Value::Text(text)) => self.duration(node, text, *min, *max, at),
            (Kind::Name, Value::Text(text)) => {
                let good = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
                self.spelled(node, text, good, "letters, digits, `_`, `.` and `-`", at)
            }
            (Kind::Word, Value::Text(text)) => {
                self.spelled(node, text, |byte| byte.is_ascii_graphic(), "printable ASCII without spaces", at)
            }
            (Kind::Line, Value::Text(text)) => {
                let good = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
                self.spelled(node, text, good, "printable ASCII", at)
            }
            (Kind::Text | Kind::Scalar, Value::Text(text)) => Checked::Text(text.clone()),
            (Kind::Choice(names), Value::Text(text)) => self.choice(node, text, &names(), at),
            (Kind::OrOff(_), Value::Text(text)) if text == "off" => Checked::Text(text.clone()),
            (Kind::OrOff(of), _) if self.fits(node, of) && !almost_off(node) => self.scalar(node, of, at),
            (Kind::Bool | Kind::Scalar, Value::Bool(value)) => Checked::Bool(*value),
            (Kind::Scalar, Value::Integer(number)) => Checked::Integer(*number),
            (Kind::Share, Value::Integer(number)) => {
                if (1..=100).contains(number) {
                    return Checked::Integer(*number);
                }
                let what = format!("{} is {number}, and a percentage is 1 to 100", at.subject());
                let help = Some("write 1 to 100, or `\"per_instance\"`".into());
                self.report(codes::OUT_OF_RANGE, node, at, what, help)
            }
            (Kind::Share, Value::Text(text)) => self.choice(node, text, &["per_instance"], at),
            (Kind::MeterKey, Value::List(items)) => self.meter_key(node, items, at),
            _ => self.wrong_type(node, kind, at),
        }
    }

    /// Whether a value is of the type that is meant, so that a mistake in it can be told as one of that kind.
    fn fits(&self, node: &Node, kind: &Kind) -> bool {
        matches!(
            (kind, &node.value),
            (Kind::Duration { .. }, Value::Text(_)) | (Kind::Integer { .. }, Value::Integer(_))
        )
    }

    pub(crate) fn wrong_type(&mut self, node: &Node, kind: &Kind, at: &At<'_>) -> Checked {
        if matches!(node.value, Value::Bad) {
            return Checked::Spoilt;
        }
        let what = format!("{} takes {}, and this is {}", at.subject(), expected(kind), node.type_name());
        let help = match kind {
            Kind::Duration { .. } => {
                "write a whole number and a unit in quotes: `\"250ms\"`, `\"5s\"`, `\"2m\"`, `\"24h\"` or `\"7d\"`".into()
            }
            Kind::OrOff(_) if almost_off(node) => "did you mean `\"off\"`?".into(),
            Kind::OrOff(of) => format!("write for example `{}`, or `\"off\"`", example(of)),
            Kind::Choice(names) => format!("write one of `\"{}\"`", names().join("\"`, `\"")),
            _ => format!("write for example `{}`", example(kind)),
        };
        self.report(codes::WRONG_TYPE, node, at, what, Some(help))
    }

    fn duration(&mut self, node: &Node, text: &str, min: u64, max: u64, at: &At<'_>) -> Checked {
        let Some(millis) = millis(text) else {
            let what = format!("{} is no duration", shown(text));
            let help = "write a whole number and one of `ms`, `s`, `m`, `h`, `d`, such as `\"250ms\"`";
            return self.report(codes::BAD_DURATION, node, at, what, Some(help.into()));
        };
        match millis {
            Some(millis) if (min..=max).contains(&millis) => Checked::Millis(millis),
            _ => {
                let what = format!("{} is {}, which is out of range", at.subject(), shown(text));
                let help = match max {
                    INTEGER_MAX => format!("write {min}ms to {INTEGER_MAX}ms"),
                    max => format!("write {min}ms to {}m", max.checked_div(60_000).unwrap_or(max)),
                };
                self.report(codes::OUT_OF_RANGE, node, at, what, Some(help))
            }
        }
    }

    fn spelled(
        &mut self,
        node: &Node,
        text: &str,
        good: impl Fn(u8) -> bool,
        set: &str,
        at: &At<'_>,
    ) -> Checked {
        let fault = if text.is_empty() {
            "is empty".to_owned()
        } else if text.len() > NAME_MOST {
            format!("is {} bytes long", text.len())
        } else if let Some(bad) = text.chars().find(|character| !u8::try_from(*character).is_ok_and(&good)) {
            format!("holds {}", shown(&bad.to_string()))
        } else {
            return Checked::Text(text.to_owned());
        };
        let what = match text {
            "" => "a name is empty".to_owned(),
            _ => format!("{} can't be a name: it {fault}", shown(text)),
        };
        let help = Some(format!("write 1 to {NAME_MOST} of {set}"));
        self.report(codes::BAD_NAME, node, at, what, help)
    }

    fn choice(&mut self, node: &Node, text: &str, names: &[&'static str], at: &At<'_>) -> Checked {
        if names.contains(&text) {
            return Checked::Text(text.to_owned());
        }
        if self.collector.only_counts() {
            return Checked::Spoilt;
        }
        let what = format!("{} can't be {}", at.subject(), shown(text));
        // Thirteen at most: a choice of a dozen names is short enough to show.
        let help = suggestion(text, names.iter().copied())
            .or_else(|| Some(format!("one of `{}`", names.join("`, `"))));
        self.report(codes::UNKNOWN_VALUE, node, at, what, help)
    }

    fn meter_key(&mut self, node: &Node, items: &[Node], at: &At<'_>) -> Checked {
        if items.iter().any(|item| matches!(item.value, Value::Bad)) {
            return Checked::Spoilt;
        }
        let texts: Vec<&str> = items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if texts.len() == items.len() && (texts == ["tenant"] || texts == ["tenant", "session"]) {
            return Checked::List(texts.into_iter().map(|text| Checked::Text(text.to_owned())).collect());
        }
        let what = "a meter counts by tenant, or by tenant and session".to_owned();
        let help = Some("write `[\"tenant\"]` or `[\"tenant\", \"session\"]`".into());
        self.report(codes::UNKNOWN_VALUE, node, at, what, help)
    }
}

fn almost_off(node: &Node) -> bool {
    matches!(&node.value, Value::Text(text) if nearest(text, ["off"]).is_some())
}

/// The milliseconds of a duration: nothing where the text is none, nothing inside where they are too many to count.
fn millis(text: &str) -> Option<Option<u64>> {
    let digits_end = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    let (digits, unit) = text.split_at_checked(digits_end)?;
    if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
        return None;
    }
    let factor: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)))
}

fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Spec | Kind::Integer { .. } => "a whole number",
        Kind::Duration { .. } => "a duration",
        Kind::Bool => "a boolean",
        Kind::OrOff(kind) if kind.is_duration() => "a duration or `\"off\"`",
        Kind::OrOff(_) => "a whole number or `\"off\"`",
        Kind::Name => "a name",
        Kind::Word | Kind::Line | Kind::Text | Kind::Choice(_) => "a string",
        Kind::Scalar => "a boolean, a whole number or a string",
        Kind::Share => "`\"per_instance\"` or a whole percentage",
        Kind::MeterKey | Kind::List { .. } => "a list",
        Kind::Table(_) | Kind::Map { .. } => "a table",
        Kind::Rung(_) => "a rung, which is a table with its kind as the one key",
        Kind::Deny => "a table of settings or `true`",
    }
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn durations_are_a_whole_number_and_one_unit() {
        let good = [
            ("0ms", 0),
            ("250ms", 250),
            ("5s", 5_000),
            ("10m", 600_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
            ("9007199254740991ms", 9_007_199_254_740_991),
        ];
        for (text, expected) in good {
            assert_eq!(millis(text), Some(Some(expected)), "{text}");
        }
        for text in
            ["", "5", "s", "05s", "1.5s", "-1s", "+1s", "1 s", "1S", "1m30s", " 1s", "1s ", "1us", "١s"]
        {
            assert_eq!(millis(text), None, "{text}");
        }
        assert_eq!(millis("99999999999999999999d"), Some(None));
        assert_eq!(millis("9007199254740991d"), Some(None));
    }
}
