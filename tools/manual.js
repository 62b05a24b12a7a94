"use strict";
(() => {
  const MOST = 40;
  const form = document.getElementById("search");
  const query = document.getElementById("query");
  const said = document.getElementById("said");
  const results = document.getElementById("search-results");
  const contents = document.getElementById("contents");
  const narrow = matchMedia("(max-width: 69.99rem)");
  const flat = (node) => node.textContent.replace(/\s+/g, " ").trim();

  // ---- search: sections are read from the page itself when the box is used first ----

  let sections = null;

  const read = () => {
    const found = [];
    for (const chapter of document.querySelectorAll("main section")) {
      const title = flat(chapter.querySelector("h2"));
      let section = null;
      for (const node of chapter.children) {
        if (/^H[2-6]$/.test(node.tagName)) {
          const heading = flat(node);
          section = { id: node.id, title, heading, names: (heading + " " + title).toLowerCase(), blocks: [] };
          found.push(section);
        } else if (section && node.tagName !== "NAV") {
          const inner = node.querySelectorAll("tr, li, text");
          for (const each of inner.length ? inner : [node]) {
            const text = each.cells ? [...each.cells].map(flat).filter(Boolean).join(" · ") : flat(each);
            const code = each.querySelector("code, th");
            section.blocks.push({ node: each, text, lower: text.toLowerCase(), first: code ? flat(code).toLowerCase() : "" });
          }
        }
      }
    }
    return found;
  };

  const starts = (text, word) => {
    let at = text.indexOf(word);
    while (at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1])) at = text.indexOf(word, at + 1);
    return at >= 0;
  };

  const judge = (section, words) => {
    let score = 0, missed = 0, best = null, most = 0;
    const seen = new Set();
    for (const block of section.blocks) {
      let value = 0;
      for (const word of words) {
        if (!block.lower.includes(word)) continue;
        seen.add(word);
        value += (starts(block.lower, word) ? 6 : 2) + (block.first === word ? 40 : 0);
      }
      if (words.length > 1 && block.lower.includes(words.join(" "))) value += 15;
      if (value > most) { most = value; best = block; }
    }
    for (const word of words) {
      if (section.heading.toLowerCase() === word) score += 60;
      else if (starts(section.heading.toLowerCase(), word)) score += 25;
      else if (section.names.includes(word)) score += 8;
      else if (!seen.has(word)) missed += 1;
    }
    return { section, best, score: score + most, missed };
  };

  const marked = (target, text, words) => {
    const lower = text.toLowerCase();
    let at = 0;
    while (at < text.length) {
      let next = text.length, length = 0;
      for (const word of words) {
        const place = lower.indexOf(word, at);
        if (place >= 0 && place < next) { next = place; length = word.length; }
      }
      target.append(text.slice(at, next));
      if (length) {
        const mark = document.createElement("mark");
        mark.textContent = text.slice(next, next + length);
        target.append(mark);
      }
      at = next + length;
    }
  };

  const excerpt = (block, words) => {
    const places = words.map((word) => block.lower.indexOf(word)).filter((at) => at >= 0);
    const from = Math.max(0, Math.min(...places) - 50);
    const text = block.text.slice(from, from + 170);
    return (from ? "… " : "") + text + (from + 170 < block.text.length ? " …" : "");
  };

  const entry = ({ section, best }, words) => {
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = "#" + section.id;
    const name = document.createElement("b");
    marked(name, section.heading, words);
    link.append(name);
    if (section.heading !== section.title) {
      const where = document.createElement("span");
      where.textContent = section.title;
      link.append(" ", where);
    }
    if (best) {
      const text = document.createElement("small");
      marked(text, excerpt(best, words), words);
      link.append(text);
    }
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      if (narrow.matches) show(false);
      history.pushState(null, "", link.href);
      visit(best ? best.node : document.getElementById(section.id));
    });
    item.append(link);
    return item;
  };

  const visit = (node) => {
    const place = node.closest("tr, li, p, pre, figure, h2, h3, h4, h5, h6") || node;
    place.scrollIntoView({ block: "center" });
    for (const old of document.querySelectorAll(".found")) old.classList.remove("found");
    place.classList.add("found");
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  };

  const show = (isSearching) => {
    results.hidden = said.hidden = !isSearching;
    contents.hidden = isSearching && !narrow.matches;
  };

  const search = () => {
    const text = query.value.trim().toLowerCase().replace(/^`|`$/g, "");
    const words = [...new Set(text.split(/\s+/).filter(Boolean))];
    results.replaceChildren();
    if (!words.length) { show(false); return; }
    sections ??= read();
    const judged = sections.map((each) => judge(each, words)).filter((each) => each.missed < words.length && each.score);
    const whole = judged.filter((each) => !each.missed);
    const listed = whole.length ? whole : judged.sort((a, b) => a.missed - b.missed);
    listed.sort((a, b) => a.missed - b.missed || b.score - a.score);
    const count = whole.length;
    if (count) said.textContent = count === 1 ? "1 section" : count > MOST ? `${count} sections, the first ${MOST} are listed` : `${count} sections`;
    else if (listed.length) said.textContent = `No section has all of “${query.value.trim()}”. These have some of it:`;
    else said.textContent = `Nothing found for “${query.value.trim()}”. Try one word: a command, a setting, or a code such as STALE_DATA.`;
    results.append(...listed.slice(0, MOST).map((each) => entry(each, words)));
    show(true);
  };

  let waiting = 0;
  query.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 60); });
  query.addEventListener("focus", () => { if (query.value.trim()) search(); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    search();
    const first = results.querySelector("a");
    if (first) first.click();
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...results.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const isTyping = document.activeElement === query;
    if (event.key === "/" && !isTyping) { query.focus(); query.select(); }
    else if (event.key === "Escape" && (isTyping || at >= 0)) { query.value = ""; search(); query.focus(); }
    else if (event.key === "ArrowDown" && (isTyping || at >= 0) && links.length) links[Math.min(at + 1, links.length - 1)].focus();
    else if (event.key === "ArrowUp" && at >= 0) (at ? links[at - 1] : query).focus();
    else return;
    event.preventDefault();
  });
  form.hidden = false;

  // ---- the contents: where the reader is, closed on a small screen ----

  const fit = () => { contents.open = !narrow.matches; if (!narrow.matches) contents.hidden = !results.hidden; };
  narrow.addEventListener("change", fit);
  fit();
  contents.addEventListener("click", (event) => {
    if (narrow.matches && event.target.closest("a")) contents.open = false;
  });

  const links = new Map([...contents.querySelectorAll("a")].map((each) => [each.hash.slice(1), each]));
  let current = null;
  const follow = (id) => {
    const link = links.get(id);
    if (!link || link === current) return;
    if (current) current.removeAttribute("aria-current");
    link.setAttribute("aria-current", "location");
    current = link;
    if (narrow.matches) return;
    for (const each of contents.querySelectorAll("details details")) each.open = each.contains(link);
    const place = link.getBoundingClientRect(), frame = contents.closest("nav").getBoundingClientRect();
    if (place.top < frame.top || place.bottom > frame.bottom) link.scrollIntoView({ block: "nearest" });
  };
  const watch = new IntersectionObserver((seen) => {
    for (const each of seen) if (each.isIntersecting) follow(each.target.id);
  }, { rootMargin: "0px 0px -75% 0px" });
  for (const each of document.querySelectorAll("main section, main h3, main h4")) if (links.has(each.id)) watch.observe(each);

  // ---- what is wider than the screen can be scrolled by the keyboard ----

  const reach = () => {
    for (const each of document.querySelectorAll("main pre, main .scroll")) {
      if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
      else each.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", reach);
  reach();
})();
