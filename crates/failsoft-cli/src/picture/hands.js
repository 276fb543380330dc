// The hands: keys, pointer, buttons.
const slider = $("axis");
const itself = (time) => time;
const unique = (times) => [...new Set(times)].sort((left, right) => left - right);
const timesOf = (lane) => lane.spans.flatMap(([from, to, , , body]) =>
  lane.kind === HEALTH ? [from] : lane.kind === WINDOW ? [from, to, ...body.marks.map(([at]) => at)] : [from, to]);
const moments = unique(lanes.flatMap(timesOf).concat(data.from, data.to));
const changes = unique(lanes.filter((lane) => lane.kind === HEALTH || lane.kind === WINDOW).flatMap(timesOf).concat(data.from, data.to));

function go(t) {
  moment = Math.round(Math.min(whole.b, Math.max(whole.a, t)));
  if (moment < view.a || moment > view.b) look_at(moment, view.b - view.a);
  slider.setAttribute("aria-valuenow", moment);
  slider.setAttribute("aria-valuetext", clock(moment));
  drawCursor();
  showMoment();
}

function step(times, way) {
  const at = place(times, moment, itself);
  go(times[way > 0 ? at + 1 : times[at] < moment ? at : at - 1] ?? moment);
}

// Shows `wide` milliseconds around t, with t at the part `where` of it.
function look_at(t, wide, where = 0.5) {
  const all = whole.b - whole.a, shown = Math.min(all, Math.max(Math.min(10, all), wide));
  view.a = Math.min(whole.b - shown, Math.max(whole.a, t - shown * where));
  view.b = view.a + shown;
  draw();
}

const zoom = (factor, t = moment) => {
  const inside = t >= view.a && t <= view.b;
  look_at(t, (view.b - view.a) * factor, inside ? (t - view.a) / (view.b - view.a) : 0.5);
};
const acts = {
  previous: () => step(moments, -1), next: () => step(moments, 1),
  in: () => zoom(0.5), out: () => zoom(2), whole: () => look_at(whole.a, whole.b - whole.a, 0),
};
for (const button of document.querySelectorAll("[data-do]")) button.addEventListener("click", acts[button.dataset.do]);

slider.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const times = event.shiftKey ? changes : moments, page = (view.b - view.a) / 10;
  const act = {
    ArrowRight: () => step(times, 1), ArrowUp: () => step(times, 1), ArrowLeft: () => step(times, -1), ArrowDown: () => step(times, -1),
    PageDown: () => go(moment - page), PageUp: () => go(moment + page), Home: () => go(whole.a), End: () => go(whole.b),
    "+": acts.in, "=": acts.in, "-": acts.out, "0": acts.whole, Escape: hideTip,
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

const timeAt = (event) => {
  const box = slider.getBoundingClientRect();
  return view.a + (Math.min(1, Math.max(0, (event.clientX - box.left) / box.width))) * (view.b - view.a);
};
// The nearest moment within a few pixels, so that what is seen can be hit.
function near(t) {
  const reach = ((view.b - view.a) / slider.getBoundingClientRect().width) * 5;
  const at = place(moments, t, itself);
  const close = [moments[at], moments[at + 1]].filter((time) => time !== undefined && Math.abs(time - t) <= reach);
  return close.sort((left, right) => Math.abs(left - t) - Math.abs(right - t))[0] ?? t;
}

const surfaces = [slider, ...lanes.map((lane) => lane.track)];
for (const surface of surfaces) {
  surface.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    surface.setPointerCapture(event.pointerId);
    go(near(timeAt(event)));
    slider.focus({ preventScroll: true });
    event.preventDefault();
  });
  surface.addEventListener("pointermove", (event) => {
    if (surface.hasPointerCapture(event.pointerId)) go(near(timeAt(event)));
  });
  surface.addEventListener("wheel", (event) => {
    if (event.ctrlKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event));
    else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = ((event.deltaX || event.deltaY) / slider.getBoundingClientRect().width) * (view.b - view.a);
      look_at(view.a + by, view.b - view.a, 0);
    } else return;
    event.preventDefault();
  }, { passive: false });
}

function hideTip() { $("tip").hidden = true; }
for (const lane of lanes) {
  lane.track.addEventListener("pointermove", (event) => {
    if (event.pointerType === "touch") return;
    const t = near(timeAt(event)), found = standing(lane, t).filter(({ past }) => !past).pop();
    if (!found) return hideTip();
    const tip = $("tip");
    tip.replaceChildren(...lines(lane, found.span).slice(0, 8).map((line, i) => make(i ? "p" : "b", line)));
    tip.hidden = false;
    const { offsetWidth: wide, offsetHeight: high } = tip;
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - wide - 8))}px`;
    tip.style.top = `${event.clientY + 18 + high > innerHeight ? event.clientY - high - 12 : event.clientY + 18}px`;
  });
  lane.track.addEventListener("pointerleave", hideTip);
}
document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });

// A moment in the tables leads to the timeline.
for (const cell of document.querySelectorAll(".at")) {
  cell.addEventListener("click", () => { go(Number(cell.dataset.t)); $("timeline").scrollIntoView(); });
}

const themes = document.querySelectorAll(".theme button");
for (const button of themes) {
  button.addEventListener("click", () => {
    if (button.dataset.theme) document.documentElement.dataset.theme = button.dataset.theme;
    else delete document.documentElement.dataset.theme;
    for (const other of themes) other.setAttribute("aria-pressed", String(other === button));
  });
}

document.body.classList.add("js");
for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-label": "Moment",
  "aria-valuemin": data.from, "aria-valuemax": data.to, "aria-orientation": "horizontal" })) slider.setAttribute(name, value);
for (const element of [$("bar"), $("moment"), document.querySelector(".theme")]) element.hidden = false;
addEventListener("resize", draw);
addEventListener("beforeprint", draw);
draw();
go(changes.find((time) => lanes.some((lane) => lane.kind === HEALTH && lane.spans.some((span) => span[0] === time && span[3] > 0 && rank(HEALTH, span[2]) > 1))) ?? data.from);
