//! The keys of the document: every table but those of the rungs.

use failsoft_core::limits;

use super::health_table::HEALTH;
use super::keys::{
    Default, Form, Key, Kind, Place, Table, conditions, effects, enforcements, faults, healths, meter_modes,
    postures, roles, silenced, stages, verdicts,
};

/// Entries of a list inside a rung.
pub(crate) const LIST_MOST: usize = limits::LIST;
const NAME: Kind = Kind::Name;

const fn list(of: &'static Kind, min: usize, max: usize) -> Kind {
    Kind::List { of, min, max, form: Form::AsWritten }
}

const fn set(of: &'static Kind) -> Kind {
    Kind::List { of, min: 1, max: LIST_MOST, form: Form::Set }
}

const fn named(of: &'static Kind, max: usize) -> Kind {
    Kind::Map { of, keys: &NAME, min: 0, max }
}

/// The document itself.
pub(crate) static MATRIX: Table = Table {
    title: "a matrix",
    doc: "A failsoft matrix: what an operation may still do when something it depends on has failed.",
    one_of: &[],
    keys: &[&[
        Key::new("spec", Kind::Spec, "The version of the specification that the document follows.")
            .required(),
        Key::new("name", NAME, "What the matrix is called; part of its identity.").required(),
        Key::new("revision", Kind::WHOLE, "The author's own count of its changes.")
            .default(Default::Integer(1)),
        Key::new(
            "classes",
            list(&NAME, 1, limits::CLASSES),
            "Classes of traffic; a request without one is of the first.",
        )
        .default(Default::Words(&["default"])),
        Key::new("signal_ttl", Kind::SPAN, "How long advice and the told number of instances stand.")
            .default(Default::Millis(60_000, "60s")),
        Key::new("window_idle", Kind::SPAN, "How long after its last pass a window may close.")
            .default(Default::Millis(5_000, "5s")),
        Key::new(
            "tenants",
            Kind::Integer { min: 0, max: limits::TENANTS },
            "How many tenants a window's account counts each; all others share a row.",
        )
        .default(Default::Integer(1_024)),
        Key::new(
            "dependency",
            named(&Kind::Table(&DEPENDENCY), limits::DEPENDENCIES),
            "What the host calls.",
        )
        .default(Default::Empty),
        Key::new(
            "operation",
            named(&Kind::Table(&OPERATION), limits::OPERATIONS),
            "What the host wants to do.",
        )
        .default(Default::Empty),
        Key::new("meter", named(&Kind::Table(&METER), limits::METERS), "Quotas and budgets.")
            .default(Default::Empty),
        Key::new(
            "parameter",
            named(&Kind::Table(&PARAMETER), limits::PARAMETERS),
            "Values that can be bound at load.",
        )
        .default(Default::Empty),
        Key::new(
            "invariant",
            list(&Kind::Table(&INVARIANT), 0, limits::INVARIANTS),
            "Promises to be proven.",
        )
        .default(Default::Empty),
        Key::new(
            "silence",
            list(&Kind::Table(&SILENCE), 0, limits::SILENCES),
            "Findings of `failsoft check` that are not told, each with the reason.",
        )
        .default(Default::Empty),
    ]],
};

static DEPENDENCY: Table = Table {
    title: "a dependency",
    doc: "What the host calls: a policy service, a provider, Redis, a KMS.",
    one_of: &[],
    keys: &[&[
        Key::new(
            "role",
            Kind::Choice(roles),
            "Whether its yes is needed (`guard`), its result (`serve`), or whether it only watches (`observe`).",
        )
        .required(),
        Key::new(
            "stage",
            Kind::Choice(stages),
            "Where in the pipeline it stands; a guard at `admit`, a server at `dispatch`, an observer at `persist`.",
        ),
        Key::new(
            "deadline",
            Kind::Duration { min: 1, max: 600_000 },
            "How long a call may take, at most 10m; required of guards and servers.",
        ),
        Key::new("health", Kind::Table(&HEALTH), "How its health is judged.").default(Default::Empty),
        Key::new(
            "on_failure",
            list(&Kind::Rung(Place::Ladder), 0, limits::RUNGS),
            "The ladder, read from the top when it has failed; one that runs out denies.",
        )
        .default(Default::Empty),
        Key::new("on_refusal", Kind::Rung(Place::Refusal), "What happens when it says no; a deny with 403 if absent."),
        Key::new("break_glass", Kind::Table(&BREAK_GLASS), "That an operator may skip this guard, and for how long."),
    ]],
};

static BREAK_GLASS: Table = Table {
    title: "a break-glass table",
    doc: "That an operator may skip this guard.",
    one_of: &[],
    keys: &[&[
        Key::new("max_duration", Kind::SOME_TIME, "The longest that it may be skipped for.").required()
    ]],
};

static OPERATION: Table = Table {
    title: "an operation",
    doc: "What the host wants to do, and which dependencies it needs.",
    one_of: &[],
    keys: &[&[
        Key::new(
            "needs",
            list(&NAME, 0, limits::NEEDS),
            "The dependencies that it needs, in pipeline order.",
        )
        .required(),
        Key::new("effect", Kind::Choice(effects), "Whether it reads, writes, or can't be taken back.")
            .default(Default::Word("write")),
        Key::new("deadline", Kind::SPAN, "How long it may take in all."),
        Key::new(
            "max_unchecked",
            Kind::WHOLE,
            "Deny when more than so many guards would be passed unchecked.",
        ),
        Key::new(
            "enforcement",
            Kind::Choice(enforcements),
            "`shadow`: decided, counted and told, and the host goes on whatever the decision says.",
        )
        .default(Default::Word("enforce")),
        Key::new(
            "refuse",
            list(&Kind::Table(&REFUSE), 0, limits::REFUSE_RULES),
            "What is refused before any need is looked at.",
        )
        .default(Default::Empty),
    ]],
};

static REFUSE: Table = Table {
    title: "a refuse rule",
    doc: "A condition on the request's attributes, and the denial that follows.",
    one_of: &[],
    keys: &[&[
        Key::new("when", Kind::Table(&REFUSE_WHEN), "Conditions on attributes, all of which must hold.")
            .required(),
        Key::new("deny", Kind::Deny, "The answer: 403 `REFUSED` where nothing else is written.")
            .default(Default::Empty),
    ]],
};

static REFUSE_WHEN: Table = Table {
    title: "the condition of a refuse rule",
    doc: "Conditions on attributes; all that are given must hold.",
    one_of: &["present", "equals", "same"],
    keys: &[&[
        Key::new("present", Kind::Text, "This attribute is there, be it empty."),
        Key::new(
            "equals",
            Kind::Map { of: &Kind::Text, keys: &Kind::Text, min: 1, max: LIST_MOST },
            "These attributes have these values.",
        ),
        Key::new(
            "same",
            list(&Kind::Text, 2, 2),
            "These two attributes have the same value, or one is missing.",
        ),
    ]],
};

static METER: Table = Table {
    title: "a meter",
    doc: "A quota or a budget.",
    one_of: &[],
    keys: &[&[
        Key::new("store", NAME, "The guard that keeps the shared count.").required(),
        Key::new("key", Kind::MeterKey, "Whose amounts are counted together.")
            .default(Default::Words(&["tenant"])),
        Key::new("mode", Kind::Choice(meter_modes), "What happens at its limit.")
            .default(Default::Word("block")),
        Key::new(
            "capacity",
            Kind::Integer { min: 1, max: 1_000_000 },
            "How many keys this instance counts at a time.",
        )
        .default(Default::Integer(10_000)),
        Key::new("limit", Kind::WHOLE, "The most that may pass in a period."),
        Key::new("window", Kind::SOME_TIME, "How long a period lasts from its first amount."),
        Key::new("max_instances", Kind::WHOLE, "The most instances there ever are."),
        Key::new(
            "max_unreported",
            Kind::WHOLE,
            "How much of a key an instance lets through before the store's count has it: the host's promise.",
        ),
    ]],
};

static PARAMETER: Table = Table {
    title: "a parameter",
    doc: "A value that can be bound at load.",
    one_of: &[],
    keys: &[&[Key::new(
        "default",
        Kind::Scalar,
        "The value where none is bound; what is bound has its type.",
    )
    .required()]],
};

static INVARIANT: Table = Table {
    title: "an invariant",
    doc: "A promise about an operation, to be proven.",
    one_of: &["verdict", "posture", "obligation", "never"],
    keys: &[&[
        Key::new("operation", NAME, "The operation that it speaks of.").required(),
        Key::new(
            "when",
            Kind::Map { of: &Kind::Choice(conditions), keys: &NAME, min: 0, max: limits::DEPENDENCIES },
            "What is known of dependencies; what is not named takes every value.",
        )
        .default(Default::Empty),
        Key::new("verdict", Kind::Choice(verdicts), "The loosest verdict permitted."),
        Key::new(
            "posture",
            Kind::Choice(postures),
            "The most open posture permitted of a request that goes on.",
        ),
        Key::new("obligation", Kind::Word, "An obligation that must stand where the request goes on."),
        Key::new("never", Kind::Choice(verdicts), "A verdict that must never come out."),
    ]],
};

static SILENCE: Table = Table {
    title: "a silence",
    doc: "A finding of `failsoft check` that is not told.",
    one_of: &[],
    keys: &[&[
        Key::new("code", Kind::Choice(silenced), "The code of the finding; errors can't be silenced.")
            .required(),
        Key::new("at", Kind::Text, "Its place, as `failsoft check` tells it.").required(),
        Key::new("reason", Kind::Text, "Why it is meant so.").required(),
    ]],
};

/// What a rung is narrowed to.
pub(crate) static WHEN: Table = Table {
    title: "the `when` of a rung",
    doc: "What the rung is narrowed to; every key given must match.",
    one_of: &[],
    keys: &[&[
        Key::new("fault", set(&Kind::Choice(faults)), "Fault classes."),
        Key::new("health", set(&Kind::Choice(healths)), "States of the dependency's health."),
        Key::new("effect", set(&Kind::Choice(effects)), "Effects of the operation."),
        Key::new("stage", set(&Kind::Choice(stages)), "Stages at which the request asks."),
        Key::new("operation", set(&NAME), "Operations."),
        Key::new("class", set(&NAME), "Classes of traffic."),
        Key::new(
            "parameter",
            named(&Kind::Scalar, LIST_MOST),
            "Parameters and the values that they must have.",
        ),
    ]],
};
