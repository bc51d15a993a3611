// Goes on by itself: once the code that the page shows was said, or by showing again what has changed meanwhile.
"use strict";
let part = document.querySelector("[data-waiting], [data-again]");

async function got(address) {
  return fetch(address, { cache: "no-cache", credentials: "same-origin" }); // what is unchanged isn't sent again
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
  tellWhen(answer.headers.get("date"));
  return false;
}

function tellWhen(date) {
  const shown = document.getElementById("updated");
  if (!shown || !date) return;
  const how = { hour: "2-digit", minute: "2-digit", timeZone: shown.dataset.zone };
  shown.textContent = new Date(date).toLocaleTimeString(document.documentElement.lang, how);
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
