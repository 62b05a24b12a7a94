// The list of sessions, with the machine's kill switch.

import { ask, linked, machine } from "./app.js";
import { amount, badge, bytes, card, count, el, fill, minute, mode_badge, moment, percent, mood, signed, status_badge, table, tile } from "./parts.js";

const EVERY_MS = 2000;
const COMPARED_MAX = 6;
const chosen = new Set();

export function list_view(main) {
  let timer = 0, is_closed = false, all = null;
  document.title = "logos: sessions";

  const compare = el("a", { class: "button", href: "#/" }, "");
  const note = el("p", { class: "soft" });
  const find = el("input", { type: "search", id: "find", placeholder: "id, strategy, symbol", oninput: () => paint() });
  const which = el("select", { id: "which", onchange: () => paint() }, ["all", "running", "ended well", "ended badly"].map((name) => el("option", { value: name }, name)));
  const rows = table("Sessions", [
    [el("span", { class: "only-heard" }, "compare"), tick, "tick"],
    ["session", name, "name"],
    ["state", (each) => el("span", {}, status_badge(each.status), " ", mode_badge(each.mode))],
    ["strategy", (each) => el("span", {}, each.strategy || "–", symbols(each))],
    ["net", net, "number"],
    ["equity", (each) => first(each, (money) => el("span", {}, amount(money.equity), ` ${money.currency}`)), "number"],
    ["max drawdown", (each) => first(each, (money) => amount(money.max_drawdown)), "number"],
    ["fills", (each) => count(each.fills), "number"],
    ["data", (each) => each.data || "–"],
    ["began, ended (UTC)", (each) => el("span", {}, minute(each.began), el("span", { class: "sub" }, each.ended ? `to ${minute(each.ended)}` : "")), "time"],
    ["report", (each) => (each.has_report ? el("a", { href: `#/s/${each.id}/report` }, "report", el("span", { class: "only-heard" }, ` of ${each.id}`)) : "")],
  ], { stacks: true, empty: "No session matches." });
  const tiles = el("div", { class: "tiles" });
  const notices = el("div", { class: "stack" });
  const history = table("Transitions of the kill switch", [
    ["time (UTC)", (each) => moment(each.time), "time"],
    ["state", (each) => badge(each.state.replaceAll("_", " "), each.state === "SAFE" ? "good" : "bad")],
    ["who", (each) => each.who],
    ["why", (each) => each.why, "long"],
    ["epoch", (each) => count(each.epoch), "number"],
  ], { empty: "The switch has no history yet.", tall: true });
  const switch_card = card("switch-history", "Kill switch of this workspace", history.holder);

  fill(main, el("div", { class: "stack" },
    el("div", { class: "head" }, el("h1", {}, "Sessions")),
    notices, tiles,
    el("section", { class: "card", "aria-label": "Sessions" },
      el("div", { class: "tools" },
        el("label", { for: "find" }, "Find", find),
        el("label", { for: "which" }, "Show", which),
        el("span", { class: "spring" }), compare),
      rows.holder, note),
    switch_card));

  function tick(each) {
    const label = `Compare ${each.id}`;
    return el("input", { type: "checkbox", "aria-label": label, checked: chosen.has(each.id), onchange: (event) => {
      if (event.target.checked) chosen.add(each.id); else chosen.delete(each.id);
      paint_compare();
    } });
  }

  function paint_compare() {
    const names = [...chosen];
    const is_ready = names.length >= 2 && names.length <= COMPARED_MAX;
    compare.textContent = is_ready ? `Compare ${names.length} sessions` : `Tick 2 to ${COMPARED_MAX} sessions to compare them`;
    if (is_ready) { compare.href = `#/compare/${names.map(encodeURIComponent).join(",")}`; compare.removeAttribute("aria-disabled"); }
    else { compare.removeAttribute("href"); compare.setAttribute("aria-disabled", "true"); }
  }

  function paint() {
    if (!all) return;
    const wanted = find.value.trim().toLowerCase();
    const shown = all.sessions.filter((each) => {
      const is_bad = each.status === "CRASHED" || each.status === "UNKNOWN" || Boolean(each.exit_code);
      if (which.value === "running" && each.status !== "RUNNING") return false;
      if (which.value === "ended well" && (each.status === "RUNNING" || is_bad)) return false;
      if (which.value === "ended badly" && !is_bad) return false;
      return !wanted || [each.id, each.strategy, ...each.symbols].join(" ").toLowerCase().includes(wanted);
    });
    const focused = document.activeElement?.closest?.("tbody") ? document.activeElement.getAttribute("aria-label") ?? document.activeElement.getAttribute("href") : null;
    rows.show(shown);
    if (focused) [...rows.holder.querySelectorAll("input, a")].find((each) => (each.getAttribute("aria-label") ?? each.getAttribute("href")) === focused)?.focus();
    for (const name of chosen) if (!all.sessions.some((each) => each.id === name)) chosen.delete(name);
    paint_compare();
    const more = all.sessions_all - all.sessions.length;
    note.textContent = more > 0 ? `The ${all.sessions.length} that changed last, of ${count(all.sessions_all)}; logos sessions list shows all.` : "";
  }

  function paint_tiles() {
    const running = all.sessions.filter((each) => each.status === "RUNNING");
    const real = running.filter((each) => each.mode === "live").length;
    const bad = all.sessions.filter((each) => each.status === "CRASHED" || each.status === "UNKNOWN");
    fill(tiles,
      tile("Running", count(running.length), real ? `${real} with REAL orders` : "all on paper"),
      tile("Sessions", count(all.sessions_all), bytes(all.sessions.reduce((sum, each) => sum + each.bytes, 0))),
      tile("To be looked at", count(bad.length), bad.length ? bad.map((each) => each.id).slice(0, 3).join(", ") : "none crashed", bad.length ? "loss" : ""),
      tile("Kill switch", all.switch ? all.switch.state.replaceAll("_", " ") : "none", all.switch ? `epoch ${all.switch.epoch}` : "no session ran here", all.switch && all.switch.state !== "SAFE" ? "loss" : ""));
    fill(notices,
      all.switch && all.switch.state !== "SAFE" && el("div", { class: "card notice bad", role: "alert" },
        el("p", {}, el("strong", {}, `The kill switch is ${all.switch.state.replaceAll("_", " ")}. `), `${all.switch.who ? `By ${all.switch.who}: ` : ""}${all.switch.why}`),
        all.switch.causes.filter((cause) => !cause.includes(all.switch.why)).slice(0, 5).map((cause) => el("p", { class: "soft" }, cause)),
        all.switch.clear_command && el("p", {}, "To clear it, in a terminal: ", el("code", {}, all.switch.clear_command))),
      all.sessions_all === 0 && el("div", { class: "card notice" }, el("p", {}, "No session ran here yet. Start one: ", el("code", {}, "logos trade --config examples/session.toml"))));
    switch_card.hidden = !all.switch;
    history.show(all.switch?.history ?? []);
  }

  async function look() {
    try {
      all = await ask("/api/sessions");
      if (is_closed) return;
      machine(all);
      linked(true, "up to date");
      paint_tiles();
      paint();
    } catch (refused) {
      if (is_closed || refused.status === 401) return;
      if (refused.status) linked(false, refused.message);
    }
    if (!is_closed) timer = setTimeout(look, document.hidden ? EVERY_MS * 5 : EVERY_MS);
  }
  look();
  return { name: "list", close() { is_closed = true; clearTimeout(timer); } };
}

function first(each, of) {
  const [money, ...others] = each.currencies;
  if (!money) return "–";
  return others.length ? el("span", {}, of(money), el("span", { class: "sub" }, `and ${others.length} more`)) : of(money);
}

function net(each) {
  return first(each, (money) => el("span", { class: mood(money.net) }, signed(money.net), el("span", { class: "sub" }, percent(money.net_ratio, true))));
}

function symbols(each) {
  if (!each.symbols.length) return null;
  const more = each.symbols_all - 4;
  return el("span", { class: "sub" }, each.symbols.slice(0, 4).join(", ") + (more > 0 ? ` and ${more} more` : ""));
}

function name(each) {
  const words = each.problem || (each.status === "RUNNING" ? "" : each.reason) || (each.held && each.held !== "nothing" ? `holds ${each.held}` : "");
  return el("span", {}, el("a", { href: `#/s/${each.id}` }, each.id), words && el("span", { class: "sub" }, words));
}
