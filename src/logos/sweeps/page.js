"use strict";
/* The page of a sweep: its data stands in #data, and is shown as text. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const ROWS_FIRST = 50;
  const DENSE = 16;

  const make = (name, text, ...classes) => {
    const element = document.createElement(name);
    if (text !== undefined) element.textContent = text;
    element.classList.add(...classes);
    return element;
  };

  const isRatio = (name) => /ratio$|^exposure$|win_rate$|^cagr$|^volatility$/.test(name);
  const shown = (name, value) => {
    if (value === null || value === undefined) return "–";
    if (isRatio(name)) return `${(value * 100).toFixed(2)} %`;
    if (Number.isInteger(value)) return value.toLocaleString("en");
    const size = Math.abs(value);
    return value.toLocaleString("en", { maximumFractionDigits: size >= 1000 ? 0 : size >= 10 ? 2 : 3 });
  };
  const words = (name) => name.replace("trips.trips", "trips").replace("trips.", "").replaceAll("_", " ").replace(/ ratio$/, "");
  const lower = (name) => data.lower_is_better.includes(name);
  const paramsOf = (row) => data.axes.map((axis, at) => `${axis.name}=${row.params[at]}`).join(" ");
  const stretch = ([from, to]) => `${from || "the beginning"} to ${to || "the end"}`;

  const headRow = (table, cells, texts) => {
    const row = table.createTHead().insertRow();
    cells.forEach((cell, at) => {
      const head = make("th", cell);
      head.scope = "col";
      if (at >= texts) head.classList.add("number");
      row.append(head);
    });
  };

  const luck = data.overfitting;
  const bests = data.folds.map((fold) => fold.best);

  function showHead() {
    document.title = `logos: sweep of ${data.strategy}`;
    find("title").textContent = `Sweep of ${data.strategy}`;
    const done = data.done === data.planned ? `${data.done}` : `${data.done} of ${data.planned}`;
    const best = bests[0]
      ? ` Best by ${words(data.by)}: row ${bests[0].row}, ${paramsOf(bests[0])}, ${shown(data.by, bests[0].figures[0])}.`
      : "";
    find("what").textContent = `${done} sessions (${data.method}) by logos ${data.software}.${best}`;
  }

  function showNotes() {
    const notes = [];
    if (data.stopped) notes.push(`The sweep is not complete (${data.stopped}): go on with logos sweep --resume.`);
    if (data.again_is_same === false) notes.push("The best row came to other bytes when it was run once more by itself: the strategy keeps something from one session to the next. Do not trust these rows.");
    if (luck && !(luck.deflated >= data.likely)) notes.push(`The best of ${luck.trials} trials may be luck: its deflated Sharpe ratio is ${shown("", luck.deflated)}, and below ${data.likely} it proves nothing.`);
    if (luck && luck.days < 30) notes.push(`There are ${luck.days} daily returns: figures for a year, and any probability drawn from them, say little.`);
    if (bests[0] && !data.folds.some((fold) => fold.outside)) notes.push("Nothing was held back: the best row was chosen on the same data that shows its figures. Use --out-of-sample or --walk-forward.");
    const bad = data.rows.filter((row) => row.status !== "ENDED").length;
    if (bad) notes.push(`${bad} rows came to no result: they are at the end of the table, each with its reason.`);
    if (!notes.length) return find("notes").remove();
    for (const note of notes) find("notes").querySelector("ul").append(make("li", note));
  }

  function showLuck() {
    const table = find("luck-figures");
    if (!luck) {
      find("luck").textContent = "Not judged: the best row's daily returns do not vary, or there are too few.";
      return table.parentElement.remove();
    }
    find("luck").textContent = data.is_likely
      ? "Luck is a poor explanation: after so many trials the true Sharpe ratio is above 0 with the probability below."
      : luck.deflated >= data.likely ? "There are too few daily returns to say." : `It may be luck: the deflated Sharpe ratio is below ${data.likely}, so the best of so many trials of no worth could look as good.`;
    const body = table.createTBody();
    const rows = [
      ["Trials", luck.trials, ""],
      ["Daily returns", luck.days, ""],
      ["Sharpe ratio of the best, of a day", luck.sharpe, ""],
      ["Highest expected of so many trials of no worth", luck.expected, ""],
      ["Probability that the true one is above 0, had nothing else been tried", luck.probabilistic, ""],
      ["Deflated Sharpe ratio: the same, given all trials", luck.deflated, "best"],
    ];
    for (const [name, value, style] of rows) {
      const row = body.insertRow();
      const head = make("th", name);
      head.scope = "row";
      row.append(head, make("td", shown("", value), "number"));
      if (style) row.classList.add(style);
    }
  }

  function showOutside() {
    const folds = data.folds.map((fold, at) => ({ ...fold, at })).filter((fold) => fold.outside);
    if (!folds.length) return find("outside-card").remove();
    const walk = data.walk_forward;
    find("together").textContent = walk
      ? `${walk.days} ${walk.days === 1 ? "day" : "days"} together: net ${shown("net_ratio", walk.net_ratio)}, Sharpe ratio ${shown("", walk.sharpe)} against ${shown("", walk.sharpe_inside)} inside` + (walk.efficiency === null ? "." : `: ${shown("net_ratio", walk.efficiency)} of it holds.`)
      : "There is no result yet.";
    const table = find("outside");
    headRow(table, ["Fold", "Found in", "Tried on", "Parameters", `${words(data.by)} inside`, `${words(data.by)} outside`, ...(data.by === "net_ratio" ? [] : ["net outside"])], 4);
    const body = table.createTBody();
    const net = data.figures.indexOf("net_ratio");
    for (const fold of folds) {
      const row = body.insertRow();
      const head = make("th", `${fold.at + 1}`);
      head.scope = "row";
      row.append(head, make("td", stretch(fold.inside)), make("td", stretch(fold.outside)));
      row.append(make("td", fold.best ? paramsOf(fold.best) : "–"));
      row.append(make("td", shown(data.by, fold.best?.figures[0]), "number"));
      row.append(make("td", shown(data.by, fold.result?.figures[0]), "number"));
      if (data.by !== "net_ratio") row.append(make("td", shown("net_ratio", fold.result?.figures[net]), "number"));
    }
  }

  /* ---- the heat map ---- */

  const varying = data.axes.map((axis, at) => ({ ...axis, at })).filter((axis) => axis.varies);
  const byNumber = (one, other) => {
    const [a, b] = [Number(one), Number(other)];
    return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other) : a - b;
  };
  const BINS = 12;
  /* The values of an axis, or stretches of them where there are too many. */
  const places = (axis, rows) => {
    const values = [...new Set(rows.map((row) => row.params[axis.at]))].sort(byNumber);
    if (values.length <= 60 || values.some((value) => Number.isNaN(Number(value)))) {
      return { names: values, of: (value) => values.indexOf(value) };
    }
    const [low, high] = [Number(values[0]), Number(values[values.length - 1])];
    const width = (high - low) / BINS;
    const names = Array.from({ length: BINS }, (_, at) => `from ${Number((low + at * width).toPrecision(3))}`);
    return { names, of: (value) => Math.min(BINS - 1, Math.floor((Number(value) - low) / width)) };
  };

  function colour(value, low, high, name) {
    const hasSigns = low < 0 && high > 0;
    const isGood = lower(name) ? value <= 0 || !hasSigns : value >= 0 || !hasSigns;
    let part = hasSigns ? Math.abs(value) / Math.max(-low, high) : high > low ? (value - low) / (high - low) : 0.5;
    if (!hasSigns && lower(name)) part = 1 - part;
    return `color-mix(in srgb, var(${isGood ? "--gain" : "--loss"}) ${Math.round(6 + 34 * part)}%, var(--card))`;
  }

  function showMap() {
    const name = find("map-figure").value;
    const figure = data.figures.indexOf(name);
    const fold = Number(find("map-fold")?.value) || 1;
    const across = varying[Number(find("map-x").value)];
    const down = find("map-y").value === "" ? null : varying[Number(find("map-y").value)];
    const rows = data.rows.filter((row) => row.fold === fold);
    const xs = places(across, rows);
    const ys = down && down !== across ? places(down, rows) : { names: [words(name)], of: () => 0 };
    const cells = new Map();
    for (const row of rows) {
      const value = row.figures[figure];
      if (value === null) continue;
      const key = `${xs.of(row.params[across.at])} ${ys.of(down && down !== across ? row.params[down.at] : "")}`;
      const there = cells.get(key);
      const isBetter = !there || (lower(name) ? value < there.value : value > there.value);
      cells.set(key, { value: isBetter ? value : there.value, row: isBetter ? row : there.row, count: (there?.count ?? 0) + 1 });
    }
    const all = [...cells.values()].map((cell) => cell.value);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const best = lower(name) ? low : high;
    const table = find("map");
    table.replaceChildren();
    table.classList.toggle("dense", xs.names.length > DENSE);
    const head = table.createTHead().insertRow();
    const corner = make("th", down && down !== across ? `${down.name} ↓  ${across.name} →` : `${across.name} →`);
    corner.scope = "col";
    head.append(corner);
    for (const text of xs.names) {
      const cell = make("th", text);
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    ys.names.forEach((text, y) => {
      const line = body.insertRow();
      const side = make("th", text);
      side.scope = "row";
      line.append(side);
      xs.names.forEach((_, x) => {
        const found = cells.get(`${x} ${y}`);
        const cell = make("td", found ? shown(name, found.value) : "", found ? "number" : "empty");
        if (found) {
          cell.style.background = colour(found.value, low, high, name);
          cell.title = `row ${found.row.row}: ${paramsOf(found.row)}` + (found.count > 1 ? `, the best of ${found.count}` : "");
          if (found.value === best) cell.classList.add("best");
        }
        line.append(cell);
      });
    });
    const others = varying.filter((axis) => axis !== across && axis !== down).map((axis) => axis.name);
    find("map-words").textContent = `${words(name)} of each combination` + (others.length ? `, the best over ${others.join(", ")}` : "") + `; ${lower(name) ? "the lowest" : "the highest"} has a frame. A single bright cell among pale ones is luck more often than a broad hill.`;
  }

  function option(select, value, text, isChosen) {
    const made = make("option", text);
    made.value = value;
    made.selected = isChosen;
    select.append(made);
  }

  function startMap() {
    data.figures.forEach((name, at) => option(find("map-figure"), name, words(name), at === 0));
    varying.forEach((axis, at) => option(find("map-x"), at, axis.name, at === (varying.length > 1 ? 1 : 0)));
    option(find("map-y"), "", "nothing", varying.length < 2);
    varying.forEach((axis, at) => option(find("map-y"), at, axis.name, varying.length > 1 && at === 0));
    data.folds.forEach((_, at) => option(find("map-fold"), at + 1, `${at + 1}`, at === 0));
    if (data.folds.length < 2) find("map-fold-label").remove();
    for (const id of ["map-figure", "map-x", "map-y", "map-fold"]) find(id)?.addEventListener("change", showMap);
    showMap();
  }

  /* ---- the rows ---- */

  function showRows(count) {
    const table = find("rows");
    table.replaceChildren();
    const hasFolds = data.folds.length > 1;
    const isBad = data.rows.some((row) => row.status !== "ENDED");
    const heads = ["Row", ...(hasFolds ? ["Fold"] : []), ...data.axes.map((axis) => axis.name)];
    headRow(table, [...heads, ...data.figures.map(words), "orders", ...(isBad ? ["ended as"] : [])], 0);
    const body = table.createTBody();
    const best = new Set(bests.filter(Boolean).map((row) => row.row));
    for (const row of data.rows.slice(0, count)) {
      const line = body.insertRow();
      if (best.has(row.row)) line.classList.add("best");
      const head = make("th", `${row.row}`, "number");
      head.scope = "row";
      line.append(head);
      if (hasFolds) line.append(make("td", `${row.fold}`, "number"));
      for (const value of row.params) line.append(make("td", value, "number"));
      row.figures.forEach((value, at) => line.append(make("td", shown(data.figures[at], value), "number")));
      line.append(make("td", `${row.orders}`, "number"));
      if (isBad) line.append(make("td", row.reason ? `${row.status}: ${row.reason}` : row.status, "reason"));
    }
    const left = data.rows_left_out ? ` ${data.rows_left_out} more are in results.csv only.` : "";
    find("rows-words").textContent = `The best first. Any of them can be run once more to the same bytes: logos sweep rerun ${data.folder} ROW.${left}`;
    find("more").hidden = count >= data.rows.length;
    find("more").textContent = `Show all ${data.rows.length} rows`;
  }

  showHead();
  showNotes();
  showLuck();
  showOutside();
  if (varying.length && data.rows.length) startMap();
  else find("map").closest("section").remove();
  find("more").addEventListener("click", () => showRows(data.rows.length));
  showRows(ROWS_FIRST);
})();
