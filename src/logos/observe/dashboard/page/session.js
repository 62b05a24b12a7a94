// One session: what it is, its equity as it comes, positions, orders, limits, history, log, report.

import { ask, linked, machine } from "./app.js";
import { Equity } from "./equity.js";
import { log_card } from "./log.js";
import { amount, badge, card, count, el, exact, fill, meter, minute, mode_badge, moment, money, mood, percent, seconds, signed, span, status_badge, switch_badge, table, tile, trimmed } from "./parts.js";

const SECTIONS = [["equity", "Equity"], ["results", "Results"], ["positions", "Positions"], ["orders", "Orders"], ["limits", "Guards"], ["history", "Switch"], ["latency", "Latency"], ["feeds", "Feeds"], ["events", "Events"], ["log", "Log"], ["report", "Report"]];
const AGAIN_MS = 3000;
const ORDERS_EVERY_MS = 1000;
const HIDDEN_MS = 30000;
const EVENTS_MAX = 200;

export function session_view(main, id, wanted) {
  const path = `/api/sessions/${encodeURIComponent(id)}`;
  let is_closed = false, source = null, timer = 0, orders_timer = 0, events = [], is_shown = false;
  document.title = `logos: ${id}`;

  const head = el("div", { class: "head" }), under = el("p", { class: "under" }), notices = el("div", { class: "stack" }), tiles = el("div", { class: "tiles" });
  const jumps = el("ul", { class: "jumps" }, SECTIONS.map(([name, title]) => el("li", {}, el("a", { href: `#/s/${encodeURIComponent(id)}/${name}` }, title))));
  const equity = new Equity();
  const positions = table("Positions", [
    ["symbol", (each) => each.symbol, "name"],
    ["position", (each) => trimmed(each.position), "number"],
    ["mark", (each) => trimmed(each.mark), "number"],
    ["value", (each) => amount(each.value), "number"],
    ["unrealised", (each) => amount(each.unrealised, { is_signed: true }), "number"],
    ["realised", (each) => amount(each.realised, { is_signed: true }), "number"],
    ["fees", (each) => amount(each.fees), "number"],
    ["open orders", (each) => count(each.open_orders), "number"],
    ["price age", age, "number"],
    ["", (each) => (each.is_paused ? badge("paused", "warn") : "")],
  ], { stacks: true, empty: "No symbol has been seen yet.", tall: true });
  const samples = el("p", { class: "fine" });
  const open_orders = table("Open orders", order_columns(false), { empty: "No order is open.", tall: true });
  const ended_orders = table("Orders that ended", order_columns(true), { empty: "No order has ended.", tall: true });
  const fills = table("Fills", [
    ["time (UTC)", (each) => moment(each.time), "time"],
    ["symbol", (each) => each.symbol],
    ["side", (each) => each.side],
    ["quantity", (each) => trimmed(each.quantity), "number"],
    ["price", (each) => trimmed(each.price), "number"],
    ["fee", (each) => amount(each.fee), "number"],
    ["profit", (each) => amount(each.realised, { is_signed: true }), "number"],
    ["currency", (each) => each.currency],
    ["order", (each) => `#${each.order}`, "number"],
  ], { empty: "Nothing was filled yet.", tall: true });
  const orders_note = el("p", { class: "fine" });
  const orders_tabs = tabs("Orders", [["Open", open_orders.holder], ["Ended", ended_orders.holder], ["Fills", fills.holder]]);
  const meters = el("ul", { class: "meters" }), no_meters = el("p", { class: "empty" }, "No limit that is used over time is set.");
  const refusals = table("Refusals by code", [["refused because", (each) => each.code, "name"], ["times", (each) => count(each.count), "number"]], { empty: "Nothing was refused." });
  const history = table("Switch, guards and commands", [
    ["time (UTC)", (each) => moment(each.time), "time"],
    ["what", (each) => badge(each.what, each.kind === "switch" && each.what.endsWith("SAFE") ? "good" : each.kind === "command" ? "" : "warn")],
    ["of", (each) => each.symbol || "–"],
    ["why", (each) => each.text, "long"],
    ["tick", (each) => count(each.tick), "number"],
  ], { empty: "The switch stayed as it was, no guard acted, and no operator gave a command.", tall: true });
  const latency = table("Latency by stage", [
    ["stage", (each) => each.stage, "name"],
    ["p50", (each) => span(each.p50), "number"], ["p90", (each) => span(each.p90), "number"], ["p99", (each) => span(each.p99), "number"],
    ["p99.9", (each) => span(each.p99_9), "number"], ["max", (each) => span(each.max), "number"], ["count", (each) => count(each.count), "number"],
  ], { empty: "Nothing was measured yet." });
  const disk = el("p", { class: "fine" });
  const feeds = table("Feeds", [
    ["feed", (each) => [each.feed, each.symbol].filter(Boolean).join(" "), "name"],
    ["state", (each) => badge(each.state, /^(live|up|connected|ready)/i.test(each.state) ? "good" : "warn")],
    ["since (UTC)", (each) => moment(each.since), "time"],
    ["detail", (each) => each.detail, "long"],
  ], { empty: "Recorded data: there is no feed.", tall: true });
  const inbox = el("p", { class: "fine" });
  const event_rows = table("Latest events", [
    ["time (UTC)", (each) => moment(each.time), "time"],
    ["event", (each) => each.what], ["symbol", (each) => each.symbol || "–"], ["", (each) => each.text, "long"],
  ], { empty: "Nothing happened yet.", tall: true });
  const log = log_card(path);
  const results = results_card(path);
  const report = card("report", "Report");

  const whole = el("div", { class: "stack" },
    el("div", {}, head, under, el("nav", { "aria-label": "Parts of this page" }, jumps)), notices, tiles,
    equity.card, results.card,
    card("positions", "Positions", positions.holder, samples),
    card("orders", "Orders and fills", orders_tabs.whole, orders_note),
    card("limits", "Guards: used part of each limit", meters, no_meters),
    card("history", "Switch, guards, commands", history.holder),
    el("div", { class: "two" }, card("latency", "Latency", latency.holder, disk), card("refusals", "Refusals", refusals.holder)),
    card("feeds", "Feeds", feeds.holder, inbox),
    card("events", "Latest events", event_rows.holder),
    log.card, report);
  fill(main, el("p", { class: "soft" }, `Reading ${id} …`));

  function show(whole_) {
    if (!is_shown) { fill(main, whole); is_shown = true; }
    show_head(whole_.session, whole_.beat);
    results.show(whole_.session.status !== "RUNNING");
    equity.begin(whole_.curves);
    if (whole_.figures) show_figures(whole_.figures, whole_.session);
    else { fill(tiles); show_accounts(whole_.accounts); no_figures(whole_.positions); }
    samples.textContent = whole_.positions.length ? `Last sample of positions.csv: ${minute(whole_.positions[0].time)} UTC.` : "";
    show_orders(whole_);
    events = whole_.events;
    event_rows.show(events);
    show_report(whole_.session);
  }

  function show_head(session, beat) {
    fill(head, el("h1", { tabindex: "-1" }, session.id), status_badge(session.status), mode_badge(session.mode), el("span", { id: "session-switch" }));
    const parts = [session.strategy, session.symbols.slice(0, 6).join(", ") + (session.symbols_all > 6 ? ` and ${session.symbols_all - 6} more` : ""), session.data === "recorded" ? "recorded data" : `feed ${session.data}`, session.began && `began ${minute(session.began)} UTC`, session.ended && `ended ${minute(session.ended)} UTC`, !session.exit_code && session.reason];
    under.textContent = parts.filter(Boolean).join(" · ");
    fill(notices,
      session.problem && notice("bad", "It cannot be judged.", session.problem),
      session.status === "CRASHED" && notice("bad", "It crashed, or its process was killed.", "Continue it in a terminal: ", `logos resume ${session.id}`),
      session.reason && session.exit_code > 0 && notice("bad", `It ended with exit code ${session.exit_code}.`, session.reason),
      session.held && session.held !== "nothing" && notice("", "It still holds", session.held),
      beat?.stuck && notice("bad", "Code of the user does not return.", beat.stuck),
      beat?.phase && notice("", "It is starting.", beat.phase),
      beat?.suspended && notice("", "Suspended by an operator.", "Its strategy is not asked."),
      beat?.blocked && notice("bad", "Blocked by the kill switch.", beat.drained ? "None of its orders rests any more." : "Orders may still rest at its venue."),
      beat?.differences > 0 && notice("bad", `Its books differ from its venue's in ${beat.differences} points.`, "See docs/RECONCILIATION.md."),
      beat?.protection && notice("", "Exits held back from the venue:", beat.protection));
  }

  function show_figures(figures, session) {
    const [first, ...others] = figures.currencies;
    const state = document.getElementById("session-switch");
    if (state) fill(state, switch_badge(figures.switch.state));
    fill(tiles,
      first && tile(`Equity, ${first.currency}`, money(first.equity), `from ${money(first.initial)}`, "", exact(first.equity)),
      first && tile("Net", signed(first.net), percent(first.net_ratio, true), mood(first.net), exact(first.net)),
      first && tile("Today (UTC)", signed(first.day_profit), "result of the day", mood(first.day_profit), exact(first.day_profit)),
      first && tile("Drawdown", money(first.drawdown), `${percent(first.drawdown_ratio)} now; deepest ${money(first.max_drawdown)}`, "", exact(first.drawdown)),
      first && tile("Exposure", money(first.gross_exposure), `net ${money(first.net_exposure)}`, "", exact(first.gross_exposure)),
      first && tile("Fees", money(first.fees), Number(first.payments) ? `payments ${signed(first.payments)}` : "paid so far", "", exact(first.fees)),
      tile("Orders", count(figures.orders), `${count(figures.open_orders)} open, ${count(figures.fills)} fills`),
      tile("Refused", count(figures.refused), figures.blocked ? `ticks blocked: ${count(figures.blocked)}` : `${count(figures.warnings)} warnings`, figures.refused ? "loss" : ""),
      tile("Events", count(figures.ticks), figures.last_event ? `last ${moment(figures.last_event)}` : "none yet"),
      figures.market && figures.status === "RUNNING" && tile("Market data", seconds(figures.market.age_s), "since the last event came"),
      others.map((each) => tile(`Equity, ${each.currency}`, money(each.equity), `net ${signed(each.net)} (${percent(each.net_ratio, true)})`, "", exact(each.equity))));
    positions.show(figures.symbols);
    fill(meters, figures.guards.map(meter));
    no_meters.hidden = figures.guards.length > 0;
    refusals.show(figures.refusals);
    latency.show(figures.latency);
    disk.textContent = `Journal: ${count(figures.journal.records)} records; ${count(figures.journal.syncs)} fsyncs, ${span(figures.journal.sync_mean)} each, at most ${span(figures.journal.sync_max)}.`
      + (figures.market ? ` ${count(figures.overruns)} batches over 10 ms, ${count(figures.stalls)} stalls of the loop.` : "");
    feeds.show(figures.feeds);
    inbox.textContent = figures.market ? `Inbox: ${count(figures.market.events)} events, ${count(figures.market.conflated)} conflated, ${count(figures.market.waiting)} of ${count(figures.market.size)} waiting (peak ${count(figures.market.peak_waiting)}).` : "";
    if (session) show_open(figures.open_orders);
  }

  let open_wanted = null, has_chosen = false;
  function show_open(number) { open_wanted = number; }

  function show_accounts(accounts) {
    fill(tiles, accounts.map((each) => tile(`Equity, ${each.currency}`, money(each.equity), `last sample ${minute(each.time)} UTC`, "", exact(each.equity))));
  }

  function no_figures(rows) {  // a session of an older version, or one whose page of figures is gone
    positions.show(rows.map((each) => ({ ...each, value: "", open_orders: null, age_s: null })));
    fill(meters);
    for (const each of [refusals, latency, feeds]) each.show([]);
  }

  function show_orders({ orders, history: past }) {
    open_orders.show(orders.open);
    ended_orders.show(orders.ended);
    fills.show(orders.fills);
    history.show(past);
    if (!has_chosen) orders_tabs.choose(orders.open.length ? 0 : 1);
    has_chosen = true;
    const more = open_wanted !== null ? open_wanted - orders.open.length : 0;
    orders_note.textContent = (orders.is_partial ? "The journal is long: orders and fills are those of its end. " : "")
      + (orders.is_partial && more > 0 ? `${count(more)} more are open, made before that.` : "");
  }

  let reported = null;
  function show_report(session) {
    if (reported === session.has_report && session.has_report) return;
    reported = session.has_report;
    const heading = el("h2", { id: "report-title", tabindex: "-1" }, "Report");
    if (!session.has_report) {
      fill(report, el("div", { class: "cardhead" }, heading), el("p", { class: "empty" }, "No report was made yet. A session makes one when it ends; by hand: ", el("code", {}, `logos report ${session.id}`)));
      return;
    }
    const address = `/report/${encodeURIComponent(session.id)}`;
    const place = el("div");
    const open = el("button", { type: "button", onclick: () => {
      open.hidden = true;
      fill(place, el("iframe", { class: "report", src: address, sandbox: "allow-scripts", title: `Report of ${session.id}` }));
    } }, "Show it here");
    fill(report, el("div", { class: "cardhead" }, heading, el("span", { class: "choice" }, open, el("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, "Open it alone"))), place);
  }

  // ---- news ----

  function follow(place) {
    source?.close();
    source = new EventSource(`${path}/stream?at=${encodeURIComponent(place)}`);
    const told = (name, use) => source.addEventListener(name, (event) => { linked(true, "live"); use(JSON.parse(event.data)); });
    source.addEventListener("open", () => linked(true, "live"));
    told("records", (news) => {
      equity.add(news.points);
      if (news.events.length) {
        events = [...news.events.slice().reverse(), ...events].slice(0, EVENTS_MAX);
        event_rows.show(events);
        log.news();
      }
      if (news.kinds.some((kind) => ["order", "order_update", "fill", "switch", "guard", "command"].includes(kind))) orders_later();
      if (news.kinds.includes("sealed")) setTimeout(again, 500);
    });
    told("figures", (news) => { show_figures(news.figures); equity.add(news.points); });
    told("standing", again);
    told("resync", again);
    source.addEventListener("error", () => {
      linked(false, "dashboard not reachable, trying again");
      if (source.readyState === EventSource.CLOSED) later();  // refused: it will not try by itself
    });
  }

  function orders_later() {
    if (orders_timer) return;
    orders_timer = setTimeout(async () => {
      orders_timer = 0;
      try { const found = await ask(`${path}/orders`); if (!is_closed) show_orders(found); } catch (refused) { linked(false, refused.message); }
    }, ORDERS_EVERY_MS);
  }

  function later() {
    source?.close();
    clearTimeout(timer);
    if (!is_closed) timer = setTimeout(again, AGAIN_MS);
  }

  async function again() {
    source?.close();
    clearTimeout(timer);
    try {
      const found = await ask(path);
      if (is_closed) return;
      linked(true, "live");
      show(found);
      follow(found.place);
      if (wanted) { const first = wanted; wanted = ""; go(first); }
    } catch (refused) {
      if (is_closed || refused.status === 401) return;
      if (refused.status) linked(false, refused.status === 404 ? "no such session" : refused.message);
      if (!is_shown) fill(main, el("div", { class: "card notice bad" }, el("p", {}, el("strong", {}, `${id} cannot be shown. `), refused.message), el("p", {}, el("a", { href: "#/" }, "All sessions"))));
      later();
    }
  }

  // A browser has six connections to one host: tabs that nobody looks at give theirs back.
  let hidden_timer = 0;
  function looked_at() {
    clearTimeout(hidden_timer);
    if (document.hidden) hidden_timer = setTimeout(() => { source?.close(); clearTimeout(timer); linked(true, "paused while hidden"); }, HIDDEN_MS);
    else if (!source || source.readyState === EventSource.CLOSED) again();
  }
  document.addEventListener("visibilitychange", looked_at);

  function go(section) {
    if (!section) { scrollTo(0, 0); return; }
    document.getElementById(section)?.scrollIntoView();
    document.getElementById(`${section}-title`)?.focus({ preventScroll: true });
  }

  ask("/api/sessions").then(machine).catch(() => {});
  again();
  return { name: `s/${id}`, go, close() { is_closed = true; document.removeEventListener("visibilitychange", looked_at); clearTimeout(hidden_timer); source?.close(); clearTimeout(timer); clearTimeout(orders_timer); log.close(); equity.close(); } };
}

// What it came to, by logos.analysis: read at once of a session that is over, else when asked for.
function results_card(path) {
  let was_over = null;
  const figures = el("dl", { class: "figures" }), note = el("p", { class: "fine", role: "status" });
  const button = el("button", { type: "button", onclick: () => read() }, "Work them out now");
  const read = async () => {
    button.disabled = true;
    note.textContent = "The session is read …";
    try {
      const found = await ask(`${path}/statistics`);
      fill(figures, found.rows.map((row) => el("div", {}, el("dt", {}, row.name), el("dd", {}, row.value))));
      note.textContent = [found.books > 1 ? `Of ${found.book === "total" ? "all currencies together" : found.book}; the report has each currency.` : "", ...found.notes].filter(Boolean).join(" ");
      button.textContent = "Work them out anew";
    } catch (refused) {
      note.textContent = refused.message;
    }
    button.disabled = false;
  };
  return {
    card: card("results", "Results", figures, note, button),
    show(is_over) {
      button.hidden = is_over;
      if (is_over && was_over !== true) read();
      else if (was_over === null) note.textContent = "It runs: its results are worked out when you ask for them.";
      was_over = is_over;
    },
  };
}

function notice(kind, title, text, command = "") {
  return el("div", { class: `card notice ${kind}` }, el("p", {}, el("strong", {}, `${title} `), text, command && el("code", {}, command)));
}

function age(each) {
  const text = seconds(each.age_s);
  return each.is_stale ? el("span", {}, badge("stale", "bad"), ` ${text}`) : text;
}

function order_columns(has_ended) {
  return [
    ["time (UTC)", (each) => moment(has_ended ? each.ended : each.time), "time"],
    ["order", (each) => `#${each.id}`, "number"],
    ["symbol", (each) => el("span", {}, each.symbol, each.tag && el("span", { class: "sub" }, each.tag))],
    ["side", (each) => each.side],
    ["type", (each) => each.type.replaceAll("_", " ")],
    ["quantity", (each) => trimmed(each.quantity), "number"],
    ["filled", (each) => trimmed(each.filled), "number"],
    ["limit", (each) => trimmed(each.limit_price), "number"],
    ["stop", (each) => trimmed(each.stop_price), "number"],
    ["status", (each) => el("span", {}, each.status.replaceAll("_", " "), each.reason && el("span", { class: "sub" }, each.reason))],
  ];
}

function tabs(label, panes) {
  const buttons = panes.map(([name], at) => el("button", { type: "button", "aria-pressed": at === 0, onclick: () => choose(at) }, name));
  const choose = (at) => panes.forEach(([, pane], number) => { pane.hidden = number !== at; buttons[number].setAttribute("aria-pressed", String(number === at)); });
  choose(0);
  return { choose, whole: el("div", {}, el("div", { class: "choice", role: "group", "aria-label": label }, buttons), panes.map(([, pane]) => pane)) };
}
