"use strict";

const VERBS = ["get", "post", "put", "patch", "delete"];
const TITLES = { docs: "These pages", openapi: "OpenAPI" };
const SHOWN_LAST = ["system", "probes", "openapi", "docs"];
/* The road of a driver, from sign-up to receipt. */
const STEPS = [
  ["Sign in, or sign up", "/auth/login", "post"], ["Add a vehicle", "/vehicles", "post"],
  ["Find a car park", "/lots", "get"], ["Ask what it costs", "/quotes", "post"],
  ["Hold a bay", "/reservations", "post"], ["Pay", "/reservations/{reservation_id}/payments", "post"],
];
const content = document.getElementById("content");
const tokenInput = document.getElementById("token");
/* Ids of the answers so far, such as vehicle_id, for the forms that are opened after. */
const seen = {};
let api;

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function resolve(part) {
  if (!part || !part.$ref) return part;
  return part.$ref.slice(2).split("/").reduce((found, step) => found[step], api);
}

function nameOf(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(nameOf).join(" or ");
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return `list of ${nameOf(schema.items) || "anything"}`;
  const type = Array.isArray(schema.type) ? schema.type.join(" or ") : schema.type || "anything";
  return schema.format ? `${type} (${schema.format})` : type;
}

function rulesOf(schema) {
  const words = [];
  const say = (key, text) => schema[key] !== undefined && words.push(`${text} ${schema[key]}`);
  // A bound that is only that of the database's integers tells nobody anything.
  say("minimum", "≥"); if (schema.maximum < 1e15) say("maximum", "≤"); say("minLength", "at least"); say("maxLength", "at most");
  say("minItems", "at least"); say("maxItems", "at most"); say("default", "default");
  return words.join(", ");
}

/* Full hours of tomorrow, so that a window stays one: it ends two hours after it starts. */
function instant(name) {
  const moment = new Date(Date.now() + 864e5);
  moment.setUTCMinutes(0, 0, 0);
  if (/end|until|^to$/.test(name)) moment.setUTCHours(moment.getUTCHours() + 2);
  return moment.toISOString().slice(0, 19) + "Z";
}

/* A key for one request; sent again it gives the first answer again. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/* A value that fits the schema, to start from when trying. */
function example(schema, depth = 0, name = "") {
  const found = resolve(schema) || {};
  if (seen[name]) return seen[name];
  // A written instant would lie in the past by now.
  if (found.example !== undefined && found.format !== "date-time") return found.example;
  if (found.default !== undefined && found.default !== null) return found.default;
  if (found.enum) return found.enum[0];
  if (found.anyOf) return example(found.anyOf[0], depth, name);
  const type = Array.isArray(found.type) ? found.type[0] : found.type;
  if (type === "object") {
    const made = {};
    if (depth > 4) return made;
    const keys = new Set(found.required || Object.keys(found.properties || {}));
    // A reservation may start from a quote, and then needs no more than that.
    if (seen.quote_id && (found.properties || {}).quote_id) keys.add("quote_id");
    for (const key of keys) {
      if (found.properties && found.properties[key]) made[key] = example(found.properties[key], depth + 1, key);
    }
    return made;
  }
  if (type === "array") return found.items && depth < 4 ? [example(found.items, depth + 1)] : [];
  if (type === "integer" || type === "number") return Math.max(found.minimum ?? 1, Math.min(1, found.maximum ?? 1));
  if (type === "boolean") return false;
  if (found.format === "date-time") return instant(name);
  if (found.format === "date") return new Date().toISOString().slice(0, 10);
  return "";
}

function table(heads, rows) {
  return element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))),
    element("tbody", {}, ...rows.map((row) =>
      element("tr", {}, ...row.map((cell) => element("td", {}, cell)))))));
}

function schemaTable(schema) {
  const found = resolve(schema) || {};
  if (!found.properties) return element("p", {}, nameOf(schema) || "anything");
  const required = new Set(found.required || []);
  return table(["field", "kind", "rules"], Object.entries(found.properties).map(([key, part]) => [
    element("code", {}, key + (required.has(key) ? " *" : "")),
    nameOf(part),
    [rulesOf(resolve(part)), (resolve(part) || {}).description].filter(Boolean).join(". "),
  ]));
}

/* Every named schema inside this one, in the order met. */
function namedInside(schema, found = new Map()) {
  const own = resolve(schema) || {};
  for (const part of [...Object.values(own.properties || {}), own.items, own.additionalProperties, ...(own.anyOf || [])]) {
    if (!part || part === true) continue;
    if (part.$ref) {
      if (found.has(nameOf(part))) continue;
      found.set(nameOf(part), part);
    }
    namedInside(part, found);
  }
  return found;
}

function schemaBlock(schema) {
  const block = element("div", {}, schemaTable(schema));
  for (const [name, part] of namedInside(schema)) {
    if (name !== nameOf(schema)) block.append(element("h4", {}, name), schemaTable(part));
  }
  return block;
}

function responses(operation) {
  const rows = Object.entries(operation.responses).sort().map(([status, answer]) => {
    const kinds = Object.entries(answer.content || {});
    const shape = kinds.map(([type, body]) =>
      type === "application/problem+json" ? "Problem" : nameOf(body.schema) && body.schema.type !== undefined
        || body.schema.$ref ? nameOf(body.schema) : type).join(", ");
    return [element("code", { class: status < "400" ? "ok" : "bad" }, status), answer.description || "", shape || "nothing"];
  });
  return table(["status", "meaning", "body"], rows);
}

function control(parameter) {
  const schema = resolve(parameter.schema) || {};
  const attributes = { name: parameter.name, "data-in": parameter.in, required: parameter.required };
  const choices = schema.enum || (schema.type === "boolean" ? [true, false] : null);
  if (choices) {
    return element("select", attributes, element("option", { value: "" }, "any"),
      ...choices.map((choice) => element("option", { value: String(choice) }, String(choice))));
  }
  let given = parameter.in === "path" ? String(example(parameter.schema, 0, parameter.name)) : "";
  if (parameter.name === "Idempotency-Key") given = newKey();
  const isList = schema.type === "array";
  return element("input", {
    ...attributes, "data-list": isList, value: given, autocomplete: "off",
    placeholder: isList ? "one, another" : nameOf(parameter.schema),
  });
}

function tryForm(path, verb, operation) {
  const inputs = element("div", { class: "inputs" });
  for (const parameter of operation.parameters || []) {
    inputs.append(element("label", {}, `${parameter.name} (${parameter.in})${parameter.required ? " *" : ""}`, control(parameter)));
  }
  const json = operation.requestBody && operation.requestBody.content["application/json"];
  const multipart = operation.requestBody && operation.requestBody.content["multipart/form-data"];
  const body = json && element("textarea", { spellcheck: "false", "aria-label": "Body" });
  if (body) body.value = JSON.stringify(example(json.schema), null, 2);
  if (multipart) {
    for (const [key, part] of Object.entries(resolve(multipart.schema).properties)) {
      inputs.append(element("label", {}, key, element("input", {
        name: key, "data-in": "form", type: part.format === "binary" ? "file" : "text",
      })));
    }
  }
  const send = element("button", { type: "submit" }, "Send");
  const out = element("div", { "aria-live": "polite" });
  const form = element("form", {}, inputs, body && element("label", {}, "body (JSON)", body), send, out);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      await request(path, verb, form, body, multipart, out);
    } catch (error) {
      out.replaceChildren(element("p", { class: "bad" }, String(error)));
    } finally {
      send.disabled = false;
    }
  });
  return form;
}

function remember(path, told) {
  const id = told.items ? told.items[0]?.id : told.id;
  const things = path.split("/").pop();
  if (Number.isInteger(id) && things.endsWith("s")) seen[`${things.slice(0, -1)}_id`] = id;
}

async function request(path, verb, form, body, multipart, out) {
  const headers = {};
  const query = new URLSearchParams();
  const upload = multipart ? new FormData() : null;
  let url = path;
  for (const input of form.querySelectorAll("input, select")) {
    const place = input.dataset.in;
    if (place === "path") url = url.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (place === "form" && input.type === "file") { if (input.files[0]) upload.append(input.name, input.files[0]); }
    else if (!input.value) continue;
    else if (place === "query" && "list" in input.dataset) {
      for (const one of input.value.split(",")) query.append(input.name, one.trim());
    } else if (place === "query") query.append(input.name, input.value);
    else if (place === "header") headers[input.name] = input.value;
    else upload.append(input.name, input.value);
  }
  if (tokenInput.value) headers.Authorization = `Bearer ${tokenInput.value.trim()}`;
  if (body) headers["Content-Type"] = "application/json";
  const began = performance.now();
  const answer = await fetch(url + (query.size ? `?${query}` : ""), {
    method: verb.toUpperCase(), headers, body: body ? body.value : upload || undefined, credentials: "omit",
  });
  const type = answer.headers.get("Content-Type") || "";
  const content = await answer.blob();
  const text = /json|text/.test(type) ? await content.text() : "";
  let shown = text;
  let note = null;
  if (type.includes("json")) {
    try {
      const told = JSON.parse(text);
      shown = JSON.stringify(told, null, 2);
      if (answer.ok) remember(path, told);
      if (told.access_token) {
        tokenInput.value = told.access_token;
        note = element("p", { class: "note" }, "You are signed in on this page: the access token is in its field above.");
      }
    } catch { /* shown as it came */ }
  } else if (!text && content.size) {
    shown = `${content.size} bytes of ${type}`;
    const named = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") || "");
    note = element("p", {}, element("a", { href: URL.createObjectURL(content), download: named ? named[1] : "answer" }, "Save the file"));
  }
  const facts = ["etag", "retry-after", "x-request-id", "idempotency-replayed"]
    .filter((name) => answer.headers.has(name)).map((name) => `${name}: ${answer.headers.get(name)}`);
  out.replaceChildren(
    element("h4", { class: answer.ok ? "ok" : "bad" },
      `${answer.status} ${answer.statusText} · ${Math.round(performance.now() - began)} ms`),
    ...(note ? [note] : []),
    element("pre", {}, [facts.join("\n"), shown].filter(Boolean).join("\n\n")),
  );
}

/* A paragraph of a docstring: its lines flow, and what stands in backticks is code. */
function prose(text) {
  return element("p", {}, ...text.replace(/\n/g, " ").split(/`+/).map((part, at) => (at % 2 ? element("code", {}, part) : part)));
}

function card(path, verb, operation) {
  const open = (operation.security || []).some((way) => Object.keys(way).length === 0);
  const who = open ? "public" : (operation["x-roles"] || ["signed in"]).join(", ");
  const inside = element("div", { class: "inside" });
  const made = element("details", { class: "operation", id: operation.operationId },
    element("summary", {},
      element("span", { class: `verb ${verb}` }, verb.toUpperCase()),
      element("span", { class: "path" }, path),
      element("span", { class: "chip" }, who),
      element("span", { class: "what" }, operation.summary || "")),
    inside);
  made.dataset.words = `${verb} ${path} ${operation.summary} ${operation.description || ""}`.toLowerCase();
  made.addEventListener("toggle", () => {
    if (!made.open || inside.childElementCount) return;
    for (const paragraph of (operation.description || "").split(/\n\n+/).filter(Boolean)) inside.append(prose(paragraph));
    if ((operation.parameters || []).length) {
      inside.append(element("h4", {}, "Parameters"), table(["name", "in", "kind", "rules"], operation.parameters.map((one) => [
        element("code", {}, one.name + (one.required ? " *" : "")), one.in, nameOf(one.schema),
        [rulesOf(one.schema), one.description].filter(Boolean).join(". "),
      ])));
    }
    for (const [type, part] of Object.entries((operation.requestBody || {}).content || {})) {
      inside.append(element("h4", {}, `Body (${type})`), schemaBlock(part.schema));
    }
    inside.append(element("h4", {}, "Answers"), responses(operation));
    inside.append(element("h4", {}, "Try it"), tryForm(path, verb, operation));
    for (const [status, answer] of Object.entries(operation.responses)) {
      const json = (answer.content || {})["application/json"];
      if (status < "300" && json && json.schema.$ref) inside.append(element("h4", {}, nameOf(json.schema)), schemaBlock(json.schema));
    }
  });
  return made;
}

function titleOf(tag) {
  return TITLES[tag] || tag[0].toUpperCase() + tag.slice(1);
}

function intro() {
  const steps = STEPS.map(([words, path, verb]) => {
    const found = (api.paths[`/api/v1${path}`] || {})[verb];
    return found ? element("li", {}, element("a", { href: `#${found.operationId}` }, words)) : null;
  });
  return element("div", { class: "intro" },
    element("h1", {}, `${api.info.title} API, version ${api.info.version}`),
    element("p", {}, `${api.info.description} Every operation can be tried here; start with these, in this order.`),
    element("p", {}, `The same as OpenAPI ${api.openapi}: `,
      element("a", { href: "/api/v1/openapi.json" }, "/api/v1/openapi.json")),
    element("ol", { class: "steps" }, ...steps.filter(Boolean)));
}

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.tagName === "DETAILS") target.open = true;
  target.scrollIntoView();
}

function show() {
  const nav = document.getElementById("tags");
  const sections = new Map();
  content.replaceChildren(intro());
  const tags = api.tags.map((tag) => tag.name);
  for (const tag of [...tags.filter((one) => !SHOWN_LAST.includes(one)), ...SHOWN_LAST.filter((one) => tags.includes(one))]) {
    const section = element("section", { id: `tag-${tag}` }, element("h2", {}, titleOf(tag)));
    sections.set(tag, section);
    nav.append(element("a", { href: `#tag-${tag}` }, titleOf(tag)));
    content.append(section);
  }
  content.append(element("p", { id: "nothing", role: "status", hidden: true }, "No operation has these words."));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const verb of VERBS) if (item[verb]) sections.get(item[verb].tags[0]).append(card(path, verb, item[verb]));
  }
  openTarget();
}

window.addEventListener("hashchange", openTarget);
document.getElementById("find").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  for (const one of document.querySelectorAll(".operation")) {
    one.hidden = !words.every((word) => one.dataset.words.includes(word));
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector(".operation:not([hidden])");
  }
  document.querySelector(".intro").hidden = Boolean(event.target.value.trim());
  document.getElementById("nothing").hidden = Boolean(document.querySelector(".operation:not([hidden])"));
});

fetch("/api/v1/openapi.json", { credentials: "omit" })
  .then((answer) => answer.json())
  .then((loaded) => { api = loaded; show(); })
  .catch((error) => { document.getElementById("status").textContent = `The document did not load: ${error}`; });
