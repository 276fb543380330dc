// The lanes. All text comes from the data block and goes to the page as text, never as markup.
const $ = (id) => document.getElementById(id);
const data = JSON.parse($("data").textContent);
const [HEALTH, OPERATION, WINDOW] = [0, 1, 2];
const IDLE = 4;
const HIGH = 18;
const whole = { a: data.from, b: data.to };
const view = { ...whole };
let moment = data.from;

// The same order on the page and in the data.
const rows = document.querySelectorAll(".lane");
const lanes = data.lanes.map((lane, i) => ({
  ...lane, track: rows[i].querySelector(".track"), svg: rows[i].querySelector("svg"), heights: data.heights[lane.kind],
}));

const two = (n) => String(n).padStart(2, "0");
function clock(ms) {
  const all = Math.abs(ms), rest = all % 1000, seconds = Math.floor(all / 1000);
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return (ms < 0 ? "-" : "") + (h ? `${h}:${two(m)}` : m) + `:${two(s)}` + (rest ? `.${String(rest).padStart(3, "0")}` : "");
}
function length(ms) {
  if (ms && ms % 3600000 === 0) return `${ms / 3600000}h`;
  if (ms && ms % 60000 === 0) return `${ms / 60000}m`;
  return ms < 1000 && ms > 0 ? `${ms}ms` : `${ms / 1000}s`;
}
const counted = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

// How bad a state is; the same order as where the spans were merged.
const rank = (kind, state) =>
  kind === HEALTH ? [0, 1, 2, 4, 3][state] : kind === OPERATION ? (state % 4) * 4 + (state >> 2) : kind === WINDOW && state === IDLE ? -1 : state;
const look = (lane, state) => (lane.kind === OPERATION ? state % 4 : state);
const mixed = (span) => span[6] !== undefined && span[6].length > 1;
function stateName(kind, state) {
  const { health, posture, verdict, told } = data.states;
  if (kind === HEALTH) return health[state];
  if (kind === OPERATION) return `${verdict[state >> 2]} ${posture[state % 4]}`;
  return kind === WINDOW ? posture[state] : told[state];
}

// The place of the last span that begins at or before t; -1 where there is none.
function place(spans, t, time = (span) => span[0]) {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (time(spans[middle]) <= t) low = middle + 1; else high = middle;
  }
  return low - 1;
}

// What is drawn of a span: of a window its use, and the time after its last.
function pieces(lane, span) {
  const [from, to, state, , body, parts] = span;
  if (lane.kind !== WINDOW || parts || body.last === null || body.last >= to) return [[from, to, state]];
  return [[from, body.last, state], [body.last, to, IDLE]];
}

function drawLane(lane, width) {
  const scale = width / (view.b - view.a);
  const x = (t) => (t - view.a) * scale;
  const worst = new Int16Array(width).fill(-1), many = new Uint8Array(width), comb = new Uint8Array(width);
  const labels = [], marks = [];
  for (let i = Math.max(0, place(lane.spans, view.a) - 1); i < lane.spans.length; i++) {
    const span = lane.spans[i], [from, to, , , body] = span;
    if (from > view.b) break;
    if (to < view.a) continue;
    const begin = (t) => Math.min(width - 1, Math.max(0, Math.floor(x(t))));
    const end = (t, first) => Math.min(width, Math.max(Math.ceil(x(t)), first + (lane.kind === HEALTH ? 1 : 2)));
    for (const [start, stop, shown] of pieces(lane, span)) {
      const first = begin(start), last = end(stop, first);
      for (let column = first; column < last; column++) {
        const before = worst[column];
        if (before < 0 || rank(lane.kind, shown) > rank(lane.kind, before)) worst[column] = shown;
        if (many[column] < 255) many[column]++;
        if (mixed(span) || many[column] > 2) comb[column] = 1;
      }
    }
    // Another rung than before.
    if (lane.kind === WINDOW) marks.push(...body.marks.slice(1).map(([at]) => x(at)).filter((at) => at >= 0 && at < width));
    const first = begin(from), last = end(to, first);
    if (last - first > 40) label(lane, span, [first, last, width], labels);
  }
  const paths = new Map();
  const add = (name, text) => paths.set(name, (paths.get(name) ?? "") + text);
  const bar = (left, wide, high) => `M${left} ${HIGH - high}h${wide}v${high}h-${wide}z`;
  for (let left = 0; left < width;) {
    let right = left + 1;
    while (right < width && worst[right] === worst[left] && comb[right] === comb[left]) right++;
    const state = worst[left], wide = right - left;
    if (state >= 0) {
      const name = lane.kind === WINDOW && state === IDLE ? "idle" : "hppt"[lane.kind] + look(lane, state), high = lane.heights[look(lane, state)];
      if (comb[left]) {
        add(name, bar(left, wide, 2));
        for (let tooth = left; tooth < right; tooth += 5) add(name, bar(tooth, Math.min(2, right - tooth), high));
      } else add(name, bar(left, wide, high));
      if (lane.kind === OPERATION && state >= 4) add("stop", `M${left} ${HIGH}h${wide}v2h-${wide}z`);
    }
    left = right;
  }
  for (const at of marks) add("mark", bar(Math.round(at), 2, HIGH));
  lane.svg.setAttribute("viewBox", `0 0 ${width} 20`);
  lane.svg.replaceChildren(...[...paths].map(([name, d]) => {
    const path = document.createElementNS(lane.svg.namespaceURI, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    return path;
  }));
  lane.track.querySelectorAll(".lab").forEach((old) => old.remove());
  lane.track.append(...labels);
}

// A word in a bar that is wide enough, where there is something to say.
function label(lane, span, [first, last, width], labels) {
  const [, , state, count, body] = span;
  let text;
  if (mixed(span)) text = `${count.toLocaleString("en")} merged, worst ${stateName(lane.kind, state)}`;
  else if (lane.kind === HEALTH && state > 1) text = stateName(HEALTH, state);
  else if (lane.kind === OPERATION && state % 4) text = data.states.posture[state % 4];
  else if (lane.kind === WINDOW && body.account) text = counted(body.account.requests, "request", "requests");
  else if (lane.kind === WINDOW) text = "open";
  if (!text || labels.length > 40 || last - first < text.length * 7 + 20) return;
  const chip = document.createElement("span");
  chip.className = "lab";
  chip.setAttribute("aria-hidden", "true");
  // In parts of the width, so that it stays where it belongs on paper too.
  chip.style.left = `calc(${(first / width) * 100}% + 4px)`;
  chip.style.maxWidth = `calc(${((last - first) / width) * 100}% - 8px)`;
  chip.textContent = text;
  labels.push(chip);
}

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000,
  900000, 1800000, 3600000, 7200000, 21600000, 43200000, 86400000];
const thumb = document.createElement("i");
thumb.className = "thumb";
function drawAxis(width) {
  const least = ((view.b - view.a) * 92) / width;
  const step = STEPS.find((step) => step >= least) ?? Math.ceil(least / 86400000) * 86400000;
  const ticks = [];
  for (let at = Math.ceil(view.a / step) * step; at <= view.b; at += step) {
    const tick = document.createElement("span");
    tick.style.left = `${((at - view.a) / (view.b - view.a)) * 100}%`;
    tick.textContent = clock(at);
    ticks.push(tick);
  }
  $("axis").replaceChildren(...ticks, thumb);
}

function drawCursor() {
  const axis = $("axis").getBoundingClientRect(), chart = $("chart").getBoundingClientRect();
  const inside = moment >= view.a && moment <= view.b;
  const left = Math.min(((moment - view.a) / (view.b - view.a)) * axis.width, axis.width - 1);
  $("cursor").hidden = thumb.hidden = !inside;
  $("cursor").style.left = `${axis.left - chart.left + left}px`;
  thumb.style.left = `${left}px`;
}

// Which part is seen, where that is not all.
function drawRange() {
  const zoomed = view.a > whole.a || view.b < whole.b;
  $("range").textContent = zoomed ? `${clock(Math.round(view.a))} to ${clock(Math.round(view.b))}` : "";
}

function draw() {
  const width = Math.max(1, Math.floor($("axis").getBoundingClientRect().width));
  drawAxis(width);
  for (const lane of lanes) drawLane(lane, width);
  drawCursor();
  drawRange();
}
