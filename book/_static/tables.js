/* Tables that can be sorted and filtered. Without this script they are plain tables; nothing is fetched. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("table.interactive").forEach((table) => {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies].flatMap((body) => [...body.rows].filter((row) => !row.classList.contains("group")));
    const text = (row, column) => row.cells[column].textContent.trim();

    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.ariaSort === "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.ariaSort = down ? "descending" : "ascending";
        const order = new Intl.Collator("en", { numeric: true });
        [...table.tBodies].forEach((body) => body.append(
          ...[...body.rows].filter((row) => !row.classList.contains("group"))
            .sort((a, b) => (down ? -1 : 1) * order.compare(text(a, column), text(b, column)))));
      });
    });

    const bar = document.createElement("div");
    bar.className = "table-filters";
    const count = document.createElement("output");
    const control = (label, element) => {
      element.setAttribute("aria-label", label);
      element.addEventListener("input", apply);
      bar.append(element);
      return element;
    };
    const search = control("Search in the table", Object.assign(document.createElement("input"), { type: "search", placeholder: "Search" }));
    const choices = (table.dataset.filters || "").split("|").filter(Boolean).map((name) => {
      const column = heads.findIndex((head) => head.textContent === name);
      const select = document.createElement("select");
      select.append(new Option(`${name}: all`, ""));
      [...new Set(rows.map((row) => text(row, column)))].sort().filter(Boolean).forEach((value) => select.append(new Option(value, value)));
      return [column, control(name, select)];
    });

    function apply() {
      const wanted = search.value.toLowerCase();
      let shown = 0;
      rows.forEach((row) => {
        const fits = row.textContent.toLowerCase().includes(wanted)
          && choices.every(([column, select]) => !select.value || text(row, column) === select.value);
        row.hidden = !fits;
        shown += fits;
      });
      [...table.tBodies].forEach((body) => { body.hidden = ![...body.rows].some((row) => !row.hidden && !row.classList.contains("group")); });
      count.textContent = `${shown} of ${rows.length}`;
    }
    bar.append(count);
    table.parentElement.before(bar);
    apply();
  });
});
