// Parts of the page. Everything that a session wrote is put into the page as text, never as markup.

export function el(name, given = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(given)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false) made.append(child);
  }
  return made;
}

export const fill = (parent, ...children) => parent.replaceChildren(...children.flat(3).filter((c) => c !== null && c !== undefined && c !== false));

// ---- how figures and times are written ----

const grouped = new Intl.NumberFormat("en-US");
const two = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export const count = (number) => (number === null || number === undefined ? "–" : grouped.format(number));

export function exact(text) {  // exact decimal text with separators, all its decimals
  if (!text) return "–";
  const [whole, fraction] = text.split(".");
  const sign = whole.startsWith("-") ? "−" : "";
  const digits = whole.replace("-", "").replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return sign + digits + (fraction ? `.${fraction}` : "");
}

export function trimmed(text) {  // a price or a quantity: no zeros behind that say nothing
  if (!text) return "–";
  return exact(text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
}

export function money(text) {  // two decimals for people; the exact figure is in the title
  if (text === "" || text === null || text === undefined) return "–";
  const number = Number(text);
  return two.format(Math.abs(number) < 0.005 ? 0 : number).replace("-", "−");
}

export function signed(text) {
  const shown = money(text);
  return Number(text) >= 0.005 ? `+${shown}` : shown;
}

export function percent(ratio, is_signed = false) {
  if (ratio === null || ratio === undefined) return "";
  const value = ratio * 100;
  const shown = `${two.format(Math.abs(value) < 0.005 ? 0 : value).replace("-", "−")} %`;
  return is_signed && value >= 0.005 ? `+${shown}` : shown;
}

export const mood = (text) => (Number(text) >= 0.005 ? "gain" : Number(text) <= -0.005 ? "loss" : "");

export function bytes(size) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size, at = 0;
  while (value >= 999.5 && at < units.length - 1) { value /= 1000; at += 1; }
  return `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 && at ? 1 : 0 })} ${units[at]}`;
}

export function span(nanoseconds) {  // a duration
  if (nanoseconds === null || nanoseconds === undefined) return "–";
  const steps = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  const [unit, name] = steps.find(([size]) => nanoseconds >= size) ?? steps[3];
  const value = nanoseconds / unit;
  return `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 })} ${name}`;
}

export function seconds(value) {
  if (value === null || value === undefined) return "–";
  if (value < 1) return span(value * 1e9);
  if (value < 120) return `${value.toLocaleString("en-US", { maximumFractionDigits: 1 })} s`;
  if (value < 7200) return `${Math.round(value / 60)} min`;
  if (value < 172800) return `${Math.round(value / 3600)} h`;
  return `${Math.round(value / 86400)} d`;
}

export function moment(milliseconds) {  // UTC, to the second
  if (!milliseconds) return "–";
  const made = new Date(milliseconds);
  return Number.isNaN(made.getTime()) ? "–" : made.toISOString().slice(0, 19).replace("T", " ");
}

export const minute = (text) => (text ? text.slice(0, 16).replace("T", " ") : "–");

// ---- pieces ----

export function badge(text, kind = "") { return el("span", { class: `badge ${kind}` }, text); }

const STATUS_KINDS = { RUNNING: "good", ENDED: "", STOPPED: "", CRASHED_RECOVERED: "warn", HALTED: "warn", CRASHED: "bad", FAILED: "bad", UNKNOWN: "bad" };
export const status_badge = (status) => badge(status.replaceAll("_", " "), STATUS_KINDS[status] ?? "");
export const mode_badge = (mode) => (mode === "live" ? badge("REAL ORDERS", "bad") : badge("PAPER"));
export const switch_badge = (state) => badge(`switch ${state.replaceAll("_", " ")}`, state === "SAFE" ? "good" : "bad");

export function tile(name, value, more = "", kind = "", title = "") {
  return el("div", { class: "card tile" },
    el("div", { class: "name" }, name),
    el("div", { class: `value ${kind}`, title: title || null }, value),
    el("div", { class: "more" }, more));
}

export function card(id, title, ...children) {
  const heading = el("h2", { id: `${id}-title`, tabindex: "-1" }, title);
  return el("section", { class: "card", id, "aria-labelledby": `${id}-title` }, el("div", { class: "cardhead" }, heading), ...children);
}

export function scroller(label, ...children) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...children);
}

// A table whose rows can be replaced. A column: [heading, of_row => text or node, class].
export function table(label, columns, { stacks = false, empty = "none", tall = false } = {}) {
  const body = el("tbody");
  const grid = el("table", { class: stacks ? "stacks" : null },
    el("caption", { class: "only-heard" }, label),
    el("thead", {}, el("tr", {}, columns.map(([heading, , kind]) => el("th", { scope: "col", class: kind === "number" ? "number" : kind === "tick" ? "corner" : null }, heading)))),
    body);
  const nothing = el("p", { class: "empty" }, empty);
  const box = scroller(label, grid);
  if (tall) box.classList.add("tall");
  const holder = el("div", {}, box, nothing);
  const show = (rows) => {
    box.hidden = rows.length === 0;
    nothing.hidden = rows.length !== 0;
    fill(body, rows.map((row) => el("tr", {}, columns.map(([heading, of, kind]) => {
      const value = of(row);
      const text = typeof heading === "string" ? heading : "";
      return el("td", { class: kind || null, "data-label": text }, value === "" || value === null || value === undefined ? "" : value);
    }))));
  };
  show([]);
  return { holder, show };
}

export function amount(text, { is_signed = false } = {}) {  // money in a cell
  return el("span", { class: is_signed ? mood(text) : null, title: exact(text) }, is_signed ? signed(text) : money(text));
}

export function meter(each) {
  const ratio = each.ratio === null ? 1 : each.ratio;
  const wide = Math.max(0, Math.min(1, ratio)) * 100;
  const level = each.ratio === null || ratio >= 1 ? "over" : ratio >= 0.8 ? "near" : "";
  const inner = el("span");
  inner.style.width = `${wide}%`;
  const is_money = each.unit.length <= 5 && each.unit === each.unit.toUpperCase();
  const write = is_money ? money : trimmed;
  const used = `${write(each.used)} of ${write(each.limit)} ${each.unit}`;
  const share = each.ratio === null ? "nothing is allowed" : percent(ratio);
  const name = [each.guard, each.subject].filter(Boolean).join(" · ");
  return el("li", {},
    el("div", { class: "meterhead" }, el("span", { class: "what" }, name), el("span", { class: "how" }, share)),
    el("div", { class: `meter ${level}`, role: "meter", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": wide.toFixed(1), "aria-valuetext": `${share}, ${used}` }, inner),
    el("p", { class: "fine" }, `${used}; passed: ${each.action.replaceAll("_", " ")}${level === "over" ? "; REACHED" : level === "near" ? "; near" : ""}`));
}
