// The equity of a session and its drawdown, one currency at a time, with points as they come.

import { card, el, fill, money, moment } from "./parts.js";

const POINTS_MAX = 6000;

export class Equity {
  constructor() {
    this.curves = new Map();
    this.currency = "";
    this.choice = el("select", { id: "curve-currency", onchange: () => { this.currency = this.choice.value; this.paint(); } });
    this.chooser = el("label", { for: "curve-currency" }, "Currency", this.choice);
    this.reading = el("p", { class: "reading" });
    this.nothing = el("p", { class: "empty" }, "No sample was written yet.");
    this.place = el("div");
    this.below = el("div");
    this.card = card("equity", "Equity", el("div", { class: "tools" }, this.chooser), this.reading, this.place, this.below, this.nothing,
      el("p", { class: "fine" }, "Time is that of the session's events, UTC. Below: how far equity is under its highest, as a positive amount. Drag over a chart to zoom, double-click to see all again."));
    this.charts = [];
  }

  begin(curves) {
    this.curves = new Map(curves.map((each) => [each.currency, { times: each.times, equity: each.equity, drawdown: each.drawdown }]));
    this.currencies();
    this.paint();
  }

  currencies() {
    const names = [...this.curves.keys()];
    if (!names.includes(this.currency)) this.currency = names[0] ?? "";
    fill(this.choice, names.map((name) => el("option", { value: name, selected: name === this.currency }, name)));
    this.chooser.parentElement.hidden = names.length < 2;
  }

  add(points) {
    let is_new = false, has_changed = false;
    for (const point of points) {
      if (!this.curves.has(point.currency)) { this.curves.set(point.currency, { times: [], equity: [], drawdown: [] }); is_new = true; }
      const curve = this.curves.get(point.currency), last = curve.times.at(-1);
      if (last !== undefined && point.time < last) continue;
      if (point.time === last) { curve.equity[curve.equity.length - 1] = point.equity; curve.drawdown[curve.drawdown.length - 1] = point.drawdown; }
      else { curve.times.push(point.time); curve.equity.push(point.equity); curve.drawdown.push(point.drawdown); }
      if (curve.times.length > POINTS_MAX) thin(curve);
      has_changed ||= point.currency === this.currency || is_new;
    }
    if (is_new) this.currencies();
    if (has_changed) this.paint();
  }

  paint() {
    const curve = this.curves.get(this.currency);
    const is_empty = !curve || curve.times.length === 0;
    this.place.hidden = this.below.hidden = is_empty;
    this.nothing.hidden = !is_empty;
    this.card.dataset.points = is_empty ? 0 : curve.times.length;
    if (is_empty) { this.reading.textContent = ""; return; }
    this.draw(curve);
    const deepest = curve.drawdown.reduce((most, value) => Math.max(most, value), 0);
    const low = curve.equity.reduce((least, value) => Math.min(least, value), Infinity);
    const high = curve.equity.reduce((most, value) => Math.max(most, value), -Infinity);
    const from = moment(curve.times[0] * 1000), to = moment(curve.times.at(-1) * 1000);
    const words = [`Equity in ${this.currency} from ${from} to ${to} UTC: lowest ${money(low)}, highest ${money(high)}, last ${money(curve.equity.at(-1))}`,
      `Drawdown in ${this.currency}: deepest ${money(deepest)}, last ${money(curve.drawdown.at(-1))}`];
    [this.place, this.below].forEach((host, at) => host.setAttribute("aria-label", `${words[at]}. Arrows move, plus and minus zoom, 0 shows all.`));
    this.reading.textContent = `${to} UTC: equity ${money(curve.equity.at(-1))} ${this.currency}, drawdown ${money(curve.drawdown.at(-1))}; lowest ${money(low)}, highest ${money(high)}, deepest drawdown ${money(deepest)}`;
  }

  draw(curve) {
    const [upper, lower] = this.charts;
    if (upper && this.drawn === this.currency) {
      upper.renew(curve.times, curve.equity);
      lower.renew(curve.times, curve.drawdown);
      return;
    }
    this.close();
    this.drawn = this.currency;
    const line = (host, height, label, colour, values, zero) => Charts.line(host, { label, height, key: `equity ${this.currency}`, x: curve.times, zero, series: [{ label, colour, values, fill: zero ? "--loss-wash" : undefined }] });
    this.charts = [
      line(this.place, 250, "Equity", "--series-1", curve.equity, false),
      line(this.below, 130, "Drawdown", "--series-2", curve.drawdown, true),
    ];
  }

  close() {
    for (const each of this.charts) each.destroy();
    this.charts = [];
    fill(this.place);
    fill(this.below);
  }
}

// Half as many points: of each two pairs the lowest and the highest equity stay, so peaks do.
function thin(curve) {
  const kept = new Set([0, curve.times.length - 1]);
  for (let at = 0; at < curve.times.length; at += 4) {
    let low = at, high = at;
    for (let near = at; near < Math.min(at + 4, curve.times.length); near += 1) {
      if (curve.equity[near] < curve.equity[low]) low = near;
      if (curve.equity[near] > curve.equity[high]) high = near;
    }
    kept.add(low);
    kept.add(high);
  }
  const places = [...kept].sort((one, other) => one - other);
  for (const name of ["times", "equity", "drawdown"]) curve[name] = places.map((at) => curve[name][at]);
}
