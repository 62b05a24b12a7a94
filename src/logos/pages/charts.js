"use strict";
/* Charts of logos' pages over uPlot: colours from the stylesheet, times in UTC, zoom by drag, wheel
   or keyboard, one time axis for all charts that share a key. Text is set as text, never as markup. */
const Charts = (() => {
  const UTC = "Etc/UTC";
  const TOUCHED = 0.2; // share of the window by which a key moves or widens it

  /* How a time axis is labelled, from the widest step to the narrowest: uPlot's rows of step, label,
     and what stands below it when a year, a day or a minute begins. */
  const DAY = 86400;
  const TIMES = [
    [365 * DAY, "{YYYY}", null, null, null, null, null, null, 1],
    [28 * DAY, "{YYYY}-{MM}", null, null, null, null, null, null, 1],
    [DAY, "{MM}-{DD}", "\n{YYYY}", null, null, null, null, null, 1],
    [60, "{HH}:{mm}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [1, "{HH}:{mm}:{ss}", "\n{YYYY}-{MM}-{DD}", null, "\n{MM}-{DD}", null, null, null, 1],
    [0.001, ":{ss}.{fff}", "\n{YYYY}-{MM}-{DD} {HH}:{mm}", null, "\n{MM}-{DD} {HH}:{mm}", null, "\n{HH}:{mm}", null, 1],
  ];

  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  /* Figures: thousands apart, decimals as asked. null and NaN are a dash. */
  const formats = new Map();
  const number = (value, decimals = 2) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    let format = formats.get(decimals);
    if (!format) {
      format = new Intl.NumberFormat("en-US", {
        minimumFractionDigits: decimals,
        maximumFractionDigits: decimals,
      });
      formats.set(decimals, format);
    }
    const text = format.format(value);
    return (/^-[0.,]*$/.test(text) ? text.slice(1) : text).replace("-", "−");
  };
  const percent = (share, decimals = 2) =>
    share === null || share === undefined ? "–" : number(share * 100, decimals) + " %";

  const two = (value) => String(value).padStart(2, "0");
  const date = (seconds) => {
    const at = new Date(seconds * 1000);
    return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`;
  };
  const time = (seconds) => {
    if (seconds === null || seconds === undefined) return "–";
    const at = new Date(seconds * 1000);
    const clock = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    return `${date(seconds)} ${clock}`;
  };

  /* Decimals that tell neighbouring figures of this size apart. */
  const decimalsFor = (span) => {
    if (!(span > 0)) return 2;
    return Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(span))));
  };

  /* An axis as wide as its widest label: uPlot cuts off what does not fit. */
  const axisSize = (self, values, axis, cycle) => {
    if (cycle > 1) return self.axes[axis]._size;
    const longest = (values || []).reduce((most, each) => Math.max(most, String(each).length), 0);
    return Math.max(64, 14 + longest * 7);
  };

  const ranges = new Map(); // time window by key, shared by its charts
  const groups = new Map();

  function setWindow(chart, min, max) {
    const { key, full } = chart;
    const least = (full[1] - full[0]) / 20000 || 1;
    let low = Math.max(full[0], min);
    let high = Math.min(full[1], max);
    if (high - low < least) {
      const middle = (low + high) / 2;
      low = Math.max(full[0], middle - least / 2);
      high = Math.min(full[1], middle + least / 2);
    }
    if (!(high > low)) return;
    ranges.set(key, [low, high]);
    for (const each of groups.get(key)) {
      if (each.plot) each.plot.setScale("x", { min: low, max: high });
      if (each.onWindow) each.onWindow(low <= each.full[0] && high >= each.full[1], low, high);
    }
  }

  const whole = (chart) => setWindow(chart, chart.full[0], chart.full[1]);

  /* Keys on a chart that has the focus: arrows move, + and - zoom, 0 shows all. */
  function onKey(chart, event) {
    const [low, high] = ranges.get(chart.key);
    const step = (high - low) * TOUCHED;
    if (event.key === "ArrowLeft") setWindow(chart, Math.max(chart.full[0], low - step), Math.max(chart.full[0], low - step) + (high - low));
    else if (event.key === "ArrowRight") setWindow(chart, Math.min(chart.full[1], high + step) - (high - low), Math.min(chart.full[1], high + step));
    else if (event.key === "+" || event.key === "=") setWindow(chart, low + step, high - step);
    else if (event.key === "-") setWindow(chart, low - step, high + step);
    else if (event.key === "0") whole(chart);
    else return;
    event.preventDefault();
  }

  function onWheel(chart, event) {
    if (!(event.ctrlKey || event.shiftKey)) return; // the page scrolls as it always does
    event.preventDefault();
    const [low, high] = ranges.get(chart.key);
    const at = chart.plot.posToVal(event.clientX - chart.plot.over.getBoundingClientRect().left, "x");
    const factor = (event.deltaY || event.deltaX) > 0 ? 1.25 : 0.8;
    setWindow(chart, at - (at - low) * factor, at + (high - at) * factor);
  }

  /* A chart in `host`. `spec` has: label (what it shows, for those who hear it), height, key (charts
     of one key share their window), x (seconds), series [{label, values, colour, width, fill, paths,
     show, value}], axis(value) -> label, draw(u) after the series, zero (y holds 0),
     yRange(u, low, high) -> [min, max]. Gives an object with `whole()`, `show(min, max)`,
     `renew(x, ...values)`, `destroy()`. */
  function line(host, spec) {
    const key = spec.key || host.id || spec.label;
    const chart = { key, host, spec, plot: null, onWindow: spec.onWindow };
    let data = [spec.x, ...spec.series.map((each) => each.values)];
    const span = (xs) => (xs[0] === xs[xs.length - 1] ? [xs[0] - 60, xs[0] + 60] : [xs[0], xs[xs.length - 1]]);
    chart.full = spec.full || span(spec.x);
    if (chart.full[0] === chart.full[1]) chart.full = [chart.full[0] - 60, chart.full[1] + 60];
    if (!ranges.has(key)) ranges.set(key, chart.full.slice());
    if (!groups.has(key)) groups.set(key, new Set());
    groups.get(key).add(chart);
    host.classList.add("chart");
    host.tabIndex = 0;
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", `${spec.label}. Arrows move, plus and minus zoom, 0 shows all.`);
    const keys = (event) => onKey(chart, event);
    const wheel = (event) => onWheel(chart, event);
    host.addEventListener("keydown", keys);
    host.addEventListener("wheel", wheel, { passive: false });

    const build = () => {
      if (chart.plot) chart.plot.destroy();
      const font = `12px ${css("--sans")}`;
      const axis = { stroke: css("--soft"), font, grid: { stroke: css("--grid"), width: 1 }, ticks: { stroke: css("--grid"), width: 1 } };
      const options = {
        width: Math.max(200, host.clientWidth),
        height: spec.height || 260,
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), UTC),
        cursor: { sync: { key, setSeries: false, scales: ["x", null] }, drag: { x: true, y: false, setScale: false }, dblclick: false, points: { size: 6 } },
        legend: { live: true },
        scales: {
          x: { time: spec.time !== false, min: chart.full[0], max: chart.full[1] },
          y: { range: spec.yRange || ((u, low, high) => padded(low, high, spec.zero)) },
        },
        axes: [
          { ...axis, space: 80, ...(spec.time === false ? {} : { values: TIMES }) },
          { ...axis, size: axisSize, values: (u, ticks) => ticks.map((each) => axisLabel(each, ticks, spec.axis)) },
        ],
        series: [
          { label: spec.time === false ? "Value" : "Time (UTC)", value: (u, at) => (at === null ? "–" : time(at)) },
          ...spec.series.map((each) => ({
            label: each.label,
            stroke: each.colour ? css(each.colour) : undefined,
            width: each.width ?? 1.5,
            fill: each.fill ? css(each.fill) : undefined,
            fillTo: each.fillTo,
            paths: each.paths,
            dash: each.dash,
            points: { show: false },
            spanGaps: true,
            show: each.show !== false,
            value: (u, value) => (value === null || value === undefined ? "–" : each.value ? each.value(value) : number(value)),
          })),
        ],
        hooks: {
          draw: spec.draw ? [spec.draw] : [],
          setSelect: [(u) => {
            if (u.select.width > 4) setWindow(chart, u.posToVal(u.select.left, "x"), u.posToVal(u.select.left + u.select.width, "x"));
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          }],
          ready: [(u) => {
            u.over.addEventListener("dblclick", () => whole(chart));
            const [low, high] = ranges.get(key);
            u.setScale("x", { min: low, max: high });
          }],
        },
      };
      chart.plot = new uPlot(options, data, host);
      for (const canvas of host.querySelectorAll("canvas")) canvas.setAttribute("aria-hidden", "true");
    };
    build();
    const sized = new ResizeObserver(() => {
      const width = Math.max(200, host.clientWidth);
      if (chart.plot && width !== chart.plot.width) chart.plot.setSize({ width, height: spec.height || 260 });
    });
    sized.observe(host);
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", build);
    return {
      whole: () => whole(chart),
      show: (low, high) => setWindow(chart, low, high),
      /* Other values, of a session that runs: who sees all goes on seeing all. */
      renew(x, ...values) {
        const [low, high] = ranges.get(key);
        const isWhole = low <= chart.full[0] && high >= chart.full[1];
        data = [x, ...values];
        chart.full = span(x);
        chart.plot.setData(data, false);
        if (isWhole) whole(chart); else setWindow(chart, low, high);
      },
      get plot() { return chart.plot; },
      destroy() {
        groups.get(key).delete(chart);
        scheme.removeEventListener("change", build);
        sized.disconnect();
        host.removeEventListener("keydown", keys);
        host.removeEventListener("wheel", wheel);
        chart.plot.destroy();
        chart.plot = null;
      },
    };
  }

  function axisLabel(value, ticks, written) {
    if (value === null) return "";
    if (written) return written(value, ticks);
    const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : Math.abs(value);
    const decimals = step > 0 ? Math.max(0, Math.min(8, -Math.floor(Math.log10(step) + 1e-9))) : 0;
    return number(value, decimals);
  }

  function padded(low, high, zero) {
    if (low === null || high === null || !Number.isFinite(low) || !Number.isFinite(high)) return [0, 1];
    if (zero) { low = Math.min(low, 0); high = Math.max(high, 0); }
    const room = (high - low) * 0.06 || Math.abs(high) * 0.01 || 1;
    return [zero && low === 0 ? 0 : low - room, zero && high === 0 ? 0 : high + room];
  }

  /* The index of the first of the rising `xs` that is `x` or more. */
  function indexOf(xs, x) {
    let low = 0, high = xs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle + 1; else high = middle;
    }
    return low;
  }

  /* The bars of {x, open, high, low, close} that lie in view, drawn on the plot `u`: each by itself
     where there is room, else a column of pixels from its lowest low to its highest high, so that no
     extreme is lost, however many bars there are. */
  function drawBars(u, bars) {
    const { ctx, bbox } = u;
    const from = Math.max(0, indexOf(bars.x, u.scales.x.min) - 1);
    const to = Math.min(bars.x.length, indexOf(bars.x, u.scales.x.max) + 1);
    if (to <= from) return;
    const at = (value) => u.valToPos(value, "y", true);
    const room = bbox.width / Math.max(1, to - from);
    const ratio = devicePixelRatio || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    if (room >= 3 * ratio) {
      const wide = Math.max(1, Math.min(14 * ratio, room * 0.65));
      const gain = css("--gain"), loss = css("--loss"), card = css("--card");
      for (let index = from; index < to; index++) {
        const rises = bars.close[index] >= bars.open[index];
        const x = Math.round(u.valToPos(bars.x[index], "x", true));
        const top = at(Math.max(bars.open[index], bars.close[index]));
        const bottom = at(Math.min(bars.open[index], bars.close[index]));
        ctx.strokeStyle = rises ? gain : loss;
        ctx.fillStyle = rises ? card : loss; // a hollow body rose, a full one fell
        ctx.lineWidth = ratio;
        ctx.beginPath();
        ctx.moveTo(x, at(bars.high[index]));
        ctx.lineTo(x, top);
        ctx.moveTo(x, bottom);
        ctx.lineTo(x, at(bars.low[index]));
        ctx.stroke();
        ctx.fillRect(x - wide / 2, top, wide, Math.max(ratio, bottom - top));
        ctx.strokeRect(x - wide / 2, top, wide, Math.max(ratio, bottom - top));
      }
    } else {
      ctx.strokeStyle = css("--soft");
      ctx.lineWidth = ratio;
      ctx.beginPath();
      let column = null, high = 0, low = 0;
      const put = () => {
        if (column === null) return;
        ctx.moveTo(column + 0.5, at(high) - 0.5);
        ctx.lineTo(column + 0.5, at(low) + 0.5);
      };
      for (let index = from; index < to; index++) {
        const x = Math.round(u.valToPos(bars.x[index], "x", true));
        if (x !== column) {
          put();
          column = x; high = bars.high[index]; low = bars.low[index];
        } else {
          high = Math.max(high, bars.high[index]);
          low = Math.min(low, bars.low[index]);
        }
      }
      put();
      ctx.stroke();
    }
    ctx.restore();
  }

  /* Series that span bars from low to high, for the axis and the legend; `drawBars` paints them. */
  const barSeries = (bars, value) =>
    ["Open", "High", "Low", "Close"].map((label) => ({
      label, values: bars[label.toLowerCase()], paths: () => null, value,
    }));

  /* A triangle at a moment and a price: up for what bought, down for what sold; hollow: an exit. */
  function drawMarks(u, marks) {
    const { ctx, bbox } = u;
    const ratio = devicePixelRatio || 1;
    const size = 5 * ratio;
    const colours = { gain: css("--gain"), loss: css("--loss"), accent: css("--accent"), card: css("--card") };
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.lineWidth = 1.5 * ratio;
    for (const mark of marks) {
      if (mark.x < u.scales.x.min || mark.x > u.scales.x.max) continue;
      const x = u.valToPos(mark.x, "x", true);
      const y = u.valToPos(mark.y, "y", true);
      ctx.strokeStyle = colours[mark.colour] || colours.accent;
      ctx.fillStyle = mark.hollow ? colours.card : ctx.strokeStyle;
      ctx.beginPath();
      if (mark.shape === "cross") {
        ctx.moveTo(x - size, y - size); ctx.lineTo(x + size, y + size);
        ctx.moveTo(x + size, y - size); ctx.lineTo(x - size, y + size);
      } else {
        const way = mark.shape === "down" ? -1 : 1;
        ctx.moveTo(x, y + way * 1.5 * ratio);
        ctx.lineTo(x - size, y + way * size * 2);
        ctx.lineTo(x + size, y + way * size * 2);
        ctx.closePath();
        ctx.fill();
      }
      ctx.stroke();
    }
    ctx.restore();
  }

  return Object.freeze({ css, number, percent, date, time, decimalsFor, line, drawBars, barSeries, drawMarks, indexOf });
})();
