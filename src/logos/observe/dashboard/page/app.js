// The dashboard: a list of sessions, one session, a comparison, and where a token is asked for.

import { list_view } from "./list.js";
import { session_view } from "./session.js";
import { compare_view } from "./compare.js";
import { el, fill, switch_badge } from "./parts.js";

const main = document.getElementById("main");
const link = document.getElementById("link");
let view = null;

export function linked(is_on, words) {
  link.className = is_on ? "link on" : "link off";
  if (link.textContent !== words) link.textContent = words;
}

export function machine(list) {
  document.getElementById("where").textContent = list.workspace;
  fill(document.getElementById("switch"), list.switch ? switch_badge(list.switch.state) : "");
}

export class Refused extends Error {
  constructor(status, words) { super(words); this.status = status; }
}

// Ask for JSON. Whoever has no cookie is asked for the token; other errors are raised.
export async function ask(path, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, { headers, cache: "no-store" });
  } catch (problem) {
    linked(false, "dashboard not reachable, trying again");
    throw new Refused(0, "The dashboard does not answer. It is asked again every few seconds.");
  }
  const found = await answer.json().catch(() => ({ error: `answer ${answer.status}` }));
  if (answer.status === 401 && path !== "/login") login();
  if (!answer.ok) throw new Refused(answer.status, found.error);
  return found;
}

// Whether a page can be made; raises what is wrong with it.
export async function ask_page(path) {
  const answer = await fetch(path, { cache: "no-store" });
  if (answer.status === 401) login();
  if (!answer.ok) throw new Refused(answer.status, (await answer.json().catch(() => ({}))).error ?? `answer ${answer.status}`);
}

// ---- the token: from the address's fragment, which no server gets, or from a field ----

async function enter(token) {
  await ask("/login", { authorization: `Bearer ${token}` });
}

function login(words = "") {
  view?.close();
  view = null;
  const field = el("input", { type: "password", id: "token", autocomplete: "current-password", required: true });
  const problem = el("p", { role: "alert", class: "loss" }, words);
  const send = async () => {
    try {
      await enter(field.value);
      route();
    } catch (refused) {
      problem.textContent = refused.status === 401 ? "That is not the token." : refused.message;
      field.focus();
    }
  };
  field.addEventListener("keydown", (event) => { if (event.key === "Enter") send(); });
  fill(main, el("section", { class: "card login", "aria-labelledby": "login-title" },
    el("h1", { id: "login-title" }, "A token is needed"),
    el("p", { class: "soft" }, "It is the value of LOGOS_DASHBOARD_TOKEN where the dashboard was started. It is sent once, as a header, for a cookie of twelve hours."),
    el("div", { class: "tools" }, el("label", { for: "token" }, "Token", field), el("button", { type: "button", onclick: send }, "Open")),
    problem));
  document.title = "logos: token";
  field.focus();
}

// ---- which view ----

function parts() {
  return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map((part) => {
    try { return decodeURIComponent(part); } catch { return part; }
  });
}

function route() {
  const [kind, name, section] = parts();
  if (kind === "s" && name && view?.name === `s/${name}`) { view.go(section); return; }
  view?.close();
  if (kind === "s" && name) view = session_view(main, name, section);
  else if (kind === "compare" && name) view = compare_view(main, name.split(","));
  else view = list_view(main);
  if (!section) scrollTo(0, 0);
}

async function begin() {
  const given = /^#token=(.+)$/.exec(location.hash);
  let words = "";
  if (given) {
    history.replaceState(null, "", "/#/");
    try { await enter(decodeURIComponent(given[1])); } catch (refused) { words = refused.status === 401 ? "The address holds another token." : refused.message; }
  }
  addEventListener("hashchange", route);
  if (words) login(words); else route();
}

begin();
