/* The forms of book/try.md: what osteolib/stats/audit computes, in the reader's browser. Nothing is fetched or sent.
   A printed number is kept as whole numbers over a power of ten, so every comparison but that of MCC is exact. */
"use strict";
{
const NUMBER = /^([+\-−–]?)\s*([1-9]\d{0,2}(?:,\d{3}){1,4}|\d{1,15})?(?:\.(\d{1,9}))?\s*(%?)$/;
const TP = 0, FP = 1, FN = 2, TN = 3;
const RATIOS = { // weights of (tp, fp, fn, tn) in numerator and denominator
  sensitivity: [[1, 0, 0, 0], [1, 0, 1, 0]], specificity: [[0, 0, 0, 1], [0, 1, 0, 1]],
  ppv: [[1, 0, 0, 0], [1, 1, 0, 0]], npv: [[0, 0, 0, 1], [0, 0, 1, 1]],
  accuracy: [[1, 0, 0, 1], [1, 1, 1, 1]], f1: [[2, 0, 0, 0], [2, 1, 1, 0]],
};
const METRICS = [...Object.keys(RATIOS), "balanced_accuracy", "mcc", "youden_j"];
const ANCHORS = { sensitivity: [TP, FN], specificity: [TN, FP], ppv: [TP, FP], npv: [TN, FN], accuracy: [TP, TN] };
const MOST_STEPS = 2e6, KEPT = 5000;

const refuse = (message, field = "n") => { throw Object.assign(new Error(message), { field }); }; // said beside the field
const say = (count) => count.toLocaleString("en");
const share = (x) => (Number.isNaN(x) ? "–" : x.toFixed(3));
const percent = (x) => (Number.isNaN(x) ? "–" : `${(100 * x).toFixed(1)} %`);
const range = ([low, high], words) => (words(low) === words(high) ? words(low) : `${words(low)} to ${words(high)}`);
const floorDiv = (a, b) => (a - (((a % b) + b) % b)) / b;
const each = (names, make) => Object.fromEntries(names.map((name) => [name, make(name)]));

// ---- a printed number, and what it may have been

function printed(text) {
  if (!text) refuse("Give a number as printed.");
  const [, sign, whole = "", places = "", mark] = NUMBER.exec(text) ?? [];
  if (text.includes(",") && (!whole || sign || mark)) refuse("A decimal comma: write a point, like 0.904.");
  if (!whole && !places) refuse("Write one number: 0.904, 90.4 % or 1,301.");
  const digits = Number(whole.replaceAll(",", "") + places) * (sign && sign !== "+" ? -1 : 1);
  if (Math.abs(digits) > 1e14) refuse("At most 14 digits.");
  const decimals = places.length + (mark ? 2 : 0);
  return { text, digits, decimals, mark, value: digits / 10 ** decimals };
}

/** Smallest and largest number that prints so, over den: rounded to the nearest, or also with digits cut off. */
function bounds({ digits, decimals }, nearest) {
  const near = decimals && 5, cut = decimals && (nearest ? 5 : 10);
  return { low: 10 * digits - (digits > 0 ? near : cut), high: 10 * digits + (digits < 0 ? near : cut), den: 10 ** (decimals + 1) };
}

// ---- metrics of a table; 0 / 0 is NaN, but 0 for MCC, and may be printed as 0

const weigh = (w, cells) => w[0] * cells[0] + w[1] * cells[1] + w[2] * cells[2] + w[3] * cells[3];
const ratio = (name, cells) => weigh(RATIOS[name][0], cells) / weigh(RATIOS[name][1], cells);

function mcc([tp, fp, fn, tn]) {
  const margins = Math.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn));
  return margins > 0 ? (tp * tn - fp * fn) / margins : 0;
}

function metrics(cells) {
  const found = each(Object.keys(RATIOS), (name) => ratio(name, cells)), sum = found.sensitivity + found.specificity;
  return Object.assign(found, { balanced_accuracy: sum / 2, mcc: mcc(cells), youden_j: sum - 1 });
}

/** Whether a metric that is not in RATIOS prints so. */
function prints(name, { low, high, den }, cells) {
  if (name === "mcc") return Math.abs(2 * mcc(cells) - (low + high) / den) <= (high - low) / den + 2e-12;
  const [tp, fp, fn, tn] = cells, p = tp + fn, n = fp + tn, youden = name === "youden_j";
  const bottom = (youden ? 1 : 2) * p * n, top = tp * n + tn * p - (youden ? p * n : 0);
  return bottom ? den * top >= low * bottom && den * top <= high * bottom : low <= 0 && high >= 0;
}

/** All tables that print so: two cells are tried, half-planes bound the third, and the fourth is what remains. */
function tables(reported, n, positives, nearest) {
  const ends = {}, planes = [];
  for (const name in reported) {
    const { low, high, den } = ends[name] = bounds(reported[name], nearest);
    if (den * n * (RATIOS[name] ? 5 : n) > Number.MAX_SAFE_INTEGER) refuse("Too large for numbers with so many decimals.");
    if (!RATIOS[name]) continue;
    const [top, bottom] = RATIOS[name];
    planes.push([...top.map((t, i) => den * t - low * bottom[i]), 0], [...top.map((t, i) => high * bottom[i] - den * t), 0]);
    if (low > 0) planes.push([...bottom, -1]); // 0 / 0 does not print so
  }
  const slow = Object.keys(ends).filter((name) => !RATIOS[name]);
  const cost = (name) => (ends[name].high - ends[name].low) / ends[name].den * (name === "accuracy" ? 2 : 1);
  const usable = positives === null ? Object.keys(ANCHORS).filter((name) => ends[name]).sort((a, b) => cost(a) - cost(b)) : [];
  const anchor = usable[0] ?? "sensitivity", ofAll = anchor === "accuracy"; // a share of n
  const { low, high, den } = ends[anchor] ?? { low: 0, high: 1, den: 1 };
  const [hit, miss] = ANCHORS[anchor], [free, other] = [TP, FP, FN, TN].filter((cell) => !ANCHORS[anchor].includes(cell));
  const lines = planes.map((w) => [w[hit], w[miss], w[other], w[free] - w[other], w[4]]);
  const least = (sum) => Math.max(0, -floorDiv(-low * sum, den)), most = (sum) => Math.min(sum, floorDiv(high * sum, den));

  const found = { count: 0, some: [], ranges: {} }, cells = [0, 0, 0, 0];
  const widen = (name, value) => {
    const [from, to] = found.ranges[name] ?? [value, value];
    if (!Number.isNaN(value)) found.ranges[name] = [Math.min(from, value), Math.max(to, value)];
  };
  let steps = 0;
  for (let margin = ofAll ? least(n) : positives ?? 0; margin <= (ofAll ? most(n) : positives ?? n); margin++) {
    const rest = n - margin, to = ofAll ? margin : most(margin);
    for (let hits = ofAll ? 0 : least(margin); hits <= to; hits++) {
      let start = 0, stop = rest;
      for (const [h, m, o, slope, constant] of lines) {
        const sum = h * hits + m * (margin - hits) + o * rest + constant;
        if (slope > 0) start = Math.max(start, -floorDiv(sum, slope));
        else if (slope < 0) stop = Math.min(stop, floorDiv(sum, -slope));
        else if (sum < 0) stop = -1;
      }
      cells[hit] = hits;
      cells[miss] = margin - hits;
      for (let count = start; count <= stop; count++) {
        if (!slow.length && found.some.length === KEPT && count > start) { // only the end matters now
          found.count += stop - count;
          steps += stop - count;
          count = stop;
        }
        cells[free] = count;
        cells[other] = rest - count;
        steps += 1;
        if (!slow.every((name) => prints(name, ends[name], cells))) continue;
        found.count += 1;
        if (slow.length || count === start || count === stop) { // along a line ratios rise or fall throughout
          widen("positives", cells[TP] + cells[FN]);
          for (const name in RATIOS) widen(name, ratio(name, cells));
        }
        if (found.some.length < KEPT) found.some.push([...cells]);
      }
      if (++steps > MOST_STEPS) refuse("Too many tables: give positives, more metrics or decimals.");
    }
  }
  found.some.sort((a, b) => a[TP] + a[FN] - b[TP] - b[FN] || a[TP] - b[TP] || a[FP] - b[FP]);
  return found;
}

// ---- intervals of one table

function wilson(successes, n) {
  const z = 1.959963984540054, p = successes / n, shrink = 1 + z * z / n;
  const middle = (p + z * z / (2 * n)) / shrink, half = z * Math.sqrt(p * (1 - p) / n + (z / n) ** 2 / 4) / shrink;
  return [Math.max(0, middle - half), middle + half];
}

/** [k, chance against the likeliest] of a binomial count. */
function binomial(n, p) {
  const mode = Math.min(n, Math.floor((n + 1) * p)), found = [[mode, 1]];
  for (let k = mode, w = 1; k < n && w > 1e-9; k++) found.push([k + 1, w *= (n - k) / (k + 1) * p / (1 - p)]);
  for (let k = mode, w = 1; k > 0 && w > 1e-9; k--) found.push([k - 1, w *= k / (n - k + 1) * (1 - p) / p]);
  return found;
}

/** 2.5 % and 97.5 % points of each metric over all resamplings within the classes, by their chance. */
function bootstrap([tp, fp, fn, tn]) {
  const p = tp + fn, n = fp + tn, steps = 5e3, negatives = binomial(n, tn / n);
  const bins = each(METRICS, () => [0, 0].map(() => new Float64Array(2 * steps + 1))); // chance, value
  for (const [hits, a] of binomial(p, tp / p)) {
    for (const [right, b] of negatives) {
      const values = metrics([hits, n - right, p - hits, right]);
      for (const name of METRICS) {
        const bin = Math.round((values[name] + 1) * steps); // NaN is no bin
        bins[name][0][bin] += a * b;
        bins[name][1][bin] = values[name];
      }
    }
  }
  return each(METRICS, (name) => {
    const [chance, value] = bins[name], total = chance.reduce((sum, x) => sum + x);
    return [0.025, 0.975].map((tail) => {
      let i = 0;
      for (let sum = chance[0]; sum < tail * total; sum += chance[i]) i++;
      return value[i];
    });
  });
}

// ---- the tools: fields to a verdict, words, and findings to save: [check, with, own verdict, rows]

const labelOf = (input) => input.labels[0].firstChild.textContent.trim();
const label = (name) => labelOf(document.getElementById("try-confusion").elements[name]);
const texts = (given) => each(Object.keys(given), (name) => given[name].text);
const consistent = (fits) => `${fits ? "" : "in"}consistent`;

const TOOLS = {
  interval({ value: x }) {
    const row = (how, { low, high, den }) => [how, ...[low, high].map((end) => (end / den).toFixed(x.decimals && x.decimals + 1))];
    return {
      verdict: "derived", lead: "Anything in between, ends included.",
      rows: [row("to the nearest", bounds(x, true)), row("to the nearest, or cut off", bounds(x))],
      findings: [["computed", { expressions: { value: "x" }, values: { x: x.text } }]],
    };
  },

  confusion({ n, positives, ...all }) {
    const names = METRICS.filter((name) => all[name]), pick = (wanted) => each(wanted, (name) => all[name]);
    if (!names.length) refuse("Give at least one metric.", "sensitivity");
    if (positives > n) refuse("More positives than people.", "positives");
    const { count, some, ranges } = tables(pick(names), n, positives), notes = [];
    const words = (name) => `${label(name)} ${range(ranges[name], name === "positives" ? say : share)}`;
    const without = (name) => {
      try {
        return say(tables(pick(names.filter((other) => other !== name)), n, positives).count);
      } catch {
        return "very many";
      }
    };
    if (count) {
      notes.push(`If rounded to the nearest: ${say(tables(pick(names), n, positives, true).count)}.`);
      notes.push(`In all: ${["positives", ...Object.keys(RATIOS)].filter((name) => ranges[name]).map(words).join(", ")}.`);
    } else if (names.length > 1) notes.push(`Tables if one number is left out: ${names.map((name) => `${label(name)} ${without(name)}`).join(", ")}.`);
    return {
      verdict: consistent(count), notes, lead: `Tables that print all of this: ${say(count)}.`,
      rows: some.slice(0, 10).map((cells) => [...cells, cells[TP] + cells[FN]].map(say)),
      findings: [["confusion", { n, ...(positives !== null && { positives }), reported: texts(pick(names)) }]],
    };
  },

  proportion({ value, n, runs, count: k }) {
    const total = n * (runs ?? 1), printable = 10 ** value.decimals, near = Math.min(total - 1, Math.floor(value.value * total));
    if (k > total) refuse("More successes than trials.", "count");
    const ends = (nearest) => {
      const { low, high, den } = bounds(value, nearest), below = (end) => Number(BigInt(end) * BigInt(total) / BigInt(den));
      return [low > 0 ? total - below(den - low) : 0, Math.min(total, below(high))];
    };
    const [first, last] = ends(), [from, to] = ends(true), fits = (count) => first <= count && count <= last, found = fits(first);
    const shown = [...new Set([k ?? near, ...(found ? [first, last] : [near, near + 1])])].sort((a, b) => a - b);
    return {
      verdict: consistent(k === null ? found : fits(k)), lead: `Counts that print this: ${say(last - first + 1)}.`,
      notes: [
        `If rounded to the nearest: ${say(to - from + 1)}.`,
        `${percent((Math.min(total, printable) + 1) / (printable + 1))} of all shares with these decimals are possible.`,
      ],
      rows: shown.map((count) => [say(count), `${(100 * count / total).toFixed(4)} %`, fits(count) ? "yes" : "no"]),
      findings: [["proportion", { value: value.text, n, runs: runs ?? 1 }, consistent(found)], ...(k === null ? [] : [
        ["equation", { expression: "k / n", equals: value.text, values: { k: `${k}`, n: `${total}` } }, consistent(fits(k))],
      ])],
    };
  },

  auc(given) {
    const ends = (name) => Object.values(bounds(given[name])).map(BigInt), [s, c] = ["sensitivity", "specificity"].map(ends);
    const [low, high, den] = ends("auc"), both = s[2] * c[2], [x, y] = [given.sensitivity.value, given.specificity.value];
    const smallest = (f) => [f(s[0], c[0]), f(s[0], c[1]), f(s[1], c[0]), f(s[1], c[1])].reduce((x, y) => (y < x ? y : x));
    const possible = high * both >= smallest((x, y) => x * y) * den
      && low * both <= (both - smallest((x, y) => (s[2] - x) * (c[2] - y))) * den;
    const labels = low * 2n * both <= (s[1] * c[2] + c[1] * s[2]) * den && high * 2n * both >= (s[0] * c[2] + c[0] * s[2]) * den;
    const least = x * y, largest = x + y - x * y, chance = Math.min(1, 10 ** -given.auc.decimals / Math.max(largest - least, 1e-9));
    return {
      verdict: possible ? "derived" : "inconsistent", lead: `${possible ? "A" : "No"} curve through this point has this area.`,
      rows: [["smallest", share(least)], ["of yes/no calls", `${share((x + y) / 2)}, ${labels ? "as" : "not as"} printed`],
        ["largest", share(largest)], ["as printed by accident", percent(chance)]],
      findings: [["auc_of_labels", texts(given)]],
    };
  },

  predictive(given) {
    const p = given.prevalence.value, [s, c] = [given.sensitivity, given.specificity].map((value) => {
      const { low, high, den } = bounds(value);
      return [value.value, Math.max(0, low / den), Math.min(1, high / den)];
    });
    const of = (right, wrong) => percent(right / (right + wrong)), people = (x) => say(Math.round(1000 * x));
    return {
      verdict: "derived", lead: `Of 1,000 people ${people(p)} are ill; ${people(s[0] * p)} of them are called, and ${people((1 - c[0]) * (1 - p))} others.`,
      rows: [["PPV", ...s.map((s, i) => of(s * p, (1 - c[i]) * (1 - p)))], ["NPV", ...c.map((c, i) => of(c * (1 - p), (1 - s[i]) * p))]],
      findings: [["predictive_values", texts(given)]],
    };
  },

  matrix(given) {
    const cells = ["tp", "fp", "fn", "tn"].map((name) => given[name]), values = metrics(cells), shares = {}, others = {};
    const [positives, negatives] = [cells[TP] + cells[FN], cells[FP] + cells[TN]];
    if (!positives || !negatives) refuse("Both classes need people.", positives ? "tn" : "tp");
    const ends = bootstrap(cells);
    const rows = METRICS.map((name) => {
      const [successes, n] = name === "f1" || !RATIOS[name] ? [] : RATIOS[name].map((w) => weigh(w, cells));
      if (n) shares[name] = { successes, n };
      if (values[name] >= -1) others[name] = { metric: name };
      return [label(name), share(values[name]), n ? range(wilson(successes, n), share) : "–", values[name] >= -1 ? range(ends[name], share) : "–"];
    });
    return {
      verdict: "derived", lead: `${say(positives)} positives, ${say(negatives)} negatives.`, rows,
      findings: [["proportion_interval", {}, null, shares], ["bootstrap_interval", given, null, others]],
    };
  },
};

// ---- the page

const answers = new Map(); // form: its last answer
const make = (tag, given, ...children) => {
  const node = Object.assign(document.createElement(tag), given);
  node.append(...children);
  return node;
};

/** The number in a field, within data-least and -most; null where an optional one is empty. */
function read({ value: typed, required, dataset: { kind, least, most } }) {
  const text = typed.trim();
  if (!text && !required) return null;
  const found = printed(text), { value, decimals, mark } = found;
  if (kind === "count" && decimals) refuse("A whole number, no decimals or %.");
  if (value < least) refuse(`At least ${least}.`);
  if (value > most && kind === "share" && !mark) refuse(`More than 1: write ${text} % for a percentage.`);
  if (value > most) refuse(`At most ${say(+most)}.`);
  return kind === "count" ? value : found;
}

function fault(input, message) {
  input.setAttribute("aria-invalid", Boolean(message));
  document.getElementById(input.getAttribute("aria-describedby")).textContent = message;
}

function forget(form) {
  answers.delete(form);
  form.querySelector("output").replaceChildren();
  form.querySelector("table").hidden = true;
  for (const input of form.querySelectorAll("input")) fault(input, "");
}

function show(form, { verdict, lead, notes = [], rows }) {
  const chip = make("span", { className: `chip chip-${verdict}` }, verdict), table = form.querySelector("table");
  form.querySelector("output").replaceChildren(make("p", {}, chip, lead), ...notes.map((note) => make("p", {}, note)));
  table.hidden = !rows.length;
  table.tBodies[0].replaceChildren(...rows.map((row) => make("tr", {}, ...row.map((text) => make("td", {}, text)))));
}

function compute(form) {
  const given = {}, attempt = (field, work) => {
    try {
      work();
    } catch (error) {
      if (!error.field) throw error;
      fault(form.elements[field ?? error.field], error.message);
    }
  };
  forget(form);
  for (const input of form.querySelectorAll("input")) attempt(input.name, () => { given[input.name] = read(input); });
  const wrong = () => form.querySelector("[aria-invalid=true]");
  if (!wrong()) attempt(null, () => answers.set(form, TOOLS[form.dataset.tool](given)));
  if (wrong()) wrong().focus();
  else show(form, answers.get(form));
}

for (const form of document.querySelectorAll("form[data-tool]")) {
  const inputs = form.querySelectorAll("input");
  for (const input of inputs) {
    const id = `try-${form.dataset.tool}-${input.name}`;
    input.setAttribute("aria-describedby", id);
    input.parentElement.append(make("span", { id, className: "try-fault" }));
  }
  form.addEventListener("input", () => forget(form));
  form.addEventListener("submit", (event) => { event.preventDefault(); compute(form); });
  form.querySelector("[type=button]").addEventListener("click", () => {
    for (const input of inputs) input.value = input.dataset.example ?? "";
    compute(form);
  });
}

// JSON is YAML, which takes no unprintable characters
const quoted = (value) => JSON.stringify(value).replace(/[\p{C}\u2028\u2029]/gu, " ");

document.getElementById("try-save").addEventListener("submit", (event) => {
  event.preventDefault();
  const { elements: { study, source } } = event.target, output = event.target.querySelector("output");
  const lines = [`study: ${quoted(study.value || "A study")}`, "findings:"];
  for (const [form, { verdict, findings }] of answers) {
    const filled = [...form.querySelectorAll("input")].filter((input) => input.value);
    const claim = filled.map((input) => `${labelOf(input)} ${input.value}`).join(", ");
    findings.forEach(([check, given, own, rows], i) => {
      const id = `${form.dataset.tool}-${i + 1}`, more = rows && { rows, means: `${check}: {{ rows }}` };
      const entry = { id, source: source.value || "not noted", claim, check, with: given, expect: own ?? verdict, ...more };
      lines.push(...Object.entries(entry).map(([key, value], i) => `  ${i ? " " : "-"} ${key}: ${quoted(value)}`));
    });
  }
  if (!answers.size) return output.replaceChildren(make("p", { className: "try-fault" }, "Compute an answer first."));
  const text = `${lines.join("\n")}\n`, href = URL.createObjectURL(new Blob([text]));
  make("a", { href, download: "my_numbers.yaml" }).click();
  output.replaceChildren(make("pre", { tabIndex: 0 }, text));
});
}
