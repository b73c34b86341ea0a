"use strict";
// Shows the findings that are asked for. Without this script the page shows all of them.
const find = (id) => document.getElementById(id);
const fields = ["code", "folder", "kind"];
const findings = [...document.querySelectorAll(".finding")].map((element) => ({
  element,
  file: element.parentElement,
  text: null,
}));

// What is searched: the path, and everything that is said about the finding. Taken when it is first needed.
const textOf = (finding) => {
  finding.text ??= (finding.file.firstChild.textContent + " " + finding.element.textContent).toLowerCase();
  return finding.text;
};

const show = () => {
  const words = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = fields.map((field) => [field, find(field).value]).filter(([, value]) => value);
  const seen = new Set();
  let count = 0;
  for (const finding of findings) {
    const fits =
      wanted.every(([field, value]) => finding.element.dataset[field] === value) &&
      words.every((word) => textOf(finding).includes(word));
    finding.element.hidden = !fits;
    if (fits) {
      seen.add(finding.file);
      count += 1;
    }
  }
  for (const file of document.querySelectorAll(".file")) file.hidden = !seen.has(file);
  find("shown").value = `${count} of ${findings.length}`;
  const asked = new URLSearchParams(wanted);
  if (words.length) asked.set("search", words.join(" "));
  history.replaceState(null, "", `#?${asked}`);
};

// The address holds what is asked for, so that it can be passed on: report.html#?code=CAV301&search=stream
const take = () => {
  if (!location.hash.startsWith("#?")) return;
  const asked = new URLSearchParams(location.hash.slice(2));
  for (const field of [...fields, "search"]) find(field).value = asked.get(field) ?? "";
  show();
};

const openAll = (open) => {
  for (const finding of findings) if (!finding.element.hidden) finding.element.open = open;
};

const turn = () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
};

find("theme").hidden = false;
find("theme").addEventListener("click", turn);

if (find("filters")) {
  find("filters").hidden = false;
  find("filters").reset(); // a browser may have kept what was typed before
  find("filters").addEventListener("submit", (event) => event.preventDefault());
  find("filters").addEventListener("input", show);
  find("open").addEventListener("click", () => openAll(true));
  find("shut").addEventListener("click", () => openAll(false));
  for (const button of document.querySelectorAll("button[data-field]")) {
    button.addEventListener("click", () => {
      const choice = find(button.dataset.field);
      choice.value = choice.value === button.dataset.value ? "" : button.dataset.value;
      show();
      find("filters").scrollIntoView();
    });
  }
  addEventListener("hashchange", take);
  take();
}
