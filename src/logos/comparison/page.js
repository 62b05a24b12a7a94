"use strict";
/* The page of a comparison: its data stands in #data, and is shown as text. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const COLOURS = 6;

  const make = (name, text, ...classes) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    element.classList.add(...classes);
    return element;
  };
  const series = (at) => `series-${(at % COLOURS) + 1}`;
  const isDashed = (at) => at >= COLOURS;

  /* The letter of a session with the line that it has in the chart. */
  const keyOf = (at, words) => {
    const key = make("span", undefined, "key");
    const line = make("span", undefined, "line", series(at));
    if (isDashed(at)) line.classList.add("dashed");
    line.setAttribute("aria-hidden", "true");
    key.append(line, make("span", words, "letter"));
    return key;
  };

  const headRow = (table, cells) => {
    const row = table.createTHead().insertRow();
    for (const cell of cells) {
      const head = make("th");
      head.scope = "col";
      if (cell instanceof Node) head.append(cell); else head.textContent = cell;
      row.append(head);
    }
    return row;
  };
  const bodyRow = (body, name, cells, ...classes) => {
    const row = body.insertRow();
    const head = make("th", name);
    head.scope = "row";
    row.append(head);
    for (const cell of cells) row.append(make("td", cell, ...classes));
    return row;
  };

  function showSessions() {
    const table = find("sessions");
    const heads = headRow(table, ["Session", "Net", "Max drawdown", "Trades", "Ended as", "Strategy", "Period"]);
    for (const at of [1, 2, 3]) heads.cells[at].classList.add("number");
    const body = table.createTBody();
    data.sessions.forEach((each, at) => {
      const row = body.insertRow();
      const head = make("th");
      head.scope = "row";
      head.append(keyOf(at, `${each.letter} ${each.name}`));
      const net = make("td", each.net, "number");
      if (each.gains !== null) net.classList.add(each.gains ? "gain" : "loss");
      const outcome = make("td");
      outcome.append(make("span", each.outcome, "badge", each.tone));
      row.append(head, net, make("td", each.drawdown, "number"), make("td", each.trades, "number"));
      row.append(outcome, make("td", each.strategy, "words"), make("td", each.period, "dates"));
    });
  }

  function showNotes() {
    if (!data.notes.length) return find("notes").remove();
    for (const note of data.notes) find("notes").querySelector("ul").append(make("li", note));
  }

  /* All curves over one rising axis: each has the value of its last point before, from its first
     point to its last one. */
  function aligned(isByDate) {
    const curves = data.curves.map(({ x, y }) => ({ x: isByDate ? x : x.map((at) => at - x[0]), y }));
    const xs = [...new Set(curves.flatMap((curve) => curve.x))].sort((one, other) => one - other);
    const values = curves.map(({ x, y }) => {
      let next = 0;
      return xs.map((at) => {
        while (next < x.length && x[next] <= at) next++;
        return next === 0 || at > x[x.length - 1] ? null : y[next - 1] * 100;
      });
    });
    return { xs, values };
  }

  let chart = null;
  function showChart(isByDate) {
    if (chart) chart.destroy();
    const host = find("chart");
    host.replaceChildren();
    const { xs, values } = aligned(isByDate);
    for (const name of ["by-date", "by-start"])
      find(name).setAttribute("aria-pressed", String((name === "by-date") === isByDate));
    if (!xs.length) {
      host.append(make("p", "No session has equity to draw.", "empty"));
      return;
    }
    const last = xs[xs.length - 1];
    const perUnit = last > 2 * 86400 ? 86400 : last > 7200 ? 3600 : 60;
    const unit = { 86400: "Days", 3600: "Hours", 60: "Minutes" }[perUnit];
    find("unit").textContent = isByDate
      ? "Change from what each began with, per cent; times are UTC."
      : `Change from what each began with, per cent, over ${unit.toLowerCase()} from the start of each.`;
    chart = Charts.line(host, {
      label: "Equity of each session as a change in per cent",
      key: isByDate ? "date" : "start",
      height: matchMedia("(max-width: 520px)").matches ? 260 : 360,
      time: isByDate,
      zero: true,
      x: isByDate ? xs : xs.map((at) => at / perUnit),
      axis: (value, ticks) => `${Charts.number(value, ticks.length > 1 ? Charts.decimalsFor((ticks[1] - ticks[0]) * 10) : 2)} %`,
      series: data.sessions.map((each, at) => ({
        label: `${each.letter} ${each.name}`,
        values: values[at],
        colour: `--${series(at)}`,
        dash: isDashed(at) ? [6, 4] : undefined,
        width: 1.75,
        value: (value) => Charts.number(value, 2) + " %",
      })),
    });
  }

  function showFigures() {
    const table = find("figures");
    const heads = data.sessions.map((each, at) => keyOf(at, `${each.letter} ${each.name}`));
    const row = headRow(table, ["Figure", ...heads, ...(data.difference ? [data.difference] : [])]);
    [...row.cells].slice(1).forEach((cell) => cell.classList.add("number"));
    const body = table.createTBody();
    for (const each of data.figures) {
      const cells = data.difference ? [...each.cells, each.difference] : each.cells;
      const made = bodyRow(body, each.name, cells, "number");
      if (each.begins) made.classList.add("gap");
    }
  }

  function showDifferences(id, rows, words) {
    const place = find(id);
    if (!rows.length) return place.append(make("p", words, "soft"));
    const scroll = make("div", undefined, "scroll");
    scroll.tabIndex = 0;
    scroll.setAttribute("role", "region");
    scroll.setAttribute("aria-label", place.querySelector("h3").textContent);
    const table = make("table");
    headRow(table, ["", ...data.sessions.map((each, at) => keyOf(at, each.letter))]);
    table.tHead.rows[0].cells[0].append(make("span", "What", "only-heard"));
    const body = table.createTBody();
    for (const each of rows) {
      const row = bodyRow(body, each.name, each.values);
      for (const cell of row.querySelectorAll("td"))
        if (data.absent.includes(cell.textContent)) cell.classList.add("absent");
    }
    scroll.append(table);
    place.append(scroll);
  }

  document.title = `logos: ${data.sessions.map((each) => each.name).join(", ")}`;
  showSessions();
  showNotes();
  showFigures();
  showDifferences("settings", data.settings, "The same, every key.");
  showDifferences("strategy", data.strategy, "The same code: name, file and build.");
  showDifferences("data-of", data.data, "The same data, byte by byte.");
  find("by-date").addEventListener("click", () => showChart(true));
  find("by-start").addEventListener("click", () => showChart(false));
  showChart(data.is_by_date);
})();
