// A document dropped on the page comes back in the other language.

import { $, h, icon } from "./dom.js";
import { t } from "./words.js";
import { state } from "./state.js";
import { Trouble, ask, headers } from "./server.js";
import { chosenModel } from "./served.js";
import { warningLine } from "./warnings.js";

const FEW = 5; // warnings that are shown at once

let sending = null;

/** Let files be dropped or picked; `showTrouble` tells what goes wrong. */
export function startDocuments(showTrouble) {
  const drop = $("drop");
  const begin = (file) => file && send(file).catch(showTrouble);
  $("pick").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => (begin($("file").files[0]), ($("file").value = "")));
  drop.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  for (const leave of ["dragleave", "drop"]) drop.addEventListener(leave, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    begin(event.dataTransfer.files[0]);
  });
  offerFormats();
}

async function offerFormats() {
  try {
    const { supportedFilesFormat = [] } = await ask("frontend/settings");
    $("file").accept = supportedFilesFormat.join(",");
    $("pick").hidden = !supportedFilesFormat.length;
    $("pick").title = supportedFilesFormat.join(" ");
  } catch {
    $("pick").hidden = true; // a server without documents
  }
}

async function send(file) {
  sending?.abort();
  const bar = h("progress", { max: 1, value: 0, "aria-label": file.name });
  const status = h("span", { class: "note" }, t("document.sending"));
  show(h("span", { class: "name" }, file.name), bar, status);
  try {
    const answer = await upload(file, (share) => {
      bar.value = share;
      if (share === 1) {
        bar.removeAttribute("value"); // the translation itself tells no progress
        status.textContent = t("document.translating");
      }
    });
    const url = new URL(answer.translatedFileUrl, location.href);
    const path = new URL(url.pathname + url.search, location.href); // behind a proxy the server may not know its name
    show(
      icon("document"),
      h("span", { class: "name" }, file.name),
      h("a", { href: path.href, download: "", class: "button" }, icon("save"), t("document.save")),
      notKept(answer.warnings ?? []), // older servers tell none
    );
  } catch (error) {
    $("document").hidden = true;
    throw error;
  }
}

function show(...children) {
  $("document").hidden = false;
  $("document").replaceChildren(...children);
}

/** What could not be kept, and where; many such places fold into one line. */
function notKept(warnings) {
  if (!warnings.length) return "";
  return h(
    "details",
    { class: "not-kept", open: warnings.length <= FEW },
    h("summary", {}, t("document.warnings", { count: warnings.length })),
    h(
      "ul",
      { class: "warnings" },
      warnings.map(({ place, warning }) => warningLine(warning, place)),
    ),
  );
}

/** Send a file; fetch cannot tell how much has been sent, so this is an XMLHttpRequest. */
function upload(file, progress) {
  const form = new FormData();
  form.append("file", file);
  form.append("source", state.from);
  form.append("target", state.to);
  form.append("model", chosenModel());
  const request = new XMLHttpRequest();
  sending = request;
  return new Promise((resolve, reject) => {
    request.upload.addEventListener(
      "progress",
      (event) => event.lengthComputable && progress(event.loaded / event.total),
    );
    request.addEventListener("error", () => reject(new Trouble(0, "")));
    request.addEventListener("load", () => {
      const answer = parsed(request.responseText);
      if (request.status === 200 && answer?.translatedFileUrl) resolve(answer);
      else reject(new Trouble(request.status, answer?.error ?? ""));
    });
    request.open("POST", "translate_file");
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.send(form);
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
