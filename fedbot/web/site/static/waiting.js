// Goes on by itself: once the code that the page shows was said, or by showing again what has changed meanwhile.
"use strict";
let part = document.querySelector("[data-waiting], [data-again]");

async function got(address) {
  return fetch(address, { cache: "no-store", credentials: "same-origin" });
}

async function isSignedIn() {
  const answer = await got(part.dataset.waiting);
  return answer.ok && (await answer.json()).signed_in;
}

async function isOver() {
  const answer = await got(location.href);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-again]");
  if (!fresh) return answer.ok || answer.status === 404; // else a proxy says that the bot is away for a moment
  part.replaceWith(fresh);
  part = fresh;
  return false;
}

async function look() {
  try {
    if (await (part.dataset.waiting ? isSignedIn() : isOver())) return location.reload();
  } catch (problem) {
    console.warn("nobody answers; this page tries again", problem);
  }
  setTimeout(look, 1000 * (part.dataset.again || 3));
}

if (part) setTimeout(look, 1000 * (part.dataset.again || 3));
