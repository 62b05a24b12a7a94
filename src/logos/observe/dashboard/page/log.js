// The log of decisions, from its end, with filters.

import { ask } from "./app.js";
import { card, count, el, fill, table } from "./parts.js";

const EVENTS = ["ORDER_GENERATED", "REFUSED", "BLOCKED", "NO_SIGNAL", "SWITCH", "FILL", "ORDER_NEW", "ORDER_HELD", "ORDER_ACCEPTED", "ORDER_PARTIALLY_FILLED", "ORDER_FILLED", "ORDER_CANCELLED", "ORDER_REJECTED", "ORDER_EXPIRED", "ORDER_UNKNOWN", "ORDER_RESIZED", "GUARD_REFUSE", "GUARD_REDUCE_ONLY", "GUARD_HALT", "GUARD_ENGAGE", "COMMAND_FLATTEN", "COMMAND_SUSPEND", "COMMAND_RESUME", "COMMAND_PAUSE", "COMMAND_UNPAUSE", "COMMAND_ENGAGE", "COMMAND_RECONCILE", "WARM_UP", "WARNING", "NOTE"];
const LEVELS = [["", "all"], ["error", "error"], ["warning", "warning or worse"], ["info", "info or worse"]];
const TYPED_MS = 300;
const NEWS_MS = 2000;

export function log_card(path) {
  let timer = 0, news_timer = 0, lines = [], next = null, is_closed = false, asked = 0, has_older = false;
  const soon = () => { clearTimeout(timer); timer = setTimeout(begin, TYPED_MS); };
  const level = el("select", { id: "log-level", onchange: soon }, LEVELS.map(([value, name]) => el("option", { value }, name)));
  const event = el("select", { id: "log-event", onchange: soon }, el("option", { value: "" }, "all"), EVENTS.map((name) => el("option", {}, name)));
  const symbol = el("input", { id: "log-symbol", type: "text", oninput: soon });
  const text = el("input", { id: "log-text", type: "search", oninput: soon });
  const follow = el("input", { id: "log-follow", type: "checkbox", checked: true });
  const rows = table("Log of decisions", [
    ["time (UTC)", (each) => each.time.slice(0, 23).replace("T", " "), "time"],
    ["tick", (each) => count(each.tick), "number"],
    ["level", (each) => el("span", { class: `level ${each.level}` }, each.level)],
    ["event", (each) => each.event],
    ["symbol", (each) => each.symbol || "–"],
    ["particulars", (each) => [each.order, each.reason].filter(Boolean).join(" · "), "long"],
    ["switch", (each) => each.state],
  ], { empty: "No line of the log matches.", tall: true });
  const older = el("button", { type: "button", onclick: () => more() }, "Older lines");
  const note = el("p", { class: "fine", role: "status" });
  const made = card("log", "Log",
    el("div", { class: "tools" },
      el("label", { for: "log-level" }, "Level", level), el("label", { for: "log-event" }, "Event", event),
      el("label", { for: "log-symbol" }, "Symbol", symbol), el("label", { for: "log-text" }, "Text", text),
      el("label", { for: "log-follow", class: "tickbox" }, follow, "show new lines as they come")),
    rows.holder, el("div", { class: "tools" }, older, note));

  function query(before) {
    const asked_for = { level: level.value, event: event.value, symbol: symbol.value.trim(), text: text.value.trim(), before: before ?? "" };
    return new URLSearchParams(Object.entries(asked_for).filter(([, value]) => value !== "")).toString();
  }

  async function read(before) {
    const number = ++asked;
    try {
      const found = await ask(`${path}/log?${query(before)}`);
      if (is_closed || number !== asked) return;
      lines = before === null ? found.lines : [...lines, ...found.lines];
      next = found.next;
      rows.show(lines);
      older.disabled = next === null;
      note.textContent = `${count(lines.length)} lines shown; ` + (next === null ? "the log begins here." : "there is more.")
        + (found.unreadable ? ` ${count(found.unreadable)} lines cannot be read.` : "");
    } catch (refused) {
      if (!is_closed) note.textContent = refused.message;
    }
  }

  function begin() { has_older = false; return read(null); }
  function more() { has_older = true; return read(next); }
  begin();
  return {
    card: made,
    news() {
      if (!follow.checked || has_older || news_timer) return;
      news_timer = setTimeout(() => { news_timer = 0; if (follow.checked && !has_older) begin(); }, NEWS_MS);
    },
    close() { is_closed = true; clearTimeout(timer); clearTimeout(news_timer); },
  };
}
