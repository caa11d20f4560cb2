// Search, contents on narrow screens, colours, and the filters of the list of requirements.
(() => {
  "use strict";
  const $ = (selector, from = document) => from.querySelector(selector);
  const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

  // Colours: what the system says, until somebody chooses.
  $("[data-theme-toggle]").addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    root.dataset.theme = theme;
    try { localStorage.setItem("kith-theme", theme); } catch { /* Not kept. */ }
  });

  // The contents as a drawer.
  const contents = $("#contents"), menu = $("[data-menu]"), backdrop = $("[data-close]");
  const drawer = (open) => {
    contents.classList.toggle("open", open);
    menu.setAttribute("aria-expanded", String(open));
    backdrop.hidden = !open;
    if (open) $("a", contents).focus(); else if (contents.contains(document.activeElement)) menu.focus();
  };
  menu.addEventListener("click", () => drawer(!contents.classList.contains("open")));
  backdrop.addEventListener("click", () => drawer(false));
  contents.addEventListener("click", (event) => { if (event.target.closest("a")) drawer(false); });
  const current = $("[aria-current]", contents);
  if (current && matchMedia("(min-width: 60.01rem)").matches) {
    contents.scrollTop = current.offsetTop - contents.clientHeight / 3;
  }

  // Search.
  const field = $("#search"), list = $("#results"), most = 30;
  let found = [], chosen = -1, lower = null;
  const index = () => lower ??= (window.kithIndex || []).map((entry) =>
    ({ entry, title: entry.t.toLowerCase(), text: entry.x.toLowerCase() }));
  const rank = ({ title, text }, words, whole) => {
    if (title === whole) return 0;
    let worst = 0;
    for (const word of words) {
      const at = title.indexOf(word);
      const begins = at >= 0 && (at === 0 || /[^a-z0-9]/.test(title[at - 1]));
      const here = at === 0 ? 1 : begins ? 2 : at > 0 ? 3 : text.includes(word) ? 4 : -1;
      if (here < 0) return -1;
      worst = Math.max(worst, here);
    }
    return worst;
  };
  const search = (query) => {
    const whole = query.trim().toLowerCase();
    const words = whole.split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    return index().map((item, order) => ({ item, order, rank: rank(item, words, whole) }))
      .filter((hit) => hit.rank >= 0)
      .sort((a, b) => a.rank - b.rank || a.order - b.order)
      .slice(0, most).map((hit) => hit.item.entry);
  };
  const element = (name, text) => { const made = document.createElement(name); made.textContent = text; return made; };
  const choose = (at) => {
    chosen = at;
    $$("[role=option]", list).forEach((option, number) => {
      option.setAttribute("aria-selected", String(number === at));
      if (number === at) option.scrollIntoView({ block: "nearest" });
    });
    if (at >= 0) field.setAttribute("aria-activedescendant", `result-${at}`);
    else field.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    found = search(field.value);
    list.replaceChildren(...found.map((entry, number) => {
      const option = document.createElement("li"), link = document.createElement("a");
      option.id = `result-${number}`;
      option.setAttribute("role", "option");
      link.href = entry.u;
      link.tabIndex = -1;
      link.append(element("small", entry.k), element("b", entry.t));
      if (entry.x) link.append(element("p", entry.x));
      option.append(link);
      return option;
    }));
    const asked = field.value.trim() !== "";
    if (asked && !found.length) {
      const nothing = element("li", "Nothing found");
      nothing.className = "nothing";
      list.append(nothing);
    }
    list.hidden = !asked;
    field.setAttribute("aria-expanded", String(asked));
    choose(found.length ? 0 : -1);
  };
  const hide = () => { list.hidden = true; field.setAttribute("aria-expanded", "false"); };
  const go = (entry) => { hide(); field.blur(); location.href = entry.u; };
  field.addEventListener("input", show);
  field.addEventListener("focus", () => { if (field.value.trim()) show(); });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      choose((chosen + step + found.length) % found.length);
    } else if (event.key === "Enter" && found[chosen]) {
      event.preventDefault();
      go(found[chosen]);
    }
  });
  list.addEventListener("click", (event) => { if (event.target.closest("a")) hide(); });
  document.addEventListener("click", (event) => { if (!event.target.closest(".search")) hide(); });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      field.focus();
      field.select();
    } else if (event.key === "Escape") {
      hide();
      drawer(false);
    }
  });

  // The filters.
  for (const form of $$("[data-filters]")) {
    const rows = $$(".requirements > li"), groups = $$("[data-group]"), count = $("[data-count]", form);
    const filter = () => {
      const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = row.textContent.toLowerCase();
        const fits = (!form.elements.class.value || row.dataset.class === form.elements.class.value)
          && (!form.elements.level.value || row.dataset.level === form.elements.level.value)
          && words.every((word) => text.includes(word));
        row.hidden = !fits;
        shown += fits;
      }
      for (const group of groups) group.hidden = !$(".requirements > li:not([hidden])", group);
      count.textContent = `${shown} of ${rows.length}`;
    };
    form.addEventListener("input", filter);
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }
})();
