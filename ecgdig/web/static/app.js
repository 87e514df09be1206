// The page: uploads, the reading over its picture (Leaflet), the leads as charts (uPlot), corrections, downloads.
/* global L, uPlot */
const $ = (id) => document.getElementById(id);
const state = { about: null, pages: [], open: null, view: null, samples: null, edits: [], tool: "look", busy: false, provisional: false };
const LEAD_ORDER = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

function el(tag, props = {}, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
}
function colourOf(lead, onDark = false) {
  const hue = (Math.max(LEAD_ORDER.indexOf(lead.replace(/^-/, "")), 0) * 150) % 360;
  const onPaper = hue > 40 && hue < 200 ? 27 : 36; // yellow to cyan are bright
  return `hsl(${hue}, 100%, ${onDark ? 68 : onPaper}%)`;
}
function note(text = "") {
  $("note").textContent = text;
  $("note").hidden = !text;
}

async function api(method, path, body) {
  const headers = { "x-ecgdig": "1" };
  const options = { method, headers };
  if (body instanceof Blob) options.body = body;
  else if (body !== undefined) {
    options.body = JSON.stringify(body);
    headers["content-type"] = "application/json";
  }
  const answer = await fetch(path, options);
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(said.error || `the server answered ${answer.status}`), { status: answer.status });
  }
  return answer;
}
const json = async (...what) => (await api(...what)).json();
async function attempt(work) {
  try {
    note();
    return await work();
  } catch (error) {
    note(error.message);
    return null;
  }
}

// --- intake -------------------------------------------------------------------------------------------------------

const uploads = new Map(); // name -> share sent

function upload(file) {
  return new Promise((resolve) => {
    const key = `${file.name} ${Math.random()}`;
    const request = new XMLHttpRequest();
    request.open("POST", `/api/pages?name=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("x-ecgdig", "1");
    request.setRequestHeader("content-type", "application/octet-stream");
    uploads.set(key, { name: file.name, share: 0 });
    request.upload.onprogress = (event) => {
      uploads.get(key).share = event.loaded / event.total;
      listPages();
    };
    request.onloadend = () => {
      uploads.delete(key);
      let said = {};
      try { said = JSON.parse(request.responseText); } catch { /* no answer */ }
      if (request.status !== 201) note(`${file.name}: ${said.error || "the upload broke off"}`);
      resolve(said.pages ?? []);
      refresh();
    };
    request.send(file);
    listPages();
  });
}
async function uploadAll(files) {
  note();
  const made = [];
  for (const file of files) made.push(...(await upload(file)));
  if (made.length && !state.open) openWhenRead(made[0].id);
}

let waitingFor = null;
function openWhenRead(id) {
  waitingFor = id;
  refresh();
}
let timer = null;
async function refresh() {
  clearTimeout(timer);
  let answer;
  try {
    answer = await json("GET", "/api/pages"); // in the background: what is said to the user stays
  } catch (error) {
    return note(error.message);
  }
  state.pages = answer.pages;
  listPages();
  const wanted = state.pages.find((page) => page.id === waitingFor);
  if (wanted?.state === "done") {
    waitingFor = null;
    await open(wanted.id);
  } else if (wanted?.state === "failed" || wanted?.state === "cancelled") {
    waitingFor = null;
    note(`${wanted.name}: ${wanted.error || wanted.state}`);
    if (state.view && state.open === wanted.id) drawFacts(); // what was asked for is not what is shown
  }
  if (state.pages.some((page) => page.state === "waiting" || page.state === "running")) timer = setTimeout(refresh, 400);
}
let listed = "";
function listPages() {
  const now = JSON.stringify([[...uploads.values()], state.pages, state.open]);
  if (now === listed) return; // the focus of the keyboard stays where it is
  listed = now;
  const rows = [...uploads.values()].map(({ name, share }) =>
    el("li", {}, el("span", { textContent: name }), el("span"), el("progress", { value: share, className: "state" })));
  for (const page of state.pages) {
    const row = el("li", {},
      el("button", { className: "open", textContent: page.name, disabled: !page.read, onclick: () => open(page.id) }),
      el("button", { textContent: "×", title: `Remove ${page.name}`, ariaLabel: `Remove ${page.name}`, onclick: () => remove(page.id) }));
    if (page.id === state.open) row.setAttribute("aria-current", "true");
    if (page.state === "running") row.append(el("span", { className: "state", textContent: page.stage || "beginning" }), el("progress", { className: "state" }));
    if (page.state === "waiting") row.append(el("span", { className: "state", textContent: page.ahead ? `waiting, ${page.ahead} before it` : "waiting" }));
    if (page.state === "failed" || page.state === "cancelled") row.append(el("span", { className: "state failed", textContent: page.error || page.state }));
    rows.push(row);
  }
  $("pages").replaceChildren(...rows);
}
async function remove(id) {
  await attempt(() => api("DELETE", `/api/pages/${id}`));
  if (state.open === id) close();
  refresh();
}
function close() {
  state.open = null;
  $("desk").hidden = $("strip").hidden = true;
}

// --- the page and the reading over it -------------------------------------------------------------------------------

let map = null, picture = null, readingLayer, gridLayer, handleLayer, strokeLayer;
const at = (p) => L.latLng(-p[1], p[0]);
const px = (latlng) => [latlng.lng, -latlng.lat];

function makeMap() {
  map = L.map("map", { crs: L.CRS.Simple, minZoom: -5, maxZoom: 4, zoomSnap: 0.25, preferCanvas: true, attributionControl: false });
  [readingLayer, gridLayer, handleLayer, strokeLayer] = [0, 0, 0, 0].map(() => L.layerGroup().addTo(map));
  map.on("click", (event) => clicked(px(event.latlng)));
}
let opening = 0;
async function open(id) {
  const number = ++opening;
  const view = await attempt(() => json("GET", `/api/pages/${id}`));
  if (!view || number !== opening) return; // another page was asked for meanwhile
  state.open = id;
  state.edits = [...view.edits];
  $("desk").hidden = $("strip").hidden = false;
  $("gallery-box").open = false;
  if (!map) makeMap();
  map.invalidateSize();
  const bounds = L.latLngBounds([[-(view.height - 0.5), -0.5], [0.5, view.width - 0.5]]);
  picture?.remove();
  picture = L.imageOverlay(`/api/pages/${id}/picture`, bounds, { alt: "the page" }).addTo(map);
  map.fitBounds(bounds);
  map.setMaxBounds(bounds.pad(0.4));
  state.view = null;
  setTool("look");
  await show(id, view);
  listPages();
}
async function show(id, view) {
  const answer = await attempt(() => api("GET", `/api/pages/${id}/samples`));
  const bytes = await answer?.arrayBuffer();
  if (!bytes || state.open !== id) return;
  draw(view, new Float32Array(bytes), false);
}
function draw(view, samples, provisional) {
  Object.assign(state, { view, samples, provisional });
  for (const box of ["map", "charts"]) $(box).classList.toggle("provisional", provisional);
  drawReading();
  drawHandles();
  if (!provisional) drawFacts(); // what to look at is said of what was read, and the page stays under the hand
  drawCharts();
}
function drawReading() {
  readingLayer.clearLayers();
  gridLayer.clearLayers();
  const view = state.view;
  if ($("show-grid").checked) {
    for (const line of view.grid) L.polyline(line.map(at), { color: "#0b57d0", weight: 1, opacity: 0.6, interactive: false }).addTo(gridLayer);
  }
  if (!$("show").checked) return;
  for (const trace of view.traces) {
    const color = colourOf(trace.lead);
    for (const band of trace.bands) L.polygon(band.map(at), { stroke: false, fillColor: color, fillOpacity: 0.25, interactive: false }).addTo(readingLayer);
    const dashArray = state.provisional ? "6 4" : null;
    for (const line of trace.lines) L.polyline(line.map(at), { color, weight: 1.5, dashArray, interactive: false, smoothFactor: 0.5 }).addTo(readingLayer);
    const icon = L.divIcon({ className: "lead-label", html: "", iconSize: [40, 16], iconAnchor: [0, 8] });
    const label = L.marker(at(trace.label), { icon, interactive: false, keyboard: false }).addTo(readingLayer);
    label.getElement().textContent = trace.lead;
    label.getElement().style.color = color;
  }
}
function handle(point, small, title, moved) {
  const size = small ? 18 : 28;
  const icon = L.divIcon({ className: small ? "handle small-handle" : "handle", html: "", iconSize: [size, size] });
  const marker = L.marker(at(point), { icon, draggable: true, autoPan: true, title, alt: title }).addTo(handleLayer);
  marker.on("dragend", () => moved(px(marker.getLatLng())));
  marker.getElement().addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 1;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
    if (by) {
      const [x, y] = px(marker.getLatLng());
      marker.setLatLng(at([x + by[0], y + by[1]]));
    } else if (event.key === "Enter") moved(px(marker.getLatLng()));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
function drawHandles() {
  handleLayer.clearLayers();
  const { corners, points } = state.view;
  if (state.tool === "corners") {
    const names = ["top left", "top right", "bottom right", "bottom left"];
    corners.px.forEach((point, i) => handle(point, false, `corner ${names[i]}`, (to) => {
      const all = corners.px.map((p, j) => (i === j ? to : p));
      edit({ kind: "corners", at_mm: corners.mm, to_px: all });
    }));
  }
  if (state.tool === "points") {
    points.px.forEach((point, i) => handle(point, true, `grid point ${i + 1}`, (to) =>
      edit({ kind: "move-point", at_mm: points.mm[i], to_px: to })));
  }
}

// --- corrections ----------------------------------------------------------------------------------------------------

const HINTS = {
  look: "Drag to move, wheel or two fingers to zoom. The band holds 90 % of the samples.",
  corners: "Drag each corner to where the grid lines of the page cross there. Keyboard: Tab, arrows (Shift: 10 px), Enter.",
  points: "Drag a point to the crossing that it belongs to; what is around it follows.",
  blank: "Click where the unreadable stretch of a trace begins, then where it ends. Keyboard: arrows, then Space at the cross.",
  draw: "Choose the lead, click a few points along its ink from left to right, then Apply (Enter). Esc discards. Keyboard: arrows, then Space at the cross.",
};
let stroke = [], blankFrom = null;
function setTool(tool) {
  state.tool = tool;
  stroke = [];
  blankFrom = null;
  strokeLayer?.clearLayers();
  for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  $("lead-box").hidden = tool !== "draw";
  $("apply").hidden = tool !== "draw";
  $("map").classList.toggle("aim", tool === "blank" || tool === "draw");
  $("hint").textContent = HINTS[tool];
  if (tool === "corners" || tool === "points") {
    $("show-grid").checked = true;
  }
  if (state.view) {
    drawReading();
    drawHandles();
  }
}
function nearest(point, row = null) {
  let best = null;
  for (const trace of state.view.traces) {
    if (row !== null && trace.row !== row) continue;
    for (const line of trace.lines) for (const [x, y, t] of line) {
      const d = row === null ? Math.hypot(x - point[0], y - point[1]) : Math.abs(x - point[0]);
      if (!best || d < best.d) best = { d, trace, t, x, y };
    }
  }
  return best && { ...best, mm: best.trace.x_mm + (best.t - best.trace.start_s) * best.trace.speed_mm_per_s };
}
function clicked(point) {
  if (state.busy) return;
  if (state.tool === "blank") {
    const hit = nearest(point, blankFrom?.trace.row ?? null);
    if (!hit) return;
    if (!blankFrom) {
      blankFrom = hit;
      L.circleMarker(at([hit.x, hit.y]), { radius: 6, color: "#b3123a", interactive: false }).addTo(strokeLayer);
      $("hint").textContent = `${hit.trace.lead} from ${hit.t.toFixed(2)} s: click where the stretch ends.`;
      return;
    }
    const [from, to] = [blankFrom.mm, hit.mm].sort((a, b) => a - b);
    const row = blankFrom.trace.row;
    setTool("blank");
    if (to > from) edit({ kind: "unreadable", row, from_mm: from, to_mm: to });
  } else if (state.tool === "draw") {
    stroke.push(point);
    strokeLayer.clearLayers();
    L.polyline(stroke.map(at), { color: "#b3123a", weight: 2, dashArray: "5 4", interactive: false }).addTo(strokeLayer);
    for (const p of stroke) L.circleMarker(at(p), { radius: 4, color: "#b3123a", interactive: false }).addTo(strokeLayer);
  }
}
function applyStroke() {
  if (stroke.length < 2) return note("Click two points or more along the trace first.");
  const trace = state.view.traces[Number($("lead").value)];
  const points = stroke;
  setTool("draw");
  return edit({ kind: "retrace", row: trace.row, points_px: points });
}
const BENDING = ["corners", "move-point"];
const edit = (change) => apply([...state.edits, change]);
async function apply(edits) {
  if (state.busy) return;
  state.busy = true;
  const id = state.open, { view: oldView, samples: oldSamples } = state;
  $("desk").setAttribute("aria-busy", "true");
  const kept = $("map").dataset.readings ?? "0";
  const view = await attempt(async () => {
    if (edits.length > state.edits.length && BENDING.includes(edits.at(-1).kind)) await preview(id, edits);
    return json("PUT", `/api/pages/${id}/edits`, { edits });
  });
  state.busy = false;
  $("desk").removeAttribute("aria-busy");
  if (state.open !== id) return; // the correction is made; another page is shown
  if (!view) {
    draw(oldView, oldSamples, false);
    return;
  }
  state.edits = [...view.edits];
  await show(id, view);
  $("map").dataset.readings = String(Number(kept) + 1);
}
// rows that a drag moves far are read again, which takes seconds: what moved along is shown until then
async function preview(id, edits) {
  const { view, samples } = await json("POST", `/api/pages/${id}/preview`, { edits });
  if (state.open !== id) return;
  const bytes = Uint8Array.from(atob(samples), (letter) => letter.charCodeAt(0));
  draw(view, new Float32Array(bytes.buffer), true);
}
async function readAgain(options) {
  const id = state.open;
  if (await attempt(() => api("POST", `/api/pages/${id}/again`, options))) openWhenRead(id);
  else drawFacts();
}

function drawFacts() {
  const view = state.view;
  const layouts = [...new Set([view.layout, ...state.about.layouts])];
  $("layout").replaceChildren(...layouts.map((name) => el("option", { textContent: name, value: name, selected: name === view.layout })));
  $("speed").value = view.speed_mm_per_s;
  $("gain").value = view.gain_mm_per_mv;
  $("warnings").replaceChildren(...[...view.dropped, ...view.warnings].map((text) => el("li", { textContent: text })));
  $("undo").disabled = !state.edits.length;
  $("edits").textContent = state.edits.length ? `${state.edits.length} correction${state.edits.length > 1 ? "s" : ""}` : "";
  const options = () => view.traces.map((t, i) => el("option", { value: String(i), textContent: `${t.lead} (row ${t.row + 1})` }));
  const chosen = $("lead").value;
  $("lead").replaceChildren(...options());
  if (chosen) $("lead").value = chosen;
  $("swap-a").replaceChildren(...options());
  $("swap-b").replaceChildren(...options());
  $("swap-b").selectedIndex = Math.min(1, view.traces.length - 1);
  $("names").replaceChildren(...view.traces.map((t) => {
    const input = el("input", { value: t.lead, maxLength: 16, ariaLabel: `lead in row ${t.row + 1}, column ${t.column + 1}` });
    input.onchange = () => edit({ kind: "rename", place: [t.row, t.column], lead: input.value });
    return el("label", {}, `${t.row + 1}.${t.column + 1} `, input);
  }));
}

// --- charts ---------------------------------------------------------------------------------------------------------

let charts = [];
function drawCharts() {
  const view = state.view, n = view.n_samples, style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim(), dark = document.documentElement.dataset.theme === "dark";
  charts.forEach((chart) => chart.destroy());
  charts = [];
  $("charts").replaceChildren();
  const names = Object.keys(view.leads);
  const width = Math.max($("charts").clientWidth, 200);
  for (const lead of view.printed) {
    const row = names.indexOf(lead);
    const mv = state.samples.subarray(row * n, (row + 1) * n);
    const sigma = state.samples.subarray((names.length + row) * n, (names.length + row + 1) * n);
    const data = [[], [], [], []];
    for (let i = mv.findIndex(Number.isFinite), last = mv.findLastIndex(Number.isFinite); i >= 0 && i <= last; i++) {
      const known = Number.isFinite(mv[i]);
      data[0].push(i / view.fs);
      data[1].push(known ? mv[i] : null);
      data[2].push(known ? mv[i] + 1.64 * sigma[i] : null);
      data[3].push(known ? mv[i] - 1.64 * sigma[i] : null);
    }
    const about = view.leads[lead];
    const box = el("div", { className: "chart" }, el("h3", {}, lead, el("span", { className: about.quality, textContent: about.quality })));
    box.dataset.lead = lead;
    $("charts").append(box);
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false }, font: "10px system-ui" };
    charts.push(new uPlot({
      width, height: 96, legend: { show: false }, cursor: { sync: { key: "leads" }, drag: { x: true, y: false } },
      scales: { x: { time: false } },
      axes: [{ ...axis, size: 18, values: (_, ticks) => ticks.map((t) => `${t} s`) }, { ...axis, size: 52, values: (_, ticks) => ticks.map((v) => `${v} mV`) }],
      series: [{}, { stroke: colourOf(lead, dark), width: 1 }, { stroke: "transparent", points: { show: false } }, { stroke: "transparent", points: { show: false } }],
      bands: [{ series: [2, 3], fill: colour("--band") }],
    }, data, box));
  }
}
// --- the drawing tab --------------------------------------------------------------------------------------------------

let wishTimer = null, wishNumber = 0;
const strengths = {};
function wish() {
  return { seed: Number($("wish-seed").value) || 0, layout: $("wish-layout").value, preset: $("wish-preset").value, strengths };
}
function wishSoon() {
  clearTimeout(wishTimer);
  wishTimer = setTimeout(drawWish, 250);
}
async function drawWish() {
  const number = ++wishNumber;
  $("wish-state").textContent = "drawing …";
  const answer = await attempt(() => api("POST", "/api/draw", wish()));
  if (number !== wishNumber) return;
  $("wish-state").textContent = "";
  if (!answer) return;
  const old = $("wish-picture").src;
  $("wish-picture").src = URL.createObjectURL(await answer.blob());
  if (old) URL.revokeObjectURL(old);
}
function listStrengths() {
  $("wish-strengths").replaceChildren(...Object.entries(strengths).map(([name, value]) => {
    const slider = el("input", { type: "range", min: 0, max: 1, step: 0.05, value, ariaLabel: name });
    slider.oninput = () => { strengths[name] = Number(slider.value); wishSoon(); };
    const off = el("button", { type: "button", textContent: "×", ariaLabel: `without ${name}`, onclick: () => { delete strengths[name]; listStrengths(); wishSoon(); } });
    return el("label", {}, name.replaceAll("_", " "), slider, off);
  }));
}

// --- everything together ----------------------------------------------------------------------------------------------

function setTheme(choice) {
  const dark = choice === "dark" || (choice === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").textContent = `Theme: ${choice}`;
  $("theme").dataset.choice = choice;
  if (state.view && !$("strip").hidden) drawCharts();
}
function tab(name) {
  for (const other of ["read", "draw"]) {
    $(other).hidden = other !== name;
    $(`tab-${other}`).setAttribute("aria-selected", String(other === name));
  }
  if (name === "draw" && !$("wish-picture").src) drawWish();
  if (name === "read") map?.invalidateSize();
}
async function takeHome(pages, button) {
  const formats = [...document.querySelectorAll("#formats input:checked")].map((box) => box.value);
  if (!formats.length) return note("Choose a format first.");
  const left = pages ? 0 : state.pages.filter((page) => !page.read).length;
  const query = new URLSearchParams({ formats: formats.join(","), redact: $("redact").checked ? "1" : "0" });
  if (pages) query.set("pages", pages.join(","));
  button.disabled = true;
  const answer = await attempt(() => api("GET", `/api/download?${query}`));
  const packed = await answer?.blob();
  button.disabled = false;
  if (!packed) return;
  const link = el("a", { href: URL.createObjectURL(packed) });
  link.download = /filename="([^"]+)"/.exec(answer.headers.get("content-disposition"))?.[1] ?? "readings.zip";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  if (left) note(`${left} page${left > 1 ? "s are" : " is"} not in it: not read, or not yet.`);
}

function wire() {
  $("files").onchange = $("camera").onchange = (event) => {
    uploadAll([...event.target.files]);
    event.target.value = "";
  };
  for (const name of ["dragenter", "dragover"]) addEventListener(name, (event) => { event.preventDefault(); $("drop").classList.add("over"); });
  for (const name of ["dragleave", "drop"]) addEventListener(name, (event) => { event.preventDefault(); $("drop").classList.remove("over"); });
  addEventListener("drop", (event) => uploadAll([...event.dataTransfer.files]));
  for (const button of document.querySelectorAll("[data-tool]")) button.onclick = () => setTool(button.dataset.tool);
  $("show").onchange = $("show-grid").onchange = drawReading;
  $("undo").onclick = () => apply(state.edits.slice(0, -1));
  $("apply").onclick = applyStroke;
  $("speed").onchange = () => edit({ kind: "scale", speed_mm_per_s: Number($("speed").value) });
  $("gain").onchange = () => edit({ kind: "scale", gain_mm_per_mv: Number($("gain").value) });
  $("layout").onchange = () => {
    const name = $("layout").value;
    const rows = new Set(state.view.traces.map((t) => t.row)).size;
    const [grid, strips = "0"] = name.split("+");
    if (Number(grid.split("x")[0]) + Number(strips) === rows) edit({ kind: "rearrange", leads: name });
    else readAgain({ layout: name, speed: state.view.speed_mm_per_s, gain: state.view.gain_mm_per_mv, chest_gain: state.view.chest_gain_mm_per_mv });
  };
  $("swap").onclick = () => {
    const [a, b] = ["swap-a", "swap-b"].map((id) => state.view.traces[Number($(id).value)]);
    edit({ kind: "swap", first: [a.row, a.column], second: [b.row, b.column] });
  };
  $("take").onsubmit = (event) => { event.preventDefault(); takeHome([state.open], $("save")); };
  $("save-all").onclick = () => takeHome(null, $("save-all"));
  $("theme").onclick = () => setTheme({ auto: "dark", dark: "light", light: "auto" }[$("theme").dataset.choice]);
  matchMedia("(prefers-color-scheme: dark)").onchange = () => setTheme($("theme").dataset.choice);
  $("leave").onclick = async () => {
    if (!confirm("Delete all pages and readings of this session?")) return;
    await attempt(() => api("DELETE", "/api/session"));
    location.reload();
  };
  $("tab-read").onclick = () => tab("read");
  $("tab-draw").onclick = () => tab("draw");
  $("wish").oninput = (event) => { if (["wish-seed", "wish-layout", "wish-preset"].includes(event.target.id)) wishSoon(); };
  $("wish").onsubmit = (event) => event.preventDefault();
  $("wish-add").onchange = () => {
    if ($("wish-add").value) strengths[$("wish-add").value] = 0.5;
    $("wish-add").value = "";
    listStrengths();
    wishSoon();
  };
  $("wish-source").onchange = async () => {
    $("wish-file-box").hidden = $("wish-source").value !== "file";
    if ($("wish-source").value !== "file") { await attempt(() => api("POST", "/api/recording")); wishSoon(); }
  };
  $("wish-file").onchange = async (event) => {
    const [file] = event.target.files;
    if (file && (await attempt(() => api("POST", `/api/recording?name=${encodeURIComponent(file.name)}`, file)))) wishSoon();
  };
  $("wish-read").onclick = async () => {
    const made = await attempt(() => json("POST", "/api/draw?read=1", wish()));
    if (made) { tab("read"); openWhenRead(made.pages[0].id); }
  };
  addEventListener("keydown", (event) => {
    if (event.target.closest("input, select, textarea") || $("read").hidden) return;
    const tool = { l: "look", c: "corners", g: "points", u: "blank", r: "draw" }[event.key.toLowerCase()];
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && state.edits.length) apply(state.edits.slice(0, -1));
    else if (event.ctrlKey || event.metaKey || event.altKey || $("desk").hidden) return;
    else if (tool) setTool(tool);
    else if (event.key === " " && event.target === $("map") && $("map").classList.contains("aim")) {
      event.preventDefault();
      clicked(px(map.getCenter()));
    }
    else if (event.key === "Escape") setTool(state.tool);
    else if (event.key === "Enter" && state.tool === "draw" && stroke.length && !event.target.closest("button")) applyStroke();
  });
  let sizing = null;
  addEventListener("resize", () => {
    clearTimeout(sizing);
    sizing = setTimeout(() => { if (state.view && !$("strip").hidden) drawCharts(); }, 200);
  });
}

async function begin() {
  setTheme("auto");
  wire();
  state.about = await attempt(() => json("GET", "/api/about"));
  if (!state.about) return;
  const about = state.about;
  for (const [id, values] of [["speeds", about.speeds], ["gains", about.gains]]) $(id).replaceChildren(...values.map((v) => el("option", { value: v })));
  for (const [id, values] of [["wish-layout", about.drawn.layouts], ["wish-preset", about.drawn.presets]]) $(id).replaceChildren(...values.map((v) => el("option", { value: v, textContent: v })));
  $("wish-add").replaceChildren(el("option", { value: "", textContent: "a degradation …" }), ...about.drawn.degradations.map((v) => el("option", { value: v, textContent: v.replaceAll("_", " ") })));
  $("formats").replaceChildren(...Object.entries(about.formats).map(([name, said], i) => el("label", {}, el("input", { type: "checkbox", value: name, checked: i === 0 }), ` ${said}`)));
  $("gallery").replaceChildren(...about.gallery.map((title, i) => {
    const button = el("button", { title: `Read: ${title}` }, el("img", { src: `/api/gallery/${i}`, alt: "", loading: "lazy" }), el("span", { textContent: title }));
    button.onclick = async () => {
      button.disabled = true;
      const made = await attempt(() => json("POST", `/api/gallery/${i}`));
      button.disabled = false;
      if (made) openWhenRead(made.pages[0].id);
    };
    return button;
  }));
  refresh();
}
addEventListener("DOMContentLoaded", begin);
