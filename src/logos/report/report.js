"use strict";
/* What of a report needs a script: charts, and the table of round trips. Every text is set as text. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const TRIP = { number: 0, symbol: 1, side: 2, quantity: 3, entry: 4, entryPrice: 5, exit: 6, exitPrice: 7, net: 8, fees: 9, currency: 10, ratio: 11, mae: 12, mfe: 13, entryOrder: 14, exitOrder: 15, entryTag: 16, exitTag: 17 };
  const ORDER = { id: 0, symbol: 1, created: 2, ended: 3, side: 4, type: 5, status: 6, reason: 7, quantity: 8, filled: 9, limit: 10, stop: 11, tag: 12, notes: 13 };
  const REFUSAL = { at: 0, symbol: 1, code: 2, detail: 3 };
  const PAGE = 25;
  const SHOWN_ORDERS = 30;

  const at = (id) => document.getElementById(id);
  const text = (place) => data.texts[place];

  function make(name, content, attributes = {}) {
    const found = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) found.setAttribute(key, value);
    }
    for (const each of Array.isArray(content) ? content : [content]) {
      if (each !== null && each !== undefined) found.append(each instanceof Node ? each : String(each));
    }
    return found;
  }

  /* The counterpart of packing.py: bytes of seven bits, the sign in the lowest one. */
  function unpack(packed) {
    const raw = atob(packed);
    const found = [];
    let number = 0, unit = 1;
    for (let index = 0; index < raw.length; index++) {
      const byte = raw.charCodeAt(index);
      number += (byte & 127) * unit;
      if (byte < 128) {
        found.push(number % 2 ? -(number + 1) / 2 : number / 2);
        number = 0; unit = 1;
      } else unit *= 128;
    }
    return found;
  }
  function summed(differences) {
    let value = 0;
    return differences.map((each) => (value += each));
  }
  const times = (packed) => summed(unpack(packed)).map((each) => each / 1000);
  const figures = ({ packed, decimals }) => summed(unpack(packed)).map((each) => each / 10 ** decimals);
  function unpackBars({ times: packedTimes, packed, decimals }) {
    const bars = { x: times(packedTimes), open: [], high: [], low: [], close: [] };
    const scale = 10 ** decimals;
    const numbers = unpack(packed);
    let close = 0;
    for (let index = 0; index < numbers.length; index += 4) {
      const open = close + numbers[index];
      close = open + numbers[index + 1];
      bars.open.push(open / scale);
      bars.close.push(close / scale);
      bars.high.push((Math.max(open, close) + numbers[index + 2]) / scale);
      bars.low.push((Math.min(open, close) - numbers[index + 3]) / scale);
    }
    bars.decimals = decimals;
    return bars;
  }

  function duration(ms) {
    let rest = Math.floor(ms / 1000);
    const parts = [];
    for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]]) {
      const whole = Math.floor(rest / size);
      rest -= whole * size;
      if (whole || parts.length) parts.push([whole, unit]);
    }
    const shown = parts.slice(0, 2).filter(([whole]) => whole).map((each) => each.join(" "));
    return shown.length ? shown.join(" ") : ms ? `${Math.round(ms)} ms` : "0 s";
  }
  const minute = (ms) => (ms === null ? "–" : Charts.time(ms / 1000).slice(0, 16));
  const second = (ms) => (ms === null ? "–" : Charts.time(ms / 1000));
  const signed = (value, decimals) => (value > 0 ? "+" : "") + Charts.number(value, decimals);
  const apart = (written) => {
    const [whole, part] = written.split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return (part === undefined ? grouped : `${grouped}.${part}`).replace("-", "−");
  };

  /* One window of time for the whole page. */
  const books = data.books.map((each) => ({ ...each, x: times(each.times), values: figures(each.equity), fall: figures(each.fall) }));
  const prices = data.prices.map((each) => ({ ...each, name: text(each.symbol), bars: unpackBars(each) }));
  const ends = [...books, ...prices.map((each) => each.bars)].filter((each) => each.x.length);
  const full = [Math.min(...ends.map((each) => each.x[0])), Math.max(...ends.map((each) => each.x[each.x.length - 1]))];
  const KEY = "session";

  function choices(host, names, choose, label) {
    if (names.length < 2) return;
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", label);
    const buttons = names.map((name, index) => {
      const button = make("button", name, { type: "button", "aria-pressed": index === 0 ? "true" : "false" });
      button.addEventListener("click", () => {
        buttons.forEach((each) => each.setAttribute("aria-pressed", each === button ? "true" : "false"));
        choose(index);
      });
      return button;
    });
    host.append(...buttons);
  }

  function equity() {
    const shown = books.filter((each) => each.x.length);
    if (!shown.length) return;
    let charts = [];
    const draw = (index) => {
      charts.forEach((each) => each.destroy());
      const book = shown[index];
      charts = [
        Charts.line(at("equity-chart"), {
          label: `Equity in ${book.currency}, ${book.name}`, key: KEY, full, x: book.x, height: 260,
          series: [{ label: `Equity (${book.currency})`, values: book.values, colour: "--gain", width: 2, value: (each) => Charts.number(each, book.decimals) }],
        }),
        Charts.line(at("fall-chart"), {
          label: "How far below its high the equity was", key: KEY, full, x: book.x, height: 130, zero: true,
          axis: (value, ticks) => Charts.percent(value, ticks.length > 1 && Math.abs(ticks[1] - ticks[0]) < 0.01 ? 2 : 0),
          series: [{ label: "Below the high", values: book.fall.map((each) => -each), colour: "--loss", fill: "--loss-wash", fillTo: 0, value: (each) => Charts.percent(each) }],
        }),
      ];
    };
    choices(at("equity-books"), shown.map((each) => each.name), draw, "Books");
    draw(0);
  }

  function marksOf(symbol) {
    const { marks } = data;
    if (!marks.all) {
      const kinds = unpack(marks.kinds), symbols = unpack(marks.symbols);
      marks.all = times(marks.times).map((x, index) => ({
        x, y: Number(marks.prices[index]), symbol: symbols[index],
        shape: kinds[index] & 1 ? "up" : "down", hollow: kinds[index] >= 2, colour: kinds[index] & 1 ? "gain" : "loss",
      }));
    }
    return marks.all.filter((each) => each.symbol === symbol);
  }

  const MARKS = [["▲", "bought"], ["▼", "sold"], ["△▽", "hollow: made the position smaller"]];
  function legend() {
    return make("p", MARKS.map(([sign, words]) => make("span", [make("span", sign, { class: "sample", "aria-hidden": "true" }), words])), { class: "legend" });
  }

  function priceCharts() {
    if (!prices.length) return;
    const host = at("price-chart"), note = at("price-note");
    let chart = null;
    const draw = (index) => {
      if (chart) chart.destroy();
      chart = null;
      host.replaceChildren();
      const price = prices[index];
      if (!price.bars.x.length) {
        note.textContent = `${price.name}: no prices to show${price.problem ? `: ${price.problem}` : ""}.`;
        return;
      }
      note.textContent = price.joined > 1
        ? `${price.name}: each bar joins ${price.joined} of the data's, from the lowest low to the highest high.`
        : price.name;
      const marks = marksOf(price.symbol);
      chart = Charts.line(host, {
        label: `Prices of ${price.name} with ${marks.length} fills`, key: KEY, full, x: price.bars.x, height: 380,
        series: Charts.barSeries(price.bars, (value) => Charts.number(value, Math.max(2, price.bars.decimals))),
        draw: (u) => { Charts.drawBars(u, price.bars); Charts.drawMarks(u, marks); },
      });
    };
    choices(at("price-symbols"), prices.map((each) => each.name), draw, "Symbols");
    draw(0);
    host.after(legend());
    if (data.marks.left) host.after(make("p", `The last ${Charts.number(marksCount(), 0)} fills are marked; trades.csv has all.`, { class: "soft" }));
  }
  const marksCount = () => data.marks.prices.length;

  function curves(hostId, found, label) {
    const host = at(hostId);
    if (!host) return;
    const shown = found.filter((each) => each.times);
    if (!shown.length) { host.append(make("p", "Nothing to show.", { class: "empty" })); return; }
    shown.forEach((each, index) => {
      const box = make("div", null);
      host.append(box);
      const x = times(each.times);
      const name = each.symbol ? `${each.name} (${each.symbol})` : each.name;
      Charts.line(box, {
        label: `${label}: ${name}`, key: KEY, full, x, height: 160, zero: label === "Held",
        series: [{ label: name, values: figures(each.values), colour: `--series-${(index % 6) + 1}`, value: (value) => Charts.number(value, each.values.decimals) }],
      });
    });
  }

  /* ---- round trips ---- */

  const decimalsOf = new Map(data.books.map((each) => [each.currency, each.decimals]));
  const places = (trip) => decimalsOf.get(text(trip[TRIP.currency])) ?? 2;
  const COLUMNS = [
    ["No.", (trip) => trip[TRIP.number]],
    ["Symbol", (trip) => text(trip[TRIP.symbol])],
    ["Side", (trip) => trip[TRIP.side]],
    ["Quantity", (trip) => Number(trip[TRIP.quantity]), true],
    ["Entry (UTC)", (trip) => trip[TRIP.entry]],
    ["Price", (trip) => Number(trip[TRIP.entryPrice]), true],
    ["Exit (UTC)", (trip) => trip[TRIP.exit]],
    ["Price", (trip) => Number(trip[TRIP.exitPrice]), true],
    ["Held", (trip) => trip[TRIP.exit] - trip[TRIP.entry], true],
    ["Net", (trip) => trip[TRIP.net], true],
    ["Result", (trip) => trip[TRIP.ratio], true],
    ["Worst (MAE)", (trip) => trip[TRIP.mae], true],
    ["Best (MFE)", (trip) => trip[TRIP.mfe], true],
    ["Tags", (trip) => tags(trip)],
  ];
  const tags = (trip) => [text(trip[TRIP.entryTag]), text(trip[TRIP.exitTag])].filter(Boolean).join(" → ");

  function tripTable() {
    const host = at("trip-table");
    if (!data.trips.length) {
      host.append(make("p", "No round trip has ended: nothing that was opened has been closed.", { class: "empty" }));
      return;
    }
    let order = [0, 1], page = 0, found = data.trips, open = null;
    const search = make("input", null, { type: "search", placeholder: "symbol or tag" });
    const side = make("select", [["all", "all"], ["1", "long"], ["-1", "short"]].map(([value, words]) => make("option", words, { value })));
    const outcome = make("select", [["all", "all"], ["won", "won"], ["lost", "lost"]].map(([value, words]) => make("option", words, { value })));
    const filters = make("div", [
      make("label", ["Find", search]), make("label", ["Side", side]), make("label", ["Outcome", outcome]),
    ], { class: "filters" });
    const said = make("p", "", { class: "soft", role: "status", id: "trip-count" });
    const heads = COLUMNS.map(([name, , isNumber], index) => {
      const button = make("button", name, { type: "button" });
      button.addEventListener("click", () => { order = [index, order[0] === index ? -order[1] : 1]; page = 0; show(); });
      return make("th", button, { scope: "col", class: isNumber ? "number" : null });
    });
    const body = make("tbody", null);
    const table = make("table", [make("caption", "Round trips; a row opens the bars around it", { class: "only-heard" }), make("thead", make("tr", heads)), body], { class: "trips" });
    const box = make("div", table, { class: "scroll", tabindex: 0, role: "region", "aria-label": "Round trips" });
    const before = make("button", "← Before", { type: "button" });
    const after = make("button", "After →", { type: "button" });
    const where = make("span", "", { class: "soft" });
    const pages = make("div", [before, after, where], { class: "pages" });
    before.addEventListener("click", () => { page -= 1; show(); });
    after.addEventListener("click", () => { page += 1; show(); });
    for (const each of [search, side, outcome]) each.addEventListener("input", () => { page = 0; show(); });
    host.append(filters, said, box, pages);

    function chosen() {
      const words = search.value.trim().toLowerCase();
      return data.trips.filter((trip) =>
        (side.value === "all" || String(trip[TRIP.side]) === side.value) &&
        (outcome.value === "all" || (outcome.value === "won" ? trip[TRIP.net] > 0 : trip[TRIP.net] < 0)) &&
        (!words || `${text(trip[TRIP.symbol])} ${tags(trip)}`.toLowerCase().includes(words)));
    }
    function show() {
      if (open) { open.close(); open = null; }
      const key = COLUMNS[order[0]][1];
      found = chosen().slice().sort((one, other) => {
        const a = key(one), b = key(other);
        if (a === null || b === null) return (a === null) - (b === null) || one[0] - other[0];
        return ((a < b ? -1 : a > b ? 1 : 0) * order[1]) || one[0] - other[0];
      });
      heads.forEach((head, index) => {
        const is = index === order[0];
        if (is) head.setAttribute("aria-sort", order[1] > 0 ? "ascending" : "descending"); else head.removeAttribute("aria-sort");
        head.firstChild.textContent = COLUMNS[index][0] + (is ? (order[1] > 0 ? " ▲" : " ▼") : "");
      });
      const last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
      page = Math.max(0, Math.min(page, last));
      body.replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(row));
      before.disabled = page === 0;
      after.disabled = page === last;
      pages.hidden = last === 0;
      where.textContent = `page ${page + 1} of ${last + 1}`;
      said.textContent = count();
    }
    function count() {
      const sums = new Map();
      for (const trip of found) sums.set(trip[TRIP.currency], (sums.get(trip[TRIP.currency]) || 0) + trip[TRIP.net]);
      const nets = [...sums].map(([currency, net]) => `${signed(net, decimalsOf.get(text(currency)) ?? 2)} ${text(currency)}`);
      const shown = found.length === data.trips.length ? `${Charts.number(found.length, 0)} round trips` : `${Charts.number(found.length, 0)} of ${Charts.number(data.trips.length, 0)} round trips`;
      const more = data.tripCount > data.trips.length ? ` (the last of ${Charts.number(data.tripCount, 0)}; trips.csv has all)` : "";
      return `${shown}${more}${nets.length ? `, net ${nets.join(", ")}` : ""}. A row shows the bars around it.`;
    }
    function row(trip) {
      const decimals = places(trip);
      const number = make("button", trip[TRIP.number], { type: "button", class: "open-trip", "aria-expanded": "false", "aria-label": `Round trip ${trip[TRIP.number]}` });
      const tone = trip[TRIP.net] > 0 ? "gain" : trip[TRIP.net] < 0 ? "loss" : "";
      const cell = (content, name) => make("td", content, { class: name });
      const line = make("tr", [
        cell(number), cell(text(trip[TRIP.symbol]), "wraps"), cell(trip[TRIP.side] > 0 ? "long" : "short"),
        cell(apart(trip[TRIP.quantity]), "number"), cell(minute(trip[TRIP.entry])), cell(apart(trip[TRIP.entryPrice]), "number"),
        cell(minute(trip[TRIP.exit])), cell(apart(trip[TRIP.exitPrice]), "number"),
        cell(duration(trip[TRIP.exit] - trip[TRIP.entry]), "number"),
        cell(signed(trip[TRIP.net], decimals), `number ${tone}`),
        cell(trip[TRIP.ratio] === null ? "–" : (trip[TRIP.ratio] > 0 ? "+" : "") + Charts.percent(trip[TRIP.ratio]), `number ${tone}`),
        cell(Charts.number(trip[TRIP.mae], decimals), "number"), cell(Charts.number(trip[TRIP.mfe], decimals), "number"),
        cell(tags(trip), "wraps"),
      ], { class: "trip" });
      line.addEventListener("click", () => {
        const isOpen = open && open.line === line;
        if (open) { open.close(); open = null; }
        if (isOpen) return;
        open = closeUp(trip, line, number);
      });
      return line;
    }
    show();
  }

  function barsAround(trip) {
    const own = data.closeUps[trip[TRIP.number]];
    if (own) return unpackBars(own);
    const price = prices.find((each) => each.symbol === trip[TRIP.symbol]);
    if (!price || !price.bars.x.length) return null;
    const { bars } = price;
    const first = Charts.indexOf(bars.x, trip[TRIP.entry] / 1000), last = Charts.indexOf(bars.x, trip[TRIP.exit] / 1000) + 1;
    const room = Math.max(15, Math.floor((last - first) / 2));
    const cut = (values) => values.slice(Math.max(0, first - room), last + room);
    return { x: cut(bars.x), open: cut(bars.open), high: cut(bars.high), low: cut(bars.low), close: cut(bars.close), decimals: bars.decimals };
  }

  function smallTable(caption, columns, rows) {
    const head = make("thead", make("tr", columns.map((name) => make("th", name, { scope: "col" }))));
    const lines = rows.map((row) => make("tr", row.map((cell) => make("td", cell))));
    const table = make("table", [make("caption", caption, { class: "only-heard" }), head, make("tbody", lines)]);
    return make("div", table, { class: "scroll", tabindex: 0, role: "region", "aria-label": caption });
  }

  /* The bars around a trip, the orders that were open in it, and what was refused. */
  function closeUp(trip, line, button) {
    const bars = barsAround(trip);
    const entry = trip[TRIP.entry], exit = trip[TRIP.exit];
    const orders = data.orders.filter((order) => order[ORDER.symbol] === trip[TRIP.symbol] && (
      order[ORDER.id] === trip[TRIP.entryOrder] || order[ORDER.id] === trip[TRIP.exitOrder] ||
      (order[ORDER.created] <= exit && (order[ORDER.ended] === null || order[ORDER.ended] >= entry))));
    const width = bars && bars.x.length > 1 ? (bars.x[bars.x.length - 1] - bars.x[0]) * 1000 : 0;
    const room = Math.max(0, (width - (exit - entry)) / 2);
    const refused = data.refusals.filter((each) => (each[REFUSAL.symbol] === trip[TRIP.symbol] || !text(each[REFUSAL.symbol])) && each[REFUSAL.at] >= entry - room && each[REFUSAL.at] <= exit + room);
    const chartHost = make("div", null);
    const panel = make("div", [make("h3", `${text(trip[TRIP.symbol])} ${trip[TRIP.side] > 0 ? "long" : "short"}, ${second(entry)} to ${second(exit)} UTC`), chartHost], { class: "close-up" });
    panel.append(make("h3", "Orders"));
    if (orders.length) {
      panel.append(smallTable("Orders of the trip", ["Order", "Created (UTC)", "Side", "Type", "Quantity", "Filled", "Limit", "Stop", "How it ended", "Tag and notes"],
        orders.slice(0, SHOWN_ORDERS).map((order) => [
          order[ORDER.id], second(order[ORDER.created]), text(order[ORDER.side]), text(order[ORDER.type]), apart(order[ORDER.quantity]), apart(order[ORDER.filled]),
          order[ORDER.limit] ? apart(order[ORDER.limit]) : "", order[ORDER.stop] ? apart(order[ORDER.stop]) : "",
          [text(order[ORDER.status]), text(order[ORDER.reason])].filter(Boolean).join(", "), [text(order[ORDER.tag]), text(order[ORDER.notes])].filter(Boolean).join("; "),
        ])));
      if (orders.length > SHOWN_ORDERS) panel.append(make("p", `and ${orders.length - SHOWN_ORDERS} more: orders.csv`, { class: "soft" }));
    } else {
      panel.append(make("p", `Its orders are not among the last ${data.orders.length} that this page holds: orders.csv has them.`, { class: "empty" }));
    }
    panel.append(make("h3", "Refused meanwhile"));
    panel.append(refused.length
      ? smallTable("Refused meanwhile", ["Time (UTC)", "Code", "Detail"], refused.map((each) => [second(each[REFUSAL.at]), text(each[REFUSAL.code]), text(each[REFUSAL.detail])]))
      : make("p", "Nothing was refused around this trip.", { class: "empty" }));
    const holder = make("tr", make("td", panel, { colspan: COLUMNS.length }));
    line.after(holder);
    line.classList.add("open");
    button.setAttribute("aria-expanded", "true");
    let chart = null;
    if (bars && bars.x.length) {
      const marks = [
        { x: entry / 1000, y: Number(trip[TRIP.entryPrice]), shape: trip[TRIP.side] > 0 ? "up" : "down", colour: trip[TRIP.side] > 0 ? "gain" : "loss" },
        { x: exit / 1000, y: Number(trip[TRIP.exitPrice]), shape: trip[TRIP.side] > 0 ? "down" : "up", colour: trip[TRIP.side] > 0 ? "loss" : "gain", hollow: true },
      ];
      chart = Charts.line(chartHost, {
        label: `Bars around round trip ${trip[TRIP.number]}`, key: `trip-${trip[TRIP.number]}`, x: bars.x, height: 280,
        series: Charts.barSeries(bars, (value) => Charts.number(value, Math.max(2, bars.decimals))),
        draw: (u) => { Charts.drawBars(u, bars); levels(u, orders.slice(0, SHOWN_ORDERS), exit); Charts.drawMarks(u, marks); },
      });
    } else chartHost.append(make("p", "No prices to show around this trip.", { class: "empty" }));
    return { line, close() { if (chart) chart.destroy(); holder.remove(); line.classList.remove("open"); button.setAttribute("aria-expanded", "false"); } };
  }

  /* Limits and stops of orders, as lines from when they were made to when they ended. */
  function levels(u, orders, end) {
    const { ctx, bbox } = u;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.setLineDash([6, 4]);
    ctx.lineWidth = 1.5 * (devicePixelRatio || 1);
    for (const order of orders) {
      for (const [place, colour] of [[ORDER.limit, "--gain"], [ORDER.stop, "--loss"]]) {
        if (!order[place]) continue;
        const y = u.valToPos(Number(order[place]), "y", true);
        ctx.strokeStyle = Charts.css(colour);
        ctx.beginPath();
        ctx.moveTo(u.valToPos(order[ORDER.created] / 1000, "x", true), y);
        ctx.lineTo(u.valToPos((order[ORDER.ended] === null ? end : order[ORDER.ended]) / 1000, "x", true), y);
        ctx.stroke();
      }
    }
    ctx.restore();
  }

  if (ends.length) {
    equity();
    priceCharts();
    curves("exposure-chart", data.exposure, "Held");
    curves("plot-charts", data.plots, "Plotted");
  }
  tripTable();
  document.documentElement.dataset.ready = "true";
})();
