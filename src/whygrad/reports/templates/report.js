(() => {
  "use strict";
  const SVG = "http://www.w3.org/2000/svg";
  const data = JSON.parse(document.getElementById("data").textContent);
  const digits = value => { // as the figures of the text: 454, 4.54e+05, 0.000123, 1.23e-05
    const [mantissa, power] = value.toExponential(2).split("e"), exponent = Number(power);
    return exponent < -4 || exponent > 2 ? `${Number(mantissa)}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}` : Number(value.toPrecision(3)).toString();
  };
  const figure = value => value === null || value === undefined ? "–" : typeof value === "string" ? value : value === 0 ? "0" : digits(value);
  const make = (tag, words, text) => { const it = document.createElement(tag); if (words) it.className = words; if (text !== undefined) it.textContent = text; return it; };
  const draw = (tag, attributes, text) => { const it = document.createElementNS(SVG, tag); for (const [name, value] of Object.entries(attributes)) it.setAttribute(name, value); if (text !== undefined) it.textContent = text; return it; };

  const root = document.documentElement, theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const told = () => { theme.textContent = dark() ? "light" : "dark"; theme.setAttribute("aria-pressed", String(dark())); };
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; told(); });
  told();
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(each => { each.open = true; }));

  const canvas = document.getElementById("canvas"), part = document.getElementById("part");
  const short = (text, most) => text.length > most ? text.slice(0, most - 1) + "…" : text;
  const starved = block => block.starved > 0 && block.starved === block.parameters;
  const below = block => block.parameters ? `${block.parameters} parameter${block.parameters > 1 ? "s" : ""}, ${block.gradient_norm === null ? "no gradient" : `gradient ${figure(block.gradient_norm)}`}` : block.type;

  const LEAST = .8; // of its size, a picture can still be read
  function layout(direction) {
    const graph = new dagre.graphlib.Graph();
    graph.setGraph({ rankdir: direction, nodesep: 22, ranksep: 46, marginx: 16, marginy: 16 });
    graph.setDefaultEdgeLabel(() => ({}));
    data.blocks.forEach((block, at) => graph.setNode(String(at), { width: Math.max(120, 18 + 8 * Math.max(Math.min(block.name.length, 26), Math.min(below(block).length * .86, 30))), height: 50 }));
    data.arrows.forEach(([source, target]) => graph.setEdge(String(source), String(target)));
    dagre.layout(graph);
    return graph;
  }
  function picture() {
    const room = canvas.clientWidth, aside = layout("LR");
    const graph = aside.graph().width * LEAST <= room ? aside : layout("TB");
    const { width, height } = graph.graph();
    const scale = width * LEAST <= room ? Math.min(1, room / width) : 1;
    const svg = draw("svg", { width: Math.floor(width * scale), height: Math.ceil(height * scale), viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}` });
    const tips = draw("defs", {});
    for (const kind of ["open", "shut"]) {
      const tip = draw("marker", { id: `tip-${kind}`, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse" });
      tip.append(draw("path", { d: "M0 0 8 4 0 8z", class: `tip-${kind}` }));
      tips.append(tip);
    }
    svg.append(tips);
    data.arrows.forEach(([source, target, flows]) => {
      const points = graph.edge(String(source), String(target)).points.map(at => `${at.x.toFixed(1)} ${at.y.toFixed(1)}`);
      const kind = flows ? "open" : "shut";
      svg.append(draw("path", { d: "M" + points.join("L"), class: kind, "marker-end": `url(#tip-${kind})` }));
    });
    data.blocks.forEach((block, at) => svg.append(box(block, graph.node(String(at)), at)));
    canvas.append(svg);
    const marked = data.blocks.findIndex(block => block.marked), here = marked >= 0 ? marked : data.blocks.findIndex(block => block.sort === "loss");
    if (here >= 0) { const at = graph.node(String(here)); canvas.scrollTo(at.x * scale - canvas.clientWidth / 2, at.y * scale - canvas.clientHeight / 2); }
  }

  function box(block, place, at) {
    const words = ["box", block.sort, block.flows ? "flows" : "", starved(block) ? "starved" : "", block.marked ? "marked" : ""].filter(Boolean).join(" ");
    const group = draw("g", { class: words, tabindex: 0, role: "button", "aria-expanded": "false", "data-at": at, transform: `translate(${place.x - place.width / 2} ${place.y - place.height / 2})` });
    group.setAttribute("aria-label", `${block.sort} ${block.name}, ${below(block)}${block.marked ? ", the place named above" : ""}${block.flows && !starved(block) ? ", a gradient comes back" : block.starved ? ", no gradient comes back" : ""}`);
    group.append(draw("rect", { width: place.width, height: place.height, rx: 8 }));
    group.append(draw("text", { x: 10, y: 21 }, short(block.name, 26)));
    group.append(draw("text", { x: 10, y: 39, class: "sub" }, short(below(block), 34)));
    group.append(draw("title", {}, block.name));
    group.addEventListener("click", () => open(group, block));
    group.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); open(group, block); } });
    return group;
  }

  function open(group, block) {
    const was = group.getAttribute("aria-expanded") === "true";
    canvas.querySelectorAll(".box").forEach(each => each.setAttribute("aria-expanded", "false"));
    part.replaceChildren();
    if (was) return;
    group.setAttribute("aria-expanded", "true");
    part.append(make("h3", "", `${block.sort} ${block.name}`));
    const facts = [block.type, block.parameters ? `${block.parameters} parameters` : "", block.starved ? `${block.starved} with none or a zero gradient` : "", block.gradient_norm !== null ? `gradient norm ${figure(block.gradient_norm)}` : ""].filter(Boolean);
    part.append(make("p", "", facts.join(" · ")));
    if (!block.rows.length) return;
    const around = make("div", "scroll"), table = make("table"), body = make("tbody"), head = make("tr");
    around.tabIndex = 0; around.setAttribute("role", "region"); around.setAttribute("aria-label", `ops of ${block.name}`);
    for (const title of ["op", "type", "place", "gradient"]) { const cell = make("th", "", title); cell.scope = "col"; head.append(cell); }
    block.rows.forEach(row => {
      const line = make("tr");
      line.append(make("td", "", row.what), make("td", "", row.type), make("td", "at", row.line ? `${row.file}:${row.line}` : ""), make("td", row.flows ? "" : "bad", row.flows ? "comes back" : "none"));
      body.append(line);
    });
    const top = make("thead"); top.append(head); table.append(top, body); around.append(table); part.append(around);
    if (block.more) part.append(make("p", "", `and ${block.more} more`));
  }

  const PAGE = 50, table = document.querySelector("#gauges tbody"), search = document.getElementById("search"), found = document.getElementById("found"), further = document.getElementById("further");
  let matching = data.gauges, shown = 0;
  const largest = data.gauges.reduce((top, each) => typeof each.gradient_norm === "number" ? Math.max(top, each.gradient_norm) : top, 0);
  const state = each => each.trainable ? each.gradient : "frozen";
  const bar = share => { const around = make("span", "bar"), inside = make("i"); inside.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`; around.append(inside); around.setAttribute("aria-hidden", "true"); return around; };
  const scaled = (value, low, high) => value > 0 ? (Math.log10(value) - low) / Math.max(high - low, 1e-9) : 0;

  function further_rows() {
    matching.slice(shown, shown + PAGE).forEach(each => {
      const line = make("tr"), norm = make("td"), ratio = make("td");
      if (typeof each.gradient_norm === "number" && each.gradient === "finite") norm.append(bar(scaled(each.gradient_norm, Math.log10(largest) - 6, Math.log10(largest))), figure(each.gradient_norm));
      else norm.append(make("span", each.trainable ? "bad" : "", state(each)));
      if (typeof each.ratio === "number") ratio.append(bar(scaled(each.ratio, -7, 0)), figure(each.ratio)); else ratio.textContent = figure(each.ratio);
      line.append(make("td", "", each.name), make("td", "", each.type), norm, ratio);
      table.append(line);
    });
    shown = Math.min(matching.length, shown + PAGE);
    further.hidden = shown >= matching.length;
    found.textContent = `${shown} of ${matching.length} shown`;
  }
  function searched() {
    const wanted = search.value.trim().toLowerCase();
    matching = data.gauges.filter(each => !wanted || each.name.toLowerCase().includes(wanted) || state(each) === wanted);
    shown = 0; table.replaceChildren(); further_rows();
  }
  if (canvas) picture();
  if (table) { search.addEventListener("input", searched); further.addEventListener("click", further_rows); searched(); }
})();
