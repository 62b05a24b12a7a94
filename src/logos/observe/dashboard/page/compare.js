// Sessions side by side: their equity over each other, what they came to, and what differs.

import { ask, linked, machine } from "./app.js";
import { card, count, el, fill, minute, mode_badge, money, mood, percent, scroller, signed, status_badge } from "./parts.js";

const COLOURS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5", "--series-6"];
const DASHES = [undefined, [8, 4], [2, 3], [10, 3, 2, 3], [4, 4], [14, 4]];  // told apart without colours
const FIGURES = [
  ["state", (each) => status_badge(each.status)],
  ["orders go to", (each) => mode_badge(each.mode)],
  ["strategy", (each) => each.strategy || "–"],
  ["symbols", (each) => each.symbols.slice(0, 8).join(", ") + (each.symbols_all > 8 ? ` and ${each.symbols_all - 8} more` : "")],
  ["began (UTC)", (each) => minute(each.began)],
  ["ended (UTC)", (each) => minute(each.ended)],
  ["net", (each) => first(each, (money_) => el("span", { class: mood(money_.net) }, `${signed(money_.net)} ${money_.currency}`))],
  ["net, of what it began with", (each) => first(each, (money_) => percent(money_.net_ratio, true))],
  ["equity", (each) => first(each, (money_) => money(money_.equity))],
  ["deepest drawdown", (each) => first(each, (money_) => money(money_.max_drawdown))],
  ["fees", (each) => first(each, (money_) => money(money_.fees))],
  ["fills", (each) => count(each.fills)],
  ["refused", (each) => count(each.refused)],
];
const first = (each, of) => (each.currencies.length ? of(each.currencies[0]) : "–");

export function compare_view(main, names) {
  let is_closed = false, lines = null;
  document.title = `logos: ${names.join(" and ")}`;
  fill(main, el("p", { class: "soft" }, "Reading …"));

  function show(found) {
    const sessions = found.sessions;
    const place = el("div");
    const settings = found.settings.map((each) => el("tr", {}, el("th", { scope: "row", class: "long" }, each.key), each.values.map((value) => el("td", { class: "long" }, value))));
    fill(main, el("div", { class: "stack" },
      el("div", { class: "head" }, el("h1", {}, "Comparison")),
      card("curves", "Equity, change since the start", place, el("p", { class: "fine" }, "Percent of the equity that each began with, in its first currency, by the hours since its own start. Drag to zoom, double-click to see all again.")),
      card("figures", "What they came to", scroller("Figures", grid(sessions, FIGURES.map(([name, of]) => el("tr", {}, el("th", { scope: "row" }, name), sessions.map((each) => el("td", {}, of(each)))))))),
      card("settings", "What differs in their settings", settings.length
        ? scroller("Settings", grid(sessions, settings))
        : el("p", { class: "empty" }, "Nothing: they have the same settings."))));
    draw(place, sessions);
  }

  function grid(sessions, rows) {
    return el("table", {}, el("thead", {}, el("tr", {}, el("td", {}, ""), sessions.map((each) => el("th", { scope: "col" }, el("a", { href: `#/s/${encodeURIComponent(each.id)}` }, each.id))))), el("tbody", {}, rows));
  }

  function draw(place, sessions) {
    const drawn = sessions.map((each) => each.curves[0]).map((curve) => (curve && curve.equity[0] > 0 ? curve.times.map((time, at) => [(time - curve.times[0]) / 3600, (curve.equity[at] / curve.equity[0] - 1) * 100]) : []));
    const times = [...new Set(drawn.flat().map(([time]) => time))].sort((one, other) => one - other);
    if (times.length < 2) { fill(place, el("p", { class: "empty" }, "None of them has two samples of its equity.")); return; }
    const percents = (value) => Charts.percent(value / 100);
    lines = Charts.line(place, {
      label: "Change of equity in percent by hours since the start", height: 300, x: times, time: false, axis: (value) => `${Charts.number(value, 1)} %`,
      series: sessions.map((each, at) => {
        const found = new Map(drawn[at]);
        return { label: each.id, colour: COLOURS[at], dash: DASHES[at], value: percents, values: times.map((time) => found.get(time) ?? null) };
      }),
    });
  }

  ask(`/api/compare?${names.map((name) => `id=${encodeURIComponent(name)}`).join("&")}`).then((found) => {
    if (is_closed) return;
    linked(true, "up to date");
    show(found);
  }).catch((refused) => {
    if (is_closed || refused.status === 401) return;
    fill(main, el("div", { class: "card notice bad" }, el("p", {}, el("strong", {}, "They cannot be compared. "), refused.message), el("p", {}, el("a", { href: "#/" }, "All sessions"))));
  });
  ask("/api/sessions").then(machine).catch(() => {});
  return { name: "compare", close() { is_closed = true; lines?.destroy(); } };
}
