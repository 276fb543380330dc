// What stood at a moment: shown beside the lanes, and said in a sentence.
// A name of a stranger keeps its direction of writing to itself.
const isolated = (name) => `\u2068${name}\u2069`;
const word = (number) => (number >= 0 ? data.words[number] : "");

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (name) element.className = name;
  return element;
}

function mixture(kind, span) {
  const what = [["change", "changes"], ["decision", "decisions"], ["window", "windows"], ["line", "lines"]][kind];
  const parts = (span[6] ?? []).filter(([, amount]) => amount > 0).map(([state, amount]) =>
    `${stateName(kind, state)} ${kind === HEALTH ? length(amount) : amount.toLocaleString("en")}`);
  return `mixed: ${counted(span[3], ...what)}, worst ${stateName(kind, span[2])} (${parts.join(", ")})`;
}

// All that is known of a span, as lines of text; the first is its head.
function lines(lane, span) {
  const [from, to, state, count, body, parts] = span;
  const until = to > from ? `${clock(from)} to ${clock(to)}` : clock(from);
  if (lane.kind === HEALTH) {
    const [said, given, held] = Array.isArray(body) ? body : [body, 0, 0];
    const out = [`${lane.name}: ${parts ? mixture(HEALTH, span) : stateName(HEALTH, state)}, ${until}`];
    if (said >= 0) out.push(word(said));
    if (given + held) out.push(`${counted(given, "call", "calls")} let through, ${held.toLocaleString("en")} held back`);
    return out;
  }
  if (lane.kind === OPERATION) {
    const [number, who, retry] = body, answer = data.answers[number];
    const again = retry === undefined ? "" : `, again in ${length(retry)}`;
    const out = [`${lane.name}: ${stateName(OPERATION, state)} ${answer ? word(answer[0]) : ""}${again}`];
    const flags = answer ? ["", " (preview)", " (shadow: not obeyed)", " (preview of a shadow)"][answer[4]] : "";
    let whose = `${who >= 0 ? `${isolated(word(who))}, ` : ""}${until}${flags}`;
    if (parts) whose += `; ${mixture(OPERATION, span)}`;
    else if (count > 1) whose += `, and ${(count - 1).toLocaleString("en")} more like this`;
    out.push(whose);
    if (answer) {
      out.push(...answer[1].map(word));
      if (answer[2].length) out.push(`do ${answer[2].map(word).join(", ")}`);
      if (answer[3].length) out.push(`tell ${answer[3].map(word).join(", ")}`);
    }
    return out;
  }
  if (lane.kind === WINDOW) {
    const closed = body.closed === null ? `open since ${clock(from)}` : until;
    const out = [`${lane.name}: ${parts ? mixture(WINDOW, span) : "window"}, ${closed}`];
    for (const [at, , said] of body.marks) out.push(`${clock(at)} ${said}`);
    const account = body.account;
    if (account) {
      const amounts = account.amounts.map(([meter, amount]) => `${meter} ${amount.toLocaleString("en")}`);
      const when = body.closed === null ? "at the end of the trace" : "when it closed";
      out.push(`${when} ${[counted(account.requests, "request", "requests"), ...amounts].join(", ")}`);
      const each = (rows) => rows.map(([name, requests]) => `${isolated(name)} ${requests.toLocaleString("en")}`);
      const more = account.tenants.length - 5 + account.more[0];
      const whom = [...each(account.tenants.slice(0, 5)), ...(more > 0 ? [`${more.toLocaleString("en")} more`] : []),
        ...(account.others ? each([["others", account.others]]) : [])];
      if (account.rungs.length) out.push(`by ${each(account.rungs).join(", ")}`);
      if (whom.length) out.push(`for ${whom.join(", ")}`);
    }
    return out;
  }
  return [`${clock(from)} ${stateName(3, state)}: ${parts ? mixture(3, span) : ""}`, word(body)];
}

// The spans of a lane that stand at t; of decisions and other lines also those before, marked as past.
function standing(lane, t) {
  const found = [];
  const last = place(lane.spans, t);
  for (let i = last; i >= 0 && found.length < 24; i--) {
    const span = lane.spans[i];
    const past = span[1] < t || (span[1] === t && lane.kind === HEALTH && i !== last);
    if (past && lane.kind === OPERATION && i === last) found.unshift({ span, past: true });
    if (past) break;
    found.unshift({ span, past: false });
    if (lane.kind === HEALTH) break;
  }
  return found;
}

function part(title, items) {
  if (!items.length) return [];
  const list = make("ul");
  list.append(...items);
  return [make("h3", title), list];
}

function item(lane, { span, past }) {
  const [head, ...more] = lines(lane, span);
  const element = make("li", "", past ? "past" : "");
  element.append(make("b", past ? `before: ${head}` : head), ...(past ? more.slice(0, 1) : more).map((line) => make("small", line)));
  return element;
}

// `down: kms, quota` and so on, the worst first.
function healths(t) {
  const groups = new Map();
  for (const lane of lanes.filter((lane) => lane.kind === HEALTH)) {
    const [found] = standing(lane, t);
    if (!found) continue;
    const state = found.span[2], name = `${mixed(found.span) ? "at worst " : ""}${stateName(HEALTH, state)}`;
    if (!groups.has(name)) groups.set(name, { order: rank(HEALTH, state), state, names: [] });
    groups.get(name).names.push(lane.name);
  }
  return [...groups].sort(([, left], [, right]) => right.order - left.order);
}

let asked = 0;
function showMoment() {
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => {
    const t = moment, of = (kind) => lanes.filter((lane) => lane.kind === kind);
    const all = (kind) => of(kind).flatMap((lane) => standing(lane, t).map((found) => ({ lane, ...found })));
    const told = all(3), windows = all(WINDOW), answers = all(OPERATION);
    const groups = healths(t);
    const begun = of(HEALTH).flatMap((lane) => standing(lane, t).filter(({ span }) => span[0] === t && span[3] > 0)
      .map(({ span }) => lines(lane, span)[1] ?? lines(lane, span)[0]));
    answers.sort((left, right) => rank(OPERATION, right.span[2]) - rank(OPERATION, left.span[2]));
    const now = answers.filter(({ past }) => !past), past = answers.filter(({ past }) => past);
    const health = groups.map(([name, { state, names }]) => {
      const element = make("li");
      element.append(make("b", `${name} ${names.length}: `), make("span", names.join(", ")));
      element.dataset.state = state;
      return element;
    });
    $("now").replaceChildren(
      ...part("What changed", begun.map((line) => make("li", line))),
      ...part("Decisions", [...now, ...past].map(({ lane, ...found }) => item(lane, found))),
      ...part("Health", health),
      ...part("Windows", windows.map(({ lane, ...found }) => item(lane, found))),
      ...part("Other events", told.map(({ lane, ...found }) => item(lane, found))),
    );
    $("say").replaceChildren(make("b", clock(t)), ` ${sentence(begun, groups, now, windows)}`);
    $("clock").textContent = clock(t);
  });
}

function sentence(begun, groups, now, windows) {
  const said = [...begun.slice(0, 3)];
  if (begun.length > 3) said.push(`and ${counted(begun.length - 3, "change", "changes")} more`);
  for (const { lane, span } of now.slice(0, 3)) said.push(lines(lane, span)[0]);
  if (now.length > 3) said.push(`and ${counted(now.length - 3, "decision", "decisions")} more`);
  const bad = groups.filter(([, { order }]) => order > 1);
  for (const [name, { names }] of bad) {
    said.push(names.length > 4 ? `${names.length} ${name}` : `${name}: ${names.join(", ")}`);
  }
  if (!bad.length) said.push("no health is known to be bad");
  if (windows.length) said.push(`${counted(windows.length, "window", "windows")} open`);
  return `${said.join("; ")}.`;
}
