// Looks at the page of `failsoft replay --html` in Chromium: node look.mjs FAILSOFT [FOLDER FOR SCREENSHOTS]
//
// axe finds nothing, in light and dark, at 360 and 1440 px, with and without the script; the page asks for nothing, says
// nothing on the console, and goes by keyboard and pointer; no name of a trace becomes markup. CHROMIUM names the browser.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [failsoft, shots] = process.argv.slice(2);
assert(failsoft, "usage: node look.mjs FAILSOFT [FOLDER FOR SCREENSHOTS]");
const root = fileURLToPath(new URL("../..", import.meta.url));
const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const folder = mkdtempSync(join(tmpdir(), "failsoft-picture-"));
if (shots) mkdirSync(shots, { recursive: true });

const HOSTILE = `</script><script>document.title="owned"</script><img src=x onerror='document.title="owned"'>\u202e"&`;
function wide() {
  const names = Array.from({ length: 64 }, (_, i) => `dependency-${i}`);
  const parts = names.map((name) => `[dependency.${name}]\nrole = "serve"\ndeadline = "1s"\nhealth = { consecutive_failure_threshold = 1, wait_duration_in_open_state = "2s" }\n`);
  const trace = [];
  for (let at = 0; at < 4000; at++) {
    const i = (at * 7) % 64, result = (at >> 6) % (3 + (i % 5)) === 1 ? "timeout" : "ok";
    trace.push(JSON.stringify({ at_ms: at * 25, call: { dependency: names[i], result } }));
    if (at % 5 === 0) trace.push(JSON.stringify({ at_ms: at * 25, decide: { operation: `o${at % 3}`, tenant: `t${at % 9}` } }));
  }
  const operations = [0, 1, 2].map((o) => `[operation.o${o}]\nneeds = [${names.filter((_, i) => i % 3 === o).map((name) => `"${name}"`)}]\n`);
  return [`spec = 1\nname = "sixty-four"\n${parts.join("")}${operations.join("")}`, trace.join("\n")];
}
function page(name, matrix, trace) {
  const [m, t, html] = [`${name}.toml`, `${name}.jsonl`, `${name}.html`].map((file) => join(folder, file));
  if (!matrix.startsWith("preset:")) writeFileSync(m, matrix);
  writeFileSync(t, trace);
  execFileSync(failsoft, ["replay", matrix.startsWith("preset:") ? matrix : m, t, "--html", html], { stdio: "pipe" });
  return html;
}
const outage = readFileSync(join(root, "spec/traces/ai-gateway-outage.jsonl"), "utf8");
const pages = {
  outage: page("outage", "preset:ai-gateway", outage),
  empty: page("empty", "preset:ai-gateway", ""),
  wide: page("wide", ...wide()),
  hostile: page("hostile", "preset:ai-gateway", JSON.stringify({ at_ms: 0, decide: { operation: "assist", request: HOSTILE, tenant: HOSTILE, faults: { quota: "timeout" } } })),
};

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const said = [];
// axe itself needs a script; so the page without one is the page without its own.
function plain(html) {
  const path = html.replace(".html", "-plain.html");
  writeFileSync(path, readFileSync(html, "utf8").replace(/<script[^]*?<\/script>/g, ""));
  return path;
}
async function open(name, { script = true, ...options } = {}) {
  const context = await browser.newContext(options);
  const tab = await context.newPage();
  tab.on("console", (message) => said.push(`${name}: ${message.text()}`));
  tab.on("pageerror", (error) => said.push(`${name}: ${error.message}`));
  tab.on("request", (request) => { if (!request.url().startsWith("file:")) said.push(`${name} asks for ${request.url()}`); });
  await tab.goto(pathToFileURL(script ? pages[name] : plain(pages[name])).href);
  return tab;
}

try {
  for (const name of Object.keys(pages)) {
    for (const colorScheme of ["light", "dark"]) {
      for (const width of [360, 1440]) {
        for (const script of [true, false]) {
          const how = `${name}-${colorScheme}-${width}${script ? "" : "-no-script"}`;
          const tab = await open(name, { colorScheme, script, viewport: { width, height: 900 } });
          if (shots) await tab.screenshot({ path: join(shots, `${how}.png`), fullPage: !script });
          assert(await tab.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${how}: it is wider than the screen`);
          // What is checked is the page as it is: its policy holds for its own scripts, and axe comes from outside.
          await tab.evaluate(axe);
          const { violations } = await tab.evaluate("axe.run()");
          assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), [], how);
          await tab.context().close();
        }
      }
    }
  }

  const tab = await open("outage", { viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  const now = () => tab.getAttribute("#axis", "aria-valuenow").then(Number);
  const sentence = async () => { await tab.waitForTimeout(50); return tab.textContent("#say"); };
  // The first change to the worse, by the trace's own README: Redis is lost, and the circuit opens at 0:05.460.
  assert.equal(await now(), 5460);
  assert.match(await sentence(), /0:05\.460 .*quota healthy -> down: 3 failures in a row \(timeout\)/);
  await tab.focus("#axis");
  await tab.keyboard.press("Home");
  assert.equal(await now(), 10);
  await tab.keyboard.press("ArrowRight");
  assert.equal(await now(), 15);
  await tab.keyboard.press("Shift+ArrowRight");
  assert.equal(await now(), 115);
  await tab.keyboard.press("ArrowLeft");
  assert.equal(await now(), 15);
  await tab.keyboard.press("End");
  assert.equal(await now(), 30000);
  const ticks = () => tab.locator("#axis span").allTextContents();
  const all = await ticks();
  await tab.keyboard.press("+");
  assert.notDeepEqual(await ticks(), all);
  await tab.keyboard.press("0");
  assert.deepEqual(await ticks(), all);
  // A decision with its reasons, under the pointer and in the panel.
  const track = await tab.locator(".lane", { hasText: "assist" }).locator(".track").boundingBox();
  const at = (ms) => track.x + (track.width * (ms - 10)) / (30000 - 10);
  await tab.mouse.move(at(16000), track.y + 10);
  assert.match(await tab.textContent("#tip"), /deny fail_closed 503 AI_PROVIDER_UNAVAILABLE.*provider-primary is down/s);
  await tab.keyboard.press("Escape");
  assert(await tab.locator("#tip").isHidden());
  await tab.mouse.click(at(16000), track.y + 10);
  await sentence();
  assert.match(await tab.textContent("#now"), /deny fail_closed 503 AI_PROVIDER_UNAVAILABLE.*provider-primary is down/s);
  await tab.click("[data-theme=dark]");
  assert.equal(await tab.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(20, 23, 26)");
  if (shots) await tab.pdf({ path: join(shots, "outage.pdf"), format: "A4" });

  const hostile = await open("hostile", { viewport: { width: 1440, height: 900 } });
  assert.equal(await hostile.title(), "ai-gateway: replay");
  assert.equal(await hostile.locator("img").count(), 0);
  assert.match(await hostile.textContent("#now"), /<\/script>/);
  assert.deepEqual(said, []);
  console.log(`${Object.keys(pages).length} pages in light and dark, at 360 and 1440 px, with and without script: axe finds nothing`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
