// The view inside as one file, for those who have no server.

import { $, h } from "./dom.js";

/** Let the button save what `seen()` is; `showTrouble` says what goes wrong. */
export function startSaving(seen, showTrouble) {
  const save = async (inspection) => {
    const href = URL.createObjectURL(await inspection.closer("page", {}));
    h("a", { href, download: `${fileName(inspection.src.text)}.html` }).click();
  };
  $("save").addEventListener("click", () => seen() && save(seen()).catch(showTrouble));
}

const fileName = (text) => text.replace(/[^\p{L}\p{N}]+/gu, " ").trim().slice(0, 40) || "onmal";
