"use strict";
/* The page's script: draws the calls of a history as bars, a lane a client, on a canvas.
 *
 * Coordinates along the lanes are either times or ranks (the place of a time among all times). Calls of a
 * lane are sorted by invocation; where many fall on one pixel only the first is drawn, and the next one looked
 * for by halving, so a picture costs lanes x pixels x log(calls), however many calls there are.
 */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const lanes = byId("lanes"), whole = byId("whole");
  const count = data.lane.length;
  const NEVER = null;
  const GUTTER = 96, AXIS = 24, LEAST = 20, MOST = 44;

  /* ---- times and ranks */
  const last = data.until;
  const times = [...new Set(data.invoked.concat(data.responded.filter((t) => t !== NEVER),
    data.points.map((p) => p[1])))].sort((a, b) => a - b);
  const below = (array, wanted) => {
    let low = 0, high = array.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (array[middle] < wanted) low = middle + 1; else high = middle;
    }
    return low;
  };
  const scales = {
    time: { of: (t) => t, end: Math.max(last, 1), say: (x) => Math.round(x) },
    ranks: { of: (t) => below(times, t), end: Math.max(times.length - 1, 1),
      say: (x) => times[Math.max(0, Math.min(times.length - 1, Math.round(x)))] },
  };
  const places = {};
  for (const [name, scale] of Object.entries(scales)) {
    const begin = new Float64Array(count), end = new Float64Array(count);
    for (let i = 0; i < count; i++) {
      begin[i] = scale.of(data.invoked[i]);
      end[i] = data.responded[i] === NEVER ? scale.end : scale.of(data.responded[i]);
    }
    places[name] = { begin, end, points: data.points.map((p) => scale.of(p[1])) };
  }
  const ofLane = data.lanes.map(() => []);
  for (let i = 0; i < count; i++) ofLane[data.lane[i]].push(i);
  const pointsOf = new Map();
  data.points.forEach((p, at) => {
    if (!pointsOf.has(p[0])) pointsOf.set(p[0], []);
    pointsOf.get(p[0]).push(at);
  });
  const matters = [];
  for (let i = 0; i < count; i++) if (data.mark[i] > 0) matters.push(i);
  matters.sort((a, b) => data.invoked[a] - data.invoked[b]);

  /* ---- what is shown */
  const view = { scale: "time", from: 0, to: scales.time.end, top: 0, chosen: -1, found: null };
  let asked = false;
  const redraw = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => { asked = false; draw(); });
  };
  const place = () => places[view.scale];
  const end = () => scales[view.scale].end;
  function show(from, to) {
    const most = end() * 1.04, pad = end() * 0.02, least = view.scale === "time" ? 4 : 1;
    let width = Math.min(Math.max(to - from, least), most);
    let begin = Math.min(Math.max((from + to - width) / 2, -pad), end() + pad - width);
    view.from = begin;
    view.to = begin + width;
    redraw();
  }
  const showAll = () => show(-end() * 0.02, end() * 1.02);
  function zoom(factor, at) {
    const x = at === undefined ? (view.from + view.to) / 2 : at;
    show(x - (x - view.from) * factor, x + (view.to - x) * factor);
  }
  const move = (share) => {
    const step = (view.to - view.from) * share;
    show(view.from + step, view.to + step);
  };
  function changeScale() {
    const old = scales[view.scale];
    const from = old.say(view.from), to = old.say(view.to);
    view.scale = view.scale === "time" ? "ranks" : "time";
    byId("scale").textContent = `scale: ${view.scale}`;
    show(scales[view.scale].of(from), scales[view.scale].of(to));
  }

  /* ---- drawing */
  const colour = {};
  function readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["ground", "panel", "ink", "faint", "rule", "read", "write", "delete",
      "core", "point", "past", "chosen"]) colour[name] = style.getPropertyValue(`--${name}`).trim();
  }
  function fit(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    return [pen, width, height];
  }
  const gutter = (width) => Math.min(GUTTER, width * 0.22);
  const laneHeight = (height) =>
    Math.max(LEAST, Math.min(MOST, (height - AXIS) / Math.max(data.lanes.length, 1)));
  const pixel = (x, width) => {
    const left = gutter(width);
    return left + (x - view.from) / (view.to - view.from) * (width - left);
  };
  const hue = (i) => colour[["read", "write", "delete"][data.effect[i]]];

  /* The first call of the lane that ends at x or later. Calls of a lane do not overlap, but for those
   * that never returned: these end at the end, and are looked at apart. */
  function firstFrom(own, x) {
    let low = 0, high = own.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (place().end[own[middle]] < x) low = middle + 1; else high = middle;
    }
    return low;
  }

  function drawBar(pen, i, left, right, y, high, dim) {
    const width = Math.max(right - left, 1.5);
    pen.globalAlpha = dim ? 0.22 : 1;
    pen.fillStyle = hue(i);
    pen.fillRect(left, y, width, high);
    if (data.mark[i] > 0 || i === view.chosen) {
      pen.strokeStyle = i === view.chosen ? colour.chosen : colour.core;
      pen.lineWidth = 2;
      pen.setLineDash(data.mark[i] === 2 ? [4, 3] : []);
      pen.strokeRect(left, y, width, high);
      pen.setLineDash([]);
    }
    if (width > 34 && high > 10) {
      pen.save();
      pen.beginPath();
      const from = Math.max(left, 0);
      pen.rect(from, y, left + width - from, high);
      pen.clip();
      pen.fillStyle = colour.ink;
      pen.fillText(data.text[i], Math.max(left, gutter(lanes.clientWidth)) + 4, y + high / 2 + 4);
      pen.restore();
    }
    pen.globalAlpha = 1;
  }

  function drawLane(pen, lane, width, y, height) {
    const own = ofLane[lane], { begin, end: ends, points } = place();
    const bar = Math.max(height - 8, 6), top = y + (height - bar) / 2;
    let drawn = 0, reached = -Infinity;
    for (let at = firstFrom(own, view.from); at < own.length; at++) {
      const i = own[at];
      if (begin[i] > view.to) break;
      const left = pixel(begin[i], width), right = pixel(ends[i], width);
      const special = data.mark[i] > 0 || i === view.chosen;
      if (right < reached + 1 && !special) { /* on a pixel that is drawn: on to the next pixel */
        const x = view.from + (reached + 1 - gutter(width)) / (width - gutter(width)) *
          (view.to - view.from);
        const next = firstFrom(own, x);
        if (next > at + 1) { at = next - 1; continue; }
        continue;
      }
      drawBar(pen, i, left, right, top, bar, view.found !== null && !view.found.has(i));
      drawn++;
      reached = right;
      if (right - left > 5)
        for (const p of pointsOf.get(i) || []) {
          pen.beginPath();
          pen.arc(pixel(points[p], width), top + bar / 2, 3.2, 0, 7);
          pen.fillStyle = colour.point;
          pen.fill();
          pen.strokeStyle = colour.ground;
          pen.lineWidth = 1;
          pen.stroke();
        }
    }
    for (const i of matters) /* those that were passed over on the way */
      if (data.lane[i] === lane && ends[i] >= view.from && begin[i] <= view.to)
        drawBar(pen, i, pixel(begin[i], width), pixel(ends[i], width), top, bar,
          view.found !== null && !view.found.has(i));
    return drawn;
  }

  function drawAxis(pen, width) {
    const span = view.to - view.from, wanted = Math.max((width - gutter(width)) / 110, 2);
    const rough = span / wanted, power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max([1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough), 1);
    pen.fillStyle = colour.faint;
    pen.strokeStyle = colour.rule;
    pen.lineWidth = 1;
    for (let x = Math.ceil(view.from / step) * step; x <= view.to; x += step) {
      const left = Math.round(pixel(x, width)) + 0.5;
      if (left < gutter(width)) continue;
      pen.beginPath();
      pen.moveTo(left, AXIS - 6);
      pen.lineTo(left, lanes.clientHeight);
      pen.stroke();
      pen.fillText(say(x), left + 3, AXIS - 9);
    }
  }
  function say(x) {
    const whole = Math.round(x) || 0; /* not -0 */
    if (view.scale === "ranks") return `#${whole}`;
    if (!data.perSecond) return whole.toLocaleString("en");
    const seconds = x / data.perSecond;
    for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]])
      if ((view.to - view.from) / data.perSecond > size) return `${+(seconds / size).toFixed(3)} ${unit}`;
    return `${Math.round(seconds * 1e9) || 0} ns`;
  }

  function draw() {
    const [pen, width, height] = fit(lanes);
    pen.font = "12px system-ui, sans-serif";
    drawAxis(pen, width);
    const each = laneHeight(height);
    const most = Math.max(0, each * data.lanes.length + AXIS - height);
    view.top = Math.max(0, Math.min(view.top, most));
    let drawn = 0;
    pen.save();
    pen.beginPath();
    pen.rect(0, AXIS, width, height - AXIS);
    pen.clip();
    data.lanes.forEach((name, lane) => {
      const y = AXIS + lane * each - view.top;
      if (y + each < AXIS || y > height) return;
      drawn += drawLane(pen, lane, width, y, each);
      pen.fillStyle = colour.ground;
      pen.fillRect(0, y, gutter(width), each);
      pen.fillStyle = colour.ink;
      pen.save();
      pen.beginPath();
      pen.rect(0, y, gutter(width) - 4, each);
      pen.clip();
      pen.fillText(name, 6, y + each / 2 + 4);
      pen.restore();
    });
    pen.restore();
    if (data.prefix !== null) {
      const x = Math.max(pixel(scales[view.scale].of(data.prefix), width), gutter(width));
      if (x < width) {
        pen.fillStyle = colour.past;
        pen.fillRect(x, AXIS, width - x, height - AXIS);
        pen.fillStyle = colour.core;
        pen.fillRect(x - 1, AXIS - 4, 2, height);
      }
    }
    drawWhole();
    byId("shown").textContent = `${count.toLocaleString("en")} calls` +
      (view.found === null ? "" : `, ${view.found.size.toLocaleString("en")} found`);
    Object.assign(lanes.dataset, { from: view.from, to: view.to, chosen: view.chosen,
      scale: view.scale, drawn, found: view.found === null ? "" : view.found.size });
  }

  /* How many calls are in flight, over the whole history, and which stretch is shown. */
  let density = { width: 0, of: "", high: [] };
  function drawWhole() {
    const [pen, width, height] = fit(whole);
    if (density.width !== width || density.of !== view.scale) {
      const steps = new Float64Array(Math.ceil(width) + 2);
      const { begin, end: ends } = place();
      for (let i = 0; i < count; i++) {
        steps[Math.floor(begin[i] / end() * width)]++;
        steps[Math.floor(ends[i] / end() * width) + 1]--;
      }
      for (let x = 1; x < steps.length; x++) steps[x] += steps[x - 1];
      density = { width, of: view.scale, high: steps };
    }
    const most = density.high.reduce((a, b) => Math.max(a, b), 1);
    pen.fillStyle = colour.read;
    for (let x = 0; x < width; x++) {
      const high = density.high[x] / most * (height - 4);
      pen.fillRect(x, height - high, 1, high);
    }
    pen.fillStyle = colour.core;
    for (const i of matters) pen.fillRect(place().begin[i] / end() * width - 1, 0, 2, 6);
    const left = Math.max(view.from / end() * width, 0);
    const right = Math.min(view.to / end() * width, width);
    pen.fillStyle = colour.past;
    pen.fillRect(0, 0, left, height);
    pen.fillRect(right, 0, width - right, height);
    pen.strokeStyle = colour.chosen;
    pen.lineWidth = 2;
    pen.strokeRect(left + 1, 1, Math.max(right - left - 2, 2), height - 2);
  }

  /* ---- one call */
  const where = (i) => {
    const stamp = (t) => (t === NEVER ? "never" : `+${t.toLocaleString("en")}`);
    const points = (pointsOf.get(i) || []).map((p) => data.points[p]);
    const instants = points.length > 3 ? `${points.length} instants` :
      points.map((p) => `${p[2] ? `${p[2]}: ` : ""}+${p[1].toLocaleString("en")}`).join(", ");
    return `invoked ${stamp(data.invoked[i])}, responded ${stamp(data.responded[i])}` +
      (instants ? `; takes effect at ${instants}` : "");
  };
  const notes = ["", " It matters for the violation.", " Only that it may have happened matters."];
  const describe = (i) =>
    `${data.lanes[data.lane[i]]}: ${data.text[i]} (${where(i)}).${notes[data.mark[i]]}`;
  function choose(i, centre) {
    view.chosen = i;
    byId("details").textContent = i < 0 ? "" : describe(i);
    for (const row of document.querySelectorAll("#list tbody tr"))
      row.classList.toggle("chosen", Number(row.dataset.call) === i);
    if (i >= 0 && centre) {
      const { begin, end: ends } = place(), width = view.to - view.from;
      const middle = (begin[i] + ends[i]) / 2;
      if (begin[i] < view.from || ends[i] > view.to) show(middle - width / 2, middle + width / 2);
      const each = laneHeight(lanes.clientHeight), y = data.lane[i] * each;
      const room = lanes.clientHeight - AXIS - each;
      view.top = Math.min(Math.max(view.top, y - room), y);
    }
    redraw();
  }
  function zoomOn(i) {
    const { begin, end: ends } = place();
    const width = Math.max(ends[i] - begin[i], view.scale === "time" ? 40 : 3);
    choose(i, true);
    show(begin[i] - 2 * width, ends[i] + 2 * width);
  }
  const around = (i) => { /* with what overlaps it or matters near it */
    const near = matters.filter((m) => Math.abs(matters.indexOf(m) - matters.indexOf(i)) <= 1);
    const from = Math.min(...near.map((m) => place().begin[m]));
    const to = Math.max(...near.map((m) => place().end[m]));
    choose(i, true);
    show(from - (to - from) * 0.2, to + (to - from) * 0.2);
  };
  function step(by) {
    if (matters.length === 0) return;
    const at = matters.indexOf(view.chosen);
    const next = at < 0 ? (by > 0 ? 0 : matters.length - 1)
      : (at + by + matters.length) % matters.length;
    around(matters[next]);
  }
  function along(by) {
    if (view.chosen < 0) {
      const first = ofLane.map((own) => own[firstFrom(own, view.from)]).find((i) => i !== undefined);
      if (first !== undefined) choose(first, true);
      return;
    }
    const own = ofLane[data.lane[view.chosen]];
    const at = own.indexOf(view.chosen) + by;
    if (at >= 0 && at < own.length) choose(own[at], true);
  }
  function across(by) {
    if (view.chosen < 0) { along(0); return; }
    const x = place().begin[view.chosen];
    for (let lane = data.lane[view.chosen] + by; lane >= 0 && lane < ofLane.length; lane += by)
      if (ofLane[lane].length > 0) {
        const own = ofLane[lane];
        choose(own[Math.min(firstFrom(own, x), own.length - 1)], true);
        return;
      }
  }
  function callAt(x, y) {
    const width = lanes.clientWidth, each = laneHeight(lanes.clientHeight);
    const lane = Math.floor((y - AXIS + view.top) / each);
    if (x < gutter(width) || y < AXIS || lane < 0 || lane >= ofLane.length) return -1;
    const at = (pixels) => view.from + (pixels - gutter(width)) / (width - gutter(width)) *
      (view.to - view.from);
    const own = ofLane[lane], from = at(x - 3), to = at(x + 3);
    const near = (i) => place().begin[i] <= to && place().end[i] >= from;
    const marked = matters.find((i) => data.lane[i] === lane && near(i));
    if (marked !== undefined) return marked;
    const first = own[firstFrom(own, from)];
    return first !== undefined && near(first) ? first : -1;
  }

  /* ---- what the user does */
  function find(text) {
    const wanted = text.trim().toLowerCase();
    view.found = null;
    if (wanted !== "") {
      view.found = new Set();
      for (let i = 0; i < count; i++)
        if (data.key[i] === wanted || data.text[i].toLowerCase().includes(wanted)) view.found.add(i);
    }
    redraw();
  }
  function nextFound() {
    if (view.found === null || view.found.size === 0) return;
    const all = [...view.found].sort((a, b) => data.invoked[a] - data.invoked[b]);
    const next = all.find((i) => view.chosen < 0 || data.invoked[i] > data.invoked[view.chosen] ||
      (data.invoked[i] === data.invoked[view.chosen] && i > view.chosen));
    choose(next === undefined ? all[0] : next, true);
  }
  function changeTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    readColours();
    redraw();
  }
  const keys = {
    "+": () => zoom(0.6), "=": () => zoom(0.6), "-": () => zoom(1 / 0.6), "0": showAll,
    Home: showAll, ArrowLeft: () => move(-0.2), ArrowRight: () => move(0.2),
    ArrowUp: () => across(-1), ArrowDown: () => across(1), ",": () => along(-1),
    ".": () => along(1), n: () => step(1), p: () => step(-1), r: changeScale, t: changeTheme,
    "/": () => byId("find").focus(), Escape: () => { choose(-1); byId("find").value = ""; find(""); },
    Enter: () => { if (view.chosen >= 0) zoomOn(view.chosen); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.tagName === "INPUT") {
      if (event.key === "Enter") nextFound();
      if (event.key === "Escape") { keys.Escape(); lanes.focus(); }
      return;
    }
    if (event.target.tagName === "BUTTON" && (event.key === "Enter" || event.key === " ")) return;
    if (event.target.tagName === "TR" && event.key === "Enter") { around(Number(event.target.dataset.call)); return; }
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  for (const [id, action] of Object.entries({ all: showAll, in: () => zoom(0.6),
    out: () => zoom(1 / 0.6), next: () => step(1), back: () => step(-1), scale: changeScale,
    theme: changeTheme })) byId(id).addEventListener("click", action);
  byId("find").addEventListener("input", (event) => find(event.target.value));
  lanes.addEventListener("wheel", (event) => {
    event.preventDefault();
    const width = lanes.clientWidth, left = gutter(width);
    if (event.shiftKey) { view.top += event.deltaY; redraw(); return; }
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { move(event.deltaX / width); return; }
    const at = view.from + Math.max(event.offsetX - left, 0) / (width - left) * (view.to - view.from);
    zoom(Math.exp(Math.max(-1, Math.min(1, event.deltaY / 300))), at);
  }, { passive: false });
  let held = null;
  lanes.addEventListener("pointerdown", (event) => {
    held = { x: event.offsetX, y: event.offsetY, from: view.from, to: view.to, top: view.top,
      moved: false };
    lanes.setPointerCapture(event.pointerId);
  });
  lanes.addEventListener("pointermove", (event) => {
    const tip = byId("tip");
    if (held !== null) {
      const width = lanes.clientWidth - gutter(lanes.clientWidth);
      held.moved = held.moved || Math.abs(event.offsetX - held.x) + Math.abs(event.offsetY - held.y) > 4;
      if (held.moved) {
        const by = (held.x - event.offsetX) / width * (held.to - held.from);
        view.top = held.top + held.y - event.offsetY;
        show(held.from + by, held.to + by);
      }
      tip.style.display = "none";
      return;
    }
    const i = callAt(event.offsetX, event.offsetY);
    tip.style.display = i < 0 ? "none" : "block";
    if (i < 0) return;
    tip.textContent = describe(i);
    tip.style.left = `${Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8)}px`;
  });
  lanes.addEventListener("pointerleave", () => { byId("tip").style.display = "none"; });
  lanes.addEventListener("pointerup", (event) => {
    if (held !== null && !held.moved) choose(callAt(event.offsetX, event.offsetY));
    held = null;
  });
  lanes.addEventListener("pointercancel", () => { held = null; });
  const centre = (event) => {
    const x = event.offsetX / whole.clientWidth * end(), width = view.to - view.from;
    show(x - width / 2, x + width / 2);
  };
  whole.addEventListener("pointerdown", centre);
  whole.addEventListener("pointermove", (event) => { if (event.buttons) centre(event); });
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    readColours();
    redraw();
  });

  /* ---- the calls that matter, as a table */
  function list() {
    if (matters.length === 0) return;
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    for (const name of ["client", "call and what it saw", "invoked", "responded"]) {
      const cell = document.createElement("th");
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    for (const i of matters.slice(0, 200)) {
      const row = body.insertRow();
      row.dataset.call = i;
      row.tabIndex = 0;
      row.insertCell().textContent = data.lanes[data.lane[i]];
      row.insertCell().textContent = data.text[i] +
        (data.mark[i] === 2 ? " (only that it may have happened)" : "");
      for (const t of [data.invoked[i], data.responded[i]]) {
        const cell = row.insertCell();
        cell.className = "n";
        cell.textContent = t === NEVER ? "never" : `+${t.toLocaleString("en")}`;
      }
      row.addEventListener("click", () => around(i));
    }
    byId("list").append(table);
  }
  byId("head").textContent = data.head;
  byId("why").textContent = data.why;
  lanes.style.maxHeight = `${AXIS + data.lanes.length * MOST + 8}px`; /* no more than they need */
  for (const id of ["next", "back"]) byId(id).hidden = matters.length === 0;
  list();
  readColours();
  showAll();
  if (matters.length > 0) { /* begin where the violation is */
    const from = Math.min(...matters.map((i) => places.time.begin[i]));
    const to = Math.max(...matters.map((i) => places.time.end[i]));
    show(from - (to - from) * 0.15, to + (to - from) * 0.15);
  }
})();
