// Sessions side by side: the page of `logos compare`, made now, in a sandbox.

import { ask_page, linked, machine, ask } from "./app.js";
import { el, fill } from "./parts.js";

export function compare_view(main, names) {
  let is_closed = false;
  document.title = `logos: ${names.join(" and ")}`;
  const address = `/comparison?${names.map((name) => `id=${encodeURIComponent(name)}`).join("&")}`;
  fill(main, el("p", { class: "soft", role: "status" }, `Comparing ${names.join(", ")} …`));
  ask_page(address).then(() => {
    if (is_closed) return;
    linked(true, "up to date");
    fill(main,
      el("div", { class: "head" }, el("h1", {}, "Comparison"), el("span", { class: "spring" }),
        el("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, "Open it alone"), el("a", { class: "button", href: "#/" }, "All sessions")),
      el("iframe", { class: "report whole", src: address, sandbox: "allow-scripts", title: `Comparison of ${names.join(", ")}` }));
  }).catch((refused) => {
    if (is_closed || refused.status === 401) return;
    fill(main, el("div", { class: "card notice bad" }, el("p", {}, el("strong", {}, "They cannot be compared. "), refused.message), el("p", {}, el("a", { href: "#/" }, "All sessions"))));
  });
  ask("/api/sessions").then(machine).catch(() => {});
  return { name: "compare", close() { is_closed = true; } };
}
