// Talking to the page's own server, and to no other. Whatever goes wrong is a Trouble, with words for a person.

import { saved } from "./dom.js";
import { knows, t } from "./words.js";

/** A request that failed. `message` is for a person; `status` is HTTP's, 0 where no server answered. */
export class Trouble extends Error {
  constructor(status, detail, code = "") {
    const known = [code, status].find((name) => knows(`trouble.${name}`));
    super(t(`trouble.${known ?? (status >= 500 ? 500 : 400)}`));
    this.status = status;
    this.detail = detail; // what the server said itself, one line
  }
}

/** The headers that name this reader to a server with keys. The key is kept until the tab is closed. */
export const headers = () => {
  const key = sessionStorage.getItem("key");
  return key ? { Authorization: `Bearer ${key}` } : {};
};

export const useKey = (key) => sessionStorage.setItem("key", key);

/** Ask for JSON, or for a page as a file: GET without a body, POST with one. Raises Trouble, and AbortError when `signal` says so. */
export async function ask(path, body, signal) {
  const sent = body && { method: "POST", body: JSON.stringify(body) };
  const response = await reach(path, {
    ...sent,
    headers: { ...headers(), ...(body && { "Content-Type": "application/json" }) },
    signal,
  });
  return response.headers.get("Content-Type")?.includes("html") ? response.blob() : response.json();
}

/** Fetch, with every failure told as Trouble. */
async function reach(path, options) {
  if (saved) throw new Trouble(0, "", "saved");
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble(0, "");
  }
  if (!response.ok) throw new Trouble(response.status, ...(await reason(response)));
  return response;
}

/** What the server says itself, and its code for it. */
async function reason(response) {
  try {
    const { error } = await response.json();
    return [error.message ?? error, error.code];
  } catch {
    return [""]; // no JSON: a proxy's page, of no use to the reader
  }
}

/**
 * One request in flight at a time: a newer one aborts the older.
 * The function that comes back runs `work(signal)` and gives its result, or undefined where it was overtaken.
 */
export function latest() {
  let running = null;
  return async (work) => {
    running?.abort();
    const mine = (running = new AbortController());
    try {
      const result = await work(mine.signal);
      return mine.signal.aborted ? undefined : result;
    } catch (error) {
      if (error.name === "AbortError" || mine.signal.aborted) return undefined;
      throw error;
    }
  };
}
